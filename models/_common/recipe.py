"""What one reference model is made of, as a value; nothing here imports TensorFlow."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Task = Literal["classification", "regression", "anomaly"]


class Data(NamedTuple):
    """A labelled set.

    ``x`` is float32 of shape (N, *input shape without batch). ``y`` has shape (N,): the class
    index, the target value, or 1 for an anomaly and 0 for a normal sample.
    """

    x: Floats
    y: NDArray[Any]


@dataclass(frozen=True)
class Recipe:
    """How one model is generated, trained, converted and judged.

    Args:
        folder: the model's folder; its name is the model's name.
        description: one line for the card, which says that the data is synthetic.
        metric: a key of `models._common.evaluate.METRICS`.
        network: ``(keras, batch) -> keras.Model``, untrained; batch is None or 1.
        sample: ``(rng, n) -> Data``; the whole synthetic world of this model.
        labels: class names in the order of the outputs; empty unless a classification.
        float32: True leaves the model unquantised; else int8 throughout.
        per_channel_dense: True keeps the converter's default for Dense layers (on purpose only).
        probes: real-valued inputs (N, *input shape) for the vectors; None draws 8 samples.
        latency_ms: what the product needs, in milliseconds, by board id.
    """

    folder: Path
    description: str
    task: Task
    metric: str
    network: Callable[[Any, int | None], Any]
    sample: Callable[[np.random.Generator, int], Data]
    labels: tuple[str, ...] = ()
    float32: bool = False
    per_channel_dense: bool = False
    probes: Callable[[], Floats] | None = None
    latency_ms: Mapping[str, int] = field(default_factory=dict)
    train_samples: int = 4000
    heldout_samples: int = 400
    calibration_samples: int = 96
    epochs: int = 20
    batch: int = 64
    learning_rate: float = 2e-3
    train_seed: int = 1
    heldout_seed: int = 7
    vector_seed: int = 11

    @property
    def name(self) -> str:
        return self.folder.name

    def file(self, name: str, folder: Path | None = None) -> Path:
        """A file of this model, in its own folder or in a scratch folder."""
        return (folder or self.folder) / name

    def data(self, seed: int, samples: int) -> Data:
        """The synthetic set of that seed; the same on every call."""
        return self.sample(np.random.default_rng(seed), samples)
