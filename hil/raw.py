"""Arrays as the bytes of a device's tensors, and back."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hil.messages import Tensor
from hil.tensors import Array


def tensor_bytes(arrays: Sequence[Array], tensors: Sequence[Tensor]) -> list[bytes]:
    """Little-endian bytes of one array a tensor, in order.

    Raises:
        ValueError: another number of arrays, or a dtype or shape that is not the tensor's.
    """
    if not tensors:
        raise ValueError("nothing is loaded: call load() first")
    if len(arrays) != len(tensors):
        raise ValueError(f"the model takes {len(tensors)} inputs, got {len(arrays)}")
    return [_bytes(index, *pair) for index, pair in enumerate(zip(arrays, tensors, strict=True))]


def tensor_array(data: bytes, tensor: Tensor) -> Array:
    """The array of a tensor's bytes, in its dtype and shape."""
    return np.frombuffer(data, tensor.dtype).reshape(tensor.shape).copy()


def _bytes(index: int, array: Array, tensor: Tensor) -> bytes:
    if array.dtype != np.dtype(tensor.dtype) or array.shape != tensor.shape:
        wanted = f"{tensor.dtype}{list(tensor.shape)}"
        raise ValueError(f"input {index} is {wanted}, got {array.dtype}{list(array.shape)}")
    return array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes()
