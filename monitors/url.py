"""One page or file: an item whenever its bytes change, if its robots.txt lets us read it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urljoin
from urllib.robotparser import RobotFileParser

from canary.errors import OutsideError
from canary.model.sight import Item, Poll
from canary.monitors.parts.conditional import fetch_changed, validators
from canary.monitors.parts.cursors import read_cursor, short_digest, write_cursor
from canary.monitors.parts.settings import Settings
from canary.ports import Fetch, Monitor

INTERVAL = 3_600
ROBOT = "canary-trace"


@dataclass(frozen=True, slots=True)
class Page:
    """One page; `robots` says whether its robots.txt is heeded."""

    url: str
    robots: bool

    def poll(self, cursor: str | None, fetch: Fetch) -> Poll:
        """Give the page if it changed; a gap is never known."""
        before = read_cursor(cursor)
        if self.robots and not _may_read(self.url, fetch):
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


def _may_read(url: str, fetch: Fetch) -> bool:
    """Ask robots.txt (RFC 9309): absent means yes, a server that fails means no."""
    answer = fetch.get(urljoin(url, "/robots.txt"))
    if answer.status >= 500:
        return False
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
