"""PNG images as inputs: exact pixels, or a refusal that names both shapes."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from hil.errors import SetupError
from hil.tensors import TensorSpec
from hil.vector_files import read_vectors

GREY = TensorSpec("image", (1, 3, 4, 1), "int8", (1 / 255,), (-128,))
PIXELS = np.array([[0, 1, 2, 3], [100, 127, 128, 129], [252, 253, 254, 255]], np.uint8)


def png(path: Path, pixels: Any = PIXELS, mode: str | None = None, **how: Any) -> Path:
    image = Image.fromarray(np.asarray(pixels))
    (image.convert(mode) if mode else image).save(path, **how)
    return path


def read(path: Path, spec: TensorSpec = GREY) -> Any:
    (vector,) = read_vectors(path, [spec], [], "m")
    assert vector.name == path.stem
    return vector.inputs[0]


def problem(path: Path, spec: TensorSpec = GREY) -> str:
    with pytest.raises(SetupError) as caught:
        read(path, spec)
    assert caught.value.code == "model_file"
    return "\n".join(caught.value.problems)


@pytest.mark.parametrize("shape", [(1, 3, 4, 1), (3, 4, 1), (1, 3, 4)])
def test_pixels_are_the_stored_bytes(tmp_path: Path, shape: tuple[int, ...]) -> None:
    path = png(tmp_path / "a.png")
    signed = read(path, TensorSpec("image", shape, "int8", (0.5,), (0,)))
    assert (signed.dtype, signed.shape) == (np.int8, shape)
    assert (signed.ravel().astype(int) + 128 == PIXELS.ravel()).all()
    assert (read(path, TensorSpec("i", shape, "uint8")).ravel() == PIXELS.ravel()).all()
    floats = read(path, TensorSpec("i", shape, "float32"))
    assert (floats.dtype, floats.min(), floats.max()) == (np.float32, 0.0, 1.0)


def test_colours_keep_their_order(tmp_path: Path) -> None:
    colours = np.arange(36, dtype=np.uint8).reshape(3, 4, 3)
    spec = TensorSpec("image", (1, 3, 4, 3), "uint8")
    assert (read(png(tmp_path / "a.png", colours), spec)[0] == colours).all()
    few = (colours // 12) * 12  # a palette of its own keeps every colour
    image = Image.fromarray(few).convert("P", palette=Image.Palette.ADAPTIVE, colors=64)
    image.save(tmp_path / "p.png")
    assert (read(tmp_path / "p.png", spec)[0] == np.asarray(image.convert("RGB"))).all()


@pytest.mark.parametrize(
    ("shape", "mode", "seen", "wanted"),
    [
        ((1, 4, 3, 1), None, "3 x 4 x 1", "4 x 3 x 1"),
        ((1, 96, 96, 1), None, "3 x 4 x 1", "96 x 96 x 1"),
        ((1, 3, 4, 3), None, "3 x 4 x 1", "3 x 4 x 3"),
        ((1, 3, 4, 1), "RGB", "3 x 4 x 3", "3 x 4 x 1"),
        ((1, 3, 4, 3), "RGBA", "3 x 4 x 4", "3 x 4 x 3"),
        ((1, 3, 4, 1), "LA", "3 x 4 x 2", "3 x 4 x 1"),
    ],
)
def test_another_shape_is_refused_with_both(
    tmp_path: Path, shape: tuple[int, ...], mode: str | None, seen: str, wanted: str
) -> None:
    said = problem(png(tmp_path / "a.png", mode=mode), TensorSpec("x", shape, "int8", (1.0,), (0,)))
    assert seen in said
    assert wanted in said


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        (TensorSpec("x", (1, 1960), "int8", (1.0,), (0,)), "1 x 1960 x 1"),
        (TensorSpec("x", (1, 3, 4, 2), "int8", (1.0,), (0,)), "not the shape of an image"),
        (TensorSpec("x", (4,), "int8", (1.0,), (0,)), "not the shape of an image"),
        (TensorSpec("x", (1, 3, 4, 1), "int16", (1.0,), (0,)), "int16"),
    ],
)
def test_inputs_that_are_no_images_are_refused(tmp_path: Path, spec: TensorSpec, said: str) -> None:
    assert said in problem(png(tmp_path / "a.png"), spec)


def test_deeper_animated_and_huge_images_are_refused(tmp_path: Path) -> None:
    assert "I;16" in problem(png(tmp_path / "deep.png", PIXELS.astype(np.uint16) * 257))
    frames = [Image.fromarray(PIXELS), Image.fromarray(255 - PIXELS)]
    frames[0].save(tmp_path / "film.png", save_all=True, append_images=frames[1:])
    assert "2 frames" in problem(tmp_path / "film.png")
    assert problem(claiming(tmp_path / "huge.png", 60_000, 60_000))
    assert problem(claiming(tmp_path / "large.png", 10_000, 10_000))


def claiming(path: Path, width: int, height: int) -> Path:
    """The image with another size in its header, the checksum right."""
    raw = bytearray(png(path).read_bytes())
    raw[16:24] = width.to_bytes(4, "big") + height.to_bytes(4, "big")
    raw[29:33] = zlib.crc32(raw[12:29]).to_bytes(4, "big")
    path.write_bytes(raw)
    return path


def test_another_format_by_that_name_is_refused(tmp_path: Path) -> None:
    Image.fromarray(PIXELS).save(tmp_path / "a.png", format="BMP")
    assert problem(tmp_path / "a.png")


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_damaged_files_are_set_up_errors_or_read(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = png(tmp_path_factory.mktemp("png") / "a.png")
    raw = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 6))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(raw[: data.draw(st.integers(0, len(raw)))])
    code = ""
    try:
        assert read(path).shape == GREY.shape
    except SetupError as error:
        code = error.code
    assert code in ("", "model_file")
