"""Record: what a scan found becomes sightings, matches and incidents, as if a monitor had seen it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from canary.files import sha256_file
from canary.model.sight import Item
from canary.steps.arrivals import Arrival
from canary.steps.lookout import Look, Thing, strongest
from canary.steps.scan import Scanned
from canary.steps.watch import Taken, Taker, take

SOURCE: Final = "scan"
CARRIED: Final = 50_000_000  # bytes kept in the registry; of a bigger file its path and digest


@dataclass(frozen=True, slots=True)
class _Known:
    """Eyes that know what the scan found already."""

    looks: Mapping[str, Look]

    def look_all(self, things: Sequence[Thing]) -> list[Look]:
        """Give what was found in each file."""
        return [self.looks.get(name, Look()) for name, _ in things]


def record(taker: Taker, scanned: Scanned) -> Taken:
    """Store every file in which something was found as a sighting; one that was recorded before changes nothing."""
    looks = {
        name: Look(strongest(match for hit, match in scanned.judged if hit.file == name))
        for name in dict.fromkeys(hit.file for hit, _ in scanned.judged)
    }
    items = [_item(name, scanned.carried.get(name)) for name in looks]
    by_key = {item.detail["file"]: looks[name] for item, name in zip(items, looks, strict=True)}
    arrivals = [Arrival(SOURCE, SOURCE, item) for item in items]
    return take(replace(taker, eyes=_Known(by_key)), arrivals)


def _item(name: str, carried: bytes | None) -> Item:
    """Make the item of a file; of a big one its path and digest are kept."""
    if carried is not None:
        return Item(name, carried, 0, detail={"file": name})
    path = Path(name).absolute()
    size = path.stat().st_size
    if size <= CARRIED:
        return Item(str(path), path.read_bytes(), 0, detail={"file": str(path)})
    detail = {"file": str(path), "sha256": sha256_file(path), "bytes": str(size)}
    return Item(str(path), b"", 0, detail=detail, file=str(path))
