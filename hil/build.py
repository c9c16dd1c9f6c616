"""Compiling a sketch for a board with arduino-cli: recipe in, firmware out, cached by content.

Two caches, both per user. `cache/firmware/KEY` holds finished firmware; the key covers everything
that the image depends on, so a hit needs no compiler. `cache/build/NAME` is arduino-cli's build
path, shared by all models of one board and TFLM: a new model recompiles its own file and relinks.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hil import arduino
from hil.compile import Linked, compile_sketch
from hil.errors import ProductError
from hil.firmware import (
    Firmware,
    TflmInfo,
    image_digest,
    intact,
    load_firmware,
    read_sections,
    seal,
)
from hil.fitting import SMALLEST, Tried, fit
from hil.image_ops import extra_ops, registered_ops
from hil.image_parts import Layout, image_parts
from hil.paths import cache_dir
from hil.recipe import Recipe, facts_of, generated_files, key_of, recipe
from hil.setup.files import locked, new_folder, write_atomic

__all__ = ["Recipe", "build", "recipe"]


def build(wanted: Recipe) -> Firmware:
    """The firmware of a recipe, compiled unless an earlier run left it.

    Raises:
        ProductError: ``flash_overflow`` or ``ram_overflow``, with the bytes needed and there.
        SetupError: ``build_failed`` with the compiler's first error, ``toolchain_missing``.
    """
    facts = facts_of(wanted)
    key = key_of(facts)
    folder = cache_dir() / "firmware" / key[:32]
    found = _built(folder)
    if found is not None:
        return found
    with locked(f"build-{wanted.build_path.name}"):
        return _built(folder) or _compile(wanted, facts, key[:16], folder)


def _built(folder: Path) -> Firmware | None:
    """What an earlier build left, if it is whole: a damaged image would be the model's fault."""
    return load_firmware(folder) if intact(folder) else None


def _compile(wanted: Recipe, facts: Mapping[str, Any], build_id: str, folder: Path) -> Firmware:
    """Compiles, and links again until the arena takes all RAM that the rest of the image leaves.

    How much that is shows only in a linked image. The size that fitted the model before is tried
    first: for the next model of the same board it nearly always fits at once. A sketch without
    such an arena takes the same RAM whatever is asked for: there is nothing to fit.
    """
    guess = wanted.build_path / "arena.txt"

    def link(arena: int) -> Tried[Linked]:
        return _link(wanted, generated_files(wanted, build_id, arena))

    fitted = fit(link, _read_number(guess, SMALLEST), fixed=wanted.fixed_arena)
    if fitted is None:
        raise AssertionError(f"the arena of {wanted.board.id} does not settle")
    if fitted.arena is not None:
        write_atomic(guess, str(fitted.arena))
    return _keep(wanted, facts, build_id, folder, fitted.image)


def _link(wanted: Recipe, files: Mapping[str, str]) -> Tried[Linked]:
    """One image, or how much RAM it lacks."""
    try:
        linked = compile_sketch(wanted, files)
    except ProductError as error:
        probe = f"#define HIL_ARENA_BYTES {SMALLEST}\n" in files["hil_config.h"]
        if error.code != "ram_overflow" or wanted.fixed_arena or probe:
            raise
        return Tried(-int(error.numbers["over"]), 0, None)
    return Tried(wanted.board.ram - wanted.board.ram_reserve - linked.ram, linked.ram, linked)


def _read_number(path: Path, default: int) -> int:
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return default


def _keep(
    wanted: Recipe,
    facts: Mapping[str, Any],
    build_id: str,
    folder: Path,
    linked: Linked,
) -> Firmware:
    """Puts the artefacts into the cache in one step and describes them."""
    name = f"{wanted.sketch.name}.ino"
    with new_folder(folder) as work:
        for artefact in (wanted.build_path / "out").glob(f"{name}.*"):
            shutil.copy2(artefact, work / artefact.name)
        sections = read_sections(work / f"{name}.elf")
        layout = Layout(wanted.build_path / "out", wanted.tflm.library.name)
        parts = image_parts(work / f"{name}.elf", work / f"{name}.map", layout)
        firmware = Firmware(
            board=wanted.board.id,
            fqbn=str(facts["fqbn"]),
            sketch=wanted.sketch.name,
            model_sha256=wanted.model.sha256,
            model_crc32=wanted.model.crc32,
            build_id=build_id,
            digest=image_digest(work / f"{name}.elf"),
            folder=folder,
            elf=folder / f"{name}.elf",
            flash=linked.flash,
            data=sections.data,
            bss=sections.bss,
            ram=linked.ram,
            model=len(wanted.model.data),
            arena_cap=sections.arena,
            extra_ops=extra_ops(
                registered_ops(work / f"{name}.elf"),
                (opcode for opcode, _ in wanted.model.op_versions()),
            ),
            flash_parts=parts.flash,
            ram_parts=parts.ram,
            compiler=str(facts["compiler"]),
            flags=_flags(wanted),
            tflm=TflmInfo(
                wanted.tflm.source, wanted.tflm.version, wanted.tflm.digest, wanted.tflm.kernels
            ),
        )
        (work / "firmware.json").write_text(json.dumps(firmware.to_json(), indent=1))
        seal(work)
    return firmware


def _flags(wanted: Recipe) -> str:
    flags = arduino.properties(wanted.board, wanted.sketch).get("compiler.cpp.flags", "")
    return " ".join(word for word in flags.split() if "prefix-map" not in word)
