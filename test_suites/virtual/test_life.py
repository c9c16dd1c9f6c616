"""A board lives as long as it should, and never leaves an emulator behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from plain import ROOT, Talk, alive, boards, end_all, place, status, upload, wait_until

from hil.inventory import Board
from hil.virtual import control
from hil.virtual.places import Place

Images = dict[str, Path]
SLEEPER = [sys.executable, "-c", "import time; print(flush=True); time.sleep(600)"]


def processes(board: Board) -> tuple[int, int]:
    """Launcher and emulator."""
    now = status(board)
    return now["pid"], now["qemu"]


def gone(*pids: int) -> bool:
    return wait_until(lambda: not any(alive(pid) for pid in pids))


def test_a_board_ends_with_its_owner(
    nano: Board, images: Images, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = subprocess.Popen(SLEEPER)
    monkeypatch.setenv("HIL_VIRTUAL_OWNER", str(owner.pid))
    upload(nano, images[nano.id])
    pids = processes(nano)
    owner.kill()
    owner.wait()
    assert gone(*pids)
    assert not os.path.lexists(nano.port)


def test_the_last_flash_decides_who_owns_the_board(
    nano: Board, images: Images, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = subprocess.Popen(SLEEPER)
    monkeypatch.setenv("HIL_VIRTUAL_OWNER", str(owner.pid))
    upload(nano, images[nano.id])
    monkeypatch.setenv("HIL_VIRTUAL_OWNER", str(os.getpid()))
    upload(nano, images[nano.id])
    owner.kill()
    owner.wait()
    with Talk(nano) as talk:
        assert talk.line() == "hello"


def test_an_owner_that_is_no_process_is_refused(
    nano: Board, images: Images, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = images[nano.id] / "talker.ino.elf"
    for wrong, words in (("4194304", "no process 4194304"), ("me", "no number: 'me'")):
        monkeypatch.setenv("HIL_VIRTUAL_OWNER", wrong)
        with pytest.raises(control.LauncherError, match=words):
            control.flash(place(nano), image, "mps2-an386")


def test_the_emulator_dies_with_its_launcher_and_the_next_upload_starts_afresh(
    nano: Board, images: Images
) -> None:
    upload(nano, images[nano.id])
    launcher, emulator = processes(nano)
    os.kill(launcher, signal.SIGKILL)
    assert gone(launcher, emulator)
    upload(nano, images[nano.id])
    with Talk(nano) as talk:
        assert talk.line() == "hello"
        assert talk.ask("b") == "1 1 1 1"
    assert not {launcher, emulator} & set(processes(nano))


def test_an_emulator_that_dies_is_reported_and_replaced(nano: Board, images: Images) -> None:
    upload(nano, images[nano.id])
    os.kill(status(nano)["qemu"], signal.SIGKILL)
    assert wait_until(lambda: not status(nano)["on"])
    assert "the emulator ended: status -9" in status(nano)["last_words"]
    assert not os.path.lexists(nano.port)
    with pytest.raises(control.LauncherError, match=r"the board is off\. the emulator ended"):
        control.request(place(nano), "reset")
    upload(nano, images[nano.id])
    with Talk(nano) as talk:
        assert talk.line() == "hello"


def test_a_board_that_nobody_uses_switches_itself_off(
    nano: Board, images: Images, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload(nano, images[nano.id])  # the launcher runs already: the new limit reaches it too
    monkeypatch.setenv("HIL_VIRTUAL_LINGER", "2.5")
    upload(nano, images[nano.id])
    pids = processes(nano)
    with Talk(nano) as talk:
        assert talk.line() == "hello"
        assert not wait_until(lambda: not alive(pids[0]), 4.0)  # while a host has it open
    assert gone(*pids)
    assert not control.running()


def test_an_upload_outlives_whoever_asked_for_it_if_so_chosen(
    nano: Board, images: Images, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HIL_VIRTUAL_OWNER")
    image = str(images[nano.id] / "talker.ino.elf")
    command = [sys.executable, "-m", "hil.virtual", "upload", "--port", nano.port]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run([*command, "--machine", "mps2-an386", "--image", image], env=environment,
                   check=True, capture_output=True, timeout=60)  # fmt: skip
    with Talk(nano) as talk:
        assert talk.line() == "hello"


@pytest.mark.parametrize("name", ["long-" + "x" * 120, "with space, comma"])
def test_a_run_folder_of_any_name_works(
    name: str, images: Images, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / name
    monkeypatch.setenv("HIL_RUN", str(folder))
    monkeypatch.setenv("HIL_VIRTUAL_OWNER", str(os.getpid()))
    board = boards()["virtual-nano33ble"]
    try:
        upload(board, images[board.id])
        with Talk(board) as talk:
            assert talk.line() == "hello"
            assert talk.ask("b") == "1 1 1 1"
        assert [each["name"] for each in control.running()] == [board.id]
    finally:
        end_all(folder)
    assert not control.running(folder)


def test_a_flood_does_not_keep_the_launcher_from_answering(nano: Board, images: Images) -> None:
    upload(nano, images[nano.id])
    with Talk(nano) as talk:
        assert talk.line() == "hello"
        talk.link.write(b"f")
        assert talk.line().startswith("a flood")
        pids = processes(nano)
        assert control.stop(Place(Path(nano.port)))
    assert gone(*pids)
