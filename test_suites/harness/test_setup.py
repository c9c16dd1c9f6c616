"""The set-up against a machine made of scripts on PATH: what it asks, runs, says and leaves."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from fake_machine import ALL_TOOLS, Machine, bare_machine, everything

from hil.errors import SetupError
from hil.setup import apt, host, steps, tflm_crate, tools

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """A bare machine whose user is not root."""
    return bare_machine(tmp_path, monkeypatch, root=False)


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """A bare machine, run by root."""
    return bare_machine(tmp_path, monkeypatch, root=True)


# --- the machine itself


@pytest.mark.parametrize(
    ("platform", "version", "dev", "words"),
    [
        ("linux", (3, 11), True, None),
        ("linux", (3, 13), True, None),
        ("linux", (3, 14), False, None),
        ("linux", (3, 14), True, "TensorFlow has no release for Python 3.14"),
        ("linux", (3, 10), False, "Python 3.10 is too old: tested with 3.11 to 3.13"),
        ("darwin", (3, 12), False, "runs on Linux only"),
    ],
)
def test_host_is_judged_in_one_line(
    platform: str, version: tuple[int, int], dev: bool, words: str | None
) -> None:
    problem = host.problem(platform, version, dev=dev)
    assert (problem is None) if words is None else (words in str(problem))
    assert "\n" not in str(problem)


def test_a_newer_python_is_warned_of() -> None:
    assert host.warning((3, 13)) is None
    assert "Python 3.14 is untested" in str(host.warning((3, 14)))


def test_an_old_python_gets_one_line_before_anything_is_imported() -> None:
    code = (
        "import sys, runpy; sys.version_info = (3, 9, 1, 'final', 0)\n"
        "try: runpy.run_module('hil.setup', run_name='__main__')\n"
        "finally: assert 'hil.errors' not in sys.modules"
    )
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert ran.returncode == 4
    assert ran.stderr.startswith("setup: error: Python 3.9 is too old")
    assert ran.stderr.count("\n") == 1


# --- packages


def test_without_root_the_one_line_to_run_is_said(
    machine: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    machine.add("apt-get")
    assert steps.command(["--bench"]) == 4
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "sudo apt-get update && sudo apt-get install -y --no-install-recommends" in said
    for package in (*tools.PACKAGES.values(), *tools.HEADER_PACKAGES):
        assert package in said
    assert machine.calls("apt-get") == []


def test_libstdcxx_without_its_huge_library_is_asked_for(machine: Machine) -> None:
    assert "libstdc++-arm-none-eabi-dev" in apt.missing()
    assert "libstdc++-arm-none-eabi-newlib" not in apt.missing()


def test_a_compiler_without_headers_lacks_only_those(machine: Machine) -> None:
    everything(machine)
    machine.add("arm-none-eabi-g++", "exit 1")
    assert apt.missing() == list(tools.HEADER_PACKAGES)


def test_cargo_is_not_wanted_once_the_crate_is_staged(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    everything(machine)
    (machine.folder / "cargo").unlink()
    assert apt.missing() == ["cargo"]
    monkeypatch.setattr(tflm_crate, "is_staged", lambda: True)
    assert apt.missing() == []


def test_root_installs_once_without_recommends(root: Machine) -> None:
    made = " ".join(ALL_TOOLS)
    touch = f'd={root.folder}; for t in {made}; do cp $d/apt-get "$d/$t"; done'
    root.add("apt-get", f'PATH=/usr/bin:/bin; [ "$1" = update ] || {{ {touch}; }}')
    root.add_cli("1.5.1")
    assert steps.command([]) == 0
    update, install = root.calls("apt-get")[:2]
    assert update == "apt-get update"
    assert " install -y --no-install-recommends gcc-arm-none-eabi " in install
    root.log.unlink()
    assert steps.command([]) == 0
    assert not [line for line in root.calls("apt-get") if "install -y" in line]


def test_sudo_that_asks_for_no_password_is_used(machine: Machine) -> None:
    machine.add("sudo", "exit 0")
    assert apt.as_root() == [
        str(machine.folder / "sudo"), "-n", "env", "DEBIAN_FRONTEND=noninteractive",
    ]  # fmt: skip
    assert machine.calls("sudo") == ["sudo -n true"]


def test_sudo_that_asks_is_not_used(machine: Machine) -> None:
    machine.add("sudo", "exit 1")
    assert apt.as_root() is None


def test_a_failed_install_names_command_reason_and_next_step(
    root: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    root.add("apt-get", 'echo "E: no space left" >&2; exit 100')
    assert steps.command([]) == 4
    said = capsys.readouterr().err
    assert "going on with the package lists as they are" in said
    assert "installing packages failed: env DEBIAN_FRONTEND=noninteractive apt-get" in said
    assert "E: no space left" in said
    assert "next: sudo apt-get update" in said


def test_a_system_without_apt_is_told_the_names(
    machine: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    assert steps.command([]) == 4
    assert "this system has no apt-get" in capsys.readouterr().err


# --- tools


def test_a_missing_tool_says_its_package(machine: Machine) -> None:
    with pytest.raises(SetupError, match="qemu-system-arm is not on PATH") as caught:
        tools.find_tool("qemu-system-arm")
    assert caught.value.hint.endswith("--no-install-recommends qemu-system-arm")


def test_everything_there_is_quick_and_quiet(
    machine: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    everything(machine)
    assert steps.command([]) == 0
    assert re.fullmatch(r"setup: ready \(\d+\.\d s\)\n", capsys.readouterr().err)
