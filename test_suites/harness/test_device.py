"""A device over a line that loses, damages and repeats; restarts, hangs and wrong firmware."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scripted_board import INFO, MODEL, ScriptedBoard

from hil import messages as m
from hil.arena import FLOOR, STEP, find_min_arena, same_answer, smallest
from hil.device import ArenaFixed, Device, Identity, NoRoom
from hil.errors import BenchError, HilError, ProductError
from hil.session import LOG_LIMIT, Log
from hil.wire import VERSION

EXPECT = Identity("0123456789abcdef", "nano", zlib.crc32(MODEL), len(MODEL))
CRASH = m.Crash(1, 5, pc=0x1234, lr=0x5678, cfsr=0x82, stack=(1, 2), text="assert: x > 0")


def device(board: ScriptedBoard, **changes: Any) -> Device:
    settings: dict[str, Any] = {"expect": EXPECT, "board": "nano", "model": "m", **changes}
    return Device("mem://board", opener=board.open, clock=board.clock, **settings)


def vector(value: int = 3) -> np.ndarray[Any, np.dtype[np.int8]]:
    return np.full((1, 100), value, np.int8)


def nth(number: int, change: Callable[[bytes], bytes]) -> Callable[[bytes], bytes]:
    """Changes the ``number``-th frame that passes, counted from 0."""
    seen = iter(range(10**6))
    return lambda raw: change(raw) if next(seen) == number else raw


def lost(raw: bytes) -> bytes:
    return b""


def flipped(raw: bytes) -> bytes:
    return raw[:5] + bytes([raw[5] ^ 0x40]) + raw[6:]


def doubled(raw: bytes) -> bytes:
    return raw + raw


def code_of(action: Callable[[], object]) -> str:
    with pytest.raises(HilError) as caught:
        action()
    return caught.value.code


# -- the plain way


def test_an_inference_comes_back_with_its_proofs() -> None:
    board = ScriptedBoard()
    with device(board) as it:
        loaded = it.load()
        reply = it.infer([vector()])
        assert it.tensors() == ((board.tensor,), (board.tensor,))
    assert loaded.arena_size == 65536
    np.testing.assert_array_equal(reply.outputs[0], vector(4))
    assert reply.outputs[0].dtype == np.int8
    assert (reply.block.ticks, reply.block.overhead, reply.resent) == (1268, 34, 0)
    assert (reply.block.each, reply.block.second_ns) == (1234, None)
    assert reply.input_crc == zlib.crc32(vector().tobytes())
    assert reply.output_crc == zlib.crc32(vector(4).tobytes())


@pytest.mark.parametrize("rx_max", [64, 100, 128, 256])
def test_no_frame_is_longer_than_the_board_takes(rx_max: int) -> None:
    board = ScriptedBoard(shape=(1, 700))
    board.info = replace(board.info, rx_max=rx_max)
    with device(board) as it:
        it.load()
        it.infer([np.full((1, 700), 7, np.int8)])
    assert board.longest <= rx_max
    assert board.longest > rx_max - 3


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        ([np.zeros((1, 100), np.float32)], r"input 0 is int8\[1, 100\], got float32"),
        ([np.zeros((100,), np.int8)], r"got int8\[100\]"),
        ([], "takes 1 inputs, got 0"),
    ],
)
def test_a_wrong_input_is_refused_before_anything_is_sent(
    inputs: list[np.ndarray[Any, Any]], words: str
) -> None:
    board = ScriptedBoard()
    with device(board) as it:
        it.load()
        sent = len(board.requests)
        with pytest.raises(ValueError, match=words):
            it.infer(inputs)
        assert len(board.requests) == sent


def test_inference_without_a_load_is_the_callers_fault() -> None:
    with device(ScriptedBoard()) as it, pytest.raises(ValueError, match="load"):
        it.infer([vector()])


def test_several_inferences_are_one_request_and_one_time() -> None:
    board = ScriptedBoard()
    board.invoke_s, board.second_ns = 0.01, lambda ticks: 40 * ticks
    with device(board) as it:
        it.load()
        block = it.infer([vector()], 10).block
    assert board.invoked == 1
    assert (block.invokes, block.net, block.each) == (10, 12340, 1234)
    assert block.second_ns == 40 * block.ticks
    assert block.host_s == pytest.approx(0.1, abs=0.005)


def test_a_model_that_is_still_the_same_is_still_loaded_after_its_proof() -> None:
    with device(ScriptedBoard()) as it:
        it.load()
        it.prove_model()
        np.testing.assert_array_equal(it.infer([vector()]).outputs[0], vector(4))


def test_a_model_that_changed_while_it_ran_is_model_corrupt() -> None:
    board = ScriptedBoard()
    with device(board) as it:
        it.load()
        good = board.info.model_crc
        board.info = replace(board.info, model_crc=good ^ 1)
        with pytest.raises(ProductError) as caught:
            it.prove_model()
    assert caught.value.code == "model_corrupt"
    assert caught.value.numbers["expected_model_crc32"] == good
    assert caught.value.numbers["model_crc32"] == good ^ 1


@pytest.mark.parametrize(
    ("cause", "code"),
    [
        (m.ResetCause.FAULT, "crash"),
        (m.ResetCause.WATCHDOG, "hang"),
        (m.ResetCause.PIN, "no_answer"),
    ],
)
def test_a_restart_before_the_proof_is_judged_by_its_cause(cause: m.ResetCause, code: str) -> None:
    board = ScriptedBoard()
    board.crash = CRASH
    with device(board) as it:
        it.load()
        board.restart(cause)
        assert code_of(it.prove_model) == code


@pytest.mark.parametrize(
    ("cause", "code"), [(m.ResetCause.FAULT, "crash"), (m.ResetCause.WATCHDOG, "hang")]
)
def test_safe_mode_is_told_as_what_it_came_of(cause: m.ResetCause, code: str) -> None:
    board = ScriptedBoard()
    board.crash = CRASH
    board.info = replace(board.info, model_len=0, model_crc=0, build_id="", reset_cause=cause)
    with pytest.raises(ProductError) as caught, device(board):
        pass
    assert caught.value.code == code
    assert caught.value.numbers["at_start"] is True


def test_firmware_without_a_model_that_did_not_crash_is_not_in_safe_mode() -> None:
    board = ScriptedBoard()
    board.info = replace(board.info, model_len=0, model_crc=0, build_id="")
    assert not board.info.safe_mode


def test_without_room_for_the_inputs_there_is_one_inference_at_a_time() -> None:
    board = ScriptedBoard()
    board.spare = False
    with device(board) as it:
        it.load()
        with pytest.raises(NoRoom):
            it.infer([vector()], 2)
        assert it.infer([vector()]).block.invokes == 1


def test_stats_ping_and_no_crash() -> None:
    board = ScriptedBoard()
    with device(board) as it:
        assert it.ping() == pytest.approx(0.001)
        assert it.stats().stack_used == m.UNKNOWN
        assert it.crash() is None


# -- a line that loses, damages and repeats


@pytest.mark.parametrize("spoil", [lost, flipped])
@pytest.mark.parametrize("way", ["spoil_reply", "spoil_request"])
@pytest.mark.parametrize("number", range(8))
def test_a_spoiled_frame_is_sent_again_and_changes_nothing(
    number: int, way: str, spoil: Callable[[bytes], bytes]
) -> None:
    board = ScriptedBoard()
    with device(board) as it:
        it.load()
        setattr(board, way, nth(number, spoil))
        reply = it.infer([vector()])
    np.testing.assert_array_equal(reply.outputs[0], vector(4))
    expected = 1 if number < 5 else 0  # an inference here is three writes, invoke, read
    assert (reply.resent, it.resent, board.invoked) == (expected, expected, 1)


@given(st.lists(st.sampled_from(["ok", "lost", "flipped", "doubled"]), min_size=10, max_size=60))
def test_any_mix_of_spoiled_frames_gives_the_answer_or_a_bench_fault(script: list[str]) -> None:
    kinds = {"ok": bytes, "lost": lost, "flipped": flipped, "doubled": doubled}
    steps = iter(script)
    board, code = ScriptedBoard(), ""
    with device(board) as it:
        it.load()
        board.spoil_request = board.spoil_reply = lambda raw: kinds[next(steps, "ok")](raw)
        try:
            reply = it.infer([vector()])
        except HilError as error:
            code = error.code
    if code:
        assert code in ("wire", "no_answer")
        return
    np.testing.assert_array_equal(reply.outputs[0], vector(4))
    assert board.invoked == 1


@pytest.mark.parametrize("way", ["spoil_reply", "spoil_request"])
def test_damage_for_good_is_the_wire(way: str) -> None:
    board = ScriptedBoard()
    with device(board) as it:
        it.load()
        setattr(board, way, flipped)
        with pytest.raises(BenchError) as caught:
            it.infer([vector()])
    assert caught.value.code == "wire"
    assert caught.value.numbers == {"resent": 4, "retries": 4}


def test_what_is_read_must_be_what_was_computed() -> None:
    board = ScriptedBoard()
    board.on[m.Read] = lambda r: m.Bytes(0, r.offset, bytes(r.length))
    with device(board) as it:
        it.load()
        assert code_of(lambda: it.infer([vector()])) == "wire"


def test_inputs_that_change_in_the_device_are_the_wire() -> None:
    board = ScriptedBoard()
    board.on[m.Write] = lambda w: m.Written(0, w.offset + len(w.data))
    with device(board) as it:
        it.load()
        assert code_of(lambda: it.infer([vector()])) == "wire"
    assert board.invoked == 0


def test_an_answer_to_other_inputs_is_no_answer() -> None:
    board = ScriptedBoard()
    board.on[m.Invoke] = lambda r: m.Invoked(0, r.input_crc ^ 1, 0, 1234)
    with device(board) as it:
        it.load()
        assert code_of(lambda: it.infer([vector()])) == "wire"


def test_a_hello_that_never_arrives_whole_is_the_wire() -> None:
    board = ScriptedBoard()
    board.spoil_request = flipped
    with pytest.raises(BenchError) as caught:
        device(board).__enter__()
    assert caught.value.code == "wire"


def test_a_hello_behind_half_a_frame_is_answered() -> None:
    board = ScriptedBoard()
    board.spoil_request = nth(0, lambda raw: b"half a frame\x07" + raw)
    with device(board) as it:
        it.ping()
        assert it.resent == 0


@pytest.mark.parametrize("junk", [b"\xfe\x80\x03", b"half a frame\x07", b"\0\0\0"])
def test_what_the_line_held_before_does_not_matter(junk: bytes) -> None:
    board = ScriptedBoard()
    with device(board) as it:
        board.spoil_reply = nth(0, lambda raw: junk + raw)
        it.ping()
        assert it.resent <= 1


def test_text_is_the_log_and_never_an_answer() -> None:
    board = ScriptedBoard()
    board.spoil_reply = nth(3, lambda raw: b"Didn't find op\r\n" + raw + b"and after\r\n")
    with device(board) as it:
        it.load()
        it.ping()
        assert "Didn't find op" in it.log
    assert "and after" in it.log
    assert it.resent == 0


def test_the_log_is_bounded_and_keeps_the_end() -> None:
    log = Log()
    for number in range(3000):
        log.add(f"line {number:05}: {'x' * 40}\n")
    assert len(str(log)) <= LOG_LIMIT
    assert str(log).endswith(f"line 02999: {'x' * 40}\n")


# -- who answers


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"model_crc": 1}, "model_corrupt"),
        ({"build_id": "other", "board": "pico"}, "wrong_board"),
        ({"build_id": "other", "board": "pico", "model_crc": 1}, "wrong_board"),
        ({"build_id": "other", "model_crc": 1}, "wrong_model"),
        ({"build_id": "other", "model_len": 1}, "wrong_model"),
        ({"build_id": "other"}, "stale_firmware"),
        ({"build_id": "", "model_crc": 1}, "wrong_model"),
        ({"build_id": "", "board": "pico"}, "wrong_board"),
    ],
)
def test_other_firmware_than_was_built_is_told_apart(changes: dict[str, Any], code: str) -> None:
    board = ScriptedBoard()
    board.info = replace(INFO, **changes)
    with pytest.raises(HilError) as caught:
        device(board).__enter__()
    assert caught.value.code == code
    assert (caught.value.board, caught.value.model) == ("nano", "m")
    assert caught.value.numbers["expected_model_crc32"] == zlib.crc32(MODEL)


@pytest.mark.parametrize("changes", [{}, {"build_id": ""}, {"build_id": "", "board": ""}])
def test_firmware_that_fits_is_taken(changes: dict[str, Any]) -> None:
    board = ScriptedBoard()
    board.info = replace(INFO, **changes)
    with device(board) as it:
        it.ping()


def test_firmware_that_was_found_has_to_state_its_build_id() -> None:
    board, found = ScriptedBoard(), replace(EXPECT, must_state=True)
    device(board, expect=found).__enter__().close()
    board.info = replace(INFO, build_id="")
    assert code_of(lambda: device(board, expect=found).__enter__()) == "stale_firmware"


def test_another_protocol_version_is_said() -> None:
    board = ScriptedBoard()
    board.version = VERSION + 1
    with pytest.raises(BenchError) as caught:
        device(board).__enter__()
    assert caught.value.code == "protocol_version"
    assert caught.value.numbers == {"device": VERSION + 1, "host": VERSION}


def test_silence_at_the_handshake_is_no_answer() -> None:
    board = ScriptedBoard()
    board.spoil_reply = lost
    assert code_of(lambda: device(board).__enter__()) == "no_answer"
    assert 10 <= board.now < 12


# -- refusals of LOAD and INVOKE


@pytest.mark.parametrize(
    ("status", "code", "numbers"),
    [
        (m.Status.SCHEMA_MISMATCH, "schema_mismatch", {"model": 3, "supported": 3}),
        (m.Status.ALLOCATE_FAILED, "arena_overflow", {"given": 4096, "cap": 65536}),
        (m.Status.ARENA_TOO_SMALL, "arena_overflow", {"given": 4096, "cap": 65536}),
        (m.Status.MISSING_OP, "missing_op", {"index": 2, "version": 5}),
        (m.Status.MODEL_MISALIGNED, "model_misaligned", {"address": 0x1000}),
        (m.Status.RESOLVER_FULL, "missing_op", {}),
        (m.Status.NOT_LOADED, "wire", {"status": 6}),
    ],
)
def test_a_refused_load_has_its_code(status: m.Status, code: str, numbers: dict[str, int]) -> None:
    board = ScriptedBoard()
    board.on[m.Load] = lambda _: m.Loaded(status, 0, 4096, 0, 0, 0, 2, 5)
    with device(board) as it, pytest.raises(HilError) as caught:
        it.load(4096)
    assert (caught.value.code, caught.value.numbers) == (code, numbers)


def test_an_arena_that_the_firmware_owns_has_one_size() -> None:
    board = ScriptedBoard()
    board.on[m.Load] = lambda _: m.Loaded(m.Status.BAD_ARG, 0, 8000, 0, 0, 0)
    with device(board) as it:
        for search in (lambda: it.load(4096), lambda: find_min_arena(it)):
            with pytest.raises(ArenaFixed, match="fixed at 8000 bytes"):
                search()


def test_a_kernel_that_refuses_quotes_the_log() -> None:
    board = ScriptedBoard()

    def refuse(_: m.Message) -> m.Message:
        board.say("Type UINT8 (3) not supported.\r\n")
        return m.Invoked(m.Status.INVOKE_FAILED, 0, 0, 0)

    board.on[m.Invoke] = refuse
    with device(board) as it:
        it.load()
        with pytest.raises(ProductError, match=r"Type UINT8 \(3\) not supported") as caught:
            it.infer([vector()])
    assert caught.value.code == "unsupported_type"


# -- restarts, hangs, lost ports


def fail_in_invoke(board: ScriptedBoard, cause: m.ResetCause, *, port: bool) -> None:
    def fail(_: m.Message) -> None:
        board.restart(cause)
        if port:
            board.lose_port()

    board.on[m.Invoke] = fail


@pytest.mark.parametrize("port", [False, True])
@pytest.mark.parametrize(
    ("cause", "code"),
    [
        (m.ResetCause.FAULT, "crash"),
        (m.ResetCause.WATCHDOG, "hang"),
        (m.ResetCause.POWER_ON, None),
        (m.ResetCause.UNKNOWN, None),
    ],
)
def test_a_restart_in_an_inference_is_judged_by_its_cause(
    cause: m.ResetCause, code: str | None, port: bool
) -> None:
    board = ScriptedBoard()
    board.crash = CRASH
    fail_in_invoke(board, cause, port=port)
    with device(board) as it:
        it.load()
        assert code_of(lambda: it.infer([vector()])) == code or (
            "port_lost" if port else "no_answer"
        )
        board.on.clear()
        it.load()
        np.testing.assert_array_equal(it.infer([vector()]).outputs[0], vector(4))


def test_a_crash_tells_where() -> None:
    board = ScriptedBoard()
    board.crash = CRASH
    fail_in_invoke(board, m.ResetCause.FAULT, port=True)
    with device(board) as it:
        it.load()
        with pytest.raises(ProductError, match="0x00001234.*0x00005678.*assert: x > 0") as caught:
            it.infer([vector()])
    assert caught.value.numbers["cfsr"] == 0x82
    assert caught.value.numbers["stack"] == (1, 2)
    assert "addr2line" in caught.value.hint


def test_silence_in_an_inference_is_the_bench() -> None:
    board = ScriptedBoard()
    board.on[m.Invoke] = lambda _: None
    with device(board, hang_s=20) as it:
        it.load()
        began = board.now
        with pytest.raises(BenchError) as caught:
            it.infer([vector()])
    assert caught.value.code == "no_answer"
    assert board.now - began < 21


def test_silence_between_inferences_is_no_answer() -> None:
    board = ScriptedBoard()
    with device(board) as it:
        board.on[m.Ping] = lambda _: None
        assert code_of(it.ping) == "no_answer"


def test_a_board_that_never_comes_back_is_a_lost_port() -> None:
    board = ScriptedBoard()
    fail_in_invoke(board, m.ResetCause.FAULT, port=True)
    with device(board) as it:
        it.load()
        board.on[m.Hello] = lambda _: None
        assert code_of(lambda: it.infer([vector()])) == "port_lost"


def test_a_reset_shakes_hands_again_and_forgets_the_load() -> None:
    board = ScriptedBoard()
    with device(board) as it:
        it.load()
        it.reset()
        assert it.info.reset_cause == m.ResetCause.SOFTWARE
        assert it.loaded is None
    assert board.opened == 2


def test_a_closed_device_is_a_lost_port_and_closes_twice() -> None:
    with device(ScriptedBoard()) as it:
        pass
    it.close()
    assert code_of(it.ping) == "port_lost"


# -- the smallest arena


@given(st.integers(FLOOR // STEP, 65536 // STEP), st.integers(FLOOR // STEP, 65536 // STEP))
def test_the_search_finds_the_threshold(need: int, cap: int) -> None:
    tried: list[int] = []

    def works(size: int) -> bool:
        tried.append(size)
        return size >= need * STEP

    found = smallest(FLOOR, cap * STEP, works)
    assert found == (need * STEP if need <= cap else None)
    assert len(tried) <= 14
    assert all(FLOOR <= size <= cap * STEP for size in tried)


@pytest.mark.parametrize("need", [1024, 2048, 2049, 65536])
def test_the_smallest_arena_is_found_on_the_board(need: int) -> None:
    with device(ScriptedBoard(need=need)) as it:
        assert find_min_arena(it) == -(-need // STEP) * STEP


def test_more_than_the_board_has_is_none() -> None:
    with device(ScriptedBoard(need=65537)) as it:
        assert find_min_arena(it) is None


def test_a_crash_while_allocating_is_too_small_and_the_search_goes_on() -> None:
    board = ScriptedBoard(need=3000)

    def load(request: m.Message) -> m.Message:
        assert isinstance(request, m.Load)
        if 1500 < request.arena_size < 2500:
            board.restart(m.ResetCause.FAULT)
            board.lose_port()
        return board._answer(request)

    board.on[m.Load] = load
    with device(board) as it:
        assert find_min_arena(it) == 3008
    assert board.opened > 1


@pytest.mark.parametrize("spoils", [False, True])
def test_an_answer_that_depends_on_the_arena_is_a_finding(spoils: bool) -> None:
    board, sizes = ScriptedBoard(), [0]

    def load(request: m.Load) -> m.Message:
        sizes.append(request.arena_size)
        return board._answer(request)

    def read(request: m.Read) -> m.Message:
        small = spoils and sizes[-1] == 2048
        return m.Bytes(0, request.offset, bytes([2 if small else 1]) * request.length)

    def invoke(request: m.Invoke) -> m.Message:
        output = bytes([2 if spoils and sizes[-1] == 2048 else 1]) * 100
        return m.Invoked(0, request.input_crc, zlib.crc32(output), 1)

    board.on |= {m.Load: load, m.Read: read, m.Invoke: invoke}
    with device(board) as it:
        found = same_answer(it, 2048)
    assert (found.code if found else "") == ("nondeterministic" if spoils else "")


def test_another_fault_than_the_arena_ends_the_search() -> None:
    board = ScriptedBoard()
    board.on[m.Load] = lambda _: m.Loaded(m.Status.MISSING_OP, 0, 4096, 0, 0, 0)
    with device(board) as it:
        assert code_of(lambda: find_min_arena(it)) == "missing_op"
