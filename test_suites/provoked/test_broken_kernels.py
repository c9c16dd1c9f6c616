"""A kernel that is broken on purpose: the op is named, and what stands in the way is said."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from provoke import ROOT

from hil.errors import ProductError
from hil.inventory import Board
from hil.model import Model, load_model
from hil.trial import Settings, Trial
from hil.virtual import control
from hil.virtual.places import Place
from hil.watch import opcode_number

BROKEN = Path(__file__).parent / "sketches" / "broken_runner"

Break = Callable[..., Trial]


@pytest.fixture
def broken() -> Iterator[Break]:
    """``broken(board, model, op)``: a trial of a model whose op number ``op`` is broken."""
    opened: list[Trial] = []

    def make(board: Board, model: Model, op: int, **defines: int) -> Trial:
        wrong = model.ops[op]
        places = {"BROKEN_OP": opcode_number(wrong.opcode), "BROKEN_TENSOR": wrong.outputs[0]}
        settings = Settings(defines={**places, **defines})
        opened.append(Trial(board, model, settings, BROKEN))
        return opened[-1]

    yield make
    for each in opened:
        each.close()


def failed(it: Trial) -> ProductError:
    with pytest.raises(ProductError) as caught:
        it.parity()
    assert caught.value.code == "parity"
    assert it.record.verdict == "fail"
    return caught.value


@pytest.mark.parametrize(
    ("name", "op", "opcode"),
    [
        ("gesture", 2, "CONV_2D"),
        ("keyword_spotting", 5, "DEPTHWISE_CONV_2D"),
        ("gesture", 6, "FULLY_CONNECTED"),
        ("gesture", 7, "SOFTMAX"),
        ("hello_sine_float", 1, "FULLY_CONNECTED"),
    ],
    ids=["conv", "depthwise", "dense", "softmax", "float"],
)
def test_the_broken_op_is_named(
    broken: Break, either: Board, name: str, op: int, opcode: str
) -> None:
    model = load_model(ROOT / "models" / name)
    assert model.ops[op].opcode == opcode
    it = broken(either, model, op)
    error = failed(it)
    tensor = model.ops[op].outputs[0]
    assert (error.numbers["op"], error.numbers["opcode"]) == (op, opcode)
    assert error.numbers["tensor"] == tensor
    assert f"op {op} {opcode}, output 0 (tensor {tensor}" in error.message

    found, spec = it.record.divergence, model.tensors[tensor]
    assert found is not None
    assert (found.op, found.opcode, found.output, found.tensor) == (op, opcode, 0, tensor)
    assert (found.name, found.dtype, tuple(found.shape)) == (spec.name, spec.dtype, spec.shape)
    assert (found.elements, found.mismatches) == (spec.elements, -(-spec.elements // 4))
    assert found.worst
    for worst in found.worst:
        assert worst.expected is not None
        assert worst.observed is not None
        assert worst.index[-1] % 4 == 0
        if spec.dtype == "int8":
            assert int(worst.expected) ^ 0x20 == int(worst.observed)
        else:
            assert worst.observed - worst.expected == pytest.approx(0.25, abs=1e-5)


def test_a_correct_float_model_blames_nobody(either: Board) -> None:
    with Trial(either, load_model(ROOT / "models" / "hello_sine_float")) as it:
        assert it.parity().ok
        for number in range(len(it.vectors())):
            found = it.divergence(number)
            assert found.op is None, found.text


def test_a_kernel_that_behaves_while_it_is_watched_is_not_named(
    broken: Break, nano: Board, hello: Model
) -> None:
    it = broken(nano, hello, 1, SHY=1)
    error = failed(it)
    assert "op" not in error.numbers
    found = it.record.divergence
    assert found is not None
    assert found.op is None
    assert "only where no op is watched" in found.reason


def test_firmware_without_a_watch_leaves_the_finding_as_it_is(
    broken: Break, nano: Board, hello: Model
) -> None:
    it = broken(nano, hello, 1, NO_WATCH=1)
    assert "op" not in failed(it).numbers
    assert it.record.divergence is not None
    assert "no watch" in it.record.divergence.reason
    assert it.infer(it.vectors()[0].inputs).outputs


def test_a_board_that_is_lost_in_the_search_leaves_the_finding_as_it_is(
    broken: Break, nano: Board, hello: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    it = broken(nano, hello, 1)
    look = it.watch

    def switch_off(number: int) -> object:
        made = look(number)
        control.stop(Place(Path(nano.port)))
        return made

    monkeypatch.setattr(it, "watch", switch_off)
    assert "op" not in failed(it).numbers
    found = it.record.divergence
    assert found is not None
    assert found.op is None
    assert found.reason.startswith("the search ended with ")
    assert [f.code for f in it.record.findings] == ["parity"]
    assert it.infer(it.vectors()[0].inputs).outputs
