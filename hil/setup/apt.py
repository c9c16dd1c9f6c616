"""Packages of the distribution: asked for by what they bring, installed in one go."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys

from hil.errors import SetupError
from hil.setup import tflm_crate, tools
from hil.setup.files import locked
from hil.setup.run import run, say


def missing() -> list[str]:
    """The packages that would bring what this machine lacks; a few milliseconds when complete."""
    wanted = [package for tool, package in tools.PACKAGES.items() if not shutil.which(tool)]
    if not tools.has_arm_headers():
        wanted += tools.HEADER_PACKAGES
    if importlib.util.find_spec("ensurepip") is None:
        wanted.append(f"python3.{sys.version_info.minor}-venv")
    if not shutil.which("cargo") and not tflm_crate.is_staged():
        wanted.append("cargo")
    return wanted


def install_missing() -> None:
    """Install what is missing, as root or by a sudo that asks for no password.

    Raises:
        SetupError: ``toolchain_missing`` with the one line to run, if neither is there.
    """
    if not missing():
        return
    with locked("apt"):
        packages = missing()
        if packages:
            install(packages)
        still = missing()
    if still:
        raise SetupError(
            "toolchain_missing",
            f"installed, but still missing: {', '.join(still)}",
            hint=tools.apt_line(still),
        )


def install(packages: list[str]) -> None:
    """Install ``packages`` without recommends."""
    names, line = ", ".join(packages), tools.apt_line(packages)
    if not shutil.which("apt-get"):
        raise SetupError(
            "toolchain_missing",
            f"missing: {names} (names of Debian); this system has no apt-get",
            hint="install what your distribution calls them, then run this again",
        )
    root = as_root()
    if root is None:
        raise SetupError("toolchain_missing", f"missing: {names}", hint=line)
    say(f"installing {names}")
    _update(root)
    run([*root, "apt-get", "-o", "DPkg::Lock::Timeout=300", "install", "-y",
         "--no-install-recommends", *packages], "installing packages", hint=line)  # fmt: skip


def _update(root: list[str]) -> None:
    """Refresh the package lists; one source that does not answer need not stop the install."""
    try:
        run([*root, "apt-get", "update"], "updating the package lists", hint="")
    except SetupError as error:
        say(f"going on with the package lists as they are: {error.message.splitlines()[0]}")


def as_root() -> list[str] | None:
    """The words that make a command run as root, or None if there is no way without asking."""
    quiet = ["env", "DEBIAN_FRONTEND=noninteractive"]
    if os.geteuid() == 0:
        return quiet
    sudo = shutil.which("sudo")
    if sudo and subprocess.run([sudo, "-n", "true"], capture_output=True).returncode == 0:
        return [sudo, "-n", *quiet]
    return None


def candidate(package: str) -> tuple[int, ...]:
    """Version that the configured sources offer, e.g. (1, 5); () if they have none."""
    if not shutil.which("apt-cache"):
        return ()
    answer = subprocess.run(
        ["apt-cache", "policy", package], capture_output=True, text=True,
        env={**os.environ, "LC_ALL": "C"},
    )  # fmt: skip
    found = re.search(r"Candidate: (?:\d+:)?(\d+)\.(\d+)", answer.stdout)
    return tuple(int(part) for part in found.groups()) if found else ()
