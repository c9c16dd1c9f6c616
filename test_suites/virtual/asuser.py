"""pytest in a project of its own, as a user runs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from plain import ROOT


@dataclass(frozen=True)
class Project:
    """A folder with a boards.yaml, models and tests."""

    folder: Path
    python: str = sys.executable

    def add(self, name: str, text: str | bytes) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    def command(self, *arguments: str) -> list[str]:
        options = [f"--rootdir={self.folder}", "-p", "no:cacheprovider", "-rA"]
        return [self.python, "-m", "pytest", *options, *arguments]

    def pytest(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return self.run(self.command(*arguments), **environment)

    def run(self, command: list[str], **environment: str) -> subprocess.CompletedProcess[str]:
        """A command in the folder; its errors are in its output."""
        return subprocess.run(
            command,
            cwd=self.folder,
            env={**os.environ, **environment},
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=600,
            check=False,
        )

    @property
    def results(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(
            (self.folder / "reports" / "latest" / "results.json").read_text()
        )
        return found


def project_at(folder: Path) -> Project:
    """A project that uses this checkout."""
    made = Project(folder)
    made.add("pytest.ini", "[pytest]\nfilterwarnings = error\n")
    made.add("conftest.py", (ROOT / "conftest.py").read_bytes())
    made.add("boards.yaml", (ROOT / "boards.yaml").read_bytes())
    return made


def checkout() -> dict[str, str]:
    """The environment in which Python finds this checkout's package."""
    return {"PYTHONPATH": str(ROOT)}


def call(*command: str | Path, cwd: Path) -> str:
    """What a command prints; it has to succeed."""
    done = subprocess.run(list(command), cwd=cwd, text=True, timeout=300, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)  # fmt: skip
    assert done.returncode == 0, done.stdout
    return done.stdout
