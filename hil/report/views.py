"""Records arranged for a reader: the matrix of boards and models, and the order of the details."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from hil.errors import CODES, Kind
from hil.report.charts import Bar, Segment, log_bars, percent_of, stack
from hil.report.parts import FindingRecord, MemoryRecord
from hil.report.record import Record, Results, Verdict
from hil.report.table import arena_words, latency_words, parity_words
from hil.report.trends import Trend, Trends, by_record, trend_of
from hil.report.visible import tail

MARKS = {Verdict.PASS: "✓", Verdict.FAIL: "✗", Verdict.BENCH_FAULT: "⚠", Verdict.NOT_RUN: "–"}
"""A verdict is never told by its colour alone."""

WORDS = {
    Verdict.PASS: "pass",
    Verdict.FAIL: "fail",
    Verdict.BENCH_FAULT: "bench fault",
    Verdict.NOT_RUN: "not run",
}

EXITS = {
    0: "every board gave its verdict, all passed",
    1: "a product fault: the model or the firmware is wrong",
    4: "set-up: no board was touched",
    10: "bench faults only: the models are not to blame",
}

SPARE = "arena, spare"
"""RAM that is the arena's and that the model does not need."""

_LOG_OF_A_FAILURE, _LOG_OF_A_PASS = 4000, 400


@dataclass(frozen=True)
class Entry:
    """A record and its place in the page; ``number`` is what its anchor is made of."""

    number: int
    record: Record
    trend: Trend = Trend()

    @property
    def name(self) -> str:
        own = f" ({self.sketch})" if self.sketch else ""
        return f"{self.record.board} × {self.record.model}{own}"

    @property
    def sketch(self) -> str:
        """The sketch, where it is not the ordinary one."""
        return "" if self.record.sketch == "hil_runner" else self.record.sketch

    @property
    def mark(self) -> str:
        return MARKS[self.record.verdict]

    @property
    def word(self) -> str:
        return WORDS[self.record.verdict]

    @property
    def codes(self) -> str:
        """The codes of the findings, each once."""
        return ", ".join(dict.fromkeys(finding.code for finding in self.record.findings))

    @property
    def figures(self) -> list[str]:
        """What matters at a glance, each with its unit; what was not measured is left out."""
        flash = self.record.memory.flash
        told = [
            ("", parity_words(self.record), ""),
            ("", latency_words(self.record.latency).replace("instr", "instructions"), ""),
            ("arena ", arena_words(self.record), " B"),
            ("flash ", f"{flash:,}" if flash is not None else "-", " B"),
        ]
        return [f"{before}{text}{after}" for before, text, after in told if text != "-"]

    @property
    def failed(self) -> bool:
        """Whether the page shows its details at once."""
        return self.record.verdict in (Verdict.FAIL, Verdict.BENCH_FAULT)

    @property
    def histograms(self) -> list[tuple[str, list[Bar]]]:
        """Bars of |error| in LSB by engine, where some element is off."""
        made = []
        for name, parity in self.record.parity.items():
            if any(count for label, count in parity.histogram.items() if label != "0"):
                made.append((name, log_bars(parity.histogram.items())))
        return made

    @property
    def maps(self) -> list[tuple[str, int, list[Segment]]]:
        """What takes flash and RAM: name, bytes in all, and parts, the largest first."""
        memory = self.record.memory
        both = (("Flash", memory.flash_parts), ("RAM", _with_arena_split(memory)))
        return [
            (name, sum(parts.values()), stack(dict(sorted(parts.items(), key=lambda p: -p[1]))))
            for name, parts in both
            if any(parts.values())
        ]

    @property
    def stack_bar(self) -> Bar | None:
        """The deepest stack that was seen, in percent of what the linker script sets aside."""
        used, size = self.record.memory.stack_used, self.record.memory.stack_size
        return Bar("stack", used, percent_of(used, size), 0.0) if used and size else None

    @staticmethod
    def kind(finding: FindingRecord) -> str:
        """The verdict whose colour a finding has: that of whoever has to act."""
        product = CODES.get(finding.code) is Kind.PRODUCT
        return Verdict.FAIL.value if product else Verdict.BENCH_FAULT.value

    @property
    def log(self) -> tuple[str, int]:
        """The end of the device's log, and how many characters before it are left out."""
        passed = self.record.verdict == Verdict.PASS
        limit = _LOG_OF_A_PASS if passed else _LOG_OF_A_FAILURE
        return tail(self.record.device_log.replace("\r\n", "\n").strip(), limit)


def _with_arena_split(memory: MemoryRecord) -> dict[str, int]:
    """The parts of RAM; of the arena, what is enough apart from what is spare."""
    parts, needed = dict(memory.ram_parts), memory.arena_needed
    whole = parts.get("arena", 0)
    if needed is None or not 0 < needed < whole:
        return parts
    del parts["arena"]
    return {"arena, enough": needed, SPARE: whole - needed, **parts}


@dataclass(frozen=True)
class Matrix:
    """Boards and models crossed. The longer side goes down the page, so that it stays narrow.

    A row is its name and its cells; a cell is the name of its column and an entry for each sketch.
    """

    down: str
    columns: Sequence[str]
    rows: Sequence[tuple[str, Sequence[tuple[str, Sequence[Entry]]]]]


def entries_of(results: Results, trends: Trends) -> list[Entry]:
    """Entries numbered from 1, in the order of the records."""
    series = by_record(trends)
    return [
        Entry(number, r, trend_of(r, series.get((r.board, r.model), {}), results.started))
        for number, r in enumerate(results.records, 1)
    ]


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
