"""What a device says of its arena and tensors, against what was asked and the model's file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hil import messages as m
from hil.described import arena_problem, tensor_problem
from hil.model import Model, load_model
from hil.tensors import TensorSpec

ROOT = Path(__file__).resolve().parents[2]
LOADED = m.Loaded(0, 0x20000000, 4096, 2000, 1, 1)
CAP = 65536


@pytest.fixture(scope="module")
def model() -> Model:
    return load_model(ROOT / "models" / "hello_sine")


def told(spec: TensorSpec) -> m.Tensor:
    """A tensor as an honest device describes it."""
    scales = tuple(float(np.float32(scale)) for scale in spec.scales)
    return m.Tensor(0, spec.dtype, spec.nbytes, spec.shape, 0, scales, spec.zero_points)


@pytest.mark.parametrize("asked", [4096, 0])
def test_an_arena_as_asked_is_no_problem(asked: int) -> None:
    loaded = replace(LOADED, arena_size=asked or CAP)
    assert arena_problem(loaded, asked, CAP) == ""


@pytest.mark.parametrize(
    ("loaded", "asked", "words"),
    [
        (LOADED, 2048, "was to take 2,048 bytes of arena and took 4,096"),
        (LOADED, 0, "was to take 65,536"),
        (replace(LOADED, arena_used=4097), 4096, "uses 4,097 bytes of an arena of 4,096"),
    ],
)
def test_another_arena_is_told(loaded: m.Loaded, asked: int, words: str) -> None:
    assert words in arena_problem(loaded, asked, CAP)


@pytest.mark.parametrize(
    "name", ["hello_sine", "hello_sine_float", "gesture", "air_quality_anomaly"]
)
def test_the_models_own_tensors_are_no_problem(name: str) -> None:
    model = load_model(ROOT / "models" / name)
    assert tensor_problem(model, [*map(told, model.inputs)], [*map(told, model.outputs)]) == ""


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"dtype": "uint8"}, r"output 0 is uint8[1, 1], the model's int8[1, 1]"),
        ({"shape": (1,)}, "output 0 is int8[1]"),
        ({"zero_points": (2,)}, "zero point 2, the model's 0.00780291017 and 1"),
        ({"scales": (0.0078029110,)}, "has scale 0.007802911"),
        ({"scales": (0.1, 0.2), "zero_points": (0, 0)}, "0.1, 0.2"),
    ],
)
def test_another_tensor_is_told(model: Model, change: dict[str, object], words: str) -> None:
    inputs = [told(spec) for spec in model.inputs]
    outputs = [replace(told(model.outputs[0]), **change)]  # type: ignore[arg-type]
    assert words in tensor_problem(model, inputs, outputs)


def test_a_tensor_too_many_is_told(model: Model) -> None:
    (one,) = [told(spec) for spec in model.inputs]
    assert "2 inputs, the model 1" in tensor_problem(model, [one, one], [])


def test_scales_that_tflm_makes_nothing_of_are_not_asked_for(model: Model) -> None:
    bare = replace(told(model.outputs[0]), scales=(), zero_points=())
    assert tensor_problem(model, [told(model.inputs[0])], [bare]) == ""
