"""A .tflite and its model.yaml: what is read, and what each damage is called."""

from __future__ import annotations

import re
import struct
import time
import zlib
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest
import tflite
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hil import graph, yamlfile
from hil.card import ModelCard, load_card
from hil.errors import SetupError
from hil.flatbuffer import Reader
from hil.model import discover_models, load_model

MODELS = Path(__file__).parents[2] / "models"
SINE = MODELS / "hello_sine"
DATA = (SINE / "model.tflite").read_bytes()


def _field(table: object, slot: int) -> int:
    """Where a table's field lies in the file."""
    return int(table._tab.Offset(slot) + table._tab.Pos)  # type: ignore[attr-defined]


def _vector_length_at(table: object, slot: int) -> int:
    tab = table._tab  # type: ignore[attr-defined]
    return int(tab.Vector(tab.Offset(slot)) - 4)


def _patched(at: int, value: int, form: str = "<I") -> bytes:
    data = bytearray(DATA)
    struct.pack_into(form, data, at, value)
    return bytes(data)


def _reason(data: bytes) -> str:
    with pytest.raises(graph.Damaged) as caught:
        graph.parse(data)
    return str(caught.value)


def _is_damaged(data: bytes) -> bool:
    try:
        graph.parse(data)
    except graph.Damaged:
        return True
    return False


def test_a_folder_is_read_whole() -> None:
    model = load_model(SINE)
    assert (model.name, model.folder, model.schema_version) == ("hello_sine", SINE, 3)
    assert model.data == DATA
    assert model.sha256 == sha256(DATA).hexdigest()
    assert model.crc32 == zlib.crc32(DATA)
    assert [spec.dtype for spec in (*model.inputs, *model.outputs)] == ["int8", "int8"]
    assert model.inputs[0].shape == (1, 1)
    assert model.inputs[0].quantised
    assert not model.inputs[0].per_channel
    assert {name for name, _ in model.op_versions()} == {"FULLY_CONNECTED"}
    assert not model.stateful
    assert all(model.tensors[i].constant for op in model.ops for i in op.inputs[1:] if i >= 0)


def test_a_bare_file_gets_a_card_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "my sine.tflite"
    path.write_bytes(DATA)
    model = load_model(path)
    assert (model.name, model.folder) == ("my_sine", None)
    assert model.card == ModelCard(name="my_sine")


def test_the_file_of_a_folder_is_the_folders_model() -> None:
    assert load_model(SINE / "model.tflite") == load_model(SINE)


def test_version_99_loads_so_that_the_device_can_refuse_it() -> None:
    at = _field(tflite.Model.GetRootAs(DATA), 4)
    assert graph.parse(_patched(at, 99)).schema_version == 99


def test_the_newer_of_the_two_opcode_fields_counts() -> None:
    code = tflite.Model.GetRootAs(DATA).OperatorCodes(0)
    assert code.DeprecatedBuiltinCode() == tflite.BuiltinOperator.FULLY_CONNECTED
    seen = graph.parse(_patched(_field(code, 4), tflite.BuiltinOperator.MIRROR_PAD, "<b"))
    assert seen.ops[0].opcode == "MIRROR_PAD"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "the file is empty"),
        (b"TFL3", "4 bytes are too few for a model"),
        (b"\x1c\0\0\0TFL2" + bytes(40), "not a .tflite file: identifier 'TFL2' instead of 'TFL3'"),
        (b"\x89PNG\r\n\x1a\n" + bytes(40), "not a .tflite file but an image (PNG)"),
        (DATA[:64], "truncated or damaged: "),
        (DATA[: len(DATA) // 2], "truncated or damaged: "),
    ],
)
def test_each_damage_has_one_clear_reason(data: bytes, reason: str) -> None:
    assert reason in _reason(data)


def test_a_cut_tail_is_noticed_wherever_the_weights_lie() -> None:
    ends = [*range(0, len(DATA), 13), *range(len(DATA) - 40, len(DATA))]
    whole = [end for end in ends if not _is_damaged(DATA[:end])]
    assert all(end >= len(DATA) - 3 for end in whole), "only padding at the end may be missing"


@pytest.mark.parametrize(("slot", "what"), [(6, "inputs"), (8, "outputs")])
def test_a_model_without_ends_is_refused(slot: int, what: str) -> None:
    subgraph = tflite.Model.GetRootAs(DATA).Subgraphs(0)
    assert f"the model has no {what}" in _reason(_patched(_vector_length_at(subgraph, slot), 0))


def test_huge_lengths_neither_hang_nor_eat_memory() -> None:
    model = tflite.Model.GetRootAs(DATA)
    subgraph = model.Subgraphs(0)
    spots = [_vector_length_at(model, slot) for slot in (6, 8, 12)]
    spots += [_vector_length_at(subgraph, slot) for slot in (4, 6, 8, 10)]
    spots += [
        _vector_length_at(subgraph.Operators(0), 6),
        _vector_length_at(subgraph.Tensors(0), 4),
    ]
    begun = time.monotonic()
    for at in spots:
        assert re.search("more than|damaged", _reason(_patched(at, 0xFFFFFFFF)))
    assert time.monotonic() - begun < 2


def test_many_tables_sharing_one_vector_stay_within_the_budget() -> None:
    reader = Reader(DATA)
    for _ in range(len(DATA) // 1000):
        reader.spend(1000, "a shared vector")
    with pytest.raises(graph.Damaged, match="more than the file can hold"):
        reader.spend(1000, "a shared vector")


def _total(data: bytes) -> None:
    begun = time.monotonic()
    if not _is_damaged(data):
        seen = graph.parse(data)
        assert seen.inputs
        assert seen.outputs
        assert all(spec.nbytes >= 0 and str(spec) for spec in seen.tensors)
    assert time.monotonic() - begun < 2


_SPOTS = st.tuples(
    st.integers(0, len(DATA) - 4), st.sampled_from([0, 1, 4, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF])
)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.integers(0, len(DATA) - 1), st.integers(0, 255)), max_size=8))
def test_changed_bytes_never_raise_anything_else(changes: list[tuple[int, int]]) -> None:
    data = bytearray(DATA)
    for at, value in changes:
        data[at] = value
    _total(bytes(data))


@settings(max_examples=300, deadline=None)
@given(st.lists(_SPOTS, min_size=1, max_size=4), st.integers(0, len(DATA)))
def test_changed_words_and_cut_tails_never_raise_anything_else(
    changes: list[tuple[int, int]], cut: int
) -> None:
    data = bytearray(DATA)
    for at, value in changes:
        struct.pack_into("<I", data, at, value)
    _total(bytes(data))
    _total(bytes(data[:cut]))


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=400))
@example(b"\0" * 64)
def test_any_bytes_after_the_identifier_never_raise_anything_else(tail: bytes) -> None:
    for root in (8, 12, 0xFFFFFFF0):
        _total(struct.pack("<I", root) + b"TFL3" + tail)


def _absent(folder: Path) -> Path:
    return folder / "none.tflite"


def _folder_without_card(folder: Path) -> Path:
    (folder / "model.tflite").write_bytes(DATA)
    return folder


def _folder_without_model(folder: Path) -> Path:
    (folder / "model.yaml").write_text(f"name: {folder.name}\n")
    return folder


def _other_name(folder: Path) -> Path:
    (folder / "model.yaml").write_text("name: other\n")
    return _folder_without_card(folder)


def _huge(folder: Path) -> Path:
    path = folder / "huge.tflite"
    with path.open("wb") as file:
        file.truncate(65 << 20)
    return path


def _null(folder: Path) -> Path:
    return folder / "a\0b.tflite"


def _device(_: Path) -> Path:
    return Path("/dev/null")


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (_absent, "cannot be read: No such file or directory"),
        (_folder_without_card, "a folder without a model.yaml"),
        (_folder_without_model, "cannot be read: No such file or directory"),
        (_other_name, "name is 'other' in a folder called"),
        (_huge, "no board holds more than 67,108,864"),
        (_null, "cannot be read"),
        (_device, "not a file"),
    ],
)
def test_what_is_no_model_is_said_so(
    tmp_path: Path, make: Callable[[Path], Path], reason: str
) -> None:
    with pytest.raises(SetupError, match=reason) as caught:
        load_model(make(tmp_path))
    assert caught.value.code == "model_file"
    assert caught.value.hint


def test_discovery_takes_folders_with_a_card(tmp_path: Path) -> None:
    for name in ("b", "a", "_kept_back", ".hidden", "no_card"):
        (tmp_path / name).mkdir()
        if name != "no_card":
            (tmp_path / name / "model.yaml").write_text(f"name: {name}\n")
    (tmp_path / "file").write_text("")
    assert list(discover_models(tmp_path)) == ["a", "b"]
    assert discover_models(tmp_path / "none") == {}


@pytest.mark.parametrize("name", sorted(discover_models(MODELS)))
def test_every_model_of_the_project_has_a_valid_card(name: str) -> None:
    assert load_card(MODELS / name / "model.yaml").name == name


def _card_problems(folder: Path, text: str) -> tuple[str, ...]:
    path = folder / "model.yaml"
    path.write_text(text)
    with pytest.raises(SetupError) as caught:
        load_card(path)
    assert caught.value.code == "model_file"
    return caught.value.problems


def test_labels_called_yes_and_no_are_text(tmp_path: Path) -> None:
    path = tmp_path / "model.yaml"
    path.write_text("name: k\nlabels: [yes, no, on, off]\ntolerance: {max_abs: 1e-6}\n")
    card = load_card(path)
    assert card.labels == ("yes", "no", "on", "off")
    assert card.tolerance is not None
    assert card.tolerance.max_abs == 1e-6


def test_all_problems_of_a_card_are_reported_with_their_lines(tmp_path: Path) -> None:
    problems = _card_problems(
        tmp_path,
        "name: k\ncolour: red\narena_bytes: -1\ntolerance: {max_lsb: 1}\n"
        "vectors: ../x.npz\nname: l\nlatency:\n  max_ms: {nano33ble: 0}\n",
    )
    text = "\n".join(problems)
    assert len(problems) == 6
    assert "name (line 6): the key is there twice" in text
    assert "colour (line 2): unknown key" in text
    assert "arena_bytes (line 3): " in text
    assert "tolerance (line 4): wider than the default and no reason given" in text
    assert "vectors (line 5): must be a file inside the model's folder" in text
    assert "latency.max_ms.nano33ble (line 8): " in text


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "the file is empty"),
        ("- a\n", "valid dictionary"),
        ("name: [unclosed\n", "line 2: "),
        ("name: &a k\ndescription: *a\n", "aliases are not supported"),
        ("name: !!python/object:os.system x\n", "is not supported as"),
        ("name: k\nsequences: yes\n", "valid boolean"),
        ("name: k\nmetric: {name: top1, value: .nan, samples: 1, source: s}\n", "finite number"),
        ("[" * 5000, "nested too deeply"),
    ],
)
def test_odd_yaml_is_a_problem_not_a_crash(tmp_path: Path, text: str, problem: str) -> None:
    assert problem in "\n".join(_card_problems(tmp_path, text))


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=200))
def test_any_yaml_text_is_a_document_or_its_problems(text: str) -> None:
    document = yamlfile.load(text)
    assert document.problems or document.lines
