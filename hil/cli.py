"""``hil``: what a person at the bench types; the work is elsewhere."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hil import cli_release
from hil.errors import HilError, Kind

if TYPE_CHECKING:
    from hil.inventory import Board

app = typer.Typer(
    help="Hardware-in-the-loop tests for TinyML models on microcontrollers.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
virtual = typer.Typer(help="The virtual boards of this user.", no_args_is_help=True)
app.add_typer(virtual, name="virtual")
app.command()(cli_release.validate)
app.command()(cli_release.verify)

BoardsFile = Annotated[Path, typer.Option("--boards", help="the bench")]
_DEFAULT_BOARDS = Path("boards.yaml")


@app.command()
def setup(
    bench: Annotated[bool, typer.Option("--bench/--dev", help="without or with TensorFlow")] = True,
) -> None:
    """Installs what a bench needs: packages, arduino-cli, TFLM's source. Safe to repeat."""
    from hil.setup.steps import command

    raise typer.Exit(command(["--bench" if bench else "--dev"]))


@app.command()
def boards(boards: BoardsFile = _DEFAULT_BOARDS) -> None:
    """Lists the boards of the bench and whether their ports are there."""
    from hil.inventory import load_bench
    from hil.link import port_present

    for board in load_bench(boards).boards.values():
        there = "there" if port_present(board.port) else "not there"
        state = there if board.present else "marked absent"
        print(f"{board.id:24} {state:14} {', '.join(board.tags)}")
        print(f"  {board.full_fqbn} at {board.port}")


@app.command()
def schema(
    results: Annotated[bool, typer.Option("--results", help="of results.json instead")] = False,
    certificate: Annotated[bool, typer.Option("--certificate", help="of certificate.json")] = False,
) -> None:
    """Prints the JSON Schema of boards.yaml, for editors, of results.json or certificate.json."""
    from hil.inventory import json_schema
    from hil.report.certificate import certificate_schema
    from hil.report.writer import results_schema

    made = results_schema if results else certificate_schema if certificate else json_schema
    print(json.dumps(made(), indent=2))


@app.command()
def check(
    model: Annotated[str, typer.Argument(help="a folder of models/, or a path")],
    board: Annotated[list[str], typer.Option("--board", metavar="ID|tag:TAG|all")] = [],  # noqa: B006
    boards: BoardsFile = _DEFAULT_BOARDS,
    models: Annotated[Path, typer.Option("--models", help="the models")] = Path("models"),
    reports: Annotated[Path, typer.Option("--reports", help="earlier runs")] = Path("reports"),
    as_json: Annotated[bool, typer.Option("--json", help="for programs")] = False,
) -> None:
    """Tells in seconds whether a model fits boards; touches none. Exit 0 fits, 1 fault, 4 bad."""
    from hil.check_command import command

    raise typer.Exit(command(model, boards, board, models, reports, as_json=as_json))


@app.command()
def build(
    board: str,
    model: Annotated[str, typer.Argument(help="a folder of models/, or a path")],
    boards: BoardsFile = _DEFAULT_BOARDS,
    models: Annotated[Path, typer.Option("--models", help="the models")] = Path("models"),
    sketch: Annotated[str, typer.Option(help="a reference sketch, or a folder")] = "hil_runner",
) -> None:
    """Compiles a sketch with a model for a board and says what it takes."""
    from hil.build import build as compile_firmware
    from hil.build import recipe
    from hil.selection import load_models

    chosen, (wanted,) = _board(boards, board), load_models(models, [model])
    folder = Path(sketch) if "/" in sketch else sketch
    firmware = compile_firmware(recipe(chosen, wanted, sketch=folder))
    print(f"{firmware.elf}")
    print(f"flash {firmware.flash:,} of {chosen.flash:,} bytes, the model {firmware.model:,}")
    print(f"RAM   {firmware.ram:,} of {chosen.ram:,} bytes, the arena {firmware.arena_cap:,}")


@app.command()
def report(
    results: Annotated[Path, typer.Argument(help="results.json of a run")],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="default: index.html beside RESULTS")
    ] = None,
    history: Annotated[
        Path | None, typer.Option(help="default: history.sqlite of the folder above RESULTS")
    ] = None,
) -> None:
    """Writes the report of a run again, as one HTML page."""
    from hil.history import NAME
    from hil.report.pages import PAGE, write_page
    from hil.results_file import read_results

    found = read_results(results)
    path = output or results.parent / PAGE
    past = history or results.absolute().parent.parent / NAME
    for warning in write_page(found, path, past):
        print(f"hil: {warning}", file=sys.stderr)
    print(path)


@app.command()
def monitor(board: str, boards: BoardsFile = _DEFAULT_BOARDS) -> None:
    """Shows what a board prints and sends it what you type, line by line. Ctrl-C ends it."""
    from hil.monitor import open_monitor, talk

    with open_monitor(_board(boards, board), None) as opened:
        talk(opened, sys.stdin, sys.stdout)


@app.command()
def debug(
    board: str,
    model: Annotated[str, typer.Option(help="which failure, where there are several")] = "",
    results: Annotated[Path, typer.Option(help="results.json of the run")] = Path(
        "reports/latest/results.json"
    ),
    boards: BoardsFile = _DEFAULT_BOARDS,
    models: Annotated[Path, typer.Option("--models", help="the models")] = Path("models"),
    batch: Annotated[bool, typer.Option("--batch", help="say where it stops, and leave")] = False,
) -> None:
    """Takes a failure into the hand: its image and its input again, in gdb, at op or fault."""
    from hil.debug_command import command

    raise typer.Exit(command(_board(boards, board), model, results, models, batch=batch))


@app.command()
def diff(
    one: Annotated[Path, typer.Argument(metavar="A", help="a results.json")],
    other: Annotated[Path, typer.Argument(metavar="B", help="a later one")],
    as_json: Annotated[bool, typer.Option("--json", help="for a program")] = False,
) -> None:
    """Compares two results: verdicts, findings, figures, and what they were measured with.

    Exit code 0: nothing is worse in B; 1: something is; 4: a file cannot be read.
    """
    from hil import diff_words
    from hil.diff import diff_results
    from hil.report.writer import EXIT_PRODUCT
    from hil.results_file import read_results

    found = diff_results(read_results(one), read_results(other))
    if as_json:
        print(json.dumps(diff_words.as_json(found), indent=1))
    else:
        print(diff_words.render(found, shutil.get_terminal_size().columns))
    raise typer.Exit(EXIT_PRODUCT if any(each.worse for each in found) else 0)


@app.command()
def history(
    board: Annotated[str | None, typer.Option(help="only this board")] = None,
    model: Annotated[str | None, typer.Option(help="only this model")] = None,
    metric: Annotated[str | None, typer.Option(help="arena, latency, flash.kernels, ...")] = None,
    reports: Annotated[Path, typer.Option(help="the folder of the reports")] = Path("reports"),
) -> None:
    """Shows how figures moved from run to run, and the commits at which they stepped."""
    from hil import history_words
    from hil.history import NAME, read

    found = read(reports / NAME, board, model, metric)
    print(history_words.render(found) if found else f"no such figures in {reports / NAME}")


@virtual.command("list")
def virtual_list() -> None:
    """Lists the virtual boards that are on."""
    from hil.virtual.control import running

    for status in running():
        state = "on" if status["on"] else f"stopped: {status['last_words']}"
        print(f"{status['name']:24} {status['machine']:12} {state}")
        print(f"  {status['port']}")


@virtual.command("stop")
def virtual_stop(names: list[str]) -> None:
    """Switches virtual boards off by name; `all` for every one."""
    from hil.virtual.__main__ import stop

    stop(names)


@virtual.command("reset")
def virtual_reset(names: list[str]) -> None:
    """Presses the reset button of virtual boards; RAM survives."""
    from hil.virtual.__main__ import reset

    reset(names)


@virtual.command("gdb")
def virtual_gdb(name: str) -> None:
    """Opens a gdb port on a virtual board and prints the command that attaches to it."""
    from hil.virtual.control import open_gdb

    print(open_gdb(name))


def _board(boards_file: Path, name: str) -> Board:
    from hil.inventory import load_bench, select

    return select(load_bench(boards_file), [name]).boards[0]


def _exit_code(kind: Kind) -> int:
    from hil.report.writer import EXIT_BENCH, EXIT_PRODUCT, EXIT_SETUP

    return {Kind.SETUP: EXIT_SETUP, Kind.BENCH: EXIT_BENCH, Kind.PRODUCT: EXIT_PRODUCT}[kind]


def main() -> None:
    """Runs the command; an error of the harness is a few lines and its exit code, no traceback."""
    from hil.virtual.control import LauncherError, UnknownBoardError

    try:
        app()
    except HilError as error:
        print(f"hil: {error}", file=sys.stderr)
        sys.exit(_exit_code(error.kind))
    except LauncherError as error:
        print(f"hil: {error}", file=sys.stderr)
        unknown = isinstance(error, UnknownBoardError)
        sys.exit(_exit_code(Kind.SETUP if unknown else Kind.BENCH))
