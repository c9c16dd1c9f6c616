"""``python -m hil.virtual``: what arduino-cli and a person call to handle virtual boards."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from hil.virtual import control, daemon, discovery
from hil.virtual.places import Place


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m hil.virtual", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    upload = commands.add_parser("upload", help="restart a board with a new image")
    upload.add_argument("--port", required=True)
    upload.add_argument("--machine", required=True)
    upload.add_argument("--image", required=True, type=Path)
    upload.add_argument("--verbose", action="store_true")
    launch = commands.add_parser("launch", help="the launcher itself (started by upload)")
    launch.add_argument("--port", required=True)
    launch.add_argument("--linger", type=float, default=control.LINGER_S)
    for name in ("reset", "stop"):
        command = commands.add_parser(name, help=f"{name} boards by name or port; all: every one")
        command.add_argument("board", nargs="+")
    commands.add_parser("list", help="the boards that are on")
    commands.add_parser("discovery", help="Arduino pluggable discovery on stdin and stdout")
    return parser


def _places(names: list[str]) -> list[Place]:
    if names == ["all"]:
        return [Place(Path(status["port"])) for status in control.running()]
    return [control.place_of(name) for name in names]


def reset(names: list[str]) -> None:
    """Presses the reset button of boards: RAM survives."""
    for place in _places(names):
        control.request(place, "reset")
        print(f"{place.name}: reset")


def stop(names: list[str]) -> None:
    """Switches boards off."""
    for place in _places(names):
        print(f"{place.name}: {'stopped' if control.stop(place) else 'was off'}")


def main(arguments: list[str] | None = None) -> int:
    given = _parser().parse_args(arguments)
    try:
        return _run(given)
    except control.LauncherError as error:
        print(error, file=sys.stderr)
        return 1


def _run(given: argparse.Namespace) -> int:
    match given.command:
        case "upload":
            status = control.flash(Place(Path(given.port)), given.image, given.machine)
            print(f"{status['name']}: {status['machine']} runs {given.image.name}")
        case "launch":
            daemon.main(given.port, given.linger)
        case "reset":
            reset(given.board)
        case "stop":
            stop(given.board)
        case "list":
            for status in control.running():
                print(json.dumps(status))
        case "discovery":
            discovery.main()
    return 0


if __name__ == "__main__":
    sys.exit(main())
