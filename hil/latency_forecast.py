"""Latency of a model on a board, from what this bench has measured there; never a guess elsewhere.

A model that was measured has its own figure. Any other is the sum of its ops, each of which takes
as long for its size (MACs, or elements where it has none) as ops of its kind took in the last run:
the same operator, type, board, options and TFLM, and a size within a factor of ten. The range goes
from the fastest of them to the slowest, and `MARGIN` further; an op of which there is none leaves
no forecast.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from hil.board import Board
from hil.clock import Unit
from hil.errors import SetupError
from hil.forecast import NoForecast
from hil.macs import dtype, size
from hil.model import Model
from hil.report.record import Record
from hil.results_file import read_results
from hil.tensors import OpSpec
from hil.tflm import TflmSource

SIMILAR = 10
"""By what factor the size of a measured op may differ: a small op is mostly its own overhead."""

MARGIN = 1.2
"""By what factor a model may lie outside what its ops say. With each reference model left out in
turn, the widest miss was a factor of 1.18 (`make bench-forecast`, docs/measurements.md)."""

Kind = tuple[str, str]
"""Operator and type."""


@dataclass(frozen=True)
class LatencyForecast:
    """Time of one inference in ``unit`` ("us" or "instructions", as in records), with its range."""

    value: float
    low: float
    high: float
    unit: str
    basis: str


@dataclass(frozen=True)
class Rates:
    """Measured ops by kind, each as size and time; ``models`` is how many they are of."""

    unit: Unit
    models: int
    ops: Mapping[Kind, Sequence[tuple[int, float]]]

    def similar(self, kind: Kind, wanted: int) -> list[float]:
        """Time a unit of size of the ops of a kind that are about as large."""
        return [
            time / measured
            for measured, time in self.ops.get(kind, ())
            if measured <= wanted * SIMILAR and wanted <= measured * SIMILAR
        ]


def latency_forecast(
    model: Model, board: Board, tflm: TflmSource, reports: Path | None
) -> LatencyForecast | NoForecast:
    """What the last run on this board and this TFLM says of a model.

    ``reports`` is the folder of reports; its latest results are read.
    """
    records = list(_records(board, tflm, reports))
    for record in records:
        latency = record.latency
        if record.model_sha256 == model.sha256 and latency is not None:
            return LatencyForecast(
                latency.median, latency.min, latency.max, latency.unit, "measured in the last run"
            )
    rates = rates_of(records)
    if rates is None:
        return NoForecast("this bench has not measured it on this board")
    return by_ops(model, rates)


def rates_of(records: Iterable[Record]) -> Rates | None:
    """What records say of ops; None if they say nothing. They are of one board and TFLM."""
    found: dict[Kind, list[tuple[int, float]]] = defaultdict(list)
    units: set[Unit] = set()
    models = 0
    for record in records:
        if record.profiled is None:
            continue
        models += 1
        units.add(record.profiled.unit)
        for op in record.profile:
            if op.size and op.time > 0:
                found[op.opcode, op.dtype].append((op.size, op.time))
    return Rates(units.pop(), models, found) if len(units) == 1 and found else None


def by_ops(model: Model, rates: Rates) -> LatencyForecast | NoForecast:
    """The sum over the ops of a model."""
    low = value = high = 0.0
    for op in model.ops:
        wanted = size(op, model.tensors)
        seen = rates.similar((op.opcode, dtype(op, model.tensors)), wanted)
        if not seen:
            return NoForecast(_unmeasured(model, op, wanted))
        low += wanted * min(seen)
        value += wanted * median(seen)
        high += wanted * max(seen)
    models = "a model" if rates.models == 1 else f"{rates.models} models"
    basis = f"from the ops of {models} that were measured here"
    return LatencyForecast(value, low / MARGIN, high * MARGIN, rates.unit, basis)


def _unmeasured(model: Model, op: OpSpec, wanted: int) -> str:
    kind = f"{dtype(op, model.tensors)} {op.opcode}".strip()
    return f"this bench has measured no {kind} of about the size of op {op.index} ({wanted:,})"


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
