"""Records and results as a bench would leave them, for tests of what reads them."""

from __future__ import annotations

from typing import Any

from hil.report.parts import (
    AccuracyRecord,
    FirmwareRecord,
    LatencyRecord,
    MemoryRecord,
    ParityRecord,
    TflmRecord,
)
from hil.report.record import Record, Results

TICK = 2.5
"""Instructions a tick of the virtual boards' clock."""


def latency(median: float = 7500.0, unit: str = "instructions", mad: float = 0.0) -> LatencyRecord:
    clock, tick = ("emulated", TICK) if unit == "instructions" else ("dwt, 64,000,000 Hz", 1 / 64)
    return LatencyRecord(
        unit=unit, clock=clock, n=30, first=median, min=median, median=median, p95=median,
        max=median, mad=mad, tick=tick,
    )  # fmt: skip


def firmware(**changes: Any) -> FirmwareRecord:
    tflm = TflmRecord(source="crate", version="1", digest="cafe", kernels="reference")
    facts = {
        "build_id": "0123456789abcdef", "digest": "f" * 64, "fqbn": "hil:cortexm:nano33ble",
        "sketch": "hil_runner", "compiler": "g++ 12", "flags": "-Os -w", "elf": "/x.elf",
        "tflm": tflm,
    }  # fmt: skip
    return FirmwareRecord(**{**facts, **changes})


def record(board: str = "nano", model: str = "sine", **changes: Any) -> Record:
    """A record of a board on which everything was measured and is well."""
    made = Record(
        board=board,
        model=model,
        model_sha256="ab" * 32,
        oracle="tflm",
        oracle_version="7",
        firmware=firmware(),
        parity={"tflm": ParityRecord(elements=10, max_lsb=0, version="7")},
        latency=latency(),
        accuracy=AccuracyRecord(
            metric="mae", device=0.0115, host=0.0115, slack=0.0, samples=50, total=500
        ),
        memory=MemoryRecord(arena_needed=1520, flash=37360, model=2656),
    )
    for suite in ("test_parity", "test_latency", "test_arena", "test_accuracy"):
        made.ran(suite, "passed")
    made.note(**changes)
    return made


def results(*records: Record, **changes: Any) -> Results:
    made = Results(started="2026-01-01T00:00:00+00:00", commit="0" * 12, records=list(records))
    return made.model_copy(update=changes)
