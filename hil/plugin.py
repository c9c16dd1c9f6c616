"""The pytest face of the harness: options, fixtures and hooks; the work is elsewhere.

Fixtures: ``board``, ``model``, ``trial``, ``firmware``, ``device``, ``expected``, ``infer``,
``monitor``. A test that asks for one of them runs once for every selected board and model.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from hil.ahead import STEPS, Ahead, Job
from hil.bench_run import BenchRun, merged_message
from hil.device import Device
from hil.errors import Finding, HilError, Kind, SetupError
from hil.firmware import Firmware
from hil.inputs import model_inputs
from hil.inventory import Board
from hil.model import Model
from hil.monitor import Monitor, open_monitor
from hil.reference import References
from hil.report.table import render
from hil.selection import Pick, make_plan
from hil.tensors import Array
from hil.trial import Settings, Trial

_RUN = pytest.StashKey[BenchRun]()
_SETUP_ERROR = pytest.StashKey[SetupError]()
_PICK = "_hil_pick"
_LOG_LINES = 12


# --- options


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("hil", "hardware in the loop")
    group.addoption(
        "--board",
        action="append",
        default=[],
        metavar="ID|tag:TAG|all",
        help="boards to run on, from boards.yaml (repeatable; default: all that are present)",
    )
    group.addoption(
        "--model",
        action="append",
        default=[],
        metavar="NAME|PATH",
        help="models to run: a folder of models/ or a .tflite (repeatable; default: all)",
    )
    group.addoption("--boards", default=None, metavar="FILE", help="default: boards.yaml")
    group.addoption("--models", default=None, metavar="DIR", help="default: models/")
    group.addoption("--vectors", default=None, metavar="FILE", help=".npz, .csv or .wav")
    group.addoption("--runs", type=int, default=30, metavar="N", help="inferences that are timed")
    group.addoption("--no-flash", action="store_true", help="test the firmware that is there")
    group.addoption("--reports", default=None, metavar="DIR", help="default: reports/")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "sketch(name): the sketch to flash instead of hil_runner")
    config.addinivalue_line("markers", f"steps(*names): the trial's steps it takes, of {STEPS}")
    config.addinivalue_line("markers", "models(*names): the only models this test is about")


def _bench_run(config: pytest.Config) -> BenchRun:
    """The run's state, made when the first test asks for a board.

    Raises:
        SetupError: every problem of boards.yaml, or of the models, at once.
    """
    if _RUN not in config.stash:
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
            vectors=Path(vectors) if vectors else None,
        )
        reports = Path(option("--reports") or root / "reports")
        config.stash[_RUN] = BenchRun(plan, settings, reports)
    return config.stash[_RUN]


def _find(root: Path, given: str | None, name: str) -> Path:
    return Path(given) if given else root / name


# --- collection


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    wanted = set(metafunc.fixturenames)  # with the fixtures that those need
    if _PICK not in wanted:
        return
    try:
        run = _bench_run(metafunc.config)
    except SetupError as error:
        # Raised here, pytest would take it for a broken test file: it waits for the collection.
        metafunc.config.stash[_SETUP_ERROR] = error
        metafunc.parametrize(_PICK, [], indirect=True, scope="session")
        return
    only = [n for mark in metafunc.definition.iter_markers("models") for n in mark.args]
    with_model = bool(wanted & {"model", "trial"}) or bool(only)
    picks = run.plan.picks(only) if with_model else [Pick(b, None) for b in run.plan.boards]
    sketch = next((m.args[0] for m in metafunc.definition.iter_markers("sketch")), "hil_runner")
    metafunc.parametrize(
        _PICK, [(p, sketch) for p in picks], ids=[p.id for p in picks], indirect=True,
        scope="session",
    )  # fmt: skip


def pytest_collection_finish(session: pytest.Session) -> None:
    """Builds what the collected tests need. Set-up errors end the run here, with exit code 4."""
    if _SETUP_ERROR in session.config.stash:
        raise pytest.UsageError(str(session.config.stash[_SETUP_ERROR]))
    run = session.config.stash.get(_RUN, None)
    if run is None or session.config.option.collectonly:
        return
    say = _say_of(session.config)
    for board, reason in run.plan.skipped:
        say(f"hil: {board.id} skipped: {reason}")
    if any(_pick_of(item) for item in session.items):
        run.expect_all()
    trials = [_trial_of(run, item) for item in session.items]
    problems = run.build_all(dict.fromkeys(trial for trial in trials if trial), say)
    if problems:
        raise pytest.UsageError(merged_message(problems))
    run.save()
    run.ahead = Ahead(_steps_ahead(run, session.items))
    run.ahead.start()


def _steps_ahead(run: BenchRun, items: Sequence[pytest.Item]) -> dict[str, list[Job]]:
    """Steps by board, of those boards on which every test says what it takes."""
    jobs: dict[str, list[Job]] = {}
    other: set[str] = set()
    for item in items:
        pick = _pick_of(item)
        if pick is None:
            continue
        steps = [step for mark in item.iter_markers("steps") for step in mark.args]
        trial = _trial_of(run, item)
        if trial is None or not steps:
            other.add(pick.board.id)
        else:
            jobs.setdefault(pick.board.id, []).extend((trial, step) for step in steps)
    return {board: steps for board, steps in jobs.items() if board not in other}


def _pick_of(item: pytest.Item) -> Pick | None:
    callspec = getattr(item, "callspec", None)
    chosen = callspec.params.get(_PICK) if callspec else None
    return chosen[0] if chosen else None


def _trial_of(run: BenchRun, item: pytest.Item) -> Trial | None:
    pick = _pick_of(item)
    if pick is None or pick.model is None:
        return None
    return run.trial(pick, item.callspec.params[_PICK][1])  # type: ignore[attr-defined]


def _say_of(config: pytest.Config) -> Callable[[str], None]:
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    return reporter.write_line if reporter else lambda _: None


# --- fixtures


@pytest.fixture(scope="session")
def _hil_pick(request: pytest.FixtureRequest) -> tuple[Pick, str]:
    picked: tuple[Pick, str] = request.param
    return picked


@pytest.fixture(scope="session")
def board(_hil_pick: tuple[Pick, str]) -> Board:
    """The board of this test, as boards.yaml describes it."""
    return _hil_pick[0].board


@pytest.fixture(scope="session")
def model(_hil_pick: tuple[Pick, str]) -> Model:
    """The model of this test."""
    found = _hil_pick[0].model
    assert found is not None
    return found


@pytest.fixture(scope="session")
def trial(_hil_pick: tuple[Pick, str], request: pytest.FixtureRequest) -> Iterator[Trial]:
    """One board, one model: the steps that suites are made of (parity, latency, memory)."""
    found = _bench_run(request.config).trial(*_hil_pick)
    yield found
    found.close()


@pytest.fixture(scope="session")
def firmware(trial: Trial) -> Firmware:
    """The compiled firmware; nothing is flashed yet."""
    return trial.firmware()


@pytest.fixture(scope="session")
def device(trial: Trial) -> Device:
    """The board, flashed if need be, its handshake done and the model loaded."""
    return trial.load()


@pytest.fixture(scope="session")
def expected(trial: Trial) -> References:
    """What the host's engines answer to the model's vectors."""
    return trial.expected()


@pytest.fixture
def infer(trial: Trial) -> Callable[..., Array | tuple[Array, ...]]:
    """``infer(x)``: runs the model on the device and returns its output.

    Takes one array, several in order, or by name. An input has the model's own dtype, or is float
    for a quantised model: then it is quantised with the model's scale and zero point
    (round half to even, saturated). A single output comes as an array, several as a tuple.

    Raises:
        ValueError: wrong number, name, shape or dtype; nothing was sent.
    """

    def run(*arrays: Any, **named: Any) -> Array | tuple[Array, ...]:
        outputs = trial.infer(model_inputs(trial.model.inputs, arrays, named)).outputs
        return outputs[0] if len(outputs) == 1 else outputs

    return run


@pytest.fixture
def monitor(_hil_pick: tuple[Pick, str], request: pytest.FixtureRequest) -> Iterator[Monitor]:
    """The serial monitor of a sketch that speaks no protocol: freshly flashed, text in and out."""
    pick, sketch = _hil_pick
    run = _bench_run(request.config)
    firmware = run.trial(pick, sketch).firmware() if pick.model else None
    with open_monitor(pick.board, firmware) as opened:
        yield opened


# --- verdicts


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    error = call.excinfo.value if call.excinfo else None
    run = item.config.stash.get(_RUN, None)
    trial = _trial_of(run, item) if run else None
    if isinstance(error, HilError):
        # pytest says ERROR for set-up and FAILED for the call; here the fault decides which it is.
        report.when = "call" if error.kind is Kind.PRODUCT else "setup"
        report.longrepr = _story(error, trial)
        report.user_properties += [("hil_code", error.code), ("hil_numbers", str(error.numbers))]
    if run and trial:
        _note(trial, item, call, report, error)
        run.save()
    return report


def _story(error: HilError, trial: Trial | None) -> str:
    """The error as a person reads it, with the device's last words and how to look inside."""
    lines = [str(error)]
    if trial and error.kind is Kind.PRODUCT:
        log = trial.record.device_log.strip().splitlines()[-_LOG_LINES:]
        lines += ["  the device's last words:", *(f"  | {line}" for line in log)] if log else []
        if trial.board.debug:
            lines.append(f"  debugger: {trial.board.debug}")
    return "\n".join(lines)


def _note(
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


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    run = session.config.stash.get(_RUN, None)
    if run is None or session.config.option.collectonly:
        return
    code = run.finish(interrupted=int(exitstatus) == pytest.ExitCode.INTERRUPTED)
    only_bench = int(exitstatus) == pytest.ExitCode.TESTS_FAILED and not _other_failures(session)
    if code and (int(exitstatus) == pytest.ExitCode.OK or only_bench):
        session.exitstatus = code


def _other_failures(session: pytest.Session) -> bool:
    """Whether a test failed that no record knows of (one that uses no board)."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    failed = reporter.stats.get("failed", []) if reporter else []
    return any(not dict(r.user_properties).get("hil_code") for r in failed)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    run = terminalreporter.config.stash.get(_RUN, None)
    if run is None or not run.results.records:
        return
    writer = terminalreporter._tw
    terminalreporter.section("bench")
    terminalreporter.write_line(
        render(run.results.records, writer.fullwidth, colour=bool(writer.hasmarkup))
    )
    terminalreporter.write_line(f"results: {run.reports / 'latest' / 'results.json'}")
