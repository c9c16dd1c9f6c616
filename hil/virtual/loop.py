"""One thread, one loop: descriptors and what to do when they can be used."""

from __future__ import annotations

import contextlib
import select
from collections.abc import Callable

READABLE = select.EPOLLIN
CHANGED = select.EPOLLIN | select.EPOLLOUT | select.EPOLLHUP | select.EPOLLET
"""A terminal became readable, writable or lost its other end; told once a change."""


class Loop:
    """Calls handlers; every descriptor is non-blocking, so that none keeps the others waiting."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._handlers: dict[int, Callable[[], None]] = {}

    def handle(self, descriptor: int, events: int, handler: Callable[[], None]) -> None:
        self._handlers[descriptor] = handler
        self._epoll.register(descriptor, events)

    def forget(self, descriptor: int) -> None:
        """No more calls for ``descriptor``; to be said before it is closed."""
        self._handlers.pop(descriptor, None)
        with contextlib.suppress(OSError, ValueError):
            self._epoll.unregister(descriptor)

    def turn(self, timeout: float) -> None:
        """Waits up to ``timeout`` seconds and serves everything that can be served."""
        for descriptor, _ in self._epoll.poll(timeout):
            handler = self._handlers.get(descriptor)
            if handler is not None:
                handler()
