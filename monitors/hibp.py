"""Have I Been Pwned, domain search (API v3): in which known breaches addresses of an own domain stand."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote

from canary.errors import OutsideError
from canary.model.sight import Item, Poll
from canary.monitors.parts.cursors import read_cursor, short_digest, texts, write_cursor
from canary.monitors.parts.settings import Settings
from canary.ports import Fetch, Monitor

INTERVAL = 21_600  # breaches are loaded a few times a week
REMEMBERED: Final = 10_000  # breaches
NAME_CHARS: Final = 200


@dataclass(frozen=True, slots=True)
class Breaches:
    """One verified domain of an account with its key."""

    domain: str
    api: str
    key: str = field(repr=False)

    def poll(self, cursor: str | None, fetch: Fetch) -> Poll:
        """Give each breach that is new or names more addresses; the answer is whole, so there is no gap."""
        seen = texts(read_cursor(cursor).get("seen"))
        found = self._breaches(fetch)
        raws = {name: _raw(self.domain, name, aliases) for name, aliases in sorted(found.items())}
        marks = {name: short_digest(raw) for name, raw in raws.items()}
        items = [
            self._item(name, raw, len(found[name]))
            for name, raw in raws.items()
            if seen.get(name) != marks[name]
        ]
        return Poll(tuple(items), write_cursor({"seen": dict(list(marks.items())[:REMEMBERED])}))

    def _breaches(self, fetch: Fetch) -> dict[str, list[str]]:
        """Give the addresses by breach; 404 is how the API says none."""
        answer = fetch.get(
            f"{self.api}/breacheddomain/{quote(self.domain, safe='')}", {"hibp-api-key": self.key}
        )
        if answer.status == 404:
            return {}
        if answer.status != 200:
            raise OutsideError(
                f"the API answered {answer.status}",
                "check api_key, and that the domain is verified in its account",
            )
        try:
            told = json.loads(answer.body)
        except (ValueError, RecursionError):
            told = None
        if not isinstance(told, dict) or not all(isinstance(names, list) for names in told.values()):
            raise OutsideError("the API answered no table of addresses and their breaches", "check `api`")
        by_breach: dict[str, list[str]] = defaultdict(list)
        for alias, names in told.items():
            for name in names:
                if isinstance(name, str) and name:
                    by_breach[name[:NAME_CHARS]].append(f"{alias}@{self.domain}")
        return by_breach

    def _item(self, name: str, raw: bytes, addresses: int) -> Item:
        detail = {"breach": name, "domain": self.domain, "addresses": str(addresses)}
        return Item(f"{self.domain}/{name}", raw, 0, media="application/json", detail=detail)


def _raw(domain: str, name: str, aliases: list[str]) -> bytes:
    told = {"breach": name, "domain": domain, "addresses": sorted(set(aliases))}
    return json.dumps(told, ensure_ascii=False, sort_keys=True).encode("utf-8", "surrogatepass")


def monitor(settings: Mapping[str, object]) -> Monitor:
    """Make the monitor of one domain from `domain`, `api_key` and `api`."""
    read = Settings(settings)
    made = Breaches(
        read.text("domain").lower(),
        read.url("api", "https://haveibeenpwned.com/api/v3").rstrip("/"),
        read.text("api_key"),
    )
    read.done()
    return made
