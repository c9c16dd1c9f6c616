"""arduino-cli and the folders it works in, apart from the user's own ``~/.arduino15``.

The user's arduino-cli comes first, then the distribution's. Debian stable has none yet: there the
apt client itself takes it from a later suite of the mirror that the system already uses, with
lists of its own, and it is unpacked into the cache; nothing of the system changes.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from hil.errors import SetupError
from hil.setup import apt, tools
from hil.setup.files import locked, new_folder, write_atomic
from hil.setup.run import run, say

SUITE = "forky"
"""First Debian suite with arduino-cli (1.5.1); its build runs from libc 2.34 on."""

_PACKAGES = ("arduino-cli", "arduino-serial-discovery", "arduino-mdns-discovery")
_KEYS = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
_TOOLS = Path("usr/libexec/arduino/builtin/tools")
_HINT = (
    "install arduino-cli 1.0 or newer, put it on PATH and run this again; how: "
    "https://arduino.github.io/arduino-cli/latest/installation/"
)
_STUBS = {"package_index.json": '{"packages":[]}', "library_index.json": '{"libraries":[]}'}


def ensure() -> None:
    """Have an arduino-cli and its folders.

    Raises:
        SetupError: ``toolchain_missing`` with one line that says how to install it.
    """
    if not _present():
        with locked("arduino-cli"):
            if not _present():
                _bring()
    _lay_out_data()


def _present() -> bool:
    return tools.arduino_cli_on_path() is not None or tools.unpacked_arduino_cli().is_file()


def _bring() -> None:
    offered = apt.candidate("arduino-cli") >= tools.OLDEST_ARDUINO_CLI
    if offered and apt.as_root() is not None:
        apt.install(["arduino-cli"])
    elif offered:
        _unpack([], Path.cwd())
    else:
        _unpack_from_later_suite()


def _unpack_from_later_suite() -> None:
    source = debian_source()
    if source is None or not shutil.which("apt-get"):
        raise SetupError(
            "toolchain_missing",
            "no arduino-cli 1.0 or newer on PATH, in this distribution or on a Debian mirror "
            "that this system uses",
            hint=_HINT,
        )
    with tempfile.TemporaryDirectory(prefix="hil-apt-") as name:
        options = apt_options(Path(name), source)
        say("fetching arduino-cli and its discoveries (20 MB)")
        run(["apt-get", *options, "update"], "reading Debian's package list", hint=_HINT)
        _unpack(options, Path(name))


def apt_options(folder: Path, source: str) -> list[str]:
    """Options that give apt sources, lists and a cache of its own below ``folder``."""
    for part in ("lists/partial", "cache/archives/partial"):
        (folder / part).mkdir(parents=True)
    sources = folder / "sources.list"
    sources.write_text(f"{source}\n")
    settings = {
        "Dir::Etc::sourcelist": sources,
        "Dir::Etc::sourceparts": "/dev/null",
        "Dir::State::lists": folder / "lists",
        "Dir::Cache": folder / "cache",
        "APT::Sandbox::User": "root",
    }
    return [word for key, value in settings.items() for word in ("-o", f"{key}={value}")]


def _unpack(options: list[str], folder: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="hil-deb-") as name:
        run(["apt-get", *options, "download", *_PACKAGES], "fetching arduino-cli",
            hint=_HINT, cwd=Path(name))  # fmt: skip
        with new_folder(tools.unpacked_dir()) as work:
            for package in sorted(Path(name).glob("*.deb")):
                run(["dpkg-deb", "-x", package, work], "unpacking arduino-cli", hint=_HINT)
            own = {"ARDUINO_DIRECTORIES_DATA": str(tools.arduino_data_dir())}
            program = work / "usr/bin/arduino-cli"
            run([program, "version"], "trying arduino-cli", hint=_HINT, env=own)


def debian_source(etc: Path = Path("/etc/apt")) -> str | None:
    """The line of sources.list for `SUITE` on the Debian mirror that this system uses, or None."""
    mirror = next(_debian_mirrors(etc), None)
    if mirror is None:
        return None
    signed = f" signed-by={_KEYS}" if _KEYS.is_file() else ""
    return f"deb [target=Packages lang=none{signed}] {mirror} {SUITE} main"


def _debian_mirrors(etc: Path) -> Iterator[str]:
    """Addresses of the system's sources that end in ``/debian`` and have the component main.

    Debian's cloud images name a file of mirrors instead: ``mirror+file:…/debian.list``.
    """
    for path in [etc / "sources.list", *sorted((etc / "sources.list.d").glob("*"))]:
        if path.is_file() and path.suffix in (".list", ".sources"):
            for block in _source_blocks(path):
                if re.search(r"\bmain\b", block):
                    yield from re.findall(r"[^\s\]]+:\S+/debian(?:\.list)?(?=/?(?:\s|$))", block)


def _source_blocks(path: Path) -> list[str]:
    """One source each: a line of a .list, a paragraph of a .sources; comments left out."""
    lines = path.read_text(errors="replace").splitlines()
    text = "\n".join(line for line in lines if not line.lstrip().startswith("#"))
    return re.split(r"\n\s*\n" if path.suffix == ".sources" else r"\n", text)


def _lay_out_data() -> None:
    """The empty indexes without which every command complains, and the discoveries.

    Debian's build looks for its discoveries below /usr/libexec, and where upstream's looks too.
    """
    for name, text in _STUBS.items():
        if not (tools.arduino_data_dir() / name).is_file():
            write_atomic(tools.arduino_data_dir() / name, text)
    link, tool_dir = (
        tools.arduino_data_dir() / "packages/builtin/tools",
        tools.unpacked_dir() / _TOOLS,
    )
    if tool_dir.is_dir() and not link.exists():
        with locked("arduino-data"):
            link.parent.mkdir(parents=True, exist_ok=True)
            link.unlink(missing_ok=True)
            link.symlink_to(tool_dir)
