"""What a comparison with a baseline says, in words and as a record."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from hil.baseline import Judgement, Measured, Row, State
from hil.errors import Finding
from hil.figures import Figure
from hil.report.parts import BaselineFigureRecord, BaselineRecord
from hil.report.record import Record

UPDATE = "pytest --hil-update-baseline"


def compared(before: Measured | None, now: Measured, judgement: Judgement | None) -> BaselineRecord:
    """The comparison for the record."""
    if before is None or judgement is None:
        return BaselineRecord(text=f"no baseline; {UPDATE} writes one")
    return BaselineRecord(
        state=judgement.state.value,
        commit=before.commit,
        dirty=before.dirty,
        date=before.date,
        changed=dict(judgement.changed),
        figures={row.name: _figure_record(row) for row in judgement.rows},
        text=text_of(before, judgement),
    )


def _figure_record(row: Row) -> BaselineFigureRecord:
    known = row.before or row.now
    return BaselineFigureRecord(
        before=row.before.value if row.before else None,
        now=row.now.value if row.now else None,
        limit=row.limit,
        unit=known.unit if known else "",
        state=row.state.value,
        why=row.why,
    )


def text_of(before: Measured, judgement: Judgement) -> str:
    """One line: what differs from the baseline, and from which."""
    source = f"the baseline of {before.at} ({before.date})"
    if judgement.state is State.EQUAL:
        return f"as {source}"
    parts = [
        f"{state.value.replace('_', ' ')}: {', '.join(_shown(row) for row in judgement.of(state))}"
        for state in (State.WORSE, State.NOT_JUDGED, State.BETTER)
        if judgement.of(state)
    ]
    if judgement.changed:
        parts.append(f"changed: {changes_text(judgement.changed)}")
    return f"beside {source}: " + "; ".join(parts)


def _shown(row: Row) -> str:
    if row.state is State.NOT_JUDGED:
        return f"{row.name} ({row.why})" if row.why.startswith("not ") else row.name
    assert row.before is not None
    assert row.now is not None
    return f"{row.name} {number(row.before.value)} -> {with_unit(row.now)}"


def changes_text(changed: Mapping[str, tuple[str, str]]) -> str:
    """Facts that differ: ``core: qemu-7.2.22/… -> qemu-8.2.0/…``; of long ones the words."""
    return "; ".join(f"{name}: {_change(*pair)}" for name, pair in changed.items())


def _change(before: str, now: str) -> str:
    if max(len(before), len(now)) > 60:
        old, new = before.split(), now.split()
        gone = " ".join(word for word in old if word not in new)
        come = " ".join(word for word in new if word not in old)
        before, now = (gone, come) if gone or come else ("the same words", "in another order")
    return f"{before or 'none'} -> {now or 'none'}"


def number(value: float) -> str:
    """Whole numbers in full, others to nine digits."""
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.9g}"


def with_unit(figure: Figure) -> str:
    return f"{number(figure.value)} {figure.unit}".rstrip()


def regressions(before: Measured, now: Measured, judgement: Judgement) -> list[Finding]:
    """One finding for every figure that is worse: metric, both values, limit, both commits."""
    return [_regression(before, now, row) for row in judgement.of(State.WORSE)]


def _regression(before: Measured, now: Measured, row: Row) -> Finding:
    assert row.before is not None
    assert row.now is not None
    assert row.limit is not None
    over = abs(row.now.value - row.before.value)
    share = f" ({100 * over / abs(row.before.value):.3g} %)" if row.before.value else ""
    model = ""
    if before.model_sha256 != now.model_sha256:
        model = f"; the model's bytes changed, {before.model_sha256} -> {now.model_sha256}"
    return Finding(
        "regression",
        f"{row.name} is {with_unit(row.now)}, {number(row.before.value)} in the baseline: "
        f"{number(over)} worse{share}, {number(row.before.allowance)} allowed. "
        f"The baseline was written at {before.at} ({before.date}), this is {now.at}{model}",
        "baseline",
        {
            "metric": row.name,
            "unit": row.now.unit,
            "baseline": row.before.value,
            "now": row.now.value,
            "limit": row.limit,
            "baseline_commit": before.at,
            "commit": now.at,
        },
    )


def summary(records: Iterable[Record]) -> list[str]:
    """What the end of a run says of baselines: how many of each, and every one not equal."""
    seen = [(record, record.baseline) for record in records if record.baseline is not None]
    if not seen:
        return []
    counts = Counter(baseline.state.replace("_", " ") for _, baseline in seen)
    lines = [f"baseline: {', '.join(f'{count} {state}' for state, count in counts.items())}"]
    return lines + _grouped([pair for pair in seen if pair[1].state != "equal"])


def _grouped(seen: Sequence[tuple[Record, BaselineRecord]]) -> list[str]:
    """A line for each text; boards and models of which the same is said share it."""
    texts: dict[str, list[str]] = {}
    for record, baseline in seen:
        texts.setdefault(baseline.text, []).append(f"{record.board} x {record.model}")
    return [f"  {', '.join(places)}: {text}" for text, places in texts.items()]
