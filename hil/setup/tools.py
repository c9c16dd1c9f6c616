"""Programs that the harness calls, and the package that brings each on Debian and Ubuntu."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from functools import lru_cache
from pathlib import Path

from hil.errors import SetupError
from hil.paths import cache_dir

PACKAGES = {
    "arm-none-eabi-g++": "gcc-arm-none-eabi",
    "qemu-system-arm": "qemu-system-arm",
    "arduino-ctags": "arduino-ctags",
    "ccache": "ccache",
}
"""Program to package: what a virtual bench cannot do without."""

HEADER_PACKAGES = ("libnewlib-arm-none-eabi", "libstdc++-arm-none-eabi-dev")
"""C library and C++ headers of the cross compiler; without recommends it comes with neither."""

OPTIONAL = {
    "arm-none-eabi-gcc": "gcc-arm-none-eabi",
    "arm-none-eabi-addr2line": "binutils-arm-none-eabi",
    "arm-none-eabi-objcopy": "binutils-arm-none-eabi",
    "arm-none-eabi-nm": "binutils-arm-none-eabi",
    "cargo": "cargo",
    "gdb-multiarch": "gdb-multiarch",
}

OLDEST_ARDUINO_CLI = (1, 0)
SETUP_LINE = "hil setup (in a checkout: make setup)"


def apt_line(packages: list[str]) -> str:
    """The one line that installs ``packages``, as root, with nothing that is not needed."""
    names = " ".join(packages)
    return f"sudo apt-get update && sudo apt-get install -y --no-install-recommends {names}"


def find_tool(name: str) -> Path:
    """The program ``name`` on PATH.

    Raises:
        SetupError: ``toolchain_missing`` with the line that installs it.
    """
    found = shutil.which(name)
    if found is None:
        package = PACKAGES.get(name) or OPTIONAL.get(name)
        hint = apt_line([package]) if package else f"install {name} and put it on PATH"
        raise SetupError("toolchain_missing", f"{name} is not on PATH", hint=hint)
    return Path(found)


def find_arduino_cli() -> Path:
    """arduino-cli 1.0 or newer: the one on PATH, else the one that the set-up unpacked.

    Raises:
        SetupError: ``toolchain_missing`` if there is neither.
    """
    found = arduino_cli_on_path()
    if found is not None:
        return found
    if unpacked_arduino_cli().is_file():
        return unpacked_arduino_cli()
    raise SetupError(
        "toolchain_missing", "arduino-cli 1.0 or newer is not on PATH", hint=SETUP_LINE
    )


def unpacked_dir() -> Path:
    """Where the set-up unpacks Debian's arduino-cli, with its discoveries, for this user."""
    return cache_dir() / "arduino-cli"


def unpacked_arduino_cli() -> Path:
    return unpacked_dir() / "usr" / "bin" / "arduino-cli"


def arduino_data_dir() -> Path:
    """The data directory of bundled boards (``ARDUINO_DIRECTORIES_DATA``).

    Every call of arduino-cli names it: without, even ``version`` writes to ``~/.arduino15``.
    """
    return cache_dir() / "arduino" / "data"


def arduino_cli_on_path() -> Path | None:
    """The user's own arduino-cli, unless it is older than 1.0 or does not run."""
    found = shutil.which("arduino-cli")
    if found is None or arduino_cli_version(found) < OLDEST_ARDUINO_CLI:
        return None
    return Path(found)


@lru_cache
def arduino_cli_version(program: str) -> tuple[int, ...]:
    """Version of an arduino-cli, e.g. (1, 5, 1); () if it does not say one."""
    try:
        answer = subprocess.run(
            [program, "version", "--format", "json"],
            capture_output=True, text=True, timeout=30, check=True,
            env={**os.environ, "ARDUINO_DIRECTORIES_DATA": str(arduino_data_dir())},
        )  # fmt: skip
        text = str(json.loads(answer.stdout)["VersionString"])
    except (OSError, subprocess.SubprocessError, ValueError, KeyError, TypeError):
        return ()
    return tuple(int(number) for number in re.findall(r"\d+", text)[:3])


def has_arm_headers() -> bool:
    """Whether the cross compiler on PATH finds its C library's and C++ headers."""
    try:
        answer = subprocess.run(
            ["arm-none-eabi-g++", "-E", "-x", "c++", "-"],
            input=b"#include <stdio.h>\n#include <cstdint>\n",
            capture_output=True, timeout=30,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return False
    return answer.returncode == 0
