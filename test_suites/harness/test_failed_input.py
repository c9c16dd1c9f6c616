"""The kept input of a failure is read back as it was written, and anything else is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from hil.errors import SetupError
from hil.failed_input import named, read_inputs, write_inputs
from hil.model import load_model, load_vectors
from hil.report.record import Record, Results, Verdict

ROOT = Path(__file__).resolve().parents[2]
ARRAYS = hnp.arrays(
    st.sampled_from([np.int8, np.uint8, np.int16, np.float32]),
    hnp.array_shapes(max_dims=3, max_side=4),
)


@given(ARRAYS, ARRAYS, st.integers(1, 3))
def test_a_sequence_comes_back_as_it_was(
    tmp_path_factory: pytest.TempPathFactory, one: np.ndarray, two: np.ndarray, runs: int
) -> None:
    path = tmp_path_factory.mktemp("inputs") / "kept.npz"
    write_inputs([(one, two)] * runs, path)
    found = read_inputs(path)
    assert len(found) == runs
    for first, second in found:
        assert (first.dtype, first.tobytes()) == (one.dtype, one.tobytes())
        assert (second.shape, second.tobytes()) == (two.shape, two.tobytes())


@given(st.binary(max_size=400), st.booleans())
def test_bytes_that_are_no_inputs_are_refused(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, spliced: bool
) -> None:
    path = tmp_path_factory.mktemp("inputs") / "kept.npz"
    if spliced:
        write_inputs([(np.zeros((2, 2), np.int8),)], path)
        whole = path.read_bytes()
        data = whole[: len(whole) // 2] + data
    path.write_bytes(data)
    with pytest.raises(SetupError) as caught:
        read_inputs(path)
    assert caught.value.code == "results_file"


def test_an_input_is_called_as_its_vector_is() -> None:
    vectors = load_vectors(load_model(ROOT / "models" / "hello_sine"))
    assert named(vectors[3].inputs, vectors) == vectors[3].name
    assert named([np.full((1, 1), 99, np.int16)], vectors) == ""


def test_a_record_of_before_has_no_failing_input() -> None:
    record = Record(board="b", model="m", verdict=Verdict.NOT_RUN)
    text = Results(started="2026-01-01", records=[record]).model_dump_json(exclude={"failing"})
    assert Results.model_validate_json(text).records[0].failing is None
