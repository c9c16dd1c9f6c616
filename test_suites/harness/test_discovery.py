"""The pluggable discovery, by Arduino's specification (version 1)."""

from __future__ import annotations

import io
import json
import queue
import sys
from typing import Any

import pytest

from hil.virtual import discovery
from hil.virtual.discovery import Discovery

PATH = "/run/ports/one"
STATUS = {
    "name": "one",
    "port": PATH,
    "machine": "mps2-an386",
    "unit": "AB",
    "on": True,
}
PORT = {
    "address": PATH,
    "label": "one",
    "protocol": "hil",
    "protocolLabel": "Virtual board (QEMU)",
    "hardwareId": "AB",
    "properties": {"machine": "mps2-an386", "serialNumber": "AB"},
}


@pytest.fixture
def boards(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The boards that run; a test changes the list."""
    running = [STATUS, {**STATUS, "name": "off", "port": "/run/ports/off", "on": False}]
    monkeypatch.setattr(discovery, "running", lambda: list(running))
    monkeypatch.setattr(discovery, "_POLL_S", 0.001)
    return running


@pytest.fixture
def said() -> queue.Queue[dict[str, Any]]:
    return queue.Queue()


def test_the_dialogue(boards: list[Any], said: queue.Queue[dict[str, Any]]) -> None:
    answering = Discovery(said.put)
    assert answering.handle('HELLO 1 "arduino-cli 1.5.1"')
    assert said.get_nowait() == {"eventType": "hello", "message": "OK", "protocolVersion": 1}
    assert answering.handle("START")
    assert said.get_nowait() == {"eventType": "start", "message": "OK"}
    assert answering.handle("LIST")
    assert said.get_nowait() == {"eventType": "list", "ports": [PORT]}
    assert answering.handle("STOP")
    assert said.get_nowait() == {"eventType": "stop", "message": "OK"}
    assert answering.handle("BLINK")
    assert said.get_nowait()["error"] is True
    assert not answering.handle("QUIT")
    assert said.get_nowait() == {"eventType": "quit", "message": "OK"}


def test_start_sync_tells_of_boards_that_come_and_go(
    boards: list[Any], said: queue.Queue[dict[str, Any]]
) -> None:
    answering = Discovery(said.put)
    answering.handle("START_SYNC")
    assert said.get(timeout=5)["eventType"] == "start_sync"
    assert said.get(timeout=5) == {"eventType": "add", "port": PORT}
    boards.append({**STATUS, "name": "two", "port": "/run/ports/two"})
    added = said.get(timeout=5)
    assert (added["eventType"], added["port"]["address"]) == ("add", "/run/ports/two")
    boards.pop(0)
    gone = {"address": PATH, "protocol": "hil"}
    assert said.get(timeout=5) == {"eventType": "remove", "port": gone}
    answering.handle("STOP")
    assert said.get(timeout=5)["eventType"] == "stop"


def test_a_second_start_sync_begins_anew_and_the_first_one_ends(
    boards: list[Any], said: queue.Queue[dict[str, Any]]
) -> None:
    answering = Discovery(said.put)
    for _ in range(2):
        answering.handle("START_SYNC")
        assert said.get(timeout=5)["eventType"] == "start_sync"
        assert said.get(timeout=5) == {"eventType": "add", "port": PORT}
        answering.handle("STOP")
        assert said.get(timeout=5)["eventType"] == "stop"
    boards.clear()
    with pytest.raises(queue.Empty):
        said.get(timeout=0.05)


def test_it_reads_lines_and_writes_one_message_a_line(
    boards: list[Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("START\n\nLIST\nQUIT\nLIST\n"))
    discovery.main()
    messages = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [message["eventType"] for message in messages] == ["start", "list", "quit"]
