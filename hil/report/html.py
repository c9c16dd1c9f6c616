"""Results as one HTML page that needs nothing else: no network, no script, no second file.

Pure: results in, text out. Whatever a record holds is somebody else's text (devices, models,
compilers, tests): the templates escape all of it, `hil.report.visible` spells out what could
redraw the page, and the page forbids itself to run or to fetch anything.
"""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from jinja2.ext import Extension
from markupsafe import Markup

from hil.report.charts import HUES
from hil.report.entry import MARKS, SPARE, WORDS, entries_of
from hil.report.palette import DARK, LIGHT, variables
from hil.report.record import Results, Verdict
from hil.report.trends import HEIGHT, WIDTH, Trends
from hil.report.views import EXITS, builds_of, duration, headline, matrix_of, moment, tally
from hil.report.visible import visible
from hil.revision import named

_GROUPS = (
    ("What failed", Verdict.FAIL),
    ("Bench faults: no verdict on the model", Verdict.BENCH_FAULT),
    ("Not run", Verdict.NOT_RUN),
    ("Passed", Verdict.PASS),
)


MANY = 200
"""In a run of more records, only what failed has curves, histograms and the time of its ops, and
what passed has no log; results.json has all of it."""


def render_page(results: Results, trends: Trends | None = None) -> str:
    """The page as text. ``trends`` are what `hil.history.read` returns; none: no curves."""
    entries = entries_of(results, trends or {})
    builds, build_of = builds_of(entries)
    groups = [(title, [e for e in entries if e.record.verdict == v]) for title, v in _GROUPS]
    return _templates().get_template("page.html.jinja").render(
        results=results,
        headline=headline(results),
        commit=named(results.commit, results.dirty),
        started=moment(results.started),
        took=duration(results),
        exit=EXITS.get(results.exit_code if results.exit_code is not None else -1, ""),
        tally=tally(results.records),
        matrix=matrix_of(entries),
        emulated=any(r.latency and r.latency.unit == "instructions" for r in results.records),
        groups=[(title, group) for title, group in groups if group],
        builds=builds,
        terse=len(entries) > MANY,
        build_of=build_of,
    )  # fmt: skip


@cache
def _templates() -> Environment:
    made = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        extensions=[_Flush],
        autoescape=True,
        finalize=_shown,
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    made.globals |= {"marks": MARKS, "words": WORDS, "hues": HUES, "light": variables(LIGHT)}
    made.globals |= {"dark": variables(DARK), "wide": WIDTH, "high": HEIGHT, "spare": SPARE}
    made.filters |= {"figure": figure, "percent": percent, "unit": unit, "plain": plain}
    made.filters |= {"change": change, "moment": moment}
    return made


class _Flush(Extension):
    """Takes the indentation out of the templates, which browsers need not read."""

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:
        return re.sub(r"^[ \t]+", "", source, flags=re.MULTILINE)


def _shown(value: object) -> object:
    """Every value on its way into the page; markup is what a macro has made of such values."""
    return value if isinstance(value, Markup) else visible(str(value))


def figure(value: float | None) -> str:
    """A number with thousands separated and at most four significant decimals; None is "-"."""
    if value is None:
        return "-"
    if float(value).is_integer() and abs(value) < 1e15:
        return f"{int(value):,}"
    return f"{value:,.1f}" if abs(value) >= 1000 else f"{value:.4g}"


def percent(value: float | None) -> str:
    """A fraction as a percentage; None is "-"."""
    return "-" if value is None else f"{100 * value:.4g} %"


def change(value: float | None) -> str:
    """A change in percent with its sign; "" for None."""
    return "" if value is None else f"{value:+.2g} %"


def unit(name: str) -> str:
    """A unit of latency as people write it."""
    return "µs" if name == "us" else name


def plain(value: Any) -> str:
    """A value of a finding's numbers; integers that fit a register are told in hex too."""
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}" if abs(value) < 0x10000 else f"{value:,} (0x{value:08x})"
    return json.dumps(value, ensure_ascii=False, default=str)
