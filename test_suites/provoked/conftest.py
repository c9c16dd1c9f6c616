"""A bench of its own for faults: the user's boards are never touched, all boards end with it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from provoke import ROOT, faulty

from hil.inventory import Bench, Board, load_bench
from hil.model import Model, load_model
from hil.trial import Settings, Trial
from hil.virtual import control
from hil.virtual.places import Place


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """$HIL_RUN of this bench."""
    folder = tmp_path_factory.mktemp("run")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HIL_RUN", str(folder))
        patch.setenv("HIL_VIRTUAL_OWNER", str(os.getpid()))
        yield folder
        for status in control.running(folder):
            control.stop(Place(Path(status["port"])))


@pytest.fixture(scope="session")
def bench(run: Path) -> Bench:
    return load_bench(ROOT / "boards.yaml")


@pytest.fixture(scope="session")
def nano(bench: Bench) -> Board:
    return bench.boards["virtual-nano33ble"]


@pytest.fixture(scope="session")
def pico(bench: Bench) -> Board:
    return bench.boards["virtual-pico"]


@pytest.fixture(scope="session", params=["virtual-nano33ble", "virtual-pico"])
def either(request: pytest.FixtureRequest, bench: Bench) -> Board:
    """The M4F board, then the Armv6-M one."""
    return bench.boards[request.param]


@pytest.fixture(scope="session", params=["virtual-nano33ble", "virtual-pico", "virtual-nucleo-h7"])
def any_board(request: pytest.FixtureRequest, bench: Bench) -> Board:
    return bench.boards[request.param]


@pytest.fixture(scope="session")
def hello() -> Model:
    return load_model(ROOT / "models" / "hello_sine")


@pytest.fixture(scope="session")
def negatives() -> Path:
    """The folder of models that are broken on purpose."""
    return ROOT / "models" / "_negative"


@pytest.fixture
def attempt(hello: Model) -> Iterator[Callable[..., Trial]]:
    """``attempt(board, ...)``: a trial of hello_sine, closed after the test.

    ``fault`` names one of the faulty sketch's; ``defines`` and ``model`` are as in `Trial`.
    """
    opened: list[Trial] = []

    def make(
        board: Board,
        fault: str = "",
        *,
        model: Model = hello,
        may_flash: bool = True,
        **defines: int | str,
    ) -> Trial:
        sketch, macros = faulty(fault)
        settings = Settings(may_flash=may_flash, defines={**macros, **defines})
        opened.append(Trial(board, model, settings, sketch))
        return opened[-1]

    yield make
    for each in opened:
        each.close()


@pytest.fixture
def project(tmp_path: Path, run: Path) -> Path:
    """An empty project with the bench's boards.yaml."""
    (tmp_path / "boards.yaml").write_bytes((ROOT / "boards.yaml").read_bytes())
    (tmp_path / "conftest.py").write_bytes((ROOT / "conftest.py").read_bytes())
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "models").mkdir()
    return tmp_path
