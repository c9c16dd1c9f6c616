"""Every run's figures over time, in a local SQLite file: reports/history.sqlite.

One transaction a run: a run that is killed leaves the file as it was. A file that is broken or
somebody else's never fails a run: it is put aside, with a warning, and a new one is begun.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from hil.errors import SetupError
from hil.figures import Figure, figures_of
from hil.history_file import NotHistory, connect, put_aside
from hil.report.record import Record, Results

NAME = "history.sqlite"
"""The file's name, in the folder of the reports."""


@dataclass(frozen=True)
class Series:
    """What a trend is about."""

    board: str
    model: str
    metric: str


@dataclass(frozen=True)
class Point:
    """One run's figure. ``started`` is UTC, ISO 8601; ``commit`` "" if it was not known."""

    started: str
    commit: str
    dirty: bool
    firmware: str
    figure: Figure


def append(results: Results, path: Path) -> list[str]:
    """Adds a run to the history at ``path``, which is made if need be. Never raises for the file's
    sake; returns what a person should know (nothing, usually)."""
    warnings: list[str] = []
    try:
        try:
            _append(results, path)
        except NotHistory as error:
            aside = put_aside(path)
            warnings.append(f"{path}: {error}; it is kept as {aside.name}, a new one was begun")
            _append(results, path)
    except (NotHistory, sqlite3.Error, UnicodeDecodeError, OSError) as error:
        warnings.append(f"{path}: this run is not in the history: {error}")
    return warnings


def _append(results: Results, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(connect(path)) as base, base:
        row = (results.started, results.finished, results.commit, results.dirty,
               results.interrupted, results.exit_code)  # fmt: skip
        made = base.execute(
            "INSERT INTO run (started, finished, commit_id, dirty, interrupted, exit_code) "
            "VALUES (?, ?, ?, ?, ?, ?)",
            row,
        )
        for record in results.records:
            _append_record(base, made.lastrowid, record)


def _append_record(base: sqlite3.Connection, run: int | None, record: Record) -> None:
    firmware = record.firmware.digest if record.firmware else ""
    row = (run, record.board, record.model, record.sketch, record.verdict.value, firmware)
    made = base.execute(
        "INSERT INTO record (run, board, model, sketch, verdict, firmware) "
        "VALUES (?, ?, ?, ?, ?, ?)",
        row,
    )
    base.executemany(
        "INSERT INTO figure (record, name, value, unit, tick, mad) VALUES (?, ?, ?, ?, ?, ?)",
        [
            (made.lastrowid, name, figure.value, figure.unit, figure.tick, figure.mad)
            for name, figure in figures_of(record).items()
        ],
    )


def trend(path: Path, board: str, model: str, metric: str) -> list[tuple[str, str, float]]:
    """(started, commit, value) of every run that measured it, oldest first.

    ``metric`` is a name of `hil.figures`: arena, flash, latency, mismatches, max_lsb, accuracy.
    Empty where there is no history, or none that can be read (the run's own warning says so).
    """
    try:
        points = read(path, board, model, metric)
    except SetupError:
        return []
    return [
        (point.started, point.commit, point.figure.value)
        for series in points.values()
        for point in series
    ]


def read(
    path: Path,
    board: str | None = None,
    model: str | None = None,
    metric: str | None = None,
    *,
    runs: int | None = None,
) -> dict[Series, list[Point]]:
    """The series that match, each oldest first; None matches everything. ``runs``: of the last
    that many runs only.

    Only what `hil_runner` measured: another sketch's figures are another thing.

    Raises:
        SetupError: results_file, if the file is no history or cannot be read.
    """
    if not path.exists():
        return {}
    try:
        with closing(connect(path)) as base:
            wanted = {"board": board, "model": model, "metric": metric, "runs": runs}
            rows = base.execute(_READ, wanted)
            return _series(rows)
    except (NotHistory, sqlite3.Error, UnicodeDecodeError, OSError) as error:
        raise SetupError("results_file", f"{path} is not a history that can be read: {error}",
                         hint="move it away: the next run begins a new one") from error  # fmt: skip


def _series(rows: Iterable[tuple[object, ...]]) -> dict[Series, list[Point]]:
    found: dict[Series, list[Point]] = {}
    for board, model, metric, started, commit, dirty, firmware, value, unit, tick, mad in rows:
        figure = Figure(_number(value), str(unit), _number(tick), _number(mad))
        point = Point(str(started), str(commit), bool(dirty), str(firmware), figure)
        found.setdefault(Series(str(board), str(model), str(metric)), []).append(point)
    return found


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


_READ = """
SELECT board, model, name, started, commit_id, dirty, firmware, value, unit, tick, mad
FROM figure JOIN record ON record.id = figure.record JOIN run ON run.id = record.run
WHERE sketch = 'hil_runner'
  AND (:board IS NULL OR board = :board)
  AND (:model IS NULL OR model = :model)
  AND (:metric IS NULL OR name = :metric)
  AND (:runs IS NULL OR run.id > (SELECT max(id) FROM run) - :runs)
ORDER BY board, model, figure.id
"""
