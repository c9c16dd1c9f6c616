"""How far the latency forecasts of `hil check` are off: each model left out in turn.

Reads the results of the last run, which has to have measured several models with their ops:
`make bench` does.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from bench import ROOT, print_table

from hil.errors import SetupError
from hil.latency_forecast import LatencyForecast, by_ops, rates_of
from hil.model import Model
from hil.report.record import Record
from hil.results_file import read_results
from hil.selection import load_models


def _row(record: Record, others: list[Record], model: Model) -> tuple[str, ...]:
    assert record.latency is not None
    real, rates = record.latency.median, rates_of(others)
    seen = by_ops(model, rates) if rates else None
    if not isinstance(seen, LatencyForecast):
        return record.board, record.model, f"{real:,.0f}", "-", seen.reason if seen else "-"
    off = (seen.value / real - 1) * 100
    span = f"{seen.low / real:.2f} to {seen.high / real:.2f}"
    inside = "" if seen.low <= real <= seen.high else "  OUTSIDE"
    return record.board, record.model, f"{real:,.0f}", f"{off:+.0f} %", span + inside


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    latest = ROOT / "reports" / "latest" / "results.json"
    parser.add_argument("--results", type=Path, default=latest)
    results = read_results(parser.parse_args().results)
    models = {model.sha256: model for model in load_models(ROOT / "models", [])}
    rows = []
    for record in results.records:
        if record.latency is None or record.model_sha256 not in models:
            continue
        others = [o for o in results.records if o.board == record.board and o is not record]
        rows.append(_row(record, others, models[record.model_sha256]))
    print_table(("board", "model", "measured", "off by", "range, of what was measured"), rows)


if __name__ == "__main__":
    try:
        main()
    except SetupError as error:
        raise SystemExit(f"{error} (`make bench` makes one)") from error
