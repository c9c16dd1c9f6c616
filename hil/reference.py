"""What the host says: TFLM itself and LiteRT's reference kernels, and which of them judges.

``tflm`` (the tflite-micro wheel) is the oracle: it runs the device's own C++ on the host and
agrees with it bit for bit on int8. ``litert_ref`` (ai-edge-litert with BUILTIN_REF) stands in
where the wheel does not exist (it is built for Linux x86-64 only) or refuses the model, and is
reported as drift beside it otherwise. LiteRT's default resolver (XNNPACK) is never used: it is
up to 47 LSB away on convolutional models. Where neither knows an operator (a custom one), the
outputs that every vector states are what the board is held to.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal

from hil.engines import ENGINES, Engine, EngineRefused, EngineResult, Outputs, run_engine
from hil.errors import BenchError
from hil.model import Model
from hil.vectors import Vector

__all__ = [
    "ENGINES",
    "Engine",
    "EngineRefused",
    "EngineResult",
    "Expected",
    "Outputs",
    "References",
    "cached_references",
    "references",
    "run_engine",
]


@dataclass(frozen=True)
class Expected:
    """The answers that a board has to give, and who gave them (``oracle``): an engine, or the
    file of vectors where no engine knows the model's operators."""

    oracle: Engine | Literal["vectors"]
    outputs: Outputs
    version: str


@dataclass(frozen=True)
class References:
    """``oracle`` judges; ``reason`` says why it is the one if it is not TFLM.

    ``others`` are the engines beside it, for the drift.
    """

    oracle: Expected
    others: Mapping[str, EngineResult | EngineRefused]
    reason: str = ""
    arena_bytes: int | None = None

    def answers(self) -> dict[str, Outputs]:
        """The answers of every engine that gave some, by its name."""
        given = {n: r.outputs for n, r in self.others.items() if isinstance(r, EngineResult)}
        return {**given, self.oracle.oracle: self.oracle.outputs}


def references(
    model: Model,
    vectors: Sequence[Vector],
    *,
    timeout: float | None = None,
    beside: Sequence[Engine] = (),
) -> References:
    """Run both engines side by side and choose the oracle: TFLM, else LiteRT.

    Engines of ``beside`` (TensorFlow's own interpreter) run too, for the drift only.

    Raises:
        BenchError: reference_died if TFLM died, or if no engine gives an answer. LiteRT dying
            beside a TFLM that answers is only a missing drift figure.
    """
    with ThreadPoolExecutor(len(ENGINES)) as pool:
        drift = pool.submit(_or_dead, "litert_ref", model, vectors, timeout)
        first = run_engine("tflm", model, vectors, timeout=timeout)
        second = drift.result()
    more: dict[str, EngineResult | EngineRefused] = {
        engine: _or_dead(engine, model, vectors, timeout) for engine in beside
    }
    if isinstance(first, EngineResult):
        oracle = Expected("tflm", first.outputs, first.version)
        return References(oracle, {"litert_ref": second, **more}, "", first.arena_bytes)
    if isinstance(second, EngineResult):
        oracle = Expected("litert_ref", second.outputs, second.version)
        return References(oracle, {"tflm": first, **more}, f"no answer from TFLM: {first.reason}")
    if stated := _stated(vectors):
        reason = f"no host engine answers: {first.reason}"
        return References(
            Expected("vectors", stated, ""), {"tflm": first, "litert_ref": second}, reason
        )
    raise BenchError(
        "reference_died",
        f"no host engine answers. tflm: {first.reason}; litert_ref: {second.reason}",
        model=model.name,
        hint="check the model with another converter, or give vectors with expected_0, expected_1",
    )


def _stated(vectors: Sequence[Vector]) -> Outputs:
    """The outputs that the vectors themselves state; () unless every vector does."""
    stated = tuple(vector.expected for vector in vectors if vector.expected is not None)
    return stated if len(stated) == len(vectors) else ()


def _or_dead(
    engine: Engine, model: Model, vectors: Sequence[Vector], timeout: float | None
) -> EngineResult | EngineRefused:
    try:
        return run_engine(engine, model, vectors, timeout=timeout)
    except BenchError as error:
        return EngineRefused(engine, error.message, str(error.numbers.get("version", "")))


_answers: dict[tuple[object, ...], References] = {}


def cached_references(
    model: Model, vectors: Sequence[Vector], beside: Sequence[Engine] = ()
) -> References:
    """`references`, once a run for the same model and inputs."""
    data = tuple(
        a.tobytes() for vector in vectors for a in (*vector.inputs, *(vector.expected or ()))
    )
    key = (model.sha256, data, tuple(beside))
    if key not in _answers:
        _answers[key] = references(model, vectors, beside=beside)
    return _answers[key]
