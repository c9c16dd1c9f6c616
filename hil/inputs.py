"""What a test passes to ``infer`` and gets from it, to and from the model's own tensors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from hil.tensors import Array, TensorSpec, dequantise, quantise


def model_inputs(
    specs: Sequence[TensorSpec], arrays: Sequence[Any], named: Mapping[str, Any]
) -> tuple[Array, ...]:
    """One array per model input, exact dtype and shape.

    Args:
        arrays: values in the order of the model's inputs; or
        named: values by the names of the inputs.

    A value has the input's own dtype, or is float for a quantised input: it is quantised with
    the model's scale and zero point as `hil.tensors.quantise` does. The shape is the input's,
    with or without the batch of 1.

    Raises:
        ValueError: every problem at once; nothing has been sent anywhere.
    """
    values = _in_order(specs, arrays, named)
    problems: list[str] = []
    made: list[Array] = []
    for spec, value in zip(specs, values, strict=True):
        try:
            made.append(_fit(spec, np.asarray(value)))
        except ValueError as error:
            problems.append(f"input {spec.name!r}: {error}")
    if problems:
        raise ValueError("; ".join(problems))
    return tuple(made)


def in_real_units(
    specs: Sequence[TensorSpec], arrays: Sequence[Any], named: Mapping[str, Any]
) -> bool:
    """Whether a test speaks of real values: it gave floats where the model takes integers."""
    values = _in_order(specs, arrays, named)
    pairs = zip(specs, values, strict=True)
    return any(spec.quantised and np.asarray(value).dtype.kind == "f" for spec, value in pairs)


def model_outputs(
    specs: Sequence[TensorSpec], outputs: Sequence[Array], *, real: bool
) -> tuple[Array, ...]:
    """The device's outputs as they are, or with ``real`` the quantised ones as real values."""
    return tuple(
        dequantise(spec, output) if real and spec.quantised else output
        for spec, output in zip(specs, outputs, strict=True)
    )


def _in_order(
    specs: Sequence[TensorSpec], arrays: Sequence[Any], named: Mapping[str, Any]
) -> list[Any]:
    if arrays and named:
        raise ValueError("give the inputs in order or by name, not both")
    if named:
        names = [spec.name for spec in specs]
        if set(named) != set(names):
            raise ValueError(f"the model's inputs are {names}, got {sorted(named)}")
        return [named[name] for name in names]
    if len(arrays) != len(specs):
        raise ValueError(f"the model takes {len(specs)} inputs, got {len(arrays)}")
    return list(arrays)


def _fit(spec: TensorSpec, value: Array) -> Array:
    own = np.dtype(spec.dtype)
    shape = value.shape
    if shape != spec.shape and (1, *shape) != spec.shape:
        raise ValueError(f"shape {list(shape)}, expected {list(spec.shape)}")
    value = value.reshape(spec.shape)
    if value.dtype == own:
        return value
    if value.dtype.kind == "f" and spec.quantised:
        return quantise(spec, value)
    if value.dtype.kind == "f" and own.kind == "f":
        return value.astype(own)
    raise ValueError(
        f"dtype {value.dtype}, expected {own}" + (" or float" if spec.quantised else "")
    )
