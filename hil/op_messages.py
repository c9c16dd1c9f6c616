"""Messages about single ops: a run on a watched load, what each op did, and one op's output."""

from __future__ import annotations

import struct
from dataclasses import astuple, dataclass
from typing import Self

from hil.payload import Message, Reader

WATCH_ALL = 0xFFFF
"""``stop_after`` of a run to the end."""


@dataclass(frozen=True)
class Watch(Message):
    """Run a watched load once, if the inputs have this CRC-32; never an inference.

    Outputs of ops from number ``first`` on are kept, with their CRC-32 unless ``crcs`` is 0;
    the run ends after op ``stop_after``. Ops are counted in the order of running.
    """

    TYPE = 0x0B
    LAYOUT = "IHHB"
    input_crc: int
    first: int = 0
    stop_after: int = WATCH_ALL
    crcs: int = 1


@dataclass(frozen=True)
class AskOps(Message):
    """What the last `Watch` kept."""

    TYPE = 0x0C


@dataclass(frozen=True)
class Tap(Message):
    """Bytes of output ``index`` of the op that the run stopped after; at most ``tx_max``."""

    TYPE = 0x0D
    LAYOUT = "BII"
    index: int
    offset: int
    length: int


@dataclass(frozen=True)
class Watched(Message):
    """Outcome of `Watch`. ``output_crc`` is 0 of a run that was stopped; ``ticks`` are around
    all of it, looking included; ``ops`` ran and ``kept`` outputs are there; the clock itself
    counts ``empty_ticks`` over nothing."""

    TYPE = 0x8B
    LAYOUT = "HIIQHHI"
    status: int
    input_crc: int
    output_crc: int
    ticks: int
    ops: int
    kept: int
    empty_ticks: int


@dataclass(frozen=True)
class SeenOutput:
    """One output of one op: the op's number, its BuiltinOperator, ticks of the whole op (saturated,
    ``empty_ticks`` included) and the output's CRC-32."""

    op: int
    opcode: int
    ticks: int
    crc: int


_SEEN = "HHII"


@dataclass(frozen=True)
class Ops(Message):
    """Outcome of `AskOps`: outputs in the order in which they were written. An op without outputs
    has one entry, with CRC 0."""

    TYPE = 0x8C
    status: int
    seen: tuple[SeenOutput, ...] = ()

    def pack(self) -> bytes:
        body = (struct.pack("<" + _SEEN, *astuple(each)) for each in self.seen)
        return struct.pack("<H", self.status) + b"".join(body)

    @classmethod
    def read(cls, reader: Reader) -> Self:
        (status,) = reader.fixed("H")
        seen = []
        while reader.left:
            seen.append(SeenOutput(*reader.fixed(_SEEN)))
        return cls(status, tuple(seen))


@dataclass(frozen=True)
class Tapped(Message):
    """Outcome of `Tap`; ``total`` is the size of the tensor in bytes."""

    TYPE = 0x8D
    LAYOUT = "HII"
    status: int
    total: int
    offset: int
    data: bytes

    def pack(self) -> bytes:
        return struct.pack("<HII", self.status, self.total, self.offset) + self.data

    @classmethod
    def read(cls, reader: Reader) -> Self:
        status, total, offset = reader.fixed(cls.LAYOUT)
        return cls(status, total, offset, reader.rest())


OP_REQUESTS = (Watch, AskOps, Tap)
OP_REPLIES = (Watched, Ops, Tapped)
