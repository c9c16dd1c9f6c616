"""TFLM of June 2020, laid out as an Arduino library from the source of a Rust crate.

The crate ``tfmicro`` 0.1.0 ships TensorFlow Lite for Microcontrollers with flatbuffers, gemmlowp
and ruy. Its checksum stands in ``crate/Cargo.lock``; the digest of what we make of it stands here,
so that one commit compiles the same bytes on every machine.

Three things differ from the crate's files:

* ``.cc`` becomes ``.cpp``, the ending that every arduino-cli compiles;
* flatbuffers' ``<utility.h>`` (chosen under ``ARDUINO``) becomes the standard ``<utility>``;
* each header that asks for ``TF_LITE_STATIC_MEMORY`` defines it first: the macro changes the
  layout of ``TfLiteTensor``, so library and sketch must agree whatever flags a core passes.
"""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from hil.errors import SetupError
from hil.paths import cache_dir
from hil.setup.files import locked, new_folder, tree_digest
from hil.setup.run import run, say

CRATE, CRATE_VERSION = "tfmicro", "0.1.0"
NAME = f"{CRATE}-{CRATE_VERSION} (TFLM 2020-06)"
DIGEST = "de58832b4d0bb02ade286a5a5150dce49e8ef7d5561067190d7c367dcd6b55fb"
"""`tree_digest` of the staged library; to be renewed when a line below changes what is staged."""

_MANIFEST = Path(__file__).resolve().parent / "crate"
_TARGET = "x86_64-unknown-linux-gnu"
_FLATBUFFERS, _GEMMLOWP, _RUY = (
    f"tensorflow/lite/micro/tools/make/downloads/{part}"
    for part in ("flatbuffers/include", "gemmlowp", "ruy")
)
_SOURCES = (
    "tensorflow/lite/micro/*.cc",
    "tensorflow/lite/micro/kernels/*.cc",
    "tensorflow/lite/micro/memory_planner/*.cc",
    "tensorflow/lite/c/common.c",
    "tensorflow/lite/core/api/*.cc",
    "tensorflow/lite/kernels/internal/quantization_util.cc",
    "tensorflow/lite/kernels/kernel_util.cc",
)
_HEADERS = ("tensorflow/lite/micro/*.h", "tensorflow/lite/schema/*.h", "tensorflow/lite/version.h")
_LEFT_OUT = re.compile(r"(_test\.cc|/debug_log\.cc|/test_helpers\.\w+|_optional_debug_tools\.\w+)$")
_INCLUDE = re.compile(r'^\s*#\s*include\s*["<]([^">]+)[">]', re.MULTILINE)

_PROPERTIES = """\
name=HilTensorFlowLite
version=2020.6.0
author=The TensorFlow Authors
maintainer=tinyml-hil
sentence=TensorFlow Lite for Microcontrollers of June 2020, reference kernels.
paragraph=Staged from the crate tfmicro 0.1.0 (Apache-2.0).
category=Data Processing
url=https://www.tensorflow.org/lite/micro
architectures=*
includes=TensorFlowLite.h
"""
_FRONT_HEADER = """\
// The header by which arduino-cli finds this library; the sketch includes what it needs below
// tensorflow/lite/micro/.
#ifndef TENSORFLOWLITE_H_
#define TENSORFLOWLITE_H_
#endif
"""
_DEBUG_LOG = """\
// TFLM's text goes to the serial port, as in the Arduino libraries of TFLM. Weak: whoever wants
// the text elsewhere defines DebugLog.
#include <Arduino.h>

extern "C" __attribute__((weak)) void DebugLog(const char* text) { Serial.print(text); }
"""
_STATIC_MEMORY = """\
#ifndef TF_LITE_STATIC_MEMORY
#define TF_LITE_STATIC_MEMORY
#endif
"""


def stage() -> Path:
    """The Arduino library in the cache, made first if it is not there or was changed.

    Raises:
        SetupError: ``toolchain_missing`` if cargo cannot deliver the crate or its source is not
            the one that we know.
    """
    library = library_dir()
    if is_staged():
        return library
    with locked("tflm"):
        if not is_staged():
            source = crate_source()
            with new_folder(library.parent) as work:
                lay_out(source, work / library.name)
                _check(work / library.name, source)
    return library


def library_dir() -> Path:
    """Where the staged library lies; the name carries the digest, so that versions coexist."""
    return cache_dir() / "tflm" / f"{CRATE}-{CRATE_VERSION}-{DIGEST[:12]}" / "TensorFlowLite"


def is_staged() -> bool:
    """Whether the library is there, byte for byte (2 MB read, 6 ms)."""
    library = library_dir()
    return library.is_dir() and tree_digest(library) == DIGEST


def _check(library: Path, source: Path) -> None:
    found = tree_digest(library)
    if found != DIGEST:
        raise SetupError(
            "toolchain_missing",
            f"the source of {CRATE} {CRATE_VERSION} in {source} is not the published one "
            f"(digest {found[:12]}, expected {DIGEST[:12]})",
            hint=f"remove {source} and run the set-up again",
            numbers={"digest": found, "expected": DIGEST},
        )


def crate_source() -> Path:
    """The folder of the crate in the user's own cargo registry, fetched if it is not there."""
    hint = "check that the network answers cargo (try: cargo search tfmicro), then run it again"
    with tempfile.TemporaryDirectory(prefix="hil-crate-") as name:
        for file in ("Cargo.toml", "Cargo.lock", "lib.rs"):
            shutil.copy(_MANIFEST / file, name)
        say(f"fetching the source of TFLM (crate {CRATE} {CRATE_VERSION}, 7 MB)")
        cargo, folder = _cargo(), Path(name)
        run([cargo, "fetch", "--locked", "--target", _TARGET],
            "fetching the crate", hint=hint, cwd=folder)  # fmt: skip
        answer = run([cargo, "metadata", "--locked", "--offline", "--format-version", "1",
                      "--filter-platform", _TARGET],
                     "asking cargo where the crate is", hint=hint, cwd=folder)  # fmt: skip
    packages = json.loads(answer)["packages"]
    return next(Path(p["manifest_path"]).parent for p in packages if p["name"] == CRATE)


def _cargo() -> str:
    found = shutil.which("cargo")
    if found is None:
        raise SetupError(
            "toolchain_missing",
            "cargo is not on PATH; it fetches the source of TFLM",
            hint="sudo apt-get install -y --no-install-recommends cargo",
        )
    return found


def lay_out(crate: Path, library: Path) -> None:
    """Write the Arduino library of ``crate``'s TFLM into the new folder ``library``."""
    tree = crate / "submodules" / "tensorflow"
    for origin in _closure(tree):
        name = _place(origin.relative_to(tree).as_posix())
        _write(library / "src" / name, _patched(origin.read_text(), name))
    _write(library / "src" / "TensorFlowLite.h", _FRONT_HEADER)
    _write(library / "src" / "hil_debug_log.cpp", _DEBUG_LOG)
    _write(library / "library.properties", _PROPERTIES)
    shutil.copyfile(crate / "LICENSE-APACHE", library / "LICENSE")


def _closure(tree: Path) -> list[Path]:
    """The sources, the public headers and every header that those can reach, in any branch."""
    pending = [
        path
        for pattern in (*_SOURCES, *_HEADERS)
        for path in sorted(tree.glob(pattern))
        if not _LEFT_OUT.search(path.as_posix())
    ]
    seen: dict[Path, None] = {}
    while pending:
        path = pending.pop()
        if path not in seen:
            seen[path] = None
            pending.extend(_included(path, tree))
    return sorted(seen)


def _included(path: Path, tree: Path) -> Iterator[Path]:
    roots = (path.parent, *(tree / root for root in ("", _FLATBUFFERS, _GEMMLOWP, _RUY)))
    for name in _INCLUDE.findall(path.read_text()):
        found = next((root / name for root in roots if (root / name).is_file()), None)
        if found is not None:
            yield found.resolve()


def _place(name: str) -> str:
    """Where a file of the crate's tree goes below ``src/``: one include root for all."""
    for root in (_FLATBUFFERS, _GEMMLOWP, _RUY):
        name = name.removeprefix(f"{root}/")
    return f"{name[:-2]}cpp" if name.endswith(".cc") else name


def _patched(text: str, name: str) -> str:
    if name == "flatbuffers/base.h":
        text = text.replace("#include <utility.h>", "#include <utility>")
    if name.endswith(".h") and "TF_LITE_STATIC_MEMORY" in text:
        text = _STATIC_MEMORY + text
    return text


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
