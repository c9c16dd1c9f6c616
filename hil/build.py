"""Compiling a sketch for a board with arduino-cli: recipe in, firmware out, cached by content.

Two caches, both per user. `cache/firmware/KEY` holds finished firmware; the key covers everything
that the image depends on, so a hit needs no compiler. `cache/build/NAME` is arduino-cli's build
path, shared by all models of one board and TFLM: a new model recompiles its own file and relinks.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hil import arduino
from hil.errors import ProductError, SetupError
from hil.firmware import Firmware, TflmInfo, load_firmware, read_sections
from hil.inventory import Board
from hil.model import Model
from hil.paths import cache_dir, sketches_dir
from hil.setup.files import locked, new_folder, tree_digest, write_atomic
from hil.sketch import config_file, model_files, ops_file, stage
from hil.tflm import TflmSource, resolve_tflm

COMPILE_S = 1800.0
"""Time limit of one compile: the newest TFLM with CMSIS-NN took 6 minutes on 2 cores."""

_PROBE_ARENA = 1024
_MAX_LINKS = 6
_SLACK = 32  # alignment of the arena takes up to 15 bytes, its granularity another 16
_OVERFLOW = re.compile(r"region [`'\"]?([\w.]+)['\"]? overflowed by (\d+) bytes")
_FLASH_REGION = re.compile(r"flash|rom|text", re.IGNORECASE)


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


def build(wanted: Recipe) -> Firmware:
    """The firmware of a recipe, compiled unless an earlier run left it.

    Raises:
        ProductError: ``flash_overflow`` or ``ram_overflow``, with the bytes needed and there.
        SetupError: ``build_failed`` with the compiler's first error, ``toolchain_missing``.
    """
    facts = _facts(wanted)
    key = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
    folder = cache_dir() / "firmware" / key[:32]
    found = load_firmware(folder)
    if found is not None:
        return found
    with locked(f"build-{_build_path(wanted).name}"):
        return load_firmware(folder) or _compile(wanted, facts, key[:16], folder)


def _facts(wanted: Recipe) -> dict[str, Any]:
    """What the image depends on, as values that are the same from any checkout path."""
    properties = arduino.properties(wanted.board, wanted.sketch)
    platform = Path(properties["runtime.platform.path"])
    bundled = wanted.board.arduino == "bundled"
    return {
        "fqbn": wanted.board.full_fqbn,
        "board": wanted.board.id,
        "ram": wanted.board.ram,
        "flash": wanted.board.flash,
        "ram_reserve": wanted.board.ram_reserve,
        "platform": tree_digest(platform) if bundled else platform.name + properties["version"],
        "compiler": _compiler(properties),
        "arduino_cli": arduino.version(),
        "tflm": wanted.tflm.digest,
        "tflm_version": wanted.tflm.version,
        "library": tree_digest(_device_library()),
        "sketch": tree_digest(wanted.sketch),
        "model": wanted.model.sha256,
        "ops": ops_file(wanted.model, wanted.tflm),
        "defines": wanted.macros,
    }


def _device_library() -> Path:
    return sketches_dir() / "libraries" / "HilDevice"


def _compiler(properties: Mapping[str, str]) -> str:
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


def _build_path(wanted: Recipe) -> Path:
    """One build path for all models of a board, TFLM, sketch and checkout."""
    parts = [wanted.board.full_fqbn, wanted.tflm.digest, str(wanted.sketch.resolve())]
    name = hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]
    return cache_dir() / "build" / f"{wanted.board.fqbn.split(':')[2]}-{name}"


def _compile(wanted: Recipe, facts: Mapping[str, Any], build_id: str, folder: Path) -> Firmware:
    """Compiles, and links again until the arena takes all RAM that the rest of the image leaves.

    How much that is shows only in a linked image. The size that fitted the model before is tried
    first: for the next model of the same board it nearly always fits at once. A sketch without
    such an arena takes the same RAM whatever is asked for: there is nothing to fit.
    """
    path = _build_path(wanted)
    guess = path / "arena.txt"
    arena = _read_number(guess, _PROBE_ARENA)
    fits, before = False, None
    for _ in range(_MAX_LINKS):
        left, linked = _link(wanted, path, _files(wanted, build_id, arena))
        fits = linked is not None and 0 <= left < _SLACK
        if linked is not None and (fits or wanted.fixed_arena or linked.ram == before):
            break
        before = linked.ram if linked else None
        arena = max(_PROBE_ARENA, (arena + left) & ~15)
    else:
        raise AssertionError(f"the arena of {wanted.board.id} does not settle: {arena}, {left}")
    if fits and not wanted.fixed_arena:
        write_atomic(guess, str(arena))
    return _keep(wanted, facts, build_id, folder, path, linked)


def _link(wanted: Recipe, path: Path, files: Mapping[str, str]) -> tuple[int, _Linked | None]:
    """Bytes of RAM that an image leaves (negative: lacks, and there is none)."""
    try:
        linked = _arduino_compile(wanted, path, files)
    except ProductError as error:
        probe = f"#define HIL_ARENA_BYTES {_PROBE_ARENA}\n" in files["hil_config.h"]
        if error.code != "ram_overflow" or wanted.fixed_arena or probe:
            raise
        return -int(error.numbers["over"]), None
    return wanted.board.ram - wanted.board.ram_reserve - linked.ram, linked


def _read_number(path: Path, default: int) -> int:
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return default


def _files(wanted: Recipe, build_id: str, arena: int) -> dict[str, str]:
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


@dataclass(frozen=True)
class _Linked:
    flash: int
    ram: int


def _arduino_compile(wanted: Recipe, path: Path, files: Mapping[str, str]) -> _Linked:
    staged = path / "sketch" / wanted.sketch.name
    stage(wanted.sketch, files, staged)
    arguments = ["compile", "--fqbn", wanted.board.full_fqbn, "--format", "json"]
    arguments += ["--build-path", str(path / "out"), "--warnings", "none", "--jobs", "0"]
    for library in (wanted.tflm.library, _device_library()):
        arguments += ["--library", str(library)]
    arguments += _prefix_maps(wanted)
    try:
        done = arduino.run(wanted.board, [*arguments, str(staged)], timeout=COMPILE_S)
    except subprocess.TimeoutExpired as error:
        message = f"arduino-cli compile ran longer than {COMPILE_S:.0f} s"
        raise SetupError("build_failed", message, board=wanted.board.id) from error
    answer = done.json()
    if not answer.get("success"):
        _raise_failed(wanted, answer, done)
    sizes = {s["name"]: s["size"] for s in answer["builder_result"]["executable_sections_size"]}
    _check_fits(wanted, int(sizes.get("text", 0)), int(sizes.get("data", 0)))
    return _Linked(int(sizes.get("text", 0)), int(sizes.get("data", 0)))


def _prefix_maps(wanted: Recipe) -> list[str]:
    """Library paths stay out of the image (``__FILE__`` of a failed check puts them there)."""
    maps = (
        f"-ffile-prefix-map={wanted.tflm.library}=tflm "
        f"-ffile-prefix-map={_device_library()}=HilDevice"
    )
    flags = ("compiler.cpp.extra_flags", "compiler.c.extra_flags")
    return [word for flag in flags for word in ("--build-property", f"{flag}={maps}")]


def _raise_failed(wanted: Recipe, answer: Mapping[str, Any], done: arduino.Ran) -> None:
    text = "\n".join([str(answer.get("compiler_err", "")), str(answer.get("error", "")), done.err])
    sections = (answer.get("builder_result") or {}).get("executable_sections_size") or []
    sizes = {section["name"]: int(section["size"]) for section in sections}
    _check_fits(wanted, sizes.get("text", 0), sizes.get("data", 0))
    overflow = _OVERFLOW.search(text)
    if overflow:
        _raise_overflow(wanted, _FLASH_REGION.search(overflow[1]) is not None, int(overflow[2]))
    raise SetupError(
        "build_failed",
        f"{wanted.sketch.name} does not compile for {wanted.board.full_fqbn}: "
        + _first_error(text),
        board=wanted.board.id,
        model=wanted.model.name,
        hint=f"the sketch with its generated files is in {_build_path(wanted) / 'sketch'}",
    )


def _first_error(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if re.search(r"error|undefined ref", line)]
    useful = [line for line in lines if "initializing instance" not in line]
    return useful[0] if useful else text.strip()[-300:] or "no message"


def _check_fits(wanted: Recipe, flash: int, ram: int) -> None:
    """Limits of boards.yaml, which may be tighter than the core's (a bootloader, an OTA slot)."""
    if flash > wanted.board.flash:
        _raise_overflow(wanted, True, flash - wanted.board.flash)
    if ram > wanted.board.ram:
        _raise_overflow(wanted, False, ram - wanted.board.ram)


def _raise_overflow(wanted: Recipe, is_flash: bool, over: int) -> None:
    limit = wanted.board.flash if is_flash else wanted.board.ram
    what = "flash" if is_flash else "RAM"
    numbers = {"needed": limit + over, "limit": limit, "over": over}
    if is_flash:
        numbers["model"] = len(wanted.model.data)
    raise ProductError(
        "flash_overflow" if is_flash else "ram_overflow",
        f"needs {limit + over:,} bytes of {what}, the part has {limit:,}: {over:,} too many",
        board=wanted.board.id,
        model=wanted.model.name,
        numbers=numbers,
        hint="take a smaller model or a larger part; nothing was flashed"
        if is_flash
        else "give the model a smaller arena or take a larger part; nothing was flashed",
    )


def _keep(
    wanted: Recipe,
    facts: Mapping[str, Any],
    build_id: str,
    folder: Path,
    path: Path,
    linked: _Linked,
) -> Firmware:
    """Puts the artefacts into the cache in one step and describes them."""
    name = f"{wanted.sketch.name}.ino"
    with new_folder(folder) as work:
        for artefact in (path / "out").glob(f"{name}.*"):
            shutil.copy2(artefact, work / artefact.name)
        sections = read_sections(work / f"{name}.elf")
        firmware = Firmware(
            board=wanted.board.id,
            fqbn=str(facts["fqbn"]),
            sketch=wanted.sketch.name,
            model_sha256=wanted.model.sha256,
            model_crc32=wanted.model.crc32,
            build_id=build_id,
            digest=hashlib.sha256((work / f"{name}.elf").read_bytes()).hexdigest(),
            folder=folder,
            elf=folder / f"{name}.elf",
            flash=linked.flash,
            data=sections.data,
            bss=sections.bss,
            ram=linked.ram,
            model=len(wanted.model.data),
            arena_cap=sections.arena,
            compiler=str(facts["compiler"]),
            flags=_flags(wanted),
            tflm=_tflm_info(wanted.tflm),
        )
        (work / "firmware.json").write_text(json.dumps(firmware.to_json(), indent=1))
    return firmware


def _flags(wanted: Recipe) -> str:
    flags = arduino.properties(wanted.board, wanted.sketch).get("compiler.cpp.flags", "")
    return " ".join(word for word in flags.split() if "prefix-map" not in word)


def _tflm_info(tflm: TflmSource) -> TflmInfo:
    return TflmInfo(tflm.source, tflm.version, tflm.digest, tflm.kernels)
