"""Which answers of the host are believed, and what speaks against them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hil.compare import compare_outputs
from hil.engines import EngineRefused, EngineResult
from hil.model import Model, Vector, load_model, load_vectors
from hil.oracle import alone, doubt
from hil.parity import Tolerance
from hil.reference import Expected, References

ROOT = Path(__file__).resolve().parents[2]
EXACT = Tolerance()


@pytest.fixture(scope="module")
def model() -> Model:
    return load_model(ROOT / "models" / "hello_sine")


@pytest.fixture(scope="module")
def vectors(model: Model) -> tuple[Vector, ...]:
    return load_vectors(model)


def answers(vectors: tuple[Vector, ...], off: int = 0, drift: int = 0) -> References:
    """TFLM's answers, the bits ``off`` away from the stored ones, and LiteRT's, ``drift``."""
    stored = [vector.expected or () for vector in vectors]

    def moved(by: int) -> tuple[tuple[np.ndarray, ...], ...]:  # type: ignore[type-arg]
        return tuple(tuple(each ^ by for each in outputs) for outputs in stored)

    beside = EngineResult("litert_ref", moved(drift), "2")
    return References(Expected("tflm", moved(off), "1"), {"litert_ref": beside})


def test_the_stored_outputs_are_believed(model: Model, vectors: tuple[Vector, ...]) -> None:
    assert doubt(model, vectors, answers(vectors, drift=1), EXACT) is None


def test_other_outputs_than_the_stored_ones_are_doubted(
    model: Model, vectors: tuple[Vector, ...]
) -> None:
    found = doubt(model, vectors, answers(vectors, off=1), EXACT)
    assert found is not None
    assert found.code == "reference_wrong"
    assert (found.numbers["elements"], found.numbers["mismatches"]) == (10, 10)
    assert "LiteRT differs from them in 0" in found.message


def test_the_models_tolerance_holds_for_the_oracle_too(
    model: Model, vectors: tuple[Vector, ...]
) -> None:
    wide = Tolerance(max_lsb=1, reason="test")
    assert doubt(model, vectors, answers(vectors, off=1), wide) is None


def test_vectors_without_outputs_say_nothing(model: Model, vectors: tuple[Vector, ...]) -> None:
    bare = tuple(replace(vector, expected=None) for vector in vectors)
    assert doubt(model, bare, answers(vectors, off=1), EXACT) is None


def test_litert_in_place_of_tflm_may_drift(model: Model, vectors: tuple[Vector, ...]) -> None:
    wrong = answers(vectors, off=1)
    stand_in = replace(wrong, oracle=replace(wrong.oracle, oracle="litert_ref"))
    assert doubt(model, vectors, stand_in, EXACT) is None


def test_a_vector_without_an_answer_is_no_answer(model: Model, vectors: tuple[Vector, ...]) -> None:
    found = doubt(model, vectors, answers(vectors[:-1]), EXACT)
    assert found is not None
    assert found.code == "reference_wrong"


@pytest.mark.parametrize("change", [np.float32, np.ravel])
def test_another_type_or_shape_is_no_answer(
    model: Model, vectors: tuple[Vector, ...], change: object
) -> None:
    good = answers(vectors)
    outputs = tuple(tuple(change(each) for each in outs) for outs in good.oracle.outputs)  # type: ignore[operator]
    bad = replace(good, oracle=replace(good.oracle, outputs=outputs))
    found = doubt(model, vectors, bad, EXACT)
    assert found is not None
    assert found.code == "reference_wrong"


@pytest.mark.parametrize(
    ("board", "litert", "code"),
    [
        (0, 0, None),  # all three agree
        (0, 1, None),  # LiteRT drifts
        (1, 0, None),  # the board differs from both
        (1, 2, None),  # three answers
        (1, 1, "reference_wrong"),  # TFLM stands alone
    ],
)
def test_two_of_three(
    vectors: tuple[Vector, ...], board: int, litert: int, code: str | None
) -> None:
    given = answers(vectors, drift=litert)
    observed = answers(vectors, off=board).oracle.outputs
    device = compare_outputs(given.oracle.outputs, observed)
    other = given.others["litert_ref"]
    assert isinstance(other, EngineResult)
    found = alone(device, given, compare_outputs(other.outputs, observed))
    assert (found.code if found else None) == code


def test_without_litert_the_board_is_judged_by_tflm(vectors: tuple[Vector, ...]) -> None:
    refused = {"litert_ref": EngineRefused("litert_ref", "segfault")}
    given = replace(answers(vectors), others=refused)
    device = compare_outputs(given.oracle.outputs, answers(vectors, off=1).oracle.outputs)
    assert alone(device, given, None) is None
