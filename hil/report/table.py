"""The table at the end of a run: board by model, with what matters at a glance."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from io import StringIO
from itertools import groupby

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from hil.report.parts import LatencyRecord
from hil.report.record import Record, Verdict
from hil.report.visible import one_line

_STYLE = {
    Verdict.PASS: "green",
    Verdict.FAIL: "bold red",
    Verdict.BENCH_FAULT: "yellow",
    Verdict.NOT_RUN: "dim",
}


ROWS = 24
"""A run of more records is told in counts and in `FEW` of those that did not pass: ten lines with
the two that say where the files are."""

FEW = 6

_WORST_FIRST = (Verdict.FAIL, Verdict.BENCH_FAULT, Verdict.NOT_RUN, Verdict.PASS)


def render(records: Sequence[Record], width: int, *, colour: bool) -> str:
    """The table as text, at most ``width`` columns wide; the models stand below their board."""
    if len(records) > ROWS:
        return _digest(records, width, colour)
    return _table(records, width, colour)


def _digest(records: Sequence[Record], width: int, colour: bool) -> str:
    """Many records in a few lines: how many of each verdict, and the worst of them by name."""
    counts = Counter(record.verdict for record in records)
    words = [f"{counts[v]:,} {_name(v)}" for v in _WORST_FIRST if counts[v]]
    lines = [Text(f"{len(records):,} records: {', '.join(words)}", style="bold")]
    bad = [record for record in records if record.verdict != Verdict.PASS]
    bad.sort(key=lambda record: _WORST_FIRST.index(record.verdict))
    for record in bad[:FEW]:
        line = Text(f"  {record.board} × {_model(record)}  ")
        line.append(verdict_words(record), style=_STYLE[record.verdict])
        lines.append(line)
    if len(bad) > FEW:
        lines.append(Text(f"  and {len(bad) - FEW:,} more that did not pass"))
    return _text(width, colour, lines, crop=True)


def _table(records: Sequence[Record], width: int, colour: bool) -> str:
    """The stack has a column if it was measured, and if no cell has to be folded for it."""
    table = _grid(records, stack=True)
    told = any(record.memory.stack_used is not None for record in records)
    wanted = Console(width=1000).measure(table).maximum
    return _text(width, colour, [table if told and wanted <= width else _grid(records)])


def _grid(records: Sequence[Record], *, stack: bool = False) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", show_edge=False)
    table.add_column("board / model", no_wrap=True)
    for name in ("parity", "latency"):
        table.add_column(name, overflow="fold")
    for name in ("arena", "stack", "flash") if stack else ("arena", "flash"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("verdict", overflow="fold")
    for board, group in groupby(records, key=lambda record: record.board):
        table.add_row(Text(board, style="bold"))
        for record in group:
            table.add_row(*_row(record, stack=stack))
    return table


def _text(width: int, colour: bool, parts: Sequence[RenderableType], *, crop: bool = False) -> str:
    out = StringIO()
    console = Console(
        file=out, width=width, force_terminal=colour, no_color=not colour, highlight=False
    )
    for part in parts:
        console.print(part, no_wrap=crop, overflow="ellipsis" if crop else None)
    return "\n".join(line.rstrip() for line in out.getvalue().rstrip("\n").splitlines())


def _row(record: Record, *, stack: bool) -> tuple[str | Text, ...]:
    return (
        f"  {_model(record)}",
        parity_words(record),
        latency_words(record.latency),
        arena_words(record),
        *([_bytes(record.memory.stack_used)] if stack else []),
        _bytes(record.memory.flash),
        Text(verdict_words(record), style=_STYLE[record.verdict]),
    )


def _model(record: Record) -> str:
    own = "" if record.sketch == "hil_runner" else f" ({record.sketch})"
    return one_line(f"{record.model}{own}")


def parity_words(record: Record) -> str:
    """How the outputs compare with the oracle's, in a few characters."""
    parity = record.parity.get(record.oracle)
    if parity is None or not parity.elements:
        return "-"
    oracle = {"tflm": "", "vectors": " (vectors)"}.get(record.oracle, " (LiteRT)")
    if parity.mismatches or parity.problems:
        return f"{parity.mismatches:,}/{parity.elements:,} differ{oracle}"
    if parity.max_lsb is not None:
        return f"{parity.elements:,} equal{oracle}"
    return f"|Δ|≤{parity.max_abs:.1g}{oracle}"


def latency_words(latency: LatencyRecord | None) -> str:
    """The median with its unit: instructions of an emulated core, or time of a real one."""
    if latency is None:
        return "-"
    if latency.unit == "instructions":
        return f"{_short(latency.median)} instr"
    return f"{latency.median / 1000:.3f} ms"


def _short(value: float) -> str:
    for limit, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= limit:
            return f"{value / limit:.4g} {unit}"
    return f"{value:.4g}"


def arena_words(record: Record) -> str:
    """Bytes: the smallest arena that works where it was searched, else what TFLM says it used."""
    memory = record.memory
    size = memory.arena_needed if memory.arena_needed is not None else memory.arena_used
    return _bytes(size)


def _bytes(size: int | None) -> str:
    return f"{size:,}" if size is not None else "-"


def verdict_words(record: Record) -> str:
    """The verdict with the codes behind it."""
    codes = dict.fromkeys(finding.code for finding in record.findings)
    name = _name(record.verdict)
    return f"{name}: {', '.join(codes)}" if codes else name


def _name(verdict: Verdict) -> str:
    return verdict.value.upper().replace("_", " ")
