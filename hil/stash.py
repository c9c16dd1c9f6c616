"""The state of a bench run inside pytest: made once, found by hooks and fixtures."""

from __future__ import annotations

from pathlib import Path

import pytest

from hil.bench_run import BenchRun
from hil.device_clock import DeviceClock
from hil.report.writer import new_results
from hil.revision import Revision
from hil.selection import Pick, make_plan
from hil.settings import Baselines
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
        boards = _find(root, option("--boards"), "boards.yaml")
        plan = make_plan(
            boards,
            option("--board"),
            _find(root, option("--models"), "models"),
            option("--model"),
        )
        vectors = option("--vectors")
        results = new_results(root)
        settings = Settings(
            may_flash=not option("--no-flash"),
            runs=option("--runs"),
            samples=option("--samples"),
            tensorflow=option("--tensorflow"),
            vectors=Path(vectors) if vectors else None,
            baselines=Baselines(
                folder=_find(boards.parent, option("--hil-baselines"), "baselines"),
                update=option("--hil-update-baseline"),
                strict=option("--hil-strict-baseline"),
                at=Revision(results.commit, results.dirty),
            ),
        )
        reports = Path(option("--reports") or root / "reports")
        config.stash[RUN] = BenchRun(plan, settings, reports, results)
    return config.stash[RUN]


def _find(root: Path, given: str | None, name: str) -> Path:
    return Path(given) if given else root / name


def pick_of(item: pytest.Item) -> Pick | None:
    callspec = getattr(item, "callspec", None)
    chosen = callspec.params.get(PICK) if callspec else None
    return chosen[0] if isinstance(chosen, tuple) else None  # pytest's own mark: no parameter


def trial_of(run: BenchRun, item: pytest.Item) -> Trial | None:
    pick = pick_of(item)
    if pick is None or pick.model is None:
        return None
    return run.trial(pick, item.callspec.params[PICK][1])  # type: ignore[attr-defined]


def steps_of(item: pytest.Item) -> list[str]:
    """The steps of a trial that a test says it takes."""
    return [step for mark in item.iter_markers("steps") for step in mark.args]


def takes_baseline(item: pytest.Item) -> bool:
    return pick_of(item) is not None and "baseline" in steps_of(item)
