"""Float weights to .tflite bytes, and training; the only module that imports TensorFlow.

The conversion rules, each because a device's older TFLM needs it: the batch is fixed (or
Flatten turns into SHAPE, STRIDED_SLICE and PACK), dense layers are quantised per tensor (older
trees read one scale for all channels and say nothing), inputs and outputs are int8.
"""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models._common.recipe import Data, Floats, Recipe

Weights = list[NDArray[Any]]
_LOSSES = {"classification": "sparse_categorical_crossentropy"}


def _tensorflow() -> Any:
    """TensorFlow, quiet, on the CPU and without the optimisations that differ by machine."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
    import tensorflow

    return tensorflow


def convert(recipe: Recipe, weights: Sequence[NDArray[Any]], calibration: Floats) -> bytes:
    """The .tflite file of these weights: the same bytes for the same arguments.

    Args:
        weights: in the order of ``keras.Model.get_weights()``.
        calibration: the representative set, float32 (N, *input shape without batch).
    """
    tf = _tensorflow()
    tf.keras.backend.clear_session()  # layer names, which land in the file, start at their first
    network = recipe.network(tf.keras, 1)
    network.set_weights(list(weights))
    converter = tf.lite.TFLiteConverter.from_keras_model(network)
    if not recipe.float32:
        _quantise(tf, converter, recipe, calibration)
    with contextlib.redirect_stdout(io.StringIO()):  # Keras lists every variable
        return bytes(converter.convert())


def _quantise(tf: Any, converter: Any, recipe: Recipe, calibration: Floats) -> None:
    def representative() -> Iterator[list[Floats]]:
        for sample in calibration:
            yield [sample[np.newaxis]]

    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = representative
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = tf.int8
    converter.inference_output_type = tf.int8
    if not recipe.per_channel_dense:
        converter._experimental_disable_per_channel_quantization_for_dense_layers = True


def train(recipe: Recipe, data: Data) -> Weights:
    """Train anew; repeatable on one machine, not byte-stable across CPU features."""
    tf = _tensorflow()
    tf.keras.backend.clear_session()
    tf.keras.utils.set_random_seed(recipe.train_seed)
    network = recipe.network(tf.keras, None)
    steps = recipe.epochs * -(-len(data.x) // recipe.batch)
    rate = tf.keras.optimizers.schedules.CosineDecay(recipe.learning_rate, steps)
    network.compile(tf.keras.optimizers.Adam(rate), loss=_LOSSES.get(recipe.task, "mse"))
    x, y = _targets(recipe, data)
    network.fit(x, y, batch_size=recipe.batch, epochs=recipe.epochs, shuffle=True, verbose=2)
    return [np.asarray(w) for w in network.get_weights()]


def _targets(recipe: Recipe, data: Data) -> tuple[Floats, NDArray[Any]]:
    """An autoencoder learns to repeat what is normal; the others learn their labels."""
    if recipe.task != "anomaly":
        return data.x, data.y
    normal = data.x[data.y == 0]
    return normal, normal
