"""Do the answers of the board equal the host's, every time?"""

from __future__ import annotations

from hil.trial import Trial


def test_parity(trial: Trial) -> None:
    assert trial.parity().ok
