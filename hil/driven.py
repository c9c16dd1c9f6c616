"""What `hil validate` drives a model with: real data where there is some, then the whole range."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hil.cover import RANDOM, Span, covering_vectors, spans_of
from hil.errors import SetupError
from hil.model import Model, vectors_file
from hil.vector_files import READERS, read_vectors
from hil.vector_store import npz_bytes
from hil.vectors import Vector

SEED = 0


@dataclass(frozen=True)
class Driven:
    """The vectors of a run and how they were made.

    Attributes:
        vectors: real data first (what is timed is then a usual input), then the seeded ones.
        seeded: how many were made; ``random`` of them asked for as noise.
        files: where the real data came from.
    """

    vectors: tuple[Vector, ...]
    seeded: int
    random: int
    seed: int
    spans: tuple[Span, ...]
    files: tuple[Path, ...]

    def npz(self) -> bytes:
        """The vectors as an .npz, the same bytes for the same vectors."""
        return npz_bytes(self.vectors)


def drive(model: Model, given: Sequence[Path] = (), random: int = RANDOM) -> Driven:
    """The model's own vectors, those of ``given`` files (or folders of such), and seeded ones.

    A model with operators of its own gets no seeded ones: only vectors can say what it has to give.

    Raises:
        SetupError: model_file, for a file that cannot be used or a range that is not known.
    """
    own = vectors_file(model)
    files = ([own] if own else []) + [file for path in given for file in _files(path, model.name)]
    data = [v for f in files for v in read_vectors(f, model.inputs, model.outputs, model.name)]
    if model.card.custom_ops:
        return _stated(model, data, files)
    spans = spans_of(model.inputs, data, model.name)
    seeded = covering_vectors(model.inputs, spans, model.name, random, SEED)
    return Driven((*data, *seeded), len(seeded), random, SEED, spans, tuple(files))


def _stated(model: Model, data: Sequence[Vector], files: Sequence[Path]) -> Driven:
    if not data or any(vector.expected is None for vector in data):
        raise SetupError(
            "model_file",
            "no host runs its custom operators, and not every vector states what it has to give",
            model=model.name,
            hint="give vectors (.npz) with expected_0, expected_1",
        )
    return Driven(tuple(data), 0, 0, SEED, (), tuple(files))


def _files(path: Path, model: str) -> list[Path]:
    if not path.is_dir():
        return [path]
    found = sorted(each for each in path.iterdir() if each.suffix.lower() in READERS)
    if not found:
        kinds = ", ".join(READERS)
        raise SetupError("model_file", f"no vectors ({kinds}) in the folder {path}", model=model)
    return found
