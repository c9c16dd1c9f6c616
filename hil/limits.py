"""What must hold of figures: limits of model.yaml, alignment. Pure: figures in, findings out."""

from __future__ import annotations

from collections.abc import Mapping

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


def memory_findings(
    card: ModelCard, board: str, used: Mapping[str, int | None], stack_size: int | None
) -> list[Finding]:
    """Bytes of ``arena`` (the smallest that works), ``flash`` (the whole image) and ``stack`` (the
    most that was seen) against the budgets of this board. None is not known, and not judged.

    A stack that was used to its last byte is over any budget: it may have gone on beyond it.
    """
    budgets = card.budgets.on(board)
    findings = [
        Finding(
            f"{what}_over_budget",
            f"{needed:,} bytes of {what} are needed, the budget in model.yaml is {budget:,} on "
            f"{board}: {needed - budget:,} too many",
            "memory",
            {"used": needed, "budget": budget},
        )
        for what, needed in used.items()
        if needed is not None and (budget := budgets[what]) is not None and needed > budget
    ]
    stack = used.get("stack")
    if stack is not None and stack_size is not None and stack >= stack_size:
        findings.append(
            Finding(
                "stack_over_budget",
                f"all {stack_size:,} bytes of the stack of {board} were used: it may have "
                "overflowed into what lies below",
                "memory",
                {"used": stack, "budget": stack_size},
            )
        )
    return findings


def misaligned(what: str, address: int) -> Finding:
    """The finding of a model or arena that does not lie on a multiple of `ALIGNMENT`."""
    return Finding(
        f"{what}_misaligned",
        f"the {what} lies at 0x{address:08x}, {address % ALIGNMENT} bytes past a multiple of "
        f"{ALIGNMENT}",
        numbers={"address": address, "alignment": ALIGNMENT},
    )
