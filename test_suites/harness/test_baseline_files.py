"""Baselines as files: read as written, refused when they are not what a run wrote."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hil.baseline import SCOPES, Measured
from hil.baseline_files import path_of, read_baseline, render, write_baseline
from hil.errors import SetupError
from hil.figures import Figure

LONG = " ".join(f"-fflag-{n}" for n in range(30))
BASELINE = Measured(
    board="nano",
    model="sine",
    model_sha256="0123456789ab",
    commit="1234567e8901",  # a number, to whoever does not know better
    dirty=True,
    date="2026-01-01",
    facts={"fqbn": "a:b:c", "flags": LONG, "oracle": "null", "clock": "1e5"},
    figures={
        "arena": Figure(1520, "B"),
        "latency": Figure(7517.5, "instructions", tick=2.5),
        "accuracy": Figure(1.15163138e-05, "mae"),
        "mismatches": Figure(0),
    },
)


def problems(root: Path, text: str | bytes) -> tuple[str, ...]:
    path = path_of(root, "nano", "sine")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(SetupError) as caught:
        read_baseline(root, "nano", "sine")
    assert caught.value.code == "baseline_file"
    assert (caught.value.board, caught.value.model) == ("nano", "sine")
    assert str(path) in str(caught.value)
    return caught.value.problems


def test_what_is_written_is_read(tmp_path: Path) -> None:
    assert read_baseline(tmp_path, "nano", "sine") is None
    path = write_baseline(tmp_path, BASELINE)
    assert path == tmp_path / "nano" / "sine.yaml"
    assert read_baseline(tmp_path, "nano", "sine") == BASELINE
    assert [each.name for each in path.parent.iterdir()] == ["sine.yaml"]


def test_a_changed_figure_is_three_lines_of_a_diff() -> None:
    changed = {**BASELINE.figures, "arena": Figure(1536, "B")}
    old, new = render(BASELINE), render(replace(BASELINE, figures=changed, commit="b" * 12))
    pairs = zip(old.splitlines(), new.splitlines(), strict=True)
    differing = [(a.split(":")[0].strip()) for a, b in pairs if a != b]
    assert differing == ["written", "arena", "digest"]
    assert max(map(len, new.splitlines())) <= 100


letters = st.characters(min_codepoint=33, max_codepoint=0x24F, categories=("L", "N", "P", "S"))
words = st.text(letters, min_size=1, max_size=12)
texts = st.lists(words, min_size=1, max_size=30).map(" ".join)
numbers = st.floats(-1e12, 1e12) | st.integers(0, 2**40).map(float)
figures = st.builds(
    Figure,
    numbers,
    st.sampled_from(["", "B", "LSB", "us", "instructions", "mae", "top1"]),
    st.floats(0, 1e6),
    st.floats(0, 1e6),
)
measureds = st.builds(
    Measured,
    board=st.just("nano"),
    model=st.just("sine"),
    model_sha256=st.text("0123456789abcdef", max_size=12),
    commit=st.text("0123456789abcdef", max_size=12),
    dirty=st.booleans(),
    date=st.dates().map(lambda date: f"{date:%Y-%m-%d}".zfill(10)),
    facts=st.dictionaries(st.sampled_from(list(SCOPES)), texts),
    figures=st.dictionaries(
        st.sampled_from(["arena", "flash.model", "latency", "max_lsb"]), figures, min_size=1
    ),
)
QUICK = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40
)


@QUICK
@given(measureds)
def test_whatever_is_written_is_read(tmp_path: Path, baseline: Measured) -> None:
    write_baseline(tmp_path, baseline)
    assert read_baseline(tmp_path, "nano", "sine") == baseline


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("value: 1520", "value: 1600"),
        ("tick: 2.5", "tick: 250"),
        ("2026-01-01", "2026-01-02"),
        ("1234567e8901", "1234567e8902"),
        ("-fflag-7", "-fflag-8"),
        ("  mismatches: {value: 0}\n", ""),
        ("  mismatches:", "  max_lsb: {value: 3, unit: LSB}\n  mismatches:"),
    ],
)
def test_an_edited_file_is_refused(tmp_path: Path, old: str, new: str) -> None:
    text = render(BASELINE)
    assert old in text
    (problem,) = problems(tmp_path, text.replace(old, new, 1))
    assert "digest" in problem


def test_a_comment_or_another_layout_of_the_same_is_no_edit(tmp_path: Path) -> None:
    path = write_baseline(tmp_path, BASELINE)
    path.write_text("# reviewed\n" + path.read_text().replace("value: 1520", "value:   1520.0"))
    assert read_baseline(tmp_path, "nano", "sine") == BASELINE


def test_all_problems_are_told_at_once_with_their_lines(tmp_path: Path) -> None:
    text = render(BASELINE).replace("version: 1", "version: 2").replace("tick:", "tock:")
    found = problems(tmp_path, text.replace("value: 1520", "value: much"))
    assert len(found) == 3
    for problem, words in zip(
        found, (("version", "2"), ("arena.value", "much"), ("tock", "unknown key")), strict=True
    ):
        assert all(word in problem for word in words), problem
        assert "(line " in problem


def test_anothers_baseline_is_refused(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, render(replace(BASELINE, model="gesture")))
    assert "gesture" in problem


@pytest.mark.parametrize(
    "text",
    ["", "- 1", "figures: {}", "a: &x 1\nb: *x\n", b"\xff\xfe", "version: [", "x" * 2 * 10**6],
)
def test_what_is_no_baseline_is_refused(tmp_path: Path, text: str | bytes) -> None:
    problems(tmp_path, text)


def test_numbers_that_are_none_are_refused(tmp_path: Path) -> None:
    for number in (".inf", ".nan", "true", '"1"'):
        assert problems(tmp_path, render(BASELINE).replace("value: 1520", f"value: {number}"))


@QUICK
@given(st.text(max_size=300) | st.binary(max_size=300))
def test_any_text_is_refused_or_read(tmp_path: Path, junk: str | bytes) -> None:
    path = path_of(tmp_path, "nano", "sine")
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(junk if isinstance(junk, bytes) else junk.encode(errors="surrogatepass"))
    with pytest.raises(SetupError) as caught:
        read_baseline(tmp_path, "nano", "sine")
    assert caught.value.code == "baseline_file"


@QUICK
@given(st.data())
def test_a_damaged_file_never_reads_as_another(tmp_path: Path, data: st.DataObject) -> None:
    raw = bytearray(render(BASELINE).encode())
    raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    path = path_of(tmp_path, "nano", "sine")
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(bytes(raw))
    code = ""
    try:
        assert read_baseline(tmp_path, "nano", "sine") == BASELINE  # a comment, a space
    except SetupError as error:
        code = error.code
    assert code in ("", "baseline_file")
