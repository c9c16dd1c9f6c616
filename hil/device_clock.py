"""The board's clock as pytest-benchmark's timer, so that compare, save and histograms work."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from hil.clock import Latency

EMULATED = "emulated boards (instructions, never seconds)"
PHYSICAL = "physical boards"
"""Groups of pytest-benchmark: an instruction count is never compared with a time."""


class DeviceClock:
    """A timer that goes on by what the board measured, and by nothing else.

    Pedantic mode only: pytest-benchmark's calibration cannot follow a clock that stands still
    between calls. Seconds for physical clocks, instructions for emulated ones.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._now = 0.0

    def __call__(self) -> float:
        return self._now

    def __repr__(self) -> str:
        return f"clock of {self._name}"

    def replay(self, benchmark: Any, latency: Latency) -> None:
        """Hands the samples of a latency step to the ``benchmark`` fixture, one round each."""
        benchmark.group = EMULATED if latency.unit == "instructions" else PHYSICAL
        benchmark.extra_info.update(unit=latency.unit, clock=latency.clock, first=latency.first)
        benchmark.pedantic(self._round(latency), rounds=latency.n, iterations=1)

    def _round(self, latency: Latency) -> Callable[[], None]:
        scale = 1.0 if latency.unit == "instructions" else 1e-6
        samples: Iterator[float] = iter(latency.samples)

        def one() -> None:
            self._now += next(samples, 0.0) * scale

        return one


def scale_unit(unit: str, benchmarks: Sequence[Any]) -> tuple[str, float] | None:
    """pytest-benchmark's unit of a table; it appends an "s". None leaves the choice to it."""
    if not benchmarks or any(each["group"] != EMULATED for each in benchmarks):
        return None
    return ("instruction", 1.0) if unit == "seconds" else ("", 1.0)
