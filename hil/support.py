"""What a TFLM tree can run, known from the model's file before anything is built.

A tree is described by its operators with the versions that their kernels know, and by its era:
``2020`` (the interpreter takes an ErrorReporter), ``2023`` or ``2024``. Where the era's kernels
silently compute something else (per-channel dense layers before September 2024), the file alone
is reason enough to refuse it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from hil.errors import Finding
from hil.model import Model
from hil.quantisation_rules import quantisation_findings
from hil.tensors import OpSpec, TensorSpec
from hil.tree_rules import tree_findings

Ops = Mapping[str, tuple[int, int] | None]

_HINTS: Mapping[str, str] = {
    "MEAN": "use AveragePooling2D instead of GlobalAveragePooling2D",
    "TANH": "use another activation than tanh (hard sigmoid or ReLU6)",
    "EXPAND_DIMS": "write the 1-D convolution as Conv2D",
    "SHAPE": "fix the batch, Input(batch_shape=(1, ...)), or Flatten becomes SHAPE and PACK",
    "TRANSPOSE": "order the axes before training, as the sensor delivers them",
    "LEAKY_RELU": "use ReLU",
    "HARD_SWISH": "use ReLU6",
    "BATCH_MATMUL": "write the product as a dense layer",
    "RESIZE_BILINEAR": "use UpSampling2D(interpolation='nearest')",
}
"""What to do about an operator that a tree lacks."""

_KNOWN_TYPES: Mapping[str, frozenset[str]] = {
    "2020": frozenset({"float32", "int8", "uint8", "int16", "int32", "int64", "bool"}),
    "2023": frozenset({"float32", "int8", "uint8", "int16", "int32", "int64", "bool", "int4"}),
    "2024": frozenset({"float32", "int8", "uint8", "int16", "int32", "int64", "bool", "int4"}),
}
_WEIGHTED = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV", "SVDF")
_INT16_IN_2020 = ("SVDF", "QUANTIZE", "DEQUANTIZE", "SPLIT", "RESHAPE")
_NO_UINT8_AFTER_2020 = (*_WEIGHTED, "ADD", "MUL", "SUB", "AVERAGE_POOL_2D", "MAX_POOL_2D",
                        "SOFTMAX", "LOGISTIC", "TANH", "MEAN")  # fmt: skip


def check_support(model: Model, ops: Ops, era: str) -> list[Finding]:
    """Everything about the model that the tree cannot run, in the order of its operators.

    Args:
        model: the model; only its file is looked at.
        ops: schema name to the lowest and highest version that the tree's kernel knows; None as
            the range if the tree states none (then any version passes). Custom operators are
            keys as the model spells them, ``CUSTOM:<name>``.
        era: "2020", "2023" or "2024".

    Raises:
        ValueError: another era.
    """
    if era not in _KNOWN_TYPES:
        raise ValueError(f"era {era!r} is not one of {', '.join(_KNOWN_TYPES)}")
    found = [*_missing_ops(model, ops)]
    for check in _CHECKS:
        found += check(model, era)
    return found


def _missing_ops(model: Model, ops: Ops) -> Iterator[Finding]:
    own = {f"CUSTOM:{name}" for name in model.card.custom_ops}
    for name, version in model.op_versions():
        if name in own:
            continue
        spans = ops.get(name, (0, 0))
        if spans is None or spans[0] <= version <= spans[1]:
            continue
        where = [op.index for op in model.ops if (op.opcode, op.version) == (name, version)]
        known = f"knows versions {spans[0]} to {spans[1]}" if name in ops else "does not have it"
        yield Finding(
            "missing_op",
            f"{name} version {version} ({_times(where)}): this TFLM {known}{_hint(name)}",
            "support",
            {"op": name, "version": version, "known": list(spans) if name in ops else None,
             "operators": where},
        )  # fmt: skip


def _hint(name: str) -> str:
    if name.startswith("CUSTOM:"):
        own = name.removeprefix("CUSTOM:")
        return (
            f"; name its Arduino library and registration in model.yaml, custom_ops: {{{own}: …}}"
        )
    return f"; {_HINTS[name]}" if name in _HINTS else ""


def _times(where: list[int]) -> str:
    listed = ", ".join(map(str, where[:5])) + (", ..." if len(where) > 5 else "")
    return f"operator {listed}"


def _wild_types(model: Model, era: str) -> Iterator[Finding]:
    """Tensors of a type that no kernel of the era reads."""
    used = sorted({i for op in model.ops for i in (*op.inputs, *op.outputs) if i >= 0})
    for dtype in sorted({model.tensors[i].dtype for i in used} - _KNOWN_TYPES[era]):
        names = [model.tensors[i].name for i in used if model.tensors[i].dtype == dtype]
        yield _type(
            f"type {dtype} (tensor {names[0]!r} and {len(names) - 1} more) is unknown to TFLM "
            f"of {era}; convert to int8 or float32",
            type=dtype,
            tensors=len(names),
        )


def _open_shapes(model: Model, era: str) -> Iterator[Finding]:
    """Activations whose length is open after the shape was fixed: TFLM allocates once."""
    del era
    for spec in (*model.inputs, *model.outputs):
        if not spec.elements:
            yield _type(
                f"tensor {spec.name!r} has the shape {spec.shape}, no elements; fix it with "
                "Input(batch_shape=(1, ...)) and convert again",
                shape=list(spec.shape),
            )


def _mixed(model: Model, era: str) -> Iterator[Finding]:
    """Float activations with integer weights: dynamic-range quantisation."""
    for op, activation, weights in _weighted(model):
        if activation.dtype == "float32" and weights.dtype in ("int8", "uint8", "int4"):
            yield _type(
                f"{op.opcode} (operator {op.index}) mixes float32 activations with "
                f"{weights.dtype} weights (dynamic range); TFLM of {era} does not run hybrid "
                "models; convert with a representative dataset to full int8",
                op=op.opcode,
                operator=op.index,
            )


def _int16(model: Model, era: str) -> Iterator[Finding]:
    """int16 activations: in 2020 only where data is moved or converted, and as SVDF's state."""
    if era != "2020":
        return
    for op in model.ops:
        first = _tensor(model, op, 0)
        if first and first.dtype == "int16" and op.opcode not in _INT16_IN_2020:
            yield _type(
                f"{op.opcode} (operator {op.index}) has int16 activations, unknown to TFLM of "
                "2020; convert to int8",
                op=op.opcode,
                operator=op.index,
            )


def _uint8(model: Model, era: str) -> Iterator[Finding]:
    """uint8 arithmetic: the scheme of 2018, which later trees dropped."""
    if era == "2020":
        return
    for op in model.ops:
        first = _tensor(model, op, 0)
        if first and first.dtype == "uint8" and op.opcode in _NO_UINT8_AFTER_2020:
            yield _type(
                f"{op.opcode} (operator {op.index}) has uint8 activations, which TFLM of {era} "
                "no longer runs; convert to int8",
                op=op.opcode,
                operator=op.index,
            )


def _per_channel_dense(model: Model, era: str) -> Iterator[Finding]:
    """Per-channel dense weights: TFLM before September 2024 reads one scale for all channels."""
    if era == "2024":
        return
    for op, _, weights in _weighted(model):
        if op.opcode == "FULLY_CONNECTED" and weights.per_channel:
            yield Finding(
                "unsupported_quantisation",
                f"FULLY_CONNECTED (operator {op.index}) has per-channel weights, "
                f"{len(weights.scales)} scales; TFLM of {era} reads one scale for all of them "
                "and says nothing; convert with "
                "_experimental_disable_per_channel_quantization_for_dense_layers = True",
                "support",
                {"op": op.opcode, "operator": op.index, "channels": len(weights.scales)},
            )


_CHECKS: tuple[Callable[[Model, str], Iterator[Finding]], ...] = (
    _wild_types,
    _open_shapes,
    _mixed,
    _int16,
    _uint8,
    _per_channel_dense,
    quantisation_findings,
    tree_findings,
)


def _type(message: str, **numbers: object) -> Finding:
    return Finding("unsupported_type", message, "support", numbers)


def _tensor(model: Model, op: OpSpec, place: int) -> TensorSpec | None:
    index = op.inputs[place] if place < len(op.inputs) else -1
    return model.tensors[index] if index >= 0 else None


def _weighted(model: Model) -> Iterator[tuple[OpSpec, TensorSpec, TensorSpec]]:
    """Operators with weights: the operator, its activation and its weights."""
    for op in model.ops:
        place = 2 if op.opcode == "TRANSPOSE_CONV" else 0
        activation, weights = _tensor(model, op, place), _tensor(model, op, 1)
        if op.opcode in _WEIGHTED and activation and weights:
            yield op, activation, weights
