"""What idle virtual boards cost, and whether their clocks keep wall time."""

from __future__ import annotations

import argparse
import os
import time
from contextlib import ExitStack
from pathlib import Path

from bench import flash_sketch, print_table, virtual_boards

from hil.inventory import Board
from hil.link import SerialLink, wait_for_port
from hil.virtual import control
from hil.virtual.places import Place

CPU_LIMIT, CLOCK_LIMIT = 20.0, 5.0
"""Per cent: of one core for all boards together; of wall time for millis()."""

_SETTLE_S = 3.0
_UPTIME = Path(__file__).parent / "uptime"


def cpu_seconds(pids: list[int]) -> float:
    """User and system time of processes so far, from proc(5)."""
    ticks = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def processes(board: Board) -> list[int]:
    """The launcher of a board and its emulator."""
    status = control.request(Place(Path(board.port)), "status")
    return [status["pid"], status["qemu"]]


def ask_millis(link: SerialLink) -> tuple[float, int]:
    """Wall time in seconds, half way through the question, and the board's millis()."""
    asked = time.monotonic()
    link.write(b"\n")
    text = b""
    while not text.endswith(b"\n"):
        more = link.read(asked + 5.0)
        if not more:
            raise SystemExit("a board does not answer")
        text += more
    return (asked + time.monotonic()) / 2, int(text)


def measure(boards: tuple[Board, ...], seconds: float) -> tuple[list[float], list[float]]:
    """Per cent of a core, and per cent that millis() is off (negative: slow), for each board."""
    with ExitStack() as stack:
        links = [stack.enter_context(SerialLink(board.port)) for board in boards]
        pids = [processes(board) for board in boards]
        time.sleep(_SETTLE_S)
        before = [ask_millis(link) for link in links]
        started, used = time.monotonic(), [cpu_seconds(each) for each in pids]
        time.sleep(seconds)
        wall = time.monotonic() - started
        cost = [(cpu_seconds(p) - u) / wall * 100 for p, u in zip(pids, used, strict=True)]
        after = [ask_millis(link) for link in links]
    drift = [
        ((m1 - m0) / 1000 / (t1 - t0) - 1) * 100
        for (t0, m0), (t1, m1) in zip(before, after, strict=True)
    ]
    return cost, drift


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=15.0)
    seconds = parser.parse_args().seconds
    with virtual_boards() as boards:
        for board in boards:
            flash_sketch(board, _UPTIME)
            wait_for_port(board.port, True, time.monotonic() + 10)
        cost, drift = measure(boards, seconds)
    rows = [
        (board.id, f"{used:.1f} %", f"{off:+.1f} %")
        for board, used, off in zip(boards, cost, drift, strict=True)
    ]
    rows.append(("together, worst", f"{sum(cost):.1f} %", f"{max(drift, key=abs):+.1f} %"))
    rows.append(("limit", f"{CPU_LIMIT:.0f} %", f"{CLOCK_LIMIT:.0f} %"))
    print(f"idle for {seconds:.0f} s, ports open")
    print_table(("board", "of one core", "millis() against wall time"), rows)
    if sum(cost) > CPU_LIMIT or max(map(abs, drift)) > CLOCK_LIMIT:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
