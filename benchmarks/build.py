"""How long a build takes: cold, after a change of the model, and with nothing changed.

In a cache of its own that has the tools and TFLM's source, but no object file. Its path has a
space in it, so that every run shows that such a path works.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench import ROOT, print_table

from hil.paths import cache_dir

HIL = (sys.executable, "-c", "from hil.cli import main; main()")


def tools_of(cache: Path, fresh: Path) -> None:
    """Gives a fresh cache what the set-up downloaded into another."""
    for name in ("tflm", "arduino-cli"):
        if (cache / name).exists():
            (fresh / name).symlink_to(cache / name)
    shutil.copytree(cache / "arduino", fresh / "arduino")


def seconds(cache: Path, board: str, model: str) -> float:
    """Wall time of one `hil build`, the start of Python included."""
    started = time.monotonic()
    subprocess.run(
        [*HIL, "build", board, model],
        cwd=ROOT,
        env={**os.environ, "HIL_CACHE": str(cache), "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        check=True,
    )
    return time.monotonic() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--board", default="virtual-nano33ble")
    parser.add_argument("--models", nargs=2, default=["hello_sine", "gesture"])
    given = parser.parse_args()
    first, second = given.models
    with tempfile.TemporaryDirectory(prefix="hil build ") as folder:
        fresh = Path(folder)
        tools_of(cache_dir(), fresh)
        steps = (
            ("cold", seconds(fresh, given.board, first)),
            ("model changed", seconds(fresh, given.board, second)),
            ("unchanged", seconds(fresh, given.board, second)),
        )
    cold = steps[0][1]
    print(f"{given.board}: {first}, then {second}")
    rows = [(name, f"{taken:.1f} s", f"1/{cold / taken:.0f}") for name, taken in steps]
    print_table(("build", "time", "of cold"), rows)


if __name__ == "__main__":
    main()
