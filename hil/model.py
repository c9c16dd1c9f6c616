"""A model: what its .tflite says, what its model.yaml says, and where its vectors are."""

from __future__ import annotations

import hashlib
import os
import stat
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from hil import graph as graphs
from hil.card import ModelCard, bare_card, load_card
from hil.errors import SetupError
from hil.tensors import Array, OpSpec, TensorSpec, dequantise, quantise
from hil.vector_files import read_vectors
from hil.vectors import Vector, synthetic_vectors

__all__ = [
    "Array",
    "Model",
    "ModelCard",
    "OpSpec",
    "TensorSpec",
    "Vector",
    "dequantise",
    "discover_models",
    "load_model",
    "load_vectors",
    "quantise",
    "vectors_file",
]

_MAX_BYTES = 64 << 20
_STATEFUL = ("VAR_HANDLE", "READ_VARIABLE", "ASSIGN_VARIABLE", "CALL_ONCE")


@dataclass(frozen=True)
class Model:
    """One model. ``folder`` is None for a bare .tflite; ``notes`` are facts worth showing.

    ``further_ops`` are those of subgraphs after the first (branches, loops, initialisation).
    The indices are those of ``inputs`` and ``outputs`` in ``tensors``.
    ``schema_version`` is what the file says, not judged here: the device has to refuse it.
    """

    name: str
    path: Path
    data: bytes = field(repr=False)
    sha256: str
    crc32: int
    schema_version: int
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    ops: tuple[OpSpec, ...] = field(repr=False)
    tensors: tuple[TensorSpec, ...] = field(repr=False)
    card: ModelCard
    folder: Path | None
    notes: tuple[str, ...] = ()
    further_ops: tuple[OpSpec, ...] = field(default=(), repr=False)
    subgraphs: int = 1
    input_indices: tuple[int, ...] = ()
    output_indices: tuple[int, ...] = ()

    def op_versions(self) -> tuple[tuple[str, int], ...]:
        """Each (opcode, version) once, sorted; those of further subgraphs too."""
        every = (*self.ops, *self.further_ops)
        return tuple(sorted({(op.opcode, op.version) for op in every}))

    @property
    def stateful(self) -> bool:
        """True if an answer may depend on the inferences before it."""
        return any(spec.variable for spec in self.tensors) or any(
            op.opcode in _STATEFUL for op in (*self.ops, *self.further_ops)
        )


def load_model(path: Path) -> Model:
    """Load a folder with model.yaml and model.tflite, or a bare .tflite.

    A file called model.tflite with a model.yaml beside it is its folder's model.

    Raises:
        SetupError: model_file, one clear reason.
    """
    path = Path(path)
    if path.name == "model.tflite" and os.path.isfile(path.parent / "model.yaml"):
        path = path.parent
    if os.path.isdir(path):  # Path.is_dir raises where it may not look
        return _load_folder(path)
    return _build(path, bare_card(path.stem), None)


def discover_models(root: Path) -> dict[str, Path]:
    """Folders directly under ``root`` that have a model.yaml, by name, sorted.

    Names that start with "_" or "." are left out. A root that does not exist has none.
    """
    if not root.is_dir():
        return {}
    return {
        folder.name: folder
        for folder in sorted(root.iterdir())
        if folder.name[0] not in "_." and (folder / "model.yaml").is_file()
    }


def load_vectors(model: Model, path: Path | None = None) -> tuple[Vector, ...]:
    """The model's vectors: those of ``path``, else of its card, else vectors.npz, else synthetic.

    Synthetic vectors are called ``synthetic-<n>`` and carry no expected outputs.

    Raises:
        SetupError: model_file, every problem of the file.
    """
    path = path or vectors_file(model)
    if path is None:
        return synthetic_vectors(model.inputs, model.name)
    return read_vectors(Path(path), model.inputs, model.outputs, model.name)


def vectors_file(model: Model) -> Path | None:
    """The vectors that a model's folder brings: those of its card, else vectors.npz, else none."""
    if model.folder is None:
        return None
    stated = model.card.vectors
    default = model.folder / "vectors.npz"
    return model.folder / stated if stated else default if default.is_file() else None


def _load_folder(folder: Path) -> Model:
    card_file = folder / "model.yaml"
    if not os.path.isfile(card_file):
        raise _error(
            folder, ["a folder without a model.yaml"], "name a .tflite or add a model.yaml"
        )
    card = load_card(card_file)
    if card.name != folder.resolve().name:
        raise _error(
            card_file,
            [f"name is {card.name!r} in a folder called {folder.resolve().name!r}"],
            "give both the same name",
        )
    return _build(folder / "model.tflite", card, folder)


def _build(path: Path, card: ModelCard, folder: Path | None) -> Model:
    data = _read(path)
    try:
        graph = graphs.parse(data)
    except graphs.Damaged as error:
        raise _error(path, error.reasons, "convert or copy the model again") from error
    return Model(
        name=card.name,
        path=path,
        data=data,
        sha256=hashlib.sha256(data).hexdigest(),
        crc32=zlib.crc32(data),
        schema_version=graph.schema_version,
        inputs=tuple(graph.tensors[i] for i in graph.inputs),
        outputs=tuple(graph.tensors[i] for i in graph.outputs),
        ops=graph.ops,
        tensors=graph.tensors,
        card=card,
        folder=folder,
        notes=graph.notes,
        further_ops=graph.further_ops,
        subgraphs=graph.subgraphs,
        input_indices=graph.inputs,
        output_indices=graph.outputs,
    )


def _read(path: Path) -> bytes:
    """The bytes of a regular file of a size that a model may have; never waits for a pipe."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(handle, "rb") as file:
            status = os.fstat(handle)
            if not stat.S_ISREG(status.st_mode):
                reason = f"not a file but {_KINDS.get(stat.S_IFMT(status.st_mode), 'a device')}"
                raise _error(path, [reason], "name a .tflite or a folder with a model.yaml")
            if status.st_size > _MAX_BYTES:
                reason = f"{status.st_size:,} bytes; no board holds more than {_MAX_BYTES:,}"
                raise _error(path, [reason], "name the model that runs on the board")
            return file.read(_MAX_BYTES)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        hint = "check the name and the rights"
        raise _error(path, [f"cannot be read: {reason}"], hint) from error


_KINDS = {stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket", stat.S_IFDIR: "a folder"}


def _error(path: Path, reasons: Sequence[str], hint: str) -> SetupError:
    """One reason is the message; several are its problems."""
    name = str(path) if str(path).isprintable() else ascii(str(path))
    if len(reasons) == 1:
        return SetupError("model_file", f"{name}: {reasons[0]}", hint=hint)
    message = f"{name}: {len(reasons)} things are wrong with it"
    return SetupError("model_file", message, problems=reasons, hint=hint)
