"""Figures against the budgets of model.yaml."""

from __future__ import annotations

from pathlib import Path

import pytest

from hil.card import Budgets, ModelCard, load_card
from hil.errors import SetupError
from hil.limits import memory_findings


def card(**budgets: int | dict[str, int]) -> ModelCard:
    return ModelCard.model_validate({"name": "m", "budgets": budgets})


def codes(
    card: ModelCard, board: str = "nano", size: int | None = 8192, **used: int | None
) -> list[str]:
    given = {"arena": 100, "flash": 100, "stack": 100, **used}
    return [finding.code for finding in memory_findings(card, board, given, size)]


@pytest.mark.parametrize("what", ["arena", "flash", "stack"])
@pytest.mark.parametrize(("budget", "over"), [(99, True), (100, False), (101, False)])
def test_a_budget_allows_what_it_says(what: str, budget: int, over: bool) -> None:
    found = codes(card(**{f"{what}_bytes": budget}))
    assert found == ([f"{what}_over_budget"] if over else [])


def test_every_budget_is_judged_at_once_with_numbers() -> None:
    limits = card(arena_bytes=10, flash_bytes=20, stack_bytes=30)
    used = {"arena": 11, "flash": 22, "stack": 33}
    found = memory_findings(limits, "nano", used, 40)
    assert [(f.code, f.numbers) for f in found] == [
        ("arena_over_budget", {"used": 11, "budget": 10}),
        ("flash_over_budget", {"used": 22, "budget": 20}),
        ("stack_over_budget", {"used": 33, "budget": 30}),
    ]
    assert "11 bytes of arena" in found[0].message
    assert "nano" in found[0].message


def test_boards_may_have_budgets_of_their_own() -> None:
    limits = card(stack_bytes={"pico": 99, "default": 200}, flash_bytes={"pico": 99})
    assert codes(limits) == []
    assert codes(limits, stack=201, flash=10**9) == ["stack_over_budget"]
    assert codes(limits, "pico") == ["flash_over_budget", "stack_over_budget"]
    assert limits.budgets.on("pico") == {"arena": None, "flash": 99, "stack": 99}


def test_what_is_not_known_is_not_judged() -> None:
    assert codes(card(stack_bytes=1), stack=None, size=None) == []


@pytest.mark.parametrize(("size", "over"), [(100, True), (99, True), (101, False), (None, False)])
def test_a_stack_without_a_byte_left_is_over_any_budget(size: int | None, over: bool) -> None:
    assert codes(card(), size=size) == (["stack_over_budget"] if over else [])


@pytest.mark.parametrize(
    "value", ["0", "-1", "many", "[1]", "{nano: 0}", "{nano: x}", "1.5", "true"]
)
def test_a_budget_that_is_no_size_is_refused(tmp_path: Path, value: str) -> None:
    path = tmp_path / "model.yaml"
    path.write_text(f"name: m\nbudgets: {{stack_bytes: {value}}}\n")
    with pytest.raises(SetupError) as caught:
        load_card(path)
    assert caught.value.code == "model_file"
    assert "stack_bytes" in str(caught.value)


def test_no_budgets_are_no_limits() -> None:
    assert Budgets().on("nano") == {"arena": None, "flash": None, "stack": None}
