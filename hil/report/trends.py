"""Figures of earlier runs beside a record's own: which moved, when, and at which commit. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hil.history import Point, Series
from hil.report.charts import Dot, curve
from hil.report.record import Record
from hil.revision import named

Trends = Mapping[Series, Sequence[Point]]
"""What `hil.history.read` returns."""

RUNS = 60
"""How many runs a curve goes back, at most."""

STEPS_TOLD = 3
WIDTH, HEIGHT = 300.0, 48.0


@dataclass(frozen=True)
class Step:
    """A figure that moved by more than it moves by itself (`hil.figures`), and the first run that
    has the new one."""

    dot: Dot
    started: str
    commit: str
    before: float
    worse: bool

    @property
    def change(self) -> float | None:
        """In percent of what it was; None if that was 0."""
        return 100 * (self.dot.value - self.before) / abs(self.before) if self.before else None


@dataclass(frozen=True)
class Line:
    """One figure over time, oldest first."""

    metric: str
    unit: str
    dots: Sequence[Dot]
    steps: Sequence[Step]

    @property
    def path(self) -> str:
        """The curve as an SVG path of level stretches: what does not move costs nothing."""
        first, *rest = self.dots
        words, level = [f"M{first.x:.0f} {first.y:.0f}"], f"{first.y:.0f}"
        for dot in rest:
            if f"{dot.y:.0f}" != level:
                level = f"{dot.y:.0f}"
                words.append(f"H{dot.x:.0f}V{level}")
        return "".join([*words, f"H{self.dots[-1].x:.0f}"])

    @property
    def told(self) -> Sequence[Step]:
        """The last steps, newest first: what is told in words too."""
        return self.steps[: -STEPS_TOLD - 1 : -1]


@dataclass(frozen=True)
class Trend:
    """What is drawn (``moved``) and what is only named because it never moved (``still``)."""

    moved: Sequence[Line] = ()
    still: Sequence[str] = ()
    runs: int = 0


def by_record(trends: Trends) -> dict[tuple[str, str], dict[str, Sequence[Point]]]:
    """The series of each board and model, by metric."""
    found: dict[tuple[str, str], dict[str, Sequence[Point]]] = {}
    for series, points in trends.items():
        found.setdefault((series.board, series.model), {})[series.metric] = points
    return found


def trend_of(record: Record, series: Mapping[str, Sequence[Point]], until: str) -> Trend:
    """The trend of a record up to the run that started at ``until`` (ISO 8601, UTC).

    A figure needs two runs; only the ordinary sketch has a history.
    """
    if record.sketch != "hil_runner":
        return Trend()
    kept = {
        metric: [point for point in points if point.started <= until][-RUNS:]
        for metric, points in series.items()
    }
    lines = [line_of(metric, points) for metric, points in kept.items() if len(points) > 1]
    return Trend(
        moved=[line for line in lines if line.steps],
        still=[line.metric for line in lines if not line.steps],
        runs=max((len(line.dots) for line in lines), default=0),
    )


def line_of(metric: str, points: Sequence[Point]) -> Line:
    """One metric's curve with its steps."""
    dots = curve([point.figure.value for point in points], WIDTH, HEIGHT)
    steps = []
    for index in range(1, len(points)):
        before, now = points[index - 1].figure, points[index].figure
        worse_by = before.worse_by(now)
        if abs(worse_by) > before.allowance:
            point = points[index]
            commit = named(point.commit, point.dirty)
            steps.append(Step(dots[index], point.started, commit, before.value, worse_by > 0))
    return Line(metric, points[-1].figure.unit, dots, steps)
