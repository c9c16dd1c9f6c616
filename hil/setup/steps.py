"""The steps of the set-up in their order, and the command that takes them."""

from __future__ import annotations

import argparse
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from hil.errors import SetupError
from hil.setup import apt, arduino, host, tflm_crate, venv
from hil.setup.run import say

Step = tuple[str, Callable[[], object]]

EXIT_SETUP = 4
"""Exit status when something that the harness needs is missing."""

EXIT_INTERRUPTED = 130
_WORTH_A_LINE_S = 1.0


def steps(*, dev: bool) -> list[Step]:
    """What the set-up does, in order; each asks first whether it has work to do."""
    wanted: list[Step] = [("packages", apt.install_missing)]
    if venv.is_checkout():
        wanted.append(("Python packages", lambda: venv.ensure(dev=dev)))
    return [*wanted, ("arduino-cli", arduino.ensure), ("TFLM", tflm_crate.stage)]


def set_up(*, dev: bool) -> None:
    """Take all steps, with a line for each that took long.

    Raises:
        SetupError: the first thing that is missing and cannot be brought.
    """
    started = time.monotonic()
    _check_host(dev=dev)
    for name, step in steps(dev=dev):
        began = time.monotonic()
        step()
        spent = time.monotonic() - began
        if spent > _WORTH_A_LINE_S:
            say(f"{name}: done in {spent:.0f} s")
    say(f"ready ({time.monotonic() - started:.1f} s)")


def _check_host(*, dev: bool) -> None:
    platform, version = host.here()
    problem = host.problem(platform, version, dev=dev)
    if problem is not None:
        raise SetupError("toolchain_missing", problem)
    advice = host.warning(version)
    if advice is not None:
        say(f"warning: {advice}")


@contextmanager
def _terminated_as_interrupted() -> Iterator[None]:
    """SIGTERM (a cancelled CI job) cleans up as Ctrl-C does; children are ended either way."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def command(arguments: Sequence[str]) -> int:
    """The set-up as a command: 0 when all is there, 4 with one clear line when it is not."""
    parser = argparse.ArgumentParser(
        prog="hil setup", description="Fetch what a bench needs; a second run only looks."
    )
    flavour = parser.add_mutually_exclusive_group()
    flavour.add_argument("--bench", action="store_true", help="what a run needs (the default)")
    flavour.add_argument("--dev", action="store_true", help="TensorFlow and the linters as well")
    options = parser.parse_args(arguments)
    try:
        with _terminated_as_interrupted():
            set_up(dev=options.dev)
    except SetupError as error:
        say(f"error: {error.message}" + (f"; next: {error.hint}" if error.hint else ""))
        return EXIT_SETUP
    except KeyboardInterrupt:
        say("interrupted; nothing was left half done, run it again to go on")
        return EXIT_INTERRUPTED
    return 0
