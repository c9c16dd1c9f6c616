"""The state of a bench run inside pytest: made once, found by hooks and fixtures."""

from __future__ import annotations

from pathlib import Path

import pytest

from hil.bench_run import BenchRun
from hil.device_clock import DeviceClock
from hil.report.writer import new_results
from hil.selection import Pick, make_plan
from hil.trial import Settings, Trial

RUN = pytest.StashKey[BenchRun]()
CLOCK = pytest.StashKey[DeviceClock]()
PICK = "_hil_pick"
"""The fixture that is parametrised: a pick and the sketch to run."""


def bench_run(config: pytest.Config) -> BenchRun:
    """The run's state, made when the first test asks for a board.

    Raises:
        SetupError: every problem of boards.yaml, or of the models, at once.
    """
    if RUN not in config.stash:
        root = config.rootpath
        option = config.getoption
        plan = make_plan(
            _find(root, option("--boards"), "boards.yaml"),
            option("--board"),
            _find(root, option("--models"), "models"),
            option("--model"),
        )
        vectors = option("--vectors")
        settings = Settings(
            may_flash=not option("--no-flash"),
            runs=option("--runs"),
            samples=option("--samples"),
            tensorflow=option("--tensorflow"),
            vectors=Path(vectors) if vectors else None,
        )
        reports = Path(option("--reports") or root / "reports")
        config.stash[RUN] = BenchRun(plan, settings, reports, new_results(root))
    return config.stash[RUN]


def _find(root: Path, given: str | None, name: str) -> Path:
    return Path(given) if given else root / name


def pick_of(item: pytest.Item) -> Pick | None:
    callspec = getattr(item, "callspec", None)
    chosen = callspec.params.get(PICK) if callspec else None
    return chosen[0] if chosen else None


def trial_of(run: BenchRun, item: pytest.Item) -> Trial | None:
    pick = pick_of(item)
    if pick is None or pick.model is None:
        return None
    return run.trial(pick, item.callspec.params[PICK][1])  # type: ignore[attr-defined]
