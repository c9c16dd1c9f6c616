"""The reference models: complete, honest about their figures, and runnable on the TFLM of 2020."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from hil.model import Model, discover_models, load_model, load_vectors
from hil.tensors import quantise
from models import __main__ as command
from models._common import evaluate
from models._common.cards import load_weights
from models._common.catalogue import ROOT, recipes
from models._common.recipe import Recipe
from models._common.structure import macs, structure

OPS_2020 = {
    "ADD": (1, 2),
    "AVERAGE_POOL_2D": (1, 2),
    "CONV_2D": (1, 3),
    "DEPTHWISE_CONV_2D": (1, 3),
    "FULLY_CONNECTED": (1, 4),
    "MAX_POOL_2D": (1, 2),
    "MEAN": (1, 1),
    "RESHAPE": (1, 1),
    "SOFTMAX": (1, 2),
}
"""Versions that the kernels of the TFLM of June 2020 know (its all_ops_resolver.cc)."""

FILES = {
    "calibration.npz",
    "heldout.npz",
    "model.tflite",
    "model.yaml",
    "train.py",
    "vectors.npz",
    "weights.npz",
}
LARGEST_FILE = 300_000  # bytes
LARGEST_MODEL = 1_500_000  # multiply-accumulates: about 45 million instructions at -Os

ALL = {recipe.name: recipe for recipe in recipes()}
REFERENCE = sorted(name for name, recipe in ALL.items() if recipe.folder.parent == ROOT)
KEPT_TO_FAIL = sorted(set(ALL) - set(REFERENCE))

needs_host_tflm = pytest.mark.skipif(
    importlib.util.find_spec("tflite_micro") is None,
    reason="the tflite-micro wheel is not installed (there is none for this platform)",
)
needs_tensorflow = pytest.mark.skipif(
    importlib.util.find_spec("tensorflow") is None,
    reason="TensorFlow is not installed; only training and converting need it",
)


@pytest.fixture(params=sorted(ALL))
def recipe(request: pytest.FixtureRequest) -> Recipe:
    return ALL[request.param]


@pytest.fixture
def model(recipe: Recipe) -> Model:
    return load_model(recipe.folder)


def archive(path: Path) -> dict[str, np.ndarray]:
    with np.load(path) as file:
        return dict(file)


def unknown_ops(model: Model) -> list[tuple[str, int]]:
    """Ops whose version the kernels of 2020 do not know."""
    known = {name: range(low, high + 1) for name, (low, high) in OPS_2020.items()}
    return [(name, n) for name, n in model.op_versions() if n not in known.get(name, ())]


def test_the_six_products_are_discovered_and_the_failing_ones_are_not() -> None:
    assert sorted(discover_models(ROOT)) == REFERENCE
    assert REFERENCE == [
        "air_quality_anomaly",
        "bearing_fault",
        "gesture",
        "hello_sine",
        "hello_sine_float",
        "keyword_spotting",
    ]
    assert KEPT_TO_FAIL == ["mean_v2", "per_channel_dense", "residual_add"]


def test_a_folder_is_complete_and_small(recipe: Recipe) -> None:
    files = {file.name: file for file in recipe.folder.iterdir() if file.is_file()}
    assert set(files) >= FILES
    assert {
        name: f.stat().st_size for name, f in files.items() if f.stat().st_size > LARGEST_FILE
    } == {}


def test_the_card_says_what_the_recipe_says(recipe: Recipe, model: Model) -> None:
    card = model.card
    assert (card.name, card.task, card.labels) == (recipe.name, recipe.task, recipe.labels)
    assert "synthetic" in f"{card.description} {card.metric and card.metric.source}"
    assert card.metric is not None
    assert (card.metric.name, card.metric.samples) == (recipe.metric, recipe.heldout_samples)
    assert card.tolerance is None
    assert dict(card.latency.max_ms) == dict(recipe.latency_ms)


def test_tensors_are_fixed_and_of_one_type(recipe: Recipe, model: Model) -> None:
    kind = "float32" if recipe.float32 else "int8"
    for spec in (*model.inputs, *model.outputs):
        assert spec.dtype == kind
        assert spec.shape[0] == 1
        assert not spec.dynamic
        assert len(spec.scales) == (0 if recipe.float32 else 1)
    assert len(model.inputs) == len(model.outputs) == 1
    if recipe.labels:
        assert model.outputs[0].elements == len(recipe.labels)


def test_vectors_are_of_the_models_type_and_reach_the_ends_of_its_range(model: Model) -> None:
    vectors = load_vectors(model)
    assert 8 <= len(vectors) <= 12
    for vector in vectors:
        assert vector.inputs[0].shape == model.inputs[0].shape
        assert vector.expected is not None
        assert vector.expected[0].shape == model.outputs[0].shape
    seen = np.stack([vector.inputs[0] for vector in vectors])
    ends = (0, np.float32(2 * np.pi)) if seen.dtype == np.float32 else (-128, 127)
    assert (seen.min(), seen.max()) == ends
    assert len({vector.inputs[0].tobytes() for vector in vectors}) == len(vectors)


@needs_host_tflm
def test_expected_outputs_are_those_of_the_host_tflm(recipe: Recipe, model: Model) -> None:
    vectors = archive(recipe.file("vectors.npz"))
    observed = evaluate.Host(model.data).run(vectors["input_0"])
    if recipe.float32:
        np.testing.assert_allclose(observed, vectors["expected_0"], rtol=1e-5, atol=1e-5)
    else:
        np.testing.assert_array_equal(observed, vectors["expected_0"])


def test_the_heldout_set_is_the_stated_one(recipe: Recipe, model: Model) -> None:
    """Drawn with its own seed; one step is left for another machine's sine or FFT."""
    heldout = archive(recipe.file("heldout.npz"))
    again = recipe.data(recipe.heldout_seed, recipe.heldout_samples)
    stored = quantise(model.inputs[0], again.x[:, np.newaxis])
    assert heldout["input_0"].dtype == stored.dtype
    np.testing.assert_allclose(heldout["input_0"].astype(float), stored.astype(float), atol=1)
    np.testing.assert_allclose(heldout["label"], again.y, atol=1e-6)
    assert len({recipe.train_seed, recipe.heldout_seed, recipe.vector_seed}) == 3


@needs_host_tflm
def test_the_stated_figure_is_the_measured_one(recipe: Recipe, model: Model) -> None:
    heldout = archive(recipe.file("heldout.npz"))
    value = evaluate.measure(model.data, recipe.metric, heldout["input_0"], heldout["label"])
    assert model.card.metric is not None
    assert value == pytest.approx(model.card.metric.value, abs=5e-4)


def test_the_stated_figure_is_no_toy(recipe: Recipe) -> None:
    value = command.stated(recipe)
    if recipe.metric == "mae":
        assert 0 < value < 0.03
    else:
        assert 0.9 <= value < 1


@pytest.mark.parametrize("name", REFERENCE)
def test_a_reference_model_runs_on_the_tflm_of_2020(name: str) -> None:
    model = load_model(ALL[name].folder)
    assert unknown_ops(model) == []
    assert "ADD" not in dict(model.op_versions())  # that tree's int8 ADD aborts without NDEBUG
    dense = [op for op in model.ops if op.opcode == "FULLY_CONNECTED"]
    assert dense
    assert not any(model.tensors[op.inputs[1]].per_channel for op in dense)
    assert macs(model.data) <= LARGEST_MODEL


def test_per_channel_dense_is_per_channel_and_nothing_else() -> None:
    model = load_model(ALL["per_channel_dense"].folder)
    assert unknown_ops(model) == []
    assert [len(model.tensors[op.inputs[1]].scales) for op in model.ops] == [16, 16, 1]


def test_mean_v2_asks_for_a_version_that_the_tree_lacks() -> None:
    assert unknown_ops(load_model(ALL["mean_v2"].folder)) == [("MEAN", 2)]


def test_residual_add_reads_operands_with_zero_point_minus_128() -> None:
    model = load_model(ALL["residual_add"].folder)
    assert unknown_ops(model) == []
    add = next(op for op in model.ops if op.opcode == "ADD")
    assert [model.tensors[index].zero_points for index in add.inputs] == [(-128,), (-128,)]


def test_weights_are_finite_floats(recipe: Recipe) -> None:
    for weight in load_weights(recipe.file("weights.npz")):
        assert weight.dtype == np.float32
        assert np.isfinite(weight).all()


@needs_tensorflow
def test_committed_weights_convert_to_the_committed_bytes() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "models", "convert"],
        cwd=ROOT.parent,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert run.returncode == 0, run.stdout + run.stderr[-2000:]
    assert run.stdout.split() == [word for name in ALL for word in (name, "ok")]


def test_other_bytes_of_a_conversion_are_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    committed = ALL["hello_sine"].file("model.tflite").read_bytes()
    monkeypatch.setattr(command, "convert_committed", lambda _: committed[:-1] + b"?")
    (problem,) = command.check_conversion(ALL["hello_sine"])
    assert f"{len(committed)} committed" in problem
    monkeypatch.setattr(command, "convert_committed", lambda _: committed)
    assert command.check_conversion(ALL["hello_sine"]) == []


@pytest.mark.parametrize(
    ("source", "loss", "problems"),
    [
        ("hello_sine", 0.0, []),
        ("hello_sine", command.METRIC_SLACK + 0.001, ["worse"]),
        ("gesture", 0.0, ["structure"]),
        ("gesture", 0.5, ["worse", "structure"]),
    ],
)
def test_a_training_is_judged_by_metric_and_structure(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, source: str, loss: float, problems: list[str]
) -> None:
    sine = ALL["hello_sine"]

    def train_anew(_: Recipe, folder: Path) -> float:
        data = ALL[source].file("model.tflite").read_bytes()
        (folder / "model.tflite").write_bytes(data)
        return command.stated(sine) + loss

    monkeypatch.setattr(command, "train_anew", train_anew)
    found = command.check_training(sine, tmp_path)
    assert len(found) == len(problems)
    assert all(word in problem for word, problem in zip(problems, found, strict=True))


def test_an_unknown_name_is_refused_with_those_that_exist() -> None:
    with pytest.raises(LookupError, match="no model hello_cosine; there are .*hello_sine"):
        recipes(["hello_cosine"])


def test_structure_tells_versions_shapes_and_quantisation_apart() -> None:
    per_tensor, per_channel = (
        structure(ALL[name].file("model.tflite").read_bytes())
        for name in ("hello_sine", "per_channel_dense")
    )
    assert per_tensor[0] == (
        "FULLY_CONNECTED v4: int8[1,1]/1 int8[16,1]/1 int32[16]/1 -> int8[1,16]/1"
    )
    assert per_tensor != per_channel


def test_macs_of_a_dense_stack() -> None:
    assert macs(ALL["hello_sine"].file("model.tflite").read_bytes()) == 1 * 16 + 16 * 16 + 16 * 1


def test_top1_counts_the_right_ones() -> None:
    outputs = np.array([[[1, 2]], [[3, 2]], [[0, 1]]])
    assert evaluate.top1(outputs, outputs, np.array([1, 0, 0])) == pytest.approx(2 / 3)


def test_mae_is_of_absolute_errors() -> None:
    outputs = np.array([[[1.0]], [[-1.0]]])
    assert evaluate.mae(outputs, outputs, np.array([0.0, 0.0])) == pytest.approx(1.0)


def test_auc_is_the_chance_that_an_anomaly_scores_higher() -> None:
    x = np.zeros((4, 1, 2))
    outputs = np.array([[[0, 1]], [[0, 2]], [[0, 3]], [[0, 2]]])
    assert evaluate.auc(x, outputs, np.array([0, 0, 1, 1])) == pytest.approx(3.5 / 4)
