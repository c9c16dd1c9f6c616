"""The files of a model's folder: model.yaml, vectors.npz, heldout.npz, weights and calibration."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from hil.tensors import Array, quantise
from models._common.evaluate import Host, measure
from models._common.recipe import Data, Floats, Recipe


def save_weights(path: Path, weights: Sequence[Array]) -> None:
    """The trained float weights, in the order of ``get_weights()``."""
    np.savez_compressed(path, **{f"weight_{i:02}": w for i, w in enumerate(weights)})  # type: ignore[arg-type]


def load_weights(path: Path) -> list[Array]:
    """What `save_weights` wrote."""
    with np.load(path) as archive:
        return [archive[name] for name in sorted(archive.files)]


def load_calibration(path: Path) -> Floats:
    """The representative set, float32 (N, *input shape without batch)."""
    with np.load(path) as archive:
        return np.asarray(archive["calibration"], dtype=np.float32)


def write_vectors(recipe: Recipe, folder: Path, host: Host) -> None:
    """8 to 12 vectors with the host's answers: typical inputs, then the edges of the range."""
    real, labels = _typical(recipe)
    inputs = quantise(host.input, real[:, np.newaxis])
    if not recipe.float32:
        edges = _edges(inputs)
        inputs = np.concatenate([inputs, edges])
        labels = np.concatenate([labels, np.full(len(edges), -1, labels.dtype)])
    arrays = {"input_0": inputs, "expected_0": host.run(inputs)}
    if recipe.task != "regression":
        arrays["label"] = labels
    np.savez_compressed(recipe.file("vectors.npz", folder), **arrays)  # type: ignore[arg-type]


def _typical(recipe: Recipe) -> tuple[Floats, Array]:
    if recipe.probes is None:
        return recipe.data(recipe.vector_seed, 8)
    real = recipe.probes()
    return real, np.zeros(len(real), np.int64)


def _edges(inputs: Array) -> Array:
    """All lowest, all highest, and both in turn, as far as they are new: (n, *input shape)."""
    limits = np.iinfo(inputs.dtype)
    low, high = np.full_like(inputs[0], limits.min), np.full_like(inputs[0], limits.max)
    chequered = low.copy()
    chequered.reshape(-1)[::2] = limits.max
    seen = {one.tobytes() for one in inputs}
    edges = {edge.tobytes(): edge for edge in (low, high, chequered)}
    fresh = [edge for key, edge in edges.items() if key not in seen]
    return np.array(fresh, inputs.dtype).reshape(-1, *inputs.shape[1:])


def write_heldout(recipe: Recipe, folder: Path, host: Host) -> tuple[Array, Array]:
    """The labelled held-out set in the model's dtype; returns inputs and labels."""
    data: Data = recipe.data(recipe.heldout_seed, recipe.heldout_samples)
    inputs = quantise(host.input, data.x[:, np.newaxis])
    np.savez_compressed(recipe.file("heldout.npz", folder), input_0=inputs, label=data.y)
    return inputs, data.y


def write_card(recipe: Recipe, folder: Path, value: float) -> None:
    """model.yaml with the measured figure and where it comes from."""
    card: dict[str, Any] = {
        "name": recipe.name,
        "description": recipe.description,
        "task": recipe.task,
        "labels": list(recipe.labels),
        "vectors": "vectors.npz",
        "heldout": "heldout.npz",
        "metric": {
            "name": recipe.metric,
            "value": value,
            "samples": recipe.heldout_samples,
            "source": f"held-out synthetic set, seed {recipe.heldout_seed}, host TFLM",
        },
        "latency": {"max_ms": dict(recipe.latency_ms)},
    }
    if not recipe.labels:
        del card["labels"]
    if not recipe.latency_ms:
        del card["latency"]
    card = _with_limits(card, recipe.file("model.yaml", recipe.folder))
    text = yaml.safe_dump(card, sort_keys=False, width=100, allow_unicode=True)
    recipe.file("model.yaml", folder).write_text(text, encoding="utf-8")


def _with_limits(card: dict[str, Any], committed: Path) -> dict[str, Any]:
    """The card with the limits that a person set in the committed one: training keeps them."""
    known = yaml.safe_load(committed.read_text(encoding="utf-8")) if committed.is_file() else {}
    kept = {key: known[key] for key in ("arena_bytes", "budgets") if key in known}
    counted = known.get("latency", {}).get("max_instructions")
    if counted:
        card["latency"] = {**card.get("latency", {}), "max_instructions": counted}
    return {**card, **kept}


def write_folder(recipe: Recipe, folder: Path, model: bytes) -> float:
    """Everything that follows from the .tflite bytes; returns the measured metric."""
    host = Host(model)
    recipe.file("model.tflite", folder).write_bytes(model)
    write_vectors(recipe, folder, host)
    inputs, labels = write_heldout(recipe, folder, host)
    value = measure(model, recipe.metric, inputs, labels)
    write_card(recipe, folder, value)
    return value
