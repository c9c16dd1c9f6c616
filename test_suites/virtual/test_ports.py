"""Ports as USB boards have them: listed, gone and back, one upload at a time."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from plain import Talk, place, status, upload, upload_command, wait_until

from hil import arduino
from hil.errors import BenchError
from hil.inventory import Board
from hil.setup.tools import find_arduino_cli
from hil.virtual import control

Images = dict[str, Path]


@contextmanager
def absences(port: str) -> Iterator[list[bool]]:
    """Notes, while the block runs, whether the port was missing at some time."""
    seen: list[bool] = []
    done = threading.Event()

    def look() -> None:
        while not done.wait(0.0002):
            if not os.path.exists(port) and not seen:
                seen.append(True)

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        yield seen
    finally:
        done.set()
        watcher.join()


def test_board_list_shows_the_board_with_its_fqbn(any_board: Board, images: Images) -> None:
    upload(any_board, images[any_board.id])
    arguments = ["board", "list", "--format", "json", "--discovery-timeout", "2s"]
    listed = arduino.run(any_board, arguments, timeout=60).json()["detected_ports"]
    (found,) = [each for each in listed if each["port"]["address"] == any_board.port]
    assert [each["fqbn"] for each in found["matching_boards"]] == [any_board.fqbn]
    assert found["port"]["label"] == any_board.id
    assert found["port"]["hardware_id"] == status(any_board)["unit"]


def test_an_upload_takes_the_port_away_and_brings_another_of_the_same_name(
    nano: Board, images: Images
) -> None:
    upload(nano, images[nano.id])
    with Talk(nano) as before:
        assert before.line() == "hello"
        with absences(nano.port) as absent:
            upload(nano, images[nano.id])
        assert absent
        with pytest.raises(BenchError) as lost:
            before.ask("b")
        assert lost.value.code == "port_lost"
    with Talk(nano) as after:
        assert after.line() == "hello"
        assert after.ask("b") == "1 1 1 1"


def test_a_reset_takes_the_port_away_too(nano: Board, images: Images) -> None:
    upload(nano, images[nano.id])
    with Talk(nano) as before:
        assert before.line() == "hello"
        assert control.request(place(nano), "reset")["plugged"] is False
        with pytest.raises(BenchError):
            before.ask("b")
    with Talk(nano) as after:
        assert after.line() == "hello"


def test_two_uploads_at_once_are_one_after_the_other(nano: Board, images: Images) -> None:
    command = [str(find_arduino_cli()), *upload_command(nano, images[nano.id])]
    environment = arduino.environment(nano)
    both = [
        subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        for _ in range(2)
    ]
    outputs = [each.communicate(timeout=60)[0] for each in both]
    assert [each.returncode for each in both] == [0, 0], outputs
    assert len(control.running()) == 1
    with Talk(nano) as talk:
        assert talk.line() == "hello"
        assert talk.ask("b") == "1 1 1 1"


def test_text_waits_for_nobody_but_a_host(nano: Board, images: Images) -> None:
    """`while (!Serial);` holds the sketch until a host opens the port; then every byte arrives."""
    upload(nano, images[nano.id])
    assert not status(nano)["open"]
    with Talk(nano) as talk:
        assert talk.line() == "hello"
        assert status(nano)["open"]
        assert int(talk.ask("w")) > 0
    assert wait_until(lambda: not status(nano)["open"])


def test_an_upload_of_a_machine_that_does_not_exist_is_one_line(
    nano: Board, images: Images, tmp_path: Path
) -> None:
    upload(nano, images[nano.id])
    with pytest.raises(control.LauncherError, match="does-not-exist"):
        control.flash(place(nano), tmp_path / "does-not-exist.elf", "mps2-an386")
    with Talk(nano) as talk:  # the board was left as it is
        assert talk.line() == "hello"
