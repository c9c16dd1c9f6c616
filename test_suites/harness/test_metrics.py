"""Metrics of labelled samples on both sides, and what a difference comes to."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.accuracy import (
    METRICS,
    Accuracy,
    Samples,
    accuracy_findings,
    auc,
    choose,
    judge,
    slack_of,
)
from hil.card import Metric, ModelCard
from hil.errors import SetupError
from hil.labelled import labelled_set, metric_of, no_labels
from hil.model import Model, load_model
from hil.parity import Tolerance
from hil.report.parts import AccuracyRecord
from hil.tensors import TensorSpec
from models._common import evaluate

ROOT = Path(__file__).resolve().parents[2]
SPEC = TensorSpec("t", (1, 3), "int8", (0.5,), (-1,))
CARD = ModelCard(name="m", task="classification")
EXACT = Tolerance()


def rng() -> np.random.RandomState:
    return np.random.RandomState(3)


def sides(device: Any, host: Any, labels: Any, metric: str = "top1", **rest: Any) -> Accuracy:
    stored = [np.array(side, np.int8).reshape(len(side), 1, -1) for side in (device, host)]
    given = Samples(stored[1], np.array(labels), rest.pop("indices", range(len(labels))), 9)
    return judge(metric, given, (SPEC, SPEC), *stored, rest.pop("tolerance", EXACT))


# -- metrics


@pytest.mark.parametrize("name", ["top1", "mae", "auc"])
def test_a_metric_is_the_one_that_made_the_models_cards(name: str) -> None:
    draw = rng()
    width = {"top1": 4, "mae": 1, "auc": 6}[name]
    x, y = draw.normal(size=(40, 1, width)), draw.normal(size=(40, 1, width))
    labels = draw.normal(size=40) if name == "mae" else draw.randint(0, 2, 40)
    assert METRICS[name](x, y, labels) == pytest.approx(evaluate.METRICS[name](x, y, labels))


def test_mse_squares() -> None:
    y, labels = np.array([[1.0], [4.0]]), np.array([0.0, 2.0])
    assert METRICS["mse"](y, y, labels) == 2.5


def test_auc_of_one_class_is_no_number() -> None:
    x = np.ones((3, 2))
    assert math.isnan(auc(x, x, np.zeros(3)))


@pytest.mark.parametrize("name", list(METRICS))
@given(step=st.sampled_from([0.0, 0.01, 0.3]), seed=st.integers(0, 50))
def test_no_metric_moves_by_more_than_its_slack(name: str, step: float, seed: int) -> None:
    draw = np.random.RandomState(seed)
    width = 1 if name in ("mae", "mse") else 3
    x, y = draw.normal(size=(12, width)), draw.normal(size=(12, width))
    labels = draw.normal(size=12) if width == 1 else draw.randint(0, 2, 12)
    labels[:2] = 0, 1
    allowed = np.full(y.shape, step)
    moved = y + draw.uniform(-step, step, y.shape)
    apart = abs(METRICS[name](x, moved, labels) - METRICS[name](x, y, labels))
    assert apart <= slack_of(name, x, y, labels, allowed) + 1e-12


# -- both sides


def test_equal_outputs_agree_without_slack() -> None:
    seen = sides([[1, 2, 3], [3, 2, 1]], [[1, 2, 3], [3, 2, 1]], [2, 2])
    assert seen == Accuracy("top1", 0.5, 0.5, 0.0, 2, 9)
    assert not accuracy_findings(CARD, seen, "tflm")


def test_another_class_is_a_disagreement_even_where_the_figures_are_equal() -> None:
    seen = sides([[1, 2, 3], [3, 2, 1]], [[3, 2, 1], [1, 2, 3]], [2, 2], indices=(10, 20))
    assert (seen.device, seen.host, seen.disagreements) == (0.5, 0.5, (10, 20))
    assert not accuracy_findings(CARD, seen, "tflm")


def test_a_worse_device_is_a_finding_with_the_samples() -> None:
    seen = sides([[3, 0, 0], [3, 0, 0]], [[0, 0, 3], [3, 0, 0]], [2, 0], indices=(4, 8))
    (finding,) = accuracy_findings(CARD, seen, "tflm")
    assert finding.code == "accuracy"
    assert finding.message == (
        "top1 of 2 samples is 0.5 on the device, 1 on tflm; samples on which they disagree (1): 4"
    )
    assert finding.numbers["disagreements"] == [4]


def test_a_tolerance_of_the_model_gives_slack() -> None:
    close = sides([[2, 3, 0]], [[3, 2, 0]], [0], tolerance=Tolerance(max_lsb=1))
    assert (close.device, close.host, close.slack) == (0.0, 1.0, 1.0)
    assert not accuracy_findings(CARD, close, "tflm")
    far = sides([[2, 30, 0]], [[30, 2, 0]], [0], tolerance=Tolerance(max_lsb=1))
    assert accuracy_findings(CARD, far, "tflm")


def test_a_regression_is_judged_in_real_units_and_squared_beside() -> None:
    seen = sides([[5], [5]], [[5], [3]], [3.0, 3.0], metric="mae")
    assert (seen.device, seen.host) == (0.0, 0.5)
    assert seen.also == {"mse": (0.0, 0.5)}
    assert seen.disagreements == (1,)
    assert accuracy_findings(CARD, seen, "tflm")  # better than the host is wrong, too


def test_a_device_without_a_number_is_a_finding() -> None:
    spec = TensorSpec("t", (1, 1), "float32")
    given = Samples(np.zeros((2, 1, 1), np.float32), np.array([0.0, 1.0]), range(2), 2)
    wild = np.array([[[np.nan]], [[1.0]]], np.float32)
    seen = judge("mae", given, (spec, spec), wild, np.ones((2, 1, 1), np.float32), EXACT)
    assert seen.device is None
    assert seen.disagreements == (0,)
    (finding,) = accuracy_findings(CARD, seen, "tflm")
    assert "no number on the device" in finding.message
    assert AccuracyRecord.of(seen).model_dump_json()


@pytest.mark.parametrize(
    ("device", "stated", "fits"),
    [
        (0.9725, 0.9725, True),
        (0.9729, 0.9725, True),
        (0.9735, 0.9725, False),
        (0.01114, 0.0111, True),
        (0.0113, 0.0111, False),
    ],
)
def test_the_whole_set_gives_what_the_card_states(device: float, stated: float, fits: bool) -> None:
    metric = Metric(name="top1", value=stated, samples=9, source="held-out, host TFLM")
    card = CARD.model_copy(update={"metric": metric})
    seen = Accuracy("top1", device, device, 0.0, 9, 9)
    found = accuracy_findings(card, seen, "tflm")
    assert bool(found) is not fits
    assert all("model.yaml states" in each.message for each in found)
    assert not accuracy_findings(card, replace(seen, samples=8), "tflm")
    assert not accuracy_findings(card, replace(seen, metric="auc"), "tflm")


# -- which samples


@given(st.integers(1, 2000), st.integers(1, 300))
def test_samples_are_distinct_in_order_and_spread(total: int, samples: int) -> None:
    chosen = choose(total, samples)
    assert chosen == choose(total, samples)
    assert chosen == sorted(set(chosen))
    assert len(chosen) == min(total, samples)
    assert chosen[0] >= 0
    assert chosen[-1] < total
    assert max(np.diff(chosen), default=0) <= 2 * total / samples + 1


@pytest.mark.parametrize("classes", [2, 3, 4, 5, 8])
def test_labels_that_take_turns_are_all_seen(classes: int) -> None:
    labels = np.arange(400) % classes
    assert set(labels[choose(400, 50)]) == set(range(classes))


def test_no_bound_takes_all() -> None:
    assert choose(7, 0) == choose(7, 7) == list(range(7))


@pytest.mark.parametrize("name", ["hello_sine", "gesture", "air_quality_anomaly"])
def test_a_models_own_set_is_read(name: str) -> None:
    model = load_model(ROOT / "models" / name)
    assert no_labels(model) == ""
    assert model.card.metric is not None
    assert metric_of(model) == model.card.metric.name
    vectors, samples = labelled_set(model, 50)
    assert len(vectors) == len(samples.labels) == len(samples.indices) == 50
    assert samples.total == model.card.metric.samples
    np.testing.assert_array_equal(samples.inputs[3], vectors[3].inputs[0])


def changed(model: Model, **card: Any) -> Model:
    return replace(model, card=model.card.model_copy(update=card))


def test_a_model_without_a_set_or_a_task_says_so() -> None:
    model = load_model(ROOT / "models" / "gesture")
    assert "no labelled set" in no_labels(changed(model, heldout=None))
    assert "no task" in no_labels(changed(model, metric=None, task=None))
    assert metric_of(changed(model, metric=None)) == "top1"
    with pytest.raises(ValueError, match="no labelled set"):
        labelled_set(changed(model, heldout=None), 5)


def test_a_sequence_is_cut_not_thinned_out() -> None:
    model = load_model(ROOT / "models" / "gesture")
    _, samples = labelled_set(changed(model, sequences=True), 5)
    assert samples.indices == [0, 1, 2, 3, 4]


def test_a_set_without_labels_is_a_broken_model_file(tmp_path: Path) -> None:
    model = replace(load_model(ROOT / "models" / "hello_sine"), folder=tmp_path)
    np.savez(tmp_path / "heldout.npz", allow_pickle=False, input_0=np.zeros((3, 1, 1), np.int8))
    with pytest.raises(SetupError, match="has no `label`"):
        labelled_set(model, 5)


def test_one_class_is_not_enough_for_a_detector() -> None:
    model = load_model(ROOT / "models" / "air_quality_anomaly")
    with pytest.raises(SetupError, match="label 0 and of label 1"):
        labelled_set(model, 1)
