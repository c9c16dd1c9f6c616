"""How large the arena of an image can be: linked, measured, linked again. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, NamedTuple, TypeVar

SMALLEST = 1024
STEP = 32
"""The arena grows in steps of this, and RAM with it (a section behind it may be 32-aligned): one
size alone leaves less than a step, whatever was tried first, so an image has no history."""

MAX_LINKS = 6

Image = TypeVar("Image")


class Tried(NamedTuple, Generic[Image]):
    """A link: bytes of RAM that are ``left`` (negative: lacking), the RAM taken, and the image,
    None if the linker made none."""

    left: int
    ram: int
    image: Image | None


class Fitted(NamedTuple, Generic[Image]):
    """The image to keep; ``arena`` is None where the sketch's RAM does not depend on it."""

    arena: int | None
    image: Image


def fit(
    link: Callable[[int], Tried[Image]], first: int = SMALLEST, *, fixed: bool = False
) -> Fitted[Image] | None:
    """Links until less than a step is left, or until the next size is known not to fit.

    The second happens: alignment behind the arena can take more than the arena grew, so that one
    image leaves 32 bytes and the next lacks 8.

    Args:
        link: makes an image with an arena of so many bytes.
        fixed: the sketch does not look at the size: the first image is the one.

    Returns:
        None if no size settled within `MAX_LINKS` links.
    """
    arena, before, lacking = first, None, None
    for _ in range(MAX_LINKS):
        tried = link(arena)
        if tried.left < 0:
            lacking = arena if lacking is None else min(lacking, arena)
        next_lacks = lacking is not None and arena + STEP >= lacking
        fits = tried.left >= 0 and (tried.left < STEP or next_lacks)
        if tried.image is not None and (fits or fixed or tried.ram == before):
            return Fitted(arena if fits and not fixed else None, tried.image)
        before = tried.ram if tried.image is not None else None
        arena = max(SMALLEST, (arena + tried.left) & -STEP)
    return None
