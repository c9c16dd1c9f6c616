"""A failure in the hand: the failed image on the board, its input asked again, gdb at the fault.

Nothing is built. A virtual board is halted before the input that failed is run, so that gdb is
there first; for a physical board the vendor's debugger has to be, and what to tell it is said.
"""

from __future__ import annotations

import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from hil import messages as m
from hil.claim import Claim
from hil.device import Device
from hil.errors import SetupError
from hil.failed_input import Inputs, read_inputs
from hil.firmware import image_digest
from hil.flash import upload_image
from hil.inventory import Board
from hil.kernels_at import kernel_address
from hil.paths import platform_dir, sketches_dir
from hil.report.record import Record, Results, Verdict
from hil.tensors import OpSpec
from hil.tflm import resolve_tflm
from hil.virtual import control
from hil.virtual.places import Place

GDB = "gdb-multiarch"

FAULTS = ("Fault_Handler", "machine_die")
"""Where a virtual core ends up when the firmware dies (cores/hil/fault.cpp)."""


def failed_record(results: Results, board: str, model: str | None) -> Record:
    """The failed record of a board to look into.

    Raises:
        SetupError: results_file, if there is none or more than one.
    """
    failed = [each for each in results.records if each.board == board and each.failing]
    chosen = [each for each in failed if model in (None, each.model)]
    if len(chosen) == 1:
        return chosen[0]
    others = [
        f"{each.model}: {', '.join(f.code for f in each.findings)}"
        for each in results.records
        if each.board == board and each.verdict == Verdict.FAIL and each not in chosen
    ]
    what = "several failures" if chosen else "no failure that a debugger can stop at"
    hint = "name one with --model" if chosen else "parity, crash and hang are; run the tests again"
    problems = others or [each.model for each in chosen]
    raise SetupError("results_file", what, board=board, hint=hint, problems=problems)


def image_of(record: Record) -> Path:
    """The image that failed, as it was kept.

    Raises:
        SetupError: results_file, if it is gone or another.
    """
    elf = Path(record.firmware.elf) if record.firmware else Path()
    if not elf.is_file():
        problem = f"the failed image {elf} is not there"
    elif record.firmware and image_digest(elf) != record.firmware.digest:
        problem = f"{elf} is not the image that failed: its digest is another"
    else:
        return elf
    raise SetupError("results_file", problem, board=record.board, hint="run the tests again")


def stop_at(record: Record, ops: Sequence[OpSpec], elf: Path) -> list[str]:
    """What gdb is told before the board runs on: the op to blame, if one is, and where the
    firmware dies. One that dies at start is started as at power-on."""
    commands = [f"break {name}" for name in FAULTS]
    if record.failing and record.failing.suite == "connect":
        return [*commands, "set var machine_retained.magic = 0", "monitor system_reset"]
    guilty = record.divergence.op if record.divergence else None
    if guilty is None or guilty >= len(ops):
        return commands
    opcode = ops[guilty].opcode
    address = kernel_address(elf, opcode)
    if address is None:
        return [*commands, "break tflite::MicroInterpreter::Invoke"]
    before = sum(op.opcode == opcode for op in ops[:guilty])
    commands.append(f"tbreak *0x{address:08x}")
    return [*commands, *([f"ignore {len(FAULTS) + 1} {before}"] if before else [])]


def gdb_command(
    board: Board, record: Record, elf: Path, server: str, ops: Sequence[OpSpec], *, batch: bool
) -> list[str]:
    """The command line of gdb, which stops where `stop_at` says; ``batch``: it tells the place, and
    leaves."""
    places = {
        "tflm": resolve_tflm(board.tflm).library,
        "platform": platform_dir() / "hardware" / "hil" / "cortexm",
        "sketch": sketches_dir() / record.sketch,
        "HilDevice": sketches_dir() / "libraries" / "HilDevice",
    }
    commands = ["set confirm off", "set pagination off"]
    commands += [f"set substitute-path {name} {path}" for name, path in places.items()]
    stops = stop_at(record, ops, elf)
    commands += [f"target remote {server}", *stops, "continue", "backtrace"]
    if any(each.startswith("tbreak") for each in stops):
        commands.append('printf "the kernel writes tensor %d\\n", node->outputs->data[0]')
    if batch:
        commands += ["info registers pc lr sp", "detach"]
    words = [GDB, "-q", *(["-batch", "-nx"] if batch else []), str(elf)]
    return words + [word for command in commands for word in ("-ex", command)]


@contextmanager
def halted(board: Board, record: Record, elf: Path) -> Iterator[str]:
    """A virtual board with the failed image, halted with the failing request before it; yields
    the gdb server's address. The board is this process's until the end.

    Raises:
        BenchError: what the device and the upload raise.
    """
    failing = record.failing
    assert failing is not None
    sequence = read_inputs(Path(failing.inputs)) if failing.inputs else []
    place = Place(Path(board.port))
    with Claim(board):
        _flash(board, record, elf)
        if failing.runs == 0 and failing.suite == "connect":
            control.halt(place)
            yield control.open_server(place)
            return
        with Device(board.port, baud=board.baud, board=board.id, model=record.model) as device:
            request = _prepared(device, failing.arena, failing.fill, sequence)
            control.halt(place)
            device.line.post(request)
            yield control.open_server(place)


def _prepared(device: Device, arena: int, fill: int, sequence: Sequence[Inputs]) -> m.Message:
    """Runs what led to the failure; the request that fails."""
    if not sequence:
        return m.Load(arena, fill, 0)
    device.load(arena, fill)
    for inputs in sequence[:-1]:
        device.infer(inputs)
    return m.Invoke(device.put(sequence[-1]))


def _flash(board: Board, record: Record, elf: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="hil-debug-") as folder:
        shutil.copyfile(elf, Path(folder) / f"{record.sketch}.ino.elf")
        upload_image(board, Path(folder))


def attend(command: Sequence[str], patience: float | None = None) -> int:
    """Runs gdb in this terminal; Ctrl-C is gdb's alone. Its exit status.

    ``patience``: seconds after which it is interrupted; None: a person is there.

    Raises:
        SetupError: toolchain_missing, if it is not installed.
    """
    if shutil.which(command[0]) is None:
        raise SetupError("toolchain_missing", f"{command[0]} is not on PATH", hint="hil setup")
    before = signal.signal(signal.SIGINT, _ignore)  # a handler is not inherited, SIG_IGN is
    try:
        with subprocess.Popen(command) as gdb:
            return _ended(gdb, patience)
    finally:
        signal.signal(signal.SIGINT, before)


def _ignore(number: int, frame: object) -> None:
    pass


def _ended(gdb: subprocess.Popen[bytes], patience: float | None) -> int:
    """The exit status; one that takes longer is interrupted, so that it says where it is."""
    try:
        return gdb.wait(patience)
    except subprocess.TimeoutExpired:
        gdb.send_signal(signal.SIGINT)
    try:
        return gdb.wait(patience)
    except subprocess.TimeoutExpired:
        gdb.kill()
        return gdb.wait()


def by_hand(board: Board, record: Record, elf: Path) -> str:
    """What to do where the debugger is the vendor's."""
    failing = record.failing
    assert failing is not None
    return "\n".join(
        [
            f"{board.id} is no virtual board: attach its own debugger.",
            f"  debugger: {board.debug or 'state one as `debug:` in boards.yaml'}",
            f"  image:    {elf}",
            f"  inputs:   {failing.inputs or 'none: it fails while loading'}",
            f"  fails in: {failing.suite} ({failing.code}), arena {failing.arena or 'all'}, "
            f"filled with 0x{failing.fill:02x}",
            f"  break at: HardFault_Handler, abort{_op_words(record)}",
        ]
    )


def _op_words(record: Record) -> str:
    found = record.divergence
    return f", and the kernel of op {found.op} ({found.opcode})" if found and found.opcode else ""
