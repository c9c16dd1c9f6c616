"""The report as a file: written in one step, from what a run left."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from made_records import failure, record, results

from hil.errors import SetupError
from hil.history import NAME, append, read
from hil.report.pages import PAGE, write_page
from hil.report.record import Results
from hil.report.writer import read_results, write_results


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
    assert "<code>000000000003</code> 100 → 150 +50 %, worse" in text
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


def test_results_are_read_as_they_were_written(tmp_path: Path) -> None:
    made = results(record(), failure())
    write_results(made, tmp_path / "results.json")
    assert read_results(tmp_path / "results.json") == made


@pytest.mark.parametrize("text", [None, "", "[]", "{}", "\xff", '{"started": 1, "records": [{}]}'])
def test_what_is_no_results_file_is_refused_with_its_problems(
    tmp_path: Path, text: str | None
) -> None:
    path = tmp_path / "results.json"
    if text is not None:
        path.write_bytes(text.encode("latin-1"))
    with pytest.raises(SetupError) as caught:
        read_results(path)
    assert caught.value.code == "results_file"
    assert str(path) in str(caught.value)


def test_every_problem_is_named_at_once(tmp_path: Path) -> None:
    data = json.loads(results(record()).model_dump_json())
    data["records"][0]["verdict"] = "splendid"
    data["records"][0]["latency"]["unit"] = "ms"
    data["surprise"] = 1
    (tmp_path / "r.json").write_text(json.dumps(data))
    with pytest.raises(SetupError) as caught:
        read_results(tmp_path / "r.json")
    places = " ".join(caught.value.problems)
    for place in ("records.0.verdict", "records.0.latency.unit", "surprise"):
        assert place in places
