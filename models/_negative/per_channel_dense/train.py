"""sin(x) with dense layers quantised per channel, the converter's default: kept on purpose.

A TFLM before September 2024 reads one scale for all channels and says nothing; the harness has
to refuse the pair with ``unsupported_quantisation`` before anything is built.
"""

from dataclasses import replace
from pathlib import Path

from models._common.command import main
from models.hello_sine.train import RECIPE as PER_TENSOR

RECIPE = replace(
    PER_TENSOR,
    folder=Path(__file__).parent,
    description="sin(x), int8, dense layers per channel: older TFLM computes it wrongly",
    per_channel_dense=True,
    latency_ms={},
)

if __name__ == "__main__":
    main(RECIPE)
