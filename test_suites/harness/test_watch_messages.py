"""Ops of a run looked at one by one, over a line that loses and damages."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tflite
from hypothesis import given
from hypothesis import strategies as st
from scripted_board import ScriptedBoard, plus_one

from hil import messages as m
from hil.device import Device
from hil.errors import BenchError, HilError
from hil.tensors import OpSpec
from hil.watch import CannotWatch, Watch, opcode_number, whole_ops

INPUT = np.full((1, 100), 3, np.int8)
CRC = zlib.crc32(INPUT.tobytes())
OPS = tuple(OpSpec(i, "ADD", 1, (i,), (i + 1,)) for i in range(5))


def board(ops: int = 5) -> ScriptedBoard:
    made = ScriptedBoard()
    made.ops = [(tflite.BuiltinOperator.ADD, plus_one)] * ops
    return made


def device(of: ScriptedBoard) -> Device:
    return Device("mem://board", opener=of.open, clock=of.clock, board="nano", model="m")


def after(ops: int) -> bytes:
    return (INPUT + ops).tobytes()


def refuse(reply: m.Message) -> Callable[[Any], m.Message]:
    return lambda _: reply


@pytest.mark.parametrize("room", [1, 2, 5, 64])
def test_every_op_is_seen_whatever_the_table_holds(room: int) -> None:
    of = board()
    of.room = room
    with device(of) as it:
        run = Watch(it, OPS, [[INPUT]]).run()
    assert [op.crcs for op in run.ops] == [(zlib.crc32(after(n + 1)),) for n in range(5)]
    assert [op.ticks for op in run.ops] == [93, 94, 95, 96, 97]
    assert (run.output_crc, run.empty_ticks) == (zlib.crc32(after(5)), 7)
    assert sum(isinstance(r, m.Watch) for r in of.requests) == -(-5 // room)


def test_one_output_comes_back_and_the_run_stops_there() -> None:
    of = board()
    with device(of) as it:
        assert Watch(it, OPS, [[INPUT]]).output(2, 0, 100) == after(3)
    assert [r.stop_after for r in of.requests if isinstance(r, m.Watch)] == [2]
    assert of.invoked == 0


def test_earlier_inputs_are_run_first_on_the_same_load() -> None:
    of = board()
    with device(of) as it:
        Watch(it, OPS, [[INPUT], [INPUT], [INPUT]], arena_size=4096).run()
    loads = [r for r in of.requests if isinstance(r, m.Load)]
    assert loads == [m.Load(4096, 0, m.LOAD_WATCHED)]
    assert sum(isinstance(r, m.Watch) for r in of.requests) == 3


def test_times_are_of_one_load_and_ask_for_no_crc() -> None:
    of = board()
    with device(of) as it:
        runs = Watch(it, OPS, [[INPUT]]).times(3)
    assert [[op.ticks for op in run.ops] for run in runs] == [[93, 94, 95, 96, 97]] * 3
    watched = [r for r in of.requests if isinstance(r, m.Watch)]
    assert [r.crcs for r in watched] == [0] * 4
    assert sum(isinstance(r, m.Load) for r in of.requests) == 1


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (m.Loaded(m.Status.CANNOT_WATCH, 0, 0, 0, 0, 0), "no watch"),
        (m.Watched(0, CRC, 0, 0, 4, 4, 0), "ran 4 ops, .* has 5"),
    ],
)
def test_what_cannot_be_watched_is_said(reply: m.Message, words: str) -> None:
    of = board()
    request = m.Load if isinstance(reply, m.Loaded) else m.Watch
    of.on[request] = refuse(reply)
    with device(of) as it, pytest.raises(CannotWatch, match=words):
        Watch(it, OPS, [[INPUT]]).run()


def test_a_table_without_room_for_an_op_ends_the_search() -> None:
    of = board()
    of.room = 0
    with device(of) as it, pytest.raises(CannotWatch, match="no room for op 0"):
        Watch(it, OPS, [[INPUT]]).run()


def test_other_ops_than_the_models_are_told() -> None:
    of = board()
    of.ops[3] = (tflite.BuiltinOperator.SOFTMAX, plus_one)
    with device(of) as it, pytest.raises(CannotWatch, match="op 3 of code 25"):
        Watch(it, OPS, [[INPUT]]).run()


@pytest.mark.parametrize(
    ("request_", "reply"),
    [
        (m.Watch, m.Watched(m.Status.NOT_LOADED, 0, 0, 0, 0, 0, 0)),
        (m.Watch, m.Watched(m.Status.INPUT_CRC, 1, 0, 0, 0, 0, 0)),
        (m.Watch, m.Watched(0, CRC ^ 1, 0, 0, 5, 5, 0)),
        (m.AskOps, m.Ops(m.Status.WRONG_LOAD)),
        (m.Tap, m.Tapped(m.Status.WRONG_LOAD, 0, 0, b"")),
        (m.Tap, m.Tapped(0, 99, 0, bytes(99))),
        (m.Tap, m.Tapped(0, 100, 0, bytes(100))),
    ],
)
def test_a_refusal_or_other_bytes_are_the_wire(request_: type[m.Message], reply: m.Message) -> None:
    of = board()
    of.on[request_] = refuse(reply)
    with device(of) as it, pytest.raises(BenchError) as caught:
        Watch(it, OPS, [[INPUT]]).output(2, 0, 100)
    assert caught.value.code == "wire"


def test_firmware_that_does_not_know_the_request_speaks_another_protocol() -> None:
    of = board()
    of.on[m.Watch] = refuse(m.Nak(m.Refusal.UNKNOWN))
    with device(of) as it, pytest.raises(BenchError) as caught:
        Watch(it, OPS, [[INPUT]]).run()
    assert caught.value.code == "protocol_version"


def test_a_watched_load_gives_no_inference() -> None:
    of = board()
    with device(of) as it:
        Watch(it, OPS, [[INPUT]]).output(2, 0, 100)
        it.loaded, it.inputs, it.outputs = None, (of.tensor,), (of.tensor,)
        with pytest.raises(BenchError, match="INVOKE was refused: WRONG_LOAD"):
            it.infer([INPUT])
        it.load()
        np.testing.assert_array_equal(it.infer([INPUT]).outputs[0], INPUT + 1)


@given(st.lists(st.sampled_from(["ok", "lost", "doubled"]), max_size=40))
def test_spoiled_frames_change_no_crc(script: list[str]) -> None:
    kinds = {"ok": bytes, "lost": lambda raw: b"", "doubled": lambda raw: raw + raw}
    steps = iter(script)
    of = board(2)
    of.spoil_request = of.spoil_reply = lambda raw: kinds[next(steps, "ok")](raw)
    try:
        with device(of) as it:
            run = Watch(it, OPS[:2], [[INPUT]]).run()
    except HilError as error:
        assert error.code in ("wire", "no_answer")  # noqa: PT017
        return
    assert [op.crcs for op in run.ops] == [(zlib.crc32(after(n)),) for n in (1, 2)]


def test_ops_with_several_outputs_and_with_none() -> None:
    ops = [OpSpec(0, "SPLIT", 1, (0,), (1, 2)), OpSpec(1, "CUSTOM:spin", 1, (1,), ())]
    seen = [m.SeenOutput(0, 49, 30, 1), m.SeenOutput(0, 49, 30, 2), m.SeenOutput(1, 32, 3, 0)]
    assert [(op.ticks, op.crcs) for op in whole_ops(seen, ops, 5)] == [(25, (1, 2)), (0, ())]
    assert len(whole_ops(seen[:1], ops, 5)) == 0
    assert len(whole_ops(seen[:2], ops, 5)) == 1


@pytest.mark.parametrize(
    ("opcode", "number"), [("CONV_2D", 3), ("SOFTMAX", 25), ("CUSTOM:x", 32), ("BUILTIN_999", 999)]
)
def test_op_names_have_the_schemas_numbers(opcode: str, number: int) -> None:
    assert opcode_number(opcode) == number
