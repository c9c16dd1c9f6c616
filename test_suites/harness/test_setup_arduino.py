"""Where arduino-cli comes from, and that nothing of the system changes for it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from fake_machine import Machine, bare_machine

from hil.errors import SetupError
from hil.setup import arduino, tools


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """A bare machine whose user is not root."""
    return bare_machine(tmp_path, monkeypatch, root=False)


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """A bare machine, run by root."""
    return bare_machine(tmp_path, monkeypatch, root=True)


UNPACK = """
PATH=/usr/bin:/bin
bin="$3/usr/bin"; lib="$3/usr/libexec/arduino/builtin/tools"; mkdir -p "$bin" "$lib"
printf '#!/bin/sh\\necho %s\\n' "'{\\"VersionString\\": \\"1.5.1\\"}'" > "$bin/arduino-cli"
chmod +x "$bin/arduino-cli"
"""
DOWNLOAD = 'for w in "$@"; do [ "$w" = download ] && : > arduino-cli_1.deb; done; exit 0'


def test_the_users_own_arduino_cli_comes_first(machine: Machine) -> None:
    machine.add_cli("1.0.4")
    arduino.ensure()
    assert tools.find_arduino_cli() == machine.folder / "arduino-cli"
    assert (tools.arduino_data_dir() / "package_index.json").read_text() == '{"packages":[]}'
    assert (tools.arduino_data_dir() / "library_index.json").read_text() == '{"libraries":[]}'


@pytest.mark.parametrize("version", ["0.35.3", "nightly", ""])
def test_an_old_arduino_cli_is_passed_over(machine: Machine, version: str) -> None:
    machine.add_cli(version)
    assert tools.arduino_cli_on_path() is None
    with pytest.raises(SetupError, match=r"arduino-cli 1\.0 or newer") as caught:
        tools.find_arduino_cli()
    assert caught.value.code == "toolchain_missing"


def test_debians_package_is_unpacked_with_lists_of_its_own(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arduino, "debian_source", lambda: "deb http://m.test/debian forky main")
    machine.add("apt-get", DOWNLOAD)
    machine.add("dpkg-deb", UNPACK)
    arduino.ensure()
    assert tools.find_arduino_cli() == tools.unpacked_arduino_cli()
    for call in machine.calls("apt-get"):
        assert "-o Dir::Etc::sourceparts=/dev/null" in call
        assert re.search(r"Dir::State::lists=\S+/hil-apt-\S+/lists", call)
    assert (tools.arduino_data_dir() / "packages/builtin/tools").is_dir()
    machine.log.unlink()
    arduino.ensure()
    assert machine.calls("apt-get") == []


def test_the_distributions_arduino_cli_is_installed_by_root(root: Machine) -> None:
    root.add("apt-cache", "echo '  Candidate: 1.2.2-1'")
    root.add("apt-get", f"cp {root.folder}/apt-cache {root.folder}/arduino-cli")
    (root.folder / "cp").symlink_to("/bin/cp")
    arduino.ensure()
    assert root.calls("apt-get")[1].endswith(" --no-install-recommends arduino-cli")


def test_the_distributions_arduino_cli_is_unpacked_without_root(machine: Machine) -> None:
    machine.add("apt-cache", "echo '  Candidate: 1.2.2-1'")
    machine.add("apt-get", DOWNLOAD)
    machine.add("dpkg-deb", UNPACK)
    arduino.ensure()
    assert machine.calls("apt-get") == [
        "apt-get download arduino-cli arduino-serial-discovery arduino-mdns-discovery"
    ]
    assert tools.unpacked_arduino_cli().is_file()


def test_without_any_source_one_line_says_how_to_install_it(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arduino, "debian_source", lambda: None)
    with pytest.raises(SetupError) as caught:
        arduino.ensure()
    assert caught.value.code == "toolchain_missing"
    assert "install arduino-cli 1.0 or newer" in caught.value.hint


def test_a_failed_unpack_leaves_nothing(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arduino, "debian_source", lambda: "deb http://m.test/debian forky main")
    machine.add("apt-get", DOWNLOAD)
    machine.add("dpkg-deb", "echo 'dpkg-deb: broken archive' >&2; exit 2")
    with pytest.raises(SetupError, match="broken archive"):
        arduino.ensure()
    assert not tools.unpacked_dir().exists()
    assert [path.name for path in (machine.folder.parent / "cache").iterdir()] == ["locks"]


@pytest.mark.parametrize(
    ("name", "text", "mirror"),
    [
        ("sources.list", "deb http://m.test/debian bookworm main\n", "http://m.test/debian"),
        (
            "sources.list",
            "deb [arch=arm64] https://m.test/debian/ sid main\n",
            "https://m.test/debian",
        ),
        (
            "sources.list.d/debian.sources",
            "Types: deb\n# URIs: http://no.test/debian\nURIs: http://m.test/debian\n"
            "Suites: bookworm\nComponents: main\n",
            "http://m.test/debian",
        ),
        (
            "sources.list.d/debian.sources",
            "URIs: mirror+file:///etc/apt/mirrors/debian.list\nComponents: main\n",
            "mirror+file:///etc/apt/mirrors/debian.list",
        ),
        ("sources.list", "#deb http://m.test/debian bookworm main\n", None),
        ("sources.list", "deb http://m.test/debian-security x main\n", None),
        ("sources.list", "deb http://m.test/ubuntu noble main\n", None),
        ("sources.list.d/docker.list", "deb https://d.test/linux/debian bookworm stable\n", None),
        ("sources.list.d/old.list.save", "deb http://m.test/debian bookworm main\n", None),
    ],
)
def test_the_mirror_is_the_one_that_the_system_uses(
    tmp_path: Path, name: str, text: str, mirror: str | None
) -> None:
    (tmp_path / "sources.list.d").mkdir()
    (tmp_path / name).write_text(text)
    line = arduino.debian_source(tmp_path)
    if mirror is None:
        assert line is None
    else:
        assert str(line).endswith(f" {mirror} forky main")


def test_asking_for_the_version_keeps_out_of_the_users_folder(machine: Machine) -> None:
    data = 'echo "{\\"VersionString\\": \\"1.5.1 $ARDUINO_DIRECTORIES_DATA\\"}"'
    machine.add("arduino-cli", f'echo "data $ARDUINO_DIRECTORIES_DATA" >> {machine.log}; {data}')
    assert tools.arduino_cli_on_path() is not None
    assert machine.calls("data") == [f"data {tools.arduino_data_dir()}"]
