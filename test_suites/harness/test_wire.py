"""The wire: frames, text, damage and messages, whatever the line does to the bytes."""

from __future__ import annotations

import struct
from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from hil import messages as m
from hil.wire import (
    SEGMENT_LIMIT,
    VERSION,
    Damage,
    Decoder,
    Event,
    Frame,
    Text,
    WireError,
    decode,
    encode,
    payload_room,
)

u8 = st.integers(0, 0xFF)
u16 = st.integers(0, 0xFFFF)
u32 = st.integers(0, 0xFFFFFFFF)
u64 = st.integers(0, 2**64 - 1)
i32 = st.integers(-(2**31), 2**31 - 1)
f32 = st.floats(width=32, allow_nan=False)
short = st.text(max_size=20)
frames = st.builds(Frame, u8, u16, u32, st.binary(max_size=600), u8)
_SIZES = {"B": u8, "H": u16, "I": u32, "Q": u64}


def fixed(kind: type[m.Message]) -> st.SearchStrategy[m.Message]:
    return st.builds(kind, *(_SIZES[letter] for letter in kind.LAYOUT))


@st.composite
def tensors(draw: st.DrawFn) -> m.Tensor:
    count = draw(st.integers(0, 40))
    return m.Tensor(
        0,
        draw(st.sampled_from(sorted(m.DTYPES.values()))),
        draw(u32),
        tuple(draw(st.lists(i32, max_size=6))),
        draw(i32),
        tuple(draw(st.lists(f32, min_size=count, max_size=count))),
        tuple(draw(st.lists(i32, min_size=count, max_size=count))),
    )


_info_fixed = [_SIZES[letter] for letter in m.Info.LAYOUT]
_registers = [u8, u8, *[u32] * 8]
messages = st.one_of(
    *(fixed(k) for k in (*m.REQUESTS, *m.REPLIES) if k not in
      (m.Write, m.Info, m.Tensor, m.Bytes, m.Crash, m.Nak, m.Ops, m.Tapped)),
    st.builds(m.Write, u8, u32, st.binary(max_size=120)),
    st.builds(m.Bytes, u16, u32, st.binary(max_size=4096)),
    st.builds(m.Tapped, u16, u32, u32, st.binary(max_size=4096)),
    st.builds(m.Ops, u16, st.lists(st.builds(m.SeenOutput, u16, u16, u32, u32)).map(tuple)),
    st.builds(m.Info, *_info_fixed, *[short] * 8),
    st.builds(m.Crash, *_registers, st.lists(u32, max_size=16).map(tuple), short),
    st.builds(m.Nak, st.integers(1, 5).filter(lambda r: r != 3)),
    st.builds(m.Nak, st.just(3), u8),
    st.builds(m.Tensor, st.integers(1, 10)),
    tensors(),
)  # fmt: skip


def in_chunks(data: bytes, cuts: list[int]) -> list[Event]:
    decoder, events, start = Decoder(), [], 0
    for cut in [*sorted(cuts), len(data)]:
        events += decoder.feed(data[start:cut])
        start = max(start, cut)
    return events


@given(frames)
def test_a_frame_comes_back_as_it_was(frame: Frame) -> None:
    assert Decoder().feed(encode(frame)) == [frame]


@given(messages)
def test_a_message_comes_back_as_it_was(message: m.Message) -> None:
    assert m.parse(message.TYPE, message.pack()) == message


def test_the_layout_of_a_frame_is_fixed() -> None:
    raw = encode(Frame(m.Ping.TYPE, 0x0102, 0x03040506, m.Ping(0x0708090A).pack()))
    assert raw.hex() == "00" + f"11{VERSION:02x}090201060504030a090807" + raw[-5:].hex()
    assert raw[-1] == 0


@given(st.lists(st.one_of(frames.map(encode), st.binary(max_size=40)), max_size=6), st.data())
def test_any_chunking_gives_the_same_events(parts: list[bytes], data: st.DataObject) -> None:
    stream = b"\0".join(parts)
    cuts = data.draw(st.lists(st.integers(0, len(stream)), max_size=12))
    assert in_chunks(stream, cuts) == in_chunks(stream, [])


@given(frames, st.data())
def test_a_flipped_bit_never_makes_another_frame(frame: Frame, data: st.DataObject) -> None:
    raw = bytearray(encode(frame))
    bit = data.draw(st.integers(0, len(raw) * 8 - 1))
    raw[bit // 8] ^= 1 << bit % 8
    events = Decoder().feed(bytes(raw) + b"\0")
    assert [e for e in events if isinstance(e, Frame) and e != frame] == []


@given(st.binary(max_size=4000))
def test_any_bytes_are_events(data: bytes) -> None:
    decoder = Decoder()
    decoder.feed(data)
    assert isinstance(decoder.pending, str)


@given(u8, st.binary(max_size=200))
def test_any_payload_is_a_message_or_a_wire_error(type_: int, payload: bytes) -> None:
    try:
        message = m.parse(type_, payload)
    except WireError:
        return
    assert type_ == message.TYPE


@given(messages, st.data())
def test_a_cut_payload_is_a_wire_error_or_shorter(message: m.Message, data: st.DataObject) -> None:
    raw = message.pack()
    assume(raw)
    cut = raw[: data.draw(st.integers(0, len(raw) - 1))]
    with suppress(WireError):
        assert m.parse(message.TYPE, cut) != message


@pytest.mark.parametrize("unit", [b"x", b"\xff", "é".encode(), "漢".encode(), b"\x80"])
def test_an_endless_stream_is_bounded(unit: bytes) -> None:
    decoder, seen = Decoder(), []
    for _ in range(40):
        seen += decoder.feed(unit * 1000)
        assert len(decoder.pending) <= SEGMENT_LIMIT
    seen += decoder.feed(b"\0")
    whole = b"".join(e.raw if isinstance(e, Damage) else e.text.encode() for e in seen)
    assert whole == unit * 40000
    kind = Damage if unit in (b"\xff", b"\x80") else Text
    assert {type(e) for e in seen} == {kind}


def test_after_an_endless_stream_frames_are_read_again() -> None:
    frame = Frame(m.Pong.TYPE, 1, 2, b"abcd")
    events = Decoder().feed(b"\xff" * 20000 + encode(frame))
    assert events[-1] == frame


def test_text_between_frames_is_text_and_pending_text_is_seen() -> None:
    frame, decoder = Frame(m.Pong.TYPE, 1, 2, b"abcd"), Decoder()
    assert decoder.feed("boot: 25 °C\r\n".encode()) == []
    assert decoder.pending == "boot: 25 °C\r\n"
    assert decoder.feed(encode(frame)) == [Text("boot: 25 °C\r\n"), frame]
    assert decoder.pending == ""


@pytest.mark.parametrize(
    ("segment", "words"),
    [
        (b"\x05ab", "not COBS"),
        (b"\x01", "too short"),
        (encode(Frame(1, 1, 1))[1:-2] + b"\x01", "CRC"),
    ],
)
def test_a_broken_segment_says_why(segment: bytes, words: str) -> None:
    with pytest.raises(WireError, match=words):
        decode(segment)


@given(st.integers(64, 5000))
def test_the_longest_payload_fits_and_one_more_byte_does_not(rx_max: int) -> None:
    room = payload_room(rx_max)
    worst = [len(encode(Frame(4, 0x0101, 0x01010101, b"\x01" * n))) for n in (room, room + 1)]
    assert worst[0] <= rx_max
    assert worst[1] + 1 > rx_max  # COBS needs the byte only if a run of 254 is full


def test_a_text_field_longer_than_a_byte_can_say_is_cut() -> None:
    info = m.Info(*[0] * 18, build_id="x" * 300)
    assert m.Info.parse(info.pack()).build_id == "x" * 255


def test_an_unknown_status_has_a_name_too() -> None:
    assert m.status_name(2) == "ALLOCATE_FAILED"
    assert m.status_name(999) == "status 999"


def test_an_unknown_tensor_type_has_no_dtype() -> None:
    raw = struct.pack("<HBIBiH", 0, 5, 0, 0, 0, 0)
    assert m.Tensor.parse(raw).dtype == ""


def test_an_info_from_before_core_is_understood() -> None:
    info = m.Info(*[0] * 18, build_id="old", flags="-Os", core="qemu")
    short = info.pack()[: -len("qemu") - 1]
    assert m.Info.parse(short) == replace(info, core="")
    for damaged in (info.pack()[:-1], short[:-1]):
        with pytest.raises(WireError):
            m.Info.parse(damaged)
