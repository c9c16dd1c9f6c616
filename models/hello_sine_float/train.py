"""sin(x) over one turn, float32: the model of the tutorial's first sketch."""

from dataclasses import replace
from pathlib import Path

from models._common.command import main
from models.hello_sine.train import RECIPE as INT8

RECIPE = replace(
    INT8,
    folder=Path(__file__).parent,
    description="sin(x) for x in 0..2 pi, float32; exact sines of uniformly drawn angles",
    float32=True,
    epochs=400,
    learning_rate=1e-2,
    train_seed=2,
)

if __name__ == "__main__":
    main(RECIPE)
