"""Unusual air in a room, from six sensors over two hours: a dense autoencoder, int8."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from models._common.command import main
from models._common.recipe import Data, Recipe
from models._common.signals import Signal, coloured_noise

CHANNELS = ("co2", "voc", "co", "pm25", "temperature", "humidity")
STEPS = 24  # one every five minutes
_OFFSET = np.array([800.0, 250.0, 1.0, 15.0, 21.0, 45.0])  # ppm, ppb, ppm, ug/m3, C, %
_SCALE = np.array([400.0, 200.0, 1.0, 12.0, 3.0, 12.0])
_NOISE = np.array([15.0, 12.0, 0.12, 1.2, 0.1, 0.8])


def sample(rng: np.random.Generator, n: int) -> Data:
    """Windows (n, 144): 24 steps of six channels, centred and scaled; half of them anomalous."""
    y = (np.arange(n) % 2).astype(np.int64)
    x = np.stack([_window(rng, bool(odd)) for odd in y])
    return Data(x.reshape(n, -1).astype(np.float32), y)


def _window(rng: np.random.Generator, odd: bool) -> Signal:
    """One window (24, 6) in sensor units of `_SCALE`, clipped as the sensors' ranges do."""
    air = _room(rng)
    if odd:
        air = _ANOMALIES[rng.integers(len(_ANOMALIES))](rng, air)
    measured = air + rng.normal(0, 1, air.shape) * _NOISE
    return np.asarray(np.clip((measured - _OFFSET) / _SCALE, -3, 5))


def _room(rng: np.random.Generator) -> Signal:
    """A normal two hours: people come and go, windows open, someone cooks, outdoors drifts."""
    people = rng.integers(0, 5) * np.ones(STEPS)
    people[rng.integers(0, STEPS) :] = rng.integers(0, 5)
    fresh = rng.uniform(0.06, 0.2) + 0.4 * (rng.random() < 0.15) * _from(rng)
    cooking = rng.uniform(0, 1) * (rng.random() < 0.2) * _pulse(rng)
    outside = coloured_noise(rng, STEPS, 2)
    co2 = 420 + _room_fills(people * 38, fresh, rng.uniform(0, 600))
    voc = 90 + _room_fills(people * 9 + cooking * 60, fresh, rng.uniform(0, 150))
    co = 0.4 + 0.15 * outside + 0.8 * cooking
    pm25 = 9 + 2 * outside + 18 * cooking + rng.exponential(3)
    opened = fresh - np.min(fresh)
    temperature = rng.normal(21, 1.2) + 0.25 * people + cooking - 4 * opened + 0.2 * outside
    humidity = rng.normal(44, 5) + 1.2 * people + 6 * cooking - 1.5 * (temperature - 21)
    return np.column_stack([co2, voc, co, pm25, temperature, humidity])


def _room_fills(source: Signal, fresh: Signal | float, start: float) -> Signal:
    """First-order mixing: what comes in per step, less the share that ventilation takes out."""
    level, levels = start, np.empty(STEPS)
    share = np.broadcast_to(fresh, STEPS)
    for step in range(STEPS):
        level += source[step] - share[step] * level
        levels[step] = level
    return levels


def _from(rng: np.random.Generator) -> Signal:
    """0, and 1 from some step on."""
    return np.asarray((np.arange(STEPS) >= rng.integers(4, STEPS - 4)).astype(float))


def _pulse(rng: np.random.Generator) -> Signal:
    """Rises within a quarter of an hour and decays over an hour."""
    age = np.arange(STEPS) - rng.integers(0, STEPS - 6)
    return np.asarray((age >= 0) * np.minimum(np.maximum(age, 0) / 3, 1) * np.exp(-age / 12))


def _solvent(rng: np.random.Generator, air: Signal) -> Signal:
    """VOC rises without people."""
    return air + _only("voc", rng.uniform(60, 450) * _pulse(rng))


def _smoulder(rng: np.random.Generator, air: Signal) -> Signal:
    """CO and particles creep up together and stay."""
    ramp = np.clip((np.arange(STEPS) - rng.integers(2, 14)) / 10, 0, 1) * rng.uniform(0.3, 2.0)
    return air + _only("co", 2.5 * ramp) + _only("pm25", 20 * ramp)


def _stuck(rng: np.random.Generator, air: Signal) -> Signal:
    """One sensor reports one end of its range from some step on."""
    channel = int(rng.integers(len(CHANNELS)))
    frozen = air.copy()
    ends = _OFFSET[channel] + _SCALE[channel] * rng.choice([-2.0, 2.5])
    frozen[rng.integers(6, STEPS - 6) :, channel] = ends
    return frozen


def _drift(rng: np.random.Generator, air: Signal) -> Signal:
    """One sensor drifts away from the others over the window."""
    channel = int(rng.integers(len(CHANNELS)))
    ramp = np.linspace(0, rng.choice([-1, 1]) * rng.uniform(0.7, 3) * _SCALE[channel], STEPS)
    return air + _only(CHANNELS[channel], ramp)


def _only(channel: str, added: Signal) -> Signal:
    change = np.zeros((STEPS, len(CHANNELS)))
    change[:, CHANNELS.index(channel)] = added
    return change


_ANOMALIES: tuple[Callable[[np.random.Generator, Signal], Signal], ...] = (
    _solvent,
    _smoulder,
    _stuck,
    _drift,
)


def network(keras: Any, batch: int | None) -> Any:
    """144 - 48 - 12 - 48 - 144."""
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input(batch_shape=(batch, STEPS * len(CHANNELS))),
            layers.Dense(48, activation="relu"),
            layers.Dense(12, activation="relu"),
            layers.Dense(48, activation="relu"),
            layers.Dense(STEPS * len(CHANNELS)),
        ]
    )


RECIPE = Recipe(
    folder=Path(__file__).parent,
    description="Anomalies of synthetic indoor air (6 sensors, 2 h), int8 autoencoder; the score"
    " is the mean squared reconstruction error",
    task="anomaly",
    metric="auc",
    network=network,
    sample=sample,
    latency_ms={"nano33ble": 50},
    train_samples=12000,
    heldout_samples=600,
    epochs=40,
)

if __name__ == "__main__":
    main(RECIPE)
