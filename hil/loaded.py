"""A model in the arena of a mounted board: loaded, asked, and what its refusal or silence means."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from hil.arena import find_min_arena
from hil.described import tensor_problem
from hil.device import Device, Inference
from hil.errors import BenchError, Finding, HilError, ProductError
from hil.failed_input import FailedInput
from hil.hang import ask_again, input_crc, silent_in_work
from hil.inventory import Board
from hil.limits import ALIGNMENT, misaligned
from hil.messages import Loaded
from hil.model import Model, Vector
from hil.mount import Mount, Slot
from hil.outcome import ArenaFixed
from hil.settings import Settings
from hil.tensors import Array

IN_THE_DEVICE = ("crash", "hang", "unsupported_type")
"""Codes of faults that a debugger can stop at."""


class LoadedMount(Mount):
    """A mount whose device holds the model."""

    def __init__(
        self,
        board: Board,
        model: Model,
        settings: Settings | None = None,
        sketch: str | Path = "hil_runner",
        slot: Slot | None = None,
    ) -> None:
        super().__init__(board, model, settings, sketch, slot)
        self._loaded = False
        self._load_error: HilError | None = None
        self._hangs: dict[int, ProductError] = {}  # by the inputs' CRC; each costs minutes
        self.failing: FailedInput | None = None
        self._asked: tuple[Array, ...] = ()
        self._fill = 0

    def close(self) -> None:
        with self.slot.lock:
            self._loaded = False
            super().close()

    @property
    def given_arena(self) -> int:
        """Bytes of arena that the product gives (model.yaml); 0: all that the image has."""
        return self.model.card.arena_bytes or 0

    def load(self, fill: int = 0) -> Device:
        """The device with the model loaded, the arena prefilled with ``fill``.

        Raises:
            ProductError: schema_mismatch, arena_overflow (with the bytes that are needed),
                arena_misaligned, model_misaligned, missing_op, crash.
            BenchError: wrong_model, if the tensors that the device describes are not the model's.
        """
        device = self.device()
        self._asked, self._fill = (), fill
        if self._load_error is not None:
            raise self._load_error
        with self.recorded("load"):
            try:
                self._check_addresses(device)
                loaded = self._load_into(device, fill)
            except ProductError as error:
                self._load_error = self._explain(device, error)
                raise self._load_error from error
            if problem := tensor_problem(self.model, *device.tensors()):
                raise self._another_model(problem)
        self._loaded = True
        self.record.note_memory(arena_used=loaded.arena_used, arena_given=loaded.arena_size)
        return device

    def _another_model(self, problem: str) -> BenchError:
        return BenchError(
            "wrong_model",
            f"the interpreter on the board does not run the model that the board holds: {problem}",
            board=self.board.id,
            model=self.model.name,
            hint="does the sketch give HilDevice the model that its interpreter runs?",
        )

    def _load_into(self, device: Device, fill: int) -> Loaded:
        """Into the arena that model.yaml states, or that the firmware has if it is the firmware's
        own to decide."""
        try:
            return device.load(self.given_arena, fill)
        except ArenaFixed:
            return device.load(0, fill)

    def unloaded(self) -> None:
        """Says that the device holds another load than `load` left."""
        self._loaded = False

    def infer(self, inputs: Sequence[Array]) -> Inference:
        """One inference on the loaded device; exact dtypes and shapes."""
        with self.slot.lock:
            if not self._loaded:
                self.load()
            with self.recorded("infer"):
                return self.ask(inputs)

    def answers(self, vectors: Sequence[Vector], fill: int, suite: str) -> list[tuple[Array, ...]]:
        """The outputs of vectors in their order, the arena prefilled with ``fill``.

        A stateful model is loaded anew for each, as the host's engines do: no state from another
        vector, unless the vectors are a sequence.
        """
        self.load(fill)
        outputs: list[tuple[Array, ...]] = []
        for vector in vectors:
            if outputs and self.model.stateful and not self.model.card.sequences:
                self.load(fill)
            with self.recorded(suite):
                outputs.append(self.ask(vector.inputs).outputs)
        return outputs

    def ask(self, inputs: Sequence[Array], invokes: int = 1) -> Inference:
        """One inference of the loaded device, or ``invokes`` that are timed as one; it is not
        loaded again on the way, and a silence is looked into before it is believed.

        Raises:
            ProductError: hang. BenchError: no_answer. NoRoom: see `Device.infer`.
        """
        device = self.device()
        self._asked = tuple(inputs)
        if known := self._hangs.get(input_crc(inputs)):
            raise known
        try:
            return device.infer(inputs, invokes)
        except HilError as error:
            self.unloaded()  # it may have restarted
            if not isinstance(error, BenchError) or not silent_in_work(error):
                raise
            raise self._silence(error, inputs) from error

    def noticed(self, error: HilError, suite: str) -> None:
        if isinstance(error, ProductError) and error.code in IN_THE_DEVICE:
            self.failed_at(error.code, suite, (self._asked,) if self._asked else ())

    def failed_at(self, code: str, suite: str, sequence: Sequence[tuple[Array, ...]]) -> None:
        """Keeps what the device was asked when it failed, the first time that it does."""
        if self.failing is None:
            self.failing = FailedInput(code, suite, tuple(sequence), self.given_arena, self._fill)

    def _silence(self, error: BenchError, inputs: Sequence[Array]) -> HilError:
        found = ask_again(error, inputs, self._revived, self.given_arena)
        self.unloaded()
        if isinstance(found, ProductError):
            self._hangs[input_crc(inputs)] = found
        return found

    def _revived(self) -> Device:
        """The device, started again: by itself if it listens, else by an upload, which also
        reaches a core that spins."""
        try:
            self.device().reset()
        except BenchError:
            self.close()
        return self.device()

    def _check_addresses(self, device: Device) -> None:
        places = (("model", device.info.model_addr), ("arena", device.info.arena_addr))
        for what, address in places:
            if address % ALIGNMENT:
                raise self.product(misaligned(what, address), f"declare it alignas({ALIGNMENT})")

    def _explain(self, device: Device, error: ProductError) -> ProductError:
        """The error of a refused load, with the arena that would have been enough."""
        if error.code != "arena_overflow":
            return error
        given = int(error.numbers.get("given", 0)) or device.info.arena_cap
        needed = find_min_arena(device)
        self.record.note_memory(arena_given=given, arena_needed=needed)
        return self.arena_overflow(given, needed, device.info.arena_cap)

    def arena_overflow(self, given: int, needed: int | None, cap: int) -> ProductError:
        """An arena that is too small; ``needed`` None: more than the part has."""
        need = f"{needed:,}" if needed is not None else f"more than {cap:,}"
        hint = f"give it arena_bytes: {needed} (model.yaml)" if needed else "take a larger part"
        finding = Finding(
            "arena_overflow",
            f"the model needs an arena of {need} bytes, {given:,} are given",
            numbers={"given": given, "needed": needed, "cap": cap},
        )
        return self.product(finding, hint)
