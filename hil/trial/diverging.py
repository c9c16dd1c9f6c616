"""Which op is to blame for outputs that are not the host's: asked of the board, op by op."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence

import numpy as np

from hil.divergence import Divergence, first_divergence
from hil.errors import HilError
from hil.model import Model
from hil.op_reference import NoOpReference, op_reference
from hil.report.op_parts import DivergenceRecord
from hil.tensors import Array
from hil.trial.base import Steps
from hil.vectors import Vector
from hil.watch import CannotWatch, Watch, WatchedRun


class DivergingSteps(Steps):
    """`divergence`, which no suite takes by itself: `parity` does where it fails."""

    def located(self, number: int) -> Divergence:
        """`divergence`, for a failure that stands whatever the search comes to."""
        try:
            return self.divergence(number)
        except (CannotWatch, NoOpReference) as error:
            reason = str(error)
        except HilError as error:
            reason = f"the search ended with {error.code}: {error.message}"
            self.close()  # whatever it left the board in: the next step connects anew
        return self._noted(Divergence(self.vectors()[number].name, reason))

    def divergence(self, number: int) -> Divergence:
        """The first op that differs from the host on vector ``number``.

        Raises:
            CannotWatch: the firmware has no watch. NoOpReference: the host does not say what
            single ops give. Also what every step raises.
        """
        reference = self.op_outputs(number)
        watch = self.watch(number)
        equal = equal_outputs(self.model, reference, watch.run())

        def fetch(op: int, output: int) -> Array:
            spec = self.model.tensors[self.model.ops[op].outputs[output]]
            data = watch.output(op, output, spec.nbytes)
            return np.frombuffer(data, spec.numpy.newbyteorder("<")).reshape(spec.shape)

        name = self.vectors()[number].name
        return self._noted(first_divergence(self.model, name, reference, equal, fetch))

    def op_outputs(self, number: int) -> Mapping[int, Array]:
        """What the oracle's engine makes of every op on vector ``number``, by tensor index."""
        oracle = self.expected().oracle
        if oracle.oracle == "vectors":
            raise NoOpReference(
                "no host engine answers for the model; its vectors state outputs only"
            )
        outputs = oracle.outputs[number]
        return op_reference(oracle.oracle, self.model, self._sequence(number), outputs)

    def watch(self, number: int) -> Watch:
        """For looking at single ops on vector ``number``; what is loaded is gone afterwards."""
        device = self.load()
        self.unloaded()
        inputs = [vector.inputs for vector in self._sequence(number)]
        return Watch(device, self.model.ops, inputs, self.given_arena)

    def _sequence(self, number: int) -> Sequence[Vector]:
        """The vectors to run so that the last one is answered as in a run over all."""
        vectors = self.vectors()[: number + 1]
        return vectors if self.model.card.sequences else vectors[-1:]

    def _noted(self, found: Divergence) -> Divergence:
        self.record.note(divergence=DivergenceRecord.of(found))
        return found


def equal_outputs(
    model: Model, reference: Mapping[int, Array], run: WatchedRun
) -> list[list[bool]]:
    """For every output of every op, whether device and host agree bit for bit."""
    return [
        [crc == _crc(reference[t]) for crc, t in zip(seen.crcs, op.outputs, strict=True)]
        for seen, op in zip(run.ops, model.ops, strict=True)
    ]


def _crc(array: Array) -> int:
    return zlib.crc32(array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes())
