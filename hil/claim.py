"""One session per board: a lock that the kernel drops when its holder dies."""

from __future__ import annotations

import hashlib
import os
from types import TracebackType
from typing import Self

from filelock import FileLock, Timeout

from hil.errors import BenchError
from hil.inventory import Board
from hil.paths import run_dir


class Claim:
    """Holds a board for this process, from before the upload to after the last answer.

    pyserial's exclusive open covers a session; the claim covers flashing too, so that two runs
    never interleave an upload with somebody else's inference.

    Raises:
        BenchError: ``board_busy``, with the process that holds the board.
    """

    def __init__(self, board: Board) -> None:
        self._board = board
        name = hashlib.sha256(board.port.encode()).hexdigest()[:16]
        self._path = run_dir() / "claims" / f"{name}.lock"
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._owner = self._path.with_suffix(".owner")
        self._lock = FileLock(self._path)

    def __enter__(self) -> Self:
        try:
            self._lock.acquire(timeout=0)
        except Timeout as error:
            raise BenchError(
                "board_busy",
                f"{self._board.port} is in use by {self._holder()}",
                board=self._board.id,
                hint="wait for it, stop it, or select another board with --board",
            ) from error
        self._owner.write_text(f"process {os.getpid()}")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._owner.unlink(missing_ok=True)
        self._lock.release()

    def _holder(self) -> str:
        try:
            return self._owner.read_text()
        except OSError:
            return "another process"
