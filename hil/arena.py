"""The smallest arena that a model needs on a board, searched on the board itself.

TFLM's own figures do not tell: ``arena_used`` is below the need, and the messages of a failed
allocation name one buffer. The same firmware is loaded with other sizes until two neighbours
16 bytes apart differ.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from hil.device import Device
from hil.errors import Finding, ProductError

STEP = 16
"""Granularity of the search: TFLM aligns buffers to 16 bytes."""

FLOOR = 1024
"""Bytes below which the device refuses to try: allocating there can crash without a status."""

_TOO_SMALL = ("arena_overflow", "crash")


def find_min_arena(device: Device, fill: int = 0xA5) -> int | None:
    """The smallest arena, in bytes, that allocates and invokes; None: more than the board has.

    A crash counts as too small, since the 2020 tree writes through null at some sizes; the
    search goes on after the restart. Leaves the device loaded with nothing in particular.

    Raises:
        ProductError: the model cannot be loaded for another reason than the arena.
        BenchError: the board was lost.
        ArenaFixed: firmware with an interpreter of its own; the need is unknown.
    """
    cap = device.info.arena_cap // STEP * STEP
    return smallest(FLOOR, cap, lambda size: arena_works(device, size, fill))


def smallest(floor: int, cap: int, works: Callable[[int], bool]) -> int | None:
    """Bisection in steps of `STEP` for the least size in [floor, cap] that works; None: none.

    ``works`` has to be monotone near its threshold. ``floor`` and ``cap`` are multiples of STEP.
    """
    if cap < floor or not works(cap):
        return None
    low, high = floor - STEP, cap  # low does not work, or was not tried; high works
    while high - low > STEP:
        middle = (low + high) // (2 * STEP) * STEP
        if works(middle):
            high = middle
        else:
            low = middle
    return high


def same_answer(device: Device, size: int, fill: int = 0xA5) -> Finding | None:
    """The finding of a model that answers otherwise in ``size`` bytes than in the whole arena;
    None if it does not."""
    cap = device.info.arena_cap
    if answer_in(device, size, fill) == answer_in(device, cap, fill):
        return None
    return Finding(
        "nondeterministic",
        f"the model answers otherwise in an arena of {size:,} bytes than in one of {cap:,}: a "
        "kernel reads or writes beside its buffers, or keeps state",
        "memory",
        {"arena": size, "cap": cap},
    )


def answer_in(device: Device, size: int, fill: int) -> bytes:
    """The model's answer to inputs of zeros, loaded into ``size`` bytes; raises as `Device`."""
    device.load(size, fill)
    answer = device.infer([np.zeros(t.shape, t.dtype) for t in device.inputs])
    return b"".join(output.tobytes() for output in answer.outputs)


def arena_works(device: Device, size: int, fill: int) -> bool:
    """Whether the model allocates in ``size`` bytes, and invokes: scratch space may still lack."""
    try:
        answer_in(device, size, fill)
    except ProductError as error:
        if error.code in _TOO_SMALL:
            return False
        raise
    return True
