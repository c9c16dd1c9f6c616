"""A machine made of scripts on PATH, for the tests of the set-up."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from hil.setup import tflm_crate, tools, venv

ALL_TOOLS = ("arm-none-eabi-g++", "qemu-system-arm", "arduino-ctags", "ccache", "cargo")


class Machine:
    """A PATH of its own, on which each program is a script that logs how it was called."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.log = folder, folder.parent / "calls.log"
        folder.mkdir()

    def add(self, name: str, body: str = "exit 0") -> None:
        path = self.folder / name
        path.write_text(f'#!/bin/sh\necho "{name} $*" >> {self.log}\n{body}\n')
        path.chmod(0o755)

    def add_cli(self, version: str) -> None:
        self.add("arduino-cli", f'echo \'{{"VersionString": "{version}"}}\'')

    def calls(self, name: str) -> list[str]:
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        return [line for line in lines if line.startswith(f"{name} ")]


def bare_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, root: bool) -> Machine:
    """No tools, an empty cache, no checkout, TFLM staged; for root, `env` is the real one."""
    made = Machine(tmp_path / "bin")
    monkeypatch.setenv("PATH", str(made.folder))
    monkeypatch.setenv("HIL_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(os, "geteuid", lambda: 0 if root else 1000)
    monkeypatch.setattr(venv, "is_checkout", lambda: False)
    monkeypatch.setattr(tflm_crate, "stage", lambda: tmp_path)
    tools.arduino_cli_version.cache_clear()
    if root:
        (made.folder / "env").symlink_to("/usr/bin/env")
    return made


def everything(machine: Machine) -> None:
    for name in ALL_TOOLS:
        machine.add(name)
    machine.add_cli("1.5.1")
