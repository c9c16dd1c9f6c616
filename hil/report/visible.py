"""Text that strangers wrote (devices, models, compilers), made fit to be shown.

A terminal escape, a right-to-left mark or a lone surrogate would change how the text around it is
drawn, or could not be written at all: it is shown as Python writes it (``\\x1b``, ``\\u202e``).
"""

from __future__ import annotations


def visible(text: str) -> str:
    """``text`` in which every character can be seen: what `str.isprintable` refuses is spelt out,
    except line feeds and tabs; CR LF is one line feed."""
    if text.isprintable():
        return text
    return "".join(map(_spelt, text.replace("\r\n", "\n")))


def one_line(text: str) -> str:
    """The same, with every run of white space as one space."""
    return visible(" ".join(text.split()))


def tail(text: str, limit: int) -> tuple[str, int]:
    """The last ``limit`` characters at most, from the start of a line on, and how many were left
    out before them."""
    if len(text) <= limit:
        return text, 0
    kept = text[-limit:]
    _, newline, whole_lines = kept.partition("\n")
    kept = whole_lines if newline and whole_lines else kept
    return kept, len(text) - len(kept)


def _spelt(char: str) -> str:
    if char.isprintable() or char in "\n\t":
        return char
    return char.encode("unicode_escape").decode("ascii")
