"""Mutants of the firmware: mutant_runner, its fault written into the image after the build."""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum, auto
from pathlib import Path

from elftools.elf.elffile import ELFFile
from mutant import Mutant
from stage import NANO, Stage

SKETCH = Path(__file__).parent / "sketches" / "mutant_runner"
ALL = 0xFFFF


class Fault(IntEnum):
    """`Fault` of the sketch, which says what the other words mean."""

    NONE = 0
    OUT_XOR = auto()
    OUT_ADD = auto()
    OUT_SWAP = auto()
    OUT_TURN = auto()
    OUT_FILL = auto()
    OUT_FIRST = auto()
    OUT_LATE = auto()
    OUT_WORD = auto()
    IN_CUT = auto()
    IN_SHIFT = auto()
    UNSET_RAM = auto()
    STALE_RAM = auto()
    COUNT = auto()
    FLIP_LATER = auto()
    MODEL_AT = auto()
    ARENA_AT = auto()
    ARENA_CAP = auto()
    ZERO_POINT = auto()
    SCALE = auto()
    WORK = auto()
    REFUSE = auto()
    CRASH = auto()
    LOST_OPS = auto()


def with_words(elf: Path, words: tuple[int, ...]) -> bytes:
    """The image with `hil_mutant` set."""
    with elf.open("rb") as stream:
        file = ELFFile(stream)
        (symbol,) = file.get_section_by_name(".symtab").get_symbol_by_name("hil_mutant")
        section = file.get_section(symbol["st_shndx"])
        place = section["sh_offset"] + symbol["st_value"] - section["sh_addr"]
    padded = (*words, 0, 0, 0, 0)[:4]
    new = b"".join((word & 0xFFFFFFFF).to_bytes(4, "little") for word in padded)
    image = elf.read_bytes()
    assert image[place : place + 16] == bytes(16)
    return image[:place] + new + image[place + 16 :]


def sketch(
    *words: int, model: str = "air_quality_anomaly", board: str = NANO
) -> Callable[[Stage], None]:
    """mutant_runner with these words, in place of the honest build."""

    def make(stage: Stage) -> None:
        stage.use(model, board)
        honest = stage.firmware(SKETCH)
        spoiled = stage.variant(honest, with_words(honest.elf, words))
        stage.builds(spoiled)
        stage.put(spoiled, honest)

    return make


PARITY = frozenset({"parity"})

BY_CHANCE = frozenset({"parity", "nondeterministic"})

ONE_LSB = [
    Mutant("one_lsb", name, codes, sketch(Fault.OUT_ADD, *words))
    for name, codes, words in (
        ("first_element_up", PARITY, (0, 1)),
        ("last_element_down", PARITY, (143, -1)),
        ("every_element_up", PARITY, (ALL, 1)),
        ("one_in_the_middle", PARITY, (71, -1)),
        ("every_eleventh_answer", BY_CHANCE, (5, 1, 11)),
    )
]

MUTANTS = [*ONE_LSB]
