"""What a line does to frames, and what happens when it is cut."""

from __future__ import annotations

import os
import signal
import threading
import time
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from provoke import compiled
from relay import Nth, Relay, Spoil, damage

from hil import messages as m
from hil.device import Device
from hil.errors import BenchError
from hil.flash import identity, open_device
from hil.inventory import Board
from hil.link import Link, SerialLink
from hil.model import Model
from hil.trial import Trial
from hil.virtual import control
from hil.virtual.places import Place
from hil.wire import Frame, encode

Make = Callable[..., Trial]
BUSY = np.full((1, 1), 6, np.int8)
"""The input that makes the faulty sketch say "computing" and compute for a while."""

RETRIES = 4


@pytest.fixture
def running(nano: Board, hello: Model) -> Board:
    """The board with the honest firmware on it."""
    open_device(nano, compiled(nano, hello), hello.name).close()
    return nano


def lost(_: bytes) -> bytes:
    return b""


@pytest.mark.parametrize("spoil", [damage, lost])
@pytest.mark.parametrize("direction", ["to_board", "to_host"])
def test_one_spoiled_frame_is_sent_again_and_the_verdict_stands(
    attempt: Make, running: Board, direction: str, spoil: Spoil
) -> None:
    with Relay(Path(running.port)) as relay:
        it = attempt(running.model_copy(update={"port": relay.url}), may_flash=False)
        it.device()
        setattr(relay, direction, Nth(5, spoil))
        assert it.parity().ok
        it.close()
    assert it.record.wire.resent == 1
    assert it.record.findings == []


@pytest.mark.parametrize("direction", ["to_board", "to_host"])
def test_a_byte_changed_for_good_is_wire(attempt: Make, running: Board, direction: str) -> None:
    with Relay(Path(running.port)) as relay:
        it = attempt(running.model_copy(update={"port": relay.url}), may_flash=False)
        it.device()
        setattr(relay, direction, damage)
        with pytest.raises(BenchError) as caught:
            it.parity()
        it.close()
    assert caught.value.code == "wire"
    assert caught.value.numbers == {"resent": RETRIES, "retries": RETRIES}
    assert it.record.verdict == "bench_fault"
    assert [f.code for f in it.record.findings] == ["wire"]


class Tap:
    """The link of a device that a test can also write to."""

    def __init__(self, port: str) -> None:
        self.port = port
        self.link: Link | None = None

    def open(self) -> Link:
        self.link = SerialLink(self.port)
        return self.link

    def write(self, data: bytes) -> None:
        assert self.link
        self.link.write(data)


def wait_for_text(device: Device, text: str) -> None:
    deadline = time.monotonic() + 20
    while text not in device.log:
        assert time.monotonic() < deadline, device.log
        time.sleep(0.005)


def test_one_byte_more_than_the_ring_during_an_inference_is_one_overrun(
    nano: Board, hello: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hil.connection.WORK_S", 60.0)  # a request sent again would overrun too
    firmware = compiled(nano, hello, "CHOSEN")
    open_device(nano, firmware, hello.name).close()
    ring = 256  # of the Nano 33 BLE's USBSerial
    tap = Tap(nano.port)
    with Device(nano.port, expect=identity(firmware), opener=tap.open) as device:
        device.load()
        assert device.info.rx_max == ring // 2

        def overrun() -> None:
            wait_for_text(device, "computing")
            tap.write(b"x" * (ring + 1))

        flood = threading.Thread(target=overrun)
        flood.start()
        answer = device.infer([BUSY])
        flood.join()
        assert answer.resent == 0
        stats = device.stats()
        assert stats.rx_overruns == 1
        assert stats.rx_damaged == 1  # what the ring held is no frame
        device.infer([np.zeros((1, 1), np.int8)])
        assert device.stats().rx_overruns == 1


def test_an_emulator_that_dies_during_an_inference_is_port_lost(nano: Board, hello: Model) -> None:
    firmware = compiled(nano, hello, "CHOSEN")
    open_device(nano, firmware, hello.name).close()
    place = Place(Path(nano.port))

    def kill(device: Device) -> None:
        wait_for_text(device, "computing")
        os.kill(control.request(place, "status")["qemu"], signal.SIGKILL)

    with Device(nano.port, expect=identity(firmware), boot_s=1.0) as device:
        device.load()
        killer = threading.Thread(target=kill, args=(device,))
        killer.start()
        with pytest.raises(BenchError) as caught:
            device.infer([BUSY])
        killer.join()
    assert caught.value.code == "port_lost"
    assert not control.request(place, "status")["on"]


def test_an_input_that_changes_in_the_board_is_wire_and_nothing_is_run(
    running: Board, hello: Model
) -> None:
    with Device(running.port) as device:
        device.load()
        device.infer([np.zeros((1, 1), np.int8)])
        with pytest.raises(BenchError) as caught:
            device.invoke(zlib.crc32(b"\x01"))
    assert caught.value.code == "wire"
    assert caught.value.numbers["sent_crc"] == zlib.crc32(b"\x01")
    assert caught.value.numbers["device_crc"] != zlib.crc32(b"\x01")


def test_half_a_frame_from_a_killed_run_does_not_disturb_the_next(
    attempt: Make, running: Board
) -> None:
    frame = encode(Frame(m.Write.TYPE, 7, 1234, bytes(60)))
    with SerialLink(running.port) as link:
        link.write(frame[: len(frame) // 2])
    it = attempt(running)
    assert it.parity().ok
    it.close()
    assert not it.record.flashed
    assert it.record.wire.resent == 0
