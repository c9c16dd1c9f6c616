"""A bench for one mutant: a project, a board of its own, a cache whose firmware can be replaced.

The suites then run as a user runs them: pytest in a process, on that project. Nothing of the
harness is patched; what lies is the firmware, the line, the model's file or the host's engine.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from tempfile import mkdtemp
from types import TracebackType
from typing import Self

import yaml
from mutant import Seen
from observe import Observation, difference, observe
from provoke import ROOT
from runs import Outcome, pytest_environment, run_pytest

from hil import build as building
from hil.build import build
from hil.errors import CODES
from hil.firmware import Firmware, image_digest, seal
from hil.flash import upload
from hil.inventory import Board, load_bench
from hil.model import Model, load_model, load_vectors
from hil.paths import cache_dir
from hil.tensors import Array

NANO = "virtual-nano33ble"
SUITES = tuple(f"test_suites/{name}" for name in ("smoke", "parity", "latency", "memory"))
PARITY_ONLY = ("test_suites/parity",)
_CODE = re.compile(rf"^(?:E\s+|ERROR: |hil: )?({'|'.join(CODES)}): ", re.MULTILINE)


class Worker:
    """Boards and honest observations that one worker's stages share; ``run`` is its $HIL_RUN."""

    def __init__(self, run: Path) -> None:
        self.run = run
        self._honest: dict[tuple[str, str, str], Observation] = {}
        self._kept: dict[str, str] = {}
        self._bench = load_bench(ROOT / "boards.yaml")

    def board(self, name: str) -> Board:
        port = self.run / "ports" / name
        return self._bench.boards[name].model_copy(update={"port": str(port)})

    def once(self, name: str, make: Callable[[], str]) -> str:
        """A text that stages share, made by the first that asks."""
        if name not in self._kept:
            self._kept[name] = make()
        return self._kept[name]

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
        selection: words that choose boards and models; None: the one of each.
        command: words of the `hil` command that are run in place of pytest.
    """

    def __init__(self, worker: Worker, folder: Path) -> None:
        self.worker, self.folder = worker, folder
        self.arguments: list[str] = []
        self.environment: dict[str, str] = {"HIL_RUN": str(worker.run)}
        self.suites: tuple[str, ...] = SUITES
        self.selection: tuple[str, ...] | None = None
        self.command: tuple[str, ...] = ()
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

    def first_inputs(self) -> tuple[Array, ...]:
        """The inputs of the model's first vector."""
        return load_vectors(self.model)[0].inputs

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
        folder = Path(mkdtemp(prefix="image-", dir=self.folder))
        elf = folder / firmware.elf.name
        elf.write_bytes(image)
        return replace(firmware, folder=folder, elf=elf, digest=image_digest(elf))

    def put(self, firmware: Firmware, honest: Firmware, *, ids: bool = False) -> None:
        """Puts a firmware on the board and looks at what it does differently.

        ``ids``: another build id is a difference too.
        """
        before = self.worker.honest(self.board, self.model, honest)
        upload(self.board, firmware)
        self.look(before, ids=ids)

    def look(self, before: Observation, *, ids: bool = False) -> None:
        """Notes how the board differs from what was seen before."""
        shown = difference(before, observe(self.board.port, self.model), ids=ids)
        self.shows(lambda: shown)

    def builds(self, firmware: Firmware) -> None:
        """From now on the run's build comes to this firmware: it lies in the cache in place of
        the honest one."""
        cache, place = self.folder / "cache", self.firmware().folder.name
        target = cache / "firmware" / place
        if not cache.exists():
            (cache / "firmware").mkdir(parents=True)
            for each in cache_dir().iterdir():
                if each.name != "firmware":
                    (cache / each.name).symlink_to(each)
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(firmware.folder, target)
        moved = replace(firmware, folder=target, elf=target / firmware.elf.name)
        (target / "firmware.json").write_text(json.dumps(moved.to_json()))
        seal(target)
        self.environment["HIL_CACHE"] = str(cache)

    # -- the run

    def run(self) -> Seen:
        """The suites, or the command, as a user runs them."""
        self.write_boards()
        done = self._run_command() if self.command else self._run_suites()
        return seen_of(done, self._shows())

    def _run_suites(self) -> Outcome:
        chosen = self.selection
        if chosen is None:
            chosen = ("--board", self.board.id, "--model", self.model.name)
        return run_pytest(
            self.folder,
            *(str(ROOT / suite) for suite in self.suites),
            *chosen,
            *self.arguments,
            environment=self.environment,
        )

    def _run_command(self) -> Outcome:
        done = subprocess.run(
            [sys.executable, "-m", "hil", *self.command],
            cwd=self.folder,
            env={**pytest_environment(), **self.environment},
            capture_output=True,
            text=True,
            check=False,
        )
        return Outcome(done.returncode, done.stdout + done.stderr, None, None)

    def write_boards(self) -> None:
        """Writes the project's boards.yaml, with this board only."""
        text = (ROOT / "boards.yaml").read_text()
        entries = yaml.safe_load(text)["boards"]
        (entry,) = (each for each in entries if each["id"] == self.board.id)
        changed = {"port": self.board.port, "present": self.board.present}
        document = {"version": 1, "boards": [{**entry, **changed}]}
        (self.folder / "boards.yaml").write_text(yaml.safe_dump(document))


def seen_of(done: Outcome, shown: str) -> Seen:
    """Codes from the record if there is one, else from what was printed."""
    records = done.results["records"] if done.results else []
    codes = {finding["code"] for record in records for finding in record["findings"]}
    verdicts = ", ".join(record["verdict"] for record in records) or "none"
    codes = codes or set(_CODE.findall(done.output))
    return Seen(done.status, frozenset(codes), verdicts, shown, done.output)
