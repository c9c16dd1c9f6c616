"""Answers that are wrong: parity, nondeterministic and model_corrupt."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from provoke import compiled, with_flipped_weight

from hil.errors import ProductError
from hil.flash import open_device
from hil.inventory import Board
from hil.model import Model
from hil.trial import Trial

VECTORS = 10

Make = Callable[..., Trial]


def test_honest_firmware_passes(attempt: Make, nano: Board) -> None:
    parity = attempt(nano).parity()
    assert (parity.elements, parity.mismatches, parity.max_lsb) == (VECTORS, 0, 0)


def test_one_bit_of_the_output_is_parity(attempt: Make, either: Board) -> None:
    it = attempt(either, "FLIPPED")
    with pytest.raises(ProductError) as caught:
        it.parity()
    assert caught.value.code == "parity"
    numbers = caught.value.numbers
    assert (numbers["elements"], numbers["mismatches"], numbers["max_lsb"]) == (10, 10, 1)
    assert it.record.verdict == "fail"
    assert [f.code for f in it.record.findings] == ["parity"]
    assert it.record.parity["tflm"].mismatches == VECTORS


def test_a_kernel_that_keeps_state_is_nondeterministic(attempt: Make, nano: Board) -> None:
    it = attempt(nano, "COUNTING")
    with pytest.raises(ProductError) as caught:
        it.parity()
    # The first run of the first vector adds nothing: one of ten answers is right by accident.
    assert [f.code for f in it.record.findings] == ["parity", "nondeterministic"]
    assert it.record.findings[0].numbers["mismatches"] == VECTORS - 1
    assert it.record.findings[1].numbers == {"differing": 2 * VECTORS, "repeated": 2 * VECTORS}
    assert caught.value.code == "parity"


def test_memory_never_written_is_nondeterministic_though_the_first_answers_fit(
    attempt: Make, nano: Board
) -> None:
    it = attempt(nano, "UNWRITTEN")
    with pytest.raises(ProductError) as caught:
        it.parity()
    assert caught.value.code == "nondeterministic"
    assert caught.value.numbers == {"differing": 2 * VECTORS, "repeated": 2 * VECTORS}
    assert it.record.parity["tflm"].mismatches == 0
    assert it.record.verdict == "fail"


def test_one_flipped_bit_of_a_weight_is_model_corrupt(
    nano: Board, hello: Model, tmp_path: Path
) -> None:
    honest = compiled(nano, hello)
    spoiled = with_flipped_weight(honest, hello, tmp_path / "image")
    with pytest.raises(ProductError) as caught:  # flashed, and asked again: the same
        open_device(nano, spoiled, hello.name)
    assert caught.value.code == "model_corrupt"
    numbers = caught.value.numbers
    assert numbers["build_id"] == numbers["expected_build_id"] == honest.build_id
    assert numbers["model_crc32"] != numbers["expected_model_crc32"] == hello.crc32
    with pytest.raises(ProductError) as left:
        open_device(nano, honest, hello.name, may_flash=False)
    assert left.value.code == "model_corrupt"
    flashed: list[bool] = []
    open_device(nano, honest, hello.name, on_flash=lambda: flashed.append(True)).close()
    assert flashed
