"""The arena that a model needs, computed from its file: the planner's layout and TFLM's own books.

Two parts. The *head* holds activations: tensors that are needed at the same time lie side by side,
placed as TFLM's greedy planner does. The *tail* holds what the interpreter keeps, which depends on
the TFLM; for the tree of 2020 every structure is known (`tail_2020`), with sizes of a 32-bit core
as the compiler gives them (``sizeof`` with TF_LITE_STATIC_MEMORY, arm-none-eabi-gcc 12.2).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from hil.model import Model
from hil.tensors import OpSpec

ALIGN = 16
MOST_BUFFERS = 2_000
"""Activations beyond which no plan is made: the planner's time grows with their square."""


@dataclass(frozen=True)
class Lifetime:
    """Bytes of one activation, and its first and last operator."""

    size: int
    first: int
    last: int

    def meets(self, other: Lifetime) -> bool:
        return self.first <= other.last and other.first <= self.last


def align(size: int, step: int = ALIGN) -> int:
    """``size`` rounded up to a multiple of ``step``."""
    return -(-size // step) * step


def lifetimes(model: Model) -> list[Lifetime]:
    """The activations in the order of the file's tensors; constants and variables are none."""
    first: dict[int, int] = dict.fromkeys(model.input_indices, 0)
    last: dict[int, int] = dict.fromkeys(model.output_indices, len(model.ops) - 1)
    for op in model.ops:
        for index in op.inputs:
            last[index] = max(last.get(index, -1), op.index)
        for index in op.outputs:
            first.setdefault(index, op.index)
    return [
        Lifetime(align(spec.nbytes), first[index], last[index])
        for index, spec in enumerate(model.tensors)
        if index in first and index in last and not spec.constant and not spec.variable
    ]


def head(buffers: Sequence[Lifetime]) -> int:
    """Bytes that the greedy planner needs for all of them (GreedyMemoryPlanner): the largest
    first, each at the lowest offset where nothing that lives at the same time lies.

    Raises:
        ValueError: more than `MOST_BUFFERS`.
    """
    if len(buffers) > MOST_BUFFERS:
        raise ValueError(f"{len(buffers):,} activations are too many to plan")
    placed: list[tuple[int, Lifetime]] = []
    for buffer in sorted(buffers, key=lambda each: -each.size):
        offset = 0
        for start, other in placed:
            if not other.meets(buffer):
                continue
            if start - offset >= buffer.size:
                break
            offset = max(offset, start + other.size)
        placed.append((offset, buffer))
        placed.sort(key=lambda each: each[0])
    return max((start + each.size for start, each in placed), default=0)


def split(model: Model, used: int) -> dict[str, int]:
    """``used`` bytes of arena, as the device states them, by what they hold: a forecast.

    ``activations`` is what the model's own tensors need as they are planned here, ``rest`` all
    else: what the interpreter keeps, the kernels' scratch. {} if the plan does not fit the figure.
    """
    try:
        planned = head(lifetimes(model))
    except ValueError:
        return {}
    return {"activations": planned, "rest": used - planned} if planned <= used else {}


# --- what the interpreter of June 2020 keeps, on a 32-bit core

_ALLOCATOR, _TENSOR, _NODE, _QUANTISATION = 20, 64, 40, 12
_ALLOCATION_INFO, _PLANNED = 20, 36
"""Bytes a tensor and an activation that planning takes for a moment, above the tail."""

_PARAMS: Mapping[str, int] = {
    "CONV_2D": 24, "DEPTHWISE_CONV_2D": 28, "FULLY_CONNECTED": 4, "AVERAGE_POOL_2D": 40,
    "MAX_POOL_2D": 40, "SOFTMAX": 4, "RESHAPE": 36, "SVDF": 8, "CONCATENATION": 8,
    "STRIDED_SLICE": 20, "PACK": 8, "UNPACK": 8, "SPLIT": 4, "ADD": 1, "MUL": 1, "SUB": 1,
    "MEAN": 1, "ARG_MAX": 1, "ARG_MIN": 1, "L2_NORMALIZATION": 1, "RESIZE_NEAREST_NEIGHBOR": 2,
}  # fmt: skip
_OP_DATA: Mapping[str, int] = {
    "CONV_2D": 40, "DEPTHWISE_CONV_2D": 40, "FULLY_CONNECTED": 20, "QUANTIZE": 8,
    "DEQUANTIZE": 8, "SVDF": 24,
}  # fmt: skip
_SCRATCH_HANDLE = 12


def tail_2020(model: Model) -> int:
    """Bytes that the tree of June 2020 keeps at the arena's end for as long as it runs.

    The allocations in their order, each aligned downwards from the arena's end.
    """
    used = 0
    for size, step in _allocations(model):
        used = align(used + size, step)
    return used


def _allocations(model: Model) -> Iterator[tuple[int, int]]:
    """Bytes and alignment: constructor, Init of every operator, Prepare of every operator."""
    yield _ALLOCATOR, 4
    yield _TENSOR * len(model.tensors), 4
    for spec in model.tensors:
        if spec.zero_points:  # a copy of zero points and scales, each an array with its length
            yield _QUANTISATION + 2 * (4 + 4 * len(spec.scales)), 4
    yield _NODE * len(model.ops), 4
    for op in model.ops:
        size = _PARAMS.get(op.opcode, 0)
        yield size, 4 if size >= 4 else 1
    for op in model.ops:
        if op.opcode in _OP_DATA:
            yield _OP_DATA[op.opcode], ALIGN
    for op in model.ops:
        yield from _prepared(model, op)
    for spec in model.tensors:
        if spec.variable:
            yield spec.nbytes, ALIGN


def _prepared(model: Model, op: OpSpec) -> Iterator[tuple[int, int]]:
    """Multipliers and shifts of a convolution, whatever its type; handles of scratch buffers."""
    if op.opcode in ("CONV_2D", "DEPTHWISE_CONV_2D"):
        weights = model.tensors[op.inputs[1]].shape
        channels = weights[0] if op.opcode == "CONV_2D" else weights[-1]
        yield 4 * channels, ALIGN
        yield 4 * channels, ALIGN
    for _ in _scratch(model, op):
        yield _SCRATCH_HANDLE, 4


def _scratch(model: Model, op: OpSpec) -> Iterator[Lifetime]:
    """Buffers that SVDF asks for: one value a filter, and in int8 one an output."""
    if op.opcode != "SVDF":
        return
    data, filters = model.tensors[op.inputs[0]], model.tensors[op.inputs[1]]
    batch = data.shape[0]
    yield Lifetime(align(4 * batch * filters.shape[0]), op.index, op.index)
    if data.dtype == "int8":
        units = model.tensors[op.outputs[0]].shape[-1]
        yield Lifetime(align(4 * batch * units), op.index, op.index)


def need_2020(model: Model, activations: int | None = None) -> int:
    """The smallest arena of the tree of June 2020 with its reference kernels, in bytes.

    ``activations`` is the head where something else has planned it. Planning itself needs room
    above the tail before the activations take it: the larger of the two counts.

    Raises:
        ValueError: too many activations to plan.
    """
    scratch = [each for op in model.ops for each in _scratch(model, op)]
    buffers = lifetimes(model) + scratch
    planned = head(buffers) if activations is None else activations
    books = _ALLOCATION_INFO * (len(model.tensors) + len(scratch))
    planning = books + _PLANNED * len(buffers)
    return align(tail_2020(model) + max(planned, planning))
