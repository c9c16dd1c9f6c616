"""Reading a results.json that anybody may have written: strict, bounded, refused in one line."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from hil.errors import CODES, SetupError
from hil.report.record import SCHEMA_VERSION, Results, Verdict
from hil.yamlfile import dotted

MOST_BYTES = 64 << 20
"""A run of a hundred boards and models writes a few megabytes."""

_SHOWN = 200


def read_results(path: Path) -> Results:
    """The results at ``path``; its texts may hold anything: print them through `printable`.

    Raises:
        SetupError: results_file, in one line: what is wrong, and where.
    """
    try:
        size = path.stat().st_size
        if size > MOST_BYTES:
            raise _error(path, f"{size:,} bytes are too many ({MOST_BYTES:,} at most)")
        return parse_results(path.read_bytes(), path)
    except OSError as error:
        raise _error(path, f"cannot be read: {error.strerror}") from error


def parse_results(data: bytes, path: Path) -> Results:
    """As `read_results`, of bytes; ``path`` is for the message."""
    try:
        results = Results.model_validate_json(data, strict=True)
    except ValidationError as error:
        raise _error(path, _reason(data, error)) from error
    if results.schema_version != SCHEMA_VERSION:
        raise _error(path, _other_version(results.schema_version))
    places = Counter((r.board, r.model, r.sketch) for r in results.records)
    twice = [" x ".join(place) for place, count in places.items() if count > 1]
    if twice:
        raise _error(path, f"{twice[0]} is there twice")
    if problem := next(contradictions(results), ""):
        raise _error(path, problem)
    return results


def contradictions(results: Results) -> Iterator[str]:
    """Where a file says two things: what the harness writes follows from what it lists."""
    for number, record in enumerate(results.records):
        unknown = [f.code for f in record.findings if f.code not in CODES]
        if unknown:
            yield f"records[{number}]: no finding has the code {unknown[0]!r}"
        elif record.verdict != record.follows:
            yield (
                f"records[{number}]: the verdict is {record.verdict.value}, from its findings and "
                f"suites follows {record.follows.value}"
            )
        judged = record.parity.get(record.oracle)
        if judged and record.verdict is Verdict.PASS and (judged.mismatches or judged.problems):
            yield f"records[{number}]: passed, and {judged.mismatches} elements differ"
    bad = {record.verdict for record in results.records} & {Verdict.FAIL, Verdict.BENCH_FAULT}
    if results.exit_code == 0 and bad:
        yield f"exit_code: is 0, though a verdict is {sorted(bad)[0].value}"


def _error(path: Path, what: str) -> SetupError:
    return SetupError(
        "results_file",
        printable(f"{path}: {what}", len(str(path)) + _SHOWN),
        hint="give a results.json that this version of the harness wrote",
    )


def _other_version(version: object) -> str:
    return f"schema version {version!r}, this version reads {SCHEMA_VERSION}"


def _reason(data: bytes, error: ValidationError) -> str:
    """The first problem and how many more there are."""
    problems = error.errors(include_url=False, include_input=False, include_context=False)
    version = _version(data)
    if version is not None and version != SCHEMA_VERSION:
        return _other_version(version)
    first = problems[0]
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    kind = first["type"]
    said = {"extra_forbidden": "unknown key", "missing": "is missing"}.get(kind, first["msg"])
    return f"{dotted(tuple(first['loc']))}: {said}{more}"


def _version(data: bytes) -> Any:
    """The file's schema version, if it can be told although the rest is unknown."""
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return found.get("schema_version") if isinstance(found, dict) else None


def printable(text: str, most: int = _SHOWN) -> str:
    """Text that a terminal shows as it is: no control characters, not endless."""
    shown = "".join(c if c.isprintable() else "?" for c in text)
    return shown if len(shown) <= most else shown[: most - 3] + "..."
