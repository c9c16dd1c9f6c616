"""Records and results as a bench would leave them, for tests of what reads them."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Any

from pydantic import BaseModel

from hil.errors import Finding
from hil.report.op_parts import OpTimeRecord, ProfileRecord
from hil.report.parts import (
    AccuracyRecord,
    AttributionRecord,
    BaselineFigureRecord,
    BaselineRecord,
    FirmwareRecord,
    LatencyRecord,
    MemoryRecord,
    ParityRecord,
    TflmRecord,
    WireRecord,
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


def op_time(op: int, opcode: str, time: float) -> OpTimeRecord:
    return OpTimeRecord(
        op=op, opcode=opcode, calls=5, ticks=time / TICK, time=time, share=time / 7500, macs=1200,
        elements=48, macs_per_cycle=None, macs_per_instruction=1200 / time,
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
        profile=[op_time(0, "CONV_2D", 6000), op_time(1, "SOFTMAX", 1000)],
        profiled=ProfileRecord(
            unit="instructions", clock="emulated", whole=7500, covered=0.93, empty_ticks=16
        ),
        accuracy=AccuracyRecord(
            metric="mae", device=0.0115, host=0.0115, slack=0.0, samples=50, total=500
        ),
        memory=MemoryRecord(
            arena_needed=1520,
            flash=37360,
            model=2656,
            stack_used=1200,
            stack_size=8192,
            flash_parts={"model": 2656, "kernels": 20000, "core": 14704, "other": 0},
            ram_parts={"arena": 240000, "core": 900, "stack": 8192},
        ),
    )
    for suite in ("test_parity", "test_latency", "test_arena", "test_accuracy"):
        made.ran(suite, "passed")
    made.note(**changes)
    return made


def failure(board: str = "nano", model: str = "sine") -> Record:
    """A record with a difference that is the device's, and everything that goes with it."""
    off = ParityRecord(
        elements=1000, mismatches=30, max_abs=3.0, max_lsb=3, argmax_agreement=0.97, version="7",
        limit="|Δ| <= 0 LSB", snr_db=31.25, problems=["output 1 is missing"],
        histogram={"0": 970, "1": 29, "2": 0, "3-4": 1},
    )  # fmt: skip
    none = ParityRecord(reason="no wheel for this machine")
    steps = {"device": off, "runtime": ParityRecord(elements=1000, max_lsb=0)}
    text = "guilty: the board, its build or one of its kernels; runtime drift none"
    made = record(
        board,
        model,
        sketch="own_sketch",
        oracle_reason="because",
        tolerance_reason="none",
        parity={"tflm": off, "litert_ref": none},
        attribution=AttributionRecord(guilty="device", text=text, steps=steps),
        device={
            "unit": "00:11",
            "tflm": "2020",
            "ticks_per_s": 64_000_000,
            "more": ["a", {"b": 1}],
        },
        device_log="hello\r\nDidn't find op\n",
        wire=WireRecord(resent=2, overruns=1),
        baseline=BaselineRecord(
            state="worse",
            text="beside the baseline of c0ffee",
            changed={"core": ("qemu-7", "qemu-8")},
            figures={
                "flash": BaselineFigureRecord(before=1, now=2, limit=1, unit="B", state="worse"),
                "latency": BaselineFigureRecord(state="not_judged", why="not measured"),
            },
        ),
    )
    numbers = {"mismatches": 30, "pc": 0x2000_1234, "words": ["a", "b"], "where": "output 0"}
    made.add(Finding("parity", "30 of 1,000 elements differ\n  vector 3", "test_parity", numbers))
    made.add(Finding("port_lost", "the port vanished", "test_latency"))
    return made


def results(*records: Record, **changes: Any) -> Results:
    made = Results(started="2026-01-01T00:00:00+00:00", commit="0" * 12, records=list(records))
    return made.model_copy(update=changes)


Write = Callable[[str], str]
"""Makes the text of a place, such as ".records.0.board"."""


CHECKED = (LatencyRecord, ProfileRecord)
"""Parts whose unit is checked when results are read."""


def rewritten(value: Any, write: Write, place: str = "") -> Any:
    """The value with every text in it, names of entries too, replaced by that of its place."""
    if isinstance(value, BaseModel):
        for name in type(value).model_fields:
            if name != "unit" or type(value) not in CHECKED:
                setattr(value, name, rewritten(getattr(value, name), write, f"{place}.{name}"))
        return value
    if isinstance(value, dict):
        keys = [f"{place}.{index}" for index in range(len(value))]
        items = zip(keys, value.values(), strict=True)
        return {write(f"{key}.key"): rewritten(each, write, key) for key, each in items}
    if isinstance(value, list | tuple):
        return [rewritten(each, write, f"{place}.{i}") for i, each in enumerate(value)]
    return write(place) if isinstance(value, str) and not isinstance(value, StrEnum) else value
