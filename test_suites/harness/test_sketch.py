"""The files that go beside a sketch."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from hil.errors import SetupError
from hil.model import Model, load_model
from hil.sketch import config_file, model_files, ops_file, stage, tflm_header
from hil.tensors import OpSpec
from hil.tflm import TflmSource

MODELS = Path(__file__).parents[2] / "models"


@pytest.fixture
def model() -> Model:
    return load_model(MODELS / "hello_sine")


def tree(folder: Path, **changed: object) -> TflmSource:
    """A TFLM with one kernel, of the eras with version ranges."""
    (folder / "src").mkdir(parents=True, exist_ok=True)
    facts = {"source": "path", "name": "t", "version": "1", "digest": "0" * 64, "era": "2020"}
    ops = {"FULLY_CONNECTED": (1, 4)}
    given = {**facts, "kernels": "reference", "library": folder, "ops": ops, **changed}
    return TflmSource(**given)  # type: ignore[arg-type]


def test_the_model_is_in_the_source_byte_by_byte_and_aligned(model: Model) -> None:
    text = model_files(model)["hil_model.cpp"]
    body = re.sub(r"#if.*?#endif\n", "", text, flags=re.DOTALL)
    numbers = re.search(r"\{\n(.*?)\n\};", body, re.DOTALL)
    assert numbers
    assert bytes(int(n) for n in numbers[1].replace("\n", "").split(",") if n.strip()) == model.data
    assert "alignas(16)" in text
    assert f"hil_model_len = {len(model.data)};" in text


def test_ops_are_registered_with_the_versions_of_the_tree(model: Model, tmp_path: Path) -> None:
    text = ops_file(model, tree(tmp_path))
    assert "#define HIL_OP_REGISTRATIONS 4\n" in text
    assert "BuiltinOperator_FULLY_CONNECTED, " in text
    assert ", 1, 4)" in text


def test_newer_trees_have_methods(model: Model, tmp_path: Path) -> None:
    newer = tree(tmp_path, op_methods={"FULLY_CONNECTED": "AddFullyConnected"})
    text = ops_file(model, newer)
    assert "#define HIL_OP_REGISTRATIONS 1\n" in text
    assert "resolver.AddFullyConnected() != kTfLiteOk" in text


@pytest.mark.parametrize(
    ("outputs", "room"), [((1, 1, 1), 3), ((0, 2), 3), ((1,) * 100, 64), ((1, 90), 90), ((), 1)]
)
def test_the_watch_has_room_for_the_models_ops(
    model: Model, tmp_path: Path, outputs: tuple[int, ...], room: int
) -> None:
    ops = tuple(
        OpSpec(i, "FULLY_CONNECTED", 4, (0,), tuple(range(n))) for i, n in enumerate(outputs)
    )
    text = ops_file(replace(model, ops=ops), tree(tmp_path))
    assert f"#define HIL_WATCHED_OUTPUTS {room}\n" in text
    assert "#define HIL_WATCHED_KINDS 1\n" in text


def test_an_op_that_the_tree_lacks_is_never_registered(model: Model, tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="FULLY_CONNECTED") as unknown:
        ops_file(model, tree(tmp_path, ops={}))
    assert unknown.value.code == "build_failed"


def test_the_library_is_found_by_its_shortest_tensorflow_header(tmp_path: Path) -> None:
    source = tree(tmp_path)
    with pytest.raises(SetupError, match="no TensorFlow header"):
        tflm_header(source)
    for name in ("TensorFlowLite_extras.h", "TensorFlowLite.h", "other.h"):
        (tmp_path / "src" / name).touch()
    assert tflm_header(source) == "TensorFlowLite.h"


def test_texts_are_quoted_and_numbers_are_not(tmp_path: Path) -> None:
    (tmp_path / "x" / "src").mkdir(parents=True)
    (tmp_path / "x" / "src" / "TensorFlowLite.h").touch()
    text = config_file(tree(tmp_path / "x"), {"HIL_BOARD": 'a"b\\c'}, {"HIL_ARENA_BYTES": "16"})
    assert text.splitlines() == [
        "#pragma once",
        "#include <TensorFlowLite.h>",
        r'#define HIL_BOARD "a\"b\\c"',
        "#define HIL_ARENA_BYTES 16",
    ]


def test_only_what_changed_is_written_again_and_what_is_gone_goes(tmp_path: Path) -> None:
    sketch, target = tmp_path / "s", tmp_path / "t"
    sketch.mkdir()
    (sketch / "s.ino").write_text("void setup() {}\n")
    stage(sketch, {"a.h": "1", "b.h": "1"}, target)
    before = {path.name: path.stat().st_mtime_ns for path in target.iterdir()}
    (target / "left").mkdir()
    stage(sketch, {"a.h": "1", "b.h": "22"}, target)
    after = {path.name: path.stat().st_mtime_ns for path in target.iterdir()}
    assert set(after) == {"s.ino", "a.h", "b.h"}
    assert {name for name in after if after[name] != before[name]} == {"b.h"}
    stage(sketch, {}, target)
    assert [path.name for path in target.iterdir()] == ["s.ino"]


def test_folders_of_a_sketch_come_along(tmp_path: Path) -> None:
    sketch, target = tmp_path / "s", tmp_path / "t"
    (sketch / "src" / "deep").mkdir(parents=True)
    (sketch / "s.ino").write_text("x")
    (sketch / "src" / "deep" / "a.cpp").write_text("1")
    stage(sketch, {"hil_config.h": "2"}, target)
    found = {p.relative_to(target).as_posix() for p in target.rglob("*") if p.is_file()}
    assert found == {"s.ino", "src/deep/a.cpp", "hil_config.h"}
    (sketch / "src" / "deep" / "a.cpp").unlink()
    stage(sketch, {}, target)
    assert [p.name for p in target.iterdir()] == ["s.ino"]
