"""One board as boards.yaml describes it: strict fields, each with its own reason when wrong."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    WithJsonSchema,
    field_validator,
    model_validator,
)

from hil.paths import run_dir

_FQBN = re.compile(r"[\w-]+:[\w.-]+:[\w.-]+(:[\w.-]+=[\w.+/-]+(,[\w.-]+=[\w.+/-]+)*)?", re.ASCII)
_USB = re.compile(r"usb:[0-9a-fA-F]{4}:[0-9a-fA-F]{4}(:[\w.+-]+)?", re.ASCII)
_SCHEMES = ("socket", "rfc2217", "loop", "hwgrep", "spy", "alt", "cp2110")
_VARIABLE = re.compile(r"\$(?:\{([^}]*)\}|(\w*))")
_SIZE = re.compile(r"([0-9][0-9_]*)\s*(B|KiB|MiB|)")
_UNITS = {"": 1, "B": 1, "KiB": 1024, "MiB": 1 << 20}
_TOUCH_BAUD = 1200


def parse_size(value: object) -> object:
    """``"256 KiB"`` -> 262144; a number passes; anything else is left for the type check."""
    if not isinstance(value, str):
        return value
    match = _SIZE.fullmatch(value.strip())
    if not match:
        raise ValueError("a size is bytes, or a number with KiB or MiB")
    return int(match[1]) * _UNITS[match[2]]


def _text(value: object) -> object:
    """Menu values such as 921600 may be written without quotes."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def expand(text: str) -> str:
    """``${HIL_RUN}`` and a leading ``~``; every other variable is a ValueError."""
    for braced, plain in _VARIABLE.findall(text):
        if braced != "HIL_RUN":
            raise ValueError(f"unknown variable ${braced or plain}; ${{HIL_RUN}} is the only one")
    text = text.replace("${HIL_RUN}", str(run_dir()))
    return str(Path(text).expanduser()) if text.startswith("~") else text


Size = Annotated[
    int,
    BeforeValidator(parse_size),
    Field(gt=0, le=1 << 32),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "exclusiveMinimum": 0},
                {"type": "string", "pattern": r"^[0-9][0-9_]*\s*(B|KiB|MiB)?$"},
            ]
        }
    ),
]
_Reserve = Annotated[int, BeforeValidator(parse_size), Field(ge=0)]
_Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=64)]
_Option = Annotated[str, BeforeValidator(_text), Field(pattern=r"^[\w.+/-]+$")]
_Macro = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
_MacroText = Annotated[str, Field(pattern=r"^[^\x00-\x1f]*$")]


class Board(BaseModel):
    """One board.

    Attributes:
        id: the name used in selections, test ids and records.
        fqbn: arduino-cli's name of the board, without or with its options.
        port: an absolute path, ``usb:VID:PID[:SERIAL]`` (hexadecimal) or a URL of pyserial.
        baud: bits a second; USB ports ignore it. Never 1200, which enters bootloaders.
        ram: bytes of RAM; flash: bytes that a sketch may use (the bootloader is subtracted).
        ram_reserve: bytes of stack and heap that no static arena may take.
        tflm: where TFLM comes from: "crate", "installed", "installed:<library>" or a folder.
        tags: names for ``tag:NAME`` selections.
        options: board options of arduino-cli, for example ``opt: fast``.
        defines: macros for the sketch.
        present: False skips the board in ``all`` and ``tag:`` selections.
        debug: the command that attaches a debugger; `hil debug` says it.
        arduino: "bundled" uses the harness's own arduino-cli data, "user" the user's.
    """

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    id: _Name
    fqbn: str
    port: Annotated[str, Field(min_length=1)]
    baud: Annotated[int, Field(ge=300, le=12_000_000)] = 115200
    ram: Size
    flash: Size
    ram_reserve: Annotated[
        _Reserve, WithJsonSchema({"anyOf": [{"type": "integer", "minimum": 0}, {"type": "string"}]})
    ] = 8192
    tflm: Annotated[str, Field(min_length=1)] = "installed"
    tags: Annotated[tuple[_Name, ...], Field(strict=False)] = ()
    options: Mapping[_Name, _Option] = Field(default_factory=dict)
    defines: Mapping[_Macro, _MacroText | int] = Field(default_factory=dict)
    present: bool = True
    arduino: Literal["bundled", "user"] = "bundled"
    debug: Annotated[str, Field(max_length=400)] = ""
    family: str = ""
    description: str = ""

    @property
    def full_fqbn(self) -> str:
        """The FQBN with the board options, in their order."""
        given = ",".join(f"{key}={value}" for key, value in self.options.items())
        joint = "," if self.fqbn.count(":") > 2 else ":"
        return f"{self.fqbn}{joint}{given}" if given else self.fqbn

    @field_validator("id")
    @classmethod
    def _not_reserved(cls, value: str) -> str:
        if value == "all":
            raise ValueError("'all' selects every board and cannot name one")
        return value

    @field_validator("fqbn")
    @classmethod
    def _check_fqbn(cls, value: str) -> str:
        if not _FQBN.fullmatch(value):
            raise ValueError("an FQBN is vendor:architecture:board[:option=value,...]")
        return value

    @field_validator("port")
    @classmethod
    def _check_port(cls, value: str) -> str:
        value = expand(value)
        scheme, separator, _ = value.partition("://")
        if separator:
            if scheme not in _SCHEMES:
                raise ValueError(f"pyserial knows no {scheme}://, only {', '.join(_SCHEMES)}")
        elif value.startswith("usb:"):
            if not _USB.fullmatch(value):
                raise ValueError("a USB port is usb:VID:PID[:SERIAL], VID and PID of 4 hex digits")
        elif not value.startswith("/"):
            raise ValueError("a port is an absolute path, usb:VID:PID[:SERIAL] or a pyserial URL")
        return value

    @field_validator("baud")
    @classmethod
    def _check_baud(cls, value: int) -> int:
        if value == _TOUCH_BAUD:
            raise ValueError("opening a port at 1200 baud enters the bootloader of many boards")
        return value

    @field_validator("tflm")
    @classmethod
    def _check_tflm(cls, value: str) -> str:
        kind, separator, name = value.partition(":")
        if value == "crate" or (kind == "installed" and bool(name) == bool(separator)):
            return value
        if "/" in value or value.startswith((".", "~", "$")):
            return expand(value)
        raise ValueError("tflm is crate, installed, installed:<library> or a folder's path")

    @model_validator(mode="after")
    def _check_whole(self) -> Board:
        if self.ram_reserve >= self.ram:
            raise ValueError(f"ram_reserve {self.ram_reserve:,} leaves nothing of ram {self.ram:,}")
        twice = [key for key in self.options if re.search(rf"[:,]{re.escape(key)}=", self.fqbn)]
        if twice:
            raise ValueError(f"option {twice[0]} is in fqbn and in options")
        return self


def usb_parts(port: str) -> tuple[str, str] | None:
    """``usb:2341:805A:XYZ`` -> ("2341:805a", "XYZ"); the serial may be empty; None if not USB."""
    if not _USB.fullmatch(port):
        return None
    vid, pid, *serial = port.split(":")[1:]
    return f"{vid}:{pid}".lower(), ":".join(serial)


def same_port(one: str, other: str) -> bool:
    """True if both could be the same port; a USB port without a serial is any of its kind."""
    first, second = usb_parts(one), usb_parts(other)
    if first and second:
        return first[0] == second[0] and (first[1] == second[1] or not first[1] or not second[1])
    return one == other


class BoardsFile(BaseModel):
    """boards.yaml as a whole; for the JSON Schema."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, title="boards.yaml")

    version: Literal[1]
    boards: Annotated[tuple[Board, ...], Field(strict=False, min_length=1)]


class LooseFile(BaseModel):
    """The frame of boards.yaml, so that each board can be judged by itself."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    version: Literal[1]
    boards: Annotated[tuple[Any, ...], Field(strict=False, min_length=1)]
