"""How far observed is from expected, as a value: tolerances, verdict figures and their words."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from hil.card import ToleranceCard
from hil.errors import Finding
from hil.spread import Spread, merge_spreads

SHOWN = 5
"""How many of the worst elements are kept and shown."""


@dataclass(frozen=True)
class Tolerance:
    """``max_lsb``: integer steps; ``max_abs``, ``max_rel``: for floats. A widening has a reason."""

    max_lsb: int = 0
    max_abs: float = 1e-5
    max_rel: float = 1e-5
    reason: str = ""

    def __post_init__(self) -> None:
        limits = (self.max_lsb, self.max_abs, self.max_rel)
        if not all(math.isfinite(limit) and limit >= 0 for limit in limits):
            raise ValueError(f"a tolerance is finite and not negative: {self}")

    @staticmethod
    def of(card: ToleranceCard | None) -> Tolerance:
        """What a model.yaml states; the defaults if it states nothing."""
        if card is None:
            return Tolerance()
        return Tolerance(card.max_lsb, card.max_abs, card.max_rel, card.reason)

    def limit(self, kind: str) -> str:
        """The limit in words for a numpy kind ('i', 'u', 'b' or 'f')."""
        if kind != "f":
            return f"|Δ| <= {self.max_lsb} LSB"
        return f"|Δ| <= {self.max_abs:g} + {self.max_rel:g}·|ref|"


@dataclass(frozen=True)
class Worst:
    """One element that is too far off; ``delta`` is infinite where a difference has no size."""

    vector: str
    output: int
    index: tuple[int, ...]
    expected: float
    observed: float
    delta: float

    def __str__(self) -> str:
        place = f"[{','.join(map(str, self.index))}]"
        return (
            f"{self.vector or 'vector'} output {self.output}{place}: "
            f"expected {self.expected:.9g}, observed {self.observed:.9g}"
        )


@dataclass(frozen=True)
class Parity:
    """How far observed is from expected, over everything compared so far.

    ``max_abs`` is in the tensor's own units (steps for integers) and, like ``max_rel``, taken
    over pairs of finite values; ``nan_count`` and ``inf_count`` count the pairs that are not
    finite and not equal. ``max_lsb`` is None if no integer tensor was compared. ``problems``
    say what was missing or of another shape or type.
    """

    elements: int = 0
    mismatches: int = 0
    max_abs: float = 0.0
    max_rel: float = 0.0
    max_lsb: int | None = None
    argmax_same: int = 0
    argmax_total: int = 0
    nan_count: int = 0
    inf_count: int = 0
    limit: str = ""
    worst: tuple[Worst, ...] = ()
    problems: tuple[str, ...] = ()
    spread: Spread = Spread()

    @property
    def ok(self) -> bool:
        """True only if something was compared and all of it agrees."""
        return self.elements > 0 and not self.mismatches and not self.problems

    @property
    def argmax_agreement(self) -> float | None:
        """Fraction of outputs whose largest element is the same one; None if none has two."""
        return self.argmax_same / self.argmax_total if self.argmax_total else None

    def record(self) -> dict[str, Any]:
        """The figures for a JSON record; every number in it is finite."""
        return {
            "elements": self.elements,
            "mismatches": self.mismatches,
            "max_abs": self.max_abs,
            "max_rel": self.max_rel,
            "max_lsb": self.max_lsb,
            "argmax_agreement": self.argmax_agreement,
            "nan": self.nan_count,
            "inf": self.inf_count,
            "limit": self.limit,
            "problems": list(self.problems),
            **self.spread.record(),
        }


def merge(parities: Iterable[Parity]) -> Parity:
    """All of them as one; the order matters only for which equally bad elements are shown."""
    parts = tuple(parities)
    steps = [p.max_lsb for p in parts if p.max_lsb is not None]
    shown = sorted((w for p in parts for w in p.worst), key=lambda w: -w.delta)
    return Parity(
        elements=sum(p.elements for p in parts),
        mismatches=sum(p.mismatches for p in parts),
        max_abs=max((p.max_abs for p in parts), default=0.0),
        max_rel=max((p.max_rel for p in parts), default=0.0),
        max_lsb=max(steps, default=None),
        argmax_same=sum(p.argmax_same for p in parts),
        argmax_total=sum(p.argmax_total for p in parts),
        nan_count=sum(p.nan_count for p in parts),
        inf_count=sum(p.inf_count for p in parts),
        limit="; ".join(dict.fromkeys(p.limit for p in parts if p.limit)),
        worst=tuple(shown[:SHOWN]),
        problems=tuple(dict.fromkeys(line for p in parts for line in p.problems)),
        spread=merge_spreads(p.spread for p in parts),
    )


def parity_finding(
    parity: Parity,
    oracle: str,
    tolerance: Tolerance | None = None,
    suite: str = "parity",
    why: str = "",
) -> Finding | None:
    """The finding of a comparison, or None if everything agrees. ``why`` goes into the message."""
    if parity.ok:
        return None
    if not parity.elements:
        return Finding("parity", f"nothing was compared with {oracle}", suite, parity.record())
    lines = [_headline(parity, oracle, tolerance)]
    lines += [f"  {line}" for line in parity.problems[:SHOWN]]
    lines += [f"  {worst}" for worst in parity.worst]
    lines += [f"  {why}"] if why else []
    return Finding("parity", "\n".join(lines), suite, parity.record())


def _headline(parity: Parity, oracle: str, tolerance: Tolerance | None) -> str:
    parts = [f"{parity.mismatches:,} of {parity.elements:,} elements differ from {oracle}"]
    if parity.max_lsb is not None:
        parts.append(f"by up to {parity.max_lsb} LSB")
    if parity.max_lsb is None or parity.max_abs != parity.max_lsb:
        parts.append(f"largest |Δ| {parity.max_abs:.3g}")
    if parity.nan_count:
        parts.append(f"{parity.nan_count} NaN")
    if parity.argmax_agreement is not None:
        parts.append(f"argmax agrees on {parity.argmax_agreement:.1%}")
    parts.append(f"limit {parity.limit}")
    if parity.spread.snr_db is not None:
        parts.append(f"SNR {parity.spread.snr_db:.1f} dB")
    if tolerance and tolerance.reason:
        parts.append(f"widened because: {tolerance.reason}")
    return ", ".join(parts)
