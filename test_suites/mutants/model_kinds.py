"""Mutants of the files of a model: what cannot be read, cannot be run, or was changed."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import tflite
from mutant import Mutant, group
from provoke import ROOT, weight_offset, with_activations, with_schema
from reference_kinds import tflm_answers
from stage import Stage

Make = Callable[[Stage], None]
Edit = Callable[[bytes], bytes]


def model_file(edit: Edit, model: str = "hello_sine") -> Make:
    """model.tflite is another one than was trained; everything goes on from it."""
    return changed("model.tflite", edit, model)


def changed(name: str, edit: Edit, model: str = "hello_sine") -> Make:
    """A file of the model's folder is another one."""

    def make(stage: Stage) -> None:
        stage.use(model)
        path = stage.model.path.with_name(name)
        before = path.read_bytes()
        path.write_bytes(edit(before))
        shown = f"{name}: {_bytes_apart(before, path.read_bytes())} bytes"
        stage.shows(lambda: shown if path.read_bytes() != before else "")

    return make


def _bytes_apart(one: bytes, other: bytes) -> int:
    return abs(len(one) - len(other)) + sum(a != b for a, b in zip(one, other, strict=False))


def put(at: Callable[[bytes], int], what: bytes) -> Edit:
    """Other bytes at a place."""

    def edit(data: bytes) -> bytes:
        place = at(data)
        return data[:place] + what + data[place + len(what) :]

    return edit


def flip(at: Callable[[bytes], int], mask: int) -> Edit:
    def edit(data: bytes) -> bytes:
        place = at(data)
        return data[:place] + bytes([data[place] ^ mask]) + data[place + 1 :]

    return edit


def op_version(data: bytes) -> int:
    """Where the version of the first operator code stands."""
    table = tflite.Model.GetRootAs(data).OperatorCodes(0)._tab
    return int(table.Pos + table.Offset(8))


def _quantisation(data: bytes) -> tflite.QuantizationParameters:
    """That of the model's output."""
    graph = tflite.Model.GetRootAs(data).Subgraphs(0)
    return graph.Tensors(graph.Outputs(0)).Quantization()


def output_zero_point(data: bytes) -> int:
    table = _quantisation(data)._tab
    return int(table.Vector(table.Offset(10)))


def output_scale(data: bytes) -> int:
    table = _quantisation(data)._tab
    return int(table.Vector(table.Offset(8)))


def of_other_model(name: str) -> Edit:
    return lambda _: (ROOT / "models" / name).read_bytes()


def negative(name: str, code: str) -> tuple[str, str, Make]:
    path = Path("_negative") / name / "model.tflite"
    return name, code, without_vectors(of_other_model(str(path)))


def without_vectors(edit: Edit) -> Make:
    def make(stage: Stage) -> None:
        model_file(edit)(stage)
        folder = stage.model.path.parent
        (folder / "vectors.npz").unlink()
        (folder / "heldout.npz").unlink()
        (folder / "model.yaml").write_text(f"name: {folder.name}\n")

    return make


def retrained(edit: Edit) -> Make:
    """Another model under the old name, with the old vectors: board and host agree on it."""

    def make(stage: Stage) -> None:
        model_file(edit)(stage)
        honest = tflm_answers(ROOT / "models" / stage.model.name)
        shown = "other answers" if tflm_answers(stage.model.path.parent) != honest else ""
        stage.shows(lambda: shown)

    return make


MUTANTS: list[Mutant] = [
    *group(
        "unreadable_model",
        ("cut_in_half", "model_file", model_file(lambda data: data[: len(data) // 2])),
        ("empty", "model_file", model_file(lambda data: b"")),
        ("not_a_model", "model_file", model_file(lambda data: b"GIF89a" + data[6:])),
        ("root_beyond_its_end", "model_file", model_file(put(lambda data: 0, b"\xff\xff\xff\x0f"))),
        ("vectors_cut", "model_file", changed("vectors.npz", lambda data: data[:-100])),
        ("vectors_of_another", "model_file", changed(
            "vectors.npz", of_other_model("gesture/vectors.npz"))),
        ("misspelt_key", "model_file", changed(
            "model.yaml", lambda data: data.replace(b"budgets", b"budgest"))),
    ),
    *group(
        "unrunnable_model",
        ("schema_99", "schema_mismatch", model_file(lambda data: with_schema(data, 99))),
        ("schema_2", "schema_mismatch", model_file(lambda data: with_schema(data, 2))),
        ("op_version_99", "missing_op", model_file(put(op_version, struct.pack("<i", 99)))),
        ("int16_activations", "unsupported_type", without_vectors(
            lambda data: with_activations(data, tflite.TensorType.INT16))),
        ("float16_activations", "unsupported_type", without_vectors(
            lambda data: with_activations(data, tflite.TensorType.FLOAT16))),
        negative("mean_v2", "missing_op"),
        negative("per_channel_dense", "unsupported_quantisation"),
        negative("residual_add", "crash"),
    ),
    *group(
        "changed_model",
        ("weight", "reference_wrong", retrained(flip(weight_offset, 0x40))),
        ("another_weight", "reference_wrong", retrained(
            flip(lambda data: weight_offset(data) + 7, 0x40))),
        ("zero_point_up", "reference_wrong", retrained(
            lambda data: put(output_zero_point, bytes([data[output_zero_point(data)] + 1]))(data))),
        ("scale_up", "reference_wrong", retrained(
            flip(lambda data: output_scale(data) + 2, 0x08))),
        ("third_weight", "reference_wrong", retrained(
            flip(lambda data: weight_offset(data) + 12, 0x40))),
    ),
]  # fmt: skip
