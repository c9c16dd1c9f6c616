"""The first op whose output is not the host's. Pure: CRCs and arrays in, a value out.

An op is to blame if its output deviates although its inputs do not. A deviation is the largest
|Δ| of a tensor as a share of its range: of 2**bits for integers, of its largest expected
magnitude for floats.

===================  ========================  =============================================
output               inputs                    to blame beyond
===================  ========================  =============================================
integer              equal, bit for bit        0 (16 bits: one step, as the oracle's own)
integer              not quite equal           one step: a value may lie on a rounding edge
float                any                       `COMPUTED`, or `MOVED` where nothing is computed
===================  ========================  =============================================

and in any case only beyond `GROWTH` times the deviation of its inputs: what comes in goes out
again, and rounding errors grow over many ops without any of them being wrong. An output whose
CRC-32 is the host's is never fetched.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from hil.compare import compare_tensor
from hil.model import Model
from hil.parity import Parity, Tolerance
from hil.tensors import ITEM_BITS, Array, OpSpec, TensorSpec

COMPUTED = 1e-5
"""84 last bits of a float32. The error of a sum of n products grows like √n last bits (Higham,
Accuracy and Stability of Numerical Algorithms, 2nd ed., 2.8): this is n = 7,000."""

MOVED = 1e-6
"""For ops that only move or choose values: nothing of their own, 8 last bits for good measure."""

SMALLEST = 1e-2
"""A float tensor that is smaller than this throughout is held to what this size would be."""

GROWTH = 10.0
"""How much larger the deviation of an output may be than that of the inputs."""

MOVING = (
    "BATCH_TO_SPACE_ND", "CONCATENATION", "DEPTH_TO_SPACE", "EXPAND_DIMS", "GATHER", "GATHER_ND",
    "MAXIMUM", "MAX_POOL_2D", "MINIMUM", "MIRROR_PAD", "PACK", "PAD", "PADV2", "RELU", "RELU6",
    "RESHAPE", "RESIZE_NEAREST_NEIGHBOR", "SLICE", "SPACE_TO_BATCH_ND", "SPACE_TO_DEPTH", "SPLIT",
    "SPLIT_V", "SQUEEZE", "STRIDED_SLICE", "TRANSPOSE", "UNPACK",
)  # fmt: skip
"""Ops that compute nothing."""

Fetch = Callable[[int, int], Array]
"""The device's output (op, number of the output), as it is when the op ends."""


@dataclass(frozen=True)
class Divergence:
    """The op to blame on one vector; ``op`` None: there is none, and ``reason`` says why.

    ``output`` is the number of the op's output, ``tensor`` its index in the model; ``parity`` has
    the figures and the worst elements.
    """

    vector: str = ""
    reason: str = ""
    op: int | None = None
    opcode: str = ""
    output: int = 0
    tensor: int = 0
    spec: TensorSpec | None = None
    parity: Parity | None = None

    @property
    def text(self) -> str:
        """A few lines for a failure."""
        if self.op is None or self.spec is None or self.parity is None:
            return f"no op is named: {self.reason}"
        head = (
            f"first op to differ: op {self.op} {self.opcode}, output {self.output} (tensor "
            f"{self.tensor} {self.spec.name!r}, {self.spec}), on {self.vector}: "
            f"{self.parity.mismatches:,} of {self.parity.elements:,} elements"
        )
        steps = "" if self.parity.max_lsb is None else f" by up to {self.parity.max_lsb} LSB"
        lines = [head + steps, *(f"  {worst}" for worst in self.parity.worst)]
        return "\n".join([*lines, *([f"  {self.reason}"] if self.reason else [])])


def first_divergence(
    model: Model,
    vector: str,
    reference: Mapping[int, Array],
    equal: Sequence[Sequence[bool]],
    fetch: Fetch,
) -> Divergence:
    """Looks for the op to blame.

    Args:
        model: its ops and tensors.
        vector: name of the input, for the words.
        reference: the host's output of every op, by tensor index.
        equal: for every output of every op, whether device and host agree bit for bit.
        fetch: asked for outputs that do not; each costs a run on the device, so a boundary is
            looked for by halves first, and one after the other only if that tells nothing.
    """
    ops = model.ops
    differing = [op for op, same in zip(ops, equal, strict=True) if not all(same)]
    outputs = sum(len(op.outputs) for op in ops)
    if not differing:
        return Divergence(
            vector,
            f"watched, all {outputs} outputs of {len(ops)} ops on {vector} equal the host's bit "
            "for bit: it differs only where no op is watched, or not every time",
        )
    judge = _Judge(model, reference, equal, fetch)
    found = judge.boundary(differing)
    if found is None or not judge.to_blame(found):
        found = next((op for op in differing if judge.to_blame(op)), None)
    if found is None:
        return Divergence(vector, judge.excuse(differing))
    return judge.charge(found, vector)


class _Judge:
    def __init__(
        self,
        model: Model,
        reference: Mapping[int, Array],
        equal: Sequence[Sequence[bool]],
        fetch: Fetch,
    ) -> None:
        self._tensors, self._reference, self._fetch = model.tensors, reference, fetch
        self._made = {t: (op, n) for op in model.ops for n, t in enumerate(op.outputs)}
        self._equal = {t: equal[op.index][n] for t, (op, n) in self._made.items()}
        self._got: dict[int, Array] = {}

    def boundary(self, differing: Sequence[OpSpec]) -> OpSpec | None:
        """The op at which deviations begin, if they last from there to the end."""
        if not self._beyond(differing[-1]):
            return None
        low, high = 0, len(differing) - 1
        while low < high:
            middle = (low + high) // 2
            if self._beyond(differing[middle]):
                high = middle
            else:
                low = middle + 1
        return differing[high]

    def to_blame(self, op: OpSpec) -> bool:
        came_in = max((self._deviation(tensor) for tensor in op.inputs), default=0.0)
        return any(
            deviation > max(self._limit(op, tensor), GROWTH * came_in)
            for tensor in op.outputs
            if (deviation := self._deviation(tensor))
        )

    def charge(self, op: OpSpec, vector: str) -> Divergence:
        """The op with its worst output."""
        tensor = max(op.outputs, key=self._deviation)
        spec, expected = self._tensors[tensor], self._reference[tensor]
        limit = self._limit(op, tensor)
        tolerance = Tolerance(max_abs=limit * _range(expected), max_rel=0.0)
        number = self._made[tensor][1]
        parity = compare_tensor(
            expected, self._device(tensor), tolerance, vector=vector, output=number
        )
        exact = all(self._same(each) for each in op.inputs)
        reason = f"its inputs equal the host's{', bit for bit' if exact else ' but for rounding'}"
        return Divergence(vector, reason, op.index, op.opcode, number, tensor, spec, parity)

    def excuse(self, differing: Sequence[OpSpec]) -> str:
        worst = max(differing, key=self._worst)
        if not self._worst(worst):
            return (
                f"op {worst.index} {worst.opcode} and {len(differing) - 1} others differed from "
                "the host in one run and not in the next"
            )
        return (
            f"{len(differing)} of {len({op.index for op, _ in self._made.values()})} ops differ "
            f"from the host, none beyond its limit: the most is {self._worst(worst):.2g} of the "
            f"range, op {worst.index} {worst.opcode}"
        )

    def _worst(self, op: OpSpec) -> float:
        return max((self._deviation(tensor) for tensor in op.outputs), default=0.0)

    def _beyond(self, op: OpSpec) -> bool:
        return any(self._deviation(tensor) > self._limit(op, tensor) for tensor in op.outputs)

    def _same(self, tensor: int) -> bool:
        """Whether a tensor is the host's; model inputs and constants are, by their CRCs."""
        return self._equal.get(tensor, True)

    def _limit(self, op: OpSpec, tensor: int) -> float:
        spec = self._tensors[tensor]
        if spec.numpy.kind == "f":
            return MOVED if op.opcode in MOVING else COMPUTED
        exact = all(self._same(each) for each in op.inputs) and spec.dtype != "int16"
        return 0.0 if exact else 0.5 ** ITEM_BITS[spec.dtype]

    def _deviation(self, tensor: int) -> float:
        if self._same(tensor):
            return 0.0
        return deviation(self._reference[tensor], self._device(tensor))

    def _device(self, tensor: int) -> Array:
        if tensor not in self._got:
            op, number = self._made[tensor]
            self._got[tensor] = self._fetch(op.index, number)
        return self._got[tensor]


def deviation(expected: Array, observed: Array) -> float:
    """The largest |Δ| as a share of the range; infinite where a value that is not finite meets
    another one. Both of one shape and type."""
    if expected.dtype.kind != "f":
        steps = compare_tensor(expected, observed).max_abs
        return steps * 0.5 ** ITEM_BITS[expected.dtype.name]
    finite = np.isfinite(expected)
    if not np.array_equal(expected[~finite], observed[~finite], equal_nan=True):
        return math.inf
    if not np.isfinite(observed[finite]).all():
        return math.inf
    return compare_tensor(expected[finite], observed[finite]).max_abs / _range(expected)


def _range(expected: Array) -> float:
    finite = expected[np.isfinite(expected)] if expected.dtype.kind == "f" else expected
    return max(float(np.abs(finite.astype(np.float64)).max(initial=0.0)), SMALLEST)
