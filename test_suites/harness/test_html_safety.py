"""Whatever strangers wrote into a record, the page stays the page."""

from __future__ import annotations

from collections.abc import Sequence
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_records import Write, failure, record, results, rewritten

from hil.figures import Figure
from hil.history import Point, Series
from hil.report.html import render_page
from hil.report.record import Results
from hil.report.trends import Trends

PAYLOADS = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'><svg/onload=alert(1)>",
    "</pre></details></style><style>*{display:none}</style>",
    "--><iframe src=https://example.org>",
    "{{ 7 * 7 }}{% raw %}",
    "&lt;b&gt; &#60;b&#62; ]]>",
    "javascript:alert(1)",
    "\x00\x1b[2J\x07\x9b\r\x85",
    "\u202eevil\u2066\u200f\ufeff\u2028\u2029",
    "\udcff\ud800",
    "a\u0300" * 50 + "\U000e0041",
)


class Dom(HTMLParser):
    """Every element with its attributes, and all text, as Python's own parser sees them."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, list[tuple[str, str | None]]]] = []
        self.text = ""
        self.other: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, attrs))

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_comment(self, data: str) -> None:
        self.other.append(data)

    def unknown_decl(self, data: str) -> None:
        self.other.append(data)

    def handle_pi(self, data: str) -> None:
        self.other.append(data)


def made(write: Write) -> tuple[Results, Trends]:
    """A passed and a failed record and their history, with every text rewritten."""
    found = rewritten(results(record(), failure(), host={"python": "3"}, command=["a", "b"]), write)
    trends = {}
    for entry in found.records:
        for name in ("figures.a", "figures.b"):
            series = Series(entry.board, entry.model, write(f"{entry.verdict.value}.{name}"))
            trends[series] = [
                Point(found.started, write("commit"), True, "", Figure(value, write("unit")))
                for value in (1.0, 2.0, 1.0)
            ]
        entry.sketch = "hil_runner"  # the only one that has a history
    return found, trends


def page(write: Write) -> str:
    return render_page(*made(write))


def tame(place: str) -> str:
    return f"x{place}"


def check(payloads: Sequence[str]) -> None:
    """The page with payloads has the elements and the attributes of the page without."""

    def wild(place: str) -> str:
        return payloads[len(place) % len(payloads)] + place

    text = page(wild)
    assert all(char.isprintable() or char in "\n\t" for char in text)
    seen, expected = Dom(text), Dom(page(tame))
    assert seen.elements == expected.elements  # attributes too: none holds a stranger's text
    assert not seen.other


@pytest.mark.parametrize("payload", PAYLOADS)
def test_payloads_stay_text(payload: str) -> None:
    check([payload])


@given(st.lists(st.text(st.characters(exclude_categories=())), min_size=1, max_size=4))
def test_any_text_stays_text(payloads: Sequence[str]) -> None:
    check(payloads)


def test_what_was_written_can_be_read() -> None:
    text = Dom(page(lambda place: f"<b>&amp;{place}")).text
    for place in ("board", "model", "findings.0.message", "device_log", "attribution.text"):
        assert f"<b>&amp;.records.1.{place}" in text


def test_the_page_needs_nothing_and_runs_nothing() -> None:
    elements = Dom(page(tame)).elements
    assert not {tag for tag, _ in elements} & {"script", "link", "img", "iframe", "object", "base"}
    for tag, attrs in elements:
        for name, value in attrs:
            assert not name.startswith("on"), tag
            assert name not in ("src", "srcset", "action", "style"), tag
            assert name != "href" or str(value).startswith("#"), value
    policy = ("content", "default-src 'none'; style-src 'unsafe-inline'")
    assert ("meta", [("http-equiv", "Content-Security-Policy"), policy]) in elements


def test_every_anchor_that_is_linked_is_there_once() -> None:
    attributes = [pair for _, attrs in Dom(page(tame)).elements for pair in attrs]
    anchors = [value for name, value in attributes if name == "id"]
    linked = {str(value)[1:] for name, value in attributes if name == "href"}
    assert linked
    assert linked <= set(anchors)
    assert len(anchors) == len(set(anchors))
