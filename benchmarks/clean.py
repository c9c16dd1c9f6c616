"""How often does a run fail though nothing is wrong? Many clean runs of the smoke suite.

Each run is a process of its own, as a user starts it. Every tenth one finds its boards switched
off, so that it flashes them. One false failure is one too many: exit code 1.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from bench import ROOT, virtual_boards

from hil.inventory import Board
from hil.report.table import verdict_words
from hil.results_file import read_results
from hil.virtual import control
from hil.virtual.places import Place

_COLD_EVERY = 10


def smoke(board: str, model: str, reports: Path) -> tuple[float, str]:
    """Wall seconds of a run, and what it came to ("" if all passed)."""
    command = [sys.executable, "-m", "pytest", "test_suites/smoke", "-q", "-p", "no:cacheprovider"]
    command += ["--board", board, "--model", model, "--reports", str(reports)]
    started = time.monotonic()
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    taken = time.monotonic() - started
    return taken, "" if done.returncode == 0 else _words(done, reports)


def _words(done: subprocess.CompletedProcess[str], reports: Path) -> str:
    path = reports / "latest" / "results.json"
    records = read_results(path).records if path.is_file() else []
    found = {verdict_words(record) for record in records if record.verdict != "pass"}
    last = "; ".join(done.stdout.strip().splitlines()[-3:])
    return f"exit code {done.returncode}: {', '.join(sorted(found)) or last}"


def switch_off(boards: tuple[Board, ...]) -> None:
    for board in boards:
        control.stop(Place(Path(board.port)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--board", default="tag:virtual")
    parser.add_argument("--model", default="hello_sine")
    given = parser.parse_args()
    times, faults = [], Counter[str]()
    with virtual_boards() as boards, tempfile.TemporaryDirectory(prefix="hil-clean-") as reports:
        smoke(given.board, given.model, Path(reports))  # builds what is not built
        for number in range(given.count):
            if number % _COLD_EVERY == 0:
                switch_off(boards)
            taken, fault = smoke(given.board, given.model, Path(reports))
            times.append(taken)
            if fault:
                faults[fault] += 1
                print(f"run {number + 1}: {fault}", flush=True)
    print(
        f"{given.count} clean runs of smoke on {given.board} with {given.model}: "
        f"{faults.total()} false failures; a run took {statistics.median(times):.1f} s (median), "
        f"{max(times):.1f} s (longest)"
    )
    raise SystemExit(1 if faults else 0)


if __name__ == "__main__":
    main()
