"""Where in an image the kernel of an op begins, for a breakpoint.

TFLM of 2020 keeps a registration in a static of its `Register_…()`: four words of which the last
is the kernel's invoke. Where there is none, the kernel's `Eval` is found by the op's name.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from pathlib import Path

from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection

_INVOKE = 12
"""Offset of `invoke` in TfLiteRegistration and TFLMRegistration: init, free, prepare, invoke."""


def kernel_address(elf: Path, opcode: str) -> int | None:
    """The first instruction of the kernel of a builtin operator; None if it cannot be told."""
    with elf.open("rb") as stream:
        file = ELFFile(stream)
        return _registered(file, opcode) or _named(file, opcode)


def _symbols(file: ELFFile) -> Iterator[tuple[str, int]]:
    for section in file.iter_sections():
        if isinstance(section, SymbolTableSection):
            for symbol in section.iter_symbols():
                yield symbol.name, symbol["st_value"]


def _registered(file: ELFFile, opcode: str) -> int | None:
    register = f"Register_{opcode}"
    mangled = re.compile(rf"^_ZZ.*{len(register)}{register}(_INT8)?E?v\w*E\w+$")
    for name, address in _symbols(file):
        if mangled.match(name):
            invoke = _word(file, address + _INVOKE)
            return invoke & ~1 if invoke else None
    return None


def _named(file: ELFFile, opcode: str) -> int | None:
    """`…::fully_connected::Eval`, or `…FullyConnectedEval…` of later years."""
    plain = opcode.lower().removesuffix("_2d").replace("_", "")
    for name, address in _symbols(file):
        if re.search(r"\d+Eval(Int8)?E?P", name) and plain in name.lower().replace("_", ""):
            return address & ~1
    return None


def _word(file: ELFFile, address: int) -> int:
    """A word of memory as the image loads it; 0 where it loads none."""
    for section in file.iter_sections():
        start, size = section["sh_addr"], section["sh_size"]
        if section["sh_type"] == "SHT_PROGBITS" and start and start <= address <= start + size - 4:
            (word,) = struct.unpack_from("<I", section.data(), address - start)
            return int(word)
    return 0
