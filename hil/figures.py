"""The figures of a record that are worth a line over time, and how far each may move by itself.

Pure. Baselines, the history and `hil diff` judge by the same names and the same allowances.

==============  =====================================================  =======================
name            figure                                                 may get worse by
==============  =====================================================  =======================
arena           smallest arena that works, searched (bytes)            0
flash           the whole image (bytes)                                0
flash.PART      a part of the image, from the link map (bytes)         0
latency         median of an inference, emulated (instructions)        max(2 ticks, 0.05 %)
latency         median of an inference, physical clock (us)            max(2 ticks, 5 sigma)
mismatches      output elements beyond the tolerance                   0
max_lsb         largest difference to the oracle (LSB)                 0
accuracy        the model's metric on its labelled set                 rounding
==============  =====================================================  =======================

An emulated latency repeats within a few ticks in ten million, whatever the host does: 0.05 % is
fifty times what was seen. Of a physical clock sigma is 1.4826 MAD of the samples of the run that
is compared with (for normal noise the MAD is 0.6745 sigma); 5 sigma of single inferences is wide
for a median of thirty, and leaves room for what moves from one start to the next.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from hil.report.parts import LatencyRecord
from hil.report.record import Record

TICKS = 2.0
EMULATED_SHARE = 0.0005
SIGMAS = 5.0
SIGMA_OF_MAD = 1.4826

ROUNDING = 3e-8
"""Relative: sums of the same outputs differ in their last bits from one host to another, and
files keep nine digits: two neighbours are at most 1e-8 apart."""

MORE_IS_BETTER = ("top1", "auc")


@dataclass(frozen=True)
class Figure:
    """One number of a record.

    Attributes:
        unit: "B", "us", "instructions", "" for counts, or the name of an accuracy metric.
        tick: what one tick of the clock changes it by, in ``unit``; 0 where there is no clock.
        mad: median absolute deviation of the samples, in ``unit``; 0 where there are none.
    """

    value: float
    unit: str = ""
    tick: float = 0.0
    mad: float = 0.0

    @property
    def more_is_better(self) -> bool:
        return self.unit in MORE_IS_BETTER

    @property
    def allowance(self) -> float:
        """How far another run's figure may be from this one, see the module's table."""
        if self.unit == "instructions":
            return max(TICKS * self.tick, EMULATED_SHARE * abs(self.value))
        if self.unit == "us":
            return max(TICKS * self.tick, SIGMAS * SIGMA_OF_MAD * self.mad)
        if self.unit in ("B", "LSB", ""):
            return 0.0
        return ROUNDING * abs(self.value)

    def worse_by(self, now: Figure) -> float:
        """How much worse ``now`` is than this one, in ``unit``; negative: better."""
        delta = now.value - self.value
        return -delta if self.more_is_better else delta


def figures_of(record: Record) -> dict[str, Figure]:
    """Figures by name; what was not measured, or is no finite number, is not there."""
    return {name: figure for name, figure in _figures(record) if _finite(figure)}


def _finite(figure: Figure) -> bool:
    return all(math.isfinite(part) for part in (figure.value, figure.tick, figure.mad))


def _figures(record: Record) -> Iterator[tuple[str, Figure]]:
    memory = record.memory
    parts = {f"flash.{part}": size for part, size in memory.flash_parts.items()}
    for name, size in {"arena": memory.arena_needed, "flash": memory.flash, **parts}.items():
        if size is not None:
            yield name, Figure(float(size), "B")
    if record.latency is not None:
        yield "latency", _latency(record.latency)
    parity = record.parity.get(record.oracle)
    if parity is not None and parity.elements:
        yield "mismatches", Figure(float(parity.mismatches))
        if parity.max_lsb is not None:
            yield "max_lsb", Figure(float(parity.max_lsb), "LSB")
    if record.accuracy is not None and record.accuracy.device is not None:
        yield "accuracy", Figure(record.accuracy.device, record.accuracy.metric)


def _latency(latency: LatencyRecord) -> Figure:
    return Figure(latency.median, latency.unit, tick=latency.tick, mad=latency.mad)
