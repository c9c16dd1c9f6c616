"""Firmware as a value, and the sizes of an image."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from hil.firmware import Firmware, TflmInfo, intact, load_firmware, read_sections, seal

SOURCE = """
static unsigned char arena[4096];
unsigned char zeroed[100];
int set[8] = {1, 2, 3};
const int constant[16] = {4};
void Reset(void) { arena[zeroed[0]] = (unsigned char)(set[0] + constant[1]); for (;;) {} }
"""


def firmware(folder: Path) -> Firmware:
    tflm = TflmInfo("crate", "2020", "d" * 64, "reference")
    return Firmware(
        board="nano", fqbn="a:b:c", sketch="s", model_sha256="0" * 64, model_crc32=1,
        build_id="0" * 16, digest="1" * 64, folder=folder, elf=folder / "s.elf", flash=1, data=2,
        bss=3, ram=4, model=5, arena_cap=6, extra_ops=["ADD"], flash_parts={"model": 5},
        ram_parts={"arena": 6}, compiler="gcc", flags="-Os", tflm=tflm,
    )  # fmt: skip


def test_what_an_earlier_build_left_is_the_same_value(tmp_path: Path) -> None:
    made = firmware(tmp_path)
    (tmp_path / "firmware.json").write_text(json.dumps(made.to_json()))
    assert load_firmware(tmp_path) == made


@pytest.mark.parametrize("text", [None, "", "{", "[]", "{}", '{"folder": 1, "elf": 2}'])
def test_what_cannot_be_read_is_nothing(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / "firmware.json").write_text(text)
    assert load_firmware(tmp_path) is None


@pytest.mark.parametrize("name", ["s.elf", "s.bin", "firmware.json", "seal.sha256"])
def test_a_firmware_that_was_damaged_is_not_whole(tmp_path: Path, name: str) -> None:
    for each in ("s.elf", "s.bin", "firmware.json"):
        (tmp_path / each).write_bytes(bytes(100))
    assert not intact(tmp_path)
    seal(tmp_path)
    assert intact(tmp_path)
    data = bytearray((tmp_path / name).read_bytes())
    data[50] ^= 1
    (tmp_path / name).write_bytes(data)
    assert not intact(tmp_path)


@pytest.mark.parametrize("change", ["more", "fewer"])
def test_a_file_more_or_fewer_is_damage(tmp_path: Path, change: str) -> None:
    (tmp_path / "s.elf").write_bytes(bytes(100))
    seal(tmp_path)
    (tmp_path / "s.bin").touch() if change == "more" else (tmp_path / "s.elf").unlink()
    assert not intact(tmp_path)


@pytest.mark.skipif(not shutil.which("arm-none-eabi-gcc"), reason="no cross compiler")
def test_the_arena_is_counted_apart(tmp_path: Path) -> None:
    (tmp_path / "x.c").write_text(SOURCE)
    command = ["arm-none-eabi-gcc", "-mcpu=cortex-m4", "-mthumb", "-O0", "-nostdlib"]
    subprocess.run([*command, "-Wl,-eReset", "x.c", "-o", "x.elf"], cwd=tmp_path, check=True)
    sizes = read_sections(tmp_path / "x.elf")
    assert (sizes.data, sizes.bss, sizes.arena) == (32, 100, 4096)
    assert read_sections(tmp_path / "x.elf", "set_aside").bss == 4196
