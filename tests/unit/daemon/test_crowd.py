"""Runs that begin at once make room for each other; those that hang keep nobody waiting."""

from __future__ import annotations

from contextlib import ExitStack

from canary.daemon.crowd import YOUNG, YOUNG_SECONDS, Crowd


def test_only_so_many_are_young_at_once(monkeypatch) -> None:  # type: ignore[no-untyped-def]
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
