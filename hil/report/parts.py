"""The parts of a record: one class for each table of figures.

With `hil.report.record` the published schema of results.json (docs/results.schema.json).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from hil.accuracy import Accuracy
from hil.clock import Latency


class Part(BaseModel):
    """A table of which every field is known."""

    model_config = ConfigDict(extra="forbid")


class FindingRecord(Part):
    """One thing that is wrong; ``numbers`` hold the figures of the message."""

    suite: str
    code: str
    message: str
    numbers: dict[str, Any] = Field(default_factory=dict)


class TflmRecord(Part):
    """Which TFLM the firmware runs."""

    source: str
    version: str
    digest: str
    kernels: str


class FirmwareRecord(Part):
    """What was flashed; ``elf`` is a path on the machine that ran the bench, ``extra_ops`` are in
    the image and not in the model."""

    build_id: str
    digest: str
    fqbn: str
    sketch: str
    compiler: str
    flags: str
    elf: str
    extra_ops: list[str] = Field(default_factory=list)
    tflm: TflmRecord


class FailingRecord(Part):
    """What the device was asked when it failed; `hil debug` asks it again.

    ``inputs`` is an .npz beside results.json ("": it failed before an input was asked, and then
    ``runs`` is 0); its last row fails. ``arena`` and ``fill`` as given to LOAD (0: all of it).
    """

    suite: str
    code: str
    vector: str = ""
    inputs: str = ""
    runs: int = 0
    crc32: int = 0
    arena: int = 0
    fill: int = 0


class ParityRecord(Part):
    """A comparison; see `hil.parity.Parity`. ``elements`` 0: nothing was compared."""

    elements: int = 0
    mismatches: int = 0
    max_abs: float = 0.0
    max_rel: float = 0.0
    max_lsb: int | None = None
    argmax_agreement: float | None = None
    nan: int = 0
    inf: int = 0
    limit: str = ""
    problems: list[str] = Field(default_factory=list)
    snr_db: float | None = None
    cosine: float | None = None
    histogram: dict[str, int] = Field(default_factory=dict)
    version: str = ""
    reason: str = ""


class AttributionRecord(Part):
    """Whose fault a difference is: ``guilty`` is the first step that differs ("" for none)."""

    guilty: str = ""
    text: str = ""
    steps: dict[str, ParityRecord] = Field(default_factory=dict)


class LatencyRecord(Part):
    """Times of one inference in ``unit``; ``clock`` says where they come from.

    Each of ``n`` samples is the mean of ``invokes`` inferences that were timed as one; ``tick``
    is what one tick of the clock changes it by. ``clock_off`` says how far the clock was ahead of
    the device's second clock ("second") and of the host's ("host"), as a fraction of the longer
    time, where it was held against them. ``unit`` is "us" (microseconds of a physical clock) or
    "instructions" (of an emulated core, never a board's time).
    """

    unit: Literal["us", "instructions"]
    clock: str
    n: int
    invokes: int = 1
    first: float
    min: float
    median: float
    p95: float
    max: float
    mad: float
    tick: float = 0.0
    clock_off: dict[str, float] = Field(default_factory=dict)

    @classmethod
    def of(cls, latency: Latency, clock_off: Mapping[str, float]) -> LatencyRecord:
        """The figures without the samples; ``clock_off`` as in `hil.clock_check.Deviation.off`."""
        names = cls.model_fields.keys() - {"clock_off"}
        figures = {name: getattr(latency, name) for name in names}
        return cls(**figures, clock_off=dict(clock_off))


class MemoryRecord(Part):
    """Bytes; None where it is not known.

    ``arena_needed`` is the smallest arena that allocates and invokes, searched on the device;
    ``arena_forecast`` is what was told from the file before (`hil check`).
    ``arena_parts_forecast`` splits ``arena_used`` into ``activations``, planned on the host from
    the file (TFLM itself does not say on a board), and the rest; see `hil.arena_plan.split`.
    ``flash_parts`` and ``ram_parts`` say whose the bytes of the image are (`hil.image_parts`).
    ``stack_used`` is the most that was seen while a model was loaded and asked, a lower bound;
    ``heap_used`` and ``heap_peak`` are what was taken after it and at most.
    """

    arena_used: int | None = None
    arena_given: int | None = None
    arena_needed: int | None = None
    arena_forecast: int | None = None
    arena_parts_forecast: dict[str, int] = Field(default_factory=dict)
    arena_cap: int | None = None
    data: int | None = None
    bss: int | None = None
    flash: int | None = None
    model: int | None = None
    flash_parts: dict[str, int] = Field(default_factory=dict)
    ram_parts: dict[str, int] = Field(default_factory=dict)
    stack_used: int | None = None
    stack_size: int | None = None
    heap_used: int | None = None
    heap_peak: int | None = None


class SidesRecord(Part):
    """A metric on the device and on the host; None where it is no finite number."""

    device: float | None
    host: float | None


class AccuracyRecord(Part):
    """A metric over ``samples`` of a labelled set of ``total``; see `hil.accuracy.Accuracy`.

    ``disagreements`` are indices into the set; ``slack`` is how far the figures may be apart.
    """

    metric: str
    device: float | None
    host: float | None
    slack: float
    samples: int
    total: int
    disagreements: list[int] = Field(default_factory=list)
    also: dict[str, SidesRecord] = Field(default_factory=dict)

    @classmethod
    def of(cls, seen: Accuracy) -> AccuracyRecord:
        figures = {name: getattr(seen, name) for name in cls.model_fields}
        sides = {name: SidesRecord(device=d, host=h) for name, (d, h) in seen.also.items()}
        return cls(**{**figures, "disagreements": list(seen.disagreements), "also": sides})


class BaselineFigureRecord(Part):
    """A figure beside the baseline's; ``limit`` is the worst value that passes, ``why`` says what
    keeps it from being judged."""

    before: float | None = None
    now: float | None = None
    limit: float | None = None
    unit: str = ""
    state: Literal["worse", "not_judged", "better", "equal"]
    why: str = ""


class BaselineRecord(Part):
    """A record beside the baseline of its board and model, which was written at ``commit``.

    ``state`` is the first of worse, not_judged, better, equal that a figure has, or none: there is
    no baseline. ``changed``: facts as (the baseline's, this run's).
    """

    state: Literal["none", "worse", "not_judged", "better", "equal"] = "none"
    commit: str = ""
    dirty: bool = False
    date: str = ""
    changed: dict[str, tuple[str, str]] = Field(default_factory=dict)
    figures: dict[str, BaselineFigureRecord] = Field(default_factory=dict)
    text: str = ""


class WireRecord(Part):
    """Frames that were sent again, and bytes that the board lost at its RX ring."""

    resent: int = 0
    overruns: int = 0
