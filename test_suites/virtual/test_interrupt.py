"""Ctrl-C in the middle of a run: a prompt end, complete results, a bench that works on."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest
from asuser import Project, checkout, project_at
from plain import ROOT, wait_until

from hil.virtual import control

MODELS = ("hello_sine", "gesture")
SUITE = """\
from pathlib import Path


def test_latency(trial):
    trial.load()
    Path("started").touch()
    trial.latency()
"""


@pytest.fixture
def project(tmp_path: Path, run: Path) -> Project:
    made = project_at(tmp_path / "project")
    for name in MODELS:
        shutil.copytree(ROOT / "models" / name, made.folder / "models" / name)
    made.add("test_latency.py", SUITE)
    return made


def emulators(folder: Path) -> list[int]:
    """Emulators that run an image of this bench."""
    found = []
    for each in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = each.read_bytes().split(b"\0")
        except OSError:
            continue
        if b"qemu-system-arm" in words[0] and any(str(folder).encode() in w for w in words):
            found.append(int(each.parent.name))
    return found


def test_it_ends_at_once_and_the_next_run_passes(project: Project, run: Path) -> None:
    board = ("--board", "virtual-nano33ble")
    command = project.command(*board, "--runs", "1000000")
    environment = {**os.environ, **checkout()}
    process = subprocess.Popen(command, cwd=project.folder, env=environment, text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT)  # fmt: skip
    assert wait_until(lambda: (project.folder / "started").exists(), 240)
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == pytest.ExitCode.INTERRUPTED, output

    results = project.results
    assert results["interrupted"] is True
    assert results["finished"]
    assert [record["model"] for record in results["records"]] == sorted(MODELS)
    assert [record["verdict"] for record in results["records"]] == ["not_run", "not_run"]

    (status,) = control.running(run)
    assert emulators(run) == [status["qemu"]]
    done = project.pytest(*board, "--runs", "3", **checkout())
    assert done.returncode == 0, done.stdout
    assert [r["verdict"] for r in project.results["records"]] == ["pass", "pass"]
