"""Which TFLM is used, what it is found to be, and how the crate's source becomes a library."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.errors import SetupError
from hil.setup import tflm_crate
from hil.setup.files import tree_digest
from hil.tflm import parse_mutable_resolver, parse_op_table, resolve_tflm, stage_crate

OLD_TABLE = """
  AddBuiltin(BuiltinOperator_FULLY_CONNECTED, Register_FULLY_CONNECTED(), 1, 4);
  AddBuiltin(BuiltinOperator_DEPTHWISE_CONV_2D, Register_DEPTHWISE_CONV_2D(), 1,
             3);
  AddBuiltin(BuiltinOperator_MEAN, Register_MEAN());
  AddBuiltin(BuiltinOperator_RESIZE_NEAREST_NEIGHBOR,
             Register_RESIZE_NEAREST_NEIGHBOR(),
             /* min_version = */ 1,
             /* max_version = */ 2);
"""
NEW_RESOLVER = """
  TfLiteStatus AddFullyConnected(
      const TFLMRegistration& registration = Register_FULLY_CONNECTED()) {
    return AddBuiltin(BuiltinOperator_FULLY_CONNECTED, registration,
                      ParseFullyConnected);
  }
  TfLiteStatus AddAbs() {
    return AddBuiltin(BuiltinOperator_ABS, Register_ABS(), ParseAbs);
  }
  TfLiteStatus AddDetectionPostprocess() {
    return AddCustom("TFLite_Detection_PostProcess",
                     tflite::Register_DETECTION_POSTPROCESS());
  }
"""


def make_library(
    folder: Path, files: dict[str, str], name: str = "", version: str = "1.2.3"
) -> Path:
    micro = folder / "src" / "tensorflow" / "lite" / "micro"
    (micro / "kernels").mkdir(parents=True)
    (micro / "micro_interpreter.h").touch()
    for path, text in files.items():
        (micro / path).parent.mkdir(parents=True, exist_ok=True)
        (micro / path).write_text(text)
    if name:
        (folder / "library.properties").write_text(f"name={name}\nversion={version}\n#a=b\n")
    return folder


def test_op_table_gives_the_trees_own_version_ranges() -> None:
    assert parse_op_table(OLD_TABLE) == {
        "FULLY_CONNECTED": (1, 4),
        "DEPTHWISE_CONV_2D": (1, 3),
        "MEAN": (1, 1),
        "RESIZE_NEAREST_NEIGHBOR": (1, 2),
    }


def test_mutable_resolver_gives_the_method_of_each_op() -> None:
    assert parse_mutable_resolver(NEW_RESOLVER) == {
        "FULLY_CONNECTED": "AddFullyConnected",
        "ABS": "AddAbs",
        "CUSTOM:TFLite_Detection_PostProcess": "AddDetectionPostprocess",
    }


@given(st.text())
def test_parsers_are_total(text: str) -> None:
    assert parse_op_table(text) is not None
    assert parse_mutable_resolver(text) is not None


@given(st.text(alphabet="AddBuiltin(Operator_Register,1 23/*);{}\n"))
def test_op_table_survives_anything_that_looks_like_one(text: str) -> None:
    prefix = "AddBuiltin(BuiltinOperator_X, Register_X()"
    assert all(low >= 0 and high >= 0 for low, high in parse_op_table(prefix + text).values())


@pytest.mark.parametrize(
    ("files", "era"),
    [
        ({"micro_error_reporter.h": ""}, "2020"),
        ({"kernels/fully_connected.cpp": "data->filter"}, "2023"),
        ({"kernels/cmsis_nn/fully_connected.cpp": "data->is_per_channel"}, "2024"),
    ],
)
def test_era_is_read_from_the_files(tmp_path: Path, files: dict[str, str], era: str) -> None:
    assert resolve_tflm(str(make_library(tmp_path / "lib", files))).era == era


def test_kernels_are_read_from_the_files(tmp_path: Path) -> None:
    arm = make_library(
        tmp_path / "a", {"kernels/cmsis_nn/conv.cpp": '#include "arm_nnfunctions.h"'}
    )
    plain = make_library(tmp_path / "b", {"kernels/conv.cpp": '#include "reference.h"'})
    assert resolve_tflm(str(arm)).kernels == "CMSIS-NN"
    assert resolve_tflm(str(plain)).kernels == "reference"


def test_a_folder_is_described_by_its_own_words(tmp_path: Path) -> None:
    files = {"micro_mutable_op_resolver.h": NEW_RESOLVER, "kernels/fully_connected.h": ""}
    found = resolve_tflm(str(make_library(tmp_path / "lib", files, name="Some_TFLM")))
    assert (found.source, found.name, found.version) == ("path", "Some_TFLM", "1.2.3")
    assert found.digest == tree_digest(tmp_path / "lib")
    assert found.ops["ABS"] is None
    assert found.op_methods["ABS"] == "AddAbs"


def test_a_folder_without_tflm_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="is not an Arduino library that holds TFLM") as caught:
        resolve_tflm(str(tmp_path))
    assert caught.value.code == "toolchain_missing"


def test_the_only_installed_library_is_taken(tmp_path: Path) -> None:
    make_library(tmp_path / "TFLM", {}, name="Arduino_TensorFlowLite", version="2.4.0-ALPHA")
    (tmp_path / "Other").mkdir()
    found = resolve_tflm("installed", tmp_path)
    assert (found.source, found.name, found.version) == (
        "installed",
        "Arduino_TensorFlowLite",
        "2.4.0-ALPHA",
    )


def test_one_of_several_installed_libraries_must_be_named(tmp_path: Path) -> None:
    make_library(tmp_path / "a", {}, name="One")
    make_library(tmp_path / "b", {}, name="Two")
    assert resolve_tflm("installed:Two", tmp_path).name == "Two"
    with pytest.raises(SetupError, match=r"2 TFLM libraries .*there: One, Two"):
        resolve_tflm("installed", tmp_path)
    with pytest.raises(SetupError, match="0 TFLM libraries named Three"):
        resolve_tflm("installed:Three", tmp_path)


def test_no_installed_library_is_said(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="there: none") as caught:
        resolve_tflm("installed", tmp_path / "absent")
    assert "tflm: crate" in caught.value.hint


def test_the_crate_is_the_pinned_one() -> None:
    found = stage_crate()
    assert (found.source, found.era, found.kernels) == ("crate", "2020", "reference")
    assert found.version == "tfmicro-0.1.0 (TFLM 2020-06)"
    assert found.digest == tflm_crate.DIGEST == tree_digest(found.library)
    assert found.ops["FULLY_CONNECTED"] == (1, 4)
    assert found.ops["MEAN"] == (1, 1)
    assert "EXPAND_DIMS" not in found.ops
    assert len(found.ops) == 52


def test_the_crates_library_is_one_that_arduino_cli_finds() -> None:
    source = stage_crate().library / "src"
    assert (source / "TensorFlowLite.h").is_file()
    assert not list(source.rglob("*.cc"))
    assert not [p for p in source.rglob("*") if "test" in p.name or p.name == "debug_log.cpp"]
    assert len(list(source.rglob("*.c*"))) == 54


@pytest.fixture
def crate(tmp_path: Path) -> Path:
    """A crate's source with one file of each kind that is treated differently."""
    lite = "submodules/tensorflow/tensorflow/lite"
    downloads = f"{lite}/micro/tools/make/downloads"
    files = {
        "LICENSE-APACHE": "licence",
        f"{lite}/micro/a.cc": '#include "tensorflow/lite/c/common.h"\n#include "ruy/p.h"\n',
        f"{lite}/micro/a_test.cc": "",
        f"{lite}/micro/debug_log.cc": "",
        f"{lite}/micro/kernels/cmsis-nn/add.cc": "",
        f"{lite}/c/common.h": '#ifdef TF_LITE_STATIC_MEMORY\n#include "flatbuffers/base.h"\n',
        f"{lite}/c/unused.h": "",
        f"{downloads}/flatbuffers/include/flatbuffers/base.h": "#include <utility.h>\n",
        f"{downloads}/ruy/ruy/p.h": '#include "absent.h"\n',
    }
    for name, text in files.items():
        (tmp_path / "crate" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "crate" / name).write_text(text)
    return tmp_path / "crate"


def test_layout_takes_what_is_needed_and_nothing_else(crate: Path, tmp_path: Path) -> None:
    tflm_crate.lay_out(crate, tmp_path / "lib")
    found = {p.relative_to(tmp_path / "lib").as_posix() for p in (tmp_path / "lib").rglob("*.*")}
    assert found == {
        "library.properties",
        "src/TensorFlowLite.h",
        "src/hil_debug_log.cpp",
        "src/flatbuffers/base.h",
        "src/ruy/p.h",
        "src/tensorflow/lite/c/common.h",
        "src/tensorflow/lite/micro/a.cpp",
    }


def test_layout_makes_library_and_sketch_agree_on_struct_layout(
    crate: Path, tmp_path: Path
) -> None:
    tflm_crate.lay_out(crate, tmp_path / "lib")
    common = (tmp_path / "lib/src/tensorflow/lite/c/common.h").read_text()
    assert common.startswith("#ifndef TF_LITE_STATIC_MEMORY\n#define TF_LITE_STATIC_MEMORY\n")
    assert (tmp_path / "lib/src/flatbuffers/base.h").read_text() == "#include <utility>\n"


def test_a_foreign_crate_is_refused_and_nothing_is_left(
    crate: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HIL_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(tflm_crate, "crate_source", lambda: crate)
    with pytest.raises(SetupError, match="is not the published one") as caught:
        tflm_crate.stage()
    assert caught.value.code == "toolchain_missing"
    assert caught.value.numbers["expected"] == tflm_crate.DIGEST
    assert list((tmp_path / "cache" / "tflm").iterdir()) == []


def test_a_changed_file_in_the_cache_is_staged_again(
    crate: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HIL_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(tflm_crate, "crate_source", lambda: crate)
    tflm_crate.lay_out(crate, tmp_path / "lib")
    monkeypatch.setattr(tflm_crate, "DIGEST", tree_digest(tmp_path / "lib"))
    changed = tflm_crate.stage() / "src" / "ruy" / "p.h"
    changed.write_text("other")
    assert not tflm_crate.is_staged()
    tflm_crate.stage()
    assert changed.read_text() == '#include "absent.h"\n'
