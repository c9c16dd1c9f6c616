"""Which TFLM a firmware is compiled with: the pinned crate, an installed library or a folder.

Versions do not tell the eras apart (two of them call themselves 2.4.0-ALPHA); files do:

======  ========================================================  ===========================
era     sign                                                      interpreter, per-channel dense
======  ========================================================  ===========================
2020    ``micro/micro_error_reporter.h`` is there                 five arguments, misread
2023    neither sign                                              four arguments, misread
2024    ``is_per_channel`` in ``micro/kernels/fully_connected*``   four arguments, known
======  ========================================================  ===========================

Standard library only: the set-up step stages the crate before any dependency is installed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from hil.errors import SetupError
from hil.setup import tflm_crate
from hil.setup.files import tree_digest

OpVersions = Mapping[str, tuple[int, int] | None]
"""Op (schema name or ``CUSTOM:<name>``) to its kernel's versions; None: the tree states none."""

_MICRO = Path("src/tensorflow/lite/micro")
_BUILTIN = re.compile(r"AddBuiltin\(\s*BuiltinOperator_(\w+)\s*,[^,;]*\(\)\s*([^;]*)\);")
_METHOD = re.compile(
    r"\b(Add\w+)\([^{;]*\)\s*\{\s*return\s+Add"
    r"(?:Builtin\(\s*(?:tflite::)?BuiltinOperator_(\w+)|Custom\(\s*\"(\w+)\")"
)


@dataclass(frozen=True)
class TflmSource:
    """One TFLM, as an Arduino library, and what has to be known of it before a build.

    Attributes:
        source: "crate", "installed" or "path".
        name: the Arduino library's own name.
        version: the library's version; the crate's says from when its TFLM is.
        digest: SHA-256 (64 hex digits) over the library's files, paths and bytes.
        era: "2020", "2023" or "2024", see the module's table.
        kernels: "reference" or "CMSIS-NN".
        library: the library's folder, for ``arduino-cli compile --library``.
        ops: the ops that it has.
        op_methods: op to the ``MicroMutableOpResolver`` method that adds it; empty where
            ops are added by ``AddBuiltin`` with their version range.
    """

    source: str
    name: str
    version: str
    digest: str
    era: str
    kernels: str
    library: Path
    ops: OpVersions = field(default_factory=dict)
    op_methods: Mapping[str, str] = field(default_factory=dict)


def stage_crate() -> TflmSource:
    """The pinned TFLM of June 2020 in the per-user cache; fetched and laid out on first use."""
    library = tflm_crate.stage()
    return _describe(library, "crate", version=tflm_crate.NAME, digest=tflm_crate.DIGEST)


def resolve_tflm(spec: str, user_libraries: Path | None = None) -> TflmSource:
    """The TFLM that ``spec`` names.

    Args:
        spec: "crate", "installed" (the one TFLM among the user's Arduino libraries),
            "installed:NAME", or the path of an Arduino library's folder.
        user_libraries: where Arduino libraries are installed; default ``~/Arduino/libraries``.

    Raises:
        SetupError: ``toolchain_missing`` if there is no such library, more than one, or if the
            folder holds no TFLM.
    """
    if spec == "crate":
        return stage_crate()
    kind, _, name = spec.partition(":")
    if kind == "installed":
        return _installed(name, user_libraries or Path.home() / "Arduino" / "libraries")
    folder = Path(spec).expanduser()
    if not _is_tflm(folder):
        raise _missing(
            f"{spec} is not an Arduino library that holds TFLM: it has no {_MICRO}",
            "name the folder that holds library.properties, or use crate or installed",
        )
    return _describe(folder.resolve(), "path")


def _installed(name: str, libraries: Path) -> TflmSource:
    known = {folder: _properties(folder).get("name", folder.name) for folder in _find(libraries)}
    found = [path for path, title in known.items() if name in ("", title, path.name)]
    if len(found) == 1:
        return _describe(found[0], "installed")
    listed = ", ".join(sorted(known.values())) or "none"
    wanted = f"named {name}" if name else "to choose from"
    raise _missing(
        f"{len(found)} TFLM libraries {wanted} in {libraries} (there: {listed})",
        "name one with tflm: installed:NAME; tflm: crate needs none, and "
        "arduino-cli lib install Chirale_TensorFLowLite installs one",
    )


def _find(libraries: Path) -> list[Path]:
    folders = sorted(libraries.iterdir()) if libraries.is_dir() else []
    return [folder for folder in folders if _is_tflm(folder)]


def _is_tflm(folder: Path) -> bool:
    return (folder / _MICRO / "micro_interpreter.h").is_file()


def _missing(message: str, hint: str) -> SetupError:
    return SetupError("toolchain_missing", message, hint=hint)


def _describe(
    library: Path, source: str, *, version: str | None = None, digest: str | None = None
) -> TflmSource:
    properties = _properties(library)
    ops, methods = _ops(library / _MICRO)
    return TflmSource(
        source=source,
        name=properties.get("name", library.name),
        version=version or properties.get("version", "unknown"),
        digest=digest or tree_digest(library),
        era=_era(library / _MICRO),
        kernels=_kernels(library / _MICRO / "kernels"),
        library=library,
        ops=ops,
        op_methods=methods,
    )


def _properties(library: Path) -> dict[str, str]:
    """The ``key=value`` lines of library.properties; empty if there is no such file."""
    path = library / "library.properties"
    lines = path.read_text(errors="replace").splitlines() if path.is_file() else []
    pairs = (line.partition("=") for line in lines if "=" in line and not line.startswith("#"))
    return {key.strip(): value.strip() for key, _, value in pairs}


def _era(micro: Path) -> str:
    if (micro / "micro_error_reporter.h").is_file():
        return "2020"
    dense = (micro / "kernels").rglob("fully_connected*")
    return "2024" if _mentions(dense, "is_per_channel") else "2023"


def _kernels(kernels: Path) -> str:
    return "CMSIS-NN" if _mentions(kernels.rglob("conv.c*"), "arm_nnfunctions.h") else "reference"


def _mentions(files: Iterable[Path], word: str) -> bool:
    return any(word in path.read_text(errors="replace") for path in files if path.is_file())


def _ops(micro: Path) -> tuple[OpVersions, Mapping[str, str]]:
    ranges: dict[str, tuple[int, int] | None] = {}
    for path in sorted(micro.rglob("all_ops_resolver.c*")):
        ranges.update(parse_op_table(path.read_text(errors="replace")))
    resolver = micro / "micro_mutable_op_resolver.h"
    text = resolver.read_text(errors="replace") if resolver.is_file() else ""
    methods = parse_mutable_resolver(text)
    return {**dict.fromkeys(methods), **ranges}, methods


def parse_op_table(text: str) -> dict[str, tuple[int, int]]:
    """Op to (lowest, highest) version, from the ``AddBuiltin`` lines of all_ops_resolver.cc.

    A registration without versions knows version 1 only; one number is the only version.
    """
    return {op: _range(arguments) for op, arguments in _BUILTIN.findall(text)}


def _range(arguments: str) -> tuple[int, int]:
    numbers = [int(n) for n in re.findall(r"\d+", re.sub(r"/\*.*?\*/", "", arguments))] or [1]
    return numbers[0], numbers[-1]


def parse_mutable_resolver(text: str) -> dict[str, str]:
    """Op to the method that adds it, from micro_mutable_op_resolver.h of newer eras.

    Custom ops that the tree knows are there as ``CUSTOM:<name>``.
    """
    found = _METHOD.findall(text)
    return {op or f"CUSTOM:{custom}": method for method, op, custom in found}
