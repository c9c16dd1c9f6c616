"""Models that the board cannot run, told from the file, by the linker or by the device."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import tflite
from provoke import ROOT, compiled, with_activations, with_schema, write_model

from hil.errors import ProductError
from hil.inventory import Board
from hil.model import Model, load_model
from hil.trial import Trial

Make = Callable[..., Trial]


@pytest.fixture
def untouched(nano: Board, run: Path) -> Iterator[Board]:
    """A board of its own that a test must not switch on."""
    board = nano.model_copy(update={"port": str(run / "ports" / "untouched")})
    yield board
    assert not (run / "boards" / "untouched").exists()


def fails_before_building(it: Trial, code: str, monkeypatch: pytest.MonkeyPatch) -> ProductError:
    monkeypatch.setattr("hil.build.build", lambda *_: pytest.fail("something was built"))
    with pytest.raises(ProductError) as caught:
        it.parity()
    assert caught.value.code == code
    assert it.record.verdict == "fail"
    assert it.record.firmware is None
    return caught.value


def test_an_op_version_that_the_tree_lacks_is_missing_op(
    attempt: Make, untouched: Board, negatives: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    it = attempt(untouched, model=load_model(negatives / "mean_v2"))
    error = fails_before_building(it, "missing_op", monkeypatch)
    assert (error.numbers["op"], error.numbers["version"]) == ("MEAN", 2)
    assert error.numbers["known"] == [1, 1]


def test_a_per_channel_dense_layer_is_unsupported_quantisation(
    attempt: Make, untouched: Board, negatives: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    it = attempt(untouched, model=load_model(negatives / "per_channel_dense"))
    error = fails_before_building(it, "unsupported_quantisation", monkeypatch)
    assert error.numbers["operator"] == 0


@pytest.mark.parametrize(
    ("number", "numbers"),
    [
        (tflite.TensorType.INT16, {"op": "FULLY_CONNECTED", "operator": 0}),
        (tflite.TensorType.FLOAT32, {"op": "FULLY_CONNECTED", "operator": 0}),
        (tflite.TensorType.FLOAT16, {"type": "float16", "tensors": 4}),
    ],
    ids=["int16", "hybrid", "float16"],
)
def test_activations_without_a_kernel_are_unsupported_type(
    attempt: Make,
    untouched: Board,
    hello: Model,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    number: int,
    numbers: dict[str, object],
) -> None:
    folder = write_model(tmp_path / "odd", with_activations(hello.data, number))
    it = attempt(untouched, model=load_model(folder))
    error = fails_before_building(it, "unsupported_type", monkeypatch)
    assert numbers.items() <= error.numbers.items()


def test_a_model_that_the_flash_does_not_hold_is_flash_overflow(
    attempt: Make, untouched: Board, nano: Board, hello: Model, tmp_path: Path
) -> None:
    padding = nano.flash - len(hello.data)
    folder = write_model(tmp_path / "long", hello.data + bytes(padding))
    it = attempt(untouched, model=load_model(folder))
    with pytest.raises(ProductError) as caught:
        it.parity()
    assert caught.value.code == "flash_overflow"
    numbers = caught.value.numbers
    assert (numbers["limit"], numbers["model"]) == (nano.flash, len(hello.data) + padding)
    assert numbers["needed"] - numbers["limit"] == numbers["over"]
    assert abs(numbers["needed"] - compiled(nano, hello).flash - padding) < 64


def test_a_limit_of_the_bench_below_the_cores_is_flash_overflow(
    attempt: Make, untouched: Board, nano: Board, hello: Model
) -> None:
    needed = compiled(nano, hello).flash
    it = attempt(untouched.model_copy(update={"flash": needed - 1}))
    with pytest.raises(ProductError) as caught:
        it.parity()
    assert caught.value.code == "flash_overflow"
    assert (caught.value.numbers["needed"], caught.value.numbers["over"]) == (needed, 1)


def test_an_arena_that_the_ram_does_not_hold_is_ram_overflow(
    attempt: Make, untouched: Board, nano: Board, hello: Model
) -> None:
    it = attempt(untouched, HIL_ARENA_BYTES=300_000)
    with pytest.raises(ProductError) as caught:
        it.parity()
    assert caught.value.code == "ram_overflow"
    numbers = caught.value.numbers
    assert numbers["limit"] == nano.ram
    assert numbers["needed"] - numbers["limit"] == numbers["over"]
    honest = compiled(nano, hello)
    assert abs(numbers["needed"] - (honest.ram - honest.arena_cap + 300_000)) < 64


def test_another_schema_version_is_schema_mismatch(
    attempt: Make, either: Board, hello: Model, tmp_path: Path
) -> None:
    vectors = ROOT / "models" / "hello_sine" / "vectors.npz"
    folder = write_model(tmp_path / "schema_99", with_schema(hello.data, 99), vectors)
    it = attempt(either, model=load_model(folder))
    with pytest.raises(ProductError) as caught:
        it.parity()
    assert caught.value.code == "schema_mismatch"
    assert caught.value.numbers == {"model": 99, "supported": 3}
    assert it.record.verdict == "fail"


def test_firmware_without_the_models_op_is_missing_op(attempt: Make, nano: Board) -> None:
    it = attempt(nano, "OPLESS")
    with pytest.raises(ProductError) as caught:
        it.load()
    assert caught.value.code == "missing_op"
    version = it.model.ops[0].version
    assert (caught.value.numbers["index"], caught.value.numbers["version"]) == (0, version)
