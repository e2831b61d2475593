"""Paste sites: each paste once, nothing lost to a busy or failing host without saying so."""

from __future__ import annotations

import json

import pytest

from canary.errors import OutsideError, UsageError
from canary.monitors import paste
from canary.monitors.parts import listing
from canary.net.fetch import Reply
from canary.net.pace import Later
from canary.ports import Monitor
from tests.watch_tools import CannedFetch, reply

LIST = "https://paste.example/list"
MONITOR = paste.monitor({"list_url": LIST})


def entry(n: int, **more: object) -> dict[str, object]:
    return {"key": f"k{n}", "scrape_url": f"https://paste.example/raw/{n}", "date": str(n), **more}


def site(*numbers: int, **broken: Reply | Exception) -> CannedFetch:
    pages: dict[str, Reply | Exception] = {LIST: reply(json.dumps([entry(n) for n in reversed(numbers)]))}
    for n in numbers:
        pages[f"https://paste.example/raw/{n}"] = broken.get(f"p{n}", reply(f"paste {n}"))
    return CannedFetch(pages)


def keys(poll: object) -> list[str]:
    return [item.key for item in poll.items]  # type: ignore[attr-defined]


def test_each_is_fetched_once_oldest_first() -> None:
    fetch = site(1, 2, 3)
    first = MONITOR.poll(None, fetch)
    assert keys(first) == ["k1", "k2", "k3"]
    assert first.items[0].detail == {"url": "https://paste.example/raw/1", "date": "1"}
    MONITOR.poll(first.cursor, fetch)
    urls = [url for url, _ in fetch.asked]
    assert urls.count(LIST) == 2
    assert sorted(set(urls)) == sorted([LIST, *(f"https://paste.example/raw/{n}" for n in (1, 2, 3))])
    assert len(urls) == 5


def test_a_busy_host_keeps_the_rest_waiting() -> None:
    first = MONITOR.poll(None, site(1, 2, 3, p2=Later("paste.example:443", 5, "busy")))
    assert (keys(first), first.more, first.gap) == (["k1"], False, False)
    later = site(1, 2, 3)
    later.pages[LIST] = reply(json.dumps([entry(4), entry(3)]))
    later.pages["https://paste.example/raw/4"] = reply("paste 4")
    second = MONITOR.poll(first.cursor, later)
    assert (keys(second), second.gap) == (["k2", "k3", "k4"], False)


def test_what_fails_is_tried_again_and_given_up_with_a_gap() -> None:
    broken = OutsideError("slow", "")
    cursor: str | None = None
    gaps = []
    for _ in range(4):
        poll = MONITOR.poll(cursor, site(1, 2, 3, p2=broken))
        cursor = poll.cursor
        gaps.append(poll.gap)
    assert gaps == [False, False, True, False]
    first = MONITOR.poll(None, site(1, 2, p1=reply("", 500)))
    assert keys(first) == ["k2"]
    assert keys(MONITOR.poll(first.cursor, site(1, 2))) == ["k1"]


def test_what_was_deleted_is_no_gap() -> None:
    first = MONITOR.poll(None, site(1, 2, p1=reply("", 404)))
    assert (keys(first), first.gap) == (["k2"], False)
    assert keys(MONITOR.poll(first.cursor, site(1, 2))) == []


def test_a_host_that_is_down_is_left_in_peace() -> None:
    broken = {f"p{n}": OutsideError("down", "") for n in range(1, 21)}
    fetch = site(*range(1, 21), **broken)
    first = MONITOR.poll(None, fetch)
    assert len(fetch.asked) == 4
    assert (first.items, first.more) == ((), False)
    assert len(keys(MONITOR.poll(first.cursor, site(*range(1, 21))))) == 20


def test_a_long_list_comes_in_parts() -> None:
    numbers = range(1, 121)
    fetch = site(*numbers)
    found: list[str] = []
    cursor, more, rounds = None, True, 0
    while more:
        poll = MONITOR.poll(cursor, fetch)
        found += keys(poll)
        cursor, more, rounds = poll.cursor, poll.more, rounds + 1
    assert found == [f"k{n}" for n in numbers]
    assert rounds == 3


def test_too_much_waiting_is_a_gap(monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(listing, "REMEMBERED", 5)
    poll = MONITOR.poll(None, site(*range(1, 9)))
    assert (keys(poll), poll.gap) == ([f"k{n}" for n in range(4, 9)], True)


def test_strange_entries_are_passed_over() -> None:
    listed = [
        5, {}, {"key": "a"}, {"key": {}, "scrape_url": "x"}, {"key": "b", "scrape_url": "http://[x"},
        {"key": 7, "scrape_url": "raw/7", "title": "t" * 1000, "tries": "x"}, {"key": 7, "scrape_url": "raw/7"},
    ]  # fmt: skip
    fetch = CannedFetch({LIST: reply(json.dumps(listed)), "https://paste.example/raw/7": reply("x")})
    poll = MONITOR.poll(None, fetch)
    assert keys(poll) == ["7"]


def test_an_address_that_is_none_harms_nothing_else() -> None:
    listed = [entry(1), entry(2, scrape_url="ftp://x/"), entry(3, scrape_url="http://x:999999/")]
    pages: dict[str, Reply | Exception] = {
        LIST: reply(json.dumps(listed)),
        "https://paste.example/raw/1": reply("x"),
    }
    for url in ("ftp://x/", "http://x:999999/"):
        pages[url] = UsageError("not an http or https address", "")
    assert keys(MONITOR.poll(None, CannedFetch(pages))) == ["k1"]


def described(**shape: object) -> Monitor:
    return paste.monitor({"list_url": LIST, "list": shape, "headers": {"Authorization": "Bearer s3cret"}})


def test_a_list_of_another_shape_with_an_address_to_make() -> None:
    monitor = described(items="result.docs", key="meta.id", address="/doc/{key}?raw=1", told=["meta.by"])
    told = {"result": {"docs": [{"meta": {"id": "a/b", "by": "x"}}, {"meta": {"id": True}}, {"meta": 5}]}}
    fetch = CannedFetch(
        {LIST: reply(json.dumps(told)), "https://paste.example/doc/a%2Fb?raw=1": reply("text")}
    )
    [item] = monitor.poll(None, fetch).items
    assert (item.key, item.raw) == ("a/b", b"text")
    assert item.detail == {"url": "https://paste.example/doc/a%2Fb?raw=1", "meta.by": "x"}
    assert {headers["Authorization"] for _, headers in fetch.asked} == {"Bearer s3cret"}
    assert "s3cret" not in repr(monitor)


def test_what_is_meant_for_one_host_is_told_to_no_other() -> None:
    monitor = described(link="url")
    other = "https://cdn.example/1"
    fetch = CannedFetch({LIST: reply(json.dumps([{"key": "1", "url": other}])), other: reply("x")})
    assert keys(monitor.poll(None, fetch)) == ["1"]
    assert fetch.asked[0][1] == {"Authorization": "Bearer s3cret"}
    assert fetch.asked[1] == (other, {})


def test_a_list_that_holds_its_texts_needs_no_second_request() -> None:
    fetch = CannedFetch({LIST: reply(json.dumps([{"key": n, "t": f"text {n}"} for n in range(200, 0, -1)]))})
    poll = described(text="t").poll(None, fetch)
    assert (keys(poll), poll.more) == ([str(n) for n in range(1, 201)], False)
    assert len(fetch.asked) == 1


@pytest.mark.parametrize(
    "shape",
    [
        {},
        {"key": "id"},
        {"link": "a", "text": "b"},
        {"link": "a", "surprise": "b"},
        {"link": "a", "told": "b"},
        {"link": "a", "told": [5]},
    ],
)
def test_a_shape_says_where_the_text_is(shape: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        described(**shape)


@pytest.mark.parametrize("body", [[], {"a": 5}, {"a": {"b": {}}}, {"a": {"b": [{"key": "1"}, 5]}}])
def test_a_list_that_changed_its_shape_is_an_outside_error(body: object) -> None:
    with pytest.raises(OutsideError):
        described(items="a.b", text="t").poll(None, CannedFetch({LIST: reply(json.dumps(body))}))
