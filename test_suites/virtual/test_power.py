"""What a reset keeps and what a power-on loses."""

from __future__ import annotations

from pathlib import Path

from plain import Talk, place, upload

from hil.inventory import Board
from hil.messages import ResetCause
from hil.virtual import control

Images = dict[str, Path]
PAINT = "A5A5A5A5"


def boot(talk: Talk) -> tuple[int, int, int, int]:
    """Reset cause, boots since power-on, times asked since power-on, times asked since reset."""
    cause, boots, kept, zeroed = map(int, talk.ask("b").split())
    return cause, boots, kept, zeroed


def test_a_power_on_starts_from_nothing(any_board: Board, images: Images) -> None:
    for _ in range(2):
        upload(any_board, images[any_board.id])
        with Talk(any_board) as talk:
            assert talk.line() == "hello"
            assert boot(talk) == (ResetCause.POWER_ON, 1, 1, 1)
            assert talk.ask("p") == PAINT  # RAM that the sketch never wrote


def test_a_reset_keeps_the_retained_section_and_nothing_else(
    any_board: Board, images: Images
) -> None:
    upload(any_board, images[any_board.id])
    with Talk(any_board) as talk:
        assert talk.line() == "hello"
        boot(talk)
    control.request(place(any_board), "reset")
    with Talk(any_board) as talk:
        assert talk.line() == "hello"
        assert boot(talk) == (ResetCause.PIN, 2, 2, 1)
