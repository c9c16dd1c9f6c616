"""The launcher of one virtual board: runs its machine and joins its line to the port.

The machine's line and the port are two terminals, because the emulator and the host each open
a slave. The port exists while the firmware has its line open, disappears on upload and reset and
comes back, as the port of a USB board does. One thread, one loop; every descriptor non-blocking,
so that neither a flood that nobody reads nor a stuck core stops the launcher from answering.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import select
import shutil
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hil.virtual.machine import Machine, command_line, lockup
from hil.virtual.places import Place
from hil.virtual.terminal import OpenWatch, Terminal, open_terminal

BACKLOG = 1 << 20
"""Bytes that wait for a slow reader; what exceeds them is dropped and counted."""

_READ = select.EPOLLIN | select.EPOLLOUT | select.EPOLLHUP | select.EPOLLET


class Launcher:
    """State and loop of one virtual board; see the module's text."""

    def __init__(self, place: Place, linger: float) -> None:
        self.place = place
        self.linger = linger
        self.machine: Machine | None = None
        self.machine_name = ""
        self.line: Terminal | None = None
        self.port: Terminal | None = None
        self.line_watch = self.port_watch = -1
        self.to_host = b""
        self.to_board = b""
        self.dropped = 0
        self.hosts = 0
        self.last_use = time.monotonic()
        self.last_words = ""
        self.running = True
        self.watch = OpenWatch()
        self.epoll = select.epoll()
        self.handlers: dict[int, Callable[[], None]] = {}
        self.server = self._listen()
        self._handle(self.server.fileno(), select.EPOLLIN, self._serve)
        self._handle(self.watch.descriptor, select.EPOLLIN, self._terminals_used)

    # --- the loop

    def run(self) -> None:
        try:
            while self.running:
                for descriptor, _ in self.epoll.poll(1.0):
                    handler = self.handlers.get(descriptor)
                    if handler is not None:
                        handler()
                self._linger_over()
        finally:
            self._power_off()
            self.server.close()
            with contextlib.suppress(FileNotFoundError):
                (self.place.folder / "control").unlink()

    def _handle(self, descriptor: int, events: int, handler: Callable[[], None]) -> None:
        self.handlers[descriptor] = handler
        self.epoll.register(descriptor, events)

    def _forget(self, descriptor: int) -> None:
        self.handlers.pop(descriptor, None)
        with contextlib.suppress(OSError, ValueError):
            self.epoll.unregister(descriptor)

    def _linger_over(self) -> None:
        if self.hosts > 0:
            self.last_use = time.monotonic()
        if time.monotonic() - self.last_use > self.linger:
            self.running = False

    # --- the machine

    def power_on(self, image: Path, machine: str) -> None:
        """Restarts the machine with a new image: RAM is lost, as at power-on."""
        self._power_off()
        copy = self.place.folder / "image.new"
        shutil.copyfile(image, copy)
        copy.replace(self.place.image)
        self.machine_name = machine
        self.line = open_terminal(polled=True)
        self.line_watch = self.watch.add(self.line.path)
        self._handle(self.line.master, _READ, self._pump)
        line = self.line.path
        self.machine = Machine(
            lambda monitor: command_line(machine, self.place.image, self.unit, line, monitor),
            self.place.folder,
        )
        self._handle(self.machine.monitor.fileno(), select.EPOLLIN, self._monitor)
        self._handle(self.machine.ended, select.EPOLLIN, self._machine_ended)
        self.last_words = ""

    @property
    def unit(self) -> str:
        """The serial number of the board: stable for its name and place."""
        return hashlib.sha256(str(self.place.port).encode()).hexdigest()[:16].upper()

    def _power_off(self) -> None:
        self._unplug()
        if self.machine is not None:
            self._forget(self.machine.monitor.fileno())
            self._forget(self.machine.ended)
            self.last_words = self.machine.stop()
            self.machine = None
        self._drop_line()

    def _drop_line(self) -> None:
        if self.line is not None:
            self._forget(self.line.master)
            self.watch.remove(self.line_watch)
            self.line.close()
            self.line = None
        self.to_board = self.to_host = b""

    def _machine_ended(self) -> None:
        machine, self.machine = self.machine, None
        if machine is None:
            return
        self._forget(machine.monitor.fileno())
        self._forget(machine.ended)
        self._unplug()
        status, text = machine.collect()
        what = "the core locked up in its fault handler" if lockup(text) else "the emulator ended"
        self.last_words = f"{what}: status {status}: {text[-400:]}"
        print(self.last_words, flush=True)
        self._drop_line()

    def _monitor(self) -> None:
        if self.machine is not None and "RESET" in self.machine.events():
            self._unplug()

    # --- the terminals

    def _plug(self) -> None:
        """Makes the port appear, with nothing of the time before in it."""
        self._unplug()
        self.to_host = b""
        self.port = open_terminal(polled=False)
        self.port_watch = self.watch.add(self.port.path)
        self._handle(self.port.master, _READ, self._pump)
        link = self.place.port.with_name(f".{self.place.name}.new")
        link.unlink(missing_ok=True)
        link.symlink_to(self.port.path)
        link.replace(self.place.port)

    def _unplug(self) -> None:
        self.place.port.unlink(missing_ok=True)
        self._data_terminal_ready(0)
        if self.port is not None:
            self._forget(self.port.master)
            self.watch.remove(self.port_watch)
            self.port.close()
            self.port = None

    def _terminals_used(self) -> None:
        for watch, opened in self.watch.events():
            if watch == self.line_watch and opened and self.line is not None:
                self._plug()
            elif watch == self.port_watch and self.port is not None:
                self._data_terminal_ready(self.hosts + (1 if opened else -1))

    def _data_terminal_ready(self, hosts: int) -> None:
        """The firmware sees by a file whether a host holds the port open (DTR of a USB board)."""
        self.hosts = max(0, hosts)
        signal_file = self.place.folder / "dtr"
        if self.hosts:
            signal_file.touch()
        else:
            signal_file.unlink(missing_ok=True)
            self.to_host = b""

    def _pump(self) -> None:
        """Moves what can be moved, both ways, until nothing can."""
        moved = True
        while moved and self.line is not None:
            moved = self._pump_up()
            moved = self._pump_down() or moved

    def _pump_up(self) -> bool:
        assert self.line is not None
        data = _read(self.line.master)
        if data and self.hosts and len(self.to_host) < BACKLOG:
            self.to_host += data
        elif data:
            self.dropped += len(data) if self.hosts else 0
        if self.port is None or not self.to_host:
            return bool(data)
        written = _write(self.port.master, self.to_host)
        self.to_host = self.to_host[written:]
        return bool(data or written)

    def _pump_down(self) -> bool:
        assert self.line is not None
        data = b""
        if self.port is not None and len(self.to_board) < BACKLOG:
            data = _read(self.port.master)
            self.to_board += data
        written = _write(self.line.master, self.to_board) if self.to_board else 0
        self.to_board = self.to_board[written:]
        return bool(data or written)

    # --- the control socket

    def _listen(self) -> socket.socket:
        server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        folder = self.place.open_folder()
        try:
            (self.place.folder / "control").unlink(missing_ok=True)
            server.bind(self.place.socket_address(folder))
        finally:
            os.close(folder)
        server.listen(8)
        return server

    def _serve(self) -> None:
        connection, _ = self.server.accept()
        with connection:
            connection.settimeout(2.0)
            try:
                request = json.loads(connection.makefile().readline())
                answer = self._answer(request)
            except (OSError, ValueError, KeyError) as error:
                answer = {"error": f"{type(error).__name__}: {error}"}
            with contextlib.suppress(OSError):
                connection.sendall(json.dumps(answer).encode() + b"\n")

    def _answer(self, request: dict[str, Any]) -> dict[str, Any]:
        self.last_use = time.monotonic()
        operation = request["op"]
        if operation == "flash":
            self._own(request.get("owner"))
            self.power_on(Path(request["image"]), str(request["machine"]))
        elif operation == "reset" and self.machine is not None:
            self._unplug()
            self.machine.send("system_reset")
        elif operation == "gdb" and self.machine is not None:
            self.machine.send(
                "human-monitor-command",
                **{"command-line": f"gdbserver tcp:127.0.0.1:{int(request['port'])}"},
            )
        elif operation == "stop":
            self.running = False
        elif operation != "status":
            return {"error": f"cannot {operation}: the board is off. {self.last_words}".strip()}
        return self.status()

    def status(self) -> dict[str, Any]:
        return {
            "name": self.place.name,
            "port": str(self.place.port),
            "machine": self.machine_name,
            "unit": self.unit,
            "on": self.machine is not None,
            "qemu": self.machine.process.pid if self.machine else None,
            "pid": os.getpid(),
            "plugged": self.port is not None,
            "hosts": self.hosts,
            "dropped": self.dropped,
            "last_words": self.last_words,
        }

    def _own(self, owner: int | None) -> None:
        if owner is None:
            return
        descriptor = os.pidfd_open(owner)
        self._handle(descriptor, select.EPOLLIN, self._owner_ended)

    def _owner_ended(self) -> None:
        self.running = False


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 65536)
    except OSError:  # nothing there (EAGAIN) or nobody at the other end (EIO)
        return b""


def _write(descriptor: int, data: bytes) -> int:
    try:
        return os.write(descriptor, data[:65536])
    except OSError:
        return 0


def main(port: str, linger: float) -> None:
    """Runs the launcher of the board at ``port`` until it is stopped."""
    place = Place(Path(port))
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    Launcher(place, linger).run()
