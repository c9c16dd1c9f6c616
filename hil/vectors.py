"""Input vectors: what one inference is given, and synthetic ones for a model that brings none."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hil.errors import SetupError
from hil.tensors import Array, TensorSpec

Specs = Sequence[TensorSpec]
MAX_BYTES = 512 << 20
"""Vectors of one model may take no more in memory."""
_SYNTHETIC = 8


@dataclass(frozen=True)
class Vector:
    """One inference: an array per input and, if known, per output.

    Each array has the tensor's exact type and its whole shape, the batch included. ``label`` is
    the truth where the file states it: the index of the class, 0/1 for an anomaly, a real value
    for a regression.
    """

    name: str
    inputs: tuple[Array, ...]
    expected: tuple[Array, ...] | None = None
    label: int | float | None = None


def vectors_digest(vectors: Sequence[Vector]) -> str:
    """16 hex digits over the inputs in their order: type, shape and bytes."""
    digest = hashlib.sha256()
    for vector in vectors:
        for array in vector.inputs:
            digest.update(f"{array.dtype.str}{array.shape}\0".encode())
            digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()[:16]


def synthetic_vectors(
    inputs: Specs, model: str, count: int = _SYNTHETIC, seed: int = 0
) -> tuple[Vector, ...]:
    """Repeatable vectors: the first is zero everywhere, the others are uniform.

    Integers span their whole type, floats [-1, 1). The same on every machine and numpy
    (RandomState's stream is frozen).
    """
    try:
        kinds = [spec.numpy for spec in inputs]
    except ValueError as error:
        raise SetupError("model_file", str(error), model=model) from error
    if sum(spec.nbytes for spec in inputs) * count > MAX_BYTES:
        raise SetupError("model_file", "its inputs are too large to make vectors", model=model)
    stream = np.random.RandomState(seed)
    first = Vector("synthetic-0", tuple(map(_zero, inputs)))
    rest = (
        Vector(
            f"synthetic-{n}",
            tuple(_noise(stream, spec, kind) for spec, kind in zip(inputs, kinds, strict=True)),
        )
        for n in range(1, count)
    )
    return (first, *rest)


def _zero(spec: TensorSpec) -> Array:
    value = spec.zero_points[0] if len(spec.zero_points) == 1 and spec.numpy.kind in "iu" else 0
    return np.full(spec.shape, value).astype(spec.numpy)


def _noise(stream: np.random.RandomState, spec: TensorSpec, kind: np.dtype[np.generic]) -> Array:
    if kind.kind in "fc":
        return np.asarray(stream.uniform(-1, 1, spec.shape)).astype(kind)
    if kind.kind == "b":
        return stream.randint(0, 2, spec.shape).astype(kind)
    noise: Array = np.frombuffer(stream.bytes(spec.nbytes), kind).reshape(spec.shape).copy()
    return noise
