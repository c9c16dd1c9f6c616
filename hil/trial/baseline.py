"""The step `baseline`: everything measured, beside what was measured before."""

from __future__ import annotations

from hil.baseline import Measured, State, judge
from hil.baseline_files import read_baseline
from hil.baseline_words import UPDATE, compared, regressions
from hil.errors import BenchError, Finding, HilError
from hil.labelled import no_labels
from hil.measured import SKETCH, measured
from hil.report.writer import now
from hil.trial.accuracy import AccuracySteps
from hil.trial.latency import LatencySteps
from hil.trial.memory import MemorySteps
from hil.trial.parity import ParitySteps


class BaselineSteps(ParitySteps, LatencySteps, MemorySteps, AccuracySteps):
    """`baseline`, on top of the steps that measure."""

    def known_baseline(self) -> Measured | None:
        """The baseline of this board and model; None if there is none.

        Raises:
            SetupError: baseline_file.
        """
        return self.once("known_baseline", self._known_baseline)

    def _known_baseline(self) -> Measured | None:
        folder = self.settings.baselines.folder
        if folder is None or self.record.sketch != SKETCH:
            return None
        return read_baseline(folder, self.board.id, self.model.name)

    def measured(self) -> Measured:
        """The record as a baseline would hold it."""
        return measured(self.record, self.settings.baselines.at, now())

    def baseline(self) -> str:
        """Measures what is not measured yet and compares with the baseline; why not everything
        was judged, "" if all was. With ``update`` nothing is held against anything.

        Raises:
            ProductError: regression; what the steps that measure raise.
            BenchError: baseline_stale, if ``strict`` and something could not be judged; also what
                the steps raise. SetupError: baseline_file.
        """
        return self.once("baseline", self._baseline)

    def _baseline(self) -> str:
        before = self.known_baseline()
        fault = self._measure()
        current = self.measured()
        judgement = judge(before, current) if before else None
        self.record.note(baseline=compared(before, current, judgement))
        if before and judgement and not self.settings.baselines.update:
            self._raise_worse(regressions(before, current, judgement))
        if fault is not None:
            raise fault
        judged = judgement is not None and judgement.state is not State.NOT_JUDGED
        return "" if judged or self.settings.baselines.update else self._not_judged()

    def _measure(self) -> HilError | None:
        """Takes every step; the first fault, which its own step has noted."""
        steps = [self.parity, self.latency, self.memory]
        faults: list[HilError] = []
        for step in [*steps, *([] if no_labels(self.model) else [self.accuracy])]:
            try:
                step()
            except HilError as error:
                faults.append(error)
        return faults[0] if faults else None

    def _raise_worse(self, findings: list[Finding]) -> None:
        for finding in findings:
            self.record.add(finding)
        if findings:
            more = [str(finding.numbers["metric"]) for finding in findings[1:]]
            also = f"also worse: {', '.join(more)}; " if more else ""
            raise self.product(findings[0], f"{also}correct it, or accept it with {UPDATE}")

    def _not_judged(self) -> str:
        assert self.record.baseline is not None
        text = self.record.baseline.text
        if self.settings.baselines.strict:
            raise BenchError(
                "baseline_stale",
                f"not everything was judged: {text}",
                board=self.board.id,
                model=self.model.name,
                hint=f"write the baselines with {UPDATE} where this is run, or leave out "
                "--hil-strict-baseline",
                numbers={"state": self.record.baseline.state},
            )
        return text
