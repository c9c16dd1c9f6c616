"""All mutants, and docs/mutants.md.

``python test_suites/mutants/catalogue.py`` writes the document anew; a test compares.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
if __name__ == "__main__":
    sys.path[:0] = [str(ROOT), str(ROOT / "test_suites" / "provoked")]

import firmware_kinds  # noqa: E402
import flash_kinds  # noqa: E402
import lie_kinds  # noqa: E402
import model_kinds  # noqa: E402
import reference_kinds  # noqa: E402
import report_kinds  # noqa: E402
import sketch_kinds  # noqa: E402
import wire_kinds  # noqa: E402
from mutant import Mutant, words  # noqa: E402

DOCUMENT = ROOT / "docs" / "mutants.md"

MUTANTS: tuple[Mutant, ...] = (
    *flash_kinds.MUTANTS,
    *sketch_kinds.MUTANTS,
    *firmware_kinds.MUTANTS,
    *model_kinds.MUTANTS,
    *reference_kinds.MUTANTS,
    *wire_kinds.MUTANTS,
    *lie_kinds.MUTANTS,
    *report_kinds.MUTANTS,
)

WHAT = {
    "flipped_weight": "a bit of the model flips in the image, whose build id stays",
    "stale_build": "an older build is on the board, and stays",
    "other_model": "another model's firmware is on the board",
    "other_board": "another board, or its firmware, is at the port",
    "one_lsb": "an output is off by one step",
    "swapped_outputs": "outputs change places",
    "constant_output": "the answer does not depend on the input",
    "late_answer": "the answer is that to an earlier input",
    "truncated_input": "the end of the input does not reach the model",
    "shifted_input": "the input is off by some elements",
    "zero_point": "the last layer computes with another zero point",
    "scale": "the last layer computes with another scale",
    "not_a_number": "an output is NaN or infinite",
    "float_bit": "a bit of a float output flips",
    "unset_buffer": "a kernel reads memory that nobody wrote",
    "by_chance": "an output depends on the time",
    "kept_state": "a kernel counts its runs",
    "flipped_later": "a bit of the model flips after the handshake",
    "arena_short": "the arena is some bytes short",
    "odd_address": "the model lies beside its alignment",
    "odd_arena": "the arena lies beside its alignment",
    "slower": "the last layer takes longer",
    "clock_off": "the device's clock runs too fast or too slowly",
    "clock_stopped": "the device's clock stands still",
    "refusing_kernel": "a kernel fails",
    "crash": "a kernel dies",
    "watchdog": "a kernel never ends, and a watchdog bites",
    "unreadable_model": "a file of the model's folder is broken",
    "unrunnable_model": "a model that the board's TFLM cannot run",
    "changed_model": "another model under the old name, with the old vectors",
    "reference_lies": "host TFLM answers wrong",
    "reference_dies": "host TFLM dies",
    "byte_flipped": "a byte of every frame changes on the line",
    "byte_dropped": "a byte of every frame is lost on the line",
    "byte_doubled": "a byte of every frame arrives twice",
    "wrong_echo": "the device says that it ran on other inputs",
    "old_answer": "an answer of an earlier session or inference comes again",
    "other_tensors": "the device describes other tensors than the model has",
    "other_arena": "the device takes another arena than it was given",
    "outputs_altered": "outputs change on their way, in frames that are whole",
    "inputs_altered": "inputs change on their way, in frames that are whole",
    "forged_results": "results.json says what no run found, and `hil report` reads it",
    "no_place_for_reports": "the reports cannot be written",
    "nothing_to_test": "no model, no board or no vector is there",
    "worse_than_baseline": "slower than the baseline, within the limit of model.yaml",
    "forged_baseline": "the baseline was edited by hand",
}
"""The kinds, in one line each."""

_HEAD = """\
# Mutants

The harness tests itself: each of these faults is put into the firmware, the line, a file or the
host's engine, nothing of the harness is touched, and the suites smoke, parity, latency and memory
run on it as a user runs them. A mutant is killed if the run ends with exactly the codes that stand
here, written down beforehand, and with their exit code. One that passes, is told as something
else, or changes nothing that can be seen, fails the run.

`make mutants` runs them all; `make test` runs the first of each kind.
`pytest test_suites/mutants --mutants all -k one_lsb` runs a kind.
"""


def kinds(mutants: Iterable[Mutant] = MUTANTS) -> dict[str, list[Mutant]]:
    """Mutants by kind, in the order of the list."""
    found: dict[str, list[Mutant]] = {}
    for mutant in mutants:
        found.setdefault(mutant.kind, []).append(mutant)
    return found


def one_of_each() -> tuple[Mutant, ...]:
    """The first mutant of each kind."""
    return tuple(group[0] for group in kinds().values())


def document() -> str:
    """docs/mutants.md."""
    lines = [_HEAD, "| kind | n | what is wrong | mutants and their codes |", "|---|---|---|---|"]
    lines += [
        f"| {kind} | {len(group)} | {WHAT[kind]} | {_mutants(group)} |"
        for kind, group in kinds().items()
    ]
    return "\n".join(lines) + "\n"


def _mutants(group: list[Mutant]) -> str:
    by_codes: dict[str, list[str]] = {}
    for mutant in group:
        by_codes.setdefault(words(mutant.expected), []).append(mutant.name)
    return "; ".join(f"**{codes}**: {', '.join(names)}" for codes, names in by_codes.items())


if __name__ == "__main__":
    DOCUMENT.write_text(document())
