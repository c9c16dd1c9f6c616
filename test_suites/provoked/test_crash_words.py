"""A crash says what happened, in which function, in which line, and who called it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from dying import ASSERT, BUS, DIVIDE, EVEN, HONEST, LOCKUP, SKETCH, UNDEFINED, dying, fault, infer

from hil.errors import HilError, ProductError
from hil.inventory import Board
from hil.model import Model, load_model
from hil.payload import CrashCause, ResetCause
from hil.trial import Settings, Trial
from hil.virtual import control

LINES = (SKETCH / "dying_runner.ino").read_text().splitlines()
FILE = "sketch/dying_runner.ino"


@pytest.fixture
def it(any_board: Board, hello: Model) -> Iterator[Trial]:
    with dying(any_board, hello) as made:
        yield made


@pytest.fixture
def on_nano(nano: Board, hello: Model) -> Iterator[Trial]:
    with dying(nano, hello) as made:
        yield made


def source(numbers: dict[str, object]) -> str:
    """The line of the sketch that an error names."""
    assert numbers["file"] == FILE
    return LINES[int(str(numbers["line"])) - 1]


def test_an_undefined_instruction_is_named_with_its_callers(it: Trial) -> None:
    error = fault(it, UNDEFINED)
    assert error.code == "crash"
    assert error.numbers["function"] == "run_undefined"
    assert "run_undefined()" in source(error.numbers)
    callers = error.numbers["callers"]
    assert callers[0].startswith("perish")
    assert "inlined in fatal" in callers[0]
    assert any("MicroInterpreter::Invoke" in each for each in callers)
    assert it.record.findings[-1].numbers["function"] == "run_undefined"
    assert it.record.findings[-1].message == error.message
    infer(it, HONEST)


@pytest.mark.parametrize(
    ("what", "words", "function"),
    [
        (UNDEFINED, "usage fault: an undefined instruction", "run_undefined"),
        (DIVIDE, "usage fault: a division by zero", "divide_by_zero"),
        (
            BUS,
            "bus fault: a data access that the bus refused, at address 0xa0000000",
            "touch_nothing",
        ),
        (EVEN, "usage fault: an invalid state", "run_undefined"),
    ],
)
def test_the_fault_status_is_put_into_words(
    on_nano: Trial, what: int, words: str, function: str
) -> None:
    error = fault(on_nano, what)
    assert error.message.startswith(f"the firmware crashed: {words}")
    assert error.numbers["function"] == function
    if what == EVEN:
        assert error.numbers["callers"][0].startswith("jump_to_even")


def test_an_assert_says_its_text_and_the_line_it_stands_in(it: Trial) -> None:
    error = fault(it, ASSERT)
    assert error.numbers["cause"] == CrashCause.ABORT
    assert error.numbers["what"] == 'assert: sink == 0xDEAD && "the sky is green"'
    assert error.numbers["function"] == "assert_falsehood"
    assert "the sky is green" in source(error.numbers)
    assert error.numbers["callers"][0].startswith("perish")
    assert not any("__assert_func" in each for each in error.numbers["callers"])


def test_a_lock_up_is_a_crash_of_a_board_that_comes_back(it: Trial) -> None:
    error = fault(it, LOCKUP)
    assert (error.code, error.kind) == ("crash", "product")
    assert "lock-up" in error.numbers["what"]
    assert error.numbers["function"] == "run_undefined"
    assert error.numbers["callers"][0].startswith("lock_up")
    assert it.device().info.reset_cause == ResetCause.FAULT
    assert it.device().crash() is not None
    infer(it, HONEST)
    it.device().reset()  # a reset that follows is what it is
    assert it.device().info.reset_cause == ResetCause.SOFTWARE


def test_the_launcher_says_that_the_core_locked_up(on_nano: Trial, run: Path) -> None:
    fault(on_nano, LOCKUP)
    (status,) = [each for each in control.running(run) if each["name"] == on_nano.board.id]
    assert status["on"]
    assert status["last_words"].startswith("the core locked up: status")


@pytest.mark.parametrize("what", [UNDEFINED, LOCKUP])
def test_a_firmware_that_crashes_at_each_start_is_told_as_the_crash(
    either: Board, hello: Model, what: int
) -> None:
    with Trial(either, hello, Settings(defines={"AT_START": what}), SKETCH) as it:
        with pytest.raises(HilError) as caught:
            it.smoke()
        error = caught.value
        assert (error.code, error.kind) == ("crash", "product")
        assert error.numbers["at_start"] is True
        assert error.numbers["function"] == "run_undefined"
        if what != LOCKUP:  # of which only registers are left
            assert any("setup" in each for each in error.numbers["callers"])
        assert it.record.verdict == "fail"
        assert [(each.suite, each.code) for each in it.record.findings] == [("connect", "crash")]
    with dying(either, hello) as other:  # and the next firmware finds the board well
        infer(other, HONEST)


def test_a_crash_before_setup_is_told_too(nano: Board, hello: Model) -> None:
    with (
        Trial(nano, hello, Settings(defines={"BEFORE_SETUP": DIVIDE}), SKETCH) as it,
        pytest.raises(HilError) as caught,
    ):
        it.device()
    assert (caught.value.code, caught.value.kind) == ("crash", "product")
    assert caught.value.numbers["function"] == "divide_by_zero"


def test_what_crashes_at_start_on_the_board_already_is_replaced(nano: Board, hello: Model) -> None:
    bad = Trial(nano, hello, Settings(defines={"AT_START": UNDEFINED}), SKETCH)
    with bad, pytest.raises(HilError):
        bad.device()
    with dying(nano, hello) as good:
        assert good.device().info.safe_mode is False
        infer(good, HONEST)


def test_the_abort_of_a_kernel_is_the_line_of_its_check(
    attempt: Callable[..., Trial], nano: Board, negatives: Path
) -> None:
    it = attempt(nano, model=load_model(negatives / "residual_add"))
    with pytest.raises(ProductError) as caught:
        it.parity()
    numbers = caught.value.numbers
    assert numbers["function"] == "tflite::reference_integer_ops::Add"
    assert numbers["file"].endswith("kernels/internal/reference/integer_ops/add.h")
    assert any("add::Eval" in each for each in numbers["callers"])
    assert caught.value.hint.startswith("read the check at tflm/src/tensorflow/lite/kernels/")


def test_a_stack_overflow_names_the_function_that_recursed(
    attempt: Callable[..., Trial], any_board: Board
) -> None:
    error = fault(attempt(any_board, "CHOSEN"), 2)
    assert error.message.startswith("the firmware crashed: stack overflow")
    assert error.numbers["function"] == "overflow_the_stack"
    assert error.hint.startswith("give the stack more room")


def test_a_watchdogs_hang_names_the_loop(attempt: Callable[..., Trial], nano: Board) -> None:
    error = fault(attempt(nano, "CHOSEN"), 5)
    assert error.code == "hang"
    assert error.numbers["function"] == "spin"
    assert error.numbers["callers"][0].startswith("spin_until_the_watchdog_bites")
