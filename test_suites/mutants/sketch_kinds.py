"""Mutants of the firmware's answers: mutant_runner, its fault written into the image after the
build."""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum, auto
from pathlib import Path

from elftools.elf.elffile import ELFFile
from mutant import Mutant, group
from stage import NANO, Stage

SKETCH = Path(__file__).parent / "sketches" / "mutant_runner"
ALL = 0xFFFF
SIZE = 144
"""Elements of the input and of the output of air_quality_anomaly."""

FLOAT = "hello_sine_float"


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
    CHANCE = auto()
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
    CLOCK_RATE = auto()
    CLOCK_STOPS = auto()


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


BOTH = "parity nondeterministic"

ANSWERS: list[Mutant] = [
    *group(
        "one_lsb",
        ("first_element_up", "parity", sketch(Fault.OUT_ADD, 0, 1)),
        ("last_element_down", "parity", sketch(Fault.OUT_ADD, SIZE - 1, -1)),
        ("every_element_up", "parity", sketch(Fault.OUT_ADD, ALL, 1)),
        ("one_in_the_middle", "parity", sketch(Fault.OUT_ADD, 71, -1)),
        ("every_eleventh_answer", BOTH, sketch(Fault.OUT_ADD, 5, 1, 11)),
        (
            "on_armv6m",
            "parity",
            sketch(Fault.OUT_ADD, 0, 1, board="virtual-pico"),
        ),
    ),
    *group(
        "swapped_outputs",
        ("ends", "parity", sketch(Fault.OUT_SWAP, 0, SIZE - 1)),
        ("first_two", "parity", sketch(Fault.OUT_SWAP, 0, 1)),
        ("middle_two", "parity", sketch(Fault.OUT_SWAP, 71, 72)),
        ("rotated_by_one", "parity", sketch(Fault.OUT_TURN, 1)),
        ("halves", "parity", sketch(Fault.OUT_TURN, SIZE // 2)),
    ),
    *group(
        "constant_output",
        ("zero", "parity", sketch(Fault.OUT_FILL, 0)),
        ("largest", "parity", sketch(Fault.OUT_FILL, 127)),
        ("smallest", "parity", sketch(Fault.OUT_FILL, 0x80)),
        ("zero_point", "parity", sketch(Fault.OUT_FILL, -53 & 0xFF)),
        ("first_answer_for_ever", "parity", sketch(Fault.OUT_FIRST)),
    ),
    *group(
        "late_answer",
        *((f"by_{ago}", BOTH, sketch(Fault.OUT_LATE, ago)) for ago in (1, 2, 3, 5, 7)),
    ),
    *group(
        "truncated_input",
        *((f"last_{n}_zero", "parity", sketch(Fault.IN_CUT, n)) for n in (6, 24, 72, SIZE)),
        ("last_12_all_ones", "parity", sketch(Fault.IN_CUT, 12, 0xFF)),
    ),
    *group(
        "shifted_input",
        *((f"by_{n}", "parity", sketch(Fault.IN_SHIFT, n)) for n in (1, 2, 6, 36, 72)),
    ),
    *group(
        "zero_point",
        *((f"off_by_{n}", "parity", sketch(Fault.ZERO_POINT, n)) for n in (1, -1, 2, -3, 10)),
    ),
    *group(
        "scale",
        *((f"{n}_thousandths", "parity", sketch(Fault.SCALE, n)) for n in (10, 20, 50, 100, 1000)),
    ),
    *group(
        "not_a_number",
        ("quiet", "parity", sketch(Fault.OUT_WORD, 0, 0x7FC00000, model=FLOAT)),
        ("signalling", "parity", sketch(Fault.OUT_WORD, 0, 0x7F800001, model=FLOAT)),
        ("infinity", "parity", sketch(Fault.OUT_WORD, 0, 0x7F800000, model=FLOAT)),
        ("minus_infinity", "parity", sketch(Fault.OUT_WORD, 0, 0xFF800000, model=FLOAT)),
        ("now_and_then", BOTH, sketch(Fault.OUT_WORD, 0, 0x7FC00000, 7, model=FLOAT)),
    ),
    *group(
        "float_bit",
        ("sign", "parity", sketch(Fault.OUT_XOR, 3, 0x80, model=FLOAT)),
        ("exponent", "parity", sketch(Fault.OUT_XOR, 2, 0x80, model=FLOAT)),
        *(
            (
                f"mantissa_{bit}",
                "parity",
                sketch(Fault.OUT_XOR, bit // 8, 1 << bit % 8, model=FLOAT),
            )
            for bit in (11, 14, 18, 22)
        ),
    ),
]

CHANCE: list[Mutant] = [
    *group(
        "unset_buffer",
        *(
            (f"{n}_from_the_end", "nondeterministic", sketch(Fault.UNSET_RAM, 7, n))
            for n in (1, 64, 1000, 50_000)
        ),
        ("on_armv6m", "nondeterministic", sketch(Fault.UNSET_RAM, 7, 4, board="virtual-pico")),
    ),
    *group(
        "by_chance",
        *((f"element_{n}", BOTH, sketch(Fault.CHANCE, n)) for n in (0, 1, 71, 100, SIZE - 1)),
    ),
    *group(
        "kept_state",
        *((f"every_{n}", BOTH, sketch(Fault.COUNT, 3, n)) for n in (1, 2, 3, 5, 8)),
    ),
    *group(
        "flipped_later",
        *(
            (f"byte_{at}_at_run_{run}", "model_corrupt", sketch(Fault.FLIP_LATER, run, at, 6))
            for run, at in ((1, 8250), (2, 6000), (15, 11_000), (25, 13_250), (30, 4000))
        ),
    ),
]

MUTANTS = [*ANSWERS, *CHANCE]
