"""Sums of errors: what they say, and that merging parts says the same as the whole."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.spread import LABELS, Spread, merge_spreads, spread_of

_bytes = st.lists(st.tuples(st.integers(-128, 127), st.integers(-128, 127)), min_size=1)


def _arrays(pairs: list[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray]:
    both = np.array(pairs, np.int8)
    return both[:, 0], both[:, 1]


@given(_bytes, _bytes)
def test_parts_merge_to_the_whole(one: list[tuple[int, int]], two: list[tuple[int, int]]) -> None:
    whole = spread_of(*_arrays(one + two), zero_point=3)
    merged = merge_spreads(spread_of(*_arrays(part), zero_point=3) for part in (one, two))
    assert merged.histogram == whole.histogram
    assert merged.noise == whole.noise
    assert merged.signal == whole.signal


@given(_bytes)
def test_the_histogram_counts_every_element_once(pairs: list[tuple[int, int]]) -> None:
    histogram = spread_of(*_arrays(pairs)).histogram
    assert tuple(histogram) == LABELS
    assert sum(histogram.values()) == len(pairs)
    assert histogram["0"] == sum(a == b for a, b in pairs)


def test_known_figures() -> None:
    spread = spread_of(np.array([10, 0], np.int8), np.array([10, 1], np.int8))
    assert spread.snr_db == pytest.approx(20.0)
    assert spread.cosine == pytest.approx(100 / (10 * math.sqrt(101)))
    assert spread.histogram["1"] == 1


def test_the_zero_point_is_no_signal() -> None:
    spread = spread_of(np.array([5], np.int8), np.array([5], np.int8), zero_point=5)
    assert spread.signal == 0
    assert spread.cosine is None


@given(st.lists(st.floats(width=32), min_size=1))
def test_floats_never_leave_an_infinity(values: list[float]) -> None:
    array = np.array(values, np.float32)
    spread = spread_of(array, array[::-1])
    assert not spread.histogram
    assert all(math.isfinite(v) for v in (spread.signal, spread.power, spread.noise, spread.dot))


def test_nothing_merges_to_nothing() -> None:
    assert merge_spreads([]) == Spread()
