"""Mutants of what lies in flash: bits of the model, other builds, other models, other boards."""

from __future__ import annotations

from collections.abc import Callable

from mutant import Mutant, group
from provoke import weight_offset
from sketch_kinds import SKETCH
from stage import Stage

from hil.firmware import Firmware
from hil.flash import upload
from hil.model import load_model

Make = Callable[[Stage], None]


def flipped(offset: Callable[[bytes], int], mask: int) -> Make:
    """One bit of the model in the image; the build stays what it says it is."""

    def make(stage: Stage) -> None:
        stage.use("hello_sine")
        honest, data = stage.firmware(), stage.model.data
        image = bytearray(honest.elf.read_bytes())
        image[_only(image, data) + offset(data)] ^= mask
        spoiled = stage.variant(honest, bytes(image))
        stage.builds(spoiled)
        stage.put(spoiled, honest)

    return make


def _only(image: bytes, part: bytes) -> int:
    """Where ``part`` lies in the image, if in one place only."""
    start = image.find(part)
    assert start >= 0
    assert image.find(part, start + 1) < 0
    return start


def left(firmware: Callable[[Stage], Firmware]) -> Make:
    """Another firmware is on the board, and the run may not flash."""

    def make(stage: Stage) -> None:
        stage.use("hello_sine")
        stage.put(firmware(stage), stage.firmware(), ids=True)
        stage.arguments.append("--no-flash")

    return make


def renamed(place: int) -> Callable[[Stage], Firmware]:
    """The honest image with one character of its build id changed."""

    def make(stage: Stage) -> Firmware:
        honest = stage.firmware()
        return stage.variant(honest, _patched(honest, honest.build_id, place))

    return make


def nameless(stage: Stage) -> Firmware:
    """The honest image, which keeps its build id to itself."""
    honest = stage.firmware()
    image = bytearray(honest.elf.read_bytes())
    image[_only(bytes(image), honest.build_id.encode() + b"\0")] = 0
    return stage.variant(honest, bytes(image))


def _patched(firmware: Firmware, text: str, place: int) -> bytes:
    image = bytearray(firmware.elf.read_bytes())
    at = _only(image, text.encode() + b"\0") + place
    image[at] = ord("0") if image[at] != ord("0") else ord("1")
    return bytes(image)


def kept_image(stage: Stage) -> None:
    """An upload that says it succeeded, and the old image stays."""
    stage.use("hello_sine")
    honest = stage.firmware()
    spoiled = stage.variant(honest, _patched(honest, honest.build_id, 5))
    stage.builds(spoiled)
    stage.put(spoiled, honest, ids=True)


def of_model(name: str) -> Callable[[Stage], Firmware]:
    """The firmware of another model of the bench."""

    def make(stage: Stage) -> Firmware:
        wanted = stage.model
        stage.use(name)
        other = stage.firmware()
        stage.model = wanted
        return other

    return make


def of_other_weights(stage: Stage) -> Firmware:
    """The firmware of the same network after another training: one weight differs."""
    wanted = stage.model
    at = weight_offset(wanted.data)
    data = wanted.data[:at] + bytes([wanted.data[at] ^ 1]) + wanted.data[at + 1 :]
    folder = stage.folder / "trained"
    folder.mkdir()
    (folder / "other.tflite").write_bytes(data)
    stage.model = load_model(folder / "other.tflite")
    other = stage.firmware()
    stage.model = wanted
    return other


def of_board(place: int) -> Callable[[Stage], Firmware]:
    """Firmware that says it is for another board."""

    def make(stage: Stage) -> Firmware:
        honest = stage.firmware()
        other = stage.variant(honest, _patched(honest, honest.build_id, 0))
        return stage.variant(other, _patched(other, stage.board.id, place))

    return make


def on_pico(stage: Stage) -> None:
    """The board behind the port is a Pico, with its own firmware."""
    stage.use("hello_sine")
    nano, honest = stage.board, stage.firmware()
    before = stage.worker.honest(nano, stage.model, honest)
    stage.board = stage.worker.board("virtual-pico")
    upload(stage.board, stage.firmware())
    stage.board = nano.model_copy(update={"port": stage.board.port})
    stage.look(before, ids=True)
    stage.arguments.append("--no-flash")


MUTANTS: list[Mutant] = [
    *group(
        "flipped_weight",
        ("first_lowest_bit", "model_corrupt", flipped(weight_offset, 0x01)),
        ("first_sign", "model_corrupt", flipped(weight_offset, 0x80)),
        ("hundredth", "model_corrupt", flipped(lambda data: weight_offset(data) + 100, 0x10)),
        ("last_byte_of_the_file", "model_corrupt", flipped(lambda data: len(data) - 1, 0x01)),
        ("in_the_middle", "model_corrupt", flipped(lambda data: len(data) // 2, 0x04)),
    ),
    *group(
        "stale_build",
        ("one_digit_of_the_id", "stale_firmware", left(renamed(0))),
        ("last_digit_of_the_id", "stale_firmware", left(renamed(15))),
        ("other_options", "stale_firmware", left(lambda s: s.firmware(HIL_OF_YESTERDAY=1))),
        ("other_sketch", "stale_firmware", left(lambda s: s.firmware(SKETCH))),
        ("without_an_id", "stale_firmware", left(nameless)),
        ("upload_that_changes_nothing", "stale_firmware", kept_image),
    ),
    *group(
        "other_model",
        *(
            (name, "wrong_model", left(of_model(name)))
            for name in ("gesture", "hello_sine_float", "air_quality_anomaly", "bearing_fault")
        ),
        ("other_weights", "wrong_model", left(of_other_weights)),
    ),
    *group(
        "other_board",
        *((f"letter_{at}", "wrong_board", left(of_board(at))) for at in (0, 8, 12, 16)),
        ("pico_at_its_port", "wrong_board", on_pico),
    ),
]
