"""Writing baselines at the end of a run: from records that pass and are complete, or not at all."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from hil.baseline import renewed
from hil.baseline_files import write_baseline
from hil.report.record import Verdict
from hil.trial import Trial


def update_baselines(trials: Iterable[Trial], *, interrupted: bool) -> tuple[list[str], bool]:
    """Writes the baselines of trials that took the step `baseline`; what was done, in lines, and
    whether all of them hold now.

    A file that would say the same is not touched. Nothing is written from an interrupted run, and
    nothing for a record that does not pass.
    """
    if interrupted:
        return ["no baseline is written: the run was interrupted"], False
    done = [trial for trial in trials if trial.record.baseline is not None]
    answers = [_update(trial) for trial in done]
    lines = [
        f"baseline of {trial.board.id} x {trial.model.name} {text}"
        for trial, (text, _) in zip(done, answers, strict=True)
    ]
    return lines, all(holds for _, holds in answers)


def _update(trial: Trial) -> tuple[str, bool]:
    folder, verdict = trial.settings.baselines.folder, trial.record.verdict
    if folder is None or verdict is not Verdict.PASS:
        codes = ", ".join(dict.fromkeys(finding.code for finding in trial.record.findings))
        why = f"{verdict.value.replace('_', ' ')}{f' ({codes})' if codes else ''}"
        return f"is not written: {why}", False
    new = renewed(trial.known_baseline(), trial.measured())
    if new is None:
        return "still holds", True
    try:
        return f"written: {_shown(write_baseline(folder, new))}", True
    except OSError as error:
        return f"is not written: {error}", False


def _shown(path: Path) -> str:
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)
