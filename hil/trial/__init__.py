"""One board and one model, from sources to verdict: written once, for pytest and the command."""

from hil.mount import Slot
from hil.repetition import FILLS
from hil.settings import Settings
from hil.trial.baseline import BaselineSteps
from hil.trial.profile import ProfileSteps

__all__ = ["FILLS", "Settings", "Slot", "Trial"]


class Trial(BaselineSteps, ProfileSteps):
    """The steps of a verdict: `smoke`, `parity`, `latency`, `memory`, `accuracy`, `baseline`; and
    `profile`, which judges nothing.

    Raises of every step: what `LoadedMount.load` and `LoadedMount.ask` raise, and `BenchError` for
    the wire and the port.
    """
