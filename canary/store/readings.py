"""What a scan found in a sighting, kept so that a trace need not scan the same bytes with the same knowledge again."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import func, select

from canary.model.evidence import Candidates, Findings, Hit, Known, Reading, ScanError
from canary.store.rows import insert_new
from canary.store.tables import canaries, readings, sightings
from canary.store.tx import Tx

MOST_BYTES: Final = 1 << 22  # a reading that is larger when packed is not kept: the scan is made again


def known(tx: Tx, engine: str) -> Known:
    """Tell what a scan by an engine knows now (the count too: a lower serial may be committed after a higher one)."""
    newest, issued = tx.conn.execute(
        select(func.max(canaries.c.serial), func.count()).select_from(canaries)
    ).one()
    return Known(engine, newest or 0, issued)


def add(tx: Tx, sighting: str, reading: Reading) -> None:
    """Keep what was found in a sighting."""
    packed = zlib.compress(json.dumps(_plain(reading.findings), separators=(",", ":")).encode())
    if len(packed) > MOST_BYTES:
        return
    serial = tx.conn.execute(select(sightings.c.serial).where(sightings.c.id == sighting)).scalar_one()
    insert_new(tx.conn, readings, {
        "sighting": serial,
        "engine": reading.known.engine,
        "newest": reading.known.newest,
        "issued": reading.known.issued,
        "findings": tx.keys.seal(packed, _place(sighting)),
    })  # fmt: skip


def get(tx: Tx, sighting: str, knowledge: Known) -> Findings | None:
    """Give what was found in a sighting by a scan that knew the same, None where there was none."""
    wanted = (
        select(readings.c.findings)
        .join(sightings, sightings.c.serial == readings.c.sighting)
        .where(
            sightings.c.id == sighting,
            readings.c.engine == knowledge.engine,
            readings.c.newest == knowledge.newest,
            readings.c.issued == knowledge.issued,
        )
    )
    sealed = tx.conn.scalar(wanted)
    if sealed is None:
        return None
    return _noun(json.loads(zlib.decompress(tx.keys.unseal(sealed, _place(sighting)))), sighting)


def _place(sighting: str) -> str:
    return f"readings.findings:{sighting}"


def _plain(findings: Findings) -> dict[str, Any]:
    return {
        "hits": [[one.canary, dict(one.roles), one.member, one.offset, one.record] for one in findings.hits],
        "shaped": [[list(shapes), count] for shapes, count in findings.candidates.shaped.items()],
        "single": dict(findings.candidates.single),
        "pair": [[*forms, count] for forms, count in findings.candidates.pair.items()],
        "hit": sorted(findings.candidates.hit),
        "counts": [findings.rows, findings.bytes, findings.files],
        "errors": [[one.member, one.reason] for one in findings.errors],
    }


def _noun(plain: Mapping[str, Any], name: str) -> Findings:
    """Make findings again, in an input of this name."""
    hits = tuple(
        Hit(canary, roles, name, member, offset, record)
        for canary, roles, member, offset, record in plain["hits"]
    )
    candidates = Candidates(
        plain["single"],
        {(one, two): count for one, two, count in plain["pair"]},
        {tuple(shapes): count for shapes, count in plain["shaped"]},
        frozenset(plain["hit"]),
    )
    errors = tuple(ScanError(name, member, reason) for member, reason in plain["errors"])
    rows, size, files = plain["counts"]
    return Findings(hits, candidates, rows, size, files, errors)
