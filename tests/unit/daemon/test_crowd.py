"""Runs that begin at once make room for each other; those that hang keep nobody waiting."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from contextlib import ExitStack

import pytest

from canary.daemon.crowd import YOUNG, YOUNG_SECONDS, Away, Crowd
from canary.net.fetch import Reply


def test_only_so_many_are_young_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    moment = [0.0]
    crowd = Crowd(lambda: moment[0])
    threads = iter(range(1_000))
    monkeypatch.setattr("threading.get_ident", lambda: next(threads))
    with ExitStack() as running:
        for _ in range(YOUNG):
            assert crowd.room()
            running.enter_context(crowd.entered())
        assert not crowd.room()
        moment[0] += YOUNG_SECONDS  # they hang
        for _ in range(YOUNG):
            assert crowd.room()
        assert not crowd.room()
        moment[0] += YOUNG_SECONDS  # their threads never came to begin
        assert crowd.room()
    with crowd.entered():
        assert [crowd.room() for _ in range(YOUNG)] == [True] * (YOUNG - 1) + [False]


def test_who_waits_for_an_answer_takes_no_place_and_comes_back_when_there_is_room(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("canary.daemon.crowd.YOUNG", 1)
    monkeypatch.setattr("canary.daemon.crowd.LOOK_SECONDS", 5.0)
    crowd, answered, got = Crowd(time.monotonic), threading.Event(), []

    class Slow:
        def get(self, url: str, headers: Mapping[str, str] | None = None) -> Reply:
            answered.wait(5)
            return Reply(200, headers or {}, b"x", url)

    def run() -> None:
        with crowd.entered():
            got.append(Away(crowd, Slow()).get("https://x.example/", {"a": "b"}).headers)

    assert crowd.room()
    first = threading.Thread(target=run)
    first.start()
    began = time.monotonic()
    while not crowd.room():  # the first is away by now
        assert time.monotonic() - began < 5
        time.sleep(0.001)
    with crowd.entered():
        assert not crowd.room()
        answered.set()
        first.join(0.05)
        assert got == []  # it has its answer, and no place
    first.join(5)
    assert got == [{"a": "b"}]
    assert crowd.room()


def test_what_grows_old_makes_room_for_who_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("canary.daemon.crowd.YOUNG", 1)
    monkeypatch.setattr("canary.daemon.crowd.YOUNG_SECONDS", 0.05)
    crowd = Crowd(time.monotonic)
    with ExitStack() as running:
        running.enter_context(crowd.entered())
        ident = threading.get_ident()
        monkeypatch.setattr("threading.get_ident", lambda: ident + 1)
        running.enter_context(crowd.entered())
        with crowd.away():
            pass
