"""The host engines: their answers, refusals, deaths and who becomes the oracle."""

from __future__ import annotations

import dataclasses
import struct
import time
from importlib import metadata, util
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tflite

from hil import engines, reference
from hil.compare import compare_outputs
from hil.engines import EngineRefused, EngineResult, run_engine
from hil.errors import BenchError
from hil.model import Model, Vector, load_model, load_vectors
from hil.reference import references

SINE = Path(__file__).parents[2] / "models" / "hello_sine"
needs_tflm = pytest.mark.skipif(
    util.find_spec("tflite_micro") is None, reason="no tflite-micro wheel for this machine"
)


@pytest.fixture(scope="module")
def model() -> Model:
    return load_model(SINE)


@pytest.fixture(scope="module")
def vectors(model: Model) -> tuple[Vector, ...]:
    return load_vectors(model)[:16]


def _with_opcode(model: Model, builtin: int) -> Model:
    """The same model asking for another operator."""
    code = tflite.Model.GetRootAs(model.data).OperatorCodes(0)
    data = bytearray(model.data)
    for slot, form in ((4, "<b"), (10, "<i")):
        offset = code._tab.Offset(slot)
        if offset:
            struct.pack_into(form, data, offset + code._tab.Pos, builtin)
    return dataclasses.replace(model, data=bytes(data))


@needs_tflm
def test_tflm_judges_and_litert_is_the_drift(model: Model, vectors: tuple[Vector, ...]) -> None:
    found = references(model, vectors)
    assert (found.oracle.oracle, found.reason) == ("tflm", "")
    assert found.oracle.version == metadata.version("tflite-micro")
    assert found.arena_bytes is not None
    assert 500 < found.arena_bytes < 10_000
    expected = [vector.expected for vector in vectors if vector.expected]
    assert compare_outputs(expected, found.oracle.outputs).ok
    drift = found.others["litert_ref"]
    assert isinstance(drift, EngineResult)
    assert drift.version == metadata.version("ai-edge-litert")
    assert drift.arena_bytes is None
    assert compare_outputs(found.oracle.outputs, drift.outputs).elements == len(vectors)


@pytest.mark.parametrize("engine", [pytest.param("tflm", marks=needs_tflm), "litert_ref"])
def test_answers_have_the_models_types_and_shapes(
    engine: reference.Engine, model: Model, vectors: tuple[Vector, ...]
) -> None:
    result = run_engine(engine, model, vectors)
    assert isinstance(result, EngineResult)
    assert len(result.outputs) == len(vectors)
    for outputs in result.outputs:
        assert [(a.dtype.name, a.shape) for a in outputs] == [("int8", (1, 1))]


@pytest.mark.parametrize("engine", [pytest.param("tflm", marks=needs_tflm), "litert_ref"])
def test_a_refusal_is_a_value_with_the_cause_from_stderr(
    engine: reference.Engine, model: Model, vectors: tuple[Vector, ...]
) -> None:
    wild = _with_opcode(model, tflite.BuiltinOperator.LSH_PROJECTION)
    result = run_engine(engine, wild, vectors)
    assert isinstance(result, EngineRefused)
    assert result.installed
    assert "LSH_PROJECTION" in result.reason or "Node number" in result.reason


def test_an_engine_that_is_not_installed_is_a_value(
    model: Model, vectors: tuple[Vector, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tflite_micro").mkdir()
    (tmp_path / "tflite_micro" / "__init__.py").write_text("raise ImportError('no such wheel')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    result = run_engine("tflm", model, vectors)
    assert isinstance(result, EngineRefused)
    assert not result.installed
    assert "not installed" in result.reason
    found = references(model, vectors)
    assert found.oracle.oracle == "litert_ref"
    assert "not installed" in found.reason


@needs_tflm
def test_a_real_segmentation_fault_is_reference_died(
    model: Model, vectors: tuple[Vector, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "_generous_arena", lambda model: 100)
    with pytest.raises(BenchError, match="died of signal 11 \\(SIGSEGV\\)") as caught:
        run_engine("tflm", model, vectors)
    error = caught.value
    assert error.code == "reference_died"
    assert error.numbers["exit"] == -11
    assert error.numbers["version"] == metadata.version("tflite-micro")
    assert "tflite-micro" in error.hint


def _dying(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str) -> None:
    """An engine process that does something else."""
    script = tmp_path / "engine.py"
    script.write_text(body)
    monkeypatch.setattr(engines._engine, "__file__", str(script))


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("import sys; print('the cause', file=sys.stderr); sys.exit(3)", "exit code 3"),
        ("import os; print('the cause', flush=True); os.abort()", "signal 6 (SIGABRT)"),
        ("print('the cause')", "exit code 0 and no answer"),
        ("open('reply.json', 'w').write('{'); print('the cause')", "exit code 0 and no answer"),
    ],
)
def test_every_kind_of_death_quotes_what_was_printed(
    model: Model,
    vectors: tuple[Vector, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    body: str,
    words: str,
) -> None:
    _dying(tmp_path, monkeypatch, body)
    with pytest.raises(BenchError) as caught:
        run_engine("litert_ref", model, vectors)
    assert caught.value.code == "reference_died"
    assert words in caught.value.message
    assert "| the cause" in caught.value.message


def test_at_the_deadline_the_whole_group_is_killed(
    model: Model, vectors: tuple[Vector, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pid_file = tmp_path / "pid"
    _dying(
        tmp_path,
        monkeypatch,
        "import subprocess, sys, time, pathlib\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        f"pathlib.Path({str(pid_file)!r}).write_text(str(child.pid))\n"
        "time.sleep(60)\n",
    )
    begun = time.monotonic()
    with pytest.raises(BenchError, match="did not end within 3 s") as caught:
        run_engine("litert_ref", model, vectors, timeout=3)
    assert time.monotonic() - begun < 20
    assert caught.value.numbers["exit"] is None
    assert _is_gone(int(pid_file.read_text()))


def _is_gone(pid: int) -> bool:
    """True once the process is dead (a zombie that its new parent has not reaped counts)."""
    limit = time.monotonic() + 10
    while time.monotonic() < limit:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return True
        if state in "ZX":
            return True
    return False


def _fake(answers: dict[str, Any]) -> Any:
    def run(engine: str, *_: Any, **__: Any) -> Any:
        answer = answers[engine]
        if isinstance(answer, Exception):
            raise answer
        return answer

    return run


OUTPUTS = ((np.zeros((1, 1), np.int8),),)
TFLM = EngineResult("tflm", OUTPUTS, "1")
LITERT = EngineResult("litert_ref", OUTPUTS, "2")
DEAD = BenchError("reference_died", "litert_ref 2 died of signal 11 (SIGSEGV).")


def test_litert_judges_what_tflm_refuses(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    refused = EngineRefused("tflm", "uint8 is not supported", "1")
    monkeypatch.setattr(reference, "run_engine", _fake({"tflm": refused, "litert_ref": LITERT}))
    found = references(model, ())
    assert found.oracle.oracle == "litert_ref"
    assert found.others == {"tflm": refused}
    assert "uint8 is not supported" in found.reason


def test_litert_dying_beside_tflm_costs_only_the_drift(
    model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reference, "run_engine", _fake({"tflm": TFLM, "litert_ref": DEAD}))
    found = references(model, ())
    assert found.oracle.oracle == "tflm"
    drift = found.others["litert_ref"]
    assert isinstance(drift, EngineRefused)
    assert "SIGSEGV" in drift.reason


def test_tflm_dying_is_a_bench_error(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    death = BenchError("reference_died", "tflm 1 died")
    monkeypatch.setattr(reference, "run_engine", _fake({"tflm": death, "litert_ref": LITERT}))
    with pytest.raises(BenchError, match="tflm 1 died"):
        references(model, ())


def test_no_answer_from_any_engine_is_a_bench_error(
    model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = EngineRefused("tflm", "uint8 is not supported", "1")
    monkeypatch.setattr(reference, "run_engine", _fake({"tflm": refused, "litert_ref": DEAD}))
    with pytest.raises(BenchError, match=r"uint8 is not supported.*SIGSEGV") as caught:
        references(model, ())
    assert caught.value.code == "reference_died"


def test_no_vectors_is_a_mistake_of_the_caller(model: Model) -> None:
    with pytest.raises(ValueError, match="no vectors"):
        run_engine("litert_ref", model, ())


def test_the_deadline_grows_with_the_work(model: Model) -> None:
    assert engines.deadline(model, 1000) > engines.deadline(model, 1) >= 30
