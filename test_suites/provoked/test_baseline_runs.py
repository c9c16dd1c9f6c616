"""Baselines as a user has them: written and held by pytest runs, never from a run that failed."""

from __future__ import annotations

from pathlib import Path

import pytest
from provoke import ROOT, write_model
from runs import run_pytest

from hil.baseline_files import read_baseline
from hil.model import Model

SUITE = str(ROOT / "test_suites" / "regression")
BOARD = ("--board", "virtual-nano33ble", "--runs", "10")
UPDATE, STRICT = "--hil-update-baseline", "--hil-strict-baseline"
VECTORS = ROOT / "models" / "hello_sine" / "vectors.npz"


@pytest.fixture
def models(project: Path, hello: Model) -> Path:
    write_model(project / "models" / "hello_sine", hello.data, VECTORS)
    return project / "models"


def written(project: Path) -> list[str]:
    return sorted(path.stem for path in (project / "baselines").rglob("*.yaml"))


def test_a_baseline_is_written_held_and_not_written_again(project: Path, models: Path) -> None:
    none = run_pytest(project, SUITE, *BOARD)
    assert "no baseline" in none.output
    assert none.record("hello_sine")["baseline"]["state"] == "none"
    assert written(project) == []

    first = run_pytest(project, SUITE, *BOARD, UPDATE)
    assert first.status == 0, first.output
    assert written(project) == ["hello_sine"]
    path = project / "baselines" / "virtual-nano33ble" / "hello_sine.yaml"
    stamp = path.stat().st_mtime_ns

    again = run_pytest(project, SUITE, *BOARD, STRICT)
    assert again.status == 0, again.output
    assert again.record("hello_sine")["baseline"]["state"] == "equal"
    assert "baseline: 1 equal" in again.output
    assert run_pytest(project, SUITE, *BOARD, UPDATE).status == 0
    assert path.stat().st_mtime_ns == stamp

    path.write_text(path.read_text().replace("arena: {value: 1", "arena: {value: 2"))
    tampered = run_pytest(project, SUITE, *BOARD, UPDATE)
    assert tampered.status == 4, tampered.output
    assert "baseline_file" in tampered.output
    assert str(path) in tampered.output


def test_baselines_lie_where_they_are_said_to(project: Path, models: Path) -> None:
    others = ("--hil-baselines", str(project / "others"))
    strict = run_pytest(project, SUITE, *BOARD, STRICT, *others)
    assert strict.status == 10, strict.output
    assert strict.properties("hil_code") == {"baseline_stale"}
    assert run_pytest(project, SUITE, *BOARD, UPDATE, *others).status == 0
    assert (project / "others" / "virtual-nano33ble" / "hello_sine.yaml").is_file()
    assert written(project) == []


def test_nothing_is_written_from_a_record_that_fails(
    project: Path, models: Path, hello: Model
) -> None:
    write_model(models / "short", hello.data, VECTORS, "arena_bytes: 1024\n")
    done = run_pytest(project, SUITE, *BOARD, UPDATE)
    assert done.status == 1, done.output
    assert written(project) == ["hello_sine"]
    assert "short is not written: fail (arena_overflow)" in done.output
    assert read_baseline(project / "baselines", "virtual-nano33ble", "hello_sine") is not None


def test_nothing_is_written_from_a_run_that_is_interrupted(project: Path, models: Path) -> None:
    (project / "test_zz.py").write_text("def test_ctrl_c():\n    raise KeyboardInterrupt\n")
    done = run_pytest(project, SUITE, str(project / "test_zz.py"), *BOARD, UPDATE)
    assert done.status == 2, done.output
    assert done.record("hello_sine")["verdict"] == "pass"
    assert written(project) == []
    assert "interrupted" in done.output


def test_to_write_without_measuring_is_a_mistake(project: Path, models: Path) -> None:
    done = run_pytest(project, str(ROOT / "test_suites" / "smoke"), *BOARD, UPDATE)
    assert done.status == 4, done.output
    assert "test_suites/regression" in done.output
    assert written(project) == []
