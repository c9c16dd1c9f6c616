"""The step `latency`: inferences on the device's own clock."""

from __future__ import annotations

import time
from collections.abc import Sequence

from hil.clock import Latency, summarise, tick_unit
from hil.device import Device
from hil.errors import BenchError
from hil.limits import latency_findings
from hil.report.parts import LatencyRecord
from hil.trial.base import Steps

WARM_UPS = 3
LEAST_RUNS = 5


class LatencySteps(Steps):
    """`latency`."""

    def latency(self) -> Latency:
        """Times inferences of the first vector, after warm-ups; the first one apart.

        Raises:
            ProductError: latency, if the median exceeds the limit of model.yaml.
            BenchError: clock if the device has none that can be trusted.
        """
        return self.once("latency", self._latency)

    def _latency(self) -> Latency:
        device = self.load()
        unit = tick_unit(device.info)
        with self.recorded("latency"):
            first, ticks = self._time()
            if unit is None or min(ticks) == 0:
                raise self._no_clock(device, ticks)
        latency = summarise(unit, first, ticks)
        self.record.note(latency=LatencyRecord.of(latency))
        self.raise_first(latency_findings(self.model.card, self.board.id, latency))
        return latency

    def _time(self) -> tuple[int, list[int]]:
        inputs = self.vectors()[0].inputs
        first = self.ask(inputs).ticks
        for _ in range(WARM_UPS):
            self.ask(inputs)
        until = time.monotonic() + self.settings.latency_s
        ticks: list[int] = []
        while len(ticks) < self.settings.runs:
            if len(ticks) >= LEAST_RUNS and time.monotonic() > until:
                break
            ticks.append(self.ask(inputs).ticks)
        return first, ticks

    def _no_clock(self, device: Device, ticks: Sequence[int]) -> BenchError:
        return BenchError(
            "clock",
            f"the device's clock (kind {device.info.clock}, {device.info.ticks_per_s:,} Hz) "
            f"read {min(ticks)} ticks over an inference: it is absent or stands still",
            board=self.board.id,
            model=self.model.name,
            hint="supply hil_platform_clock(), or leave latency out of the run",
            numbers={"clock": device.info.clock, "ticks": min(ticks)},
        )
