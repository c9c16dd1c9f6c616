"""A model on a board: built, flashed, connected, loaded. What trials stand on.

Everything that is found out goes into the record at once, so that it is complete at any time.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from hil import build as building
from hil.arena import find_min_arena
from hil.claim import Claim
from hil.device import Device, Inference
from hil.errors import Finding, HilError, ProductError
from hil.firmware import Firmware
from hil.flash import open_device
from hil.inventory import Board
from hil.limits import ALIGNMENT, misaligned
from hil.model import Model
from hil.report.record import Record
from hil.settings import Settings
from hil.support import check_support
from hil.tensors import Array
from hil.tflm import resolve_tflm

LOG_KEPT = 4096
"""Characters of the device's last text that a record keeps."""


class Slot:
    """The place in front of one board: one mount at a time is connected, one thread at work."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.current: Mount | None = None

    def take(self, mount: Mount) -> None:
        """Makes room for ``mount``; whoever was connected lets go."""
        if self.current is not None and self.current is not mount:
            self.current.close()
        self.current = mount


class Mount:
    """One board, one model, one sketch. A context manager: lets go of the board at the end.

    Attributes:
        record: what is known so far.
    """

    def __init__(
        self,
        board: Board,
        model: Model,
        settings: Settings | None = None,
        sketch: str | Path = "hil_runner",
        slot: Slot | None = None,
    ) -> None:
        self.board = board
        self.model = model
        self.settings = settings or Settings()
        self.sketch = sketch
        self.slot = slot or Slot()
        name = sketch if isinstance(sketch, str) else sketch.name
        self.record = Record(
            board=board.id, model=model.name, sketch=name, model_sha256=model.sha256
        )
        self._firmware: Firmware | HilError | None = None
        self._device: Device | None = None
        self._loaded = False
        self._load_error: HilError | None = None
        self._open = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Lets go of the board; the record keeps what the device said. Again is harmless."""
        with self.slot.lock:
            self._note_device()
            self._device = None
            self._loaded = False
            self._open.close()
            if self.slot.current is self:
                self.slot.current = None

    @contextmanager
    def recorded(self, suite: str) -> Iterator[None]:
        """Notes the fault that ends the block in the record, under the step's name."""
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
            try:
                with self.recorded("build"):
                    self._firmware = self._build()
                self.record.took(self._firmware)
            except HilError as error:
                self._firmware = error
        if isinstance(self._firmware, HilError):
            raise self._firmware
        return self._firmware

    def _build(self) -> Firmware:
        tflm = resolve_tflm(self.board.tflm)
        findings = check_support(self.model, tflm.ops, tflm.era)
        for finding in findings:
            self.record.add(finding)
        if findings:
            raise self.product(findings[0], "nothing was built")
        return building.build(
            building.recipe(
                self.board, self.model, sketch=self.sketch, defines=self.settings.defines
            )
        )

    # -- device

    def device(self) -> Device:
        """The board, running this firmware and answering; flashed only if need be."""
        self.slot.take(self)
        if self._device is None:
            firmware = self.firmware()
            with self.recorded("connect"):
                self._device = self._connect(firmware)
        return self._device

    def _connect(self, firmware: Firmware) -> Device:
        with ExitStack() as opened:
            opened.enter_context(Claim(self.board))
            device = open_device(
                self.board,
                firmware,
                self.model.name,
                may_flash=self.settings.may_flash,
                on_flash=lambda: self.record.note(flashed=True),
            )
            opened.callback(device.close)
            self._open = opened.pop_all()
        return device

    def _note_device(self) -> None:
        device = self._device
        if device is None:
            return
        info = device.info
        self.record.note_wire(resent=device.resent)
        self.record.note(
            device_log=device.log[-LOG_KEPT:],
            device={
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
            },
        )

    # -- model in the arena

    @property
    def given_arena(self) -> int:
        """Bytes of arena that the product gives (model.yaml); 0: all that the image has."""
        return self.model.card.arena_bytes or 0

    def load(self, fill: int = 0) -> Device:
        """The device with the model loaded, the arena prefilled with ``fill``.

        Raises:
            ProductError: schema_mismatch, arena_overflow (with the bytes that are needed),
                arena_misaligned, model_misaligned, missing_op, crash.
        """
        device = self.device()
        if self._load_error is not None:
            raise self._load_error
        with self.recorded("load"):
            try:
                self._check_addresses(device)
                loaded = device.load(self.given_arena, fill)
            except ProductError as error:
                self._load_error = self._explain(device, error)
                raise self._load_error from error
        self._loaded = True
        self.record.note_memory(arena_used=loaded.arena_used, arena_given=loaded.arena_size)
        return device

    def unloaded(self) -> None:
        """Says that the device holds another load than `load` left."""
        self._loaded = False

    def infer(self, inputs: Sequence[Array]) -> Inference:
        """One inference on the loaded device; exact dtypes and shapes."""
        with self.slot.lock:
            if not self._loaded:
                self.load()
            with self.recorded("infer"):
                return self.device().infer(inputs)

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

    def product(self, finding: Finding, hint: str = "") -> ProductError:
        """A finding as the error that stops a step."""
        return ProductError(
            finding.code,
            finding.message,
            board=self.board.id,
            model=self.model.name,
            numbers=finding.numbers,
            hint=hint,
        )
