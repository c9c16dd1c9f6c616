"""The `hil` command: what it prints, and exit codes of what goes wrong. No board."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import made_records
import pytest
from typer.testing import CliRunner

from hil.cli import app, main
from hil.report.writer import write_results

ROOT = Path(__file__).resolve().parents[2]
Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Command:
    """``command(*words)``: exit status, output and errors, in the checkout, on an empty bench."""
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("HIL_RUN", str(tmp_path / "run"))

    def run(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["hil", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    return run


def test_no_command_is_help() -> None:
    shown = CliRunner().invoke(app, [])
    names = "setup boards schema build report monitor diff history virtual"
    assert set(names.split()) <= set(shown.output.split())


def test_boards_are_listed_within_80_columns(command: Command) -> None:
    code, out, err = command("boards")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert f"{'virtual-pico':24} not there      virtual, cortex-m0plus" in lines
    assert f"{'nano33ble':24} marked absent  physical, cortex-m4" in lines
    assert "  arduino:mbed_nano:nano33ble at usb:2341:805a" in lines
    assert max(len(line) for line in lines if str(ROOT.root) not in line) <= 80


@pytest.mark.parametrize(
    ("words", "name"),
    [((), "boards"), (("--results",), "results"), (("--certificate",), "certificate")],
)
def test_schemas_are_the_published_ones(
    command: Command, words: tuple[str, ...], name: str
) -> None:
    code, out, _ = command("schema", *words)
    assert code == 0
    assert json.loads(out) == json.loads((ROOT / "docs" / f"{name}.schema.json").read_text())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("boards", "--boards", "none.yaml"), "none.yaml cannot be read"),
        (("monitor", "nanoble"), "did you mean nano33ble"),
        (("build", "nanoble", "hello_sine"), "did you mean nano33ble"),
        (("build", "virtual-pico", "hello_sin"), "did you mean hello_sine"),
        (("build", "virtual-pico", "none/x.tflite"), "none/x.tflite"),
        (("build", "virtual-pico", "hello_sine", "--sketch", "helo"), "no helo.ino"),
        (("virtual", "reset", "pico"), "no virtual board is called 'pico' (there are: none)"),
        (("virtual", "stop", "pico"), "no virtual board is called 'pico' (there are: none)"),
        (("virtual", "gdb", "pico"), "no virtual board is called 'pico' (there are: none)"),
    ],
)
def test_a_wrong_name_is_a_set_up_error(
    command: Command, words: tuple[str, ...], said: str
) -> None:
    code, out, err = command(*words)
    assert (code, out) == (4, "")
    assert err.startswith("hil: ")
    assert said in err


def test_a_port_that_is_not_there_is_a_bench_fault(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hil.monitor.OPEN_S", 0.0)
    code, _, err = command("monitor", "virtual-pico")
    assert code == 10
    assert "port_absent: virtual-pico: " in err


def test_nothing_runs_on_an_empty_bench(command: Command) -> None:
    assert command("virtual", "list") == (0, "", "")
    assert command("virtual", "stop", "all") == (0, "", "")


def test_set_up_passes_on_its_exit_code(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[list[str]] = []
    monkeypatch.setattr("hil.setup.steps.command", lambda words: given.append(words) or 4)
    assert command("setup")[0] == 4
    assert command("setup", "--dev")[0] == 4
    assert given == [["--bench"], ["--dev"]]


def test_the_command_itself_loads_no_libraries_that_take_long() -> None:
    program = "import sys, hil.cli; print({'numpy', 'pydantic'} & {*sys.modules})"
    done = subprocess.run([sys.executable, "-c", program], text=True, capture_output=True,
                          timeout=60, check=True, cwd=ROOT)  # fmt: skip
    assert done.stdout.strip() == "set()"


def test_a_report_is_made_again_from_its_results(command: Command, tmp_path: Path) -> None:
    results = tmp_path / "latest" / "results.json"
    write_results(made_records.results(made_records.failure()), results)
    code, out, err = command("report", str(results))
    assert (code, out.strip(), err) == (0, str(results.parent / "index.html"), "")
    code, out, _ = command("report", str(results), "-o", str(tmp_path / "other.html"))
    assert (code, out.strip()) == (0, str(tmp_path / "other.html"))
    pages = [results.parent / "index.html", tmp_path / "other.html"]
    first, second = (page.read_text(encoding="utf-8") for page in pages)
    assert "1 of 1 failed" in first
    assert first == second


def test_a_report_of_something_else_is_refused(command: Command, tmp_path: Path) -> None:
    code, out, err = command("report", str(tmp_path / "none.json"))
    assert (code, out) == (4, "")
    assert "results_file" in err
