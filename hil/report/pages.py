"""What people read of a run: written beside results.json, from it and from the history alone."""

from __future__ import annotations

from pathlib import Path

from hil.errors import SetupError
from hil.history import read
from hil.report.html import render_page
from hil.report.record import RECORDS, Results
from hil.report.trends import RUNS
from hil.setup.files import write_atomic

PAGE = "index.html"
"""The page's name, beside results.json."""


def write_page(results: Results, path: Path, history: Path) -> list[str]:
    """Replaces the page at ``path`` in one step; the history is read if it is there.

    Returns what a person should know: a history that cannot be read costs the curves, not the
    page.
    """
    try:
        trends, warnings = read(history, runs=RUNS), []
    except SetupError as error:
        trends, warnings = {}, [f"the report has no trends: {error.message}"]
    with RECORDS:
        text = render_page(results, trends)
    write_atomic(path, text)
    return warnings
