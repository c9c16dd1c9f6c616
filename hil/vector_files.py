"""Input vectors from .npz, .csv, .wav or .png files.

A file of vectors is not trusted: nothing is unpickled, sizes are checked before anything is
read into memory, and every problem is a `SetupError` of code ``model_file``.
"""

from __future__ import annotations

import csv
import stat
import struct
import tokenize
import wave
import zipfile
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from hil.errors import SetupError
from hil.tensors import Array, TensorSpec, quantise
from hil.vectors import MAX_BYTES, Specs, Vector


class _Bad(ValueError):
    """A problem with a file of vectors, in words."""


def read_vectors(path: Path, inputs: Specs, outputs: Specs, model: str) -> tuple[Vector, ...]:
    """Vectors of one file, in the file's order, at least one.

    Raises:
        SetupError: model_file, with every problem of the file.
    """
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise _error(
            path, model, [f"{path.suffix or 'no suffix'}: not one of {', '.join(READERS)}"]
        )
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise _Bad("not a file")  # a pipe that nobody writes would be waited for
        if status.st_size > MAX_BYTES:
            raise _Bad(f"larger than {MAX_BYTES >> 20} MiB")
        vectors = reader(path, inputs, outputs)
    except _READ_ERRORS as error:
        lines = str(error).splitlines() or [type(error).__name__]
        raise _error(path, model, lines) from error
    if not vectors:
        raise _error(path, model, ["no vector in it"])
    return vectors


_READ_ERRORS = (
    OSError,
    EOFError,
    ValueError,
    KeyError,
    MemoryError,
    OverflowError,
    NotImplementedError,
    RuntimeError,
    SyntaxError,
    tokenize.TokenError,
    csv.Error,
    struct.error,
    wave.Error,
    zipfile.BadZipFile,
    zlib.error,
)


def _error(path: Path, model: str, problems: Sequence[str]) -> SetupError:
    return SetupError(
        "model_file", f"vectors {path} cannot be used", problems=problems, model=model
    )


def _read_npz(path: Path, inputs: Specs, outputs: Specs) -> tuple[Vector, ...]:
    arrays = _open_npz(path)
    wanted = {f"input_{i}": spec for i, spec in enumerate(inputs)}
    known = {f"expected_{i}": spec for i, spec in enumerate(outputs)}
    keys = [*wanted, *known, "label", "name"]
    problems = [f"{name} is missing" for name in wanted if name not in arrays]
    problems += [f"{name} is none of {', '.join(keys)}" for name in arrays if name not in keys]
    some = [name for name in known if name in arrays]
    if some and len(some) != len(known):
        problems.append(f"{', '.join(some)} without the other outputs")
    for name, spec in (wanted | known).items():
        if name in arrays:
            problems += _check_array(name, arrays[name], spec)
    counts = {name: array.shape[0] if array.ndim else 0 for name, array in arrays.items()}
    if len(set(counts.values())) > 1:
        problems.append(f"different numbers of vectors: {counts}")
    if "label" in arrays and (arrays["label"].ndim != 1 or arrays["label"].dtype.kind not in "iuf"):
        problems.append("label must be numbers of shape (N,)")
    if "name" in arrays and (arrays["name"].ndim != 1 or arrays["name"].dtype.kind != "U"):
        problems.append("name must be texts of shape (N,)")
    if problems:
        raise _Bad("\n".join(problems))
    labels, names = arrays.get("label"), arrays.get("name")
    return tuple(
        Vector(
            f"{path.stem}-{n}" if names is None else str(names[n]),
            tuple(arrays[name][n, ...] for name in wanted),
            tuple(arrays[name][n, ...] for name in known) if some else None,
            None if labels is None else labels[n].item(),
        )
        for n in range(counts["input_0"])
    )


def _open_npz(path: Path) -> dict[str, Array]:
    with zipfile.ZipFile(path) as archive:
        size = sum(item.file_size for item in archive.infolist())
    if size > MAX_BYTES:
        raise _Bad(f"{size:,} bytes when unpacked, more than {MAX_BYTES >> 20} MiB")
    arrays: dict[str, Array] = {}
    with np.load(path, allow_pickle=False) as archive:
        for name in archive.files:
            value = archive[name]
            if not isinstance(value, np.ndarray):
                raise _Bad(f"{name} is not an array")
            arrays[name] = value
    return arrays


def _check_array(name: str, array: Array, spec: TensorSpec) -> list[str]:
    problems = []
    if array.dtype != spec.numpy:
        problems.append(f"{name} is {array.dtype}, the model's {spec.name!r} is {spec.dtype}")
    if array.shape[1:] != spec.shape or not array.ndim:
        problems.append(f"{name} has shape {array.shape}, wanted (N, *{spec.shape})")
    return problems


def _only_input(inputs: Specs, kind: str) -> TensorSpec:
    if len(inputs) != 1:
        raise _Bad(f"a {kind} feeds one input, the model has {len(inputs)}: use .npz")
    if not inputs[0].elements:
        raise _Bad("the model's input has no elements")
    return inputs[0]


def _read_csv(path: Path, inputs: Specs, outputs: Specs) -> tuple[Vector, ...]:
    """One vector a row; a first row that is not numbers is a header, `int` in it: stored values."""
    del outputs
    spec = _only_input(inputs, "CSV")
    with path.open(newline="", encoding="utf-8-sig") as file:
        rows = [(n, row) for n, row in enumerate(csv.reader(file), 1) if any(map(str.strip, row))]
    header = rows.pop(0)[1] if rows and not _is_number(rows[0][1][0]) else []
    stored = "int" in (cell.strip().lower() for cell in header)
    return tuple(
        Vector(f"{path.stem}-{n}", (_csv_row(spec, row, line, stored),))
        for n, (line, row) in enumerate(rows)
    )


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _csv_row(spec: TensorSpec, row: list[str], line: int, stored: bool) -> Array:
    if len(row) != spec.elements:
        raise _Bad(f"line {line} has {len(row)} values, the input has {spec.elements}")
    try:
        if not stored:
            return quantise(spec, [float(cell) for cell in row]).reshape(spec.shape)
        return _exact(spec, [int(cell) for cell in row]).reshape(spec.shape)
    except (ValueError, OverflowError) as error:
        raise _Bad(f"line {line}: {error}") from error


def _exact(spec: TensorSpec, values: list[int]) -> Array:
    kind = spec.numpy
    if kind.kind in "iu":
        limits = np.iinfo(kind)
        wild = next((v for v in values if not limits.min <= v <= limits.max), None)
        if wild is not None:
            raise ValueError(f"{wild} does not fit {spec.dtype}")
    return np.array(values).astype(kind)


def _read_wav(path: Path, inputs: Specs, outputs: Specs) -> tuple[Vector, ...]:
    """16-bit mono PCM, cut into windows of the input's length; what is left over is dropped."""
    del outputs
    spec = _only_input(inputs, "WAV")
    with wave.open(str(path), "rb") as file:
        form = (file.getnchannels(), file.getsampwidth())
        if form != (1, 2):
            raise _Bad(f"{form[0]} channel(s) of {8 * form[1]} bits; wanted 1 of 16")
        raw = file.readframes(file.getnframes())
    samples = np.frombuffer(raw[: len(raw) // 2 * 2], "<i2").astype(np.float64) / 32768
    windows = len(samples) // spec.elements
    if not windows:
        raise _Bad(f"{len(samples)} samples are less than one window of {spec.elements}")
    cut = samples[: windows * spec.elements].reshape(windows, *spec.shape)
    return tuple(Vector(f"{path.stem}-{n}", (quantise(spec, w),)) for n, w in enumerate(cut))


def _read_png(path: Path, inputs: Specs, outputs: Specs) -> tuple[Vector, ...]:
    """One image is one vector; see `hil.vector_png.read_png`."""
    from hil.vector_png import read_png  # Pillow is loaded by those who have images

    del outputs
    return (Vector(path.stem, (read_png(path, _only_input(inputs, "PNG")),)),)


READERS: dict[str, Callable[[Path, Specs, Specs], tuple[Vector, ...]]] = {
    ".npz": _read_npz,
    ".csv": _read_csv,
    ".wav": _read_wav,
    ".png": _read_png,
}
"""Suffix -> reader. A new format is one function here."""
