"""Geometry of the report's charts, and what its trends say."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st
from made_records import TICK, record

from hil.figures import Figure
from hil.history import Point
from hil.report.charts import HUES, bars, curve, log_bars, stack
from hil.report.trends import HEIGHT, RUNS, WIDTH, Trend, line_of, trend_of

SIZES = st.dictionaries(st.text(max_size=5), st.integers(-5, 2**32), max_size=12)
VALUES = st.lists(st.floats(-1e12, 1e12), max_size=20)


def test_bars_are_in_proportion() -> None:
    assert [(b.width, b.share) for b in bars([("a", 30), ("b", 10), ("c", 0)])] == [
        (100, 75),
        (33.3, 25),
        (0, 0),
    ]
    assert [b.width for b in bars([("a", 0)])] == [0]


def test_one_of_a_million_has_a_logarithmic_bar() -> None:
    most, one, none = log_bars([("0", 999_999), ("1", 1), ("2", 0)])
    assert (most.width, none.width) == (100, 0)
    assert 4 < one.width < 6
    assert one.value == 1


@given(SIZES)
def test_parts_lie_side_by_side_inside_the_whole(sizes: dict[str, int]) -> None:
    segments = stack(sizes)
    assert [(s.label, s.size) for s in segments] == [(k, v) for k, v in sizes.items() if v > 0]
    for left, right in zip(segments, segments[1:], strict=False):
        assert math.isclose(left.start + left.width, right.start, abs_tol=0.11)
    assert all(s.start >= 0 and s.start + s.width <= 100.1 for s in segments)
    assert all(1 <= s.hue <= HUES for s in segments)


def test_a_part_has_its_colour_whatever_else_is_there() -> None:
    full = stack({"model": 10, "kernels": 5, "core": 5})
    part = stack({"model": 0, "kernels": 5, "core": 5})
    assert [s.hue for s in full] == [1, 2, 3]
    assert [s.hue for s in part] == [2, 3]


@given(VALUES)
def test_a_curve_stays_in_its_frame(values: list[float]) -> None:
    dots = curve(values, 300, 50)
    assert [dot.value for dot in dots] == values
    assert all(0 <= dot.x <= 300 and 0 <= dot.y <= 50 for dot in dots)
    assert [dot.x for dot in dots] == sorted(dot.x for dot in dots)


def points(*values: float, unit: str = "B", tick: float = 0.0) -> list[Point]:
    return [
        Point(f"2026-01-{day:02}T00:00:00+00:00", f"{day:012x}", False, "", Figure(v, unit, tick))
        for day, v in enumerate(values, 1)
    ]


def test_a_step_names_the_commit_that_first_had_it() -> None:
    line = line_of("flash", points(100, 100, 110, 110, 99))
    assert [(s.commit, s.before, s.dot.value, s.worse, s.change) for s in line.steps] == [
        ("000000000003", 100, 110, True, 10),
        ("000000000005", 110, 99, False, -10),
    ]
    assert [s.commit for s in line.told] == ["000000000005", "000000000003"]
    assert (WIDTH, HEIGHT) == (300, 48)
    assert line.path == "M0 44H150V0H300V48H300"


def test_what_a_clock_moves_by_itself_is_no_step() -> None:
    near = points(7500, 7500 + TICK, unit="instructions", tick=TICK)
    far = points(7500, 7500 + 3 * TICK, unit="instructions", tick=TICK)
    assert not line_of("latency", near).steps
    assert line_of("latency", far).steps


def test_a_trend_ends_with_the_run_it_is_shown_with() -> None:
    series = {"flash": points(1, 2, 3), "arena": points(5, 5, 9), "latency": points(4)}
    trend = trend_of(record(), series, "2026-01-02T00:00:00+00:00")
    assert [line.metric for line in trend.moved] == ["flash"]
    assert [dot.value for dot in trend.moved[0].dots] == [1, 2]
    assert (trend.still, trend.runs) == (["arena"], 2)


def test_only_the_ordinary_sketch_has_a_history() -> None:
    assert trend_of(record(sketch="own"), {"flash": points(1, 2)}, "2027") == Trend()


def test_a_long_history_is_cut() -> None:
    many = [*points(*range(28)) * 5]
    assert len(trend_of(record(), {"flash": many}, "2027").moved[0].dots) == RUNS
