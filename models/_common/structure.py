"""What a model is built of: its operators and tensors as text, and its multiply-accumulates."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from hil import graph as graphs
from hil.tensors import OpSpec, TensorSpec

Tensors = Sequence[TensorSpec]


def structure(data: bytes) -> tuple[str, ...]:
    """One line an operator: name, version, type and shape of every tensor that it touches.

    Two trainings of one network agree in all of it, whatever their weights are.
    """
    graph = graphs.parse(data)
    return tuple(_line(op, graph.tensors) for op in graph.ops)


def _line(op: OpSpec, tensors: Tensors) -> str:
    sides = (
        " ".join(_tensor(tensors, index) for index in side) for side in (op.inputs, op.outputs)
    )
    return f"{op.opcode} v{op.version}: " + " -> ".join(sides)


def _tensor(tensors: Tensors, index: int) -> str:
    if index < 0:
        return "-"
    spec = tensors[index]
    return f"{spec}/{len(spec.scales)}"


def macs(data: bytes) -> int:
    """Multiply-accumulates of one inference: convolutions and dense layers."""
    graph = graphs.parse(data)
    return sum(_MACS[op.opcode](op, graph.tensors) for op in graph.ops if op.opcode in _MACS)


def _conv(op: OpSpec, tensors: Tensors) -> int:
    return tensors[op.outputs[0]].elements * math.prod(tensors[op.inputs[1]].shape[1:])


def _depthwise(op: OpSpec, tensors: Tensors) -> int:
    return tensors[op.outputs[0]].elements * math.prod(tensors[op.inputs[1]].shape[1:3])


def _dense(op: OpSpec, tensors: Tensors) -> int:
    return tensors[op.outputs[0]].elements * tensors[op.inputs[1]].shape[-1]


_MACS: dict[str, Callable[[OpSpec, Tensors], int]] = {
    "CONV_2D": _conv,
    "DEPTHWISE_CONV_2D": _depthwise,
    "FULLY_CONNECTED": _dense,
}
