"""Flash of each kernel on each virtual board, from the link map of an image that has them all.

Writes hil/tables/kernel_sizes.json, which `hil check` forecasts flash from. To be run again when
the TFLM source, the virtual platform or its compiler flags change. In a cache of its own: an image
of all operators is no image of the model that it carries.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench import ROOT, print_table, virtual_boards
from build import tools_of
from elftools.elf.elffile import ELFFile

from hil.build import build, recipe
from hil.firmware import Firmware
from hil.image_parts import Layout, part_of
from hil.inventory import Board
from hil.linkmap import parse_map, shares
from hil.model import Model, OpSpec, load_model
from hil.paths import cache_dir
from hil.setup.files import write_atomic
from hil.tflm import TflmSource

TARGET = ROOT / "hil" / "tables" / "kernel_sizes.json"
_ALLOC = 0x2


def main() -> None:
    tables: list[dict[str, Any]] = []
    model = load_model(ROOT / "models" / "hello_sine")
    with tempfile.TemporaryDirectory(prefix="hil-kernels-") as fresh, virtual_boards() as boards:
        tools_of(cache_dir(), Path(fresh))
        if (cache_dir() / "ccache").is_dir():
            (Path(fresh) / "ccache").symlink_to(cache_dir() / "ccache")
        os.environ["HIL_CACHE"] = fresh
        for board in boards:
            tables.append(measure(board, model))
            sizes = [(name, f"{size:,}") for name, size in tables[-1]["sizes"].items()]
            print_table(("object", board.id), sizes)
    write_atomic(TARGET, json.dumps(tables, indent=1, sort_keys=True) + "\n")


def measure(board: Board, model: Model) -> dict[str, Any]:
    """The figures of one board: bytes of each kernel's object, and of all that is no kernel."""
    plain = recipe(board, model)
    tflm = plain.tflm
    ops = tuple(OpSpec(n, op, span[0] if span else 1, (), ())
                for n, (op, span) in enumerate(tflm.ops.items()))  # fmt: skip
    every = build(recipe(board, replace(model, ops=ops)))
    alone = build(plain)
    return {
        "tflm": tflm.digest,
        "fqbn": board.full_fqbn,
        "compiler": alone.compiler,
        "sizes": objects(every, Layout(plain.build_path / "out", tflm.library.name)),
        "objects": sources(tflm),
        "rest": alone.flash - alone.model - alone.flash_parts["kernels"],
        "harness": alone.flash_parts["hil_device"] + alone.flash_parts["sketch"],
        "static": board.ram - board.ram_reserve - alone.arena_cap,
    }


def objects(firmware: Firmware, layout: Layout) -> Mapping[str, int]:
    """Bytes of flash by object file of a kernel."""
    pieces = parse_map(firmware.elf.with_suffix(".map").read_text(errors="replace"))
    sizes: dict[str, int] = {}
    with firmware.elf.open("rb") as stream:
        for section in ELFFile(stream).iter_sections():
            loaded = section["sh_flags"] & _ALLOC and section["sh_type"] != "SHT_NOBITS"
            start, size = int(section["sh_addr"]), int(section["sh_size"])
            for share in shares(section.name, start, size, pieces) if loaded and size else ():
                if part_of(share.file, layout) == "kernels":
                    name = Path(share.file).name.split(".")[0]
                    sizes[name] = sizes.get(name, 0) + share.size
    return sizes


def sources(tflm: TflmSource) -> Mapping[str, str]:
    """Op to the object that has its kernel."""
    kernels = (tflm.library / "src" / "tensorflow" / "lite" / "micro" / "kernels").rglob("*.cpp")
    found: dict[str, str] = {}
    for path in sorted(kernels):
        for op in re.findall(r"Register_([A-Z0-9_]+)\(\) \{", path.read_text(errors="replace")):
            if op in tflm.ops:
                found.setdefault(op, path.stem)
    return found


if __name__ == "__main__":
    main()
