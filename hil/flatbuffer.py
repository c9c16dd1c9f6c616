"""Flatbuffers read with suspicion: nothing is followed before it is known to lie in the file.

The bytes are not trusted. An offset may point anywhere (Python would read a negative one from the
end of the file), a vector may claim four thousand million entries, and many tables may share one
vector. So every position is checked before it is read, what is read must lie where a writer of
flatbuffers would have put it, and a budget bounds the whole walk by the size of the file.

Layout: https://flatbuffers.dev/internals/. A table starts with the distance to its vtable, which
says where each field lies in it; vectors and strings start with their length.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

MAX_TABLES = 20_000
"""More tables than any model for a microcontroller has; bounds the time that a walk takes."""

_ROOT = "the root"


class Damaged(ValueError):
    """The bytes are not a model. ``reasons`` are one clear line each."""

    def __init__(self, *reasons: str) -> None:
        super().__init__("; ".join(reasons))
        self.reasons = reasons


class Field(NamedTuple):
    """One field of a table: its place in the schema's order and its name there."""

    slot: int
    name: str


@dataclass
class Reader:
    """The bytes, and how much of the walk is left."""

    data: bytes
    tables: int = MAX_TABLES
    entries: int = field(init=False)

    def __post_init__(self) -> None:
        # A valid file stores every entry in at least a byte of its own.
        self.entries = len(self.data)

    def root(self) -> Table:
        """The table that the file begins with."""
        return Table.at(self, self.number("<I", 0, _ROOT), _ROOT)

    def number(self, form: str, at: int, place: str) -> int:
        """One number; `Damaged` if it does not lie in the file."""
        self.check(at, struct.calcsize(form), place)
        value: int = struct.unpack_from(form, self.data, at)[0]
        return value

    def check(self, at: int, size: int, place: str, align: int = 1) -> None:
        """Raises `Damaged` unless ``size`` bytes at ``at`` lie in the file, aligned."""
        if at < 0 or at + size > len(self.data):
            raise Damaged(
                f"truncated or damaged: {place} lies at bytes {at:,} to {at + size:,} "
                f"of a file of {len(self.data):,}"
            )
        if at % align:
            raise Damaged(f"damaged: {place} lies at byte {at:,}, which is no multiple of {align}")

    def spend(self, entries: int, place: str) -> None:
        """Takes entries from the budget."""
        self.entries -= entries
        if self.entries < 0:
            raise Damaged(f"{place} claims {entries:,} entries, more than the file can hold")


@dataclass(frozen=True)
class Table:
    """One table whose vtable and extent are known to lie in the file."""

    reader: Reader
    start: int
    size: int
    offsets: tuple[int, ...]
    place: str

    @classmethod
    def at(cls, reader: Reader, start: int, place: str) -> Table:
        """The table that starts at byte ``start``."""
        reader.tables -= 1
        if reader.tables < 0:
            raise Damaged(f"more than {MAX_TABLES:,} tables; no board holds such a model")
        reader.check(start, 4, place, 4)
        vtable = start - reader.number("<i", start, place)
        reader.check(vtable, 4, f"the vtable of {place}", 2)
        length, size = struct.unpack_from("<HH", reader.data, vtable)
        if length < 4 or length % 2 or size < 4:
            raise Damaged(
                f"damaged: the vtable of {place} has {length} bytes for a table of {size}"
            )
        reader.check(vtable, length, f"the vtable of {place}")
        reader.check(start, size, place)
        offsets = struct.unpack_from(f"<{length // 2 - 2}H", reader.data, vtable + 4)
        return cls(reader, start, size, offsets, place)

    def number(self, what: Field, form: str, default: int = 0) -> int:
        """A number that lies in the table; ``form`` is struct's letter for it."""
        at = self._where(what, struct.calcsize(f"<{form}"))
        return self.reader.number(f"<{form}", at, self._name(what)) if at else default

    def table(self, what: Field, place: str | None = None) -> Table | None:
        """A table that a field points to."""
        at = self._pointed(what)
        return Table.at(self.reader, at, place or self._name(what)) if at else None

    def tables(self, what: Field) -> Iterator[Table]:
        """The tables of a vector, each with its place in it."""
        at, count = self._vector(what, 4)
        for index in range(count):
            place = f"{what.name}[{index}]"
            here = at + 4 * index
            yield Table.at(
                self.reader, here + self.reader.number("<I", here, place), self._within(place)
            )

    def numbers(self, what: Field, form: str, most: int) -> tuple[int | float, ...]:
        """The numbers of a vector, at most ``most``."""
        at, count = self._vector(what, struct.calcsize(f"<{form}"))
        if count > most:
            raise Damaged(f"{self._name(what)} has {count:,} entries, more than {most:,}")
        return struct.unpack_from(f"<{count}{form}", self.reader.data, at) if count else ()

    def integers(self, what: Field, form: str, most: int) -> tuple[int, ...]:
        """The integers of a vector, at most ``most``."""
        return tuple(int(value) for value in self.numbers(what, form, most))

    def blob(self, what: Field) -> int | None:
        """Bytes of a vector of bytes, which lie in the file; None if there is none."""
        at = self._pointed(what)
        return self._vector(what, 1)[1] if at else None

    def text(self, what: Field) -> str | None:
        """A string; it must end in a zero, which C code relies on."""
        if not self._pointed(what):
            return None
        at, size = self._vector(what, 1)
        if self.reader.number("<B", at + size, self._name(what)) != 0:
            raise Damaged(f"damaged: {self._name(what)} is a string that does not end in a zero")
        return self.reader.data[at : at + size].decode("utf-8", "replace")

    def has(self, what: Field) -> bool:
        """Whether the file states the field."""
        return what.slot < len(self.offsets) and self.offsets[what.slot] != 0

    def _where(self, what: Field, size: int) -> int:
        """Where a field of ``size`` bytes lies; 0 if the file does not state it."""
        if not self.has(what):
            return 0
        offset = self.offsets[what.slot]
        if offset < 4 or offset + size > self.size:
            raise Damaged(
                f"damaged: {self._name(what)} lies at byte {offset} of a table of {self.size}"
            )
        return self.start + offset

    def _pointed(self, what: Field) -> int:
        """The position that a field's offset names; 0 if the file does not state it."""
        at = self._where(what, 4)
        return at + self.reader.number("<I", at, self._name(what)) if at else 0

    def _vector(self, what: Field, item: int) -> tuple[int, int]:
        """Where a vector's entries begin and how many there are; all of them lie in the file."""
        at = self._pointed(what)
        if not at:
            return 0, 0
        name = self._name(what)
        self.reader.check(at, 4, name, 4)
        count = self.reader.number("<I", at, name)
        self.reader.spend(count if item > 1 else 0, name)
        self.reader.check(at + 4, count * item, f"{name} with its {count:,} entries")
        return at + 4, count

    def _name(self, what: Field) -> str:
        return self._within(what.name)

    def _within(self, name: str) -> str:
        return name if self.place == _ROOT else f"{self.place}.{name}"
