"""Every mutant is killed, with the code that was expected of it."""

from __future__ import annotations

from mutant import Mutant, Seen


def test_mutant_is_killed(mutant: Mutant, seen: Seen) -> None:
    problem = seen.problem(mutant)
    assert not problem, f"{problem}\n{seen.output}"
