"""The names of the functions that an address lies in, from one DWARF compilation unit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

_SCOPES = ("DW_TAG_namespace", "DW_TAG_class_type", "DW_TAG_structure_type")


@dataclass(frozen=True)
class Names:
    """``innermost`` function, and the one that it was inlined into; "" if there is none."""

    innermost: str = ""
    outer: str = ""


def names_at(unit: Any, address: int) -> Names:
    """The functions of ``unit`` (a pyelftools compilation unit) around ``address``."""
    wanted = ("DW_TAG_subprogram", "DW_TAG_inlined_subroutine")
    around = [die for die in unit.iter_DIEs() if die.tag in wanted and _covers(die, address)]
    if not around:
        return Names()
    inner = _name(around[-1])  # DIEs come parents first: the last one is the innermost
    outer = _name(around[0]) if len(around) > 1 else ""
    return Names(inner or outer, outer if inner else "")


def _covers(die: Any, address: int) -> bool:
    if "DW_AT_ranges" in die.attributes:
        return any(start <= address < end for start, end in _ranges(die))
    low, high = die.attributes.get("DW_AT_low_pc"), die.attributes.get("DW_AT_high_pc")
    if low is None or high is None or not low.value:
        return False
    end = high.value if high.form == "DW_FORM_addr" else low.value + high.value
    return bool(low.value <= address < end)


def _ranges(die: Any) -> list[tuple[int, int]]:
    unit, dwarf = die.cu, die.dwarfinfo
    base = unit.get_top_DIE().attributes.get("DW_AT_low_pc")
    start = base.value if base else 0
    spans = []
    offset = die.attributes["DW_AT_ranges"].value
    for entry in dwarf.range_lists().get_range_list_at_offset(offset, unit):
        if hasattr(entry, "base_address"):
            start = entry.base_address
        else:
            shift = 0 if getattr(entry, "is_absolute", False) else start
            spans.append((entry.begin_offset + shift, entry.end_offset + shift))
    return [span for span in spans if span[0]]  # at 0: removed by the linker


def _name(die: Any) -> str:
    """The qualified name; a definition and an inlined copy point at what they are of."""
    for link in ("DW_AT_abstract_origin", "DW_AT_specification"):
        if link in die.attributes:
            return _name(die.get_DIE_from_attribute(link))
    parts = [_own_name(die)]
    parent = die.get_parent()
    while parent is not None and parent.tag in _SCOPES:
        parts.insert(0, _own_name(parent))
        parent = parent.get_parent()
    return "::".join(part for part in parts if part)


def _own_name(die: Any) -> str:
    attribute = die.attributes.get("DW_AT_name")
    return attribute.value.decode(errors="replace") if attribute else ""
