"""A mutant as a value: one thing made wrong, and the codes that must come of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hil.errors import CODES, Kind
from hil.report.writer import EXIT_BENCH, EXIT_PRODUCT, EXIT_SETUP

if TYPE_CHECKING:
    from stage import Stage

_EXIT = {Kind.PRODUCT: EXIT_PRODUCT, Kind.BENCH: EXIT_BENCH, Kind.SETUP: EXIT_SETUP}


@dataclass(frozen=True)
class Mutant:
    """One fault.

    Attributes:
        kind: the family, one row of the table in docs/mutants.md.
        name: which one of it.
        expected: the codes of a run's findings, no more and no fewer, fixed beforehand.
        make: arranges the fault on a stage and says there how it shows (`Stage.shows`).
    """

    kind: str
    name: str
    expected: frozenset[str]
    make: Callable[[Stage], None]

    def __post_init__(self) -> None:
        if not self.expected or not self.expected <= CODES.keys():
            raise ValueError(f"{self.id}: no codes of hil.errors: {set(self.expected)}")

    @property
    def id(self) -> str:
        return f"{self.kind}-{self.name}"

    @property
    def exit_code(self) -> int:
        """Of the run: a product fault counts for more than the bench's."""
        kinds = {CODES[code] for code in self.expected}
        order = (Kind.PRODUCT, Kind.BENCH, Kind.SETUP)
        return next(_EXIT[kind] for kind in order if kind in kinds)


def group(kind: str, *mutants: tuple[str, str, Callable[[Stage], None]]) -> list[Mutant]:
    """Mutants of one kind: name, codes with blanks between, and how each is made."""
    return [Mutant(kind, name, frozenset(codes.split()), make) for name, codes, make in mutants]


@dataclass(frozen=True)
class Seen:
    """What a run made of a mutant. ``shown`` says how the fault showed; "": it did not."""

    status: int
    codes: frozenset[str]
    verdict: str
    shown: str
    output: str = ""

    def problem(self, mutant: Mutant) -> str:
        """Why the mutant is not killed; "" if it is."""
        if not self.shown:
            return "equivalent: nothing shows that it changes anything"
        if self.status == 0 or not self.codes:
            return f"survived: exit code {self.status}, no finding, verdict {self.verdict}"
        if self.codes != mutant.expected:
            return f"told as {words(self.codes)}, expected {words(mutant.expected)}"
        if self.status != mutant.exit_code:
            return f"exit code {self.status}, expected {mutant.exit_code}"
        return ""


def words(codes: frozenset[str]) -> str:
    """Codes in the order of the alphabet."""
    return ", ".join(sorted(codes)) or "pass"
