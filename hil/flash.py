"""Putting a firmware on a board: arduino-cli upload, and what has to hold before and after it."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from hil import arduino
from hil.device import BOOT_S, HANG_S, Device
from hil.errors import BenchError, HilError
from hil.firmware import Firmware
from hil.inventory import Board
from hil.link import port_present, resolve_port, wait_for_port
from hil.outcome import Identity

UPLOAD_S = 180.0
"""Time limit of one upload: 1 MB over a 115,200 baud bootloader takes 90 s."""

PORT_S = 15.0
"""Seconds until the port is back after an upload; a USB board takes 1 to 5."""

PROBE_S = 2.0
"""Seconds that the firmware found on a board may take to answer before it is replaced."""

_REPLACE = (
    "stale_firmware", "wrong_model", "wrong_board", "no_answer", "protocol_version", "wire",
    "port_lost", "port_absent", "model_corrupt", "crash", "hang",
)  # fmt: skip


def identity(firmware: Firmware, *, found: bool = False) -> Identity:
    """What a device says of itself if it runs ``firmware``.

    ``found``: it was on the board, not just uploaded, and has to state its build id.
    """
    return Identity(
        firmware.build_id, firmware.board, firmware.model_crc32, firmware.model, must_state=found
    )


def upload(board: Board, firmware: Firmware) -> None:
    """Flashes with arduino-cli and waits until the port is there again.

    Raises:
        BenchError: ``flash_failed`` with the uploader's last words, ``port_absent`` if there is
            no port before and after it.
    """
    upload_image(board, firmware.folder)


def upload_image(board: Board, folder: Path) -> None:
    """As `upload`, of the artefacts in a folder: SKETCH.ino.elf and its kin."""
    port = _upload_port(board)
    arguments = ["upload", "--fqbn", board.full_fqbn, "--port", port]
    arguments += ["--input-dir", str(folder), *_discovery(port)]
    try:
        done = arduino.run(board, arguments, timeout=UPLOAD_S)
    except subprocess.TimeoutExpired as error:
        raise _failed(board, f"no end after {UPLOAD_S:.0f} s", None) from error
    if done.status != 0:
        raise _failed(board, _last_words(done), done.status)
    if not wait_for_port(board.port, True, time.monotonic() + PORT_S):
        raise BenchError(
            "port_absent",
            f"{board.port} did not come back within {PORT_S:.0f} s of a successful upload",
            board=board.id,
            hint="the new firmware does not open its port: does its setup() end?",
            numbers={"waited_s": PORT_S},
        )


def _upload_port(board: Board) -> str:
    """A port given by USB numbers has to be there; a path may appear with the upload."""
    return resolve_port(board.port, board=board.id)


def _discovery(port: str) -> list[str]:
    """arduino-cli looks for the 1200-baud touch only at ports that it discovers in /dev/tty*;
    for any other it would wait in vain."""
    return [] if port.startswith("/dev/tty") else ["--discovery-timeout", "1ms"]


def _failed(board: Board, reason: str, status: int | None) -> BenchError:
    if not port_present(board.port):
        return BenchError(
            "port_absent",
            f"{board.port} is not there, and the upload failed: {reason}",
            board=board.id,
            hint="plug the board in, or correct `port:` in boards.yaml",
        )
    return BenchError(
        "flash_failed",
        f"arduino-cli upload to {board.port} failed: {reason}",
        board=board.id,
        hint="press reset twice to enter the bootloader, check the cable, then run again",
        numbers={"status": status},
    )


def _last_words(done: arduino.Ran) -> str:
    text = "\n".join([done.out, done.err])
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    useful = [line for line in lines if "initializing instance" not in line]
    return "; ".join(useful[-3:]) or f"status {done.status}"


def open_device(
    board: Board,
    firmware: Firmware,
    model: str,
    *,
    may_flash: bool = True,
    on_flash: Callable[[], None] = lambda: None,
    hang_s: float = HANG_S,
) -> Device:
    """A device that runs ``firmware``, flashed only if the board does not run it yet.

    The board is asked first; whatever does not prove to be this firmware is replaced, and so is
    what states no build id: it may be any build of this model. After an
    upload the same proof is asked for again: an upload that says it succeeded proves nothing.

    Raises:
        BenchError, ProductError: as `Device` and `upload`; with ``may_flash`` False also
            ``stale_firmware``, ``wrong_model`` and ``wrong_board`` of what was found.
    """
    patience = PROBE_S if may_flash else BOOT_S
    found = _connect(board, identity(firmware, found=True), model, patience, hang_s)
    if isinstance(found, Device):
        if not may_flash or found.info.build_id:
            return found
        found.close()
    elif not may_flash or found.code not in _REPLACE:
        raise found
    on_flash()
    upload(board, firmware)
    found = _connect(board, identity(firmware), model, BOOT_S, hang_s, arriving=True)
    if isinstance(found, Device):
        return found
    raise found


def _connect(
    board: Board,
    expect: Identity,
    model: str,
    boot_s: float,
    hang_s: float,
    *,
    arriving: bool = False,
) -> Device | HilError:
    device = Device(
        board.port,
        baud=board.baud,
        expect=expect,
        board=board.id,
        model=model,
        boot_s=boot_s,
        hang_s=hang_s,
        arriving=arriving,
    )
    try:
        return device.__enter__()
    except HilError as error:
        return error
