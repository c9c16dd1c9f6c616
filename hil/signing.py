"""Signatures by ``ssh-keygen -Y``: the keys that people and CI have already.

The format is OpenSSH's SSHSIG (PROTOCOL.sshsig in its sources); who may sign is a file of
``allowed_signers`` as ssh-keygen(1) describes it.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hil.errors import SetupError

NAMESPACE = "tinyml-hil"
"""What a signature is for: one made for git or mail is none here."""

_LIMIT_S = 120.0
"""Seconds for one call: a person may have to type a passphrase or touch a token."""

_GOOD = re.compile(r'Good "[^"]*" signature (?:for (?P<who>.*) )?with (?P<key>\S+ key \S+)')


@dataclass(frozen=True)
class Signer:
    """``identity`` as the allowed-signers file names it, "" if none was asked; ``key`` such as
    "ED25519 key SHA256:…"."""

    identity: str
    key: str


class BadSignatureError(ValueError):
    """A signature that does not hold, with ssh-keygen's words."""


def check_key(key: Path) -> None:
    """Signs a few bytes with ``key``, so that a bad key is known before the bench starts.

    Raises:
        SetupError: signing, toolchain_missing.
    """
    sign(b"does this key sign?", key)


def sign(data: bytes, key: Path) -> str:
    """The armoured signature of ``data``. A public key signs through the ssh agent.

    Raises:
        SetupError: signing if the key cannot be used, toolchain_missing without ssh-keygen.
    """
    if not key.is_file():
        raise _unusable(f"there is no key {key}", "name a private key (ssh-keygen -t ed25519)")
    done = _call(["sign", "-f", str(key), "-n", NAMESPACE], data)
    text = done.stdout.decode(errors="replace")
    if done.returncode != 0 or "BEGIN SSH SIGNATURE" not in text:
        raise _unusable(
            f"{key} does not sign: {_words(done)}",
            "name a private key that only you can read; its passphrase is asked at the terminal "
            "or comes from the ssh agent",
        )
    return text


def verify(data: bytes, signature: Path, allowed: Path | None) -> Signer:
    """Who signed ``data``.

    Without ``allowed`` the signature has to be intact, and the key may be anyone's.

    Raises:
        BadSignatureError: it does not hold, or its key is not among the allowed ones.
        SetupError: signing if ``allowed`` cannot be read, toolchain_missing.
    """
    if allowed is None:
        return _good([_call(["check-novalidate", "-n", NAMESPACE, "-s", str(signature)], data)])
    if not allowed.is_file():
        raise _unusable(f"there is no file {allowed}", "see ALLOWED SIGNERS in ssh-keygen(1)")
    found = _call(["find-principals", "-s", str(signature), "-f", str(allowed)], b"")
    who = found.stdout.decode(errors="replace").splitlines() if found.returncode == 0 else []
    if not who:
        raise BadSignatureError(f"the key that signed is not in {allowed}: {_words(found)}")
    words = ["verify", "-f", str(allowed), "-n", NAMESPACE, "-s", str(signature), "-I"]
    return _good([_call([*words, name], data) for name in who])


def _good(tries: Sequence[subprocess.CompletedProcess[bytes]]) -> Signer:
    for done in tries:
        said = _GOOD.search(done.stdout.decode(errors="replace"))
        if done.returncode == 0 and said:
            return Signer(said["who"] or "", said["key"])
    raise BadSignatureError(_words(tries[-1]))


def _call(words: Sequence[str], data: bytes) -> subprocess.CompletedProcess[bytes]:
    program = shutil.which("ssh-keygen")
    if program is None:
        hint = "install openssh-client (Debian, Ubuntu) or OpenSSH 8.2 or newer"
        raise SetupError("toolchain_missing", "ssh-keygen is not on PATH", hint=hint)
    command = [program, "-Y", *words]
    try:
        return subprocess.run(
            command, input=data, capture_output=True, timeout=_LIMIT_S, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise _unusable(
            f"ssh-keygen gave no answer within {_LIMIT_S:.0f} s", "does it wait for a passphrase?"
        ) from error


def _words(done: subprocess.CompletedProcess[bytes]) -> str:
    text = (done.stderr + b"\n" + done.stdout).decode(errors="replace")
    lines = [line.strip() for line in text.splitlines() if line.strip(" @")]
    return "; ".join(lines[:3]) or f"ssh-keygen ended with status {done.returncode}"


def _unusable(message: str, hint: str) -> SetupError:
    return SetupError("signing", message, hint=hint)
