"""How a fault reads in the terminal."""

from __future__ import annotations

from hil.errors import ProductError
from hil.testreport import again, story


def test_what_a_device_prints_is_no_command_to_the_terminal() -> None:
    error = ProductError(
        "hang", "it said:\n  \x1b[2J\x07 Ünïcode \u202e", board="nano", hint="look"
    )
    text = story(error, None)
    assert r"\x1b[2J\x07 Ünïcode \u202e" in text
    assert all(char.isprintable() or char == "\n" for char in text)
    assert text.splitlines()[-1] == "  next: look"


def test_a_fault_that_was_told_is_a_line_and_says_where_it_was() -> None:
    error = ProductError("crash", "it crashed\n  called from there", board="nano", hint="look")
    text = again(error, "test_parity[nano-m]")
    assert str(error).splitlines()[0] in text
    assert "test_parity[nano-m]" in text
    assert "called from there" not in text
