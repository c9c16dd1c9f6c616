"""What must hold of figures: limits of model.yaml, alignment. Pure: figures in, findings out."""

from __future__ import annotations

from hil.card import ModelCard
from hil.clock import Latency
from hil.errors import Finding

ALIGNMENT = 16
"""Bytes: what TFLM aligns tensors to, and what the flatbuffer schema aligns buffers to
(``force_align: 16`` of Buffer.data)."""


def latency_findings(card: ModelCard, board: str, latency: Latency) -> list[Finding]:
    """The median against the limit of this board, in the clock's own unit.

    A limit in milliseconds judges physical clocks only, one in instructions emulated ones only:
    an instruction count says nothing of a board's time.
    """
    if latency.unit == "us":
        limit, median, unit = card.latency.max_ms.get(board), latency.median / 1000, "ms"
    else:
        limit, median = card.latency.max_instructions.get(board), latency.median
        unit = "instructions"
    if limit is None or median <= limit:
        return []
    return [
        Finding(
            "latency",
            f"an inference takes {median:,.6g} {unit} ({latency.clock}; median of {latency.n}), "
            f"model.yaml allows {limit:,.6g} on {board}",
            "latency",
            {"median": median, "limit": limit, "unit": unit},
        )
    ]


def memory_findings(card: ModelCard, arena: int, flash: int) -> list[Finding]:
    """Bytes of arena (the smallest that works) and of flash (the whole image) against budgets."""
    budgets = card.budgets
    judged = (
        ("arena_over_budget", "arena", arena, budgets.arena_bytes),
        ("flash_over_budget", "flash", flash, budgets.flash_bytes),
    )
    return [
        Finding(
            code,
            f"{used:,} bytes of {what} are needed, the budget in model.yaml is {budget:,}: "
            f"{used - budget:,} too many",
            "memory",
            {"used": used, "budget": budget},
        )
        for code, what, used, budget in judged
        if budget is not None and used > budget
    ]


def misaligned(what: str, address: int) -> Finding:
    """The finding of a model or arena that does not lie on a multiple of `ALIGNMENT`."""
    return Finding(
        f"{what}_misaligned",
        f"the {what} lies at 0x{address:08x}, {address % ALIGNMENT} bytes past a multiple of "
        f"{ALIGNMENT}",
        numbers={"address": address, "alignment": ALIGNMENT},
    )
