"""A run beside its baseline: what is worse, better, or cannot be judged, and what is written."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_records import firmware, latency, record

from hil.baseline import SCOPES, Measured, State, judge, renewed
from hil.baseline_words import compared, regressions, summary
from hil.figures import Figure
from hil.measured import measured
from hil.report.parts import AccuracyRecord, MemoryRecord, ParityRecord, TflmRecord
from hil.report.record import Record
from hil.revision import Revision

AT, LATER = Revision("a" * 12), Revision("b" * 12, dirty=True)


def before() -> Measured:
    return measured(record(memory=memory()), AT, "2026-01-01T10:00:00+00:00")


def memory(**changes: object) -> MemoryRecord:
    parts = {"model": 2656, "kernels": 3000, "runtime": 17767, "hil_device": 4854, "sketch": 790}
    return MemoryRecord(arena_needed=1520, flash=37360, flash_parts=parts).model_copy(
        update=changes
    )


def after(**changes: object) -> Measured:
    return measured(record(**{"memory": memory(), **changes}), LATER, "2026-02-01T10:00:00+00:00")


def parts(**changes: int) -> MemoryRecord:
    return memory(flash_parts={**memory().flash_parts, **changes})


def states(now: Measured) -> dict[str, State]:
    return {row.name: row.state for row in judge(before(), now).rows}


def test_the_same_again_is_equal() -> None:
    judged = judge(before(), after())
    assert judged.state is State.EQUAL
    assert {row.name for row in judged.rows} == {
        "arena", "flash.model", "flash.kernels", "flash.runtime", "latency", "mismatches",
        "max_lsb", "accuracy",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"memory": memory(arena_needed=1536)}, "arena"),
        ({"memory": parts(kernels=3001)}, "flash.kernels"),
        ({"memory": parts(runtime=17768)}, "flash.runtime"),
        ({"memory": parts(model=2657)}, "flash.model"),
        ({"latency": latency(7507.5)}, "latency"),
        ({"parity": {"tflm": ParityRecord(elements=10, mismatches=1, max_lsb=0)}}, "mismatches"),
        ({"parity": {"tflm": ParityRecord(elements=10, max_lsb=1)}}, "max_lsb"),
        (
            {
                "accuracy": AccuracyRecord(
                    metric="mae", device=0.01151, host=0.0115, slack=0, samples=50, total=500
                )
            },
            "accuracy",
        ),
    ],
)
def test_one_figure_that_is_worse_is_one_regression(changes: dict[str, object], name: str) -> None:
    now = after(**changes)
    judged = judge(before(), now)
    assert judged.state is State.WORSE
    (finding,) = regressions(before(), now, judged)
    assert finding.code == "regression"
    assert finding.numbers["metric"] == name
    assert finding.numbers["baseline"] == before().figures[name].value
    assert finding.numbers["now"] == now.figures[name].value
    assert finding.numbers["baseline_commit"] == "a" * 12
    assert finding.numbers["commit"] == "b" * 12 + "-dirty"
    for word in (name, "a" * 12, "2026-01-01", "b" * 12):
        assert word in finding.message


@pytest.mark.parametrize("median", [7495.0, 7500.0, 7505.0])
def test_two_ticks_are_the_clocks_own(median: float) -> None:
    assert states(after(latency=latency(median)))["latency"] is State.EQUAL


def test_what_is_better_is_said() -> None:
    now = after(latency=latency(7000.0), memory=memory(arena_needed=1504))
    judged = judge(before(), now)
    assert judged.state is State.BETTER
    assert {row.name for row in judged.of(State.BETTER)} == {"latency", "arena"}
    assert regressions(before(), now, judged) == []


@pytest.mark.parametrize(
    "changes", [{"hil_device": 9999}, {"sketch": 9999}, {"core": 9999}, {"other": 99}]
)
def test_what_is_not_tflms_flash_is_not_gated(changes: dict[str, int]) -> None:
    assert judge(before(), after(memory=parts(**changes))).state is State.EQUAL
    assert judge(before(), after(memory=memory(flash=99_999))).state is State.EQUAL


ALL = set(states(after()))
UNLIKE = [
    ({"firmware": firmware(compiler="g++ 13")}, "compiler", ALL),
    ({"firmware": firmware(flags="-O2 -w")}, "flags", ALL),
    ({"firmware": firmware(fqbn="hil:cortexm:nano33ble:opt=fast")}, "fqbn", ALL),
    (
        {"firmware": firmware(tflm=TflmRecord(
            source="crate", version="1", digest="beef", kernels="reference"))},
        "tflm",
        ALL,
    ),
    (
        {"firmware": firmware(tflm=TflmRecord(
            source="crate", version="1", digest="cafe", kernels="CMSIS-NN"))},
        "kernels",
        ALL,
    ),
    ({"firmware": firmware(extra_ops=["ADD"])}, "extra_ops", {"flash.kernels", "flash.runtime"}),
    ({"device": {"core": "qemu-8.2.0/mps2-an386/icount-4"}}, "core", {"latency"}),
    ({"latency": latency().model_copy(update={"clock": "dwt"})}, "clock", {"latency"}),
    ({"vectors": "beef"}, "vectors", {"latency", "mismatches", "max_lsb"}),
    ({"oracle_version": "8"}, "oracle", {"mismatches", "max_lsb"}),
    (
        {"accuracy": AccuracyRecord(
            metric="mae", device=0.02, host=0.02, slack=0, samples=500, total=500)},
        "samples",
        {"accuracy"},
    ),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "fact", "concerned"), UNLIKE)
def test_unlike_is_not_judged_and_says_what_changed(
    changes: dict[str, object], fact: str, concerned: set[str]
) -> None:
    much_worse = {"memory": parts(kernels=9000), **changes}
    judged = judge(before(), after(**much_worse))
    assert set(judged.changed) == {fact}
    assert {row.name for row in judged.rows if row.state is State.NOT_JUDGED} == concerned
    assert all(fact in row.why for row in judged.of(State.NOT_JUDGED))
    # What does not depend on the fact is judged all the same.
    assert judged.state is (State.NOT_JUDGED if "flash.kernels" in concerned else State.WORSE)


def test_every_fact_that_is_compared_is_tried_above() -> None:
    assert {fact for _, fact, _ in UNLIKE} == set(SCOPES)


def test_a_figure_that_one_side_lacks_is_not_judged() -> None:
    assert states(after(latency=None))["latency"] is State.NOT_JUDGED
    old = before()
    old = replace(old, figures={n: f for n, f in old.figures.items() if n != "arena"})
    (row,) = judge(old, after()).of(State.NOT_JUDGED)
    assert (row.name, row.why) == ("arena", "not in the baseline")


def test_a_record_without_figures_is_never_equal() -> None:
    nothing = measured(Record(board="nano", model="sine"), LATER, "2026-02-01")
    assert judge(before(), nothing).state is State.NOT_JUDGED
    assert judge(replace(nothing, figures={}), nothing).state is State.NOT_JUDGED


def test_a_physical_latency_is_judged_by_the_baselines_noise() -> None:
    old = measured(record(latency=latency(1000.0, "us", 2.0)), AT, "2026-01-01")
    for median, state in ((1014.0, State.EQUAL), (1015.0, State.WORSE), (985.0, State.BETTER)):
        # The run's own noise does not widen the limit.
        now = measured(record(latency=latency(median, "us", 50.0)), LATER, "2026-01-02")
        (row,) = [row for row in judge(old, now).rows if row.name == "latency"]
        assert row.state is state
        assert row.limit == pytest.approx(1000 + 5 * 1.4826 * 2)


def test_where_more_is_better_the_limit_lies_below() -> None:
    def of(value: float) -> Measured:
        return Measured("nano", "kws", figures={"accuracy": Figure(value, "top1")})

    assert judge(of(0.9), of(0.88)).state is State.WORSE
    assert judge(of(0.9), of(0.92)).state is State.BETTER
    assert judge(of(0.9), of(0.9)).rows[0].limit == pytest.approx(0.9)


# -- writing


def test_a_baseline_that_still_holds_is_not_written() -> None:
    assert renewed(before(), after()) is None
    assert renewed(before(), after(latency=latency(7502.5))) is None
    assert renewed(None, after()) == after()


def test_only_what_changed_is_written() -> None:
    new = renewed(before(), after(latency=latency(7502.5), memory=memory(arena_needed=1536)))
    assert new is not None
    assert (new.commit, new.date) == (LATER.commit, "2026-02-01")
    differing = {n for n, f in new.figures.items() if before().figures[n] != f}
    assert differing == {"arena"}


def test_what_was_measured_with_something_else_is_written_though_the_figures_are_equal() -> None:
    new = renewed(before(), after(firmware=firmware(compiler="g++ 13")))
    assert new is not None
    assert new.facts["compiler"] == "g++ 13"


@given(st.lists(st.sampled_from([-1, 0, 1, 2]), min_size=1, max_size=12))
def test_small_steps_do_not_add_up_unseen(ticks: list[int]) -> None:
    baseline, median = before(), 7500.0
    for step in ticks:
        median += step * 2.5
        now = after(latency=latency(median))
        beyond = abs(median - baseline.figures["latency"].value) > 5.0
        new = renewed(baseline, now)
        assert (new is not None) == beyond
        baseline = new or baseline


# -- words


def test_the_end_of_a_run_names_what_is_not_equal_and_groups_what_is_the_same() -> None:
    made = []
    for board in ("nano", "pico", "h7"):
        one = record(board, memory=memory())
        now = measured(one, LATER, "2026-02-01")
        old = (
            before() if board == "h7" else replace(before(), facts={**before().facts, "core": "x"})
        )
        one.note(baseline=compared(old, now, judge(old, now)))
        made.append(one)
    lines = summary([*made, record("none")])
    assert lines[0] == "baseline: 2 not judged, 1 equal"
    (line,) = lines[1:]
    assert line.startswith("  nano x sine, pico x sine: ")
    assert "core: x -> none" in line


def test_of_long_facts_the_words_that_differ_are_shown() -> None:
    flags = " ".join(f"-f{n}" for n in range(40))
    old = measured(record(firmware=firmware(flags=f"-Os {flags}")), AT, "2026-01-01")
    now = measured(record(firmware=firmware(flags=f"-O2 {flags}")), LATER, "2026-01-01")
    assert "flags: -Os -> -O2" in compared(old, now, judge(old, now)).text
    assert summary([record()]) == []
