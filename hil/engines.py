"""One host engine over a model's vectors, in a process of its own that may refuse, hang or die.

An engine that refuses a model, or is not installed, is a value (`EngineRefused`); one that dies
or does not end in time is a `BenchError` of code ``reference_died``.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any, Literal

import numpy as np

from hil import _engine
from hil.errors import BenchError
from hil.model import Model
from hil.tensors import Array
from hil.vectors import Vector

Engine = Literal["tflm", "litert_ref", "tensorflow"]
Outputs = tuple[tuple[Array, ...], ...]

ENGINES: tuple[Engine, ...] = ("tflm", "litert_ref")
_MEMORY = 4 << 30
_ARENA_LINE = re.compile(r"\[RecordingMicroAllocator\] Arena allocation total (\d+) bytes")
_NOISE = re.compile(r"RecordingMicroAllocator|INFO: |XNNPACK|^WARNING: All log messages|^[WI]0000 ")
_TAIL = 6


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


@dataclass(frozen=True)
class EngineRefused:
    """An engine that gave no answer. ``installed`` False: it does not exist on this host."""

    engine: Engine
    reason: str
    version: str = ""
    stderr: str = ""
    installed: bool = True


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
        _write_request(folder, engine, model, vectors, tensors, seconds)
        code, stderr = _spawn(folder, seconds)
        reply = _read_reply(folder)
        if reply is None or code:
            raise _died(engine, model, code, stderr, seconds)
        return _result(engine, reply, folder, stderr)


def deadline(model: Model, vectors: int) -> float:
    """Seconds that a host may need: a slow start, and 5 µs a byte of the model and vector."""
    return 30 + vectors * (0.05 + len(model.data) * 5e-6)


def _write_request(
    folder: Path,
    engine: Engine,
    model: Model,
    vectors: Sequence[Vector],
    tensors: Sequence[int],
    seconds: float,
) -> None:
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
        f"i{i}": np.stack([v.inputs[i] for v in vectors]) for i in range(len(model.inputs))
    }
    (folder / "request.json").write_text(json.dumps(request))
    (folder / "model.tflite").write_bytes(model.data)
    np.savez(folder / "inputs.npz", allow_pickle=False, **arrays)


def _generous_arena(model: Model) -> int:
    """Bytes: every tensor at once, twice, and a good deal for what the interpreter keeps."""
    tensors = sum(spec.nbytes for spec in model.tensors if not spec.constant)
    return min(1 << 30, (1 << 20) + 2 * tensors + 1024 * len(model.tensors) + len(model.data))


def _spawn(folder: Path, seconds: float) -> tuple[int | None, str]:
    """Exit code (None: killed at the deadline) and stderr. The whole process group ends here."""
    command = [sys.executable, "-P", str(Path(_engine.__file__).resolve()), str(folder)]
    log = folder / "stderr.txt"
    with log.open("wb") as sink:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
            cwd=folder,
            start_new_session=True,
        )
        try:
            code: int | None = process.wait(seconds)
        except subprocess.TimeoutExpired:
            code = None
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    return code, log.read_bytes()[-65536:].decode("utf-8", "replace")


def _read_reply(folder: Path) -> dict[str, Any] | None:
    try:
        reply: dict[str, Any] = json.loads((folder / "reply.json").read_text())
    except (OSError, ValueError):
        return None
    return reply


def _result(
    engine: Engine, reply: Mapping[str, Any], folder: Path, stderr: str
) -> EngineResult | EngineRefused:
    said = _said(stderr)
    version = str(reply["version"])
    if reply["status"] != "ran":
        absent = reply["status"] == "absent"
        reason = _absence(engine) if absent else _refusal(str(reply["reason"]), said)
        return EngineRefused(engine, reason, version, said, installed=not absent)
    with np.load(folder / "outputs.npz", allow_pickle=False) as file:
        columns = [file[f"o{i}"] for i in range(len(file.files))]
    outputs = tuple(tuple(c[n, ...] for c in columns) for n in range(len(columns[0])))
    with np.load(folder / "tensors.npz", allow_pickle=False) as file:
        tensors = {int(name[1:]): file[name] for name in file.files}
    arena = _ARENA_LINE.search(stderr)
    arena_bytes = int(arena[1]) if arena else None
    return EngineResult(engine, outputs, version, said, arena_bytes, tensors)


def _absence(engine: Engine) -> str:
    name = _engine.DISTRIBUTIONS[engine]
    return (
        f"{name} is not installed here (TFLM's wheel exists for Linux x86-64 only)"
        if (engine == "tflm")
        else f"{name} is not installed here"
    )


def _refusal(error: str, said: str) -> str:
    """The engine's exception and what it printed: TFLM's cause stands only there."""
    return "; ".join([error.strip().splitlines()[0], *said.splitlines()[-_TAIL:]])


def _said(stderr: str) -> str:
    return "\n".join(
        line.rstrip() for line in stderr.splitlines() if line.strip() and not _NOISE.search(line)
    )


def _died(
    engine: Engine, model: Model, code: int | None, stderr: str, seconds: float
) -> BenchError:
    if code is None:
        how = f"did not end within {seconds:.0f} s and was killed"
    elif code < 0:
        how = f"died of signal {-code} ({_signal_name(-code)})"
    else:
        how = f"ended with exit code {code} and no answer"
    version = _version(engine)
    lines = _said(stderr).splitlines()[-_TAIL:]
    quoted = "".join(f"\n  | {line}" for line in lines) or " It printed nothing."
    return BenchError(
        "reference_died",
        f"{engine} {version} {how}.{quoted}",
        model=model.name,
        hint=f"the fault is the host engine's, not the board's: run the model with another "
        f"version of {_engine.DISTRIBUTIONS[engine]}",
        numbers={"engine": engine, "version": version, "exit": code, "seconds": seconds},
    )


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return "unknown"


def _version(engine: Engine) -> str:
    try:
        return metadata.version(_engine.DISTRIBUTIONS[engine])
    except metadata.PackageNotFoundError:
        return "(not installed)"
