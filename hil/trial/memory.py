"""The step `memory`: stack and heap of real inferences, then the smallest arena that works."""

from __future__ import annotations

from hil.arena import find_min_arena, same_answer
from hil.arena_plan import split
from hil.errors import BenchError
from hil.forecast import Forecast, arena_forecast
from hil.host_arena import planned_on_host
from hil.limits import memory_findings
from hil.outcome import ArenaFixed
from hil.payload import UNKNOWN
from hil.repetition import FILLS
from hil.tflm import resolve_tflm
from hil.trial.base import Steps


class MemorySteps(Steps):
    """`memory`."""

    def memory(self) -> int:
        """The smallest arena that works, in bytes, searched on the device; of firmware with an
        interpreter of its own, whose need cannot be searched, the arena that it has.

        Raises:
            ProductError: arena_overflow, if even the whole arena of the image is too small;
                nondeterministic, if the model answers otherwise there than in all of it;
                arena_over_budget, flash_over_budget, stack_over_budget.
            BenchError: stack_unknown, if model.yaml limits a stack that the board cannot tell.
        """
        return self.once("memory", self._memory)

    def _memory(self) -> int:
        self._measure_stack()
        needed = self._search_arena()
        seen = self.record.memory
        used = {"arena": needed, "flash": self.firmware().flash, "stack": seen.stack_used}
        self.raise_first(memory_findings(self.model.card, self.board.id, used, seen.stack_size))
        with self.recorded("memory"):
            self._check_stack_is_known()
        return needed if needed is not None else self.record.memory.arena_given or 0

    def _measure_stack(self) -> None:
        """Every vector once, the mark set anew before: a search for the arena leaves loads behind
        that failed, and their error messages take more stack than the model does."""
        with self.recorded("memory"):
            self.device().stats(repaint=True)
        self.answers(self.vectors(), FILLS[0], "memory")
        with self.recorded("memory"):
            stats = self.device().stats()
        known = {
            name: None if value == UNKNOWN else value
            for name, value in vars(stats).items()
            if name.startswith(("stack", "heap"))
        }
        self.record.note_memory(**known)

    def _search_arena(self) -> int | None:
        """None: the firmware's arena is fixed."""
        device = self.load()
        self.unloaded()
        with self.recorded("memory"):
            try:
                needed = find_min_arena(device)
            except ArenaFixed:
                return None
            self.record.note_wire(overruns=device.stats().rx_overruns)
            self.record.note_memory(arena_needed=needed, arena_forecast=self._forecast())
            used = self.record.memory.arena_used or 0
            self.record.note_memory(arena_parts_forecast=split(self.model, used))
            if needed is None:
                cap = device.info.arena_cap
                raise self.arena_overflow(cap, None, cap)
            other = same_answer(device, needed)
        self.raise_first([other] if other else [])
        return needed

    def _check_stack_is_known(self) -> None:
        budget = self.model.card.budgets.on(self.board.id)["stack"]
        if budget is None or self.record.memory.stack_used is not None:
            return
        raise BenchError(
            "stack_unknown",
            f"model.yaml allows {budget:,} bytes of stack, and the firmware cannot tell how much "
            "was used",
            board=self.board.id,
            model=self.model.name,
            hint="define hil_platform_stack() for this core (hil_platform.h), or name the boards "
            "that stack_bytes is for",
            numbers={"budget": budget},
        )

    def _forecast(self) -> int | None:
        """What `hil check` says of the arena, in bytes; None where it has no forecast."""
        tflm = resolve_tflm(self.board.tflm)
        seen = arena_forecast(self.model, tflm, lambda: planned_on_host(self.model))
        return seen.value if isinstance(seen, Forecast) else None
