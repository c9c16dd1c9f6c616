"""The device half of the protocol in memory, with a line that a test can spoil.

Its model adds one to each of its int8 inputs, in ``ops`` of its own making if it is watched.
Time is the script's: silence passes at once.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from hil import messages as m
from hil.errors import BenchError
from hil.wire import VERSION, Decoder, Frame, encode

MODEL = b"the model's bytes"
Spoil = Callable[[bytes], bytes]
INFO = m.Info(
    1, m.Clock.EMULATED, 25_000_000, 5, 2, 64, 100, m.ResetCause.POWER_ON, 1, 0, 3, 3, 0x1000,
    len(MODEL), zlib.crc32(MODEL), 0x20000000, 65536, 0, "0123456789abcdef", "nano",
    "unit", "crate 2020", "reference", "gcc", "-Os",
)  # fmt: skip


class ScriptedBoard:
    """A board and its line at once; give `open` to a `Device` as its opener.

    ``spoil_reply`` and ``spoil_request`` see each frame on its way: return it changed, or b"".
    ``on`` maps a request class to a function that runs in place of the handler. ``ops`` are the
    model's as code and function, ``room`` is that of the table in which a watched run is kept.
    """

    def __init__(self, *, shape: tuple[int, ...] = (1, 100), need: int = 2048) -> None:
        self.info, self.need = INFO, need
        self.tensor = m.Tensor(0, "int8", shape[0] * shape[1], shape, 0, (0.5,), (-1,))
        self.spoil_reply: Spoil = lambda raw: raw
        self.spoil_request: Spoil = lambda raw: raw
        self.on: dict[type[m.Message], Callable[[Any], m.Message | None]] = {}
        self.now, self.opened, self.invoked, self.longest = 0.0, 0, 0, 0
        self.crash = m.Crash(0, 0)
        self.ops: list[tuple[int, Callable[[bytes], bytes]]] = [(0, plus_one)]
        self.room = 64
        self.requests: list[m.Message] = []
        self.version = VERSION
        self.spare = True  # for the copy of the inputs that several invokes take
        self.invoke_s = 0.0  # that one takes of the script's time
        self.second_ns: Callable[[int], int] = lambda _: m.NO_CLOCK  # of so many ticks
        self.restart()

    def restart(self, cause: m.ResetCause = m.ResetCause.POWER_ON) -> None:
        self.info = replace(self.info, reset_cause=cause, boot_count=self.info.boot_count + 1)
        self._session, self._loaded, self._watched = 0, False, False
        self._seen: list[m.SeenOutput] = []
        self._tapped: bytes | None = None
        self._input = bytearray(self.tensor.nbytes)
        self._output = b""
        self._kept: tuple[int, int, m.Message] | None = None
        self._decoder = Decoder()
        self._line = b""

    # -- the line

    def clock(self) -> float:
        return self.now

    def open(self) -> ScriptedBoard:
        self.opened += 1
        self._line = b""
        return self

    def close(self) -> None:
        pass

    def read(self, deadline: float) -> bytes:
        data, self._line = self._line[:7], self._line[7:]
        if not data:
            self.now = max(self.now, deadline)
        return data

    def write(self, data: bytes) -> None:
        self.longest = max(self.longest, len(data))
        self.now += 0.001
        for event in self._decoder.feed(self.spoil_request(data)):
            if isinstance(event, Frame):
                self._serve(event)
            else:
                self._send(0, m.Nak(m.Refusal.CRC))

    def say(self, text: str) -> None:
        self._line += text.encode()

    def lose_port(self) -> None:
        raise BenchError("port_lost", "the port went away")

    # -- the board

    def _send(self, seq: int, reply: m.Message) -> None:
        frame = Frame(reply.TYPE, seq, self._session, reply.pack(), self.version)
        self._line += self.spoil_reply(encode(frame))

    def _serve(self, frame: Frame) -> None:
        if frame.version != self.version:
            return self._send(frame.seq, m.Nak(m.Refusal.VERSION, self.version))
        request = m.parse(frame.type, frame.payload)
        self.requests.append(request)
        if not isinstance(request, m.Hello) and frame.session != self._session:
            return self._send(frame.seq, m.Nak(m.Refusal.SESSION))
        if self._kept and self._kept[:2] == (frame.type, frame.seq):
            return self._send(frame.seq, self._kept[2])
        reply = self.on.get(type(request), self._answer)(request)
        if reply is not None:
            if isinstance(request, m.Load | m.Invoke | m.Watch):
                self._kept = (frame.type, frame.seq, reply)
            self._send(frame.seq, reply)
        return None

    def _answer(self, request: m.Message) -> m.Message:
        match request:
            case m.Hello(nonce):
                self._session, self._kept = nonce, None
                return replace(self.info, nonce=nonce)
            case m.Load(size, _, flags):
                self._watched, self._tapped = bool(flags), None
                size = size or self.info.arena_cap
                self._loaded = size >= self.need
                status = m.Status.OK if self._loaded else m.Status.ALLOCATE_FAILED
                return m.Loaded(status, self.info.arena_addr, size, self.need, 1, 1)
            case m.AskTensor():
                return self.tensor
            case m.Write(_, offset, data):
                self._input[offset : offset + len(data)] = data
                return m.Written(0, offset + len(data))
            case m.Invoke(crc, invokes):
                return self._invoke(crc, invokes)
            case m.Read(_, offset, length):
                if self._watched:
                    return m.Bytes(m.Status.WRONG_LOAD, offset, b"")
                return m.Bytes(0, offset, self._output[offset : offset + length])
            case m.Watch():
                return self._watch(request)
            case m.AskOps():
                return m.Ops(0, tuple(self._seen))
            case m.Tap(_, offset, length):
                if self._tapped is None:
                    return m.Tapped(m.Status.WRONG_LOAD, 0, offset, b"")
                part = self._tapped[offset : offset + length]
                return m.Tapped(0, len(self._tapped), offset, part)
            case m.AskStats(_):
                return m.Stats(0, 0, len(self.requests), *[m.UNKNOWN] * 4)
            case m.Ping(value):
                return m.Pong(value)
            case m.AskCrash():
                return self.crash
            case _:
                self.restart(m.ResetCause.SOFTWARE)
                return m.Resetting()

    def _invoke(self, crc: int, invokes: int) -> m.Invoked:
        mine = zlib.crc32(self._input)
        if self._watched:
            return m.Invoked(m.Status.WRONG_LOAD, mine, 0, 0)
        if crc != mine:
            return m.Invoked(m.Status.INPUT_CRC, mine, 0, 0)
        if invokes > 1 and not self.spare:
            return m.Invoked(m.Status.NO_ROOM, mine, 0, 0)
        self.invoked += 1
        self.now += invokes * self.invoke_s
        self._output = plus_one(bytes(self._input))
        ticks = 1234 * invokes + 34
        return m.Invoked(0, mine, zlib.crc32(self._output), ticks, 34, self.second_ns(ticks))

    def _watch(self, asked: m.Watch) -> m.Watched:
        mine = zlib.crc32(self._input)
        wrong = m.Status.INPUT_CRC if self._watched else m.Status.WRONG_LOAD
        if not self._watched or asked.input_crc != mine:
            return m.Watched(wrong, mine, 0, 0, 0, 0, 0)
        data, self._seen, self._tapped = bytes(self._input), [], None
        for number, (code, function) in enumerate(self.ops):
            data = function(data)
            if number >= asked.first and len(self._seen) < self.room:
                crc = zlib.crc32(data) if asked.crcs else 0
                self._seen.append(m.SeenOutput(number, code, 100 + number, crc))
            if number == asked.stop_after:
                self._tapped = data
                return m.Watched(0, mine, 0, 500, number + 1, len(self._seen), 7)
        status = 0 if asked.stop_after == m.WATCH_ALL else m.Status.BAD_ARG
        ran = len(self.ops)
        return m.Watched(status, mine, zlib.crc32(data), 500, ran, len(self._seen), 7)


def plus_one(data: bytes) -> bytes:
    return bytes((byte + 1) & 0xFF for byte in data)
