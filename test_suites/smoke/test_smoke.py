"""Does the board run this firmware, and does the model load and answer once?"""

from __future__ import annotations

import pytest

from hil.trial import Trial


@pytest.mark.steps("smoke")
def test_answers(trial: Trial) -> None:
    assert trial.smoke() == len(trial.model.outputs)
