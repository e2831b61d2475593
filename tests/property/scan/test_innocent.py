"""Innocent data at a million canaries: as many chance hits as were predicted, and nobody is named."""

from __future__ import annotations

import io
import math
import os
import time
from collections.abc import Sequence
from typing import Final, cast

import numpy as np
import pytest

from canary.model.canary import Canary, CanaryField
from canary.scan.budget import Budget, Spent
from canary.scan.engine import scan_stream
from canary.scan.fast import FastScan
from canary.scan.index import ArrayIndex
from canary.scan.kernel import MARGIN
from canary.scan.matches import matches_of
from canary.scan.parts import Place
from canary.trace.case import Case, Held, HitCanary, Holder, IssuedField
from canary.trace.records import records_of
from canary.trace.verdict import conclude
from tests.scanlab import KEYS

HEADS: Final = 30  # first three digits of live-looking numbers
SPACE: Final = HEADS * 10**8
CODES: Final = 10**11
PHONE_BITS, CODE_BITS, MAIL_BITS = math.log2(SPACE), math.log2(CODES), 40.0
RECIPIENTS: Final = [f"r{number:03}" for number in range(200)]
ROWS: Final = 20_000  # drawn at once


class Issued:
    """Canaries by serial, each made anew when it is asked for: their number costs no memory."""

    def __init__(self, count: int) -> None:
        rng = np.random.default_rng(7)
        self.phones = rng.integers(0, SPACE, count)
        self.codes = rng.integers(0, CODES, count)

    def open_canaries(self, serials: Sequence[int]) -> list[Canary]:
        return [self._canary(serial) for serial in serials]

    def _canary(self, serial: int) -> Canary:
        phone, code = phone_of(int(self.phones[serial - 1])), code_of(int(self.codes[serial - 1]))
        fields = (
            CanaryField("phone", "phone", phone, phone, PHONE_BITS),
            CanaryField("waybill_no", "no", code, code, CODE_BITS),
            CanaryField("email", "mail", mail_of(serial), mail_of(serial), MAIL_BITS),
        )
        row: dict[str, str | None] = {"phone": phone, "no": code, "mail": mail_of(serial)}
        return Canary(f"c-{serial}", RECIPIENTS[serial % len(RECIPIENTS)], "d", "waybill", fields, row)

    def index(self) -> ArrayIndex:
        serials = range(1, len(self.phones) + 1)
        forms = (
            ("phone", PHONE_BITS, [phone_of(int(one)) for one in self.phones]),
            ("code", CODE_BITS, [code_of(int(one)) for one in self.codes]),
            ("email", MAIL_BITS, [mail_of(serial) for serial in serials]),
        )
        return ArrayIndex.build(
            (int(key), serial, form, bits)
            for form, bits, values in forms
            for key, serial in zip(KEYS.scan_keys(form, values).tolist(), serials, strict=True)
        )


def phone_of(number: int) -> str:
    head, rest = divmod(number, 10**8)
    return f"1{30 + head}{rest:08}"


def code_of(number: int) -> str:
    return f"YT75{number:011}"


def mail_of(serial: int) -> str:
    return f"alias{serial}@post.example.net"


class Innocent(io.RawIOBase):
    """A table that nobody was handed: fresh numbers in every row, written while it is read."""

    def __init__(self, size: int) -> None:
        self._left, self._rng, self._held = size, np.random.default_rng(11), b"no,phone,mail,weight\n"

    def readable(self) -> bool:
        return True

    def read(self, size: int | None = -1) -> bytes:
        if len(self._held) < 1 << 20 and self._left > 0:
            self._held += self._rows()
        data, self._held = self._held[: size or 0], self._held[size or 0 :]
        self._left -= len(data)
        return data

    def _rows(self) -> bytes:
        phones = self._rng.integers(0, SPACE, ROWS).tolist()
        codes = self._rng.integers(0, CODES, ROWS).tolist()
        mails = self._rng.integers(0, 10**9, ROWS).tolist()
        rows = zip(phones, codes, mails, strict=True)
        return "".join(
            f"{code_of(code)},{phone_of(phone)},u{mail}@163.com,{mail % 97 / 10}\n"
            for phone, code, mail in rows
        ).encode()


def run(size: int, count: int) -> None:
    issued = Issued(count)
    began = time.process_time()
    index = issued.index()
    print(f"{count} canaries, index in {time.process_time() - began:.0f} CPU s", flush=True)
    scan = FastScan(index, issued, KEYS, slowly=0)
    began = time.process_time()
    stream = cast(io.BufferedReader, Innocent(size))
    scan_stream(stream, Place("innocent", packed=size), scan, Spent(Budget()))
    findings = scan.findings()
    spent = time.process_time() - began
    distinct = {
        role: {hit.canary for hit in findings.hits if role in hit.roles} for role in ("phone", "waybill_no")
    }
    shapes = {"phone": ("phone:mobile",), "waybill_no": ("code:15",)}
    for role, bits in (("phone", PHONE_BITS), ("waybill_no", CODE_BITS)):
        expected = findings.candidates.shaped[shapes[role]] * count * 2.0**-bits
        print(
            f"{size / 1e9:g} GB, {role}: {expected:.1f} chance hits predicted, {len(distinct[role])} observed"
        )
        chance = 5 * math.sqrt(expected) + 2
        assert expected / MARGIN - chance <= len(distinct[role]) <= expected + chance
    matches = matches_of(
        findings, index, {one.id: one for one in issued.open_canaries(serials_of(findings.hits))}
    )
    strong = [match for _, match in matches if match.strength == "strong"]
    trace = conclude(case_of(issued, findings, count))
    print(
        f"{findings.rows} rows in {spent:.0f} CPU s with their making, {len(strong)} strong matches, {trace.outcome}"
    )
    assert [one.recipient for one in trace.suspects if one.status == "named"] == []
    assert len(strong) <= max(3, 2 * expected)


def serials_of(hits: Sequence[object]) -> list[int]:
    return sorted({int(hit.canary[2:]) for hit in hits})  # type: ignore[attr-defined]


def case_of(issued: Issued, findings: object, count: int) -> Case:
    records = records_of(findings.hits)  # type: ignore[attr-defined]
    hits = tuple(
        HitCanary(
            id=one.id,
            owner=one.recipient,
            fields=tuple(
                IssuedField(each.role, "code" if each.role == "waybill_no" else each.role, each.bits)
                for each in one.fields
            ),
            records=records[one.id],
            holders=(Holder(one.recipient, f"x-{one.recipient}", 0),),
        )
        for one in issued.open_canaries(serials_of(findings.hits))  # type: ignore[attr-defined]
    )
    share = count // len(RECIPIENTS)
    return Case(
        recipients=tuple(RECIPIENTS),
        releases={name: (Held(f"x-{name}", 0),) for name in RECIPIENTS},
        issued=dict.fromkeys(RECIPIENTS, share),
        hits=hits,
        candidates=findings.candidates,  # type: ignore[attr-defined]
        rows=findings.rows,  # type: ignore[attr-defined]
    )


def test_innocent_data_gives_the_chance_hits_that_are_predicted_and_names_nobody() -> None:
    run(size=3_000_000, count=100_000)


@pytest.mark.soak
def test_ten_gigabytes_at_a_million_canaries() -> None:
    """CANARY_SOAK_BYTES of innocent data (10 GB unless set) at CANARY_SOAK_CANARIES (a million unless set)."""
    size = int(float(os.environ.get("CANARY_SOAK_BYTES", "10e9")))
    run(size, int(os.environ.get("CANARY_SOAK_CANARIES", "1000000")))
