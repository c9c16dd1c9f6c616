"""The table at the end of a run."""

from __future__ import annotations

import pytest

from hil.errors import Finding
from hil.report.parts import LatencyRecord, ParityRecord
from hil.report.record import Record
from hil.report.table import ROWS, latency_words, parity_words, render

LONG = "virtual-nucleo-h7", "air_quality_anomaly"


def record(board: str = LONG[0], model: str = LONG[1]) -> Record:
    made = Record(board=board, model=model, oracle="tflm")
    made.parity["tflm"] = ParityRecord(elements=12_800, max_lsb=0)
    made.latency = latency("instructions", 79_720_000.0)
    made.memory.arena_needed, made.memory.flash = 119_040, 1_072_616
    made.ran("parity", "passed")
    return made


def latency(unit: str, median: float) -> LatencyRecord:
    figures = dict.fromkeys(("first", "min", "median", "p95", "max"), median)
    return LatencyRecord.model_validate({"unit": unit, "clock": "c", "n": 3, "mad": 0, **figures})


def test_the_longest_names_and_figures_fit_80_columns() -> None:
    lines = render([record(), record(model="gesture")], 80, colour=False).splitlines()
    assert max(map(len, lines)) <= 80
    (line,) = [line for line in lines if LONG[1] in line]
    for cell in ("12,800 equal", "79.72 M instr", "119,040", "1,072,616", "PASS"):
        assert cell in line
    assert sum(LONG[0] in line for line in lines) == 1  # once for its models


def test_the_stack_is_told_where_no_cell_is_folded_for_it() -> None:
    made = record()
    made.memory.stack_used, made.memory.flash, made.memory.arena_needed = 1_084, 72_616, 19_040
    made.parity["tflm"].elements = 44
    assert "1,084" in render([made], 80, colour=False)
    long = record()
    long.memory.stack_used = 1_084
    lines = render([long], 80, colour=False).splitlines()
    assert max(map(len, lines)) <= 80
    assert len(lines) == 3  # nothing is folded
    assert "stack" not in lines[0]
    assert "1,084" in render([long], 100, colour=False)


def test_a_stack_that_nobody_measured_has_no_column() -> None:
    assert "stack" not in render([record()], 200, colour=False)


def test_a_failure_names_its_codes_and_a_sketch_of_its_own_its_name() -> None:
    made = record()
    made.sketch = "hello_ml"
    made.add(Finding("parity", "differs"))
    made.add(Finding("arena_overflow", "needs more"))
    words = " ".join(render([made], 200, colour=False).split())
    assert "air_quality_anomaly (hello_ml)" in words
    assert "FAIL: parity, arena_overflow" in words


def many(good: int, *bad: Finding) -> list[Record]:
    records = [record(f"board-{n}", "sine") for n in range(good + len(bad))]
    for made, finding in zip(records, bad, strict=False):
        made.add(finding)
    return records


def test_many_records_are_told_in_eight_lines() -> None:
    records = many(490, Finding("port_lost", "gone"), *[Finding("parity", "differs")] * 9)
    first, *rest, last = render(records, 60, colour=False).splitlines()
    assert first == "500 records: 9 FAIL, 1 BENCH FAULT, 490 PASS"
    assert rest == [f"  board-{n} × sine  FAIL: parity" for n in range(1, 7)]
    assert last == "  and 4 more that did not pass"
    assert render(many(500), 60, colour=False) == "500 records: 500 PASS"
    assert "\x1b[" in render(records, 60, colour=True)


def test_a_long_line_of_many_is_cut_and_not_wrapped() -> None:
    records = many(30, *[Finding("parity", "differs")] * 2)
    records[0].board = "b" * 70
    records[1].model = "\x1b[2Jm"
    lines = render(records, 60, colour=False).splitlines()
    assert [len(line) <= 60 for line in lines] == [True] * 3
    assert lines[1].endswith("…")
    assert lines[2] == r"  board-1 × \x1b[2Jm  FAIL: parity"


def test_a_table_is_a_table_up_to_its_last_row() -> None:
    assert len(render(many(ROWS), 80, colour=False).splitlines()) == 1 + 2 * ROWS
    assert len(render(many(ROWS + 1), 80, colour=False).splitlines()) == 1


def test_colour_only_where_it_is_asked_for() -> None:
    assert "\x1b[" not in render([record()], 80, colour=False)
    assert "\x1b[" in render([record()], 80, colour=True)


@pytest.mark.parametrize(
    ("parity", "words"),
    [
        (None, "-"),
        (ParityRecord(), "-"),
        (ParityRecord(elements=10, max_lsb=0), "10 equal"),
        (ParityRecord(elements=1_000, mismatches=7, max_lsb=2), "7/1,000 differ"),
        (ParityRecord(elements=10, max_abs=6e-8), "|Δ|≤6e-08"),
    ],
)
def test_parity(parity: ParityRecord | None, words: str) -> None:
    made = Record(board="b", model="m", oracle="tflm")
    if parity:
        made.parity["tflm"] = parity
    assert parity_words(made) == words


@pytest.mark.parametrize(
    ("unit", "median", "words"),
    [
        ("instructions", 512.0, "512 instr"),
        ("instructions", 7_612.5, "7.612 k instr"),
        ("instructions", 2.5e9, "2.5 G instr"),
        ("us", 1_234.5, "1.234 ms"),
    ],
)
def test_latency_never_turns_instructions_into_time(unit: str, median: float, words: str) -> None:
    assert latency_words(latency(unit, median)) == words
    assert latency_words(None) == "-"
