"""Writing baselines at the end of a run: from records that pass and are complete, or not at all."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from hil.baseline import renewed
from hil.baseline_files import write_baseline
from hil.report.record import Verdict
from hil.trial import Trial


def update_baselines(trials: Iterable[Trial], *, interrupted: bool) -> list[str]:
    """Writes the baselines of trials that took the step `baseline`; what was done, in lines.

    A file that would say the same is not touched. Nothing is written from an interrupted run, and
    nothing for a record that does not pass.
    """
    done = [trial for trial in trials if trial.record.baseline is not None]
    if interrupted:
        return ["no baseline is written: the run was interrupted"]
    lines = []
    for trial in done:
        name = f"{trial.board.id} x {trial.model.name}"
        lines += [f"baseline of {name} {_update(trial)}"]
    return lines


def _update(trial: Trial) -> str:
    folder = trial.settings.baselines.folder
    verdict = trial.record.verdict
    if folder is None or verdict is not Verdict.PASS:
        codes = ", ".join(dict.fromkeys(finding.code for finding in trial.record.findings))
        return f"is not written: {verdict.value.replace('_', ' ')}{f' ({codes})' if codes else ''}"
    new = renewed(trial.known_baseline(), trial.measured())
    if new is None:
        return "still holds"
    return f"written: {_shown(write_baseline(folder, new))}"


def _shown(path: Path) -> str:
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)
