"""boards.yaml -> the boards of a bench, and which of them a run is about.

Strict: unknown keys, duplicate keys and ids, ports that two boards share, malformed names and
unknown variables are all reported at once, each with its YAML path and line, before any board
is touched.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from hil import yamlfile
from hil.board import Board, BoardsFile, LooseFile, same_port
from hil.errors import SetupError

__all__ = ["Bench", "Board", "Selection", "json_schema", "load_bench", "select"]


@dataclass(frozen=True)
class Bench:
    """The boards of one boards.yaml, by id, in the file's order."""

    boards: Mapping[str, Board]
    path: Path


@dataclass(frozen=True)
class Selection:
    """What a run is about.

    ``skipped`` are boards that a tag or ``all`` would have taken, with the reason; ``named`` are
    the ids that were asked for one by one: those must end with a verdict.
    """

    boards: tuple[Board, ...]
    skipped: tuple[tuple[Board, str], ...] = ()
    named: tuple[str, ...] = ()


def load_bench(path: Path) -> Bench:
    """Read and check a boards.yaml. A relative ``tflm`` folder is relative to the file.

    Raises:
        SetupError: boards_yaml, with every problem, its YAML path and line.
    """
    document = yamlfile.load(_read(path))
    problems = list(document.problems)
    boards = tuple(_boards(document, problems)) if document.data is not None else ()
    if problems:
        raise _error(path, f"{len(problems)} problem(s)", problems)
    return Bench({board.id: _anchored(board, path) for board in boards}, path)


def _read(path: Path) -> str:
    try:
        return yamlfile.read(path)
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise SetupError(
            "boards_yaml",
            f"{path} cannot be read: {reason}",
            hint="write a boards.yaml beside your tests, or name one with --boards",
        ) from error


def _error(path: Path, message: str, problems: Sequence[str]) -> SetupError:
    return SetupError(
        "boards_yaml",
        f"{path}: {message}",
        problems=problems,
        hint="correct the file; `hil schema` prints its JSON Schema for editors",
    )


def _boards(document: yamlfile.Document, problems: list[str]) -> Iterator[Board]:
    """The boards that are right; whatever is wrong goes to ``problems``."""
    if not isinstance(document.data, dict):
        problems.append("the file: `version: 1` and `boards:` are expected")
        return
    try:
        LooseFile.model_validate(document.data)
    except ValidationError as error:
        problems += yamlfile.problems_of(document, error)
    raw = document.data.get("boards")
    entries = raw if isinstance(raw, list) else []
    for index, entry in enumerate(entries):
        try:
            yield Board.model_validate(entry)
        except ValidationError as error:
            problems += yamlfile.problems_of(document, error, ("boards", index))
    problems += _clashes(document, entries)


def _clashes(document: yamlfile.Document, entries: list[Any]) -> Iterator[str]:
    """Ids and ports that two boards share, looked at as written."""
    for (i, one), (j, other) in combinations(enumerate(entries), 2):
        if not isinstance(one, dict) or not isinstance(other, dict):
            continue
        if isinstance(one.get("id"), str) and one["id"] == other.get("id"):
            yield f"{document.where(('boards', j, 'id'))}: {one['id']!r} is also boards[{i}]"
        first, second = one.get("port"), other.get("port")
        if isinstance(first, str) and isinstance(second, str) and same_port(first, second):
            yield (
                f"{document.where(('boards', j, 'port'))}: {second!r} may be the port of "
                f"boards[{i}] ({one.get('id')}); tell USB boards apart by their serial number"
            )


def _anchored(board: Board, path: Path) -> Board:
    """A relative folder of TFLM, made absolute."""
    if "/" not in board.tflm and not board.tflm.startswith("."):
        return board
    return board.model_copy(update={"tflm": str(path.parent.absolute() / board.tflm)})


def select(bench: Bench, terms: Sequence[str]) -> Selection:
    """The boards that ``terms`` name: an id, ``tag:TAG`` or ``all``; each board once.

    A board that is marked absent is skipped by ``all`` and tags and taken when named.

    Raises:
        SetupError: boards_yaml for unknown ids and tags, with close matches, all at once; or if
            no term is given.
    """
    chosen: dict[str, Board] = {}
    skipped: dict[str, Board] = {}
    problems = [] if terms else ["no board is selected: name an id, tag:TAG or all"]
    for term in terms:
        found = _matching(bench, term)
        problems += [] if found else [_unknown(bench, term)]
        for board in found:
            keep = board.present or board.id == term
            (chosen if keep else skipped)[board.id] = board
    if problems:
        raise SetupError("boards_yaml", "the selection is wrong", problems=problems)
    left_out = tuple(
        (board, "marked absent (present: false)")
        for board in skipped.values()
        if board.id not in chosen
    )
    ordered = tuple(board for board in bench.boards.values() if board.id in chosen)
    return Selection(ordered, left_out, tuple(b.id for b in ordered if b.id in terms))


def _matching(bench: Bench, term: str) -> list[Board]:
    kind, _, tag = term.partition(":")
    if term == "all":
        return list(bench.boards.values())
    if kind == "tag":
        return [board for board in bench.boards.values() if tag in board.tags]
    return [bench.boards[term]] if term in bench.boards else []


def _unknown(bench: Bench, term: str) -> str:
    tags = sorted({f"tag:{tag}" for board in bench.boards.values() for tag in board.tags})
    known = [*bench.boards, *tags, "all"]
    close = difflib.get_close_matches(term, known, n=3, cutoff=0.5)
    meant = f"did you mean {' or '.join(close)}?" if close else f"known: {', '.join(known)}"
    return f"{term!r} selects no board of {bench.path}; {meant}"


def json_schema() -> dict[str, Any]:
    """The JSON Schema of boards.yaml, for editors."""
    schema = BoardsFile.model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
