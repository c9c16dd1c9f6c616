"""The bytes of a .tflite file -> tensors and operators. The bytes are not trusted.

The `tflite` package reads without verifying: an offset may point anywhere, a vector may claim
four thousand million entries, and many tables may share one vector. So every length is checked
against the file before it is walked, a budget bounds the whole walk by the size of the file,
and whatever an accessor raises becomes `Damaged` with the place where it was raised.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import tflite

from hil.tensors import OpSpec, TensorSpec

IDENTIFIER = b"TFL3"
_SMALLEST = 8  # root offset and identifier
_MAX_RANK = 16
_CUSTOM = 32


class Damaged(ValueError):
    """The bytes are not a model; the message is one clear reason."""


@dataclass(frozen=True)
class Graph:
    """What the file says about its first subgraph. ``notes`` are facts worth showing."""

    schema_version: int
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    tensors: tuple[TensorSpec, ...]
    ops: tuple[OpSpec, ...]
    notes: tuple[str, ...]


def parse(data: bytes) -> Graph:
    """Parse a model.

    Raises:
        Damaged: and nothing else, whatever the bytes are.
    """
    _check_head(data)
    walk = _Walk(data)
    try:
        return walk.graph()
    except Damaged:
        raise
    except Exception as error:  # an unverified reader raises nearly anything on wild offsets
        reason = f"truncated or damaged while reading {walk.place} ({type(error).__name__})"
        raise Damaged(reason) from error


def _check_head(data: bytes) -> None:
    if not data:
        raise Damaged("the file is empty")
    if len(data) < _SMALLEST:
        raise Damaged(f"{len(data)} bytes are too few for a model")
    if data[4:8] != IDENTIFIER:
        found = data[4:8].decode("ascii", "backslashreplace")
        raise Damaged(f"not a .tflite file: identifier {found!r} instead of 'TFL3'")


def _names(enum: type) -> dict[int, str]:
    return {value: name for name, value in vars(enum).items() if isinstance(value, int)}


_OPCODES = _names(tflite.BuiltinOperator)
_TYPES = {value: name.lower() for value, name in _names(tflite.TensorType).items()}


class _Walk:
    """One pass over the bytes; ``place`` says where it is, for the reason."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.place = "the root"
        self.budget = len(data)  # entries; a valid file stores each in at least one byte

    def graph(self) -> Graph:
        model = tflite.Model.GetRootAs(self.data)
        version = int(model.Version())
        count = self.length("the subgraphs", model.SubgraphsLength())
        if not count:
            raise Damaged("the model has no subgraph")
        buffers = [self.buffer_size(model, i) for i in self.each(model, "Buffers")]
        codes = [self.opcode(model.OperatorCodes(i)) for i in self.each(model, "OperatorCodes")]
        subgraph = model.Subgraphs(0)
        tensors = tuple(
            self.tensor(subgraph.Tensors(i), buffers) for i in self.each(subgraph, "Tensors")
        )
        ops = tuple(
            self.op(i, subgraph.Operators(i), codes, len(tensors))
            for i in self.each(subgraph, "Operators")
        )
        inputs = self.ends(subgraph, "Inputs", len(tensors))
        outputs = self.ends(subgraph, "Outputs", len(tensors))
        return Graph(version, inputs, outputs, tensors, ops, _notes(count, tensors, ops))

    def length(self, place: str, length: int) -> int:
        """Check a vector's length against what is left of the budget, and spend it."""
        self.place = place
        self.budget -= length
        if length < 0 or self.budget < 0:
            raise Damaged(f"{place} claim {length:,} entries, more than the file can hold")
        return length

    def each(self, table: Any, field: str) -> Iterator[int]:
        count = self.length(f"the list of {field}", getattr(table, f"{field}Length")())
        for index in range(count):
            self.place = f"{field}[{index}]"
            yield index

    def numbers(self, table: Any, field: str, most: int | None = None) -> list[Any]:
        """A vector of numbers; numpy refuses one that runs past the end of the file."""
        where = self.place
        count = self.length(f"{where}.{field}", getattr(table, f"{field}Length")())
        if most is not None and count > most:
            raise Damaged(f"{where}.{field} has {count:,} entries, more than {most}")
        values: list[Any] = getattr(table, f"{field}AsNumpy")().tolist() if count else []
        self.place = where
        return values

    def buffer_size(self, model: Any, index: int) -> int:
        """Bytes of one buffer, which must lie inside the file."""
        buffer = model.Buffers(index)
        size = int(buffer.DataLength())
        if size and buffer.DataAsNumpy().size != size:
            raise Damaged(f"{self.place} runs past the end of the file")
        offset, outside = int(buffer.Offset()), int(buffer.Size())
        if offset > 1:  # data behind the flatbuffer, as files over 2 GB have it
            if offset + outside > len(self.data):
                raise Damaged(f"{self.place} runs past the end of the file")
            size = outside
        return size

    def opcode(self, code: Any) -> tuple[str, int]:
        number = max(int(code.DeprecatedBuiltinCode()), int(code.BuiltinCode()))
        name = _OPCODES.get(number, f"BUILTIN_{number}")
        if number == _CUSTOM:
            name = f"CUSTOM:{_text(code.CustomCode())}"
        return name, int(code.Version())

    def tensor(self, table: Any, buffers: list[int]) -> TensorSpec:
        shape = tuple(self.numbers(table, "Shape", _MAX_RANK))
        if any(length < 0 for length in shape):
            raise Damaged(f"{self.place} has the shape {shape}")
        scales, zero_points, axis = self.quantisation(table.Quantization())
        number = int(table.Type())
        spec = TensorSpec(
            name=_text(table.Name()),
            shape=shape,
            dtype=_TYPES.get(number, f"type{number}"),
            scales=scales,
            zero_points=zero_points,
            axis=axis,
            signature=tuple(self.numbers(table, "ShapeSignature", _MAX_RANK)),
            constant=self.constant(int(table.Buffer()), buffers),
            variable=bool(table.IsVariable()),
        )
        if spec.constant and not table.Sparsity() and buffers[table.Buffer()] < spec.nbytes:
            raise Damaged(
                f"{self.place} ({spec}) needs {spec.nbytes:,} bytes, its buffer has "
                f"{buffers[table.Buffer()]:,}"
            )
        return spec

    def constant(self, buffer: int, buffers: list[int]) -> bool:
        if buffer and buffer >= len(buffers):
            raise Damaged(f"{self.place} names buffer {buffer} of {len(buffers)}")
        return bool(buffers) and buffers[buffer] > 0

    def quantisation(self, table: Any) -> tuple[tuple[float, ...], tuple[int, ...], int]:
        if table is None:
            return (), (), 0
        scales = tuple(self.numbers(table, "Scale"))
        zero_points = tuple(self.numbers(table, "ZeroPoint"))
        if scales and len(zero_points) not in (0, len(scales)):
            raise Damaged(
                f"{self.place} has {len(scales)} scales and {len(zero_points)} zero points"
            )
        return scales, zero_points if scales else (), int(table.QuantizedDimension())

    def op(self, index: int, table: Any, codes: list[tuple[str, int]], tensors: int) -> OpSpec:
        code = int(table.OpcodeIndex())
        if not 0 <= code < len(codes):
            raise Damaged(f"{self.place} names operator code {code} of {len(codes)}")
        inputs = tuple(self.numbers(table, "Inputs"))
        outputs = tuple(self.numbers(table, "Outputs"))
        if not all(-1 <= i < tensors for i in inputs) or not all(0 <= i < tensors for i in outputs):
            raise Damaged(f"{self.place} names a tensor that the model does not have")
        name, version = codes[code]
        return OpSpec(index, name, version, inputs, outputs)

    def ends(self, subgraph: Any, field: str, tensors: int) -> tuple[int, ...]:
        self.place = f"the model's {field.lower()}"
        indices = tuple(self.numbers(subgraph, field))
        if not indices:
            raise Damaged(f"the model has no {field.lower()}")
        if not all(0 <= i < tensors for i in indices):
            raise Damaged(f"{self.place} name a tensor that the model does not have")
        return indices


def _text(raw: bytes | None) -> str:
    return (raw or b"").decode("utf-8", "replace")


def _notes(
    subgraphs: int, tensors: tuple[TensorSpec, ...], ops: tuple[OpSpec, ...]
) -> tuple[str, ...]:
    notes = []
    if subgraphs > 1:
        notes.append(f"{subgraphs} subgraphs; only the first is looked at")
    if not ops:
        notes.append("no operators")
    open_ones = sum(spec.dynamic for spec in tensors)
    if open_ones:
        notes.append(f"{open_ones} of {len(tensors)} tensors have an open length in their shape")
    return tuple(notes)
