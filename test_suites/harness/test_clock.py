"""Ticks as figures, and what a clock may claim."""

from __future__ import annotations

from dataclasses import replace

import pytest
from scripted_board import INFO

from hil.clock import Block, TickUnit, summarise, tick_unit
from hil.messages import Clock


def test_an_emulated_clock_counts_instructions_and_is_never_time() -> None:
    unit = tick_unit(INFO)
    assert unit == TickUnit("instructions", 2.5, "emulated, instructions; 2.5 a tick")
    assert tick_unit(replace(INFO, instructions_num=0, instructions_den=0)) is None
    assert tick_unit(replace(INFO, ticks_per_s=0)) is None


def test_a_physical_clock_is_time() -> None:
    unit = tick_unit(replace(INFO, clock=Clock.DWT, ticks_per_s=64_000_000))
    assert unit is not None
    assert (unit.unit, unit.clock) == ("us", "dwt, 64,000,000 Hz")
    assert unit.factor == pytest.approx(1 / 64)


@pytest.mark.parametrize(("clock", "rate"), [(Clock.NONE, 1_000_000), (Clock.MICROS, 0)])
def test_a_clock_that_is_absent_is_no_clock(clock: Clock, rate: int) -> None:
    assert tick_unit(replace(INFO, clock=clock, ticks_per_s=rate)) is None


def test_a_clock_of_a_later_protocol_keeps_its_number() -> None:
    unit = tick_unit(replace(INFO, clock=9, ticks_per_s=1_000_000))
    assert unit == TickUnit("us", 1.0, "clock 9, 1,000,000 Hz")


def test_statistics() -> None:
    blocks = [Block(2, 2 * each + 7, 7, None, 0.0) for each in (10, 12, 14, 50)]
    found = summarise(TickUnit("instructions", 2.5, "c"), Block(1, 100, 0, None, 0.0), blocks)
    assert (found.n, found.first, found.min, found.median, found.max) == (4, 250, 25, 32.5, 125)
    assert (found.invokes, found.tick) == (2, 1.25)
    assert found.p95 == pytest.approx(111.5)
    assert found.mad == 5.0


def test_a_tick_is_what_it_is_worth_to_the_sample() -> None:
    blocks = [Block(8, 12_100, 12, None, 0.0)] * 5
    found = summarise(TickUnit("instructions", 2.5, "c"), blocks[0], blocks)
    assert found.tick / found.median == pytest.approx(1 / 12_088)
