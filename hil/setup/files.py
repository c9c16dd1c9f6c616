"""Files of the cache: written whole or not at all, by one process at a time."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hil.paths import cache_dir

_PART = ".part-"


@contextmanager
def locked(name: str) -> Iterator[None]:
    """Hold the cache's lock ``name``; other processes of this user wait their turn.

    The kernel drops the lock when its holder dies, so a killed run never blocks the next one.
    """
    path = cache_dir() / "locks" / f"{name}.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


@contextmanager
def new_folder(target: Path) -> Iterator[Path]:
    """A folder to fill that becomes ``target`` when the body ends, and vanishes if it fails.

    The caller holds a lock on ``target``: an older ``target`` is replaced, and whatever a killed
    run left half done is swept away.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    prefix = f".{target.name}{_PART}"
    for leftover in target.parent.glob(f"{prefix}*"):
        shutil.rmtree(leftover, ignore_errors=True)
    work = Path(tempfile.mkdtemp(prefix=prefix, dir=target.parent))
    work.chmod(0o755)
    try:
        yield work
        _put_in_place(work, target)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _put_in_place(work: Path, target: Path) -> None:
    if target.exists():
        old = work.with_name(f"{work.name}-old")
        target.rename(old)
        work.rename(target)
        shutil.rmtree(old, ignore_errors=True)
    else:
        work.rename(target)


def write_atomic(path: Path, text: str | bytes) -> None:
    """Replace ``path`` by ``text`` (UTF-8) in one step: a reader sees the old or the new."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}{_PART}", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(text.encode() if isinstance(text, str) else text)
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def tree_digest(root: Path) -> str:
    """SHA-256 over every regular file below ``root``: relative path, length and bytes, sorted.

    Returns 64 hex digits; empty folders, modes and times do not count, nor what Python compiled
    beside its sources (an installed package has it, a checkout has not).
    """
    digest = hashlib.sha256()
    files = {path.relative_to(root): path for path in root.rglob("*") if path.is_file()}
    kept = {name: path for name, path in files.items() if "__pycache__" not in name.parts}
    for name, path in sorted((name.as_posix(), path) for name, path in kept.items()):
        data = path.read_bytes()
        digest.update(f"{name}\0{len(data)}\0".encode())
        digest.update(data)
    return digest.hexdigest()
