"""What the machine itself must be: Linux, with a Python that the harness was tested on."""

from __future__ import annotations

import sys

OLDEST, NEWEST = (3, 11), (3, 13)
"""Lowest and highest Python that the harness is tested with."""

_TESTED = f"{OLDEST[0]}.{OLDEST[1]} to {NEWEST[0]}.{NEWEST[1]}"


def problem(platform: str, version: tuple[int, int], *, dev: bool) -> str | None:
    """One line that says why the set-up cannot go on here, or None.

    Works on any Python 3, whatever the rest of the package needs.
    """
    name = f"{version[0]}.{version[1]}"
    if platform != "linux":
        return f"the harness runs on Linux only, not on {platform}; try a virtual machine"
    if version < OLDEST:
        return f"Python {name} is too old: tested with {_TESTED}; run this with a newer python3"
    if dev and version > NEWEST:
        return f"TensorFlow has no release for Python {name}: use {_TESTED}, or make bench only"
    return None


def warning(version: tuple[int, int]) -> str | None:
    """One line of advice for a Python newer than the tested ones, or None."""
    if version > NEWEST:
        return f"Python {version[0]}.{version[1]} is untested ({_TESTED} are tested); going on"
    return None


def here() -> tuple[str, tuple[int, int]]:
    """This machine's platform and Python version, as `problem` takes them."""
    return sys.platform, sys.version_info[:2]
