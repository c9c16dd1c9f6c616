"""The commit of the project under test: what a figure was measured at."""

from __future__ import annotations

import subprocess
import tomllib
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

SHOWN = 12
"""Hex digits of a commit that are kept: what `git describe --abbrev=12` gives."""

_TIMEOUT_S = 20.0
_CHECKOUT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Revision:
    """``commit``: its first 12 hex digits, "" outside a git work tree or before the first commit;
    ``dirty``: tracked files differ from it."""

    commit: str = ""
    dirty: bool = False

    def __str__(self) -> str:
        return named(self.commit, self.dirty)


def named(commit: str, dirty: bool) -> str:
    """A commit as people read it: ``1f2e3d4c5b6a``, with ``-dirty`` as git describe has it."""
    return (commit or "no commit") + ("-dirty" if dirty else "")


def revision_of(folder: Path) -> Revision:
    """The commit that ``folder`` is checked out at. Never raises: without git, or where git
    refuses (another user's folder), nothing is known."""
    head = _git(folder, "rev-parse", "--verify", "--quiet", "HEAD")
    if not head:
        return Revision()
    # Untracked files do not count: reports of earlier runs may lie there.
    changed = _git(folder, "status", "--porcelain", "--untracked-files=no")
    return Revision(head.strip()[:SHOWN], bool(changed is None or changed.strip()))


def checkout_revision() -> Revision:
    """The commit of the harness itself; unknown for an installed package, which lies in the
    repository of somebody else if in any."""
    return revision_of(_CHECKOUT) if (_CHECKOUT / "pyproject.toml").is_file() else Revision()


def harness_version() -> str:
    """The version of tinyml-hil: of the installed package, else of the checkout."""
    try:
        return metadata.version("tinyml-hil")
    except metadata.PackageNotFoundError:
        project = _CHECKOUT / "pyproject.toml"
        return str(tomllib.loads(project.read_text())["project"]["version"])


def _git(folder: Path, *words: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *words],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None
