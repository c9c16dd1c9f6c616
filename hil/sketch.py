"""The files that the build puts beside a sketch: its model, its op resolver and its settings."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from hil.custom_ops import PREFIX, CustomKernel, custom_kernels
from hil.errors import SetupError
from hil.model import Model
from hil.tflm import TflmSource

_MOST_SKEW = 8
_MOST_WATCHED = 64
_ERRORS = "an op of the model is unknown to the TFLM source; check_support names it"


def model_files(model: Model) -> dict[str, str]:
    """hil_model.h and hil_model.cpp: the model's bytes, 16-aligned.

    ``HIL_MODEL_SKEW`` moves the bytes off their alignment by that many; it exists to show that
    the harness notices.
    """
    rows = (model.data[at : at + 20] for at in range(0, len(model.data), 20))
    body = "\n".join("  " + ",".join(str(byte) for byte in row) + "," for row in rows)
    header = (
        "#pragma once\n"
        '#include "hil_config.h"\n'
        "#ifndef HIL_MODEL_SKEW\n#define HIL_MODEL_SKEW 0\n#endif\n"
        "extern const unsigned char hil_model_bytes[];\n"
        "#define hil_model (hil_model_bytes + HIL_MODEL_SKEW)\n"
        "extern const unsigned hil_model_len;\n"
    )
    padding = "".join(f"#if HIL_MODEL_SKEW > {at}\n  0,\n#endif\n" for at in range(_MOST_SKEW))
    text = (
        '#include "hil_model.h"\n'
        "alignas(16) extern const unsigned char hil_model_bytes[] = {\n"
        f"{padding}{body}\n}};\n"
        f"extern const unsigned hil_model_len = {len(model.data)};\n"
    )
    return {"hil_model.h": header, "hil_model.cpp": text}


def ops_file(model: Model, tflm: TflmSource) -> str:
    """hil_ops.h: a resolver with the model's own ops and the tree's own version ranges.

    A version range is the kernel's promise: the versions that the tree states are registered,
    never the version that the model asks for.

    Raises:
        SetupError: build_failed if an op is unknown; `hil.support.check_support` tells before.
            model_file if a custom op's library cannot be used.
    """
    own = custom_kernels(model)
    named = {PREFIX + kernel.name for kernel in own}
    opcodes = sorted({opcode for opcode, _ in model.op_versions()} - named)
    lines = [_registration(opcode, tflm) for opcode in opcodes]
    lines += [line for kernel in own for line in _custom(kernel, tflm)]
    count = sum(number for number, _ in lines)
    body = "".join(f"  if (resolver.{call} != kTfLiteOk) return false;\n" for _, call in lines)
    return (
        "#pragma once\n"
        f"{_kernel_include(tflm)}"
        f"{''.join(f'#include <{kernel.header}>' + chr(10) for kernel in own)}"
        f"#define HIL_OP_REGISTRATIONS {max(count, 1)}\n"
        f"{_watch_sizes(model)}"
        "inline bool hil_register_ops("
        "tflite::MicroMutableOpResolver<HIL_OP_REGISTRATIONS> &resolver) {\n"
        f"{body}  return true;\n}}\n"
    )


def _watch_sizes(model: Model) -> str:
    """Room of a HilWatch: kinds of op, and outputs of all ops, 12 bytes each. Of a model with more
    outputs than `_MOST_WATCHED` several runs are watched, each for a part of the ops."""
    outputs = [max(1, len(op.outputs)) for op in model.ops]
    room = max(min(sum(outputs), _MOST_WATCHED), *outputs, 1)
    kinds = max(1, len(model.op_versions()))
    return f"#define HIL_WATCHED_KINDS {kinds}\n#define HIL_WATCHED_OUTPUTS {room}\n"


def _registration(opcode: str, tflm: TflmSource) -> tuple[int, str]:
    """Number of registrations and the call that makes them."""
    method = tflm.op_methods.get(opcode)
    if method is not None:
        return 1, f"{method}()"
    versions = tflm.ops.get(opcode)
    if versions is None:
        raise SetupError("build_failed", f"{opcode}: {_ERRORS}")
    low, high = versions
    kernel = f"tflite::ops::micro::Register_{opcode}()"
    return high - low + 1, f"AddBuiltin(tflite::BuiltinOperator_{opcode}, {kernel}, {low}, {high})"


def _custom(kernel: CustomKernel, tflm: TflmSource) -> list[tuple[int, str]]:
    """Registrations of a custom operator: in trees that know versions, one for each in the file."""
    call = f'AddCustom("{_escape(kernel.name)}", {kernel.registration}()'
    if tflm.op_methods:
        return [(1, f"{call})")]
    return [(1, f"{call}, {version})") for version in kernel.versions]


def _kernel_include(tflm: TflmSource) -> str:
    if tflm.op_methods:
        return ""
    return '#include "tensorflow/lite/micro/kernels/micro_ops.h"\n'


def config_file(tflm: TflmSource, texts: Mapping[str, str], defines: Mapping[str, str]) -> str:
    """hil_config.h: what the firmware says of itself, and the sketch options as macros."""
    header = tflm_header(tflm)
    quoted = "".join(f'#define {key} "{_escape(value)}"\n' for key, value in sorted(texts.items()))
    plain = "".join(f"#define {key} {value}\n" for key, value in sorted(defines.items()))
    return f"#pragma once\n#include <{header}>\n{quoted}{plain}"


def tflm_header(tflm: TflmSource) -> str:
    """The header at the root of the library's src/ by which the Arduino builder finds it."""
    headers = sorted(path.name for path in (tflm.library / "src").glob("*.h"))
    named = [name for name in headers if "tensorflow" in name.lower()]
    if not named:
        raise SetupError(
            "build_failed",
            f"{tflm.library}: no TensorFlow header at the root of src/",
            hint="name another library with tflm: in boards.yaml",
        )
    return min(named, key=len)


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


def stage(sketch: Path, files: Mapping[str, str], target: Path) -> None:
    """Copies a sketch, its folders (``src/``) and its generated files to ``target``; what is equal
    keeps its time stamp, so that only what changed is compiled again."""
    target.mkdir(parents=True, exist_ok=True)
    wanted = {path.relative_to(sketch): path.read_bytes() for path in _files(sketch)}
    wanted |= {Path(name): text.encode() for name, text in files.items()}
    parents = {parent for name in wanted for parent in name.parents}
    for path in sorted(target.rglob("*"), reverse=True):  # what lies in a folder goes before it
        if path.relative_to(target) not in {*wanted, *parents}:
            path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()
    for name, data in wanted.items():
        path = target / name
        if not path.is_file() or path.read_bytes() != data:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]
