"""Joins the machine's line to the port that a host opens.

They are two terminals, because the emulator and the host each open a slave. The port exists while
the firmware has its line open, disappears on upload and reset and comes back, as the port of a
USB board does.
"""

from __future__ import annotations

import os
import select
import termios
import time
from collections.abc import Callable

from hil.virtual.loop import CHANGED, READABLE, Loop
from hil.virtual.places import Place
from hil.virtual.terminal import OpenWatch, Terminal, open_terminal, tell_flushes

BACKLOG = 1 << 20
"""Bytes that wait for a slow reader; what exceeds them is dropped and counted."""

OPENING_S = 0.25
"""Seconds that a host may take to open a port. pyserial's last step throws away what has arrived
until then: a board that waits for DTR would lose its first words, so they are held back."""

_ROUNDS = 32
"""Moves at one go: a board that floods must not keep the launcher from answering."""


class Relay:
    """The two terminals of a board and the bytes between them.

    Args:
        before_open: called before an opening of the line counts, so that the reset that came
            before it is known first.
    """

    def __init__(self, place: Place, loop: Loop, before_open: Callable[[], None]) -> None:
        self.dropped = 0
        self.open = False
        self.unfinished = False
        self._place, self._loop, self._before_open = place, loop, before_open
        self._line: Terminal | None = None
        self._port: Terminal | None = None
        self._line_watch = self._port_watch = -1
        self._to_host = self._to_board = b""
        self._held_until = 0.0
        self._watch = OpenWatch()
        loop.handle(self._watch.descriptor, READABLE, self._terminals_used)

    @property
    def plugged(self) -> bool:
        """Whether the port is there."""
        return self._port is not None

    # --- the line

    def new_line(self) -> str:
        """The path of a fresh terminal for a machine."""
        self.drop_line()
        self._line = open_terminal(polled=True)
        self._line_watch = self._watch.add(self._line.path)
        self._loop.handle(self._line.master, CHANGED, self.pump)
        return self._line.path

    def drop_line(self) -> None:
        if self._line is not None:
            self._loop.forget(self._line.master)
            self._watch.remove(self._line_watch)
            self._line.close()
            self._line = None
        self._to_board = self._to_host = b""

    # --- the port

    def _plug(self) -> None:
        """Makes the port appear, with nothing of the time before in it."""
        self.unplug()
        self._to_host = b""
        self._port = open_terminal(polled=False)
        tell_flushes(self._port)
        self._port_watch = self._watch.add(self._port.path)
        self._loop.handle(self._port.master, CHANGED, self.pump)
        link = self._place.port.with_name(f".{self._place.name}.new")
        link.unlink(missing_ok=True)
        link.symlink_to(self._port.path)
        link.replace(self._place.port)

    def unplug(self) -> None:
        self._place.port.unlink(missing_ok=True)
        self._data_terminal_ready(False)
        if self._port is not None:
            self._loop.forget(self._port.master)
            self._watch.remove(self._port_watch)
            self._port.close()
            self._port = None

    def _terminals_used(self) -> None:
        events = self._watch.events()
        self._before_open()
        for watch, opened in events:
            if watch == self._line_watch and opened and self._line is not None:
                self._plug()
            elif watch == self._port_watch and self._port is not None:
                if not opened:
                    self._data_terminal_ready(False)
                self._data_terminal_ready(not _hung_up(self._port.master))

    def _data_terminal_ready(self, on: bool) -> None:
        """The firmware sees by a file whether a host holds the port open (DTR of a USB board)."""
        self.open = on
        signal_file = self._place.folder / "dtr"
        self._held_until = time.monotonic() + OPENING_S if on else 0.0
        if on:
            signal_file.touch()
        else:
            signal_file.unlink(missing_ok=True)
            self._to_host = b""

    # --- bytes

    def pause(self, longest: float) -> float:
        """Seconds until `resume` has something to do, at most ``longest``."""
        if self.unfinished:
            return 0.0
        left = self._held_until - time.monotonic()
        return min(longest, left) if left > 0 else longest

    def resume(self) -> None:
        """Moves what no descriptor tells of."""
        over = 0 < self._held_until <= time.monotonic()
        if over:
            self._held_until = 0.0
        if over or self.unfinished:
            self.pump()

    def pump(self) -> None:
        """Moves what can be moved, both ways; ``unfinished`` if there may be more."""
        for _ in range(_ROUNDS):
            moved = self._pump_down()  # first: it tells when the host has opened the port
            moved = self._pump_up() or moved
            self.unfinished = moved
            if not moved:
                return

    def _pump_up(self) -> bool:
        data = _read(self._line)
        if data and self.open and len(self._to_host) < BACKLOG:
            self._to_host += data
        elif data and self.open:
            self.dropped += len(data)
        written = 0 if self._held_until else _write(self._port, self._to_host)
        self._to_host = self._to_host[written:]
        return bool(data or written)

    def _pump_down(self) -> bool:
        data = _read(self._port) if len(self._to_board) < BACKLOG else b""
        if data[:1] != b"\0":
            self._host_did(data)
        self._to_board += data[1:]
        written = _write(self._line, self._to_board)
        self._to_board = self._to_board[written:]
        return bool(data or written)

    def _host_did(self, status: bytes) -> None:
        if status and status[0] & termios.TIOCPKT_FLUSHREAD:
            self._held_until = 0.0


def _hung_up(master: int) -> bool:
    """Whether nobody holds the other end open. Events are no count: equal ones are merged."""
    poll = select.poll()
    poll.register(master, 0)
    return any(seen & select.POLLHUP for _, seen in poll.poll(0))


def _read(terminal: Terminal | None) -> bytes:
    try:
        return os.read(terminal.master, 65536) if terminal else b""
    except OSError:  # nothing there (EAGAIN) or nobody at the other end (EIO)
        return b""


def _write(terminal: Terminal | None, data: bytes) -> int:
    try:
        return os.write(terminal.master, data[:65536]) if terminal and data else 0
    except OSError:
        return 0
