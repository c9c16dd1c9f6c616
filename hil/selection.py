"""What a run was asked for: boards and models, checked before anything starts."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from hil.errors import SetupError
from hil.inventory import Board, load_bench, select
from hil.model import Model, discover_models, load_model


@dataclass(frozen=True)
class Pick:
    """One parameter of a test: a board, with a model and the sketch to run."""

    board: Board
    model: Model | None

    @property
    def id(self) -> str:
        return f"{self.board.id}-{self.model.name}" if self.model else self.board.id


@dataclass(frozen=True)
class Plan:
    """Boards and models of a run. ``named`` boards were asked for by id and owe a verdict."""

    boards: tuple[Board, ...]
    models: tuple[Model, ...]
    skipped: tuple[tuple[Board, str], ...]
    named: tuple[str, ...]

    def picks(self, only: Sequence[str] = ()) -> list[Pick]:
        """Every board with every model, boards outermost; ``only`` limits the models by name."""
        models = [model for model in self.models if not only or model.name in only]
        return [Pick(board, model) for board in self.boards for model in models]

    def check(self, *, with_model: bool) -> None:
        """A run of nothing is no run.

        Raises:
            SetupError: boards_yaml, if no board is there; model_file, if a test wants a model and
                there is none.
        """
        if not self.boards:
            raise SetupError(
                "boards_yaml",
                "no board to run on",
                problems=[f"{board.id}: {reason}" for board, reason in self.skipped],
                hint="name one with --board, or set present: true in boards.yaml",
            )
        if with_model and not self.models:
            raise SetupError(
                "model_file",
                "no model to run",
                hint="name one with --model, or make a folder of models/ with a model.yaml",
            )


def make_plan(
    boards_file: Path, board_terms: Sequence[str], models_root: Path, model_terms: Sequence[str]
) -> Plan:
    """Reads boards.yaml and the models that were asked for.

    Args:
        board_terms: ids, ``tag:NAME`` or ``all``; none is ``all``.
        model_terms: names of folders under ``models_root``, or paths; none is every model there.

    Raises:
        SetupError: every problem of the boards file, or of the models, at once.
    """
    terms = tuple(board_terms) or ("all",)
    chosen = select(load_bench(boards_file), terms)
    return Plan(
        boards=tuple(chosen.boards),
        models=load_models(models_root, model_terms),
        skipped=tuple(chosen.skipped),
        named=tuple(chosen.named),
    )


def load_one(root: Path, term: str) -> Model:
    """The model that the term names: a folder under ``root``, or a path.

    Raises:
        SetupError: ``model_file``.
    """
    known = discover_models(root)
    return load_model(known[term] if term in known else _path_of(term, known))


def load_models(root: Path, terms: Sequence[str]) -> tuple[Model, ...]:
    """The models that the terms name, in order; every one under ``root`` if there are no terms.

    Raises:
        SetupError: ``model_file``, with every model that is unknown or cannot be read.
    """
    known = discover_models(root)
    models: list[Model] = []
    problems: list[str] = []
    for term in terms or list(known):
        try:
            models.append(load_one(root, term))
        except SetupError as error:
            problems.append(str(error))
    if problems:
        raise SetupError("model_file", f"{len(problems)} models cannot be used", problems=problems)
    return tuple(models)


def _path_of(term: str, known: dict[str, Path]) -> Path:
    path = Path(term)
    if os.path.lexists(path) or "/" in term or term.endswith(".tflite"):
        return path
    near = get_close_matches(term, known, n=1)
    guess = f"; did you mean {near[0]}?" if near else ""
    names = ", ".join(known) or "none"
    raise SetupError("model_file", f"no model is called {term!r}{guess} (there are: {names})")
