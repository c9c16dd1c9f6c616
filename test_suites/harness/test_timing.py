"""How inferences are timed, and when the clock that times them is believed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.clock import Block
from hil.clock_check import FACTOR, FACTOR_EMULATED, ClockCheck
from hil.device import NoRoom
from hil.timing import LEAST_RUNS, MOST_INVOKES, WANTED_TICKS, StoodStill, Timed, measure

HZ = 1_000_000
EMULATED = ClockCheck(25_000_000, emulated=True, round_trip_s=0.001)
PHYSICAL = ClockCheck(HZ, emulated=False, round_trip_s=0.002)


@dataclass
class Board:
    """Inferences of ``each_s`` seconds by a clock of ``hz`` that goes ``speed`` times too fast,
    and by a second one that goes ``second`` times too fast (None: there is none)."""

    each_s: float
    hz: int = HZ
    speed: float = 1.0
    second: float | None = None
    room: bool = True
    late: Callable[[], float] = lambda: 0.002
    asked: list[int] | None = None

    def __call__(self, invokes: int) -> Block:
        if invokes > 1 and not self.room:
            raise NoRoom
        self.asked = [*(self.asked or []), invokes]
        real = invokes * self.each_s
        second = None if self.second is None else round(real * self.second * 1e9)
        return Block(invokes, int(real * self.hz * self.speed), 0, second, real + self.late())


def timed(board: Board, check: ClockCheck = PHYSICAL, seconds: float = 60.0) -> Timed:
    return measure(board, replace(check, hz=board.hz), 30, seconds)


# -- how many inferences make a sample


def test_a_short_model_is_timed_over_so_many_that_a_tick_does_not_matter() -> None:
    found = timed(Board(100e-6))
    assert found.first.invokes == 1
    assert len(found.blocks) == 30
    assert {block.invokes for block in found.blocks} == {100}
    assert found.blocks[0].net >= WANTED_TICKS
    assert found.blocks[0].each == pytest.approx(100, rel=1e-4)


def test_a_long_model_is_timed_one_by_one() -> None:
    assert {block.invokes for block in timed(Board(0.05)).blocks} == {1}


def test_a_slow_model_is_timed_five_times() -> None:
    assert len(timed(Board(0.05), seconds=0.0).blocks) == LEAST_RUNS


def test_where_there_is_no_room_it_is_one_inference_a_sample() -> None:
    found = timed(Board(100e-6, room=False))
    assert {block.invokes for block in found.blocks} == {1}
    assert found.wrong is None


def test_a_clock_coarser_than_the_inference_is_not_taken_for_one_that_stands_still() -> None:
    found = timed(Board(100e-6, hz=1000))
    assert found.first.net == 0
    assert found.blocks[0].each == pytest.approx(0.1, rel=0.01)


@given(st.floats(1e-7, 2.0), st.sampled_from([1000, 32768, HZ, 64_000_000]))
def test_no_block_keeps_the_host_waiting(each_s: float, hz: int) -> None:
    board = Board(each_s, hz=hz)
    try:
        block = timed(board).blocks[0]
    except StoodStill as error:
        block = error.block
    long_enough = block.net >= WANTED_TICKS or block.invokes == MOST_INVOKES
    assert long_enough or block.host_s >= 0.5
    assert board.asked is not None
    assert max(board.asked) <= MOST_INVOKES
    assert max(board.asked) * each_s <= max(0.7, 11 * each_s)


# -- whether the clock can be believed


@pytest.mark.parametrize("each_s", [100e-6, 0.01, 0.4])
@pytest.mark.parametrize("check", [EMULATED, PHYSICAL])
def test_clocks_that_agree_are_believed(each_s: float, check: ClockCheck) -> None:
    found = timed(Board(each_s, second=1.0), check)
    assert found.wrong is None
    assert all(abs(each.off) < 0.05 for each in found.deviations)
    assert [each.against for each in found.deviations] == (
        ["second"] if check.emulated else ["second", "host"]
    )


@pytest.mark.parametrize("speed", [2.0, 0.5, 1.2, 0.8, 25.0, 0.04])
@pytest.mark.parametrize("check", [EMULATED, PHYSICAL])
def test_a_clock_that_the_second_one_contradicts_is_not(speed: float, check: ClockCheck) -> None:
    wrong = timed(Board(200e-6, speed=speed, second=1.0), check).wrong
    assert wrong is not None
    assert wrong.against == "second"
    assert wrong.device_s / wrong.other_s == pytest.approx(speed, rel=0.05)
    assert (wrong.off > 0) == (speed > 1)


@pytest.mark.parametrize("speed", [2.0, 0.5, 1.3, 0.7])
@pytest.mark.parametrize("each_s", [100e-6, 0.01, 0.3])
def test_a_physical_clock_alone_is_held_against_the_hosts(speed: float, each_s: float) -> None:
    wrong = timed(Board(each_s, speed=speed)).wrong
    assert wrong is not None
    assert (wrong.against, wrong.numbers()["factor"]) == ("host", FACTOR)
    assert (wrong.off > 0) == (speed > 1)


def test_the_hosts_clock_says_nothing_of_an_emulated_one() -> None:
    found = timed(Board(0.01, speed=6.0), EMULATED)
    assert found.wrong is None
    assert found.deviations == ()


def test_a_host_that_is_late_twice_is_no_fault_of_the_clock() -> None:
    board = Board(0.01)
    late = iter([0.002] * 34 + [0.2, 0.2])
    board.late = lambda: next(late, 0.002)
    assert timed(board).wrong is None


def test_a_round_trip_as_long_as_the_inferences_hides_nothing_but_says_nothing() -> None:
    slow = replace(PHYSICAL, round_trip_s=0.3)
    board = Board(100e-6)
    board.late = lambda: 0.3
    assert timed(board, slow).wrong is None
    board.speed = 20.0
    assert timed(board, slow).wrong is not None


def test_a_clock_that_stands_still_says_so() -> None:
    with pytest.raises(StoodStill) as caught:
        timed(Board(1e-3, speed=0.0, second=1.0))
    assert caught.value.block.host_s >= 0.5


def test_a_clock_that_stops_half_way_is_not_averaged() -> None:
    board = Board(0.05)
    seen = iter(range(1000))

    def stops(invokes: int) -> Block:
        return replace(board(invokes), ticks=0 if next(seen) > 10 else 50_000)

    with pytest.raises(StoodStill):
        measure(stops, PHYSICAL, 30, 60.0)


def test_one_sample_that_the_second_clock_contradicts_is_enough() -> None:
    board = Board(0.05, hz=25_000_000, second=1.0)
    seen = iter(range(1000))

    def jumps(invokes: int) -> Block:
        block = board(invokes)
        return replace(block, ticks=block.ticks + (1 << 24)) if next(seen) == 10 else block

    wrong = measure(jumps, EMULATED, 30, 60.0).wrong
    assert wrong is not None
    assert wrong.factor == FACTOR_EMULATED
    assert "its second clock says 0.05 s" in str(wrong)
