"""A virtual bench of its own; the user's boards are never touched."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from plain import SKETCHES, boards, compile_sketch, end_all

from hil.inventory import Board


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """$HIL_RUN of one test, gone with it."""
    folder = tmp_path / "run"
    monkeypatch.setenv("HIL_RUN", str(folder))
    monkeypatch.setenv("HIL_VIRTUAL_OWNER", str(os.getpid()))
    yield folder
    end_all(folder)


@pytest.fixture
def nano(run: Path) -> Board:
    return boards()["virtual-nano33ble"]


@pytest.fixture(params=["virtual-nano33ble", "virtual-pico", "virtual-nucleo-h7"])
def any_board(request: pytest.FixtureRequest, run: Path) -> Board:
    return boards()[request.param]


@pytest.fixture(scope="session")
def images(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The talker sketch, compiled for each virtual board."""
    return {
        board.id: compile_sketch(board, SKETCHES / "talker", tmp_path_factory.mktemp(board.id))
        for board in boards().values()
        if "virtual" in board.tags
    }
