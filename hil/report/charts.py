"""Geometry of the page's charts: figures in, percentages and coordinates out. Pure, no markup."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

HUES = 10
"""How many colours of parts there are (`hil.report.palette.MARKS`, c1 to c10)."""


@dataclass(frozen=True)
class Bar:
    """One bar of a list. ``width`` is in percent of the longest possible one, ``share`` in
    percent of the sum of all."""

    label: str
    value: float
    width: float
    share: float


def bars(values: Iterable[tuple[str, float]]) -> list[Bar]:
    """Bars whose lengths are in proportion; the longest is 100 %."""
    pairs = [(label, max(0.0, value)) for label, value in values]
    most, total = max((v for _, v in pairs), default=0.0), sum(v for _, v in pairs)
    return [Bar(label, v, percent_of(v, most), percent_of(v, total)) for label, v in pairs]


def log_bars(values: Iterable[tuple[str, float]]) -> list[Bar]:
    """Bars as long as log10(1 + value): one element of a million can still be seen."""
    plain = bars(values)
    most = max((math.log10(1 + bar.value) for bar in plain), default=0.0)
    return [
        Bar(bar.label, bar.value, percent_of(math.log10(1 + bar.value), most), bar.share)
        for bar in plain
    ]


@dataclass(frozen=True)
class Segment:
    """One part of a whole: ``start`` and ``width`` in percent of it, ``hue`` 1 to `HUES`."""

    label: str
    size: int
    start: float
    width: float
    hue: int


def stack(parts: Mapping[str, int]) -> list[Segment]:
    """Parts side by side, in their order, in percent of their sum. Parts of 0 bytes or less are
    left out, and keep their colour for where they are not."""
    whole = sum(size for size in parts.values() if size > 0)
    made, start = [], 0
    for index, (label, size) in enumerate(parts.items()):
        if size > 0:
            hue = index % HUES + 1
            share = percent_of(size, whole)
            made.append(Segment(label, size, percent_of(start, whole), share, hue))
            start += size
    return made


@dataclass(frozen=True)
class Dot:
    """One figure of a curve at ``x``, ``y`` of the drawing, origin at the top left."""

    x: float
    y: float
    value: float


def curve(values: Sequence[float], width: float, height: float) -> list[Dot]:
    """Values from left to right, scaled so that the least is at the bottom and the largest at
    the top; equal values lie in the middle."""
    if not values:
        return []
    low, high = min(values), max(values)
    step = width / max(1, len(values) - 1)
    left = 0.0 if len(values) > 1 else width / 2
    return [
        Dot(round(left + index * step, 1), round(height * (1 - _part(v, low, high)), 1), v)
        for index, v in enumerate(values)
    ]


def _part(value: float, low: float, high: float) -> float:
    return (value - low) / (high - low) if high > low else 0.5


def percent_of(value: float, whole: float) -> float:
    """To one decimal; 0 of nothing is 0."""
    percent = round(100 * value / whole, 1) if whole > 0 else 0.0
    return int(percent) if percent.is_integer() else percent  # "5", not "5.0", a thousand times
