"""Where a series stepped, and how that reads."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_records import latency, record, results

from hil.cli import main
from hil.figures import Figure
from hil.history import Point, Series, append
from hil.history_words import render, steps

SERIES = Series("nano", "sine", "latency")


def points(*values: float, unit: str = "instructions", tick: float = 2.5) -> list[Point]:
    return [
        Point(f"2026-01-{n:02}T00:00:00+00:00", f"{n:012x}", False, "", Figure(value, unit, tick))
        for n, value in enumerate(values, start=1)
    ]


def test_a_step_is_beyond_what_a_baseline_allows() -> None:
    (step,) = steps(points(7500, 7505, 7495, 7600, 7600))
    assert (step.before.figure.value, step.at.figure.value, step.worse) == (7500, 7600, True)
    assert step.at.commit == f"{4:012x}"
    assert steps(points(1520, 1520, unit="B")) == []
    assert [step.worse for step in steps(points(1520, 1536, 1504, unit="B"))] == [True, False]


def test_many_small_moves_are_a_step() -> None:
    found = steps(points(*(7500 + 2.5 * n for n in range(9))))
    assert [step.at.figure.value for step in found] == [7507.5, 7515.0]


def test_more_accuracy_is_better() -> None:
    found = steps(points(0.9, 0.8, 0.95, unit="top1"))
    assert [step.worse for step in found] == [True, False]


def test_nothing_and_one_run_have_no_step() -> None:
    assert steps([]) == []
    assert steps(points(1)) == []
    assert render({}) == ""


@given(st.lists(st.floats(0, 1e9), max_size=20))
def test_every_step_leaves_its_level(values: list[float]) -> None:
    for step in steps(points(*values)):
        moved = abs(step.at.figure.value - step.before.figure.value)
        assert moved > step.before.figure.allowance


def test_one_series_is_shown_with_its_runs() -> None:
    lines = render({SERIES: points(7500, 7600)}).splitlines()
    assert lines[0] == "nano x sine latency: 7,600 instructions (2 runs, 7,500 to 7,600)"
    assert lines[1] == "  worse: 7,500 -> 7,600 instructions (+1.33 %) at 000000000002, 2026-01-02"
    assert len(lines) == 5
    both = render({SERIES: points(7500), Series("pico", "sine", "latency"): points(1.0)})
    assert len(both.splitlines()) == 2


def test_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for n, median in enumerate((7500.0, 7600.0), start=1):
        run = results(
            record(latency=latency(median)), record("pico"), commit=f"{n:012x}", dirty=n == 2
        )
        append(run, tmp_path / "history.sqlite")
    monkeypatch.setattr(
        sys, "argv", ["hil", "history", "--reports", str(tmp_path), "--metric", "latency"]
    )
    with pytest.raises(SystemExit) as ended:
        main()
    assert not ended.value.code
    out = capsys.readouterr().out
    assert "at 000000000002-dirty" in out
    assert "pico x sine latency: 7,500 instructions (2 runs, always)" in out
    (tmp_path / "history.sqlite").write_text("not a database, and longer than a header of one")
    with pytest.raises(SystemExit) as refused:
        main()
    assert refused.value.code == 4
