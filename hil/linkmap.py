"""The link map of GNU ld: which bytes of a section came from which object file. Pure text.

A map is what some linker wrote; nothing of it is trusted. Pieces are laid into the sections that
the ELF file has, in the map's order, and never overlap or leave their section: whatever the map
says, the bytes that it gives to files add up to no more than the section has.

Traps of real maps (GNU ld):

- A long section name stands on a line of its own, its address, size and file on the next.
- String constants are merged over files, and ``0x52 (size before relaxing)`` says what the file
  brought. The pool may be booked on its first file, and a piece that was merged away keeps a size
  and the address of the piece behind it: a piece counts at most what its file brought, and ends
  where the next one starts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

_START = "Linker script and memory map"
_ALONE = re.compile(r" ?[^\s(*][^\s(]*")
_REST = re.compile(r"\s+0x[0-9a-fA-F]+\s+0x[0-9a-fA-F]+(?:\s.*)?")
_LINE = re.compile(r"( ?)([^\s(]+)\s+0x([0-9a-fA-F]+)\s+0x([0-9a-fA-F]+)(?:\s(.*))?")
_BROUGHT = re.compile(r"\s+0x([0-9a-fA-F]+) \(size before relaxing\)")
_FILL = "*fill*"


@dataclass(frozen=True)
class Piece:
    """A part of an output section as the map states it; addresses and sizes in bytes.

    ``name`` is the input section, ``file`` the object (``archive.a(member.o)``) or "" for padding.
    """

    output: str
    name: str
    address: int
    size: int
    file: str


@dataclass(frozen=True)
class Share:
    """Bytes [start, end) of a section that a file put there, in its section ``name``."""

    start: int
    end: int
    name: str
    file: str

    @property
    def size(self) -> int:
        return self.end - self.start


def parse_map(text: str) -> tuple[Piece, ...]:
    """Everything in the map that lies at an address, in its order; () if the text is no map."""
    _, found, rest = text.partition(_START)
    return tuple(_pieces(_joined(rest.splitlines()))) if found else ()


def _joined(lines: Iterable[str]) -> Iterator[str]:
    """Lines, a name that stands alone joined with what follows it."""
    held = ""
    for line in lines:
        if held and _REST.fullmatch(line):
            yield held + line
            held = ""
            continue
        if held:
            yield held
        held = line if _ALONE.fullmatch(line) else ""
        if not held:
            yield line
    if held:
        yield held


def _pieces(lines: Iterable[str]) -> Iterator[Piece]:
    output, last = "", None
    for line in lines:
        if last and (brought := _BROUGHT.fullmatch(line)):
            yield replace(last, size=min(last.size, int(brought[1], 16)))
            last = None
            continue
        if last:
            yield last
        last = None
        if found := _LINE.fullmatch(line):
            indent, name, address, size, rest = found.groups(default="")
            if not indent:
                output = name
            else:
                file = "" if name == _FILL else rest.strip()
                last = Piece(output, name, int(address, 16), int(size, 16), file)
    if last:
        yield last


def shares(section: str, start: int, size: int, pieces: Sequence[Piece]) -> tuple[Share, ...]:
    """What files put into a section of the ELF file: in order, without overlap, within it.

    Args:
        section, start, size: the section's name, address and bytes in the ELF file.
        pieces: of its map; those of other sections do not count.
    """
    laid: list[Piece] = []
    for piece in pieces:
        inside = piece.output == section and start <= piece.address < start + size
        if inside and (not laid or piece.address >= laid[-1].address):
            laid.append(piece)
    ends = [*(piece.address for piece in laid[1:]), start + size]
    found = (
        Share(piece.address, min(piece.address + piece.size, end), piece.name, piece.file)
        for piece, end in zip(laid, ends, strict=False)
    )
    return tuple(share for share in found if share.size and share.file)
