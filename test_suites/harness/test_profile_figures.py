"""Where the time of an inference goes: MACs from the file, shares from ticks."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.clock import tick_unit
from hil.macs import elements, macs
from hil.messages import Clock, Info
from hil.model import load_model
from hil.profile import profile_of, profile_words
from hil.report.op_parts import OpTimeRecord, ProfileRecord
from hil.tensors import OpSpec, TensorSpec

MODELS = Path(__file__).parents[2] / "models"
SINE = load_model(MODELS / "hello_sine")
EMULATED = Info(1, Clock.EMULATED, 25_000_000, 5, 2, *[0] * 13)
DWT = Info(1, Clock.DWT, 64_000_000, 0, 0, *[0] * 13)
MICROS = Info(1, Clock.MICROS, 1_000_000, 0, 0, *[0] * 13)


def op(opcode: str, *shapes: tuple[int, ...]) -> tuple[OpSpec, list[TensorSpec]]:
    """An op whose last shape is its output."""
    tensors = [TensorSpec(f"t{i}", shape, "int8") for i, shape in enumerate(shapes)]
    last = len(shapes) - 1
    return OpSpec(0, opcode, 1, tuple(range(last)), (last,)), tensors


@pytest.mark.parametrize(
    ("opcode", "shapes", "count"),
    [
        # 3 x 3 over 8 channels, at 10 x 12 places, 16 times
        ("CONV_2D", ((1, 12, 14, 8), (16, 3, 3, 8), (16,), (1, 10, 12, 16)), 138_240),
        ("DEPTHWISE_CONV_2D", ((1, 12, 14, 8), (1, 3, 3, 16), (16,), (1, 10, 12, 16)), 17_280),
        ("FULLY_CONNECTED", ((2, 20), (5, 20), (5,), (2, 5)), 200),
        ("TRANSPOSE_CONV", ((4,), (3, 2, 2, 8), (1, 5, 5, 8), (1, 10, 10, 3)), 2_400),
        ("SOFTMAX", ((1, 4), (1, 4)), 0),
        ("ADD", ((1, 4), (1, 4), (1, 4)), 0),
        ("CONV_2D", ((1, 4), (1, 4)), 0),
    ],
)
def test_macs_of_an_op(opcode: str, shapes: tuple[tuple[int, ...], ...], count: int) -> None:
    assert macs(*op(opcode, *shapes)) == count


def test_an_op_without_a_filter_or_output_has_no_macs() -> None:
    left_out = OpSpec(0, "FULLY_CONNECTED", 1, (0, -1), (1,))
    tensors = [TensorSpec("a", (1, 4), "int8")] * 2
    assert macs(left_out, tensors) == 0
    assert macs(OpSpec(0, "CONV_2D", 1, (0, 1), ()), tensors) == 0
    assert elements(OpSpec(0, "CALL_ONCE", 1, (), ()), tensors) == 0


def test_macs_of_a_model_are_those_of_its_weights() -> None:
    assert [macs(each, SINE.tensors) for each in SINE.ops] == [16, 256, 16]
    keywords = load_model(MODELS / "keyword_spotting")
    counts = [macs(each, keywords.tensors) for each in keywords.ops]
    # 10 x 4 over one channel at 25 x 5 places, 20 times; 3 x 3 and 1 x 1 alternate after that.
    assert counts == [100_000, *[22_500, 50_000] * 4, 0, 80, 0]


def test_shares_are_of_the_unwatched_whole_and_medians_of_the_runs() -> None:
    unit = tick_unit(EMULATED)
    assert unit is not None
    runs = [[100, 600, 200], [102, 606, 200], [101, 999, 200]]
    found = profile_of(SINE, unit, EMULATED.clock, [1000, 990, 1010], runs, 7)
    assert [each.ticks for each in found.ops] == [101, 606, 200]
    assert [each.time for each in found.ops] == [252.5, 1515, 500]
    assert [each.calls for each in found.ops] == [3, 3, 3]
    assert found.ops[1].share == pytest.approx(0.606)
    assert found.covered == pytest.approx(0.907)
    assert (found.unit, found.whole, found.empty_ticks) == ("instructions", 2500, 7)
    assert found.ops[1].macs_per_instruction == pytest.approx(256 / 1515)
    assert found.ops[1].macs_per_cycle is None
    record = ProfileRecord.of(found)
    assert (record.covered, record.whole) == (found.covered, 2500)
    assert OpTimeRecord.of(found.ops[1]).macs == 256


@pytest.mark.parametrize(("info", "cycles"), [(DWT, True), (MICROS, False)])
def test_cycles_are_claimed_only_where_they_are_counted(info: Info, cycles: bool) -> None:
    unit = tick_unit(info)
    assert unit is not None
    found = profile_of(SINE, unit, info.clock, [640], [[64, 512, 64]], 1)
    assert found.unit == "us"
    assert found.ops[1].macs_per_cycle == (0.5 if cycles else None)
    assert found.ops[1].macs_per_instruction is None


@given(st.lists(st.lists(st.integers(0, 10**9), min_size=3, max_size=3), min_size=1, max_size=5))
def test_any_ticks_make_a_table(runs: list[list[int]]) -> None:
    unit = tick_unit(EMULATED)
    assert unit is not None
    found = profile_of(SINE, unit, EMULATED.clock, [10**9], runs, 0)
    lines = profile_words(found).splitlines()
    assert len(lines) == 6
    assert all(len(line) <= 72 for line in lines)
