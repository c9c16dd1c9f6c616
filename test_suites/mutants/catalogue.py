"""All mutants, and docs/mutants.md.

``python test_suites/mutants/catalogue.py`` writes the document anew; a test compares.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
if __name__ == "__main__":
    sys.path[:0] = [str(ROOT), str(ROOT / "test_suites" / "provoked")]

import flash_kinds  # noqa: E402
import sketch_kinds  # noqa: E402
import wire_kinds  # noqa: E402
from mutant import Mutant, words  # noqa: E402

DOCUMENT = ROOT / "docs" / "mutants.md"

MUTANTS: tuple[Mutant, ...] = (
    *flash_kinds.MUTANTS,
    *sketch_kinds.MUTANTS,
    *wire_kinds.MUTANTS,
)

WHAT = {
    "flipped_weight": "one bit of the model flips in the image, whose build id stays",
    "one_lsb": "the last layer's output is off by one step",
    "byte_flipped": "a byte of every frame changes on the line",
}
"""The kinds, in one line each."""

_HEAD = """\
# Mutants

The harness tests itself: each of these faults is put into the firmware, the line, a file or the
host's engine, nothing of the harness is touched, and the suites smoke, parity, latency and memory
run on it as a user runs them. A mutant is killed if the run ends with exactly the codes that stand
here, written down beforehand, and with their exit code. One that passes, is told as something
else, or changes nothing that can be seen, fails the run.

`make mutants` runs them all; `make test` runs the first of each kind.
`pytest test_suites/mutants --mutants all -k one_lsb` runs a kind.
"""


def kinds(mutants: Iterable[Mutant] = MUTANTS) -> dict[str, list[Mutant]]:
    """Mutants by kind, in the order of the list."""
    found: dict[str, list[Mutant]] = {}
    for mutant in mutants:
        found.setdefault(mutant.kind, []).append(mutant)
    return found


def one_of_each() -> tuple[Mutant, ...]:
    """The first mutant of each kind."""
    return tuple(group[0] for group in kinds().values())


def document() -> str:
    """docs/mutants.md."""
    lines = [_HEAD, "| kind | n | what is wrong | mutants and their codes |", "|---|---|---|---|"]
    lines += [
        f"| {kind} | {len(group)} | {WHAT[kind]} | {_mutants(group)} |"
        for kind, group in kinds().items()
    ]
    return "\n".join(lines) + "\n"


def _mutants(group: list[Mutant]) -> str:
    by_codes: dict[str, list[str]] = {}
    for mutant in group:
        by_codes.setdefault(words(mutant.expected), []).append(mutant.name)
    return "; ".join(f"**{codes}**: {', '.join(names)}" for codes, names in by_codes.items())


if __name__ == "__main__":
    DOCUMENT.write_text(document())
