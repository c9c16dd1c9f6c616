"""One record as a reader meets it: its name, its verdict in words, its figures and charts."""

from __future__ import annotations

from dataclasses import dataclass

from hil.errors import CODES, Kind
from hil.report.charts import Bar, Segment, bars, log_bars, percent_of, stack
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
    def outcomes(self) -> list[tuple[str, list[str]]]:
        """The tests by how they ended: outcome and names."""
        found: dict[str, list[str]] = {}
        for name, outcome in self.record.suites.items():
            found.setdefault(outcome, []).append(name)
        return list(found.items())

    @property
    def failed(self) -> bool:
        """Whether the page shows its details at once."""
        return self.record.verdict in (Verdict.FAIL, Verdict.BENCH_FAULT)

    @property
    def all_equal(self) -> bool:
        """Whether every output of every engine is the device's, to the last bit."""
        parities = self.record.parity.values()
        off = any(p.mismatches or p.problems or p.max_abs or p.nan or p.inf for p in parities)
        return bool(parities) and all(p.elements for p in parities) and not off

    @property
    def histograms(self) -> list[tuple[str, list[Bar]]]:
        """Bars of |error| in LSB by engine, where some element is off, up to the last that is."""
        made = []
        for name, parity in self.record.parity.items():
            counts = list(parity.histogram.items())
            while counts and not counts[-1][1]:
                counts.pop()
            if [label for label, _ in counts] not in ([], ["0"]):
                made.append((name, log_bars(counts)))
        return made

    @property
    def op_bars(self) -> list[Bar]:
        """The time of every op, and the interpreter's, in the unit of the profile."""
        whole = self.record.profiled
        if whole is None:
            return []
        rows = [(f"{op.op} {op.opcode}", op.time) for op in self.record.profile]
        return bars([*rows, ("interpreter", whole.whole * (1 - whole.covered))])

    @property
    def maps(self) -> list[tuple[str, int, list[Segment]]]:
        """What takes flash, RAM and the arena: name, bytes in all, and parts."""
        memory = self.record.memory
        known = (
            ("Flash", memory.flash_parts),
            ("RAM", _with_arena_split(memory)),
            ("Arena used, its parts a forecast", memory.arena_parts_forecast),
        )
        return [(n, sum(p.values()), stack(p)) for n, p in known if any(p.values())]

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
    others = {name: size for name, size in parts.items() if name != "arena"}
    return {"arena, enough": needed, **others, SPARE: whole - needed}


def entries_of(results: Results, trends: Trends) -> list[Entry]:
    """Entries numbered from 1, in the order of the records."""
    series = by_record(trends)
    return [
        Entry(number, r, trend_of(r, series.get((r.board, r.model), {}), results.started))
        for number, r in enumerate(results.records, 1)
    ]
