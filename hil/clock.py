"""Device ticks as figures: a block of inferences, the unit that a clock may claim, statistics."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, Self

import numpy as np

from hil.messages import NO_CLOCK, Clock, Info, Invoked

Unit = Literal["us", "instructions"]


@dataclass(frozen=True)
class Block:
    """Inferences that ran back to back on the device and were timed as one.

    Attributes:
        invokes: how many.
        ticks: of the device's clock around all of them.
        overhead: those ticks among them that are not the inferences'.
        second_ns: the same time by another clock of the device; None if it has none.
        host_s: seconds from the request to the reply, by the host.
    """

    invokes: int
    ticks: int
    overhead: int
    second_ns: int | None
    host_s: float

    @classmethod
    def of(cls, invoked: Invoked, invokes: int, host_s: float) -> Self:
        second = None if invoked.second_ns == NO_CLOCK else invoked.second_ns
        return cls(invokes, invoked.ticks, invoked.overhead, second, host_s)

    @property
    def net(self) -> int:
        """Ticks of the inferences alone."""
        return max(0, self.ticks - self.overhead)

    @property
    def each(self) -> float:
        """Ticks of one inference."""
        return self.net / self.invokes


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
    if not info.ticks_per_s:
        return None
    if info.clock == Clock.EMULATED and info.instructions_den:
        factor = info.instructions_num / info.instructions_den
        return TickUnit("instructions", factor, f"emulated, instructions; {factor:g} a tick")
    if info.clock in (Clock.NONE, Clock.EMULATED):
        return None
    known = info.clock in list(Clock)
    name = Clock(info.clock).name.lower() if known else f"clock {info.clock}"
    return TickUnit("us", 1e6 / info.ticks_per_s, f"{name}, {info.ticks_per_s:,} Hz")


@dataclass(frozen=True)
class Latency:
    """Time of one inference in ``unit``; ``first`` is the first one after the load, apart.

    A sample is the mean of ``invokes`` inferences that were timed as one; ``tick`` is what one
    tick of the clock changes it by. ``mad`` is the median absolute deviation from the median;
    ``samples`` are all of them.
    """

    unit: Unit
    clock: str
    n: int
    invokes: int
    first: float
    min: float
    median: float
    p95: float
    max: float
    mad: float
    tick: float = 0.0
    samples: tuple[float, ...] = field(default=(), repr=False)


def summarise(unit: TickUnit, first: Block, blocks: Sequence[Block]) -> Latency:
    """Statistics over ``blocks`` (one or more, of equally many inferences), in the clock's unit."""
    values = np.asarray([block.each for block in blocks]) * unit.factor
    median = float(np.median(values))
    return Latency(
        unit=unit.unit,
        clock=unit.clock,
        n=len(blocks),
        invokes=blocks[0].invokes,
        first=first.each * unit.factor,
        min=float(values.min()),
        median=median,
        p95=float(np.percentile(values, 95)),
        max=float(values.max()),
        mad=float(np.median(np.abs(values - median))),
        tick=unit.factor / blocks[0].invokes,
        samples=tuple(float(value) for value in values),
    )
