"""Two spoken words, other words and background, from log-mel features: a DS-CNN, int8."""

from pathlib import Path
from typing import Any

import numpy as np

from models._common.command import main
from models._common.recipe import Data, Recipe
from models._common.signals import coloured_noise, log_mel
from models.keyword_spotting.voice import RATE, SECONDS, speak

LABELS = ("silence", "unknown", "yes", "no")
FRAMES, BANDS = 49, 10
_YES = ("j", "e", "s")
_NO = ("n", "o", "u")
_OTHERS = (
    ("a", "p"),
    ("d", "a", "u", "n"),
    ("l", "e", "f", "t"),
    ("r", "a", "i", "t"),
    ("s", "t", "a", "p"),
    ("g", "o", "u"),
    ("o", "n"),
    ("a", "f"),
    ("j", "a", "r", "d"),
    ("l", "e", "s"),
    ("n", "i"),
    ("m", "o", "u"),
)


def sample(rng: np.random.Generator, n: int) -> Data:
    """Features (n, 49, 10, 1): log energies of 10 mel bands every 20 ms, centred and scaled."""
    y = rng.integers(0, len(LABELS), n)
    x = np.stack([features(_clip(rng, LABELS[label])) for label in y])
    return Data(x, y)


def features(audio: np.ndarray[Any, np.dtype[np.float64]]) -> np.ndarray[Any, np.dtype[np.float32]]:
    """One second of audio at 8 kHz to features (49, 10, 1), about -1 to 1."""
    energies = log_mel(audio, RATE, BANDS, window=RATE // 25, hop=RATE // 50)
    return np.asarray((energies + 5) / 5, dtype=np.float32)[..., np.newaxis]


def _clip(rng: np.random.Generator, label: str) -> np.ndarray[Any, np.dtype[np.float64]]:
    """One second: a word (or none) at some loudness over background noise."""
    n = int(RATE * SECONDS)
    noise = coloured_noise(rng, n, rng.uniform(0, 2)) * 10 ** rng.uniform(-3.0, -1.3)
    if rng.random() < 0.3:  # mains hum or a fan
        hum = rng.choice([50, 60, 100, 120, 240])
        noise = noise + 10 ** rng.uniform(-3, -1.5) * np.sin(2 * np.pi * hum * np.arange(n) / RATE)
    if label == "silence":
        return noise
    word = {"yes": _YES, "no": _NO}.get(label) or _OTHERS[rng.integers(len(_OTHERS))]
    return noise + speak(rng, word) * 10 ** rng.uniform(-1.2, -0.4)


def network(keras: Any, batch: int | None) -> Any:
    """A convolution and four depthwise-separable blocks of 20 channels."""
    layers = keras.layers
    stack = [keras.Input(batch_shape=(batch, FRAMES, BANDS, 1))]
    stack += [layers.Conv2D(20, (10, 4), (2, 2), "same", use_bias=False), *_normalised(layers)]
    for _ in range(4):
        stack += [layers.DepthwiseConv2D(3, padding="same", use_bias=False), *_normalised(layers)]
        stack += [layers.Conv2D(20, 1, use_bias=False), *_normalised(layers)]
    stack += [layers.AveragePooling2D((25, 5)), layers.Flatten(), layers.Dropout(0.2)]
    return keras.Sequential([*stack, layers.Dense(len(LABELS)), layers.Softmax()])


def _normalised(layers: Any) -> tuple[Any, Any]:
    return layers.BatchNormalization(momentum=0.9), layers.ReLU()


RECIPE = Recipe(
    folder=Path(__file__).parent,
    description="The words yes and no from synthetic formant speech (49 x 10 log-mel), int8",
    task="classification",
    labels=LABELS,
    metric="top1",
    network=network,
    sample=sample,
    latency_ms={"nano33ble": 200},
    epochs=14,
)

if __name__ == "__main__":
    main(RECIPE)
