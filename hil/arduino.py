"""Running arduino-cli: the one build and upload tool for every board, virtual or not."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from hil.errors import SetupError
from hil.inventory import Board
from hil.paths import cache_dir, platform_dir
from hil.setup.run import interrupts_deferred
from hil.setup.tools import arduino_data_dir, find_arduino_cli


@dataclass(frozen=True)
class Ran:
    """What one call of arduino-cli left: its exit status and both outputs."""

    status: int
    out: str
    err: str

    def json(self) -> dict[str, Any]:
        """The output as JSON; empty if it is none."""
        try:
            value = json.loads(self.out)
        except ValueError:
            return {}
        return value if isinstance(value, dict) else {}


def environment(board: Board) -> dict[str, str]:
    """The environment of arduino-cli for a board.

    ``arduino: bundled`` keeps to the harness's own folders and leaves the user's ~/.arduino15
    alone; ``arduino: user`` uses the cores that the user installed there.
    """
    own = {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]),
        "CCACHE_DIR": str(cache_dir() / "ccache"),
        "ARDUINO_UPDATER_ENABLE_NOTIFICATION": "false",
    }
    if board.arduino == "bundled":
        own |= {
            "ARDUINO_DIRECTORIES_DATA": str(arduino_data_dir()),
            "ARDUINO_DIRECTORIES_DOWNLOADS": str(cache_dir() / "arduino" / "downloads"),
            "ARDUINO_DIRECTORIES_USER": str(platform_dir()),
            "ARDUINO_BUILD_CACHE_PATH": str(cache_dir() / "arduino" / "build-cache"),
        }
    return {**os.environ, **own}


def run(board: Board, arguments: Sequence[str], *, timeout: float) -> Ran:
    """Runs arduino-cli in a process group of its own, which is killed at the time limit.

    Raises:
        SetupError: ``toolchain_missing`` if there is no arduino-cli.
        subprocess.TimeoutExpired: it ran longer than ``timeout`` seconds.
    """
    command = [str(find_arduino_cli()), *arguments]
    with interrupts_deferred() as interrupted:
        process = subprocess.Popen(
            command,
            env=environment(board),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,
        )
    try:
        if interrupted:
            raise KeyboardInterrupt
        out, err = process.communicate(timeout=timeout)
    except BaseException:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        raise
    return Ran(process.returncode, out, err)


@lru_cache(maxsize=1)
def version() -> str:
    """The version that arduino-cli gives of itself, such as "1.5.1"."""
    command = [str(find_arduino_cli()), "version", "--format", "json"]
    # Even `version` writes into its data folder: keep it out of the user's ~/.arduino15.
    own = {**os.environ, "ARDUINO_DIRECTORIES_DATA": str(arduino_data_dir())}
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False, env=own)
    try:
        return str(json.loads(done.stdout)["VersionString"])
    except (ValueError, KeyError):
        return done.stdout.strip() or "unknown"


_properties: dict[tuple[str, str], Mapping[str, str]] = {}


def properties(board: Board, sketch: Path) -> Mapping[str, str]:
    """The expanded build properties of a board (platform.txt and boards.txt), read once a run.

    Raises:
        SetupError: ``toolchain_missing`` if no installed core knows the FQBN.
    """
    key = (board.full_fqbn, board.arduino)
    if key not in _properties:
        _properties[key] = _read_properties(board, sketch)
    return _properties[key]


def pattern(board: Board, sketch: Path, name: str) -> str:
    """A build property as platform.txt has it, its own references not filled in; "" if none."""
    return _read_properties(board, sketch, "unexpanded").get(name, "")


def _read_properties(board: Board, sketch: Path, form: str = "expanded") -> Mapping[str, str]:
    arguments = ["compile", "--fqbn", board.full_fqbn, f"--show-properties={form}"]
    arguments += ["--build-path", str(cache_dir() / "arduino" / "properties"), str(sketch)]
    done = run(board, arguments, timeout=60)
    if done.status != 0:
        where = "the user's ~/.arduino15" if board.arduino == "user" else "the virtual bench"
        raise SetupError(
            "toolchain_missing",
            f"no core for {board.full_fqbn} in {where}: {_last_line(done.err)}",
            board=board.id,
            hint="install the core (arduino-cli core install VENDOR:ARCH) or correct fqbn",
        )
    lines = (line.partition("=") for line in done.out.splitlines() if "=" in line)
    return {key: value for key, _, value in lines}


def _last_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip() and "initializing" not in line]
    return lines[-1].strip() if lines else "no message"
