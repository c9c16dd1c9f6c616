"""`hil check`: what it says of a file and a board, and its exit codes. No board, no build."""

from __future__ import annotations

import dataclasses
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from made_records import firmware, latency, record
from model_writer import CUSTOM, G, O, T, write

from hil.board import Board
from hil.check import CheckResult, Fit, check_model
from hil.check_report import render, to_json
from hil.errors import SetupError
from hil.forecast import Forecast, NoForecast
from hil.model import Model, load_model
from hil.report.writer import new_results, write_results
from hil.tflm import resolve_tflm

ROOT = Path(__file__).resolve().parents[2]
RESOLVER = """\
  AddBuiltin(BuiltinOperator_FULLY_CONNECTED, Register_FULLY_CONNECTED(), 1, 4);
  AddBuiltin(BuiltinOperator_CONV_2D, Register_CONV_2D(), 1, 3);
  AddBuiltin(BuiltinOperator_ADD, Register_ADD(), 1, 2);
  AddBuiltin(BuiltinOperator_AVERAGE_POOL_2D, Register_AVERAGE_POOL_2D(), 1, 2);
  AddBuiltin(BuiltinOperator_RESHAPE, Register_RESHAPE());
  AddBuiltin(BuiltinOperator_SOFTMAX, Register_SOFTMAX(), 1, 2);
  AddBuiltin(BuiltinOperator_MEAN, Register_MEAN());
"""


@pytest.fixture(autouse=True)
def _no_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No image that was built before, no bench that runs."""
    monkeypatch.setenv("HIL_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HIL_RUN", str(tmp_path / "run"))


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A folder with the signs of a TFLM of 2020 and a few of its operators."""
    micro = tmp_path / "tflm" / "src" / "tensorflow" / "lite" / "micro"
    (micro / "kernels").mkdir(parents=True)
    for name in ("micro_interpreter.h", "micro_error_reporter.h"):
        (micro / name).write_text("")
    (micro / "kernels" / "all_ops_resolver.cc").write_text(RESOLVER)
    return tmp_path / "tflm"


@pytest.fixture
def board(tree: Path) -> Callable[..., Board]:
    """``board(...)``: a board with that TFLM; keys as in boards.yaml."""

    def make(**changes: object) -> Board:
        keys = {"id": "b", "fqbn": "a:b:c", "port": "/dev/x", "ram": 262144, "flash": 983040,
                "tflm": f"{tree}/"} | changes  # fmt: skip
        return Board.model_validate(keys)

    return make


Make = Callable[..., Board]


def _model(folder: Path, data: bytes, card: str = "") -> Model:
    folder.mkdir(exist_ok=True)
    (folder / "model.tflite").write_bytes(data)
    (folder / "model.yaml").write_text(f"name: {folder.name}\n{card}")
    return load_model(folder)


def _codes(result: CheckResult) -> list[str]:
    return [finding.code for finding in result.every_finding]


def test_a_model_that_fits_has_forecasts_and_exit_0(board: Make) -> None:
    model = load_model(ROOT / "models" / "hello_sine")
    result = check_model(model, [board()])
    (seen,) = result.boards
    assert (result.exit_code, _codes(result)) == (0, [])
    assert seen.arena is not None
    assert isinstance(seen.arena.forecast, Forecast)
    assert (seen.arena.forecast.value, seen.arena.limit) == (1520, 2048)  # model.yaml gives 2048
    assert seen.arena.verdict == "fits"
    assert isinstance(seen.latency, NoForecast)


@pytest.mark.parametrize(
    ("name", "code"),
    [("mean_v2", "missing_op"), ("per_channel_dense", "unsupported_quantisation")],
)
def test_what_the_tree_cannot_run_is_exit_1(board: Make, name: str, code: str) -> None:
    result = check_model(load_model(ROOT / "models" / "_negative" / name), [board()])
    assert (result.exit_code, set(_codes(result))) == (1, {code})


def test_every_fault_is_listed(board: Make, tmp_path: Path) -> None:
    tensors = [T((1, 4), name="x"), T((2, 4), data=bytes(8), scale=(0.1, 0.2), zero=(0, 0)),
               T((1, 2), name="y"), T((1, 2), scale=(0.25,), name="z")]  # fmt: skip
    graph = G(tensors, [O((0, 1), (2,)), O((2,), (3,), 1)], (0,), (3,))
    data = write([graph], codes=((9, 4, None), (CUSTOM, 1, "OWN")), version=2)
    model = _model(tmp_path / "m", data, "arena_bytes: 500\n")
    result = check_model(model, [board(flash=2000)])
    assert _codes(result) == ["schema_mismatch", "missing_op", "unsupported_quantisation"]
    assert result.exit_code == 1
    text = render(result)
    for said in ("schema version 2", "OWN", "FULLY_CONNECTED", "custom_ops: {OWN: "):
        assert said in text


@pytest.mark.parametrize(
    ("card", "limits", "code"),
    [
        ("arena_bytes: 1024\n", {}, "arena_overflow"),
        ("", {"ram": 9216, "ram_reserve": 8192}, "arena_overflow"),
        ("arena_bytes: 300000\n", {}, "ram_overflow"),
        ("budgets: {arena_bytes: 1000}\n", {}, "arena_over_budget"),
    ],
)
def test_what_is_too_large_at_the_low_end_is_a_fault(
    board: Make, tmp_path: Path, card: str, limits: dict[str, int], code: str
) -> None:
    data = (ROOT / "models" / "hello_sine" / "model.tflite").read_bytes()
    result = check_model(_model(tmp_path / "m", data, card), [board(**limits)])
    assert _codes(result) == [code]
    (finding,) = result.every_finding
    assert finding.numbers["needed"] > finding.numbers["limit"]


def test_a_limit_inside_the_range_is_no_fault_and_no_fit() -> None:
    span = Forecast(1520, 1504, 1536, "")
    assert [Fit(span, limit).verdict for limit in (1503, 1504, 1535, 1536)] == [
        "does not fit",
        "may not fit",
        "may not fit",
        "fits",
    ]
    assert Fit(NoForecast("why"), 1).verdict == "unknown"


def test_flash_is_told_by_the_table_of_the_board_that_it_was_measured_on(board: Make) -> None:
    table = json.loads((ROOT / "hil" / "tables" / "kernel_sizes.json").read_text())[0]
    model = load_model(ROOT / "models" / "keyword_spotting")
    unknown = check_model(model, [board()]).boards[0].flash
    assert unknown is not None
    assert unknown.verdict == "unknown"
    tflm = dataclasses.replace(resolve_tflm(board().tflm), digest=table["tflm"])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("hil.check.resolve_tflm", lambda *_: tflm)
        flash = check_model(model, [board(fqbn=table["fqbn"])]).boards[0].flash
    assert flash is not None
    assert isinstance(flash.forecast, Forecast)
    assert flash.forecast.low <= 66_856 <= flash.forecast.high  # measured, docs/measurements.md


def test_latency_is_what_was_measured_or_nothing(board: Make, tmp_path: Path) -> None:
    model, there = load_model(ROOT / "models" / "hello_sine"), board()
    digest = resolve_tflm(there.tflm).digest
    built = firmware(fqbn=there.full_fqbn, flags="")
    built.tflm.digest = digest
    results = new_results()
    results.records.append(record(model_sha256=model.sha256, firmware=built, latency=latency(7500)))
    write_results(results, tmp_path / "reports" / "latest" / "results.json")
    seen = check_model(model, [there], reports=tmp_path / "reports").boards[0].latency
    assert not isinstance(seen, NoForecast)
    assert seen is not None
    assert (seen.value, seen.unit) == (7500, "instructions")
    other = load_model(ROOT / "models" / "gesture")
    for wanted, asked in ((other, there), (model, board(options={"opt": "fast"}))):
        seen = check_model(wanted, [asked], reports=tmp_path / "reports").boards[0].latency
        assert isinstance(seen, NoForecast)


def test_an_add_that_aborts_is_a_warning_where_the_flags_are_not_known(board: Make) -> None:
    result = check_model(load_model(ROOT / "models" / "_negative" / "residual_add"), [board()])
    assert result.exit_code == 0
    assert any("-128" in warning for warning in result.boards[0].warnings)


def test_a_board_whose_tflm_is_not_there_is_not_judged_and_the_others_are(board: Make) -> None:
    model = load_model(ROOT / "models" / "hello_sine")
    result = check_model(model, [board(id="x", tflm="/nowhere/"), board()])
    assert result.boards[0].problem is not None
    assert result.boards[1].problem is None
    assert result.exit_code == 4
    assert "x: NOT JUDGED" in render(result)
    faulty = load_model(ROOT / "models" / "_negative" / "mean_v2")
    assert check_model(faulty, [board(id="x", tflm="/nowhere/"), board()]).exit_code == 1


def test_open_lengths_and_state_are_said(board: Make, tmp_path: Path) -> None:
    x, w, b, y = G().tensors
    open_batch = dataclasses.replace(x, signature=(-1, 4))
    model = _model(tmp_path / "m", write([G([open_batch, w, b, y])]))
    assert any("[-1, 4]" in warning for warning in check_model(model, []).warnings)


def test_vectors_that_cannot_be_used_are_refused(board: Make, tmp_path: Path) -> None:
    model = _model(tmp_path / "m", write(), "vectors: v.csv\n")
    (tmp_path / "m" / "v.csv").write_text("1,2\n")
    with pytest.raises(SetupError) as caught:
        check_model(model, [board()])
    assert caught.value.code == "model_file"


def test_the_json_holds_what_the_text_says(board: Make) -> None:
    model = load_model(ROOT / "models" / "_negative" / "mean_v2")
    found = json.loads(json.dumps(to_json(check_model(model, [board()]))))
    assert found["exit_code"] == 1
    assert found["boards"]["b"]["findings"][0]["code"] == "missing_op"
    assert found["boards"]["b"]["arena"]["value"] == 2944
    assert found["boards"]["b"]["latency"].keys() == {"reason"}


# --- the command


def _run(*words: str, folder: Path = ROOT) -> tuple[int, str, str]:
    program = "from hil.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", program, "check", *words], cwd=folder, text=True,
        capture_output=True, timeout=120, check=False, env=_environment(),
    )  # fmt: skip
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout, done.stderr


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT)}


@pytest.fixture
def bench(tree: Path, tmp_path: Path) -> Path:
    """A folder with a boards.yaml of one board."""
    (tmp_path / "boards.yaml").write_text(
        f"version: 1\nboards:\n  - {{id: b, fqbn: 'a:b:c', port: /dev/x, ram: 262144, "
        f"flash: 983040, tflm: {tree}/}}\n"
    )
    return tmp_path


def test_exit_codes_of_the_command(bench: Path) -> None:
    models = ROOT / "models"
    code, out, err = _run(str(models / "hello_sine"), folder=bench)
    assert (code, err) == (0, "")
    assert "b: " in out
    assert _run(str(models / "_negative" / "mean_v2"), folder=bench)[0] == 1
    bad = bench / "bad.tflite"
    bad.write_bytes(b"\0" * 64)
    code, out, err = _run(str(bad), "--board", "b", folder=bench)
    assert (code, out) == (4, "")
    assert err.startswith("hil: model_file: ")
    assert len(err.splitlines()) == 2, "one line and the next step"
    code, out, err = _run(str(bad), "--json", folder=bench)
    assert (code, err) == (4, "")
    assert json.loads(out)["error"]["code"] == "model_file"
    assert _run(str(models / "hello_sine"), "--board", "c", folder=bench)[0] == 4


def test_without_a_bench_the_model_alone_is_looked_at(tmp_path: Path) -> None:
    code, out, _ = _run(str(ROOT / "models" / "hello_sine"), folder=tmp_path)
    assert code == 0
    assert "3 FULLY_CONNECTED v4" in out


def test_the_answer_comes_in_seconds(bench: Path) -> None:
    """Of the processor's time, which other work on the machine does not change: limit 3 s."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.monotonic()
    assert _run(str(ROOT / "models" / "air_quality_anomaly"), folder=bench)[0] == 0
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    assert min(spent, time.monotonic() - started) < 3
