"""What every step of a trial builds on: each is taken once, and what the host says.

A step's result, or the fault that stopped it, answers every later call.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

from hil.board import Board
from hil.compare import Tolerance
from hil.errors import BenchError, Finding
from hil.loaded import LoadedMount
from hil.model import Model, Vector, load_vectors
from hil.mount import Slot
from hil.oracle import HINT, doubt
from hil.reference import Engine, References, cached_references
from hil.settings import Settings
from hil.vectors import vectors_digest

_Result = TypeVar("_Result")

NEXT = {
    "nondeterministic": "look for buffers that are read before they are written, and for state "
    "kept between runs; model.yaml can declare sequences for a model that keeps some on purpose",
    "latency": "pytest test_suites/latency -rP shows where time goes; the limit is model.yaml's",
    "accuracy": "the report lists the samples on which board and host disagree",
    "arena_over_budget": "make the model smaller, or change its budget in model.yaml",
    "stack_over_budget": "look for large frames in kernels and sketch; the budget is model.yaml's",
    "flash_over_budget": "the report shows whose the bytes are; the budget is model.yaml's",
}
"""What to do next where the finding does not say it."""


class Steps(LoadedMount):
    """A loaded mount that remembers its steps."""

    def __init__(
        self,
        board: Board,
        model: Model,
        settings: Settings | None = None,
        sketch: str | Path = "hil_runner",
        slot: Slot | None = None,
    ) -> None:
        super().__init__(board, model, settings, sketch, slot)
        self.tolerance = Tolerance.of(model.card.tolerance)
        self.record.note(tolerance_reason=self.tolerance.reason)
        self._done: dict[str, Any] = {}

    def once(self, name: str, step: Callable[[], _Result]) -> _Result:
        """The result of a step, or the fault that stopped it, whenever it was taken."""
        with self.slot.lock:
            if name not in self._done:
                try:
                    self._done[name] = step()
                except Exception as error:
                    self._done[name] = error
        done = self._done[name]
        if isinstance(done, Exception):
            raise done
        return cast(_Result, done)

    def vectors(self) -> tuple[Vector, ...]:
        """The input vectors: the model's own, or those of the settings."""
        return self.once("vectors", self._vectors)

    def _vectors(self) -> tuple[Vector, ...]:
        loaded = load_vectors(self.model, self.settings.vectors)
        self.record.note(vectors=vectors_digest(loaded))
        return loaded

    def expected(self) -> References:
        """What the host's engines answer to the vectors.

        Raises:
            BenchError: reference_died, reference_wrong. Also what `firmware` raises: what the
                tree cannot run is the model's fault, whatever the engines make of it.
        """
        return self.once("expected", self._expected)

    @property
    def _beside(self) -> tuple[Engine, ...]:
        return ("tensorflow",) if self.settings.tensorflow else ()

    def _expected(self) -> References:
        self.firmware()
        with self.recorded("reference"):
            answers = cached_references(self.model, self.vectors(), self._beside)
            if found := doubt(self.model, self.vectors(), answers, self.tolerance):
                raise self.distrusted(found)
        oracle = answers.oracle
        self.record.note(
            oracle=oracle.oracle, oracle_version=oracle.version, oracle_reason=answers.reason
        )
        return answers

    def distrusted(self, finding: Finding) -> BenchError:
        """A doubt about the oracle as the error that ends the step."""
        return BenchError(
            finding.code,
            finding.message,
            board=self.board.id,
            model=self.model.name,
            numbers=finding.numbers,
            hint=HINT,
        )

    def smoke(self) -> int:
        """Loads the model and infers the first vector; the number of its outputs."""
        return self.once("smoke", self._smoke)

    def _smoke(self) -> int:
        self.load()
        return len(self.infer(self.vectors()[0].inputs).outputs)

    def raise_first(self, findings: list[Finding]) -> None:
        """Adds findings to the record; the first one ends the step.

        Raises:
            ProductError: if there is one.
        """
        for finding in findings:
            self.record.add(finding)
        if findings:
            self._note_device()
            raise self.product(findings[0], NEXT.get(findings[0].code, ""))
