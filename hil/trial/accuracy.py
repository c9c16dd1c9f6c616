"""The step `accuracy`: a labelled set on the device beside the host."""

from __future__ import annotations

from hil.accuracy import Accuracy, accuracy_findings
from hil.labelled import judge_samples, labelled_set
from hil.reference import cached_references
from hil.repetition import FILLS
from hil.report.parts import AccuracyRecord
from hil.trial.base import Steps


class AccuracySteps(Steps):
    """`accuracy`."""

    def accuracy(self) -> Accuracy:
        """Runs samples of the model's labelled set; the metric of device and host side by side.

        Raises:
            ProductError: accuracy. BenchError: as `expected`.
            ValueError: the model has no such set, see `no_labels`.
        """
        return self.once("accuracy", self._accuracy)

    def _accuracy(self) -> Accuracy:
        vectors, samples = labelled_set(self.model, self.settings.samples)
        self.load(FILLS[0])
        self.expected()  # an oracle that fails on the vectors judges no sample
        with self.recorded("reference"):
            oracle = cached_references(self.model, vectors).oracle
        outputs = self.answers(vectors, FILLS[0], "accuracy")
        seen = judge_samples(self.model, samples, outputs, oracle.outputs, self.tolerance)
        self.record.note(oracle=oracle.oracle, oracle_version=oracle.version)
        self.record.note(accuracy=AccuracyRecord.of(seen))
        self.raise_first(accuracy_findings(self.model.card, seen, oracle.oracle))
        return seen
