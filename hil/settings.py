"""How a run is carried out, as a value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from hil.device import HANG_S
from hil.revision import Revision


@dataclass(frozen=True)
class Baselines:
    """What a run is held against.

    Attributes:
        folder: where baselines lie; None: there are none.
        update: True holds nothing against the run; its figures are written at the end.
        strict: True makes a fault of what cannot be judged.
        at: the commit of the project under test.
    """

    folder: Path | None = None
    update: bool = False
    strict: bool = False
    at: Revision = Revision()


@dataclass(frozen=True)
class Settings:
    """How trials are run.

    Attributes:
        may_flash: False takes the board as it is.
        runs: inferences that are timed, at most; a slow model is timed for ``latency_s`` seconds,
            and never less than five times.
        tensorflow: True compares LiteRT with TensorFlow's own interpreter too.
        vectors: a file that replaces every model's own vectors.
        samples: samples of a labelled set that are run, at most; 0: all of them.
        hang_s: seconds after which an inference that does not answer is given up.
        defines: sketch options on top of the board's.
        baselines: what the figures are held against.
    """

    may_flash: bool = True
    runs: int = 30
    latency_s: float = 2.0
    vectors: Path | None = None
    tensorflow: bool = False
    samples: int = 50
    hang_s: float = HANG_S
    defines: Mapping[str, str | int] = field(default_factory=dict)
    baselines: Baselines = field(default_factory=Baselines)
