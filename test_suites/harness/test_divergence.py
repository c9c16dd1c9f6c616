"""Which op is to blame: graphs of made-up numbers, broken in one place."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.divergence import COMPUTED, GROWTH, SMALLEST, Divergence, deviation, first_divergence
from hil.model import Model, load_model
from hil.report.op_parts import DivergenceRecord
from hil.tensors import Array, OpSpec, TensorSpec

BASE = load_model(Path(__file__).parents[2] / "models" / "hello_sine")


@dataclass
class Graph:
    """Ops in a chain, or as ``inputs`` say; tensor n + 1 is the output of op n, tensor 0 the
    model's input. ``got`` are the device's outputs, the host's where it names none."""

    dtype: str = "int8"
    opcodes: tuple[str, ...] = ("CONV_2D",) * 6
    inputs: dict[int, tuple[int, ...]] = field(default_factory=dict)
    host: dict[int, Array] = field(default_factory=dict)
    got: dict[int, Array] = field(default_factory=dict)
    dtypes: dict[int, str] = field(default_factory=dict)
    fetched: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        for index in range(len(self.opcodes)):
            values = np.arange(1, 13).reshape(1, 3, 4)
            self.host.setdefault(index + 1, values.astype(self.type_of(index + 1)))

    def type_of(self, tensor: int) -> str:
        return self.dtypes.get(tensor, self.dtype)

    @property
    def model(self) -> Model:
        ops = tuple(
            OpSpec(i, code, 1, self.inputs.get(i, (i,)), (i + 1,))
            for i, code in enumerate(self.opcodes)
        )
        specs = tuple(TensorSpec(f"t{i}", (1, 3, 4), self.type_of(i)) for i in range(len(ops) + 1))
        return replace(BASE, ops=ops, tensors=specs)

    def fetch(self, op: int, output: int) -> Array:
        assert output == 0
        assert op not in self.fetched, "asked for twice"
        self.fetched.append(op)
        return self.got[op + 1]

    def off(self, tensor: int, by: float, at: int = 5) -> None:
        """Makes one element of the device's tensor differ by a share of the range."""
        array = self.host[tensor].copy()
        scale = float(np.abs(array).max()) if array.dtype.kind == "f" else 1.0
        array.ravel()[at] += np.asarray(by * scale).astype(array.dtype)
        self.got[tensor] = array

    def search(self) -> Divergence:
        equal = [
            [op.outputs[0] not in self.got or self.same(op.outputs[0])] for op in self.model.ops
        ]
        return first_divergence(self.model, "v", self.host, equal, self.fetch)

    def same(self, tensor: int) -> bool:
        return self.host[tensor].tobytes() == self.got[tensor].tobytes()


@given(st.integers(0, 5), st.integers(1, 100), st.sampled_from(["int8", "uint8", "int32"]))
def test_of_integers_the_first_that_differs_is_to_blame(first: int, by: int, dtype: str) -> None:
    graph = Graph(dtype)
    for op in range(first, 6):
        graph.off(op + 1, by)
    found = graph.search()
    assert (found.op, found.opcode, found.tensor) == (first, "CONV_2D", first + 1)
    assert found.parity is not None
    assert (found.parity.mismatches, found.parity.max_lsb) == (1, by)
    assert found.parity.worst[0].index == (0, 1, 1)
    assert "bit for bit" in found.reason


def test_a_difference_that_later_ops_hide_is_found_all_the_same() -> None:
    graph = Graph()
    graph.off(2, 3)
    graph.off(3, 1)
    assert graph.search().op == 1


def test_what_agrees_is_never_fetched_and_the_rest_by_halves() -> None:
    graph = Graph("float32", ("FULLY_CONNECTED",) * 64)
    for tensor in range(11, 65):
        graph.off(tensor, 1e-3)
    assert graph.search().op == 10
    assert min(graph.fetched) == 10
    assert len(graph.fetched) <= 8


@given(st.integers(0, 5), st.floats(2e-5, 1e3))
def test_a_float_op_beyond_its_limit_is_to_blame(first: int, by: float) -> None:
    graph = Graph("float32")
    for op in range(6):
        graph.off(op + 1, by if op >= first else 1e-7)
    assert graph.search().op == first


@given(st.lists(st.floats(0, 0.9e-5), min_size=6, max_size=6))
def test_rounding_of_floats_blames_nobody(shares: list[float]) -> None:
    graph = Graph("float32")
    for op, share in enumerate(shares):
        graph.off(op + 1, share)
    found = graph.search()
    assert found.op is None
    assert found.reason


def test_rounding_that_grows_over_many_ops_blames_nobody() -> None:
    graph = Graph("float32", ("FULLY_CONNECTED",) * 40)
    for op in range(40):
        graph.off(op + 1, 1e-7 * 1.2**op)
    worst = 1e-7 * 1.2**39
    assert worst > COMPUTED
    found = graph.search()
    assert found.op is None
    assert "none beyond its limit" in found.reason


def test_a_jump_in_what_had_been_rounding_is_to_blame() -> None:
    graph = Graph("float32")
    for op, share in enumerate((1e-7, 2e-7, 5e-5, 5e-5, 5e-5, 6e-5)):
        graph.off(op + 1, share)
    assert graph.search().op == 2


def test_another_branch_does_not_mislead() -> None:
    # op 1 is wrong and only op 5 takes it; ops 2 to 4 are another branch.
    graph = Graph("float32", inputs={2: (0,), 3: (3,), 4: (4,), 5: (5, 2)})
    graph.off(2, 1e-2)
    graph.off(6, 1e-2)
    for tensor in (3, 4, 5):
        graph.off(tensor, 1e-7)
    assert graph.search().op == 1


def test_sixteen_bits_may_be_one_step_off() -> None:
    graph = Graph("int16")
    graph.off(3, 1)
    assert graph.search().op is None
    graph = Graph("int16")
    graph.off(3, 2)
    assert graph.search().op == 2


def test_an_edge_of_rounding_after_floats_blames_nobody() -> None:
    graph = Graph("int8", ("FULLY_CONNECTED", "QUANTIZE", "CONV_2D"), dtypes={1: "float32"})
    graph.off(1, 1e-7)
    graph.off(2, 1)
    graph.off(3, 4)
    assert graph.search().op is None
    graph = Graph("int8", ("FULLY_CONNECTED", "QUANTIZE", "CONV_2D"), dtypes={1: "float32"})
    graph.off(1, 1e-7)
    graph.off(2, 2)
    assert graph.search().op == 1


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_value_that_is_not_finite_is_to_blame(value: float) -> None:
    graph = Graph("float32")
    for op in range(6):
        graph.off(op + 1, 1e-7)
        if op >= 3:
            graph.got[op + 1].ravel()[0] = value
    found = graph.search()
    assert found.op == 3
    DivergenceRecord.of(found).model_dump_json()


def test_nothing_differs_while_watched() -> None:
    found = Graph().search()
    assert found.op is None
    assert "only where no op is watched" in found.reason
    assert found.text.startswith("no op is named")


def test_what_differed_once_and_not_again_is_said() -> None:
    graph = Graph()
    graph.got[3] = graph.host[3].copy()
    equal = [[True], [True], [False], [True], [True], [True]]
    found = first_divergence(graph.model, "v", graph.host, equal, graph.fetch)
    assert found.op is None
    assert "not in the next" in found.reason


def test_the_worst_output_of_several_is_shown() -> None:
    graph = Graph()
    ops = (replace(graph.model.ops[0], outputs=(1, 2)), *graph.model.ops[2:])
    ops = tuple(replace(op, index=i) for i, op in enumerate(ops))
    model = replace(graph.model, ops=ops)
    graph.off(1, 1)
    graph.off(2, 7)
    got: dict[tuple[int, int], Array] = {(0, 0): graph.got[1], (0, 1): graph.got[2]}
    equal = [[False, False], *([[True]] * 4)]
    found = first_divergence(model, "v", graph.host, equal, lambda op, n: got[op, n])
    assert (found.op, found.output, found.tensor) == (0, 1, 2)


def test_the_record_has_place_and_elements() -> None:
    graph = Graph()
    graph.off(4, 9)
    record = DivergenceRecord.of(graph.search())
    assert (record.op, record.opcode, record.tensor, record.name) == (3, "CONV_2D", 4, "t4")
    assert (record.dtype, record.shape, record.mismatches) == ("int8", [1, 3, 4], 1)
    worst = record.worst[0]
    assert (worst.index, worst.expected, worst.observed) == ([0, 1, 1], 6, 15)


floats = st.floats(width=32, allow_nan=True, allow_infinity=True)


@given(st.lists(floats, min_size=1, max_size=20))
def test_a_tensor_does_not_deviate_from_itself(values: list[float]) -> None:
    array = np.array(values, np.float32)
    assert deviation(array, array.copy()) == 0


@given(st.lists(st.tuples(floats, floats), min_size=1, max_size=20))
def test_a_deviation_is_never_negative_or_nan(pairs: list[tuple[Any, Any]]) -> None:
    expected, observed = (np.array(side, np.float32) for side in zip(*pairs, strict=True))
    assert deviation(expected, observed) >= 0


def test_limits_are_in_order() -> None:
    assert COMPUTED < SMALLEST
    assert GROWTH > 1
    tiny = np.zeros((4,), np.float32)
    assert deviation(tiny, tiny + np.float32(1e-7)) == pytest.approx(1e-5, rel=1e-3)
