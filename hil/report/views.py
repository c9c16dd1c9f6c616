"""Records arranged for a reader: the matrix of boards and models, and the run in a sentence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from hil.report.entry import Entry
from hil.report.record import Record, Results, Verdict

EXITS = {
    0: "every board gave its verdict, all passed",
    1: "a product fault: the model or the firmware is wrong",
    4: "set-up: no board was touched",
    10: "bench faults only: the models are not to blame",
}


@dataclass(frozen=True)
class Matrix:
    """Boards and models crossed. The longer side goes down the page, so that it stays narrow.

    A row is its name and its cells; a cell is the name of its column and an entry for each sketch.
    """

    down: str
    columns: Sequence[str]
    rows: Sequence[tuple[str, Sequence[tuple[str, Sequence[Entry]]]]]


def matrix_of(entries: Sequence[Entry]) -> Matrix:
    """The matrix; the order of boards and of models is that of their first entries."""
    boards = list(dict.fromkeys(entry.record.board for entry in entries))
    models = list(dict.fromkeys(entry.record.model for entry in entries))
    cells: dict[tuple[str, str], list[Entry]] = {}
    for entry in entries:
        cells.setdefault((entry.record.board, entry.record.model), []).append(entry)
    if len(boards) > len(models):
        rows = [(b, [(m, cells.get((b, m), [])) for m in models]) for b in boards]
        return Matrix("board", models, rows)
    rows = [(m, [(b, cells.get((b, m), [])) for b in boards]) for m in models]
    return Matrix("model", boards, rows)


def tally(records: Iterable[Record]) -> list[tuple[Verdict, int]]:
    """How many records have each verdict, failures first; verdicts that none has are left out."""
    counts = Counter(record.verdict for record in records)
    order = (Verdict.FAIL, Verdict.BENCH_FAULT, Verdict.NOT_RUN, Verdict.PASS)
    return [(verdict, counts[verdict]) for verdict in order if counts[verdict]]


def headline(results: Results) -> str:
    """The run in one sentence."""
    total = len(results.records)
    counts = dict(tally(results.records))
    if not total:
        return "Nothing was tested"
    if counts.get(Verdict.PASS) == total:
        return f"All {total:,} passed" if total > 1 else "Passed"
    failed, faults = counts.get(Verdict.FAIL, 0), counts.get(Verdict.BENCH_FAULT, 0)
    parts = [f"{failed:,} of {total:,} failed"] if failed else []
    parts += [f"{faults:,} bench fault{'s' * (faults > 1)}"] if faults else []
    parts += [f"{counts[Verdict.NOT_RUN]:,} not run"] if Verdict.NOT_RUN in counts else []
    return ", ".join(parts)


def moment(stamp: str) -> str:
    """A stamp such as "2026-11-22 15:56 UTC"; as it is where it is none."""
    try:
        return datetime.fromisoformat(stamp).astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
    except (ValueError, OverflowError):
        return stamp


def duration(results: Results) -> str:
    """How long the run took, such as "3 min 20 s"; "" where a stamp is missing or unreadable."""
    try:
        spent = datetime.fromisoformat(results.finished or "") - datetime.fromisoformat(
            results.started
        )
        seconds = int(spent.total_seconds())
    except (ValueError, TypeError):
        return ""
    minutes, seconds = divmod(max(0, seconds), 60)
    return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"


@dataclass(frozen=True)
class Build:
    """What several images have in common, told once in the page."""

    fqbn: str
    compiler: str
    flags: str
    tflm: str
    kernels: str


def builds_of(entries: Iterable[Entry]) -> tuple[list[Build], dict[int, int]]:
    """Every build once, and for each entry that has a firmware the number of its build, from 1."""
    numbers: dict[Build, int] = {}
    of = {
        entry.number: numbers.setdefault(build, len(numbers) + 1)
        for entry in entries
        if (build := build_of(entry.record)) is not None
    }
    return list(numbers), of


def build_of(record: Record) -> Build | None:
    """The part of a record's firmware that other images share."""
    made = record.firmware
    if made is None:
        return None
    tflm = f"{made.tflm.source} {made.tflm.version} {made.tflm.digest[:12]}"
    return Build(made.fqbn, made.compiler, made.flags, tflm, made.tflm.kernels)
