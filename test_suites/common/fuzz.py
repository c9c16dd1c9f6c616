"""Fuzzes every reader in turn for FUZZ_SECONDS (600) in all; stops at the first that breaks.

A round of a target is some hundred examples of hypothesis, which makes the one that broke it small,
and for readers of bytes a few seconds of plain random changes, whose bytes are kept in a file.
`--target` and `--seed` repeat a round. Memory is bounded: a length taken for a size shows.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import tempfile
import time
from pathlib import Path

from fuzz_mutations import spoilt_at_random
from fuzz_targets import TARGETS, Target
from hypothesis import HealthCheck, given, seed, settings

ROUND = 400
"""Examples of one target before the next one's turn."""
HAMMER_S = 5.0
MEMORY = 2 << 30


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--target", choices=[*TARGETS], action="append")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    given_ = parser.parse_args()
    seconds = float(os.environ.get("FUZZ_SECONDS", "600"))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    counts = dict.fromkeys(given_.target or TARGETS, 0)
    number, begun = given_.seed, time.monotonic()
    with tempfile.TemporaryDirectory(prefix="hil-fuzz-") as folder:
        while time.monotonic() < begun + seconds:
            for name in counts:
                print(f"\r{name:14} seed {number} {time.monotonic() - begun:6.0f} s", end="",
                      flush=True)  # fmt: skip
                counts[name] += fuzz(TARGETS[name], number, Path(folder))
                counts[name] += hammer(name, number, Path(folder))
            number += 1
    print("\n" + "\n".join(f"{name:14} {count:>9,} examples" for name, count in counts.items()))


def fuzz(target: Target, number: int, folder: Path) -> int:
    """Runs one target on a round of examples; returns how many there were."""
    count = 0

    @seed(number)
    @settings(max_examples=ROUND, deadline=None, database=None, print_blob=True,
              suppress_health_check=list(HealthCheck))  # fmt: skip
    @given(value=target.inputs)
    def one(value: object) -> None:
        nonlocal count
        count += 1
        target.run(value, folder)

    one()
    return count


def hammer(name: str, number: int, folder: Path) -> int:
    """Plain random changes of the target's seeds for a few seconds; returns how many."""
    target, source, count = TARGETS[name], random.Random(number), 0
    until = time.monotonic() + (HAMMER_S if target.seeds else 0)
    while time.monotonic() < until:
        value = spoilt_at_random(target.seeds, source)
        count += 1
        try:
            target.run(value, folder)
        except Exception:
            kept = Path(tempfile.gettempdir()) / f"hil-fuzz-{name}-{number}.bin"
            kept.write_bytes(value)
            print(f"\n{name}: seed {number}, example {count}; the bytes are in {kept}")
            raise
    return count


if __name__ == "__main__":
    main()
