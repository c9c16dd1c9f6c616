"""A silent inference is asked again after a restart; only a silence that follows the input is a
hang."""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np
import pytest
from scripted_board import ScriptedBoard

from hil import messages as m
from hil.device import Device
from hil.errors import BenchError, HilError, ProductError
from hil.hang import ask_again, input_crc, silent_in_work

INPUT = [np.full((1, 100), 3, np.int8)]


class Stuck:
    """A board that is silent at inferences ``silent`` (counted from 0), and its restarts.

    ``deaf_after``: the restart from which on it answers nothing any more.
    """

    def __init__(self, silent: set[int], deaf_after: int = 99) -> None:
        self.board = ScriptedBoard()
        self.silent, self.deaf_after = silent, deaf_after
        self.inferences = self.restarts = 0
        self.board.on[m.Invoke] = self._invoke
        self.device = self._open()

    def _invoke(self, request: Any) -> m.Message | None:
        self.inferences += 1
        return None if self.inferences - 1 in self.silent else self.board._answer(request)

    def _open(self) -> Device:
        device = Device("mem://board", opener=self.board.open, clock=self.board.clock, hang_s=3.0)
        return device.__enter__()

    def revive(self) -> Device:
        self.restarts += 1
        self.board.restart()
        if self.restarts >= self.deaf_after:
            self.board.on[m.Ping] = lambda _: None
        self.device = self._open()
        return self.device

    def verdict(self) -> HilError:
        self.device.load()
        with pytest.raises(BenchError) as caught:
            self.device.infer(INPUT)
        assert silent_in_work(caught.value)
        return ask_again(caught.value, INPUT, self.revive, 0)


def test_silence_twice_at_the_same_input_is_a_hang() -> None:
    stuck = Stuck({0, 1})
    error = stuck.verdict()
    assert isinstance(error, ProductError)
    assert error.code == "hang"
    assert error.numbers["input_crc"] == input_crc(INPUT) == zlib.crc32(INPUT[0].tobytes())
    assert error.numbers["waited_s"] >= 3
    assert error.numbers["waited_again_s"] >= 3
    assert stuck.restarts == 2  # the board is left running


def test_an_answer_the_second_time_leaves_it_with_the_bench() -> None:
    stuck = Stuck({0})
    error = stuck.verdict()
    assert isinstance(error, BenchError)
    assert error.code == "no_answer"
    assert "after a restart the same input was answered" in error.message
    assert stuck.restarts == 1


@pytest.mark.parametrize(("deaf_after", "words"), [(1, "asked again"), (2, "silent again, and")])
def test_a_board_without_a_canary_proves_nothing(deaf_after: int, words: str) -> None:
    error = Stuck({0, 1}, deaf_after).verdict()
    assert isinstance(error, BenchError)
    assert error.code == "no_answer"
    assert words in error.message


def test_a_board_that_cannot_be_restarted_proves_nothing() -> None:
    def gone() -> Device:
        raise BenchError("flash_failed", "no uploader")

    stuck = Stuck({0, 1})
    stuck.revive = gone  # type: ignore[method-assign]
    error = stuck.verdict()
    assert error.code == "no_answer"
    assert "no uploader" in error.message


def test_a_crash_the_second_time_is_a_crash() -> None:
    stuck = Stuck({0})

    def crashes(_: Any) -> None:
        stuck.board.crash = m.Crash(1, m.CrashCause.MEM_FAULT, pc=4)
        stuck.board.restart(m.ResetCause.FAULT)
        stuck.board.lose_port()

    revive = stuck.revive

    def then_crash() -> Device:
        device = revive()
        stuck.board.on[m.Invoke] = crashes
        return device

    stuck.revive = then_crash  # type: ignore[method-assign]
    with pytest.raises(ProductError) as caught:
        stuck.verdict()
    assert caught.value.code == "crash"


def test_other_silence_is_not_the_kernels() -> None:
    assert not silent_in_work(BenchError("no_answer", "x", numbers={"request": "Load"}))
    assert not silent_in_work(BenchError("no_answer", "x"))
    assert not silent_in_work(BenchError("wire", "x", numbers={"request": "Invoke"}))


def test_a_deaf_device_is_not_waited_for_as_long_as_one_that_boots() -> None:
    board = ScriptedBoard()
    with Device("mem://board", opener=board.open, clock=board.clock, boot_s=50.0) as it:
        board.on[m.Reset] = board.on[m.Hello] = lambda _: None
        before = board.now
        with pytest.raises(BenchError):
            it.reset()
        assert board.now - before < 10
