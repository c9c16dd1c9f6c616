"""The step `parity`: every vector on device and host, and whose fault a difference is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hil.attribution import Attribution
from hil.compare import Parity, compare_outputs, parity_finding
from hil.oracle import alone
from hil.reference import EngineResult, References
from hil.repetition import FILLS, Outputs, nondeterminism
from hil.report.parts import ParityRecord
from hil.tensors import Array
from hil.trial.base import Steps


class ParitySteps(Steps):
    """`parity`."""

    def parity(self) -> Parity:
        """Runs every vector three times and compares with the host.

        Raises:
            ProductError: parity, nondeterministic.
            BenchError: reference_wrong, if the board and LiteRT agree and host TFLM does not.
        """
        return self.once("parity", self._parity)

    def _parity(self) -> Parity:
        self.load(FILLS[0])  # what the device refuses counts before what no engine answers
        wanted = self.expected()
        passes = [self._pass(fill, reverse=fill == FILLS[-1]) for fill in FILLS]
        parity, attribution = self._judge(wanted, passes[0])
        by_chance = nondeterminism(passes)
        if not by_chance:
            self._believe(wanted, parity, passes[0])
        self.record.note_attribution(attribution)
        findings = [
            parity_finding(parity, wanted.oracle.oracle, self.tolerance, why=attribution.text),
            by_chance,
        ]
        self.raise_first([finding for finding in findings if finding])
        return parity

    def _believe(self, wanted: References, parity: Parity, observed: Outputs) -> None:
        other = wanted.others.get("litert_ref")
        litert = self._compare(other.outputs, observed) if isinstance(other, EngineResult) else None
        if doubted := alone(parity, wanted, litert):
            with self.recorded("reference"):
                raise self.distrusted(doubted)

    def _pass(self, fill: int, *, reverse: bool) -> Outputs:
        """Outputs of all vectors, in the vectors' order whatever the order of running.

        A stateful model's vectors are a sequence and keep their order.
        """
        backwards = reverse and not self.model.card.sequences
        vectors = self.vectors()[::-1] if backwards else self.vectors()
        outputs = self.answers(vectors, fill, "parity")
        return outputs[::-1] if backwards else outputs

    def _judge(self, wanted: References, observed: Outputs) -> tuple[Parity, Attribution]:
        oracle = wanted.oracle
        parity = self._compare(oracle.outputs, observed)
        self._note_parity(oracle.oracle, parity, oracle.version, wanted.reason)
        steps = {"device": parity}
        for name, other in wanted.others.items():
            if not isinstance(other, EngineResult):
                absent = ParityRecord(version=other.version, reason=other.reason)
                self.record.note_parity(name, absent)
                continue
            self._note_parity(name, self._compare(other.outputs, observed), other.version, "")
        answers = wanted.answers()
        for step, one, two in (
            ("runtime", "tflm", "litert_ref"),
            ("converter", "litert_ref", "tensorflow"),
        ):
            if one in answers and two in answers:
                steps[step] = self._compare(answers[one], answers[two])
        return parity, Attribution(steps, oracle.oracle)

    def _compare(self, expected: Sequence[Sequence[Array]], observed: Any) -> Parity:
        names = [vector.name for vector in self.vectors()]
        zeros = [spec.zero_points[0] if spec.zero_points else 0 for spec in self.model.outputs]
        return compare_outputs(expected, observed, self.tolerance, names, zeros)

    def _note_parity(self, engine: str, parity: Parity, version: str, reason: str) -> None:
        figures = ParityRecord(**parity.record(), version=version, reason=reason)
        self.record.note_parity(engine, figures)
