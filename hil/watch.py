"""Ops of a model looked at on the device, one by one: ticks, CRCs of outputs, outputs themselves.

Needs a watched load, whose registrations are wrapped; its runs are no inferences, and the device
refuses INVOKE and READ until the next plain load. An op's number is its place in the order of
running, which for a model of one subgraph is the order of the file.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

import tflite

from hil import messages as m
from hil.device import Device
from hil.errors import BenchError
from hil.outcome import CannotWatch, invoke_error
from hil.tensors import Array, OpSpec
from hil.wire import SEGMENT_LIMIT

__all__ = ["CannotWatch", "SeenOp", "Watch", "WatchedRun", "opcode_number", "whole_ops"]


@dataclass(frozen=True)
class SeenOp:
    """One op of a run. ``ticks`` of the device's clock, the clock's own cost taken off; ``crcs``
    of its outputs, all 0 if none were asked for."""

    ticks: int
    crcs: tuple[int, ...]


@dataclass(frozen=True)
class WatchedRun:
    """A run to the end: its ops, the CRC-32 of the model's outputs, one after the other, and
    what the clock counts over nothing."""

    ops: tuple[SeenOp, ...]
    output_crc: int
    empty_ticks: int


class Watch:
    """Runs of one input, each on a fresh watched load.

    Args:
        device: answers; what it had loaded is gone afterwards.
        ops: the model's, as its file has them.
        sequence: inputs to run; ops are looked at in the last one. More than one where the model
            keeps state that earlier vectors have to leave.
        arena_size, fill: as in `Device.load`.

    Every method may raise, beside what `Device` raises, CannotWatch: the firmware or the model
    does not allow it.
    """

    def __init__(
        self,
        device: Device,
        ops: Sequence[OpSpec],
        sequence: Sequence[Sequence[Array]],
        arena_size: int = 0,
        fill: int = 0,
    ) -> None:
        self._device, self._ops = device, ops
        self._sequence, self._load = sequence, (arena_size, fill, m.LOAD_WATCHED)

    def run(self) -> WatchedRun:
        """All ops and their CRCs, in as many runs as the device's table asks for."""
        return self._all_ops(self._fresh, crcs=True)

    def times(self, runs: int) -> list[WatchedRun]:
        """Ticks of all ops, ``runs`` times on one load, after one that does not count."""
        self._start()
        again = [self._all_ops(self._watch, crcs=False) for _ in range(runs + 1)]
        return again[1:]

    def output(self, op: int, index: int, size: int) -> bytes:
        """The ``size`` bytes of output ``index`` of op ``op``, as they are when it ends; the run
        stops there."""
        self._fresh(m.Watch(0, first=op, stop_after=op))
        seen = self._seen()
        data = self._tap(index, size)
        if len(seen) <= index or zlib.crc32(data) != seen[index].crc:
            raise self._device.names.bench("wire", f"output {index} of op {op} is not what it was")
        return data

    # -- one run

    def _start(self) -> None:
        self._device.load(*self._load)
        for inputs in self._sequence[:-1]:
            self._one(inputs, m.Watch(0))

    def _fresh(self, request: m.Watch) -> m.Watched:
        self._start()
        return self._watch(request)

    def _watch(self, request: m.Watch) -> m.Watched:
        return self._one(self._sequence[-1], request)

    def _one(self, inputs: Sequence[Array], request: m.Watch) -> m.Watched:
        device = self._device
        request = replace(request, input_crc=device.put(inputs))
        watched = device.line.work(request, m.Watched)
        if watched.status or watched.input_crc != request.input_crc:
            raise invoke_error(watched, request.input_crc, device.log, device.names)
        return watched

    # -- what it left

    def _all_ops(self, watch: Callable[[m.Watch], m.Watched], *, crcs: bool) -> WatchedRun:
        seen: list[SeenOp] = []
        while True:
            watched = watch(m.Watch(0, first=len(seen), crcs=int(crcs)))
            if watched.ops != len(self._ops):
                raise CannotWatch(
                    f"the device ran {watched.ops} ops, the model's first subgraph has "
                    f"{len(self._ops)}: which is which cannot be told"
                )
            fresh = whole_ops(self._seen(), self._ops[len(seen) :], watched.empty_ticks)
            seen += fresh
            if len(seen) == len(self._ops):
                return WatchedRun(tuple(seen), watched.output_crc, watched.empty_ticks)
            if not fresh:
                raise CannotWatch(f"the firmware's watch has no room for op {len(seen)}")

    def _seen(self) -> tuple[m.SeenOutput, ...]:
        reply = self._device.line.ask(m.AskOps(), m.Ops, reply_bytes=SEGMENT_LIMIT)
        if reply.status:
            raise self._refused("OPS", reply.status)
        return reply.seen

    def _tap(self, index: int, size: int) -> bytes:
        data = b""
        while len(data) < size:
            length = min(self._device.info.tx_max, size - len(data))
            request = m.Tap(index, len(data), length)
            part = self._device.line.ask(request, m.Tapped, reply_bytes=length + 32)
            if part.status:
                raise self._refused("TAP", part.status)
            if (part.total, part.offset, len(part.data)) != (size, len(data), length):
                raise self._device.names.bench("wire", f"TAP was not answered at {len(data)}")
            data += part.data
        return data

    def _refused(self, request: str, status: int) -> BenchError:
        return self._device.names.bench("wire", f"{request} was refused: {m.status_name(status)}")


def whole_ops(
    seen: Sequence[m.SeenOutput], ops: Sequence[OpSpec], empty_ticks: int
) -> list[SeenOp]:
    """The ops of which every output was kept, from the first of ``ops`` on.

    Raises:
        CannotWatch: an op that is not the model's.
    """
    found = []
    groups = [list(group) for _, group in groupby(seen, key=lambda each: each.op)]
    for op, outputs in zip(ops, groups, strict=False):
        number = opcode_number(op.opcode)
        if {(o.op, o.opcode) for o in outputs} != {(op.index, number)}:
            ran = f"op {outputs[0].op} of code {outputs[0].opcode}"
            raise CannotWatch(f"the device ran {ran}, the model has op {op.index} {op.opcode}")
        if len(outputs) < len(op.outputs):
            break
        ticks = max(0, outputs[0].ticks - empty_ticks)
        found.append(SeenOp(ticks, tuple(each.crc for each in outputs[: len(op.outputs)])))
    return found


def opcode_number(opcode: str) -> int:
    """The BuiltinOperator of an op's name in `OpSpec`."""
    if opcode.startswith("CUSTOM:"):
        return int(tflite.BuiltinOperator.CUSTOM)
    unnamed = opcode.removeprefix("BUILTIN_")
    return int(unnamed) if unnamed.isdigit() else int(getattr(tflite.BuiltinOperator, opcode))
