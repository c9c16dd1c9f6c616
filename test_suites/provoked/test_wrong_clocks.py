"""A clock that is absent, stands still, or counts something else is the bench's fault; and what
honest clocks say of an inference, alone or among others."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hil.errors import BenchError
from hil.inventory import Board
from hil.model import Model
from hil.trial import Settings, Trial

SKETCH = Path(__file__).parent / "sketches" / "clock_runner"
STOPPED, SLOW, DOUBLED, SECOND, ABSENT, AHEAD, BEHIND, ALONE = range(1, 9)
"""What is wrong with the clock (sketches/clock_runner)."""

Clocked = Callable[[Board, int], Trial]


@pytest.fixture
def clocked(hello: Model) -> Iterator[Clocked]:
    """``clocked(board, fault)``: a trial of hello_sine on a core with that clock."""
    opened: list[Trial] = []

    def make(board: Board, fault: int) -> Trial:
        opened.append(Trial(board, hello, Settings(defines={"FAULT": fault}), SKETCH))
        return opened[-1]

    yield make
    for each in opened:
        each.close()


def clock_fault(it: Trial) -> BenchError:
    """The error that the step ends in; the record has no latency then."""
    with pytest.raises(BenchError) as caught:
        it.latency()
    assert caught.value.code == "clock"
    assert it.record.latency is None
    assert it.record.verdict == "bench_fault"
    assert [(each.suite, each.code) for each in it.record.findings] == [("latency", "clock")]
    return caught.value


def test_a_clock_that_stands_still_is_told(clocked: Clocked, either: Board) -> None:
    numbers = clock_fault(clocked(either, STOPPED)).numbers
    assert numbers["ticks"] == 0
    assert numbers["host_s"] > 0.1


def test_a_clock_twice_as_fast_is_told(clocked: Clocked, either: Board) -> None:
    numbers = clock_fault(clocked(either, DOUBLED)).numbers
    assert numbers["against"] == "second"
    assert numbers["device_s"] / numbers["other_s"] == pytest.approx(2, rel=0.01)


@pytest.mark.parametrize(("fault", "ratio"), [(SLOW, 1 / 25), (SECOND, 2)])
def test_counters_that_disagree_are_told(
    clocked: Clocked, nano: Board, fault: int, ratio: float
) -> None:
    numbers = clock_fault(clocked(nano, fault)).numbers
    assert numbers["device_s"] / numbers["other_s"] == pytest.approx(ratio, rel=0.01)


@pytest.mark.parametrize(("fault", "ahead"), [(AHEAD, True), (BEHIND, False)])
def test_a_parts_clock_alone_is_held_against_the_hosts(
    clocked: Clocked, nano: Board, fault: int, ahead: bool
) -> None:
    numbers = clock_fault(clocked(nano, fault)).numbers
    assert numbers["against"] == "host"
    assert (numbers["device_s"] > numbers["other_s"]) == ahead


def test_a_core_without_a_clock_is_told(clocked: Clocked, nano: Board) -> None:
    assert clock_fault(clocked(nano, ABSENT)).numbers == {"clock": 0, "ticks_per_s": 0}


def test_a_clock_that_nothing_can_be_held_against_is_recorded_as_such(
    clocked: Clocked, nano: Board
) -> None:
    it = clocked(nano, ALONE)
    it.latency()
    assert it.record.latency is not None
    assert it.record.latency.clock_off == {}


def test_an_honest_clock_repeats_to_the_tick(
    attempt: Callable[..., Trial], any_board: Board
) -> None:
    it = attempt(any_board)
    latency = it.latency()
    assert latency.invokes > 1
    assert latency.tick < 0.0005 * latency.median
    assert latency.max - latency.min <= 2.01 * latency.tick
    assert it.record.latency is not None
    assert abs(it.record.latency.clock_off["second"]) < 0.001


def test_many_inferences_timed_as_one_are_each_as_long_as_one_alone(
    attempt: Callable[..., Trial], any_board: Board
) -> None:
    it = attempt(any_board)
    it.latency()  # leaves room for the copy of the inputs
    inputs = it.vectors()[3].inputs
    alone, many = it.ask(inputs), it.ask(inputs, 64)
    assert (many.block.invokes, many.output_crc) == (64, alone.output_crc)
    assert abs(many.block.each - alone.block.each) <= 2  # ticks, by which one alone is uncertain
