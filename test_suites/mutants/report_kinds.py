"""Mutants of what a run leaves and of what it is held against: results.json and baselines."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from mutant import Mutant, group
from provoke import ROOT
from runs import run_pytest
from sketch_kinds import SKETCH, Fault, with_words
from stage import Stage

from hil.flash import upload

Make = Callable[[Stage], None]
Edit = Callable[[str], str]


# -- results.json, read again


def written(edit: Edit) -> Make:
    """results.json of a run with one pass and one failure is changed, then made into a page."""

    def make(stage: Stage) -> None:
        text = stage.worker.once("results", lambda: _results(stage))
        path = stage.folder / "reports" / "latest" / "results.json"
        path.parent.mkdir(parents=True)
        path.write_text(edit(text))
        changed = edit(text) != text
        stage.shows(lambda: "another file" if changed else "")
        stage.command = ("report", str(path))

    return make


def _results(stage: Stage) -> str:
    stage.use("hello_sine")
    negative = ROOT / "models" / "_negative" / "mean_v2"
    shutil.copytree(negative, stage.folder / "models" / "mean_v2")
    stage.write_boards()
    parity = str(ROOT / "test_suites" / "parity")
    run_pytest(stage.folder, parity, "--board", stage.board.id, environment=stage.environment)
    text = (stage.folder / "reports" / "latest" / "results.json").read_text()
    shutil.rmtree(stage.folder / "reports")
    found = {record["model"]: record["verdict"] for record in json.loads(text)["records"]}
    assert found == {"hello_sine": "pass", "mean_v2": "fail"}
    return text


def edited(change: Callable[[dict[str, Any]], object]) -> Edit:
    def edit(text: str) -> str:
        found = json.loads(text)
        change(found)
        return json.dumps(found)

    return edit


def of(model: str, **fields: Any) -> Edit:
    """Other fields in the record of a model."""

    def change(results: dict[str, Any]) -> None:
        (record,) = (each for each in results["records"] if each["model"] == model)
        record.update(fields)

    return edited(change)


def _differing(results: dict[str, Any]) -> None:
    (record,) = (each for each in results["records"] if each["model"] == "hello_sine")
    record["parity"]["tflm"]["mismatches"] = 1


# -- reports that cannot be written


def blocked(block: Callable[[Path], object]) -> Make:
    """Something stands where the reports are to go."""

    def make(stage: Stage) -> None:
        stage.use("hello_sine")
        block(stage.folder / "reports")
        stage.shows(lambda: "no results.json" if not _written(stage.folder) else "")

    return make


def _written(folder: Path) -> bool:
    return (folder / "reports" / "latest" / "results.json").is_file()


def _file_at(*parts: str) -> Callable[[Path], object]:
    def block(reports: Path) -> None:
        path = reports.joinpath(*parts)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("in the way")

    return block


def _folder_at_results(reports: Path) -> None:
    (reports / "latest" / "results.json" / "in the way").mkdir(parents=True)


def _link_to(target: str) -> Callable[[Path], object]:
    return lambda reports: reports.symlink_to(target)


# -- runs of nothing


def nothing(empty: Callable[[Stage], object], *selection: str) -> Make:
    """Nothing is selected: a run without a verdict is not green."""

    def make(stage: Stage) -> None:
        stage.use("hello_sine")
        empty(stage)
        stage.selection = selection
        stage.shows(lambda: "" if _any_run(stage.folder) else "nothing is run")

    return make


def _any_run(folder: Path) -> bool:
    path = folder / "reports" / "latest" / "results.json"
    records = json.loads(path.read_text())["records"] if path.is_file() else []
    return any(record["verdict"] != "not_run" for record in records)


def _without_models(stage: Stage) -> None:
    shutil.rmtree(stage.folder / "models")


def _without_cards(stage: Stage) -> None:
    stage.model.path.with_name("model.yaml").unlink()


def _absent(stage: Stage) -> None:
    stage.board = stage.board.model_copy(update={"present": False})


def _without_vectors(stage: Stage) -> None:
    path = stage.model.path.with_name("vectors.npz")
    with np.load(path) as file:
        kept = {name: file[name][:0] for name in file.files}
    np.savez(path, allow_pickle=False, **kept)


# -- baselines


def held(words: tuple[int, ...] = (Fault.NONE,), edit: Edit = lambda text: text) -> Make:
    """A firmware is held against the baseline that the same firmware without a fault wrote;
    ``edit`` changes that file."""

    def make(stage: Stage) -> None:
        stage.use("air_quality_anomaly")
        honest = stage.firmware(SKETCH)
        path = stage.folder / "baselines" / stage.board.id / f"{stage.model.name}.yaml"
        text = stage.worker.once("baseline", lambda: _baseline(stage, path))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(edit(text))
        spoiled = stage.variant(honest, with_words(honest.elf, words))
        stage.builds(spoiled)
        stage.put(spoiled, honest)
        stage.suites = (*stage.suites, "test_suites/regression")
        if edit(text) != text:
            stage.shows(lambda: "another baseline")

    return make


def _baseline(stage: Stage, path: Path) -> str:
    honest = stage.firmware(SKETCH)
    upload(stage.board, honest)  # a mutant of the same build may be on the board
    stage.builds(honest)
    stage.write_boards()
    done = run_pytest(
        stage.folder,
        str(ROOT / "test_suites" / "regression"),
        *("--board", stage.board.id, "--model", stage.model.name, "--hil-update-baseline"),
        environment=stage.environment,
    )
    assert done.status == 0, done.output
    return path.read_text()


def _line(start: str, change: Callable[[str], str]) -> Edit:
    """Changes the line that begins so."""

    def edit(text: str) -> str:
        lines = text.splitlines()
        return "\n".join(change(line) if line.strip().startswith(start) else line for line in lines)

    return edit


MUTANTS: list[Mutant] = [
    *group(
        "forged_results",
        ("fail_made_a_pass", "results_file", written(of("mean_v2", verdict="pass"))),
        ("findings_removed", "results_file", written(of("mean_v2", findings=[], suites={}))),
        ("pass_that_differs", "results_file", written(edited(_differing))),
        ("exit_code_0", "results_file", written(edited(lambda r: r.update(exit_code=0)))),
        ("record_twice", "results_file", written(
            edited(lambda r: r["records"].append(r["records"][0])))),
        ("cut_short", "results_file", written(lambda text: text[: len(text) // 2])),
        ("of_another_version", "results_file", written(
            edited(lambda r: r.update(schema_version=99)))),
    ),
    *group(
        "no_place_for_reports",
        ("a_file_at_reports", "results_file", blocked(_file_at())),
        ("a_file_at_latest", "results_file", blocked(_file_at("latest"))),
        ("a_folder_at_results", "results_file", blocked(_folder_at_results)),
        ("a_link_into_nothing", "results_file", blocked(_link_to("/proc/nothing"))),
        ("a_link_to_a_device", "results_file", blocked(_link_to("/dev/null"))),
    ),
    *group(
        "nothing_to_test",
        ("no_models", "model_file", nothing(_without_models, "--board", "tag:virtual")),
        ("no_model_cards", "model_file", nothing(_without_cards, "--board", "tag:virtual")),
        ("no_vectors", "model_file", nothing(_without_vectors, "--board", "tag:virtual")),
        ("no_board_present", "boards_yaml", nothing(_absent)),
        ("no_board_of_the_tag", "boards_yaml", nothing(lambda _: None, "--board", "tag:none")),
    ),
    *group(
        "worse_than_baseline",
        *((f"by_{n}_loops", "regression", held((Fault.WORK, n))) for n in
          (100, 200, 500, 800, 1_000)),
    ),
    *group(
        "forged_baseline",
        ("slower_allowed", "baseline_file", held(edit=_line(
            "latency:", lambda line: line.replace("value: ", "value: 9")))),
        ("of_another_board", "baseline_file", held(edit=_line(
            "board:", lambda line: "board: virtual-pico"))),
        ("of_another_model", "baseline_file", held(edit=_line(
            "model:", lambda line: "model: hello_sine"))),
        ("cut_short", "baseline_file", held(edit=lambda text: text[: len(text) // 2])),
        ("without_its_seal", "baseline_file", held(edit=_line("digest:", lambda line: ""))),
    ),
]  # fmt: skip
