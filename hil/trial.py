"""One board and one model, from sources to verdict: written once, for pytest and the command.

Every step leaves its figures in the record and raises what stops it; a step that needs an earlier
one runs it. A fault met once is met again by every later step with the same words.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from hil import build as building
from hil.arena import find_min_arena
from hil.claim import Claim
from hil.clock import Latency, summarise, tick_unit
from hil.compare import Parity, Tolerance, compare_outputs, parity_finding
from hil.device import Device, Inference
from hil.errors import BenchError, Finding, HilError, ProductError
from hil.firmware import Firmware
from hil.flash import open_device
from hil.inventory import Board
from hil.model import Model, Vector, load_vectors
from hil.reference import EngineResult, References, references
from hil.report.record import LatencyRecord, ParityRecord, Record
from hil.support import check_support
from hil.tensors import Array
from hil.tflm import resolve_tflm

FILLS = (0x00, 0xA5, 0x5A)
"""What the arena is prefilled with on the passes over the vectors; the last runs in reverse.
A kernel that reads what it never wrote answers differently."""

ALIGNMENT = 16
"""Bytes: what TFLM aligns tensors to, and what the flatbuffer schema aligns buffers to
(``force_align: 16`` of Buffer.data)."""

WARM_UPS = 3


@dataclass(frozen=True)
class Settings:
    """How trials are run: ``may_flash`` False takes the board as it is; ``runs`` inferences are
    timed; ``vectors`` replaces every model's own."""

    may_flash: bool = True
    runs: int = 30
    vectors: Path | None = None
    defines: Mapping[str, str | int] = field(default_factory=dict)


class Trial:
    """The steps for one board, model and sketch. A context manager: closes the board's port.

    Attributes:
        record: what is known so far, complete at any time.
    """

    def __init__(
        self,
        board: Board,
        model: Model,
        settings: Settings | None = None,
        sketch: str | Path = "hil_runner",
    ) -> None:
        self.board = board
        self.model = model
        self.settings = settings or Settings()
        self.sketch = sketch
        name = sketch if isinstance(sketch, str) else sketch.name
        self.record = Record(
            board=board.id, model=model.name, sketch=name, model_sha256=model.sha256
        )
        self.tolerance = Tolerance.of(model.card.tolerance)
        self.record.tolerance_reason = self.tolerance.reason
        self._firmware: Firmware | HilError | None = None
        self._device: Device | None = None
        self._references: References | None = None
        self._vectors: tuple[Vector, ...] | None = None
        self._loaded: bool = False
        self._load_error: HilError | None = None
        self._first: int | None = None
        self._open = ExitStack()

    # -- life

    def __enter__(self) -> Trial:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Gives the board back; the record keeps what the device said."""
        self._note_device()
        self._device = None
        self._loaded = False
        self._open.close()

    @contextmanager
    def _recorded(self, suite: str) -> Iterator[None]:
        """Notes every fault of a step in the record, with the steps's name."""
        try:
            yield
        except HilError as error:
            self._note_device()
            self.record.add(error.finding(suite))
            raise

    # -- firmware

    def firmware(self) -> Firmware:
        """The firmware, built or from the cache.

        Raises:
            ProductError: missing_op, unsupported_type, unsupported_quantisation (from the file
                alone, before building), flash_overflow, ram_overflow.
            SetupError: build_failed, toolchain_missing.
        """
        if self._firmware is None:
            with self._recorded("build"):
                self._firmware = self._build()
                self.record.took(self._firmware)
        if isinstance(self._firmware, HilError):
            raise self._firmware
        return self._firmware

    def _build(self) -> Firmware:
        try:
            self._check_support()
            recipe = building.recipe(
                self.board, self.model, sketch=self.sketch, defines=self.settings.defines
            )
            return building.build(recipe)
        except HilError as error:
            self._firmware = error
            raise

    def _check_support(self) -> None:
        tflm = resolve_tflm(self.board.tflm)
        findings = check_support(self.model, tflm.ops, tflm.era)
        for finding in findings:
            self.record.add(finding)
        if findings:
            raise self._product(findings[0], "nothing was built")

    # -- device

    def device(self) -> Device:
        """The board, running this firmware and answering; flashed only if need be."""
        if self._device is None:
            firmware = self.firmware()
            with self._recorded("connect"):
                self._device = self._connect(firmware)
        return self._device

    def _connect(self, firmware: Firmware) -> Device:
        self._open.enter_context(Claim(self.board))
        device = open_device(
            self.board,
            firmware,
            self.model.name,
            may_flash=self.settings.may_flash,
            on_flash=self._note_flash,
        )
        self._open.callback(device.close)
        return device

    def _note_flash(self) -> None:
        self.record.flashed = True

    def _note_device(self) -> None:
        device = self._device
        if device is None:
            return
        info = device.info
        self.record.wire.resent = device.resent
        self.record.device_log = device.log
        self.record.device = {
            "unit": info.unit,
            "reset_cause": info.reset_cause,
            "boot_count": info.boot_count,
            "clock": info.clock,
            "ticks_per_s": info.ticks_per_s,
            "schema_supported": info.schema_supported,
            "model_schema": info.model_schema,
            "model_addr": info.model_addr,
            "arena_addr": info.arena_addr,
            "compiler": info.compiler,
            "kernels": info.kernels,
        }

    def load(self, fill: int = 0) -> Device:
        """The device with the model loaded in the arena that the product gives.

        Raises:
            ProductError: schema_mismatch, arena_overflow (with the bytes that are needed),
                arena_misaligned, model_misaligned, missing_op, crash.
        """
        if self._load_error is not None:
            raise self._load_error
        device = self.device()
        with self._recorded("load"):
            try:
                self._check_addresses(device)
                loaded = device.load(self.given_arena, fill)
            except ProductError as error:
                self._load_error = self._explain(device, error)
                raise self._load_error from error
        self._loaded = True
        self.record.memory.arena_used = loaded.arena_used
        self.record.memory.arena_given = loaded.arena_size
        return device

    @property
    def given_arena(self) -> int:
        """Bytes of arena that the product gives (model.yaml); 0: all that the image has."""
        return self.model.card.arena_bytes or 0

    def _check_addresses(self, device: Device) -> None:
        info = device.info
        places = (("model", info.model_addr), ("arena", info.arena_addr))
        for what, address in places:
            if address % ALIGNMENT:
                code = f"{what}_misaligned"
                raise ProductError(
                    code,
                    f"the {what} lies at 0x{address:08x}, {address % ALIGNMENT} bytes past a "
                    f"multiple of {ALIGNMENT}",
                    board=self.board.id,
                    model=self.model.name,
                    numbers={"address": address, "alignment": ALIGNMENT},
                    hint=f"declare it alignas({ALIGNMENT})",
                )

    def _explain(self, device: Device, error: ProductError) -> ProductError:
        if error.code != "arena_overflow":
            return error
        given = int(error.numbers.get("given", 0)) or device.info.arena_cap
        needed = find_min_arena(device)
        self.record.memory.arena_given = given
        self.record.memory.arena_needed = needed
        return arena_overflow(self.board.id, self.model.name, given, needed, device.info.arena_cap)

    # -- inference

    def vectors(self) -> tuple[Vector, ...]:
        """The input vectors: the model's own, or those of the settings."""
        if self._vectors is None:
            self._vectors = load_vectors(self.model, self.settings.vectors)
        return self._vectors

    def expected(self) -> References:
        """What the host's engines answer to the vectors.

        What the tree cannot run is the model's fault, whatever the engines say: it comes first.

        Raises:
            BenchError: reference_died. Also what `firmware` raises.
        """
        if self._references is None:
            self.firmware()
            with self._recorded("reference"):
                self._references = cached_references(self.model, self.vectors())
            self.record.oracle = self._references.oracle.oracle
            self.record.oracle_version = self._references.oracle.version
            self.record.oracle_reason = self._references.reason
        return self._references

    def infer(self, inputs: Sequence[Array]) -> Inference:
        """One inference on the loaded device; exact dtypes and shapes."""
        if not self._loaded:
            self.load()
        with self._recorded("infer"):
            return self.device().infer(inputs)

    def parity(self) -> Parity:
        """Runs every vector three times and compares with the host.

        Raises:
            ProductError: parity, nondeterministic, and all that loading and inferring raise.
        """
        self.load(FILLS[0])  # what the device refuses counts before what an engine cannot answer
        wanted = self.expected()
        passes = [self._pass(fill, reverse=fill == FILLS[-1]) for fill in FILLS]
        parity = self._judge(wanted, passes[0])
        findings = [
            parity_finding(parity, wanted.oracle.oracle, self.tolerance),
            self._determinism(passes),
        ]
        self._raise_first([finding for finding in findings if finding])
        return parity

    def _pass(self, fill: int, *, reverse: bool) -> list[tuple[Array, ...]]:
        """Outputs of all vectors, in the vectors' order whatever the order of running.

        A stateful model's vectors are a sequence and keep their order.
        """
        device = self.load(fill)
        vectors = list(enumerate(self.vectors()))
        if reverse and not self.model.card.sequences:
            vectors.reverse()
        with self._recorded("parity"):
            answers = {n: device.infer(vector.inputs) for n, vector in vectors}
        self._first = self._first or answers[vectors[0][0]].ticks
        return [answers[n].outputs for n in sorted(answers)]

    def _judge(self, wanted: References, observed: list[tuple[Array, ...]]) -> Parity:
        names = [vector.name for vector in self.vectors()]
        oracle = wanted.oracle
        parity = compare_outputs(oracle.outputs, observed, self.tolerance, names)
        self._note_parity(oracle.oracle, parity, oracle.version, wanted.reason)
        for name, other in wanted.others.items():
            if isinstance(other, EngineResult):
                drift = compare_outputs(other.outputs, observed, self.tolerance, names)
                self._note_parity(name, drift, other.version, "")
            else:
                self.record.parity[name] = ParityRecord(version=other.version, reason=other.reason)
        return parity

    def _note_parity(self, engine: str, parity: Parity, version: str, reason: str) -> None:
        figures = parity.record()
        self.record.parity[engine] = ParityRecord(**figures, version=version, reason=reason)

    def _determinism(self, passes: list[list[tuple[Array, ...]]]) -> Finding | None:
        differing = sum(
            not _same(first, other)
            for repeated in passes[1:]
            for first, other in zip(passes[0], repeated, strict=True)
        )
        if not differing:
            return None
        total = (len(passes) - 1) * len(passes[0])
        fills = ", ".join(f"0x{fill:02x}" for fill in FILLS)
        return Finding(
            "nondeterministic",
            f"{differing} of {total} repeated inferences gave another answer, with the arena "
            f"prefilled with {fills} and the vectors in another order: a kernel reads what it "
            "never wrote, or keeps state",
            "parity",
            {"differing": differing, "repeated": total},
        )

    # -- figures

    def latency(self) -> Latency:
        """Times ``runs`` inferences of the first vector.

        Raises:
            BenchError: no_answer if the device has no clock that can be trusted.
        """
        device = self.load()
        unit = tick_unit(device.info)
        inputs = self.vectors()[0].inputs
        with self._recorded("latency"):
            first = device.infer(inputs).ticks
            for _ in range(WARM_UPS):
                device.infer(inputs)
            ticks = [device.infer(inputs).ticks for _ in range(self.settings.runs)]
            if unit is None or min(ticks) == 0:
                raise self._no_clock(device, ticks)
        latency = summarise(unit, first, ticks)
        self.record.latency = LatencyRecord(**asdict(latency))
        return latency

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
            ProductError: arena_overflow, if the product gives less.
        """
        device = self.load()
        with self._recorded("memory"):
            needed = find_min_arena(device)
            self._loaded = False
            stats = device.stats()
        self.record.memory.arena_needed = needed
        self.record.wire.overruns = stats.rx_overruns
        if needed is None:
            cap = device.info.arena_cap
            error = arena_overflow(self.board.id, self.model.name, cap, None, cap)
            self.record.add(error.finding("memory"))
            raise error
        return needed

    # -- helpers

    def _raise_first(self, findings: list[Finding]) -> None:
        for finding in findings:
            self.record.add(finding)
        if findings:
            self._note_device()
            raise self._product(findings[0])

    def _product(self, finding: Finding, hint: str = "") -> ProductError:
        return ProductError(
            finding.code,
            finding.message,
            board=self.board.id,
            model=self.model.name,
            numbers=finding.numbers,
            hint=hint,
        )


def _same(first: Sequence[Array], other: Sequence[Array]) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(first, other, strict=True))


def arena_overflow(
    board: str, model: str, given: int, needed: int | None, cap: int
) -> ProductError:
    """The finding of an arena that is too small; ``needed`` None: more than the part has."""
    need = f"{needed:,}" if needed is not None else f"more than {cap:,}"
    hint = "a smaller model or a larger part" if needed is None else f"arena_bytes: {needed}"
    return ProductError(
        "arena_overflow",
        f"the model needs an arena of {need} bytes, {given:,} are given",
        board=board,
        model=model,
        numbers={"given": given, "needed": needed, "cap": cap},
        hint=f"give it {hint} (model.yaml)" if needed else f"take {hint}",
    )


_answers: dict[tuple[str, tuple[bytes, ...]], References] = {}


def cached_references(model: Model, vectors: Sequence[Vector]) -> References:
    """`references`, once a run for the same model and inputs."""
    key = (model.sha256, tuple(a.tobytes() for vector in vectors for a in vector.inputs))
    if key not in _answers:
        _answers[key] = references(model, vectors)
    return _answers[key]
