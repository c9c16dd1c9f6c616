"""The report in a real Chromium, where one is on PATH: what only a browser can tell."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from chromium import Browser, browser, chromium
from made_records import failure, record, results, rewritten

from hil.report.html import render_page
from hil.report.palette import DARK, LIGHT
from hil.report.record import Results

pytestmark = pytest.mark.skipif(
    chromium() is None, reason="no Chromium on PATH; test_html_safety.py needs none"
)

TAB = ("Tab", 9)
NEXT_FRAME = (
    "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(1))))"
)
HOSTILE = "\"'></b></pre><img src=x onerror=alert(1)><script>alert(1)</script>\u202e"


@pytest.fixture(scope="module")
def page() -> Iterator[Browser]:
    with browser(deadline_s=120) as opened:
        yield opened


def sample() -> Results:
    return results(record(), failure(), record("pico"), record("nano", "gesture"))


def show(page: Browser, folder: Path, made: Results, width: int = 1200, **look: bool) -> None:
    path = folder / "index.html"
    path.write_text(render_page(made), encoding="utf-8")
    page.look(width, 900, **look)
    page.open("about:blank")
    page.open(path.as_uri())


def tags(page: Browser) -> list[str]:
    return list(page.ask("[...document.querySelectorAll('*')].map(e => e.tagName)"))


def test_hostile_text_makes_no_element_and_runs_nothing(page: Browser, tmp_path: Path) -> None:
    show(page, tmp_path, rewritten(sample(), lambda place: f"x{place}"))
    expected = tags(page)
    show(page, tmp_path, rewritten(sample(), lambda place: HOSTILE + place))
    page.ask(NEXT_FRAME)
    assert tags(page) == expected
    assert "SCRIPT" not in expected
    methods = {str(event.get("method")) for event in page.events}
    assert "Page.javascriptDialogOpening" not in methods


def test_the_page_asks_for_nothing_but_itself(page: Browser, tmp_path: Path) -> None:
    show(page, tmp_path, sample())
    asked = [
        event["params"]["request"]["url"]
        for event in page.events
        if event.get("method") == "Network.requestWillBeSent"
    ]
    assert set(asked) - {"about:blank"} == {(tmp_path / "index.html").as_uri()}


@pytest.mark.parametrize("kind", ["fail", "pass"])
def test_one_click_shows_the_details(page: Browser, tmp_path: Path, kind: str) -> None:
    show(page, tmp_path, sample())
    x, y = page.ask(
        "(box => [box.x + 9, box.y + 9])"
        f"(document.querySelector('a.{kind}').getBoundingClientRect())"
    )
    for what in ("mousePressed", "mouseReleased"):
        page.call("Input.dispatchMouseEvent", type=what, x=x, y=y, button="left", clickCount=1)
    page.ask(NEXT_FRAME)
    opened, top, height = page.ask(
        f"(e => [e.closest('details').open, e.getBoundingClientRect().top, e.offsetHeight])"
        f"(document.querySelector(document.querySelector('a.{kind}').hash))"
    )
    assert opened
    assert 0 < top < 900
    assert height > 100


def test_every_link_and_switch_is_reached_by_the_keyboard_and_shows_it(
    page: Browser, tmp_path: Path
) -> None:
    show(page, tmp_path, sample())
    wanted = page.ask(
        "[...document.querySelectorAll('a,summary')].filter(e => e.checkVisibility()).length"
    )
    seen = []
    for _ in range(wanted):
        page.press(*TAB)
        seen.append(page.ask(
            "(e => [[...document.querySelectorAll('*')].indexOf(e), e.tagName,"
            " getComputedStyle(e).outlineStyle, getComputedStyle(e).outlineWidth])"
            "(document.activeElement)"
        ))  # fmt: skip
    assert len({index for index, *_ in seen}) == wanted
    assert {tag for _, tag, *_ in seen} == {"A", "SUMMARY"}
    assert {tuple(outline) for _, _, *outline in seen} == {("solid", "3px")}


@pytest.mark.parametrize("width", [360, 800, 1600])
def test_nothing_is_wider_than_the_window(page: Browser, tmp_path: Path, width: int) -> None:
    made = sample()
    made.records[1].device_log = "x" * 3000
    made.records[0].board = "b" * 64
    show(page, tmp_path, made, width)
    page.ask("document.querySelectorAll('details').forEach(e => e.open = true)")
    page.ask(NEXT_FRAME)
    out = page.ask(
        "[...document.querySelectorAll('body *')].filter(e => !e.closest('.wide, .scroll, svg')"
        " && (e.getBoundingClientRect().right > innerWidth || e.scrollWidth > e.clientWidth + 1"
        " && getComputedStyle(e).display == 'block')).map(e => e.outerHTML.slice(0, 80))"
    )
    assert out == []


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_the_page_has_the_colours_that_its_reader_prefers(
    page: Browser, tmp_path: Path, dark: bool
) -> None:
    show(page, tmp_path, sample(), dark=dark)
    hexed = (DARK if dark else LIGHT)["page"]
    channels = ", ".join(str(int(hexed[at : at + 2], 16)) for at in (1, 3, 5))
    ground = page.ask("getComputedStyle(document.documentElement).backgroundColor")
    assert ground == f"rgb({channels})"


def test_it_prints(page: Browser, tmp_path: Path) -> None:
    show(page, tmp_path, sample(), dark=True)
    page.print_pdf(tmp_path / "report.pdf")
    assert (tmp_path / "report.pdf").read_bytes().startswith(b"%PDF")
