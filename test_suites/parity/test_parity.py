"""Do the answers of the board equal the host's, every time?"""

from __future__ import annotations

import pytest

from hil.trial import Trial


@pytest.mark.steps("parity")
def test_parity(trial: Trial) -> None:
    assert trial.parity().ok
