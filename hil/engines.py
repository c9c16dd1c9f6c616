"""One host engine over a model's vectors, in a process of its own that may refuse, hang or die.

An engine that refuses a model, or is not installed, is a value (`EngineRefused`); one that dies
or does not end in time is a `BenchError` of code ``reference_died``.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from hil import _engine
from hil.engine_process import Engine, EngineRefused, died, read_reply, refused, said_by, spawn
from hil.model import Model
from hil.tensors import Array
from hil.vectors import Vector

__all__ = ["ENGINES", "Engine", "EngineRefused", "EngineResult", "Outputs", "_engine", "run_engine"]

Outputs = tuple[tuple[Array, ...], ...]

ENGINES: tuple[Engine, ...] = ("tflm", "litert_ref")
_MEMORY = 4 << 30
_ARENA_LINE = re.compile(r"\[RecordingMicroAllocator\] Arena allocation total (\d+) bytes")


@dataclass(frozen=True)
class EngineResult:
    """An engine's answers: ``outputs[vector][output]``, exact types and shapes.

    ``arena_bytes`` is what TFLM took of its arena on this host, a forecast for a board (a 64-bit
    host takes more); None for LiteRT. ``tensors`` are those that were asked for, by index, as the
    last vector left them.
    """

    engine: Engine
    outputs: Outputs
    version: str
    stderr: str = ""
    arena_bytes: int | None = None
    tensors: Mapping[int, Array] = field(default_factory=dict, repr=False)


def run_engine(
    engine: Engine,
    model: Model,
    vectors: Sequence[Vector],
    *,
    timeout: float | None = None,
    tensors: Sequence[int] = (),
) -> EngineResult | EngineRefused:
    """Run one engine over all vectors, in order, in its own process.

    The engine's variables are reset before each vector unless the card says ``sequences``.
    ``timeout`` is in seconds; the default follows from the work. ``tensors`` are indices of the
    model's tensors to give back; every tensor then keeps its memory through the run.

    Raises:
        BenchError: reference_died, with the signal or the time, and the last lines of stderr.
        ValueError: no vectors.
    """
    if not vectors:
        raise ValueError("no vectors to run")
    seconds = deadline(model, len(vectors)) if timeout is None else timeout
    with tempfile.TemporaryDirectory(prefix="hil-engine-") as name:
        folder = Path(name)
        write_request(folder, engine, model, vectors, tensors, seconds)
        code, stderr = spawn(folder, seconds)
        reply = read_reply(folder)
        if reply is None or code:
            raise died(engine, model.name, code, stderr, seconds)
        return _result(engine, reply, folder, stderr)


def deadline(model: Model, vectors: int) -> float:
    """Seconds that a host may need: a slow start, and 5 µs a byte of the model and vector."""
    return 30 + vectors * (0.05 + len(model.data) * 5e-6)


def write_request(
    folder: Path,
    engine: Engine,
    model: Model,
    vectors: Sequence[Vector],
    tensors: Sequence[int],
    seconds: float,
) -> None:
    """Puts into ``folder`` what `hil._engine` reads; without vectors it only allocates."""
    request = {
        "engine": engine,
        "inputs": len(model.inputs),
        "outputs": len(model.outputs),
        "vectors": len(vectors),
        "sequences": model.card.sequences,
        "tensors": list(tensors),
        "arena": _generous_arena(model),
        "memory": _MEMORY * (4 if engine == "tensorflow" else 1),
        "seconds": int(seconds) + 5,
    }
    arrays: dict[str, Any] = {
        f"i{i}": np.stack([v.inputs[i] for v in vectors])
        for i in range(len(model.inputs) if vectors else 0)
    }
    (folder / "request.json").write_text(json.dumps(request))
    (folder / "model.tflite").write_bytes(model.data)
    if vectors:
        np.savez(folder / "inputs.npz", allow_pickle=False, **arrays)


def _generous_arena(model: Model) -> int:
    """Bytes: every tensor at once, twice, and a good deal for what the interpreter keeps."""
    tensors = sum(spec.nbytes for spec in model.tensors if not spec.constant)
    wanted = (1 << 20) + 2 * tensors + 1024 * len(model.tensors) + len(model.data)
    return min(1 << 30, wanted) & -16  # or what the engine takes would depend on the rest


def _result(
    engine: Engine, reply: Mapping[str, Any], folder: Path, stderr: str
) -> EngineResult | EngineRefused:
    said = said_by(stderr)
    version = str(reply["version"])
    if reply["status"] != "ran":
        return refused(engine, reply, said)
    with np.load(folder / "outputs.npz", allow_pickle=False) as file:
        columns = [file[f"o{i}"] for i in range(len(file.files))]
    outputs = tuple(tuple(c[n, ...] for c in columns) for n in range(len(columns[0])))
    with np.load(folder / "tensors.npz", allow_pickle=False) as file:
        tensors = {int(name[1:]): file[name] for name in file.files}
    arena = _ARENA_LINE.search(stderr)
    arena_bytes = int(arena[1]) if arena else None
    return EngineResult(engine, outputs, version, said, arena_bytes, tensors)
