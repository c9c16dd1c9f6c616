"""One board and one model, from sources to verdict: written once, for pytest and the command.

A step is taken once: its result, or the fault that stopped it, answers every later call.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar, cast

from hil.accuracy import Accuracy, accuracy_findings
from hil.arena import find_min_arena
from hil.attribution import Attribution
from hil.board import Board
from hil.clock import Latency, summarise, tick_unit
from hil.compare import Parity, Tolerance, compare_outputs, parity_finding
from hil.device import Device
from hil.errors import BenchError, Finding
from hil.labelled import judge_samples, labelled_set
from hil.limits import latency_findings, memory_findings
from hil.loaded import LoadedMount
from hil.model import Model, Vector, load_vectors
from hil.mount import Slot
from hil.reference import Engine, EngineResult, References, cached_references
from hil.repetition import FILLS, Outputs, nondeterminism
from hil.report.record import AccuracyRecord, LatencyRecord, ParityRecord
from hil.settings import Settings
from hil.tensors import Array

__all__ = ["FILLS", "Settings", "Slot", "Trial"]

WARM_UPS = 3
LEAST_RUNS = 5

_Result = TypeVar("_Result")


class Trial(LoadedMount):
    """The steps of a verdict: `parity`, `latency`, `memory`, `accuracy`, and what they need.

    Raises of every step: what `LoadedMount.load` and `LoadedMount.ask` raise, and `BenchError` for
    the wire and the port.
    """

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

    def _once(self, name: str, step: Callable[[], _Result]) -> _Result:
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

    # -- what the host says

    def vectors(self) -> tuple[Vector, ...]:
        """The input vectors: the model's own, or those of the settings."""
        return self._once("vectors", lambda: load_vectors(self.model, self.settings.vectors))

    def expected(self) -> References:
        """What the host's engines answer to the vectors.

        Raises:
            BenchError: reference_died. Also what `firmware` raises: what the tree cannot run is
                the model's fault, whatever the engines make of it.
        """
        return self._once("expected", self._expected)

    @property
    def _beside(self) -> tuple[Engine, ...]:
        return ("tensorflow",) if self.settings.tensorflow else ()

    def _expected(self) -> References:
        self.firmware()
        with self.recorded("reference"):
            answers = cached_references(self.model, self.vectors(), self._beside)
        oracle = answers.oracle
        self.record.note(
            oracle=oracle.oracle, oracle_version=oracle.version, oracle_reason=answers.reason
        )
        return answers

    # -- steps

    def smoke(self) -> int:
        """Loads the model and infers the first vector; the number of its outputs."""
        return self._once("smoke", self._smoke)

    def _smoke(self) -> int:
        self.load()
        return len(self.infer(self.vectors()[0].inputs).outputs)

    def parity(self) -> Parity:
        """Runs every vector three times and compares with the host.

        Raises:
            ProductError: parity, nondeterministic.
        """
        return self._once("parity", self._parity)

    def _parity(self) -> Parity:
        self.load(FILLS[0])  # what the device refuses counts before what no engine answers
        wanted = self.expected()
        passes = [self._pass(fill, reverse=fill == FILLS[-1]) for fill in FILLS]
        parity, attribution = self._judge(wanted, passes[0])
        findings = [
            parity_finding(parity, wanted.oracle.oracle, self.tolerance, why=attribution.text),
            nondeterminism(passes),
        ]
        self._raise_first([finding for finding in findings if finding])
        return parity

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
        attribution = Attribution(steps, oracle.oracle)
        self.record.note_attribution(attribution)
        return parity, attribution

    def _compare(self, expected: Sequence[Sequence[Array]], observed: Any) -> Parity:
        names = [vector.name for vector in self.vectors()]
        zeros = [spec.zero_points[0] if spec.zero_points else 0 for spec in self.model.outputs]
        return compare_outputs(expected, observed, self.tolerance, names, zeros)

    def _note_parity(self, engine: str, parity: Parity, version: str, reason: str) -> None:
        figures = ParityRecord(**parity.record(), version=version, reason=reason)
        self.record.note_parity(engine, figures)

    def latency(self) -> Latency:
        """Times inferences of the first vector, after warm-ups; the first one apart.

        Raises:
            ProductError: latency, if the median exceeds the limit of model.yaml.
            BenchError: no_answer if the device has no clock that can be trusted.
        """
        return self._once("latency", self._latency)

    def _latency(self) -> Latency:
        device = self.load()
        unit = tick_unit(device.info)
        with self.recorded("latency"):
            first, ticks = self._time()
            if unit is None or min(ticks) == 0:
                raise self._no_clock(device, ticks)
        latency = summarise(unit, first, ticks)
        self.record.note(latency=LatencyRecord.of(latency))
        self._raise_first(latency_findings(self.model.card, self.board.id, latency))
        return latency

    def _time(self) -> tuple[int, list[int]]:
        inputs = self.vectors()[0].inputs
        first = self.ask(inputs).ticks
        for _ in range(WARM_UPS):
            self.ask(inputs)
        until = time.monotonic() + self.settings.latency_s
        ticks: list[int] = []
        while len(ticks) < self.settings.runs:
            if len(ticks) >= LEAST_RUNS and time.monotonic() > until:
                break
            ticks.append(self.ask(inputs).ticks)
        return first, ticks

    def _no_clock(self, device: Device, ticks: Sequence[int]) -> BenchError:
        return BenchError(
            "no_answer",
            f"the device's clock (kind {device.info.clock}, {device.info.ticks_per_s:,} Hz) "
            f"read {min(ticks)} ticks over an inference: it is absent or stands still",
            board=self.board.id,
            model=self.model.name,
            hint="supply hil_platform_clock(), or leave latency out of the run",
            numbers={"clock": device.info.clock, "ticks": min(ticks)},
        )

    def memory(self) -> int:
        """The smallest arena that works, in bytes, searched on the device.

        Raises:
            ProductError: arena_overflow, if even the whole arena of the image is too small;
                arena_over_budget, flash_over_budget.
        """
        return self._once("memory", self._memory)

    def _memory(self) -> int:
        device = self.load()
        with self.recorded("memory"):
            needed = find_min_arena(device)
            self.unloaded()
            self.record.note_wire(overruns=device.stats().rx_overruns)
            self.record.note_memory(arena_needed=needed)
            if needed is None:
                cap = device.info.arena_cap
                raise self.arena_overflow(cap, None, cap)
        self._raise_first(memory_findings(self.model.card, needed, self.firmware().flash))
        return needed

    def accuracy(self) -> Accuracy:
        """Runs samples of the model's labelled set; the metric of device and host side by side.

        Raises:
            ProductError: accuracy. ValueError: the model has no such set, see `no_labels`.
        """
        return self._once("accuracy", self._accuracy)

    def _accuracy(self) -> Accuracy:
        vectors, samples = labelled_set(self.model, self.settings.samples)
        self.load(FILLS[0])
        with self.recorded("reference"):
            oracle = cached_references(self.model, vectors).oracle
        outputs = self.answers(vectors, FILLS[0], "accuracy")
        seen = judge_samples(self.model, samples, outputs, oracle.outputs, self.tolerance)
        self.record.note(oracle=oracle.oracle, oracle_version=oracle.version)
        self.record.note(accuracy=AccuracyRecord.of(seen))
        self._raise_first(accuracy_findings(self.model.card, seen, oracle.oracle))
        return seen

    def _raise_first(self, findings: list[Finding]) -> None:
        for finding in findings:
            self.record.add(finding)
        if findings:
            self._note_device()
            raise self.product(findings[0])
