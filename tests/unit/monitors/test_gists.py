"""Gists and events of GitHub, as its API tells them."""

from __future__ import annotations

import json

import pytest

from canary.errors import OutsideError, UsageError
from canary.monitors import gists
from canary.net.pace import Later
from tests.watch_tools import CannedFetch, reply

LIST = "https://api.github.com/gists/public?per_page=100"
RAW = "https://gist.githubusercontent.com/octo/aa5a315d61ae9438b18d/raw/{}/{}"


def gist(name: str, *files: tuple[str, str], **more: object) -> dict[str, object]:
    """Make a gist as the documentation of the API shows it, shortened."""
    listed = {
        file: {"filename": file, "type": "text/plain", "raw_url": RAW.format(blob, file), "size": 5}
        for file, blob in files
    }
    return {
        "id": name, "html_url": f"https://gist.github.com/{name}", "public": True, "updated_at": "2026-01-01T00:00:00Z",
        "description": "dump", "owner": {"login": "octocat"}, "files": listed, **more,
    }  # fmt: skip


def site(*listed: dict[str, object]) -> CannedFetch:
    fetch = CannedFetch({LIST: reply(json.dumps(listed), etag='"1"')})
    for one in listed:
        files = one["files"]
        assert isinstance(files, dict)
        for about in files.values():
            fetch.pages[about["raw_url"]] = reply(f"text at {about['raw_url']}")
    return fetch


def test_each_file_is_told_once_and_again_when_it_changes() -> None:
    monitor = gists.monitor({"token": "s3cret"})
    first = monitor.poll(None, site(gist("g1", ("a.txt", "b1"), ("b.txt", "b2"))))
    assert [item.key for item in first.items] == ["g1/b.txt", "g1/a.txt"]
    assert first.items[1].detail == {
        "url": RAW.format("b1", "a.txt"), "gist": "https://gist.github.com/g1", "owner": "octocat",
        "updated": "2026-01-01T00:00:00Z", "description": "dump",
    }  # fmt: skip
    changed = site(gist("g1", ("a.txt", "b9"), ("b.txt", "b2")))
    second = monitor.poll(first.cursor, changed)
    assert ([item.key for item in second.items], second.gap) == (["g1/a.txt"], False)
    assert changed.asked[0][1]["If-None-Match"] == '"1"'


def test_the_token_goes_to_the_api_alone() -> None:
    fetch = site(gist("g1", ("a.txt", "b1")))
    monitor = gists.monitor({"token": "s3cret"})
    monitor.poll(None, fetch)
    assert fetch.asked[0][1]["Authorization"] == "Bearer s3cret"
    assert fetch.asked[1] == (RAW.format("b1", "a.txt"), {})
    assert "s3cret" not in repr(monitor)
    free = site(gist("g1", ("a.txt", "b1")))
    gists.monitor({}).poll(None, free)
    assert "Authorization" not in free.asked[0][1]


def test_what_waits_is_fetched_though_the_list_did_not_change() -> None:
    busy = site(gist("g1", ("a.txt", "b1")))
    busy.pages[RAW.format("b1", "a.txt")] = Later("gist.githubusercontent.com:443", 5, "busy")
    first = gists.monitor({}).poll(None, busy)
    assert first.items == ()
    later = CannedFetch({LIST: reply(status=304), RAW.format("b1", "a.txt"): reply("x")})
    second = gists.monitor({}).poll(first.cursor, later)
    assert ([item.key for item in second.items], second.gap) == (["g1/a.txt"], False)
    third = CannedFetch({LIST: reply(status=304)})
    assert gists.monitor({}).poll(second.cursor, third).items == ()
    assert third.asked[0][1]["If-None-Match"] == '"1"'


def test_older_pages_are_read_as_far_as_the_last_poll_went() -> None:
    first = gists.monitor({}).poll(None, site(gist("g1", ("a.txt", "b1"))))
    fetch = site(*(gist(f"g{n}", ("a.txt", f"b{n}")) for n in (5, 4, 3, 2, 1)))
    for page, names in (("", "54"), ("&page=2", "32"), ("&page=3", "1")):
        fetch.pages[LIST + page] = reply(json.dumps([gist(f"g{n}", ("a.txt", f"b{n}")) for n in names]))
    second = gists.monitor({}).poll(first.cursor, fetch)
    assert ([item.key for item in second.items], second.gap) == ([f"g{n}/a.txt" for n in "2345"], False)
    assert [url for url, _ in fetch.asked if url.startswith(LIST)] == [
        LIST,
        f"{LIST}&page=2",
        f"{LIST}&page=3",
    ]
    fetch.pages |= {f"{LIST}&page={n}": reply("[]", 422) for n in range(2, 6)}
    fetch.pages[LIST] = reply(json.dumps([gist("g9", ("a.txt", "b5"))]))
    assert gists.monitor({}).poll(second.cursor, fetch).gap
    fetch.pages[f"{LIST}&page=2"] = Later("api.github.com:443", 5, "busy")
    assert gists.monitor({}).poll(second.cursor, fetch).gap


def test_an_event_is_told_as_it_is() -> None:
    events = [
        {"id": "2", "type": "IssueCommentEvent", "actor": {"login": "a"}, "repo": {"name": "a/b"},
         "payload": {"comment": {"body": "张三 zhang@alias.example.com"}}},
        {"id": "1", "type": "PushEvent", "actor": None, "payload": {}},
    ]  # fmt: skip
    url = "https://api.github.com/events?per_page=100"
    poll = gists.monitor({"what": "events"}).poll(None, CannedFetch({url: reply(json.dumps(events))}))
    assert [item.key for item in poll.items] == ["1", "2"]
    assert "张三".encode() in poll.items[1].raw
    assert poll.items[1].detail == {"type": "IssueCommentEvent", "actor": "a", "repo": "a/b"}


STRANGE = [
    {"id": 5, "files": {}},
    {"id": "x", "files": 5},
    {"id": "x", "files": {"a": 5, "b": {"raw_url": 5}, "c": {"raw_url": "file:///etc/passwd"}}},
]


@pytest.mark.parametrize("strange", [5, "x", None, [], {}, *STRANGE])
def test_strange_gists_are_passed_over_and_nothing_else_is_an_outside_error(strange: object) -> None:
    good = gist("g1", ("a.txt", "b1"))
    fetch = CannedFetch({LIST: reply(json.dumps([strange, good])), RAW.format("b1", "a.txt"): reply("x")})
    assert [item.key for item in gists.monitor({}).poll(None, fetch).items] == ["g1/a.txt"]
    for what in ("gists", "events"):
        url = LIST if what == "gists" else "https://api.github.com/events?per_page=100"
        with pytest.raises(OutsideError):
            gists.monitor({"what": what}).poll(None, CannedFetch({url: reply(json.dumps([{"x": strange}]))}))


def test_an_unknown_list() -> None:
    with pytest.raises(UsageError, match="wikis"):
        gists.monitor({"what": "wikis"})
