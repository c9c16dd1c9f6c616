"""Arena, flash and RAM of a model on a board, told before anything is built.

A forecast is a range with where it comes from, or there is none: a figure that rests on no
measurement is not made up. How far each was from the device is in docs/measurements.md.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from hil.arena_plan import align, need_2020
from hil.board import Board
from hil.host_arena import HostArena
from hil.model import Model
from hil.past_builds import PastBuilds
from hil.tflm import TflmSource

STEP = 16
"""Bytes: the step of the search on the device, and so the least error of an arena forecast."""

HOST_SHARE = (0.55, 0.95)
"""Of the tail that the 64-bit host keeps, what a 32-bit core keeps: a third to nearly all of it
are pointers."""

SHARED = (0, 2_600, 6_500)
"""Bytes of flash that kernels bring besides their own object: least, usual, most. Functions that
several kernels share are booked on one of them; expf and, without an FPU, its soft floats are the
C library's. 363 to 6,033 on 11 models and three boards (docs/measurements.md)."""

RESOLVER = 640
"""Bytes of RAM by which the op resolver of a model with many operators exceeds the table's."""

_TABLE = Path(__file__).parent / "tables" / "kernel_sizes.json"


@dataclass(frozen=True)
class Forecast:
    """A figure in bytes with its range, and in words what it rests on."""

    value: int
    low: int
    high: int
    basis: str


@dataclass(frozen=True)
class NoForecast:
    """Why there is no figure."""

    reason: str


def arena_forecast(
    model: Model, tflm: TflmSource, host: Callable[[], HostArena | None]
) -> Forecast | NoForecast:
    """The smallest arena that the model needs on a 32-bit core with this TFLM.

    ``host`` is asked for what TFLM on this host takes, where that is needed.

    The tree of 2020 is reckoned from the file; for later ones the host's own TFLM has planned the
    activations, and a share of what it keeps beside them is added.
    """
    own = [op.opcode for op in model.ops if op.opcode.startswith("CUSTOM:")]
    if own:
        return NoForecast(f"what {own[0].removeprefix('CUSTOM:')} asks for is not in the file")
    if tflm.era == "2020" and tflm.kernels == "reference":
        return _books_of_2020(model)
    known = host()
    if known is None:
        return NoForecast("TFLM on this host gives no figure for it")
    low, high = (align(known.head + int(known.tail * share)) for share in HOST_SHARE)
    basis = f"host TFLM {known.total:,} B, of which activations {known.head:,}"
    return Forecast((low + high) // 2 & -STEP, low, high, basis)


def _books_of_2020(model: Model) -> Forecast | NoForecast:
    try:
        need = need_2020(model)
    except ValueError as error:
        return NoForecast(str(error))
    return Forecast(need, need - STEP, need + STEP, "TFLM's own books, from the file")


def flash_forecast(
    model: Model, board: Board, tflm: TflmSource, built: PastBuilds
) -> Forecast | NoForecast:
    """The whole image: the model, the kernels of its operators, and the rest.

    An image with this model that lies in the cache is the figure itself. Kernels are those of the
    table; the rest is what this machine's own builds had, or the table's.
    """
    same = built.of(model.sha256)
    if same is not None:
        return Forecast(same.flash, same.flash, same.flash, f"built before ({same.build_id[:8]})")
    table = kernel_table(board, tflm)
    if table is None:
        return _bracket(model, built)
    objects = {table["objects"].get(op, "") for op, _ in model.op_versions()}
    if "" in objects:
        return NoForecast("the size of an operator that this TFLM lacks is not known")
    kernels = sum(table["sizes"].get(name, 0) for name in objects)
    grown = (built.harness or table["harness"]) - table["harness"]
    least = len(model.data) + kernels + table["rest"] + grown
    low, usual, high = (least + shared for shared in SHARED)
    return Forecast(usual, low, high, "kernels as measured from the link map")


def _bracket(model: Model, built: PastBuilds) -> Forecast | NoForecast:
    """Without a table of kernels: what other models' images had beside their model."""
    sizes = [firmware.flash - firmware.model for firmware in built.firmware]
    if not sizes:
        return NoForecast("nothing was built for this board and TFLM yet; `hil build` tells")
    low, high = (len(model.data) + size for size in (min(sizes), max(sizes)))
    return Forecast((low + high) // 2, low, high, f"{len(sizes)} images of other models")


def arena_room(board: Board, tflm: TflmSource, built: PastBuilds) -> Forecast:
    """RAM that the rest of the image leaves for the arena; the upper end if nothing is known."""
    whole = board.ram - board.ram_reserve
    table = kernel_table(board, tflm)
    static = built.static
    if table is not None:
        own = (table["static"], table["static"] + RESOLVER)
        static = (min(own[0], static[0]), max(own[1], static[1])) if static else own
    if static is None:
        return Forecast(whole, 0, whole, "all RAM; what the image itself takes is not known")
    low, high = whole - static[1], whole - static[0]
    return Forecast(low, low, high, "what images of this board leave")


def kernel_table(board: Board, tflm: TflmSource) -> Mapping[str, Any] | None:
    """Measured sizes of the kernels on this board and TFLM; None where they were not measured."""
    wanted = (tflm.digest, board.full_fqbn)
    return next((t for t in _tables() if (t["tflm"], t["fqbn"]) == wanted), None)


@cache
def _tables() -> list[Mapping[str, Any]]:
    tables: list[Mapping[str, Any]] = json.loads(_TABLE.read_text())
    return tables
