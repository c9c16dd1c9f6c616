"""A residual block whose ADD reads operands with zero point -128: kept on purpose.

Both operands come out of a ReLU, so their zero point is -128. The int8 ADD of the TFLM of 2020
checks its input offset against int8's own range and aborts unless NDEBUG is defined; the harness
has to report a ``crash`` with the caller's address.
"""

from pathlib import Path
from typing import Any

from models._common import stripes
from models._common.command import main
from models._common.recipe import Recipe


def network(keras: Any, batch: int | None) -> Any:
    """conv - (conv + skip) - pool - dense."""
    layers = keras.layers
    picture = keras.Input(batch_shape=(batch, stripes.SIDE, stripes.SIDE, 1))
    skip = layers.Conv2D(4, 3, padding="same", activation="relu")(picture)
    branch = layers.Conv2D(4, 3, padding="same", activation="relu")(skip)
    joined = layers.Add()([skip, branch])
    pooled = layers.Flatten()(layers.AveragePooling2D(4)(joined))
    scores = layers.Softmax()(layers.Dense(len(stripes.LABELS))(pooled))
    return keras.Model(picture, scores)


RECIPE = Recipe(
    folder=Path(__file__).parent,
    description="Direction of synthetic 8 x 8 stripes, int8, with an ADD of two ReLU outputs",
    task="classification",
    labels=stripes.LABELS,
    metric="top1",
    network=network,
    sample=stripes.sample,
    epochs=15,
)

if __name__ == "__main__":
    main(RECIPE)
