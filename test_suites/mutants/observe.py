"""What a board says and answers, taken down without judging: shows that a mutant is one."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field

from hil import messages as m
from hil.device import Device
from hil.errors import HilError
from hil.model import Model, load_vectors
from hil.repetition import FILLS

AGAIN = 40
"""Inferences of the first vector after all others: what comes late shows too."""

_OWN = ("nonce", "boot_count", "reset_cause", "rx_overruns", "unit")
"""Facts that differ between two runs of the same firmware, or two of the same board."""


@dataclass(frozen=True)
class Observation:
    """``ended`` is the code of the error that ended it."""

    facts: Mapping[str, object]
    outputs: tuple[bytes, ...] = ()
    ticks: tuple[int, ...] = ()
    ended: str = ""


@dataclass
class _Notes:
    facts: dict[str, object] = field(default_factory=dict)
    outputs: list[bytes] = field(default_factory=list)
    ticks: list[int] = field(default_factory=list)


def observe(port: str, model: Model) -> Observation:
    """Asks whatever answers at the port; an error ends the asking and is taken down too. The
    board is restarted at the end: no count of runs is left behind."""
    notes = _Notes()
    try:
        with Device(port, hang_s=5.0, boot_s=5.0) as device:
            ended = _ended(device, model, notes)
            with suppress(HilError):
                device.reset()
    except HilError as error:
        ended = error.code
    return Observation(notes.facts, tuple(notes.outputs), tuple(notes.ticks), ended)


def _ended(device: Device, model: Model, notes: _Notes) -> str:
    try:
        _ask(device, model, notes)
    except HilError as error:
        return error.code
    except ValueError:
        return "other tensors"  # than the vectors have
    return ""


def _ask(device: Device, model: Model, notes: _Notes) -> None:
    info = asdict(device.info)
    notes.facts |= {name: value for name, value in info.items() if name not in _OWN}
    vectors = load_vectors(model)
    for fill in FILLS:
        notes.facts["loaded"] = device.load(model.card.arena_bytes or 0, fill)
        notes.facts["tensors"] = device.tensors()
        for vector in vectors:
            _infer(device, vector.inputs, notes)
    for _ in range(AGAIN):
        _infer(device, vectors[0].inputs, notes)


def _infer(device: Device, inputs: tuple[object, ...], notes: _Notes) -> None:
    inferred = device.infer(inputs)  # type: ignore[arg-type]
    notes.outputs.append(b"".join(each.tobytes() for each in inferred.outputs))
    notes.ticks.append(inferred.block.net)


def difference(honest: Observation, seen: Observation, *, ids: bool = False) -> str:
    """The first thing in which they differ, in words; "" for nothing. Two honest builds have two
    ids, so that an id counts only with ``ids``."""
    if honest.ended != seen.ended:
        return f"ends in {seen.ended or 'nothing'}"
    wrong = sum(a != b for a, b in zip(honest.outputs, seen.outputs, strict=False))
    if wrong:
        return f"{wrong} of {len(seen.outputs)} outputs"
    for name, value in seen.facts.items():
        if name == "build_id" and not ids:
            continue
        if value != honest.facts.get(name):
            return f"{name}: {_short(honest.facts.get(name))}, now {_short(value)}"
    if honest.ticks and seen.ticks:
        before, now = statistics.median(honest.ticks), statistics.median(seen.ticks)
        if abs(now - before) > before / 1000:
            return f"ticks: {before:.0f}, now {now:.0f}"
    return ""


def _short(value: object) -> str:
    if isinstance(value, m.Message | tuple):
        return str(value)[:60]
    return f"0x{value:08x}" if isinstance(value, int) and value > 0xFFFF else str(value)
