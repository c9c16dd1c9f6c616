"""Results as Markdown for a CI's summary page: the matrix, then what failed. Pure.

Texts of strangers stand in ``<code>`` or ``<pre>``, where GitHub makes no links, mentions or
emoji, and every punctuation mark of theirs is written as its number: no pipe ends a cell, no
backtick or bracket begins anything.
"""

from __future__ import annotations

import html
import string
from collections.abc import Sequence

from hil.report.entry import Entry, entries_of
from hil.report.record import Results
from hil.report.views import headline, matrix_of
from hil.report.visible import one_line, visible

FAILURES = 20
MESSAGE_CHARS = 4000

LIMIT = 1_000_000
"""Bytes of UTF-8; GitHub takes 1 MiB a step. One too large is left out, and that is said."""

_ENTITIES = {ord(mark): f"&#{ord(mark)};" for mark in string.punctuation}


def summary(results: Results) -> str:
    """The summary, of `LIMIT` bytes at most."""
    entries = entries_of(results, {})
    head = f"## {headline(results)}\n"
    details = _failures([entry for entry in entries if entry.failed])
    matrix = _matrix(entries) if entries else ""
    if len(matrix.encode()) + len(details.encode()) > LIMIT - 1000:
        matrix = f"The matrix of {len(entries):,} records is too large for this page.\n"
    return "\n".join(part for part in (head, matrix, details) if part)


def code(text: str) -> str:
    """Somebody's text on one line, as text and nothing else."""
    return f"<code>{one_line(text).translate(_ENTITIES)}</code>"


def _matrix(entries: Sequence[Entry]) -> str:
    made = matrix_of(entries)
    lines = [
        _row([made.down, *map(code, made.columns)]),
        _row(["---"] * (1 + len(made.columns))),
    ]
    lines += [_row([code(name), *(_cell(cell) for _, cell in cells)]) for name, cells in made.rows]
    return "\n".join(lines) + "\n"


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(cell: Sequence[Entry]) -> str:
    return "<br>".join(map(_told, cell))


def _told(entry: Entry) -> str:
    parts = [f"{entry.mark} {entry.word}"]
    parts += [code(text) for text in (entry.codes, entry.sketch) if text]
    parts += [" · ".join(entry.figures).translate(_ENTITIES)] if entry.figures else []
    return "<br>".join(parts)


def _failures(failed: Sequence[Entry]) -> str:
    """As many as are worth reading here, in half of the room at most."""
    blocks: list[str] = []
    for entry in failed[:FAILURES]:
        block = _failure(entry)
        if sum(len(b.encode()) for b in (*blocks, block)) > LIMIT // 2:
            break
        blocks.append(block)
    if len(failed) > len(blocks):
        blocks.append(f"… and {len(failed) - len(blocks):,} more: see the report.\n")
    return "\n".join(blocks)


def _failure(entry: Entry) -> str:
    record = entry.record
    lines = [f"### {entry.mark} {code(entry.name)}", ""]
    for finding in record.findings:
        text, cut = finding.message[:MESSAGE_CHARS], len(finding.message) - MESSAGE_CHARS
        more = f"\n… {cut:,} more characters" if cut > 0 else ""
        lines += [f"{code(finding.code)} {code(finding.suite) if finding.suite else ''}", ""]
        lines += [f"<pre>{html.escape(visible(text))}{more}</pre>", ""]
    if record.attribution and record.attribution.guilty:
        lines += [f"Attribution: {code(record.attribution.text)}", ""]
    return "\n".join(lines)
