"""What the tensors and operators of a graph must satisfy before anything may rely on them.

TFLM checks little of this on the device, and with NDEBUG nearly nothing: what is wrong here is a
wild read, a write into flash or a wrong answer there. Rules that depend on the TFLM tree are in
`hil.support`; these hold for any.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

from hil.tensors import ITEM_BITS, OpSpec, TensorSpec

Tensors = Sequence[TensorSpec]

MAX_TENSOR_BYTES = (1 << 31) - 1
"""TFLM counts elements in an int of 32 bits."""

_RANGES: Mapping[str, tuple[int, int]] = {
    "int4": (-8, 7),
    "int8": (-128, 127),
    "uint8": (0, 255),
    "int16": (-(1 << 15), (1 << 15) - 1),
    "uint16": (0, (1 << 16) - 1),
    "int32": (-(1 << 31), (1 << 31) - 1),
}
"""What a zero point may be: a value of the tensor's own type."""

_TWO = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "ADD", "SUB", "MUL", "DIV", "MAXIMUM",
        "MINIMUM", "PAD", "MEAN", "PRELU", "BATCH_MATMUL", "EQUAL", "NOT_EQUAL", "GREATER",
        "GREATER_EQUAL", "LESS", "LESS_EQUAL", "LOGICAL_AND", "LOGICAL_OR", "GATHER", "TRANSPOSE",
        "EXPAND_DIMS", "ARG_MAX", "ARG_MIN", "SPLIT", "RESIZE_BILINEAR",
        "RESIZE_NEAREST_NEIGHBOR", "SQUARED_DIFFERENCE")  # fmt: skip
_INPUTS: Mapping[str, int] = {
    **dict.fromkeys(
        ("SOFTMAX", "LOGISTIC", "TANH", "RELU", "RELU6", "MAX_POOL_2D", "AVERAGE_POOL_2D",
         "RESHAPE", "QUANTIZE", "DEQUANTIZE", "ABS", "NEG", "SQRT", "RSQRT", "SQUARE", "FLOOR",
         "CEIL", "ROUND", "EXP", "LOG", "SIN", "COS", "CONCATENATION", "PACK", "UNPACK", "SHAPE",
         "SQUEEZE", "LEAKY_RELU", "HARD_SWISH", "ELU", "CAST", "L2_NORMALIZATION"), 1),
    **dict.fromkeys(_TWO, 2),
    **dict.fromkeys(("TRANSPOSE_CONV", "PADV2", "SLICE"), 3),
    "STRIDED_SLICE": 4,
    "SVDF": 5,
    "UNIDIRECTIONAL_SEQUENCE_LSTM": 20,
}  # fmt: skip
"""The least number of inputs of an operator, from its kernel; optional ones come after."""

_MAY_BE_LEFT_OUT: Mapping[str, int] = {"UNIDIRECTIONAL_SEQUENCE_LSTM": 1}
"""Operators among whose first inputs some are optional: how many are not."""

_NO_OUTPUT = ("ASSIGN_VARIABLE", "CALL_ONCE", "WHILE", "IF")
_MANY_INPUTS = 4


def problems_of(
    tensors: Tensors, ops: Sequence[OpSpec], inputs: Sequence[int], outputs: Sequence[int],
    *, main: bool,
) -> list[str]:  # fmt: skip
    """Everything that is wrong with one subgraph, one line each.

    ``main``: the subgraph that an application invokes, which has ends and operators.
    """
    found = list(_ends(len(tensors), inputs, outputs, main))
    if main and not ops:
        found.append("the model has no operators")
    for op in ops:
        found += _indices(op, len(tensors))
    for index, spec in enumerate(tensors):
        found += _tensor(f"Tensors[{index}] {spec.name!r}", spec)
    if found:
        return found
    found += _order(tensors, ops, inputs, outputs)
    for op in ops:
        found += _operands(op, tensors)
    return found


def _ends(count: int, inputs: Sequence[int], outputs: Sequence[int], main: bool) -> Iterator[str]:
    for name, indices in (("inputs", inputs), ("outputs", outputs)):
        if main and not indices:
            yield f"the model has no {name}"
        wild = [index for index in indices if not 0 <= index < count]
        if wild:
            yield f"the {name} name tensor {wild[0]:,} of {count:,}"


def _label(op: OpSpec) -> str:
    return f"Operators[{op.index}] {op.opcode}"


def _indices(op: OpSpec, count: int) -> Iterator[str]:
    for name, indices, least in (("inputs", op.inputs, -1), ("outputs", op.outputs, 0)):
        wild = [index for index in indices if not least <= index < count]
        if wild:
            yield f"{_label(op)}.{name} name tensor {wild[0]:,} of {count:,}"
    least = _INPUTS.get(op.opcode, 0)
    if len(op.inputs) < least:
        yield f"{_label(op)} has {len(op.inputs)} inputs and needs {least}"
    needed = op.inputs[: _MAY_BE_LEFT_OUT.get(op.opcode, least)]
    if -1 in needed:
        yield f"{_label(op)} leaves out input {needed.index(-1)}, which is not optional"
    if not op.outputs and op.opcode not in _NO_OUTPUT:
        yield f"{_label(op)} has no output"


def _tensor(where: str, spec: TensorSpec) -> Iterator[str]:
    wrong = [length for length in spec.shape if length < 0]
    if wrong:
        hint = "; fix it with Input(batch_shape=(1, ...)) and convert again" if -1 in wrong else ""
        yield f"{where} has the shape {list(spec.shape)} with the length {wrong[0]:,}{hint}"
    elif spec.elements * max(ITEM_BITS.get(spec.dtype, 8), 8) // 8 > MAX_TENSOR_BYTES:
        yield f"{where} has the shape {list(spec.shape)}: more than 2 GiB, which overflows TFLM"
    elif spec.constant and not spec.sparse and spec.stored < spec.nbytes:
        yield (f"{where} ({spec}) needs {spec.nbytes:,} bytes, its buffer has {spec.stored:,}")
    if spec.signature and len(spec.signature) != len(spec.shape):
        yield (f"{where} has the shape {list(spec.shape)} and the signature {list(spec.signature)}")
    yield from _quantisation(where, spec)


def _quantisation(where: str, spec: TensorSpec) -> Iterator[str]:
    if not spec.scales or spec.dtype not in _RANGES:
        return
    count = len(spec.scales)
    # Converters gave biases (one axis) the axis of their weights: there is only one it can be.
    axis = 0 if len(spec.shape) == 1 else spec.axis
    if count > 1 and not 0 <= axis < len(spec.shape):
        yield f"{where} is quantised along axis {axis} of the shape {list(spec.shape)}"
    elif count > 1 and spec.shape[axis] != count:
        yield f"{where} has {count} scales for {spec.shape[axis]} channels"
    if len(spec.zero_points) not in (0, count):
        yield f"{where} has {count} scales and {len(spec.zero_points)} zero points"
    bad = [scale for scale in spec.scales if not (math.isfinite(scale) and scale > 0)]
    if bad:
        yield f"{where} has the scale {bad[0]:g}, which is not a positive number"
    low, high = _RANGES[spec.dtype]
    wild = [zero for zero in spec.zero_points if not low <= zero <= high]
    if wild:
        yield f"{where} has the zero point {wild[0]:,}, outside {spec.dtype} ({low:,} to {high:,})"


def _order(
    tensors: Tensors, ops: Sequence[OpSpec], inputs: Sequence[int], outputs: Sequence[int]
) -> Iterator[str]:
    """TFLM runs operators in the file's order: what one reads must have been written by then."""
    for index in inputs:
        if tensors[index].constant:
            yield f"the inputs name Tensors[{index}] {tensors[index].name!r}, which is a constant"
    made = {*inputs, *(i for i, spec in enumerate(tensors) if spec.constant or spec.variable)}
    for op in ops:
        missing = [index for index in op.inputs if index >= 0 and index not in made]
        if missing and not op.opcode.startswith("CUSTOM:"):  # those may take scratch as an input
            name = tensors[missing[0]].name
            yield f"{_label(op)} reads Tensors[{missing[0]}] {name!r} before anything writes it"
        for index in op.outputs:
            if tensors[index].constant:
                yield f"{_label(op)} writes Tensors[{index}], which is a constant"
            elif index in inputs:
                yield f"{_label(op)} writes Tensors[{index}], which is an input of the model"
        made.update(op.outputs)
    for index in outputs:
        if index not in made:
            yield f"the outputs name Tensors[{index}], which nothing writes"


def _operands(op: OpSpec, tensors: Tensors) -> Iterator[str]:
    """Shapes of weights and biases against what they are applied to."""
    rule = _SHAPES.get(op.opcode)
    if rule is None:
        return
    data, weights = tensors[op.inputs[0]], tensors[op.inputs[1]]
    bias = tensors[op.inputs[2]] if len(op.inputs) > 2 and op.inputs[2] >= 0 else None
    rank, channels = rule
    if len(weights.shape) != rank or not data.shape or not weights.elements or not data.elements:
        if len(weights.shape) != rank:
            yield f"{_label(op)} has weights of the shape {list(weights.shape)}, not of rank {rank}"
        return
    made = weights.shape[channels]
    if bias is not None and bias.elements != made:
        yield f"{_label(op)} has {bias.elements:,} biases for {made:,} channels"
    if op.opcode == "FULLY_CONNECTED" and data.elements % weights.shape[1]:
        yield (
            f"{_label(op)} has weights of the shape {list(weights.shape)} for an input of "
            f"{data.elements:,} values"
        )
    elif op.opcode == "CONV_2D" and data.shape[-1] % weights.shape[3]:
        yield (
            f"{_label(op)} has weights for {weights.shape[3]:,} channels, its input has "
            f"{data.shape[-1]:,}"
        )
    made_here = tensors[op.outputs[0]].shape
    if made_here and made_here[-1] != made:
        yield f"{_label(op)} makes {made:,} channels, its output has the shape {list(made_here)}"


_SHAPES: Mapping[str, tuple[int, int]] = {
    "FULLY_CONNECTED": (2, 0),
    "CONV_2D": (4, 0),
    "DEPTHWISE_CONV_2D": (4, 3),
}
"""Rank of the weights and their axis of output channels."""
