"""Addresses as functions, files and lines, against the toolchain's own addr2line."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hil.symbols import Place, Symbols

SOURCE = """\
extern "C" void stop(int) __attribute__((noreturn, noinline));
volatile int sink;
namespace outer {
static inline __attribute__((always_inline)) void inner(int x) {
  sink = x * 3;
  sink = sink / 7;
}
struct Thing {
  __attribute__((noinline)) void act(int x);
};
void Thing::act(int x) {
  inner(x);
  stop(x);
}
}
void removed() { sink = 1; }
extern "C" void stop(int x) { for (;;) sink = x; }
extern "C" void start() {
  outer::Thing it;
  if (sink) it.act(sink);
}
"""
BASE = 0x8000


def built(folder: Path, version: int, *extra: str) -> Path:
    source, elf = folder / "source.cpp", folder / "image.elf"
    source.write_text(SOURCE)
    flags = ["-mcpu=cortex-m4", "-mthumb", "-Os", "-ffunction-sections", "-fno-exceptions"]
    flags += ["-g", f"-gdwarf-{version}", f"-ffile-prefix-map={folder}=src", *extra]
    link = ["-nostdlib", "-Wl,--gc-sections", "-Wl,-estart", f"-Wl,-Ttext={BASE:#x}"]
    command = ["arm-none-eabi-g++", *flags, *link, str(source), "-o", str(elf)]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    return elf


@pytest.fixture(scope="module", params=[5, 4, 3])
def image(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(tmp_path_factory.mktemp("elf"), request.param)


def span(elf: Path) -> range:
    with elf.open("rb") as stream:
        text = ELFFile(stream).get_section_by_name(".text")
        return range(text["sh_addr"], text["sh_addr"] + text["sh_size"], 2)


def start_of(elf: Path, name: str) -> int:
    with elf.open("rb") as stream:
        symbol = ELFFile(stream).get_section_by_name(".symtab").get_symbol_by_name(name)[0]
        return int(symbol["st_value"]) & ~1


def addr2line(elf: Path, addresses: range) -> list[tuple[str, str]]:
    command = ["arm-none-eabi-addr2line", "-Cfse", str(elf), *map(hex, addresses)]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    return [
        (name.partition("(")[0], place.partition(" ")[0])
        for name, place in zip(lines[::2], lines[1::2], strict=True)
    ]


def test_every_address_is_where_addr2line_says(image: Path) -> None:
    symbols, addresses = Symbols(image), span(image)
    for address, (name, line) in zip(addresses, addr2line(image, addresses), strict=True):
        place = symbols.at(address)
        assert (place.file, f"source.cpp:{place.line}") == ("src/source.cpp", line)
        # It leaves the namespace of an inlined function out, and misses the inlining's first bytes.
        assert name in (place.function.rpartition("::")[2], place.function, place.within)


def test_an_inlined_function_names_the_one_around_it(image: Path) -> None:
    symbols = Symbols(image)
    inlined = {symbols.at(address).within for address in span(image)} - {""}
    assert inlined == {"outer::Thing::act"}
    here = next(p for a in span(image) if (p := symbols.at(a)).within)
    assert str(here).startswith("outer::inner (src/source.cpp:")
    assert str(here).endswith("), inlined in outer::Thing::act")


def test_a_call_at_the_end_of_a_function_is_that_functions(image: Path) -> None:
    symbols = Symbols(image)
    behind = start_of(image, "_ZN5outer5Thing3actEi")
    while not symbols.is_return(behind | 1):
        behind += 2
    assert (symbols.before(behind | 1).function, symbols.before(behind | 1).line) == (
        "outer::Thing::act",
        13,
    )
    assert not symbols.is_return(behind)  # no Thumb bit


def test_only_what_follows_a_call_is_a_return_address(image: Path) -> None:
    symbols = Symbols(image)
    returns = [a | 1 for a in span(image) if symbols.is_return(a | 1)]
    disassembly = ["arm-none-eabi-objdump", "-d", str(image)]
    text = subprocess.run(disassembly, check=True, capture_output=True, text=True).stdout
    calls = [int(line.split(":")[0], 16) for line in text.splitlines() if "\tbl\t" in line]
    assert returns
    assert returns == [address + 4 | 1 for address in calls if address + 4 in span(image)]


def test_what_the_linker_removed_lies_nowhere(image: Path) -> None:
    assert Symbols(image).at(4) == Place(4)


def test_without_debug_information_the_symbol_table_answers(tmp_path: Path) -> None:
    place = Symbols(built(tmp_path, 5, "-g0")).at(start_of(tmp_path / "image.elf", "stop") + 2)
    assert (place.function, place.file, place.line) == ("stop", "", 0)
    assert str(place) == "stop"


@pytest.mark.parametrize("content", [b"", b"\x7fELF", b"no image", None])
def test_what_is_no_image_names_nothing(tmp_path: Path, content: bytes | None) -> None:
    symbols = Symbols(tmp_path / "absent.elf" if content is None else content)
    assert symbols.at(BASE) == Place(BASE)
    assert str(symbols.at(BASE)) == "0x00008000"
    assert not symbols.is_return(BASE | 1)


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_no_damage_raises(image: Path, data: st.DataObject) -> None:
    raw = bytearray(image.read_bytes())
    for _ in range(data.draw(st.integers(1, 40))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    symbols = Symbols(bytes(raw[: data.draw(st.integers(0, len(raw)))]))
    for address in (0, 1, BASE, BASE + 8, 0xFFFFFFFF):
        assert isinstance(symbols.at(address), Place)
        assert isinstance(symbols.before(address), Place)
        assert symbols.is_return(address) in (True, False)
