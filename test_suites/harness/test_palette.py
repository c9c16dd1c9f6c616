"""Colours of the report: legible, and all of them known here."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import product
from pathlib import Path

import pytest

from hil.report import html
from hil.report.charts import HUES
from hil.report.palette import DARK, GROUNDS, LIGHT, MARKS, TEXTS

STYLE = (Path(html.__file__).parent / "templates" / "style.css").read_text()


def luminance(colour: str) -> float:
    """Relative luminance, WCAG 2.2."""
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Contrast ratio, WCAG 2.2: 1 to 21."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def test_the_formula_gives_the_figures_of_the_standard() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
def test_text_is_legible_on_every_ground(colours: Mapping[str, str]) -> None:
    ratios = {(t, g): contrast(colours[t], colours[g]) for t, g in product(TEXTS, GROUNDS)}
    assert not {pair: round(ratio, 2) for pair, ratio in ratios.items() if ratio < 4.5}


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
def test_marks_stand_out_from_a_card(colours: Mapping[str, str]) -> None:
    ratios = {mark: contrast(colours[mark], colours["card"]) for mark in MARKS}
    assert not {mark: round(ratio, 2) for mark, ratio in ratios.items() if ratio < 3}


def test_the_style_sheet_uses_only_these_colours() -> None:
    used = set(re.findall(r"var\(--([\w-]+)\)", STYLE)) | {f"c{n}" for n in range(1, HUES + 1)}
    known = {*GROUNDS, *TEXTS, *MARKS, "line"}
    assert LIGHT.keys() == DARK.keys() == known
    assert used - {"c"} <= known
    assert not re.findall(r":\s*(#\w+|rgba?\(|hsla?\()", STYLE)
    grounds = re.findall(r"background:var\(--([\w-]+)\)", STYLE)
    assert set(grounds) <= set(GROUNDS)
    texts = re.findall(r"[;{]color:var\(--([\w-]+)\)", STYLE)
    assert set(texts) <= set(TEXTS)


def test_focus_can_be_seen() -> None:
    (rule,) = re.findall(r":focus-visible\{([^}]*)\}", STYLE)
    assert "outline:3px solid var(--link)" in rule
    assert "outline:none" not in STYLE
    assert "outline:0" not in STYLE
