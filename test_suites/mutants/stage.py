"""A bench for one mutant: a project, a board of its own, a cache whose firmware can be replaced.

The suites then run as a user runs them: pytest in a process, on that project. Nothing of the
harness is patched; what lies is the firmware, the line, the model's file or the host's engine.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

import yaml
from mutant import Seen
from observe import Observation, difference, observe
from provoke import ROOT
from runs import Outcome, run_pytest

from hil import build as building
from hil.build import build
from hil.errors import CODES
from hil.firmware import Firmware
from hil.flash import upload
from hil.inventory import Board, load_bench
from hil.model import Model, load_model
from hil.paths import cache_dir

NANO = "virtual-nano33ble"
SUITES = tuple(f"test_suites/{name}" for name in ("smoke", "parity", "latency", "memory"))
PARITY_ONLY = ("test_suites/parity",)
_CODE = re.compile(rf"^(?:E\s+|ERROR: )?({'|'.join(CODES)}): ", re.MULTILINE)


class Worker:
    """Boards and honest observations that one worker's stages share; ``run`` is its $HIL_RUN."""

    def __init__(self, run: Path) -> None:
        self.run = run
        self._honest: dict[tuple[str, str, str], Observation] = {}
        self._bench = load_bench(ROOT / "boards.yaml")

    def board(self, name: str) -> Board:
        port = self.run / "ports" / name
        return self._bench.boards[name].model_copy(update={"port": str(port)})

    def honest(self, board: Board, model: Model, firmware: Firmware) -> Observation:
        """What a board with honest firmware answers; asked once."""
        key = (board.id, model.sha256, firmware.digest)
        if key not in self._honest:
            upload(board, firmware)
            self._honest[key] = observe(board.port, model)
        return self._honest[key]


class Stage:
    """A context manager; ``folder`` is the project.

    Attributes:
        board, model: what the run is about; set with `use`.
        arguments, environment: of pytest, for the fault to extend.
        suites: folders that are run.
    """

    def __init__(self, worker: Worker, folder: Path) -> None:
        self.worker, self.folder = worker, folder
        self.arguments: list[str] = []
        self.environment: dict[str, str] = {"HIL_RUN": str(worker.run)}
        self.suites: tuple[str, ...] = SUITES
        self.shown = ""
        self._shows: Callable[[], str] = lambda: ""
        self._open = ExitStack()
        self.board, self.model = worker.board(NANO), load_model(ROOT / "models" / "hello_sine")

    def __enter__(self) -> Self:
        (self.folder / "models").mkdir(parents=True)
        (self.folder / "pytest.ini").write_text("[pytest]\n")
        shutil.copy(ROOT / "conftest.py", self.folder)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._open.close()

    # -- for faults

    def use(self, model: str, board: str = NANO) -> None:
        """Takes a reference model and a board of the bench."""
        folder = self.folder / "models" / model
        shutil.copytree(ROOT / "models" / model, folder)
        self.board, self.model = self.worker.board(board), load_model(folder)

    def shows(self, how: Callable[[], str]) -> None:
        """Says how the fault shows; asked after the run. "": it did not."""
        self._shows = how

    def opened(self, resource: object) -> None:
        """A context manager to be entered, and closed with the stage."""
        self._open.enter_context(resource)  # type: ignore[call-overload]

    def firmware(self, sketch: str | Path = "hil_runner", **defines: int) -> Firmware:
        """The honest build of a sketch with the model."""
        return build(building.recipe(self.board, self.model, sketch=sketch, defines=defines))

    def variant(self, firmware: Firmware, image: bytes) -> Firmware:
        """The same firmware with another image."""
        folder = self.folder / "image"
        folder.mkdir()
        elf = folder / firmware.elf.name
        elf.write_bytes(image)
        return replace(firmware, folder=folder, elf=elf)

    def put(self, firmware: Firmware, honest: Firmware) -> None:
        """Puts a firmware on the board and looks at what it does differently."""
        before = self.worker.honest(self.board, self.model, honest)
        upload(self.board, firmware)
        shown = difference(before, observe(self.board.port, self.model))
        self.shows(lambda: shown)

    def builds(self, firmware: Firmware) -> None:
        """From now on the run's build comes to this firmware: it lies in the cache in place of
        the honest one."""
        cache, place = self.folder / "cache", self.firmware().folder.name
        (cache / "firmware").mkdir(parents=True)
        for each in cache_dir().iterdir():
            if each.name != "firmware":
                (cache / each.name).symlink_to(each)
        target = cache / "firmware" / place
        shutil.copytree(firmware.folder, target)
        moved = replace(firmware, folder=target, elf=target / firmware.elf.name)
        (target / "firmware.json").write_text(json.dumps(moved.to_json()))
        self.environment["HIL_CACHE"] = str(cache)

    # -- the run

    def run(self) -> Seen:
        """The suites, as a user runs them."""
        self._write_boards()
        done = run_pytest(
            self.folder,
            *(str(ROOT / suite) for suite in self.suites),
            *("--board", self.board.id, "--model", self.model.name),
            *self.arguments,
            environment=self.environment,
        )
        return seen_of(done, self._shows())

    def _write_boards(self) -> None:
        text = (ROOT / "boards.yaml").read_text()
        entries = yaml.safe_load(text)["boards"]
        (entry,) = (each for each in entries if each["id"] == self.board.id)
        document = {"version": 1, "boards": [{**entry, "port": self.board.port}]}
        (self.folder / "boards.yaml").write_text(yaml.safe_dump(document))


def seen_of(done: Outcome, shown: str) -> Seen:
    """Codes from the record if there is one, else from what was printed."""
    records = done.results["records"] if done.results else []
    codes = {finding["code"] for record in records for finding in record["findings"]}
    verdicts = ", ".join(record["verdict"] for record in records) or "none"
    codes |= set() if records else set(_CODE.findall(done.output))
    return Seen(done.status, frozenset(codes), verdicts, shown, done.output)
