"""How long does one inference take, by the board's own clock?"""

from __future__ import annotations

import pytest

from hil.trial import Trial


@pytest.mark.steps("latency")
def test_latency(trial: Trial) -> None:
    assert trial.latency().min > 0
