"""What TFLM's own planner takes for a model on this host: half of a forecast for a board."""

from __future__ import annotations

import re
import tempfile
from dataclasses import dataclass
from pathlib import Path

from hil.engine_process import EngineRefused, died, read_reply, refused, said_by, spawn
from hil.engines import write_request
from hil.errors import BenchError
from hil.model import Model

_PARTS = re.compile(r"Arena allocation (total|head|tail) (\d+) bytes")


@dataclass(frozen=True)
class HostArena:
    """Bytes of arena on this 64-bit host: ``head`` for activations, ``tail`` for the rest."""

    total: int
    head: int
    tail: int
    version: str


def host_arena(model: Model, *, timeout: float = 30.0) -> HostArena | EngineRefused:
    """What TFLM's own planner takes on this host for the model; nothing is invoked.

    Raises:
        BenchError: reference_died, as of `run_engine`.
    """
    with tempfile.TemporaryDirectory(prefix="hil-engine-") as name:
        folder = Path(name)
        write_request(folder, "tflm", model, (), (), timeout)
        code, stderr = spawn(folder, timeout)
        reply = read_reply(folder)
        if reply is None or code:
            raise died("tflm", model.name, code, stderr, timeout)
        sizes = {part: int(size) for part, size in _PARTS.findall(stderr)}
        if reply["status"] != "ran" or len(sizes) < 3:
            return refused("tflm", reply, said_by(stderr))
        return HostArena(sizes["total"], sizes["head"], sizes["tail"], str(reply["version"]))


def planned_on_host(model: Model) -> HostArena | None:
    """`host_arena`, or None where TFLM is absent, refuses the model or dies of it."""
    try:
        found = host_arena(model)
    except BenchError:
        return None
    return found if isinstance(found, HostArena) else None
