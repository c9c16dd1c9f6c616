"""`hil debug`: a failure is asked again, and gdb stops at the op or the fault."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import yaml
from dying import SKETCH, UNDEFINED
from provoke import ROOT
from runs import Outcome, pytest_environment, run_pytest

from hil.model import load_model
from hil.watch import opcode_number

BOARD = "virtual-nano33ble"
BROKEN = Path(__file__).parent / "sketches" / "broken_runner"
TEST = """\
import pathlib, numpy, pytest

@pytest.mark.sketch(pathlib.Path({sketch!r}))
def test_it(infer):
    infer(numpy.full((1, 1), {what}, numpy.int8))

@pytest.mark.sketch(pathlib.Path({sketch!r}))
def test_parity(trial):
    trial.parity()
"""


@dataclass(frozen=True)
class Debugged:
    """What ``hil debug --batch`` left."""

    status: int
    output: str


def debug(project: Path, *arguments: str) -> Debugged:
    done = subprocess.run(
        [sys.executable, "-m", "hil", "debug", *arguments, "--batch"],
        cwd=project,
        env=pytest_environment(),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return Debugged(done.returncode, done.stdout + done.stderr)


Fail = Callable[..., Outcome]


@pytest.fixture
def fail(project: Path) -> Fail:
    """``fail(test, model, sketch, what, **defines)``: a run in which one test fails."""

    def run(test: str, model: str, sketch: Path, what: int = 0, **defines: int) -> Outcome:
        (project / "models" / model).symlink_to(ROOT / "models" / model)
        (project / "test_it.py").write_text(TEST.format(sketch=str(sketch), what=what))
        bench = yaml.safe_load((project / "boards.yaml").read_text())
        (board,) = (each for each in bench["boards"] if each["id"] == BOARD)
        board["defines"] = defines
        (project / "boards.yaml").write_text(yaml.safe_dump(bench))
        return run_pytest(project, f"test_it.py::{test}", "--board", BOARD)

    return run


def test_a_crash_is_stopped_at_in_the_line_that_crashed(fail: Fail, project: Path) -> None:
    done = fail("test_it", "hello_sine", SKETCH, UNDEFINED)
    assert done.status == 1
    failing = done.record("hello_sine")["failing"]
    assert (failing["code"], failing["suite"], failing["runs"]) == ("crash", "infer", 1)
    with np.load(failing["inputs"]) as kept:
        np.testing.assert_array_equal(kept["input_0"], np.full((1, 1, 1), UNDEFINED, np.int8))
    found = debug(project, BOARD)
    assert found.status == 0, found.output
    assert "Breakpoint 1, Fault_Handler" in found.output
    assert "run_undefined () at" in found.output
    assert "dying_runner.ino" in found.output
    again = fail_again(project)
    assert again.record("hello_sine")["failing"] == failing  # the board is as good as before


def fail_again(project: Path) -> Outcome:
    return run_pytest(project, "test_it.py::test_it", "--board", BOARD)


def test_a_crash_at_start_is_stopped_at(fail: Fail, project: Path) -> None:
    done = fail("test_it", "hello_sine", SKETCH, AT_START=UNDEFINED)
    assert done.record("hello_sine")["failing"]["suite"] == "connect"
    found = debug(project, BOARD)
    assert found.status == 0, found.output
    assert "run_undefined () at" in found.output
    assert "setup" in found.output


def test_an_op_that_differs_is_stopped_at(fail: Fail, project: Path) -> None:
    model = load_model(ROOT / "models" / "keyword_spotting")
    wrong = model.ops[5]
    assert wrong.opcode == "DEPTHWISE_CONV_2D"
    done = fail(
        "test_parity", "keyword_spotting", BROKEN,
        BROKEN_OP=opcode_number(wrong.opcode), BROKEN_TENSOR=wrong.outputs[0],
    )  # fmt: skip
    record = done.record("keyword_spotting")
    assert record["divergence"]["op"] == 5
    assert record["failing"]["vector"] == record["divergence"]["vector"]
    found = debug(project, BOARD, "--model", "keyword_spotting")
    assert found.status == 0, found.output
    assert "Temporary breakpoint 3, tflite::ops::micro::depthwise_conv::Eval" in found.output
    assert f"the kernel writes tensor {wrong.outputs[0]}\n" in found.output
    assert "MicroInterpreter::Invoke" in found.output


def test_what_cannot_be_debugged_is_refused(fail: Fail, project: Path) -> None:
    done = fail("test_it", "hello_sine", SKETCH, UNDEFINED)
    results = project / "reports" / "latest" / "results.json"
    text = results.read_text()

    def refused(text: str, *arguments: str) -> bool:
        results.write_text(text)
        found = debug(project, *arguments)
        return found.status == 4 and "results_file" in found.output

    assert refused(text, "virtual-pico")  # nothing failed there
    assert refused(text, BOARD, "--model", "gesture")
    elf = Path(done.record("hello_sine")["firmware"]["elf"])
    image = elf.read_bytes()
    elf.write_bytes(image[:-1] + bytes([image[-1] ^ 1]))
    digest = done.record("hello_sine")["firmware"]["digest"]
    assert refused(text.replace(digest, "0" * len(digest)), BOARD)
    elf.unlink()
    assert refused(text, BOARD)
    elf.write_bytes(image)
    Path(done.record("hello_sine")["failing"]["inputs"]).write_bytes(b"PK")
    assert refused(text, BOARD)


def test_a_physical_board_is_told_what_to_attach(fail: Fail, project: Path) -> None:
    fail("test_it", "hello_sine", SKETCH, UNDEFINED)
    results = project / "reports" / "latest" / "results.json"
    found = json.loads(results.read_text())
    for record in found["records"]:
        record["board"] = "nano33ble"
    results.write_text(json.dumps(found))
    told = debug(project, "nano33ble")
    assert told.status == 0, told.output
    for each in (found["records"][0]["firmware"]["elf"], "HardFault_Handler", ".input.npz"):
        assert each in told.output
