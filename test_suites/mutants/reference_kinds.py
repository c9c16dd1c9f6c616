"""Mutants of the host's own engine: TFLM that answers wrong, or dies."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from mutant import Mutant, group
from provoke import ROOT
from stage import Stage

LYING = Path(__file__).parent / "engines"
_ASK = """
import sys
from pathlib import Path
from hil.engines import run_engine
from hil.model import load_model, load_vectors
model = load_model(Path(sys.argv[1]))
result = run_engine("tflm", model, load_vectors(model))
print([output.tolist() for outputs in result.outputs for output in outputs])
print([str(output.dtype) for outputs in result.outputs for output in outputs])
"""


def engine(how: str, *, without_outputs: bool = False) -> Callable[[Stage], None]:
    """Host TFLM does ``how`` (engines/sitecustomize.py); the board is honest.

    ``without_outputs``: the vectors say nothing of what is to come out.
    """

    def make(stage: Stage) -> None:
        stage.use("air_quality_anomaly")
        if without_outputs:
            _strip(stage)
        folder = stage.model.path.parent
        stage.environment["HIL_MUTANT_ENGINE"] = how
        stage.environment["PYTHONPATH"] = os.pathsep.join([str(LYING), str(ROOT)])
        same = tflm_answers(folder, **stage.environment) == tflm_answers(folder)
        shown = "" if same else "other answers"
        stage.shows(lambda: shown)

    return make


def _strip(stage: Stage) -> None:
    import numpy as np

    path = stage.model.path.with_name("vectors.npz")
    with np.load(path) as file:
        inputs = file["input_0"]
    np.savez(path, allow_pickle=False, input_0=inputs)


def tflm_answers(folder: Path, **environment: str) -> str:
    """What host TFLM says to the vectors of a model's folder; its end if it dies."""
    done = subprocess.run(
        [sys.executable, "-c", _ASK, str(folder)],
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout or (done.stderr.strip().splitlines() or [""])[-1]


MUTANTS: list[Mutant] = [
    *group(
        "reference_lies",
        *(
            (how, "reference_wrong", engine(how))
            for how in (
                "one_lsb",
                "only_the_last_vector",
                "reversed",
                "late",
                "constant",
                "floats",
                "flat",
            )
        ),
        ("floats_with_nothing_stored", "reference_wrong", engine("floats", without_outputs=True)),
    ),
    *group(
        "reference_dies",
        *(
            (how, "reference_died", engine(how))
            for how in ("abort", "segfault", "exit", "killed", "quiet_exit", "hang")
        ),
    ),
]
