"""The table at the end of a run: board by model, with what matters at a glance."""

from __future__ import annotations

from collections.abc import Sequence
from io import StringIO
from itertools import groupby

from rich.console import Console
from rich.table import Table
from rich.text import Text

from hil.report.parts import LatencyRecord
from hil.report.record import Record, Verdict

_STYLE = {
    Verdict.PASS: "green",
    Verdict.FAIL: "bold red",
    Verdict.BENCH_FAULT: "yellow",
    Verdict.NOT_RUN: "dim",
}


def render(records: Sequence[Record], width: int, *, colour: bool) -> str:
    """The table as text, at most ``width`` columns wide; the models stand below their board."""
    table = Table(box=None, pad_edge=False, header_style="bold", show_edge=False)
    table.add_column("board / model", no_wrap=True)
    for name in ("parity", "latency"):
        table.add_column(name, overflow="fold")
    for name in ("arena", "flash"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("verdict", overflow="fold")
    for board, group in groupby(records, key=lambda record: record.board):
        table.add_row(Text(board, style="bold"))
        for record in group:
            table.add_row(*_row(record))
    out = StringIO()
    console = Console(
        file=out, width=width, force_terminal=colour, no_color=not colour, highlight=False
    )
    console.print(table)
    return "\n".join(line.rstrip() for line in out.getvalue().rstrip("\n").splitlines())


def _row(record: Record) -> tuple[str | Text, ...]:
    name = record.model if record.sketch == "hil_runner" else f"{record.model} ({record.sketch})"
    return (
        f"  {name}",
        parity_words(record),
        latency_words(record.latency),
        arena_words(record),
        f"{record.memory.flash:,}" if record.memory.flash is not None else "-",
        Text(verdict_words(record), style=_STYLE[record.verdict]),
    )


def parity_words(record: Record) -> str:
    """How the outputs compare with the oracle's, in a few characters."""
    parity = record.parity.get(record.oracle)
    if parity is None or not parity.elements:
        return "-"
    oracle = "" if record.oracle == "tflm" else " (LiteRT)"
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
    return f"{size:,}" if size is not None else "-"


def verdict_words(record: Record) -> str:
    """The verdict with the codes behind it."""
    codes = dict.fromkeys(finding.code for finding in record.findings)
    name = record.verdict.value.upper().replace("_", " ")
    return f"{name}: {', '.join(codes)}" if codes else name
