"""Latency of a model on a board, where this bench has measured it; never a guess elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from hil.board import Board
from hil.errors import SetupError
from hil.forecast import NoForecast
from hil.model import Model
from hil.report.record import Record
from hil.results_file import read_results
from hil.tflm import TflmSource


@dataclass(frozen=True)
class LatencyForecast:
    """Time of one inference in ``unit`` ("us" or "instructions", as in records), with its range."""

    value: float
    low: float
    high: float
    unit: str
    basis: str


def latency_forecast(
    model: Model, board: Board, tflm: TflmSource, reports: Path | None
) -> LatencyForecast | NoForecast:
    """What a run on this board, this TFLM and this very model measured last.

    ``reports`` is the folder of reports; its latest results are read.
    """
    records = list(_records(board, tflm, reports))
    for record in records:
        latency = record.latency
        if record.model_sha256 == model.sha256 and latency is not None:
            return LatencyForecast(
                latency.median, latency.min, latency.max, latency.unit, "measured in the last run"
            )
    return NoForecast("this bench has not measured it on this board")


def _records(board: Board, tflm: TflmSource, reports: Path | None) -> Iterator[Record]:
    """Records of the last run with the board, its options and the TFLM as they are now."""
    if reports is None:
        return
    try:
        results = read_results(reports / "latest" / "results.json")
    except SetupError:
        return
    for record in results.records:
        firmware = record.firmware
        known = firmware and (firmware.fqbn, firmware.tflm.digest, record.sketch)
        if known == (board.full_fqbn, tflm.digest, "hil_runner"):
            yield record
