"""A `CheckResult` as text for people and as plain values for programs."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterator
from typing import Any

from hil.check import BoardCheck, CheckResult, Fit
from hil.errors import SetupError
from hil.forecast import Forecast, NoForecast
from hil.latency_forecast import LatencyForecast
from hil.model import Model, TensorSpec

_WIDTH = 96


def render(result: CheckResult) -> str:
    """Text of several lines: the model, then each board with its verdict."""
    lines = [*_model(result.model)]
    lines += [*_faults(result.findings), *_notes(result.warnings)]
    for board in result.boards:
        lines += ["", *_board(board)]
    for reason in dict.fromkeys(result.skipped.values()):
        names = [name for name, why in result.skipped.items() if why == reason]
        lines += ["", *_wrapped("skipped", f"{', '.join(names)}: {reason}")]
    return "\n".join(lines)


def _model(model: Model) -> Iterator[str]:
    yield (
        f"{model.name}: {len(model.data):,} bytes, schema version {model.schema_version}, "
        f"{len(model.tensors)} tensors, {len(model.ops)} operators"
    )
    for what, specs in (("input", model.inputs), ("output", model.outputs)):
        for spec in specs:
            yield f"  {what:9} {spec.name!r} {spec}{_scale(spec)}"
    counts = Counter((op.opcode, op.version) for op in (*model.ops, *model.further_ops))
    ops = ", ".join(f"{n} {name} v{version}" for (name, version), n in sorted(counts.items()))
    yield from _wrapped("operators", ops)


def _scale(spec: TensorSpec) -> str:
    if not spec.scales:
        return ""
    zero = spec.zero_points[0] if spec.zero_points else 0
    return f", scale {spec.scales[0]:.6g}, zero point {zero}"


def _board(board: BoardCheck) -> Iterator[str]:
    if board.problem is not None or board.tflm is None:
        yield f"{board.board}: NOT JUDGED"
        yield from _wrapped("set-up", str(board.problem).replace("\n", " "))
        return
    tflm = board.tflm
    yield f"{board.board}: {verdict(board)}"
    yield from _wrapped("TFLM", f"{tflm.version}, era {tflm.era}, {tflm.kernels} kernels")
    for name, fit in (("arena", board.arena), ("flash", board.flash)):
        if fit is not None:
            yield from _wrapped(name, _fit(fit))
    if board.latency is not None:
        yield from _wrapped("latency", _latency(board.latency))
    yield from _faults(board.findings)
    yield from _notes(board.warnings)


def verdict(board: BoardCheck) -> str:
    """FAULT, or the worst of what the forecasts say."""
    if board.findings:
        return "FAULT: " + ", ".join(dict.fromkeys(finding.code for finding in board.findings))
    given = {fit.verdict for fit in (board.arena, board.flash) if fit is not None}
    return next((v for v in ("may not fit", "unknown") if v in given), "fits").upper()


def _fit(fit: Fit) -> str:
    if isinstance(fit.forecast, NoForecast):
        return f"no forecast: {fit.forecast.reason} (there are {fit.limit:,} bytes)"
    seen = fit.forecast
    span = f" ({seen.low:,} to {seen.high:,})" if seen.low != seen.high else ""
    return f"{seen.value:,}{span} of {fit.limit:,} bytes: {fit.verdict}; {seen.basis}"


def _latency(seen: LatencyForecast | NoForecast) -> str:
    if isinstance(seen, NoForecast):
        return f"no forecast: {seen.reason}"
    unit = "instructions" if seen.unit == "instructions" else "us"
    span = f" ({seen.low:,.0f} to {seen.high:,.0f})" if seen.low != seen.high else ""
    return f"{seen.value:,.0f}{span} {unit}; {seen.basis}"


def _faults(findings: tuple[Any, ...]) -> Iterator[str]:
    for finding in findings:
        yield from _wrapped("fault", f"{finding.code}: {finding.message}")


def _notes(warnings: tuple[str, ...]) -> Iterator[str]:
    for warning in warnings:
        yield from _wrapped("note", warning)


def _wrapped(name: str, text: str) -> list[str]:
    return textwrap.wrap(
        text, _WIDTH, initial_indent=f"  {name:9} ", subsequent_indent=" " * 12,
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip


# --- for programs


def to_json(result: CheckResult) -> dict[str, Any]:
    """The same as plain values; sizes in bytes, codes as in results.json."""
    model = result.model
    return {
        "model": {
            "name": model.name,
            "path": str(model.path),
            "sha256": model.sha256,
            "bytes": len(model.data),
            "schema_version": model.schema_version,
            "ops": [{"op": name, "version": version} for name, version in model.op_versions()],
            "inputs": [_spec(spec) for spec in model.inputs],
            "outputs": [_spec(spec) for spec in model.outputs],
        },
        "exit_code": result.exit_code,
        "findings": [_finding(finding) for finding in result.findings],
        "warnings": list(result.warnings),
        "boards": {board.board: _board_json(board) for board in result.boards},
        "skipped": dict(result.skipped),
    }


def error_json(error: SetupError, exit_code: int) -> dict[str, Any]:
    """A file that cannot be judged, in the same frame."""
    return {
        "exit_code": exit_code,
        "error": {
            "code": error.code,
            "message": error.message,
            "problems": list(error.problems),
            "next": error.hint,
        },
    }


def _spec(spec: TensorSpec) -> dict[str, Any]:
    return {
        "name": spec.name,
        "dtype": spec.dtype,
        "shape": list(spec.shape),
        "scale": list(spec.scales),
        "zero_point": list(spec.zero_points),
    }


def _finding(finding: Any) -> dict[str, Any]:
    return {
        "code": finding.code,
        "message": finding.message,
        "suite": finding.suite,
        "numbers": dict(finding.numbers),
    }


def _board_json(board: BoardCheck) -> dict[str, Any]:
    if board.problem is not None or board.tflm is None:
        return error_json(board.problem, 4) if board.problem else {}
    tflm = board.tflm
    return {
        "verdict": verdict(board),
        "tflm": {"version": tflm.version, "era": tflm.era, "kernels": tflm.kernels,
                 "digest": tflm.digest},
        "findings": [_finding(finding) for finding in board.findings],
        "warnings": list(board.warnings),
        "arena": _fit_json(board.arena),
        "flash": _fit_json(board.flash),
        "latency": _figure(board.latency),
    }  # fmt: skip


def _fit_json(fit: Fit | None) -> dict[str, Any] | None:
    return None if fit is None else {
        "limit": fit.limit, "verdict": fit.verdict, **(_figure(fit.forecast) or {})
    }  # fmt: skip


def _figure(seen: Forecast | LatencyForecast | NoForecast | None) -> dict[str, Any] | None:
    return None if seen is None else dict(vars(seen))
