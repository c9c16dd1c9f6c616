"""Pseudo-terminals that carry bytes as they are, and a watch on who opens them."""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import struct
import termios
import tty
from dataclasses import dataclass

IN_CLOSE_WRITE = 0x008
IN_CLOSE_NOWRITE = 0x010
IN_OPEN = 0x020
_EVENT = struct.Struct("iIII")  # struct inotify_event without its name


@dataclass
class Terminal:
    """A raw PTY; ``master`` is non-blocking, ``slave`` is kept open only where one is given."""

    master: int
    path: str
    slave: int | None = None

    def close(self) -> None:
        for descriptor in (self.master, self.slave):
            if descriptor is not None:
                os.close(descriptor)


def tell_flushes(terminal: Terminal) -> None:
    """Every read of the master starts with a byte: 0 before data, else what the host did with the
    slave, such as ``TIOCPKT_FLUSHREAD`` (ioctl_tty(2), packet mode)."""
    fcntl.ioctl(terminal.master, termios.TIOCPKT, struct.pack("i", 1))


def open_terminal(*, polled: bool) -> Terminal:
    """Opens a raw terminal.

    Args:
        polled: reads of the slave return at once (VMIN = VTIME = 0) and the settings are held by
            an open slave. An emulated core would otherwise stop with its clock in a read.
    """
    master, slave = os.openpty()
    for descriptor in (master, slave):
        os.set_inheritable(descriptor, False)
    tty.setraw(slave)
    os.set_blocking(master, False)
    path = os.ttyname(slave)
    if not polled:
        os.close(slave)
        return Terminal(master, path)
    attributes = termios.tcgetattr(slave)
    attributes[6][termios.VMIN] = 0
    attributes[6][termios.VTIME] = 0
    termios.tcsetattr(slave, termios.TCSANOW, attributes)
    return Terminal(master, path, slave)


class OpenWatch:
    """Tells when a terminal is opened and closed, by inotify(7)."""

    def __init__(self) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        self.descriptor: int = self._libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if self.descriptor < 0:
            raise OSError(ctypes.get_errno(), "inotify_init1")

    def add(self, path: str) -> int:
        events = IN_OPEN | IN_CLOSE_WRITE | IN_CLOSE_NOWRITE
        watch: int = self._libc.inotify_add_watch(self.descriptor, path.encode(), events)
        if watch < 0:
            raise OSError(ctypes.get_errno(), f"inotify_add_watch {path}")
        return watch

    def remove(self, watch: int) -> None:
        self._libc.inotify_rm_watch(self.descriptor, watch)

    def events(self) -> list[tuple[int, bool]]:
        """Pairs of watch and whether the terminal was opened (True) or closed (False)."""
        found: list[tuple[int, bool]] = []
        with contextlib.suppress(BlockingIOError):
            data = os.read(self.descriptor, 65536)
            at = 0
            while at < len(data):
                watch, mask, _, name = _EVENT.unpack_from(data, at)
                at += _EVENT.size + name
                if mask & (IN_OPEN | IN_CLOSE_WRITE | IN_CLOSE_NOWRITE):
                    found.append((watch, bool(mask & IN_OPEN)))
        return found
