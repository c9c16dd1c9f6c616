"""The history's SQLite file: whose it is, its tables, and how an older one becomes today's."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

APPLICATION_ID = 0x48494C31
"""``PRAGMA application_id`` of a history: "HIL1"."""

WAIT_S = 10.0
"""Seconds that one run waits for another to finish writing."""

_TABLES = """
CREATE TABLE run (
  id INTEGER PRIMARY KEY,
  started TEXT NOT NULL,
  finished TEXT,
  commit_id TEXT NOT NULL,
  dirty INTEGER NOT NULL,
  interrupted INTEGER NOT NULL,
  exit_code INTEGER
);
CREATE TABLE record (
  id INTEGER PRIMARY KEY,
  run INTEGER NOT NULL REFERENCES run (id),
  board TEXT NOT NULL,
  model TEXT NOT NULL,
  sketch TEXT NOT NULL,
  verdict TEXT NOT NULL,
  firmware TEXT NOT NULL
);
CREATE TABLE figure (
  id INTEGER PRIMARY KEY,
  record INTEGER NOT NULL REFERENCES record (id),
  name TEXT NOT NULL,
  value REAL NOT NULL,
  unit TEXT NOT NULL,
  tick REAL NOT NULL,
  mad REAL NOT NULL
);
CREATE INDEX record_of ON record (board, model);
CREATE INDEX figure_of ON figure (record, name)
"""

MIGRATIONS: Sequence[str] = (_TABLES,)
"""Step n makes version n + 1 of version n; ``PRAGMA user_version`` counts those that were taken."""


class NotHistory(Exception):
    """The file is broken or another program's."""


class NewerHistory(sqlite3.DatabaseError):
    """The file was written by a later version of the harness: it is left as it is."""


def connect(path: Path) -> sqlite3.Connection:
    """The history at ``path``, made or brought up to date if need be. The caller closes it.

    Raises:
        NotHistory: the file is no SQLite file, is damaged, or has tables of another program.
        NewerHistory: a later version wrote it. sqlite3.OperationalError: locked, read-only, full.
    """
    base = sqlite3.connect(path, timeout=WAIT_S)
    # Damage may lie in a text: it is read as it is, and found by the check, not by the decoder.
    base.text_factory = lambda raw: raw.decode("utf-8", "replace")
    try:
        _check(base)
        _migrate(base)
    except UnicodeDecodeError as error:  # sqlite3's own words about damage, quoting it
        base.close()
        raise NotHistory("it is damaged") from error
    except sqlite3.DatabaseError as error:
        base.close()
        if isinstance(error, NewerHistory | sqlite3.OperationalError):
            raise
        raise NotHistory(f"it is not an SQLite file, or damaged ({error})") from error
    except BaseException:
        base.close()
        raise
    return base


def _pragma(base: sqlite3.Connection, name: str) -> int:
    return int(base.execute(f"PRAGMA {name}").fetchone()[0])


def _check(base: sqlite3.Connection) -> None:
    owner, version = _pragma(base, "application_id"), _pragma(base, "user_version")
    if (owner or version or _tables(base)) and owner != APPLICATION_ID:
        raise NotHistory("it belongs to another program")
    if version > len(MIGRATIONS):
        raise NewerHistory(
            f"version {version} of a later tinyml-hil (this one writes {len(MIGRATIONS)})"
        )
    found = base.execute("PRAGMA quick_check(1)").fetchone()[0]
    if found != "ok":
        raise NotHistory(f"it is damaged ({found})")
    if version and not {"run", "record", "figure"} <= _tables(base):
        raise NotHistory("its tables are missing")


def _tables(base: sqlite3.Connection) -> set[str]:
    return {str(name) for (name,) in base.execute("SELECT name FROM sqlite_master")}


def _migrate(base: sqlite3.Connection) -> None:
    """All missing steps in one transaction, taken by one process at a time."""
    if _pragma(base, "user_version") == len(MIGRATIONS):
        return
    base.execute("BEGIN IMMEDIATE")
    with base:
        for step in MIGRATIONS[_pragma(base, "user_version") :]:
            for statement in step.split(";\n"):
                base.execute(statement)
        base.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        base.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")


def put_aside(path: Path) -> Path:
    """Renames a file that cannot be used, so that nothing is lost; the new path.

    Its journal goes with it: beside a new file SQLite would take it for that one's.
    """
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
    names = (f"{path.name}.broken-{stamp}-{n}" for n in range(1000))
    aside = next(place for place in map(path.with_name, names) if not place.exists())
    path.rename(aside)
    for suffix in ("-journal", "-wal", "-shm"):
        beside = path.with_name(path.name + suffix)
        if beside.exists():
            beside.rename(aside.with_name(aside.name + suffix))
    return aside
