"""Custom operators of a model: the Arduino libraries that have their kernels (model.yaml)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from hil.card import CustomOp
from hil.errors import SetupError
from hil.model import Model

PREFIX = "CUSTOM:"


@dataclass(frozen=True)
class CustomKernel:
    """One operator's kernel.

    Attributes:
        name: the operator's name in the file; versions: those that the file asks for.
        library: the folder of the Arduino library; header: what declares the registration.
        registration: the C++ function that returns it.
    """

    name: str
    versions: tuple[int, ...]
    library: Path
    header: str
    registration: str


def custom_kernels(model: Model) -> tuple[CustomKernel, ...]:
    """The kernels of the custom operators that the model uses and its card names, by name.

    Raises:
        SetupError: model_file, with every library that is missing or unclear.
    """
    problems: list[str] = []
    kernels = []
    for name, card in sorted(model.card.custom_ops.items()):
        versions = tuple(v for op, v in model.op_versions() if op == PREFIX + name)
        if not versions:
            continue
        folder = (model.folder or Path()) / Path(card.library).expanduser()
        wrong = list(_problems(name, card, folder))
        problems += wrong
        if not wrong:
            header = card.header or _headers(folder)[0]
            kernels.append(
                CustomKernel(name, versions, folder.resolve(), header, card.registration)
            )
    if problems:
        raise SetupError(
            "model_file",
            f"{len(problems)} custom operators have no library that can be used",
            problems=problems,
            model=model.name,
            hint="correct custom_ops in model.yaml; a library is a folder with library.properties",
        )
    return tuple(kernels)


def _problems(name: str, card: CustomOp, folder: Path) -> Iterator[str]:
    where = f"custom_ops.{name}.library"
    if not (folder / "library.properties").is_file():
        yield f"{where}: {folder} is no Arduino library: it has no library.properties"
        return
    found = _headers(folder)
    if card.header and not (_sources(folder) / card.header).is_file():
        yield f"{where}: {folder} has no {card.header} (there: {', '.join(found) or 'none'})"
    elif not card.header and len(found) != 1:
        yield (
            f"{where}: {folder} has {len(found)} headers ({', '.join(found) or 'none'}); name the "
            f"one that declares {card.registration} with header:"
        )


def _sources(folder: Path) -> Path:
    return folder / "src" if (folder / "src").is_dir() else folder


def _headers(folder: Path) -> list[str]:
    return sorted(path.name for path in _sources(folder).glob("*.h"))
