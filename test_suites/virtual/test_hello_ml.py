"""The first TinyML program, judged through the `monitor` fixture as a person at the terminal."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import tflite
from asuser import Project, checkout, project_at
from plain import ROOT

HEAD = """\
import pytest

pytestmark = [pytest.mark.sketch("hello_ml"), pytest.mark.models({models})]

"""
SINE = HEAD.format(models='"hello_sine_float"')


@pytest.fixture
def project(tmp_path: Path, run: Path) -> Project:
    made = project_at(tmp_path / "project")
    source = ROOT / "models" / "hello_sine_float"
    shutil.copytree(source, made.folder / "models" / source.name)
    return made


def run_on_nano(project: Project) -> tuple[int, str]:
    done = project.pytest("--board", "virtual-nano33ble", **checkout())
    return done.returncode, done.stdout


def record_of(project: Project) -> dict[str, Any]:
    (found,) = [r for r in project.results["records"] if r["sketch"] == "hello_ml"]
    return dict(found)


def with_schema(data: bytes, version: int) -> bytes:
    """A model that says it is of another schema version."""
    table = tflite.Model.GetRootAs(data)._tab
    at = table.Pos + table.Offset(4)
    return data[:at] + version.to_bytes(4, "little") + data[at + 4 :]


def test_it_predicts(project: Project) -> None:
    project.add(
        "test_sine.py",
        SINE + "def test_hello(monitor, model):\n"
        '    said = monitor.expect(r"sin\\(0\\) predicted: (\\S+)")\n'
        "    assert abs(float(said.group(1))) < 0.05\n"
        '    monitor.send("\\n")\n'
        '    again = monitor.expect(r"sin\\(0\\) predicted: (\\S+)")\n'
        "    assert again.group(1) == said.group(1)\n",
    )
    status, output = run_on_nano(project)
    assert status == 0, output
    assert "test_hello[virtual-nano33ble-hello_sine_float]" in output
    assert record_of(project)["verdict"] == "pass"


def test_what_was_not_printed_fails_with_everything_that_was(project: Project) -> None:
    project.add(
        "test_sine.py",
        SINE + "def test_hello(monitor, model):\n"
        '    monitor.expect(r"sin\\(0\\)")\n'
        '    monitor.expect("Goodbye", timeout=0.5)\n',
    )
    status, output = run_on_nano(project)
    assert status == 1, output
    assert "'Goodbye' was not printed within 0.5 s; printed so far:" in output
    assert output.count("sin(0) predicted: ") >= 1
    assert "1 failed" in output
    assert [finding["code"] for finding in record_of(project)["findings"]] == ["assertion"]


def test_a_model_of_another_schema_says_so(project: Project) -> None:
    source = project.folder / "models" / "hello_sine_float"
    folder = source.rename(source.with_name("schema_99"))
    card = (folder / "model.yaml").read_text()
    (folder / "model.yaml").write_text(card.replace("name: hello_sine_float", "name: schema_99"))
    path = folder / "model.tflite"
    path.write_bytes(with_schema(path.read_bytes(), 99))
    project.add(
        "test_schema.py",
        HEAD.format(models='"schema_99"') + "def test_schema(monitor, model):\n"
        '    monitor.expect("schema version 99 not equal to supported version 3")\n',
    )
    status, output = run_on_nano(project)
    assert status == 0, output


def test_an_arena_that_is_too_small_says_so(project: Project) -> None:
    boards = (ROOT / "boards.yaml").read_text()
    mark = "    ram_reserve: 0\n"
    project.add(
        "boards.yaml",
        boards.replace(mark, f"{mark}    defines: {{ HIL_ARENA_BYTES: 1200 }}\n", 1),
    )
    project.add(
        "test_arena.py",
        SINE + "def test_arena(monitor, model):\n"
        '    monitor.expect(r"AllocateTensors\\(\\) failed!")\n'
        '    monitor.send("\\n")\n'
        '    monitor.expect(r"AllocateTensors\\(\\) failed!")\n',
    )
    status, output = run_on_nano(project)
    assert status == 0, output
