"""The pytest face of the harness: options, fixtures and hooks; the work is elsewhere.

Fixtures: ``board``, ``model``, ``trial``, ``firmware``, ``device``, ``expected``, ``infer``,
``monitor``. A test that asks for one of them runs once for every selected board and model.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence

import pytest

from hil import fixtures
from hil.ahead import STEPS, Ahead, Job
from hil.baseline_update import update_baselines
from hil.baseline_words import summary
from hil.bench_run import BenchRun, merged_message
from hil.device_clock import DeviceClock, scale_unit
from hil.errors import HilError, Kind, SetupError
from hil.options import add_options, summary_path
from hil.report.pages import write_summary
from hil.report.table import render
from hil.report.writer import EXIT_BENCH, EXIT_SETUP
from hil.selection import Pick
from hil.stash import CLOCK, PICK, RUN, bench_run, pick_of, steps_of, takes_baseline, trial_of
from hil.testreport import again, note, story

_SETUP_ERROR = pytest.StashKey[SetupError]()


def pytest_addoption(parser: pytest.Parser) -> None:
    add_options(parser)


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(fixtures, "hil.fixtures")
    summary_path(config)  # a wrong one is told now, not after hours
    config.addinivalue_line("markers", "sketch(name): the sketch to flash instead of hil_runner")
    config.addinivalue_line("markers", f"steps(*names): the trial's steps it takes, of {STEPS}")
    config.addinivalue_line("markers", "models(*names): the only models this test is about")


# --- collection


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    wanted = set(metafunc.fixturenames)  # with the fixtures that those need
    if PICK not in wanted:
        return
    only = [n for mark in metafunc.definition.iter_markers("models") for n in mark.args]
    with_model = bool(wanted & {"model", "trial"}) or bool(only)
    try:
        run = bench_run(metafunc.config)
        run.plan.check(with_model=with_model)
    except SetupError as error:
        # Raised here, pytest would take it for a broken test file: it waits for the collection.
        metafunc.config.stash[_SETUP_ERROR] = error
        metafunc.parametrize(PICK, [], indirect=True, scope="session")
        return
    picks = run.plan.picks(only) if with_model else [Pick(b, None) for b in run.plan.boards]
    sketch = next((m.args[0] for m in metafunc.definition.iter_markers("sketch")), "hil_runner")
    metafunc.parametrize(
        PICK, [(p, sketch) for p in picks], ids=[p.id for p in picks], indirect=True,
        scope="session",
    )  # fmt: skip


def pytest_collection_finish(session: pytest.Session) -> None:
    """Builds what the collected tests need. Set-up errors end the run here, with exit code 4."""
    if _SETUP_ERROR in session.config.stash:
        raise pytest.UsageError(str(session.config.stash[_SETUP_ERROR]))
    run = session.config.stash.get(RUN, None)
    if run is None or session.config.option.collectonly:
        return
    say = _say_of(session.config)
    for board, reason in run.plan.skipped:
        say(f"hil: {board.id} skipped: {reason}")
    if run.settings.baselines.update and not any(map(takes_baseline, session.items)):
        raise pytest.UsageError("--hil-update-baseline: no test of this run measures all that a "
                                "baseline holds; run test_suites/regression too")  # fmt: skip
    trials = [trial_of(run, item) for item in session.items]
    try:
        if any(pick_of(item) for item in session.items):
            run.expect_all()
        run.save()
    except SetupError as error:
        del session.config.stash[RUN]  # nothing to close, and nowhere to write
        raise pytest.UsageError(str(error)) from error
    problems = run.build_all(dict.fromkeys(trial for trial in trials if trial), say)
    if problems:
        raise pytest.UsageError(merged_message(problems))
    run.save()
    run.ahead = Ahead(_steps_ahead(run, session.items))


def _steps_ahead(run: BenchRun, items: Sequence[pytest.Item]) -> dict[str, list[Job]]:
    """Steps by board, of those boards on which every test says what it takes."""
    jobs: dict[str, list[Job]] = {}
    other: set[str] = set()
    for item in items:
        pick = pick_of(item)
        if pick is None:
            continue
        steps = steps_of(item)
        trial = trial_of(run, item)
        if trial is None or not steps:
            other.add(pick.board.id)
        else:
            jobs.setdefault(pick.board.id, []).extend((trial, step) for step in steps)
    return {board: steps for board, steps in jobs.items() if board not in other}


def _say_of(config: pytest.Config) -> Callable[[str], None]:
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    return reporter.write_line if reporter else lambda _: None


# --- a test of a board


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Lets the boards go with the first test of any: tests before it may have an environment of
    their own. Gives pytest-benchmark the board's clock before its fixture is made."""
    pick = pick_of(item)
    if pick is None:
        return
    if run := item.config.stash.get(RUN, None):
        run.ahead.start()
    if "device_clock" in getattr(item, "fixturenames", ()):
        clock = DeviceClock(pick.board.id)
        item.stash[CLOCK] = clock
        item.add_marker(pytest.mark.benchmark(timer=clock))


@pytest.hookimpl(optionalhook=True, tryfirst=True)
def pytest_benchmark_scale_unit(
    unit: str, benchmarks: Sequence[object]
) -> tuple[str, float] | None:
    return scale_unit(unit, benchmarks)


@pytest.hookimpl(optionalhook=True)
def pytest_benchmark_update_machine_info(
    config: pytest.Config, machine_info: dict[str, object]
) -> None:
    run = config.stash.get(RUN, None)
    if run is not None:
        machine_info["boards"] = [record.board_facts() for record in run.results.records]


# --- verdicts


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    error = call.excinfo.value if call.excinfo else None
    run = item.config.stash.get(RUN, None)
    trial = trial_of(run, item) if run else None
    if isinstance(error, HilError):
        # pytest says ERROR for set-up and FAILED for the call; here the fault decides which it is.
        report.when = "call" if error.kind is Kind.PRODUCT else "setup"
        first = run.told.setdefault(str(error), item.name) if run else item.name
        report.longrepr = story(error, trial) if first == item.name else again(error, first)
        # On the item too: JUnit XML has the properties of the last report of a test.
        item.user_properties += [("hil_code", error.code), ("hil_numbers", str(error.numbers))]
        report.user_properties = list(item.user_properties)
    if run and trial:
        note(trial, item, call, report, error)
        run.save()
    elif run and report.when == "call" and report.passed and (pick := pick_of(item)):
        run.answered.add(pick.board.id)
    return report


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    run = session.config.stash.get(RUN, None)
    if run is None or session.config.option.collectonly:
        return
    code = run.finish(interrupted=int(exitstatus) == pytest.ExitCode.INTERRUPTED)
    if int(exitstatus) == pytest.ExitCode.OK:
        session.exitstatus = code or exitstatus
    elif int(exitstatus) == pytest.ExitCode.TESTS_FAILED and _only_bench_faults(session, code):
        session.exitstatus = EXIT_BENCH
    if run.settings.baselines.update:
        _update_baselines(session, run)
    run.publish(int(session.exitstatus))
    if target := summary_path(session.config):
        write_summary(run.results, target)


def _update_baselines(session: pytest.Session, run: BenchRun) -> None:
    """What was asked for and not done is no success."""
    lines, hold = update_baselines(run.trials.values(), interrupted=run.results.interrupted)
    run.warnings += lines
    if not hold and int(session.exitstatus) == pytest.ExitCode.OK:
        session.exitstatus = EXIT_SETUP


def _only_bench_faults(session: pytest.Session, code: int) -> bool:
    """Whether nothing FAILED and every ERROR is the bench's: by its record (``code``), or by its
    own code where a test has a board and no model, and so no record."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    stats = reporter.stats if reporter else {}
    known = [dict(report.user_properties).get("hil_code") for report in stats.get("error", [])]
    return not stats.get("failed") and (code == EXIT_BENCH or all(known))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    run = terminalreporter.config.stash.get(RUN, None)
    if run is None or not run.results.records:
        return
    writer = terminalreporter._tw
    terminalreporter.section("bench")
    terminalreporter.write_line(
        render(run.results.records, writer.fullwidth, colour=bool(writer.hasmarkup))
    )
    for line in summary(run.results.records):
        terminalreporter.write_line(line)
    for warning in run.warnings:
        terminalreporter.write_line(f"hil: {warning}", yellow=True)
    terminalreporter.write_line(f"results: {run.reports / 'latest' / 'results.json'}")
    terminalreporter.write_line(f"report:  {run.page}")
