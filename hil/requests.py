"""What the host asks of a device; `hil.replies` has the answers."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Self

from hil.payload import Message, Reader


@dataclass(frozen=True)
class Hello(Message):
    """Opens a session; ``nonce`` (not 0) becomes its name."""

    TYPE = 0x01
    LAYOUT = "I"
    nonce: int


LOAD_WATCHED = 1
"""Flag of a load whose ops can be looked at; its runs are no inferences."""


@dataclass(frozen=True)
class Load(Message):
    """Build the interpreter in ``arena_size`` bytes (0: all), prefilled with ``fill``; with the
    flag `LOAD_WATCHED`, for `hil.op_messages`."""

    TYPE = 0x02
    LAYOUT = "IBB"
    arena_size: int
    fill: int = 0
    flags: int = 0


@dataclass(frozen=True)
class AskTensor(Message):
    """Describe input (``output`` 0) or output (1) number ``index``."""

    TYPE = 0x03
    LAYOUT = "BB"
    output: int
    index: int


@dataclass(frozen=True)
class Write(Message):
    """Bytes into input ``index`` at ``offset``."""

    TYPE = 0x04
    LAYOUT = "BI"
    index: int
    offset: int
    data: bytes

    def pack(self) -> bytes:
        return struct.pack("<BI", self.index, self.offset) + self.data

    @classmethod
    def read(cls, reader: Reader) -> Self:
        index, offset = reader.fixed(cls.LAYOUT)
        return cls(index, offset, reader.rest())


@dataclass(frozen=True)
class Invoke(Message):
    """Run, if the inputs have this CRC-32 (all inputs, one after the other).

    More than one of ``invokes`` (at most 65,535) run back to back, on the same inputs, and are
    timed as one.
    """

    TYPE = 0x05
    LAYOUT = "IH"
    input_crc: int
    invokes: int = 1


@dataclass(frozen=True)
class Read(Message):
    """Bytes of output ``index``; at most the device's ``tx_max``."""

    TYPE = 0x06
    LAYOUT = "BII"
    index: int
    offset: int
    length: int


@dataclass(frozen=True)
class AskStats(Message):
    """``repaint`` 1: the most stack used counts anew from here on, after this answer."""

    TYPE = 0x07
    LAYOUT = "B"
    repaint: int = 0


@dataclass(frozen=True)
class Reset(Message):
    TYPE = 0x08


@dataclass(frozen=True)
class Ping(Message):
    TYPE = 0x09
    LAYOUT = "I"
    value: int


@dataclass(frozen=True)
class AskCrash(Message):
    TYPE = 0x0A


PLAIN_REQUESTS = (Hello, Load, AskTensor, Write, Invoke, Read, AskStats, Reset, Ping, AskCrash)
