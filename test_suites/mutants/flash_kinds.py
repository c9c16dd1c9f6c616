"""Mutants of what lies in flash: bits of the image, other builds, other models."""

from __future__ import annotations

from collections.abc import Callable

from mutant import Mutant
from provoke import weight_offset
from stage import Stage

Change = Callable[[bytes, bytes], bytes]


def flipped(offset: Callable[[bytes], int], mask: int) -> Callable[[Stage], None]:
    """One bit of the model in the image; the build stays what it says it is."""

    def make(stage: Stage) -> None:
        stage.use("hello_sine")
        honest, data = stage.firmware(), stage.model.data
        image = bytearray(honest.elf.read_bytes())
        image[_only(image, data) + offset(data)] ^= mask
        spoiled = stage.variant(honest, bytes(image))
        stage.builds(spoiled)
        stage.put(spoiled, honest)

    return make


def _only(image: bytes, part: bytes) -> int:
    """Where ``part`` lies in the image, if in one place only."""
    start = image.find(part)
    assert start >= 0
    assert image.find(part, start + 1) < 0
    return start


CORRUPT = frozenset({"model_corrupt"})

FLIPPED_WEIGHT = [
    Mutant("flipped_weight", name, CORRUPT, flipped(offset, mask))
    for name, offset, mask in (
        ("first_lowest_bit", weight_offset, 0x01),
        ("first_sign", weight_offset, 0x80),
        ("hundredth", lambda data: weight_offset(data) + 100, 0x10),
        ("last_byte_of_the_file", lambda data: len(data) - 1, 0x01),
        ("in_the_middle", lambda data: len(data) // 2, 0x04),
    )
]

MUTANTS = [*FLIPPED_WEIGHT]
