"""A custom operator of the model's owner: named in model.yaml, registered, run, and missed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from model_writer import CUSTOM, G, O, T, write

from hil.check import check_model
from hil.errors import ProductError, SetupError
from hil.inventory import Board
from hil.model import Model, load_model
from hil.trial import Trial

Make = Callable[..., Trial]
LIBRARY = Path(__file__).parent / "libraries" / "TwiceOp"
TWICE = write(
    [G([T((1, 6), name="x"), T((1, 6), name="y")], [O((0,), (1,))], (0,), (1,))],
    codes=((CUSTOM, 1, "TWICE"),),
)
INPUT = np.array([[[-128, -65, -1, 0, 63, 127]]], np.int8)
TWOFOLD = np.array([[[-128, -128, -2, 0, 126, 127]]], np.int8)


def _model(folder: Path, custom_ops: str, expected: np.ndarray | None = TWOFOLD) -> Model:
    folder.mkdir()
    (folder / "model.tflite").write_bytes(TWICE)
    (folder / "model.yaml").write_text(f"name: {folder.name}\n{custom_ops}\n")
    outputs = {} if expected is None else {"expected_0": expected}
    np.savez(folder / "vectors.npz", input_0=INPUT, **outputs)
    return load_model(folder)


def _named(library: object = LIBRARY, register: str = "twice_op::Register_TWICE") -> str:
    return f"custom_ops: {{TWICE: {{library: {library}, register: {register}}}}}"


def test_a_custom_op_runs_and_is_held_to_the_outputs_of_its_vectors(
    attempt: Make, either: Board, tmp_path: Path
) -> None:
    it = attempt(either, model=_model(tmp_path / "twice", _named()))
    parity = it.parity()
    assert parity.ok
    assert parity.elements == 6
    assert it.record.oracle == "vectors"
    assert it.memory() >= 1024


def test_wrong_stated_outputs_are_a_parity_fault(
    attempt: Make, nano: Board, tmp_path: Path
) -> None:
    wrong = TWOFOLD + np.array([0, 0, 0, 1, 0, 0], np.int8)
    it = attempt(nano, model=_model(tmp_path / "twice", _named(), wrong))
    with pytest.raises(ProductError) as caught:
        it.parity()
    assert caught.value.code == "parity"
    assert caught.value.numbers["mismatches"] == 1


def test_without_its_library_the_op_is_named_as_missing(
    attempt: Make, nano: Board, tmp_path: Path
) -> None:
    it = attempt(nano, model=_model(tmp_path / "twice", ""))
    with pytest.raises(ProductError) as caught:
        it.smoke()
    assert caught.value.code == "missing_op"
    assert caught.value.numbers["op"] == "CUSTOM:TWICE"
    assert "custom_ops: {TWICE: " in caught.value.message


def test_a_registration_that_does_not_exist_is_a_failed_build(
    attempt: Make, nano: Board, tmp_path: Path
) -> None:
    model = _model(tmp_path / "twice", _named(register="twice_op::Register_THRICE"))
    with pytest.raises(SetupError) as caught:
        attempt(nano, model=model).smoke()
    assert caught.value.code == "build_failed"
    assert "Register_THRICE" in caught.value.message


def test_check_tells_both_from_the_files(nano: Board, tmp_path: Path) -> None:
    missing = check_model(_model(tmp_path / "bare", ""), [nano])
    assert missing.exit_code == 1
    assert [finding.code for finding in missing.every_finding] == ["missing_op"]
    there = check_model(_model(tmp_path / "twice", _named()), [nano])
    assert there.exit_code == 0
