"""The commands and files of docs/, as a reader types them: an installed package, a fresh project.

What a fence says after its language is what happens: ``file=NAME`` is written into the project,
``run`` is run by bash and has to succeed (or to end with ``exit=N``); all else is only shown.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

import pytest
import yaml
from asuser import Project
from plain import ROOT

QUICK = ROOT / "docs" / "quickstart.md"
_FENCE = re.compile(r"^( *)```(\w+) *([^\n]*)\n(.*?)^\1```$", re.M | re.S)
_KINDS = re.compile(r"(?:file=\S+|run(?: exit=\d+)?|)")


@dataclass(frozen=True)
class Block:
    """A fenced block: what its fence says, and its text."""

    page: Path
    words: str
    text: str

    @property
    def file(self) -> str | None:
        return self.words.removeprefix("file=") if self.words.startswith("file=") else None

    @property
    def status(self) -> int | None:
        """The exit status that is asked for; None: not run."""
        if not self.words.startswith("run"):
            return None
        return int(self.words.partition("exit=")[2] or 0)


def blocks(page: Path) -> list[Block]:
    found = _FENCE.findall(page.read_text())
    return [Block(page, words.strip(), dedent(text)) for _, _, words, text in found]


PAGES = [
    page
    for page in sorted((ROOT / "docs").glob("*.md"))
    if any(block.status is not None for block in blocks(page))
]


@pytest.fixture
def reader(installed: Path, tmp_path: Path, run: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """An empty project whose shell has the installed package's `hil`, `pytest` and `python`."""
    monkeypatch.delenv("PYTHONPATH", raising=False)
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, words in (("python", ""), ("pytest", "-m pytest"), ("hil", "-m hil")):
        program = programs / name
        program.write_text(f'#!/bin/sh\nexec "{installed}" {words} "$@"\n')
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("CHECKOUT", str(ROOT))
    return Project(tmp_path / "project", str(installed))


def follow(project: Project, steps: Iterator[Block] | list[Block]) -> list[str]:
    """Does what the blocks say; what each command printed."""
    said = []
    for block in steps:
        if block.file:
            project.add(block.file, block.text)
        if block.status is not None:
            done = project.run(["bash", "-euo", "pipefail", "-c", block.text])
            assert done.returncode == block.status, f"{block.page.name}:\n{block.text}{done.stdout}"
            said.append(done.stdout)
    return said


def prepared(project: Project) -> None:
    """What the other pages say they go on from: the quick start's files and its model."""
    follow(project, [block for block in blocks(QUICK) if block.file])
    subprocess.run(["cp", "-r", str(ROOT / "models" / "hello_sine"), "."], check=True,
                   cwd=project.add("models/README", "models").parent)  # fmt: skip


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_does_what_it_says(reader: Project, page: Path) -> None:
    if page != QUICK:
        prepared(reader)
    assert follow(reader, blocks(page))


def test_every_page_for_readers_is_followed() -> None:
    names = {page.stem for page in PAGES}
    assert {
        "quickstart",
        "own-test",
        "add-board",
        "add-model",
        "product-firmware",
        "nightly",
    } <= names


def test_every_fence_is_understood() -> None:
    for page in (ROOT / "docs").glob("*.md"):
        for block in blocks(page):
            assert _KINDS.fullmatch(block.words), f"{page.name}: {block.words!r}"


def test_the_workflow_is_one(reader: Project) -> None:
    page = ROOT / "docs" / "nightly.md"
    (text,) = [block.text for block in blocks(page) if (block.file or "").endswith("nightly.yml")]
    workflow = yaml.safe_load(text)
    (job,) = workflow["jobs"].values()
    commands = [step["run"] for step in job["steps"] if "run" in step]
    assert len(commands) == 2
    assert all("run" in step or "uses" in step for step in job["steps"])
    prepared(reader)
    follow(reader, [block for block in blocks(page) if block.file])
    collected = reader.run(["bash", "-c", f"{commands[1]} --collect-only"])
    assert "'my-nano' selects no board" in collected.stdout  # the options themselves are known
    assert collected.returncode == 4


def test_what_is_wrong_with_a_products_firmware_is_the_products_fault(reader: Project) -> None:
    page = ROOT / "docs" / "product-firmware.md"
    prepared(reader)
    follow(reader, [block for block in blocks(page) if block.file])
    sketch = reader.folder / "firmware" / "product" / "product.ino"
    text = sketch.read_text()
    reader.add("release.tflite", (ROOT / "models" / "hello_sine" / "model.tflite").read_bytes())
    validate = "hil validate release.tflite --board virtual-nano33ble --sketch firmware/product"
    for fault, arena, model in (
        ("arena_overflow", "1184", "hello_sine/model.tflite"),
        ("model_corrupt", "4 * 1024", "other.tflite"),
    ):
        sketch.write_text(text.replace("kArenaSize = 4 * 1024", f"kArenaSize = {arena}"))
        data = (ROOT / "models" / "hello_sine" / "model.tflite").read_bytes()
        reader.add("models/other.tflite", data[:-1] + bytes([data[-1] ^ 1]))
        embed = reader.folder / "embed.py"
        embed.write_text(embed.read_text().replace("hello_sine/model.tflite", model))
        (said,) = follow(reader, [Block(page, "run exit=1", f"python embed.py\n{validate}")])
        record = reader.results["records"][0]
        assert {finding["code"] for finding in record["findings"]} == {fault}, said
        assert record["sketch"] == "product"
