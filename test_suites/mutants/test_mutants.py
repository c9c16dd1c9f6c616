"""Every mutant is killed, with the code that was expected of it; without the fault all pass."""

from __future__ import annotations

from concurrent.futures import Future

from mutant import Mutant, Seen


def test_a_rig_without_its_fault_passes(control: str, runs: dict[str, Future[Seen]]) -> None:
    seen = runs[control].result()
    assert (seen.status, seen.verdict, set(seen.codes)) == (0, "pass", set()), seen.output
    assert seen.shown == ""


def test_mutant_is_killed(mutant: Mutant, seen: Seen) -> None:
    problem = seen.problem(mutant)
    assert not problem, f"{problem}\n{seen.output}"
