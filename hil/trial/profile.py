"""The step `profile`: the time of every op, beside that of an inference that is not watched."""

from __future__ import annotations

from hil.clock import tick_unit
from hil.profile import Profile, profile_of
from hil.report.op_parts import OpTimeRecord, ProfileRecord
from hil.trial.diverging import DivergingSteps
from hil.trial.latency import LatencySteps

RUNS = 5
"""Of each kind, after one that does not count."""


class ProfileSteps(DivergingSteps, LatencySteps):
    """`profile`."""

    def profile(self) -> Profile:
        """Times every op on the first vector, and inferences of a plain load.

        Raises:
            CannotWatch: the firmware has no watch. BenchError: clock if the device has none that
            can be trusted.
        """
        return self.once("profile", self._profile)

    def _profile(self) -> Profile:
        device = self.load()
        unit = tick_unit(device.info)
        inputs = self.vectors()[0].inputs
        with self.recorded("profile"):
            self.ask(inputs)
            whole = [self.ask(inputs).block.net for _ in range(RUNS)]
            if unit is None:
                raise self._clock("it has no frequency", device.info)
            if min(whole) == 0:
                raise self._clock("it stood still over an inference", device.info, ticks=0)
            runs = self.watch(0).times(RUNS)
        ticks = [[op.ticks for op in run.ops] for run in runs]
        empty = max(run.empty_ticks for run in runs)
        found = profile_of(self.model, unit, device.info.clock, whole, ticks, empty)
        self.record.note(
            profile=[OpTimeRecord.of(op) for op in found.ops], profiled=ProfileRecord.of(found)
        )
        return found
