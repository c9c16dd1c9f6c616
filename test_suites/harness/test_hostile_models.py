"""Files that are no model, or a model made to do harm: one clear line each, and its own."""

from __future__ import annotations

import math
import os
import re
import struct
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from model_writer import CUSTOM, DENSE, FLOAT32, G, O, T, write

from hil.errors import SetupError
from hil.model import load_model

GOOD = write()
X, W, B, Y = G().tensors
CONV = 3
ADD = 0
U32 = "<I"
Maker = Callable[[], bytes]


def _at(data: bytes, position: int, form: str) -> int:
    return int(struct.unpack_from(form, data, position)[0])


def _patched(position: int, value: int, form: str = U32) -> bytes:
    data = bytearray(GOOD)
    struct.pack_into(form, data, position, value)
    return bytes(data)


ROOT = _at(GOOD, 0, U32)
VTABLE = ROOT - _at(GOOD, ROOT, "<i")


def _field(table: int, slot: int) -> int:
    """Where a table's field lies."""
    vtable = table - _at(GOOD, table, "<i")
    return table + _at(GOOD, vtable + 4 + 2 * slot, "<H")


def _pointed(table: int, slot: int) -> int:
    at = _field(table, slot)
    return at + _at(GOOD, at, U32)


SUBGRAPHS = _pointed(ROOT, 2)
BUFFERS = _pointed(ROOT, 4)
SUBGRAPH = SUBGRAPHS + 4 + _at(GOOD, SUBGRAPHS + 4, U32)
TENSORS = _pointed(SUBGRAPH, 0)
TENSOR = TENSORS + 4 + _at(GOOD, TENSORS + 4, U32)
NAME = _pointed(TENSOR, 3)
WEIGHTS = BUFFERS + 8 + _at(GOOD, BUFFERS + 8, U32)


def _with(**changes: T) -> bytes:
    """The good model with other tensors: x, w, b or y."""
    tensors = {"x": X, "w": W, "b": B, "y": Y} | changes
    return write([G(list(tensors.values()))])


def _op(op: O) -> bytes:
    return write([G(ops=[op])])


def _many_tables() -> bytes:
    """20,001 operators that are all the same table, in 80 KB."""
    return write([G(ops=[O()] * 20_001)])


BAD: dict[str, tuple[Maker, str]] = {
    "empty": (lambda: b"", "the file is empty"),
    "too short": (lambda: b"TFL3", "4 bytes are too few"),
    "random": (lambda: bytes(np.random.RandomState(1).bytes(4096)), r"not a .tflite file: ident"),
    "zeros": (lambda: bytes(4096), r"identifier '\\x00\\x00\\x00\\x00'"),
    "another schema": (lambda: write(identifier=b"ARM1"), "identifier 'ARM1' instead of 'TFL3'"),
    "keras": (lambda: b"PK\x03\x04" + bytes(64), "a zip archive"),
    "hdf5": (lambda: b"\x89HDF\r\n\x1a\n" + bytes(64), "an HDF5 file"),
    "lfs": (lambda: b"version https://git-lfs.github.com/spec/v1\n", "a Git LFS pointer"),
    "web page": (lambda: b"<!DOCTYPE html><html></html>", "a web page"),
    "identifier only": (lambda: b"\0\0\0\0TFL3" + bytes(56), "vtable of the root has 0 bytes"),
    "root outside": (lambda: _patched(0, 0x7FFFFFF0), "the root lies at bytes 2,147,483,632"),
    "root misaligned": (lambda: _patched(0, ROOT + 1), "the root lies at byte .*no multiple of 4"),
    "vtable before": (
        lambda: _patched(ROOT, 0x7FFFFFF0, "<i"),
        "the vtable of the root lies at bytes -",
    ),
    "vtable behind": (
        lambda: _patched(ROOT, -len(GOOD), "<i"),
        "the vtable of the root lies at bytes [0-9]",
    ),
    "vtable odd": (lambda: _patched(VTABLE, 7, "<H"), "the vtable of the root has 7 bytes"),
    "table too long": (
        lambda: _patched(VTABLE + 2, 0xFFFF, "<H"),
        "truncated or damaged: the root",
    ),
    "field outside table": (
        lambda: _patched(VTABLE + 4 + 2 * 2, 0xFFF0, "<H"),
        "Subgraphs lies at byte 65520 of a table",
    ),
    "cut in half": (lambda: GOOD[: len(GOOD) // 2], "truncated or damaged: "),
    "tail missing": (lambda: GOOD[:-40], "truncated or damaged: "),
    "huge vector": (
        lambda: _patched(TENSORS, 0xFFFFFFFF),
        r"Subgraphs\[0\].Tensors claims 4,294,967,295 entries",
    ),
    "vector over the end": (
        lambda: _patched(TENSORS, len(GOOD) - 50),
        r"Tensors with its 574 entries lies at bytes",
    ),
    "cycle": (
        lambda: _patched(SUBGRAPHS + 4, (ROOT - SUBGRAPHS - 4) % (1 << 32)),
        "truncated or damaged: Subgraphs.0. lies",
    ),
    "tensor offset outside": (
        lambda: _patched(TENSORS + 4, 0x10000),
        r"truncated or damaged: Subgraphs\[0\].Tensors\[0\] lies",
    ),
    "name not ended": (
        lambda: _patched(NAME + 5, 0x41, "B"),
        r"Tensors\[0\].name is a string that does not end in a zero",
    ),
    "buffer over the end": (
        lambda: _patched(_pointed(WEIGHTS, 0), 0x10000),
        r"Buffers\[1\].data with its 65,536 entries",
    ),
    "too many tables": (_many_tables, "more than 20,000 tables"),
    "no subgraph": (lambda: write([]), "the model has no subgraph"),
    "no operators": (lambda: write([G(ops=[])]), "the model has no operators"),
    "no inputs": (lambda: write([G(inputs=[])]), "the model has no inputs"),
    "no outputs": (lambda: write([G(outputs=None)]), "the model has no outputs"),
    "input outside": (lambda: write([G(inputs=[9])]), "the inputs name tensor 9 of 4"),
    "output negative": (lambda: write([G(outputs=[-1])]), "the outputs name tensor -1 of 4"),
    "buffer index": (lambda: _with(w=replace(W, buffer=77)), "names buffer 77 of 3"),
    "no buffers": (lambda: write(buffers=0), "names buffer 0 of 0"),
    "opcode index": (lambda: _op(O(code=3)), "names operator code 3 of 1"),
    "opcode negative": (lambda: write(codes=((-9, 1, None),)), "the operator number -9"),
    "custom without name": (
        lambda: write(codes=((CUSTOM, 1, None),)),
        "a custom operator without a name",
    ),
    "custom of escapes": (
        lambda: write(codes=((CUSTOM, 1, "\x1b[2Jx"),)),
        "a custom operator with an unprintable name",
    ),
    "op input outside": (lambda: _op(O((0, 99, 2))), "inputs name tensor 99 of 4"),
    "op output outside": (lambda: _op(O(outputs=(4,))), "outputs name tensor 4 of 4"),
    "op output left out": (lambda: _op(O(outputs=(-1,))), "outputs name tensor -1 of 4"),
    "op without inputs": (lambda: _op(O(inputs=())), "FULLY_CONNECTED has 0 inputs and needs 2"),
    "op without outputs": (lambda: _op(O(outputs=())), "FULLY_CONNECTED has no output"),
    "weights left out": (lambda: _op(O((0, -1, 2))), "leaves out input 1, which is not optional"),
    "open length": (
        lambda: _with(x=replace(X, shape=(-1, 4))),
        r"the shape \[-1, 4\].*Input\(batch_shape",
    ),
    "negative length": (
        lambda: _with(x=replace(X, shape=(1, -4))),
        r"\[1, -4\] with the length -4",
    ),
    "lowest length": (lambda: _with(x=replace(X, shape=(-(1 << 31),))), "length -2,147,483,648"),
    "product overflow": (
        lambda: _with(x=replace(X, shape=(65536, 65536, 65536))),
        "more than 2 GiB",
    ),
    "overflow to small": (
        lambda: _with(x=replace(X, shape=(1 << 16, 1 << 16, 4))),
        r"65536, 65536, 4\]: more than 2 GiB",
    ),
    "rank": (lambda: _with(x=replace(X, shape=(1,) * 40)), "shape has 40 entries, more than 16"),
    "signature rank": (
        lambda: _with(x=replace(X, signature=(-1, 4, 4))),
        r"the signature \[-1, 4, 4\]",
    ),
    "short weights": (
        lambda: _with(w=replace(W, data=bytes(3))),
        "needs 8 bytes, its buffer has 3",
    ),
    "scale zero": (lambda: _with(x=replace(X, scale=(0.0,))), "the scale 0, which is not"),
    "scale NaN": (lambda: _with(x=replace(X, scale=(math.nan,))), "the scale nan"),
    "scale infinite": (lambda: _with(x=replace(X, scale=(math.inf,))), "the scale inf"),
    "scale negative": (lambda: _with(x=replace(X, scale=(-0.5,))), "the scale -0.5"),
    "zero point": (lambda: _with(x=replace(X, zero=(128,))), r"zero point 128, outside int8"),
    "zero point of 64 bits": (
        lambda: _with(b=replace(B, zero=(1 << 40,))),
        "zero point 1,099,511,627,776, outside int32",
    ),
    "count of scales": (
        lambda: _with(w=replace(W, scale=(0.1, 0.2, 0.3), zero=(0, 0, 0))),
        "3 scales for 2 channels",
    ),
    "axis": (
        lambda: _with(w=replace(W, scale=(0.1, 0.2), zero=(0, 0), axis=5)),
        r"along axis 5 of the shape \[2, 4\]",
    ),
    "count of zero points": (
        lambda: _with(w=replace(W, scale=(0.1, 0.2), zero=(0, 0, 0))),
        "2 scales and 3 zero points",
    ),
    "constant input": (
        lambda: write([G(inputs=[0, 1])]),
        r"inputs name Tensors\[1\] 'w', which is a",
    ),
    "op writes a constant": (
        lambda: _op(O(outputs=(3, 1))),
        r"writes Tensors\[1\], which is a const",
    ),
    "op writes an input": (
        lambda: _op(O(outputs=(3, 0))),
        r"writes Tensors\[0\], which is an input",
    ),
    "read before written": (
        lambda: write([G([X, W, B, Y, replace(X, name="late")], ops=[O((4, 1, 2))])]),
        r"reads Tensors\[4\] 'late' before anything writes it",
    ),
    "output never written": (
        lambda: write([G([X, W, B, Y, Y], outputs=[4])]),
        r"outputs name Tensors\[4\], which nothing writes",
    ),
    "rank of weights": (
        lambda: _with(w=replace(W, shape=(2, 2, 2))),
        r"weights of the shape \[2, 2, 2\], not of rank 2",
    ),
    "input against weights": (
        lambda: _with(x=replace(X, shape=(1, 5))),
        r"weights of the shape \[2, 4\] for an input of 5 values",
    ),
    "bias against weights": (
        lambda: _with(b=replace(B, shape=(1,))),
        "has 1 biases for 2 channels",
    ),
    "output against weights": (
        lambda: _with(y=replace(Y, shape=(1, 7))),
        r"makes 2 channels, its output has the shape \[1, 7\]",
    ),
    "channels of a convolution": (
        lambda: write(
            [
                G(
                    [
                        replace(X, shape=(1, 4, 4, 3)),
                        replace(W, shape=(2, 1, 1, 2), data=bytes(4)),
                        B,
                        replace(Y, shape=(1, 4, 4, 2)),
                    ]
                )
            ],
            codes=((CONV, 1, None),),
        ),
        "weights for 2 channels, its input has 3",
    ),
}


def _refusal(path: Path) -> str:
    """The one line that says why; the hint is a line of its own."""
    with pytest.raises(SetupError) as caught:
        load_model(path)
    assert caught.value.code == "model_file"
    assert caught.value.hint
    assert not caught.value.problems, "one thing is wrong with it"
    assert caught.value.message.isprintable()
    return caught.value.message.replace(str(path), "FILE")


def _written(folder: Path, data: bytes) -> Path:
    path = folder / "bad.tflite"
    path.write_bytes(data)
    return path


def test_the_file_that_the_corpus_is_made_of_is_right(tmp_path: Path) -> None:
    assert load_model(_written(tmp_path, GOOD)).op_versions() == (("FULLY_CONNECTED", 1),)


@pytest.mark.parametrize("name", BAD)
def test_each_bad_file_is_refused_with_its_reason(tmp_path: Path, name: str) -> None:
    make, reason = BAD[name]
    said = _refusal(_written(tmp_path, make()))
    assert re.search(reason, said), said


def test_no_two_bad_files_get_the_same_words(tmp_path: Path) -> None:
    said = {name: _refusal(_written(tmp_path, make())) for name, (make, _) in BAD.items()}
    assert len(said) >= 30
    assert len(set(said.values())) == len(said)


def test_several_faults_of_one_file_are_all_listed(tmp_path: Path) -> None:
    data = write(
        [
            G(
                [replace(X, scale=(-1.0,), zero=(300,)), W, replace(B, data=bytes(2)), Y],
                ops=[O((0, 1, 7))],
            )
        ]
    )
    with pytest.raises(SetupError) as caught:
        load_model(_written(tmp_path, data))
    said = "\n".join(caught.value.problems)
    assert len(caught.value.problems) == 4
    for part in ("scale -1", "zero point 300", "its buffer has 2", "tensor 7 of 4"):
        assert part in said


# --- what is no regular file at all


def _folder(path: Path) -> Path:
    path.mkdir()
    return path


def _pipe(path: Path) -> Path:
    os.mkfifo(path)
    return path


def _sparse(path: Path) -> Path:
    with path.open("wb") as file:
        file.truncate(2 << 30)
    return path


def _archive(path: Path) -> Path:
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("model.tflite", GOOD)
    return path


def _loop(path: Path) -> Path:
    path.symlink_to(path)
    return path


ODD: dict[str, tuple[Callable[[Path], Path], str]] = {
    "absent": (lambda path: path, "cannot be read: No such file"),
    "folder": (_folder, "a folder without a model.yaml"),
    "pipe that nobody writes": (_pipe, "not a file but a pipe"),
    "endless device": (lambda path: Path("/dev/zero"), "not a file but a device"),
    "2 GB of holes": (_sparse, "2,147,483,648 bytes; no board holds more"),
    "zip": (_archive, "a zip archive"),
    "link to itself": (_loop, "cannot be read: Too many levels of symbolic links"),
    "zero in the name": (lambda path: Path("a\0b.tflite"), "cannot be read: embedded null"),
}


@pytest.mark.parametrize("name", ODD)
def test_what_is_no_regular_file_is_refused_at_once(tmp_path: Path, name: str) -> None:
    make, reason = ODD[name]
    with pytest.raises(SetupError, match=reason) as caught:
        load_model(make(tmp_path / "m.tflite"))
    assert caught.value.code == "model_file"
    assert caught.value.message.isprintable()


@contextmanager
def _not_root() -> Iterator[None]:
    """Root may read anything; nobody may not."""
    if os.geteuid():
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_a_file_that_may_not_be_read_is_said_so(tmp_path: Path) -> None:
    path = _written(tmp_path, GOOD)
    path.chmod(0)
    with _not_root(), pytest.raises(SetupError, match="cannot be read: Permission denied"):
        load_model(path)


def test_a_second_subgraph_is_a_fact_not_a_fault(tmp_path: Path) -> None:
    codes = ((DENSE, 1, None), (ADD, 2, None))
    branch = G([replace(X, type=FLOAT32, scale=())] * 2, [O((0, 0), (1,), 1)], (0,), (1,))
    model = load_model(_written(tmp_path, write([G(), branch], codes)))
    assert model.notes == ("2 subgraphs; tensors are those of the first",)
    assert model.op_versions() == (("ADD", 2), ("FULLY_CONNECTED", 1))
    assert model.tensors[0].dtype == "int8"
    assert model.tensors[0].scales == (0.5,)
