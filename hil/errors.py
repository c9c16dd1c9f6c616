"""Every error that the harness can raise, and the codes that its records carry.

::

    HilError                     something stopped a trial; has a code, numbers and a next step
    ├── SetupError               known before any board is touched        -> exit 4
    ├── BenchError               the bench, not the model, is at fault    -> pytest ERROR, exit 10
    └── ProductError             the model or firmware is at fault        -> pytest FAILED, exit 1

A verdict that does not stop a trial is a `Finding`: the same code and numbers, as a value.
The table of codes is `CODES`; a code that is not in it cannot be raised or recorded.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """Who has to act on a code: the model's owner, the bench's keeper, or whoever typed it."""

    PRODUCT = "product"
    BENCH = "bench"
    SETUP = "setup"


_PRODUCT = (
    "parity",
    "accuracy",
    "nondeterministic",
    "model_corrupt",
    "schema_mismatch",
    "missing_op",
    "unsupported_type",
    "unsupported_quantisation",
    "arena_overflow",
    "arena_misaligned",
    "model_misaligned",
    "flash_overflow",
    "ram_overflow",
    "latency",
    "arena_over_budget",
    "stack_over_budget",
    "flash_over_budget",
    "crash",
    "hang",
    "regression",
    "assertion",
    "certificate",
)
_BENCH = (
    "port_absent",
    "port_lost",
    "flash_failed",
    "no_answer",
    "wire",
    "clock",
    "stack_unknown",
    "protocol_version",
    "stale_firmware",
    "wrong_model",
    "wrong_board",
    "board_busy",
    "reference_died",
    "reference_wrong",
    "baseline_stale",
)
_SETUP = (
    "boards_yaml",
    "model_file",
    "baseline_file",
    "results_file",
    "toolchain_missing",
    "build_failed",
    "signing",
)

CODES: Mapping[str, Kind] = {
    **dict.fromkeys(_PRODUCT, Kind.PRODUCT),
    **dict.fromkeys(_BENCH, Kind.BENCH),
    **dict.fromkeys(_SETUP, Kind.SETUP),
}
"""Every code and who has to act on it."""


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong, as a value: what a record lists.

    ``numbers`` holds the figures of the message under stable names (bytes, ticks, counts), so
    that a test or a dashboard never has to read prose.
    """

    code: str
    message: str
    suite: str = ""
    numbers: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.code not in CODES:
            raise ValueError(f"unknown code {self.code!r}; add it to hil.errors first")

    @property
    def kind(self) -> Kind:
        return CODES[self.code]


class HilError(Exception):
    """Base of all errors of the harness.

    Args:
        code: a key of `CODES` of this class's kind.
        message: what happened, with the figures in it; one sentence or a few lines.
        board: id of the board concerned, if any.
        model: name of the model concerned, if any.
        hint: what to do next, in the imperative.
        numbers: the figures of the message under stable names.
    """

    kind: Kind

    def __init__(
        self,
        code: str,
        message: str,
        *,
        board: str | None = None,
        model: str | None = None,
        hint: str = "",
        numbers: Mapping[str, Any] | None = None,
    ) -> None:
        if CODES.get(code) is not self.kind:
            raise ValueError(f"{code!r} is not a {self.kind} code")
        super().__init__(message)
        self.code = code
        self.message = message
        self.board = board
        self.model = model
        self.hint = hint
        self.numbers: dict[str, Any] = dict(numbers or {})

    def __str__(self) -> str:
        where = " x ".join(part for part in (self.board, self.model) if part)
        head = f"{self.code}: {where}: {self.message}" if where else f"{self.code}: {self.message}"
        return f"{head}\n  next: {self.hint}" if self.hint else head

    def finding(self, suite: str = "") -> Finding:
        """The same fact as a value, for the record."""
        return Finding(self.code, self.message, suite, self.numbers)


class SetupError(HilError):
    """Bad input or a missing tool; found before any board is touched.

    ``problems`` lists every problem that was found, one line each, with its place.
    """

    kind = Kind.SETUP

    def __init__(
        self, code: str, message: str, *, problems: Sequence[str] = (), **rest: Any
    ) -> None:
        self.problems = tuple(problems)
        lines = "".join(f"\n  - {problem}" for problem in self.problems)
        super().__init__(code, message + lines, **rest)


class BenchError(HilError):
    """The bench failed: port, cable, flasher, wrong board. Never counts against a model."""

    kind = Kind.BENCH


class ProductError(HilError):
    """The firmware or the model failed. Never retried."""

    kind = Kind.PRODUCT
