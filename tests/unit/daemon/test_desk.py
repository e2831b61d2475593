"""The desk: groups are committed together, and one bad arrival does not take the others with it."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from typing import Any, cast

import pytest

from canary.daemon import desk as desks
from canary.daemon.desk import GroupDesk
from canary.daemon.polling import Poller
from canary.daemon.settings import Source
from canary.errors import OutsideError
from canary.model.sight import Item
from canary.steps.watch import Arrival, Taken, Taker
from tests.watch_tools import HandClock

NO_TAKER = cast(Taker, object())


class FakeTake:
    """Stands for the step: notes each batch, and fails for what it is told to."""

    def __init__(self, worse: type[Exception] | None = None) -> None:
        self.batches: list[list[str]] = []
        self._worse = worse

    def __call__(self, taker: Taker, arrivals: Sequence[Arrival], read: bool) -> Taken:
        assert not read
        self.batches.append([one.item.key for one in arrivals])
        if self._worse is not None and any(one.item.key == "bad" for one in arrivals):
            raise self._worse("no", "") if issubclass(self._worse, OutsideError) else self._worse("no")
        return Taken(tuple(one.item.key != "foreign" for one in arrivals))


def hand_in(take: FakeTake, *groups: Sequence[str], raw: bytes = b"") -> list[list[bool] | BaseException]:
    """Hand in groups of items at once and give what each was answered."""

    async def all_at_once() -> list[Any]:
        one = GroupDesk(NO_TAKER)
        desk = one.desk_of("mail", "smtp")
        answers = await asyncio.gather(
            *(desk([Item(key, raw, 0) for key in group]) for group in groups), return_exceptions=True
        )
        await one.close()
        return answers

    return asyncio.run(all_at_once())


@pytest.fixture
def take(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> FakeTake:
    made = FakeTake(getattr(request, "param", None))
    monkeypatch.setattr(desks, "take", made)
    monkeypatch.setattr("canary.daemon.reader.read_on", lambda taker, most: 0)
    return made


def test_what_comes_together_is_committed_together(take: FakeTake) -> None:
    assert hand_in(take, ["a", "foreign"], ["b"], []) == [[True, False], [True], []]
    assert take.batches == [["a", "foreign", "b"]]


def test_groups_are_bounded_but_never_split(take: FakeTake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desks, "MOST", 3)
    hand_in(take, list("abcde"), ["f"], ["g", "h"], ["i"])
    assert take.batches == [list("abcde"), list("fgh"), ["i"]]
    monkeypatch.setattr(desks, "MOST_BYTES", 15)
    hand_in(take, ["a"], ["b"], raw=bytes(10))
    assert take.batches[3:] == [["a"], ["b"]]


@pytest.mark.parametrize("take", [OutsideError], indirect=True)
def test_a_registry_that_fails_fails_for_all(take: FakeTake) -> None:
    answers = hand_in(take, ["a"], ["bad"])
    assert [type(answer) for answer in answers] == [OutsideError, OutsideError]
    assert len(take.batches) == 1


@pytest.mark.parametrize("take", [KeyError], indirect=True)
def test_an_arrival_that_stumbles_is_stored_apart_from_the_others(take: FakeTake) -> None:
    first, second, third = hand_in(take, ["a"], ["bad"], ["c"])
    assert (first, third) == ([True], [True])
    assert isinstance(second, OutsideError)
    assert take.batches == [["a", "bad", "c"], ["a"], ["bad"], ["c"]]


def test_a_desk_that_was_never_used_closes() -> None:
    async def close() -> None:
        await GroupDesk(NO_TAKER).close()

    asyncio.run(close())


def test_where_the_registry_fails_the_poll_is_told_and_not_lost(caplog: pytest.LogCaptureFixture) -> None:
    class Broken:
        def begin(self) -> object:
            raise OutsideError("the registry is down", "")

    taker = Taker(cast(Any, Broken()), cast(Any, None), HandClock(), cast(Any, None))
    polled = Poller(taker, random.Random(1)).poll(Source("feed", "feed", 1_000), cast(Any, None))
    assert polled.error == "the registry is down"
    assert "so does the registry" in caplog.text
