"""A line between board and host that can be spoiled."""

from __future__ import annotations

import os
import selectors
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

Spoil = Callable[[bytes], bytes]

SHORTEST = 12
"""Bytes of the shortest frame; a device writes the zeros around a frame by themselves."""


@dataclass
class Relay:
    """A TCP server in front of a board's port that spoils what passes, as a bad cable does.

    ``to_board`` and ``to_host`` get each piece of bytes and return what arrives.
    """

    port: Path
    to_board: Spoil = lambda data: data  # noqa: E731
    to_host: Spoil = lambda data: data  # noqa: E731

    @property
    def url(self) -> str:
        return f"socket://127.0.0.1:{self._server.getsockname()[1]}"

    def __enter__(self) -> Self:
        self._server = socket.create_server(("127.0.0.1", 0))
        self._stop, self._stopped = socket.socketpair()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.close()
        self._thread.join()
        self._server.close()
        self._stopped.close()

    def _serve(self) -> None:
        watch = selectors.DefaultSelector()
        watch.register(self._stopped, selectors.EVENT_READ)
        watch.register(self._server, selectors.EVENT_READ)
        while all(key.fileobj is not self._stopped for key, _ in watch.select()):
            host, _ = self._server.accept()
            with host:
                if self._join(host):
                    return

    def _join(self, host: socket.socket) -> bool:
        """Carries bytes until the host leaves; True if the relay is to stop."""
        board = os.open(self.port, os.O_RDWR | os.O_NOCTTY)
        watch = selectors.DefaultSelector()
        for place in (self._stopped, host, board):
            watch.register(place, selectors.EVENT_READ)
        try:
            while True:
                for key, _ in watch.select():
                    if key.fileobj is self._stopped:
                        return True
                    if key.fileobj is host:
                        data = host.recv(4096)
                        if not data:
                            return False
                        os.write(board, self.to_board(data))
                    else:
                        host.sendall(self.to_host(os.read(board, 4096)))
        except OSError:
            return False
        finally:
            os.close(board)
            watch.close()


def damage(data: bytes) -> bytes:
    """One byte of a frame changed; the zeros at its ends stay."""
    if len(data) < SHORTEST:
        return data
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 0x55 or 0x01]) + data[middle + 1 :]


@dataclass
class Nth:
    """Lets everything pass but the ``number``-th piece that can hold a frame, counted from 0."""

    number: int
    change: Spoil
    seen: int = 0

    def __call__(self, data: bytes) -> bytes:
        self.seen += len(data) >= SHORTEST
        if len(data) < SHORTEST:
            return data
        return self.change(data) if self.seen == self.number + 1 else data
