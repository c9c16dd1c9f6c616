"""The step `latency`: inferences on the device's own clock."""

from __future__ import annotations

from hil.clock import Block, Latency, summarise, tick_unit
from hil.clock_check import ClockCheck
from hil.device import Device
from hil.errors import BenchError
from hil.limits import latency_findings
from hil.messages import Clock, Info
from hil.report.parts import LatencyRecord
from hil.timing import StoodStill, Timed, measure
from hil.trial.base import Steps

_PINGS = 5
_HINT = (
    "look at hil_platform_clock(), hil_platform_ticks() and hil_platform_second_ns() of the core"
)


class LatencySteps(Steps):
    """`latency`."""

    def latency(self) -> Latency:
        """Times inferences of the first vector, after warm-ups; the first one apart.

        Raises:
            ProductError: latency, if the median exceeds the limit of model.yaml.
            BenchError: clock, if the device has none that can be believed (`hil.clock_check`).
        """
        return self.once("latency", self._latency)

    def _latency(self) -> Latency:
        device = self._with_room()
        with self.recorded("latency"):
            unit = tick_unit(device.info)
            if unit is None:
                raise self._clock("it has no frequency", device.info)
            timed = self._timed(device)
            if (wrong := timed.wrong) is not None:
                raise self._clock(str(wrong), device.info, **wrong.numbers())
        latency = summarise(unit, timed.first, timed.blocks)
        off = {each.against: each.off for each in timed.deviations}
        self.record.note(latency=LatencyRecord.of(latency, off))
        self.raise_first(latency_findings(self.model.card, self.board.id, latency))
        return latency

    def _timed(self, device: Device) -> Timed:
        inputs = self.vectors()[0].inputs
        check = ClockCheck.of(device.info, min(device.ping() for _ in range(_PINGS)))

        def ask(invokes: int) -> Block:
            return self.ask(inputs, invokes).block

        try:
            return measure(ask, check, self.settings.runs, self.settings.latency_s)
        except StoodStill as error:
            block = error.block
            text = f"it stood still for {block.host_s:.3g} s, over {block.invokes:,} inferences"
            raise self._clock(text, device.info, ticks=0, host_s=block.host_s) from error

    def _with_room(self) -> Device:
        """The device, loaded so that a copy of the inputs has room behind the arena."""
        device = self.load()
        spare = sum(each.nbytes for each in device.inputs)
        if not self.given_arena and device.loaded and device.loaded.arena_size == _cap(device):
            size = (_cap(device) - spare) // 16 * 16
            if size < device.loaded.arena_used or device.try_load(size).status:
                return self.load()  # it takes all there is: one inference at a time
            device.load(size)
        return device

    def _clock(self, what: str, info: Info, **numbers: object) -> BenchError:
        kind = Clock(info.clock).name.lower() if info.clock in list(Clock) else str(info.clock)
        return BenchError(
            "clock",
            f"the device's clock ({kind}, {info.ticks_per_s:,} Hz) cannot be believed: {what}",
            board=self.board.id,
            model=self.model.name,
            hint=_HINT,
            numbers={"clock": info.clock, "ticks_per_s": info.ticks_per_s, **numbers},
        )


def _cap(device: Device) -> int:
    return device.info.arena_cap
