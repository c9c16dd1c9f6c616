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

from pydantic import ValidationError

from hil.errors import SetupError
from hil.report.record import RECORDS, SCHEMA_VERSION, Record, Results, Verdict
from hil.revision import Revision, revision_of
from hil.setup.files import write_atomic

_TOOLS = ("tinyml-hil", "pytest", "pyserial", "numpy", "ai-edge-litert", "tflite-micro")

_PROBLEMS_TOLD = 20

EXIT_OK, EXIT_PRODUCT, EXIT_SETUP, EXIT_BENCH = 0, 1, 4, 10
"""Exit codes of a run: 1 if any product fault, 10 if only bench faults or a board that was asked
for by name gave no verdict, 4 for set-up errors."""


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


def read_results(path: Path) -> Results:
    """What `write_results` wrote, of this version of the harness.

    Raises:
        SetupError: results_file, with every problem of the file.
    """
    try:
        text = path.read_text(encoding="utf-8")
        return Results.model_validate_json(text)
    except ValidationError as error:
        problems = [
            f"{'.'.join(map(str, each['loc'])) or 'the file'}: {each['msg']}"
            for each in error.errors(include_url=False, include_input=False)
        ]
        raise SetupError(
            "results_file",
            f"{path} is no results.json of this version (schema {SCHEMA_VERSION}); "
            f"{len(problems):,} problems",
            problems=problems[:_PROBLEMS_TOLD],
            hint="name the results.json of a run, or make the report with the version that ran it",
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise SetupError(
            "results_file",
            f"{path} cannot be read: {error}",
            hint="name the results.json of a run, such as reports/latest/results.json",
        ) from error


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
