"""YAML with line numbers, for files that people write: strict, and every problem at once.

Scalars follow YAML 1.2's core schema: `yes`, `no`, `on` and `off` are text (they are labels of
keyword models), `1e-5` is a number and dates are text. Duplicate keys, aliases and tags are
problems.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Any

import yaml
from pydantic import ValidationError

Path = tuple[str | int, ...]
_MAX_CHARS = 1_000_000
_CORE = "tag:yaml.org,2002:"


@dataclass(frozen=True)
class Document:
    """``data``: plain dicts, lists and scalars; ``lines``: path -> line, from 1."""

    data: Any
    lines: Mapping[Path, int]
    problems: tuple[str, ...]

    def where(self, path: Path) -> str:
        """A path with its line, as people read it: ``boards[2].fqbn (line 14)``."""
        line = next((self.lines[path[:n]] for n in range(len(path), -1, -1) if path[:n] in
                     self.lines), 1)  # fmt: skip
        return f"{dotted(path)} (line {line})"


def dotted(path: Path) -> str:
    """``("boards", 2, "fqbn")`` -> ``boards[2].fqbn``."""
    text = "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in path)
    return text.removeprefix(".") or "the file"


class _Loader(yaml.SafeLoader):
    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012


_SCALARS = (
    ("null", r"^(?:~|null|Null|NULL|)$", ["~", "n", "N", ""]),
    ("bool", r"^(?:true|True|TRUE|false|False|FALSE)$", list("tTfF")),
    ("int", r"^(?:[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+)$", list("-+0123456789")),
    (
        "float",
        r"^[-+]?(?:(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|\.(?:inf|Inf|INF))$"
        r"|^\.(?:nan|NaN|NAN)$",
        list("-+.0123456789"),
    ),
)
for _kind, _pattern, _first in _SCALARS:
    _Loader.add_implicit_resolver(_CORE + _kind, re.compile(_pattern), _first)


def read(path: FilePath) -> str:
    """The text of a file, and no more of it than `load` takes: a device may have no end.

    Raises:
        OSError, UnicodeDecodeError.
    """
    with path.open(encoding="utf-8") as file:
        return file.read(_MAX_CHARS + 1)


def load(text: str) -> Document:
    """Parse; never raises. A text that cannot be read has ``data`` None and its problem."""
    if len(text) > _MAX_CHARS:
        return Document(None, {}, (f"{len(text):,} characters are too many",))
    try:
        node = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f"line {mark.line + 1}: " if mark else ""
        return Document(None, {}, (f"{line}{error.problem or error.context}",))
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        reason = "nested too deeply" if isinstance(error, RecursionError) else _first_line(error)
        return Document(None, {}, (reason,))
    if node is None:
        return Document(None, {}, ("the file is empty",))
    builder = _Builder()
    return Document(builder.build(node, ()), builder.lines, tuple(builder.problems))


def _first_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]


class _Builder:
    """Nodes -> plain values; remembers lines and problems."""

    def __init__(self) -> None:
        self.lines: dict[Path, int] = {}
        self.problems: list[str] = []
        self._seen: set[int] = set()

    def build(self, node: yaml.Node, path: Path) -> Any:
        self.lines[path] = node.start_mark.line + 1
        if id(node) in self._seen:
            self._problem(node, path, "aliases are not supported, write the value again")
            return None
        self._seen.add(id(node))
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.build(child, (*path, i)) for i, child in enumerate(node.value)]
        return self._scalar(node, path)

    def _mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = key_node.value if isinstance(key_node, yaml.ScalarNode) else None
            if key is None:
                self._problem(key_node, path, "a key must be plain text")
            elif key in result:
                self._problem(key_node, (*path, key), "the key is there twice")
            else:
                result[key] = self.build(value_node, (*path, key))
                self.lines[(*path, key)] = key_node.start_mark.line + 1
        return result

    def _scalar(self, node: yaml.Node, path: Path) -> Any:
        text = str(node.value)
        kind = node.tag.removeprefix(_CORE)
        try:
            return _VALUES[kind](text)
        except (KeyError, ValueError):
            self._problem(node, path, f"{_shown(text)} is not supported as {_shown(kind)}")
            return None

    def _problem(self, node: yaml.Node, path: Path, text: str) -> None:
        self.problems.append(f"{dotted(path)} (line {node.start_mark.line + 1}): {text}")


def _int(text: str) -> int:
    return int(text, 0) if text[:2] in ("0x", "0o") else int(text, 10)


def _float(text: str) -> float:
    return float(text.replace(".inf", "inf").replace(".nan", "nan").lower().replace(".", ".", 1))


_VALUES: Mapping[str, Any] = {
    "null": lambda text: None,
    "bool": lambda text: text.lower() == "true",
    "int": _int,
    "float": _float,
    "str": str,
}


def _shown(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:37] + "...")


def problems_of(document: Document, error: ValidationError, under: Path = ()) -> list[str]:
    """pydantic's errors, one line each, with the YAML path and line."""
    return [
        f"{document.where((*under, *item['loc']))}: {_reason(item)}"
        for item in error.errors(include_url=False)
    ]


def _reason(item: Any) -> str:
    kind, message = item["type"], str(item["msg"]).removeprefix("Value error, ")
    if kind == "extra_forbidden":
        return "unknown key"
    if kind == "missing":
        return "is missing"
    given = item.get("input")
    if isinstance(given, str | int | float | bool):
        return f"{message} (given: {_shown(str(given))})"
    return message
