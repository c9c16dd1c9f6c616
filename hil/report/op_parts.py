"""The parts of a record about single ops."""

from __future__ import annotations

from pydantic import Field

from hil.clock import Unit
from hil.divergence import Divergence
from hil.parity import Worst
from hil.profile import OpTime, Profile
from hil.report.parts import Part


class ElementRecord(Part):
    """One element that is too far off; None where a value is no finite number."""

    index: list[int]
    expected: float | None
    observed: float | None

    @classmethod
    def of(cls, worst: Worst) -> ElementRecord:
        return cls(
            index=list(worst.index),
            expected=_finite(worst.expected),
            observed=_finite(worst.observed),
        )


class DivergenceRecord(Part):
    """The first op whose output is not the host's; see `hil.divergence.Divergence`.

    ``op`` None: no op is to blame, and ``reason`` says why. ``mismatches`` of ``elements`` are
    beyond the op's own limit, ``worst`` are the largest of them.
    """

    vector: str = ""
    reason: str = ""
    op: int | None = None
    opcode: str = ""
    output: int | None = None
    tensor: int | None = None
    name: str = ""
    dtype: str = ""
    shape: list[int] = Field(default_factory=list)
    elements: int = 0
    mismatches: int = 0
    max_abs: float = 0.0
    max_lsb: int | None = None
    worst: list[ElementRecord] = Field(default_factory=list)

    @classmethod
    def of(cls, found: Divergence) -> DivergenceRecord:
        if found.op is None or found.spec is None or found.parity is None:
            return cls(vector=found.vector, reason=found.reason)
        return cls(
            vector=found.vector,
            reason=found.reason,
            op=found.op,
            opcode=found.opcode,
            output=found.output,
            tensor=found.tensor,
            name=found.spec.name,
            dtype=found.spec.dtype,
            shape=list(found.spec.shape),
            elements=found.parity.elements,
            mismatches=found.parity.mismatches,
            max_abs=found.parity.max_abs,
            max_lsb=found.parity.max_lsb,
            worst=[ElementRecord.of(each) for each in found.parity.worst],
        )


class OpTimeRecord(Part):
    """The time of one op; see `hil.profile.OpTime`. ``time`` is in the unit of ``profiled``."""

    op: int
    opcode: str
    calls: int
    ticks: float
    time: float
    share: float
    macs: int
    elements: int
    macs_per_cycle: float | None
    macs_per_instruction: float | None
    dtype: str = ""
    size: int = 0

    @classmethod
    def of(cls, op: OpTime) -> OpTimeRecord:
        return cls(**vars(op))


class ProfileRecord(Part):
    """What the times of ``profile`` are to be read with; see `hil.profile.Profile`."""

    unit: Unit
    clock: str
    whole: float
    covered: float
    empty_ticks: int

    @classmethod
    def of(cls, profile: Profile) -> ProfileRecord:
        return cls(**{name: getattr(profile, name) for name in cls.model_fields})


def _finite(value: float) -> float | None:
    return value if abs(value) < float("inf") else None
