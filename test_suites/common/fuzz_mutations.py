"""Ways to spoil bytes and text: strategies whose every example is a small program of changes."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable, Sequence

from hypothesis import strategies as st

WORDS = (0, 1, 2, 4, 7, 8, 16, 255, 256, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFC,
         0xFFFFFFFF)  # fmt: skip
TOKENS = ("", "~", "null", "true", "yes", "0", "-1", "1e999", ".nan", "1200", "9" * 20,
          "[", "]", "{", "}", ":", "- ", "&a", "*a", "!!python/object:os.system", "|", ">", '"',
          "'", "\t", "\n", "#", "\0", "\x1b[2J", "\ud7ff", "usb:", "/", "..", "${HIL_RUN}", "$X",
          "version: 2", "boards: []", "0x10", "1_000", "1 KiB", "é", "🦉", "a" * 300)  # fmt: skip

_NUMBERS = st.integers(0, (1 << 32) - 1)
_Change = tuple[str, int, int]


def spoilt_bytes(seeds: Sequence[bytes], most: int = 10) -> st.SearchStrategy[bytes]:
    """One of the seeds with up to ``most`` changes."""
    changes = st.tuples(st.sampled_from(sorted(_BYTES)), _NUMBERS, _NUMBERS)
    which = st.integers(0, len(seeds) - 1)  # not the seeds themselves: they have no short repr
    return st.builds(
        lambda n, made: _spoil(seeds[n], made), which, st.lists(changes, max_size=most)
    )


def spoilt_at_random(seeds: Sequence[bytes], source: random.Random, most: int = 10) -> bytes:
    """The same without hypothesis: a hundred times as many in a second, and none made small."""
    kinds = sorted(_BYTES)
    changes = [
        (source.choice(kinds), source.getrandbits(32), source.getrandbits(32))
        for _ in range(source.randint(1, most))
    ]
    return _spoil(source.choice(seeds), changes)


def _spoil(seed: bytes, changes: Sequence[_Change]) -> bytes:
    data = bytearray(seed)
    for kind, at, value in changes:
        if data:
            _BYTES[kind](data, at % len(data), value)
    return bytes(data)


def _byte(data: bytearray, at: int, value: int) -> None:
    data[at] = value & 0xFF


def _word(data: bytearray, at: int, value: int) -> None:
    """A number that breaks things, at a place where one may lie."""
    at &= -4
    if at + 4 <= len(data):
        struct.pack_into("<I", data, at, WORDS[value % len(WORDS)])


def _nudge(data: bytearray, at: int, value: int) -> None:
    """A number a little larger or smaller: an offset to the neighbour."""
    at &= -4
    if at + 4 <= len(data):
        old = struct.unpack_from("<I", data, at)[0]
        struct.pack_into("<I", data, at, (old + value % 129 - 64) & 0xFFFFFFFF)


def _copy(data: bytearray, at: int, value: int) -> None:
    """A number from elsewhere: two offsets that meet, a cycle."""
    at, other = at & -4, value % len(data) & -4
    if max(at, other) + 4 <= len(data):
        data[at : at + 4] = data[other : other + 4]


def _point(data: bytearray, at: int, value: int) -> None:
    """An offset from here to anywhere in the file."""
    at, other = at & -4, value % len(data) & -4
    if at + 4 <= len(data):
        struct.pack_into("<I", data, at, (other - at) & 0xFFFFFFFF)


def _cut(data: bytearray, at: int, value: int) -> None:
    del data[at:]


def _drop(data: bytearray, at: int, value: int) -> None:
    del data[at : at + 1 + value % 64]


def _again(data: bytearray, at: int, value: int) -> None:
    data[at:at] = data[at : at + 1 + value % 64]


def _noise(data: bytearray, at: int, value: int) -> None:
    data[at : at + 4] = struct.pack("<I", value)


_BYTES: dict[str, Callable[[bytearray, int, int], None]] = {
    "byte": _byte, "word": _word, "nudge": _nudge, "copy": _copy, "point": _point, "cut": _cut,
    "drop": _drop, "again": _again, "noise": _noise,
}  # fmt: skip


def spoilt_text(seeds: Sequence[str], most: int = 8) -> st.SearchStrategy[str]:
    """One of the seeds with tokens put in or in place of others, and lines moved."""
    changes = st.tuples(st.sampled_from(sorted(_TEXT)), _NUMBERS, st.sampled_from(TOKENS))
    mixed = st.builds(_rewrite, st.sampled_from(seeds), st.lists(changes, max_size=most))
    return st.one_of(mixed, mixed, mixed, st.text(max_size=300))


def _rewrite(seed: str, changes: Sequence[tuple[str, int, str]]) -> str:
    for kind, at, token in changes:
        seed = _TEXT[kind](seed, at % (len(seed) + 1), token)
    return seed


def _value(text: str, at: int, token: str) -> str:
    """The rest of the line after its colon."""
    start, end = (
        text.rfind("\n", 0, at) + 1,
        (text.find("\n", at) + len(text) + 1) % (len(text) + 1),
    )
    colon = text.find(":", start, max(end, start))
    return text if colon < 0 else f"{text[: colon + 1]} {token}{text[max(end, colon + 1) :]}"


def _line_again(text: str, at: int, token: str) -> str:
    lines = text.split("\n")
    index = at % len(lines)
    return "\n".join([*lines[:index], lines[index], *lines[index:]])


def _line_moved(text: str, at: int, token: str) -> str:
    lines = text.split("\n")
    return "\n".join([*lines[at % len(lines) :], *lines[: at % len(lines)]])


_TEXT: dict[str, Callable[[str, int, str], str]] = {
    "insert": lambda text, at, token: text[:at] + token + text[at:],
    "replace": lambda text, at, token: text[:at] + token + text[at + max(1, len(token)) :],
    "cut": lambda text, at, token: text[:at],
    "drop": lambda text, at, token: text[:at] + text[at + 20 :],
    "value": _value,
    "again": _line_again,
    "moved": _line_moved,
}
