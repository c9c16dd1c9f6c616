"""The sine of the tutorial's first program: data, network and probes of every sine model."""

from __future__ import annotations

from typing import Any

import numpy as np

from models._common.recipe import Data, Floats

TURN = np.float32(2 * np.pi)


def sample(rng: np.random.Generator, n: int) -> Data:
    """Angles (n, 1) in radians, uniform over one turn, and their sines (n,); n is at least 2."""
    angles = rng.uniform(0, TURN, (n, 1)).astype(np.float32)
    angles[:2, 0] = (0.0, TURN)  # the ends of the range are always seen
    return Data(angles, np.sin(angles[:, 0]))


def network(keras: Any, batch: int | None) -> Any:
    """1 - 16 - 16 - 1 with ReLU; the first biases are spread, so that the kinks are too."""
    layers = keras.layers
    spread = keras.initializers.RandomUniform(-2.0, 2.0, seed=3)
    return keras.Sequential(
        [
            keras.Input(batch_shape=(batch, 1)),
            layers.Dense(16, activation="relu", bias_initializer=spread),
            layers.Dense(16, activation="relu"),
            layers.Dense(1),
        ]
    )


def probes() -> Floats:
    """Ten angles (10, 1) in radians: both ends, the extremes and the zero crossings between."""
    eighths = np.linspace(0, TURN, 9, dtype=np.float32)
    return np.append(eighths, np.float32(0.1))[:, np.newaxis]
