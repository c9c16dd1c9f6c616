"""The step `parity`: every vector on device and host, and whose fault a difference is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from textwrap import indent
from typing import Any

from hil.attribution import Attribution
from hil.compare import Parity, compare_outputs, parity_finding
from hil.divergence import Divergence
from hil.errors import Finding
from hil.oracle import alone
from hil.reference import EngineResult, References
from hil.repetition import FILLS, Outputs, nondeterminism
from hil.report.parts import ParityRecord
from hil.tensors import Array
from hil.trial.diverging import DivergingSteps


class ParitySteps(DivergingSteps):
    """`parity`."""

    def parity(self) -> Parity:
        """Runs every vector three times and compares with the host. Where they differ, the op to
        blame is looked for on the vector that is furthest off.

        Raises:
            ProductError: parity, nondeterministic; model_corrupt, if the model's bytes in the
                device changed meanwhile.
            BenchError: reference_wrong, if the board and LiteRT agree and host TFLM does not.
        """
        return self.once("parity", self._parity)

    def _parity(self) -> Parity:
        self.load(FILLS[0])  # what the device refuses counts before what no engine answers
        wanted = self.expected()
        passes = [self._pass(fill, reverse=fill == FILLS[-1]) for fill in FILLS]
        with self.recorded("parity"):
            self.device().prove_model()
        parity, attribution = self._judge(wanted, passes[0])
        by_chance = nondeterminism(passes)
        if not by_chance:
            self._believe(wanted, parity, passes[0])
        self.record.note_attribution(attribution)
        finding = parity_finding(parity, wanted.oracle.oracle, self.tolerance, why=attribution.text)
        if finding and attribution.guilty == "device":
            worst = self._worst(wanted, passes[0])
            self.failed_at(finding.code, "parity", [v.inputs for v in self._sequence(worst)])
            finding = self._with_op(finding, self.located(worst))
        self.raise_first([each for each in (finding, by_chance) if each])
        return parity

    def _believe(self, wanted: References, parity: Parity, observed: Outputs) -> None:
        other = wanted.others.get("litert_ref")
        litert = self._compare(other.outputs, observed) if isinstance(other, EngineResult) else None
        if doubted := alone(parity, wanted, litert):
            with self.recorded("reference"):
                raise self.distrusted(doubted)

    def _worst(self, wanted: References, observed: Outputs) -> int:
        """The number of the vector that is furthest off."""
        pairs = zip(wanted.oracle.outputs, observed, strict=True)
        parts = [self._compare([expected], [got]) for expected, got in pairs]
        far = [max((w.delta for w in part.worst), default=0.0) for part in parts]
        return max(range(len(parts)), key=lambda n: (far[n], parts[n].mismatches))

    @staticmethod
    def _with_op(finding: Finding, found: Divergence) -> Finding:
        """The finding, and the op to blame for it."""
        place = {"op": found.op, "opcode": found.opcode, "tensor": found.tensor}
        return replace(
            finding,
            message=f"{finding.message}\n{indent(found.text, '  ')}",
            numbers={**finding.numbers, **(place if found.op is not None else {})},
        )

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
