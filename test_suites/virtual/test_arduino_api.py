"""Sketches behave as on an Arduino; the expected texts are those of the reference core."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from plain import ROOT, SKETCHES, Talk, compile_sketch, upload

from hil.inventory import Board
from hil.paths import cache_dir
from hil.tflm import stage_crate

Images = dict[str, Path]


@pytest.fixture
def talk(any_board: Board, images: Images) -> Iterator[Talk]:
    upload(any_board, images[any_board.id])
    with Talk(any_board) as opened:
        assert opened.line() == "hello"
        yield opened


def test_the_api(talk: Talk) -> None:
    assert talk.ask("n") == "3.14 -3 0.000012 nan ovf FF FFFFFFFF 65 A 1.0000"
    assert talk.ask("s") == "Value=42,1.50,FF;7 6 43 V=42,1.50,FF;7V=42,1.50,FF;7 a101"
    # Beyond what a float can hold, a sign in the middle, text before and after.
    assert talk.ask("i 16777217, x-5 12.375abc\n") == "16777217 -5 12.375 [abc]"
    assert talk.ask("i1-2.5.7\n") == "1 -2 0.500 [.7]"
    short, long = map(int, talk.ask("d").split())
    assert 1_000 <= short < 2_500  # delay(1) and delay(250), in microseconds
    assert 250_000 <= long < 260_000


def test_a_tutorial_sketch_compiles_and_runs_unchanged(
    nano: Board, images: Images, tmp_path: Path
) -> None:
    sketch = tmp_path / "tutorial"
    sketch.mkdir()
    (sketch / "tutorial.ino").write_bytes((SKETCHES / "tutorial" / "tutorial.ino").read_bytes())
    model = (ROOT / "models" / "hello_sine_float" / "model.tflite").read_bytes()
    (sketch / "model.h").write_text("#pragma once\nextern const unsigned char g_model[];\n")
    (sketch / "model.cpp").write_text(
        '#include "model.h"\nalignas(16) const unsigned char g_model[] = {'
        + ",".join(map(str, model))
        + "};\n"
    )
    build = cache_dir() / "build" / "tutorial"  # TFLM is compiled once, not for every test run
    upload(nano, compile_sketch(nano, sketch, build, [stage_crate().library]))
    with Talk(nano) as talk:
        line = talk.line()
        while line and not line.startswith("sin(0)"):
            line = talk.line()  # this TFLM has something to say about the arena's alignment
    assert abs(float(line.removeprefix("sin(0) predicted: "))) < 0.05
