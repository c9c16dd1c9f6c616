"""Device ticks as figures: the unit that a clock may claim, and the statistics of a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from hil.messages import Clock, Info

Unit = Literal["us", "instructions"]


@dataclass(frozen=True)
class TickUnit:
    """What one tick is worth: ``factor`` units a tick; ``clock`` says it in words."""

    unit: Unit
    factor: float
    clock: str


def tick_unit(info: Info) -> TickUnit | None:
    """The unit of a device's clock; None where it has none or states no frequency.

    An emulated clock counts instructions and is never turned into time: 2.5 instructions a tick
    on the virtual bench (25 MHz SysTick, 16 ns an instruction).
    """
    if info.clock == Clock.EMULATED and info.instructions_den:
        factor = info.instructions_num / info.instructions_den
        return TickUnit("instructions", factor, f"emulated, instructions; {factor:g} a tick")
    if info.clock in (Clock.NONE, Clock.EMULATED) or not info.ticks_per_s:
        return None
    known = info.clock in list(Clock)
    name = Clock(info.clock).name.lower() if known else f"clock {info.clock}"
    return TickUnit("us", 1e6 / info.ticks_per_s, f"{name}, {info.ticks_per_s:,} Hz")


@dataclass(frozen=True)
class Latency:
    """Time of one inference in ``unit``; ``first`` is the first one after the load, apart.

    ``mad`` is the median absolute deviation from the median; ``tick`` what one tick of the clock
    is worth; ``samples`` are all of them.
    """

    unit: Unit
    clock: str
    n: int
    first: float
    min: float
    median: float
    p95: float
    max: float
    mad: float
    tick: float = 0.0
    samples: tuple[float, ...] = field(default=(), repr=False)


def summarise(unit: TickUnit, first: int, ticks: Sequence[int]) -> Latency:
    """Statistics over ``ticks`` (at least one), in the clock's unit."""
    values = np.asarray(ticks, dtype=np.float64) * unit.factor
    median = float(np.median(values))
    return Latency(
        unit=unit.unit,
        clock=unit.clock,
        n=len(ticks),
        first=first * unit.factor,
        min=float(values.min()),
        median=median,
        p95=float(np.percentile(values, 95)),
        max=float(values.max()),
        mad=float(np.median(np.abs(values - median))),
        tick=unit.factor,
        samples=tuple(float(value) for value in values),
    )
