"""Building blocks of synthetic signals; every random number comes from the generator given."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Signal = NDArray[np.float64]


def lowpass(signal: Signal, cutoff: float) -> Signal:
    """Remove what lies above ``cutoff`` (as a share of the sampling rate) along axis 0."""
    spectrum = np.fft.rfft(signal, axis=0)
    spectrum[np.fft.rfftfreq(len(signal)) > cutoff] = 0
    return np.asarray(np.fft.irfft(spectrum, len(signal), axis=0))


def coloured_noise(rng: np.random.Generator, n: int, slope: float) -> Signal:
    """Noise (n,) of unit variance whose power falls as 1 / f ** slope (0 white, 1 pink, 2 red)."""
    frequency = np.fft.rfftfreq(n)
    frequency[0] = frequency[1]
    spectrum = np.fft.rfft(rng.normal(size=n)) * frequency ** (-slope / 2)
    noise = np.fft.irfft(spectrum, n)
    return np.asarray((noise - noise.mean()) / noise.std())


def band_noise(rng: np.random.Generator, n: int, rate: float, centre: Any, width: float) -> Signal:
    """Noise (n,) of unit variance with a bell-shaped spectrum around ``centre`` Hz."""
    frequency = np.fft.rfftfreq(n, 1 / rate)
    shape = np.exp(-0.5 * ((frequency - centre) / width) ** 2)
    noise = np.fft.irfft(np.fft.rfft(rng.normal(size=n)) * shape, n)
    return np.asarray(noise / noise.std())


def ringing(times: Signal, frequency: float, damping: float) -> Signal:
    """The answer of a resonance to a blow at time 0; 0 before it. Times in s, frequency in Hz."""
    after = np.maximum(times, 0)
    answer = np.exp(-after * damping) * np.sin(2 * np.pi * frequency * after)
    return np.asarray(answer)


def log_mel(signal: Signal, rate: int, bands: int, window: int, hop: int) -> NDArray[np.float32]:
    """Log energies (frames, bands) in mel-spaced triangles from 80 Hz to half the rate."""
    starts = np.arange(0, len(signal) - window + 1, hop)
    frames = signal[starts[:, None] + np.arange(window)] * np.hanning(window)
    power = np.abs(np.fft.rfft(frames, axis=1)) ** 2 / window
    energies = power @ _mel_triangles(rate, bands, window).T
    return np.log(energies + 1e-6).astype(np.float32)


def _mel_triangles(rate: int, bands: int, window: int) -> Signal:
    mel = np.linspace(_to_mel(80.0), _to_mel(rate / 2), bands + 2)
    edges = 700 * (10 ** (mel / 2595) - 1)
    frequency = np.fft.rfftfreq(window, 1 / rate)
    low, peak, high = (edges[i : i + bands, None] for i in range(3))
    rising, falling = (frequency - low) / (peak - low), (high - frequency) / (high - peak)
    return np.asarray(np.clip(np.minimum(rising, falling), 0, None))


def _to_mel(hertz: float) -> float:
    return float(2595 * np.log10(1 + hertz / 700))
