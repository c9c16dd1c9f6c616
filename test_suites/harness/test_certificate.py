"""A certificate that was touched anywhere is refused; so is one whose content is no pass."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from made_certificates import SUITES, board, certificate
from made_records import latency

from hil.errors import Finding, ProductError, SetupError
from hil.report.certificate import canonical, faults, seal_of, sealed
from hil.report.parts import MemoryRecord, ParityRecord
from hil.report.record import Verdict
from hil.signing import check_key, sign
from hil.verify import Files, verify_certificate

pytestmark = pytest.mark.skipif(not shutil.which("ssh-keygen"), reason="no ssh-keygen")


def new_key(folder: Path, name: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    key = folder / name
    command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(key)]
    subprocess.run(command, check=True, timeout=60, stdin=subprocess.DEVNULL)
    return key


def allow(path: Path, who: str, key: Path, options: str = "") -> Path:
    public = Path(f"{key}.pub").read_text()
    path.write_text(f"{who} {options} {public}")
    return path


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return new_key(tmp_path_factory.mktemp("key"), "release")


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory, key: Path) -> Path:
    """A folder with a certificate, its signature and who may sign."""
    folder = tmp_path_factory.mktemp("signed")
    data = sealed(certificate(board(), board("pico")))
    (folder / "certificate.json").write_bytes(data)
    (folder / "certificate.json.sig").write_text(sign(data, key))
    allow(folder / "allowed", "release@example.com", key, 'namespaces="tinyml-hil"')
    return folder


def refused(path: Path, **how: Any) -> str:
    with pytest.raises(ProductError) as caught:
        verify_certificate(path, **how)
    assert caught.value.code == "certificate"
    assert caught.value.numbers["problems"] > 0
    return caught.value.message


def test_an_untouched_one_holds_and_names_its_signer(signed: Path) -> None:
    found, signer = verify_certificate(signed / "certificate.json", allowed=signed / "allowed")
    assert [each.id for each in found.boards] == ["nano", "pico"]
    assert signer is not None
    assert signer.identity == "release@example.com"
    assert signer.key.startswith("ED25519 key SHA256:")
    found, signer = verify_certificate(signed / "certificate.json")
    assert signer is not None
    assert signer.identity == ""


# -- tampering


def places(value: Any, here: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every value inside a JSON value."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, part in items:
        yield (*here, key)
        if isinstance(part, dict | list):
            yield from places(part, (*here, key))


SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
) | st.text(max_size=8)


def edited(values: Any, data: st.DataObject) -> Any:
    """The same JSON with one thing changed, added, taken away or put elsewhere."""
    *way, last = data.draw(st.sampled_from(list(places(values))))
    target = values
    for step in way:
        target = target[step]
    kind = data.draw(st.sampled_from(["set", "drop", "add", "nudge"]))
    if kind == "drop":
        del target[last]
    elif kind == "add" and isinstance(target, dict):
        target[data.draw(st.text(max_size=5))] = data.draw(SCALARS)
    elif kind == "add":
        target.append(target[last])
    elif kind == "nudge" and isinstance(target[last], int | float):
        target[last] += data.draw(st.sampled_from([1, -1]))
    elif kind == "nudge" and isinstance(target[last], str):
        target[last] += "0"
    else:
        target[last] = data.draw(SCALARS)
    return values


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data(), resealed=st.booleans())
def test_any_edit_of_a_signed_one_is_refused(
    signed: Path, data: st.DataObject, resealed: bool
) -> None:
    original = (signed / "certificate.json").read_bytes()
    values = edited(json.loads(original), data)
    if resealed:
        values["seal"] = seal_of(values)
    made = canonical(values)
    path = signed / f"edited-{os.getpid()}.json"
    path.write_bytes(made)
    Path(f"{path}.sig").write_bytes((signed / "certificate.json.sig").read_bytes())
    if made != original:
        assert "its signature does not hold" in refused(path)
        assert "its signature does not hold" in refused(path, allowed=signed / "allowed")


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_an_edit_is_told_by_its_place_without_any_signature(
    signed: Path, data: st.DataObject
) -> None:
    original = (signed / "certificate.json").read_bytes()
    path = signed / "unsigned.json"
    made = canonical(edited(json.loads(original), data))
    path.write_bytes(made)
    if made != original:
        assert "is not what was certified" in refused(path, unsigned=True)


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_damaged_bytes_are_refused(signed: Path, data: st.DataObject) -> None:
    original = (signed / "certificate.json").read_bytes()
    raw = bytearray(original)
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    made = bytes(raw[: data.draw(st.integers(0, len(raw)))])
    path = signed / "damaged.json"
    path.write_bytes(made)
    if made != original:
        refused(path, unsigned=True)


@pytest.mark.parametrize(
    "text",
    ["", "[]", "null", "{}", '{"verdict": NaN}', "[" * 100_000, '{"boards": 7}', '{"n": 1e999}',
     '{"n": ' + "9" * 5000 + "}", '{"boards": [[], {"id": []}], "seal": []}', "\ufeff{}"],
)  # fmt: skip
def test_what_is_no_certificate_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.json"
    path.write_text(text)
    refused(path, unsigned=True)


def test_another_form_of_the_same_values_is_refused(signed: Path, tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    values = json.loads((signed / "certificate.json").read_bytes())
    for text in (json.dumps(values), json.dumps(values, indent=1), '{"verdict": "fail",'):
        path.write_text(text if text[-1] == "}" else text + json.dumps(values)[1:])
        assert "canonical form" in refused(path, unsigned=True)


def test_another_version_is_refused(tmp_path: Path) -> None:
    values = json.loads(sealed(certificate()))
    for field, wrong in (("version", 2), ("format", "x"), ("verdict", "fail"), ("boards", [])):
        changed = {**values, field: wrong}
        path = tmp_path / "x.json"
        path.write_bytes(canonical({**changed, "seal": seal_of(changed)}))
        assert f"- {field}: " in refused(path, unsigned=True)


# -- content


@pytest.mark.parametrize(
    ("made", "problem"),
    [
        (lambda: board(verdict=Verdict.FAIL), "verdict fail"),
        (lambda: board(suites={**SUITES, "parity": "failed"}), "parity failed"),
        (lambda: board(suites={**SUITES, "accuracy": "error"}), "accuracy error"),
        (lambda: board(suites={k: v for k, v in SUITES.items() if k != "memory"}),
         "memory did not run"),
        (lambda: board(model_sha256="cd" * 32), "it ran model cdcd"),
        (lambda: board(model="cosine"), "its record is of nano and cosine"),
        (lambda: board(firmware=None), "no firmware"),
        (lambda: board(parity={}), "not found equal"),
        (lambda: board(parity={"tflm": ParityRecord(elements=9, mismatches=1)}), "not found equal"),
        (lambda: board(parity={"tflm": ParityRecord(elements=0)}), "not found equal"),
        (lambda: board(oracle="litert_ref"), "not found equal"),
        (lambda: board(latency=latency(8001.0)), "latency 8,001 over its limit 8,000"),
        (lambda: board(latency=latency(8_000_001.0, "us")), "over its limit"),
        (lambda: board(memory=MemoryRecord(arena_needed=2049)), "arena_needed 2,049 over 2,048"),
        (lambda: board(memory=MemoryRecord(stack_used=1301)), "stack_used 1,301 over 1,300"),
        (lambda: board(memory=MemoryRecord(arena_needed=9, arena_given=8)), "arena_needed 9 over"),
    ],
)  # fmt: skip
def test_a_content_that_is_no_pass_is_refused(made: Callable[[], Any], problem: str) -> None:
    found = faults(certificate(board("pico"), made()))
    assert any(problem in each and each.startswith("nano: ") for each in found), found


def test_a_finding_is_no_pass() -> None:
    failing = board()
    failing.record.add(Finding("parity", "1 of 10 differ", "parity"))
    assert "nano: parity: 1 of 10 differ" in faults(certificate(failing))


def test_a_board_counts_once() -> None:
    assert faults(certificate(board(), board())) == ["nano is there twice"]
    assert faults(certificate()) == []


def test_a_resealed_fail_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_bytes(sealed(certificate(board(verdict=Verdict.FAIL))))
    assert "nano: verdict fail" in refused(path, unsigned=True)


# -- files


def test_files_are_compared_with_the_digests(tmp_path: Path) -> None:
    path, model = tmp_path / "certificate.json", tmp_path / "model.tflite"
    model.write_bytes(b"another model")
    path.write_bytes(sealed(certificate()))
    said = refused(path, unsigned=True, files=Files(model=model, vectors=model, results=model))
    for what, wanted in (("model", "ab" * 8), ("vectors", "12" * 8), ("results", "34" * 8)):
        assert f"{what} {model} is {hashlib.sha256(b'another model').hexdigest()[:16]}" in said
        assert f"certified is {wanted}" in said
    refused(path, unsigned=True, files=Files(model=tmp_path))  # a model's folder


@pytest.mark.parametrize("name", ["none.elf", "not.elf"])
def test_a_file_that_cannot_be_read_is_a_set_up_error(tmp_path: Path, name: str) -> None:
    (tmp_path / "not.elf").write_bytes(b"text")
    path = tmp_path / "certificate.json"
    path.write_bytes(sealed(certificate()))
    with pytest.raises(SetupError) as caught:
        verify_certificate(path, unsigned=True, files=Files(elf=tmp_path / name))
    assert caught.value.code == "model_file"


# -- signatures


def test_an_unsigned_one_has_to_be_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "certificate.json"
    path.write_bytes(sealed(certificate()))
    assert "not signed" in refused(path)
    assert verify_certificate(path, unsigned=True)[1] is None
    assert "not signed" in refused(path, unsigned=True, allowed=allow_nobody(tmp_path))


def allow_nobody(folder: Path) -> Path:
    return allow(folder / "nobody", "nobody@example.com", new_key(folder, "nobody-key"))


def test_a_strangers_key_is_refused(signed: Path, tmp_path: Path) -> None:
    said = refused(signed / "certificate.json", allowed=allow_nobody(tmp_path))
    assert "the key that signed is not in" in said


def test_a_signature_for_something_else_is_refused(signed: Path, tmp_path: Path, key: Path) -> None:
    path = tmp_path / "certificate.json"
    shutil.copy(signed / "certificate.json", path)
    command = ["ssh-keygen", "-q", "-Y", "sign", "-n", "git", "-f", str(key), str(path)]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    for allowed in (None, signed / "allowed"):
        assert "signature does not hold" in refused(path, allowed=allowed)


@pytest.mark.parametrize("text", ["", "no signature", "-----BEGIN SSH SIGNATURE-----\nx\n"])
def test_a_broken_signature_is_refused(signed: Path, tmp_path: Path, text: str) -> None:
    path = tmp_path / "certificate.json"
    shutil.copy(signed / "certificate.json", path)
    Path(f"{path}.sig").write_text(text)
    for allowed in (None, signed / "allowed"):
        refused(path, allowed=allowed)


def test_keys_that_do_not_sign_are_set_up_errors(tmp_path: Path) -> None:
    loose = new_key(tmp_path, "loose")
    loose.chmod(0o644)
    (tmp_path / "text").write_text("no key")
    (tmp_path / "text").chmod(0o600)
    for wrong in (tmp_path / "none", tmp_path / "text", loose):
        with pytest.raises(SetupError) as caught:
            check_key(wrong)
        assert caught.value.code == "signing"
        assert wrong.name in caught.value.message


def test_signers_that_cannot_be_read_are_a_set_up_error(signed: Path, tmp_path: Path) -> None:
    with pytest.raises(SetupError) as caught:
        verify_certificate(signed / "certificate.json", allowed=tmp_path / "none")
    assert caught.value.code == "signing"


def test_without_ssh_keygen_the_tool_is_missing(
    signed: Path, key: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(SetupError) as caught:
        sign(b"x", key)
    assert caught.value.code == "toolchain_missing"
