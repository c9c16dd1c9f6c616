"""The summary for a CI: escaped, bounded, and where it goes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_records import failure, record, results, rewritten
from markdown_it import MarkdownIt
from markdown_it.token import Token

from hil.report.markdown import LIMIT, summary
from hil.report.pages import summary_path, write_summary
from hil.report.visible import one_line

PAYLOADS = (
    "a|b",
    "`|` ``x``",
    "</code></pre><script>alert(1)</script>",
    "<pre>\n\n</pre>\n\n# heading\n\n| a |\n|---|",
    "[text](https://example.org) ![i](x) www.example.org",
    "**bold** __b__ ~~gone~~ \\| \\",
    "&#124; &lt; @someone #1 :tada: $x$",
    "--- \n- list\n> quote\n    code\n```\nfence\n",
    "\x00\x1b[2J\u202e\udcff",
)


def parsed(text: str) -> list[Token]:
    """GitHub's Markdown as far as blocks, tables and inline markup go."""
    tokens = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(text)
    return [leaf for token in tokens for leaf in (token, *(token.children or ()))]


def shape(text: str) -> list[tuple[str, str]]:
    """Kinds and tags; HTML as it is, for it is all the summary's own; runs of text are one."""
    seen: list[tuple[str, str]] = []
    for token in parsed(text):
        html = token.content if token.type == "html_inline" else token.tag
        kind = "text" if token.type == "text_special" else token.type
        if kind == "html_block":
            html = str(token.content.count("<"))
        if (kind, html) != ("text", "") or not seen or seen[-1] != (kind, html):
            seen.append((kind, html))
    return seen


def made(write: Callable[[str], str]) -> str:
    return summary(rewritten(results(record(), failure()), write))


def check(payloads: Sequence[str]) -> None:
    wild = made(lambda place: payloads[len(place) % len(payloads)] + place)
    assert shape(wild) == shape(made(lambda place: f"x{place}"))
    assert all(char.isprintable() or char in "\n\t" for char in wild)


@pytest.mark.parametrize("payload", PAYLOADS)
def test_payloads_stay_text(payload: str) -> None:
    check([payload])


@given(st.lists(st.text(st.characters(exclude_categories=())), min_size=1, max_size=4))
def test_any_text_stays_text(payloads: Sequence[str]) -> None:
    check(payloads)


@pytest.mark.parametrize("payload", PAYLOADS)
def test_names_read_as_they_are(payload: str) -> None:
    one = record(f"x{payload}x")
    text = "".join(t.content for t in parsed(summary(results(one))) if "text" in t.type)
    assert one_line(one.board) in text


def test_the_summary_has_the_matrix_and_what_failed() -> None:
    text = summary(results(record("pico"), failure(), record("nano", "gesture")))
    assert text.startswith("## 1 of 3 failed\n")
    assert "| model | <code>pico</code> | <code>nano</code> |" in text
    assert "✗ fail<br><code>parity&#44; port&#95;lost</code>" in text
    assert "30 of 1,000 elements differ\n  vector 3</pre>" in text
    assert "Attribution: <code>guilty" in text
    assert summary(results()) == "## Nothing was tested\n"


def test_the_summary_fits_a_step() -> None:
    failures = [failure(f"board-{n}-{'b' * 500}") for n in range(3000)]
    for each in failures:
        each.findings[0].message = "<" * 10_000
    text = summary(results(*failures))
    assert len(text.encode()) <= LIMIT
    assert "3,000 records is too large" in text
    assert "and 2,980 more" in text
    assert "6,000 more characters" in text
    for _ in range(40):
        failures[0].findings += failures[0].findings[:1]
    text = summary(results(*failures[:2]))
    assert len(text.encode()) <= LIMIT
    assert "| board |" in text


def test_where_the_summary_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    step, own = tmp_path / "step", tmp_path / "own.md"
    for wrong in ("", str(tmp_path), "test_it.py", "test_it.py::test"):
        with pytest.raises(ValueError, match="--github-summary=FILE"):
            summary_path(wrong)
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(step))
    assert (summary_path(""), summary_path(str(own))) == (step, own)
    step.write_text("before\n")
    for path in (step, own, step, own):
        write_summary(results(record()), path)
    assert step.read_text(encoding="utf-8").startswith("before\n## Passed")
    assert step.read_text(encoding="utf-8").count("## Passed") == 2
    assert own.read_text(encoding="utf-8").count("## Passed") == 1
