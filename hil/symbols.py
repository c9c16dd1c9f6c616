"""Addresses of an image as functions, files and lines, from its DWARF and its symbol table.

Total: whatever the ELF lacks or however it is damaged, an answer has fewer words, and nothing
raises. DWARF is read on the first question only: nobody pays for it while nothing crashes.
"""

from __future__ import annotations

import io
import posixpath
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any, TypeVar

from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection

from hil.dwarf_names import Names, names_at

_CODE = 0x4  # SHF_EXECINSTR
_T = TypeVar("_T")
_Row = tuple[int, str, int]  # address, file, line


@dataclass(frozen=True)
class Place:
    """Where an address lies; what is not known is empty or 0.

    ``function`` is the innermost one, ``within`` the one that it was inlined into.
    """

    address: int
    function: str = ""
    file: str = ""
    line: int = 0
    within: str = ""

    def __str__(self) -> str:
        name = self.function or f"0x{self.address:08x}"
        where = f" ({self.file}:{self.line})" if self.file else ""
        return f"{name}{where}" + (f", inlined in {self.within}" if self.within else "")


@dataclass(frozen=True)
class _Run:
    """Rows of a line program without a gap; ``unit`` is where its compilation unit begins."""

    start: int
    end: int
    unit: int
    rows: tuple[_Row, ...]


class Symbols:
    """The places of one image.

    Args:
        image: path of an ELF file, or its bytes.
    """

    def __init__(self, image: Path | bytes) -> None:
        self._image = image

    def at(self, address: int) -> Place:
        """Where ``address`` lies; the Thumb bit does not matter."""
        address &= ~1
        file, line, unit = _total(lambda: self._line(address), ("", 0, -1))
        names = _total(lambda: self._names(address, unit), Names())
        symbol = _total(lambda: self._symbol(address), "")
        return Place(address, names.innermost or symbol, file, line, names.outer)

    def before(self, address: int) -> Place:
        """Where the call lies that returns to ``address``: the call may be the last instruction
        of its function, and then the address is already the next one's."""
        return self.at((address & ~1) - 1)

    def is_return(self, word: int) -> bool:
        """Whether a word of the stack can be a return address: it has the Thumb bit, and the
        instruction before it is a call."""
        code = _total(lambda: self._code((word & ~1) - 4, 4), b"")
        return bool(word & 1) and len(code) == 4 and _is_call(code)

    # -- the file

    @cached_property
    def _elf(self) -> ELFFile:
        image = self._image
        return ELFFile(io.BytesIO(image if isinstance(image, bytes) else image.read_bytes()))

    @cached_property
    def _dwarf(self) -> Any:
        return self._elf.get_dwarf_info()

    def _code(self, address: int, size: int) -> bytes:
        for section in self._elf.iter_sections():
            start = int(section["sh_addr"])
            inside = start <= address and address + size <= start + int(section["sh_size"])
            if section["sh_flags"] & _CODE and inside:
                data: bytes = section.data()
                return data[address - start : address - start + size]
        return b""

    # -- symbols

    @cached_property
    def _functions(self) -> list[tuple[int, int, str]]:
        tables = [s for s in self._elf.iter_sections() if isinstance(s, SymbolTableSection)]
        return sorted(
            (symbol["st_value"] & ~1, symbol["st_size"], str(symbol.name))
            for table in tables
            for symbol in table.iter_symbols()
            if symbol["st_info"]["type"] == "STT_FUNC"
        )

    def _symbol(self, address: int) -> str:
        for start, size, name in self._functions:
            if start <= address < start + size:
                return name
        return ""

    # -- lines

    @cached_property
    def _runs(self) -> list[_Run]:
        found: list[_Run] = []
        for unit in self._dwarf.iter_CUs():
            found += _total(partial(_runs_of, self._dwarf, unit), [])
        return sorted(found, key=lambda run: run.start)

    def _line(self, address: int) -> tuple[str, int, int]:
        for run in self._runs:
            if run.start <= address < run.end:
                row = run.rows[bisect_right(run.rows, address, key=lambda each: each[0]) - 1]
                return row[1], row[2], run.unit
        return "", 0, -1

    def _names(self, address: int, unit: int) -> Names:
        return names_at(self._dwarf.get_CU_at(unit), address) if unit >= 0 else Names()


def _total(attempt: Callable[[], _T], otherwise: _T) -> _T:
    """pyelftools meets a damaged file with whatever exception its parsing happens to end in."""
    try:
        return attempt()
    except Exception:
        return otherwise


def _is_call(code: bytes) -> bool:
    """Whether four bytes of Thumb code end in BL (32 bits) or BLX register (16 bits)."""
    high, low = int.from_bytes(code[:2], "little"), int.from_bytes(code[2:], "little")
    return (high & 0xF800 == 0xF000 and low & 0xD000 == 0xD000) or low & 0xFF87 == 0x4780


def _runs_of(dwarf: Any, unit: Any) -> list[_Run]:
    program = dwarf.line_program_for_CU(unit)
    runs: list[_Run] = []
    rows: list[_Row] = []
    for entry in program.get_entries() if program else ():
        state = entry.state
        if state is None:
            continue
        if not state.end_sequence:
            rows.append((state.address, _file_name(program.header, state.file), state.line))
            continue
        # A function that the linker removed stays in the debug information, at address 0, where
        # the vector table is and no code.
        if rows and rows[0][0] > 0:
            runs.append(_Run(rows[0][0], state.address, unit.cu_offset, tuple(rows)))
        rows = []
    return runs


def _file_name(header: Any, number: int) -> str:
    """DWARF 5 counts files and folders from 0, the folder 0 being that of the compilation; the
    versions before count from 1 and leave that folder out."""
    first = 0 if header["version"] >= 5 else 1
    entry = header["file_entry"][number - first]
    folder = int(entry["dir_index"])
    name = str(entry.name.decode(errors="replace"))
    if folder == 0:
        return name
    parent = str(header["include_directory"][folder - first].decode(errors="replace"))
    path = posixpath.normpath(posixpath.join(parent, name))
    return path.removeprefix("../" * path.count("../"))  # of the toolchain's own build
