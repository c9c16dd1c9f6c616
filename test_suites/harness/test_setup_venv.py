"""The checkout's virtual environment: filled from the hashed locks, made again when it must be."""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from hil.errors import SetupError
from hil.setup import venv

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout whose Python and pip are one script that logs."""
    monkeypatch.setenv("HIL_CACHE", str(tmp_path / "cache"))
    made = tmp_path / "checkout"
    (made / "requirements").mkdir(parents=True)
    (made / "pyproject.toml").write_text("[project]\n")
    for name in ("bench", "dev"):
        (made / "requirements" / f"{name}.lock").write_text(f"{name}\n")
    fake = tmp_path / "python"
    fake.write_text(
        f'#!/bin/sh\necho "$*" >> {tmp_path}/calls.log\n'
        f'[ "$2" != venv ] || {{ mkdir -p "$4/bin"; cp {fake} "$4/bin/python"; }}\n'
    )
    fake.chmod(0o755)
    monkeypatch.setattr(sys, "_base_executable", str(fake), raising=False)
    return made


@pytest.fixture
def calls(tmp_path: Path) -> Callable[[], list[str]]:
    def read() -> list[str]:
        log = tmp_path / "calls.log"
        lines = log.read_text().splitlines() if log.exists() else []
        log.write_text("")
        return lines

    return read


def test_venv_is_filled_from_the_hashed_lock_only(
    checkout: Path, calls: Callable[[], list[str]]
) -> None:
    venv.ensure(dev=False, root=checkout)
    made, locked_install, project = calls()
    assert made == f"-m venv --clear {checkout}/.venv"
    lock = f"{checkout}/requirements/bench.lock"
    assert locked_install.endswith(f"install --no-deps --require-hashes -r {lock}")
    assert project.endswith(f"install --no-deps --no-build-isolation -e {checkout}")


def test_venv_is_left_alone_while_the_lock_stays(
    checkout: Path, calls: Callable[[], list[str]]
) -> None:
    venv.ensure(dev=True, root=checkout)
    calls()
    venv.ensure(dev=True, root=checkout)
    venv.ensure(dev=False, root=checkout)
    assert calls() == []


def test_venv_of_the_bench_is_not_enough_for_dev(
    checkout: Path, calls: Callable[[], list[str]]
) -> None:
    venv.ensure(dev=False, root=checkout)
    calls()
    venv.ensure(dev=True, root=checkout)
    assert [line for line in calls() if "dev.lock" in line]


def test_venv_is_updated_when_the_lock_changes(
    checkout: Path, calls: Callable[[], list[str]]
) -> None:
    venv.ensure(dev=False, root=checkout)
    calls()
    (checkout / "requirements" / "bench.lock").write_text("newer\n")
    assert not venv.is_current(dev=False, root=checkout)
    venv.ensure(dev=False, root=checkout)
    assert not [line for line in calls() if "--clear" in line]


def test_a_half_made_venv_is_made_anew(checkout: Path, calls: Callable[[], list[str]]) -> None:
    venv.ensure(dev=False, root=checkout)
    calls()
    (checkout / ".venv" / "hil-setup.json").write_text("{")
    venv.ensure(dev=False, root=checkout)
    assert "--clear" in calls()[0]


def test_a_failed_install_leaves_no_stamp(checkout: Path, tmp_path: Path) -> None:
    fake = tmp_path / "python"
    fake.write_text(fake.read_text() + '[ "$2" != pip ] || { echo no network >&2; exit 1; }\n')
    with pytest.raises(SetupError, match="no network") as caught:
        venv.ensure(dev=False, root=checkout)
    assert "pip" in caught.value.hint
    assert not venv.is_current(dev=False, root=checkout)


@pytest.mark.parametrize("name", ["bench", "dev"])
def test_locks_are_hashed_and_name_no_place(name: str) -> None:
    text = (ROOT / "requirements" / f"{name}.lock").read_text()
    assert not re.search(r"https?:|file:|--find-links|--index-url|/", text.replace("and/or", ""))
    blocks = re.split(r"\n(?=\S)", text.strip())
    assert blocks
    assert all(re.match(r"[\w.-]+==\S+", block) for block in blocks)
    assert all("--hash=sha256:" in block for block in blocks)


def test_a_pip_install_gets_the_locked_engines() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lock = (ROOT / "requirements" / "bench.lock").read_text()
    pinned = [line.split(" ")[0] for line in project["dependencies"] if "==" in line.split(";")[0]]
    assert {name.split("==")[0] for name in pinned} == {"ai-edge-litert", "tflite-micro"}
    assert all(f"{name} " in lock for name in pinned)
