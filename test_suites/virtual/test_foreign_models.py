"""Models that the project did not make run from their files alone: those that the crate brings."""

from __future__ import annotations

from pathlib import Path

import pytest
from asuser import checkout, project_at
from plain import ROOT

from hil.setup.tflm_crate import crate_source

ORACLES = {
    "hello_world": "tflm",
    "magic_wand": "tflm",
    "micro_speech": "litert_ref",  # uint8, which today's host TFLM refuses
}
"""Who judges each. The crate's fourth, person_detection_grayscale, takes minutes."""


@pytest.fixture(scope="module")
def models() -> list[Path]:
    folder = crate_source() / "examples" / "models"
    return [folder / f"{name}.tflite" for name in ORACLES]


def test_models_run_from_their_files_alone(tmp_path: Path, run: Path, models: list[Path]) -> None:
    project = project_at(tmp_path)
    chosen = [word for path in models for word in ("--model", str(path))]
    suites = [f"{ROOT}/test_suites/{suite}" for suite in ("smoke", "parity", "memory")]
    done = project.pytest(*suites, "--board", "virtual-nano33ble", *chosen, **checkout())
    assert done.returncode == 0, done.stdout
    records = {record["model"]: record for record in project.results["records"]}
    assert {name: record["oracle"] for name, record in records.items()} == ORACLES
    for name, record in records.items():
        assert record["verdict"] == "pass"
        assert record["parity"][ORACLES[name]]["elements"] > 0
        assert record["memory"]["arena_needed"] > 0
        assert bool(record["oracle_reason"]) == (ORACLES[name] != "tflm")
