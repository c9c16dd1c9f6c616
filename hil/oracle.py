"""Can the oracle be believed? Before a board is blamed, the host's answers are held against what
else is known: the model's own types, the outputs stored with the vectors, the other engine. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence

from hil.compare import Parity, Tolerance, compare_outputs
from hil.engines import EngineResult, Outputs
from hil.errors import Finding
from hil.model import Model
from hil.reference import References
from hil.vectors import Vector

HINT = "the fault is on the host, not on the board: install the pinned engines again"


def doubt(
    model: Model, vectors: Sequence[Vector], answers: References, tolerance: Tolerance
) -> Finding | None:
    """Why the oracle's answers cannot be used; None if nothing speaks against them."""
    return _misfit(model, len(vectors), answers) or _forgotten(vectors, answers, tolerance)


def _misfit(model: Model, vectors: int, answers: References) -> Finding | None:
    """Outputs of another type, shape or number than the model's are no answer."""
    oracle = answers.oracle
    if len(oracle.outputs) != vectors:
        return Finding(
            "reference_wrong",
            f"{oracle.oracle} {oracle.version} answers {len(oracle.outputs)} of {vectors} vectors",
            "reference",
            {"engine": oracle.oracle, "version": oracle.version},
        )
    wanted = [(spec.dtype, spec.shape) for spec in model.outputs]
    for outputs in oracle.outputs:
        given = [(str(output.dtype), output.shape) for output in outputs]
        if given != wanted:
            return Finding(
                "reference_wrong",
                f"{oracle.oracle} {oracle.version} answers {given}, the model's outputs are "
                f"{wanted}",
                "reference",
                {"engine": oracle.oracle, "version": oracle.version},
            )
    return None


def _forgotten(
    vectors: Sequence[Vector], answers: References, tolerance: Tolerance
) -> Finding | None:
    """TFLM has to give the outputs that are stored with the vectors; where LiteRT stands in for
    it, its drift is known and they are not asked for."""
    stored = [vector.expected for vector in vectors]
    oracle = answers.oracle
    if oracle.oracle != "tflm" or not all(stored):
        return None
    off = _off(stored, oracle.outputs, tolerance)
    if off.ok:
        return None
    other = answers.others.get("litert_ref")
    return Finding(
        "reference_wrong",
        f"host TFLM {oracle.version} does not give the outputs that are stored with the vectors: "
        f"{off.mismatches:,} of {off.elements:,} elements differ{_beside(stored, other, tolerance)}"
        "; the engine, model.tflite and the vectors are not of one making",
        "reference",
        {"engine": "tflm", "version": oracle.version, **off.record()},
    )


def _beside(stored: Sequence[object], other: object, tolerance: Tolerance) -> str:
    if not isinstance(other, EngineResult):
        return ""
    off = _off(stored, other.outputs, tolerance)
    return f"; LiteRT differs from them in {off.mismatches:,}"


def _off(stored: Sequence[object], outputs: Outputs, tolerance: Tolerance) -> Parity:
    return compare_outputs(stored, outputs, tolerance)  # type: ignore[arg-type]


def alone(device: Parity, answers: References, litert: Parity | None) -> Finding | None:
    """The oracle's, if the board answers as LiteRT does and only host TFLM otherwise.

    ``device``, ``litert``: the board's outputs against TFLM's and LiteRT's.
    """
    oracle = answers.oracle
    if device.ok or oracle.oracle != "tflm" or litert is None or not litert.ok:
        return None
    return Finding(
        "reference_wrong",
        f"host TFLM {oracle.version} stands alone: the board and LiteRT give the same "
        f"{litert.elements:,} elements, it differs in {device.mismatches:,}",
        "reference",
        {"engine": "tflm", "version": oracle.version, **device.record()},
    )
