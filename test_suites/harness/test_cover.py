"""Seeded vectors reach the ends of every input, and what lies between."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.cover import LEVELS, Span, covering_vectors, spans_of
from hil.driven import drive
from hil.errors import SetupError
from hil.model import load_model
from hil.tensors import TensorSpec
from hil.vector_files import read_vectors
from hil.vector_store import npz_bytes
from hil.vectors import Vector

MODELS = Path(__file__).parents[2] / "models"
INT8 = TensorSpec("x", (1, 6, 5), "int8", (0.5,), (-3,))
FLOAT = TensorSpec("f", (1, 4), "float32")
IDS = TensorSpec("ids", (1, 4), "int32")


def made(*specs: TensorSpec, data: tuple[Vector, ...] = (), random: int = 16) -> dict[str, Vector]:
    vectors = covering_vectors(specs, spans_of(specs, data, "m"), "m", random)
    assert len({vector.name for vector in vectors}) == len(vectors)
    return {vector.name: vector for vector in vectors}


@given(
    kind=st.sampled_from(["int8", "uint8", "int16", "uint16", "float32", "bool", "float16"]),
    shape=st.lists(st.integers(1, 5), max_size=4),
    zero=st.integers(-128, 127),
)
def test_every_input_goes_to_both_ends_and_its_zero(kind: str, shape: list[int], zero: int) -> None:
    quantised = kind in ("int8", "uint8")
    spec = TensorSpec("x", tuple(shape), kind, (0.5,) if quantised else (),
                      (zero % 128,) if quantised else ())  # fmt: skip
    (span,) = spans_of([spec], (), "m")
    arrays = [vector.inputs[0] for vector in made(spec).values()]
    for array in arrays:
        assert (array.dtype, array.shape) == (np.dtype(kind), spec.shape)
    for value in (span.low, span.high, span.zero):
        assert any((array == value).all() for array in arrays)
    if kind not in ("float32", "float16", "bool"):
        limits = np.iinfo(kind)
        assert (span.low, span.high, span.source) == (limits.min, limits.max, "type")


def test_the_patterns_of_an_int8_input() -> None:
    by_name = {name: vector.inputs[0] for name, vector in made(INT8).items()}
    assert set(by_name["zero"].ravel()) == {-3}
    assert set(by_name["zero+1"].ravel()) == {-2}
    assert set(by_name["zero-1"].ravel()) == {-4}
    checks = by_name["alternating-0"].ravel()
    assert checks.tolist() == [-128, 127] * 15
    assert by_name["alternating-1"].ravel().tolist() == [127, -128] * 15
    ramp = by_name["ramp-up"].ravel().astype(int)
    assert (ramp[0], ramp[-1]) == (-128, 127)
    assert (np.diff(ramp) > 0).all()
    assert by_name["ramp-down"].ravel().tolist() == ramp[::-1].tolist()
    levels = sorted(int(by_name[f"level-{n}"].ravel()[0]) for n in range(1, LEVELS))
    assert max(np.diff([-128, *levels, 127])) <= 32


def test_noise_reaches_everywhere_and_is_the_same_every_time() -> None:
    first, again = made(INT8, random=64), made(INT8, random=64)
    assert npz_bytes(list(first.values())) == npz_bytes(list(again.values()))
    noise = np.concatenate([v.inputs[0].ravel() for n, v in first.items() if "random" in n])
    assert len(noise) == 64 * 30
    counts, _ = np.histogram(noise, bins=16, range=(-128, 128))
    assert counts.min() > len(noise) / 16 / 2  # 120 expected, 60 are six sigma below
    assert {noise.min(), noise.max()} <= {-128, -127, 126, 127}


def test_a_small_input_gets_each_vector_once() -> None:
    vectors = made(TensorSpec("x", (1, 1), "int8", (0.1,), (-128,)))
    values = [vector.inputs[0].item() for vector in vectors.values()]
    assert len(values) == len(set(values))
    assert {-128, 127} <= set(values)


def test_each_of_several_inputs_goes_to_its_ends_alone() -> None:
    vectors = made(INT8, FLOAT)
    for name, index, value, rest in (
        ("min-of-input-0", 0, -128, 0.0), ("max-of-input-0", 0, 127, 0.0),
        ("min-of-input-1", 1, -1.0, -3), ("max-of-input-1", 1, 1.0, -3),
    ):  # fmt: skip
        inputs = vectors[name].inputs
        assert (inputs[index] == value).all()
        assert (inputs[1 - index] == rest).all()


def test_real_data_widens_floats_and_shows_the_range_of_indices() -> None:
    floats = np.array([[np.nan, -20.0, 3.0, np.inf]], np.float32)
    ids = np.array([[3, 9, 4, 5]], np.int32)
    data = (Vector("v", (floats, ids)),)
    spans = spans_of((FLOAT, IDS), data, "m")
    assert spans == (Span(-20.0, 3.0, 0, "data"), Span(3, 9, 3, "data"))
    for vector in covering_vectors((FLOAT, IDS), spans, "m", 50):
        assert set(vector.inputs[1].ravel()) <= set(range(3, 10))
        assert -20.0 <= vector.inputs[0].min() <= vector.inputs[0].max() <= 3.0


def test_what_cannot_be_covered_is_refused_all_at_once() -> None:
    wrong = (IDS, TensorSpec("z", (1,), "complex64"), TensorSpec("s", (1,), "string"), INT8)
    with pytest.raises(SetupError) as caught:
        spans_of(wrong, (), "m")
    assert caught.value.code == "model_file"
    assert [each.split("'")[1] for each in caught.value.problems] == ["ids", "z", "s"]


def test_an_input_too_large_for_memory_is_refused() -> None:
    huge = TensorSpec("x", (1, 1 << 26), "int8", (1.0,), (0,))
    with pytest.raises(SetupError) as caught:
        covering_vectors([huge], spans_of([huge], (), "m"), "m")
    assert caught.value.code == "model_file"


# -- as `hil validate` takes them


def test_the_models_own_vectors_come_first_and_all_are_read_back(tmp_path: Path) -> None:
    model = load_model(MODELS / "gesture")
    driven = drive(model, random=4)
    own = len(driven.vectors) - driven.seeded
    assert own > 0
    assert driven.files == (model.path.parent / "vectors.npz",)
    path = tmp_path / "driven.npz"
    path.write_bytes(driven.npz())
    back = read_vectors(path, model.inputs, model.outputs, "gesture")
    assert [v.name for v in back] == [v.name for v in driven.vectors]
    for one, other in zip(back, driven.vectors, strict=True):
        assert all((a == b).all() for a, b in zip(one.inputs, other.inputs, strict=True))
    assert {"min", "max", "zero", "alternating-0"} <= {v.name for v in back[own:]}


def test_a_folder_of_files_is_taken_in_order(tmp_path: Path) -> None:
    model = load_model(MODELS / "hello_sine" / "model.tflite")
    bare = load_model(_copied(model.data, tmp_path / "bare.tflite"))
    (tmp_path / "data").mkdir()
    for name, value in (("b.csv", "2.0"), ("a.csv", "1.0"), ("notes.txt", "x")):
        (tmp_path / "data" / name).write_text(f"{value}\n")
    driven = drive(bare, [tmp_path / "data"], random=0)
    assert [path.name for path in driven.files] == ["a.csv", "b.csv"]
    assert [vector.name for vector in driven.vectors[:2]] == ["a-0", "b-0"]


def test_a_folder_without_vectors_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SetupError) as caught:
        drive(load_model(MODELS / "hello_sine"), [tmp_path])
    assert caught.value.code == "model_file"


def test_operators_that_no_host_runs_are_driven_by_what_vectors_state(tmp_path: Path) -> None:
    plain = load_model(MODELS / "hello_sine")
    model = replace(plain, card=plain.card.model_copy(update={"custom_ops": {"OP": None}}))
    driven = drive(model)
    assert (driven.seeded, driven.spans) == (0, ())
    path = tmp_path / "driven.npz"
    path.write_bytes(driven.npz())
    for back, own in zip(
        read_vectors(path, model.inputs, model.outputs, "m"), driven.vectors, strict=True
    ):
        assert back.expected is not None
        assert own.expected is not None
        assert (back.expected[0] == own.expected[0]).all()
    bare = tmp_path / "bare.csv"
    bare.write_text("0.5\n")
    for wrong in (replace(model, folder=None), model):
        with pytest.raises(SetupError) as caught:
            drive(wrong, [bare])
        assert caught.value.code == "model_file"


def _copied(data: bytes, path: Path) -> Path:
    path.write_bytes(data)
    return path
