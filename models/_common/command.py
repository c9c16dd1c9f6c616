"""What every model's train.py can do: train anew, and convert the committed weights."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from models._common import cards
from models._common.convert import convert, train
from models._common.recipe import Recipe


def convert_committed(recipe: Recipe, folder: Path | None = None) -> bytes:
    """The .tflite bytes of the weights and the calibration set in a model's folder."""
    weights = cards.load_weights(recipe.file("weights.npz", folder))
    return convert(recipe, weights, cards.load_calibration(recipe.file("calibration.npz", folder)))


def train_anew(recipe: Recipe, folder: Path) -> float:
    """Train into ``folder``, write every file of the model there; returns its metric."""
    folder.mkdir(parents=True, exist_ok=True)
    data = recipe.data(recipe.train_seed, recipe.train_samples)
    normal = data.x if recipe.task != "anomaly" else data.x[data.y == 0]
    cards.save_weights(recipe.file("weights.npz", folder), train(recipe, data))
    calibration = normal[: recipe.calibration_samples].astype(np.float32)
    np.savez_compressed(recipe.file("calibration.npz", folder), calibration=calibration)
    return cards.write_folder(recipe, folder, convert_committed(recipe, folder))


def main(recipe: Recipe, arguments: Sequence[str] | None = None) -> None:
    """The command line of one model: ``python -m models.NAME.train --train | --convert OUT``."""
    parser = argparse.ArgumentParser(description=recipe.description)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--train", action="store_true", help="train anew and replace the folder")
    what.add_argument("--convert", type=Path, metavar="OUT", help="committed weights to OUT")
    options = parser.parse_args(arguments)
    if options.convert:
        options.convert.write_bytes(convert_committed(recipe))
    else:
        print(f"{recipe.name}: {recipe.metric} {train_anew(recipe, recipe.folder)}")
