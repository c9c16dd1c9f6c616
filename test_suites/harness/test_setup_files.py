"""Files of the cache and children of the set-up: whole or not at all, also when interrupted."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from hil.errors import SetupError
from hil.setup.files import locked, new_folder, tree_digest, write_atomic
from hil.setup.run import run

ROOT = Path(__file__).resolve().parents[2]


def test_a_new_folder_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    target = tmp_path / "cache" / "thing"

    def interrupted() -> None:
        with new_folder(target) as work:
            (work / "half").touch()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert list(target.parent.iterdir()) == []
    with new_folder(target) as work:
        (work / "whole").touch()
        assert not target.exists()
    assert [path.name for path in target.iterdir()] == ["whole"]


def test_a_new_folder_replaces_the_old_one_and_sweeps_leftovers(tmp_path: Path) -> None:
    target = tmp_path / "thing"
    (target / "old").mkdir(parents=True)
    (tmp_path / ".thing.part-killed").mkdir()
    with new_folder(target) as work:
        (work / "new").touch()
    assert [path.name for path in tmp_path.iterdir()] == ["thing"]
    assert [path.name for path in target.iterdir()] == ["new"]


def test_write_atomic_leaves_one_file(tmp_path: Path) -> None:
    write_atomic(tmp_path / "a" / "f", "one")
    write_atomic(tmp_path / "a" / "f", "two")
    assert [path.read_text() for path in (tmp_path / "a").iterdir()] == ["two"]


def test_tree_digest_does_not_see_what_python_compiled(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("1")
    before = tree_digest(tmp_path)
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__" / "a.pyc").write_bytes(b"x")
    assert tree_digest(tmp_path) == before
    (tmp_path / "b.pyc").write_bytes(b"x")
    assert tree_digest(tmp_path) != before


def test_tree_digest_sees_names_and_bytes(tmp_path: Path) -> None:
    seen = set()
    for number, (name, data) in enumerate((("ab", "c"), ("a", "bc"), ("a", "bd"))):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / name).write_text(data)
        seen.add(tree_digest(folder))
    assert len(seen) == 3


def test_the_lock_keeps_another_process_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HIL_CACHE", str(tmp_path))

    def try_lock() -> None:
        with (tmp_path / "locks" / "x.lock").open() as other:
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)

    with locked("x"), pytest.raises(BlockingIOError):
        try_lock()
    try_lock()


def test_a_failed_command_is_quoted_with_its_last_words() -> None:
    with pytest.raises(SetupError) as caught:
        run(["sh", "-c", "echo first; echo last >&2; exit 3"], "trying", hint="try again")
    assert "trying failed: sh -c 'echo first; echo last >&2; exit 3'" in caught.value.message
    assert "exit status 3\n    first\n    last" in caught.value.message


def test_a_missing_command_is_an_error_of_the_set_up() -> None:
    with pytest.raises(SetupError, match="No such file"):
        run(["/nonexistent/tool"], "trying", hint="")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupt_stops_the_child_and_says_so(tmp_path: Path, number: signal.Signals) -> None:
    pipe = tmp_path / "pid"
    os.mkfifo(pipe)
    code = (
        "import sys; from hil.setup import steps; from hil.setup.run import run\n"
        f"work = lambda: run(['sh', '-c', 'echo $$ > {pipe}; exec sleep 600'], 'w', hint='')\n"
        "steps.steps = lambda *, dev: [('work', work)]\n"
        "sys.exit(steps.command([]))"
    )
    running = subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, stderr=subprocess.PIPE, text=True
    )
    child = int(pipe.read_text())
    running.send_signal(number)
    _, said = running.communicate(timeout=30)
    assert running.returncode == 130
    assert "interrupted; nothing was left half done" in said
    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)
