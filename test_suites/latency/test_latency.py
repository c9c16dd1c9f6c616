"""How long does one inference take, by the board's own clock?"""

from __future__ import annotations

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from hil.device_clock import DeviceClock
from hil.trial import Trial


@pytest.mark.steps("latency")
def test_latency(trial: Trial, device_clock: DeviceClock, benchmark: BenchmarkFixture) -> None:
    latency = trial.latency()
    assert latency.min > 0
    device_clock.replay(benchmark, latency)
