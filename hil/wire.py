"""Frames on a byte stream, without I/O: bytes to frames, text and damage, and back.

A frame is ``0x00``, COBS(body), ``0x00``; the body is, little endian::

    u8 version | u8 type | u16 seq | u32 session | payload | u32 crc32 of all before

What stands between two zeros and is no frame is text if it can be printed (a sketch or TFLM
printed it), else damage. docs/protocol.md is the reference; `hil.messages` has the payloads.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

from cobs import cobs

VERSION = 2
"""Protocol version that this harness speaks."""

SEGMENT_LIMIT = 8192
"""Bytes without a zero after which a segment is no frame any more; bounds the decoder's memory."""

_HEADER = struct.Struct("<BBHI")
_CRC = struct.Struct("<I")
_CONTROLS = frozenset("\t\r\n\x1b\b\f")


class WireError(ValueError):
    """Bytes that are no frame, or a payload that is no message."""


@dataclass(frozen=True)
class Frame:
    """One intact frame. ``seq`` is 16 bits, ``session`` 32, ``type`` and ``version`` 8."""

    type: int
    seq: int
    session: int
    payload: bytes = b""
    version: int = VERSION


@dataclass(frozen=True)
class Text:
    """Printable bytes outside frames: the device's log."""

    text: str


@dataclass(frozen=True)
class Damage:
    """Bytes that are neither a frame nor text."""

    raw: bytes
    reason: str


Event = Frame | Text | Damage


def encode(frame: Frame) -> bytes:
    """A frame as it goes on the wire, both zeros included."""
    body = _HEADER.pack(frame.version, frame.type, frame.seq, frame.session) + frame.payload
    stuffed: bytes = cobs.encode(body + _CRC.pack(zlib.crc32(body)))
    return b"\0" + stuffed + b"\0"


def decode(segment: bytes) -> Frame:
    """The frame in the bytes between two zeros.

    Raises:
        WireError: not COBS, too short, or a wrong CRC.
    """
    try:
        raw = cobs.decode(segment)
    except cobs.DecodeError as error:
        raise WireError(f"not COBS: {error}") from error
    if len(raw) < _HEADER.size + _CRC.size:
        raise WireError(f"{len(raw)} bytes are too short for a frame")
    body, tail = raw[: -_CRC.size], raw[-_CRC.size :]
    stated, computed = _CRC.unpack(tail)[0], zlib.crc32(body)
    if stated != computed:
        raise WireError(f"CRC {stated:08x}, computed {computed:08x}")
    version, type_, seq, session = _HEADER.unpack_from(body)
    return Frame(type_, seq, session, body[_HEADER.size :], version)


def payload_room(rx_max: int) -> int:
    """Payload bytes of the longest frame whose encoding, zeros included, fits ``rx_max``."""
    encoded = rx_max - 2
    body = encoded - (encoded + 253) // 254  # COBS adds a byte for each 254 begun
    return body - _HEADER.size - _CRC.size


class Decoder:
    """Splits a stream into events; the same events however the stream is cut into chunks."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._oversized = False

    def feed(self, data: bytes) -> list[Event]:
        """The events that ``data`` completes. Never raises; keeps at most `SEGMENT_LIMIT` bytes."""
        events: list[Event] = []
        *closed, rest = data.split(b"\0")
        for part in closed:
            events += self._extend(part)
            events += self._close()
        events += self._extend(rest)
        return events

    @property
    def pending(self) -> str:
        """Text that no zero has closed yet, as far as it can be read."""
        raw = bytes(self._buffer)
        return _as_text(raw) or ""

    def _extend(self, part: bytes) -> list[Event]:
        self._buffer += part
        events: list[Event] = []
        while len(self._buffer) > SEGMENT_LIMIT:
            cut = _character_start(self._buffer, SEGMENT_LIMIT)
            events.append(_unframed(bytes(self._buffer[:cut]), "no end of frame"))
            del self._buffer[:cut]
            self._oversized = True
        return events

    def _close(self) -> list[Event]:
        segment, oversized = bytes(self._buffer), self._oversized
        self._buffer.clear()
        self._oversized = False
        if not segment:
            return []
        if oversized:
            return [_unframed(segment, "no end of frame")]
        try:
            return [decode(segment)]
        except WireError as error:
            return [_unframed(segment, str(error))]


def _character_start(data: bytearray, at: int) -> int:
    """The last place up to ``at`` that does not cut a UTF-8 character in two."""
    for back in range(4):
        if data[at - back] & 0xC0 != 0x80:
            return at - back
    return at


def _as_text(raw: bytes) -> str | None:
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        return None
    return text if all(c.isprintable() or c in _CONTROLS for c in text) else None


def _unframed(raw: bytes, reason: str) -> Text | Damage:
    text = _as_text(raw)
    return Damage(raw, reason) if text is None else Text(text)
