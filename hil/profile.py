"""Where the time of an inference goes, op by op. Pure: ticks and a model in, a value out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from hil.clock import TickUnit, Unit
from hil.macs import dtype, elements, macs, size
from hil.messages import Clock
from hil.model import Model
from hil.tensors import OpSpec


@dataclass(frozen=True)
class OpTime:
    """One op. ``ticks`` is the median over ``calls``; ``time`` the same in the profile's unit,
    ``share`` of the whole inference.

    ``macs_per_cycle`` is known where a tick is a cycle of the core (DWT), ``macs_per_instruction``
    where instructions are counted; both None for an op without MACs or ticks. ``dtype`` and
    ``size`` are what a forecast compares ops by (`hil.macs`).
    """

    op: int
    opcode: str
    calls: int
    ticks: float
    time: float
    share: float
    macs: int
    elements: int
    macs_per_cycle: float | None
    macs_per_instruction: float | None
    dtype: str = ""
    size: int = 0


@dataclass(frozen=True)
class Profile:
    """All ops of a model, in order.

    ``whole`` is the median time of an inference that nobody looks into; ``covered`` the share of
    it that the ops take, the rest is the interpreter's. ``empty_ticks`` is what the clock counts
    over nothing: it was taken off every op, and is the least that can be told.
    """

    unit: Unit
    clock: str
    whole: float
    empty_ticks: int
    ops: tuple[OpTime, ...]

    @property
    def covered(self) -> float:
        return sum(op.time for op in self.ops) / self.whole


def profile_of(
    model: Model,
    unit: TickUnit,
    clock: int,
    whole: Sequence[int],
    runs: Sequence[Sequence[int]],
    empty_ticks: int,
) -> Profile:
    """The profile of ``runs`` (ticks of every op, a run each) beside ``whole`` inferences, in
    ticks. ``clock`` is the device's (`Clock`)."""
    total = median(whole)
    ticks = [median(each) for each in zip(*runs, strict=True)]
    ops = tuple(
        _op_time(model, op, spent, spent / total, unit, clock, len(runs))
        for op, spent in zip(model.ops, ticks, strict=True)
    )
    return Profile(unit.unit, unit.clock, total * unit.factor, empty_ticks, ops)


def _op_time(
    model: Model, op: OpSpec, ticks: float, share: float, unit: TickUnit, clock: int, calls: int
) -> OpTime:
    time, work = ticks * unit.factor, macs(op, model.tensors)
    counted = work > 0 and ticks > 0
    return OpTime(
        op=op.index,
        opcode=op.opcode,
        calls=calls,
        ticks=ticks,
        time=time,
        share=share,
        macs=work,
        elements=elements(op, model.tensors),
        macs_per_cycle=work / ticks if counted and clock == Clock.DWT else None,
        macs_per_instruction=work / time if counted and clock == Clock.EMULATED else None,
        dtype=dtype(op, model.tensors),
        size=size(op, model.tensors),
    )


def profile_words(profile: Profile) -> str:
    """A table for the terminal, 72 columns wide."""
    per = "/cycle" if any(op.macs_per_cycle for op in profile.ops) else "/instr"
    rest = 1 - profile.covered
    return "\n".join(
        [
            _line("op", "", f"{profile.unit}", "share", "MACs", per),
            *(_op_line(op) for op in profile.ops),
            _line("", "interpreter", f"{profile.whole * rest:,.1f}", f"{rest:.1%}", "", ""),
            _line("", "whole, unwatched", f"{profile.whole:,.1f}", "", "", ""),
        ]
    )


def _op_line(op: OpTime) -> str:
    rate = op.macs_per_cycle or op.macs_per_instruction
    told = f"{rate:.3f}" if rate else "-"
    return _line(str(op.op), op.opcode, f"{op.time:,.1f}", f"{op.share:.1%}", f"{op.macs:,}", told)


def _line(op: str, name: str, time: str, share: str, work: str, rate: str) -> str:
    return f"{op:>3} {name[:24]:<24}{time:>16}{share:>8}{work:>12}{rate:>8}".rstrip()
