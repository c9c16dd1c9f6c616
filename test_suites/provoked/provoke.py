"""How faults are made: sketches, and bytes of a model or of an image changed on purpose."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import tflite
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection

from hil import build as building
from hil.build import build
from hil.firmware import Firmware
from hil.inventory import Board
from hil.model import Model

ROOT = Path(__file__).resolve().parents[2]
FAULTY = Path(__file__).parent / "sketches" / "faulty_runner"
FAULTS = {
    "": 0,
    "FLIPPED": 1,
    "COUNTING": 2,
    "UNWRITTEN": 3,
    "CHOSEN": 4,
    "OPLESS": 5,
    "TASKED": 6,
    "SILENT": 7,
    "FLOODING": 8,
    "UNWATCHED": 9,
}
"""What the faulty sketch can do wrong; nothing is the honest sketch."""

_VERSION_SLOT, _TYPE_SLOT = 4, 6  # vtable offsets of Model.version and Tensor.type


# -- firmware


def faulty(fault: str) -> tuple[str | Path, dict[str, str | int]]:
    """The sketch of a fault and its macros."""
    return (FAULTY, {"FAULT": FAULTS[fault]}) if fault else ("hil_runner", {})


def compiled(board: Board, model: Model, fault: str = "", **defines: int) -> Firmware:
    """A firmware, honest or faulty."""
    sketch, macros = faulty(fault)
    return build(building.recipe(board, model, sketch=sketch, defines={**macros, **defines}))


# -- models


def with_schema(data: bytes, version: int) -> bytes:
    """The model with another schema version."""
    table = tflite.Model.GetRootAs(data)._tab
    return _put(data, table.Pos + table.Offset(_VERSION_SLOT), version.to_bytes(4, "little"))


def with_activations(data: bytes, number: int) -> bytes:
    """The model with every int8 activation declared of another type (a TensorType number)."""
    model = tflite.Model.GetRootAs(data)
    graph = model.Subgraphs(0)
    for index in range(graph.TensorsLength()):
        tensor = graph.Tensors(index)
        if (
            tensor.Type() == tflite.TensorType.INT8
            and not model.Buffers(tensor.Buffer()).DataLength()
        ):
            place = tensor._tab.Pos + tensor._tab.Offset(_TYPE_SLOT)
            data = _put(data, place, bytes([number]))
    return data


def weight_offset(data: bytes) -> int:
    """Where in the file the first int8 weight lies."""
    model = tflite.Model.GetRootAs(data)
    graph = model.Subgraphs(0)
    for index in range(graph.TensorsLength()):
        buffer = model.Buffers(graph.Tensors(index).Buffer())
        if graph.Tensors(index).Type() == tflite.TensorType.INT8 and buffer.DataLength():
            return int(buffer._tab.Vector(buffer._tab.Offset(4)))
    raise AssertionError("the model has no int8 weights")


def _put(data: bytes, at: int, what: bytes) -> bytes:
    return data[:at] + what + data[at + len(what) :]


def write_model(folder: Path, data: bytes, vectors: Path | None = None, extra: str = "") -> Path:
    """A model's folder around ``data``; ``extra`` are lines of its model.yaml."""
    folder.mkdir(parents=True)
    (folder / "model.tflite").write_bytes(data)
    (folder / "model.yaml").write_text(f"name: {folder.name}\n{extra}")
    if vectors:
        (folder / "vectors.npz").write_bytes(vectors.read_bytes())
    return folder


# -- images


def with_flipped_weight(firmware: Firmware, model: Model, folder: Path) -> Firmware:
    """The same image, same build id, with one bit of one weight flipped."""
    folder.mkdir(parents=True)
    image = bytearray(firmware.elf.read_bytes())
    start = image.find(model.data)
    assert start >= 0
    assert image.find(model.data, start + 1) < 0
    image[start + weight_offset(model.data)] ^= 0x10
    elf = folder / firmware.elf.name
    elf.write_bytes(bytes(image))
    return replace(firmware, folder=folder, elf=elf)


def function_at(elf: Path, address: int) -> str:
    """Name (mangled) of the function in the image that ``address`` lies in; "" if none."""
    with elf.open("rb") as stream:
        for section in ELFFile(stream).iter_sections():
            if isinstance(section, SymbolTableSection):
                for symbol in section.iter_symbols():
                    start = symbol["st_value"] & ~1
                    is_function = symbol["st_info"]["type"] == "STT_FUNC"
                    if is_function and start <= address < start + symbol["st_size"]:
                        return str(symbol.name)
    return ""
