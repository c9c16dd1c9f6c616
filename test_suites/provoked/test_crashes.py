"""Firmware that dies, sticks or falls silent in the middle of an inference."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from provoke import compiled, function_at

from hil.device import Device
from hil.errors import BenchError, HilError, ProductError
from hil.firmware import Firmware
from hil.flash import identity, open_device
from hil.inventory import Board
from hil.model import Model, load_model
from hil.payload import CrashCause, ResetCause
from hil.trial import Trial

Make = Callable[..., Trial]

NULL, STACK, UNALIGNED, SPIN, WATCHDOG, JUMP, HONEST = 1, 2, 3, 4, 5, 7, 100
"""What the faulty sketch does with an input byte (`chosen` in its source)."""


@contextmanager
def running(board: Board, firmware: Firmware, hang_s: float = 60.0) -> Iterator[Device]:
    """A device with the firmware and the model loaded."""
    open_device(board, firmware, "hello_sine").close()
    with Device(
        board.port, expect=identity(firmware), board=board.id, model="hello_sine", hang_s=hang_s
    ) as device:
        device.load()
        yield device


def infer(device: Device, what: int) -> None:
    device.infer([np.full((1, 1), what, np.int8)])


def fault(device: Device, what: int) -> HilError:
    with pytest.raises(HilError) as caught:
        infer(device, what)
    return caught.value


def answers_again(device: Device) -> None:
    device.load()
    infer(device, HONEST)


@pytest.fixture
def chosen(any_board: Board, hello: Model) -> Firmware:
    return compiled(any_board, hello, "CHOSEN")


def test_the_abort_in_the_int8_add_is_a_crash_in_add(
    attempt: Make, nano: Board, negatives: Path
) -> None:
    it = attempt(nano, model=load_model(negatives / "residual_add"))
    with pytest.raises(ProductError) as caught:
        it.parity()
    assert caught.value.code == "crash"
    numbers = caught.value.numbers
    assert numbers["cause"] == CrashCause.ABORT
    elf = it.firmware().elf
    for register in ("pc", "lr"):
        assert "add" in function_at(elf, numbers[register]).lower()
    assert it.record.verdict == "fail"
    it.device().ping()
    assert it.device().info.reset_cause == ResetCause.FAULT


def test_the_same_model_passes_where_asserts_are_off(
    attempt: Make, nano: Board, negatives: Path
) -> None:
    fast = nano.model_copy(update={"options": {"opt": "fast"}})
    it = attempt(fast, model=load_model(negatives / "residual_add"))
    parity = it.parity()
    assert parity.ok
    assert parity.max_lsb == 0
    assert it.record.firmware is not None
    assert "-DNDEBUG" in it.record.firmware.flags


def test_a_write_through_null_is_a_crash_on_every_board(any_board: Board, chosen: Firmware) -> None:
    with running(any_board, chosen) as device:
        error = fault(device, NULL)
        assert (error.code, error.kind) == ("crash", "product")
        assert error.numbers["cause"] == CrashCause.MEM_FAULT
        assert "write_through_null" in function_at(chosen.elf, error.numbers["pc"])
        answers_again(device)


@pytest.mark.parametrize("way", [STACK, JUMP], ids=["step by step", "in one frame of 32 KB"])
def test_a_stack_overflow_is_a_crash_that_says_so(
    any_board: Board, chosen: Firmware, way: int
) -> None:
    with running(any_board, chosen) as device:
        error = fault(device, way)
        assert (error.code, error.numbers["cause"]) == ("crash", CrashCause.STACK)
        answers_again(device)


def test_an_unaligned_read_is_a_crash_on_armv6m_only(any_board: Board, chosen: Firmware) -> None:
    with running(any_board, chosen) as device:
        if any_board.id != "virtual-pico":
            return infer(device, UNALIGNED)
        error = fault(device, UNALIGNED)
        assert error.code == "crash"
        assert "read_unaligned" in function_at(chosen.elf, error.numbers["pc"])
        return answers_again(device)


def test_the_watchdogs_reset_is_a_hang(nano: Board, hello: Model) -> None:
    firmware = compiled(nano, hello, "CHOSEN")
    with running(nano, firmware) as device:
        error = fault(device, WATCHDOG)
        assert (error.code, error.kind) == ("hang", "product")
        assert "spin" in function_at(firmware.elf, error.numbers["pc"])
        assert device.info.reset_cause == ResetCause.WATCHDOG
        answers_again(device)


def test_silence_in_an_inference_is_the_bench(nano: Board, hello: Model) -> None:
    firmware = compiled(nano, hello, "CHOSEN")
    with running(nano, firmware, hang_s=2.0) as device:
        error = fault(device, SPIN)
    assert isinstance(error, BenchError)
    assert error.code == "no_answer"
    assert error.numbers["waited_s"] >= 2.0
    open_device(nano, compiled(nano, hello), hello.name).close()  # a stuck board can be flashed
