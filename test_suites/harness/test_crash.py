"""Crash records in words: causes, places, callers, and an error that is told again."""

from __future__ import annotations

from dataclasses import asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil import messages as m
from hil.crash import cause_words, explain, hint, record_in, retell
from hil.errors import BenchError, ProductError
from hil.outcome import LOG_MARK
from hil.symbols import Place

CODE = {0x100: "kernel", 0x200: "invoke", 0x300: "loop"}
U32 = st.integers(0, 2**32 - 1)


class Map:
    """Functions of 0x100 bytes; every odd word in them is a return address."""

    def at(self, address: int) -> Place:
        name = CODE.get(address & ~0xFF, "")
        return Place(address & ~1, name, f"{name}.cpp" if name else "", address & 0xFF)

    def before(self, address: int) -> Place:
        return self.at((address & ~1) - 1)

    def is_return(self, word: int) -> bool:
        return bool(word & 1) and (word & ~0xFF) in CODE


def record(cause: m.CrashCause, **rest: object) -> m.Crash:
    return m.Crash(1, cause, **rest)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("crash", "words"),
    [
        (record(m.CrashCause.HARD_FAULT), "hard fault"),
        (
            record(m.CrashCause.MEM_FAULT, cfsr=0x82, mmfar=0x10, bfar=7),
            "memory fault: a data access that the memory protection forbids, at address 0x00000010",
        ),
        (
            record(m.CrashCause.BUS_FAULT, cfsr=0x8200, bfar=0xA0000000),
            "bus fault: a data access that the bus refused, at address 0xa0000000",
        ),
        (record(m.CrashCause.USAGE_FAULT, cfsr=1 << 16), "usage fault: an undefined instruction"),
        (record(m.CrashCause.USAGE_FAULT, cfsr=1 << 24), "usage fault: an unaligned access"),
        (record(m.CrashCause.USAGE_FAULT, cfsr=1 << 25), "usage fault: a division by zero"),
        (record(m.CrashCause.USAGE_FAULT), "usage fault: the part does not say which"),
        (record(m.CrashCause.HARD_FAULT, cfsr=1 << 10), "some instructions before the pc"),
        (record(m.CrashCause.HARD_FAULT, hfsr=2), "the vector table could not be read"),
        (
            record(m.CrashCause.STACK, cfsr=0x92, mmfar=0x1FFFFF6F),
            "stack overflow: at address 0x1fffff6f",
        ),
        (record(m.CrashCause.ABORT, text="assert: x > 0"), "assert: x > 0"),
        (record(m.CrashCause.ABORT), "abort"),
        (m.Crash(1, 99), "crash of cause 99"),
    ],
)
def test_a_cause_has_words(crash: m.Crash, words: str) -> None:
    assert cause_words(crash).endswith(words)


def test_an_invalid_state_says_what_that_is() -> None:
    assert "Thumb" in cause_words(record(m.CrashCause.USAGE_FAULT, cfsr=1 << 17))


def test_a_fault_is_where_the_pc_is_and_the_link_register_called() -> None:
    told = explain(
        record(m.CrashCause.MEM_FAULT, pc=0x110, lr=0x221, stack=(0, 0x333, 0x20000000)), Map()
    )
    assert told.where.function == "kernel"
    assert told.certain
    assert [place.function for place in told.callers] == ["invoke", "loop"]
    assert str(told) == (
        "memory fault in kernel (kernel.cpp:16)\n"
        "  called from invoke (invoke.cpp:31)\n"
        "  before that it may have been loop (loop.cpp:49)"
    )


def test_a_link_register_left_over_from_an_own_call_is_no_caller() -> None:
    told = explain(record(m.CrashCause.MEM_FAULT, pc=0x110, lr=0x121, stack=(0x221,)), Map())
    assert not told.certain
    assert [place.function for place in told.callers] == ["invoke"]
    assert "called from what may have been invoke" in str(told)


def test_an_abort_is_where_it_was_called_though_that_was_the_last_instruction() -> None:
    crash = record(m.CrashCause.ABORT, pc=0x200, lr=0x200, stack=(0x141, 0x201, 0x331))
    told = explain(crash, Map())
    assert told.where.function == "kernel"
    assert [place.function for place in told.callers] == ["loop"]


def test_of_an_overflow_the_deepest_call_is_where() -> None:
    told = explain(record(m.CrashCause.STACK, stack=(0x111, 0x111, 0x221)), Map())
    assert told.where.function == "kernel"
    assert [place.function for place in told.callers] == ["kernel", "invoke"]


def test_a_recursion_is_named_once() -> None:
    told = explain(record(m.CrashCause.STACK, stack=(0x111,) * 9), Map())
    assert len(told.callers) == 1


def test_nothing_known_is_an_address() -> None:
    told = explain(record(m.CrashCause.HARD_FAULT, pc=0x20001234, lr=0xFFFFFFFD), Map())
    assert str(told) == "hard fault in 0x20001234"


@pytest.mark.parametrize(
    ("crash", "words"),
    [
        (record(m.CrashCause.STACK), "give the stack more room"),
        (record(m.CrashCause.ABORT), "read the check at k.cpp:3"),
        (record(m.CrashCause.WATCHDOG), "look at the loop at k.cpp:3"),
        (record(m.CrashCause.USAGE_FAULT, cfsr=1 << 24), "memcpy"),
        (record(m.CrashCause.USAGE_FAULT, cfsr=1 << 25), "divisor"),
        (record(m.CrashCause.USAGE_FAULT, cfsr=1 << 16), "function pointer"),
        (record(m.CrashCause.BUS_FAULT, cfsr=1 << 10), "shortly before k.cpp:3"),
        (record(m.CrashCause.HARD_FAULT), "look at k.cpp:3"),
    ],
)
def test_a_hint_says_what_to_do(crash: m.Crash, words: str) -> None:
    assert words in hint(crash, Place(8, "k", "k.cpp", 3))


def crash_error(crash: m.Crash) -> ProductError:
    message = f"the firmware crashed at pc 0x{crash.pc:08x}{LOG_MARK}line one\nline two"
    return ProductError("crash", message, board="b", model="m", numbers=asdict(crash))


def test_an_error_is_told_again_once_and_keeps_the_log() -> None:
    crash = record(m.CrashCause.MEM_FAULT, pc=0x110, lr=0x221)
    error = crash_error(crash)
    assert record_in(error.numbers) == crash
    retell(error, Map())
    told = str(error)
    assert "the firmware crashed: memory fault in kernel (kernel.cpp:16)" in told
    assert f"{LOG_MARK}line one\nline two" in told
    assert "0x00000110" not in told
    numbers = error.numbers
    assert (numbers["function"], numbers["file"], numbers["line"]) == ("kernel", "kernel.cpp", 16)
    assert (numbers["cause"], numbers["what"]) == (m.CrashCause.MEM_FAULT, "memory fault")
    assert numbers["callers"] == ["invoke (invoke.cpp:31)"]
    retell(error, Map())
    assert str(error) == told
    assert error.finding("parity").numbers["function"] == "kernel"


def test_a_watchdogs_hang_says_where_it_stuck() -> None:
    numbers = asdict(record(m.CrashCause.WATCHDOG, pc=0x110))
    error = ProductError("hang", "the watchdog restarted the device", numbers=numbers)
    retell(error, Map())
    assert error.message.startswith("the watchdog restarted a firmware that hung: watchdog in kern")


def test_an_error_without_a_record_stays_as_it_is() -> None:
    error = BenchError("no_answer", "no answer", numbers={"waited_s": 1.0})
    retell(error, Map())
    assert (error.message, error.numbers) == ("no answer", {"waited_s": 1.0})


@given(st.integers(0, 255), U32, U32, U32, U32, st.lists(U32, max_size=48), st.text(max_size=64))
def test_every_record_has_words(
    cause: int, pc: int, lr: int, cfsr: int, hfsr: int, stack: list[int], text: str
) -> None:
    crash = m.Crash(1, cause, pc, lr, cfsr=cfsr, hfsr=hfsr, stack=tuple(stack), text=text)
    error = crash_error(crash)
    retell(error, Map())
    assert error.numbers["what"]
    assert str(error)
