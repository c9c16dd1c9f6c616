"""Where does the time of an inference go? `pytest -rP` shows the table."""

from __future__ import annotations

import pytest

from hil.profile import profile_words
from hil.trial import Trial
from hil.watch import CannotWatch


@pytest.mark.steps("profile")
def test_profile(trial: Trial) -> None:
    try:
        profile = trial.profile()
    except CannotWatch as error:
        pytest.skip(str(error))
    print(profile_words(profile))
    assert sum(op.ticks for op in profile.ops) > 0
