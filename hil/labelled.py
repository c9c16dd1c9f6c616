"""The labelled set of a model's folder: whether there is one, and the samples of it to run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from hil.accuracy import BY_TASK, METRICS, Accuracy, Samples, choose, judge
from hil.errors import SetupError
from hil.model import Model, Vector, load_vectors
from hil.parity import Tolerance
from hil.tensors import Array

Outputs = Sequence[Sequence[Array]]


def no_labels(model: Model) -> str:
    """Why the accuracy of a model cannot be measured; "" if it can."""
    if model.folder is None or model.card.heldout is None:
        return f"{model.name} has no labelled set (heldout: in model.yaml)"
    if metric_of(model) is None:
        return f"{model.name}: model.yaml states no task and none of {', '.join(METRICS)}"
    return ""


def metric_of(model: Model) -> str | None:
    """The metric that model.yaml states if it is a known one, else that of the task."""
    stated = model.card.metric
    if stated is not None and stated.name in METRICS:
        return stated.name
    return BY_TASK.get(model.card.task or "")


def labelled_set(model: Model, samples: int) -> tuple[tuple[Vector, ...], Samples]:
    """At most ``samples`` (0: all) of the set, as vectors to run and as arrays to judge.

    A sequence cannot be thinned out: of one the beginning is taken.

    Raises:
        SetupError: model_file. ValueError: a model of which `no_labels` has something to say.
    """
    if reason := no_labels(model):
        raise ValueError(reason)
    assert model.folder is not None
    assert model.card.heldout is not None
    path = model.folder / model.card.heldout
    vectors = load_vectors(model, path)
    if any(vector.label is None for vector in vectors):
        raise _bad(model, path, "has no `label`", "add one label a sample, of shape (N,)")
    indices = choose(len(vectors), samples)
    if model.card.sequences:
        indices = list(range(len(indices)))
    chosen = tuple(vectors[n] for n in indices)
    labels = np.array([vector.label for vector in chosen])
    if metric_of(model) == "auc" and set(labels) != {0, 1}:
        raise _bad(model, path, "needs samples of label 0 and of label 1", "take more --samples")
    inputs = np.stack([vector.inputs[0] for vector in chosen])
    return chosen, Samples(inputs, labels, indices, len(vectors))


def judge_samples(
    model: Model, samples: Samples, device: Outputs, host: Outputs, tolerance: Tolerance
) -> Accuracy:
    """The metric of both sides' answers ``[sample][output]``; the first output is judged."""
    metric = metric_of(model)
    assert metric is not None
    specs = (model.inputs[0], model.outputs[0])
    ours, theirs = (np.stack([answer[0] for answer in side]) for side in (device, host))
    return judge(metric, samples, specs, ours, theirs, tolerance)


def _bad(model: Model, path: Path, reason: str, hint: str) -> SetupError:
    return SetupError("model_file", f"{path.name} {reason}", model=model.name, hint=hint)
