"""`hil check`: from what was typed to a printed answer and an exit code."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from hil.check import EXIT_SETUP, CheckResult, check_model
from hil.check_report import error_json, render, to_json
from hil.errors import SetupError
from hil.inventory import Selection, load_bench, select
from hil.selection import load_one


def check(
    term: str, boards_file: Path, board_terms: Sequence[str], models: Path, reports: Path
) -> CheckResult:
    """Checks the model that ``term`` names against the boards that the terms select.

    Without a term for boards it is every board of the file that is present; without the file
    too, the model alone is looked at.

    Raises:
        SetupError: model_file, boards_yaml.
    """
    model = load_one(models, term)
    if board_terms or boards_file.exists():
        chosen = select(load_bench(boards_file), tuple(board_terms) or ("all",))
    else:
        chosen = Selection(())
    result = check_model(model, chosen.boards, reports=reports)
    return replace(result, skipped={board.id: reason for board, reason in chosen.skipped})


def command(
    term: str,
    boards_file: Path,
    board_terms: Sequence[str],
    models: Path,
    reports: Path,
    *,
    as_json: bool,
) -> int:
    """Prints the answer; 0: it fits, 1: a product fault, 4: the file or the set-up is wrong."""
    try:
        result = check(term, boards_file, board_terms, models, reports)
    except SetupError as error:
        if not as_json:
            raise
        print(json.dumps(error_json(error, EXIT_SETUP), indent=1))
        return EXIT_SETUP
    text = json.dumps(to_json(result), indent=1) if as_json else render(result)
    print(text)
    return result.exit_code
