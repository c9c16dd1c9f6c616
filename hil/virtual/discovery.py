"""A pluggable discovery, so that ``arduino-cli board list`` shows the virtual boards.

Protocol: Arduino "Pluggable Discovery specification", version 1.
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable
from typing import Any

from hil.virtual.control import running

PROTOCOL = "hil"
_POLL_S = 0.5


def ports() -> list[dict[str, Any]]:
    """The boards that are on, as the specification's port objects."""
    return [
        {
            "address": status["port"],
            "label": status["name"],
            "protocol": PROTOCOL,
            "protocolLabel": "Virtual board (QEMU)",
            "hardwareId": status["unit"],
            "properties": {"machine": status["machine"], "serialNumber": status["unit"]},
        }
        for status in running()
        if status["on"]
    ]


class Discovery:
    """Answers the commands of the specification, one JSON message each."""

    def __init__(self, emit: Callable[[dict[str, Any]], None]) -> None:
        self._emit = emit
        self._stop = threading.Event()

    def handle(self, command: str) -> bool:
        """Answers one command; False after QUIT."""
        word = command.split(" ", 1)[0].upper()
        if word == "HELLO":
            self._emit(_ok("hello", message="OK", protocolVersion=1))
        elif word == "START":
            self._emit(_ok("start"))
        elif word == "STOP":
            self._stop.set()
            self._emit(_ok("stop"))
        elif word == "LIST":
            self._emit({"eventType": "list", "ports": ports()})
        elif word == "START_SYNC":
            self._emit(_ok("start_sync"))
            self._stop.clear()
            threading.Thread(target=self._sync, daemon=True).start()
        elif word == "QUIT":
            self._stop.set()
            self._emit(_ok("quit"))
            return False
        else:
            message = f"Command {word} not supported"
            self._emit({"eventType": "command_error", "error": True, "message": message})
        return True

    def _sync(self) -> None:
        known: dict[str, dict[str, Any]] = {}
        while True:
            now = {port["address"]: port for port in ports()}
            for address in known.keys() - now.keys():
                gone = {"address": address, "protocol": PROTOCOL}
                self._emit({"eventType": "remove", "port": gone})
            for address in now.keys() - known.keys():
                self._emit({"eventType": "add", "port": now[address]})
            known = now
            if self._stop.wait(_POLL_S):
                return


def _ok(event: str, message: str = "OK", **rest: Any) -> dict[str, Any]:
    return {"eventType": event, "message": message, **rest}


def main() -> None:
    lock = threading.Lock()

    def emit(message: dict[str, Any]) -> None:
        with lock:
            print(json.dumps(message), flush=True)

    discovery = Discovery(emit)
    for line in sys.stdin:
        if line.strip() and not discovery.handle(line.strip()):
            return
