"""Which boards and models a run is about."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from hil.errors import SetupError
from hil.selection import load_models, make_plan

ROOT = Path(__file__).parents[2]
BOARDS, MODELS = ROOT / "boards.yaml", ROOT / "models"
SINE = ["hello_sine"]


def test_every_board_with_every_model_boards_outermost() -> None:
    plan = make_plan(BOARDS, ["virtual-pico", "virtual-nano33ble"], MODELS, ["gesture", *SINE])
    assert [pick.id for pick in plan.picks()] == [
        "virtual-nano33ble-gesture",
        "virtual-nano33ble-hello_sine",
        "virtual-pico-gesture",
        "virtual-pico-hello_sine",
    ]
    assert plan.named == ("virtual-nano33ble", "virtual-pico")
    assert [pick.id for pick in plan.picks(SINE)] == [
        "virtual-nano33ble-hello_sine",
        "virtual-pico-hello_sine",
    ]


def test_no_board_is_all_that_are_present_and_the_others_are_named() -> None:
    plan = make_plan(BOARDS, [], MODELS, SINE)
    assert {"virtual" in board.tags for board in plan.boards} == {True}
    assert {board.id for board, _ in plan.skipped} >= {"nano33ble", "pico", "esp32s3"}
    assert {reason for _, reason in plan.skipped} == {"marked absent (present: false)"}
    assert plan.named == ()


def test_no_model_is_every_folder_that_is_not_broken_on_purpose() -> None:
    names = [model.name for model in load_models(MODELS, [])]
    assert names == sorted(names)
    assert {"hello_sine", "keyword_spotting"} <= set(names)
    assert not {"mean_v2", "residual_add"} & set(names)


def test_a_model_by_path() -> None:
    (model,) = load_models(MODELS, [str(MODELS / "hello_sine" / "model.tflite")])
    assert model.data == (MODELS / "hello_sine" / "model.tflite").read_bytes()
    (broken,) = load_models(MODELS, [str(MODELS / "_negative" / "mean_v2")])
    assert broken.name == "mean_v2"


def test_every_model_that_cannot_be_used_is_named_at_once(tmp_path: Path) -> None:
    (tmp_path / "bad.tflite").write_bytes(b"no model")
    with pytest.raises(SetupError) as wrong:
        load_models(MODELS, ["hello_sin", "gesture", str(tmp_path / "bad.tflite"), "no/way"])
    assert wrong.value.code == "model_file"
    first, second, third = wrong.value.problems
    assert "did you mean hello_sine?" in first
    assert "bad.tflite" in second
    assert "no/way" in third


def test_no_models_folder_at_all(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match=r"no model is called 'x' \(there are: none\)"):
        load_models(tmp_path / "models", ["x"])


@pytest.mark.parametrize(
    ("boards", "models", "with_model", "code"),
    [
        (False, True, True, "boards_yaml"),
        (False, False, False, "boards_yaml"),
        (True, False, True, "model_file"),
        (True, False, False, ""),
        (True, True, True, ""),
    ],
)
def test_a_run_of_nothing_is_refused(
    boards: bool, models: bool, with_model: bool, code: str
) -> None:
    whole = make_plan(ROOT / "boards.yaml", ["tag:virtual"], ROOT / "models", ["hello_sine"])
    plan = replace(
        whole, boards=whole.boards if boards else (), models=whole.models if models else ()
    )
    try:
        plan.check(with_model=with_model)
        found = ""
    except SetupError as error:
        found = error.code
    assert found == code
