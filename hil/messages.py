"""The messages of the protocol as values, both halves: payload bytes to dataclasses and back.

A message knows its type byte and its payload; `hil.wire` has frame, sequence and session.
"""

from __future__ import annotations

from hil.op_messages import (
    OP_REPLIES,
    OP_REQUESTS,
    WATCH_ALL,
    AskOps,
    Ops,
    SeenOutput,
    Tap,
    Tapped,
    Watch,
    Watched,
)
from hil.payload import (
    DTYPES,
    NO_CLOCK,
    UNKNOWN,
    Clock,
    CrashCause,
    Message,
    Refusal,
    ResetCause,
    Status,
)
from hil.replies import (
    PLAIN_REPLIES,
    Bytes,
    Crash,
    Info,
    Invoked,
    Loaded,
    Nak,
    Pong,
    Resetting,
    Stats,
    Tensor,
    Written,
)
from hil.requests import (
    LOAD_WATCHED,
    PLAIN_REQUESTS,
    AskCrash,
    AskStats,
    AskTensor,
    Hello,
    Invoke,
    Load,
    Ping,
    Read,
    Reset,
    Write,
)
from hil.wire import WireError

__all__ = [
    "DTYPES", "LOAD_WATCHED", "NO_CLOCK", "REPLIES", "REQUESTS", "UNKNOWN", "WATCH_ALL",
    "AskCrash", "AskOps", "AskStats", "AskTensor", "Bytes", "Clock", "Crash", "CrashCause",
    "Hello", "Info", "Invoke", "Invoked", "Load", "Loaded", "Message", "Nak", "Ops", "Ping",
    "Pong", "Read", "Refusal", "Reset", "ResetCause", "Resetting", "SeenOutput", "Stats",
    "Status", "Tap", "Tapped", "Tensor", "Watch", "Watched", "Write", "Written", "parse",
    "status_name",
]  # fmt: skip

REQUESTS = (*PLAIN_REQUESTS, *OP_REQUESTS)
REPLIES = (*PLAIN_REPLIES, *OP_REPLIES)

_BY_TYPE: dict[int, type[Message]] = {kind.TYPE: kind for kind in (*REQUESTS, *REPLIES)}


def parse(type_: int, payload: bytes) -> Message:
    """The message that a frame carries.

    Raises:
        WireError: unknown type, or a payload that does not fit it.
    """
    if type_ not in _BY_TYPE:
        raise WireError(f"unknown message type 0x{type_:02x}")
    return _BY_TYPE[type_].parse(payload)


def status_name(status: int) -> str:
    """Name of a status; the number for one that this harness does not know."""
    return Status(status).name if status in Status._value2member_map_ else f"status {status}"
