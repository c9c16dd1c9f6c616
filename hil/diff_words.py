"""A comparison of two results as a table of plain text, and as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from io import StringIO
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from hil.baseline import Row, State
from hil.baseline_words import changes_text, number
from hil.diff import RecordDiff, counts
from hil.measured import is_gated
from hil.report.parts import FindingRecord
from hil.results_file import printable

_MESSAGE = 400


def render(diffs: Sequence[RecordDiff], width: int) -> str:
    """What differs, record by record; at most ``width`` columns where words can be folded.

    Every text of the results goes through `printable`: nothing of a file reaches the terminal as
    a control sequence.
    """
    blocks = ["\n".join(_block(diff, width)) for diff in diffs if not diff.same]
    same = sum(diff.same for diff in diffs)
    worse = sum(diff.worse for diff in diffs)
    last = f"{len(diffs)} records: {same} the same, {len(diffs) - same} differ, {worse} worse"
    return "\n\n".join([*blocks, last])


def _block(diff: RecordDiff, width: int) -> Iterator[str]:
    sketch = "" if diff.sketch == "hil_runner" else f" ({diff.sketch})"
    yield printable(f"{diff.board} x {diff.model}{sketch}: {_verdicts(diff)}")
    for sign, findings in (("+", diff.new), ("-", diff.gone)):
        yield from (f"  {sign} {_finding(finding)}" for finding in findings)
    if diff.rows:
        yield _table(diff.rows, width)
    for name, pair in diff.changed.items():
        text = changes_text({name: (printable(pair[0], 4000), printable(pair[1], 4000))})
        yield f"  {printable(text, _MESSAGE)}"


def _verdicts(diff: RecordDiff) -> str:
    one, other = diff.verdicts
    if one is None:
        return f"only in the second: {other}"
    if other is None:
        return f"only in the first: {one}"
    return str(one) if one == other else f"{one} -> {other}"


def _finding(finding: FindingRecord) -> str:
    head = f"{finding.code} ({finding.suite}): " if finding.suite else f"{finding.code}: "
    return printable(head + " ".join(finding.message.split()), _MESSAGE)


def _table(rows: Iterable[Row], width: int) -> str:
    table = Table(box=None, pad_edge=False, show_edge=False, show_header=False)
    table.add_column(no_wrap=True)
    for _ in range(4):
        table.add_column(justify="right", no_wrap=True)
    table.add_column(overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in _cells(row)))
    out = StringIO()
    Console(file=out, width=max(width, 40), no_color=True, highlight=False).print(table)
    return "\n".join(line.rstrip() for line in out.getvalue().rstrip("\n").splitlines())


def _cells(row: Row) -> tuple[str, ...]:
    before, now = row.before, row.now
    known = now or before
    unit = printable(known.unit, 20) if known else ""
    delta, share = difference(row)
    return (
        f"  {printable(row.name, 40)}",
        number(before.value) if before else "-",
        number(now.value) if now else "-",
        "" if delta is None else ("+" if delta > 0 else "") + number(delta),
        "" if share is None else f"{100 * share:+.3g} %",
        f"{unit} {_judged(row)}".strip(),
    )


def difference(row: Row) -> tuple[float | None, float | None]:
    """Second less first, absolute and as a share of the first; None where there is none."""
    if row.before is None or row.now is None or row.before.unit != row.now.unit:
        return None, None
    delta = row.now.value - row.before.value
    return delta, delta / abs(row.before.value) if row.before.value else None


def _judged(row: Row) -> str:
    if row.state is State.NOT_JUDGED:
        return f"not judged: {printable(row.why)}"
    if row.state is State.WORSE and not counts(row):
        return "more (not gated)"
    return "" if row.state is State.EQUAL else row.state.value


def as_json(diffs: Sequence[RecordDiff]) -> dict[str, Any]:
    """The same facts for a program; see `hil.diff` for what they mean."""
    return {
        "worse": any(diff.worse for diff in diffs),
        "records": [_record(diff) for diff in diffs],
    }


def _record(diff: RecordDiff) -> dict[str, Any]:
    return {
        "board": diff.board,
        "model": diff.model,
        "sketch": diff.sketch,
        "same": diff.same,
        "worse": diff.worse,
        "verdicts": list(diff.verdicts),
        "new": [finding.model_dump() for finding in diff.new],
        "gone": [finding.model_dump() for finding in diff.gone],
        "figures": {row.name: _figure(row) for row in diff.rows},
        "changed": {name: list(pair) for name, pair in diff.changed.items()},
    }


def _figure(row: Row) -> dict[str, Any]:
    delta, share = difference(row)
    known = row.now or row.before
    return {
        "before": row.before.value if row.before else None,
        "now": row.now.value if row.now else None,
        "unit": known.unit if known else "",
        "delta": delta,
        "share": share,
        "state": row.state.value,
        "gated": is_gated(row.name),
        "why": row.why,
    }
