"""Child processes of the set-up: progress while they run, one clear line when they fail."""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from hil.errors import SetupError

PROGRESS_EVERY_S = 5.0
"""Seconds between two progress lines of a step that takes long."""

_TAIL_LINES = 8
_TERM_GRACE_S = 3.0


def say(text: str) -> None:
    """One line for the person who waits; on stderr, so that stdout stays a program's output."""
    print(f"setup: {text}", file=sys.stderr, flush=True)


def run(
    command: Sequence[str | Path],
    what: str,
    *,
    hint: str,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> str:
    """Run ``command`` to its end and return its standard output.

    Args:
        command: program and arguments; never a shell line.
        what: the work in a few words, for progress and errors ("installing packages").
        hint: what to do when it fails, in the imperative.
        env: variables to add to this process's environment.

    Raises:
        SetupError: ``toolchain_missing`` with the command and the end of what it printed.
    """
    words = [str(word) for word in command]
    started = time.monotonic()
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        with interrupts_deferred() as interrupted:
            try:
                child = subprocess.Popen(
                    words, stdin=subprocess.DEVNULL, stdout=out, stderr=err, cwd=cwd,
                    env={**os.environ, **(env or {})}, start_new_session=True,
                )  # fmt: skip
            except OSError as error:
                raise _failure(what, words, str(error), hint) from error
        status = _wait(child, what, started, interrupted)
        out.seek(0)
        err.seek(0)
        printed = out.read()
        if status != 0:
            raise _failure(what, words, _tail(printed + err.read(), status), hint)
    return printed


@contextlib.contextmanager
def interrupts_deferred() -> Iterator[list[int]]:
    """Ctrl-C between fork and the return of Popen would leave a child that nobody knows of.

    Yields the signals that came meanwhile; empty outside the main thread, which gets none.
    """
    came: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield came
        return
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {n: signal.signal(n, lambda number, _: came.append(number)) for n in numbers}
    try:
        yield came
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _wait(
    child: subprocess.Popen[bytes], what: str, started: float, interrupted: Sequence[int]
) -> int:
    try:
        if interrupted:
            raise KeyboardInterrupt
        while True:
            try:
                return child.wait(PROGRESS_EVERY_S)
            except subprocess.TimeoutExpired:
                say(f"{what} … {time.monotonic() - started:.0f} s")
    except BaseException:
        _stop(child)
        raise


def _stop(child: subprocess.Popen[bytes]) -> None:
    """End the child's whole group and wait for it: nothing goes on behind the user's back."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(_TERM_GRACE_S)
            return


def _tail(printed: str, status: int) -> str:
    lines = [line.rstrip() for line in printed.splitlines() if line.strip()]
    return "\n    ".join([f"exit status {status}", *lines[-_TAIL_LINES:]])


def _failure(what: str, words: Sequence[str], detail: str, hint: str) -> SetupError:
    return SetupError(
        "toolchain_missing", f"{what} failed: {shlex.join(words)}\n    {detail}", hint=hint
    )
