"""Is the model as good on the board as on the host, sample by sample?"""

from __future__ import annotations

import pytest

from hil.labelled import no_labels
from hil.trial import Trial


@pytest.mark.steps("accuracy")
def test_accuracy(trial: Trial) -> None:
    if reason := no_labels(trial.model):
        pytest.skip(reason)
    assert trial.accuracy().samples > 0
