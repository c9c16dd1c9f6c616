"""Writing results.json whole or not at all, and reading it back."""

from __future__ import annotations

import json
import platform
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from hil.report.record import RECORDS, Record, Results, Verdict
from hil.revision import Revision, revision_of
from hil.setup.files import write_atomic

_TOOLS = ("tinyml-hil", "pytest", "pyserial", "numpy", "ai-edge-litert", "tflite-micro")

EXIT_OK, EXIT_PRODUCT, EXIT_SETUP, EXIT_BENCH = 0, 1, 4, 10
"""Exit codes of a run: 1 if any product fault, 10 if only bench faults or a board that was asked
for by name gave no verdict, 4 for set-up errors."""


CERTIFICATE = "certificate.json"
"""Beside the results.json that it is about."""


def now() -> str:
    """The time in UTC, ISO 8601, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def host_facts() -> dict[str, str]:
    """The machine and the versions of the tools that a verdict rests on."""
    facts = {"python": platform.python_version(), "platform": platform.platform()}
    for tool in _TOOLS:
        try:
            facts[tool] = metadata.version(tool)
        except metadata.PackageNotFoundError:
            continue
    return facts


def new_results(project: Path | None = None) -> Results:
    """The results of a run that starts now, of the project in this folder (None: of none)."""
    at = revision_of(project) if project else Revision()
    return Results(
        started=now(), commit=at.commit, dirty=at.dirty, host=host_facts(), command=list(sys.argv)
    )


def write_results(results: Results, path: Path) -> None:
    """Replaces ``path`` in one step; a run that is killed leaves the state before its last test."""
    with RECORDS:
        text = results.model_dump_json(indent=1)
    write_atomic(path, text + "\n")


def discard_certificate(latest: Path) -> None:
    """Removes the certificate of an earlier run: new results are not what it is about."""
    for name in (CERTIFICATE, f"{CERTIFICATE}.sig"):
        (latest / name).unlink(missing_ok=True)


def exit_code(records: Iterable[Record], named: Iterable[str]) -> int:
    """What the records as a whole come to; ``named`` boards owe a verdict."""
    given = list(records)
    verdicts = [record.verdict for record in given]
    if Verdict.FAIL in verdicts:
        return EXIT_PRODUCT
    judged = {record.board for record in given if record.verdict == Verdict.PASS}
    if Verdict.BENCH_FAULT in verdicts or not set(named) <= judged:
        return EXIT_BENCH
    return EXIT_OK


def results_schema() -> dict[str, Any]:
    """The JSON Schema of results.json."""
    schema: dict[str, Any] = json.loads(json.dumps(Results.model_json_schema()))
    return schema
