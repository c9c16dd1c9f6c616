"""Link maps: what GNU ld wrote, and whatever else a text may be."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.linkmap import Piece, Share, parse_map, shares

# GNU ld 2.40, cut: a discarded section, a name on a line of its own, merged strings, one string
# that was merged away (its size is nonsense), padding, symbols, a reserve of the linker script.
REAL = """\
Discarded input sections

 .text.gone     0x00000000       0x44 /b/out/sketch/x.ino.cpp.o

Linker script and memory map

                0x000f0000                        HIL_FLASH = 0xf0000
LOAD /b/out/sketch/x.ino.cpp.o

.text           0x00000000      0x120
 *(.vectors)
 .vectors       0x00000000       0xc0 /b/out/core/core.a(startup.cpp.o)
                0x00000000                vectors
 *(.text .text.*)
 .text._ZN6tflite17ConvertTensorTypeENS_10TensorTypeE
                0x000000c0       0x12 /b/out/libraries/TensorFlowLite/a b/common.c.o
                0x000000c0                tflite::ConvertTensorType(tflite::TensorType)
 *fill*         0x000000d2        0x2 
 .rodata.setup.str1.1
                0x000000d4       0x20 /b/out/sketch/x.ino.cpp.o
                                 0x26 (size before relaxing)
 .rodata._GLOBAL__sub_I_setup.str1.1
                0x000000f4       0x20 /b/out/sketch/x.ino.cpp.o
                                  0x1 (size before relaxing)
 .rodata.pool.str1.1
                0x000000f4       0x20 /b/out/sketch/y.cpp.o
                                  0x8 (size before relaxing)
 .rodata.cst4   0x00000114        0x4 /lib/libm.a(lib_a-s_floor.o)
                0x00000118                        . = ALIGN (0x4)

.stack          0x20000000     0x2000
                0x20002000                        . = (. + HIL_STACK)
 *fill*         0x20000000     0x2000 

.data           0x20002000        0x8 load address 0x00000120
 .data._ZL7heap_at
                0x20002000        0x4 /b/out/core/core.a(runtime.cpp.o)
OUTPUT(/b/out/x.ino.elf elf32-littlearm)

.debug_info     0x00000000     0x8d
 .debug_info    0x00000000       0x8d /b/out/sketch/x.ino.cpp.o
"""  # noqa: W291


def test_a_real_map_gives_each_file_its_bytes() -> None:
    found = shares(".text", 0, 0x120, parse_map(REAL))
    assert [(share.file.rsplit("/", 1)[-1], share.start, share.size) for share in found] == [
        ("core.a(startup.cpp.o)", 0x00, 0xC0),
        ("common.c.o", 0xC0, 0x12),
        ("x.ino.cpp.o", 0xD4, 0x20),
        ("y.cpp.o", 0xF4, 0x8),
        ("libm.a(lib_a-s_floor.o)", 0x114, 0x4),
    ]


def test_a_file_name_may_have_blanks() -> None:
    named = [piece.file for piece in parse_map(REAL) if "ConvertTensorType" in piece.name]
    assert named == ["/b/out/libraries/TensorFlowLite/a b/common.c.o"]


def test_padding_is_nobodys_and_what_was_discarded_is_nowhere() -> None:
    pieces = parse_map(REAL)
    assert not shares(".stack", 0x20000000, 0x2000, pieces)
    assert not any("gone" in piece.name for piece in pieces)
    assert [share.size for share in shares(".data", 0x20002000, 8, pieces)] == [4]


def test_a_section_of_another_place_or_name_takes_nothing() -> None:
    pieces = parse_map(REAL)
    assert not shares(".text", 0x08000000, 0x120, pieces)
    assert not shares(".text2", 0, 0x120, pieces)


@pytest.mark.parametrize("text", ["", "Linker script and memory map", "VMA LMA Size Align Out In"])
def test_what_is_no_map_has_no_pieces(text: str) -> None:
    assert parse_map(text) == ()


words = st.sampled_from(
    [" .text.a", ".text", " *fill*", " 0x10", "0x20 ", "\n", " ", "                ", "a.o",
     " COMMON", "(size before relaxing)", "load address", "0x", "\t", "0x" + "f" * 20, "(",
     "\u2028"]
)  # fmt: skip
texts = st.one_of(st.text(), st.lists(words).map("".join)).map(
    lambda text: "Linker script and memory map\n" + text
)
pieces_ = st.builds(
    Piece,
    st.sampled_from([".text", ".data"]),
    st.sampled_from([".a", ".b"]),
    st.integers(0, 300),
    st.integers(0, 400),
    st.sampled_from(["", "x.o", "y.o"]),
)


@given(texts)
def test_any_text_is_pieces(text: str) -> None:
    for piece in parse_map(text):
        assert piece.name
        assert piece.size >= 0


@given(st.lists(pieces_), st.integers(0, 200), st.integers(0, 200))
def test_shares_lie_within_their_section_and_apart(
    pieces: list[Piece], start: int, size: int
) -> None:
    found = shares(".text", start, size, pieces)
    assert all(start <= share.start < share.end <= start + size for share in found)
    assert all(one.end <= two.start for one, two in pairwise(found))
    assert sum(share.size for share in found) <= size


@given(st.lists(st.tuples(st.integers(1, 5000), st.booleans(), st.integers(0, 60)), max_size=20))
def test_a_written_map_comes_back(rows: list[tuple[int, bool, int]]) -> None:
    lines, wanted, at = [".text 0x1000 0xffff"], [], 0x1000
    for index, (size, pad, length) in enumerate(rows):
        name = f".text.{'n' * length}"
        gap = f"{name}\n{' ' * 16}" if length > 8 else f"{name:15}"
        lines.append(f" {gap}0x{at:08x} {size:#10x} /o/f{index}.o")
        wanted.append(Share(at, at + size, name, f"/o/f{index}.o"))
        at += size
        if pad:
            lines.append(f" *fill*         0x{at:08x}        0x3 ")
            at += 3
    text = "Linker script and memory map\n" + "\n".join(lines)
    assert shares(".text", 0x1000, at - 0x1000, parse_map(text)) == tuple(wanted)
