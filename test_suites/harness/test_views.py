"""How records are arranged for the report."""

from __future__ import annotations

import pytest
from made_records import failure, record, results

from hil.figures import Figure
from hil.history import Point, Series
from hil.report.entry import entries_of
from hil.report.html import MANY, change, figure, percent, plain, render_page
from hil.report.record import Record, Results
from hil.report.views import builds_of, duration, headline, matrix_of, moment
from hil.report.visible import one_line, tail, visible


def fault(board: str = "nano") -> Record:
    made = Record(board=board, model="sine")
    made.ran("test_parity", "error")
    return made


def test_boards_are_columns_until_they_outnumber_the_models() -> None:
    few = [record(b, m) for b in ("b1", "b2") for m in ("m1", "m2", "m3")]
    made = matrix_of(entries_of(results(*few), {}))
    assert (made.down, list(made.columns)) == ("model", ["b1", "b2"])
    assert [name for name, _ in made.rows] == ["m1", "m2", "m3"]
    assert [[e.number for e in cell] for _, cell in made.rows[1][1]] == [[2], [5]]
    many = [record(b, "m") for b in ("b1", "b2", "b3")]
    turned = matrix_of(entries_of(results(*many), {}))
    assert (turned.down, list(turned.columns)) == ("board", ["m"])


def test_a_cell_holds_every_sketch_and_may_be_empty() -> None:
    made = matrix_of(
        entries_of(results(record(), record(sketch="own"), record("pico", "gesture")), {})
    )
    (_, first), (_, second) = made.rows
    assert [[e.number for e in cell] for _, cell in first] == [[1, 2], []]
    assert [[e.number for e in cell] for _, cell in second] == [[], [3]]
    assert first[0][1][1].name == "nano × sine (own)"


@pytest.mark.parametrize(
    ("records", "text"),
    [
        ([], "Nothing was tested"),
        ([record()], "Passed"),
        ([record(), record()], "All 2 passed"),
        ([record(), failure()], "1 of 2 failed"),
        ([failure(), fault(), fault()], "1 of 3 failed, 2 bench faults"),
        ([Record(board="b", model="m"), fault()], "1 bench fault, 1 not run"),
    ],
)
def test_the_headline_says_the_worst_first(records: list[Record], text: str) -> None:
    assert headline(results(*records)) == text
    assert f"<h1>{text}</h1>" in render_page(results(*records))


def test_what_failed_is_open_and_what_passed_is_not() -> None:
    text = render_page(results(record(), failure(), fault()))
    assert text.count("<details class=") == 3
    assert '<details class="rec fail" open>' in text
    assert '<details class="rec bench_fault" open>' in text
    assert '<details class="rec pass">' in text
    assert text.index("What failed") < text.index("Bench faults:") < text.index(">Passed<")


def test_in_a_large_run_only_failures_have_curves() -> None:
    def page_of(verdict: Record) -> str:
        points = [Point("2026", f"{n:012x}", False, "", Figure(n, "B")) for n in range(3)]
        trends = {Series(verdict.board, verdict.model, "flash"): points}
        many = [record(f"board-{n}") for n in range(MANY)]
        return render_page(results(verdict, *many), trends)

    for verdict, curves, steps in ((record(), 0, 1), (fault(), 0, 1), (failure(), 1, 2)):
        verdict.sketch = "hil_runner"
        text = page_of(verdict)
        assert text.count('<svg class="t"') == curves
        assert text.count(", worse at") == steps


def test_in_a_large_run_only_failures_have_the_time_of_every_op() -> None:
    assert "Time of every op" in render_page(results(record()))
    many = [record(f"board-{n}") for n in range(MANY + 1)]
    assert "Time of every op" not in render_page(results(*many))
    assert "Time of every op" in render_page(results(failure(), *many)) or not failure().profiled


def test_instructions_are_never_a_time() -> None:
    text = render_page(results(record()))
    assert "7.5 k instructions" in text
    assert " ms" not in text
    assert "µs" not in text


def test_what_images_share_is_told_once() -> None:
    lone = record()
    lone.firmware = None
    own, other = record(), record()
    assert own.firmware
    assert other.firmware
    own.firmware.digest, other.firmware.flags = "0" * 64, "-O2"
    builds, numbers = builds_of(entries_of(results(record(), own, other, lone), {}))
    assert [build.flags for build in builds] == ["-Os -w", "-O2"]
    assert numbers == {1: 1, 2: 1, 3: 2}


def test_the_map_of_ram_tells_the_arena_that_is_enough_from_the_rest() -> None:
    (entry,) = entries_of(results(record()), {})
    (flash, flash_bytes, flash_parts), (ram, ram_bytes, ram_parts) = entry.maps
    assert (flash, flash_bytes, ram, ram_bytes) == ("Flash", 37360, "RAM", 249092)
    assert [p.label for p in flash_parts] == ["model", "kernels", "core"]
    assert [(p.label, p.size) for p in ram_parts] == [
        ("arena, enough", 1520), ("core", 900), ("stack", 8192), ("arena, spare", 238480),
    ]  # fmt: skip
    assert entry.stack_bar is not None
    assert entry.stack_bar.width == 14.6
    entry.record.memory.arena_needed = None
    assert ("arena", 240000) in [(p.label, p.size) for p in entry.maps[1][2]]
    entry.record.memory.ram_parts, entry.record.memory.stack_used = {}, None
    assert ([name for name, _, _ in entry.maps], entry.stack_bar) == (["Flash"], None)


def test_a_histogram_ends_with_the_largest_error() -> None:
    (entry,) = entries_of(results(failure()), {})
    ((name, rows),) = entry.histograms
    assert name == "tflm"
    assert [(bar.label, bar.value) for bar in rows] == [("0", 970), ("1", 29), ("2", 0), ("3-4", 1)]
    entry.record.parity["tflm"].histogram |= {"1": 0, "3-4": 0}
    assert entry.histograms == []


def test_equal_means_that_every_engine_was_compared_and_nothing_is_off() -> None:
    (well, ill) = entries_of(results(record(), failure()), {})
    assert (well.all_equal, ill.all_equal) == (True, False)
    assert "all 10 elements equal" in render_page(results(record()))
    for off in ({"max_abs": 1e-9}, {"elements": 0}, {"problems": ["shape"]}, {"nan": 1}):
        made = record()
        made.parity["tflm"] = made.parity["tflm"].model_copy(update=off)
        assert not entries_of(results(made), {})[0].all_equal
    assert not entries_of(results(record(parity={})), {})[0].all_equal


def test_the_parts_of_the_arena_are_called_a_forecast() -> None:
    (entry,) = entries_of(results(record()), {})
    entry.record.memory.arena_parts_forecast = {"activations": 64, "rest": 1136}
    name, total, parts = entry.maps[-1]
    assert "forecast" in name
    assert (total, [(p.label, p.size) for p in parts]) == (
        1200, [("activations", 64), ("rest", 1136)],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("started", "finished", "text"),
    [
        ("2026-01-01T00:00:00+00:00", "2026-01-01T00:03:05+00:00", "3 min 5 s"),
        ("2026-01-01T00:00:00+00:00", "2026-01-01T00:00:05+00:00", "5 s"),
        ("2026-01-01T00:00:00+00:00", None, ""),
        ("yesterday", "2026-01-01T00:00:05+00:00", ""),
        ("2026-01-01T00:00:00", "2026-01-01T00:00:05+00:00", ""),
    ],
)
def test_duration(started: str, finished: str | None, text: str) -> None:
    assert duration(Results(started=started, finished=finished)) == text


def test_moment() -> None:
    assert moment("2026-01-01T01:30:00+01:00") == "2026-01-01 00:30 UTC"
    assert moment("yesterday") == "yesterday"


def test_numbers_as_people_read_them() -> None:
    assert [figure(v) for v in (None, 0, 7500.0, 7502.5, 0.01154, 12)] == [
        "-", "0", "7,500", "7,502.5", "0.01154", "12",
    ]  # fmt: skip
    assert [percent(v) for v in (None, 1.0, 0.9999)] == ["-", "100 %", "99.99 %"]
    assert [change(v) for v in (None, 5.0, -12.3)] == ["", "+5 %", "-12 %"]
    assert [plain(v) for v in ("a", 3, 0x2000_0000, True, [1, "ä"])] == [
        "a", "3", "536,870,912 (0x20000000)", "true", '[1, "ä"]',
    ]  # fmt: skip


def test_what_cannot_be_seen_is_spelt_out() -> None:
    assert visible("a\tb\r\nc") == "a\tb\nc"
    assert visible("\x1b[2J\u202e\ud800\xa0") == r"\x1b[2J\u202e\ud800\xa0"
    assert visible("naïve · 中文 → ✓") == "naïve · 中文 → ✓"
    assert one_line(" a \n\n b\x00") == r"a b\x00"


def test_the_tail_of_a_log_starts_with_a_line() -> None:
    assert tail("short", 10) == ("short", 0)
    assert tail("one\ntwo\nthree", 7) == ("three", 8)
    assert tail("x" * 20, 5) == ("xxxxx", 15)
