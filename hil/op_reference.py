"""What the host says of single ops: their outputs for one vector, from the oracle's engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hil.engines import Engine, EngineRefused, run_engine
from hil.model import Model
from hil.tensors import Array
from hil.vectors import Vector


class NoOpReference(ValueError):
    """The host has no answer for single ops; the message says why."""


def op_reference(
    engine: Engine, model: Model, vectors: Sequence[Vector], outputs: Sequence[Array]
) -> Mapping[int, Array]:
    """Outputs of every op by tensor index, in the tensors' own shapes, as the last vector of
    ``vectors`` leaves them in an interpreter whose tensors all have memory of their own.

    Args:
        vectors: one, or all up to the one looked at where the model's state is carried on.
        outputs: what the engine answered to that vector before; the answer now has to be the same.

    Raises:
        NoOpReference: the engine refuses, or answers differently.
        BenchError: reference_died.
    """
    wanted = sorted({index for op in model.ops for index in op.outputs})
    result = run_engine(engine, model, vectors, tensors=wanted)
    if isinstance(result, EngineRefused):
        raise NoOpReference(f"{engine} gives no single ops: {result.reason}")
    pairs = zip(result.outputs[-1], outputs, strict=True)
    if not all(now.tobytes() == before.tobytes() for now, before in pairs):
        raise NoOpReference(f"{engine} answers differently where every tensor is kept")
    found = {}
    for index, array in result.tensors.items():
        spec = model.tensors[index]
        if array.nbytes != spec.nbytes or array.dtype != spec.numpy:
            raise NoOpReference(f"{engine} gives tensor {index} as {array.dtype}{array.shape}")
        found[index] = array.reshape(spec.shape)
    return found
