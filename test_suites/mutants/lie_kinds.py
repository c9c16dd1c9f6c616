"""Mutants of what the device says: whole frames with wrong contents, old answers, other tensors.

The board is honest and a liar stands before it: to the host both are one device.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from liar import Change, Liar, replays, rewrites
from mutant import Mutant, group
from stage import PARITY_ONLY, Stage
from wire_kinds import relayed

from hil import messages as m
from hil.device import Device
from hil.wire import Frame

Make = Callable[[Stage], None]


def lie(change: Callable[[], Change], *, to_board: bool = False, model: str = "hello_sine") -> Make:
    """Frames from the board (or to it) are rewritten."""

    def make(stage: Stage) -> None:
        relay, liar = relayed(stage, model), Liar(change())
        setattr(relay, "to_board" if to_board else "to_host", liar)
        stage.shows(lambda: f"{liar.changed} frames" if liar.changed else "")

    return make


def replay(kind: type[m.Message], forge: Callable[[Frame, Frame], Frame], *, slow: bool) -> Make:
    """The first answer of its kind is kept from a session before the run, and sent in place of
    all later ones. ``slow``: the host waits in vain in every suite, so that only one runs."""

    def make(stage: Stage) -> None:
        lie(replays(kind, forge))(stage)
        with Device(stage.board.port) as device:
            device.load()
            device.infer(stage.first_inputs())
        if slow:
            stage.suites = PARITY_ONLY

    return make


def echo(wrong: Callable[[m.Invoked], int]) -> Make:
    return lie(rewrites(m.Invoked, lambda told: replace(told, input_crc=wrong(told))))


def tensor(**wrong: Callable[[m.Tensor], object]) -> Make:
    """What the device says of its tensors."""

    def change(told: m.Tensor) -> m.Message:
        return replace(told, **{name: make(told) for name, make in wrong.items()})  # type: ignore[arg-type]

    return lie(rewrites(m.Tensor, change))


def loaded(**wrong: Callable[[m.Loaded], int]) -> Make:
    def change(told: m.Loaded) -> m.Message:
        return replace(told, **{name: make(told) for name, make in wrong.items()})  # type: ignore[arg-type]

    return lie(rewrites(m.Loaded, change))


def outputs(wrong: Callable[[bytes], bytes]) -> Make:
    """What is read back of the outputs."""

    def change(told: m.Bytes) -> m.Message:
        return replace(told, data=wrong(told.data))

    return lie(rewrites(m.Bytes, change), model="air_quality_anomaly")


def inputs(wrong: Callable[[bytes], bytes]) -> Make:
    """What arrives of the inputs, in frames that are whole."""

    def change(sent: m.Write) -> m.Message:
        return replace(sent, data=wrong(sent.data))

    return lie(rewrites(m.Write, change), to_board=True, model="air_quality_anomaly")


def _flip(data: bytes) -> bytes:
    return bytes([data[0] ^ 1]) + data[1:]


def _as_now(old: Frame, new: Frame) -> Frame:
    """An old answer that claims to be the one that was asked for."""
    return replace(old, seq=new.seq, session=new.session)


def _renumbered(old: Frame, new: Frame) -> Frame:
    return replace(old, seq=new.seq)


def _verbatim(old: Frame, new: Frame) -> Frame:
    return old


MUTANTS: list[Mutant] = [
    *group(
        "wrong_echo",
        ("one_bit", "wire", echo(lambda told: told.input_crc ^ 1)),
        ("zero", "wire", echo(lambda told: 0)),
        ("of_the_outputs", "wire", echo(lambda told: told.output_crc)),
        ("bytes_turned", "wire", echo(lambda told: int.from_bytes(
            told.input_crc.to_bytes(4, "little"), "big"))),
        ("inverted", "wire", echo(lambda told: told.input_crc ^ 0xFFFFFFFF)),
    ),
    *group(
        "old_answer",
        ("invoked_of_before", "no_answer", replay(m.Invoked, _renumbered, slow=False)),
        ("outputs_of_before", "no_answer", replay(m.Bytes, _renumbered, slow=False)),
        ("tensor_of_before", "no_answer", replay(m.Tensor, _renumbered, slow=False)),
        ("invoked_as_if_now", "wire", replay(m.Invoked, _as_now, slow=False)),
        ("outputs_as_if_now", "wire", replay(m.Bytes, _as_now, slow=False)),
        ("info_of_before", "no_answer", replay(m.Info, _verbatim, slow=True)),
        ("outputs_verbatim", "no_answer", replay(m.Bytes, _verbatim, slow=True)),
    ),
    *group(
        "other_tensors",
        ("zero_point_up", "wrong_model", tensor(
            zero_points=lambda told: tuple(z + 1 for z in told.zero_points))),
        ("scale_a_bit_up", "wrong_model", tensor(
            scales=lambda told: tuple(s * 1.001 for s in told.scales))),
        ("unsigned", "wrong_model", tensor(dtype=lambda told: "uint8")),
        ("flat", "wrong_model", tensor(shape=lambda told: told.shape[1:])),
        ("two_scales", "wrong_model", tensor(
            scales=lambda told: told.scales * 2, zero_points=lambda told: told.zero_points * 2)),
    ),
    *group(
        "other_arena",
        ("uses_more_than_it_has", "wire", loaded(arena_used=lambda told: told.arena_size + 1)),
        ("took_more", "wire", loaded(arena_size=lambda told: told.arena_size + 16)),
        ("took_less", "wire", loaded(arena_size=lambda told: told.arena_size - 16)),
        ("took_nothing", "wire", loaded(arena_size=lambda told: 0)),
        ("always_the_same", "wire", loaded(arena_size=lambda told: 4096)),
    ),
    *group(
        "outputs_altered",
        ("one_bit", "wire", outputs(_flip)),
        ("last_byte", "wire", outputs(lambda data: data[:-1] + bytes([data[-1] ^ 0x80]))),
        ("reversed", "wire", outputs(lambda data: data[::-1])),
        ("cut_by_one", "wire", outputs(lambda data: data[:-1])),
        ("one_too_many", "wire", outputs(lambda data: data + b"\0")),
    ),
    *group(
        "inputs_altered",
        ("one_bit", "wire", inputs(_flip)),
        ("zeros", "wire", inputs(lambda data: bytes(len(data)))),
        ("reversed", "wire", inputs(lambda data: data[::-1])),
        ("cut_by_one", "wire", inputs(lambda data: data[:-1])),
        ("turned", "wire", inputs(lambda data: data[1:] + data[:1])),
    ),
]  # fmt: skip
