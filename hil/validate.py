"""Any model on any board without a test of its own: cover its inputs, run all suites, certify."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from hil.ahead import Ahead
from hil.bench_run import BenchRun, merged_message
from hil.certify import draft, issue, obstacles
from hil.cover import RANDOM
from hil.driven import Driven, drive
from hil.errors import HilError, Kind, SetupError
from hil.labelled import no_labels
from hil.report.certificate import SUITES
from hil.report.table import render
from hil.report.writer import CERTIFICATE, EXIT_BENCH, EXIT_OK, new_results
from hil.selection import make_plan
from hil.setup.files import write_atomic
from hil.signing import check_key, sign
from hil.testreport import story
from hil.trial import Settings, Trial

Say = Callable[[str], None]

EXIT_INTERRUPTED = 2
"""As pytest ends on Ctrl-C."""


@dataclass(frozen=True)
class Order:
    """What `validate` is asked for.

    Attributes:
        model: a name under ``models``, or the path of a .tflite.
        sketch: a reference sketch by name, or the folder of a firmware of your own.
        boards: ids, ``tag:NAME`` or ``all``; none is ``all``.
        vectors: files of real data, or folders of such; the model's own come besides.
        random: vectors of noise.
        samples: of a labelled set, at most; 0: all.
        key: the key that signs the certificate; None: it is not signed.
        width, colour: of the table.
    """

    model: str
    boards: Sequence[str]
    boards_file: Path
    models: Path
    reports: Path
    sketch: str | Path = "hil_runner"
    vectors: Sequence[Path] = ()
    random: int = RANDOM
    samples: int = 50
    runs: int = 30
    key: Path | None = None
    width: int = 80
    colour: bool = False


def validate(order: Order, say: Say) -> int:
    """Runs all suites on every selected board; writes the report and, if all passed, the
    certificate. Returns the exit code.

    Raises:
        SetupError: what is wrong with the order, before a board is touched.
    """
    plan = make_plan(order.boards_file, order.boards, order.models, [order.model])
    driven = drive(plan.models[0], order.vectors, order.random)
    if order.key:
        check_key(order.key)
    latest = order.reports / "latest"
    vectors = latest / f"{plan.models[0].name}-vectors.npz"
    settings = Settings(vectors=vectors, runs=order.runs, samples=order.samples)
    run = BenchRun(plan, settings, order.reports, new_results(Path.cwd()))
    run.expect_all(order.sketch)
    write_atomic(vectors, driven.npz())
    _build(run, say)
    code = _run(run, say)
    reasons = obstacles(run, driven, order.boards)
    run.publish(code := code or (EXIT_BENCH if reasons else EXIT_OK))
    say(render(run.results.records, order.width, colour=order.colour))
    for line in (*run.warnings, f"results: {latest / 'results.json'}", f"report: {run.page}"):
        say(line)
    if code == EXIT_OK:
        _certify(run, driven, order, say)
    for reason in reasons:
        say(f"no certificate: {reason}")
    return code


def _build(run: BenchRun, say: Say) -> None:
    for board, reason in run.plan.skipped:
        say(f"hil: {board.id} skipped: {reason}")
    problems = run.build_all(run.trials.values(), say)
    if len(problems) > 1:
        text = merged_message(problems)
        raise SetupError(problems[0].code, f"{len(problems)} problems", problems=[text])
    if problems:
        raise problems[0]


def _run(run: BenchRun, say: Say) -> int:
    """Takes every step of every trial; boards work side by side. Returns the exit code."""
    trials = list(run.trials.values())
    told: set[str] = set()
    ended = interrupted = False
    try:
        run.save()
        run.ahead = Ahead({t.board.id: [(t, step) for step in _steps(t)] for t in trials})
        run.ahead.start()
        for trial in trials:
            for step in SUITES:
                _take(trial, step, say, told)
                run.save()
        ended = True
    except KeyboardInterrupt:
        interrupted = True
    finally:
        code = run.finish(interrupted=not ended)
    return EXIT_INTERRUPTED if interrupted else code


def _steps(trial: Trial) -> list[str]:
    return [step for step in SUITES if step != "accuracy" or not no_labels(trial.model)]


def _take(trial: Trial, step: str, say: Say, told: set[str]) -> None:
    """One step and its outcome in the record; a fault that stops several steps is told once."""
    if step not in _steps(trial):
        trial.record.ran(step, "skipped")
        return
    try:
        getattr(trial, step)()
    except HilError as error:
        trial.record.add(error.finding(step))
        trial.record.ran(step, "failed" if error.kind is Kind.PRODUCT else "error")
        if str(error) not in told:
            say(story(error, trial))
        told.add(str(error))
    else:
        trial.record.ran(step, "passed")


def _certify(run: BenchRun, driven: Driven, order: Order, say: Say) -> None:
    latest = run.reports / "latest"
    data = issue(draft(run, driven, order.boards), latest / "results.json")
    signature = sign(data, order.key) if order.key else ""
    write_atomic(latest / CERTIFICATE, data)
    if signature:
        write_atomic(latest / f"{CERTIFICATE}.sig", signature)
    how = f"signed with {order.key}" if signature else "not signed"
    say(f"certificate: {latest / CERTIFICATE} ({how})")
