"""A board that is less accurate than the host fails, though each of its answers looks plausible."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from hil.errors import ProductError
from hil.inventory import Board
from hil.trial import Trial

Make = Callable[..., Trial]
SAMPLES = 40


def test_an_honest_board_is_as_accurate_as_the_host(attempt: Make, nano: Board) -> None:
    it = attempt(nano)
    it.settings = replace(it.settings, samples=SAMPLES)
    seen = it.accuracy()
    assert (seen.metric, seen.samples, seen.total, seen.slack) == ("mae", SAMPLES, 500, 0.0)
    assert seen.device == seen.host
    assert seen.disagreements == ()
    assert it.record.accuracy is not None
    assert it.record.accuracy.device == it.record.accuracy.host == seen.host


def test_one_wrong_bit_an_answer_is_accuracy(attempt: Make, nano: Board) -> None:
    it = attempt(nano, "FLIPPED")
    it.settings = replace(it.settings, samples=SAMPLES)
    with pytest.raises(ProductError) as caught:
        it.accuracy()
    assert caught.value.code == "accuracy"
    assert caught.value.numbers["device"] != caught.value.numbers["host"]
    assert len(caught.value.numbers["disagreements"]) == SAMPLES
    assert it.record.verdict == "fail"
    assert [(each.suite, each.code) for each in it.record.findings] == [("accuracy", "accuracy")]


def test_a_whole_set_is_held_against_the_models_card(attempt: Make, nano: Board) -> None:
    it = attempt(nano)
    card = it.model.card
    assert card.metric is not None
    stale = card.metric.model_copy(update={"value": 0.02})
    it.model = replace(it.model, card=card.model_copy(update={"metric": stale}))
    it.settings = replace(it.settings, samples=0)
    with pytest.raises(ProductError, match=r"mae of all 500 samples .* model.yaml states 0.02"):
        it.accuracy()
