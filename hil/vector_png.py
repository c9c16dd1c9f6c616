"""A PNG image as a model's input: never resized, never recoloured."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
from PIL import Image

from hil.tensors import Array, TensorSpec

_MODES = {1: "L", 3: "RGB", 4: "RGBA"}
"""Channels to Pillow's name of 8-bit pixels."""

_AS_IS = {"L": "L", "1": "L", "RGB": "RGB", "RGBA": "RGBA", "LA": "LA"}


def read_png(path: Path, spec: TensorSpec) -> Array:
    """The pixels as stored values, of the input's exact shape and type.

    A pixel of 0 to 255 is the stored byte of an 8-bit input (uint8 ``p``, int8 ``p - 128``):
    what every usual scale of images comes to, [0, 1], [-1, 1] and [0, 255]. A float input gets
    ``p / 255``; a model that wants another range of floats takes an .npz.

    Raises:
        ValueError: the image is damaged, animated, deeper than 8 bits, or has another height,
            width or number of channels than the input; both shapes are in the message.
        OSError, SyntaxError: as Pillow raises them for files that are no PNG.
    """
    wanted = _wanted(spec)
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            with Image.open(path, formats=("PNG",)) as image:
                return _stored(spec, _pixels(image, wanted, spec.name).reshape(spec.shape))
        except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
            raise ValueError(str(error)) from error


def _pixels(image: Image.Image, wanted: tuple[int, int, int], name: str) -> Array:
    """Decoded only once the header says that it fits."""
    mode = _mode(image)
    seen = (image.height, image.width, len(mode))
    frames = getattr(image, "n_frames", 1)
    if frames != 1:
        raise ValueError(f"{frames} frames; an input is one")
    if seen != wanted:
        raise ValueError(
            f"the image is {_text(seen)} (height x width x channels), the model's input {name!r} "
            f"is {_text(wanted)}: it is not resized or recoloured here"
        )
    return np.asarray(image.convert(mode))


def _wanted(spec: TensorSpec) -> tuple[int, int, int]:
    """Height, width and channels of an input of shape [1, H, W, C], [H, W, C], [1, H, W]."""
    shape = spec.shape[1:] if len(spec.shape) > 2 and spec.shape[0] == 1 else spec.shape
    if len(shape) == 2:
        shape = (*shape, 1)
    if len(shape) != 3 or shape[2] not in _MODES:
        raise ValueError(f"the model's input {spec.name!r} ({spec}) has not the shape of an image")
    if spec.dtype not in ("int8", "uint8", "float32"):
        raise ValueError(f"the model's input is {spec.dtype}; images feed int8, uint8 and float32")
    return shape[0], shape[1], shape[2]


def _mode(image: Image.Image) -> str:
    """What the pixels are, palettes resolved; the length of its name is that of a pixel."""
    if image.mode == "P":
        return "RGBA" if "transparency" in image.info else "RGB"
    if image.mode not in _AS_IS:
        raise ValueError(f"pixels of kind {image.mode}: only 8 bits a channel are read")
    return _AS_IS[image.mode]


def _text(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))


def _stored(spec: TensorSpec, pixels: Array) -> Array:
    if spec.dtype == "uint8":
        return pixels.astype(np.uint8)
    if spec.dtype == "int8":
        return (pixels.astype(np.int16) - 128).astype(np.int8)
    return (pixels / 255.0).astype(np.float32)
