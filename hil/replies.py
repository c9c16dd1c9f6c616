"""What a device answers; `hil.requests` has the questions."""

from __future__ import annotations

import struct
from dataclasses import astuple, dataclass, fields
from typing import Self

from hil.payload import DTYPES, NO_CLOCK, Message, Reader, Refusal, ResetCause, text_field


@dataclass(frozen=True)
class Info(Message):
    """What runs on the board. Sizes in bytes; ``ticks_per_s`` of ``clock``.

    ``instructions_num / instructions_den`` is instructions per tick, 0/0 if unknown;
    ``model_crc`` was computed just now over the bytes in the device; ``boot_count`` 0 is unknown;
    ``core`` is what executes the firmware: a CPUID, or an emulator with its version.
    """

    TYPE = 0x81
    LAYOUT = "BBIHHHHBIIIIIIIIII"
    proto: int
    clock: int
    ticks_per_s: int
    instructions_num: int
    instructions_den: int
    rx_max: int
    tx_max: int
    reset_cause: int
    boot_count: int
    nonce: int
    schema_supported: int
    model_schema: int
    model_addr: int
    model_len: int
    model_crc: int
    arena_addr: int
    arena_cap: int
    rx_overruns: int
    build_id: str = ""
    board: str = ""
    unit: str = ""
    tflm: str = ""
    kernels: str = ""
    compiler: str = ""
    flags: str = ""
    core: str = ""

    @property
    def safe_mode(self) -> bool:
        """Whether HilDevice answers in place of a firmware that crashes at each start."""
        crashed = self.reset_cause in (ResetCause.FAULT, ResetCause.WATCHDOG)
        return crashed and not self.model_len and not self.build_id

    def pack(self) -> bytes:
        values = astuple(self)
        fixed = struct.pack("<" + self.LAYOUT, *values[:-8])
        return fixed + b"".join(text_field(value) for value in values[-8:])

    @classmethod
    def read(cls, reader: Reader) -> Self:
        fixed = reader.fixed(cls.LAYOUT)
        texts = [reader.text() for _ in range(7)]
        # Firmware from before `core` has to be understood, or it could not be found stale.
        texts.append(reader.text() if reader.more else "")
        return cls(*fixed, *texts)


@dataclass(frozen=True)
class Loaded(Message):
    """Outcome of `Load`. ``missing_*`` name an operator code of the model (MISSING_OP)."""

    TYPE = 0x82
    LAYOUT = "HIIIBBII"
    status: int
    arena_addr: int
    arena_size: int
    arena_used: int
    inputs: int
    outputs: int
    missing_index: int = 0
    missing_version: int = 0


@dataclass(frozen=True)
class Tensor(Message):
    """One input or output as the device sees it; ``dtype`` is numpy's name, "" if it has none."""

    TYPE = 0x83
    status: int
    dtype: str = ""
    nbytes: int = 0
    shape: tuple[int, ...] = ()
    axis: int = 0
    scales: tuple[float, ...] = ()
    zero_points: tuple[int, ...] = ()

    def pack(self) -> bytes:
        if self.status:
            return struct.pack("<H", self.status)
        number = next((n for n, name in DTYPES.items() if name == self.dtype), 0)
        head = struct.pack("<HBIB", self.status, number, self.nbytes, len(self.shape))
        body = struct.pack(f"<{len(self.shape)}iiH", *self.shape, self.axis, len(self.scales))
        pairs = zip(self.scales, self.zero_points, strict=True)
        return head + body + b"".join(struct.pack("<fi", *pair) for pair in pairs)

    @classmethod
    def read(cls, reader: Reader) -> Self:
        (status,) = reader.fixed("H")
        if status:
            return cls(status)
        number, nbytes, rank = reader.fixed("BIB")
        shape = reader.fixed(f"{rank}i")
        axis, count = reader.fixed("iH")
        flat = reader.fixed("fi" * count)
        dtype = DTYPES.get(number, "")
        return cls(status, dtype, nbytes, shape, axis, flat[::2], flat[1::2])


@dataclass(frozen=True)
class Written(Message):
    TYPE = 0x84
    LAYOUT = "HI"
    status: int
    next_offset: int


@dataclass(frozen=True)
class Invoked(Message):
    """Outcome of `Invoke`; ``ticks`` of the clock in `Info`, around all inferences.

    ``overhead`` of them are not the inferences' (reading the clock, putting inputs back);
    ``second_ns`` is what another clock of the device says of the same time, `NO_CLOCK` if none.
    """

    TYPE = 0x85
    LAYOUT = "HIIQIQ"
    status: int
    input_crc: int
    output_crc: int
    ticks: int
    overhead: int = 0
    second_ns: int = NO_CLOCK


@dataclass(frozen=True)
class Bytes(Message):
    """Outcome of `Read`."""

    TYPE = 0x86
    LAYOUT = "HI"
    status: int
    offset: int
    data: bytes

    def pack(self) -> bytes:
        return struct.pack("<HI", self.status, self.offset) + self.data

    @classmethod
    def read(cls, reader: Reader) -> Self:
        status, offset = reader.fixed(cls.LAYOUT)
        return cls(status, offset, reader.rest())


@dataclass(frozen=True)
class Stats(Message):
    """Counts since the last reset; bytes; `UNKNOWN` where the core cannot tell.

    ``stack_used`` is the most since start or the last repaint, a lower bound; ``stack_size`` the
    room that there is; ``heap_used`` is now, ``heap_peak`` at most since start.
    """

    TYPE = 0x87
    LAYOUT = "IIIIIII"
    rx_overruns: int
    rx_damaged: int
    frames_rx: int
    stack_used: int
    stack_size: int
    heap_used: int
    heap_peak: int


@dataclass(frozen=True)
class Resetting(Message):
    TYPE = 0x88


@dataclass(frozen=True)
class Pong(Message):
    TYPE = 0x89
    LAYOUT = "I"
    value: int


@dataclass(frozen=True)
class Crash(Message):
    """Record of the last crash since power-on; ``stack`` are words from ``sp`` upwards."""

    TYPE = 0x8A
    LAYOUT = "BBIIIIIIII"
    present: int
    cause: int
    pc: int = 0
    lr: int = 0
    xpsr: int = 0
    sp: int = 0
    cfsr: int = 0
    hfsr: int = 0
    bfar: int = 0
    mmfar: int = 0
    stack: tuple[int, ...] = ()
    text: str = ""

    def pack(self) -> bytes:
        values = [getattr(self, f.name) for f in fields(self)[:10]]
        raw = self.text.encode()
        words = struct.pack(f"<B{len(self.stack)}I", len(self.stack), *self.stack)
        return struct.pack("<" + self.LAYOUT, *values) + words + struct.pack("<H", len(raw)) + raw

    @classmethod
    def read(cls, reader: Reader) -> Self:
        present, cause, pc, lr, xpsr, sp, cfsr, hfsr, bfar, mmfar = reader.fixed(cls.LAYOUT)
        stack = reader.fixed(f"{reader.fixed('B')[0]}I")
        text = reader.take(reader.fixed("H")[0]).decode(errors="replace")
        return cls(present, cause, pc, lr, xpsr, sp, cfsr, hfsr, bfar, mmfar, stack, text)


@dataclass(frozen=True)
class Nak(Message):
    """A frame that the device did not accept; ``version`` is its own (reason VERSION)."""

    TYPE = 0x7E
    reason: int
    version: int = 0

    def pack(self) -> bytes:
        return bytes([self.reason] + [self.version] * (self.reason == Refusal.VERSION))

    @classmethod
    def read(cls, reader: Reader) -> Self:
        (reason,) = reader.fixed("B")
        return cls(reason, reader.fixed("B")[0] if reason == Refusal.VERSION else 0)


PLAIN_REPLIES = (
    Info, Loaded, Tensor, Written, Invoked, Bytes, Stats, Resetting, Pong, Crash, Nak,
)  # fmt: skip
