"""Does the arena that the product gives hold the model, and what would be enough?"""

from __future__ import annotations

from hil.trial import Trial


def test_arena(trial: Trial) -> None:
    needed = trial.memory()
    given = trial.record.memory.arena_given
    assert given is not None
    assert needed <= given
