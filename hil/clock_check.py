"""Whether a device's clock can be believed: held against another clock of it, and the host's.

==================  =========================================================================
clock               checked against
==================  =========================================================================
physical            the device's second clock, if it has one that is independent (`micros()` of a
                    board whose ticks are DWT's); the host's clock from both sides: the device
                    cannot have spent more time than passed between request and reply, nor much
                    less once the inferences take longer than the round trip
emulated            the device's second clock (another counter of the machine); the host's says
                    nothing, since an emulator runs faster or slower than the part
==================  =========================================================================

Pure: blocks in, deviations out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

from hil.clock import Block
from hil.messages import Clock, Info

FACTOR = 1.05
"""By how much two physical clocks may differ: an RC oscillator is good for some percent, and the
device believes F_CPU where it is within 2 % of what it measures (hil_clock.cpp)."""

FACTOR_EMULATED = 1.001
"""The same for two counters of one emulated machine, which differ by the reading alone."""

SECOND_SLACK_S, SECOND_SLACK_EMULATED_S = 1e-3, 50e-6
"""Seconds by which they may differ besides: a second clock may count milliseconds, and the core
computes for some hundred instructions between reading one and the other."""

HOST_SLACK_S = 5e-3
"""Seconds, besides three round trips, that the host may see more than the device."""


@dataclass(frozen=True)
class Deviation:
    """Two clocks over the same inferences. ``against``: "second" or "host"; seconds."""

    against: str
    block: Block
    device_s: float
    other_s: float
    factor: float
    wrong: bool

    @property
    def off(self) -> float:
        """How far the device's clock is ahead of the other, as a fraction of the longer time."""
        return (self.device_s - self.other_s) / (max(self.device_s, self.other_s) or 1.0)

    def numbers(self) -> dict[str, Any]:
        return {
            "against": self.against,
            "device_s": self.device_s,
            "other_s": self.other_s,
            "factor": self.factor,
            "invokes": self.block.invokes,
            "ticks": self.block.ticks,
        }

    def __str__(self) -> str:
        other = "its second clock" if self.against == "second" else "the host's clock"
        ran = f"{self.block.invokes:,} inference" + ("s" if self.block.invokes > 1 else "")
        return (
            f"it says {self.device_s:.6g} s for {ran}, {other} says {self.other_s:.6g} s "
            f"(a factor of {self.factor:g} is allowed)"
        )


@dataclass(frozen=True)
class ClockCheck:
    """How a device's clock is held against others; ``round_trip_s`` is the shortest ping."""

    hz: int
    emulated: bool
    round_trip_s: float

    @classmethod
    def of(cls, info: Info, round_trip_s: float) -> Self:
        return cls(info.ticks_per_s, info.clock == Clock.EMULATED, round_trip_s)

    def deviations(self, block: Block) -> list[Deviation]:
        """What each other clock says of a block."""
        return [each for each in (self._second(block), self._host(block)) if each]

    def _second(self, block: Block) -> Deviation | None:
        if block.second_ns is None:
            return None
        device, other = block.ticks / self.hz, block.second_ns / 1e9
        factor = FACTOR_EMULATED if self.emulated else FACTOR
        slack = SECOND_SLACK_EMULATED_S if self.emulated else SECOND_SLACK_S
        wrong = device > other * factor + slack or other > device * factor + slack
        return Deviation("second", block, device, other, factor, wrong)

    def _host(self, block: Block) -> Deviation | None:
        """The device also spends the block's overhead between request and reply."""
        if self.emulated:
            return None
        device = (block.ticks + block.overhead) / self.hz
        slack = HOST_SLACK_S + 3 * self.round_trip_s
        ahead = device > block.host_s * FACTOR + SECOND_SLACK_S
        behind = block.host_s > device * FACTOR + slack
        return Deviation("host", block, device, block.host_s, FACTOR, ahead or behind)
