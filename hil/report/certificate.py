"""The release certificate: what passed, on what, by which limits, made of what.

Its canonical form is JSON with sorted keys, one space of indent, ASCII only and a newline at the
end; another form of the same values is no certificate. ``seal`` has a digest for every other part,
so that an edit is told by its place; only a signature says that nobody made it anew.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, WithJsonSchema

from hil.card import limit_on
from hil.report.parts import Part
from hil.report.record import Record

CERTIFICATE_VERSION: Literal[1] = 1
"""Version of the certificate; a change that a reader could trip over raises it."""

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
_RECORD_SCHEMA = "results.schema.json#/$defs/Record"
_OneRecord = Annotated[Record, WithJsonSchema({"type": "object"})]


class HarnessPart(Part):
    """Who judged: tinyml-hil and the tools that its verdicts rest on. Compilers are in the records,
    an emulator is in what its board says of itself (``device.core``).

    ``commit`` is that of the harness's own checkout, "" for an installed package.
    """

    version: str
    commit: str
    dirty: bool
    host: dict[str, str]
    tools: dict[str, str]


class ProjectPart(Part):
    """What the project that holds the model was checked out at; see `hil.report.record.Results`."""

    commit: str
    dirty: bool


class ModelPart(Part):
    """What was judged. ``card_sha256`` is that of model.yaml, "" without one."""

    name: str
    sha256: Sha256
    bytes: int
    inputs: list[str]
    outputs: list[str]
    card_sha256: str = ""


class DataPart(Part):
    """A file of real data, by its name."""

    name: str
    sha256: Sha256


class SpanPart(Part):
    """What an input was driven over, in stored values; see `hil.cover.Span`."""

    low: float | int
    high: float | int
    zero: float | int
    source: Literal["type", "data", "assumed"]


class VectorsPart(Part):
    """The inputs that were run: ``sha256`` is that of the .npz beside the certificate."""

    sha256: Sha256
    count: int
    seeded: int
    random: int
    seed: int
    spans: list[SpanPart]
    data: list[DataPart]


class LimitsPart(Part):
    """What the figures were judged by: integers by ``max_lsb``, floats by ``max_abs + max_rel *
    |reference|``; bytes by board id, ``default`` for those that are not named; None is no limit."""

    max_lsb: int
    max_abs: float
    max_rel: float
    tolerance_reason: str
    arena_bytes: dict[str, int] | None
    flash_bytes: dict[str, int] | None
    stack_bytes: dict[str, int] | None


class BoardPart(Part):
    """One board and its record. ``port`` is usb:VID:PID[:SERIAL], else only the kind of port.

    ``max_latency`` is the limit on the median in the clock's own unit (ms, or instructions).
    """

    id: str
    fqbn: str
    port: str
    ram: int
    flash: int
    max_latency: float | int | None
    record: _OneRecord


class SkippedPart(Part):
    """A board that the selection covered and that was not run, with the reason."""

    board: str
    reason: str


class Certificate(Part):
    """certificate.json."""

    format: Literal["tinyml-hil certificate"]
    version: Literal[1]
    issued: str
    verdict: Literal["pass"]
    command: list[str]
    harness: HarnessPart
    project: ProjectPart
    model: ModelPart
    vectors: VectorsPart
    limits: LimitsPart
    selection: list[str]
    skipped: list[SkippedPart]
    boards: Annotated[list[BoardPart], Field(min_length=1)]
    results_sha256: Sha256
    seal: dict[str, Sha256]


def canonical(value: Any) -> bytes:
    """The canonical form of JSON values.

    Raises:
        ValueError: NaN or infinity in it.
    """
    text = json.dumps(value, sort_keys=True, indent=1, ensure_ascii=True, allow_nan=False)
    return (text + "\n").encode("ascii")


def seal_of(values: Mapping[str, Any]) -> dict[str, str]:
    """SHA-256 of the canonical form of every part but the seal; boards one by one."""
    return {name: hashlib.sha256(canonical(part)).hexdigest() for name, part in _parts(values)}


def _parts(values: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, part in values.items():
        if name == "boards" and isinstance(part, list):
            yield "boards", [_id_of(board) for board in part]
            for number, board in enumerate(part):
                yield f"boards/{number}/{_id_of(board)}", board
        elif name != "seal":
            yield name, part


def _id_of(board: Any) -> str:
    return str(board.get("id", "?")) if isinstance(board, Mapping) else "?"


def sealed(certificate: Certificate) -> bytes:
    """A certificate in canonical form, its seal renewed."""
    values = json.loads(certificate.model_dump_json())
    return canonical({**values, "seal": seal_of(values)})


def faults(certificate: Certificate) -> list[str]:
    """Why the content is no pass; empty if it is one. What issues a certificate and what verifies
    one asks the same."""
    problems = [
        f"{board.id}: {problem}"
        for board in certificate.boards
        for problem in _board_faults(certificate, board)
    ]
    ids = [board.id for board in certificate.boards]
    problems += [f"{name} is there twice" for name in sorted({i for i in ids if ids.count(i) > 1})]
    return problems


NEEDED = ("smoke", "parity", "latency", "memory")
"""Suites that have to have passed; accuracy may be skipped where nothing is labelled."""

SUITES = (*NEEDED, "accuracy")


def _board_faults(certificate: Certificate, board: BoardPart) -> Iterator[str]:
    record, model = board.record, certificate.model
    if record.verdict != "pass":
        yield f"verdict {record.verdict.value}"
    for finding in record.findings:
        yield f"{finding.code}: {finding.message}"
    for suite in NEEDED:
        if record.suites.get(suite) != "passed":
            yield f"{suite} {record.suites.get(suite, 'did not run')}"
    if record.suites.get("accuracy", "skipped") not in ("passed", "skipped"):
        yield f"accuracy {record.suites['accuracy']}"
    if (record.board, record.model) != (board.id, model.name):
        yield f"its record is of {record.board} and {record.model}"
    if record.model_sha256 != model.sha256:
        yield f"it ran model {record.model_sha256[:16]}, certified is {model.sha256[:16]}"
    if record.firmware is None:
        yield "no firmware in its record"
    parity = record.parity.get(record.oracle)
    if parity is None or not parity.elements or parity.mismatches or parity.problems:
        yield "its outputs were not found equal to the oracle's"
    yield from _figure_faults(certificate.limits, board)


def _figure_faults(limits: LimitsPart, board: BoardPart) -> Iterator[str]:
    """Figures against the limits, once more and from the file alone."""
    record = board.record
    latency = record.latency
    if latency is not None and board.max_latency is not None:
        median = latency.median / 1000 if latency.unit == "us" else latency.median
        if median > board.max_latency:
            yield f"latency {median:,.6g} over its limit {board.max_latency:,.6g}"
    memory = record.memory
    for name, size, limit in (
        ("arena_needed", memory.arena_needed, limit_on(limits.arena_bytes, board.id)),
        ("arena_needed", memory.arena_needed, memory.arena_given),
        ("flash", memory.flash, limit_on(limits.flash_bytes, board.id)),
        ("stack_used", memory.stack_used, limit_on(limits.stack_bytes, board.id)),
    ):
        if size is not None and limit is not None and size > limit:
            yield f"{name} {size:,} over {limit:,}"


def certificate_schema() -> dict[str, Any]:
    """The JSON Schema of certificate.json; a record is what results.schema.json says."""
    schema: dict[str, Any] = json.loads(json.dumps(Certificate.model_json_schema()))
    schema["$defs"]["BoardPart"]["properties"]["record"] = {"$ref": _RECORD_SCHEMA}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
