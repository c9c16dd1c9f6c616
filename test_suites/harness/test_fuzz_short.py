"""Each reader of other people's bytes, spoilt a little, with the same seed every time."""

from __future__ import annotations

from pathlib import Path

import pytest
from fuzz_targets import TARGETS
from hypothesis import HealthCheck, given, seed, settings


@pytest.mark.parametrize("name", TARGETS)
def test_spoilt_input_is_read_or_refused(tmp_path: Path, name: str) -> None:
    target = TARGETS[name]

    @seed(7)
    @settings(
        max_examples=150, deadline=None, database=None, suppress_health_check=list(HealthCheck)
    )
    @given(value=target.inputs)
    def one(value: object) -> None:
        target.run(value, tmp_path)

    one()
