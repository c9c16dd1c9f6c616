"""A model on a board: built, flashed, connected, loaded. What trials stand on.

Everything that is found out goes into the record at once, so that it is complete at any time.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from hil import build as building
from hil.claim import Claim
from hil.crash import retell
from hil.device import Device
from hil.errors import Finding, HilError, ProductError
from hil.firmware import Firmware
from hil.flash import open_device
from hil.inventory import Board
from hil.model import Model
from hil.report.record import Record
from hil.settings import Settings
from hil.support import check_support
from hil.symbols import Symbols
from hil.tflm import resolve_tflm

LOG_KEPT = 4096
"""Characters of the device's last text that a record keeps."""

_FACTS = ("proto", "unit", "core", "reset_cause", "boot_count", "clock", "ticks_per_s",
          "schema_supported", "model_schema", "model_addr", "arena_addr", "compiler",
          "kernels")  # fmt: skip


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
            if isinstance(self._firmware, Firmware):
                retell(error, Symbols(self._firmware.elf))
            self.record.add(error.finding(suite))
            self.noticed(error, suite)
            raise

    def noticed(self, error: HilError, suite: str) -> None:
        """Called with every fault that is noted; nothing here."""

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
            raise self.product(
                findings[0], "change that, then run again: nothing was built or flashed"
            )
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
            self._note_device()
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
                hang_s=self.settings.hang_s,
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
            device={name: getattr(info, name) for name in _FACTS},
        )

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
