"""Is the board with this model as good as when its baseline was written?"""

from __future__ import annotations

import pytest

from hil.trial import Trial


@pytest.mark.steps("baseline")
def test_baseline(trial: Trial) -> None:
    """Whatever is worse fails; what cannot be judged is skipped, with the reason."""
    if not_judged := trial.baseline():
        pytest.skip(not_judged)
    assert trial.record.baseline is not None
