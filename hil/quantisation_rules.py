"""Quantisation that every TFLM kernel takes for granted and none, or few, check.

The rules are LiteRT's specification of 8-bit quantisation (ai.google.dev/edge/litert, "8-bit
quantization specification"): an operator that only moves values takes its output to have its
input's scale, softmax writes in steps of 1/256 whatever the file says, and a bias is added to the
accumulator as it stands. A file that says otherwise gives wrong answers and no message.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from hil.errors import Finding
from hil.model import Model
from hil.tensors import OpSpec, TensorSpec

_MOVING = frozenset({
    "AVERAGE_POOL_2D", "MAX_POOL_2D", "RESHAPE", "CONCATENATION", "PAD", "PADV2", "SPLIT",
    "STRIDED_SLICE", "SLICE", "PACK", "UNPACK", "TRANSPOSE", "SQUEEZE", "EXPAND_DIMS", "GATHER",
    "RESIZE_NEAREST_NEIGHBOR", "MIRROR_PAD", "SPACE_TO_DEPTH", "DEPTH_TO_SPACE",
    "SPACE_TO_BATCH_ND", "BATCH_TO_SPACE_ND", "MAXIMUM", "MINIMUM",
})  # fmt: skip
"""Operators whose int8 kernels copy or compare stored values."""

_FIXED: Mapping[str, tuple[float, int]] = {
    "SOFTMAX": (1 / 256, -128),
    "LOGISTIC": (1 / 256, -128),
    "TANH": (1 / 128, 0),
    "L2_NORMALIZATION": (1 / 128, 0),
}
"""Scale and zero point of the int8 output, whatever the file says."""

_SAME, _BIAS = 1e-5, 0.02
"""Relative difference of two scales that are the same; share of an output step that a bias may be
off (TFLite's kernel_util.cc allows as much)."""


def quantisation_findings(model: Model, era: str) -> Iterator[Finding]:
    """What the int8 kernels of every era silently compute wrong, operator by operator."""
    del era
    for op in model.ops:
        for rule in (_moving, _fixed, _weights, _bias):
            yield from rule(model, op)


def _moving(model: Model, op: OpSpec) -> Iterator[Finding]:
    if op.opcode not in _MOVING:
        return
    ends = [model.tensors[i] for i in (*op.inputs, *op.outputs) if i >= 0]
    stored = [spec for spec in ends if spec.dtype == "int8" and len(spec.scales) == 1]
    for spec in stored[1:]:
        if not _alike(stored[0], spec):
            yield _finding(
                op,
                f"copies int8 values between {_said(stored[0])} and {_said(spec)}; the kernel does "
                "not rescale: convert again with both ends in one scale",
            )
            return


def _fixed(model: Model, op: OpSpec) -> Iterator[Finding]:
    if op.opcode not in _FIXED or not op.outputs:
        return
    spec, (scale, zero) = model.tensors[op.outputs[0]], _FIXED[op.opcode]
    if spec.dtype != "int8" or len(spec.scales) != 1:
        return
    stated = spec.zero_points[0] if spec.zero_points else 0
    if not math.isclose(spec.scales[0], scale, rel_tol=1e-3) or stated != zero:
        yield _finding(
            op,
            f"writes {_said(spec)}; the kernel's int8 output has the scale 1/{1 / scale:g} and the "
            f"zero point {zero}: convert again with TensorFlow's own converter",
        )


def _weights(model: Model, op: OpSpec) -> Iterator[Finding]:
    found = _operands(model, op)
    if found is None:
        return
    _, weights, _, _ = found
    if any(weights.zero_points) and (op.opcode != "FULLY_CONNECTED" or weights.per_channel):
        yield _finding(
            op,
            f"has int8 weights with the zero point {next(filter(None, weights.zero_points))}; the "
            "kernel takes them to be symmetric: convert again with symmetric weights",
        )


def _bias(model: Model, op: OpSpec) -> Iterator[Finding]:
    found = _operands(model, op)
    if found is None or found[2] is None or not found[2].scales or not found[3].scales:
        return
    data, weights, bias, output = found
    assert bias is not None
    if any(bias.zero_points):
        yield _finding(op, f"has a bias with the zero point {max(bias.zero_points, key=abs):,}")
    step = output.scales[0]
    products = [data.scales[0] * scale for scale in weights.scales]
    stated = bias.scales * (len(products) if len(bias.scales) == 1 else 1)
    worst = max((abs(a - b) / step for a, b in zip(products, stated, strict=False)), default=0)
    if worst > _BIAS:
        yield _finding(
            op,
            f"has a bias in other steps than input x weights: up to {worst:.3g} of an output step "
            "for each, which the kernel does not correct; convert again",
        )


def _operands(
    model: Model, op: OpSpec
) -> tuple[TensorSpec, TensorSpec, TensorSpec | None, TensorSpec] | None:
    """Data, weights, bias and output of an int8 layer; None if it is none."""
    layer = op.opcode in ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")
    if not layer or len(op.inputs) < 2 or -1 in op.inputs[:2]:
        return None
    data, weights = model.tensors[op.inputs[0]], model.tensors[op.inputs[1]]
    index = op.inputs[2] if len(op.inputs) > 2 else -1
    bias = model.tensors[index] if index >= 0 else None
    integer = data.dtype == weights.dtype == "int8" and data.scales and weights.scales
    return (data, weights, bias, model.tensors[op.outputs[0]]) if integer else None


def _alike(one: TensorSpec, other: TensorSpec) -> bool:
    zeros = (one.zero_points or (0,)) == (other.zero_points or (0,))
    return zeros and math.isclose(one.scales[0], other.scales[0], rel_tol=_SAME)


def _said(spec: TensorSpec) -> str:
    zero = spec.zero_points[0] if spec.zero_points else 0
    return f"{spec.name!r} (scale {spec.scales[0]:.6g}, zero point {zero})"


def _finding(op: OpSpec, text: str) -> Finding:
    return Finding(
        "unsupported_quantisation",
        f"{op.opcode} (operator {op.index}) {text}",
        "support",
        {"op": op.opcode, "operator": op.index},
    )
