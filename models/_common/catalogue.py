"""Every reference model of the checkout, found by its train.py."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from pathlib import Path

from models._common.recipe import Recipe

ROOT = Path(__file__).resolve().parents[1]


def recipes(names: Sequence[str] = ()) -> tuple[Recipe, ...]:
    """The recipes of these models, or of all; those kept on purpose to fail come last.

    Raises:
        LookupError: a name that no folder has; says which there are.
    """
    found = {folder.name: folder for folder in _folders()}
    unknown = sorted(set(names) - set(found))
    if unknown:
        raise LookupError(f"no model {', '.join(unknown)}; there are {', '.join(found)}")
    return tuple(_recipe(found[name]) for name in (names or found))


def _folders() -> list[Path]:
    scripts = [*sorted(ROOT.glob("[!_]*/train.py")), *sorted(ROOT.glob("_negative/*/train.py"))]
    return [script.parent for script in scripts]


def _recipe(folder: Path) -> Recipe:
    path = ".".join((ROOT.name, *folder.relative_to(ROOT).parts, "train"))
    recipe = importlib.import_module(path).RECIPE
    if not isinstance(recipe, Recipe):
        raise TypeError(f"{path}.RECIPE is no Recipe")
    return recipe
