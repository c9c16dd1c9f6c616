"""results.json from anybody: read strictly, or refused in one line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_records import failure, record, results

from hil import results_file
from hil.errors import Finding, SetupError
from hil.report.record import Results
from hil.report.writer import write_results
from hil.results_file import parse_results, printable, read_results

HERE = Path("results.json")


def refusal(data: bytes | str | dict[str, Any]) -> str:
    text = json.dumps(data) if isinstance(data, dict) else data
    with pytest.raises(SetupError) as caught:
        parse_results(text.encode() if isinstance(text, str) else text, HERE)
    assert caught.value.code == "results_file"
    assert "\n" not in caught.value.message
    assert caught.value.message.isprintable()
    return caught.value.message


def whole() -> dict[str, Any]:
    made = record()
    made.add(Finding("parity", "2 differ", "parity", {"mismatches": 2}))
    loaded: dict[str, Any] = json.loads(results(made).model_dump_json())
    return loaded


def test_what_a_run_wrote_is_read(tmp_path: Path) -> None:
    made = Results.model_validate(whole())
    made.records.append(failure())
    write_results(made, tmp_path / "results.json")
    assert read_results(tmp_path / "results.json") == made


def passed(**changes: Any) -> dict[str, Any]:
    """Results with one record, which passed; ``changes`` are of the record."""
    loaded: dict[str, Any] = json.loads(results(record()).model_dump_json())
    loaded["records"][0].update(changes)
    return loaded


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"verdict": "fail"}, "is fail, from its findings and suites follows pass"),
        ({"suites": {}}, "is pass, from its findings and suites follows not_run"),
        ({"suites": {"test_parity": "failed"}}, "follows fail"),
        ({"suites": {"test_parity": "error", "test_arena": "passed"}}, "follows bench_fault"),
        (
            {"findings": [{"suite": "", "code": "parity", "message": "", "numbers": {}}]},
            "follows fail",
        ),
        (
            {"findings": [{"suite": "", "code": "bogus", "message": "", "numbers": {}}]},
            "no finding has the code 'bogus'",
        ),
        ({"parity": {"tflm": {"elements": 10, "mismatches": 2}}}, "passed, and 2 elements differ"),
    ],
)
def test_a_record_that_contradicts_itself_is_refused(change: dict[str, Any], words: str) -> None:
    assert words in refusal(passed(**change))


def test_an_exit_code_of_0_and_a_fault_are_refused() -> None:
    assert "exit_code: is 0" in refusal(whole() | {"exit_code": 0})
    parse_results(json.dumps(whole() | {"exit_code": 1}).encode(), HERE)


def test_a_file_that_is_not_there_or_too_large_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "results.json"
    with pytest.raises(SetupError, match="cannot be read"):
        read_results(path)
    with pytest.raises(SetupError, match="cannot be read"):
        read_results(tmp_path)
    path.write_text(" " * 101)
    monkeypatch.setattr(results_file, "MOST_BYTES", 100)
    with pytest.raises(SetupError, match="too many"):
        read_results(path)


@pytest.mark.parametrize(
    "data", [b"", b"[]", b"{", b"\xff\xff", b"null", b"[" * 100_000, b'{"started": 1e999}']
)
def test_what_is_no_results_is_refused(data: bytes) -> None:
    assert refusal(data).startswith("results.json: ")


def test_the_place_of_a_wrong_value_is_told() -> None:
    wrong = whole()
    wrong["records"][0]["memory"]["arena_needed"] = "much"
    wrong["records"][0]["latency"]["median"] = None
    said = refusal(wrong)
    assert "records[0]." in said
    assert "(and 1 more)" in said


def test_nothing_is_coerced() -> None:
    for value in ("1520", 15.5, True):
        wrong = whole()
        wrong["records"][0]["memory"]["arena_needed"] = value
        assert "records[0].memory.arena_needed" in refusal(wrong)


def test_an_unknown_key_is_told_without_its_control_characters() -> None:
    said = refusal({**whole(), "\x1b[2Jx": 1})
    assert "?[2Jx" in said
    assert "unknown key" in said


def test_another_version_is_told_as_such() -> None:
    assert "version 2" in refusal({**whole(), "schema_version": 2})
    assert "version 2" in refusal({"schema_version": 2, "entries": []})


def test_a_record_that_is_there_twice_is_refused() -> None:
    twice = whole()
    twice["records"] *= 2
    assert "nano x sine x hil_runner" in refusal(twice)


def outcome(data: bytes) -> str:
    try:
        parse_results(data, HERE)
    except SetupError as error:
        return error.code if error.message.isprintable() else "not one line"
    return "read"


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    assert outcome(data) in ("read", "results_file")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)


@settings(deadline=None)
@given(st.data())
def test_any_value_in_any_place_is_read_or_refused(data: st.DataObject) -> None:
    document = whole()
    place: Any = document
    while True:
        key = data.draw(
            st.sampled_from(sorted(place)) if isinstance(place, dict)
            else st.integers(0, len(place) - 1)
        )  # fmt: skip
        if not isinstance(place[key], dict | list) or not place[key] or data.draw(st.booleans()):
            break
        place = place[key]
    place[key] = data.draw(json_values)
    assert outcome(json.dumps(document).encode(errors="surrogatepass")) in ("read", "results_file")


@given(st.text())
def test_what_is_printable_is_one_short_line(text: str) -> None:
    shown = printable(text, 50)
    assert len(shown) <= 50
    assert shown.isprintable()
