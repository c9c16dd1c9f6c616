"""Boards that run something else, or cannot be reached: never the model's fault."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from provoke import compiled

from hil.claim import Claim
from hil.device import Device
from hil.errors import BenchError
from hil.flash import open_device, upload
from hil.inventory import Board
from hil.link import wait_for_port
from hil.model import Model, load_model
from hil.monitor import open_monitor
from hil.trial import Trial
from hil.virtual import control
from hil.virtual.places import Place
from hil.wire import VERSION

Make = Callable[..., Trial]


def bench_fault(it: Trial, code: str) -> BenchError:
    """The error of a trial that the bench fails."""
    with pytest.raises(BenchError) as caught:
        it.parity()
    assert caught.value.code == code
    assert it.record.verdict == "bench_fault"
    assert [f.code for f in it.record.findings] == [code]
    return caught.value


def run_on(board: Board, model: Model, fault: str = "", **defines: int) -> str:
    """Puts a firmware on the board; its build id."""
    firmware = compiled(board, model, fault, **defines)
    open_device(board, firmware, model.name).close()
    return firmware.build_id


def test_an_older_build_is_stale_firmware(attempt: Make, nano: Board, hello: Model) -> None:
    old = run_on(nano, hello, HIL_OF_YESTERDAY=1)
    it = attempt(nano, may_flash=False)
    numbers = bench_fault(it, "stale_firmware").numbers
    assert numbers["build_id"] == old
    assert numbers["expected_build_id"] == it.firmware().build_id
    assert not it.record.flashed


def test_another_models_firmware_is_wrong_model(
    attempt: Make, nano: Board, negatives: Path
) -> None:
    other = load_model(negatives / "residual_add")
    run_on(nano, other)
    it = attempt(nano, may_flash=False)
    numbers = bench_fault(it, "wrong_model").numbers
    assert (numbers["model_crc32"], numbers["model_bytes"]) == (other.crc32, len(other.data))
    assert numbers["expected_model_crc32"] == it.model.crc32


def test_another_boards_firmware_is_wrong_board(
    attempt: Make, nano: Board, pico: Board, hello: Model
) -> None:
    run_on(pico, hello)
    it = attempt(nano.model_copy(update={"port": pico.port}), may_flash=False)
    assert bench_fault(it, "wrong_board").numbers["board"] == pico.id


def test_a_run_that_may_flash_replaces_what_it_finds(
    attempt: Make, nano: Board, hello: Model
) -> None:
    run_on(nano, hello, HIL_OF_YESTERDAY=1)
    it = attempt(nano)
    assert it.parity().ok
    assert it.record.flashed


def test_firmware_without_a_build_id_is_flashed_for_every_run(attempt: Make, nano: Board) -> None:
    for _ in range(2):
        it = attempt(nano, HIL_BUILD_ID='""')
        assert it.smoke() == 1
        assert it.record.flashed
        it.close()


def test_another_protocol_is_protocol_version(attempt: Make, nano: Board) -> None:
    numbers = bench_fault(attempt(nano, HIL_WIRE_VERSION=9), "protocol_version").numbers
    assert numbers == {"device": 9, "host": VERSION}


def test_a_sketch_that_never_speaks_is_no_answer(nano: Board, hello: Model) -> None:
    firmware = compiled(nano, hello, "SILENT")
    upload(nano, firmware)
    with pytest.raises(BenchError) as caught, Device(nano.port, boot_s=1.0):
        pass
    assert caught.value.code == "no_answer"
    assert 1.0 <= caught.value.numbers["waited_s"] < 2.0


def test_a_board_in_use_is_board_busy(attempt: Make, nano: Board) -> None:
    with Claim(nano):
        error = bench_fault(attempt(nano), "board_busy")
    assert re.search(r"process \d+", error.message)


def test_a_port_held_by_a_stranger_is_board_busy(attempt: Make, nano: Board, hello: Model) -> None:
    run_on(nano, hello)
    # exclusive like any pyserial program that asks for it
    holder = (
        "import serial, sys; port = serial.Serial(sys.argv[1], exclusive=True); "
        "print('held', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", holder, nano.port]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin
        assert process.stdout
        process.stdout.readline()
        bench_fault(attempt(nano, may_flash=False), "board_busy")
        process.stdin.close()


def test_a_port_that_is_not_there_is_port_absent(attempt: Make, nano: Board, run: Path) -> None:
    nowhere = nano.model_copy(update={"port": str(run / "ports" / "nowhere")})
    bench_fault(attempt(nowhere, may_flash=False), "port_absent")


def test_an_upload_that_fails_is_told_by_what_is_there(
    nano: Board, hello: Model, run: Path, tmp_path: Path
) -> None:
    honest = compiled(nano, hello)
    run_on(nano, hello)
    broken = replace(honest, folder=tmp_path)
    with pytest.raises(BenchError) as failed:
        upload(nano, broken)
    assert failed.value.code == "flash_failed"
    assert failed.value.numbers["status"] not in (0, None)
    nowhere = nano.model_copy(update={"port": str(run / "ports" / "nowhere")})
    with pytest.raises(BenchError) as absent:
        upload(nowhere, broken)
    assert absent.value.code == "port_absent"
    open_device(nano, honest, hello.name, may_flash=False).close()  # it was left as it was


def test_a_flooded_port_that_nobody_reads_keeps_nobody_out(
    attempt: Make, nano: Board, hello: Model
) -> None:
    flood = compiled(nano, hello, "FLOODING")
    upload(nano, flood)
    assert wait_for_port(nano.port, True, time.monotonic() + 5)
    place = Place(Path(nano.port))
    with open(nano.port, "rb", buffering=0) as port:  # a host that holds the port and never reads
        port.read(1)
        began = time.monotonic()
        assert control.stop(place)
    assert time.monotonic() - began < 5
    with open_monitor(nano, flood) as monitor:
        monitor.expect("nobody asked for")
    assert attempt(nano).parity().ok
