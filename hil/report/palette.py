"""Colours of the page, once for light and once for dark; the style sheet knows only their names.

Text is legible at 4.5:1 on every ground that it can stand on, a mark at 3:1 on a card (WCAG 2.2,
1.4.3 and 1.4.11); a harness test computes both.
"""

from __future__ import annotations

from collections.abc import Mapping

GROUNDS = ("page", "card", "well", "pass-bg", "fail-bg", "fault-bg", "idle-bg")
"""What text stands on: the page, a card on it, quoted text, and the four verdicts."""

TEXTS = ("text", "muted", "link", "pass", "fail", "fault", "idle")
"""Colours of text. Each can stand on each ground."""

MARKS = ("mark", *(f"c{n}" for n in range(1, 11)))
"""Bars, curves and the parts of a memory map; on a card."""

LIGHT: Mapping[str, str] = {
    "page": "#f5f6f8",
    "card": "#ffffff",
    "well": "#eef1f4",
    "line": "#d5dae0",
    "text": "#1a1f26",
    "muted": "#4f5964",
    "link": "#0a4fa8",
    "pass": "#0f5c28",
    "fail": "#a00d22",
    "fault": "#754600",
    "idle": "#4f5964",
    "pass-bg": "#e3f6e8",
    "fail-bg": "#fde8e7",
    "fault-bg": "#fdf3d1",
    "idle-bg": "#eaedf1",
    "mark": "#2470c8",
    "c1": "#2470c8",
    "c2": "#b4560f",
    "c3": "#2c8055",
    "c4": "#8b4fc2",
    "c5": "#b83a68",
    "c6": "#8a6d00",
    "c7": "#6b7785",
    "c8": "#0e7c86",
    "c9": "#5a5fd0",
    "c10": "#98620a",
}

DARK: Mapping[str, str] = {
    "page": "#0e1217",
    "card": "#161c23",
    "well": "#0f1419",
    "line": "#323b45",
    "text": "#e5eaf0",
    "muted": "#a5b0bc",
    "link": "#84bdff",
    "pass": "#79dd9b",
    "fail": "#ffa49c",
    "fault": "#f0c85f",
    "idle": "#a5b0bc",
    "pass-bg": "#12291c",
    "fail-bg": "#3a1618",
    "fault-bg": "#302508",
    "idle-bg": "#232b34",
    "mark": "#5ba3f0",
    "c1": "#5ba3f0",
    "c2": "#ef9a57",
    "c3": "#5fc48f",
    "c4": "#bd8df0",
    "c5": "#f083a8",
    "c6": "#d0b84a",
    "c7": "#94a0ad",
    "c8": "#58c4cf",
    "c9": "#9da2ff",
    "c10": "#d8a55c",
}


def variables(colours: Mapping[str, str]) -> str:
    """The colours as declarations of CSS custom properties."""
    return "".join(f"--{name}:{colour};" for name, colour in colours.items())
