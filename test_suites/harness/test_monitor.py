"""The serial monitor: patterns in what a board prints."""

from __future__ import annotations

import io
import time
from pathlib import Path

import pytest

from hil.errors import BenchError, ProductError
from hil.inventory import Board
from hil.monitor import KEEP, Monitor, open_monitor, talk


class Said:
    """A link that gives what a test wrote down, piece by piece, then silence or an error."""

    def __init__(self, *pieces: bytes, error: BaseException | None = None) -> None:
        self.pieces, self.error = list(pieces), error
        self.written = b""

    def read(self, deadline: float) -> bytes:
        if self.pieces:
            return self.pieces.pop(0)
        if self.error:
            raise self.error
        return b""

    def write(self, data: bytes) -> None:
        self.written += data

    def close(self) -> None:
        pass


def test_a_pattern_is_found_across_pieces_and_only_in_what_is_new() -> None:
    monitor = Monitor(Said(b"sin(0) pre", b"dicted: 0.0", b"012\r\n", b"value 2\r\n"), "nano")
    assert monitor.expect(r"predicted: (\S+)\s").group(1) == "0.0012"
    assert monitor.expect(r"value (\d)").group(1) == "2"
    with pytest.raises(ProductError):
        monitor.expect("predicted", timeout=0.01)


def test_half_a_number_is_not_taken_for_a_number() -> None:
    monitor = Monitor(Said(b"predicted: 0.00", b"5", b"4\r\n", b"prompt> "), "nano")
    assert monitor.expect(r"predicted: (\S+)").group(1) == "0.0054"
    assert monitor.expect(r"prompt(.*)").group(1) == "> "  # no line end, but silence


def test_a_pattern_that_does_not_come_fails_with_everything_that_did() -> None:
    monitor = Monitor(Said(b"first\r\n", b"AllocateTensors() failed!\r\n"), "nano")
    monitor.expect("first")
    with pytest.raises(ProductError) as failed:
        monitor.expect("predicted", timeout=0.5)
    assert failed.value.code == "assertion"
    assert "first\r\nAllocateTensors() failed!" in failed.value.message
    assert failed.value.numbers == {"waited_s": 0.5, "characters": 34}


def test_silence_is_said_to_be_silence() -> None:
    with pytest.raises(ProductError, match=r"printed so far:\n\(nothing\)"):
        Monitor(Said(), "nano").expect("x", timeout=0)


def test_characters_that_arrive_in_two_pieces_are_whole() -> None:
    data = "21 °C\r\n".encode()
    monitor = Monitor(Said(data[:4], data[4:]), "nano")
    assert monitor.expect(r"21 (\S+)\r").group(1) == "°C"


def test_text_is_bounded_and_a_pattern_is_still_not_found_twice() -> None:
    monitor = Monitor(Said(b"mark " + b"x" * (KEEP - 9), b"more", b"end"), "nano")
    monitor.expect("mark")
    monitor.expect("end")
    assert len(monitor.text) == KEEP


def test_a_lost_port_is_a_bench_fault() -> None:
    monitor = Monitor(Said(b"x", error=BenchError("port_lost", "gone")), "nano")
    with pytest.raises(BenchError):
        monitor.expect("y")


def test_sending() -> None:
    link = Said()
    Monitor(link, "nano").send("°\n")
    assert link.written == "°\n".encode()


def test_talk_copies_both_ways_until_ctrl_c() -> None:
    link, sink = Said(b"one\r\n", b"two", error=KeyboardInterrupt()), io.StringIO(newline="")
    talk(Monitor(link, "nano"), io.StringIO("go\n"), sink)
    assert sink.getvalue() == "one\r\ntwo"


def test_a_board_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HIL_RUN", str(tmp_path))
    monkeypatch.setattr("hil.monitor.OPEN_S", 0.05)
    absent = Board(id="one", fqbn="a:b:c", port=str(tmp_path / "none"), ram=65536, flash=65536)
    started = time.monotonic()
    with pytest.raises(BenchError) as missing, open_monitor(absent, None):
        pass
    assert missing.value.code == "port_absent"
    assert time.monotonic() - started < 5
