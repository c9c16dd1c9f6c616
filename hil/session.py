"""Stop-and-wait over a link: one request, its reply, sent again when either was lost.

A request that changes something (LOAD, INVOKE) is run once by the device however often it is
sent, because it carries the same sequence number.
"""

from __future__ import annotations

import time
from collections import deque
from typing import TypeVar, cast

from hil import messages as m
from hil.errors import BenchError
from hil.link import Clock, Link
from hil.wire import VERSION, Damage, Decoder, Event, Frame, Text, WireError, encode

ROUND_TRIP_S = 0.25
"""Allowance for a board and a host that are busy with something else, per attempt."""

GRACE_S = 0.05
"""After damage, how long the rest of it may take to arrive before the request is sent again."""

LOG_LIMIT = 65536
"""Characters of device text that are kept; the oldest go first."""

Reply = TypeVar("Reply", bound=m.Message)


class DeviceReset(Exception):
    """The device answered without knowing the session: it has restarted."""


class DeviceSilent(Exception):
    """No byte of a reply came, however often it was sent. ``waited`` in seconds; ``request`` is
    the name of its class."""

    def __init__(self, request: str, waited: float) -> None:
        super().__init__(f"no answer to {request} in {waited:.1f} s")
        self.request, self.waited = request, waited


class Log:
    """The text that a device printed, bounded."""

    def __init__(self) -> None:
        self._parts: deque[str] = deque()
        self._size = 0

    def add(self, text: str) -> None:
        self._parts.append(text[-LOG_LIMIT:])
        self._size += len(self._parts[-1])
        while self._size > LOG_LIMIT:
            self._size -= len(self._parts.popleft())

    def __str__(self) -> str:
        return "".join(self._parts)


class Session:
    """Requests over one open link.

    Args:
        link: an open link; the session closes it.
        baud: symbols a second, for deadlines; ports without a rate may be faster.
        retries: how often a request is sent again before it counts as lost.
        log: where text goes; a device keeps one over several sessions.
    """

    def __init__(
        self,
        link: Link,
        *,
        baud: int = 115200,
        retries: int = 4,
        log: Log | None = None,
        board: str | None = None,
        clock: Clock = time.monotonic,
    ) -> None:
        self.log = log or Log()
        self.resent = 0
        self.nonce = 0
        self._link, self._baud, self._retries, self._board = link, baud, retries, board
        self._clock = clock
        self._decoder = Decoder()
        self._seq = 0
        self._damaged = False
        self._hellos_refused = 0

    @property
    def pending_text(self) -> str:
        """Text of an unfinished line, not yet in the log."""
        return self._decoder.pending

    def close(self) -> None:
        self._link.close()

    def hello(self, nonce: int, deadline: float) -> m.Info:
        """Opens a session, asking again until ``deadline``: the board may still be starting.

        Raises:
            DeviceSilent: nothing came. BenchError: ``wire``, ``protocol_version``.
        """
        self.nonce, self._seq = nonce, 1
        started = self._clock()
        self._damaged, self._hellos_refused = False, 0
        raw = encode(Frame(m.Hello.TYPE, self._seq, 0, m.Hello(nonce).pack()))
        while self._clock() < deadline:
            self._link.write(raw)
            info = self._await(m.Info, min(deadline, self._clock() + 4 * ROUND_TRIP_S))
            if info is not None:
                return info
        raise self._given_up("HELLO", self._clock() - started)

    def ask(
        self,
        request: m.Message,
        kind: type[Reply],
        *,
        expected_s: float = 0.0,
        reply_bytes: int = 64,
        give_up_s: float = 60.0,
    ) -> Reply:
        """Sends ``request`` and returns its reply, of class ``kind``.

        Args:
            expected_s: seconds of work on the device before it answers.
            reply_bytes: expected size of the reply, for the deadline.
            give_up_s: seconds after which it is lost, retries left or not.

        Raises:
            DeviceReset: the device has restarted since `hello`.
            DeviceSilent: nothing came back.
            BenchError: ``wire`` (damaged each time), ``port_lost``, ``protocol_version``.
        """
        self._seq = self._seq % 0xFFFF + 1
        raw = encode(Frame(request.TYPE, self._seq, self.nonce, request.pack()))
        patience = ROUND_TRIP_S + expected_s + (len(raw) + reply_bytes) * 10 / self._baud
        started, self._damaged = self._clock(), False
        for attempt in range(self._retries + 1):
            if attempt and self._clock() >= started + give_up_s:
                break
            self.resent += attempt > 0
            self._link.write(raw)
            deadline = min(self._clock() + patience * 2**attempt, started + give_up_s)
            reply = self._await(kind, deadline)
            if reply is not None:
                return reply
        raise self._given_up(type(request).__name__, self._clock() - started)

    def post(self, request: m.Message) -> None:
        """Sends a request whose reply nobody waits for: the device may be standing still."""
        self._seq = self._seq % 0xFFFF + 1
        self._link.write(encode(Frame(request.TYPE, self._seq, self.nonce, request.pack())))

    def _given_up(self, request: str, waited: float) -> Exception:
        if not self._damaged:
            return DeviceSilent(request, waited)
        return BenchError(
            "wire",
            f"{request} was damaged on the wire each time it was sent, for {waited:.1f} s",
            board=self._board,
            hint="cable, baud rate, or another program on the port",
            numbers={"resent": self.resent, "retries": self._retries},
        )

    def _await(self, kind: type[Reply], deadline: float) -> Reply | None:
        """The reply, or None once ``deadline`` passes or the request has to be sent again."""
        reply: Reply | None = None
        while reply is None and self._clock() < deadline:
            for event in self._decoder.feed(self._link.read(deadline)):
                if isinstance(event, Frame) and event.type != m.Nak.TYPE:
                    reply = reply or self._accept(event, kind)
                elif self._spoils(event, kind):
                    deadline = min(deadline, self._clock() + GRACE_S)
        return reply

    def _spoils(self, event: Event, kind: type[m.Message]) -> bool:
        """Whether an event that is no reply means that the request has to be sent again."""
        if isinstance(event, Text):
            self.log.add(event.text)
            return False
        if isinstance(event, Damage):
            self._note_damage(f"{len(event.raw)} bytes: {event.raw[:64].hex()}")
            return True
        return self._refused(event, kind)

    def _note_damage(self, text: str) -> None:
        self._damaged = True
        self.log.add(f"\n[damaged] {text}\n")

    def _accept(self, frame: Frame, kind: type[Reply]) -> Reply | None:
        if frame.type != kind.TYPE or frame.seq != self._seq:
            return None  # the answer to a request that was sent twice
        if frame.version != VERSION:
            raise self._other_version(frame.version)
        if frame.session != self.nonce:
            if kind is m.Info:
                return None  # an answer to somebody who was here before
            raise DeviceReset
        try:
            return cast(Reply, m.parse(frame.type, frame.payload))
        except WireError as error:
            self._note_damage(f"{kind.__name__}: {error}")
            return None

    def _refused(self, frame: Frame, kind: type[m.Message]) -> bool:
        """Whether a NAK means that the request has to be sent again."""
        try:
            nak = m.Nak.parse(frame.payload)
        except WireError:
            return False
        if nak.reason == m.Refusal.VERSION:
            raise self._other_version(nak.version)
        if kind is m.Info:
            self._hello_refused(nak)
        if kind is m.Info or (frame.seq and frame.seq != self._seq):
            return False  # about what the line held before
        if nak.reason == m.Refusal.SESSION:
            raise DeviceReset
        if nak.reason == m.Refusal.UNKNOWN:
            raise self._other_version(frame.version, f" and does not know {kind.__name__}")
        self._note_damage(f"on its way to the device (NAK {nak.reason})")
        return True

    def _hello_refused(self, nak: m.Nak) -> None:
        """One refusal is of what the line held before; a second one is of HELLO itself."""
        self._hellos_refused += nak.reason in (m.Refusal.CRC, m.Refusal.TOO_LONG)
        if self._hellos_refused > 1:
            self._note_damage(f"HELLO on its way to the device (NAK {nak.reason})")

    def _other_version(self, version: int, also: str = "") -> BenchError:
        return BenchError(
            "protocol_version",
            f"the firmware speaks protocol {version}{also}, this harness {VERSION}",
            board=self._board,
            hint="build and flash the firmware again with this harness",
            numbers={"device": version, "host": VERSION},
        )
