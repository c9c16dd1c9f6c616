"""Libraries of custom operators, as model.yaml names them."""

from __future__ import annotations

from pathlib import Path

import pytest
from model_writer import CUSTOM, G, O, T, write

from hil.custom_ops import custom_kernels
from hil.errors import SetupError
from hil.model import Model, load_model
from hil.sketch import ops_file
from hil.tflm import TflmSource

ENDS = [T((1, 6), name="x"), T((1, 6), name="y"), T((1, 6), name="z")]
DATA = write(
    [G(ENDS, [O((0,), (1,), 0), O((1,), (2,), 1)], (0,), (2,))],
    codes=((CUSTOM, 1, "TWICE"), (CUSTOM, 2, 'A"B')),
)


def _library(folder: Path, *headers: str) -> Path:
    (folder / "src").mkdir(parents=True)
    (folder / "library.properties").write_text("name=Own\n")
    for name in headers:
        (folder / "src" / name).write_text("")
    return folder


def _model(folder: Path, custom_ops: str) -> Model:
    folder.mkdir(exist_ok=True)
    (folder / "model.tflite").write_bytes(DATA)
    (folder / "model.yaml").write_text(f"name: {folder.name}\n{custom_ops}\n")
    return load_model(folder)


def _tree(methods: dict[str, str]) -> TflmSource:
    return TflmSource("path", "t", "1", "d", "2020", "reference", Path(), {}, methods)


def test_a_library_beside_the_model_is_found_with_its_only_header(tmp_path: Path) -> None:
    own = _library(tmp_path / "m" / "lib", "Own.h")
    model = _model(tmp_path / "m", "custom_ops: {TWICE: {library: lib, register: own::Make}}")
    (kernel,) = custom_kernels(model)
    assert (kernel.library, kernel.header) == (own.resolve(), "Own.h")
    assert (kernel.versions, kernel.registration) == ((1,), "own::Make")


def test_registrations_go_through_the_generated_resolver(tmp_path: Path) -> None:
    _library(tmp_path / "m" / "lib", "Own.h", "Other.h")
    ops = "{library: lib, register: Make, header: Own.h}"
    text = f"custom_ops:\n  TWICE: {ops}\n  'A\"B': {ops}"
    with pytest.raises(SetupError, match="A"):
        _model(tmp_path / "m", text)
    model = _model(tmp_path / "m", f"custom_ops:\n  TWICE: {ops}")
    with pytest.raises(SetupError, match="unknown to the TFLM source"):
        ops_file(model, _tree({}))


@pytest.mark.parametrize(
    ("methods", "call"),
    [({}, 'AddCustom("TWICE", Make(), 1)'), ({"ADD": "AddAdd"}, 'AddCustom("TWICE", Make())')],
)
def test_trees_that_know_versions_are_told_the_files(
    tmp_path: Path, methods: dict[str, str], call: str
) -> None:
    _library(tmp_path / "m" / "lib", "Own.h")
    (tmp_path / "m").mkdir(exist_ok=True)
    graph = G(ENDS[:2], [O((0,), (1,))], (0,), (1,))
    (tmp_path / "m" / "model.tflite").write_bytes(write([graph], ((CUSTOM, 1, "TWICE"),)))
    (tmp_path / "m" / "model.yaml").write_text(
        "name: m\ncustom_ops: {TWICE: {library: lib, register: Make}}\n"
    )
    text = ops_file(load_model(tmp_path / "m"), _tree(methods))
    assert "#include <Own.h>\n" in text
    assert call in text
    assert "#define HIL_OP_REGISTRATIONS 1\n" in text


def test_every_library_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    _library(tmp_path / "m" / "two", "A.h", "B.h")
    _library(tmp_path / "m" / "none")
    model = _model(tmp_path / "m", "custom_ops: {TWICE: {library: gone, register: Make}}")
    for library, said in (("gone", "no library.properties"), ("two", "A.h, B.h"), ("none", "0 he")):
        text = f"custom_ops: {{TWICE: {{library: {library}, register: Make}}}}"
        model = _model(tmp_path / "m", text)
        with pytest.raises(SetupError) as caught:
            custom_kernels(model)
        assert caught.value.code == "model_file"
        assert said in caught.value.problems[0]


@pytest.mark.parametrize("register", ["Make()", "1x", "a b", "system(0);", "a::"])
def test_a_registration_is_a_name_and_nothing_else(tmp_path: Path, register: str) -> None:
    with pytest.raises(SetupError) as caught:
        _model(tmp_path / "m", f"custom_ops: {{T: {{library: lib, register: '{register}'}}}}")
    assert "custom_ops.T.register" in caught.value.problems[0]
