"""Tensors and operators as a .tflite file describes them, and the arithmetic of quantisation."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[Any]

ITEM_BITS: Mapping[str, int] = {
    "bool": 8,
    "int4": 4,
    "int8": 8,
    "uint8": 8,
    "int16": 16,
    "uint16": 16,
    "float16": 16,
    "bfloat16": 16,
    "int32": 32,
    "uint32": 32,
    "float32": 32,
    "int64": 64,
    "uint64": 64,
    "float64": 64,
    "complex64": 64,
    "complex128": 128,
}
"""Bits of one element. Types without a fixed size (string, resource, variant) are not in it."""

_NOT_NUMPY = ("int4", "bfloat16")


@dataclass(frozen=True)
class TensorSpec:
    """One tensor.

    ``shape`` includes the batch. ``dtype`` is numpy's name of the type; a type that numpy lacks
    has the schema's name in lower case. ``scales`` and ``zero_points`` are empty for a tensor
    that is not quantised, have one entry per tensor or one per channel along ``axis``.
    ``signature`` is the shape before it was fixed, -1 where the length is open; empty if the
    file states none. ``stored`` is the bytes of its buffer in the file; ``sparse`` data is packed.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    scales: tuple[float, ...] = ()
    zero_points: tuple[int, ...] = ()
    axis: int = 0
    signature: tuple[int, ...] = ()
    constant: bool = False
    variable: bool = False
    sparse: bool = False
    stored: int = 0

    @property
    def elements(self) -> int:
        """Number of elements; 1 for a scalar."""
        return math.prod(self.shape)

    @property
    def nbytes(self) -> int:
        """Size of the data in bytes; 0 for types without a fixed size."""
        return (self.elements * ITEM_BITS.get(self.dtype, 0) + 7) // 8

    @property
    def quantised(self) -> bool:
        return bool(self.scales)

    @property
    def per_channel(self) -> bool:
        return len(self.scales) > 1

    @property
    def dynamic(self) -> bool:
        """True if a length of the shape is open (the batch, most often)."""
        return any(length < 0 for length in self.signature)

    @property
    def numpy(self) -> np.dtype[Any]:
        """The numpy type. ValueError for a type that cannot be an array (string, int4, ...)."""
        if self.dtype not in ITEM_BITS or self.dtype in _NOT_NUMPY:
            raise ValueError(f"tensor {self.name!r} has type {self.dtype}, which is no array type")
        return np.dtype(self.dtype)

    def __str__(self) -> str:
        return f"{self.dtype}[{','.join(map(str, self.shape))}]"


@dataclass(frozen=True)
class OpSpec:
    """One operator: ``opcode`` as the schema spells it ("CONV_2D"), custom ones "CUSTOM:<name>".

    ``inputs`` and ``outputs`` are indices into the model's tensors; -1 is an optional input that
    is left out.
    """

    index: int
    opcode: str
    version: int
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


def quantise(spec: TensorSpec, real: ArrayLike) -> Array:
    """Real values in the tensor's own type: ``clip(rint(x / scale) + zero_point)``.

    Halves go to the even neighbour (numpy.rint, computed in float64); what lies outside the
    type's range saturates. A float tensor only changes type. The shape is kept.

    Raises:
        ValueError: not a number, quantised per channel, or an integer tensor without a scale.
    """
    values = np.asarray(real, dtype=np.float64)
    if np.isnan(values).any():
        raise ValueError(f"tensor {spec.name!r}: NaN cannot be an input")
    if spec.numpy.kind == "f":
        return _to_float(spec, values)
    scale, zero_point = _one_scale(spec)
    limits = np.iinfo(spec.numpy)
    with np.errstate(over="ignore"):
        steps = np.rint(values / scale) + zero_point
    stored: Array = np.clip(steps, limits.min, limits.max).astype(spec.numpy)
    return stored


def as_float64(array: Array) -> Array:
    """The same values in float64. A device may answer a signalling NaN, of which numpy warns."""
    with np.errstate(invalid="ignore"):
        return array.astype(np.float64)


def dequantise(spec: TensorSpec, stored: Array) -> Array:
    """Stored values as real numbers (float64): ``(q - zero_point) * scale``.

    Raises:
        ValueError: an integer tensor without one scale for all.
    """
    if spec.numpy.kind == "f":
        return as_float64(stored)
    scale, zero_point = _one_scale(spec)
    result: Array = (stored.astype(np.float64) - zero_point) * scale
    return result


def _to_float(spec: TensorSpec, values: Array) -> Array:
    with np.errstate(over="ignore"):
        stored: Array = values.astype(spec.numpy)
    if np.isinf(stored).any() and not np.isinf(values).any():
        raise ValueError(f"tensor {spec.name!r}: a value does not fit {spec.dtype}")
    return stored


def _one_scale(spec: TensorSpec) -> tuple[float, int]:
    if spec.numpy.kind not in "iu" or len(spec.scales) != 1 or len(spec.zero_points) > 1:
        raise ValueError(f"tensor {spec.name!r} ({spec}) has no single scale to quantise with")
    scale = spec.scales[0]
    if not (math.isfinite(scale) and scale > 0):
        raise ValueError(f"tensor {spec.name!r} has scale {scale}, which is not positive")
    return scale, spec.zero_points[0] if spec.zero_points else 0
