"""Does the arena that the product gives hold the model, and what would be enough?"""

from __future__ import annotations

import pytest

from hil.trial import Trial


@pytest.mark.steps("memory")
def test_arena(trial: Trial) -> None:
    needed = trial.memory()
    given = trial.record.memory.arena_given
    assert given is not None
    assert needed <= given
