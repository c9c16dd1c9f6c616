"""What a test's end means for its record, and how a fault reads."""

from __future__ import annotations

import pytest

from hil.errors import Finding, HilError, Kind
from hil.report.visible import visible
from hil.trial import Trial

_LOG_LINES = 12


def story(error: HilError, trial: Trial | None) -> str:
    """The error as a person reads it, with the device's last words and how to look inside.

    What a device prints is no terminal's business: control characters are spelt out.
    """
    lines = [str(error)]
    if trial and error.kind is Kind.PRODUCT:
        log = trial.record.device_log.strip().splitlines()[-_LOG_LINES:]
        lines += ["  the device's last words:", *(f"  | {line}" for line in log)] if log else []
        if trial.failing:
            lines.append(f"  look inside, after the run: hil debug {trial.board.id}")
    return visible("\n".join(lines))


def again(error: HilError, first: str) -> str:
    """A fault that stopped an earlier test already, in a line."""
    return visible(f"{str(error).splitlines()[0]}\n  as in {first}, which tells the rest")


def note(
    trial: Trial,
    item: pytest.Item,
    call: pytest.CallInfo[None],
    report: pytest.TestReport,
    error: BaseException | None,
) -> None:
    suite = item.originalname if isinstance(item, pytest.Function) else item.name
    if report.passed and call.when != "call":
        return
    outcome = "error" if report.failed and report.when != "call" else report.outcome
    if isinstance(error, HilError):
        trial.record.add(error.finding(suite))
    elif report.failed and call.when == "call":
        trial.record.add(Finding("assertion", str(error)[:2000], suite))
    trial.record.ran(suite, outcome)
