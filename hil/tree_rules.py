"""Structures of a graph that some TFLM trees refuse, or run wrong without a word."""

from __future__ import annotations

from collections.abc import Iterator

from hil.errors import Finding
from hil.model import Model


def tree_findings(model: Model, era: str) -> Iterator[Finding]:
    """What the tree of ``era`` cannot do with the graph as it is."""
    yield from _sparse(model, era)
    if era == "2020":
        yield from _one_subgraph(model)
        yield from _loose_ends(model)
        yield from _grouped(model)


def _sparse(model: Model, era: str) -> Iterator[Finding]:
    """Packed weights: the kernels take them as they lie."""
    packed = [spec for spec in model.tensors if spec.sparse and spec.constant]
    if packed:
        yield _finding(
            "unsupported_quantisation",
            f"{len(packed)} tensors hold sparse weights ({packed[0].name!r} first), which TFLM of "
            f"{era} reads as if they were dense; convert without sparsity",
            tensors=len(packed),
        )


def _one_subgraph(model: Model) -> Iterator[Finding]:
    """Branches and loops are subgraphs of their own."""
    if model.subgraphs > 1:
        yield _finding(
            "missing_op",
            f"the model has {model.subgraphs} subgraphs; TFLM of 2020 runs models of one: convert "
            "without branches, loops and resource variables, or take a later TFLM",
            subgraphs=model.subgraphs,
        )


def _loose_ends(model: Model) -> Iterator[Finding]:
    """Tensors that nothing reads: "Logic error in memory planner", says AllocateTensors."""
    read = {index for op in model.ops for index in op.inputs} | set(model.output_indices)
    for index, spec in enumerate(model.tensors):
        if index not in read and not spec.constant and not spec.variable:
            yield _finding(
                "unsupported_type",
                f"tensor {spec.name!r} is never read, which TFLM of 2020 refuses to plan; convert "
                "without it",
                tensor=index,
            )


def _grouped(model: Model) -> Iterator[Finding]:
    """Convolutions in groups: the kernel reads past the weights."""
    for op in model.ops:
        ends = [model.tensors[index].shape for index in op.inputs[:2] if index >= 0]
        if op.opcode != "CONV_2D" or len(ends) < 2:
            continue
        data, weights = ends
        if data[-1:] != weights[-1:]:
            yield _finding(
                "missing_op",
                f"CONV_2D (operator {op.index}) is grouped ({data[-1]} channels, weights for "
                f"{weights[-1]}), which TFLM of 2020 computes wrong without a word; use a "
                "depthwise or a plain convolution",
                op=op.opcode,
                operator=op.index,
            )


def _finding(code: str, message: str, **numbers: object) -> Finding:
    return Finding(code, message, "support", numbers)
