"""One run of arduino-cli compile: sizes of the image, or why there is none."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hil import arduino
from hil.errors import ProductError, SetupError
from hil.recipe import Recipe, libraries
from hil.sketch import stage

COMPILE_S = 1800.0
"""Time limit of one compile: the newest TFLM with CMSIS-NN took 6 minutes on 2 cores."""

_OVERFLOW = re.compile(r"region [`'\"]?([\w.]+)['\"]? overflowed by (\d+) bytes")
_MAP = re.compile(r"-Wl,(?:\S*,)?--?Map[=,]")
_FLASH_REGION = re.compile(r"flash|rom|text", re.IGNORECASE)


@dataclass(frozen=True)
class Linked:
    """Bytes of flash and RAM that an image takes, as arduino-cli counts them."""

    flash: int
    ram: int


def compile_sketch(wanted: Recipe, files: Mapping[str, str]) -> Linked:
    """Compiles and links the recipe with these generated files.

    Raises:
        ProductError: flash_overflow, ram_overflow. SetupError: build_failed.
    """
    path = wanted.build_path
    staged = path / "sketch" / wanted.sketch.name
    stage(wanted.sketch, files, staged)
    arguments = ["compile", "--fqbn", wanted.board.full_fqbn, "--format", "json"]
    arguments += ["--build-path", str(path / "out"), "--warnings", "none", "--jobs", "0"]
    for library in libraries(wanted).values():
        arguments += ["--library", str(library)]
    arguments += _prefix_maps(wanted) + _link_map(wanted)
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
    return Linked(int(sizes.get("text", 0)), int(sizes.get("data", 0)))


def _prefix_maps(wanted: Recipe) -> list[str]:
    """Library paths stay out of the image (``__FILE__`` of a failed check puts them there)."""
    maps = " ".join(
        f'"-ffile-prefix-map={folder}={name}"' for name, folder in libraries(wanted).items()
    )
    flags = ("compiler.cpp.extra_flags", "compiler.c.extra_flags")
    return [word for flag in flags for word in ("--build-property", f"{flag}={maps}")]


def _link_map(wanted: Recipe) -> list[str]:
    """Asks the linker for a map where the core does not; most cores do (`hil.image_parts`)."""
    step = "recipe.c.combine.pattern"
    command = arduino.properties(wanted.board, wanted.sketch).get(step, "")
    linker = command.replace('"', "").split(maxsplit=1)[:1]
    if _MAP.search(command) or not linker or not linker[0].endswith(("gcc", "g++")):
        return []
    pattern = arduino.pattern(wanted.board, wanted.sketch, step)
    wish = '"-Wl,-Map={build.path}/{build.project_name}.map"'
    return ["--build-property", f"{step}={pattern} {wish}"] if pattern else []


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
        hint=f"the sketch with its generated files is in {wanted.build_path / 'sketch'}",
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
