"""`hil validate` and `hil verify` as a person types them: models that the project never saw."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from asuser import Project, checkout, project_at
from plain import ROOT, wait_until

from hil.setup.tflm_crate import crate_source

NANO = "virtual-nano33ble"
PICO = "virtual-pico"


@dataclass(frozen=True)
class Bench:
    """A project folder in which `hil` is typed."""

    project: Project

    @staticmethod
    def command(*words: str | Path) -> list[str]:
        return [sys.executable, "-c", "from hil.cli import main; main()", *map(str, words)]

    def hil(self, *words: str | Path) -> subprocess.CompletedProcess[str]:
        return self.project.run(self.command(*words), **checkout())

    @property
    def latest(self) -> Path:
        return self.project.folder / "reports" / "latest"

    @property
    def certificate(self) -> Path:
        return self.latest / "certificate.json"

    def uncertified(self) -> bool:
        return not [path for path in self.latest.iterdir() if "certificate" in path.name]


@pytest.fixture
def bench(tmp_path: Path, run: Path) -> Bench:
    return Bench(project_at(tmp_path / "project"))


@pytest.fixture(scope="module")
def foreign() -> Path:
    """The folder of models that the crate brings."""
    return crate_source() / "examples" / "models"


def signing_key(folder: Path) -> tuple[Path, Path]:
    """A key and the file that allows it."""
    key = folder / "release-key"
    command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)]
    subprocess.run(command, check=True, timeout=60, stdin=subprocess.DEVNULL)
    allowed = folder / "allowed_signers"
    allowed.write_text(f"release@example.com {Path(f'{key}.pub').read_text()}")
    return key, allowed


def limited(bench: Bench, **limits: int) -> None:
    """hello_sine in the project's models/, with limits in instructions by board."""
    folder = bench.project.folder / "models" / "hello_sine"
    folder.mkdir(parents=True)
    for name in ("model.tflite", "vectors.npz"):
        shutil.copy(ROOT / "models" / "hello_sine" / name, folder)
    (folder / "model.yaml").write_text(
        f"name: hello_sine\nlatency:\n  max_instructions: {json.dumps(limits)}\n"
    )


@pytest.mark.skipif(not shutil.which("ssh-keygen"), reason="ssh-keygen is not installed")
def test_a_foreign_model_gets_a_certificate_that_holds(
    bench: Bench, foreign: Path, tmp_path: Path
) -> None:
    key, allowed = signing_key(tmp_path)
    model = foreign / "magic_wand.tflite"
    done = bench.hil("validate", model, "--board", NANO, "--key", key, "--samples", "4")
    assert done.returncode == 0, done.stdout
    record = bench.project.results["records"][0]
    assert (record["board"], record["model"], record["verdict"]) == (NANO, "magic_wand", "pass")
    assert record["suites"] == {
        "smoke": "passed", "parity": "passed", "latency": "passed", "memory": "passed",
        "accuracy": "skipped",
    }  # fmt: skip
    said: dict[str, Any] = json.loads(bench.certificate.read_text())
    assert said["boards"][0]["record"]["parity"] == record["parity"]
    assert said["boards"][0]["record"]["device"]["unit"]
    assert "QEMU" in said["boards"][0]["record"]["device"]["core"].upper()
    assert said["vectors"]["spans"] == [{"high": 1.0, "low": -1.0, "source": "assumed", "zero": 0}]
    assert said["vectors"]["count"] * 4 == record["parity"]["tflm"]["elements"]

    beside = ["--vectors", bench.latest / "magic_wand-vectors.npz", "--elf",
              record["firmware"]["elf"], "--results", bench.latest / "results.json"]  # fmt: skip
    verify = ["verify", bench.certificate, "--allowed-signers", allowed]
    done = bench.hil(*verify, "--model", model, *beside)
    assert done.returncode == 0, done.stdout
    assert "signed by release@example.com" in done.stdout

    other = bench.hil(*verify, "--model", foreign / "hello_world.tflite")
    assert other.returncode == 1
    assert "hello_world.tflite is " in other.stdout
    text = bench.certificate.read_text()
    bench.certificate.write_text(text.replace('"verdict": "pass"', '"verdict": "fail"', 1))
    assert bench.hil(*verify).returncode == 1


def test_real_data_comes_besides_and_a_later_run_takes_the_certificate_away(
    bench: Bench, foreign: Path
) -> None:
    data = bench.project.add("angles.csv", "0.5\n4.0\n6.0\n")
    model = foreign / "hello_world.tflite"
    words = ("--board", NANO, "--samples", "2", "--vectors", data)
    done = bench.hil("validate", model, *words)
    assert done.returncode == 0, done.stdout
    said = json.loads(bench.certificate.read_text())
    assert said["vectors"]["data"][0]["name"] == "angles.csv"
    assert said["vectors"]["count"] == 3 + said["vectors"]["seeded"]
    assert bench.hil("verify", bench.certificate).returncode == 1
    assert bench.hil("verify", bench.certificate, "--unsigned").returncode == 0

    suite = f"{ROOT}/test_suites/smoke"
    again = bench.project.pytest(suite, "--board", NANO, "--model", str(model), **checkout())
    assert again.returncode == 0, again.stdout
    assert bench.uncertified()


def test_one_board_that_fails_is_no_certificate(bench: Bench) -> None:
    limited(bench, **{NANO: 1_000_000, PICO: 10})
    done = bench.hil("validate", "hello_sine", "--board", NANO, "--board", PICO)
    assert done.returncode == 1, done.stdout
    records = {record["board"]: record for record in bench.project.results["records"]}
    assert records[NANO]["verdict"] == "pass"
    assert [finding["code"] for finding in records[PICO]["findings"]] == ["latency"]
    assert records[PICO]["suites"]["memory"] == "passed"
    assert bench.project.results["exit_code"] == 1
    assert f"no certificate: {PICO}: fail (latency)" in done.stdout
    assert bench.uncertified()


def test_a_board_that_is_unplugged_is_exit_10_and_takes_an_old_certificate_away(
    bench: Bench,
) -> None:
    limited(bench)
    for name in ("certificate.json", "certificate.json.sig"):
        bench.project.add(f"reports/latest/{name}", "of an earlier run")
    boards = bench.project.folder / "boards.yaml"
    port = "port: ${HIL_RUN}/ports/virtual-pico"
    text = boards.read_text()
    assert port in text
    boards.write_text(text.replace(port, "port: usb:ffff:fffe"))
    done = bench.hil("validate", "hello_sine", "--board", NANO, "--board", PICO)
    assert done.returncode == 10, done.stdout
    records = {record["board"]: record for record in bench.project.results["records"]}
    assert records[NANO]["verdict"] == "pass"
    assert {finding["code"] for finding in records[PICO]["findings"]} == {"port_absent"}
    assert f"no certificate: {PICO}: bench fault (port_absent)" in done.stdout
    assert bench.uncertified()


def test_a_selection_without_a_board_certifies_nothing(bench: Bench) -> None:
    limited(bench)
    done = bench.hil("validate", "hello_sine", "--board", "tag:physical")
    assert done.returncode == 10, done.stdout
    assert bench.project.results["exit_code"] == 10
    assert bench.uncertified()


def test_what_is_wrong_with_the_order_is_said_before_anything_starts(
    bench: Bench, foreign: Path, tmp_path: Path
) -> None:
    model = foreign / "hello_world.tflite"
    for words, code in (
        (["none.tflite", "--board", NANO], "model_file"),
        ([model, "--board", "nano"], "boards_yaml"),
        ([model, "--board", NANO, "--vectors", tmp_path / "none.csv"], "model_file"),
        ([model, "--board", NANO, "--key", tmp_path / "none"], "signing"),
    ):
        done = bench.hil("validate", *words)
        assert done.returncode == 4, done.stdout
        assert f"hil: {code}: " in done.stdout
    assert not (bench.project.folder / "reports").exists()


def test_ctrl_c_ends_it_without_a_certificate(bench: Bench, foreign: Path) -> None:
    words = bench.command("validate", foreign / "magic_wand.tflite", "--board", NANO)
    process = subprocess.Popen(words, cwd=bench.project.folder, env={**os.environ, **checkout()},
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT)  # fmt: skip
    assert wait_until((bench.latest / "results.json").exists, 240)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 2
    results = bench.project.results
    assert (results["interrupted"], results["exit_code"]) == (True, 2)
    assert bench.uncertified()
