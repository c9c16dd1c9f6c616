"""The README's own tests, in an empty project that has only installed the package."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from asuser import Project, call
from plain import ROOT

MODELS = ("hello_sine", "hello_sine_float")
WHERE = "import hil.paths as p; print(p.__file__, p.sketches_dir(), p.platform_dir(), sep='\\n')"


def readme_tests() -> list[str]:
    """The README's Python blocks."""
    return re.findall(r"^```python\n(.*?)^```$", (ROOT / "README.md").read_text(), re.M | re.S)


@pytest.fixture
def project(installed: Path, tmp_path: Path, run: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.delenv("PYTHONPATH", raising=False)
    made = Project(tmp_path / "project", str(installed))
    made.add("boards.yaml", (ROOT / "boards.yaml").read_bytes())
    for name in MODELS:
        shutil.copytree(ROOT / "models" / name, made.folder / "models" / name)
    return made


def test_everything_comes_from_the_package(installed: Path, project: Project) -> None:
    for line in call(installed, "-c", WHERE, cwd=project.folder).splitlines():
        assert Path(line).is_relative_to(installed.parents[1])
        assert Path(line).exists()


def test_the_readme_tests_pass_in_an_empty_project(project: Project) -> None:
    for number, text in enumerate(readme_tests()):
        project.add(f"test_readme_{number}.py", text)
    board = ("--board", "virtual-nano33ble")
    done = project.pytest(*board, "--model", "hello_sine", "--model", "hello_sine_float")
    assert done.returncode == 0, done.stdout
    passed = re.findall(r"^PASSED .*::(\S+)", done.stdout, re.M)
    assert sorted(passed) == [
        "test_hello[virtual-nano33ble-hello_sine_float]",
        "test_sine_of_zero[virtual-nano33ble-hello_sine]",
        "test_sine_of_zero[virtual-nano33ble-hello_sine_float]",
    ]
