"""Multiplications of an op, from the model's file alone. Pure.

A MAC is one product added to a sum; those with padding count, though kernels leave them out.

===================  =====================================================================
op                   MACs
===================  =====================================================================
CONV_2D              output elements x filter height x width x input channels
DEPTHWISE_CONV_2D    output elements x filter height x width
TRANSPOSE_CONV       input elements x filter height x width x output channels
FULLY_CONNECTED      output elements x inputs of a unit
all others           0
===================  =====================================================================

The first two are Howard et al., MobileNets, 2017 (arXiv:1704.04861), section 3.1; the third is
a convolution with its ends exchanged (Dumoulin and Visin, 2016, arXiv:1603.07285, chapter 4).
Filters lie as the TFLite schema has them: (output channels, height, width, input channels),
depthwise (1, height, width, output channels), dense (units, inputs).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from hil.tensors import OpSpec, TensorSpec

_FILTER = 1
_INPUT_OF_TRANSPOSE = 2


def macs(op: OpSpec, tensors: Sequence[TensorSpec]) -> int:
    """MACs of one run of ``op``; 0 for ops that are no weighted sums, or have no filter."""
    if len(op.inputs) <= _FILTER or not op.outputs or op.inputs[_FILTER] < 0:
        return 0
    filter_ = tensors[op.inputs[_FILTER]].shape
    output = tensors[op.outputs[0]].elements
    if op.opcode in ("CONV_2D", "FULLY_CONNECTED"):
        return output * math.prod(filter_[1:])
    if op.opcode == "DEPTHWISE_CONV_2D":
        return output * math.prod(filter_[1:3])
    if op.opcode == "TRANSPOSE_CONV" and len(op.inputs) > _INPUT_OF_TRANSPOSE:
        return tensors[op.inputs[_INPUT_OF_TRANSPOSE]].elements * math.prod(filter_[:3])
    return 0


def size(op: OpSpec, tensors: Sequence[TensorSpec]) -> int:
    """What the time of an op grows with: its MACs, or the elements that it reads and writes."""
    first = tensors[op.inputs[0]].elements if op.inputs and op.inputs[0] >= 0 else 0
    return macs(op, tensors) or first + elements(op, tensors)


def dtype(op: OpSpec, tensors: Sequence[TensorSpec]) -> str:
    """The type that an op computes in: that of its first input; "" if it has none."""
    return tensors[op.inputs[0]].dtype if op.inputs and op.inputs[0] >= 0 else ""


def elements(op: OpSpec, tensors: Sequence[TensorSpec]) -> int:
    """Elements of all outputs of ``op``."""
    return sum(tensors[index].elements for index in op.outputs)
