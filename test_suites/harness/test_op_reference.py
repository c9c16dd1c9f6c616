"""What the host's engines say of single ops."""

from __future__ import annotations

import dataclasses
from importlib import util
from pathlib import Path

import numpy as np
import pytest
import tflite

from hil.engines import Engine, EngineResult, run_engine
from hil.model import Model, Vector, load_model, load_vectors
from hil.op_reference import NoOpReference, op_reference

MODELS = Path(__file__).parents[2] / "models"
needs_tflm = pytest.mark.skipif(
    util.find_spec("tflite_micro") is None, reason="no tflite-micro wheel for this machine"
)
engines = pytest.mark.parametrize("engine", [pytest.param("tflm", marks=needs_tflm), "litert_ref"])


@pytest.fixture(scope="module")
def model() -> Model:
    return load_model(MODELS / "gesture")


@pytest.fixture(scope="module")
def vectors(model: Model) -> tuple[Vector, ...]:
    return load_vectors(model)[:2]


def answers(engine: Engine, model: Model, vectors: tuple[Vector, ...]) -> EngineResult:
    result = run_engine(engine, model, vectors)
    assert isinstance(result, EngineResult)
    return result


@engines
def test_every_output_of_every_op_is_there_as_the_file_has_it(
    engine: Engine, model: Model, vectors: tuple[Vector, ...]
) -> None:
    outputs = answers(engine, model, vectors).outputs[-1]
    found = op_reference(engine, model, vectors, outputs)
    assert set(found) == {tensor for op in model.ops for tensor in op.outputs}
    for tensor, array in found.items():
        assert (array.dtype.name, array.shape) == (
            model.tensors[tensor].dtype,
            model.tensors[tensor].shape,
        )
    np.testing.assert_array_equal(found[model.ops[-1].outputs[0]], outputs[0])


@engines
def test_it_is_the_last_vector_that_is_looked_into(
    engine: Engine, model: Model, vectors: tuple[Vector, ...]
) -> None:
    outputs = answers(engine, model, vectors).outputs
    both = op_reference(engine, model, vectors, outputs[1])
    alone = op_reference(engine, model, vectors[1:], outputs[1])
    first = op_reference(engine, model, vectors[:1], outputs[0])
    last = model.ops[0].outputs[0]
    np.testing.assert_array_equal(both[last], alone[last])
    assert (both[last] != first[last]).any()


def test_tensors_are_kept_only_if_they_are_asked_for(
    model: Model, vectors: tuple[Vector, ...]
) -> None:
    assert answers("litert_ref", model, vectors).tensors == {}


@engines
def test_an_answer_that_is_not_the_one_before_is_no_reference(
    engine: Engine, model: Model, vectors: tuple[Vector, ...]
) -> None:
    outputs = answers(engine, model, vectors[:1]).outputs[0]
    with pytest.raises(NoOpReference, match="answers differently"):
        op_reference(engine, model, vectors[:1], [outputs[0] ^ 1])


@engines
def test_a_model_that_the_engine_refuses_has_no_reference(
    engine: Engine, model: Model, vectors: tuple[Vector, ...]
) -> None:
    data = bytearray(model.data)
    code = tflite.Model.GetRootAs(model.data).OperatorCodes(0)
    for slot in (4, 10):
        offset = code._tab.Offset(slot)
        if offset:
            data[offset + code._tab.Pos] = tflite.BuiltinOperator.LSH_PROJECTION
    wild = dataclasses.replace(model, data=bytes(data))
    with pytest.raises(NoOpReference, match=f"{engine} gives no single ops"):
        op_reference(engine, wild, vectors, [np.zeros((1, 4), np.int8)])
