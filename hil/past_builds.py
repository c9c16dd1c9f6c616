"""Images that this machine built before: what the bench itself knows of a board and its TFLM."""

from __future__ import annotations

from dataclasses import dataclass

from hil.board import Board
from hil.firmware import Firmware, load_firmware
from hil.paths import cache_dir
from hil.tflm import TflmSource

_SKETCH = "hil_runner"
_MOST = 500


@dataclass(frozen=True)
class PastBuilds:
    """Firmware of one board and one TFLM, with the reference sketch; newest first."""

    firmware: tuple[Firmware, ...]

    def of(self, model_sha256: str) -> Firmware | None:
        """The newest image with this very model, its arena not cut short."""
        return next((f for f in self.firmware if f.model_sha256 == model_sha256), None)

    @property
    def harness(self) -> int | None:
        """Flash of the device half and the sketch in the newest image; None without one."""
        parts = self.firmware[0].flash_parts if self.firmware else {}
        return parts["hil_device"] + parts["sketch"] if parts else None

    @property
    def flags(self) -> str:
        """The compiler flags of the newest image; "" without one."""
        return self.firmware[0].flags if self.firmware else ""

    @property
    def static(self) -> tuple[int, int] | None:
        """Least and most RAM beside the arena; None without a build."""
        sizes = [f.ram - f.arena_cap for f in self.firmware]
        return (min(sizes), max(sizes)) if sizes else None


def past_builds(board: Board, tflm: TflmSource) -> PastBuilds:
    """What the cache holds for the board's FQBN with its options and the TFLM's digest."""
    root = cache_dir() / "firmware"
    folders = sorted(root.iterdir(), key=lambda f: f.stat().st_mtime) if root.is_dir() else []
    found = (load_firmware(folder) for folder in reversed(folders[-_MOST:]))
    return PastBuilds(tuple(f for f in found if f is not None and _alike(f, board, tflm)))


def _alike(firmware: Firmware, board: Board, tflm: TflmSource) -> bool:
    known = (firmware.fqbn, firmware.tflm.digest, firmware.sketch)
    return known == (board.full_fqbn, tflm.digest, _SKETCH) and "kernels" in firmware.flash_parts
