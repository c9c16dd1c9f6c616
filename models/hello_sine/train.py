"""sin(x) over one turn, int8: the smallest model of the bench."""

from pathlib import Path

from models._common import sine
from models._common.command import main
from models._common.recipe import Recipe

RECIPE = Recipe(
    folder=Path(__file__).parent,
    description="sin(x) for x in 0..2 pi, int8; exact sines of uniformly drawn angles",
    task="regression",
    metric="mae",
    network=sine.network,
    sample=sine.sample,
    probes=sine.probes,
    latency_ms={"nano33ble": 5},
    heldout_samples=500,
    epochs=300,
    batch=128,
    learning_rate=2e-2,
    train_seed=3,
)

if __name__ == "__main__":
    main(RECIPE)
