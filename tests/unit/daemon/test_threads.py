"""Threads of jobs: waited for to the last, also those that began meanwhile."""

from __future__ import annotations

import threading

from canary.daemon.threads import ThreadEach


def test_what_begins_while_it_is_waited_for_is_waited_for_too() -> None:
    each, ending = ThreadEach(), threading.Event()

    def second() -> None:
        ending.wait(0.1)

    def first() -> None:
        ending.wait(0.05)
        each.spawn("second", second)

    assert each.claim("first")
    each.spawn("first", first)
    assert each.join(5)
    assert not each.busy("first")


def test_what_does_not_end_is_told() -> None:
    each, ending = ThreadEach(), threading.Event()
    each.spawn("long", ending.wait)
    assert not each.join(0.05)
    ending.set()
    assert each.join(5)
