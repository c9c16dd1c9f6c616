"""A run beside the baseline of its board and model: what is worse, better, or cannot be judged.

Pure. Like is compared with like: a figure is judged only if every fact that it depends on is the
one that the baseline was measured with.

=================================  ==================================================
fact                               figures that depend on it
=================================  ==================================================
fqbn (with options), compiler,     all
flags, tflm (source and digest),
kernels
extra_ops (kernels that the image  flash.kernels, flash.runtime
holds and the model has no op of)
clock (kind and rate), core        latency
(CPUID or unit, or the emulator
with its version and icount)
vectors                            latency, mismatches, max_lsb
oracle (with its version)          mismatches, max_lsb
samples (of the labelled set)      accuracy
=================================  ==================================================
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from hil.figures import Figure
from hil.revision import named

KERNELS = ("flash.kernels", "flash.runtime")
_LATENCY, _PARITY = frozenset({"latency"}), frozenset({"mismatches", "max_lsb"})

SCOPES: Mapping[str, frozenset[str] | None] = {
    "fqbn": None,
    "compiler": None,
    "flags": None,
    "tflm": None,
    "kernels": None,
    "extra_ops": frozenset(KERNELS),
    "clock": _LATENCY,
    "core": _LATENCY,
    "vectors": _LATENCY | _PARITY,
    "oracle": _PARITY,
    "samples": frozenset({"accuracy"}),
}
"""Facts, and the figures that depend on them; None: all."""


class State(StrEnum):
    """What a comparison says: of a figure, or (the first that applies) of all of them."""

    WORSE = "worse"
    NOT_JUDGED = "not_judged"
    BETTER = "better"
    EQUAL = "equal"


@dataclass(frozen=True)
class Measured:
    """What a run measured of a board and a model, and with what (`SCOPES`)."""

    board: str
    model: str
    model_sha256: str = ""
    commit: str = ""
    dirty: bool = False
    date: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)
    figures: Mapping[str, Figure] = field(default_factory=dict)

    @property
    def at(self) -> str:
        return named(self.commit, self.dirty)


@dataclass(frozen=True)
class Row:
    """One figure: before and now (None: not there), ``limit`` (the worst value that would pass),
    and ``why`` it is not judged."""

    name: str
    before: Figure | None
    now: Figure | None
    state: State
    limit: float | None = None
    why: str = ""


@dataclass(frozen=True)
class Judgement:
    """All figures of a board and a model; ``changed``: facts as (before, now)."""

    rows: tuple[Row, ...]
    changed: Mapping[str, tuple[str, str]]

    @property
    def state(self) -> State:
        """The first of `State` that a figure has; with no figure at all, not judged."""
        found = {row.state for row in self.rows}
        return next((state for state in State if state in found), State.NOT_JUDGED)

    def of(self, state: State) -> tuple[Row, ...]:
        return tuple(row for row in self.rows if row.state is state)


def judge(before: Measured, now: Measured) -> Judgement:
    """Every figure that either side has."""
    changed = changes(before.facts, now.facts)
    names = dict.fromkeys([*before.figures, *now.figures])
    rows = [_row(name, before.figures.get(name), now.figures.get(name), changed) for name in names]
    return Judgement(tuple(rows), changed)


def changes(before: Mapping[str, str], now: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """Facts that differ, as (before, now)."""
    names = dict.fromkeys([*before, *now])
    pairs = {name: (before.get(name, ""), now.get(name, "")) for name in names}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def depends(figure: str, fact: str) -> bool:
    """Whether a figure depends on a fact; a fact that is not known concerns all."""
    scope = SCOPES.get(fact)
    return scope is None or figure in scope


def _row(
    name: str,
    before: Figure | None,
    now: Figure | None,
    changed: Mapping[str, tuple[str, str]],
) -> Row:
    unlike = [fact for fact in changed if depends(name, fact)]
    if before is None or now is None:
        why = "not in the baseline" if before is None else "not measured"
        return Row(name, before, now, State.NOT_JUDGED, why=why)
    if unlike or before.unit != now.unit:
        why = f"measured with another {', '.join(unlike)}" if unlike else "in another unit"
        return Row(name, before, now, State.NOT_JUDGED, why=why)
    sign = -1 if before.more_is_better else 1
    return Row(name, before, now, _state(before, now), before.value + sign * before.allowance)


def _state(before: Figure, now: Figure) -> State:
    worse = before.worse_by(now)
    if worse > before.allowance:
        return State.WORSE
    return State.BETTER if -worse > before.allowance else State.EQUAL


def renewed(before: Measured | None, now: Measured) -> Measured | None:
    """The baseline to write; None if the one that is there still says it all.

    A figure that is like before (same facts, within its allowance) keeps its old value: the file
    changes where something changed, and many small steps do not add up unseen.
    """
    if before is None:
        return now
    judged = judge(before, now)
    if judged.state is State.EQUAL and not judged.changed:
        return None
    kept = {row.name: row.before for row in judged.of(State.EQUAL) if row.before is not None}
    figures = {name: kept.get(name, figure) for name, figure in now.figures.items()}
    return replace(now, figures=figures)
