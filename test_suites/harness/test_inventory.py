"""boards.yaml: every problem at once, with its place, and what a selection means."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.board import expand, same_port
from hil.errors import SetupError
from hil.inventory import Bench, json_schema, load_bench, select

ROOT = Path(__file__).parents[2]
GOOD = """\
version: 1
boards:
  - id: one
    fqbn: a:b:c
    port: ${HIL_RUN}/ports/one
    ram: 256 KiB
    flash: 1 MiB
    tags: [virtual, fast]
    options: {opt: fast, baud: 921600}
    defines: {LED: 13, NAME: x}
  - id: two
    fqbn: "a:b:c:opt=fast,x=y"
    port: usb:2341:805A:1234
    ram: 262144
    flash: 983040
    tflm: installed:My_Library
    present: false
    tags: [physical]
"""


@pytest.fixture(autouse=True)
def run_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HIL_RUN", "/run/of/hil")


def _load(folder: Path, text: str) -> Bench:
    path = folder / "boards.yaml"
    path.write_text(text)
    return load_bench(path)


def _problems(folder: Path, text: str) -> tuple[str, ...]:
    with pytest.raises(SetupError) as caught:
        _load(folder, text)
    assert caught.value.code == "boards_yaml"
    return caught.value.problems


def _with(line: str, board: str = "one") -> str:
    """GOOD with one line more, or another one in its place, in the first board."""
    key = line.partition(":")[0]
    lines = GOOD.splitlines()
    end = next(n for n, text in enumerate(lines) if text == "  - id: two")
    kept = [t for n, t in enumerate(lines) if n >= end or not t.strip(" -").startswith(f"{key}:")]
    start = kept.index("boards:") + 1
    if key == "id":
        return "\n".join([*kept[:start], f"  - {line}", *kept[start:]])
    return "\n".join([*kept[: start + 1], f"    {line}", *kept[start + 1 :]])


def test_a_bench_is_read(tmp_path: Path) -> None:
    bench = _load(tmp_path, GOOD)
    one, two = bench.boards.values()
    assert (one.port, one.ram, one.flash) == ("/run/of/hil/ports/one", 262144, 1048576)
    assert (one.baud, one.ram_reserve, one.present, one.arduino) == (115200, 8192, True, "bundled")
    assert one.full_fqbn == "a:b:c:opt=fast,baud=921600"
    assert two.full_fqbn == "a:b:c:opt=fast,x=y"
    assert (two.tflm, two.tags) == ("installed:My_Library", ("physical",))
    assert dict(one.defines) == {"LED": 13, "NAME": "x"}


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("fqbn: a:b", "boards[0].fqbn (line 4): an FQBN is vendor:architecture:board"),
        ("fqbn: 'a:b:c:opt'", "an FQBN is"),
        ("fqbn: 'a:b:c:opt=fast'", "option opt is in fqbn and in options"),
        ("port: ttyACM0", "a port is an absolute path"),
        ("port: usb:2341:5", "a USB port is usb:VID:PID[:SERIAL]"),
        ("port: ftp://x", "pyserial knows no ftp://"),
        ("port: ${HOME}/x", "unknown variable $HOME"),
        ("port: $HIL_RUN/x", "unknown variable $HIL_RUN"),
        ("baud: 1200", "enters the bootloader"),
        ("baud: '115200'", "valid integer"),
        ("ram: 12 kb", "a size is bytes, or a number with KiB or MiB"),
        ("ram: 0", "greater than 0"),
        ("ram: true", "valid integer"),
        ("flash: 1.5", "valid integer"),
        ("ram_reserve: 256 KiB", "leaves nothing of ram"),
        ("tflm: crates", "tflm is crate, installed, installed:<library> or a folder's path"),
        ("tflm: 'installed:'", "tflm is crate"),
        ("tags: virtual", "valid tuple"),
        ("present: yes", "valid boolean"),
        ("arduino: mine", "'bundled' or 'user'"),
        ("colour: red", "boards[0].colour (line 4): unknown key"),
        ("id: a b", "boards[0].id (line 3): "),
        ("id: all", "cannot name one"),
        ("id: two", "boards[1].id (line 11): 'two' is also boards[0]"),
        ("port: usb:2341:805a:1234", "boards[1].port (line 13): 'usb:2341:805A:1234' may be"),
        ("port: usb:2341:805a", "may be the port of boards[0] (one)"),
        ("defines: {1A: x}", "boards[0].defines"),
    ],
)
def test_each_mistake_is_named_with_its_place(tmp_path: Path, line: str, problem: str) -> None:
    problems = _problems(tmp_path, _with(line))
    assert len(problems) == 1
    assert problem in problems[0]
    assert "(line " in problems[0]


def test_all_problems_are_reported_at_once(tmp_path: Path) -> None:
    text = GOOD.replace("fqbn: a:b:c", "fqbn: nonsense").replace("id: two", "id: one")
    text = (
        text.replace("flash: 983040", "flash: 983040\n    flash: 1\n    tyre: flat") + "extra: 1\n"
    )
    problems = "\n".join(_problems(tmp_path, text))
    for part in (
        "boards[0].fqbn (line 4)",
        "boards[1].id (line 11): 'one' is also boards[0]",
        "boards[1].flash (line 16): the key is there twice",
        "boards[1].tyre (line 17): unknown key",
        "extra (line 21): unknown key",
    ):
        assert part in problems


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "the file is empty"),
        ("boards", "`version: 1` and `boards:` are expected"),
        ("version: 2\nboards: []\n", "version (line 1): Input should be 1"),
        ("version: 1\n", "boards (line 1): is missing"),
        ("version: 1\nboards: []\n", "boards (line 2): "),
        ("version: 1\nboards: {a: b}\n", "boards (line 2): "),
        ("version: 1\nboards: [3]\n", "boards[0] (line 2): "),
        ("version: 1\nboards: [\n", "line 3: "),
        ("a: &x [*x]\n", "aliases are not supported"),
        ("\t", "line 1: "),
    ],
)
def test_files_that_are_no_bench(tmp_path: Path, text: str, problem: str) -> None:
    assert problem in "\n".join(_problems(tmp_path, text))


def test_a_file_that_cannot_be_read_says_why(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="No such file") as caught:
        load_bench(tmp_path / "none.yaml")
    assert caught.value.code == "boards_yaml"
    (tmp_path / "b.yaml").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(SetupError, match="not UTF-8"):
        load_bench(tmp_path / "b.yaml")


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_any_change_of_the_text_is_a_bench_or_a_setup_error(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    text = GOOD
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(text)))
        cut = data.draw(st.integers(0, 8))
        text = text[:at] + data.draw(st.text(max_size=6)) + text[at + cut :]
    path = tmp_path_factory.mktemp("bench") / "boards.yaml"
    path.write_text(text, encoding="utf-8", errors="replace")
    found: object = None
    try:
        found = load_bench(path).boards
    except SetupError as error:
        found = error.code == "boards_yaml" and error.problems
    assert found


def test_relative_tflm_folders_are_relative_to_the_file(tmp_path: Path) -> None:
    board = _load(tmp_path, _with("tflm: ./my_tflm")).boards["one"]
    assert board.tflm == str(tmp_path / "my_tflm")
    assert _load(tmp_path, _with("tflm: /opt/tflm")).boards["one"].tflm == "/opt/tflm"


def test_a_tilde_is_the_home_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    assert expand("~/port") == "/home/me/port"
    assert expand("/a~b") == "/a~b"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("/dev/ttyACM0", "/dev/ttyACM0", True),
        ("/dev/ttyACM0", "/dev/ttyACM1", False),
        ("usb:2341:805a:A", "usb:2341:805a:B", False),
        ("usb:2341:805a:A", "usb:2341:805a", True),
        ("usb:2341:805A", "usb:2341:805a", True),
        ("usb:2341:805a", "usb:2e8a:000a", False),
        ("usb:2341:805a", "/dev/ttyACM0", False),
    ],
)
def test_when_two_ports_may_be_one(one: str, other: str, same: bool) -> None:
    assert same_port(one, other) is same_port(other, one) is same


def test_all_skips_absent_boards_and_says_so(tmp_path: Path) -> None:
    bench = _load(tmp_path, GOOD)
    chosen = select(bench, ["all"])
    assert [board.id for board in chosen.boards] == ["one"]
    assert [(board.id, reason) for board, reason in chosen.skipped] == [
        ("two", "marked absent (present: false)")
    ]
    assert chosen.named == ()


def test_a_name_takes_an_absent_board_too_and_each_board_once(tmp_path: Path) -> None:
    bench = _load(tmp_path, GOOD)
    chosen = select(bench, ["two", "tag:physical", "all", "two"])
    assert [board.id for board in chosen.boards] == ["one", "two"]
    assert chosen.skipped == ()
    assert chosen.named == ("two",)


def test_unknown_names_come_with_close_matches(tmp_path: Path) -> None:
    bench = _load(tmp_path, GOOD)
    with pytest.raises(SetupError) as caught:
        select(bench, ["onee", "tag:virtul", "zzzzz", "one"])
    first, second, third = caught.value.problems
    assert "did you mean one?" in first
    assert "tag:virtual" in second
    assert "known: one, two, tag:fast, tag:physical, tag:virtual, all" in third
    with pytest.raises(SetupError, match="no board is selected"):
        select(bench, [])


def test_the_projects_bench_has_three_virtual_and_six_absent_boards() -> None:
    bench = load_bench(ROOT / "boards.yaml")
    chosen = select(bench, ["all"])
    assert [board.id for board in chosen.boards] == [
        "virtual-nano33ble",
        "virtual-pico",
        "virtual-nucleo-h7",
    ]
    assert len(chosen.skipped) == 6
    assert all(board.tflm == "crate" for board in chosen.boards)
    assert all(board.arduino == "user" for board, _ in chosen.skipped)
    assert bench.boards["nano33ble"].flash == 983040
    for virtual, real in (
        ("virtual-nano33ble", "nano33ble"),
        ("virtual-pico", "pico"),
        ("virtual-nucleo-h7", "nucleo-h743zi"),
    ):
        pair = bench.boards[virtual], bench.boards[real]
        assert len({(board.ram, board.flash) for board in pair}) == 1


def test_the_published_schema_is_the_codes() -> None:
    published = json.loads((ROOT / "docs" / "boards.schema.json").read_text())
    assert published == json_schema()
    properties = published["$defs"]["Board"]["properties"]
    assert set(published["$defs"]["Board"]["required"]) == {"id", "fqbn", "port", "ram", "flash"}
    assert {"type": "integer", "exclusiveMinimum": 0} in properties["ram"]["anyOf"]
    assert published["$defs"]["Board"]["additionalProperties"] is False


def test_a_boards_file_without_an_end_is_refused() -> None:
    with pytest.raises(SetupError) as caught:
        load_bench(Path("/dev/zero"))
    assert caught.value.code == "boards_yaml"
