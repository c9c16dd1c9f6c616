"""Vectors from files, quantisation, and files that are not what they should be."""

from __future__ import annotations

import io
import os
import wave
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.errors import SetupError
from hil.model import Model, load_model, load_vectors
from hil.tensors import TensorSpec, dequantise, quantise
from hil.vector_files import read_vectors
from hil.vectors import Vector, synthetic_vectors

SINE = Path(__file__).parents[2] / "models" / "hello_sine"
INT8 = TensorSpec("x", (1, 4), "int8", (0.5,), (-3,))
FLOAT = TensorSpec("x", (1, 4), "float32")
OUT = TensorSpec("y", (1, 2), "int8", (1.0,), (0,))


@pytest.fixture(scope="module")
def sine() -> Model:
    return load_model(SINE)


def _read(path: Path, spec: TensorSpec = INT8) -> tuple[Vector, ...]:
    return read_vectors(path, [spec], [OUT], "m")


def _problems(path: Path, spec: TensorSpec = INT8) -> str:
    with pytest.raises(SetupError) as caught:
        _read(path, spec)
    assert caught.value.code == "model_file"
    assert caught.value.problems
    return "\n".join(caught.value.problems)


def _read_or_setup_error(path: Path) -> None:
    code = ""
    try:
        assert _read(path)
    except SetupError as error:
        code = error.code
    assert code in ("", "model_file")


def _npz(path: Path, **arrays: Any) -> Path:
    np.savez(path, allow_pickle=True, **arrays)
    return path


def test_the_folders_vectors_have_exact_types_and_shapes(sine: Model) -> None:
    vectors = load_vectors(sine)
    assert len(vectors) > 1
    assert len({vector.name for vector in vectors}) == len(vectors)
    for vector in vectors:
        assert [(a.dtype, a.shape) for a in vector.inputs] == [(np.dtype("int8"), (1, 1))]
        assert vector.expected is not None
        assert [(a.dtype, a.shape) for a in vector.expected] == [(np.dtype("int8"), (1, 1))]


def test_npz_with_expected_outputs_and_labels(tmp_path: Path) -> None:
    inputs = np.arange(12, dtype=np.int8).reshape(3, 1, 4)
    expected = np.arange(6, dtype=np.int8).reshape(3, 1, 2)
    path = _npz(tmp_path / "v.npz", input_0=inputs, expected_0=expected, label=np.array([2, 0, 1]))
    vectors = _read(path)
    assert [v.name for v in vectors] == ["v-0", "v-1", "v-2"]
    assert [v.label for v in vectors] == [2, 0, 1]
    assert np.array_equal(vectors[1].inputs[0], inputs[1])
    assert vectors[2].expected is not None
    assert np.array_equal(vectors[2].expected[0], expected[2])


def test_labels_of_a_regression_are_real_values(sine: Model) -> None:
    heldout = load_vectors(sine, SINE / "heldout.npz")
    assert all(isinstance(vector.label, float) for vector in heldout)


def test_every_problem_of_an_npz_is_reported(tmp_path: Path) -> None:
    path = _npz(
        tmp_path / "v.npz",
        input_0=np.zeros((2, 4), np.float32),
        expected_0=np.zeros((3, 1, 2), np.int8),
        label=np.zeros((2, 2)),
        inputs=np.zeros(2),
    )
    text = _problems(path)
    for part in (
        "input_0 is float32, the model's 'x' is int8",
        "input_0 has shape (2, 4), wanted (N, *(1, 4))",
        "inputs is none of input_0, expected_0, label",
        "different numbers of vectors",
        "label must be numbers",
    ):
        assert part in text


@pytest.mark.parametrize(
    ("arrays", "problem"),
    [
        ({}, "input_0 is missing"),
        ({"input_0": np.int8(1)}, "wanted (N, *(1, 4))"),
        ({"input_0": np.zeros((0, 1, 4), np.int8)}, "no vector in it"),
        ({"input_0": np.array([None])}, "pickle"),
    ],
)
def test_npz_that_does_not_fit(tmp_path: Path, arrays: dict[str, Any], problem: str) -> None:
    assert problem in _problems(_npz(tmp_path / "v.npz", **arrays))


def test_a_zip_that_unpacks_to_gigabytes_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "v.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for n in range(9):
            archive.writestr(f"a{n}.npy", bytes(64 << 20))
    assert "more than 512 MiB" in _problems(path)


@pytest.mark.parametrize("header", ["{'descr': (", "\0", "{" * 300, '"""', "1 2"])
def test_a_header_that_is_no_dictionary_is_refused(tmp_path: Path, header: str) -> None:
    text = f"{header}\n".encode()
    array = b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text
    with zipfile.ZipFile(tmp_path / "v.npz", "w") as archive:
        archive.writestr("input_0.npy", array)
    assert _problems(tmp_path / "v.npz")


def test_a_member_that_claims_terabytes_is_refused(tmp_path: Path) -> None:
    header = io.BytesIO()
    shape = {"descr": "|i1", "fortran_order": False, "shape": (1 << 42,)}
    np.lib.format.write_array_header_1_0(header, shape)
    path = tmp_path / "v.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("input_0.npy", header.getvalue())
    assert _problems(path)


@settings(max_examples=80, deadline=None)
@given(data=st.data())
def test_damaged_npz_files_are_setup_errors(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("npz")
    path = _npz(folder / "v.npz", input_0=np.zeros((2, 1, 4), np.int8))
    raw = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 6))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(raw[: data.draw(st.integers(0, len(raw)))])
    _read_or_setup_error(path)


def test_csv_in_real_units_is_quantised(tmp_path: Path) -> None:
    path = tmp_path / "v.csv"
    path.write_text("a,b,c,d\n0,0.5,-0.5,1000\n\n1,1,1,1\n")
    vectors = _read(path)
    assert vectors[0].inputs[0].tolist() == [[-3, -2, -4, 127]]
    assert vectors[1].inputs[0].tolist() == [[-1, -1, -1, -1]]
    assert vectors[0].inputs[0].dtype == np.int8


def test_csv_with_int_in_its_header_holds_stored_values(tmp_path: Path) -> None:
    path = tmp_path / "v.csv"
    path.write_text("int\n-128,0,1,127\n")
    assert _read(path)[0].inputs[0].tolist() == [[-128, 0, 1, 127]]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "no vector in it"),
        ("a,b\n", "no vector in it"),
        ("1,2,3\n", "line 1 has 3 values, the input has 4"),
        ("1,2,3,4\n1,2,x,4\n", "line 2: could not convert"),
        ("1,2,3,nan\n", "line 1: tensor 'x': NaN cannot be an input"),
        ("int\n1,2,3,128\n", "line 2: 128 does not fit int8"),
        ("int\n1,2,3,1.5\n", "line 2: invalid literal"),
        ("\0", "no vector in it"),
    ],
)
def test_csv_that_does_not_fit(tmp_path: Path, text: str, problem: str) -> None:
    path = tmp_path / "v.csv"
    path.write_text(text)
    assert problem in _problems(path)


def test_csv_of_bytes_that_are_no_text(tmp_path: Path) -> None:
    path = tmp_path / "v.csv"
    path.write_bytes(b"\xff\xfe\xfd")
    assert "codec" in _problems(path)


def test_csv_feeds_one_input_only(tmp_path: Path) -> None:
    path = tmp_path / "v.csv"
    path.write_text("1,2,3,4\n")
    with pytest.raises(SetupError, match="feeds one input, the model has 2"):
        read_vectors(path, [INT8, INT8], [OUT], "m")


def _wav(path: Path, samples: list[int], channels: int = 1, width: int = 2) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(16000)
        file.writeframes(np.array(samples, f"<i{width}").tobytes())
    return path


def test_wav_is_cut_into_windows_and_normalised(tmp_path: Path) -> None:
    path = _wav(tmp_path / "v.wav", [0, 16384, -32768, 32767, 8192, 0, 0, 0, 99])
    vectors = _read(path, FLOAT)
    assert len(vectors) == 2, "a part of a window is dropped"
    assert vectors[0].inputs[0].tolist() == [[0, 0.5, -1, 32767 / 32768]]
    assert _read(path)[1].inputs[0].tolist() == [[-3, -3, -3, -3]], "0.25 / 0.5 rounds to even"


@pytest.mark.parametrize(
    ("channels", "width", "samples", "problem"),
    [
        (2, 2, [0] * 8, "2 channel(s) of 16 bits; wanted 1 of 16"),
        (1, 4, [0] * 8, "1 channel(s) of 32 bits"),
        (1, 2, [0] * 3, "3 samples are less than one window of 4"),
    ],
)
def test_wav_of_another_form(
    tmp_path: Path, channels: int, width: int, samples: list[int], problem: str
) -> None:
    assert problem in _problems(_wav(tmp_path / "v.wav", samples, channels, width))


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_damaged_wav_files_are_setup_errors(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = _wav(tmp_path_factory.mktemp("wav") / "v.wav", [1] * 16)
    raw = bytearray(path.read_bytes())
    raw[data.draw(st.integers(0, 43))] = data.draw(st.integers(0, 255))
    path.write_bytes(raw[: data.draw(st.integers(0, len(raw)))])
    _read_or_setup_error(path)


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "v.csv")
    assert "not a file" in _problems(tmp_path / "v.csv")


def test_other_suffixes_and_absent_files(tmp_path: Path) -> None:
    assert "not one of .npz, .csv, .wav" in _problems(tmp_path / "v.mat")
    assert "No such file" in _problems(tmp_path / "v.npz")


def test_a_bare_model_gets_repeatable_synthetic_vectors(sine: Model, tmp_path: Path) -> None:
    path = tmp_path / "bare.tflite"
    path.write_bytes(sine.data)
    model = load_model(path)
    first, again = load_vectors(model), load_vectors(model)
    assert first[0].name == "synthetic-0"
    assert first[0].inputs[0].item() == model.inputs[0].zero_points[0]
    assert [v.inputs[0].tobytes() for v in first] == [v.inputs[0].tobytes() for v in again]
    assert len({v.inputs[0].tobytes() for v in first}) > 4
    assert all(v.expected is None for v in first)


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "int32", "float32", "bool", "int64"])
def test_synthetic_vectors_of_every_type(dtype: str) -> None:
    spec = TensorSpec("x", (2, 3), dtype)
    for vector in synthetic_vectors([spec], "m"):
        assert vector.inputs[0].dtype == np.dtype(dtype)
        assert vector.inputs[0].shape == (2, 3)


@pytest.mark.parametrize(
    "spec", [TensorSpec("x", (2,), "string"), TensorSpec("x", (1 << 40,), "int8")]
)
def test_inputs_that_no_array_can_be(spec: TensorSpec) -> None:
    with pytest.raises(SetupError) as caught:
        synthetic_vectors([spec], "m")
    assert caught.value.code == "model_file"


def test_halves_round_to_even_and_the_rest_saturates() -> None:
    real = [0.25, 0.75, 1.25, 1e300, -np.inf]
    spec = TensorSpec("x", (5,), "int8", (0.5,), (0,))
    assert quantise(spec, real).tolist() == [0, 2, 2, 127, -128]


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        (TensorSpec("x", (1,), "int8"), "no single scale"),
        (TensorSpec("x", (1,), "int8", (1.0, 2.0), (0, 0)), "no single scale"),
        (TensorSpec("x", (1,), "int8", (0.0,), (0,)), "not positive"),
        (TensorSpec("x", (1,), "int8", (float("nan"),), (0,)), "not positive"),
        (TensorSpec("x", (1,), "bool"), "no single scale"),
        (TensorSpec("x", (1,), "string"), "no array type"),
        (TensorSpec("x", (1,), "float16"), "does not fit float16"),
    ],
)
def test_what_cannot_be_quantised_is_said_so(spec: TensorSpec, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        quantise(spec, [1e6])


@given(st.integers(-128, 127), st.floats(1e-6, 1e3), st.integers(-128, 127))
def test_quantising_undoes_dequantising(stored: int, scale: float, zero_point: int) -> None:
    spec = TensorSpec("x", (1,), "int8", (scale,), (zero_point,))
    array = np.array([stored], np.int8)
    assert np.array_equal(quantise(spec, dequantise(spec, array)), array)
