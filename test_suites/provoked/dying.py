"""Firmware that dies, or stops, as its input byte says (sketches/dying_runner)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from hil.errors import HilError
from hil.inventory import Board
from hil.model import Model
from hil.trial import Settings, Trial

SKETCH = Path(__file__).parent / "sketches" / "dying_runner"

UNDEFINED, DIVIDE, BUS, EVEN, ASSERT, LOCKUP, ENDLESS, CHANCE, HONEST = 1, 2, 3, 4, 5, 6, 7, 8, 100
"""What it does with an input byte (`perish` in its source)."""


def dying(board: Board, model: Model, hang_s: float = 2.0) -> Trial:
    """A trial of the sketch; inferences are given up early."""
    return Trial(board, model, Settings(hang_s=hang_s), SKETCH)


def infer(it: Trial, what: int) -> Sequence[np.ndarray]:  # type: ignore[type-arg]
    return it.infer([np.full((1, 1), what, np.int8)]).outputs


def fault(it: Trial, what: int) -> HilError:
    """The error that an input byte ends in."""
    with pytest.raises(HilError) as caught:
        infer(it, what)
    return caught.value
