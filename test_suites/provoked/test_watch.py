"""Single ops on the boards: a watched load is no inference, and a plain one cannot be watched."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from provoke import ROOT

from hil import messages as m
from hil.inventory import Board
from hil.model import load_model
from hil.trial import Trial
from hil.trial.diverging import equal_outputs
from hil.watch import CannotWatch, Watch

Make = Callable[..., Trial]


def test_a_watched_load_and_a_plain_one_refuse_each_others_requests(
    attempt: Make, nano: Board
) -> None:
    it = attempt(nano)
    vector = it.vectors()[0]
    device = it.load()
    plain = device.infer(vector.inputs)
    crc = device.put(vector.inputs)
    line = device.line
    assert line.work(m.Watch(crc), m.Watched).status == m.Status.WRONG_LOAD
    assert line.ask(m.AskOps(), m.Ops) == m.Ops(m.Status.WRONG_LOAD)
    assert line.ask(m.Tap(0, 0, 1), m.Tapped).status == m.Status.WRONG_LOAD

    device.load(it.given_arena, flags=m.LOAD_WATCHED)
    crc = device.put(vector.inputs)
    assert line.work(m.Invoke(crc), m.Invoked).status == m.Status.WRONG_LOAD
    assert line.ask(m.Read(0, 0, 1), m.Bytes).status == m.Status.WRONG_LOAD
    assert line.ask(m.Tap(0, 0, 1), m.Tapped).status == m.Status.WRONG_LOAD  # nothing ran yet
    assert line.work(m.Watch(crc ^ 1), m.Watched).status == m.Status.INPUT_CRC
    whole = line.work(m.Watch(crc), m.Watched)
    assert (whole.status, whole.output_crc, whole.ops) == (0, plain.output_crc, 3)

    stopped = line.work(m.Watch(device.put(vector.inputs), stop_after=1), m.Watched)
    assert (stopped.status, stopped.output_crc, stopped.ops) == (0, 0, 2)
    assert line.ask(m.Tap(0, 0, 16), m.Tapped).total == 16
    assert line.ask(m.Tap(0, 1, 16), m.Tapped).status == m.Status.BAD_ARG
    assert line.ask(m.Tap(1, 0, 1), m.Tapped).status == m.Status.BAD_ARG
    assert line.ask(m.Read(0, 0, 1), m.Bytes).status == m.Status.WRONG_LOAD
    nowhere = line.work(m.Watch(device.put(vector.inputs), stop_after=3), m.Watched)
    assert nowhere.status == m.Status.BAD_ARG

    assert device.load(it.given_arena).status == 0
    assert device.infer(vector.inputs).output_crc == plain.output_crc
    assert line.work(m.Load(0, 0, 2), m.Loaded).status == m.Status.BAD_ARG


def test_a_watched_load_takes_no_more_arena(attempt: Make, any_board: Board) -> None:
    it = attempt(any_board)
    needed = it.memory()
    device = it.device()
    watched = device.load(needed, flags=m.LOAD_WATCHED)
    assert device.load(needed).arena_used == watched.arena_used


def test_a_watch_that_is_too_small_is_said(attempt: Make, nano: Board) -> None:
    it = attempt(nano, "UNWATCHED")
    device = it.load()
    watch = Watch(device, it.model.ops, [it.vectors()[0].inputs], it.given_arena)
    with pytest.raises(CannotWatch):
        watch.run()
    device.load(it.given_arena)
    assert it.infer(it.vectors()[0].inputs).outputs


@pytest.mark.parametrize(
    "name", ["hello_sine", "gesture", "air_quality_anomaly", "bearing_fault", "keyword_spotting"]
)
def test_every_op_of_an_int8_model_gives_what_the_host_says(any_board: Board, name: str) -> None:
    with Trial(any_board, load_model(ROOT / "models" / name)) as it:
        assert it.expected().oracle.oracle == "tflm"
        run = it.watch(0).run()
        equal = equal_outputs(it.model, it.op_outputs(0), run)
        assert len(equal) == len(it.model.ops)
        assert all(all(same) and same for same in equal), equal
        assert run.output_crc == it.infer(it.vectors()[0].inputs).output_crc


def test_ops_take_the_time_of_the_inference(attempt: Make, any_board: Board) -> None:
    it = attempt(any_board, model=load_model(ROOT / "models" / "keyword_spotting"))
    profile = it.profile()
    assert [op.opcode for op in profile.ops] == [op.opcode for op in it.model.ops]
    assert 0.999 < profile.covered <= 1
    assert profile.unit == "instructions"
    dense = profile.ops[10]
    assert (dense.macs, dense.elements) == (80, 4)
    assert all(0.005 < op.macs_per_instruction < 1 for op in profile.ops if op.macs_per_instruction)
    assert [op.op for op in it.record.profile] == list(range(12))
    assert it.record.profiled is not None
    latency = it.latency()
    assert latency.median == pytest.approx(profile.whole, abs=5)
