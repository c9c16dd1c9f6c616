"""A small formant synthesiser: phonemes to audio, with another speaker on every call.

Voiced sounds are harmonics of a gliding pitch under formant envelopes, hisses are shaped noise,
stops are a gap and a burst. It is not speech, but it has what the features see of speech: pitch,
formant movement, hiss, loudness, rate and coarticulation, all varying between speakers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from models._common.signals import Signal, band_noise

RATE = 8000  # samples a second
SECONDS = 1.0
_FRAME = 80  # samples between two values of a contour: 10 ms


class Phoneme(NamedTuple):
    """Formants in Hz, loudness of voice and hiss, centre of the hiss in Hz, seconds."""

    f1: float
    f2: float
    f3: float
    voice: float
    hiss: float
    centre: float
    seconds: float


PHONEMES = {
    "a": Phoneme(730, 1200, 2450, 1.0, 0.0, 2000, 0.15),
    "e": Phoneme(550, 1850, 2500, 1.0, 0.0, 2000, 0.15),
    "i": Phoneme(300, 2250, 2950, 0.8, 0.0, 2000, 0.13),
    "o": Phoneme(520, 900, 2400, 1.0, 0.0, 2000, 0.15),
    "u": Phoneme(320, 850, 2250, 0.8, 0.0, 2000, 0.12),
    "j": Phoneme(290, 2150, 2900, 0.6, 0.0, 2000, 0.08),
    "l": Phoneme(360, 1300, 2600, 0.6, 0.0, 2000, 0.08),
    "r": Phoneme(350, 1150, 1600, 0.6, 0.0, 2000, 0.08),
    "n": Phoneme(260, 1500, 2500, 0.4, 0.0, 2000, 0.09),
    "m": Phoneme(250, 1000, 2200, 0.4, 0.0, 2000, 0.09),
    "s": Phoneme(400, 1700, 2600, 0.0, 0.35, 3600, 0.15),
    "f": Phoneme(400, 1300, 2400, 0.0, 0.12, 2600, 0.13),
    "t": Phoneme(400, 1700, 2600, 0.0, 0.25, 3300, 0.05),
    "p": Phoneme(400, 1000, 2400, 0.0, 0.15, 1000, 0.05),
    "d": Phoneme(350, 1700, 2600, 0.2, 0.15, 3000, 0.05),
    "g": Phoneme(350, 1600, 2200, 0.2, 0.15, 1800, 0.05),
}
"""Textbook formants of an adult voice, rounded."""


def speak(rng: np.random.Generator, word: Sequence[str]) -> Signal:
    """One second at 8 kHz that holds the word once, spoken by a random speaker; peak 1."""
    contours = _contours(rng, word)
    voice, hiss, formants = contours[:, 3], contours[:, 4], contours[:, :3]
    tract = rng.uniform(0.85, 1.2)  # a shorter vocal tract moves all formants up
    sound = _voiced(rng, formants * tract, voice) + _hissed(rng, word, hiss)
    room = int(RATE * SECONDS) - len(sound)
    start = int(rng.integers(0, room + 1)) if room > 0 else 0
    audio = np.zeros(int(RATE * SECONDS))
    audio[start : start + len(sound)] = sound[: len(audio) - start]
    return audio / max(float(np.abs(audio).max()), 1e-6)


def _contours(rng: np.random.Generator, word: Sequence[str]) -> Signal:
    """Every figure of a phoneme over time, (frames, 7), smoothed as a mouth moves."""
    rate = rng.uniform(0.75, 1.4)
    rows = []
    for name in word:
        frames = max(3, round(PHONEMES[name].seconds * rate * rng.uniform(0.7, 1.4) * 100))
        spoken = np.array(PHONEMES[name]) * rng.normal(1, 0.06, 7)
        rows.append(np.repeat(spoken[None], frames, axis=0))
    steps = np.pad(np.concatenate(rows), ((4, 4), (0, 0)), mode="edge")
    steps[:4, 3:5] = steps[-4:, 3:5] = 0
    kernel = np.hanning(7) / np.hanning(7).sum()
    return np.stack([np.convolve(column, kernel, "same") for column in steps.T], axis=1)


def _voiced(rng: np.random.Generator, formants: Signal, loudness: Signal) -> Signal:
    """Harmonics below 3.6 kHz; formants (frames, 3) in Hz, loudness (frames,)."""
    frames = len(loudness)
    pitch = rng.uniform(90, 240) * np.linspace(rng.uniform(1, 1.15), rng.uniform(0.8, 1), frames)
    numbers = np.arange(1, int(3600 / pitch.min()) + 1)
    frequency = pitch[:, None] * numbers
    width = np.array([80.0, 110.0, 160.0])
    distance = (frequency[:, :, None] - formants[:, None, :]) / width
    envelope = (np.array([1.0, 0.6, 0.35]) / (1 + distance**2)).sum(axis=2)
    envelope *= (frequency < 3600) * loudness[:, None]
    phase = 2 * np.pi * np.cumsum(_stretch(pitch)) / RATE
    return np.asarray(
        sum(_stretch(envelope[:, i]) * np.sin(k * phase) for i, k in enumerate(numbers))
    )


def _hissed(rng: np.random.Generator, word: Sequence[str], loudness: Signal) -> Signal:
    """Shaped noise; a word has at most one kind of hiss that matters, the loudest."""
    loudest = max((PHONEMES[name] for name in word), key=lambda phoneme: phoneme.hiss)
    n = len(loudness) * _FRAME
    centre = loudest.centre * rng.uniform(0.9, 1.1)
    return band_noise(rng, n, RATE, centre, rng.uniform(500, 900)) * _stretch(loudness)


def _stretch(contour: Signal) -> Signal:
    """A contour of one value every 10 ms to one value a sample."""
    n = len(contour)
    return np.interp(np.arange(n * _FRAME) / _FRAME, np.arange(n), contour)
