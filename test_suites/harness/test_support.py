"""What a TFLM tree cannot run, from the model's file alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from model_writer import G, O, write

from hil.card import ModelCard
from hil.graph import parse
from hil.model import Model, OpSpec, TensorSpec, load_model
from hil.support import check_support

MODELS = Path(__file__).parents[2] / "models"
OPS_2020 = {
    "FULLY_CONNECTED": (1, 4),
    "CONV_2D": (1, 3),
    "MEAN": (1, 1),
    "TANH": (1, 1),
    "SVDF": (1, 3),
    "QUANTIZE": (1, 1),
    "SOFTMAX": (1, 2),
}
OPS_2024 = dict.fromkeys([*OPS_2020, "EXPAND_DIMS"])
INT8 = TensorSpec("a", (1, 4), "int8", (0.5,), (0,))


def _model(*ops: tuple[str, int, TensorSpec, TensorSpec | None]) -> Model:
    """A model of operators with an activation and weights each."""
    tensors: list[TensorSpec] = []
    specs = []
    for n, (name, version, activation, weights) in enumerate(ops):
        first = len(tensors)
        tensors += (
            [activation] if weights is None else [activation, replace(weights, constant=True)]
        )
        inputs = (first,) if weights is None else (first, first + 1)
        specs.append(OpSpec(n, name, version, inputs, (first,)))
    ends = (tensors[0],)
    return Model(
        "m", Path("m"), b"", "", 0, 3, ends, ends, tuple(specs), tuple(tensors),
        ModelCard(name="m"), None,
    )  # fmt: skip


def _codes(model: Model, era: str = "2020") -> list[str]:
    ops = OPS_2020 if era == "2020" else OPS_2024
    return [finding.code for finding in check_support(model, ops, era)]


def test_what_the_tree_has_is_no_finding() -> None:
    weights = TensorSpec("w", (4, 4), "int8", (0.1, 0.2), (0, 0))
    model = _model(("CONV_2D", 3, INT8, weights), ("QUANTIZE", 1, INT8, None))
    assert _codes(model) == []


@pytest.mark.parametrize("era", ["2020", "2023", "2024"])
def test_a_model_of_the_project_runs_on_every_era(era: str) -> None:
    assert _codes(load_model(MODELS / "hello_sine"), era) == []


def test_a_version_above_the_range_names_op_version_and_range() -> None:
    (finding,) = check_support(_model(("MEAN", 2, INT8, None)), OPS_2020, "2020")
    assert finding.code == "missing_op"
    assert finding.numbers == {"op": "MEAN", "version": 2, "known": [1, 1], "operators": [0]}
    assert "MEAN version 2" in finding.message
    assert "knows versions 1 to 1" in finding.message
    assert "AveragePooling2D" in finding.message


def test_an_absent_op_is_missing_and_one_without_ranges_is_not() -> None:
    model = _model(("EXPAND_DIMS", 1, INT8, None), ("EXPAND_DIMS", 1, INT8, None))
    (finding,) = check_support(model, OPS_2020, "2020")
    assert finding.numbers["known"] is None
    assert finding.numbers["operators"] == [0, 1]
    assert "does not have it" in finding.message
    assert _codes(model, "2024") == []
    assert _codes(_model(("CUSTOM:mine", 1, INT8, None)), "2024") == ["missing_op"]


def test_per_channel_dense_is_refused_before_2024() -> None:
    weights = TensorSpec("w", (4, 4), "int8", (0.1, 0.2, 0.3, 0.4), (0, 0, 0, 0))
    model = _model(("FULLY_CONNECTED", 4, INT8, weights))
    for era in ("2020", "2023"):
        (finding,) = check_support(model, OPS_2020, era)
        assert finding.code == "unsupported_quantisation"
        assert finding.numbers == {"op": "FULLY_CONNECTED", "operator": 0, "channels": 4}
        assert "_experimental_disable_per_channel_quantization" in finding.message
    assert _codes(model, "2024") == []


@pytest.mark.parametrize("dtype", ["float16", "float64", "string", "complex64", "type99"])
def test_types_that_no_kernel_reads(dtype: str) -> None:
    (finding,) = check_support(
        _model(("CONV_2D", 1, TensorSpec("a", (1,), dtype), None)), OPS_2020, "2020"
    )
    assert (finding.code, finding.numbers["type"]) == ("unsupported_type", dtype)


@pytest.mark.parametrize(
    ("op", "codes"), [("CONV_2D", ["unsupported_type"]), ("QUANTIZE", []), ("SVDF", [])]
)
def test_int16_activations_on_the_tree_of_2020(op: str, codes: list[str]) -> None:
    model = _model((op, 1, TensorSpec("a", (1, 4), "int16", (0.1,), (0,)), None))
    assert _codes(model) == codes
    assert _codes(model, "2024") == []


@pytest.mark.parametrize("era", ["2020", "2024"])
def test_float_activations_with_integer_weights_are_hybrid(era: str) -> None:
    weights = TensorSpec("w", (4, 4), "int8", (0.1,), (0,))
    model = _model(("FULLY_CONNECTED", 3, TensorSpec("a", (1, 4), "float32"), weights))
    assert _codes(model, era) == ["unsupported_type"]


def test_uint8_runs_in_2020_only() -> None:
    uint8 = TensorSpec("a", (1, 4), "uint8", (0.1,), (128,))
    model = _model(("CONV_2D", 1, uint8, uint8), ("QUANTIZE", 1, uint8, None))
    assert _codes(model) == []
    assert _codes(model, "2024") == ["unsupported_type"]


def test_a_shape_without_elements_is_refused_and_an_open_batch_is_not() -> None:
    assert _codes(_model(("SOFTMAX", 1, TensorSpec("a", (0, 4), "float32"), None))) == [
        "unsupported_type",
        "unsupported_type",
    ]
    open_batch = TensorSpec("a", (1, 4), "float32", signature=(-1, 4))
    assert _codes(_model(("SOFTMAX", 1, open_batch, None))) == []


def test_optional_inputs_that_are_left_out_do_no_harm() -> None:
    model = _model(("FULLY_CONNECTED", 1, INT8, INT8))
    op = OpSpec(0, "FULLY_CONNECTED", 1, (-1, -1, -1), (0,))
    bare = replace(model, ops=(op, OpSpec(1, "SOFTMAX", 1, (), ())), output_indices=(0,))
    assert _codes(bare) == []


def test_an_era_that_does_not_exist_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="era '2019'"):
        check_support(load_model(MODELS / "hello_sine"), {}, "2019")


@pytest.mark.parametrize(
    ("name", "codes"),
    [
        ("mean_v2", {"missing_op"}),
        ("per_channel_dense", {"unsupported_quantisation"}),
    ],
)
def test_the_models_kept_to_fail_are_caught_from_their_files(name: str, codes: set[str]) -> None:
    model = load_model(MODELS / "_negative" / name)
    ops = {**dict.fromkeys(op for op, _ in model.op_versions()), "MEAN": (1, 1)}
    assert {finding.code for finding in check_support(model, ops, "2020")} == codes


# --- rules that the structure and the quantisation of a graph must keep


def _written(*graphs: G, codes: Sequence[tuple[int, int, str | None]]) -> Model:
    seen = parse(write(graphs, codes))
    return replace(
        _model(("SOFTMAX", 1, INT8, None)),
        ops=seen.ops, tensors=seen.tensors, inputs=tuple(seen.tensors[i] for i in seen.inputs),
        outputs=tuple(seen.tensors[i] for i in seen.outputs), input_indices=seen.inputs,
        output_indices=seen.outputs, subgraphs=seen.subgraphs, further_ops=seen.further_ops,
    )  # fmt: skip


def _found(model: Model, era: str = "2020") -> list[tuple[str, Mapping[str, object]]]:
    ops = dict.fromkeys(op for op, _ in model.op_versions())
    return [(each.code, each.numbers) for each in check_support(model, ops, era)]


X, W, B, Y = G().tensors
POOL, SOFTMAX, CONV = 17, 25, 3
FIRST = {"operator": 0}


def test_a_dense_layer_as_the_converter_writes_it_has_no_finding() -> None:
    for era in ("2020", "2023", "2024"):
        assert _found(_written(G(), codes=((9, 1, None),)), era) == []


@pytest.mark.parametrize("era", ["2020", "2024"])
@pytest.mark.parametrize(
    ("code", "graph", "op"),
    [
        (POOL, G([X, replace(X, scale=(0.25,))], [O((0,), (1,))], (0,), (1,)), "MAX_POOL_2D"),
        (POOL, G([X, replace(X, zero=(1,))], [O((0,), (1,))], (0,), (1,)), "MAX_POOL_2D"),
        (SOFTMAX, G([X, replace(Y, scale=(1 / 256,))], [O((0,), (1,))], (0,), (1,)), "SOFTMAX"),
        (9, G([X, W, replace(B, scale=(0.5,)), Y]), "FULLY_CONNECTED"),
        (9, G([X, W, replace(B, zero=(3,)), Y]), "FULLY_CONNECTED"),
        (
            CONV,
            G(
                [
                    replace(X, shape=(1, 2, 2, 1)),
                    replace(W, shape=(2, 1, 1, 1), zero=(4,)),
                    B,
                    replace(Y, shape=(1, 2, 2, 2)),
                ]
            ),
            "CONV_2D",
        ),
    ],
    ids=["rescaled", "moved", "softmax", "bias scale", "bias zero", "weights zero"],
)
def test_quantisation_that_a_kernel_ignores(code: int, graph: G, op: str, era: str) -> None:
    found = _found(_written(graph, codes=((code, 1, None),)), era)
    assert found == [("unsupported_quantisation", {"op": op, **FIRST})]


def test_softmax_in_its_own_steps_and_a_pool_in_one_scale_are_right() -> None:
    right = replace(Y, shape=(1, 4), scale=(1 / 256,), zero=(-128,))
    for code, last in ((SOFTMAX, right), (POOL, X)):
        graph = G([X, last], [O((0,), (1,))], (0,), (1,))
        assert _found(_written(graph, codes=((code, 1, None),))) == []


def test_a_tensor_that_nothing_reads_is_refused_by_the_planner_of_2020() -> None:
    graph = G([X, W, B, Y, replace(Y, name="spare")], [O((0, 1, 2), (3,)), O((0, 1, 2), (4,))])
    model = _written(graph, codes=((9, 1, None),))
    assert _found(model) == [("unsupported_type", {"tensor": 4})]
    assert _found(model, "2023") == []


def test_a_grouped_convolution_is_computed_wrong_in_2020() -> None:
    tensors = [
        replace(X, shape=(1, 2, 2, 4)),
        replace(W, shape=(2, 1, 1, 2), data=bytes(4)),
        B,
        replace(Y, shape=(1, 2, 2, 2)),
    ]
    model = _written(G(tensors), codes=((CONV, 3, None),))
    assert _found(model) == [("missing_op", {"op": "CONV_2D", **FIRST})]
    assert _found(model, "2023") == []


def test_a_second_subgraph_is_refused_in_2020_and_its_ops_are_looked_at_later() -> None:
    branch = G([X, X], [O((0,), (1,), 1)], (0,), (1,))
    model = _written(G(), branch, codes=((9, 1, None), (POOL, 1, None)))
    assert _found(model) == [("missing_op", {"subgraphs": 2})]
    assert _found(model, "2024") == []
    (finding,) = check_support(model, {"FULLY_CONNECTED": None}, "2024")
    assert (finding.code, finding.numbers["op"]) == ("missing_op", "MAX_POOL_2D")


def test_a_custom_op_is_missing_until_its_library_is_named() -> None:
    model = _written(G(), codes=((32, 1, "TWICE"),))
    (finding,) = check_support(model, OPS_2020, "2020")
    assert finding.numbers["op"] == "CUSTOM:TWICE"
    assert "custom_ops: {TWICE: " in finding.message
    own = ModelCard.model_validate(
        {
            "name": "m",
            "custom_ops": {"TWICE": {"library": "lib", "register": "own::Register_TWICE"}},
        }
    )
    assert check_support(replace(model, card=own), OPS_2020, "2020") == []
