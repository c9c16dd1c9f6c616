"""Gestures drawn in the air with a 3-axis accelerometer: wing (W), ring (O), slope (L), idle."""

from pathlib import Path
from typing import Any

import numpy as np

from models._common.command import main
from models._common.recipe import Data, Recipe
from models._common.signals import Signal, lowpass

LABELS = ("wing", "ring", "slope", "idle")
RATE = 50.0  # samples a second
STEPS = 128  # 2.56 s
GRAVITY = 9.81
FULL_SCALE = 4.0  # g; what the sensor saturates at and what 1.0 stands for
_CORNERS = {
    "wing": np.array([[-1, 1], [-0.5, -1], [0, 0.5], [0.5, -1], [1, 1]], float),
    "slope": np.array([[-0.6, 1], [-0.9, -1], [0.9, -1]], float),
}


def sample(rng: np.random.Generator, n: int) -> Data:
    """Windows (n, 128, 3, 1) of acceleration in units of 4 g, sensor axes x, y, z."""
    y = rng.integers(0, len(LABELS), n)
    x = np.stack([_window(rng, LABELS[label]) for label in y])
    return Data(x[..., np.newaxis].astype(np.float32), y)


def _window(rng: np.random.Generator, gesture: str) -> Signal:
    """Acceleration (128, 3): the hand's movement, gravity, tremor, sensor noise and offset."""
    path = _idle(rng) if gesture == "idle" else _stroke(rng, gesture)
    moved = np.gradient(np.gradient(path, axis=0), axis=0) * RATE**2
    held = np.array([0.0, GRAVITY, 0.0]) + moved
    turned = held @ _rotation(rng).T
    noisy = turned + rng.normal(0, rng.uniform(0.1, 0.7), turned.shape) + rng.normal(0, 0.3, 3)
    return np.asarray(np.clip(noisy / (GRAVITY * FULL_SCALE), -1, 1))


def _stroke(rng: np.random.Generator, gesture: str) -> Signal:
    """A path (128, 3) in metres: rest, the figure drawn at this person's pace, rest."""
    length = int(rng.uniform(45, 105))
    start = int(rng.integers(0, STEPS - length))
    progress = np.clip((np.arange(STEPS) - start) / length, 0, 1)
    hurry = rng.uniform(-0.35, 0.35)  # some start fast, some end fast
    progress = progress + hurry * progress * (1 - progress)
    figure = _ring(rng, progress) if gesture == "ring" else _polyline(rng, gesture, progress)
    size = rng.uniform(0.08, 0.2) * rng.uniform(0.7, 1.3, 2)
    depth = _wander(rng, 0.02)
    return lowpass(np.column_stack([figure * size, depth]), rng.uniform(0.06, 0.12))


def _ring(rng: np.random.Generator, progress: Signal) -> Signal:
    turn = rng.choice([-1, 1]) * rng.uniform(0.85, 1.3) * 2 * np.pi
    angle = np.pi / 2 + rng.normal(0, 0.4) + turn * progress
    return np.column_stack([np.cos(angle), np.sin(angle)])


def _polyline(rng: np.random.Generator, gesture: str, progress: Signal) -> Signal:
    corners = _CORNERS[gesture]
    corners = corners + rng.normal(0, 0.15, corners.shape)
    lengths = np.linalg.norm(np.diff(corners, axis=0), axis=1)
    at = np.concatenate([[0], np.cumsum(lengths)]) / lengths.sum()
    return np.column_stack([np.interp(progress, at, corners[:, i]) for i in range(2)])


def _idle(rng: np.random.Generator) -> Signal:
    """No gesture: still, fidgeting, or one shove that means nothing."""
    path = np.column_stack([_wander(rng, rng.uniform(0, 0.03)) for _ in range(3)])
    shove = np.clip((np.arange(STEPS) - rng.integers(10, 90)) / rng.uniform(8, 30), 0, 1)
    moved = rng.normal(0, rng.choice([0.0, 0.12]), 3)
    return lowpass(path + np.outer(shove * shove * (3 - 2 * shove), moved), 0.1)


def _wander(rng: np.random.Generator, size: float) -> Signal:
    return lowpass(rng.normal(0, size * 4, STEPS), 0.04)


def _rotation(rng: np.random.Generator) -> Signal:
    """How the board is held: about 15 degrees off in every direction."""
    a, b, c = rng.normal(0, 0.25, 3)
    about_x = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    about_y = np.array([[np.cos(b), 0, np.sin(b)], [0, 1, 0], [-np.sin(b), 0, np.cos(b)]])
    about_z = np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]])
    return np.asarray(about_x @ about_y @ about_z)


def network(keras: Any, batch: int | None) -> Any:
    """Two convolutions along time, the first across all axes."""
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input(batch_shape=(batch, STEPS, 3, 1)),
            layers.Conv2D(8, (4, 3), padding="same", activation="relu"),
            layers.MaxPooling2D((3, 3)),
            layers.Conv2D(16, (4, 1), padding="same", activation="relu"),
            layers.MaxPooling2D((3, 1)),
            layers.Flatten(),
            layers.Dropout(0.2),
            layers.Dense(16, activation="relu"),
            layers.Dense(len(LABELS)),
            layers.Softmax(),
        ]
    )


RECIPE = Recipe(
    folder=Path(__file__).parent,
    description="Gestures from synthetic 3-axis accelerometer windows (2.56 s at 50 Hz), int8",
    task="classification",
    labels=LABELS,
    metric="top1",
    network=network,
    sample=sample,
    latency_ms={"nano33ble": 100},
    train_samples=8000,
    epochs=30,
)

if __name__ == "__main__":
    main(RECIPE)
