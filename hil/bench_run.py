"""What a pytest run keeps between its hooks: the plan, the trials and the results file."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from hil.ahead import Ahead
from hil.errors import HilError, ProductError, SetupError
from hil.failed_input import named, write_inputs
from hil.history import NAME, append
from hil.report.pages import PAGE, write_page
from hil.report.parts import FailingRecord
from hil.report.record import Results, Verdict
from hil.report.writer import discard_certificate, exit_code, new_results, now, write_results
from hil.selection import Pick, Plan
from hil.trial import Settings, Slot, Trial

Key = tuple[str, str, str]

_WORTH_A_LINE_S = 1.0


@dataclass
class BenchRun:
    """Trials of one run, one per board, model and sketch, each with its record.

    ``answered`` are boards on which a test without a model passed; such a test has no record.
    ``told`` are faults, as text, by the test that told them first.
    """

    plan: Plan
    settings: Settings
    reports: Path
    results: Results = field(default_factory=new_results)
    trials: dict[Key, Trial] = field(default_factory=dict)
    slots: dict[str, Slot] = field(default_factory=dict)
    answered: set[str] = field(default_factory=set)
    ahead: Ahead = field(default_factory=lambda: Ahead({}))
    warnings: list[str] = field(default_factory=list)
    told: dict[str, str] = field(default_factory=dict)

    def trial(self, pick: Pick, sketch: str | Path = "hil_runner") -> Trial:
        """The trial of a pick; the same one every time."""
        if pick.model is None:
            raise ValueError("a trial needs a model: ask for the fixture `model` too")
        name = sketch if isinstance(sketch, str) else sketch.name
        key = (pick.board.id, pick.model.name, name)
        if key not in self.trials:
            slot = self.slots.setdefault(pick.board.id, Slot())
            trial = Trial(pick.board, pick.model, self.settings, sketch, slot)
            self.trials[key] = trial
            self.results.records.append(trial.record)
        return self.trials[key]

    def build_all(
        self, wanted: Iterable[Trial], say: Callable[[str], None] = lambda _: None
    ) -> list[SetupError]:
        """Builds every firmware and reads the vectors before a board is touched; returns what
        stands in the way.

        A product fault (an image that does not fit) is not in the way: its own tests fail.
        """
        problems: list[SetupError] = []
        for trial in wanted:
            started = time.monotonic()
            try:
                trial.firmware()
                spent = time.monotonic() - started
                if spent > _WORTH_A_LINE_S:
                    say(
                        f"hil: built {trial.record.sketch} with {trial.model.name} "
                        f"for {trial.board.id} in {spent:.0f} s"
                    )
                trial.vectors()
                trial.known_baseline()
            except SetupError as error:
                problems.append(error)
            except ProductError:
                continue
        return problems

    def expect_all(self, sketch: str | Path = "hil_runner") -> None:
        """A record for every selected board and model, whether a test asks for it or not; those
        that a test takes with another sketch have one.

        Whatever an earlier run's certificate says is no longer about what lies beside it.

        Raises:
            SetupError: results_file, where it cannot be removed.
        """
        latest = self.reports / "latest"
        try:
            discard_certificate(latest)
        except OSError as error:
            raise unwritable(latest, error) from error
        known = {key[:2] for key in self.trials}
        for pick in self.plan.picks():
            if pick.model and (pick.board.id, pick.model.name) not in known:
                self.trial(pick, sketch)

    def _keep_images(self) -> None:
        """Copies the ELF of every failure beside the results: the cache may be cleaned."""
        for record in self.results.records:
            if record.verdict != Verdict.FAIL or record.firmware is None:
                continue
            elf = Path(record.firmware.elf)
            kept = self.reports / "latest" / f"{record.board}-{record.model}-{record.sketch}.elf"
            if elf.is_file():
                kept.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(elf, kept)
                record.firmware.elf = str(kept.absolute())

    def _keep_inputs(self) -> None:
        """Writes down what the devices were asked when they failed."""
        for trial in self.trials.values():
            failed, record = trial.failing, trial.record
            if failed is None or record.verdict != Verdict.FAIL:
                continue
            name = f"{record.board}-{record.model}-{record.sketch}.input.npz"
            path = (self.reports / "latest" / name).absolute()
            if failed.sequence:
                write_inputs(failed.sequence, path)
            record.failing = FailingRecord(
                suite=failed.suite,
                code=failed.code,
                vector=named(failed.sequence[-1], trial.vectors()) if failed.sequence else "",
                inputs=str(path) if failed.sequence else "",
                runs=len(failed.sequence),
                crc32=failed.crc32,
                arena=failed.arena,
                fill=failed.fill,
            )

    def save(self) -> None:
        """Writes reports/latest/results.json, whole.

        Raises:
            SetupError: results_file, where nothing can be written there.
        """
        path = self.reports / "latest" / "results.json"
        try:
            write_results(self.results, path)
        except OSError as error:
            raise unwritable(path, error) from error

    def finish(self, *, interrupted: bool) -> int:
        """Closes what is open, writes the results and returns the exit code they come to."""
        self.ahead.stop()
        for trial in self.trials.values():
            trial.close()
        self._keep_images()
        self._keep_inputs()
        owing = set(self.plan.named) - self.answered
        code = exit_code(self.results.records, owing)
        self.results.finished = now()
        self.results.interrupted = interrupted
        self.results.exit_code = code
        self.save()
        return code

    def publish(self, code: int) -> None:
        """The last word of a run that `finish` closed: its exit code, and every report of it."""
        self.results.exit_code = code
        self.save()
        self._keep_history()
        self._write_page()

    def _keep_history(self) -> None:
        """Adds the run to reports/history.sqlite, unless nothing was run at all."""
        if any(record.verdict != Verdict.NOT_RUN for record in self.results.records):
            self.warnings += append(self.results, self.reports / NAME)

    @property
    def page(self) -> Path:
        """The report that people read."""
        return self.reports / "latest" / PAGE

    def _write_page(self) -> None:
        """Writes reports/latest/index.html; the history has this run already."""
        self.warnings += write_page(self.results, self.page, self.reports / NAME)


def unwritable(path: Path, error: OSError) -> SetupError:
    """Results that cannot be written: a run that leaves none is not to begin."""
    return SetupError(
        "results_file",
        f"{path} cannot be written: {error.strerror}",
        hint="make room there, or name another folder with --reports",
    )


def merged_message(problems: Iterable[HilError]) -> str:
    """Several set-up errors as one text, each once."""
    return "\n".join(dict.fromkeys(str(problem) for problem in problems))
