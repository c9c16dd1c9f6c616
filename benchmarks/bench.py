"""What the benchmarks share: virtual boards of their own, apart from the user's, and a table."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from hil import arduino
from hil.inventory import Board, load_bench
from hil.virtual import control
from hil.virtual.places import Place

ROOT = Path(__file__).resolve().parents[1]


@contextmanager
def virtual_boards() -> Iterator[tuple[Board, ...]]:
    """The virtual boards of boards.yaml on a bench that exists only meanwhile."""
    with tempfile.TemporaryDirectory(prefix="hil-bench-") as run:
        os.environ |= {"HIL_RUN": run, "HIL_VIRTUAL_OWNER": str(os.getpid())}
        boards = load_bench(ROOT / "boards.yaml").boards.values()
        try:
            yield tuple(board for board in boards if "virtual" in board.tags)
        finally:
            for status in control.running():
                control.stop(Place(Path(status["port"])))


def flash_sketch(board: Board, sketch: Path) -> None:
    """Compiles a plain sketch and uploads it."""
    with tempfile.TemporaryDirectory(prefix="hil-build-") as build:
        arguments = ["compile", "--fqbn", board.full_fqbn, "--build-path", build, str(sketch)]
        _must(arduino.run(board, arguments, timeout=300))
        arguments = ["upload", "--fqbn", board.full_fqbn, "--port", board.port]
        arguments += ["--input-dir", build, "--discovery-timeout", "1ms"]
        _must(arduino.run(board, arguments, timeout=60))


def _must(done: arduino.Ran) -> None:
    if done.status:
        raise SystemExit(done.out + done.err)


def print_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Columns as wide as their longest cell; figures to the right."""
    table = [tuple(header), *(tuple(row) for row in rows)]
    widths = [max(len(row[column]) for row in table) for column in range(len(header))]
    for row in table:
        cells = [row[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
        print("  ".join(cells).rstrip())
