"""What was seen, as a person or program asks for it."""

from __future__ import annotations

from typing import Any

from canary.errors import UsageError
from canary.model.sight import Sighting
from canary.steps.tools import Tools
from canary.store import sightings as store


def list_all(tools: Tools) -> list[Sighting]:
    """Give all sightings, oldest first."""
    with tools.registry.read() as tx:
        return list(store.list_all(tx))


def get(tools: Tools, id: str) -> Sighting:
    """Give one sighting, or raise UsageError."""
    with tools.registry.read() as tx:
        found = store.get(tx, id)
    if found is None:
        raise UsageError(f"no sighting {id!r} in the registry", "see canary sighting list")
    return found


def raw(tools: Tools, id: str) -> bytes:
    """Give the bytes of a sighting as they came."""
    found = get(tools, id)
    with tools.registry.read() as tx:
        data = store.raw(tx, id)
    if data is None:
        raise UsageError(f"sighting {id} is kept by hash only", f"its SHA-256 is {found.sha256}")
    return data


def warc(tools: Tools, id: str) -> bytes:
    """Give a sighting as a WARC file (gzip): what was fetched for it, as far as it is kept, and its own bytes."""
    from canary.steps import warcs
    from canary.store import captures

    found = get(tools, id)
    with tools.registry.read() as tx:
        return warcs.export(found, store.raw(tx, id), captures.of_sighting(tx, id))


def row(sighting: Sighting) -> dict[str, Any]:
    """Give a sighting as `sighting list --json` tells it (time in milliseconds)."""
    return {
        "id": sighting.id,
        "source": sighting.source,
        "kind": sighting.kind,
        "item": sighting.item,
        "contact": sighting.contact,
        "time": sighting.time_ms,
        "sha256": sighting.sha256,
        "bytes": sighting.bytes,
        "detail": dict(sighting.detail),
        "matches": [
            {
                "canary": match.canary,
                "release": match.release,
                "recipients": list(match.recipients),
                "field": match.field,
                "fields": list(match.fields),
                "transform": match.transform,
                "strength": match.strength,
            }
            for match in sighting.matches
        ],
    }
