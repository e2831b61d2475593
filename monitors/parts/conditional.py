"""Conditional fetching: ETag and Last-Modified travel in the cursor, so what did not change is not sent."""

from __future__ import annotations

from collections.abc import Mapping

from canary.errors import OutsideError
from canary.monitors.parts.cursors import texts
from canary.ports import Answer, Fetch


def conditions(cursor: Mapping[str, object]) -> dict[str, str]:
    """Give the request headers that ask for changes only."""
    kept = texts(cursor.get("validators"))
    pairs = (("If-None-Match", "etag"), ("If-Modified-Since", "last-modified"))
    return {header: kept[name] for header, name in pairs if name in kept}


def validators(answer: Answer) -> dict[str, str]:
    """Give what an answer says to ask with next time."""
    return {name: answer.headers[name][:500] for name in ("etag", "last-modified") if name in answer.headers}


def fetch_changed(url: str, cursor: Mapping[str, object], fetch: Fetch) -> Answer | None:
    """Fetch a page if it changed since the cursor, None if not; raises OutsideError for any other answer."""
    answer = fetch.get(url, conditions(cursor))
    if answer.status == 304:
        return None
    if answer.status != 200:
        raise OutsideError(f"the source answered {answer.status}", "check its address in a browser")
    return answer
