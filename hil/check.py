"""Does a model fit a board? Answered from its file in seconds; no board is touched.

`check_model` returns a `CheckResult`: facts, findings (product faults that are certain), warnings
(what may go wrong, or could not be told), and forecasts with their ranges beside the limits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from hil.board import Board
from hil.custom_ops import custom_kernels
from hil.engine_process import EngineRefused
from hil.errors import BenchError, Finding, SetupError
from hil.forecast import (
    Forecast,
    NoForecast,
    arena_forecast,
    arena_room,
    flash_forecast,
)
from hil.host_arena import HostArena, host_arena
from hil.latency_forecast import LatencyForecast, latency_forecast
from hil.model import Model, load_vectors
from hil.model_warnings import aborting_adds, model_warnings
from hil.past_builds import PastBuilds, past_builds
from hil.support import check_support
from hil.tflm import TflmSource, resolve_tflm

SCHEMA = 3
"""Version of TensorFlow Lite's schema that every TFLM reads (TFLITE_SCHEMA_VERSION)."""

HOST_S = 20.0
"""Seconds that TFLM on the host may take to plan; past that there is no figure of it."""

EXIT_FITS, EXIT_FAULT, EXIT_SETUP = 0, 1, 4


@dataclass(frozen=True)
class Fit:
    """A forecast in bytes against what there is; ``budget`` is the limit's name."""

    forecast: Forecast | NoForecast
    limit: int

    @property
    def verdict(self) -> str:
        """ "fits", "may not fit" (the limit lies in the range), "does not fit" or "unknown"."""
        if isinstance(self.forecast, NoForecast):
            return "unknown"
        if self.forecast.low > self.limit:
            return "does not fit"
        return "fits" if self.forecast.high <= self.limit else "may not fit"


@dataclass(frozen=True)
class BoardCheck:
    """What is known of the model on one board. ``problem`` is a set-up fault: nothing else is."""

    board: str
    tflm: TflmSource | None = None
    findings: tuple[Finding, ...] = ()
    warnings: tuple[str, ...] = ()
    arena: Fit | None = None
    flash: Fit | None = None
    latency: LatencyForecast | NoForecast | None = None
    problem: SetupError | None = None


@dataclass(frozen=True)
class CheckResult:
    """What is known of a model. ``findings`` and ``warnings`` are those of the file itself."""

    model: Model
    findings: tuple[Finding, ...] = ()
    warnings: tuple[str, ...] = ()
    boards: tuple[BoardCheck, ...] = ()
    skipped: Mapping[str, str] = field(default_factory=dict)

    @property
    def every_finding(self) -> tuple[Finding, ...]:
        return (*self.findings, *(f for board in self.boards for f in board.findings))

    @property
    def exit_code(self) -> int:
        """0: nothing speaks against it; 1: a product fault; 4: a board could not be judged."""
        if self.every_finding:
            return EXIT_FAULT
        return EXIT_SETUP if any(board.problem for board in self.boards) else EXIT_FITS


def check_model(
    model: Model, boards: Sequence[Board], *, reports: Path | None = None
) -> CheckResult:
    """Checks a model that was read against boards, which are not touched.

    ``reports`` is a folder whose latest results are asked for measured latencies.

    Raises:
        SetupError: model_file, if the model's vectors or the libraries of its custom operators
            cannot be used.
    """
    load_vectors(model)
    custom_kernels(model)
    with ThreadPoolExecutor(1) as pool:
        host = pool.submit(_host, model)
        checks = tuple(_on_board(model, board, host, reports) for board in boards)
        said = _host_warning(host.result())
    return CheckResult(model, tuple(_schema(model)), (*model_warnings(model), *said), checks)


def _schema(model: Model) -> list[Finding]:
    if model.schema_version == SCHEMA:
        return []
    return [
        Finding(
            "schema_mismatch",
            f"schema version {model.schema_version}; TFLM reads version {SCHEMA}: convert with a "
            "current TensorFlow",
            "check",
            {"model": model.schema_version, "supported": SCHEMA},
        )
    ]


def _host(model: Model) -> HostArena | EngineRefused | BenchError:
    try:
        return host_arena(model, timeout=HOST_S)
    except BenchError as error:
        return error


def _planned(host: Future[HostArena | EngineRefused | BenchError]) -> HostArena | None:
    found = host.result()
    return found if isinstance(found, HostArena) else None


def _host_warning(host: HostArena | EngineRefused | BenchError) -> list[str]:
    """What TFLM of today on this host says against the model; that it is absent is no fault."""
    if isinstance(host, BenchError):
        return [f"TFLM on this host: {host.message.splitlines()[0]}"]
    if isinstance(host, EngineRefused) and host.installed:
        return [f"TFLM of today (on this host) refuses it: {host.reason}"]
    return []


def _on_board(
    model: Model,
    board: Board,
    host: Future[HostArena | EngineRefused | BenchError],
    reports: Path | None,
) -> BoardCheck:
    try:
        tflm = resolve_tflm(board.tflm)
    except SetupError as error:
        return BoardCheck(board.id, problem=error)
    built = past_builds(board, tflm)
    room = arena_room(board, tflm, built)
    arena = Fit(
        arena_forecast(model, tflm, lambda: _planned(host)), model.card.arena_bytes or room.high
    )
    flash = Fit(flash_forecast(model, board, tflm, built), board.flash)
    found = [*check_support(model, tflm.ops, tflm.era)]
    if model.card.arena_bytes and model.card.arena_bytes > room.high:
        found.append(_too_large("ram_overflow", "arena that model.yaml gives",
                                model.card.arena_bytes, room.high))  # fmt: skip
    found += _overflows(model, board.id, arena, flash)
    aborts, warnings = _aborts(model, tflm, built)
    return BoardCheck(
        board=board.id,
        tflm=tflm,
        findings=(*found, *aborts),
        warnings=tuple(warnings),
        arena=arena,
        flash=flash,
        latency=latency_forecast(model, board, tflm, reports),
    )


def _aborts(model: Model, tflm: TflmSource, built: PastBuilds) -> tuple[list[Finding], list[str]]:
    """What an assertion in a kernel does: certain where an image's flags tell, else a warning."""
    ops = aborting_adds(model, tflm.era)
    if not ops or "-DNDEBUG" in built.flags:
        return [], []
    text = (
        f"ADD (operator {', '.join(map(str, ops))}) reads a zero point of -128: TFLM of 2020 "
        "aborts there unless the board's core sets NDEBUG"
    )
    if not built.flags:
        return [], [text]
    numbers = {"op": "ADD", "operators": ops}
    return [Finding("crash", f"{text}, which it does not here", "check", numbers)], []


def _overflows(model: Model, board: str, arena: Fit, flash: Fit) -> list[Finding]:
    """What is too large even at the low end of the forecast."""
    budgets = model.card.budgets.on(board)
    judged: tuple[tuple[str, str, Fit, int | None], ...] = (
        ("arena_overflow", "arena", arena, arena.limit),
        ("flash_overflow", "flash", flash, flash.limit),
        ("arena_over_budget", "arena", arena, budgets["arena"]),
        ("flash_over_budget", "flash", flash, budgets["flash"]),
    )
    return [
        _too_large(code, what, fit.forecast.low, limit)
        for code, what, fit, limit in judged
        if isinstance(fit.forecast, Forecast) and limit is not None and fit.forecast.low > limit
    ]


_CHANGES: Mapping[str, str] = {
    "arena_overflow": "give it a larger arena, a smaller input or fewer channels, or take a larger "
    "part",
    "ram_overflow": "give less, or take a larger part",
    "flash_overflow": "prune or shrink the model, or take a larger part",
    "arena_over_budget": "shrink activations, or raise budgets.arena_bytes",
    "flash_over_budget": "shrink the model, or raise budgets.flash_bytes",
}


def _too_large(code: str, what: str, needed: int, limit: int) -> Finding:
    return Finding(
        code,
        f"{what}: at least {needed:,} bytes where there are {limit:,}; {_CHANGES[code]}",
        "check",
        {"needed": needed, "limit": limit},
    )
