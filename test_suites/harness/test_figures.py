"""Which figures a record has, and how far each may move by itself."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_records import latency, record

from hil.figures import Figure, figures_of
from hil.report.parts import AccuracyRecord, MemoryRecord, ParityRecord


def test_what_was_measured_is_there() -> None:
    assert figures_of(record()) == {
        "arena": Figure(1520, "B"),
        "flash": Figure(37360, "B"),
        "flash.model": Figure(2656, "B"),
        "flash.kernels": Figure(20000, "B"),
        "flash.core": Figure(14704, "B"),
        "flash.other": Figure(0, "B"),
        "latency": Figure(7500, "instructions", tick=2.5),
        "mismatches": Figure(0),
        "max_lsb": Figure(0, "LSB"),
        "accuracy": Figure(0.0115, "mae"),
    }


def test_what_was_not_measured_or_is_no_number_is_not() -> None:
    nothing = record(
        memory=MemoryRecord(),
        latency=latency(math.inf),
        parity={"tflm": ParityRecord()},
        accuracy=AccuracyRecord(metric="auc", device=None, host=None, slack=0, samples=1, total=1),
    )
    assert figures_of(nothing) == {}


def test_floats_have_no_lsb() -> None:
    seen = figures_of(record(parity={"tflm": ParityRecord(elements=4, mismatches=1)}))
    assert seen["mismatches"].value == 1
    assert "max_lsb" not in seen


@pytest.mark.parametrize(
    ("figure", "allowance"),
    [
        (Figure(1520, "B"), 0),
        (Figure(0, "LSB"), 0),
        (Figure(0), 0),
        (Figure(7500, "instructions", tick=2.5), 5.0),  # two ticks
        (Figure(8e7, "instructions", tick=2.5), 40_000),  # 0.05 %
        (Figure(100, "us", tick=1 / 64, mad=0), 2 / 64),
        (Figure(100, "us", tick=1 / 64, mad=1), 5 * 1.4826),
        (Figure(0.5, "mae"), 1.5e-8),
    ],
)
def test_how_far_a_figure_may_move(figure: Figure, allowance: float) -> None:
    assert figure.allowance == pytest.approx(allowance)


def test_more_of_an_accuracy_is_better_and_more_of_an_error_is_worse() -> None:
    assert Figure(0.9, "top1").worse_by(Figure(0.8, "top1")) == pytest.approx(0.1)
    assert Figure(0.9, "auc").worse_by(Figure(0.95, "auc")) < 0
    assert Figure(0.1, "mae").worse_by(Figure(0.2, "mae")) == pytest.approx(0.1)
    assert Figure(16, "B").worse_by(Figure(32, "B")) == 16


@given(st.floats(1e-3, 1e12), st.floats(1e-6, 100))
def test_an_emulated_latency_0_1_percent_up_is_beyond_its_allowance(
    value: float, tick: float
) -> None:
    figure = Figure(value, "instructions", tick=tick)
    assert figure.allowance >= 2 * tick
    slower = Figure(value * 1.001, "instructions", tick=tick)
    assert figure.worse_by(slower) > figure.allowance or value * 0.001 <= 2 * tick * (1 + 1e-9)
