"""One page or file: an item whenever its bytes change, if its robots.txt lets us read it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urljoin
from urllib.robotparser import RobotFileParser

from canary.errors import OutsideError
from canary.model.sight import Item, Poll
from canary.monitors.parts.conditional import fetch_changed, validators
from canary.monitors.parts.cursors import read_cursor, short_digest, write_cursor
from canary.monitors.parts.settings import Settings
from canary.ports import Fetch, Monitor

INTERVAL = 3_600
FRESH_SECONDS = 86_400  # as long as RFC 9309 lets an answer be kept
ROBOT = "canary-trace"


@dataclass(slots=True)
class Page:
    """One page; `robots` says whether its robots.txt is heeded, which is asked for once a day."""

    url: str
    robots: bool
    clock: Callable[[], float] = time.monotonic
    _asked: tuple[float, bool] | None = field(default=None, init=False)

    def poll(self, cursor: str | None, fetch: Fetch) -> Poll:
        """Give the page if it changed; a gap is never known."""
        before = read_cursor(cursor)
        if self.robots and not self._may_read(fetch):
            raise OutsideError(
                "the site's robots.txt forbids the page", "ask its operator, or set robots = false"
            )
        answer = fetch_changed(self.url, before, fetch)
        if answer is None:
            return Poll((), cursor or "")
        mark = short_digest(answer.body)
        after = write_cursor({"mark": mark, "validators": validators(answer)})
        if before.get("mark") == mark:
            return Poll((), after)
        media = answer.headers.get("content-type", "application/octet-stream")[:200]
        return Poll((Item(self.url, answer.body, 0, media=media, detail={"url": self.url}),), after)

    def _may_read(self, fetch: Fetch) -> bool:
        """Tell whether the page may be read; a server that fails means no, and is asked again at the next poll."""
        if self._asked is not None and self.clock() - self._asked[0] < FRESH_SECONDS:
            return self._asked[1]
        allowed = _allowed(self.url, fetch)
        self._asked = None if allowed is None else (self.clock(), allowed)
        return bool(allowed)


def _allowed(url: str, fetch: Fetch) -> bool | None:
    """Ask robots.txt (RFC 9309) whether a page may be read: absent means yes; None where the server fails."""
    answer = fetch.get(urljoin(url, "/robots.txt"))
    if answer.status >= 500:
        return None
    if answer.status != 200:
        return True
    rules = RobotFileParser()
    rules.parse(answer.body[:500_000].decode("utf-8", "replace").splitlines())
    return rules.can_fetch(ROBOT, url)


def monitor(settings: Mapping[str, object]) -> Monitor:
    """Make the monitor of one page from `url` and `robots` (default true)."""
    read = Settings(settings)
    made = Page(read.url("url"), read.flag("robots", True))
    read.done()
    return made
