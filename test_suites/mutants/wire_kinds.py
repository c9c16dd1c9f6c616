"""Mutants of the line between host and board."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from mutant import Mutant
from relay import SHORTEST, Relay, Spoil
from stage import PARITY_ONLY, Stage

from hil.flash import open_device

PASSES = 60
"""Pieces that pass before the line goes bad: the handshake, and the middle of the parity suite."""


@dataclass
class Counted:
    """Spoils each piece that can hold a frame, after the first ``passes``, and counts."""

    change: Spoil
    passes: int = PASSES
    changed: int = 0

    def __call__(self, data: bytes) -> bytes:
        if len(data) < SHORTEST:
            return data
        self.passes -= 1
        if self.passes >= 0:
            return data
        spoiled = self.change(data)
        self.changed += spoiled != data
        return spoiled


def line(
    to_board: Spoil | None, to_host: Spoil | None, passes: int = PASSES
) -> Callable[[Stage], None]:
    """An honest board behind a line that spoils what passes, for good."""

    def make(stage: Stage) -> None:
        stage.use("hello_sine")
        open_device(stage.board, stage.firmware(), stage.model.name).close()
        relay = Relay(Path(stage.board.port))
        spoilers = {
            name: Counted(spoil, passes)
            for name, spoil in (("to_board", to_board), ("to_host", to_host))
            if spoil
        }
        for name, spoil in spoilers.items():
            setattr(relay, name, spoil)
        stage.opened(relay)
        stage.board = stage.board.model_copy(update={"port": relay.url})
        stage.arguments.append("--no-flash")
        if not passes:  # each suite would wait for a handshake in vain
            stage.suites = PARITY_ONLY
        stage.shows(lambda: _changed(spoilers))

    return make


def _changed(spoilers: dict[str, Counted]) -> str:
    counts = {name: spoil.changed for name, spoil in spoilers.items()}
    return ", ".join(f"{count} pieces {name}" for name, count in counts.items() if count)


def flip(place: float) -> Spoil:
    """Changes the byte at a share of the piece; never into a zero, never one of the ends."""

    def change(data: bytes) -> bytes:
        at = max(1, min(int(place * len(data)), len(data) - 2))
        return data[:at] + bytes([data[at] ^ 0x55 or 0x01]) + data[at + 1 :]

    return change


WIRE = frozenset({"wire"})

FLIPPED = [
    Mutant("byte_flipped", name, WIRE, line(to_board, to_host, passes))
    for name, to_board, to_host, passes in (
        ("to_host", None, flip(0.5), PASSES),
        ("to_host_near_the_start", None, flip(0.1), PASSES),
        ("to_host_near_the_end", None, flip(0.9), PASSES),
        ("to_board", flip(0.5), None, PASSES),
        ("both_ways", flip(0.3), flip(0.7), PASSES),
        ("to_board_from_the_start", flip(0.5), None, 0),
    )
]

MUTANTS = [*FLIPPED]
