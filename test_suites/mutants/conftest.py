"""Runs mutants, two at a time, and sums up: kind, expected, seen, killed."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue

import pytest
from catalogue import MUTANTS, ROOT, one_of_each
from controls import CONTROLS
from mutant import Mutant, Seen, words
from stage import Stage, Worker

from hil.setup.files import write_atomic
from hil.virtual import control
from hil.virtual.places import Place

AT_ONCE = min(2, os.cpu_count() or 1)
SUMMARY = Path("reports") / "mutants.md"
_DONE = pytest.StashKey[list[tuple[Mutant, Seen]]]()

Runs = dict[str, "Future[Seen]"]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.getgroup("hil").addoption(
        "--mutants", choices=("one", "all"), default="one", help="one of each kind, or all"
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "mutant" in metafunc.fixturenames:
        chosen = MUTANTS if metafunc.config.option.mutants == "all" else one_of_each()
        metafunc.parametrize("mutant", chosen, ids=[mutant.id for mutant in chosen])
    if "control" in metafunc.fixturenames:
        metafunc.parametrize("control", list(CONTROLS))


@pytest.fixture(scope="session")
def runs(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Runs]:
    """The runs of all collected mutants and controls, by name, under way."""
    folder = tmp_path_factory.mktemp("mutants")
    specs = [item.callspec.params for item in request.session.items if hasattr(item, "callspec")]
    jobs = {
        params["control"]: CONTROLS[params["control"]] for params in specs if "control" in params
    }
    jobs |= {params["mutant"].id: params["mutant"].make for params in specs if "mutant" in params}
    workers: SimpleQueue[Worker] = SimpleQueue()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HIL_VIRTUAL_OWNER", str(os.getpid()))
        for number in range(AT_ONCE):
            workers.put(Worker(folder / f"run-{number}"))
        pool = ThreadPoolExecutor(AT_ONCE)
        try:
            yield {
                name: pool.submit(_run, make, folder / name, workers) for name, make in jobs.items()
            }
        finally:
            pool.shutdown(cancel_futures=True)
            for number in range(AT_ONCE):
                for status in control.running(folder / f"run-{number}"):
                    control.stop(Place(Path(status["port"])))


def _run(make: Callable[[Stage], None], folder: Path, workers: SimpleQueue[Worker]) -> Seen:
    worker = workers.get()
    try:
        with Stage(worker, folder) as stage:
            make(stage)
            return stage.run()
    finally:
        workers.put(worker)


@pytest.fixture
def seen(mutant: Mutant, runs: Runs, request: pytest.FixtureRequest) -> Seen:
    """What the run of a mutant came to."""
    came_to = runs[mutant.id].result()
    request.config.stash.setdefault(_DONE, []).append((mutant, came_to))
    return came_to


# -- the summary


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    done = terminalreporter.config.stash.get(_DONE, [])
    if not done:
        return
    terminalreporter.section("mutants")
    text = table(done)
    terminalreporter.write_line(text)
    write_atomic(ROOT / SUMMARY, text + "\n")
    terminalreporter.write_line(f"written to {SUMMARY}")


def table(done: list[tuple[Mutant, Seen]]) -> str:
    """Kind by kind: how many, what was expected and seen, how many were killed."""
    rows = [("kind", "n", "expected", "seen", "killed"), ("---",) * 5]
    for kind in dict.fromkeys(mutant.kind for mutant, _ in done):
        group = [(mutant, seen) for mutant, seen in done if mutant.kind == kind]
        killed = sum(not seen.problem(mutant) for mutant, seen in group)
        expected = _counted(words(mutant.expected) for mutant, _ in group)
        came = _counted(words(seen.codes) for _, seen in group)
        rows.append((kind, str(len(group)), expected, came, f"{killed} of {len(group)}"))
    killed = sum(not seen.problem(mutant) for mutant, seen in done)
    rows.append(("all", str(len(done)), "", "", f"{killed} of {len(done)}"))
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    lines = [
        "| " + " | ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)) + " |"
        for row in rows
    ]
    return "\n".join([*lines, *(f"{m.id}: {p}" for m, s in done if (p := s.problem(m)))])


def _counted(texts: Iterator[str]) -> str:
    counts = Counter(texts)
    return "; ".join(f"{text} x {n}" if n > 1 else text for text, n in counts.items())
