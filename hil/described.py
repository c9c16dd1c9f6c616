"""Does the interpreter on the board run this very model? What it says of its arena and of its
tensors is held against what was asked for and what the model's file says. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hil import messages as m
from hil.model import Model
from hil.tensors import TensorSpec


def arena_problem(loaded: m.Loaded, asked: int, cap: int) -> str:
    """What is wrong with the arena of a LOAD that succeeded; "" if nothing is.

    Args:
        asked: bytes asked for, 0 for all.
        cap: bytes that the board has.
    """
    if loaded.arena_size != (asked or cap):
        return f"it was to take {asked or cap:,} bytes of arena and took {loaded.arena_size:,}"
    if loaded.arena_used > loaded.arena_size:
        return f"it uses {loaded.arena_used:,} bytes of an arena of {loaded.arena_size:,}"
    return ""


def tensor_problem(model: Model, inputs: Sequence[m.Tensor], outputs: Sequence[m.Tensor]) -> str:
    """Where the device's tensors are not the file's, the first one; "" if they are."""
    for what, specs, seen in (("input", model.inputs, inputs), ("output", model.outputs, outputs)):
        if len(specs) != len(seen):
            return f"it has {len(seen)} {what}s, the model {len(specs)}"
        for index, (spec, tensor) in enumerate(zip(specs, seen, strict=True)):
            if problem := _differs(spec, tensor):
                return f"its {what} {index} {problem}"
    return ""


def _differs(spec: TensorSpec, tensor: m.Tensor) -> str:
    if (tensor.dtype, tensor.shape) != (spec.dtype, spec.shape):
        return f"is {tensor.dtype}{list(tensor.shape)}, the model's {spec.dtype}{list(spec.shape)}"
    if not tensor.scales or not spec.zero_points:
        return ""  # TFLM makes nothing of a scale that has no zero point
    scales = tuple(float(np.float32(scale)) for scale in spec.scales)
    zeros = spec.zero_points * (len(scales) if len(spec.zero_points) == 1 else 1)
    if (tensor.scales, tensor.zero_points) == (scales, zeros):
        return ""
    return (
        f"has scale {_few(tensor.scales)} and zero point {_few(tensor.zero_points)}, "
        f"the model's {_few(scales)} and {_few(zeros)}"
    )


def _few(values: Sequence[float]) -> str:
    listed = ", ".join(f"{value:.9g}" for value in values[:3])
    return listed + (f", … ({len(values)})" if len(values) > 3 else "")
