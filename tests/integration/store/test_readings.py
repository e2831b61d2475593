"""Readings: what a scan found is given back as it was, and only while the scan would know the same."""

from __future__ import annotations

from dataclasses import replace

import pytest

from canary.errors import OutsideError
from canary.model.evidence import Candidates, Findings, Hit, Reading, ScanError
from canary.model.sight import Sighting
from canary.store import canaries, readings, sightings
from canary.store.registry import Registry
from tests.integration.store.conftest import make_canary

FOUND = Findings(
    (Hit("c-1", {"email": "plain", "name": "masked"}, "s-1", "a.zip/b.csv", 17, 3),),
    Candidates(
        {"email": 5, "name": 9},
        {("name", "email"): 2},
        {("email:3",): 5, ("name", "email:3"): 2},
        frozenset({"email:3"}),
    ),
    40, 1234, 2, (ScanError("s-1", "c.7z", "encrypted"),),
)  # fmt: skip


def sighting(name: str) -> Sighting:
    return Sighting(
        id=name, source="pastes", kind="paste", item=name, event="data", contact=None, time_ms=1, seen_ms=2,
        sha256="0" * 64, bytes=3, detail={},
    )  # fmt: skip


def test_findings_come_back_as_they_were(issued: Registry) -> None:
    with issued.begin() as tx:
        sightings.add(tx, sighting("s-1"), b"raw")
        known = readings.known(tx, "plain/1")
        readings.add(tx, "s-1", Reading(known, FOUND))
        assert readings.get(tx, "s-1", known) == FOUND
        assert readings.get(tx, "s-2", known) is None
        assert readings.get(tx, "s-1", replace(known, engine="fast/1")) is None


def test_a_canary_issued_since_makes_them_stale(issued: Registry) -> None:
    with issued.begin() as tx:
        sightings.add(tx, sighting("s-1"), b"raw")
        before = readings.known(tx, "plain/1")
        readings.add(tx, "s-1", Reading(before, FOUND))
        canaries.issue(tx, [make_canary(99, phone="15400000099")])
        now = readings.known(tx, "plain/1")
        assert now != before
        assert readings.get(tx, "s-1", now) is None


def test_what_is_too_large_is_not_kept(issued: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readings, "MOST_BYTES", 10)
    with issued.begin() as tx:
        sightings.add(tx, sighting("s-1"), b"raw")
        known = readings.known(tx, "plain/1")
        readings.add(tx, "s-1", Reading(known, FOUND))
        assert readings.get(tx, "s-1", known) is None


def test_they_are_sealed_in_their_place(issued: Registry) -> None:
    with issued.begin() as tx:
        for name in ("s-1", "s-2"):
            sightings.add(tx, sighting(name), b"raw")
            readings.add(tx, name, Reading(readings.known(tx, "plain/1"), FOUND))
        rows = tx.conn.exec_driver_sql("SELECT findings FROM readings ORDER BY sighting").all()
        assert all(b"c-1" not in bytes(row[0]) for row in rows)
        tx.conn.exec_driver_sql(
            "UPDATE readings SET findings ="
            " (SELECT findings FROM readings WHERE sighting = (SELECT min(sighting) FROM readings))"
        )
        with pytest.raises(OutsideError, match="does not open"):
            readings.get(tx, "s-2", readings.known(tx, "plain/1"))
