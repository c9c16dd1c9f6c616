"""The history: appended in one step, never in the way of a run, read as trends."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from made_records import latency, record, results

from hil import history_file
from hil.errors import SetupError
from hil.figures import Figure, figures_of
from hil.history import Series, append, read, trend
from hil.report.record import Results
from hil.revision import revision_of

FEW = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=25
)


def run_of(day: int, median: float) -> Results:
    one = record(latency=latency(median))
    return results(one, started=f"2026-01-{day:02}T00:00:00+00:00", commit=f"{day:012x}")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "reports" / "history.sqlite"


def test_a_trend_is_oldest_first(path: Path) -> None:
    for day, median in enumerate((7500.0, 7502.5, 8000.0), start=1):
        assert append(run_of(day, median), path) == []
    assert trend(path, "nano", "sine", "latency") == [
        ("2026-01-01T00:00:00+00:00", "000000000001", 7500.0),
        ("2026-01-02T00:00:00+00:00", "000000000002", 7502.5),
        ("2026-01-03T00:00:00+00:00", "000000000003", 8000.0),
    ]
    assert trend(path, "nano", "sine", "depth") == []
    assert trend(path, "pico", "sine", "latency") == []


def test_what_is_read_is_what_was_measured(path: Path) -> None:
    other = record("pico", latency=latency(100.0, "us", 0.25))
    assert append(results(record(), other, record("nano", "wave", sketch="mine")), path) == []
    found = read(path, metric="latency")
    assert [(s.board, s.model) for s in found] == [("nano", "sine"), ("pico", "sine")]
    (point,) = found[Series("pico", "sine", "latency")]
    assert point.figure == Figure(100.0, "us", tick=1 / 64, mad=0.25)
    assert (point.firmware, point.dirty) == ("f" * 64, False)
    assert {s.metric for s in read(path, board="nano")} == set(figures_of(record()))


def test_without_a_history_there_is_no_trend(path: Path) -> None:
    assert trend(path, "nano", "sine", "latency") == []
    assert read(path) == {}
    assert not path.exists()


def foreign(path: Path) -> None:
    with closing(sqlite3.connect(path)) as base:
        base.execute("CREATE TABLE run (id INTEGER)")


def foreign_by_id(path: Path) -> None:
    with closing(sqlite3.connect(path)) as base:
        base.execute("PRAGMA application_id = 77")


def emptied(path: Path) -> None:
    append(run_of(1, 1.0), path)
    with closing(sqlite3.connect(path)) as base:
        base.execute("DROP TABLE figure")


def cut(path: Path) -> None:
    append(run_of(1, 1.0), path)
    path.write_bytes(path.read_bytes()[:5000])


def no_database(path: Path) -> None:
    path.write_bytes(b"these are notes of mine\n" * 100)
    Path(f"{path}-journal").write_bytes(b"not a journal")


@pytest.mark.parametrize("spoil", [foreign, foreign_by_id, emptied, cut, no_database])
def test_a_file_that_is_no_history_is_kept_aside_and_the_run_is_in_a_new_one(
    path: Path, spoil: object
) -> None:
    path.parent.mkdir()
    assert callable(spoil)
    spoil(path)
    before = path.read_bytes()
    assert trend(path, "nano", "sine", "latency") == []
    with pytest.raises(SetupError) as caught:
        read(path)
    assert caught.value.code == "results_file"
    (warning,) = append(run_of(2, 7500.0), path)
    assert str(path) in warning
    (aside,) = (each for each in path.parent.glob("*.broken-*") if "-journal" not in each.name)
    assert aside.read_bytes() == before
    assert aside.name in warning
    assert len(trend(path, "nano", "sine", "latency")) == 1
    assert append(run_of(3, 7500.0), path) == []


@FEW
@given(st.binary(max_size=200), st.booleans())
def test_any_bytes_are_survived(tmp_path: Path, junk: bytes, header: bool) -> None:
    path = tmp_path / "history.sqlite"
    path.write_bytes((b"SQLite format 3\0" if header else b"") + junk)
    append(run_of(1, 7500.0), path)
    assert len(trend(path, "nano", "sine", "latency")) == 1


@FEW
@given(st.data())
def test_a_damaged_history_never_fails_a_run(tmp_path: Path, data: st.DataObject) -> None:
    path = tmp_path / "history.sqlite"
    path.unlink(missing_ok=True)
    append(run_of(1, 7500.0), path)
    image = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 20))):
        image[data.draw(st.integers(0, len(image) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(image)
    append(run_of(2, 7500.0), path)
    trend(path, "nano", "sine", "latency")


def test_a_later_versions_file_is_left_as_it_is(path: Path) -> None:
    append(run_of(1, 7500.0), path)
    with closing(sqlite3.connect(path)) as base:
        base.execute(f"PRAGMA user_version = {len(history_file.MIGRATIONS) + 1}")
    before = path.read_bytes()
    (warning,) = append(run_of(2, 7500.0), path)
    assert "later" in warning
    assert path.read_bytes() == before
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_an_older_file_is_brought_up_to_date(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    append(run_of(1, 7500.0), path)
    more = (*history_file.MIGRATIONS, "ALTER TABLE run ADD COLUMN note TEXT NOT NULL DEFAULT 'x'")
    monkeypatch.setattr(history_file, "MIGRATIONS", more)
    assert append(run_of(2, 7500.0), path) == []
    with closing(sqlite3.connect(path)) as base:
        assert base.execute("SELECT note FROM run").fetchall() == [("x",), ("x",)]
        assert base.execute("PRAGMA user_version").fetchone() == (len(more),)
    assert len(trend(path, "nano", "sine", "latency")) == 2


KILLED = """
import os, signal, sys
from pathlib import Path
from hil.history_file import connect
base = connect(Path(sys.argv[1]))
base.execute("PRAGMA cache_size = 1")  # pages go to the file before the commit
base.execute("BEGIN IMMEDIATE")
for n in range(2000):
    base.execute("INSERT INTO run VALUES (NULL, ?, '', '', 0, 0, 0)", ("x" * 200,))
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_run_killed_while_writing_leaves_what_was_there(path: Path) -> None:
    append(run_of(1, 7500.0), path)
    size = path.stat().st_size
    done = subprocess.run([sys.executable, "-c", KILLED, str(path)], check=False)
    assert done.returncode == -9
    assert path.stat().st_size > size
    assert append(run_of(2, 7500.0), path) == []
    assert len(trend(path, "nano", "sine", "latency")) == 2
    with closing(sqlite3.connect(path)) as base:
        assert base.execute("SELECT count(*) FROM run").fetchone() == (2,)


def test_a_locked_file_costs_a_warning(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    append(run_of(1, 7500.0), path)
    monkeypatch.setattr(history_file, "WAIT_S", 0.0)
    with closing(sqlite3.connect(path)) as base:
        base.execute("BEGIN EXCLUSIVE")
        (warning,) = append(run_of(2, 7500.0), path)
    assert "locked" in warning
    assert not list(path.parent.glob("*.broken-*"))
    assert append(run_of(3, 7500.0), path) == []


def test_a_place_that_cannot_be_written_costs_a_warning(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert len(append(run_of(1, 7500.0), tmp_path / "file" / "history.sqlite")) == 1
    assert len(append(run_of(1, 7500.0), tmp_path)) == 1


def git(folder: Path, *words: str) -> None:
    name = ("-c", "user.name=t", "-c", "user.email=t@t")
    subprocess.run(["git", *name, *words], cwd=folder, check=True, capture_output=True)


def test_the_commit_of_a_project(tmp_path: Path) -> None:
    assert str(revision_of(tmp_path)) == "no commit"
    git(tmp_path, "init", "-q")
    assert revision_of(tmp_path).commit == ""
    (tmp_path / "a").write_text("1")
    git(tmp_path, "add", "a")
    git(tmp_path, "commit", "-qm", "one")
    clean = revision_of(tmp_path)
    assert (len(clean.commit), clean.dirty) == (12, False)
    (tmp_path / "reports").mkdir()
    (tmp_path / "reports" / "new").write_text("")
    assert revision_of(tmp_path) == clean
    (tmp_path / "a").write_text("2")
    changed = revision_of(tmp_path)
    assert (changed.commit, changed.dirty) == (clean.commit, True)
    assert str(changed) == f"{clean.commit}-dirty"
