"""Signed notes and checkpoints, with the published keys and note of the C2SP signed-note format."""

from __future__ import annotations

import base64
import stat
from pathlib import Path

import pytest

from canary.errors import OutsideError, UsageError
from canary.ledger.note import (
    Checkpoint,
    Signer,
    key_id,
    open_note,
    origin_of,
    parse_and_verify,
    verifier_key,
)

PETER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8"
PETERS_NOTE = """If you think cryptography is the answer to your problem,
then you don't know what your problem is.

— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=
"""
SIGNER = Signer(bytes(range(32)))
OTHER = Signer(bytes(32))
ROOT = bytes(range(100, 132))


def public_of(spelt: str) -> bytes:
    return base64.b64decode(spelt.split("+", 2)[2])[1:]


@pytest.mark.parametrize("spelt", [PETER, GO])
def test_key_ids_are_the_published_ones(spelt: str) -> None:
    name, id_, _ = spelt.split("+", 2)
    assert key_id(name, public_of(spelt)).hex() == id_
    assert verifier_key(public_of(spelt), name) == spelt


def test_the_published_note_opens() -> None:
    text = open_note(PETERS_NOTE, "PeterNeumann", public_of(PETER))
    assert text.endswith("what your problem is.\n")
    with pytest.raises(OutsideError, match="signature"):
        open_note(PETERS_NOTE.replace("answer", "cause"), "PeterNeumann", public_of(PETER))


def test_a_signed_checkpoint_reads_back() -> None:
    note = SIGNER.sign_checkpoint(7, ROOT)
    assert note.split("\n")[:4] == [SIGNER.origin, "7", base64.b64encode(ROOT).decode(), ""]
    assert note.split("\n")[4].startswith(f"— {SIGNER.origin} ")
    assert parse_and_verify(note, SIGNER.public) == Checkpoint(origin_of(SIGNER.public), 7, ROOT)
    assert SIGNER.origin in verifier_key(SIGNER.public)


def test_extension_lines_and_cosignatures_are_allowed() -> None:
    note = SIGNER.sign_checkpoint(7, ROOT)
    foreign = OTHER.sign_checkpoint(7, ROOT).splitlines()[-1]
    assert parse_and_verify(note + foreign + "\n", SIGNER.public).size == 7
    with pytest.raises(OutsideError, match="signature of the note is wrong"):
        parse_and_verify(note.replace("\n\n", "\nmore\n\n"), SIGNER.public)


def test_another_key_is_refused() -> None:
    with pytest.raises(OutsideError, match="not signed with this key"):
        parse_and_verify(OTHER.sign_checkpoint(7, ROOT), SIGNER.public)


def test_a_second_wrong_signature_of_the_same_key_is_refused() -> None:
    note, wrong = SIGNER.sign_checkpoint(7, ROOT), SIGNER.sign_checkpoint(8, ROOT).splitlines()[-1]
    with pytest.raises(OutsideError, match="signature of the note is wrong"):
        parse_and_verify(note + wrong + "\n", SIGNER.public)


def bent(old: str, new: str) -> str:
    return SIGNER.sign_checkpoint(7, ROOT).replace(old, new, 1)


@pytest.mark.parametrize(
    ("note", "reason"),
    [
        ("", "not a signed note"),
        ("a\n1\nb\n", "not a signed note"),
        (bent("7", "7\r"), "not a signed note"),
        (bent("7", "7\udc80"), "not a signed note"),
        (bent("— ", "- "), "malformed signature"),
        (SIGNER.sign_checkpoint(7, ROOT).rstrip("\n"), "without signature lines"),
        ("a\n7\nb\n\n", "without signature lines"),
        ("a\n\n" + "— a aaaaaaaa\n" * 101, "without signature lines"),
        ("a\n\n— a aaaa\n", "malformed signature"),
        ("a\n\n— a aaaaa\n", "bad base64"),
        ("a\n\n— a aaaaaaF=\n", "not canonical"),
        (bent("\n7\n", "\n07\n"), "expected origin, size and root"),
        (bent("\n7\n", "\n-7\n"), "expected origin, size and root"),
        (bent("\n7\n", "\n" + "9" * 5000 + "\n"), "expected origin, size and root"),
        (bent(base64.b64encode(ROOT).decode(), "aaaa"), "root is not a hash"),
    ],
)
def test_malformed_notes_are_told_apart(note: str, reason: str) -> None:
    with pytest.raises(OutsideError, match=reason):
        parse_and_verify(note, SIGNER.public)


def test_a_signing_key_is_made_once_and_loads_from_everywhere(tmp_path: Path) -> None:
    path = tmp_path / "ledger.key"
    made = Signer.create(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(bytes.fromhex(path.read_text())) == 32
    environment = {"LEDGER_KEY": path.read_text()}
    loaded = [Signer.load(path), Signer.load(str(path)), Signer.load(f"file:{path}")]
    assert [*loaded, Signer.load("env:LEDGER_KEY", environment)] == [made] * 4
    with pytest.raises(UsageError, match="exists already"):
        Signer.create(path)
    assert made.seed.hex() not in repr(made)


def test_the_process_environment_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CANARY_TEST_LEDGER_KEY", SIGNER.seed.hex())
    assert Signer.load("env:CANARY_TEST_LEDGER_KEY") == SIGNER


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"zz", "64 hex digits"), (b"ab" * 31, "31 bytes"), (b"\xff\xfe", "64 hex digits")],
)
def test_a_damaged_signing_key_is_refused(tmp_path: Path, content: bytes, reason: str) -> None:
    (tmp_path / "ledger.key").write_bytes(content)
    with pytest.raises(OutsideError, match=reason):
        Signer.load(tmp_path / "ledger.key")


def test_a_missing_signing_key_is_told(tmp_path: Path) -> None:
    with pytest.raises(OutsideError, match="cannot read the signing key"):
        Signer.load(tmp_path / "none")
    with pytest.raises(OutsideError, match="NONE is not in the environment"):
        Signer.load("env:NONE", {})
