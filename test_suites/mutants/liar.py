"""Between host and board: frames that are changed and made whole again, as lying firmware would
send them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar, cast

from hil import messages as m
from hil.wire import Frame, WireError, decode, encode

Told = TypeVar("Told", bound=m.Message)
Change = Callable[[Frame], Frame]


@dataclass
class Liar:
    """Changes the frames of one direction; text and damage pass as they are.

    ``changed`` counts frames that left otherwise than they came.
    """

    change: Change
    changed: int = 0
    _rest: bytes = b""

    def __call__(self, data: bytes) -> bytes:
        *closed, self._rest = (self._rest + data).split(b"\0")
        return b"".join(self._segment(segment) + b"\0" for segment in closed)

    def _segment(self, segment: bytes) -> bytes:
        try:
            frame = decode(segment)
        except WireError:
            return segment
        other = encode(self.change(frame))[1:-1]
        self.changed += other != segment
        return other


def rewrites(kind: type[Told], change: Callable[[Told], m.Message]) -> Callable[[], Change]:
    """A change of one kind of message."""

    def apply(frame: Frame) -> Frame:
        if frame.type != kind.TYPE:
            return frame
        told = change(cast(Told, m.parse(frame.type, frame.payload)))
        return replace(frame, payload=told.pack())

    return lambda: apply


def replays(kind: type[m.Message], forge: Callable[[Frame, Frame], Frame]) -> Callable[[], Change]:
    """Answers of one kind from what passed before: ``forge(old, new)`` is what is sent."""

    def make() -> Change:
        kept: list[Frame] = []

        def apply(frame: Frame) -> Frame:
            if frame.type != kind.TYPE:
                return frame
            kept.append(frame)
            return forge(kept[0], frame) if len(kept) > 1 else frame

        return apply

    return make
