"""The fixtures of the harness; a test that asks for one runs for every selected board and model."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from hil.device import Device
from hil.device_clock import DeviceClock
from hil.firmware import Firmware
from hil.inputs import in_real_units, model_inputs, model_outputs
from hil.inventory import Board
from hil.model import Model
from hil.monitor import Monitor, open_monitor
from hil.reference import References
from hil.selection import Pick
from hil.stash import CLOCK, bench_run
from hil.tensors import Array
from hil.trial import Trial


@pytest.fixture(scope="session")
def _hil_pick(request: pytest.FixtureRequest) -> tuple[Pick, str]:
    picked: tuple[Pick, str] = request.param
    return picked


@pytest.fixture(scope="session")
def board(_hil_pick: tuple[Pick, str]) -> Board:
    """The board of this test, as boards.yaml describes it."""
    return _hil_pick[0].board


@pytest.fixture(scope="session")
def model(_hil_pick: tuple[Pick, str]) -> Model:
    """The model of this test."""
    found = _hil_pick[0].model
    assert found is not None
    return found


@pytest.fixture(scope="session")
def trial(_hil_pick: tuple[Pick, str], request: pytest.FixtureRequest) -> Iterator[Trial]:
    """One board, one model: the steps that suites are made of (parity, latency, memory)."""
    found = bench_run(request.config).trial(*_hil_pick)
    yield found
    found.close()


@pytest.fixture(scope="session")
def firmware(trial: Trial) -> Firmware:
    """The compiled firmware; nothing is flashed yet."""
    return trial.firmware()


@pytest.fixture(scope="session")
def device(trial: Trial) -> Device:
    """The board, flashed if need be, its handshake done and the model loaded."""
    return trial.load()


@pytest.fixture(scope="session")
def expected(trial: Trial) -> References:
    """What the host's engines answer to the model's vectors."""
    return trial.expected()


@pytest.fixture
def infer(trial: Trial) -> Callable[..., Array | tuple[Array, ...]]:
    """``infer(x)``: runs the model on the device and returns its output.

    Takes one array, several in order, or by name. An input has the model's own dtype, or is float
    for a quantised model: then it is quantised with the model's scale and zero point
    (round half to even, saturated), and quantised outputs come back as real values too. A single
    output comes as an array, several as a tuple.

    Raises:
        ValueError: wrong number, name, shape or dtype; nothing was sent.
    """

    def run(*arrays: Any, **named: Any) -> Array | tuple[Array, ...]:
        model = trial.model
        inferred = trial.infer(model_inputs(model.inputs, arrays, named))
        real = in_real_units(model.inputs, arrays, named)
        outputs = model_outputs(model.outputs, inferred.outputs, real=real)
        return outputs[0] if len(outputs) == 1 else outputs

    return run


@pytest.fixture
def device_clock(request: pytest.FixtureRequest) -> DeviceClock:
    """The board's clock: ask for it beside ``benchmark``, then
    ``device_clock.replay(benchmark, trial.latency())``."""
    clock: DeviceClock = request.node.stash[CLOCK]
    return clock


@pytest.fixture
def monitor(_hil_pick: tuple[Pick, str], request: pytest.FixtureRequest) -> Iterator[Monitor]:
    """The serial monitor of a sketch that speaks no protocol: freshly flashed, text in and out."""
    pick, sketch = _hil_pick
    run = bench_run(request.config)
    firmware = run.trial(pick, sketch).firmware() if pick.model else None
    with open_monitor(pick.board, firmware) as opened:
        yield opened
