"""How errors are spread: histogram of steps, signal to noise, cosine. Pure sums, so they merge."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from hil.tensors import Array, as_float64

_BINS = ((0, "0"), (1, "1"), (2, "2"), (4, "3-4"), (8, "5-8"), (16, "9-16"), (64, "17-64"))
_LAST = ">64"

LABELS = (*(label for _, label in _BINS), _LAST)
"""Bins of |error| in LSB, in order."""


@dataclass(frozen=True)
class Spread:
    """Sums over pairs of finite elements, with the zero point taken off integers.

    Attributes:
        signal: Σ expected²; power: Σ observed²; noise: Σ (observed - expected)²;
        dot: Σ expected·observed.
        histogram: elements by |error| in LSB (see `LABELS`); empty for floats.
    """

    signal: float = 0.0
    power: float = 0.0
    noise: float = 0.0
    dot: float = 0.0
    histogram: Mapping[str, int] = field(default_factory=dict)

    @property
    def snr_db(self) -> float | None:
        """10·log10(signal / noise) in dB; None where there is no noise, or no signal."""
        if self.noise <= 0 or self.signal <= 0:
            return None
        return 10 * (math.log10(self.signal) - math.log10(self.noise))  # the ratio may overflow

    @property
    def cosine(self) -> float | None:
        """Cosine of the angle between expected and observed; None if either is all zero."""
        length = math.sqrt(self.signal) * math.sqrt(self.power)
        return self.dot / length if length > 0 else None

    def record(self) -> dict[str, Any]:
        """The figures for a JSON record."""
        return {
            "snr_db": self.snr_db,
            "cosine": self.cosine,
            "histogram": {label: self.histogram[label] for label in LABELS if self.histogram},
        }


def spread_of(expected: Array, observed: Array, zero_point: int = 0) -> Spread:
    """The spread of one pair of equally shaped arrays; what is not finite is left out."""
    with np.errstate(over="ignore", invalid="ignore"):
        return _spread_of(expected, observed, zero_point)


def _spread_of(expected: Array, observed: Array, zero_point: int) -> Spread:
    wanted, got = as_float64(expected).ravel(), as_float64(observed).ravel()
    finite = np.isfinite(wanted) & np.isfinite(got)
    wanted, got = wanted[finite] - zero_point, got[finite] - zero_point
    delta = got - wanted
    return Spread(
        signal=_sum(wanted * wanted),
        power=_sum(got * got),
        noise=_sum(delta * delta),
        dot=_sum(wanted * got),
        histogram={} if expected.dtype.kind == "f" else _histogram(np.abs(delta)),
    )


def _sum(values: Array) -> float:
    """The sum, kept finite: a record holds no infinity."""
    return float(np.clip(np.nan_to_num(values.sum()), -_MAX, _MAX))


_MAX = float(np.finfo(np.float64).max)


def _histogram(steps: Array) -> dict[str, int]:
    edges = [-1, *(top for top, _ in _BINS), math.inf]
    counts, _ = np.histogram(steps, bins=np.array(edges) + 0.5)
    return {label: int(count) for label, count in zip(LABELS, counts, strict=True)}


def merge_spreads(spreads: Iterable[Spread]) -> Spread:
    """All of them as one."""
    parts = tuple(spreads)
    histogram: Counter[str] = Counter()
    for part in parts:
        histogram.update(part.histogram)
    total = {label: histogram[label] for label in LABELS} if histogram else {}
    return Spread(
        signal=sum(part.signal for part in parts),
        power=sum(part.power for part in parts),
        noise=sum(part.noise for part in parts),
        dot=sum(part.dot for part in parts),
        histogram=total,
    )
