"""Two results.json side by side: what changed from the first to the second. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from hil.baseline import Measured, Row, State, changes, judge
from hil.figures import figures_of
from hil.measured import facts_of, is_gated
from hil.report.parts import FindingRecord
from hil.report.record import Record, Results, Verdict

Key = tuple[str, str, str]

_BADNESS = (Verdict.PASS, Verdict.NOT_RUN, Verdict.BENCH_FAULT, Verdict.FAIL)


@dataclass(frozen=True)
class RecordDiff:
    """One board, model and sketch in both results; a verdict of None: it is not there.

    Attributes:
        new, gone: findings that only the second, or only the first, has (by suite and code).
        rows: figures that differ or cannot be judged.
        changed: facts as (first, second).
    """

    board: str
    model: str
    sketch: str
    verdicts: tuple[Verdict | None, Verdict | None]
    new: tuple[FindingRecord, ...] = ()
    gone: tuple[FindingRecord, ...] = ()
    rows: tuple[Row, ...] = ()
    changed: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    @property
    def same(self) -> bool:
        one, other = self.verdicts
        return one == other and not (self.new or self.gone or self.rows or self.changed)

    @property
    def worse(self) -> bool:
        """A worse verdict, a finding more, a gated figure beyond its allowance, or gone at all."""
        one, other = self.verdicts
        if other is None:
            return True
        fallen = _BADNESS.index(other) > (_BADNESS.index(one or Verdict.NOT_RUN))
        return fallen or bool(self.new) or any(counts(row) for row in self.rows)


def counts(row: Row) -> bool:
    """Whether a figure is worse, and one that a baseline would gate."""
    return row.state is State.WORSE and is_gated(row.name)


def diff_results(one: Results, other: Results) -> list[RecordDiff]:
    """Every record of either, the first's in their order, then what only the second has."""
    first, second = _by_key(one), _by_key(other)
    return [_diff(key, first.get(key), second.get(key)) for key in {**first, **second}]


def _by_key(results: Results) -> dict[Key, Record]:
    return {(r.board, r.model, r.sketch): r for r in results.records}


def _diff(key: Key, one: Record | None, other: Record | None) -> RecordDiff:
    verdicts = (one.verdict if one else None, other.verdict if other else None)
    if one is None or other is None:
        return RecordDiff(*key, verdicts, new=tuple(other.findings) if other else ())
    judged = judge(_measured(one), _measured(other))
    return RecordDiff(
        *key,
        verdicts,
        new=_only(other, one),
        gone=_only(one, other),
        rows=tuple(row for row in judged.rows if _differs(row)),
        changed=changes(_facts(one), _facts(other)),
    )


def _only(record: Record, other: Record) -> tuple[FindingRecord, ...]:
    """Findings of a record whose suite and code the other does not have as often."""
    left = [(finding.suite, finding.code) for finding in other.findings]
    only = []
    for finding in record.findings:
        if (finding.suite, finding.code) in left:
            left.remove((finding.suite, finding.code))
        else:
            only.append(finding)
    return tuple(only)


def _measured(record: Record) -> Measured:
    facts, figures = facts_of(record), figures_of(record)
    return Measured(record.board, record.model, facts=facts, figures=figures)


def _facts(record: Record) -> dict[str, str]:
    """Everything that may explain a difference, more than figures depend on."""
    firmware = record.firmware.digest[:12] if record.firmware else ""
    more = {"model_sha256": record.model_sha256[:12], "firmware": firmware}
    return {**facts_of(record), **{name: text for name, text in more.items() if text}}


def _differs(row: Row) -> bool:
    if row.before is None or row.now is None:
        return True
    return row.before.value != row.now.value or row.before.unit != row.now.unit
