"""Mutants of the firmware's conduct: where things lie, how long they take, how they end."""

from __future__ import annotations

from collections.abc import Callable

from mutant import Mutant, group
from sketch_kinds import SKETCH, Fault, sketch, with_words
from stage import Stage

from hil.arena import find_min_arena
from hil.device import Device
from hil.flash import upload
from hil.model import load_model

Make = Callable[[Stage], None]


def needed_by(stage: Stage) -> int:
    """Bytes of arena that the model needs on the board, searched on it."""
    upload(stage.board, stage.firmware())
    with Device(stage.board.port) as device:
        found = find_min_arena(device)
    assert found
    return found


def short_card(model: str, by: int) -> Make:
    """A product that gives the model fewer bytes of arena than it needs."""

    def make(stage: Stage) -> None:
        stage.use(model)
        before = stage.worker.honest(stage.board, stage.model, stage.firmware())
        given = needed_by(stage) - by
        card = stage.model.path.with_name("model.yaml")
        lines = [line for line in card.read_text().splitlines() if "arena_bytes: " not in line[:13]]
        card.write_text("\n".join([*lines, f"arena_bytes: {given}"]) + "\n")
        stage.model = load_model(card.parent)
        stage.look(before)

    return make


def short_image(by: int) -> Make:
    """An image whose arena is smaller than it should be, and says so."""

    def make(stage: Stage) -> None:
        stage.use("air_quality_anomaly")
        words = (Fault.ARENA_CAP, needed_by(stage) - by)
        honest = stage.firmware(SKETCH)
        spoiled = stage.variant(honest, with_words(honest.elf, words))
        stage.builds(spoiled)
        stage.put(spoiled, honest)

    return make


MUTANTS: list[Mutant] = [
    *group(
        "arena_short",
        ("by_16", "arena_overflow", short_card("hello_sine", 16)),
        ("by_16_of_floats", "arena_overflow", short_card("hello_sine_float", 16)),
        ("by_16_of_many", "arena_overflow", short_card("air_quality_anomaly", 16)),
        ("by_100", "arena_overflow", short_card("air_quality_anomaly", 100)),
        ("image_by_16", "arena_overflow", short_image(16)),
    ),
    *group(
        "odd_address",
        *((f"by_{n}", "model_misaligned", sketch(Fault.MODEL_AT, n)) for n in (1, 2, 3, 4, 8)),
        ("on_armv6m", "model_misaligned", sketch(Fault.MODEL_AT, 1, board="virtual-pico")),
    ),
    *group(
        "odd_arena",
        *((f"by_{n}", "arena_misaligned", sketch(Fault.ARENA_AT, n)) for n in (1, 2, 4, 8, 12)),
    ),
    *group(
        "slower",
        *((f"by_{n}_loops", "latency", sketch(Fault.WORK, n)) for n in
          (4_000, 5_000, 10_000, 100_000, 1_000_000)),
    ),
    *group(
        "clock_off",
        *((f"counts_{a}_for_{1 << b}", "clock", sketch(Fault.CLOCK_RATE, a, b)) for a, b in
          ((2, 0), (1, 1), (3, 0), (1034, 10), (41, 10))),
    ),
    *group(
        "clock_stopped",
        *((f"after_{n}_runs", "clock", sketch(Fault.CLOCK_STOPS, n)) for n in (0, 1, 3, 10, 25)),
    ),
    *group(
        "refusing_kernel",
        ("always", "unsupported_type", sketch(Fault.REFUSE)),
        *(
            (f"every_{n}", "unsupported_type", sketch(Fault.REFUSE, 0, 0, n))
            for n in (2, 7, 20, 33)
        ),
    ),
    *group(
        "crash",
        ("write_through_null", "crash", sketch(Fault.CRASH, 0)),
        ("stack_overflow", "crash", sketch(Fault.CRASH, 1)),
        ("undefined_instruction", "crash", sketch(Fault.CRASH, 2)),
        ("bus", "crash", sketch(Fault.CRASH, 3)),
        ("abort", "crash", sketch(Fault.CRASH, 4)),
        ("null_at_the_thirtieth", "crash", sketch(Fault.CRASH, 0, 0, 30)),
        ("undefined_on_armv6m", "crash", sketch(Fault.CRASH, 2, board="virtual-pico")),
    ),
    *group(
        "watchdog",
        ("always", "hang", sketch(Fault.CRASH, 5)),
        *((f"every_{n}", "hang", sketch(Fault.CRASH, 5, 0, n)) for n in (2, 5, 12, 30)),
    ),
]  # fmt: skip
