"""Whose fault is a difference? Three comparisons, each between neighbours, name the side. Pure.

=============  ==========================  ==============================================
step           between                     a difference means
=============  ==========================  ==============================================
``device``     board and host TFLM         a device, build or kernel fault
``runtime``    host TFLM and LiteRT        runtime drift, known and measured on the host
``converter``  LiteRT and TensorFlow       converter or version drift
=============  ==========================  ==============================================
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hil.parity import Parity

STEPS = ("device", "runtime", "converter")

_MEANING = {
    "device": "the board, its build or one of its kernels",
    "runtime": "the host runtimes: LiteRT's reference kernels are not TFLM's",
    "converter": "the converter or the TensorFlow version",
}


@dataclass(frozen=True)
class Attribution:
    """The comparisons that could be made, by step, and the first one that differs.

    ``guilty`` is "" where nothing differs. ``judge`` is the oracle that the board was held
    against: where it is not TFLM, ``device`` and ``runtime`` cannot be told apart.
    """

    steps: Mapping[str, Parity]
    judge: str = "tflm"

    @property
    def guilty(self) -> str:
        return next((step for step in STEPS if step in self.steps and not self.steps[step].ok), "")

    @property
    def text(self) -> str:
        """One sentence for a failure."""
        if self.judge == "vectors":
            return "no host engine answers; the outputs that the vectors state judge alone"
        if not self.guilty:
            return "board, host TFLM and LiteRT agree"
        if self.guilty == "device" and self.judge != "tflm":
            return "guilty: the board or the runtime; host TFLM gives no answer to tell which"
        parts = [f"guilty: {_MEANING[self.guilty]}"]
        others = [step for step in STEPS if step in self.steps and step != self.guilty]
        parts += [f"{step} drift {_share(self.steps[step])}" for step in others]
        return "; ".join(parts)


def _share(parity: Parity) -> str:
    if parity.ok:
        return "none"
    steps = "" if parity.max_lsb is None else f" by up to {parity.max_lsb} LSB"
    return f"{parity.mismatches:,} of {parity.elements:,}{steps}"
