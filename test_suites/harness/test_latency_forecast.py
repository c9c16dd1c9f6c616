"""The latency of a model that was never measured: the sum of ops that were, or nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from made_records import record

from hil.forecast import NoForecast
from hil.latency_forecast import MARGIN, LatencyForecast, by_ops, rates_of
from hil.macs import dtype, size
from hil.model import Model, load_model
from hil.report.op_parts import OpTimeRecord, ProfileRecord
from hil.report.record import Record

MODELS = Path(__file__).parents[2] / "models"
SINE = load_model(MODELS / "hello_sine")  # dense layers of 16, 256 and 16 MACs


def measured(*ops: tuple[str, str, int, float], unit: str = "instructions") -> Record:
    """A record of ops: name, type, size and time."""
    profile = [
        OpTimeRecord(
            op=n,
            opcode=opcode,
            calls=5,
            ticks=time,
            time=time,
            share=0.1,
            macs=size_,
            elements=1,
            macs_per_cycle=None,
            macs_per_instruction=None,
            dtype=kind,
            size=size_,
        )  # fmt: skip
        for n, (opcode, kind, size_, time) in enumerate(ops)
    ]
    profiled = ProfileRecord(unit=unit, clock="c", whole=1, covered=1, empty_ticks=0)
    return record(profile=profile, profiled=profiled)


def forecast(model: Model, *records: Record) -> LatencyForecast | NoForecast:
    rates = rates_of(records)
    assert rates is not None
    return by_ops(model, rates)


def test_sizes_are_macs_or_what_is_read_and_written() -> None:
    gesture = load_model(MODELS / "gesture")
    sizes = {op.opcode: size(op, gesture.tensors) for op in gesture.ops}
    assert sizes["SOFTMAX"] == 8  # 4 in, 4 out
    assert sizes["RESHAPE"] == 448
    assert [size(op, SINE.tensors) for op in SINE.ops] == [16, 256, 16]
    assert {dtype(op, SINE.tensors) for op in SINE.ops} == {"int8"}


def test_ops_of_about_the_size_add_up_with_their_range() -> None:
    seen = forecast(
        SINE,
        measured(("FULLY_CONNECTED", "int8", 16, 160), ("FULLY_CONNECTED", "int8", 16, 320)),
        measured(("FULLY_CONNECTED", "int8", 2560, 5120)),
    )
    assert isinstance(seen, LatencyForecast)
    # 16 MACs as the small ones, at 10 and 20 each; 256 as the large one alone, at 2.
    assert seen.value == 16 * 15 + 256 * 2 + 16 * 15
    assert seen.low == pytest.approx((16 * 10 + 256 * 2 + 16 * 10) / MARGIN)
    assert seen.high == pytest.approx((16 * 20 + 256 * 2 + 16 * 20) * MARGIN)
    assert seen.unit == "instructions"
    assert "2 models" in seen.basis


@pytest.mark.parametrize(
    "other",
    [
        ("FULLY_CONNECTED", "float32", 16, 100.0),  # another type
        ("CONV_2D", "int8", 16, 100.0),  # another operator
        ("FULLY_CONNECTED", "int8", 1, 100.0),  # too small to tell
        ("FULLY_CONNECTED", "int8", 161, 100.0),  # too large
    ],
)
def test_an_op_that_was_not_measured_leaves_no_forecast(
    other: tuple[str, str, int, float],
) -> None:
    seen = forecast(SINE, measured(other, ("FULLY_CONNECTED", "int8", 256, 512.0))
                    if other[2] != 161 else measured(other))  # fmt: skip
    assert isinstance(seen, NoForecast)
    assert "op 0" in seen.reason or "op 1" in seen.reason


def test_records_without_ops_or_in_two_units_say_nothing() -> None:
    assert rates_of([]) is None
    assert rates_of([record(profile=[], profiled=None)]) is None
    op = ("FULLY_CONNECTED", "int8", 16, 160.0)
    assert rates_of([measured(op), measured(op, unit="us")]) is None
    assert rates_of([measured(("FULLY_CONNECTED", "int8", 0, 160.0))]) is None  # of before
