"""Does the board run this firmware, and does the model load and answer once?"""

from __future__ import annotations

from hil.trial import Trial


def test_answers(trial: Trial) -> None:
    trial.load()
    answer = trial.infer(trial.vectors()[0].inputs)
    assert len(answer.outputs) == len(trial.model.outputs)
