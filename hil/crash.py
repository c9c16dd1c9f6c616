"""A crash record and the image that crashed, in words: what happened, where, called from where.

Pure: a record and a way to name addresses go in, words and numbers come out. Fault status bits:
Armv7-M Architecture Reference Manual, B3.2.15 (CFSR) and B3.2.16 (HFSR).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Protocol

from hil import messages as m
from hil.errors import HilError
from hil.outcome import LOG_MARK
from hil.symbols import Place

CHAIN = 5
"""How many callers a message shows."""

_MMAR_VALID, _BFAR_VALID, _IMPRECISE = 1 << 7, 1 << 15, 1 << 10

_BITS: Mapping[int, str] = {
    1 << 0: "an instruction fetch from memory that holds no code",
    1 << 1: "a data access that the memory protection forbids",
    1 << 3: "a memory fault on return from an exception",
    1 << 4: "a memory fault while an exception saved registers: the stack pointer is wrong",
    1 << 5: "a memory fault while floating point registers were saved",
    1 << 8: "an instruction fetch that the bus refused",
    1 << 9: "a data access that the bus refused",
    1 << 10: "a write that the bus refused, some instructions before the pc",
    1 << 11: "a bus fault on return from an exception",
    1 << 12: "a bus fault while an exception saved registers: the stack pointer is wrong",
    1 << 13: "a bus fault while floating point registers were saved",
    1 << 16: "an undefined instruction",
    1 << 17: "an invalid state: a jump to an address without the Thumb bit",
    1 << 18: "an invalid return from an exception",
    1 << 19: "a floating point or coprocessor instruction while the unit is off",
    1 << 20: "a stack overflow that the core's stack limit caught",
    1 << 24: "an unaligned access",
    1 << 25: "a division by zero",
}

_CAUSES: Mapping[int, str] = {
    m.CrashCause.HARD_FAULT: "hard fault",
    m.CrashCause.MEM_FAULT: "memory fault",
    m.CrashCause.BUS_FAULT: "bus fault",
    m.CrashCause.USAGE_FAULT: "usage fault",
    m.CrashCause.ABORT: "abort",
    m.CrashCause.WATCHDOG: "watchdog",
    m.CrashCause.STACK: "stack overflow",
}


class Locator(Protocol):
    """What names addresses: `hil.symbols.Symbols`."""

    def at(self, address: int) -> Place: ...

    def before(self, address: int) -> Place: ...

    def is_return(self, word: int) -> bool: ...


@dataclass(frozen=True)
class Explanation:
    """``callers``: whom the link register names (then the first is ``certain``), and the calls
    before it as the stack's words suggest them."""

    cause: str
    where: Place
    callers: tuple[Place, ...]
    certain: bool

    def __str__(self) -> str:
        text = f"{self.cause} in {self.where}"
        if not self.callers:
            return text
        first, rest = self.callers[0], self.callers[1:]
        text += f"\n  called from {'' if self.certain else 'what may have been '}{first}"
        return text + "".join(f"\n  before that it may have been {place}" for place in rest)

    def numbers(self) -> dict[str, Any]:
        """The same for a record, under stable names."""
        return {
            "what": self.cause,
            "function": self.where.function,
            "within": self.where.within,
            "file": self.where.file,
            "line": self.where.line,
            "callers": [str(place) for place in self.callers],
        }


def cause_words(record: m.Crash) -> str:
    """What went wrong, such as "memory fault: a data access that … forbids, at 0x00000000"."""
    if record.cause == m.CrashCause.ABORT and record.text:
        return record.text
    name = _CAUSES.get(record.cause, f"crash of cause {record.cause}")
    overflow = record.cause == m.CrashCause.STACK  # its bits only say that saving registers failed
    details = [words for bit, words in _BITS.items() if record.cfsr & bit and not overflow]
    if record.cause == m.CrashCause.USAGE_FAULT and not details:
        details.append("the part does not say which")
    if record.hfsr & 2:
        details.append("the vector table could not be read")
    if record.cfsr & _MMAR_VALID:
        details.append(f"at address 0x{record.mmfar:08x}")
    if record.cfsr & _BFAR_VALID:
        details.append(f"at address 0x{record.bfar:08x}")
    if record.text:
        details.append(record.text)
    return f"{name}: {', '.join(details)}" if details else name


def explain(record: m.Crash, places: Locator) -> Explanation:
    """The record in words. The registers of an abort are return addresses, those of a fault are
    where the core stood; of an overflow only the stack's words are left."""
    returns = [word for word in record.stack if places.is_return(word)]
    if record.cause == m.CrashCause.ABORT:
        where, certain = places.before(record.pc), False
        # The words before its last appearance are of the calls that wrote the record.
        last = max((n for n, word in enumerate(returns) if word & ~1 == record.pc & ~1), default=-1)
        returns = returns[last + 1 :]
    elif record.pc == 0 and returns:
        where, certain = places.before(returns.pop(0)), False
    else:
        where = places.at(record.pc)
        certain = places.is_return(record.lr) and not _same(places.before(record.lr), where)
    chain = ([record.lr] if certain else []) + returns
    callers = [place for place in map(places.before, chain) if place.function]
    once = [p for n, p in enumerate(callers) if n == 0 or p != callers[n - 1]]
    return Explanation(cause_words(record), where, tuple(once[:CHAIN]), certain)


def _same(caller: Place, where: Place) -> bool:
    """Whether the link register is left over from a call that the function itself has made."""
    return (caller.within or caller.function) == (where.within or where.function)


_HINTS: tuple[tuple[int, str], ...] = (
    (1 << 24, "read through memcpy, or align the data, at {place}"),
    (1 << 25, "look at {place}: which divisor can be 0?"),
    (1 << 16 | 1 << 17 | 1 << 0 | 1 << 8, "look at who called {place}: a wrong function pointer?"),
    (1 << 19, "switch the unit on at start, or build for a part without it"),
    (_IMPRECISE, "look at the writes shortly before {place}"),
)


def hint(record: m.Crash, where: Place) -> str:
    """What to do next."""
    place = f"{where.file}:{where.line}" if where.file else where.function or "the pc"
    if record.cause == m.CrashCause.STACK:
        return f"give the stack more room, or look for large arrays and recursion at {place}"
    if record.cause == m.CrashCause.ABORT:
        return f"read the check at {place}: the model or its input breaks what the kernel demands"
    if record.cause == m.CrashCause.WATCHDOG:
        return f"look at the loop at {place}: why does it not end, or not feed the watchdog?"
    known = (text for bits, text in _HINTS if record.cfsr & bits)
    return next(known, "look at {place}: which pointer or index is wrong there?").format(
        place=place
    )


def record_in(numbers: Mapping[str, Any]) -> m.Crash | None:
    """The crash record among the numbers of an error; None if it has none."""
    names = [field.name for field in fields(m.Crash)]
    if not all(name in numbers for name in names):
        return None
    return m.Crash(**{name: numbers[name] for name in names})


def _head(error: HilError) -> str:
    at_start = " at each start, before it answers" if error.numbers.get("at_start") else ""
    if error.code == "hang":
        return (
            f"the watchdog restarts a firmware that hangs{at_start}"
            if at_start
            else ("the watchdog restarted a firmware that hung")
        )
    return f"the firmware crashes{at_start}" if at_start else "the firmware crashed"


def retell(error: HilError, places: Locator) -> None:
    """Puts the explanation into an error that carries a crash record; once is enough.

    The error itself changes: it may be known by then to whoever raises it again.
    """
    record = record_in(error.numbers)
    if record is None or "what" in error.numbers:
        return
    told = explain(record, places)
    head = _head(error)
    _, mark, log = error.message.partition(LOG_MARK)  # the addresses stay among the numbers
    error.message = f"{head}: {told}{mark}{log}"
    error.args = (error.message,)
    error.hint = hint(record, told.where)
    error.numbers.update(told.numbers())
