"""Comparison: what counts as equal, and that nothing passes by accident."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from hil.card import ToleranceCard
from hil.compare import (
    Parity,
    Tolerance,
    compare_outputs,
    compare_tensor,
    merge,
    parity_finding,
)

INTEGERS = [np.int8, np.uint8, np.int16, np.int32, np.int64, np.uint64, np.bool_]
FLOATS = [np.float16, np.float32, np.float64]


@pytest.mark.parametrize("dtype", INTEGERS)
def test_the_whole_range_of_an_integer_type_does_not_wrap(dtype: type) -> None:
    low, high = (0, 1) if dtype is np.bool_ else (np.iinfo(dtype).min, np.iinfo(dtype).max)
    expected, observed = np.array([low, high], dtype), np.array([high, low], dtype)
    parity = compare_tensor(expected, observed)
    assert parity.max_lsb == int(high) - int(low)
    assert parity.mismatches == 2


def test_a_smaller_value_is_as_wrong_as_a_larger_one() -> None:
    for observed in (3, 7):
        parity = compare_tensor(np.int8([5]), np.int8([observed]), Tolerance(max_lsb=1))
        assert (parity.mismatches, parity.max_lsb, parity.ok) == (1, 2, False)


def test_lsb_tolerance_is_inclusive() -> None:
    one_off = compare_tensor(np.int8([5, 6]), np.int8([6, 6]), Tolerance(max_lsb=1, reason="r"))
    assert one_off.ok
    assert one_off.max_lsb == 1


def test_float_limit_is_absolute_plus_relative() -> None:
    tolerance = Tolerance(max_abs=0.5, max_rel=0.25)
    expected = np.array([100.0, 100.0, -100.0, 0.0])
    observed = np.array([125.5, 125.6, -125.6, 0.5])
    parity = compare_tensor(expected, observed, tolerance)
    assert parity.mismatches == 2
    assert parity.max_abs == pytest.approx(25.6)
    assert parity.max_lsb is None
    assert parity.limit == "|Δ| <= 0.5 + 0.25·|ref|"


@pytest.mark.parametrize(
    ("expected", "observed", "nan", "inf"),
    [
        (np.nan, np.nan, 1, 0),
        (1.0, np.nan, 1, 0),
        (np.inf, 1.0, 0, 1),
        (np.inf, -np.inf, 0, 1),
        (1e30, np.inf, 0, 1),
    ],
)
def test_what_is_not_finite_never_equals(
    expected: float, observed: float, nan: int, inf: int
) -> None:
    loose = Tolerance(max_abs=1e300, max_rel=1e300)
    parity = compare_tensor(np.array([expected]), np.array([observed]), loose)
    assert (parity.mismatches, parity.nan_count, parity.inf_count) == (1, nan, inf)
    assert parity.worst[0].delta == np.inf
    json.dumps(parity.record(), allow_nan=False)


def test_an_infinity_equals_the_same_infinity() -> None:
    both = np.array([np.inf, -np.inf])
    assert compare_tensor(both, both.copy()).ok


def test_a_difference_that_overflows_stays_a_number() -> None:
    big = np.finfo(np.float64).max
    parity = compare_tensor(np.array([big]), np.array([-big]))
    assert parity.mismatches == 1
    json.dumps(parity.record(), allow_nan=False)


@pytest.mark.parametrize(
    ("observed", "words"),
    [
        (None, "missing"),
        (np.zeros((2, 2), np.int8), "has shape (2, 2), expected (4,)"),
        (np.zeros(4, np.uint8), "is uint8, expected int8"),
        (np.zeros(4, np.float32), "is float32, expected int8"),
    ],
)
def test_another_shape_or_type_fails_every_element(observed: np.ndarray | None, words: str) -> None:
    parity = compare_tensor(np.zeros(4, np.int8), observed, Tolerance(max_lsb=255, reason="r"))
    assert (parity.elements, parity.mismatches, parity.ok) == (4, 4, False)
    assert words in parity.problems[0]


def test_types_that_cannot_be_compared_fail() -> None:
    text = np.array(["a"])
    assert not compare_tensor(text, text).ok


def test_missing_vectors_outputs_and_surplus_are_mismatches() -> None:
    one = np.int8([1, 2])
    expected = [[one, one], [one, one]]
    assert compare_outputs(expected, expected).ok
    for observed in (
        [[one, one]],
        [[one, one], None],
        [[one, one], [one]],
        [[one, one], [one, one, one]],
        [[one, one], [one, one], [one, one]],
    ):
        parity = compare_outputs(expected, observed)
        assert not parity.ok
        assert parity.problems


def test_comparing_nothing_is_no_pass() -> None:
    assert not Parity().ok
    assert not compare_outputs([], []).ok
    assert not compare_tensor(np.zeros((0, 3), np.int8), np.zeros((0, 3), np.int8)).ok
    finding = parity_finding(compare_outputs([], []), "tflm")
    assert finding is not None
    assert "nothing was compared" in finding.message


def test_argmax_agreement_counts_outputs_with_two_elements_or_more() -> None:
    parity = merge(
        [
            compare_tensor(np.int8([1, 9]), np.int8([1, 8])),
            compare_tensor(np.int8([1, 9]), np.int8([9, 1])),
            compare_tensor(np.int8([1]), np.int8([1])),
            compare_tensor(np.float32([1, 2]), np.float32([np.nan, 2])),
        ]
    )
    assert (parity.argmax_same, parity.argmax_total) == (1, 3)
    assert compare_tensor(np.int8([1]), np.int8([1])).argmax_agreement is None


def test_the_finding_names_the_worst_elements_and_carries_the_figures() -> None:
    expected = np.zeros((1, 8), np.int8)
    observed = np.int8([[0, 1, 2, 3, 4, 5, 6, 7]])
    parity = compare_tensor(expected, observed, vector="v3", output=1)
    finding = parity_finding(parity, "tflm")
    assert finding is not None
    assert (finding.code, finding.suite) == ("parity", "parity")
    assert finding.numbers["mismatches"] == 7
    assert finding.numbers["max_lsb"] == 7
    assert "7 of 8 elements differ from tflm" in finding.message
    assert "v3 output 1[0,7]: expected 0, observed 7" in finding.message
    assert len(parity.worst) == 5
    assert parity_finding(compare_tensor(expected, expected.copy()), "tflm") is None


def test_a_widened_tolerance_repeats_its_reason() -> None:
    tolerance = Tolerance.of(ToleranceCard(max_lsb=1, reason="int16x8 rounds the other way"))
    parity = compare_tensor(np.int8([0]), np.int8([2]), tolerance)
    finding = parity_finding(parity, "tflm", tolerance)
    assert finding is not None
    assert "int16x8 rounds the other way" in finding.message
    assert "|Δ| <= 1 LSB" in finding.message
    assert Tolerance.of(None) == Tolerance()


@pytest.mark.parametrize("wild", [float("nan"), float("inf"), -1.0])
def test_a_tolerance_is_finite_and_not_negative(wild: float) -> None:
    with pytest.raises(ValueError, match="finite and not negative"):
        Tolerance(max_abs=wild)


def _arrays(dtypes: list[type]) -> st.SearchStrategy[tuple[np.ndarray, np.ndarray]]:
    shapes = npst.array_shapes(max_dims=3, max_side=5)
    return st.tuples(st.sampled_from(dtypes), shapes).flatmap(
        lambda pair: st.tuples(npst.arrays(*pair), npst.arrays(*pair))
    )


@settings(max_examples=200, deadline=None)
@given(_arrays([*INTEGERS, *FLOATS]))
def test_figures_are_sound_and_symmetric(pair: tuple[np.ndarray, np.ndarray]) -> None:
    one, other = pair
    there, back = compare_tensor(one, other), compare_tensor(other, one)
    assert there.max_abs == back.max_abs >= 0
    assert there.max_lsb == back.max_lsb
    assert (there.nan_count, there.inf_count) == (back.nan_count, back.inf_count)
    assert 0 <= there.mismatches <= there.elements == one.size
    assert len(there.worst) == min(5, there.mismatches)
    json.dumps(there.record(), allow_nan=False)
    if one.dtype.kind != "f":
        assert there.mismatches == int((one != other).sum())


@pytest.mark.parametrize("word", [0x7F800001, 0xFFA00000, 0x7FC00000])
def test_any_kind_of_nan_is_a_mismatch_and_no_warning(word: int) -> None:
    observed = np.array([1, 2, 3], np.float32)
    observed.view(np.uint32)[1] = word
    found = compare_tensor(np.array([1, 2, 3], np.float32), observed)
    assert (found.mismatches, found.nan_count) == (1, 1)
    json.dumps(found.record(), allow_nan=False)


@settings(max_examples=100, deadline=None)
@given(_arrays([*INTEGERS, *FLOATS]))
def test_an_array_equals_itself_unless_it_holds_nan(pair: tuple[np.ndarray, np.ndarray]) -> None:
    array = pair[0]
    nan = int(np.isnan(array).sum()) if array.dtype.kind == "f" else 0
    assert compare_tensor(array, array.copy()).mismatches == nan


@settings(max_examples=100, deadline=None)
@given(_arrays(FLOATS), st.floats(0, 1e3), st.floats(0, 1))
def test_a_wider_tolerance_never_finds_more(
    pair: tuple[np.ndarray, np.ndarray], extra_abs: float, extra_rel: float
) -> None:
    strict = compare_tensor(*pair)
    loose = compare_tensor(*pair, Tolerance(max_abs=1e-5 + extra_abs, max_rel=1e-5 + extra_rel))
    assert loose.mismatches <= strict.mismatches
    assert loose.max_abs == strict.max_abs


@settings(max_examples=60, deadline=None)
@given(st.lists(_arrays([np.int8]), min_size=1, max_size=6), st.data())
def test_merging_does_not_depend_on_the_grouping(
    pairs: list[tuple[np.ndarray, np.ndarray]], data: st.DataObject
) -> None:
    parts = [compare_tensor(*pair) for pair in pairs]
    cut = data.draw(st.integers(0, len(parts)))
    whole = merge(parts)
    halves = merge([merge(parts[:cut]), merge(parts[cut:])])
    assert whole == halves
