"""The bytes of a .tflite file -> tensors and operators. The bytes are not trusted.

The fields are those of TensorFlow Lite's schema.fbs, version 3; `hil.flatbuffer` reads them,
`hil.graph_rules` judges what they say.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

from hil.flatbuffer import Damaged, Field, Reader, Table
from hil.graph_rules import problems_of
from hil.tensors import OpSpec, TensorSpec

__all__ = ["Damaged", "Graph", "parse"]

IDENTIFIER = b"TFL3"
_SMALLEST = 8  # root offset and identifier
_MAX_RANK = 16
_MAX_CHANNELS = 65_536
_MAX_ENDS = 4_096
_CUSTOM = 32

_FOREIGN = (
    (b"PK\x03\x04", "a zip archive (a .keras file, a saved .npz, a download that was packed)"),
    (b"\x89HDF", "an HDF5 file (a Keras .h5), not yet converted"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"version https://git-lfs", "a Git LFS pointer; `git lfs pull` fetches the file itself"),
    (b"<", "a web page or XML, not the file behind the link"),
    (b"\x7fELF", "a program (ELF)"),
    (b"\x89PNG", "an image (PNG)"),
)
"""What people hand in instead, by its first bytes."""

_VERSION, _CODES, _SUBGRAPHS, _BUFFERS = (
    Field(slot, name)
    for slot, name in ((0, "version"), (1, "OperatorCodes"), (2, "Subgraphs"), (4, "Buffers"))
)
_OLD_CODE, _CUSTOM_CODE, _CODE_VERSION, _CODE = (
    Field(slot, name)
    for slot, name in enumerate(
        ("deprecated_builtin_code", "custom_code", "version", "builtin_code")
    )
)
_TENSORS, _INPUTS, _OUTPUTS, _OPERATORS = (
    Field(slot, name) for slot, name in enumerate(("Tensors", "Inputs", "Outputs", "Operators"))
)
_SHAPE, _TYPE, _BUFFER, _NAME, _QUANTISATION, _VARIABLE, _SPARSITY, _SIGNATURE = (
    Field(slot, name)
    for slot, name in enumerate(
        ("shape", "type", "buffer", "name", "quantization", "is_variable", "sparsity",
         "shape_signature")
    )
)  # fmt: skip
_SCALE, _ZERO_POINT, _AXIS = Field(2, "scale"), Field(3, "zero_point"), Field(6, "quantized_dim")
_OP_CODE, _OP_INPUTS, _OP_OUTPUTS, _OPTIONS, _CUSTOM_OPTIONS = (
    Field(slot, name)
    for slot, name in (
        (0, "opcode_index"), (1, "inputs"), (2, "outputs"), (4, "builtin_options"),
        (5, "custom_options"),
    )
)  # fmt: skip
_DATA, _OFFSET = Field(0, "data"), Field(1, "offset")


@dataclass(frozen=True)
class Graph:
    """What the file says about its first subgraph. ``notes`` are facts worth showing.

    ``further_ops`` are the operators of the other subgraphs (branches, loops, initialisation):
    a resolver needs them too. Their tensors are those of their own subgraph.
    """

    schema_version: int
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    tensors: tuple[TensorSpec, ...]
    ops: tuple[OpSpec, ...]
    further_ops: tuple[OpSpec, ...]
    notes: tuple[str, ...]
    subgraphs: int = 1


def parse(data: bytes) -> Graph:
    """Parse a model.

    Raises:
        Damaged: and nothing else, whatever the bytes are.
    """
    _check_head(data)
    return _Walk(Reader(data)).graph()


def _check_head(data: bytes) -> None:
    if not data:
        raise Damaged("the file is empty")
    if len(data) < _SMALLEST:
        raise Damaged(f"{len(data)} bytes are too few for a model")
    if data[4:8] == IDENTIFIER:
        return
    what = next((text for first, text in _FOREIGN if data.startswith(first)), "")
    found = data[4:8].decode("ascii", "backslashreplace")
    raise Damaged(
        f"not a .tflite file but {what}"
        if what
        else f"not a .tflite file: identifier {found!r} instead of 'TFL3'"
    )


@cache
def _names() -> tuple[dict[int, str], dict[int, str]]:
    """Operators and tensor types by number; the package takes a while to import."""
    import tflite

    ops, types = (
        {value: name for name, value in vars(enum).items() if isinstance(value, int)}
        for enum in (tflite.BuiltinOperator, tflite.TensorType)
    )
    return ops, {number: name.lower() for number, name in types.items()}


class _Walk:
    """One pass over the bytes; ``problems`` are what the whole graph has wrong with it."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.problems: list[str] = []
        self.buffers: list[int] = []
        self.codes: list[tuple[str, int]] = []
        self.opcodes, self.types = _names()

    def graph(self) -> Graph:
        model = self.reader.root()
        version = model.number(_VERSION, "I")
        self.buffers = [self.buffer_size(table) for table in model.tables(_BUFFERS)]
        self.codes = [self.opcode(table) for table in model.tables(_CODES)]
        graphs = [self.subgraph(table, version) for table in model.tables(_SUBGRAPHS)]
        if not graphs:
            raise Damaged("the model has no subgraph")
        if self.problems:
            raise Damaged(*dict.fromkeys(self.problems))
        first, *others = graphs
        further = tuple(op for graph in others for op in graph.ops)
        notes = _notes(len(graphs), first.tensors)
        return replace(first, further_ops=further, notes=notes, subgraphs=len(graphs))

    def subgraph(self, table: Table, version: int) -> Graph:
        tensors = tuple(self.tensor(each) for each in table.tables(_TENSORS))
        ops = tuple(self.op(i, each) for i, each in enumerate(table.tables(_OPERATORS)))
        inputs = table.integers(_INPUTS, "i", _MAX_ENDS)
        outputs = table.integers(_OUTPUTS, "i", _MAX_ENDS)
        graph = Graph(version, inputs, outputs, tensors, ops, (), ())
        main = table.place == _SUBGRAPHS.name + "[0]"
        where = "" if main else f"{table.place}: "
        found = problems_of(tensors, ops, inputs, outputs, main=main)
        self.problems += [where + problem for problem in found]
        return graph

    def buffer_size(self, table: Table) -> int:
        """Bytes of one buffer, which lie inside the flatbuffer."""
        if table.number(_OFFSET, "Q") > 1:  # as files over 2 GB have it
            self.problems.append(f"{table.place} lies outside the flatbuffer, where TFLM looks")
        return table.blob(_DATA) or 0

    def opcode(self, table: Table) -> tuple[str, int]:
        number = max(table.number(_OLD_CODE, "b"), table.number(_CODE, "i"))
        version = table.number(_CODE_VERSION, "i", 1)
        if number != _CUSTOM:
            if number < 0:
                self.problems.append(f"{table.place} has the operator number {number}")
            return self.opcodes.get(number, f"BUILTIN_{number}"), version
        name = table.text(_CUSTOM_CODE)
        if not name:
            self.problems.append(f"{table.place} is a custom operator without a name")
        elif not name.isprintable() or len(name) > 100:
            self.problems.append(f"{table.place} is a custom operator with an unprintable name")
        return f"CUSTOM:{name or ''}", version

    def tensor(self, table: Table) -> TensorSpec:
        buffer = table.number(_BUFFER, "I")
        if buffer >= len(self.buffers):
            raise Damaged(f"{table.place} names buffer {buffer:,} of {len(self.buffers):,}")
        scales, zero_points, axis = self.quantisation(table)
        number = table.number(_TYPE, "b")
        return TensorSpec(
            name=table.text(_NAME) or "",
            shape=table.integers(_SHAPE, "i", _MAX_RANK),
            dtype=self.types.get(number, f"type{number}"),
            scales=scales,
            zero_points=zero_points if scales else (),
            axis=axis,
            signature=table.integers(_SIGNATURE, "i", _MAX_RANK),
            constant=self.buffers[buffer] > 0,
            variable=bool(table.number(_VARIABLE, "B")),
            sparse=table.has(_SPARSITY),
            stored=self.buffers[buffer],
        )

    def quantisation(self, table: Table) -> tuple[tuple[float, ...], tuple[int, ...], int]:
        stated = table.table(_QUANTISATION, f"{table.place}.quantization")
        if stated is None:
            return (), (), 0
        return (
            stated.numbers(_SCALE, "f", _MAX_CHANNELS),
            stated.integers(_ZERO_POINT, "q", _MAX_CHANNELS),
            stated.number(_AXIS, "i"),
        )

    def op(self, index: int, table: Table) -> OpSpec:
        code = table.number(_OP_CODE, "I")
        if code >= len(self.codes):
            raise Damaged(f"{table.place} names operator code {code:,} of {len(self.codes):,}")
        table.table(_OPTIONS)  # TFLM follows it: it has to lie in the file
        table.blob(_CUSTOM_OPTIONS)
        name, version = self.codes[code]
        inputs = table.integers(_OP_INPUTS, "i", _MAX_ENDS)
        return OpSpec(index, name, version, inputs, table.integers(_OP_OUTPUTS, "i", _MAX_ENDS))


def _notes(subgraphs: int, tensors: tuple[TensorSpec, ...]) -> tuple[str, ...]:
    notes = []
    if subgraphs > 1:
        notes.append(f"{subgraphs} subgraphs; tensors are those of the first")
    open_ones = sum(spec.dynamic for spec in tensors)
    if open_ones:
        notes.append(f"{open_ones} of {len(tensors)} tensors have an open length in their shape")
    return tuple(notes)
