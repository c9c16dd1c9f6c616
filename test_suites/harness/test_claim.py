"""One session per board, across processes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from hil.claim import Claim
from hil.errors import BenchError
from hil.inventory import Board

HOLDER = """
import sys
from hil.claim import Claim
from hil.inventory import Board
with Claim(Board(id="one", fqbn="a:b:c", port=sys.argv[1], ram=65536, flash=65536)):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def port(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("HIL_RUN", str(tmp_path / "run"))
    return str(tmp_path / "port")


def board(port: str) -> Board:
    return Board(id="one", fqbn="a:b:c", port=port, ram=65536, flash=65536)


def test_a_board_is_held_once_and_the_holder_is_named(port: str) -> None:
    with (
        Claim(board(port)),
        pytest.raises(BenchError, match=rf"in use by process {os.getpid()}") as busy,
        Claim(board(port)),
    ):
        pass
    assert (busy.value.code, busy.value.board) == ("board_busy", "one")
    with Claim(board(port)):  # given back
        pass


def test_other_ports_are_other_boards(port: str) -> None:
    with Claim(board(port)), Claim(board(f"{port}2")):
        pass


def test_a_holder_that_dies_holds_nothing(port: str) -> None:
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, port], text=True,
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # fmt: skip
    with holder:
        assert holder.stdout
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(BenchError, match=f"process {holder.pid}"), Claim(board(port)):
            pass
        holder.kill()
        holder.wait()
    with Claim(board(port)):
        pass
