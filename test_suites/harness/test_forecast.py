"""Forecasts of arena and flash beside what boards measured."""

from __future__ import annotations

from dataclasses import replace
from importlib import metadata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from model_writer import CUSTOM, write

from hil.arena_plan import (
    ALIGN,
    MOST_BUFFERS,
    Lifetime,
    head,
    lifetimes,
    need_2020,
    split,
    tail_2020,
)
from hil.forecast import Forecast, NoForecast, arena_forecast
from hil.host_arena import HostArena, host_arena
from hil.model import Model, load_model
from hil.tflm import TflmSource

MODELS = Path(__file__).resolve().parents[2] / "models"
MEASURED = {
    "hello_sine": 1520,
    "hello_sine_float": 1232,
    "gesture": 6304,
    "keyword_spotting": 13472,
    "bearing_fault": 8672,
    "air_quality_anomaly": 1968,
}
"""The smallest arena, searched on each of the three virtual boards (docs/measurements.md)."""


def _has_wheel() -> bool:
    try:
        return bool(metadata.version("tflite-micro"))
    except metadata.PackageNotFoundError:
        return False


def _tree(era: str, kernels: str = "reference") -> TflmSource:
    return TflmSource("path", "t", "1", "d", era, kernels, Path())


def _asked() -> HostArena | None:
    raise AssertionError("the host was asked")


@pytest.mark.parametrize("name", MEASURED)
def test_the_books_of_2020_are_the_boards_own(name: str) -> None:
    model = load_model(MODELS / name)
    assert need_2020(model) == MEASURED[name]
    seen = arena_forecast(model, _tree("2020"), _asked)
    assert isinstance(seen, Forecast)
    assert seen.low <= MEASURED[name] <= seen.high


@pytest.mark.skipif(not _has_wheel(), reason="no TFLM wheel for this machine")
@pytest.mark.parametrize("name", MEASURED)
def test_the_plan_is_that_of_tflm_itself(name: str) -> None:
    model = load_model(MODELS / name)
    host = host_arena(model)
    assert isinstance(host, HostArena)
    assert head(lifetimes(model)) == host.head
    assert host.head + host.tail == host.total


def test_a_later_tree_is_told_from_the_hosts_figures() -> None:
    model = load_model(MODELS / "hello_sine")
    host = HostArena(1504, 32, 1472, "x")
    seen = arena_forecast(model, _tree("2023"), lambda: host)
    assert isinstance(seen, Forecast)
    assert seen.low <= seen.value <= seen.high
    assert isinstance(arena_forecast(model, _tree("2023"), lambda: None), NoForecast)


def test_what_a_custom_op_asks_for_is_not_known(tmp_path: Path) -> None:
    path = tmp_path / "m.tflite"
    path.write_bytes(write(codes=((CUSTOM, 1, "OWN"),)))
    seen = arena_forecast(load_model(path), _tree("2020"), _asked)
    assert isinstance(seen, NoForecast)
    assert "OWN" in seen.reason


_BUFFERS = st.lists(
    st.builds(
        lambda size, first, length: Lifetime(size * ALIGN, first, first + length),
        st.integers(0, 50), st.integers(0, 20), st.integers(0, 20),
    ),
    max_size=30,
)  # fmt: skip


@given(_BUFFERS)
def test_a_plan_holds_what_is_alive_at_once_and_no_more_than_all(buffers: list[Lifetime]) -> None:
    planned = head(buffers)
    alive = [sum(b.size for b in buffers if b.first <= t <= b.last) for t in range(41)]
    assert max(alive, default=0) <= planned <= sum(b.size for b in buffers)


@given(_BUFFERS, st.integers(0, 5))
def test_another_activation_never_needs_less(buffers: list[Lifetime], size: int) -> None:
    everywhere = Lifetime(size * ALIGN, 0, 100)
    assert head([*buffers, everywhere]) >= size * ALIGN


def test_too_many_activations_are_not_planned() -> None:
    with pytest.raises(ValueError, match="too many"):
        head([Lifetime(16, 0, 0)] * (MOST_BUFFERS + 1))


def test_a_variable_is_kept_and_a_scratch_buffer_is_planned() -> None:
    model: Model = load_model(MODELS / "hello_sine")
    kept = replace(model.tensors[model.output_indices[0]], shape=(1, 1000), variable=True)
    larger = replace(model, tensors=(*model.tensors, kept))
    # 1000 bytes aligned, a tensor of 64, its quantisation of 28, and 20 bytes while planning
    assert need_2020(larger) - need_2020(model) == pytest.approx(1008 + 64 + 28, abs=32)


def test_what_the_device_says_is_split_into_activations_and_the_rest() -> None:
    model = load_model(MODELS / "gesture")
    assert split(model, 6304) == {"activations": 3456, "rest": tail_2020(model)}
    assert split(model, 3456) == {"activations": 3456, "rest": 0}
    assert split(model, 3455) == {}
