"""How good a model is on labelled samples: on the device beside the host. Pure: arrays in,
figures and findings out.

A metric is a function of real inputs (N, ...), real outputs (N, ...) and labels (N,); it comes
with its slack: how far it can move if each output moves by what parity allows.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from hil.card import ModelCard
from hil.errors import Finding
from hil.parity import Tolerance
from hil.tensors import Array, TensorSpec, as_float64, dequantise

BY_TASK: Mapping[str, str] = {"classification": "top1", "anomaly": "auc", "regression": "mae"}
"""The metric of a task for which model.yaml states none."""

SHOWN = 20
"""How many samples that differ a message lists."""

_GOLDEN = (math.sqrt(5) - 1) / 2


@dataclass(frozen=True)
class Accuracy:
    """A metric of the device and of the host over the same samples.

    ``slack`` is how far they may be apart; ``disagreements`` are indices into the labelled set:
    another class for classifiers, otherwise an output beyond the tolerance. ``also`` holds
    further metrics as (device, host). A figure is None where it is not finite.
    """

    metric: str
    device: float | None
    host: float | None
    slack: float
    samples: int
    total: int
    disagreements: tuple[int, ...] = ()
    also: Mapping[str, tuple[float | None, float | None]] = field(default_factory=dict)


def top1(_x: Array, y: Array, labels: Array) -> float:
    """Share of samples whose largest output is the labelled class."""
    return float(np.mean(_flat(y).argmax(axis=1) == labels))


def mae(_x: Array, y: Array, labels: Array) -> float:
    """Mean absolute error in real units."""
    return float(np.mean(np.abs(_flat(y) - labels[:, None])))


def mse(_x: Array, y: Array, labels: Array) -> float:
    """Mean squared error in real units."""
    return float(np.mean((_flat(y) - labels[:, None]) ** 2))


def auc(x: Array, y: Array, labels: Array) -> float:
    """Area under the ROC curve of the mean squared reconstruction error; NaN with one class."""
    scores = np.mean((_flat(x) - _flat(y)) ** 2, axis=1)
    bad, good = scores[labels == 1][:, None], scores[labels == 0][None, :]
    wins = (bad > good) + 0.5 * (bad == good)
    return float(np.mean(wins)) if wins.size else math.nan


METRICS: Mapping[str, Callable[[Array, Array, Array], float]] = {
    "top1": top1,
    "auc": auc,
    "mae": mae,
    "mse": mse,
}
"""Metric by name. A new one is a function here and a line in `slack_of`."""


def slack_of(metric: str, x: Array, y: Array, labels: Array, allowed: Array) -> float:
    """How far a metric of outputs ``y`` moves at most if each output moves by ``allowed``."""
    step = _flat(allowed)
    if not step.any():
        return 0.0
    if metric == "top1":
        ordered = np.sort(_flat(y), axis=1)
        close = ordered[:, -1:] - ordered[:, :-1] <= 2 * step.max(axis=1, keepdims=True)
        return float(np.mean(close.any(axis=1)))
    if metric == "mae":
        return float(np.mean(step))
    wanted = _flat(x) if metric == "auc" else labels[:, None]
    moved = np.mean(2 * np.abs(_flat(y) - wanted) * step + step**2, axis=1)
    return float(np.mean(moved)) if metric == "mse" else _pairs_within(x, y, labels, moved)


def _pairs_within(x: Array, y: Array, labels: Array, moved: Array) -> float:
    """Share of pairs whose order may change if each score moves by ``moved``."""
    scores = np.mean((_flat(x) - _flat(y)) ** 2, axis=1)
    bad, good = labels == 1, labels == 0
    apart = np.abs(scores[bad][:, None] - scores[good][None, :])
    return float(np.mean(apart <= moved[bad][:, None] + moved[good][None, :]))


def choose(total: int, samples: int) -> list[int]:
    """Indices of at most ``samples`` of ``total``, 0 for all; the same ones every time.

    One from each of equal stretches, at a place that moves by the golden ratio: a plain stride
    would see one class only of a set whose labels take turns.
    """
    if samples <= 0 or samples >= total:
        return list(range(total))
    bounds = [n * total // samples for n in range(samples + 1)]
    stretches = enumerate(zip(bounds, bounds[1:], strict=False))
    return [low + int(n * _GOLDEN % 1 * (high - low)) for n, (low, high) in stretches]


@dataclass(frozen=True)
class Samples:
    """What both sides were given: stored inputs (N, ...), labels (N,), indices into the set."""

    inputs: Array
    labels: Array
    indices: Sequence[int]
    total: int


def judge(
    metric: str,
    samples: Samples,
    specs: tuple[TensorSpec, TensorSpec],
    device: Array,
    host: Array,
    tolerance: Tolerance,
) -> Accuracy:
    """Both sides' outputs (N, ...), stored, of a model's first input and output ``specs``."""
    x, labels = real(specs[0], samples.inputs), samples.labels
    ours, theirs = real(specs[1], device), real(specs[1], host)
    allowed = _allowed(specs[1], theirs, tolerance)
    if metric == "top1":
        differ = _flat(ours).argmax(axis=1) != _flat(theirs).argmax(axis=1)
    else:
        differ = ~(np.abs(_flat(ours) - _flat(theirs)) <= _flat(allowed)).all(axis=1)
    more = {"mae": ("mse",), "mse": ("mae",)}.get(metric, ())
    return Accuracy(
        metric,
        *_both(metric, x, ours, theirs, labels),
        slack_of(metric, x, theirs, labels, allowed),
        len(samples.indices),
        samples.total,
        tuple(samples.indices[int(n)] for n in np.flatnonzero(differ)),
        {name: _both(name, x, ours, theirs, labels) for name in more},
    )


def real(spec: TensorSpec, stored: Array) -> Array:
    """Real values; a tensor without a scale (class numbers, say) means what it holds."""
    try:
        return dequantise(spec, stored)
    except ValueError:
        return as_float64(stored)


def _allowed(spec: TensorSpec, y: Array, tolerance: Tolerance) -> Array:
    if spec.numpy.kind == "f":
        return tolerance.max_abs + tolerance.max_rel * np.abs(y)
    step = spec.scales[0] if len(spec.scales) == 1 else 1.0
    # Half a step less would do for whole steps; the hundredth is for rounding in float64.
    return np.full(y.shape, (tolerance.max_lsb + 0.01 * (tolerance.max_lsb > 0)) * step)


def _both(
    name: str, x: Array, ours: Array, theirs: Array, labels: Array
) -> tuple[float | None, float | None]:
    with np.errstate(invalid="ignore", over="ignore"):
        figures = [METRICS[name](x, side, labels) for side in (ours, theirs)]
    device, host = (figure if math.isfinite(figure) else None for figure in figures)
    return device, host


def _flat(array: Array) -> Array:
    return array.reshape(len(array), -1)


def accuracy_findings(card: ModelCard, seen: Accuracy, oracle: str) -> list[Finding]:
    """What is wrong with a device's figure: not the host's, or not what model.yaml states."""
    found = []
    numbers = {"metric": seen.metric, "device": seen.device, "host": seen.host,
               "samples": seen.samples, "slack": seen.slack,
               "disagreements": list(seen.disagreements)}  # fmt: skip
    if seen.device is None or seen.host is None or abs(seen.device - seen.host) > seen.slack:
        listed = ", ".join(map(str, seen.disagreements[:SHOWN])) or "none"
        found.append(
            f"{seen.metric} of {seen.samples} samples is {_word(seen.device)} on the device, "
            f"{_word(seen.host)} on {oracle}; samples on which they disagree "
            f"({len(seen.disagreements)}): {listed}"
        )
    stated = card.metric
    whole = seen.samples == seen.total and stated is not None and stated.name == seen.metric
    if stated and whole and not _as_stated(seen.device, stated.value):
        found.append(
            f"{seen.metric} of all {seen.total} samples is {_word(seen.device)} on the device, "
            f"model.yaml states {stated.value:g} ({stated.source})"
        )
        numbers["stated"] = stated.value
    return [Finding("accuracy", text, "accuracy", numbers) for text in found]


def _as_stated(figure: float | None, value: float) -> bool:
    """Equal to three digits; model.yaml states four decimals, so no finer than half the last."""
    limit = min(5e-4, max(5e-5, 5e-3 * abs(value))) + 1e-9
    return figure is not None and abs(figure - value) <= limit


def _word(figure: float | None) -> str:
    return "no number" if figure is None else f"{figure:.6g}"
