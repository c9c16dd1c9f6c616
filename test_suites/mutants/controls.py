"""The rigs without their faults: on each of them the suites pass, or a kill would prove nothing."""

from __future__ import annotations

from collections.abc import Callable

from lie_kinds import lie
from reference_kinds import engine
from sketch_kinds import FLOAT, Fault, sketch
from stage import NANO, Stage
from wire_kinds import line


def image(stage: Stage) -> None:
    """The honest image, copied and put in its own place."""
    stage.use("hello_sine")
    honest = stage.firmware()
    copy = stage.variant(honest, honest.elf.read_bytes())
    stage.builds(copy)
    stage.put(copy, honest)


CONTROLS: dict[str, Callable[[Stage], None]] = {
    "image": image,
    "sketch": sketch(Fault.NONE),
    "sketch_of_floats": sketch(Fault.NONE, model=FLOAT, board=NANO),
    "line": line(lambda data: data, lambda data: data),
    "frames": lie(lambda: lambda frame: frame),
    "engine": engine("honest"),
}
