"""model.yaml: what a model's owner says about it. Strict; every problem at once."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from hil import yamlfile
from hil.errors import SetupError

Positive = Annotated[int, Field(gt=0)]


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)


class Metric(_Strict):
    """A figure of merit that was measured when the model was made."""

    name: Annotated[str, Field(min_length=1)]
    value: float
    samples: Positive
    source: Annotated[str, Field(min_length=1)]


class ToleranceCard(_Strict):
    """How far a device may be from the oracle. Any widening needs a reason.

    ``max_lsb`` counts integer steps; floats may differ by ``max_abs + max_rel * |reference|``.
    """

    max_lsb: Annotated[int, Field(ge=0)] = 0
    max_abs: Annotated[float, Field(ge=0)] = 1e-5
    max_rel: Annotated[float, Field(ge=0)] = 1e-5
    reason: str = ""

    @model_validator(mode="after")
    def _say_why(self) -> ToleranceCard:
        wider = self.max_lsb > 0 or self.max_abs > 1e-5 or self.max_rel > 1e-5
        if wider and not self.reason.strip():
            raise ValueError("wider than the default and no reason given")
        return self


class LatencyLimits(_Strict):
    """Limits on the median latency, by board id."""

    max_ms: Mapping[str, Annotated[float, Field(gt=0)]] = Field(default_factory=dict)
    max_instructions: Mapping[str, Positive] = Field(default_factory=dict)


def _by_board(value: object) -> object:
    return value if isinstance(value, Mapping) else {"default": value}


Limit = Annotated[Mapping[str, Positive], BeforeValidator(_by_board), Field(min_length=1)]
"""Bytes by board id, ``default`` for boards that are not named; a number alone is for all."""


class Budgets(_Strict):
    """Limits in bytes; None is no limit."""

    arena_bytes: Limit | None = None
    flash_bytes: Limit | None = None
    stack_bytes: Limit | None = None

    def on(self, board: str) -> dict[str, int | None]:
        """Bytes that a board may take of ``arena``, ``flash`` and ``stack``."""
        return {
            "arena": limit_on(self.arena_bytes, board),
            "flash": limit_on(self.flash_bytes, board),
            "stack": limit_on(self.stack_bytes, board),
        }


def limit_on(limit: Mapping[str, int] | None, board: str) -> int | None:
    """The bytes that a `Limit` allows a board; None: any number."""
    return limit.get(board, limit.get("default")) if limit else None


class CustomOp(_Strict):
    """A custom operator of the model's owner: the Arduino library that has its kernel.

    ``library`` is the library's folder, relative to the model's or absolute; ``register`` the
    C++ function that returns its registration (``TfLiteRegistration*``, as TFLM's own
    ``Register_ADD()``); ``header`` declares it, by default the library's only header.
    """

    library: Annotated[str, Field(min_length=1)]
    registration: Annotated[
        str, Field(alias="register", pattern=r"^[A-Za-z_]\w*(::[A-Za-z_]\w*)*$")
    ]
    header: Annotated[str, Field(pattern=r"^[\w./-]+\.(h|hpp)$")] | None = None


class ModelCard(_Strict):
    """One model.yaml. Everything but the name is optional."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
    description: str = ""
    task: Literal["classification", "regression", "anomaly"] | None = None
    labels: Annotated[tuple[str, ...], Field(strict=False)] = ()
    vectors: str | None = None
    heldout: str | None = None
    metric: Metric | None = None
    arena_bytes: Positive | None = None
    tolerance: ToleranceCard | None = None
    sequences: bool = False
    latency: LatencyLimits = LatencyLimits()
    budgets: Budgets = Budgets()
    custom_ops: Mapping[Annotated[str, Field(pattern=r'^[^\x00-\x1f"\\]+$')], CustomOp] = Field(
        default_factory=dict
    )

    @field_validator("vectors", "heldout")
    @classmethod
    def _inside(cls, value: str | None) -> str | None:
        if value is None:
            return None
        path = Path(value)
        if path.is_absolute() or ".." in path.parts:
            raise ValueError("must be a file inside the model's folder")
        if path.suffix not in (".npz", ".csv", ".wav"):
            raise ValueError("must end in .npz, .csv or .wav")
        return value


def bare_card(stem: str) -> ModelCard:
    """The card of a .tflite that has no model.yaml."""
    name = "".join(c if c.isascii() and (c.isalnum() or c in "._-") else "_" for c in stem)
    return ModelCard(name=name if name[:1].isalnum() else f"m{name}")


def load_card(path: Path) -> ModelCard:
    """Read a model.yaml.

    Raises:
        SetupError: model_file, with every problem, its YAML path and line.
    """
    try:
        text = yamlfile.read(path)
    except (OSError, UnicodeDecodeError) as error:
        raise SetupError("model_file", f"{path} cannot be read: {error}") from error
    document = yamlfile.load(text)
    problems = list(document.problems)
    card = None
    if document.data is not None:
        try:
            card = ModelCard.model_validate(document.data)
        except ValidationError as error:
            problems += yamlfile.problems_of(document, error)
    if problems or card is None:
        raise SetupError(
            "model_file",
            f"{path} has {len(problems)} problem(s)",
            problems=problems,
            model=path.parent.name,
            hint="correct the file; docs and README list the keys",
        )
    return card
