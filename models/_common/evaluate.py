"""Run a .tflite file on the host's TFLM and measure it on a labelled set."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from hil import graph as graphs
from hil.tensors import Array, dequantise

ARENA_BYTES = 512 * 1024


class Host:
    """A model with one input and one output on the host's TFLM (the tflite-micro wheel)."""

    def __init__(self, data: bytes) -> None:
        from tflite_micro import runtime

        graph = graphs.parse(data)
        self.input = graph.tensors[graph.inputs[0]]
        self.output = graph.tensors[graph.outputs[0]]
        self._interpreter: Any = runtime.Interpreter.from_bytes(data, arena_size=ARENA_BYTES)

    def run(self, inputs: Array) -> Array:
        """Inputs (N, 1, ...) in the model's dtype to outputs (N, 1, ...), one after the other."""
        return np.stack([self._invoke(one) for one in inputs])

    def _invoke(self, one: Array) -> Array:
        self._interpreter.set_input(one, 0)
        self._interpreter.invoke()
        return np.array(self._interpreter.get_output(0))

    def print_allocations(self) -> None:
        """Arena use of a 64-bit host, on stderr: a forecast, not a device's figure."""
        self._interpreter.print_allocations()


def top1(_x: Array, outputs: Array, labels: Array) -> float:
    """Share of samples whose largest output is the labelled class."""
    return float(np.mean(outputs.reshape(len(outputs), -1).argmax(axis=1) == labels))


def mae(_x: Array, outputs: Array, labels: Array) -> float:
    """Mean absolute error in real units."""
    return float(np.mean(np.abs(outputs.reshape(len(outputs)) - labels)))


def auc(x: Array, outputs: Array, labels: Array) -> float:
    """Area under the ROC curve; the score is the mean squared reconstruction error."""
    scores = np.mean((x - outputs).reshape(len(x), -1) ** 2, axis=1)
    bad, good = scores[labels == 1], scores[labels == 0]
    wins = (bad[:, None] > good[None, :]) + 0.5 * (bad[:, None] == good[None, :])
    return float(np.mean(wins))


METRICS: dict[str, Callable[[Array, Array, Array], float]] = {"top1": top1, "mae": mae, "auc": auc}
"""Metric by name: (real inputs, real outputs, labels) to one figure."""


def measure(data: bytes, metric: str, inputs: Array, labels: Array) -> float:
    """The metric of a model over a labelled set in the model's own dtype, to four places."""
    host = Host(data)
    outputs = dequantise(host.output, host.run(inputs))
    return round(METRICS[metric](dequantise(host.input, inputs), outputs, labels), 4)
