"""Trends as text: the level of each figure, and the commits at which it stepped."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from hil.baseline_words import number, with_unit
from hil.history import Point, Series
from hil.results_file import printable
from hil.revision import named

_SHOWN = 20


@dataclass(frozen=True)
class Step:
    """A figure that left the level of the runs before it by more than a baseline allows."""

    before: Point
    at: Point

    @property
    def worse(self) -> bool:
        return self.before.figure.worse_by(self.at.figure) > 0


def steps(points: Sequence[Point]) -> list[Step]:
    """Where a series stepped, oldest first.

    Each point is held against the first of its level, not against its neighbour: many small moves
    in one direction are a step too. Another unit is another series of figures: a step.
    """
    found: list[Step] = []
    level = points[0] if points else None
    for point in points[1:]:
        assert level is not None
        moved = abs(point.figure.value - level.figure.value)
        if moved > level.figure.allowance or point.figure.unit != level.figure.unit:
            found.append(Step(level, point))
            level = point
    return found


def render(found: Mapping[Series, Sequence[Point]]) -> str:
    """Every series with its steps; of a single one the last points too."""
    lines: list[str] = []
    for series, points in found.items():
        lines += _series(series, points)
    if len(found) == 1:
        lines += ["", *_points(next(iter(found.values())))]
    return "\n".join(lines)


def _series(series: Series, points: Sequence[Point]) -> Iterator[str]:
    name = f"{series.board} x {series.model} {series.metric}"
    runs = f"{len(points)} run{'s' if len(points) > 1 else ''}"
    yield printable(f"{name}: {with_unit(points[-1].figure)} ({runs}, {_span(points)})")
    for step in steps(points):
        yield printable(f"  {_step(step)}")


def _span(points: Sequence[Point]) -> str:
    values = [point.figure.value for point in points]
    low, high = min(values), max(values)
    return "always" if low == high else f"{number(low)} to {number(high)}"


def _step(step: Step) -> str:
    before, now = step.before.figure, step.at.figure
    share = 100 * (now.value - before.value) / abs(before.value) if before.value else None
    percent = "" if share is None else f" ({share:+.3g} %)"
    return (
        f"{'worse' if step.worse else 'better'}: {number(before.value)} -> {with_unit(now)}"
        f"{percent} at {_at(step.at)}, {step.at.started[:10]}"
    )


def _at(point: Point) -> str:
    return named(point.commit, point.dirty)


def _points(points: Sequence[Point]) -> Iterator[str]:
    if len(points) > _SHOWN:
        yield f"the last {_SHOWN} of {len(points)} runs:"
    for point in points[-_SHOWN:]:
        yield printable(f"{point.started}  {_at(point):18}  {with_unit(point.figure)}")
