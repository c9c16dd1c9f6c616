"""The same question asked again: arenas prefilled differently, another order, the same answer?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hil.errors import Finding
from hil.tensors import Array

FILLS = (0x00, 0xA5, 0x5A)
"""What the arena is prefilled with on the passes over the vectors; the last runs in reverse.
A kernel that reads what it never wrote answers differently."""

Outputs = list[tuple[Array, ...]]
"""The outputs of every vector, in the vectors' order."""


def nondeterminism(passes: Sequence[Outputs]) -> Finding | None:
    """The finding of vectors whose repeated answers differ from their first; None if none does."""
    pairs = [pair for again in passes[1:] for pair in zip(passes[0], again, strict=True)]
    differing = sum(not _same(first, other) for first, other in pairs)
    if not differing:
        return None
    fills = ", ".join(f"0x{fill:02x}" for fill in FILLS)
    return Finding(
        "nondeterministic",
        f"{differing} of {len(pairs)} repeated inferences gave another answer, with the arena "
        f"prefilled with {fills} and the vectors in another order: a kernel reads what it never "
        "wrote, or keeps state",
        "parity",
        {"differing": differing, "repeated": len(pairs)},
    )


def _same(first: Sequence[Array], other: Sequence[Array]) -> bool:
    """Bit for bit: a NaN that comes back as the same NaN is no sign of chance."""
    return all(_bytes(a) == _bytes(b) for a, b in zip(first, other, strict=True))


def _bytes(array: Array) -> bytes:
    return np.ascontiguousarray(array).tobytes()
