"""A model that ends in GlobalAveragePooling2D, which converts to MEAN version 2: kept on purpose.

The TFLM of 2020 knows MEAN version 1 only; the harness has to say ``missing_op`` with the version.
"""

from pathlib import Path
from typing import Any

from models._common import stripes
from models._common.command import main
from models._common.recipe import Recipe


def network(keras: Any, batch: int | None) -> Any:
    """Two convolutions and a mean over the picture."""
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input(batch_shape=(batch, stripes.SIDE, stripes.SIDE, 1)),
            layers.Conv2D(8, 3, padding="same", activation="relu"),
            layers.Conv2D(8, 3, padding="same", activation="relu"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(len(stripes.LABELS)),
            layers.Softmax(),
        ]
    )


RECIPE = Recipe(
    folder=Path(__file__).parent,
    description="Direction of synthetic 8 x 8 stripes, int8, with MEAN version 2",
    task="classification",
    labels=stripes.LABELS,
    metric="top1",
    network=network,
    sample=stripes.sample,
    epochs=10,
)

if __name__ == "__main__":
    main(RECIPE)
