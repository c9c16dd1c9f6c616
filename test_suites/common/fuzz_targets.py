"""Everything that reads what somebody else wrote, and what it may say to it.

A target is a strategy of inputs and a function that must return, or raise what its docstring
names and nothing else. `test_fuzz_short` runs each a little with a fixed seed, `make fuzz` for as
long as it is given.
"""

from __future__ import annotations

import io
import json
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from fuzz_mutations import spoilt_bytes, spoilt_text
from hypothesis import strategies as st
from model_writer import CUSTOM, G, O, T, write

from hil import history, wire
from hil.arena_plan import need_2020
from hil.card import ModelCard, load_card
from hil.check import CheckResult
from hil.check_report import render, to_json
from hil.errors import SetupError
from hil.flatbuffer import Damaged
from hil.graph import Graph, parse
from hil.inventory import load_bench, select
from hil.messages import parse as parse_message
from hil.model import Model, load_model, load_vectors
from hil.model_warnings import model_warnings
from hil.report.parts import MemoryRecord
from hil.report.record import Record, Results
from hil.report.writer import new_results
from hil.results_file import read_results
from hil.support import check_support
from hil.tensors import TensorSpec
from hil.vector_files import read_vectors

ROOT = Path(__file__).resolve().parents[2]
_OPS = {"FULLY_CONNECTED": (1, 4), "CONV_2D": (1, 3), "SOFTMAX": (1, 2)}


@dataclass(frozen=True)
class Target:
    """One reader. ``run(value, folder)``: raises only if the reader is broken. ``seeds`` are files
    for a reader of bytes, to be spoilt without hypothesis too."""

    inputs: st.SearchStrategy[Any]
    run: Callable[[Any, Path], None]
    seeds: Sequence[bytes] = ()


# --- models


def _models() -> list[bytes]:
    """Real files, the smallest first, and one that has a bit of everything."""
    folders = [*ROOT.glob("models/*"), *ROOT.glob("models/_negative/*")]
    found = sorted((p.read_bytes() for f in folders for p in f.glob("model.tflite")), key=len)
    mixed = write(
        [G(), G([T(scale=()), T()], [O((0,), (1,), 1)], (0,), (1,))],
        codes=((9, 1, None), (CUSTOM, 2, "OWN")),
    )
    return [write(), mixed, *found[:6]]


def read_model(data: bytes, folder: Path) -> None:
    """Bytes are a graph or `Damaged`; what may be asked of a graph never raises."""
    seen = _parsed(data)
    if isinstance(seen, Damaged):
        assert seen.reasons
        assert all(reason.isprintable() for reason in seen.reasons)
        return
    (folder / "m.tflite").write_bytes(data)
    model = load_model(folder / "m.tflite")
    assert str(model.tensors) == str(seen.tensors)
    _ask(model)


def _parsed(data: bytes) -> Graph | Damaged:
    try:
        return parse(data)
    except Damaged as error:
        return error


def _ask(model: Model) -> None:
    for era in ("2020", "2023", "2024"):
        check_support(model, _OPS, era)
    result = CheckResult(model, warnings=tuple(model_warnings(model)))
    assert render(result)
    json.dumps(to_json(result))
    with suppress(ValueError):
        assert need_2020(model) >= 0
    if sum(spec.nbytes for spec in model.inputs) < 1 << 20:
        with suppress(SetupError):
            load_vectors(model)


# --- text that people write


def read_boards(text: str, folder: Path) -> None:
    """A boards.yaml is a bench or `SetupError`; so is what is selected of it."""
    path = _text(folder / "boards.yaml", text)
    with suppress(SetupError):
        bench = load_bench(path)
        select(bench, ["all"])


def read_card(text: str, folder: Path) -> None:
    """A model.yaml is a card or `SetupError`."""
    with suppress(SetupError):
        assert isinstance(load_card(_text(folder / "model.yaml", text)), ModelCard)


def read_report(text: str, folder: Path) -> None:
    """A results.json is results or `SetupError`."""
    with suppress(SetupError):
        read_results(_text(folder / "results.json", text))


def read_past(data: bytes, folder: Path) -> None:
    """A history.sqlite is series or `SetupError`; a run is added to whatever lies there."""
    path = folder / "history.sqlite"
    path.write_bytes(data)
    with suppress(SetupError):
        history.read(path)
    assert all(isinstance(said, str) for said in history.append(RESULTS, path))
    for other in folder.iterdir():
        other.unlink()


def _text(path: Path, text: str) -> Path:
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    return path


def _results() -> Results:
    results = new_results()
    memory = MemoryRecord(arena_needed=1520, flash=37360)
    results.records.append(Record(board="b", model="m", memory=memory))
    return results


def _past() -> bytes:
    with tempfile.TemporaryDirectory() as name:
        history.append(_results(), Path(name) / "history.sqlite")
        return (Path(name) / "history.sqlite").read_bytes()


# --- the wire


def read_wire(chunks: list[bytes] | bytes, folder: Path) -> None:
    """Any stream is events; any frame's payload a message or `WireError`."""
    decoder = wire.Decoder()
    for chunk in [chunks] if isinstance(chunks, bytes) else chunks:
        for event in decoder.feed(chunk):
            if isinstance(event, wire.Frame):
                with suppress(wire.WireError):
                    parse_message(event.type, event.payload)
    assert len(decoder.pending) <= wire.SEGMENT_LIMIT


_FRAMES = st.builds(
    lambda type_, seq, payload: wire.encode(wire.Frame(type_, seq, 7, payload)),
    st.one_of(st.integers(1, 11), st.integers(0x81, 0x8B), st.integers(0, 255)),
    st.integers(0, 0xFFFF),
    st.binary(max_size=120),
)


# --- vectors


def read_arrays(data: bytes, folder: Path) -> None:
    """An .npz is vectors or `SetupError`."""
    _read(folder / "v.npz", data)


def read_rows(data: bytes, folder: Path) -> None:
    """A .csv is vectors or `SetupError`."""
    _read(folder / "v.csv", data)


def read_sound(data: bytes, folder: Path) -> None:
    """A .wav is vectors or `SetupError`."""
    _read(folder / "v.wav", data)


def read_image(data: bytes, folder: Path) -> None:
    """A .png is a vector or `SetupError`."""
    (folder / "v.png").write_bytes(data)
    spec = TensorSpec("image", (1, 3, 4, 1), "uint8", (1 / 255,), (0,))
    with suppress(SetupError):
        assert read_vectors(folder / "v.png", [spec], SINE.outputs, SINE.name)


def _png() -> bytes:
    from PIL import Image

    stream = io.BytesIO()
    Image.fromarray(np.arange(12, dtype=np.uint8).reshape(3, 4)).save(stream, "PNG")
    return stream.getvalue()


def _read(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    with suppress(SetupError):
        assert read_vectors(path, SINE.inputs, SINE.outputs, SINE.name)


def _npz(arrays: dict[str, Any]) -> bytes:
    stream = io.BytesIO()
    np.savez(stream, **arrays)
    return stream.getvalue()


def _wav(channels: int, width: int, rate: int, data: bytes) -> bytes:
    size = len(data).to_bytes(4, "little")
    form = (1).to_bytes(2, "little") + channels.to_bytes(2, "little") + rate.to_bytes(4, "little")
    form += (rate * width).to_bytes(4, "little") + width.to_bytes(2, "little")
    form += (8 * width).to_bytes(2, "little")
    body = b"WAVEfmt " + (16).to_bytes(4, "little") + form + b"data" + size + data
    return b"RIFF" + (len(body)).to_bytes(4, "little") + body


_SHAPES = st.lists(st.integers(0, 3), max_size=4).map(tuple)
_TYPES = st.sampled_from(["int8", "uint8", "float32", "float64", "int64", "complex64", "U3", "?"])
_ARRAYS = st.dictionaries(
    st.sampled_from(["input_0", "input_1", "expected_0", "expected_1", "label", "x", "../x"]),
    st.builds(lambda shape, kind: np.zeros(shape, kind), _SHAPES, _TYPES),
    max_size=4,
).map(_npz)
_CELLS = st.one_of(
    st.integers().map(str), st.floats().map(str), st.sampled_from(["int", "x", '"', "", "nan"])
)
_ROWS = st.lists(st.lists(_CELLS, max_size=3).map(",".join), max_size=5).map(
    lambda lines: "\n".join(lines).encode()
)
MODELS, RESULTS = _models(), _results()
_PAST = [_past()]
SINE = load_model(ROOT / "models" / "hello_sine")
_NPZS = [_npz({"input_0": np.zeros((2, 1, 1), np.int8)})]
_CSVS = [b"int\n1\n-5\n", b"0.5\n1e3\n"]
_PNGS = [_png()]
_WAVS = [_wav(1, 2, 8000, bytes(64)), _wav(2, 1, 8000, bytes(9))]
_STREAM = b"text\n" + b"".join(
    wire.encode(wire.Frame(0x80 + n, n, 7, bytes(9 * n))) for n in range(9)
)

TARGETS: dict[str, Target] = {
    "model": Target(spoilt_bytes(MODELS), read_model, MODELS),
    "boards.yaml": Target(spoilt_text([(ROOT / "boards.yaml").read_text()]), read_boards),
    "model.yaml": Target(
        spoilt_text([path.read_text() for path in sorted(ROOT.glob("models/*/model.yaml"))]),
        read_card,
    ),
    "results.json": Target(spoilt_text([RESULTS.model_dump_json(indent=1)]), read_report),
    "history.sqlite": Target(spoilt_bytes(_PAST), read_past, _PAST),
    "wire": Target(
        st.lists(
            st.one_of(
                _FRAMES, st.binary(max_size=60), _FRAMES.flatmap(lambda f: spoilt_bytes([f]))
            ),
            max_size=6,
        ),
        read_wire,
        [_STREAM],
    ),
    "npz": Target(st.one_of(_ARRAYS, spoilt_bytes(_NPZS)), read_arrays, _NPZS),
    "csv": Target(st.one_of(_ROWS, spoilt_bytes(_CSVS)), read_rows, _CSVS),
    "png": Target(spoilt_bytes(_PNGS), read_image, _PNGS),
    "wav": Target(spoilt_bytes(_WAVS), read_sound, _WAVS),
}
