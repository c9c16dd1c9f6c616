"""An inference that nobody answers: a kernel that never ends, or a bench that lost its voice?

From outside both are silence. The board is started again and asked the same: it is a ``hang`` only
if it answered a ping and loaded the model before, was silent at the same input again, and answers
a ping after yet another start. Anything else stays the bench's ``no_answer``.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence

import numpy as np

from hil.device import Device
from hil.errors import BenchError, HilError, ProductError
from hil.tensors import Array

Revive = Callable[[], Device]
"""Starts the board again, by whatever means it takes, and connects."""


def silent_in_work(error: HilError) -> bool:
    """Whether an error says that an inference was begun and nothing came back."""
    return error.code == "no_answer" and error.numbers.get("request") == "Invoke"


def input_crc(inputs: Sequence[Array]) -> int:
    """The CRC-32 of the inputs, as the wire states it."""
    return zlib.crc32(b"".join(np.ascontiguousarray(each).tobytes() for each in inputs))


def ask_again(error: BenchError, inputs: Sequence[Array], revive: Revive, arena: int) -> HilError:
    """What the silence of an inference comes to, as the error to raise.

    Args:
        error: the silence; see `silent_in_work`.
        inputs: what was silent.
        revive: starts the board again.
        arena: bytes for LOAD, 0 for all.

    Raises:
        ProductError: crash, if that is how the second attempt ends.
    """
    try:
        device = revive()
        device.ping()
        device.load(arena)
        device.infer(inputs)
    except BenchError as second:
        if not silent_in_work(second):
            return _stands(error, f"asked again after a restart: {second.message}")
        return _after_two(error, second, inputs, revive)
    return _stands(error, "after a restart the same input was answered: not the model's doing")


def _after_two(
    error: BenchError, second: BenchError, inputs: Sequence[Array], revive: Revive
) -> HilError:
    try:
        revive().ping()
    except BenchError as third:
        return _stands(error, f"silent again, and then: {third.message}")
    crc, waits = input_crc(inputs), [error.numbers["waited_s"], second.numbers["waited_s"]]
    return ProductError(
        "hang",
        f"an inference does not end: no answer in {waits[0]:g} s; restarted, the board answered "
        f"a ping and loaded the model, and was silent at the same input (CRC {crc:08x}) again "
        f"for {waits[1]:g} s; restarted once more, it answers",
        board=error.board,
        model=error.model,
        hint="stop it with a debugger during this input: which loop does not end?",
        numbers={"waited_s": waits[0], "waited_again_s": waits[1], "input_crc": crc},
    )


def _stands(error: BenchError, text: str) -> BenchError:
    return BenchError(
        error.code,
        f"{error.message}\n  {text}",
        board=error.board,
        model=error.model,
        hint="cable, power and port: the board fell silent by chance",
        numbers=error.numbers,
    )
