"""A kernel that never ends is a hang; a board that falls silent by chance is the bench."""

from __future__ import annotations

import time
import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from dying import CHANCE, ENDLESS, HONEST, dying, fault, infer

from hil.errors import BenchError, ProductError
from hil.inventory import Board
from hil.model import Model
from hil.trial import Trial


@pytest.fixture
def it(either: Board, hello: Model) -> Iterator[Trial]:
    with dying(either, hello) as made:
        made.device().reset()  # it counts its runs from the start
        infer(made, HONEST)
        yield made


def test_an_input_that_is_never_answered_is_a_hang(it: Trial) -> None:
    error = fault(it, ENDLESS)
    assert (error.code, error.kind) == ("hang", "product")
    numbers = error.numbers
    assert numbers["input_crc"] == zlib.crc32(bytes([ENDLESS]))
    assert min(numbers["waited_s"], numbers["waited_again_s"]) >= 2.0
    assert it.record.verdict == "fail"
    assert [each.code for each in it.record.findings] == ["hang"]
    infer(it, HONEST)
    started = time.monotonic()
    assert fault(it, ENDLESS) is error  # known: nobody waits for it again
    assert time.monotonic() - started < 1.0


def test_a_board_that_falls_silent_by_chance_is_the_bench(it: Trial) -> None:
    infer(it, CHANCE)
    error = fault(it, CHANCE)
    assert isinstance(error, BenchError)
    assert error.code == "no_answer"
    assert "after a restart the same input was answered" in error.message
    assert it.record.verdict == "bench_fault"
    infer(it, CHANCE)


def test_a_board_that_may_not_be_flashed_cannot_be_asked_again(nano: Board, hello: Model) -> None:
    with dying(nano, hello) as it:
        infer(it, HONEST)
        it.settings = replace(it.settings, may_flash=False)
        error = fault(it, ENDLESS)
    assert error.code == "no_answer"
    assert "asked again after a restart" in error.message


def test_silence_in_a_step_of_a_trial_is_a_hang_of_that_step(
    nano: Board, hello: Model, tmp_path: Path
) -> None:
    endless = tmp_path / "endless.npz"
    np.savez(endless, allow_pickle=False, input_0=np.full((1, 1, 1), ENDLESS, np.int8))
    with dying(nano, hello) as it:
        it.settings = replace(it.settings, vectors=endless)
        with pytest.raises(ProductError) as caught:
            it.parity()
        assert caught.value.code == "hang"
        assert [(each.suite, each.code) for each in it.record.findings] == [("parity", "hang")]
