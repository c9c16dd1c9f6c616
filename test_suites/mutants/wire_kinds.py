"""Mutants of the line between host and board: bytes changed, lost and doubled for good."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from mutant import Mutant, group
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


def relayed(stage: Stage, model: str = "hello_sine") -> Relay:
    """An honest board with the honest firmware, and a line before it that can be spoiled."""
    stage.use(model)
    open_device(stage.board, stage.firmware(), model).close()
    relay = Relay(Path(stage.board.port))
    stage.opened(relay)
    stage.board = stage.board.model_copy(update={"port": relay.url})
    stage.arguments.append("--no-flash")
    return relay


def line(
    to_board: Spoil | None, to_host: Spoil | None, passes: int = PASSES
) -> Callable[[Stage], None]:
    """A line that spoils what passes, for good."""

    def make(stage: Stage) -> None:
        relay = relayed(stage)
        spoilers = {
            name: Counted(spoil, passes)
            for name, spoil in (("to_board", to_board), ("to_host", to_host))
            if spoil
        }
        for name, spoil in spoilers.items():
            setattr(relay, name, spoil)
        if not passes:  # each suite would wait for a handshake in vain
            stage.suites = PARITY_ONLY
        stage.shows(lambda: _changed(spoilers))

    return make


def _changed(spoilers: dict[str, Counted]) -> str:
    counts = {name: spoil.changed for name, spoil in spoilers.items()}
    return ", ".join(f"{count} pieces {name}" for name, count in counts.items() if count)


def _inside(place: float, data: bytes) -> int:
    """An index at a share of the piece, the zeros at its ends left alone."""
    return max(1, min(int(place * len(data)), len(data) - 2))


def flip(place: float) -> Spoil:
    """Changes a byte, never into a zero."""

    def change(data: bytes) -> bytes:
        at = _inside(place, data)
        return data[:at] + bytes([data[at] ^ 0x55 or 0x01]) + data[at + 1 :]

    return change


def drop(place: float) -> Spoil:
    """Loses a byte."""

    def change(data: bytes) -> bytes:
        at = _inside(place, data)
        return data[:at] + data[at + 1 :]

    return change


def double(place: float) -> Spoil:
    """Repeats a byte."""

    def change(data: bytes) -> bytes:
        at = _inside(place, data)
        return data[:at] + data[at : at + 1] + data[at:]

    return change


def _ways(kind: str, spoil: Callable[[float], Spoil]) -> list[Mutant]:
    return group(
        kind,
        ("to_host", "wire", line(None, spoil(0.5))),
        ("to_host_near_the_start", "wire", line(None, spoil(0.1))),
        ("to_host_near_the_end", "wire", line(None, spoil(0.9))),
        ("to_board", "wire", line(spoil(0.5), None)),
        ("both_ways", "wire", line(spoil(0.3), spoil(0.7))),
        ("to_board_from_the_start", "wire", line(spoil(0.5), None, 0)),
        ("to_host_from_the_start", "wire", line(None, spoil(0.5), 0)),
    )


MUTANTS: list[Mutant] = [
    *_ways("byte_flipped", flip),
    *_ways("byte_dropped", drop),
    *_ways("byte_doubled", double),
]
