"""What a baseline catches, and what it lets pass: figures of a board, a little worse or only
different."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from provoke import ROOT

from hil.baseline_files import path_of, read_baseline, write_baseline
from hil.card import ToleranceCard
from hil.errors import BenchError, ProductError, SetupError
from hil.inventory import Board
from hil.model import Model, load_model
from hil.paths import cache_dir
from hil.revision import Revision
from hil.settings import Baselines
from hil.trial import Settings, Trial

SKETCH = Path(__file__).parent / "sketches" / "changed" / "hil_runner"
CHANGES = {"": 0, "OFF_BY_ONE": 1, "LARGER": 2, "SLOWER": 3, "UNUSED_OP": 4, "LOG": 5}
THEN, NOW = Revision("a" * 12), Revision("b" * 12, dirty=True)

Make = Callable[..., Trial]


@pytest.fixture(scope="module")
def tolerant(hello: Model) -> Model:
    """hello_sine whose model.yaml lets an answer be one step off: parity alone says nothing."""
    widened = ToleranceCard(max_lsb=1, reason="to see what a baseline adds")
    return replace(hello, card=hello.card.model_copy(update={"tolerance": widened}))


@pytest.fixture(scope="module")
def make(nano: Board, tolerant: Model) -> Iterator[Make]:
    """``make(folder, change)``: a trial beside the baselines of a folder; closed at the end."""
    opened: list[Trial] = []

    def trial(
        folder: Path,
        change: str = "",
        *,
        sketch: Path = SKETCH,
        model: Model = tolerant,
        update: bool = False,
        strict: bool = False,
        **defines: int,
    ) -> Trial:
        for other in opened:
            other.close()
        settings = Settings(
            runs=10,
            samples=20,
            defines={"CHANGE": CHANGES[change], **defines},
            baselines=Baselines(folder, update, strict, THEN if update else NOW),
        )
        opened.append(Trial(nano, model, settings, sketch))
        return opened[-1]

    yield trial
    for each in opened:
        each.close()


@pytest.fixture(scope="module")
def baselines(make: Make, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the baseline of the unchanged sketch."""
    folder = tmp_path_factory.mktemp("baselines")
    it = make(folder, update=True)
    assert it.baseline() == ""
    write_baseline(folder, it.measured())
    return folder


def test_the_same_again_passes(make: Make, baselines: Path) -> None:
    it = make(baselines)
    assert it.baseline() == ""
    assert it.record.baseline is not None
    assert it.record.baseline.state == "equal"
    assert it.record.findings == []
    assert set(it.record.baseline.figures) == {
        "arena", "flash.model", "flash.kernels", "flash.runtime", "latency", "mismatches",
        "max_lsb", "accuracy",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("change", "metrics", "more"),
    [("OFF_BY_ONE", {"max_lsb", "accuracy"}, 1), ("LARGER", {"arena"}, 16)],
)
def test_a_little_worse_is_a_regression(
    make: Make, baselines: Path, change: str, metrics: set[str], more: int
) -> None:
    it = make(baselines, change)
    with pytest.raises(ProductError) as caught:
        it.baseline()
    assert caught.value.code == "regression"
    assert {finding.code for finding in it.record.findings} == {"regression"}
    assert {finding.numbers["metric"] for finding in it.record.findings} == metrics
    assert it.record.verdict == "fail"
    numbers = caught.value.numbers
    assert numbers["now"] - numbers["baseline"] == more
    assert numbers["baseline"] == numbers["limit"]
    assert (numbers["baseline_commit"], numbers["commit"]) == ("a" * 12, "b" * 12 + "-dirty")
    for word in ("a" * 12, "b" * 12, numbers["metric"]):
        assert word in str(caught.value)


def test_a_tenth_of_a_percent_slower_is_a_regression(make: Make, tmp_path: Path) -> None:
    gesture = load_model(ROOT / "models" / "gesture")
    honest = make(tmp_path, model=gesture, update=True)
    honest.baseline()
    before = honest.measured().figures["latency"].value
    write_baseline(tmp_path, honest.measured())
    it = make(tmp_path, "SLOWER", model=gesture, SPIN=round(before * 0.001 / 3))
    with pytest.raises(ProductError) as caught:
        it.baseline()
    assert [finding.numbers["metric"] for finding in it.record.findings] == ["latency"]
    numbers = caught.value.numbers
    assert numbers["baseline"] == before
    assert 0.0009 < numbers["now"] / before - 1 < 0.0011
    assert numbers["limit"] == pytest.approx(before * 1.0005)
    assert "a" * 12 in str(caught.value)


def test_an_unused_op_is_no_regression(make: Make, baselines: Path) -> None:
    """Its kernel is in flash, and with it what the kernels take: that is said, and not judged."""
    it = make(baselines, "UNUSED_OP")
    reason = it.baseline()
    assert it.record.findings == []
    seen = it.record.baseline
    assert seen is not None
    assert seen.changed == {"extra_ops": ("", "ADD")}
    states = {name: figure.state for name, figure in seen.figures.items()}
    unjudged = {name for name, state in states.items() if state != "equal"}
    assert unjudged == {"flash.kernels", "flash.runtime"}
    assert "extra_ops: none -> ADD" in reason
    kernels = seen.figures["flash.kernels"]
    assert kernels.before is not None
    assert kernels.now is not None
    assert kernels.now > kernels.before


def test_another_log_message_is_none(make: Make, baselines: Path) -> None:
    it = make(baselines, "LOG")
    assert it.baseline() == ""
    before = make(baselines)
    assert it.firmware().digest != before.firmware().digest
    assert it.firmware().flash > before.firmware().flash


@pytest.mark.slow
def test_another_checkout_is_none(
    make: Make, baselines: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Compiled again, from sources elsewhere: the cache has neither firmware nor objects."""
    usual = make(baselines).firmware()
    cache = tmp_path / "cache"
    cache.mkdir()
    for each in cache_dir().iterdir():
        if each.name not in ("firmware", "build"):
            (cache / each.name).symlink_to(each)
    monkeypatch.setenv("HIL_CACHE", str(cache))
    copy = tmp_path / "checkout" / "sketches"
    shutil.copytree(ROOT / "sketches", copy)
    monkeypatch.setattr("hil.recipe.sketches_dir", lambda: copy)
    it = make(baselines, sketch=Path(shutil.copytree(SKETCH, tmp_path / "other" / SKETCH.name)))
    assert it.firmware().elf != usual.elf
    assert it.firmware().digest == usual.digest
    assert it.baseline() == ""
    assert it.record.baseline is not None
    assert it.record.baseline.state == "equal"


def test_without_a_baseline_nothing_is_held_against_it_unless_strict(
    make: Make, tmp_path: Path
) -> None:
    it = make(tmp_path)
    assert "no baseline" in it.baseline()
    assert it.record.findings == []
    strict = make(tmp_path, strict=True)
    with pytest.raises(BenchError) as caught:
        strict.baseline()
    assert (caught.value.code, caught.value.numbers) == ("baseline_stale", {"state": "none"})


def test_a_baseline_of_another_emulator_judges_all_but_latency(
    make: Make, baselines: Path, tmp_path: Path
) -> None:
    old = read_baseline(baselines, "virtual-nano33ble", "hello_sine")
    assert old is not None
    assert old.facts["core"].startswith("qemu-")
    assert "icount" in old.facts["core"]
    foreign = replace(
        old,
        facts={**old.facts, "core": "qemu-1.0/mps2-an386/icount-4"},
        figures={**old.figures, "latency": replace(old.figures["latency"], value=1000.0)},
    )
    write_baseline(tmp_path, foreign)
    assert "qemu-1.0" in make(tmp_path).baseline()
    strict = make(tmp_path, strict=True)
    with pytest.raises(BenchError) as caught:
        strict.baseline()
    assert caught.value.code == "baseline_stale"
    larger = make(tmp_path, "LARGER")
    with pytest.raises(ProductError) as worse:
        larger.baseline()
    assert worse.value.numbers["metric"] == "arena"


def test_a_tampered_baseline_is_refused_before_the_board_is_touched(
    make: Make, baselines: Path, tmp_path: Path
) -> None:
    path = path_of(tmp_path, "virtual-nano33ble", "hello_sine")
    path.parent.mkdir()
    text = path_of(baselines, "virtual-nano33ble", "hello_sine").read_text()
    path.write_text(text.replace("max_lsb: {value: 0", "max_lsb: {value: 1"))
    it = make(tmp_path, "OFF_BY_ONE")
    with pytest.raises(SetupError) as caught:
        it.baseline()
    assert caught.value.code == "baseline_file"
    assert it.record.parity == {}
