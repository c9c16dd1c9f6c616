"""Verdicts, findings and the exit code that they come to."""

from __future__ import annotations

from pathlib import Path

import pytest

from hil.errors import Finding
from hil.report.record import Record, Results, Verdict, worst_outcome
from hil.report.writer import exit_code, new_results, write_results

PRODUCT = Finding("parity", "2 of 10 differ", "parity", {"mismatches": 2})
BENCH = Finding("port_lost", "gone", "connect")


def record(*findings: Finding, board: str = "nano", **suites: str) -> Record:
    made = Record(board=board, model="sine")
    for suite, outcome in suites.items():
        made.ran(suite, outcome)
    for finding in findings:
        made.add(finding)
    return made


@pytest.mark.parametrize(
    ("made", "verdict"),
    [
        (record(), Verdict.NOT_RUN),
        (record(a="skipped"), Verdict.NOT_RUN),
        (record(a="passed"), Verdict.PASS),
        (record(a="passed", b="error"), Verdict.BENCH_FAULT),
        (record(BENCH, a="passed"), Verdict.BENCH_FAULT),
        (record(BENCH, PRODUCT, a="passed"), Verdict.FAIL),
        (record(a="failed"), Verdict.FAIL),
    ],
)
def test_the_worst_that_is_known_decides(made: Record, verdict: Verdict) -> None:
    assert made.verdict == verdict


def test_a_fact_met_twice_is_one_finding() -> None:
    made = record(PRODUCT, Finding("parity", PRODUCT.message, "smoke"), BENCH)
    assert [(f.suite, f.code, f.numbers) for f in made.findings] == [
        ("parity", "parity", {"mismatches": 2}),
        ("connect", "port_lost", {}),
    ]


def test_a_suite_that_ran_twice_keeps_its_worst_outcome() -> None:
    made = record(a="failed")
    made.ran("a", "passed")
    assert made.suites == {"a": "failed"}
    assert worst_outcome(["skipped", "passed", "error"]) == "error"
    assert worst_outcome([]) == "skipped"


@pytest.mark.parametrize(
    ("records", "named", "code"),
    [
        ([], (), 0),
        ([record(a="passed")], ("nano",), 0),
        ([record(a="passed"), record(PRODUCT), record(BENCH)], (), 1),
        ([record(a="passed"), record(BENCH, board="pico")], (), 10),
        ([record(a="passed"), record(board="pico")], ("nano",), 0),
        ([record(a="passed"), record(board="pico")], ("nano", "pico"), 10),
    ],
)
def test_exit_codes(records: list[Record], named: tuple[str, ...], code: int) -> None:
    assert exit_code(records, named) == code


def test_results_are_written_whole_and_read_back(tmp_path: Path) -> None:
    results = new_results()
    results.records.append(record(PRODUCT, a="failed"))
    path = tmp_path / "latest" / "results.json"
    for _ in range(2):
        write_results(results, path)
    assert Results.model_validate_json(path.read_text()) == results
    assert [each.name for each in path.parent.iterdir()] == [path.name]
