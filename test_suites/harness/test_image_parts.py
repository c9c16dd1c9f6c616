"""Whose the bytes of an image are."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile

from hil.image_parts import FLASH_PARTS, RAM_PARTS, Layout, Parts, image_parts, part_of

OUT = Path("/b/out")
LAYOUT = Layout(OUT, "TensorFlowLite")
SOURCES = {
    "sketch/hil_model.cpp": """
        extern const unsigned char hil_model_bytes[]; extern const unsigned hil_model_len;
        const unsigned char hil_model_bytes[1000] = {1}; const unsigned hil_model_len = 1000;""",
    "sketch/x.ino.cpp": """
        extern const unsigned char hil_model_bytes[]; extern const unsigned hil_model_len;
        extern "C" { const char *kernel(int); const char *runtime(int); const char *device(int);
        const char *other(int); void start(); }
        static volatile unsigned char arena[4096]; int state[25]; int set[2] = {1, 2};
        void start() { for (;;) { arena[state[0]] = hil_model_bytes[hil_model_len - 1];
          state[1] += set[1] + *kernel(1) + *runtime(2) + *device(3) + *other(4); } }""",
    "libraries/TensorFlowLite/tensorflow/lite/micro/kernels/k.cpp": """
        extern "C" const char *kernel(int n) { return &"a text that all of them have"[n]; }""",
    "libraries/TensorFlowLite/tensorflow/lite/micro/r.cpp": """
        extern "C" const char *runtime(int n) { return &"a text that all of them have"[n]; }""",
    "libraries/HilDevice/d.cpp": """
        extern "C" const char *device(int n) { return &"all of them have"[n]; }""",
    "libraries/Sensor/s.cpp": """
        int samples[10]; extern "C" const char *other(int n) { return &"its own"[samples[n]]; }""",
}
SCRIPT = """
MEMORY { F (rx) : ORIGIN = 0x8000000, LENGTH = 64K  R (rw) : ORIGIN = 0x20000000, LENGTH = 64K }
SECTIONS {
  .text : { *(.text .text.* .rodata .rodata.*) . = ALIGN(64); } > F
  .stack (NOLOAD) : { . += 512; } > R
  .data : { *(.data .data.*) } > R AT > F
  .bss (NOLOAD) : { *(.bss .bss.* COMMON) } > R
  .heap (NOLOAD) : { . += 256; } > R
  .stack_dummy (NOLOAD) : { . += 2048; } > R
  /DISCARD/ : { *(.ARM.exidx*) }
}
"""


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A build path with an image linked by the cross compiler, its map beside it."""
    if not shutil.which("arm-none-eabi-g++"):
        pytest.skip("no cross compiler")
    out = tmp_path_factory.mktemp("out")
    gcc = [
        "arm-none-eabi-g++",
        "-mcpu=cortex-m4",
        "-mthumb",
        "-Os",
        "-fno-exceptions",
        "-ffunction-sections",
    ]
    objects = []
    for name, text in SOURCES.items():
        source = out / name
        source.parent.mkdir(parents=True, exist_ok=True)
        source.write_text(text)
        objects.append(f"{source}.o")
        subprocess.run([*gcc, "-c", str(source), "-o", objects[-1]], check=True)
    (out / "link.ld").write_text(SCRIPT)
    link = [*gcc, "-nostdlib", f"-T{out}/link.ld", "-Wl,-estart", f"-Wl,-Map={out}/x.map"]
    subprocess.run([*link, *objects, "-lgcc", "-o", f"{out}/x.elf"], check=True)
    return out


def parts(out: Path, map_name: str = "x.map") -> Parts:
    return image_parts(out / "x.elf", out / map_name, Layout(out, "TensorFlowLite"))


def sizes(out: Path) -> dict[str, int]:
    with (out / "x.elf").open("rb") as stream:
        return {s.name: int(s["sh_size"]) for s in ELFFile(stream).iter_sections()}


@pytest.mark.parametrize("map_name", ["x.map", "none.map", "link.ld"])
def test_the_parts_add_up_to_the_sections_whatever_the_map(image: Path, map_name: str) -> None:
    found, size = parts(image, map_name), sizes(image)
    assert tuple(found.flash) == FLASH_PARTS
    assert tuple(found.ram) == RAM_PARTS
    assert sum(found.flash.values()) == size[".text"] + size[".data"]
    assert sum(found.ram.values()) == sum(size[n] for n in (".stack", ".data", ".bss", ".heap"))
    assert min(*found.flash.values(), *found.ram.values()) >= 0


def test_each_part_has_what_its_files_brought(image: Path) -> None:
    found = parts(image)
    assert found.flash["model"] == 1000
    assert found.ram == {
        **dict.fromkeys(RAM_PARTS, 0),
        "arena": 4096, "sketch": 108, "libraries": 40, "stack": 512, "heap": 256,
    }  # fmt: skip
    for part in ("kernels", "runtime", "hil_device", "sketch", "libraries"):
        assert found.flash[part] > 0, part
    assert found.flash["core"] == 0
    texts = b"a text that all of them have\0"
    merged = found.flash["kernels"] + found.flash["runtime"] + found.flash["hil_device"]
    assert len(texts) < merged < 2 * len(texts) + 30  # the pool counts once


def test_without_a_map_the_symbols_tell_model_and_arena(image: Path) -> None:
    found = parts(image, "none.map")
    assert (found.flash["model"], found.ram["arena"]) == (1000, 4096)
    assert found.flash["other"] == sum(found.flash.values()) - 1000
    assert (found.ram["stack"], found.ram["heap"], found.ram["other"]) == (512, 256, 148)


@pytest.mark.parametrize(
    ("file", "part"),
    [
        ("/b/out/sketch/x.ino.cpp.o", "sketch"),
        ("/b/out/core/core.a(main.cpp.o)", "core"),
        ("/b/out/core/variant.cpp.o", "core"),
        ("/home/u/.cache/arduino/cores/sketch_1/core.a(main.cpp.o)", "core"),
        ("/usr/lib/gcc/arm-none-eabi/12/libgcc.a(_divsi3.o)", "core"),
        ("linker stubs", "other"),
        ("/b/out/libraries/HilDevice/hil_wire.cpp.o", "hil_device"),
        ("/b/out/libraries/Wire/Wire.cpp.o", "libraries"),
        ("/b/out/libraries/TensorFlowLite/tensorflow/lite/micro/micro_allocator.cpp.o", "runtime"),
        ("/b/out/libraries/TensorFlowLite/tensorflow/lite/micro/kernels/conv.cpp.o", "kernels"),
        ("/b/out/libraries/TensorFlowLite/third_party/cmsis_nn/Source/s8.c.o", "kernels"),
        ("/b/out/libraries/TensorFlowLite/TensorFlowLite.a(conv.cpp.o)", "runtime"),
    ],
)
def test_where_an_object_lies_says_whose_it_is(file: str, part: str) -> None:
    assert part_of(file, LAYOUT) == part
