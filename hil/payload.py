"""What all messages of the protocol share: the numbers that stand for things, and parsing.

Parsing is total: a message, or `WireError`.
"""

from __future__ import annotations

import struct
from dataclasses import astuple, dataclass
from enum import IntEnum
from typing import Any, ClassVar, Self, cast

from hil.wire import WireError

UNKNOWN = 0xFFFFFFFF
"""What a device answers for a count that its core cannot tell."""

NO_CLOCK = 0xFFFFFFFFFFFFFFFF
"""What a device without a second clock answers for it."""


class Status(IntEnum):
    """Result of a request."""

    OK = 0
    SCHEMA_MISMATCH = 1
    ALLOCATE_FAILED = 2
    INVOKE_FAILED = 3
    BAD_ARG = 4
    INPUT_CRC = 5
    NOT_LOADED = 6
    ARENA_TOO_SMALL = 7
    MISSING_OP = 8
    MODEL_MISALIGNED = 9
    RESOLVER_FULL = 10
    WRONG_LOAD = 11
    CANNOT_WATCH = 12
    NO_ROOM = 13


class Refusal(IntEnum):
    """Why a frame was not accepted (NAK)."""

    CRC = 1
    TOO_LONG = 2
    VERSION = 3
    SESSION = 4
    UNKNOWN = 5


class Clock(IntEnum):
    """Where ticks come from."""

    NONE = 0
    DWT = 1
    SYSTICK = 2
    MICROS = 3
    EMULATED = 4


class ResetCause(IntEnum):
    """Why the part started last."""

    UNKNOWN = 0
    POWER_ON = 1
    SOFTWARE = 2
    WATCHDOG = 3
    FAULT = 4
    PIN = 5


class CrashCause(IntEnum):
    """What went wrong, in a crash record."""

    UNKNOWN = 0
    HARD_FAULT = 1
    MEM_FAULT = 2
    BUS_FAULT = 3
    USAGE_FAULT = 4
    ABORT = 5
    WATCHDOG = 6
    STACK = 7


DTYPES = {
    1: "float32", 2: "int32", 3: "uint8", 4: "int64", 6: "bool", 7: "int16", 8: "complex64",
    9: "int8", 10: "float16", 11: "float64", 12: "complex128", 13: "uint64", 16: "uint32",
    17: "uint16",
}  # fmt: skip
"""TfLiteType to numpy's name; a type without one is not in it."""


class Reader:
    """Takes fields off a payload; short or surplus bytes raise `WireError`."""

    def __init__(self, payload: bytes) -> None:
        self._left = payload

    @property
    def left(self) -> int:
        """Bytes not taken yet."""
        return len(self._left)

    def take(self, count: int) -> bytes:
        if count > len(self._left):
            raise WireError(f"payload ends {count - len(self._left)} bytes early")
        head, self._left = self._left[:count], self._left[count:]
        return head

    def fixed(self, layout: str) -> tuple[Any, ...]:
        """Fields as `struct` has them, little endian, unpadded."""
        form = struct.Struct("<" + layout)
        return form.unpack(self.take(form.size))

    def text(self) -> str:
        return self.take(self.take(1)[0]).decode(errors="replace")

    @property
    def more(self) -> bool:
        """Whether bytes are left."""
        return bool(self._left)

    def rest(self) -> bytes:
        return self.take(len(self._left))

    def end(self) -> None:
        if self._left:
            raise WireError(f"{len(self._left)} bytes too many in the payload")


def text_field(value: str) -> bytes:
    """A string as the wire has it: its length in one byte, then UTF-8."""
    raw = value.encode()[:255]
    return bytes([len(raw)]) + raw


@dataclass(frozen=True)
class Message:
    """Base: a payload of fixed layout. ``TYPE`` is the type byte, ``LAYOUT`` as in `struct`."""

    TYPE: ClassVar[int]
    LAYOUT: ClassVar[str] = ""

    def pack(self) -> bytes:
        return struct.pack("<" + self.LAYOUT, *astuple(self))

    @classmethod
    def parse(cls, payload: bytes) -> Self:
        """Raises: `WireError` if the payload is not this message."""
        reader = Reader(payload)
        message = cls.read(reader)
        reader.end()
        return message

    @classmethod
    def read(cls, reader: Reader) -> Self:
        return cast(Self, cast(Any, cls)(*reader.fixed(cls.LAYOUT)))
