"""The ops whose kernels an image holds, from the names of TFLM's registration functions."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection

_PREFIX = "Register_"
_MANGLED = re.compile(rf"(\d+)({_PREFIX}\w+)")


def registered_ops(elf: Path) -> list[str]:
    """Ops by their builtin names, sorted: ``Register_ADD()`` of any namespace is there if ADD was
    given to the resolver, whether the model has such an op or not."""
    found: set[str] = set()
    with elf.open("rb") as stream:
        for section in ELFFile(stream).iter_sections():
            if isinstance(section, SymbolTableSection):
                found |= ops_of(symbol.name for symbol in section.iter_symbols())
    return sorted(found)


def ops_of(symbols: Iterable[str]) -> set[str]:
    """Ops of mangled names (Itanium C++ ABI: a name follows its length): ``12Register_ADD``."""
    found = set()
    for symbol in symbols:
        if match := _MANGLED.search(symbol):
            # Digits before the length belong to nothing; those in the op's own name do.
            name = match[2][: int(match[1])]
            if len(name) == int(match[1]):
                found.add(name.removeprefix(_PREFIX))
    return found


def extra_ops(registered: Iterable[str], model: Iterable[str]) -> list[str]:
    """Registered ops that a model does not have; one for a type (``ADD_INT8``) is the op's."""
    wanted = {op.removeprefix("CUSTOM:").upper() for op in model}
    return [
        op
        for op in registered
        if op not in wanted and not any(op.startswith(f"{name}_INT") for name in wanted)
    ]
