"""Vectors written to an .npz whose bytes depend on nothing but the vectors."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence

import numpy as np

from hil.tensors import Array
from hil.vectors import Vector

_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The earliest time that a zip can state: the same vectors are the same bytes at any hour."""


def npz_bytes(vectors: Sequence[Vector]) -> bytes:
    """An .npz that `hil.vector_files.read_vectors` reads back: inputs and names, and outputs if
    every vector states them."""
    arrays: dict[str, Array] = {
        f"input_{n}": np.stack(column)
        for n, column in enumerate(zip(*(vector.inputs for vector in vectors), strict=True))
    }
    stated = [vector.expected for vector in vectors if vector.expected is not None]
    if len(stated) == len(vectors):
        columns = enumerate(zip(*stated, strict=True))
        arrays |= {f"expected_{n}": np.stack(column) for n, column in columns}
    arrays["name"] = np.array([vector.name for vector in vectors])
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:  # stored: compressors differ
        for name, array in arrays.items():
            member = io.BytesIO()
            np.lib.format.write_array(member, np.ascontiguousarray(array), allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy", _EPOCH), member.getvalue())
    return packed.getvalue()
