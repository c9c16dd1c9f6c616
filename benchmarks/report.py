"""Size of the report of many records, and how long Chromium takes to open it from disk.

The records are those of a real run, repeated under other names.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path

from bench import ROOT, print_table

from hil.errors import SetupError
from hil.figures import Figure
from hil.history import Point, Series
from hil.report.html import render_page
from hil.report.record import Results
from hil.report.trends import RUNS, Trends
from hil.results_file import read_results

sys.path.insert(0, str(ROOT / "test_suites" / "harness"))
from chromium import browser, chromium  # noqa: E402

_OPENINGS = 5


def repeated(results: Results, count: int) -> Results:
    """The run with ``count`` records: the same ones again, each round on boards of its own."""
    made = []
    for index in range(count):
        turn, which = divmod(index, len(results.records))
        record = results.records[which].model_copy()
        record.board = f"{record.board}-{turn + 1}"
        made.append(record)
    return results.model_copy(update={"records": made})


def moving(results: Results) -> Trends:
    """A history in which flash and latency of every record moved in every tenth run."""
    points = [
        Point(results.started, f"{n:012x}", False, "", Figure(30_000.0 + n // 10 * 128, "B"))
        for n in range(RUNS)
    ]
    return {
        Series(record.board, record.model, name): points
        for record in results.records
        for name in ("flash", "latency")
    }


def opening(page: Path) -> tuple[float, float]:
    """Milliseconds of one opening: from navigation to the frame after the load event, and what the
    page's main thread computed until then, which another process on the machine does not change."""
    with browser() as opened:
        opened.look(1280, 900)
        opened.call("Performance.enable", timeDomain="threadTicks")
        opened.open(page.as_uri())
        shown = opened.ask(
            "new Promise(done => requestAnimationFrame(() => requestAnimationFrame("
            "() => done(performance.now()))))"
        )
        metrics = opened.call("Performance.getMetrics")["metrics"]
    computed = next(m["value"] for m in metrics if m["name"] == "TaskDuration")
    return float(shown), 1000 * computed


def measured(name: str, results: Results, trends: Trends, folder: Path) -> tuple[str, ...]:
    started = time.perf_counter()
    text = render_page(results, trends)
    rendered = time.perf_counter() - started
    page = folder / "index.html"
    page.write_text(text, encoding="utf-8")
    row = (name, f"{len(text.encode()) / 1e6:.2f} MB", f"{rendered:.2f} s")
    if chromium() is None:
        return (*row, "no Chromium", "", "")
    shown, computed = zip(*(opening(page) for _ in range(_OPENINGS)), strict=True)
    times = (statistics.median(shown), max(shown), statistics.median(computed))
    return (*row, *(f"{each:.0f} ms" for each in times))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    default = ROOT / "reports" / "latest" / "results.json"
    parser.add_argument("results", type=Path, nargs="?", default=default)
    parser.add_argument("--count", type=int, default=500)
    given = parser.parse_args()
    real = read_results(given.results)
    many = repeated(real, given.count)
    with tempfile.TemporaryDirectory(prefix="hil-report-") as folder:
        rows = [
            measured(f"{len(real.records)}, as they are", real, {}, Path(folder)),
            measured(f"{given.count}", many, {}, Path(folder)),
            measured(f"{given.count}, two curves each", many, moving(many), Path(folder)),
        ]
    print(f"records of {given.results}, {_OPENINGS} openings each")
    print_table(("records", "page", "made in", "opens in, median", "worst", "computing"), rows)


if __name__ == "__main__":
    try:
        main()
    except SetupError as error:
        raise SystemExit(f"{error} (`make bench` makes one)") from error
