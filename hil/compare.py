"""Expected against observed, element by element. Pure: numbers in, numbers out.

Integers are counted in steps (LSB), floats against ``|Δ| <= max_abs + max_rel * |expected|``.
Differences are absolute and taken in 64 bits, so nothing wraps around. NaN equals nothing, not
even NaN; an infinity equals only the same infinity; a missing output, another shape or another
type is a mismatch of every element.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from hil.parity import SHOWN, Parity, Tolerance, Worst, merge, parity_finding
from hil.spread import spread_of
from hil.tensors import Array, as_float64

_Judged = tuple[Array, Array, Parity]  # differences, which are too large, and the figures

__all__ = [
    "Parity",
    "Tolerance",
    "Worst",
    "compare_outputs",
    "compare_tensor",
    "merge",
    "parity_finding",
]


def compare_tensor(
    expected: Array,
    observed: Array | None,
    tolerance: Tolerance | None = None,
    *,
    vector: str = "",
    output: int = 0,
    zero_point: int = 0,
) -> Parity:
    """Compare one output; ``observed`` None is a missing one. Never raises for its arrays.

    ``zero_point`` is taken off both for the signal-to-noise ratio and the cosine.
    """
    tolerance = tolerance or Tolerance()
    limit = tolerance.limit(expected.dtype.kind)
    problem = _misfit(expected, observed)
    if problem or observed is None:
        where = f"{vector or 'vector'} output {output}: {problem}"
        size = max(1, expected.size)
        return Parity(elements=size, mismatches=size, limit=limit, problems=(where,))
    if expected.dtype.kind == "f":
        delta, bad, parity = _floats(expected, observed, tolerance)
    else:
        delta, bad, parity = _integers(expected, observed, tolerance)
    same, total = _argmax(expected, observed)
    return replace(
        parity,
        argmax_same=same,
        argmax_total=total,
        limit=limit,
        worst=_worst(expected, observed, delta, bad, vector, output),
        spread=spread_of(expected, observed, zero_point),
    )


def compare_outputs(
    expected: Sequence[Sequence[Array]],
    observed: Sequence[Sequence[Array] | None],
    tolerance: Tolerance | None = None,
    names: Sequence[str] = (),
    zero_points: Sequence[int] = (),
) -> Parity:
    """Compare every output of every vector: ``expected[vector][output]``.

    A vector or output that is missing in ``observed``, or one too many, is a mismatch.
    """
    parities = []
    for n, wanted in enumerate(expected):
        name = names[n] if n < len(names) else f"vector {n}"
        got = (observed[n] if n < len(observed) else None) or ()
        parities += [
            compare_tensor(
                array,
                got[i] if i < len(got) else None,
                tolerance,
                vector=name,
                output=i,
                zero_point=zero_points[i] if i < len(zero_points) else 0,
            )
            for i, array in enumerate(wanted)
        ]
        if len(got) > len(wanted):
            parities.append(_surplus(f"{name}: {len(got)} outputs, expected {len(wanted)}"))
    if len(observed) > len(expected):
        parities.append(_surplus(f"{len(observed)} vectors, expected {len(expected)}"))
    return merge(parities)


def _misfit(expected: Array, observed: Array | None) -> str:
    if observed is None:
        return "missing"
    if expected.dtype.kind not in "iubf":
        return f"type {expected.dtype} cannot be compared"
    if expected.dtype.newbyteorder("=") != observed.dtype.newbyteorder("="):
        return f"is {observed.dtype}, expected {expected.dtype}"
    if expected.shape != observed.shape:
        return f"has shape {observed.shape}, expected {expected.shape}"
    return ""


def _surplus(problem: str) -> Parity:
    return Parity(elements=1, mismatches=1, problems=(problem,))


def _integers(
    expected: Array, observed: Array, tolerance: Tolerance
) -> tuple[Array, Array, Parity]:
    if expected.dtype.kind == "b":
        expected, observed = expected.astype(np.uint8), observed.astype(np.uint8)
    high = np.maximum(expected, observed).astype(np.uint64)
    low = np.minimum(expected, observed).astype(np.uint64)
    delta = high - low  # modulo 2**64, which is the true distance for every integer type
    bad = delta > np.uint64(tolerance.max_lsb)
    largest = int(delta.max(initial=0))
    parity = Parity(
        elements=expected.size,
        mismatches=int(bad.sum()),
        max_abs=float(largest),
        max_rel=_relative(delta.astype(np.float64), np.abs(expected.astype(np.float64))),
        max_lsb=largest,
    )
    return delta.astype(np.float64), bad, parity


def _floats(expected: Array, observed: Array, tolerance: Tolerance) -> _Judged:
    wanted, got = as_float64(expected), as_float64(observed)
    finite = np.isfinite(wanted) & np.isfinite(got)
    nan = np.isnan(wanted) | np.isnan(got)
    with np.errstate(over="ignore", invalid="ignore"):
        delta = np.where(finite, np.abs(wanted - got), 0.0)
        delta = np.minimum(delta, np.finfo(np.float64).max)
        allowed = tolerance.max_abs + tolerance.max_rel * np.abs(wanted)
    wild = ~finite & (nan | (wanted != got))
    bad = wild | (finite & (delta > allowed))
    parity = Parity(
        elements=expected.size,
        mismatches=int(bad.sum()),
        max_abs=float(delta.max(initial=0.0)),
        max_rel=_relative(delta, np.where(finite, np.abs(wanted), 0.0)),
        nan_count=int(nan.sum()),
        inf_count=int((wild & ~nan).sum()),
    )
    return np.where(wild, np.inf, delta), bad, parity


def _relative(delta: Array, size: Array) -> float:
    """The largest |Δ| / |expected|, over elements whose expected value is not zero."""
    there = size > 0
    with np.errstate(over="ignore"):
        ratio = delta[there] / size[there]
    return float(np.minimum(ratio.max(initial=0.0), np.finfo(np.float64).max))


def _argmax(expected: Array, observed: Array) -> tuple[int, int]:
    if expected.size < 2:
        return 0, 0
    nan = expected.dtype.kind == "f" and bool(np.isnan(expected).any() | np.isnan(observed).any())
    return int(not nan and expected.argmax() == observed.argmax()), 1


def _worst(
    expected: Array, observed: Array, delta: Array, bad: Array, vector: str, output: int
) -> tuple[Worst, ...]:
    places = np.flatnonzero(bad)
    chosen = places[np.argsort(-delta.ravel()[places], kind="stable")[:SHOWN]]
    return tuple(
        Worst(
            vector,
            output,
            tuple(int(i) for i in np.unravel_index(place, expected.shape)),
            float(expected.ravel()[place]),
            float(observed.ravel()[place]),
            float(delta.ravel()[place]),
        )
        for place in chosen
    )
