"""Ball-bearing faults from raw vibration: healthy, inner race, outer race, ball; a CNN, int8."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from models._common.command import main
from models._common.recipe import Data, Recipe
from models._common.signals import Signal, coloured_noise, ringing

LABELS = ("healthy", "inner", "outer", "ball")
RATE = 4096.0  # samples a second
STEPS = 512  # 125 ms, about four turns of the shaft


class Fault(NamedTuple):
    """Blows a turn of the shaft, turns of the load zone past the flaw, what it sets ringing."""

    order: float
    modulation: float
    resonance: float
    strength: float


# Orders of a 6205 bearing (9 balls, 7.94 mm, pitch 39.04 mm, contact angle 0). A flaw in the
# outer race stays in the load zone, one in the inner race passes it once a turn, one in a ball
# once a turn of the cage and strikes both races.
FAULTS = {
    "inner": Fault(order=5.415, modulation=1.0, resonance=1150.0, strength=1.0),
    "outer": Fault(order=3.585, modulation=0.0, resonance=900.0, strength=0.9),
    "ball": Fault(order=4.714, modulation=0.398, resonance=1400.0, strength=0.7),
}


def sample(rng: np.random.Generator, n: int) -> Data:
    """Windows (n, 512, 1, 1) of acceleration, scaled to unit variance as the product does."""
    y = rng.integers(0, len(LABELS), n)
    x = np.stack([_window(rng, LABELS[label]) for label in y])
    return Data(x[..., np.newaxis, np.newaxis].astype(np.float32), y)


def _window(rng: np.random.Generator, label: str) -> Signal:
    """One window (512,): shaft, gears, floor noise, a stray knock and the flaw if there is one."""
    shaft = rng.uniform(27, 33)  # Hz; the speed is not told to the model
    times = np.arange(STEPS) / RATE
    signal = _machine(rng, shaft, times)
    if label != "healthy":
        signal = signal + _blows(rng, FAULTS[label], shaft, times) * rng.uniform(1.0, 3.0)
    if rng.random() < 0.2:
        knock = ringing(times - rng.uniform(0, 0.12), rng.uniform(500, 1600), 400)
        signal = signal + rng.uniform(0.5, 2) * knock
    return np.asarray(signal / signal.std())


def _machine(rng: np.random.Generator, shaft: float, times: Signal) -> Signal:
    """What a healthy machine does: unbalance, misalignment, a gear mesh and coloured noise."""
    orders = np.array([1.0, 2.0, 3.0, 17.0])
    sizes = rng.uniform(0, 1, 4) * np.array([0.6, 0.4, 0.2, 0.3])
    phases = rng.uniform(0, 2 * np.pi, 4)
    tones = sizes * np.sin(2 * np.pi * shaft * np.outer(times, orders) + phases)
    noise = coloured_noise(rng, STEPS, rng.uniform(0, 0.8)) * rng.uniform(0.15, 0.5)
    return np.asarray(tones.sum(axis=1) + noise)


def _blows(rng: np.random.Generator, fault: Fault, shaft: float, times: Signal) -> Signal:
    """The flaw's train of ringing blows, with the slip of real balls and the load's modulation."""
    period = 1 / (fault.order * shaft)
    count = int(times[-1] / period) + 4
    starts = (rng.uniform(-3, -2) + np.arange(count)) * period
    starts = starts + np.cumsum(rng.normal(0, 0.01, count)) * period
    load = 1 + 0.8 * np.cos(2 * np.pi * fault.modulation * shaft * starts + rng.uniform(0, 6.28))
    load = load if fault.modulation else np.ones(count)
    sizes = load * rng.normal(1, 0.1, count) * fault.strength
    tone = fault.resonance * rng.uniform(0.8, 1.2)
    answers = ringing(times[:, None] - starts, tone, rng.uniform(500, 900))
    return np.asarray(answers @ sizes)


def network(keras: Any, batch: int | None) -> Any:
    """Three strided convolutions along time, pooled over the window."""
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input(batch_shape=(batch, STEPS, 1, 1)),
            layers.Conv2D(12, (16, 1), (2, 1), padding="same", activation="relu"),
            layers.MaxPooling2D((2, 1)),
            layers.Conv2D(16, (9, 1), (2, 1), padding="same", activation="relu"),
            layers.Conv2D(20, (9, 1), (2, 1), padding="same", activation="relu"),
            layers.Conv2D(20, (9, 1), (2, 1), padding="same", activation="relu"),
            layers.AveragePooling2D((16, 1)),
            layers.Flatten(),
            layers.Dropout(0.2),
            layers.Dense(len(LABELS)),
            layers.Softmax(),
        ]
    )


RECIPE = Recipe(
    folder=Path(__file__).parent,
    description="Bearing faults from synthetic vibration (125 ms at 4096 Hz, 27..33 Hz), int8",
    task="classification",
    labels=LABELS,
    metric="top1",
    network=network,
    sample=sample,
    latency_ms={"nano33ble": 125},
    train_samples=8000,
    calibration_samples=64,
    epochs=20,
)

if __name__ == "__main__":
    main(RECIPE)
