"""The meter between a monitor and the network: what a run cost, what its host asked for, and what was answered."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from canary.ports import Answer, Clock, Fetch
from canary.steps.warcs import Exchange
from canary.store.runs import Traffic

MAX_PACE_MS: Final = 24 * 3_600_000  # no host can silence a source for longer
BOT: Final = re.compile(r"/bot\d+:[^/]+/")  # the key of a Telegram bot stands in its address
OK: Final = 200
NOT_MODIFIED: Final = 304


class Meter:
    """Fetches for one run, counts, and keeps the answers until they are stored."""

    def __init__(self, fetch: Fetch, clock: Clock) -> None:
        self._fetch, self._clock = fetch, clock
        self._requests = self._unchanged = self._bytes = 0
        self._pace: int | None = None
        self._exchanges: list[Exchange] = []

    def get(self, url: str, headers: Mapping[str, str] | None = None) -> Answer:
        """Fetch one address."""
        self._requests += 1
        answer = self._fetch.get(url, headers)
        self._bytes += len(answer.body)
        self._unchanged += answer.status == NOT_MODIFIED
        self._heed(answer.headers)
        if answer.status == OK:
            # a fetcher's answer knows the address without its password
            where = BOT.sub("/bot…/", str(getattr(answer, "url", "") or url))
            now = self._clock.now_ms()
            self._exchanges.append(Exchange(where, now, answer.status, answer.headers, answer.body))
        return answer

    def _heed(self, headers: Mapping[str, str]) -> None:
        """Take in how long to wait between polls (X-Poll-Interval, seconds)."""
        told = headers.get("x-poll-interval", "").strip()
        if told.isascii() and told.isdigit():
            wanted = min(int(told[:9]) * 1000, MAX_PACE_MS)
            self._pace = max(self._pace or 0, wanted) or None

    def traffic(self) -> Traffic:
        """Give what was counted since it was last asked; the pace that was asked for stays."""
        counted = Traffic(self._requests, self._unchanged, self._bytes, self._pace)
        self._requests = self._unchanged = self._bytes = 0
        return counted

    def exchanges(self) -> tuple[Exchange, ...]:
        """Give the answers since it was last asked."""
        kept, self._exchanges = tuple(self._exchanges), []
        return kept
