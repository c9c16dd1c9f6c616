"""A certificate as `hil validate` would issue it, of figures that no board measured."""

from __future__ import annotations

from typing import Any

from made_records import record

from hil.report.certificate import (
    BoardPart,
    Certificate,
    HarnessPart,
    LimitsPart,
    ModelPart,
    ProjectPart,
    SpanPart,
    VectorsPart,
)

SUITES = dict.fromkeys(("smoke", "parity", "latency", "memory", "accuracy"), "passed")


def board(name: str = "nano", **changes: Any) -> BoardPart:
    """A board; ``changes`` go to its record."""
    made = record(name)
    made.suites = dict(SUITES)
    made.note(**changes)
    return BoardPart(id=name, fqbn="hil:cortexm:nano33ble", port="path", ram=262144, flash=983040,
                     max_latency=8000, record=made)  # fmt: skip


def certificate(*boards: BoardPart, **changes: Any) -> Certificate:
    parts: dict[str, Any] = {
        "format": "tinyml-hil certificate",
        "version": 1,
        "issued": "2026-01-01T00:00:00+00:00",
        "verdict": "pass",
        "command": ["hil", "validate", "sine.tflite"],
        "harness": HarnessPart(version="0.1.0", commit="0" * 12, dirty=False,
                               host={"numpy": "2"}, tools={"arduino-cli": "1.5.1"}),
        "project": ProjectPart(commit="", dirty=False),
        "model": ModelPart(name="sine", sha256="ab" * 32, bytes=2656, inputs=["x: int8[1,1]"],
                           outputs=["y: int8[1,1]"]),
        "vectors": VectorsPart(sha256="12" * 32, count=20, seeded=20, random=16, seed=0, data=[],
                               spans=[SpanPart(low=-128, high=127, zero=-3, source="type")]),
        "limits": LimitsPart(max_lsb=0, max_abs=1e-5, max_rel=1e-5, tolerance_reason="",
                             arena_bytes={"default": 2048}, flash_bytes=None,
                             stack_bytes={"nano": 1300}),
        "selection": ["nano"],
        "skipped": [],
        "boards": list(boards) or [board()],
        "results_sha256": "34" * 32,
        "seal": {},
    }  # fmt: skip
    return Certificate(**{**parts, **changes})
