"""What a record says for a baseline: the gated figures, and what they were measured with."""

from __future__ import annotations

from hil.baseline import KERNELS, SCOPES, Measured
from hil.figures import Figure, figures_of
from hil.report.record import Record
from hil.revision import Revision

SKETCH = "hil_runner"
"""Baselines are of the reference sketch: another one's flash and arena are another thing."""


def measured(record: Record, at: Revision, date: str) -> Measured:
    """The record's gated figures with their facts. ``date``: ISO 8601."""
    return Measured(
        board=record.board,
        model=record.model,
        model_sha256=record.model_sha256[:12],
        commit=at.commit,
        dirty=at.dirty,
        date=date[:10],
        facts=facts_of(record),
        figures=gated(record),
    )


def gated(record: Record) -> dict[str, Figure]:
    """The figures that a baseline holds, rounded as its file holds them.

    Of flash the model, TFLM's kernels and its runtime: the rest is the harness's own device half,
    a sketch whose log messages change, and the board's core.
    """
    found = figures_of(record).items()
    return {name: rounded(figure) for name, figure in found if is_gated(name)}


def is_gated(name: str) -> bool:
    """Whether a figure of `hil.figures` is held against a baseline."""
    return not name.startswith("flash") or name in ("flash.model", *KERNELS)


def rounded(figure: Figure) -> Figure:
    """Nine significant digits; whole numbers stay whole."""
    return Figure(_nine(figure.value), figure.unit, _nine(figure.tick), _nine(figure.mad))


def _nine(value: float) -> float:
    return value if float(value).is_integer() else float(f"{value:.9g}")


def facts_of(record: Record) -> dict[str, str]:
    """What the figures were measured with, see `hil.baseline.SCOPES`; only what is known."""
    facts = {
        "oracle": f"{record.oracle} {record.oracle_version}" if record.oracle else "",
        "vectors": record.vectors,
        "core": str(record.device.get("core") or record.device.get("unit") or ""),
    }
    if record.firmware is not None:
        built = record.firmware
        facts |= {
            "fqbn": built.fqbn,
            "compiler": built.compiler,
            "flags": built.flags,
            "tflm": f"{built.tflm.source} {built.tflm.version} {built.tflm.digest[:12]}",
            "kernels": built.tflm.kernels,
            "extra_ops": " ".join(built.extra_ops),
        }
    if record.latency is not None:
        # The protocol says how the device measures, and what it measures with it.
        proto = record.device.get("proto")
        facts["clock"] = record.latency.clock + (f"; protocol {proto}" if proto else "")
    if record.accuracy is not None:
        facts["samples"] = f"{record.accuracy.samples} of {record.accuracy.total}"
    return {name: _plain(facts[name]) for name in SCOPES if facts.get(name)}


def _plain(text: str) -> str:
    """One line that can be printed, single spaces."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
