"""Talking to launchers: start one, flash, reset, stop, ask."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import select
import shlex
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hil.paths import run_dir
from hil.virtual.places import Place

LINGER_S = 1800.0
"""A board that no host has open for this long switches itself off (``$HIL_VIRTUAL_LINGER``)."""

_START_S = 10.0


class LauncherError(RuntimeError):
    """The launcher of a virtual board is absent or refused a request."""


class UnknownBoardError(LauncherError):
    """A name that no virtual board of this bench has."""


def linger() -> float:
    """Seconds after which an unused board switches itself off."""
    return _number("HIL_VIRTUAL_LINGER") or LINGER_S


def owner() -> int | None:
    """The process that a board ends with: ``$HIL_VIRTUAL_OWNER``; None: it outlives the run."""
    number = _number("HIL_VIRTUAL_OWNER")
    if number and not Path(f"/proc/{number:.0f}").exists():
        raise LauncherError(f"HIL_VIRTUAL_OWNER: there is no process {number:.0f}")
    return int(number) if number else None


def _number(variable: str) -> float:
    text = os.environ.get(variable) or "0"
    try:
        return float(text)
    except ValueError as error:
        raise LauncherError(f"{variable} is no number: {text!r}") from error


def place_of(name: str) -> Place:
    """The place of a board of this bench, on or off, by its name or its port.

    Raises:
        UnknownBoardError: there is none; names those that are there.
    """
    place = Place(Path(name) if "/" in name else run_dir() / "ports" / name)
    if not place.folder.is_dir():
        folder = run_dir() / "boards"
        names = ", ".join(sorted(each.name for each in folder.glob("*"))) or "none"
        raise UnknownBoardError(f"no virtual board is called {name!r} (there are: {names})")
    return place


def request(place: Place, operation: str, **arguments: Any) -> dict[str, Any]:
    """Sends one request and returns the board's status.

    Raises:
        LauncherError: no launcher runs, or it refused.
    """
    try:
        answer = _exchange(place, {"op": operation, **arguments})
    except (OSError, ValueError) as error:
        raise LauncherError(f"virtual board {place.name} is not running") from error
    if "error" in answer:
        raise LauncherError(f"virtual board {place.name}: {answer['error']}")
    return answer


def _exchange(place: Place, message: dict[str, Any]) -> dict[str, Any]:
    folder = place.open_folder()
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(20.0)
            connection.connect(place.socket_address(folder))
            connection.sendall(json.dumps(message).encode() + b"\n")
            answer: dict[str, Any] = json.loads(connection.makefile().readline())
            return answer
    finally:
        os.close(folder)


@contextlib.contextmanager
def _only_one(place: Place) -> Iterator[None]:
    place.prepare()
    with open(place.folder / "start.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def ensure_running(place: Place) -> None:
    """Starts the launcher of a board unless it runs.

    Raises:
        LauncherError: it did not answer within 10 s; its log says why.
    """
    with _only_one(place):
        with contextlib.suppress(LauncherError):
            request(place, "status")
            return
        process = _spawn(place)
        deadline = time.monotonic() + _START_S
        while time.monotonic() < deadline and process.poll() is None:
            with contextlib.suppress(LauncherError):
                request(place, "status")
                return
            time.sleep(0.005)
        tail = place.log.read_text(errors="replace")[-400:]
        raise LauncherError(f"virtual board {place.name}: launcher did not start: {tail}")


def _spawn(place: Place) -> subprocess.Popen[bytes]:
    package = str(Path(__file__).resolve().parents[2])
    with open(place.log, "wb") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "hil.virtual", "launch", "--port", str(place.port)]
            + ["--linger", str(linger())],
            env={**os.environ, "PYTHONPATH": package},
            cwd=place.folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def flash(place: Place, image: Path, machine: str) -> dict[str, Any]:
    """Powers the board on with a new image; the port appears when the firmware opens its line."""
    policy = {"owner": owner(), "linger": linger()}
    ensure_running(place)
    return request(place, "flash", image=str(image.resolve()), machine=machine, **policy)


def open_server(place: Place) -> str:
    """Opens a gdb server on a free port of a running board: "127.0.0.1:PORT".

    Raises:
        LauncherError: the board is off.
    """
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    request(place, "gdb", port=port)
    return f"127.0.0.1:{port}"


def halt(place: Place) -> None:
    """Stops a board's clock, and all with it, until a debugger lets it run.

    Raises:
        LauncherError: the board is off.
    """
    request(place, "halt")


def open_gdb(name: str) -> str:
    """Opens a gdb server of a running board; the command that attaches to it.

    Raises:
        LauncherError: the board is off.
    """
    place = place_of(name)
    server = open_server(place)
    attach = ["gdb-multiarch", "-ex", f"target remote {server}", str(place.image)]
    return shlex.join(attach)


def stop(place: Place) -> bool:
    """Switches a board off; False where it was off already. Returns when its processes are gone."""
    try:
        status = request(place, "status")
        watched = os.pidfd_open(status["pid"])
    except (LauncherError, ProcessLookupError):
        return False
    try:
        with contextlib.suppress(LauncherError):
            request(place, "stop")
        _wait_readable(watched, 10.0)
    finally:
        os.close(watched)
    return True


def _wait_readable(descriptor: int, seconds: float) -> None:
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    poll.poll(seconds * 1000)


def running(run: Path | None = None) -> list[dict[str, Any]]:
    """Status of every virtual board of this user that is on."""
    folder = run or run_dir()
    found = []
    for board in sorted((folder / "boards").glob("*/control")):
        with contextlib.suppress(LauncherError):
            found.append(request(Place(folder / "ports" / board.parent.name), "status"))
    return found
