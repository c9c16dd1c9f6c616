"""What people read of a run: written beside results.json, from it and from the history alone."""

from __future__ import annotations

import os
from pathlib import Path

from hil.errors import SetupError
from hil.history import read
from hil.report.html import render_page
from hil.report.markdown import summary
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


def summary_path(given: str) -> Path:
    """Where the summary for a CI goes: ``given``, or $GITHUB_STEP_SUMMARY if that is "".

    Raises:
        ValueError: neither is there, or ``given`` is no file to write to but something to test.
    """
    name = given or os.environ.get("GITHUB_STEP_SUMMARY", "")
    if not name:
        raise ValueError("$GITHUB_STEP_SUMMARY is not set: name a file, --github-summary=FILE")
    path = Path(name)
    if path.is_dir() or path.suffix == ".py" or "::" in name:
        raise ValueError(f"{name} is no file for a summary: write --github-summary=FILE")
    return path


def write_summary(results: Results, path: Path) -> None:
    """Writes the summary; the file of a CI's step is shared with other commands and grows."""
    with RECORDS:
        text = summary(results)
    if str(path) == os.environ.get("GITHUB_STEP_SUMMARY"):
        with path.open("a", encoding="utf-8") as stream:
            stream.write(text)
    else:
        write_atomic(path, text)
