"""A virtual bench of its own; the user's boards are never touched."""

from __future__ import annotations

import os
import sys
import sysconfig
import venv
from collections.abc import Iterator
from pathlib import Path

import pytest
from asuser import call
from plain import ROOT, SKETCHES, boards, compile_sketch, end_all

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


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with the package's wheel; its dependencies are this environment's."""
    pytest.importorskip("hatchling")
    folder = tmp_path_factory.mktemp("installed")
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check")
    call(*pip, "wheel", "--no-deps", "--no-build-isolation", "-w", folder, ROOT, cwd=folder)
    (wheel,) = folder.glob("*.whl")
    venv.create(folder / "venv", with_pip=False)
    python = folder / "venv" / "bin" / "python"
    paths = {"base": str(folder / "venv"), "platbase": str(folder / "venv")}
    packages = Path(sysconfig.get_path("purelib", "venv", paths))
    here = sysconfig.get_path("purelib")
    (packages / "dependencies.pth").write_text(f"{here}\n")
    call(*pip, "--python", python, "install", "--no-deps", "--no-index", "--ignore-installed",
         wheel, cwd=folder)  # fmt: skip
    return python
