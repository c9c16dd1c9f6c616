"""Round trips between host and board: a ping, and one inference of hello_sine."""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

from bench import ROOT, print_table, virtual_boards

from hil.model import load_model
from hil.trial import Trial

_WARM_UPS = 20


def round_trips(work: Callable[[], object], count: int) -> list[float]:
    """Milliseconds of each call, sorted."""
    for _ in range(_WARM_UPS):
        work()
    times = []
    for _ in range(count):
        started = time.perf_counter()
        work()
        times.append((time.perf_counter() - started) * 1e3)
    return sorted(times)


def words(times: list[float]) -> tuple[str, str]:
    """Median and 95th percentile."""
    return f"{statistics.median(times):.2f} ms", f"{times[int(len(times) * 0.95)]:.2f} ms"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=500)
    count = parser.parse_args().count
    model = load_model(ROOT / "models" / "hello_sine")
    rows = []
    with virtual_boards() as boards:
        for board in boards:
            with Trial(board, model) as trial:
                device, inputs = trial.load(), trial.vectors()[0].inputs
                ping = words(round_trips(device.ping, count))
                infer = words(round_trips(lambda d=device, i=inputs: d.infer(i), count))
                rows.append((board.id, *ping, *infer))
    print(f"{count} round trips each; an inference is three requests: input, run, output")
    print_table(("board", "ping median", "p95", "infer median", "p95"), rows)


if __name__ == "__main__":
    main()
