"""Boards work side by side: one thread a board takes the steps that its tests will ask for.

pytest runs one test after the other; a board that waits for its turn is time lost. A test whose
marker says which steps of a trial it takes (``@pytest.mark.steps("parity")``) finds them done, or
waits for the board's thread. Boards with any other test are left to pytest alone.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress

from hil.trial import Trial

STEPS = ("smoke", "parity", "latency", "profile", "memory", "accuracy", "baseline")
"""What may be taken ahead: methods of `Trial` that need no argument."""

Job = tuple[Trial, str]

_JOIN_S = 5.0


class Ahead:
    """Threads that take steps in the order of the tests; a fault waits in the trial for its test.

    Args:
        jobs: board id to its steps, in order.
    """

    def __init__(self, jobs: Mapping[str, Sequence[Job]]) -> None:
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._work, args=(steps,), name=f"hil-{board}", daemon=True)
            for board, steps in jobs.items()
        ]

    def start(self) -> None:
        """Lets the boards go; again is harmless."""
        for thread in self._threads:
            if thread.ident is None:
                thread.start()

    def _work(self, jobs: Iterable[Job]) -> None:
        for trial, step in jobs:
            if self._stop.is_set():
                return
            with suppress(Exception):  # the trial keeps it, and raises it in the test
                getattr(trial, step)()

    def stop(self) -> None:
        """No further step begins; waits a moment for those under way."""
        self._stop.set()
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(_JOIN_S)
