"""Arenas that are too small or lie badly, and figures beyond what model.yaml allows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from provoke import ROOT, write_model

from hil.arena import FLOOR, STEP, arena_works
from hil.errors import ProductError
from hil.inventory import Board
from hil.model import Model, load_model
from hil.trial import Trial

Make = Callable[..., Trial]
VECTORS = ROOT / "models" / "hello_sine" / "vectors.npz"


def with_card(hello: Model, folder: Path, card: str) -> Model:
    """hello_sine with another model.yaml."""
    return load_model(write_model(folder, hello.data, VECTORS, card))


def given(hello: Model, folder: Path, size: int) -> Model:
    """hello_sine with an arena of ``size`` bytes."""
    return with_card(hello, folder / f"given_{size}", f"arena_bytes: {size}\n")


def test_sixteen_bytes_too_few_are_arena_overflow_and_enough_passes(
    attempt: Make, either: Board, hello: Model, tmp_path: Path
) -> None:
    needed = attempt_and_close(attempt(either))
    short = attempt(either, model=given(hello, tmp_path, needed - 16))
    with pytest.raises(ProductError) as caught:
        short.parity()
    assert caught.value.code == "arena_overflow"
    assert caught.value.numbers["given"] == needed - 16
    assert caught.value.numbers["needed"] == needed
    assert short.record.memory.arena_needed == needed
    short.close()
    enough = attempt(either, model=given(hello, tmp_path, needed))
    assert enough.parity().ok
    assert enough.record.memory.arena_given == needed


def attempt_and_close(it: Trial) -> int:
    needed = it.memory()
    it.close()
    return needed


def test_every_size_below_the_need_is_refused_and_every_one_above_works(
    attempt: Make, nano: Board
) -> None:
    it = attempt(nano)
    needed, device = it.memory(), it.device()
    sizes = range(FLOOR, needed + 5 * STEP, STEP)
    works = [arena_works(device, size, 0xA5) for size in sizes]
    assert works == [size >= needed for size in sizes]


def test_more_than_the_part_has_is_said_as_no_number(
    attempt: Make, nano: Board, hello: Model, tmp_path: Path
) -> None:
    all_of_it = with_card(hello, tmp_path / "all_of_it", "")
    it = attempt(nano, model=all_of_it, HIL_ARENA_BYTES=1024)
    with pytest.raises(ProductError) as caught:
        it.load()
    assert caught.value.code == "arena_overflow"
    assert caught.value.numbers == {"given": 1024, "needed": None, "cap": 1024}
    assert it.record.verdict == "fail"


@pytest.mark.parametrize(
    ("macro", "skew", "code"),
    [("HIL_ARENA_SKEW", 4, "arena_misaligned"), ("HIL_MODEL_SKEW", 1, "model_misaligned")],
)
def test_what_lies_beside_its_alignment_is_told(
    attempt: Make, either: Board, macro: str, skew: int, code: str
) -> None:
    it = attempt(either, **{macro: skew})
    with pytest.raises(ProductError) as caught:
        it.load()
    assert caught.value.code == code
    assert caught.value.numbers["address"] % 16 == skew
    assert caught.value.numbers["alignment"] == 16
    assert it.device().crash() is None


@pytest.mark.parametrize(
    ("card", "step", "code", "limit"),
    [
        ("latency: {max_instructions: {virtual-nano33ble: 10}}", "latency", "latency", 10),
        ("budgets: {arena_bytes: 1024}", "memory", "arena_over_budget", 1024),
        ("budgets: {flash_bytes: 2000}", "memory", "flash_over_budget", 2000),
        ("budgets: {stack_bytes: 300}", "memory", "stack_over_budget", 300),
        (
            "budgets: {stack_bytes: {virtual-pico: 9000, default: 310}}",
            "memory",
            "stack_over_budget",
            310,
        ),
    ],
)
def test_a_figure_beyond_model_yaml_is_a_product_fault(
    attempt: Make, nano: Board, hello: Model, tmp_path: Path,
    card: str, step: str, code: str, limit: int,
) -> None:  # fmt: skip
    it = attempt(nano, model=with_card(hello, tmp_path / "limited", card))
    with pytest.raises(ProductError) as caught:
        getattr(it, step)()
    assert caught.value.code == code
    numbers = caught.value.numbers
    assert numbers["limit" if code == "latency" else "budget"] == limit
    assert numbers["median" if code == "latency" else "used"] > limit
    assert it.record.verdict == "fail"
