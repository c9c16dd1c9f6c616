"""The serial monitor: a board that speaks plain text, as a person at the terminal sees it."""

from __future__ import annotations

import re
import threading
import time
from codecs import getincrementaldecoder
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TextIO

from hil.claim import Claim
from hil.errors import BenchError, ProductError
from hil.firmware import Firmware
from hil.flash import upload
from hil.inventory import Board
from hil.link import Link, SerialLink, wait_for_port

KEEP = 64 * 1024
"""Characters of text that are kept, the last ones."""

OPEN_S = 10.0

SETTLE_S = 0.1
"""Seconds of silence after which text counts as whole though no line ended."""


class Monitor:
    """Text from and to a board. ``text`` is everything printed so far."""

    def __init__(self, link: Link, board: str) -> None:
        self._link = link
        self._board = board
        self._seen = 0
        self._decoder = getincrementaldecoder("utf-8")(errors="replace")
        self.text = ""

    def send(self, text: str) -> None:
        """Sends text as UTF-8, exactly as given.

        Raises:
            BenchError: port_lost.
        """
        self._link.write(text.encode())

    def read(self, timeout: float = 0.5) -> str:
        """What is printed next; "" if nothing is within ``timeout`` seconds.

        Raises:
            BenchError: port_lost.
        """
        return self._take(self._link.read(time.monotonic() + timeout))

    def expect(self, pattern: str, timeout: float = 10.0) -> re.Match[str]:
        """Waits until ``pattern`` (a regular expression) appears in text not matched before.

        Raises:
            ProductError: ``assertion`` if it does not appear within ``timeout`` seconds; the
                message holds everything printed so far.
            BenchError: port_lost.
        """
        wanted = re.compile(pattern)
        deadline = time.monotonic() + timeout
        while True:
            match = wanted.search(self.text, self._seen)
            if match is None:
                data = self._link.read(deadline)
                if not data:
                    raise self._missed(pattern, timeout)
                self._take(data)
            elif time.monotonic() > deadline or not self._grows(match):
                self._seen = match.end()
                return match

    def _grows(self, match: re.Match[str]) -> bool:
        """Whether more arrives for a match that ends where the text ends: the first half of
        ``0.0054`` is a number too."""
        if match.end() < len(self.text):
            return False
        with suppress(BenchError):  # what was printed before the port went away counts
            return bool(self.read(SETTLE_S))
        return False

    def _take(self, data: bytes) -> str:
        new = self._decoder.decode(data)
        self.text += new
        surplus = len(self.text) - KEEP
        if surplus > 0:
            self.text = self.text[surplus:]
            self._seen = max(0, self._seen - surplus)
        return new

    def _missed(self, pattern: str, timeout: float) -> ProductError:
        printed = self.text.rstrip() or "(nothing)"
        return ProductError(
            "assertion",
            f"{pattern!r} was not printed within {timeout:g} s; printed so far:\n{printed}",
            board=self._board,
            numbers={"waited_s": timeout, "characters": len(self.text)},
        )


def talk(opened: Monitor, source: TextIO, sink: TextIO) -> None:
    """Copies text both ways, line by line towards the board, until Ctrl-C or the port is gone.

    Raises:
        BenchError: port_lost.
    """
    threading.Thread(target=_send_lines, args=(opened, source), daemon=True).start()
    with suppress(KeyboardInterrupt):
        while True:
            sink.write(opened.read())
            sink.flush()


def _send_lines(opened: Monitor, source: TextIO) -> None:
    for line in source:
        opened.send(line)


@contextmanager
def open_monitor(board: Board, firmware: Firmware | None) -> Iterator[Monitor]:
    """A monitor on the board's port, freshly flashed if a firmware is given.

    Raises:
        BenchError: board_busy, flash_failed, port_absent.
    """
    with Claim(board):
        if firmware is not None:
            upload(board, firmware)
        if not wait_for_port(board.port, True, time.monotonic() + OPEN_S):
            raise BenchError(
                "port_absent",
                f"{board.port} is not there",
                board=board.id,
                hint="plug the board in, or flash it first",
            )
        with SerialLink(board.port, board.baud, board=board.id) as link:
            yield Monitor(link, board.id)
