"""A running board: handshake, load, infer, measure, reset.

What an answer, a silence or a restart means stands in `hil.outcome`.
"""

from __future__ import annotations

import secrets
import time
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from hil import messages as m
from hil.clock import Block
from hil.connection import Connection
from hil.link import Clock, Opener, SerialLink
from hil.outcome import (
    ArenaFixed,
    Identity,
    Names,
    NoRoom,
    changed_error,
    identity_error,
    invoke_error,
    load_error,
)
from hil.raw import tensor_array, tensor_bytes
from hil.tensors import Array
from hil.wire import payload_room

__all__ = ["BOOT_S", "HANG_S", "ArenaFixed", "Device", "Identity", "Inference", "NoRoom"]

BOOT_S = 10.0
"""Seconds from reset to the first answer, the port's return included."""

HANG_S = 60.0
"""Seconds after which an inference that does not answer is given up."""


@dataclass(frozen=True)
class Inference:
    """One answer: outputs in the tensors' own dtype and shape, and what proves them.

    ``block`` is the time that it took; ``resent`` counts frames sent again for it.
    """

    outputs: tuple[Array, ...]
    block: Block
    input_crc: int
    output_crc: int
    resent: int


class Device:
    """A board that answers. A context manager: opens the port and shakes hands, closes the port.

    Args:
        port: path, ``usb:VID:PID[:SERIAL]`` or pyserial URL.
        expect: what was flashed; None takes whatever answers.
        board, model: names for errors.
        retries: frames sent again before the wire counts as broken.
        opener: opens the link; `SerialLink` by default.
        boot_s, hang_s: see `BOOT_S`, `HANG_S`.
        arriving: it has just been flashed: its port may not be there yet.

    ``line`` and ``names`` serve requests beside these (`hil.watch`).

    Every method that talks may raise BenchError (wire, no_answer, port_lost) and ProductError
    (crash, hang; entering too, of a firmware that only crashes). Entering raises as well:
    port_absent, board_busy, protocol_version, wrong_board, wrong_model,
    stale_firmware (BenchError), model_corrupt (ProductError).
    """

    def __init__(
        self,
        port: str,
        *,
        baud: int = 115200,
        expect: Identity | None = None,
        board: str | None = None,
        model: str | None = None,
        retries: int = 4,
        opener: Opener | None = None,
        boot_s: float = BOOT_S,
        hang_s: float = HANG_S,
        clock: Clock = time.monotonic,
        arriving: bool = False,
    ) -> None:
        self.loaded: m.Loaded | None = None
        self.inputs: tuple[m.Tensor, ...] = ()
        self.outputs: tuple[m.Tensor, ...] = ()
        self._expect, self.names, self._clock = expect, Names(board, model), clock
        self._arriving = arriving
        self.line = Connection(
            port,
            opener or (lambda: SerialLink(port, baud, board=board)),
            self.names,
            baud=baud,
            retries=retries,
            boot_s=boot_s,
            hang_s=hang_s,
            clock=clock,
        )

    def __enter__(self) -> Self:
        try:
            self.line.open(arriving=self._arriving)
            self._verify()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Gives the port back; again is harmless."""
        self.line.close()

    @property
    def info(self) -> m.Info:
        """What the device said about itself at the last handshake."""
        return self.line.info

    @property
    def log(self) -> str:
        """What the device printed outside frames, the last 64 KB."""
        return self.line.log

    @property
    def resent(self) -> int:
        """Frames sent again since this device was opened, restarts included."""
        return self.line.resent

    def load(self, arena_size: int = 0, fill: int = 0, flags: int = 0) -> m.Loaded:
        """Builds the interpreter in ``arena_size`` bytes (0: all), prefilled with ``fill``.

        Raises:
            ProductError: schema_mismatch, arena_overflow, missing_op, model_misaligned.
            ArenaFixed: the firmware owns its interpreter, and its arena has another size.
            CannotWatch: ``flags`` ask for a watched load, see `hil.watch`.
        """
        loaded = self.try_load(arena_size, fill, flags)
        if error := load_error(loaded, arena_size, self.info, self.names):
            raise error
        self.inputs = self._tensors(0, loaded.inputs)
        self.outputs = self._tensors(1, loaded.outputs)
        return loaded

    def try_load(self, arena_size: int = 0, fill: int = 0, flags: int = 0) -> m.Loaded:
        """As `load`, but a refusal is a value (look at ``status``), and no tensor is described."""
        self.loaded, self.inputs, self.outputs = None, (), ()
        self.loaded = self.line.work(m.Load(arena_size, fill, flags), m.Loaded)
        return self.loaded

    def tensors(self) -> tuple[tuple[m.Tensor, ...], tuple[m.Tensor, ...]]:
        """Inputs and outputs as the device describes them; after `load`."""
        return self.inputs, self.outputs

    def infer(self, inputs: Sequence[Array], invokes: int = 1) -> Inference:
        """One inference, or several on the same inputs that are timed as one.

        Args:
            inputs: one array per model input, exact dtype and shape.

        Raises:
            ValueError: a number, shape or dtype that is not the model's; nothing was sent.
            NoRoom: more than one, and the arena has no room for a copy of the inputs.
            ProductError: unsupported_type (a kernel refused).
        """
        before, input_crc = self.resent, self.put(inputs)
        started = self._clock()
        invoked = self.invoke(input_crc, invokes)
        host_s = self._clock() - started
        outputs = [self._read(index, each.nbytes) for index, each in enumerate(self.outputs)]
        if zlib.crc32(b"".join(outputs)) != invoked.output_crc:
            raise self.names.bench("wire", "the outputs read are not what the device computed")
        return Inference(
            tuple(tensor_array(*each) for each in zip(outputs, self.outputs, strict=True)),
            Block.of(invoked, invokes, host_s),
            invoked.input_crc,
            invoked.output_crc,
            self.resent - before,
        )

    def put(self, inputs: Sequence[Array]) -> int:
        """Writes the inputs; the CRC-32 of all of them, which a run has to name.

        Raises:
            ValueError: as `infer`.
        """
        raw = tensor_bytes(inputs, self.inputs)
        for index, data in enumerate(raw):
            self._write(index, data)
        return zlib.crc32(b"".join(raw))

    def invoke(self, input_crc: int, invokes: int = 1) -> m.Invoked:
        """Runs on what was written, if that has ``input_crc``; raises as `infer`."""
        invoked = self.line.work(m.Invoke(input_crc, invokes), m.Invoked)
        if invoked.status or invoked.input_crc != input_crc:
            raise invoke_error(invoked, input_crc, self.log, self.names)
        return invoked

    def stats(self, *, repaint: bool = False) -> m.Stats:
        """The device's own counters since its last reset; ``repaint`` starts the stack's anew."""
        return self.line.ask(m.AskStats(int(repaint)), m.Stats)

    def ping(self) -> float:
        """A round trip and nothing else; its seconds."""
        started = self._clock()
        self.line.ask(m.Ping(secrets.randbits(32)), m.Pong)
        return self._clock() - started

    def prove_model(self) -> None:
        """Has the device compute its model's CRC again: what ran may have written over it.

        Raises:
            ProductError: model_corrupt.
        """
        before = self.info
        self.line.greet()
        if (before.model_crc, before.model_len) != (self.info.model_crc, self.info.model_len):
            raise changed_error(before, self.info, self.names)

    def crash(self) -> m.Crash | None:
        """The record of the last crash since power-on, if the core keeps one."""
        record = self.line.ask(m.AskCrash(), m.Crash)
        return record if record.present else None

    def reset(self) -> None:
        """Restarts the device and shakes hands again; what was loaded is gone."""
        self.loaded, self.inputs, self.outputs = None, (), ()
        self.line.restart()
        self._verify()

    def _verify(self) -> None:
        if self.info.safe_mode:
            raise self.line.crash_at_start()
        if self._expect and (error := identity_error(self._expect, self.info, self.names)):
            raise error

    def _tensors(self, output: int, count: int) -> tuple[m.Tensor, ...]:
        asked = [self.line.ask(m.AskTensor(output, i), m.Tensor) for i in range(count)]
        if any(tensor.status for tensor in asked):
            raise self.names.bench("wire", "the device does not describe its tensors")
        return tuple(asked)

    def _write(self, index: int, data: bytes) -> None:
        room = payload_room(self.info.rx_max) - 5
        for offset in range(0, len(data), room):
            chunk = data[offset : offset + room]
            written = self.line.ask(m.Write(index, offset, chunk), m.Written)
            if written.status or written.next_offset != offset + len(chunk):
                raise self.names.bench("wire", f"input {index} not taken at {offset}")

    def _read(self, index: int, size: int) -> bytes:
        data = b""
        while len(data) < size:
            length = min(self.info.tx_max, size - len(data))
            request = m.Read(index, len(data), length)
            part = self.line.ask(request, m.Bytes, reply_bytes=length + 32)
            if part.status or part.offset != len(data) or len(part.data) != length:
                raise self.names.bench("wire", f"output {index} not given at {len(data)}")
            data += part.data
        return data
