"""Writes small .tflite files, right or wrong in any way that a test asks for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import flatbuffers
import tflite

INT8, FLOAT32, INT32 = (
    tflite.TensorType.INT8,
    tflite.TensorType.FLOAT32,
    tflite.TensorType.INT32,
)
DENSE = tflite.BuiltinOperator.FULLY_CONNECTED
CUSTOM = tflite.BuiltinOperator.CUSTOM


@dataclass
class T:
    """A tensor. ``data`` is its own buffer, ``buffer`` the number of another one."""

    shape: Sequence[int] | None = (1, 4)
    type: int = INT8
    scale: Sequence[float] = (0.5,)
    zero: Sequence[int] = (0,)
    axis: int = 0
    data: bytes | None = None
    buffer: int | None = None
    name: str = "t"
    signature: Sequence[int] | None = None
    variable: bool = False


@dataclass
class O:  # noqa: E742 - a list of these reads like the graph that it is
    """An operator; ``code`` is a place in the model's operator codes."""

    inputs: Sequence[int] | None = (0, 1, 2)
    outputs: Sequence[int] | None = (3,)
    code: int = 0


@dataclass
class G:
    """A subgraph: one dense layer of 4 inputs and 2 outputs unless it says otherwise."""

    tensors: Sequence[T] = field(
        default_factory=lambda: [
            T(name="x"),
            T((2, 4), data=bytes(8), name="w"),
            T((2,), INT32, (0.25,), data=bytes(8), name="b"),
            T((1, 2), name="y"),
        ]
    )
    ops: Sequence[O] = field(default_factory=lambda: [O()])
    inputs: Sequence[int] | None = (0,)
    outputs: Sequence[int] | None = (3,)


def write(
    graphs: Sequence[G] | None = None,
    codes: Sequence[tuple[int, int, str | None]] = ((DENSE, 1, None),),
    version: int = 3,
    identifier: bytes = b"TFL3",
    buffers: int | None = None,
) -> bytes:
    """The bytes of a model. ``codes`` are (number, version, custom name); ``buffers`` cuts the list
    of buffers to that many."""
    build = flatbuffers.Builder(1024)
    graphs = [G()] if graphs is None else graphs
    contents = [b"", *(t.data for graph in graphs for t in graph.tensors if t.data is not None)]
    made_buffers = [_buffer(build, data) for data in contents][:buffers]
    numbers = iter(range(1, len(contents)))
    made_graphs = [_graph(build, graph, numbers) for graph in graphs]
    made_codes = [_code(build, *code) for code in codes]
    lists = [
        _offsets(build, made, start)
        for made, start in (
            (made_codes, tflite.ModelStartOperatorCodesVector),
            (made_graphs, tflite.ModelStartSubgraphsVector),
            (made_buffers, tflite.ModelStartBuffersVector),
        )
    ]
    tflite.ModelStart(build)
    tflite.ModelAddVersion(build, version)
    tflite.ModelAddOperatorCodes(build, lists[0])
    tflite.ModelAddSubgraphs(build, lists[1])
    tflite.ModelAddBuffers(build, lists[2])
    build.Finish(tflite.ModelEnd(build), identifier)
    return bytes(build.Output())


def _buffer(build: flatbuffers.Builder, data: bytes) -> int:
    vector = build.CreateByteVector(data) if data else 0
    tflite.BufferStart(build)
    if data:
        tflite.BufferAddData(build, vector)
    return int(tflite.BufferEnd(build))


def _code(build: flatbuffers.Builder, number: int, version: int, custom: str | None) -> int:
    name = build.CreateString(custom) if custom is not None else 0
    tflite.OperatorCodeStart(build)
    tflite.OperatorCodeAddDeprecatedBuiltinCode(build, max(min(number, 127), -128))
    tflite.OperatorCodeAddBuiltinCode(build, number)
    tflite.OperatorCodeAddVersion(build, version)
    if custom is not None:
        tflite.OperatorCodeAddCustomCode(build, name)
    return int(tflite.OperatorCodeEnd(build))


def _graph(build: flatbuffers.Builder, graph: G, buffers: object) -> int:
    tensors = _offsets(
        build,
        [_tensor(build, tensor, buffers) for tensor in graph.tensors],
        tflite.SubGraphStartTensorsVector,
    )
    ops = _offsets(build, [_op(build, op) for op in graph.ops], tflite.SubGraphStartOperatorsVector)
    ends = [_integers(build, indices) for indices in (graph.inputs, graph.outputs)]
    tflite.SubGraphStart(build)
    tflite.SubGraphAddTensors(build, tensors)
    tflite.SubGraphAddOperators(build, ops)
    if graph.inputs is not None:
        tflite.SubGraphAddInputs(build, ends[0])
    if graph.outputs is not None:
        tflite.SubGraphAddOutputs(build, ends[1])
    return int(tflite.SubGraphEnd(build))


def _tensor(build: flatbuffers.Builder, tensor: T, buffers: object) -> int:
    name = build.CreateString(tensor.name)
    shape = _integers(build, tensor.shape)
    signature = _integers(build, tensor.signature)
    quantised = _quantisation(build, tensor)
    own = next(buffers) if tensor.data is not None else 0  # type: ignore[call-overload]
    tflite.TensorStart(build)
    tflite.TensorAddName(build, name)
    tflite.TensorAddType(build, tensor.type)
    tflite.TensorAddBuffer(build, own if tensor.buffer is None else tensor.buffer)
    tflite.TensorAddIsVariable(build, tensor.variable)
    if tensor.shape is not None:
        tflite.TensorAddShape(build, shape)
    if tensor.signature is not None:
        tflite.TensorAddShapeSignature(build, signature)
    if quantised:
        tflite.TensorAddQuantization(build, quantised)
    return int(tflite.TensorEnd(build))


def _quantisation(build: flatbuffers.Builder, tensor: T) -> int:
    if not tensor.scale:
        return 0
    tflite.QuantizationParametersStartScaleVector(build, len(tensor.scale))
    for value in reversed(tensor.scale):
        build.PrependFloat32(value)
    scales = build.EndVector()
    tflite.QuantizationParametersStartZeroPointVector(build, len(tensor.zero))
    for zero in reversed(tensor.zero):
        build.PrependInt64(zero)
    zeros = build.EndVector()
    tflite.QuantizationParametersStart(build)
    tflite.QuantizationParametersAddScale(build, scales)
    tflite.QuantizationParametersAddZeroPoint(build, zeros)
    tflite.QuantizationParametersAddQuantizedDimension(build, tensor.axis)
    return int(tflite.QuantizationParametersEnd(build))


def _op(build: flatbuffers.Builder, op: O) -> int:
    inputs, outputs = _integers(build, op.inputs), _integers(build, op.outputs)
    tflite.OperatorStart(build)
    tflite.OperatorAddOpcodeIndex(build, op.code)
    if op.inputs is not None:
        tflite.OperatorAddInputs(build, inputs)
    if op.outputs is not None:
        tflite.OperatorAddOutputs(build, outputs)
    return int(tflite.OperatorEnd(build))


def _integers(build: flatbuffers.Builder, values: Sequence[int] | None) -> int:
    if values is None:
        return 0
    build.StartVector(4, len(values), 4)
    for value in reversed(values):
        build.PrependInt32(value)
    return int(build.EndVector())


def _offsets(build: flatbuffers.Builder, made: Sequence[int], start: object) -> int:
    start(build, len(made))  # type: ignore[operator]
    for offset in reversed(made):
        build.PrependUOffsetTRelative(offset)
    return int(build.EndVector())
