"""The virtual environment of a checkout, filled from the hashed lock and nothing else."""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

from hil.setup.files import locked, write_atomic
from hil.setup.run import run, say

ROOT = Path(__file__).resolve().parents[2]
"""The checkout, if there is one around this package."""

_HINT = "check that pip reaches a package index (try: pip download pip), then run this again"

_VENV_HINT = "install the venv module of this Python (Debian: apt-get install python3-venv)"


def is_checkout(root: Path = ROOT) -> bool:
    """Whether ``root`` is a checkout; an installed package got its libraries from pip."""
    return (root / "pyproject.toml").is_file() and (root / "requirements").is_dir()


def ensure(*, dev: bool, root: Path = ROOT) -> None:
    """Have ``.venv`` in the checkout with the bench's libraries, or with those of ``dev`` too.

    An environment with the development libraries serves the bench as well. Nothing is removed
    while the lock stays the same.
    """
    if is_current(dev=dev, root=root):
        return
    with locked(f"venv-{hashlib.sha256(str(root).encode()).hexdigest()[:16]}"):
        if not is_current(dev=dev, root=root):
            _fill(root / ".venv", root, "dev" if dev else "bench")


def is_current(*, dev: bool, root: Path = ROOT) -> bool:
    """Whether the stamp says that the environment holds what the lock asks for."""
    python, stamp = root / ".venv" / "bin" / "python", _stamp_path(root)
    if not python.exists() or not stamp.is_file():
        return False
    accepted = [_stamp(root, "dev")] + ([] if dev else [_stamp(root, "bench")])
    return stamp.read_text() in accepted


def _stamp_path(root: Path) -> Path:
    return root / ".venv" / "hil-setup.json"


def _stamp(root: Path, flavour: str) -> str:
    """What the environment was made from; changes when it has to be filled again."""
    files = (root / "requirements" / f"{flavour}.lock", root / "pyproject.toml")
    digests = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
    where = {"python": sys.version, "base": sys.base_prefix, "root": str(root)}
    return json.dumps({**digests, **where}, sort_keys=True)


def _fill(folder: Path, root: Path, flavour: str) -> None:
    """Make or update the environment; the stamp goes first and comes back last.

    Scripts in an environment hold its path, so it cannot be made elsewhere and renamed: one
    without a stamp is a half one and made anew.
    """
    stamp = _stamp_path(root)
    if stamp.is_file() and _same_python(stamp, root):
        stamp.unlink()
    else:
        say(f"making {folder}")
        run([_base_python(), "-m", "venv", "--clear", folder],
            "making the virtual environment", hint=_VENV_HINT)  # fmt: skip
    pip: list[str | Path] = [folder / "bin" / "python", "-m", "pip"]
    pip += ["--disable-pip-version-check", "install"]
    lock = root / "requirements" / f"{flavour}.lock"
    say(f"installing the Python packages of {lock.name}")
    run([*pip, "--no-deps", "--require-hashes", "-r", lock],
        "installing Python packages", hint=_HINT)  # fmt: skip
    run([*pip, "--no-deps", "--no-build-isolation", "-e", root],
        "installing this checkout", hint=_HINT)  # fmt: skip
    write_atomic(stamp, _stamp(root, flavour))


def _same_python(stamp: Path, root: Path) -> bool:
    """Whether the environment was made here by this very Python, and may be updated in place."""
    try:
        made = json.loads(stamp.read_text())
    except ValueError:
        return False
    here = {"python": sys.version, "base": sys.base_prefix, "root": str(root)}
    return isinstance(made, dict) and all(made.get(key) == here[key] for key in here)


def _base_python() -> Path:
    """The Python that this one, perhaps of a virtual environment, was made from."""
    executable = getattr(sys, "_base_executable", None) or sys.executable
    return Path(executable)
