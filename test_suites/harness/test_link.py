"""The pipe to a board, over pseudo terminals: errors are translated once, ports come and go."""

from __future__ import annotations

import os
import pty
import threading
import time
import tty
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from hil import link as link_module
from hil.errors import BenchError
from hil.link import SerialLink, port_present, resolve_port, wait_for_port


class Wire:
    """A pseudo terminal: ``path`` for the host, ``board`` the file descriptor of the other end."""

    def __init__(self) -> None:
        self.board, slave = pty.openpty()
        tty.setraw(slave)
        self.path = os.ttyname(slave)
        self._slave = slave

    def vanish(self) -> None:
        for number in (self.board, self._slave):
            if number >= 0:
                os.close(number)
        self.board = self._slave = -1


@pytest.fixture
def wire() -> Iterator[Wire]:
    wire = Wire()
    yield wire
    wire.vanish()


def soon(seconds: float = 5.0) -> float:
    return time.monotonic() + seconds


def read_exactly(link: SerialLink, count: int) -> bytes:
    data = b""
    while len(data) < count and (part := link.read(soon())):
        data += part
    return data


def test_bytes_go_both_ways_unchanged(wire: Wire) -> None:
    every = bytes(range(256))
    with SerialLink(wire.path) as link:
        link.write(every)
        assert os.read(wire.board, 1024) == every
        os.write(wire.board, every)
        assert read_exactly(link, 256) == every


def test_silence_ends_at_the_deadline(wire: Wire) -> None:
    with SerialLink(wire.path) as link:
        assert link.read(time.monotonic()) == b""


def test_a_port_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(BenchError) as caught:
        SerialLink(str(tmp_path / "ttyACM0"), board="nano")
    assert caught.value.code == "port_absent"
    assert caught.value.board == "nano"


def test_a_url_of_no_known_kind_is_a_port_that_is_not_there() -> None:
    with pytest.raises(BenchError) as caught:
        SerialLink("carrier-pigeon://coop")
    assert caught.value.code == "port_absent"


def test_a_port_in_use_is_busy_and_free_again_after_close(wire: Wire) -> None:
    with SerialLink(wire.path), pytest.raises(BenchError) as caught:
        SerialLink(wire.path)
    assert caught.value.code == "board_busy"
    assert wire.path in caught.value.hint
    SerialLink(wire.path).close()


def test_a_port_that_vanishes_is_lost_in_reading_and_in_writing(wire: Wire) -> None:
    with SerialLink(wire.path) as link:
        wire.vanish()
        for action in (lambda: link.read(soon()), lambda: link.write(b"x")):
            with pytest.raises(BenchError) as caught:
                action()
            assert caught.value.code == "port_lost"


def test_a_closed_link_is_a_lost_port_and_closes_twice(wire: Wire) -> None:
    link = SerialLink(wire.path)
    link.close()
    link.close()
    with pytest.raises(BenchError) as caught:
        link.read(soon())
    assert caught.value.code == "port_lost"


def test_waiting_for_a_port_to_come_and_to_go(tmp_path: Path, wire: Wire) -> None:
    name = tmp_path / "board"
    assert not wait_for_port(str(name), True, time.monotonic())
    plug = threading.Timer(0.05, name.symlink_to, [wire.path])
    plug.start()
    assert wait_for_port(str(name), True, soon())
    plug.join()
    assert not wait_for_port(str(name), False, time.monotonic())
    name.unlink()
    assert wait_for_port(str(name), False, soon())


def test_a_name_that_points_nowhere_is_no_port(tmp_path: Path) -> None:
    (tmp_path / "board").symlink_to(tmp_path / "gone")
    assert not port_present(str(tmp_path / "board"))


def test_a_url_is_always_there() -> None:
    assert port_present("socket://localhost:1")


@pytest.fixture
def usb(monkeypatch: pytest.MonkeyPatch) -> None:
    ports = [
        SimpleNamespace(device="/dev/ttyACM0", vid=0x2341, pid=0x805A, serial_number="AAA"),
        SimpleNamespace(device="/dev/ttyACM1", vid=0x2341, pid=0x805A, serial_number="BBB"),
        SimpleNamespace(device="/dev/ttyACM2", vid=0x2E8A, pid=0x000A, serial_number=None),
        SimpleNamespace(device="/dev/ttyS0", vid=None, pid=None, serial_number=None),
    ]
    monkeypatch.setattr(link_module.list_ports, "comports", lambda: ports)


@pytest.mark.usefixtures("usb")
@pytest.mark.parametrize(
    ("port", "path"),
    [
        ("usb:2341:805a:BBB", "/dev/ttyACM1"),
        ("USB:2341:805A:AAA", "/dev/ttyACM0"),
        ("usb:2e8a:000A", "/dev/ttyACM2"),
        ("/dev/ttyS7", "/dev/ttyS7"),
        ("socket://host:1", "socket://host:1"),
    ],
)
def test_a_usb_board_is_found_by_its_numbers(port: str, path: str) -> None:
    assert resolve_port(port) == path


@pytest.mark.usefixtures("usb")
@pytest.mark.parametrize(
    ("port", "matches", "hint"),
    [("usb:2341:805a", 2, "serial number"), ("usb:1111:2222", 0, "plug"), ("usb:x", 0, "VID:PID")],
)
def test_a_usb_board_that_is_missing_or_not_the_only_one(
    port: str, matches: int, hint: str
) -> None:
    with pytest.raises(BenchError) as caught:
        resolve_port(port)
    assert caught.value.code == "port_absent"
    assert caught.value.numbers == {"matches": matches}
    assert hint in caught.value.hint
    assert not port_present(port)
