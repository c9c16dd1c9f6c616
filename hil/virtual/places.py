"""Where one virtual board keeps its things, derived from the path of its port."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Place:
    """Paths of the board at ``port``: ``RUN/ports/NAME`` has its state in ``RUN/boards/NAME``."""

    port: Path

    @property
    def name(self) -> str:
        return self.port.name

    @property
    def folder(self) -> Path:
        return self.port.parent.parent / "boards" / self.name

    @property
    def image(self) -> Path:
        return self.folder / "image.elf"

    @property
    def log(self) -> Path:
        return self.folder / "launcher.log"

    def prepare(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port.parent.mkdir(parents=True, exist_ok=True)

    def socket_address(self, directory: int) -> str:
        """The control socket's address through an open directory: sun_path holds 107 bytes only."""
        return f"/proc/self/fd/{directory}/control"

    def open_folder(self) -> int:
        return os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
