"""A compiled firmware as a value: where its image is, what it holds, what it was made of."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from elftools.elf.elffile import ELFFile
from elftools.elf.sections import Section, SymbolTableSection

SEAL = "seal.sha256"
"""The file of a firmware's folder that says what the others are."""

_WRITE, _ALLOC = 0x1, 0x2


@dataclass(frozen=True)
class TflmInfo:
    """Which TFLM the firmware runs; a part of every record."""

    source: str
    version: str
    digest: str
    kernels: str


@dataclass(frozen=True)
class Firmware:
    """One image for one board, built from one model (or from none, for a plain sketch).

    Attributes:
        build_id: 16 hex digits over everything that the image depends on; the device repeats it.
        digest: SHA-256 of what is flashed (`image_digest`), 64 hex digits; the same from any
            checkout path, which the debug information of the ELF is not.
        folder: the artefacts that ``arduino-cli upload --input-dir`` takes.
        flash: bytes of flash in use (.text, .rodata and the image of .data; the model in it).
        data, bss: bytes of the ELF sections, the arena apart.
        ram: bytes of RAM that the linker gave away, arena, stack and heap included.
        model: bytes of the model in flash.
        arena_cap: bytes of the arena in the image.
        extra_ops: ops in the image that the model does not have, see `hil.image_ops`.
        flash_parts, ram_parts: whose the bytes are, see `hil.image_parts`.
        flags: the compiler flags of the board's core and options.
    """

    board: str
    fqbn: str
    sketch: str
    model_sha256: str
    model_crc32: int
    build_id: str
    digest: str
    folder: Path
    elf: Path
    flash: int
    data: int
    bss: int
    ram: int
    model: int
    arena_cap: int
    extra_ops: Sequence[str]
    flash_parts: Mapping[str, int]
    ram_parts: Mapping[str, int]
    compiler: str
    flags: str
    tflm: TflmInfo

    def to_json(self) -> dict[str, Any]:
        value = asdict(self)
        return {**value, "folder": str(self.folder), "elf": str(self.elf)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Firmware:
        rest = {**value, "folder": Path(value["folder"]), "elf": Path(value["elf"])}
        return cls(**{**rest, "tflm": TflmInfo(**value["tflm"])})


def load_firmware(folder: Path) -> Firmware | None:
    """The firmware that an earlier build left in ``folder``; None if there is none."""
    path = folder / "firmware.json"
    try:
        return Firmware.from_json(json.loads(path.read_text()))
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


def seal(folder: Path) -> None:
    """Writes down what the files of a firmware are, so that a damaged one is never flashed."""
    (folder / SEAL).write_text(_contents(folder))


def intact(folder: Path) -> bool:
    """Whether every file of a firmware is as it was sealed."""
    try:
        return (folder / SEAL).read_text() == _contents(folder)
    except OSError:
        return False


def _contents(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.iterdir() if path.name != SEAL):
        data = path.read_bytes()
        digest.update(f"{path.name}\0{len(data)}\0".encode())
        digest.update(data)
    return digest.hexdigest()


@dataclass(frozen=True)
class Sections:
    """Bytes of an image, read from its ELF file."""

    data: int
    bss: int
    arena: int


def read_sections(elf: Path, arena_symbol: str = "arena") -> Sections:
    """Sizes of initialised and zeroed data; reserved RAM (stack, heap) counts as neither.

    The arena is the size of the symbol ``arena_symbol`` and is taken out of ``bss``.
    """
    with elf.open("rb") as stream:
        file = ELFFile(stream)
        sections = list(file.iter_sections())
        arena = _symbol_size(sections, arena_symbol)
    data = sum(_size(s) for s in sections if _writable(s) and s["sh_type"] == "SHT_PROGBITS")
    bss = sum(_size(s) for s in sections if s.name.startswith((".bss", ".noinit", ".dram0.bss")))
    return Sections(data, bss - arena, arena)


def image_digest(elf: Path) -> str:
    """SHA-256 over address, length and bytes of every loaded segment: what ends up in flash."""
    digest = hashlib.sha256()
    with elf.open("rb") as stream:
        for segment in ELFFile(stream).iter_segments("PT_LOAD"):
            digest.update(f"{segment['p_paddr']}:{segment['p_filesz']}:".encode())
            digest.update(segment.data())
    return digest.hexdigest()


def _writable(section: Section) -> bool:
    flags = int(section["sh_flags"])
    return bool(flags & _WRITE) and bool(flags & _ALLOC)


def _size(section: Section) -> int:
    return int(section["sh_size"])


def _symbol_size(sections: list[Section], name: str) -> int:
    """Size of the symbol, mangled (``_ZL5arena``) or not; 0 if the image has none."""
    wanted = {name, f"_ZL{len(name)}{name}"}
    for section in sections:
        if isinstance(section, SymbolTableSection):
            for symbol in section.iter_symbols():
                if symbol.name in wanted:
                    return int(symbol["st_size"])
    return 0
