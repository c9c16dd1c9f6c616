"""A byte pipe to a board: whatever pyserial opens by URL, with errors translated once.

Open: `port_absent`, `board_busy`. While open: `port_lost`. Nothing of pyserial gets past here.
"""

from __future__ import annotations

import errno
import os
import termios
import time
from collections.abc import Callable
from types import TracebackType
from typing import Protocol, Self

import serial
from serial.tools import list_ports
from serial.tools.list_ports_common import ListPortInfo

from hil.errors import BenchError

POLL_S = 0.01
"""Seconds between two looks at whether a port is there."""

_SLICE_S = 0.05
_WRITE_S = 5.0


class Link(Protocol):
    """What a session needs of a pipe. Both methods raise `BenchError` (``port_lost``)."""

    def read(self, deadline: float) -> bytes:
        """What has arrived, at least a byte; b"" if ``deadline`` (time.monotonic) passes first."""

    def write(self, data: bytes) -> None:
        """All of ``data``."""

    def close(self) -> None:
        """Give the port back; again is harmless."""


Opener = Callable[[], Link]
Clock = Callable[[], float]
"""Monotonic seconds."""


def resolve_port(port: str, *, board: str | None = None) -> str:
    """The device path behind ``usb:VID:PID[:SERIAL]`` (hex, any case); other ports unchanged.

    Raises:
        BenchError: ``port_absent``, when none or more than one port matches.
    """
    if not port.lower().startswith("usb:"):
        return port
    found = [each.device for each in list_ports.comports() if _matches(port, each)]
    if len(found) == 1:
        return str(found[0])
    hint = "plug the board in; a port is usb:VID:PID or usb:VID:PID:SERIAL"
    raise BenchError(
        "port_absent",
        f"{len(found)} ports match {port}" + (f": {', '.join(found)}" if found else ""),
        board=board,
        hint="add the serial number: usb:VID:PID:SERIAL" if found else hint,
        numbers={"matches": len(found)},
    )


def _matches(port: str, seen: ListPortInfo) -> bool:
    vid, _, rest = port[len("usb:") :].partition(":")
    pid, _, serial_number = rest.partition(":")
    if seen.vid is None or f"{seen.vid:04x}:{seen.pid:04x}" != f"{vid:0>4}:{pid:0>4}".lower():
        return False
    return not serial_number or seen.serial_number == serial_number


def port_present(port: str) -> bool:
    """Whether the port can be seen now. A URL (socket://…) always can."""
    if "://" in port:
        return True
    try:
        return os.path.exists(resolve_port(port))
    except BenchError:
        return False


def wait_for_port(port: str, present: bool, deadline: float) -> bool:
    """Waits until the port is there (or gone); False if ``deadline`` (monotonic) came first."""
    while port_present(port) is not present:
        if time.monotonic() >= deadline:
            return False
        time.sleep(POLL_S)
    return True


class SerialLink:
    """A `Link` over pyserial. Opens at once; exclusive, so two sessions never share a board.

    DTR and RTS are set before the port opens (USB cores send nothing while DTR is down; adapter
    chips reset a board when the lines change); ports without modem lines ignore them.
    """

    def __init__(self, port: str, baud: int = 115200, *, board: str | None = None) -> None:
        self._port = port
        self._board = board
        self._serial = self._open(resolve_port(port, board=board), baud)

    def _open(self, path: str, baud: int) -> serial.Serial:
        try:
            handle: serial.Serial = serial.serial_for_url(path, do_not_open=True)
            handle.baudrate = baud
            handle.exclusive = True
            handle.timeout = _SLICE_S
            handle.write_timeout = _WRITE_S
            handle.dtr = True
            handle.rts = True
            handle.open()
        except (serial.SerialException, OSError, ValueError, termios.error) as error:
            raise self._not_opened(path, error) from error
        return handle

    def _not_opened(self, path: str, error: Exception) -> BenchError:
        number = getattr(error, "errno", None)
        code, hint = "port_absent", "is the board plugged in and `port:` right in boards.yaml?"
        if number in (errno.EAGAIN, errno.EBUSY):
            code, hint = "board_busy", f"another process holds it: fuser -v {path}"
        elif number in (errno.EACCES, errno.EPERM):
            hint = f"no permission for {path}: add yourself to its group (often dialout)"
        return BenchError(code, f"cannot open {path}: {error}", board=self._board, hint=hint)

    def _lost(self, doing: str, error: Exception) -> BenchError:
        return BenchError(
            "port_lost",
            f"{self._port} went away while {doing}: {error}",
            board=self._board,
            hint="cable, hub, or a reset of the board",
        )

    def read(self, deadline: float) -> bytes:
        try:
            while True:
                head: bytes = self._serial.read(1)
                if head:
                    return head + bytes(self._serial.read(self._serial.in_waiting))
                if time.monotonic() >= deadline:
                    return b""
        except (serial.SerialException, OSError, TypeError) as error:
            raise self._lost("reading", error) from error

    def write(self, data: bytes) -> None:
        try:
            self._serial.write(data)
        except (serial.SerialException, OSError) as error:
            raise self._lost("writing", error) from error

    def close(self) -> None:
        self._serial.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
