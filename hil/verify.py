"""Does a certificate hold? Signature, form, schema, seal, content, and the files it is about."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from hil.errors import ProductError, SetupError
from hil.firmware import image_digest
from hil.report.certificate import Certificate, canonical, faults, seal_of
from hil.revision import checkout_revision, harness_version
from hil.signing import BadSignatureError, Signer, verify

MAX_BYTES = 64 << 20


@dataclass(frozen=True)
class Files:
    """What may be laid beside a certificate, to be compared with its digests; None: not given."""

    model: Path | None = None
    vectors: Path | None = None
    results: Path | None = None
    elf: Path | None = None


def verify_certificate(
    path: Path, *, allowed: Path | None = None, unsigned: bool = False, files: Files | None = None
) -> tuple[Certificate, Signer | None]:
    """The certificate and who signed it.

    Args:
        allowed: who may sign (ssh-keygen(1), ALLOWED SIGNERS); None: any key, the signature has
            to be intact.
        unsigned: a certificate without a signature will do; ignored with ``allowed``.

    Raises:
        ProductError: certificate, with everything that does not hold.
        SetupError: signing, toolchain_missing, model_file for files that cannot be read.
    """
    data = _read(path)
    problems: list[str] = []
    signer = _signature(data, Path(f"{path}.sig"), allowed, unsigned, problems)
    certificate = _content(data, problems)
    if certificate is not None:
        problems += faults(certificate)
        problems += _against(certificate, files or Files())
    if problems or certificate is None:
        raise _refused(path, problems)
    return certificate, signer


def _refused(path: Path, problems: list[str]) -> ProductError:
    lines = "".join(f"\n  - {problem}" for problem in problems)
    return ProductError(
        "certificate",
        f"{path} does not hold{lines}",
        hint="take the certificate and its .sig from where they were issued, or validate anew",
        numbers={"problems": len(problems)},
    )


def _read(path: Path) -> bytes:
    if not path.is_file():  # reading a pipe or a terminal might never end
        raise _refused(path, ["there is no such file"])
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        raise _refused(path, [f"it cannot be read: {error}"]) from error
    if len(data) > MAX_BYTES:
        raise _refused(path, [f"larger than {MAX_BYTES >> 20} MiB"])
    return data


def _signature(
    data: bytes, signature: Path, allowed: Path | None, unsigned: bool, problems: list[str]
) -> Signer | None:
    if not signature.is_file():
        if allowed is not None or not unsigned:
            problems.append(f"it is not signed: there is no {signature.name}")
        return None
    try:
        return verify(data, signature, allowed)
    except BadSignatureError as error:
        problems.append(f"its signature does not hold: {error}")
        return None


def _content(data: bytes, problems: list[str]) -> Certificate | None:
    try:
        values = json.loads(data)
        if not isinstance(values, dict):
            raise ValueError("no JSON object")
        if canonical(values) != data:
            problems.append("it is not in canonical form: somebody wrote it anew")
    except (ValueError, RecursionError) as error:
        problems.append(f"it is no certificate: {error}")
        return None
    problems += _seal(values)
    try:
        return Certificate.model_validate_json(data, strict=True)
    except ValidationError as error:
        problems += [f"{_place(each['loc'])}: {each['msg']}" for each in error.errors()]
        problems += _other_harness(values.get("harness"))
        return None


def _other_harness(issuer: object) -> list[str]:
    """A certificate of another version may have another schema and nothing wrong with it."""
    stated = issuer if isinstance(issuer, dict) else {}
    theirs = (stated.get("version"), stated.get("commit"))
    ours = (harness_version(), checkout_revision().commit)
    return [] if theirs == ours else [f"tinyml-hil {theirs} issued it, this is {ours}: use that"]


def _place(where: tuple[int | str, ...]) -> str:
    return "/".join(map(str, where)) or "the certificate"


def _seal(values: Mapping[str, Any]) -> list[str]:
    """Parts that differ from what was sealed, by name."""
    seal = values.get("seal")
    given = seal if isinstance(seal, dict) else {}
    wanted = seal_of(values)
    same = {name for name in wanted if name in given and given[name] == wanted[name]}
    return [f"{name} is not what was certified" for name in sorted({*given, *wanted} - same)]


def _against(certificate: Certificate, files: Files) -> list[str]:
    firmwares = {b.record.firmware.digest for b in certificate.boards if b.record.firmware}
    checks: tuple[tuple[str, Path | None, Callable[[Path], str], set[str]], ...] = (
        ("model", files.model, _sha256, {certificate.model.sha256}),
        ("vectors", files.vectors, _sha256, {certificate.vectors.sha256}),
        ("results", files.results, _sha256, {certificate.results_sha256}),
        ("firmware", files.elf, image_digest, firmwares),
    )
    problems = []
    for what, path, digest, wanted in checks:
        if path is None:
            continue
        found = _digest_of(path, digest)
        if found not in wanted:
            shown = ", ".join(each[:16] for each in sorted(wanted))
            problems.append(f"{what} {path} is {found[:16]}…, certified is {shown}…")
    return problems


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _digest_of(path: Path, digest: Callable[[Path], str]) -> str:
    from elftools.common.exceptions import ELFError

    if path.is_dir():
        path = path / "model.tflite"
    if not path.is_file():
        raise SetupError("model_file", f"there is no file {path}")
    try:
        return digest(path)
    except (OSError, ELFError) as error:
        raise SetupError("model_file", f"{path} cannot be read: {error}") from error
