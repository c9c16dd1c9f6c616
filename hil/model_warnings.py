"""What may go wrong with a model, from its file: facts that are no fault by themselves."""

from __future__ import annotations

from collections.abc import Iterator

from hil.model import Model


def model_warnings(model: Model) -> Iterator[str]:
    """Whatever the board."""
    for spec in (*model.inputs, *model.outputs):
        if spec.dynamic:
            yield (
                f"{spec.name!r} has an open length, {list(spec.signature)}: TFLM takes the shape "
                f"{list(spec.shape)} as it stands; fix it with Input(batch_shape=(1, ...))"
            )
        if spec.dtype in ("int8", "uint8", "int16") and not spec.scales:
            yield f"{spec.name!r} is {spec.dtype} without a scale: only stored values make sense"
    if model.stateful and not model.card.sequences:
        yield (
            "it keeps state from one inference to the next; `sequences: true` in model.yaml says "
            "that vectors are to be run in order"
        )
    custom = sorted({name for name, _ in model.op_versions() if name.startswith("CUSTOM:")})
    for name in custom:
        yield f"{name.removeprefix('CUSTOM:')} is a custom operator: no host engine answers for it"


def aborting_adds(model: Model, era: str) -> list[int]:
    """Operators that the tree of 2020 aborts in where the board's core does not set NDEBUG: its
    int8 ADD asserts that offsets are below 128, which a zero point of -128 is not."""
    return [
        op.index
        for op in model.ops
        if era == "2020"
        and op.opcode == "ADD"
        and any(-128 in model.tensors[i].zero_points for i in op.inputs if i >= 0)
    ]
