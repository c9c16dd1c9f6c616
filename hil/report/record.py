"""The record of one board and one model: what a run found, ready to be written.

The classes are the published schema of results.json (docs/results.schema.json).
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from enum import StrEnum
from typing import Any

from pydantic import Field

from hil.attribution import Attribution
from hil.errors import CODES, Finding, Kind
from hil.firmware import Firmware
from hil.report.op_parts import DivergenceRecord, OpTimeRecord, ProfileRecord
from hil.report.parts import (
    AccuracyRecord,
    AttributionRecord,
    BaselineRecord,
    FailingRecord,
    FindingRecord,
    FirmwareRecord,
    LatencyRecord,
    MemoryRecord,
    ParityRecord,
    Part,
    TflmRecord,
    WireRecord,
)

SCHEMA_VERSION = 1
"""Version of results.json; a change that a reader could trip over raises it."""

RECORDS = threading.RLock()
"""One lock for all records: a thread a board writes them, another saves them all."""


class Verdict(StrEnum):
    """What a run says of one board and model."""

    PASS = "pass"
    FAIL = "fail"
    BENCH_FAULT = "bench_fault"
    NOT_RUN = "not_run"


class Record(Part):
    """Everything that a run says of one board and one model.

    ``vectors`` is a digest of the inputs of parity and latency.
    """

    board: str
    model: str
    sketch: str = "hil_runner"
    model_sha256: str = ""
    vectors: str = ""
    oracle: str = ""
    oracle_version: str = ""
    oracle_reason: str = ""
    tolerance_reason: str = ""
    firmware: FirmwareRecord | None = None
    verdict: Verdict = Verdict.NOT_RUN
    findings: list[FindingRecord] = Field(default_factory=list)
    suites: dict[str, str] = Field(default_factory=dict)
    parity: dict[str, ParityRecord] = Field(default_factory=dict)
    attribution: AttributionRecord | None = None
    divergence: DivergenceRecord | None = None
    failing: FailingRecord | None = None
    latency: LatencyRecord | None = None
    profile: list[OpTimeRecord] = Field(default_factory=list)
    profiled: ProfileRecord | None = None
    accuracy: AccuracyRecord | None = None
    baseline: BaselineRecord | None = None
    memory: MemoryRecord = Field(default_factory=MemoryRecord)
    wire: WireRecord = Field(default_factory=WireRecord)
    flashed: bool = False
    device: dict[str, Any] = Field(default_factory=dict)
    device_log: str = ""

    def add(self, finding: Finding) -> None:
        """Adds a finding once; the same fact met again by another suite changes nothing."""
        entry = FindingRecord(
            suite=finding.suite,
            code=finding.code,
            message=finding.message,
            numbers=dict(finding.numbers),
        )
        with RECORDS:
            if (entry.code, entry.message) not in {(f.code, f.message) for f in self.findings}:
                self.findings.append(entry)
            self._settle()

    def ran(self, suite: str, outcome: str) -> None:
        """Notes that a suite came to an end: "passed", "failed", "error" or "skipped"."""
        with RECORDS:
            self.suites[suite] = worst_outcome([self.suites.get(suite, outcome), outcome])
            self._settle()

    def _settle(self) -> None:
        self.verdict = self.follows

    @property
    def follows(self) -> Verdict:
        """The verdict that follows from what is known: any product fault fails, else any bench
        fault, else whether something passed. KeyError: a finding's code is unknown."""
        kinds = {CODES[finding.code] for finding in self.findings}
        if Kind.PRODUCT in kinds or "failed" in self.suites.values():
            return Verdict.FAIL
        if kinds or "error" in self.suites.values():
            return Verdict.BENCH_FAULT
        return Verdict.PASS if "passed" in self.suites.values() else Verdict.NOT_RUN

    def note(self, **fields: Any) -> None:
        """Sets fields of the record."""
        _set(self, fields)

    def board_facts(self) -> dict[str, Any]:
        """What the figures of this record were measured on."""
        return {
            "board": self.board,
            "model": self.model,
            "unit": self.device.get("unit", ""),
            "firmware": self.firmware.digest if self.firmware else "",
        }

    def note_memory(self, **fields: int | None | dict[str, int]) -> None:
        """Sets figures of ``memory``, in bytes."""
        _set(self.memory, fields)

    def note_wire(self, **fields: int) -> None:
        """Sets counts of ``wire``."""
        _set(self.wire, fields)

    def note_parity(self, engine: str, parity: ParityRecord) -> None:
        """Sets the comparison with one engine."""
        with RECORDS:
            self.parity[engine] = parity

    def note_attribution(self, attribution: Attribution) -> None:
        """Sets whose fault a difference is."""
        steps = {name: ParityRecord(**p.record()) for name, p in attribution.steps.items()}
        made = AttributionRecord(guilty=attribution.guilty, text=attribution.text, steps=steps)
        self.note(attribution=made)

    def took(self, firmware: Firmware) -> None:
        """Notes the firmware that was built."""
        built = FirmwareRecord(
            build_id=firmware.build_id,
            digest=firmware.digest,
            fqbn=firmware.fqbn,
            sketch=firmware.sketch,
            compiler=firmware.compiler,
            flags=firmware.flags,
            elf=str(firmware.elf),
            extra_ops=list(firmware.extra_ops),
            tflm=TflmRecord(**vars(firmware.tflm)),
        )
        self.note(firmware=built)
        self.note_memory(
            data=firmware.data,
            bss=firmware.bss,
            flash=firmware.flash,
            model=firmware.model,
            arena_cap=firmware.arena_cap,
            flash_parts=dict(firmware.flash_parts),
            ram_parts=dict(firmware.ram_parts),
        )


def _set(part: Part, fields: dict[str, Any]) -> None:
    with RECORDS:
        for name, value in fields.items():
            setattr(part, name, value)


def worst_outcome(outcomes: Iterable[str]) -> str:
    """ "failed" beats "error" beats "passed" beats "skipped"."""
    order = ("failed", "error", "passed", "skipped")
    given = set(outcomes)
    return next((name for name in order if name in given), "skipped")


class Results(Part):
    """results.json: one record for every selected board and model.

    ``commit`` is what the project under test was checked out at, 12 hex digits ("" if unknown);
    ``dirty`` says that tracked files differed from it.
    """

    schema_version: int = SCHEMA_VERSION
    started: str
    finished: str | None = None
    interrupted: bool = False
    commit: str = ""
    dirty: bool = False
    host: dict[str, str] = Field(default_factory=dict)
    command: list[str] = Field(default_factory=list)
    exit_code: int | None = None
    records: list[Record] = Field(default_factory=list)
