"""GitHub: the files of public gists as they are made or changed, or the public events (comments, issues, pushes)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

from canary.errors import OutsideError, UsageError
from canary.model.sight import Poll
from canary.monitors.parts.conditional import fetch_changed, validators
from canary.monitors.parts.cursors import read_cursor
from canary.monitors.parts.listing import Entry, OwnHeaders, poll_list, reaches_back
from canary.monitors.parts.settings import Settings
from canary.ports import Answer, Fetch, Monitor

INTERVAL = 120  # 60 requests an hour are free; with a token 5,000
PAGES: Final = 5  # at most, where more came than one page has
TOLD_CHARS: Final = 300
PATHS: Final = {"gists": "/gists/public?per_page=100", "events": "/events?per_page=100"}


@dataclass(frozen=True, slots=True)
class GitHub:
    """One list of the API at `api`; `what` is gists or events. Its token goes to that host alone."""

    api: str
    what: str
    token: str = field(default="", repr=False)

    def poll(self, cursor: str | None, fetch: Fetch) -> Poll:
        """Give what is new or changed, oldest first; a gap where the list holds nothing known."""
        before = read_cursor(cursor)
        polite = OwnHeaders(fetch, self.api, self._headers())
        answer = fetch_changed(self.api + PATHS[self.what], before, polite)
        if answer is None:
            return poll_list(before, (), polite, {"validators": before.get("validators")})
        listed = self._listed(answer)
        for page in range(2, PAGES + 1):
            if reaches_back(before, listed):
                break
            listed += self._page(page, polite)
        return poll_list(before, listed, polite, {"validators": validators(answer)})

    def _page(self, number: int, fetch: Fetch) -> list[Entry]:
        """Give an older page, nothing where there is none or it cannot be had: that is a gap."""
        try:
            answer = fetch.get(f"{self.api}{PATHS[self.what]}&page={number}")
            return self._listed(answer) if answer.status == 200 else []
        except OutsideError:
            return []

    def _headers(self) -> dict[str, str]:
        own = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}
        return own | ({"Authorization": f"Bearer {self.token}"} if self.token else {})

    def _listed(self, answer: Answer) -> list[Entry]:
        try:
            listed = json.loads(answer.body)
        except (ValueError, RecursionError):
            listed = None
        if not isinstance(listed, list):
            raise OutsideError("the API answered no JSON array", "check `api`")
        read = _files if self.what == "gists" else _events
        found = [one for told in listed if isinstance(told, dict) for one in read(told)]
        if listed and not found:
            raise OutsideError("nothing in the API's answer is what was asked for", "check `api`")
        return found


def _files(gist: Mapping[str, Any]) -> Iterator[Entry]:
    """Give each file of a gist; its address names its content, so that a changed file has another."""
    files, name = gist.get("files"), gist.get("id")
    if not isinstance(files, dict) or not isinstance(name, str) or not name:
        return
    owner = gist.get("owner")
    told = {
        "gist": gist.get("html_url"),
        "owner": owner.get("login") if isinstance(owner, dict) else None,
        "updated": gist.get("updated_at"),
        "description": gist.get("description"),
    }
    detail = {key: text[:TOLD_CHARS] for key, text in told.items() if isinstance(text, str) and text}
    for file, about in files.items():
        url = about.get("raw_url") if isinstance(about, dict) else None
        if isinstance(url, str) and urlsplit(url).scheme in ("http", "https"):
            yield Entry(f"{name}/{file}", url, detail, version=url)


def _events(event: Mapping[str, Any]) -> Iterator[Entry]:
    name = event.get("id")
    if not isinstance(name, str) or not name:
        return
    raw = json.dumps(event, ensure_ascii=False, sort_keys=True).encode("utf-8", "surrogatepass")
    actor, repo = event.get("actor"), event.get("repo")
    told = {
        "type": event.get("type"),
        "actor": actor.get("login") if isinstance(actor, dict) else None,
        "repo": repo.get("name") if isinstance(repo, dict) else None,
    }
    detail = {key: text[:TOLD_CHARS] for key, text in told.items() if isinstance(text, str) and text}
    yield Entry(name, "", detail, raw=raw, media="application/json")


def monitor(settings: Mapping[str, object]) -> Monitor:
    """Make the monitor from `what` (gists or events), `token` (none: 60 requests an hour) and `api`."""
    read = Settings(settings)
    what = read.text("what", "gists")
    if what not in PATHS:
        raise UsageError(f"the setting 'what' is {what!r}", "known: " + ", ".join(PATHS))
    made = GitHub(read.url("api", "https://api.github.com").rstrip("/"), what, read.text("token", ""))
    read.done()
    return made
