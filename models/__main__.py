"""``python -m models convert|train|describe [NAME ...]``: all reference models by default.

convert   converts the committed weights again and compares the bytes; exit 1 if any differ
train     trains anew in a scratch folder and compares structure and metric; exit 1 if they differ
describe  prints size, multiply-accumulates, metric and operators of the committed files
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import yaml

from models._common.catalogue import recipes
from models._common.command import convert_committed, train_anew
from models._common.recipe import Recipe
from models._common.structure import macs, structure

METRIC_SLACK = 0.03
"""How much worse a model trained anew may be: weights are not byte-stable across CPUs."""


def stated(recipe: Recipe) -> float:
    """The figure on the committed card."""
    card = yaml.safe_load(recipe.file("model.yaml").read_text(encoding="utf-8"))
    return float(card["metric"]["value"])


def check_conversion(recipe: Recipe) -> list[str]:
    """Problems: empty if the committed weights still give the committed bytes."""
    fresh, committed = convert_committed(recipe), recipe.file("model.tflite").read_bytes()
    if fresh == committed:
        return []
    return [f"the conversion gives {len(fresh)} other bytes than the {len(committed)} committed"]


def check_training(recipe: Recipe, folder: Path) -> list[str]:
    """Train into ``folder``; problems are another structure or a worse metric."""
    value, committed = train_anew(recipe, folder), stated(recipe)
    worse = value - committed if recipe.metric == "mae" else committed - value
    print(f"  {recipe.metric} {value} anew, {committed} committed")
    problems = []
    if worse > METRIC_SLACK:
        problems.append(f"{recipe.metric} is worse by {worse:.4f}, more than {METRIC_SLACK}")
    fresh = structure(recipe.file("model.tflite", folder).read_bytes())
    if fresh != structure(recipe.file("model.tflite").read_bytes()):
        problems.append("the structure differs:\n    " + "\n    ".join(fresh))
    return problems


def describe(recipe: Recipe) -> list[str]:
    """Print one model; never a problem."""
    data = recipe.file("model.tflite").read_bytes()
    print(f"  {len(data):,} bytes, {macs(data):,} MACs, {recipe.metric} {stated(recipe)}")
    print("".join(f"    {line}\n" for line in structure(data)), end="")
    return []


def train(recipe: Recipe, *, write: bool) -> list[str]:
    """Train one model, in place or in a folder that is thrown away."""
    if write:
        print(f"  {recipe.metric} {train_anew(recipe, recipe.folder)} written")
        return []
    with tempfile.TemporaryDirectory() as scratch:
        return check_training(recipe, Path(scratch) / recipe.name)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m models", description="reference models")
    what = parser.add_subparsers(dest="what", required=True)
    for name, text in (
        ("convert", "convert the committed weights again and compare the bytes"),
        ("train", "train anew in a scratch folder and compare"),
        ("describe", "print what the committed models are"),
    ):
        command = what.add_parser(name, help=text)
        command.add_argument("names", nargs="*", metavar="NAME", help="default: all")
        if name == "train":
            command.add_argument("--write", action="store_true", help="replace the committed files")
    return parser.parse_args()


def main() -> int:
    """Run the command line; 1 if any model has a problem, 2 for a name that is unknown."""
    options = _arguments()
    actions = {
        "convert": check_conversion,
        "train": lambda recipe: train(recipe, write=options.write),
        "describe": describe,
    }
    try:
        chosen = recipes(options.names)
    except LookupError as error:
        print(error.args[0], file=sys.stderr)
        return 2
    failed = 0
    for recipe in chosen:
        print(recipe.name, flush=True)
        problems = actions[options.what](recipe)
        failed += bool(problems)
        print("".join(f"  PROBLEM: {problem}\n" for problem in problems) or "  ok", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
