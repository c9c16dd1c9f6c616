"""Striped 8 x 8 pictures: a world just large enough for the small convolutional models."""

from __future__ import annotations

import numpy as np

from models._common.recipe import Data

SIDE = 8
LABELS = ("horizontal", "vertical", "diagonal")


def sample(rng: np.random.Generator, n: int) -> Data:
    """Pictures (n, 8, 8, 1) of stripes with any phase, period and contrast, under noise."""
    y = rng.integers(0, len(LABELS), n)
    rows, columns = np.mgrid[:SIDE, :SIDE]
    along = np.stack([rows, columns, (rows + columns) / np.sqrt(2)])[y]
    period = rng.uniform(3, 5, (n, 1, 1))
    phase = rng.uniform(0, 2 * np.pi, (n, 1, 1))
    contrast = rng.uniform(0.3, 1.0, (n, 1, 1))
    stripes = contrast * np.sin(2 * np.pi * along / period + phase)
    noisy = stripes + rng.normal(0, 0.5, stripes.shape)
    return Data(noisy[..., np.newaxis].astype(np.float32), y)
