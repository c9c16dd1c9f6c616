"""``hil debug``: what stands in the terminal around the debugger."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from hil import debug
from hil.errors import SetupError
from hil.inventory import Board
from hil.report.record import Record
from hil.results_file import read_results
from hil.selection import load_models
from hil.tensors import OpSpec

BATCH_S = 20.0
"""Seconds in which the image has to stop by itself; one that hangs does not."""


def command(board: Board, model: str, results: Path, models: Path, *, batch: bool) -> int:
    """Runs gdb on the failure of a board; 0, or gdb's own exit status.

    Raises:
        SetupError: results_file, toolchain_missing. BenchError: of the upload and the device.
    """
    record = debug.failed_record(read_results(results), board.id, model or None)
    elf = debug.image_of(record)
    if not board.fqbn.startswith("hil:"):
        print(debug.by_hand(board, record, elf))
        return 0
    ops = _ops(record, models)
    print(_told(record), flush=True)
    with debug.halted(board, record, elf) as server:
        words = debug.gdb_command(board, record, elf, server, ops, batch=batch)
        return debug.attend(words, BATCH_S if batch else None)


def _ops(record: Record, models: Path) -> Sequence[OpSpec]:
    """The ops of the model that failed; none if it is gone or has changed since."""
    try:
        (model,) = load_models(models, [record.model])
    except SetupError:
        return ()
    return model.ops if model.sha256 == record.model_sha256 else ()


def _told(record: Record) -> str:
    failing = record.failing
    assert failing is not None
    asked = f"vector {failing.vector!r}" if failing.vector else f"input {failing.crc32:08x}"
    what = asked if failing.runs else "no input: it fails before one is asked"
    first = next((f.message for f in record.findings if f.code == failing.code), "")
    return f"{record.board} x {record.model}: {failing.code} in {failing.suite}, {what}\n{first}\n"
