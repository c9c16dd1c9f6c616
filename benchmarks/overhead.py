"""What writing everything down costs a run in which nothing fails.

Pairs of the same run, in processes of their own, one after the other: ordinary, and with
`unrecorded.py`, which leaves out all that is recorded. Which comes first alternates.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from bench import ROOT, print_table, virtual_boards

LIMIT = 3.0
"""Per cent of wall time."""

_SUITES = [f"test_suites/{name}" for name in ("smoke", "parity", "latency", "memory")]


def run(model: str, board: str, reports: str, *, recorded: bool) -> tuple[float, float]:
    """Seconds of a run: by the wall, and of the CPU (pytest and the host's engines)."""
    command = [sys.executable, "-m", "pytest", *_SUITES, "-q", "-p", "no:cacheprovider"]
    command += ["--board", board, "--model", model, "--reports", reports]
    command += [] if recorded else ["-p", "unrecorded"]
    path = os.pathsep.join([str(ROOT), str(Path(__file__).parent)])
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.monotonic()
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, "PYTHONPATH": path}, capture_output=True, check=False
    )
    wall = time.monotonic() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise SystemExit(done.stdout.decode(errors="replace"))
    return wall, after.ru_utime + after.ru_stime - used.ru_utime - used.ru_stime


def percent(recorded: Sequence[float], plain: Sequence[float]) -> tuple[float, float, float]:
    """Median and quartiles of what each pair costs, in per cent of its plain run."""
    extra = [(a / b - 1) * 100 for a, b in zip(recorded, plain, strict=True)]
    low, middle, high = statistics.quantiles(extra, n=4)
    return middle, low, high


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=20)
    parser.add_argument("--board", default="virtual-nano33ble")
    parser.add_argument("--model", default="hello_sine")
    given = parser.parse_args()
    times: dict[bool, list[tuple[float, float]]] = {True: [], False: []}
    with virtual_boards(), tempfile.TemporaryDirectory(prefix="hil-overhead-") as reports:
        run(given.model, given.board, reports, recorded=True)  # builds and flashes
        for number in range(given.pairs):
            for recorded in (True, False) if number % 2 else (False, True):
                times[recorded].append(run(given.model, given.board, reports, recorded=recorded))
    rows, worst = [], 0.0
    for column, name in enumerate(("wall", "CPU")):
        ordinary, plain = ([pair[column] for pair in times[kind]] for kind in (True, False))
        middle, low, high = percent(ordinary, plain)
        worst = middle if name == "wall" else worst
        seconds = [f"{statistics.median(each):.3f} s" for each in (plain, ordinary)]
        rows.append((name, *seconds, f"{middle:+.1f} %", f"{low:+.1f} to {high:+.1f} %"))
    print(f"{given.pairs} pairs, {given.board} with {given.model}, suites {' '.join(_SUITES)}")
    print_table(("time", "plain", "ordinary", "extra, median", "quartiles"), rows)
    raise SystemExit(1 if worst > LIMIT else 0)


if __name__ == "__main__":
    main()
