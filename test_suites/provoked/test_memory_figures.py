"""Stack and heap as the device tells them, on firmware that uses both in a known way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from provoke import compiled, write_model

from hil.arena_plan import tail_2020
from hil.device import Device
from hil.errors import BenchError, ProductError
from hil.flash import identity, open_device
from hil.inventory import Board
from hil.model import Model, load_model
from hil.trial import Trial

Make = Callable[..., Trial]
TOUCH_BOTTOM, USE_HEAP, HONEST = 8, 9, 100
"""What the faulty sketch does with an input byte (`chosen` in its source)."""


@pytest.fixture
def device(any_board: Board, hello: Model) -> Iterator[Device]:
    firmware = compiled(any_board, hello, "CHOSEN")
    open_device(any_board, firmware, hello.name).close()
    with Device(any_board.port, expect=identity(firmware), board=any_board.id) as opened:
        opened.reset()
        opened.load()
        yield opened


def infer(device: Device, what: int) -> None:
    device.infer([np.full((1, 1), what, np.int8)])


def test_a_repaint_forgets_what_was_used_before(device: Device) -> None:
    infer(device, TOUCH_BOTTOM)
    assert (whole := device.stats(repaint=True)).stack_used == whole.stack_size
    infer(device, HONEST)
    again = device.stats()
    assert again.stack_size == whole.stack_size
    assert 200 < again.stack_used < whole.stack_size // 2


def test_the_mark_stays_where_the_deepest_call_left_it(device: Device) -> None:
    device.stats(repaint=True)
    asked = device.stats().stack_used
    infer(device, HONEST)
    deepest = device.stats().stack_used
    assert deepest > asked
    device.ping()
    assert device.stats().stack_used == deepest


def test_the_heap_says_what_is_held_and_what_was_held_at_most(device: Device) -> None:
    before = device.stats()
    infer(device, USE_HEAP)
    after = device.stats()
    assert 500 <= after.heap_used - before.heap_used < 600
    assert after.heap_peak >= 3000
    infer(device, USE_HEAP)
    assert device.stats().heap_used == after.heap_used


def test_the_parts_of_an_image_add_up_to_what_arduino_cli_counts(
    any_board: Board, hello: Model
) -> None:
    firmware = compiled(any_board, hello)
    assert sum(firmware.flash_parts.values()) == firmware.flash
    assert sum(firmware.ram_parts.values()) == firmware.ram
    assert firmware.flash_parts["model"] == firmware.model
    assert firmware.ram_parts["arena"] == firmware.arena_cap
    assert all(firmware.flash_parts[part] > 500 for part in ("kernels", "runtime", "hil_device"))
    assert firmware.flash_parts["other"] < firmware.flash // 100
    assert firmware.ram_parts["other"] < 64


def test_the_rest_of_the_arena_is_what_tflm_of_2020_keeps(
    attempt: Make, any_board: Board, hello: Model
) -> None:
    it = attempt(any_board)
    it.memory()
    seen = it.record.memory
    assert seen.arena_parts_forecast == {"activations": 32, "rest": tail_2020(hello)}
    assert sum(seen.arena_parts_forecast.values()) == seen.arena_used


def with_inputs(hello: Model, folder: Path, values: list[int], card: str = "") -> Model:
    """hello_sine with other vectors, and lines of model.yaml."""
    vectors = folder / "vectors.npz"
    np.savez(vectors, input_0=np.array(values, np.int8).reshape(-1, 1, 1))
    return load_model(write_model(folder / "other", hello.data, vectors, card))


def test_a_stack_used_to_its_last_byte_is_over_any_budget(
    attempt: Make, any_board: Board, hello: Model, tmp_path: Path
) -> None:
    it = attempt(any_board, "CHOSEN", model=with_inputs(hello, tmp_path, [TOUCH_BOTTOM, HONEST]))
    with pytest.raises(ProductError) as caught:
        it.memory()
    assert caught.value.code == "stack_over_budget"
    size = it.record.memory.stack_size
    assert caught.value.numbers == {"used": size, "budget": size}
    assert it.record.verdict == "fail"


def test_a_budget_that_cannot_be_judged_is_told(
    attempt: Make, either: Board, hello: Model, tmp_path: Path
) -> None:
    limited = with_inputs(hello, tmp_path, [HONEST], "budgets: {stack_bytes: 4096}\n")
    it = attempt(either, "TASKED", model=limited)
    with pytest.raises(BenchError) as caught:
        it.memory()
    assert (caught.value.code, caught.value.numbers) == ("stack_unknown", {"budget": 4096})
    assert (it.record.memory.stack_used, it.record.memory.stack_size) == (None, None)
    assert it.record.memory.heap_used == 0
    assert it.record.verdict == "bench_fault"
