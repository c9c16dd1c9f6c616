"""A host engine as a process: started, given a time, and what its end means in words."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, Literal

from hil import _engine
from hil.errors import BenchError

Engine = Literal["tflm", "litert_ref", "tensorflow"]

_NOISE = re.compile(r"RecordingMicroAllocator|INFO: |XNNPACK|^WARNING: All log messages|^[WI]0000 ")
_TAIL = 6


@dataclass(frozen=True)
class EngineRefused:
    """An engine that gave no answer. ``installed`` False: it does not exist on this host."""

    engine: Engine
    reason: str
    version: str = ""
    stderr: str = ""
    installed: bool = True


def spawn(folder: Path, seconds: float) -> tuple[int | None, str]:
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


def read_reply(folder: Path) -> dict[str, Any] | None:
    try:
        reply: dict[str, Any] = json.loads((folder / "reply.json").read_text())
    except (OSError, ValueError):
        return None
    return reply


def refused(engine: Engine, reply: Mapping[str, Any], said: str) -> EngineRefused:
    absent = reply["status"] == "absent"
    reason = _absence(engine) if absent else _refusal(str(reply.get("reason", "")), said)
    return EngineRefused(engine, reason, str(reply["version"]), said, installed=not absent)


def _absence(engine: Engine) -> str:
    name = _engine.DISTRIBUTIONS[engine]
    return (
        f"{name} is not installed here (TFLM's wheel exists for Linux x86-64 only)"
        if (engine == "tflm")
        else f"{name} is not installed here"
    )


def _refusal(error: str, said: str) -> str:
    """The engine's exception and what it printed: TFLM's cause stands only there."""
    return "; ".join([*error.strip().splitlines()[:1], *said.splitlines()[-_TAIL:]])


def said_by(stderr: str) -> str:
    return "\n".join(
        line.rstrip() for line in stderr.splitlines() if line.strip() and not _NOISE.search(line)
    )


def died(engine: Engine, model: str, code: int | None, stderr: str, seconds: float) -> BenchError:
    if code is None:
        how = f"did not end within {seconds:.0f} s and was killed"
    elif code < 0:
        how = f"died of signal {-code} ({_signal_name(-code)})"
    else:
        how = f"ended with exit code {code} and no answer"
    version = _version(engine)
    lines = said_by(stderr).splitlines()[-_TAIL:]
    quoted = "".join(f"\n  | {line}" for line in lines) or " It printed nothing."
    return BenchError(
        "reference_died",
        f"{engine} {version} {how}.{quoted}",
        model=model,
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
