"""Timing a model on its device: how many inferences make one sample, and how many samples.

A tick may be long against a short inference: so many of them are timed as one that a tick is less
than a ten-thousandth of it. What asks the device is given: nothing here knows of a board.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

from hil.clock import Block
from hil.clock_check import ClockCheck, Deviation
from hil.device import NoRoom

WARM_UPS = 3
LEAST_RUNS = 5

WANTED_TICKS = 10_000
"""Ticks of a sample: its two ends and those of its overhead are read to one tick each, so that it
is known to 0.04 %, and a tick is 0.01 %."""

MOST_INVOKES = 0xFFFF
"""What INVOKE can ask for."""

LONGEST_S = 0.5
"""Seconds, by the host, after which a block is not made longer."""

CHECK_S, CHECK_ROUND_TRIPS = 0.1, 20
"""How long a block is by which a clock is judged: by its own word, and in round trips."""

_GROWTH = 10
_TRIES = 3

Ask = Callable[[int], Block]
"""Runs so many inferences on the device; may raise NoRoom for more than one."""


@dataclass(frozen=True)
class Timed:
    """The first inference, the samples, and what other clocks say of a long block."""

    first: Block
    blocks: tuple[Block, ...]
    deviations: tuple[Deviation, ...]

    @property
    def wrong(self) -> Deviation | None:
        """The first clock that contradicts the device's."""
        return next((each for each in self.deviations if each.wrong), None)


class StoodStill(Exception):
    """The clock did not go on during ``block``."""

    def __init__(self, block: Block) -> None:
        super().__init__(f"no tick in {block.invokes} inferences, {block.host_s:.3g} s")
        self.block = block


def measure(ask: Ask, check: ClockCheck, runs: int, seconds: float) -> Timed:
    """Times inferences; fewer than ``runs`` samples, but never less than five, if they take
    longer than ``seconds``.

    Raises:
        StoodStill: the clock shows no tick over half a second of inferences.
    """
    first = ask(1)
    warm = [ask(1) for _ in range(WARM_UPS)][-1]
    fitted = _fitting(ask, warm, WANTED_TICKS)
    if not fitted.net:
        raise StoodStill(fitted)
    until = time.monotonic() + seconds
    blocks: list[Block] = []
    while len(blocks) < runs and (len(blocks) < LEAST_RUNS or time.monotonic() < until):
        blocks.append(ask(fitted.invokes))
        if not blocks[-1].net:
            raise StoodStill(blocks[-1])
    spoilt = [each for block in blocks for each in check.deviations(block) if each.wrong]
    # A host that is late is no fault of the clock: that is judged by the long block alone.
    spoilt = [each for each in spoilt if each.against != "host" or each.off > 0]
    return Timed(first, tuple(blocks), (*_checked(ask, check, fitted), *spoilt))


def _fitting(ask: Ask, block: Block, ticks: float) -> Block:
    """A block that is long enough, or as long as may be; with no room for more it is one."""
    while block.net < ticks and block.host_s < LONGEST_S and block.invokes < MOST_INVOKES:
        try:
            block = ask(_more(block, ticks))
        except NoRoom:
            break
    return block


def _more(block: Block, ticks: float) -> int:
    """How many inferences to try next: more, but not so many that the host waits for long."""
    wanted = math.ceil(1.1 * ticks / block.each) if block.net else MOST_INVOKES
    by_host = math.ceil(LONGEST_S * block.invokes / block.host_s) if block.host_s else MOST_INVOKES
    most = min(wanted, by_host, _GROWTH * block.invokes, MOST_INVOKES)
    return max(block.invokes + 1, most)


def _checked(ask: Ask, check: ClockCheck, block: Block) -> list[Deviation]:
    """A long block against the other clocks. The host may be late once, not three times."""
    long_s = CHECK_S if check.emulated else max(CHECK_S, CHECK_ROUND_TRIPS * check.round_trip_s)
    block = _fitting(ask, block, long_s * check.hz)
    for _ in range(_TRIES - 1):
        found = check.deviations(block)
        if not any(each.wrong for each in found):
            return found
        block = ask(block.invokes)
    return check.deviations(block)
