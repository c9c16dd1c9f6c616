"""The step `memory`: the smallest arena that works, searched on the device."""

from __future__ import annotations

from hil.arena import find_min_arena
from hil.limits import memory_findings
from hil.trial.base import Steps


class MemorySteps(Steps):
    """`memory`."""

    def memory(self) -> int:
        """The smallest arena that works, in bytes, searched on the device.

        Raises:
            ProductError: arena_overflow, if even the whole arena of the image is too small;
                arena_over_budget, flash_over_budget.
        """
        return self.once("memory", self._memory)

    def _memory(self) -> int:
        device = self.load()
        with self.recorded("memory"):
            needed = find_min_arena(device)
            self.unloaded()
            self.record.note_wire(overruns=device.stats().rx_overruns)
            self.record.note_memory(arena_needed=needed)
            if needed is None:
                cap = device.info.arena_cap
                raise self.arena_overflow(cap, None, cap)
        self.raise_first(memory_findings(self.model.card, needed, self.firmware().flash))
        return needed
