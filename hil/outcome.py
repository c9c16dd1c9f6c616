"""What a device's answer, silence or restart means, as the error that a trial raises.

Identity: what the device says about itself against what was built, before anything is judged.

===============  ===============  ==========================================================
build id         other fact       code
===============  ===============  ==========================================================
equal            model CRC        model_corrupt: the right firmware, other bytes in flash
differs          board            wrong_board: another board's firmware answers on this port
differs          model CRC        wrong_model: firmware of another model, or of other weights
differs          all equal        stale_firmware: built from other sources or flags
===============  ===============  ==========================================================

Firmware that states no build id is taken for what was just uploaded if board and model fit, and
for nothing that was found on a board. Restarts:

======================  ==========================================================
reset cause             error
======================  ==========================================================
fault                   crash (product), with the registers of the record
watchdog                hang (product)
anything else           port_lost if the port vanished, else no_answer (bench)
======================  ==========================================================

Silence alone is no_answer (bench), after LOAD or INVOKE too: a cable that was pulled and a kernel
that never ends look the same from here. A watchdog tells them apart, or asking again (`hil.hang`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from hil import messages as m
from hil.described import arena_problem
from hil.errors import BenchError, HilError, ProductError
from hil.session import DeviceSilent

LOG_QUOTE = 400
"""Characters of the device's last text that an error quotes."""

LOG_MARK = "\n  device log: "
"""What stands before them."""


@dataclass(frozen=True)
class Identity:
    """What the firmware on the board should be. An empty ``build_id`` or ``board``: not known.

    ``must_state``: firmware that states no build id is not taken for it.
    """

    build_id: str
    board: str
    model_crc32: int
    model_len: int
    must_state: bool = False


class CannotWatch(ValueError):
    """The ops of this firmware, or of this model on it, cannot be looked at one by one."""


class ArenaFixed(ValueError):
    """The firmware owns its interpreter: its arena has one size, what it needs is unknown."""


class NoRoom(ValueError):
    """The arena has no room for the copy of the inputs that a block of inferences takes."""


@dataclass(frozen=True)
class Names:
    """Board and model that an error names."""

    board: str | None = None
    model: str | None = None

    def bench(self, code: str, message: str, hint: str = "", **numbers: Any) -> BenchError:
        return BenchError(
            code, message, board=self.board, model=self.model, hint=hint, numbers=numbers
        )

    def product(self, code: str, message: str, hint: str = "", **numbers: Any) -> ProductError:
        return ProductError(
            code, message, board=self.board, model=self.model, hint=hint, numbers=numbers
        )


_NOT_FLASHED = (
    "run without --no-flash; if it was flashed just now, the upload went to another board or "
    "changed nothing: compare `port:` with arduino-cli board list"
)


def identity_error(expect: Identity, info: m.Info, names: Names) -> HilError | None:
    """What the first table says, or None if the device is what was expected."""
    same_model = (info.model_crc, info.model_len) == (expect.model_crc32, expect.model_len)
    known = bool(expect.build_id and info.build_id)
    numbers = {
        "build_id": info.build_id,
        "expected_build_id": expect.build_id,
        "board": info.board,
        "model_crc32": info.model_crc,
        "expected_model_crc32": expect.model_crc32,
        "model_bytes": info.model_len,
    }
    if known and expect.build_id == info.build_id:
        return None if same_model else _corrupt(expect, info, names, numbers)
    if expect.board and info.board and expect.board != info.board:
        text = f"the firmware is for {info.board!r}, expected {expect.board!r}"
        return names.bench("wrong_board", text, "is `port:` that of another board?", **numbers)
    if not same_model:
        text = (
            f"the model in the device has CRC {info.model_crc:08x} ({info.model_len} bytes), "
            f"expected {expect.model_crc32:08x} ({expect.model_len} bytes)"
        )
        return names.bench("wrong_model", text, _NOT_FLASHED, **numbers)
    if known or (expect.build_id and expect.must_state):
        found = f"build {info.build_id}" if info.build_id else "firmware that states no build id"
        text = f"{found} is on the board, expected {expect.build_id}"
        return names.bench("stale_firmware", text, _NOT_FLASHED, **numbers)
    return None


def _corrupt(
    expect: Identity, info: m.Info, names: Names, numbers: Mapping[str, Any]
) -> ProductError:
    text = (
        f"build {info.build_id} holds other model bytes than were built: "
        f"CRC {info.model_crc:08x}, expected {expect.model_crc32:08x}"
    )
    return names.product("model_corrupt", text, "flash again; look at the flash part", **numbers)


def changed_error(before: m.Info, now: m.Info, names: Names) -> ProductError:
    """The model was what it should be at the handshake and is no longer."""
    return names.product(
        "model_corrupt",
        f"the model at 0x{now.model_addr:08x} changed while it ran: CRC {before.model_crc:08x} at "
        f"the handshake, now {now.model_crc:08x}",
        "what writes there? keep the model in flash (const), look for writes beyond a buffer",
        model_crc32=now.model_crc,
        expected_model_crc32=before.model_crc,
        address=now.model_addr,
    )


def load_error(loaded: m.Loaded, asked: int, info: m.Info, names: Names) -> Exception | None:
    """A LOAD that the device refused, or did not carry out as asked; None if all is well.

    ``asked``: arena bytes asked for, 0 for all.
    """
    given = loaded.arena_size or asked
    status = loaded.status
    if status == m.Status.OK:
        problem = arena_problem(loaded, asked, info.arena_cap)
        return names.bench("wire", f"LOAD went otherwise: {problem}") if problem else None
    if status == m.Status.SCHEMA_MISMATCH:
        return names.product(
            "schema_mismatch",
            f"the model has schema version {info.model_schema}, "
            f"the firmware's TFLM supports {info.schema_supported}",
            model=info.model_schema,
            supported=info.schema_supported,
        )
    if status in (m.Status.ALLOCATE_FAILED, m.Status.ARENA_TOO_SMALL):
        return names.product(
            "arena_overflow",
            f"the tensors do not fit an arena of {given} bytes (the board has {info.arena_cap})",
            given=given,
            cap=info.arena_cap,
        )
    if status == m.Status.MISSING_OP:
        return names.product(
            "missing_op",
            f"no kernel for operator code {loaded.missing_index}, version {loaded.missing_version}",
            index=loaded.missing_index,
            version=loaded.missing_version,
        )
    if status == m.Status.MODEL_MISALIGNED:
        text = f"the model lies at 0x{info.model_addr:08x}, not on a multiple of 4"
        return names.product("model_misaligned", text, address=info.model_addr)
    if status == m.Status.RESOLVER_FULL:
        return names.product("missing_op", "the firmware's op resolver is too small")
    if status == m.Status.CANNOT_WATCH:
        return CannotWatch("the firmware gives HilDevice no watch that holds the model's ops")
    if status == m.Status.BAD_ARG:
        return ArenaFixed(f"the firmware's arena is fixed at {given} bytes, asked for {asked}")
    return names.bench("wire", f"LOAD was refused: {m.status_name(status)}", status=status)


def invoke_error(
    invoked: m.Invoked | m.Watched, sent_crc: int, log: str, names: Names
) -> Exception:
    """An INVOKE or WATCH that was refused, a kernel failed, or whose answer is to other inputs."""
    if invoked.status == m.Status.NO_ROOM:
        return NoRoom("the whole arena is the interpreter's: no room for a copy of the inputs")
    if invoked.status == m.Status.INVOKE_FAILED:
        text = "Invoke() failed: a kernel refused the model" + _quote(log)
        return names.product("unsupported_type", text)
    if invoked.status in (m.Status.OK, m.Status.INPUT_CRC):
        return names.bench(
            "wire",
            f"the inputs have CRC {invoked.input_crc:08x} in the device, sent {sent_crc:08x}",
            device_crc=invoked.input_crc,
            sent_crc=sent_crc,
        )
    name = "WATCH" if isinstance(invoked, m.Watched) else "INVOKE"
    return names.bench("wire", f"{name} was refused: {m.status_name(invoked.status)}")


def silent_error(error: DeviceSilent, names: Names) -> BenchError:
    """Nothing came back."""
    hint = "is it the right port, does the firmware include HilDevice, is it running?"
    return names.bench("no_answer", str(error), hint, waited_s=round(error.waited, 2))


def silent_work_error(error: DeviceSilent, log: str, names: Names) -> BenchError:
    """Nothing came back from work, though the frames before it were acknowledged."""
    text = f"{error}, though the frames before it were acknowledged" + _quote(log)
    hint = "cable and power; if the kernel never ends, a watchdog in the firmware will say so"
    numbers = {"waited_s": round(error.waited, 2), "request": error.request}
    return names.bench("no_answer", text, hint, **numbers)


_RESTARTED: Mapping[int, str] = {
    m.ResetCause.POWER_ON: "the board lost its power: look at supply, cable and hub",
    m.ResetCause.SOFTWARE: "the firmware resets itself, or another program told it to: which?",
    m.ResetCause.PIN: "something pulls the reset line: its button, a debugger, DTR of a program?",
}


def start_error(cause: int, record: m.Crash | None, log: str, names: Names) -> HilError:
    """The device is in safe mode: its firmware crashed at each start and never answered."""
    found = restart_error("", cause, record, log, "no_answer", names)
    found.numbers["at_start"] = True
    return found


def restart_error(
    what: str, cause: int, record: m.Crash | None, log: str, otherwise: str, names: Names
) -> HilError:
    """The device restarted in the middle of something; the second table. ``what``: seen as."""
    if cause == m.ResetCause.FAULT:
        return _crash(record, log, names)
    if cause == m.ResetCause.WATCHDOG:
        return _hang(record, log, names)
    known = m.ResetCause(cause).name.lower() if cause in list(m.ResetCause) else str(cause)
    hint = _RESTARTED.get(cause, "who resets the board: its supply, its button, another program?")
    return names.bench(otherwise, f"{what} (reset cause: {known})", hint, reset_cause=cause)


def _crash(record: m.Crash | None, log: str, names: Names) -> ProductError:
    if record is None:
        return names.product("crash", "the firmware crashed; it kept no record" + _quote(log))
    text = (
        f"the firmware crashed ({_cause(record.cause)}) at pc 0x{record.pc:08x}, "
        f"called from 0x{record.lr:08x}, cfsr 0x{record.cfsr:08x}"
    )
    said = f": {record.text}" if record.text else ""
    return names.product(
        "crash",
        text + said + _quote(log),
        f"arm-none-eabi-addr2line -e FIRMWARE.elf 0x{record.pc:08x} 0x{record.lr:08x}",
        **asdict(record),
    )


def _cause(number: int) -> str:
    known = number in list(m.CrashCause)
    return m.CrashCause(number).name.lower().replace("_", " ") if known else f"cause {number}"


def _hang(record: m.Crash | None, log: str, names: Names) -> ProductError:
    """A core that keeps a record of the watchdog's bite says where the firmware stuck."""
    text = "the watchdog restarted the device"
    if record is None or record.cause != m.CrashCause.WATCHDOG:
        return names.product("hang", text + _quote(log))
    return names.product(
        "hang",
        f"{text}, which was at pc 0x{record.pc:08x}, called from 0x{record.lr:08x}" + _quote(log),
        f"arm-none-eabi-addr2line -e FIRMWARE.elf 0x{record.pc:08x} 0x{record.lr:08x}",
        **asdict(record),
    )


def _quote(log: str) -> str:
    tail = log.strip()[-LOG_QUOTE:]
    return LOG_MARK + tail if tail else ""
