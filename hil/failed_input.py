"""The input at which a device failed, kept so that somebody can ask it again, in a debugger."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hil.errors import SetupError
from hil.hang import input_crc
from hil.model import Vector
from hil.setup.files import write_atomic
from hil.tensors import Array

Inputs = tuple[Array, ...]


@dataclass(frozen=True)
class FailedInput:
    """What a device was asked when it failed.

    Attributes:
        code, suite: of the failure.
        sequence: the inputs to run one after the other; the last one fails. More than one where
            the model keeps state that the earlier ones leave, none where the load itself fails.
        arena, fill: as in `Device.load`.
    """

    code: str
    suite: str
    sequence: tuple[Inputs, ...]
    arena: int
    fill: int

    @property
    def crc32(self) -> int:
        """Of the failing input, as the wire states it; 0 for none."""
        return input_crc(self.sequence[-1]) if self.sequence else 0


def named(inputs: Sequence[Array], vectors: Sequence[Vector]) -> str:
    """The vector that has these inputs; "" if none has."""
    crc = input_crc(inputs)
    return next((each.name for each in vectors if input_crc(each.inputs) == crc), "")


def write_inputs(sequence: Sequence[Inputs], path: Path) -> None:
    """An .npz with input_0, input_1, … of shape (runs, *tensor)."""
    arrays = {
        f"input_{n}": np.stack(column) for n, column in enumerate(zip(*sequence, strict=True))
    }
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **arrays)
    write_atomic(path, buffer.getvalue())


def read_inputs(path: Path) -> list[Inputs]:
    """The sequence of an .npz that `write_inputs` made.

    Raises:
        SetupError: results_file, if it cannot be read or is something else.
    """
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as file:
            columns = [file[f"input_{n}"] for n in range(len(file.files))]
        if not columns or len({len(column) for column in columns}) != 1 or not len(columns[0]):
            raise ValueError("no input in it")
    except Exception as error:  # numpy and zipfile raise what they like at bytes that are no .npz
        reason = str(error) or type(error).__name__
        raise SetupError(
            "results_file",
            f"the failing input {path} cannot be read: {reason}",
            hint="run the test again: it is kept beside results.json",
        ) from error
    return [tuple(row) for row in zip(*columns, strict=True)]
