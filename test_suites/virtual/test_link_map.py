"""The link map of a core, whether its platform.txt asks for one or not."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from plain import ROOT, SKETCHES

from hil import arduino
from hil.build import build, recipe
from hil.inventory import Board
from hil.model import load_model
from hil.paths import cache_dir, platform_dir

WISH = ' "-Wl,-Map={build.path}/{build.project_name}.map"'


@pytest.fixture
def fresh_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache with the tools of this user's and no builds: no map of an earlier one is there."""
    tools, cache = cache_dir(), tmp_path / "cache"
    cache.mkdir()
    for name in ("arduino", "tflm", "ccache"):
        (cache / name).symlink_to(tools / name)
    monkeypatch.setenv("HIL_CACHE", str(cache))


@pytest.mark.slow
@pytest.mark.usefixtures("fresh_cache")
def test_a_core_that_writes_no_map_is_asked_for_one(
    nano: Board, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "arduino"
    shutil.copytree(platform_dir(), folder)
    (text,) = folder.rglob("platform.txt")
    assert WISH in text.read_text()
    text.write_text(text.read_text().replace(WISH, ""))
    monkeypatch.setattr(arduino, "platform_dir", lambda: folder)
    monkeypatch.setattr(arduino, "_properties", {})
    model = load_model(ROOT / "models" / "hello_sine")
    firmware = build(recipe(nano, model, sketch=SKETCHES / "talker"))
    assert len(list(firmware.folder.glob("*.map"))) == 1
    assert firmware.flash_parts["core"] > firmware.flash_parts["sketch"] > 0
    assert firmware.flash_parts["other"] < 200
    assert sum(firmware.flash_parts.values()) == firmware.flash
