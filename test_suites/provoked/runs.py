"""pytest runs as a user makes them: a process, an exit code, results and JUnit XML."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from provoke import ROOT


@dataclass(frozen=True)
class Outcome:
    """What a pytest run left."""

    status: int
    output: str
    results: dict[str, Any] | None
    junit: ElementTree.Element | None

    def record(self, model: str) -> dict[str, Any]:
        assert self.results is not None, self.output
        return next(r for r in self.results["records"] if r["model"] == model)

    def properties(self, name: str) -> set[str | None]:
        """Values of a JUnit property, over all tests."""
        assert self.junit is not None
        return {
            each.get("value") for each in self.junit.iter("property") if each.get("name") == name
        }

    def counts(self) -> tuple[int, int, int]:
        """Tests, failures and errors as JUnit has them."""
        assert self.junit is not None
        suite = self.junit if self.junit.tag == "testsuite" else self.junit[0]
        tests, failures, errors = (
            int(suite.get(key, 0)) for key in ("tests", "failures", "errors")
        )
        return tests, failures, errors


def pytest_command(project: Path, *arguments: str) -> list[str]:
    options = [f"--rootdir={project}", f"--junitxml={project}/junit.xml", "-p", "no:cacheprovider"]
    return [sys.executable, "-m", "pytest", *options, *arguments]


def pytest_environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT)}


def run_pytest(
    project: Path, *arguments: str, environment: Mapping[str, str] | None = None
) -> Outcome:
    """Runs pytest as a user does, in a process of its own; ``environment`` is on top of ours."""
    done = subprocess.run(
        pytest_command(project, *arguments),
        cwd=project,
        env={**pytest_environment(), **(environment or {})},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    results, junit = project / "reports" / "latest" / "results.json", project / "junit.xml"
    return Outcome(
        done.returncode,
        done.stdout + done.stderr,
        json.loads(results.read_text()) if results.is_file() else None,
        ElementTree.parse(junit).getroot() if junit.exists() else None,
    )
