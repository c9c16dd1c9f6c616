"""Seeded vectors that cover what an input can be: its edges, levels in between, and noise.

Where the range comes from is part of the answer (`Span.source`): the type of a quantised input
states it, real data shows it, and of a float input without data -1 to 1 is assumed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from hil.errors import SetupError
from hil.tensors import Array, TensorSpec
from hil.vectors import MAX_BYTES, Specs, Vector

LEVELS = 8
"""Constants are the ends of the range and what divides it into this many equal parts."""

RANDOM = 16
"""Vectors of uniform noise, unless another number is asked for."""

_EXACT = 2**53
"""Float64 holds every integer up to this; a wider range cannot be divided evenly in it."""


@dataclass(frozen=True)
class Span:
    """What an input is driven over, ends included, in stored values.

    ``source`` is "type" (all that the type holds), "data" (the smallest and largest value of the
    real data) or "assumed" (-1 to 1). ``zero`` is the zero point, or the value next to 0.
    """

    low: float
    high: float
    zero: float
    source: str


def spans_of(inputs: Specs, data: Sequence[Vector], model: str) -> tuple[Span, ...]:
    """The span of every input.

    Raises:
        SetupError: model_file, with every input whose range cannot be known: 32 and 64 bit
            integers without a scale are often indices, and a wild index is no input.
    """
    spans: list[Span] = []
    problems: list[str] = []
    for index, spec in enumerate(inputs):
        try:
            spans.append(_span(spec, [vector.inputs[index] for vector in data]))
        except ValueError as error:
            problems.append(f"input {spec.name!r} ({spec}): {error}")
    if problems:
        raise SetupError(
            "model_file",
            "its inputs cannot be covered",
            problems=problems,
            model=model,
            hint="give real data with --vectors FILE",
        )
    return tuple(spans)


def _span(spec: TensorSpec, data: Sequence[Array]) -> Span:
    kind = spec.numpy
    if kind.kind == "b":
        return Span(0, 1, 0, "type")
    if kind.kind in "iu" and kind.itemsize <= (4 if spec.quantised else 2):
        limits = np.iinfo(kind)
        zero = spec.zero_points[0] if len(spec.zero_points) == 1 else 0
        return _clipped(limits.min, limits.max, zero, "type")
    if kind.kind not in "iuf":
        raise ValueError("complex numbers are not covered")
    seen = [array[np.isfinite(array)] for array in data]
    values = np.concatenate(seen) if seen else np.empty(0)
    if values.size:
        low, high = values.min().item(), values.max().item()
        if kind.kind in "iu" and max(abs(low), abs(high)) > _EXACT:
            raise ValueError(f"values beyond 2^53 ({low} to {high})")
        return _clipped(low, high, 0, "data")
    if kind.kind == "f":
        return Span(-1.0, 1.0, 0.0, "assumed")
    raise ValueError("an integer without a scale: the file does not state its range")


def _clipped(low: float, high: float, zero: float, source: str) -> Span:
    return Span(low, high, min(max(zero, low), high), source)


def covering_vectors(
    inputs: Specs, spans: Sequence[Span], model: str, random: int = RANDOM, seed: int = 0
) -> tuple[Vector, ...]:
    """Vectors over the spans, each once: the zero point, both ends, levels, one step beside the
    zero point, checkerboards of both ends, ramps, and ``random`` of noise.

    Of several inputs each also goes to its ends while the others rest at their zero. The same on
    every machine and numpy (RandomState's stream is frozen).

    Raises:
        SetupError: model_file, if they would take more than `MAX_BYTES`.
    """
    most = LEVELS + 8 + 2 * len(inputs) + random
    if sum(spec.nbytes for spec in inputs) * most > MAX_BYTES:
        raise SetupError("model_file", "its inputs are too large to make vectors", model=model)
    pairs = list(zip(inputs, spans, strict=True))
    stream = np.random.RandomState(seed)
    named = [
        *((name, tuple(made)) for name, *made in _together(pairs)),
        *(_apart(pairs) if len(pairs) > 1 else ()),
        *((f"random-{n}", tuple(_noise(stream, *p) for p in pairs)) for n in range(random)),
    ]
    unique: dict[tuple[bytes, ...], Vector] = {}
    for name, arrays in named:
        unique.setdefault(tuple(a.tobytes() for a in arrays), Vector(name, arrays))
    return tuple(unique.values())


_Pairs = Sequence[tuple[TensorSpec, Span]]


def _together(pairs: _Pairs) -> Iterator[tuple[str, *tuple[Array, ...]]]:
    """Every input at the same place of its span."""
    each = [dict(_patterns(spec, span)) for spec, span in pairs]
    for name in each[0]:
        yield name, *(made.get(name, made["zero"]) for made in each)


def _apart(pairs: _Pairs) -> Iterator[tuple[str, tuple[Array, ...]]]:
    rest = [_full(spec, span.zero) for spec, span in pairs]
    for index, (spec, span) in enumerate(pairs):
        for name, value in (("min", span.low), ("max", span.high)):
            arrays = [*rest[:index], _full(spec, value), *rest[index + 1 :]]
            yield f"{name}-of-input-{index}", tuple(arrays)


def _patterns(spec: TensorSpec, span: Span) -> Iterator[tuple[str, Array]]:
    yield "zero", _full(spec, span.zero)
    yield "min", _full(spec, span.low)
    yield "max", _full(spec, span.high)
    ends = np.arange(spec.elements) % 2
    yield "alternating-0", _spread(spec, span, ends)
    yield "alternating-1", _spread(spec, span, 1 - ends)
    ramp = np.linspace(0, 1, spec.elements) if spec.elements > 1 else np.full(spec.elements, 0.5)
    yield "ramp-up", _spread(spec, span, ramp)
    yield "ramp-down", _spread(spec, span, ramp[::-1])
    for part in range(1, LEVELS):
        yield f"level-{part}", _spread(spec, span, np.full(spec.elements, part / LEVELS))
    if spec.numpy.kind in "iu":
        yield "zero+1", _full(spec, min(span.zero + 1, span.high))
        yield "zero-1", _full(spec, max(span.zero - 1, span.low))


def _noise(stream: np.random.RandomState, spec: TensorSpec, span: Span) -> Array:
    shares = stream.random_sample(spec.elements)
    if spec.numpy.kind in "iub":
        width = span.high - span.low + 1
        return _cast(spec, span, span.low + np.floor(shares * width))
    return _spread(spec, span, shares)


def _spread(spec: TensorSpec, span: Span, shares: Array) -> Array:
    """Shares of the span (0: low, 1: high) as stored values."""
    values = span.low * (1.0 - shares) + span.high * shares
    return _cast(spec, span, np.rint(values) if spec.numpy.kind in "iub" else values)


def _full(spec: TensorSpec, value: float) -> Array:
    return np.full(spec.shape, value).astype(spec.numpy)


def _cast(spec: TensorSpec, span: Span, values: Iterable[float] | Array) -> Array:
    made: Array = np.clip(np.asarray(values), span.low, span.high).astype(spec.numpy)
    return made.reshape(spec.shape)
