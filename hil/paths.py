"""Where things live: the per-user cache, the running virtual boards and the data of the package.

Standard library only: the set-up step imports this before any dependency is installed.
"""

from __future__ import annotations

import os
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def cache_dir() -> Path:
    """The per-user cache that checkouts and installs share: ``$HIL_CACHE`` or ``~/.cache/hil``."""
    given = os.environ.get("HIL_CACHE")
    if given:
        return Path(given).expanduser().absolute()
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser().absolute() / "hil"


def run_dir() -> Path:
    """Where the virtual boards of this user live: ``$HIL_RUN`` or a folder in the cache.

    Two benches on one machine (a nightly and a person) take two different ``$HIL_RUN``.
    """
    given = os.environ.get("HIL_RUN")
    return Path(given).expanduser().absolute() if given else cache_dir() / "run"


def sketches_dir() -> Path:
    """The reference sketches and their libraries: package data, or the checkout's folder."""
    packaged = _PACKAGE / "_data" / "sketches"
    return packaged if packaged.is_dir() else _PACKAGE.parent / "sketches"


def platform_dir() -> Path:
    """The arduino-cli user folder that holds the virtual bench's platform."""
    return _PACKAGE / "virtual" / "arduino"
