"""Baselines as files: baselines/BOARD/MODEL.yaml, one a board and model, made to be reviewed.

One line a fact and one line a figure, so that a diff shows what changed and nothing else. The last
line is a digest of the rest: a file that was edited by hand, or merged line by line into figures
that were never measured together, is refused.
"""

from __future__ import annotations

import hashlib
import json
import textwrap
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from hil import yamlfile
from hil.baseline import Measured
from hil.errors import SetupError
from hil.figures import Figure
from hil.setup.files import write_atomic

VERSION = 1
_HEAD = "# Written by pytest --hil-update-baseline: no later run may fall behind it.\n"
_WIDTH = 96
_Text = Annotated[str, Field(min_length=1, max_length=4000)]
_Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=200)]


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)


class FigureEntry(_Strict):
    """See `hil.figures.Figure`; what is 0 or "" may be left out."""

    value: float
    unit: Annotated[str, Field(pattern=r"^([A-Za-z][A-Za-z0-9]*)?$", max_length=40)] = ""
    tick: Annotated[float, Field(ge=0)] = 0.0
    mad: Annotated[float, Field(ge=0)] = 0.0


class WrittenEntry(_Strict):
    """Where the figures were measured: the commit, and the day (UTC)."""

    commit: Annotated[str, Field(pattern=r"^[0-9a-f]{0,40}$")]
    dirty: bool = False
    date: Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\d$")]


class BaselineFile(_Strict):
    """One file. ``digest``: see `seal`."""

    version: Literal[1]
    board: _Name
    model: _Name
    model_sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{0,64}$")]
    written: WrittenEntry
    measured_with: dict[_Name, _Text]
    figures: Annotated[dict[_Name, FigureEntry], Field(min_length=1)]
    digest: Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]


def path_of(root: Path, board: str, model: str) -> Path:
    """Where the baseline of a board and a model lies."""
    return root / board / f"{model}.yaml"


def read_baseline(root: Path, board: str, model: str) -> Measured | None:
    """The baseline of a board and model; None if there is none.

    Raises:
        SetupError: baseline_file, with every problem of the file and its line.
    """
    path = path_of(root, board, model)
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise _error(path, board, model, f"cannot be read: {reason}", []) from error
    document = yamlfile.load(text)
    problems = list(document.problems)
    file = None if problems else _validated(document, problems)
    if file is not None:
        problems += _unfit(file, board, model)
    if file is None or problems:
        raise _error(path, board, model, f"{len(problems)} problem(s)", problems)
    return _measured(file)


def _validated(document: yamlfile.Document, problems: list[str]) -> BaselineFile | None:
    try:
        return BaselineFile.model_validate(document.data)
    except ValidationError as error:
        problems += yamlfile.problems_of(document, error)
        return None


def _unfit(file: BaselineFile, board: str, model: str) -> Iterable[str]:
    if (file.board, file.model) != (board, model):
        yield f"it is of {file.board} and {file.model}, its place is that of {board} and {model}"
    found = seal(_measured(file))
    if file.digest != found:
        yield (
            f"digest: is {file.digest}, the content gives {found}: it was edited by hand, or two "
            "versions were merged into figures that nobody measured"
        )


def _error(path: Path, board: str, model: str, what: str, problems: Iterable[str]) -> SetupError:
    return SetupError(
        "baseline_file",
        f"{path}: {what}",
        problems=tuple(problems),
        board=board,
        model=model,
        hint="restore it from version control, or delete it and write it anew with "
        "pytest --hil-update-baseline",
    )


def _measured(file: BaselineFile) -> Measured:
    written = file.written
    return Measured(
        board=file.board,
        model=file.model,
        model_sha256=file.model_sha256,
        commit=written.commit,
        dirty=written.dirty,
        date=written.date,
        facts=dict(file.measured_with),
        figures={name: Figure(**entry.model_dump()) for name, entry in file.figures.items()},
    )


def seal(baseline: Measured) -> str:
    """16 hex digits of SHA-256 over everything that a baseline says, as its file says it."""
    return hashlib.sha256("\n".join(_lines(baseline)).encode()).hexdigest()[:16]


def write_baseline(root: Path, baseline: Measured) -> Path:
    """Replaces the file in one step; its path."""
    path = path_of(root, baseline.board, baseline.model)
    write_atomic(path, render(baseline))
    return path


def render(baseline: Measured) -> str:
    """The text of a baseline's file."""
    lines = [*_lines(baseline), f"digest: {json.dumps(seal(baseline))}"]
    return _HEAD + "\n".join(lines) + "\n"


def _lines(baseline: Measured) -> list[str]:
    dirty = ", dirty: true" if baseline.dirty else ""
    written = f"{{commit: {json.dumps(baseline.commit)}{dirty}, date: {json.dumps(baseline.date)}}}"
    return [
        f"version: {VERSION}",
        f"board: {json.dumps(baseline.board)}",
        f"model: {json.dumps(baseline.model)}",
        f"model_sha256: {json.dumps(baseline.model_sha256)}",
        f"written: {written}",
        "measured_with:" if baseline.facts else "measured_with: {}",
        *(f"  {name}: {_text(text)}" for name, text in baseline.facts.items()),
        "figures:",
        *(f"  {name}: {_figure(figure)}" for name, figure in baseline.figures.items()),
    ]


def _text(text: str) -> str:
    """Quoted, so that nothing is taken for a number; long text is folded at its spaces."""
    if len(text) <= _WIDTH or text != " ".join(text.split()):
        return json.dumps(text, ensure_ascii=False)
    folded = textwrap.wrap(text, _WIDTH, break_long_words=False, break_on_hyphens=False)
    return ">-\n" + "\n".join(f"    {line}" for line in folded)


def _figure(figure: Figure) -> str:
    parts = [f"value: {_number(figure.value)}"]
    parts += [f"unit: {figure.unit}"] if figure.unit else []
    pairs = (("tick", figure.tick), ("mad", figure.mad))
    parts += [f"{name}: {_number(value)}" for name, value in pairs if value]
    return f"{{{', '.join(parts)}}}"


def _number(value: float) -> str:
    return str(int(value)) if float(value).is_integer() else repr(value)
