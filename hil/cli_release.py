"""``hil validate`` and ``hil verify``: a model judged as a whole, and what was said of it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from hil.report.certificate import Certificate
    from hil.signing import Signer

Boards = Annotated[list[str], typer.Option("--board", metavar="ID|tag:TAG|all")]
Vectors = Annotated[list[Path], typer.Option(help="real data: .npz, .csv, .wav, .png or a folder")]


def validate(
    model: Annotated[str, typer.Argument(help="any .tflite, or a folder of models/")],
    board: Boards = [],  # noqa: B006  typer copies it
    boards: Annotated[Path, typer.Option(help="the bench")] = Path("boards.yaml"),
    models: Annotated[Path, typer.Option(help="the models")] = Path("models"),
    sketch: Annotated[
        str, typer.Option(help="firmware of your own: its folder, with a / in it")
    ] = "hil_runner",
    vectors: Vectors = [],  # noqa: B006
    samples: Annotated[int, typer.Option(min=0, help="seeded vectors of noise")] = 16,
    labelled: Annotated[int, typer.Option(min=0, help="of a labelled set; 0: all")] = 50,
    runs: Annotated[int, typer.Option(min=1, help="inferences that are timed")] = 30,
    reports: Annotated[Path, typer.Option(help="where the report goes")] = Path("reports"),
    key: Annotated[
        Path | None,
        typer.Option(envvar="HIL_SIGNING_KEY", help="ssh key that signs the certificate"),
    ] = None,
) -> None:
    """Judges a model on boards: covers its inputs, runs all suites, certifies what passed."""
    import shutil

    from hil.validate import Order
    from hil.validate import validate as judge

    order = Order(
        model=model,
        boards=board,
        boards_file=boards,
        models=models,
        reports=reports,
        sketch=Path(sketch) if "/" in sketch else sketch,
        vectors=vectors,
        random=samples,
        samples=labelled,
        runs=runs,
        key=key,
        width=shutil.get_terminal_size().columns,
        colour=sys.stdout.isatty(),
    )
    raise typer.Exit(judge(order, lambda text: print(text, flush=True)))


def verify(
    certificate: Path,
    allowed_signers: Annotated[
        Path | None,
        typer.Option(envvar="HIL_ALLOWED_SIGNERS", help="who may sign, see ssh-keygen(1)"),
    ] = None,
    model: Annotated[Path | None, typer.Option(help="the .tflite that it has to be about")] = None,
    elf: Annotated[Path | None, typer.Option(help="an image that it has to be about")] = None,
    vectors: Annotated[Path | None, typer.Option(help="the .npz beside it")] = None,
    results: Annotated[Path | None, typer.Option(help="the results.json beside it")] = None,
    unsigned: Annotated[bool, typer.Option("--unsigned", help="accept no signature")] = False,
) -> None:
    """Checks a certificate: signature, form, seal, verdicts, and the files that are given."""
    from hil.verify import Files, verify_certificate

    found, signer = verify_certificate(
        certificate,
        allowed=allowed_signers,
        unsigned=unsigned,
        files=Files(model=model, elf=elf, vectors=vectors, results=results),
    )
    _show(found, signer, allowed_signers is not None)


def _show(found: Certificate, signer: Signer | None, known: bool) -> None:
    from hil.report.table import render

    print(f"{found.model.name} {found.model.sha256}")
    print(f"passed {found.issued} with {found.vectors.count} vectors")
    print(render([board.record for board in found.boards], 80, colour=False))
    if signer is None:
        print("NOT SIGNED: it is intact, and anybody may have made it")
    elif known:
        print(f"signed by {signer.identity} ({signer.key})")
    else:
        print(f"signed by {signer.key}, which nobody vouches for: give --allowed-signers FILE")
