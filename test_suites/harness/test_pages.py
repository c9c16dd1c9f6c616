"""The report as a file: written in one step, from what a run left."""

from __future__ import annotations

from pathlib import Path

from made_records import failure, record, results

from hil.history import NAME, append, read
from hil.report.pages import PAGE, write_page
from hil.report.record import Results


def stamped(day: int, flash: int) -> Results:
    made = results(record(), started=f"2026-01-{day:02}T00:00:00+00:00", commit=f"{day:012x}")
    made.records[0].note_memory(flash=flash)
    return made


def test_the_page_is_one_whole_file_with_the_trend(tmp_path: Path) -> None:
    history, page = tmp_path / NAME, tmp_path / "latest" / PAGE
    for day, flash in ((1, 100), (2, 100), (3, 150)):
        assert append(stamped(day, flash), history) == []
    for _ in range(2):
        assert write_page(stamped(3, 150), page, history) == []
    text = page.read_text(encoding="utf-8")
    assert text.startswith("<!doctype html>")
    assert text.endswith("</html>")
    assert "The last 3 runs" in text
    assert "100 → 150 +50 %, worse at <code>000000000003</code> 2026-01-03" in text
    assert '<path d="M0 48H300V0H300"/>' in text
    assert [each.name for each in page.parent.iterdir()] == [PAGE]


def test_without_a_history_the_page_has_no_trend(tmp_path: Path) -> None:
    assert write_page(stamped(1, 1), tmp_path / PAGE, tmp_path / NAME) == []
    assert "The last" not in (tmp_path / PAGE).read_text(encoding="utf-8")


def test_a_history_that_cannot_be_read_costs_only_the_trend(tmp_path: Path) -> None:
    (tmp_path / NAME).write_text("not a database at all, but long enough to look like one" * 9)
    (warning,) = write_page(results(failure()), tmp_path / PAGE, tmp_path / NAME)
    assert "trends" in warning
    assert "1 of 1 failed" in (tmp_path / PAGE).read_text(encoding="utf-8")


def test_only_so_many_runs_are_read(tmp_path: Path) -> None:
    for day in range(1, 8):
        append(stamped(day, day), tmp_path / NAME)
    (points,) = read(tmp_path / NAME, metric="flash", runs=3).values()
    assert [point.figure.value for point in points] == [5, 6, 7]
