"""Two results side by side, and what the command says of them."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_records import firmware, latency, record, results

from hil.cli import main
from hil.diff import diff_results
from hil.diff_words import as_json, render
from hil.errors import Finding
from hil.report.parts import MemoryRecord
from hil.report.record import Record, Results
from hil.report.writer import write_results

PARITY = Finding("parity", "2 of 10 differ", "parity", {"mismatches": 2})
LOST = Finding("port_lost", "gone", "connect")


def with_findings(*findings: Finding) -> Record:
    made = record()
    for finding in findings:
        made.add(finding)
    return made


def one(before: Record | None, after: Record | None) -> tuple[bool, bool, str]:
    """Whether a pair is the same, whether it is worse, and the text."""
    sides = [results(*([side] if side else [])) for side in (before, after)]
    (found,) = diff_results(*sides)
    return found.same, found.worse, render([found], 100)


def test_the_same_is_the_same() -> None:
    assert one(record(), record()) == (
        True, False, "1 records: 1 the same, 0 differ, 0 worse",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("before", "after", "worse", "words"),
    [
        (record(), with_findings(PARITY), True, ("pass -> fail", "+ parity (parity)")),
        (with_findings(PARITY), record(), False, ("fail -> pass", "- parity (parity)")),
        (record(), with_findings(LOST), True, ("pass -> bench_fault",)),
        (with_findings(PARITY), with_findings(PARITY, LOST), True, ("+ port_lost",)),
        (record(), None, True, ("only in the first: pass",)),
        (None, record(), False, ("only in the second: pass",)),
        (None, with_findings(PARITY), True, ("only in the second: fail",)),
        (record(), record(latency=latency(7600)), True, ("7,500", "7,600", "+100", "+1.33 %")),
        (record(), record(latency=latency(7400)), False, ("-100", "-1.33 %", "better")),
        (record(), record(latency=latency(7502.5)), False, ("+2.5",)),
        (
            record(),
            record(memory=MemoryRecord(arena_needed=1536, flash=37360)),
            True,
            ("1,536", "+16", "B worse"),
        ),
        (
            record(),
            record(memory=MemoryRecord(arena_needed=1520, flash=40000)),
            False,
            ("+2,640", "not gated"),
        ),
        (
            record(),
            record(latency=latency(9999), firmware=firmware(compiler="g++ 13")),
            False,
            ("not judged", "compiler: g++ 12 -> g++ 13"),
        ),
        (record(), record(latency=None), False, ("not judged: not measured",)),
        (record(), record(firmware=firmware(digest="e" * 64)), False, ("firmware: ffff",)),
    ],
)
def test_what_changed_is_told(
    before: Record | None, after: Record | None, worse: bool, words: tuple[str, ...]
) -> None:
    same, is_worse, text = one(before, after)
    assert not same
    assert is_worse is worse
    for word in words:
        assert word in text
    assert text.splitlines()[-1] == f"1 records: 0 the same, 1 differ, {int(worse)} worse"


def test_records_are_aligned_by_board_model_and_sketch() -> None:
    first = results(record("a"), record("b"), record("b", sketch="mine"))
    second = results(record("c"), record("b", sketch="mine"), record("b"))
    found = diff_results(first, second)
    assert [(d.board, d.sketch, d.same) for d in found] == [
        ("a", "hil_runner", False), ("b", "hil_runner", True), ("b", "mine", True),
        ("c", "hil_runner", False),
    ]  # fmt: skip


def test_json_has_the_figures() -> None:
    (found,) = diff_results(results(record()), results(record(latency=latency(7600))))
    said = json.loads(json.dumps(as_json([found])))
    assert said["worse"] is True
    assert said["records"][0]["figures"]["latency"] == {
        "before": 7500, "now": 7600, "unit": "instructions", "delta": 100,
        "share": pytest.approx(100 / 7500), "state": "worse", "gated": True, "why": "",
    }  # fmt: skip


@given(st.text(max_size=30), st.text(max_size=30), st.integers(20, 200))
def test_no_text_of_a_file_reaches_the_terminal_as_a_control(
    name: str, message: str, width: int
) -> None:
    made = record(name, name, firmware=firmware(compiler=message, flags=message * 9))
    made.findings.extend(with_findings(PARITY).findings)
    made.findings[0].message = message
    text = render(diff_results(results(record(name, name)), results(made)), width)
    assert all(c.isprintable() or c == "\n" for c in text)


def command(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr(sys, "argv", ["hil", *words])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


def written(folder: Path, name: str, made: Results) -> str:
    write_results(made, folder / name)
    return str(folder / name)


def test_exit_codes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    good = written(tmp_path, "a.json", results(record()))
    slow = written(tmp_path, "b.json", results(record(latency=latency(9000))))
    assert command(monkeypatch, "diff", good, good) == 0
    assert command(monkeypatch, "diff", good, slow) == 1
    assert command(monkeypatch, "diff", slow, good) == 0
    capsys.readouterr()
    assert command(monkeypatch, "diff", "--json", good, slow) == 1
    assert json.loads(capsys.readouterr().out)["worse"] is True
    (tmp_path / "c.json").write_text("{")
    assert command(monkeypatch, "diff", good, str(tmp_path / "c.json")) == 4
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("hil: results_file: ")
