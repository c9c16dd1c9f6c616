"""From a run to its certificate: collects what was judged, and refuses what did not pass."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hil import arduino
from hil.bench_run import BenchRun
from hil.board import Board, usb_parts
from hil.card import Limit
from hil.driven import Driven
from hil.model import Model
from hil.parity import Tolerance
from hil.report.certificate import (
    CERTIFICATE_VERSION,
    BoardPart,
    Certificate,
    DataPart,
    HarnessPart,
    LimitsPart,
    ModelPart,
    ProjectPart,
    SkippedPart,
    SpanPart,
    VectorsPart,
    faults,
    sealed,
)
from hil.report.record import Record, Verdict
from hil.report.writer import now
from hil.revision import checkout_revision, harness_version
from hil.trial import Trial


def sha256_of(path: Path) -> str:
    """64 hex digits over a file's bytes."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def obstacles(run: BenchRun, driven: Driven, selection: Sequence[str]) -> list[str]:
    """Why a run cannot be certified, board by board; empty if it can."""
    if not run.trials:
        return ["no board is present in the selection"]
    records = [trial.record for trial in run.trials.values()]
    reasons = [f"{r.board}: {_words(r)}" for r in records if r.verdict != Verdict.PASS]
    return reasons or faults(draft(run, driven, selection))


def _words(record: Record) -> str:
    codes = ", ".join(dict.fromkeys(finding.code for finding in record.findings))
    return f"{record.verdict.value.replace('_', ' ')}{f' ({codes})' if codes else ''}"


def draft(run: BenchRun, driven: Driven, selection: Sequence[str]) -> Certificate:
    """The certificate of a run, not yet sealed; whether it is a pass, `faults` tells."""
    trials = list(run.trials.values())
    model = trials[0].model
    return Certificate.model_construct(
        format="tinyml-hil certificate",
        version=CERTIFICATE_VERSION,
        issued=now(),
        verdict="pass",
        command=run.results.command,
        harness=_harness(run),
        project=ProjectPart(commit=run.results.commit, dirty=run.results.dirty),
        model=_model(model),
        vectors=_vectors(driven),
        limits=_limits(model),
        selection=list(selection) or ["all"],
        skipped=[SkippedPart(board=board.id, reason=why) for board, why in run.plan.skipped],
        boards=[_board(trial) for trial in trials],
    )


def issue(drafted: Certificate, results: Path) -> bytes:
    """A draft without `faults`, sealed to the results.json beside it, in canonical form."""
    data = sealed(drafted.model_copy(update={"results_sha256": sha256_of(results), "seal": {}}))
    Certificate.model_validate_json(data, strict=True)
    return data


def _harness(run: BenchRun) -> HarnessPart:
    at = checkout_revision()
    return HarnessPart(
        version=harness_version(),
        commit=at.commit,
        dirty=at.dirty,
        host=dict(run.results.host),
        tools={"arduino-cli": arduino.version()},
    )


def _model(model: Model) -> ModelPart:
    card = model.folder / "model.yaml" if model.folder else None
    return ModelPart(
        name=model.name,
        sha256=model.sha256,
        bytes=len(model.data),
        inputs=[f"{spec.name}: {spec}" for spec in model.inputs],
        outputs=[f"{spec.name}: {spec}" for spec in model.outputs],
        card_sha256=sha256_of(card) if card else "",
    )


def _vectors(driven: Driven) -> VectorsPart:
    return VectorsPart(
        sha256=hashlib.sha256(driven.npz()).hexdigest(),
        count=len(driven.vectors),
        seeded=driven.seeded,
        random=driven.random,
        seed=driven.seed,
        spans=[SpanPart(**vars(span)) for span in driven.spans],
        data=[DataPart(name=path.name, sha256=sha256_of(path)) for path in driven.files],
    )


def _limits(model: Model) -> LimitsPart:
    tolerance, budgets = Tolerance.of(model.card.tolerance), model.card.budgets
    return LimitsPart(
        max_lsb=tolerance.max_lsb,
        max_abs=tolerance.max_abs,
        max_rel=tolerance.max_rel,
        tolerance_reason=tolerance.reason,
        arena_bytes=_plain(budgets.arena_bytes),
        flash_bytes=_plain(budgets.flash_bytes),
        stack_bytes=_plain(budgets.stack_bytes),
    )


def _plain(limit: Limit | None) -> dict[str, int] | None:
    return dict(limit) if limit else None


def _board(trial: Trial) -> BoardPart:
    board = trial.board
    return BoardPart(
        id=board.id,
        fqbn=board.full_fqbn,
        port=_port(board),
        ram=board.ram,
        flash=board.flash,
        max_latency=_max_latency(trial),
        record=trial.record,
    )


def _port(board: Board) -> str:
    """A USB port is the board's own name; a path or an address says where the bench is."""
    if usb_parts(board.port):
        return board.port
    scheme, separator, _ = board.port.partition("://")
    return scheme if separator else "path"


def _max_latency(trial: Trial) -> float | int | None:
    latency, limits = trial.record.latency, trial.model.card.latency
    if latency is None:
        return None
    of: Mapping[str, Any] = limits.max_ms if latency.unit == "us" else limits.max_instructions
    limit: float | int | None = of.get(trial.board.id)
    return limit
