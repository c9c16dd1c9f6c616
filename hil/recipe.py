"""What a firmware is made of: board, model, TFLM, sketch, options; and the key of all that."""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hil import arduino
from hil.custom_ops import custom_kernels
from hil.errors import SetupError
from hil.inventory import Board
from hil.model import Model
from hil.paths import cache_dir, sketches_dir
from hil.setup.files import tree_digest
from hil.sketch import config_file, model_files, ops_file
from hil.tflm import TflmSource, resolve_tflm


@dataclass(frozen=True)
class Recipe:
    """Everything that decides what an image is. ``defines`` are the sketch options of this build,
    on top of the board's own; ``arena_bytes`` fixes the arena, None takes all RAM that is left."""

    board: Board
    model: Model
    tflm: TflmSource
    sketch: Path
    defines: Mapping[str, str] = field(default_factory=dict)

    @property
    def macros(self) -> dict[str, str]:
        given = {**self.board.defines, **self.defines}
        return {key: str(value) for key, value in given.items()}

    @property
    def build_path(self) -> Path:
        """arduino-cli's build path: one for all models of a board, TFLM, sketch and checkout."""
        parts = [self.board.full_fqbn, self.tflm.digest, str(self.sketch.resolve())]
        name = hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]
        return cache_dir() / "build" / f"{self.board.fqbn.split(':')[2]}-{name}"

    @property
    def fixed_arena(self) -> bool:
        return "HIL_ARENA_BYTES" in self.macros


def recipe(
    board: Board,
    model: Model,
    *,
    sketch: str | Path = "hil_runner",
    defines: Mapping[str, str | int] | None = None,
) -> Recipe:
    """The recipe of a reference sketch by name, or of a user's own sketch by its folder.

    Raises:
        SetupError: the TFLM source or the sketch is missing.
    """
    folder = sketches_dir() / sketch if isinstance(sketch, str) else sketch
    if not (folder / f"{folder.name}.ino").is_file():
        raise SetupError(
            "build_failed",
            f"{folder}: no {folder.name}.ino in it",
            board=board.id,
            hint="name a sketch of sketches/ or a folder with a sketch of its own name",
        )
    texts = {key: str(value) for key, value in (defines or {}).items()}
    return Recipe(board, model, resolve_tflm(board.tflm), folder, texts)


def facts_of(wanted: Recipe) -> dict[str, Any]:
    """What the image depends on, as values that are the same from any checkout path."""
    properties = arduino.properties(wanted.board, wanted.sketch)
    platform = Path(properties["runtime.platform.path"])
    bundled = wanted.board.arduino == "bundled"
    own = {kernel.name: tree_digest(kernel.library) for kernel in custom_kernels(wanted.model)}
    return {
        **({"custom_ops": own} if own else {}),
        "fqbn": wanted.board.full_fqbn,
        "board": wanted.board.id,
        "ram": wanted.board.ram,
        "flash": wanted.board.flash,
        "ram_reserve": wanted.board.ram_reserve,
        "platform": tree_digest(platform) if bundled else platform.name + properties["version"],
        "compiler": compiler_of(properties),
        "arduino_cli": arduino.version(),
        "tflm": wanted.tflm.digest,
        "library": tree_digest(device_library()),
        "sketch": tree_digest(wanted.sketch),
        "files": generated_files(wanted, build_id="", arena=0),
    }


def libraries(wanted: Recipe) -> dict[str, Path]:
    """The Arduino libraries of a build, by a name that is the same on every machine: TFLM, the
    device half, those of custom operators."""
    own = {kernel.library.name: kernel.library for kernel in custom_kernels(wanted.model)}
    return {**own, "tflm": wanted.tflm.library, "HilDevice": device_library()}


def device_library() -> Path:
    """The device half of the harness, as an Arduino library."""
    return sketches_dir() / "libraries" / "HilDevice"


def compiler_of(properties: Mapping[str, str]) -> str:
    """What the board's C++ compiler says of itself, such as "arm-none-eabi-g++ … 12.2.1"."""
    words = properties.get("recipe.cpp.o.pattern", "").replace('"', "").split()
    program = next((word for word in words if word.endswith("g++")), "")
    if program not in _compilers:
        command = [program or "false", "--version"]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
            _compilers[program] = (done.stdout.splitlines() or ["unknown"])[0]
        except OSError:
            _compilers[program] = "unknown"
    return _compilers[program]


_compilers: dict[str, str] = {}


def key_of(facts: Mapping[str, Any]) -> str:
    """64 hex digits over all facts; the first 16 are the build id that the device repeats."""
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def generated_files(wanted: Recipe, build_id: str, arena: int) -> dict[str, str]:
    """The files that go beside the sketch, by name."""
    texts = {
        "HIL_BUILD_ID": build_id,
        "HIL_BOARD": wanted.board.id,
        "HIL_TFLM": wanted.tflm.version,
        "HIL_KERNELS": wanted.tflm.kernels,
        "HIL_FLAGS": wanted.board.full_fqbn,
    }
    macros = {"HIL_ARENA_BYTES": str(arena), "HIL_COMPILER": '"gcc " __VERSION__', **wanted.macros}
    return {
        **model_files(wanted.model),
        "hil_ops.h": ops_file(wanted.model, wanted.tflm),
        "hil_config.h": config_file(wanted.tflm, texts, macros),
    }
