"""Plain sketches on virtual boards: compiled and uploaded by arduino-cli, spoken to in lines."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hil import arduino
from hil.inventory import Board, load_bench
from hil.link import SerialLink, wait_for_port
from hil.virtual import control
from hil.virtual.places import Place

SKETCHES = Path(__file__).parent / "sketches"
ROOT = Path(__file__).resolve().parents[2]


def boards() -> dict[str, Board]:
    """The project's boards, with the ports of the $HIL_RUN of now."""
    return dict(load_bench(ROOT / "boards.yaml").boards)


def end_all(run: Path) -> None:
    """Switches off every virtual board of a bench."""
    for each in control.running(run):
        control.stop(Place(Path(each["port"])))


def compile_sketch(board: Board, sketch: Path, build: Path, libraries: Sequence[Path] = ()) -> Path:
    """The folder with the image of a sketch."""
    arguments = ["compile", "--fqbn", board.full_fqbn, "--build-path", str(build)]
    arguments += [word for library in libraries for word in ("--library", str(library))]
    done = arduino.run(board, [*arguments, str(sketch)], timeout=600)
    assert done.status == 0, done.out + done.err
    return build


def upload_command(board: Board, image: Path) -> list[str]:
    arguments = ["upload", "--fqbn", board.full_fqbn, "--port", board.port]
    return [*arguments, "--input-dir", str(image), "--discovery-timeout", "1ms"]


def upload(board: Board, image: Path) -> None:
    done = arduino.run(board, upload_command(board, image), timeout=60)
    assert done.status == 0, done.out + done.err


def place(board: Board) -> Place:
    return Place(Path(board.port))


def status(board: Board) -> dict[str, Any]:
    return control.request(place(board), "status")


def alive(pid: int) -> bool:
    """Whether a process runs; one that only waits to be collected does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def wait_until(true: Any, seconds: float = 10.0) -> bool:
    """Whether ``true()`` became so in time."""
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.005)
    return True


class Talk:
    """An open port, line by line. A context manager."""

    def __init__(self, board: Board) -> None:
        assert wait_for_port(board.port, True, time.monotonic() + 10)
        self.link = SerialLink(board.port, board=board.id)
        self._text = b""

    def __enter__(self) -> Talk:
        return self

    def __exit__(self, *_: object) -> None:
        self.link.close()

    def line(self, seconds: float = 10.0) -> str:
        """The next line, without its end; "" if none comes in time."""
        deadline = time.monotonic() + seconds
        while b"\r\n" not in self._text:
            data = self.link.read(deadline)
            if not data:
                return ""
            self._text += data
        line, _, self._text = self._text.partition(b"\r\n")
        return line.decode()

    def ask(self, text: str) -> str:
        self.link.write(text.encode())
        return self.line()
