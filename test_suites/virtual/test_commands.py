"""The `hil` command on boards that run, as a person types it."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from plain import ROOT, Talk, status, upload, wait_until

from hil.inventory import Board

Images = dict[str, Path]
HIL = [sys.executable, "-c", "from hil.cli import main; main()"]
ENVIRONMENT = {"PYTHONPATH": str(ROOT)}


def hil(*words: str) -> tuple[int, str, str]:
    """Exit status, output and errors of a command."""
    done = subprocess.run([*HIL, *words], cwd=ROOT, env={**os.environ, **ENVIRONMENT}, text=True,
                          capture_output=True, timeout=60, check=False)  # fmt: skip
    return done.returncode, done.stdout, done.stderr


def test_list_reset_and_stop(nano: Board, images: Images) -> None:
    assert hil("virtual", "list") == (0, "", "")
    upload(nano, images[nano.id])
    code, out, err = hil("virtual", "list")
    assert (code, err) == (0, "")
    assert out.splitlines() == [f"{nano.id:24} {'mps2-an386':12} on", f"  {nano.port}"]
    code, out, _ = hil("boards")
    assert code == 0
    assert f"{nano.id:24} there" in out
    assert f"{'virtual-pico':24} not there" in out
    assert hil("virtual", "reset", nano.id) == (0, f"{nano.id}: reset\n", "")
    with Talk(nano) as talk:
        assert talk.line() == "hello"
        assert talk.ask("b").startswith("5 2 ")
    assert hil("virtual", "stop", "all") == (0, f"{nano.id}: stopped\n", "")
    assert hil("virtual", "stop", nano.id) == (0, f"{nano.id}: was off\n", "")


def test_a_board_that_is_off_is_a_bench_fault_and_an_unknown_one_a_set_up_error(
    nano: Board, images: Images
) -> None:
    upload(nano, images[nano.id])
    hil("virtual", "stop", nano.id)
    for command in ("reset", "gdb"):
        wanted = (10, "", f"hil: virtual board {nano.id} is not running\n")
        assert hil("virtual", command, nano.id) == wanted
    for command in ("reset", "gdb", "stop"):
        wanted = (4, "", f"hil: no virtual board is called 'nano' (there are: {nano.id})\n")
        assert hil("virtual", command, "nano") == wanted


@pytest.mark.skipif(not shutil.which("gdb-multiarch"), reason="gdb-multiarch is not installed")
def test_the_gdb_command_attaches(nano: Board, images: Images) -> None:
    upload(nano, images[nano.id])
    code, line, _ = hil("virtual", "gdb", nano.id)
    assert code == 0
    command = [*shlex.split(line), "-batch", "-nx", "-ex", "backtrace", "-ex", "detach"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert " in start () at " in done.stdout + done.stderr
    with Talk(nano) as talk:  # the board runs on after gdb has gone
        assert talk.line() == "hello"


def test_the_monitor_shows_what_is_printed_and_sends_what_is_typed(
    nano: Board, images: Images
) -> None:
    upload(nano, images[nano.id])
    process = subprocess.Popen([*HIL, "monitor", nano.id], cwd=ROOT, text=True,
                               env={**os.environ, **ENVIRONMENT}, stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)  # fmt: skip
    assert process.stdin
    assert process.stdout
    assert process.stdout.readline() == "hello\n"
    process.stdin.write("b\n")
    process.stdin.flush()
    assert process.stdout.readline() == "1 1 1 1\n"
    code, _, err = hil("monitor", nano.id)
    assert code == 10
    assert "board_busy" in err
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert (process.returncode, out.strip(), err) == (0, "", "")
    assert wait_until(lambda: not status(nano)["open"])
