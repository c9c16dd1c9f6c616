"""What an image is made of: flash and RAM by the part of the software that takes them.

How much there is says the ELF file, byte for byte, and so do the symbols of the model and the
arena; whose the rest is says the link map. What it does not say (padding, pools of merged strings,
a map that is missing) is ``other``: the parts of a memory always add up to its sections.

============  =======================================================================
part          bytes
============  =======================================================================
model         flash: the model's own
arena         RAM: the tensor arena
kernels       TFLM's operators: ``kernels/``, CMSIS-NN and other libraries of kernels
runtime       the rest of TFLM: interpreter, allocator, planner, error reporter
hil_device    the device half of the harness
sketch        the sketch and what it declares: HilDevice's state, the op resolver
libraries     other Arduino libraries
core          the board's core, the C library, the compiler's own functions
stack, heap   RAM: what the linker script sets aside for them
other         what no file can be named for
============  =======================================================================

A function that several files could have brought (inline, template) belongs to the first of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from elftools.elf.elffile import ELFFile
from elftools.elf.sections import Section, SymbolTableSection

from hil.linkmap import Piece, parse_map, shares

_WRITE, _ALLOC = 0x1, 0x2
_FILES = ("kernels", "runtime", "hil_device", "sketch", "libraries", "core", "other")
FLASH_PARTS = ("model", *_FILES)
RAM_PARTS = ("arena", *_FILES, "stack", "heap")

MODEL_SYMBOL, ARENA_SYMBOL = "hil_model_bytes", "arena"
_KERNELS = ("/kernels/", "cmsis", "/ruy/", "/gemmlowp/", "/kissfft/")


@dataclass(frozen=True)
class Layout:
    """Where a build leaves its objects: arduino-cli's build path, with ``sketch``, ``core`` and
    ``libraries/FOLDER`` in it, and the folder names of two libraries."""

    build_path: Path
    tflm: str
    device: str = "HilDevice"


@dataclass(frozen=True)
class Parts:
    """Bytes by part: all of `FLASH_PARTS`, all of `RAM_PARTS`. Initialised data counts in both."""

    flash: Mapping[str, int]
    ram: Mapping[str, int]


def image_parts(elf: Path, link_map: Path, layout: Layout) -> Parts:
    """The parts of an image; a map that is not there, or is none of GNU ld's, tells nothing."""
    pieces = parse_map(link_map.read_text(errors="replace")) if link_map.is_file() else ()
    with elf.open("rb") as stream:
        file = ELFFile(stream)
        sections = [s for s in file.iter_sections() if s["sh_flags"] & _ALLOC and s["sh_size"]]
        model, arena = (symbol_range(file, name) for name in (MODEL_SYMBOL, ARENA_SYMBOL))
    loaded = [section for section in sections if section["sh_type"] != "SHT_NOBITS"]
    ram = [section for section in sections if _in_ram(section)]
    return Parts(
        _split(FLASH_PARTS, loaded, pieces, layout, model),
        _split(RAM_PARTS, ram, pieces, layout, arena),
    )


def symbol_range(file: ELFFile, name: str) -> range:
    """The addresses of a variable, mangled (``_ZL5arena``) or not; empty if the image has none."""
    wanted = {name, f"_ZL{len(name)}{name}"}
    for section in file.iter_sections():
        if isinstance(section, SymbolTableSection):
            for symbol in section.iter_symbols():
                if symbol.name in wanted:
                    start = int(symbol["st_value"])
                    return range(start, start + int(symbol["st_size"]))
    return range(0)


def _in_ram(section: Section) -> bool:
    """Writable data; what only keeps an address range free of others (ESP32, RP2040) is none."""
    data = section["sh_type"] in ("SHT_PROGBITS", "SHT_NOBITS")
    return bool(section["sh_flags"] & _WRITE) and data and "dummy" not in section.name


def _split(
    names: Sequence[str],
    sections: Iterable[Section],
    pieces: Sequence[Piece],
    layout: Layout,
    known: range,
) -> dict[str, int]:
    """Bytes of the sections by part; those of ``known`` are the first part's, whoever brought
    them."""
    parts = dict.fromkeys(names, 0)
    for section in sections:
        start, size = int(section["sh_addr"]), int(section["sh_size"])
        parts[names[0]] += (rest := _common(range(start, start + size), known))
        for share in shares(section.name, start, size, pieces):
            own = share.size - _common(range(share.start, share.end), known)
            parts[part_of(share.file, layout)] += own
            rest += own
        parts[_reserve(section.name, parts)] += size - rest
    return parts


def _common(one: range, two: range) -> int:
    return max(0, min(one.stop, two.stop) - max(one.start, two.start))


def _reserve(section: str, parts: Mapping[str, int]) -> str:
    """Whose the bytes are that no file brought: the linker script's, for stack and heap."""
    return next((part for part in ("stack", "heap") if part in parts and part in section), "other")


def part_of(file: str, layout: Layout) -> str:
    """The part that an object file, as the map names it, belongs to."""
    root = f"{layout.build_path}/"
    if file == "linker stubs":
        return "other"
    if not file.startswith(root):
        return "core"  # the toolchain's libraries, a core that was built before
    folder, _, rest = file.removeprefix(root).partition("/")
    if folder != "libraries":
        return "sketch" if folder == "sketch" else "core"
    library, _, path = rest.partition("/")
    if library == layout.device:
        return "hil_device"
    if library != layout.tflm:
        return "libraries"
    return "kernels" if any(word in f"/{path}".lower() for word in _KERNELS) else "runtime"
