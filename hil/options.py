"""The options that the harness adds to pytest."""

from __future__ import annotations

from pathlib import Path

import pytest

from hil.report.pages import summary_path as path_of_summary


def add_options(parser: pytest.Parser) -> None:
    """Adds the group "hardware in the loop" to pytest's options."""
    group = parser.getgroup("hil", "hardware in the loop")
    group.addoption(
        "--board",
        action="append",
        default=[],
        metavar="ID|tag:TAG|all",
        help="boards to run on, from boards.yaml (repeatable; default: all that are present)",
    )
    group.addoption(
        "--model",
        action="append",
        default=[],
        metavar="NAME|PATH",
        help="models to run: a folder of models/ or a .tflite (repeatable; default: all)",
    )
    group.addoption("--boards", default=None, metavar="FILE", help="default: boards.yaml")
    group.addoption("--models", default=None, metavar="DIR", help="default: models/")
    group.addoption("--vectors", default=None, metavar="FILE", help=".npz, .csv, .wav or .png")
    group.addoption("--runs", type=int, default=30, metavar="N", help="inferences that are timed")
    group.addoption("--samples", type=int, default=50, metavar="N", help="of labelled sets; 0: all")
    group.addoption(
        "--tensorflow", action="store_true", help="compare LiteRT with TensorFlow's interpreter too"
    )
    group.addoption("--no-flash", action="store_true", help="test the firmware that is there")
    group.addoption("--hil-baselines", metavar="DIR", help="default: baselines/ by boards.yaml")
    group.addoption(
        "--hil-update-baseline", action="store_true", help="write what this run measures"
    )
    group.addoption(
        "--hil-strict-baseline", action="store_true", help="what cannot be judged is an error"
    )
    group.addoption(
        "--github-summary",
        nargs="?",
        const="",
        metavar="FILE",
        help="write the matrix and the failures as Markdown (default: to $GITHUB_STEP_SUMMARY)",
    )
    group.addoption("--reports", default=None, metavar="DIR", help="default: reports/")


def summary_path(config: pytest.Config) -> Path | None:
    """Where --github-summary writes; None without it.

    Raises:
        pytest.UsageError: there is no such place.
    """
    given = config.getoption("--github-summary")
    try:
        return None if given is None else path_of_summary(given)
    except ValueError as error:
        raise pytest.UsageError(str(error)) from error
