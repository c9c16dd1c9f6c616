"""Whole pytest runs: who is blamed, with which exit code, and what a killed run leaves."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
from provoke import ROOT, compiled, with_schema, write_model
from runs import pytest_command, pytest_environment, run_pytest

from hil.flash import open_device
from hil.inventory import Board
from hil.model import Model

PARITY = str(ROOT / "test_suites" / "parity")
VECTORS = ROOT / "models" / "hello_sine" / "vectors.npz"
BOARD = ("--board", "virtual-nano33ble")

HOLDING = """
import os, time
from hil.messages import Write
from hil.wire import Frame, encode

def test_holds_the_board_in_the_middle_of_a_frame(device, tmp_path):
    device.ping()
    frame = encode(Frame(Write.TYPE, 7, 1234, bytes(60)))
    device.line._session._link.write(frame[:40])
    open(os.environ["MARK"], "w").close()
    time.sleep(60)
"""

BOARDLESS = """
import threading

def test_without_a_board():
    assert not [each.name for each in threading.enumerate() if each.name.startswith("hil-")]
"""


@pytest.fixture
def models(project: Path, hello: Model) -> Path:
    """The project's models, with hello_sine among them."""
    write_model(project / "models" / "hello_sine", hello.data, VECTORS)
    return project / "models"


def gone(project: Path) -> None:
    """Leaves the project one board, whose port does not exist."""
    (project / "boards.yaml").write_text(
        "version: 1\n"
        "boards:\n"
        "  - {id: gone, fqbn: 'hil:cortexm:nano33ble', port: '${HIL_RUN}/ports/gone',\n"
        "     ram: 262144, flash: 983040, ram_reserve: 0, tflm: crate}\n"
    )


def test_no_board_is_touched_before_the_first_test_of_one(project: Path, models: Path) -> None:
    (project / "test_a.py").write_text(BOARDLESS)
    done = run_pytest(project, "test_a.py", str(ROOT / "test_suites" / "smoke"), *BOARD)
    assert (done.status, done.counts()) == (0, (2, 0, 0)), done.output


def test_product_faults_are_failed_and_exit_1(
    project: Path, models: Path, hello: Model, negatives: Path
) -> None:
    write_model(models / "schema_99", with_schema(hello.data, 99), VECTORS)
    write_model(models / "short", hello.data, VECTORS, "arena_bytes: 1024\n")
    write_model(models / "mean_v2", (negatives / "mean_v2" / "model.tflite").read_bytes())
    done = run_pytest(project, PARITY, *BOARD, f"--github-summary={project / 'summary.md'}")
    assert done.status == 1, done.output
    assert done.counts() == (4, 3, 0)
    assert done.properties("hil_code") == {"schema_mismatch", "arena_overflow", "missing_op"}
    codes = {
        name: [f["code"] for f in done.record(name)["findings"]] for name in os.listdir(models)
    }
    assert codes == {
        "hello_sine": [],
        "schema_99": ["schema_mismatch"],
        "short": ["arena_overflow"],
        "mean_v2": ["missing_op"],
    }
    assert done.record("hello_sine")["verdict"] == "pass"
    assert done.record("short")["verdict"] == "fail"
    assert done.record("short")["findings"][0]["numbers"]["given"] == 1024
    page = project / "reports" / "latest" / "index.html"
    assert "<h1>3 of 4 failed</h1>" in page.read_text(encoding="utf-8")
    assert str(page) in done.output
    assert (project / "summary.md").read_text(encoding="utf-8").startswith("## 3 of 4 failed\n")


def test_a_summary_that_has_no_place_exits_4_before_any_board_is_touched(
    project: Path, models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    monkeypatch.setenv("HIL_RUN", str(project / "run"))
    for wrong in ([PARITY, "--github-summary"], ["--github-summary", PARITY, PARITY]):
        done = run_pytest(project, *BOARD, *wrong)
        assert done.status == 4, done.output
        assert "--github-summary=FILE" in done.output
    assert not (project / "run" / "boards").exists()


def test_a_bench_fault_in_the_test_body_is_an_error_and_exits_10(
    project: Path, models: Path
) -> None:
    gone(project)
    done = run_pytest(project, PARITY, "--no-flash", "-rA")
    assert done.status == 10, done.output
    assert done.counts() == (1, 0, 1)
    assert done.properties("hil_code") == {"port_absent"}
    assert "ERROR" in done.output
    assert "FAILED" not in done.output
    record = done.record("hello_sine")
    assert (record["verdict"], record["findings"][0]["code"]) == ("bench_fault", "port_absent")


def test_a_product_fault_beside_a_bench_fault_exits_1(
    project: Path, models: Path, negatives: Path
) -> None:
    gone(project)
    write_model(models / "mean_v2", (negatives / "mean_v2" / "model.tflite").read_bytes())
    done = run_pytest(project, PARITY, "--no-flash")
    assert done.status == 1, done.output
    assert done.counts() == (2, 1, 1)
    assert done.record("mean_v2")["verdict"] == "fail"
    assert done.record("hello_sine")["verdict"] == "bench_fault"


WITHOUT_MODEL = """
from hil.errors import BenchError, ProductError

def test_port(board):
    {body}
"""


@pytest.mark.parametrize(
    ("body", "status", "counts"),
    [
        ("assert board.id", 0, (1, 0, 0)),
        ("assert not board.id", 1, (1, 1, 0)),
        ("raise ProductError('assertion', 'nothing was printed')", 1, (1, 1, 0)),
        ("raise BenchError('port_lost', 'the cable')", 10, (1, 0, 1)),
        ("import pytest; pytest.skip('not today')", 10, (1, 0, 0)),
    ],
    ids=["passed", "failed", "product", "bench", "skipped"],
)
def test_a_test_without_a_model_counts_for_its_board(
    project: Path, body: str, status: int, counts: tuple[int, int, int]
) -> None:
    (project / "test_port.py").write_text(WITHOUT_MODEL.format(body=body))
    done = run_pytest(project, "test_port.py", *BOARD)
    assert done.status == status, done.output
    assert done.results is not None
    assert done.results["exit_code"] == status
    assert done.counts() == counts


def boards_with_problems(project: Path) -> tuple[str, ...]:
    text = (project / "boards.yaml").read_text()
    text = text.replace("ram: 262144", "ram: lots", 1).replace("baud", "bauds")
    (project / "boards.yaml").write_text(text + "  - {id: extra}\n")
    return ("ram", "fqbn", "port")


def vectors_of_another_shape(project: Path) -> tuple[str, ...]:
    other = ROOT / "models" / "gesture" / "vectors.npz"
    (project / "models" / "hello_sine" / "vectors.npz").write_bytes(other.read_bytes())
    return ("input_0",)


def a_model_cut_short(project: Path) -> tuple[str, ...]:
    path = project / "models" / "hello_sine" / "model.tflite"
    path.write_bytes(path.read_bytes()[:1000])
    return ("model.tflite",)


@pytest.mark.parametrize(
    "spoil", [boards_with_problems, vectors_of_another_shape, a_model_cut_short]
)
def test_a_wrong_file_exits_4_before_any_board_is_touched(
    project: Path, models: Path, monkeypatch: pytest.MonkeyPatch, spoil: object
) -> None:
    assert callable(spoil)
    named = spoil(project)
    monkeypatch.setenv("HIL_RUN", str(project / "run"))
    done = run_pytest(project, PARITY, *BOARD)
    assert done.status == 4, done.output
    assert all(word in done.output for word in named), done.output
    assert not (project / "run" / "boards").exists()


def test_after_a_kill_in_the_middle_of_a_transfer_the_next_run_passes(
    project: Path, models: Path, nano: Board, hello: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_device(nano, compiled(nano, hello), hello.name).close()
    (project / "test_holding.py").write_text(HOLDING)
    mark = project / "mark"
    monkeypatch.setenv("MARK", str(mark))
    victim = subprocess.Popen(
        pytest_command(project, "test_holding.py", *BOARD),
        cwd=project,
        env=pytest_environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + 60
        while not mark.exists():
            assert victim.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.02)
    finally:
        os.kill(victim.pid, signal.SIGKILL)
        victim.wait()
    done = run_pytest(project, PARITY, *BOARD)
    assert done.status == 0, done.output
    record = done.record("hello_sine")
    assert record["verdict"] == "pass"
    assert not record["flashed"]
