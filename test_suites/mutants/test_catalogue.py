"""The list of mutants is what docs/mutants.md says, and its judge has no soft spot."""

from __future__ import annotations

from dataclasses import replace

import pytest
from catalogue import DOCUMENT, MUTANTS, WHAT, document, kinds
from mutant import Mutant, Seen

MUTANT = Mutant("kind", "name", frozenset({"parity"}), lambda stage: None)
KILLED = Seen(1, frozenset({"parity"}), "fail", "1 of 10 outputs")


def test_the_document_is_what_the_list_says() -> None:
    assert DOCUMENT.read_text() == document(), "run python test_suites/mutants/catalogue.py"


def test_kinds_have_names_and_mutants_ids_of_their_own() -> None:
    assert list(kinds()) == list(WHAT)
    ids = [mutant.id for mutant in MUTANTS]
    assert len(ids) == len(set(ids))


def test_a_run_with_the_expected_code_kills() -> None:
    assert KILLED.problem(MUTANT) == ""


@pytest.mark.parametrize(
    ("seen", "word"),
    [
        (replace(KILLED, shown=""), "equivalent"),
        (replace(KILLED, status=0), "survived"),
        (replace(KILLED, status=0, codes=frozenset()), "survived"),
        (replace(KILLED, codes=frozenset()), "survived"),
        (replace(KILLED, codes=frozenset({"parity", "wire"})), "told as"),
        (replace(KILLED, codes=frozenset({"wire"})), "told as"),
        (replace(KILLED, status=10), "exit code"),
    ],
)
def test_anything_else_does_not(seen: Seen, word: str) -> None:
    assert seen.problem(MUTANT).startswith(word)


@pytest.mark.parametrize(
    ("codes", "status"),
    [({"parity"}, 1), ({"wire"}, 10), ({"model_file"}, 4), ({"wire", "parity"}, 1)],
)
def test_the_exit_code_follows_from_the_codes(codes: set[str], status: int) -> None:
    assert replace(MUTANT, expected=frozenset(codes)).exit_code == status


@pytest.mark.parametrize("codes", [set(), {"nonsense"}])
def test_a_mutant_expects_codes_that_exist(codes: set[str]) -> None:
    with pytest.raises(ValueError, match="no codes"):
        replace(MUTANT, expected=frozenset(codes))
