"""The launcher of one virtual board: runs its machine and answers on its control socket.

One thread, one loop; neither a flood that nobody reads nor a stuck core stops it from answering.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import socket
import sys
import time
from pathlib import Path
from typing import Any

from hil.virtual.loop import READABLE, Loop
from hil.virtual.machine import Machine, command_line, core_name, lockup_registers
from hil.virtual.places import Place
from hil.virtual.relay import Relay

_TICK_S = 1.0
_CLIENT_S = 2.0
_MOST_LOCKUPS = 8
"""Lock-ups in a row after which a board stays off."""
_SOON_S = 5.0
"""Seconds within which one has to follow the last start to be in a row with it."""


class Launcher:
    """State and loop of one virtual board; see the module's text."""

    def __init__(self, place: Place, linger: float) -> None:
        self.place = place
        self.linger = linger
        self.machine: Machine | None = None
        self.machine_name = ""
        self.last_use = time.monotonic()
        self.last_words = ""
        self.lockups = 0
        self.started = 0.0
        self.running = True
        self.owner = -1  # descriptor of the process that the board ends with
        self.loop = Loop()
        self.relay = Relay(place, self.loop, self._monitor)
        self.server = self._listen()
        self.loop.handle(self.server.fileno(), READABLE, self._serve)

    def run(self) -> None:
        try:
            while self.running:
                self.loop.turn(self.relay.pause(_TICK_S))
                self.relay.resume()
                self._linger_over()
        finally:
            self._power_off()
            self.server.close()
            with contextlib.suppress(FileNotFoundError):
                (self.place.folder / "control").unlink()

    def _linger_over(self) -> None:
        if self.relay.open:
            self.last_use = time.monotonic()
        if time.monotonic() - self.last_use > self.linger:
            self.running = False

    # --- the machine

    def power_on(self, image: Path, machine: str) -> None:
        """Restarts the machine with a new image: RAM is lost, as at power-on."""
        copy = self.place.folder / "image.new"
        shutil.copyfile(image, copy)
        self._power_off()
        copy.replace(self.place.image)
        self.machine_name = machine
        self.lockups = 0
        self._start()
        self.last_words = ""

    def _start(self, lockup: str = "") -> None:
        line, name = self.relay.new_line(), self.machine_name
        unit, core = self.unit, core_name(name)
        self.started = time.monotonic()
        self.machine = Machine(
            lambda monitor: command_line(name, self.place.image, unit, line, monitor, core, lockup),
            self.place.folder,
        )
        self.loop.handle(self.machine.monitor.fileno(), READABLE, self._monitor)
        self.loop.handle(self.machine.ended, READABLE, self._machine_ended)

    @property
    def unit(self) -> str:
        """The serial number of the board: stable for its name and place."""
        return hashlib.sha256(str(self.place.port).encode()).hexdigest()[:16].upper()

    def _power_off(self) -> None:
        self.relay.unplug()
        if self.machine is not None:
            self._forget(self.machine)
            self.last_words = self.machine.stop()
            self.machine = None
        self.relay.drop_line()

    def _forget(self, machine: Machine) -> None:
        self.loop.forget(machine.monitor.fileno())
        self.loop.forget(machine.ended)

    def _machine_ended(self) -> None:
        machine, self.machine = self.machine, None
        if machine is None:
            return
        self._forget(machine)
        self.relay.unplug()
        status, text = machine.collect()
        registers = lockup_registers(text)
        what = "the emulator ended" if registers is None else "the core locked up"
        self.last_words = f"{what}: status {status}: {text[-400:]}"
        print(self.last_words, flush=True)
        self.relay.drop_line()
        if registers is not None:
            self._after_lockup(registers)

    def _after_lockup(self, registers: str) -> None:
        """A part that locks up is reset by its watchdog. This one is switched on again and told
        what happened; one that does nothing but lock up stays off."""
        soon = time.monotonic() - self.started < _SOON_S
        self.lockups = self.lockups + 1 if soon else 1
        if self.lockups <= _MOST_LOCKUPS:
            self._start(f"{registers}{self.lockups:08x}")

    def _monitor(self) -> None:
        if self.machine is not None and "RESET" in self.machine.events():
            self.relay.unplug()

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
            connection.settimeout(_CLIENT_S)
            try:
                request = json.loads(connection.makefile().readline())
                answer = self._answer(request)
            except (OSError, ValueError, KeyError) as error:
                answer = {"error": f"{type(error).__name__}: {error}"}
            with contextlib.suppress(OSError):
                connection.sendall(json.dumps(answer).encode() + b"\n")

    def _answer(self, request: dict[str, Any]) -> dict[str, Any]:
        operation = request["op"]
        if operation == "status":
            return self.status()
        self.last_use = time.monotonic()
        if operation == "flash":
            self._flash(request)
        elif operation == "stop":
            self.running = False
        elif self.machine is None:
            return {"error": f"cannot {operation}: the board is off. {self.last_words}".strip()}
        elif operation == "reset":
            self.relay.unplug()
            self.machine.send("system_reset")
        elif operation == "halt":
            self.machine.send("stop")
        elif operation == "gdb":
            server = f"gdbserver tcp:127.0.0.1:{int(request['port'])}"
            self.machine.send("human-monitor-command", **{"command-line": server})
        else:
            return {"error": f"unknown request {operation}"}
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
            "plugged": self.relay.plugged,
            "open": self.relay.open,
            "dropped": self.relay.dropped,
            "last_words": self.last_words,
        }

    def _flash(self, request: dict[str, Any]) -> None:
        self.linger = float(request["linger"])
        self._own(request["owner"])
        self.power_on(Path(request["image"]), str(request["machine"]))

    def _own(self, owner: int | None) -> None:
        """Ends with the process ``owner``; whoever flashes last decides."""
        descriptor = os.pidfd_open(owner) if owner else -1
        if self.owner >= 0:
            self.loop.forget(self.owner)
            os.close(self.owner)
        self.owner = descriptor
        if descriptor >= 0:
            self.loop.handle(descriptor, READABLE, self._owner_ended)

    def _owner_ended(self) -> None:
        self.running = False


def main(port: str, linger: float) -> None:
    """Runs the launcher of the board at ``port`` until it is stopped."""
    place = Place(Path(port))
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    Launcher(place, linger).run()
