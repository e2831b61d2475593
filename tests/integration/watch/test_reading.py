"""What is taken in fast and read later ends up as if it had been read at once."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from canary.daemon import chores
from canary.daemon.health import watch_health
from canary.model.sight import Item
from canary.steps import selftest
from canary.steps.lookout import Look, Thing
from canary.steps.reading import read_all, read_on
from canary.steps.watch import Arrival, Taker, knows, take
from canary.store import incidents, journal, selftests, sightings, sources, unread
from canary.store.registry import Registry
from tests.integration.watch.conftest import MakeTaker
from tests.watch_tools import NOW_MS, SIGNER, HandClock, Planted, fresh_registry, plant


def mails(planted: list[Planted]) -> list[Arrival]:
    """Make a mail to two canaries that holds a third one, one that holds its own number, and a probe."""
    both = f"To: x\r\n\r\n{planted[0].phone} {planted[2].alias}\r\n".encode()
    own = f"To: x\r\n\r\n{planted[3].waybill}\r\n".encode()
    found = [(planted[0], both, "mail"), (planted[1], both, "mail"), (planted[3], own, "mail")]
    items = [
        Item(
            f"<{len(raw)}@x>#{one.id}",
            raw,
            NOW_MS,
            event,
            one.alias,
            detail={"message_id": f"<{len(raw)}@x>"},
        )
        for one, raw, event in [*found, (planted[4], b"RCPT", "probe")]
    ]
    return [Arrival("mail", "smtp", item) for item in items]


def told(registry: Registry) -> tuple[object, ...]:
    """Give what is stored, without what is drawn at random."""
    with registry.read() as tx:
        seen = sightings.list_all(tx)
        report = journal.verify(tx, SIGNER.public)
        assert report.ok
        incident = [one.id for one in incidents.list_all(tx)]
    kept = [(one.item, one.event, one.contact, one.sha256, _matched(one.matches)) for one in seen]
    return kept, [incident.index(one.incident) for one in seen if one.incident], report.entries


def _matched(found: object) -> list[tuple[object, ...]]:
    return [(one.canary, one.field, one.fields, one.strength) for one in found]  # type: ignore[attr-defined]


def test_it_comes_to_the_same(registry: Registry, taker: MakeTaker, tmp_path: Path) -> None:
    planted = plant(registry, 8)
    late = taker(planted)
    taken = take(late, mails(planted), read=False)
    assert taken.ours == (True,) * 4
    assert late.eyes.looked == []  # type: ignore[attr-defined]
    with registry.read() as tx:
        assert unread.count(tx) == 3
        assert all(len(one.matches) == 1 for one in sightings.list_all(tx))
    assert read_all(late) == 3
    assert len(late.eyes.looked) == 2  # type: ignore[attr-defined]
    assert read_on(late) == 0
    with registry.read() as tx:
        data = [one for one in sightings.list_all(tx) if one.event == "data"]
        own = next(one for one in sightings.list_all(tx) if one.contact == planted[3].alias)
    assert [match.canary for one in data for match in one.matches] == ["c-2"]
    assert own.matches[0].fields == ("email", "waybill_no")

    (tmp_path / "other").mkdir()
    with fresh_registry(tmp_path / "other") as other:
        plant(other, 8)
        at_once = Taker(other, SIGNER, late.clock, late.eyes, late.policy)
        take(at_once, mails(planted))
        assert sorted(told(other)[0]) == sorted(told(registry)[0])  # type: ignore[call-overload]


def test_what_a_killed_node_left_is_read_by_the_next_and_once(registry: Registry, taker: MakeTaker) -> None:
    planted = plant(registry, 8)
    first, second = taker(planted), taker(planted)
    take(first, mails(planted), read=False)

    class Overtaken:
        """Eyes during whose look another node reads the same."""

        def look_all(self, things: Sequence[Thing]) -> list[Look]:
            read_all(second)
            return second.eyes.look_all(things)

    read_on(Taker(registry, SIGNER, first.clock, Overtaken(), first.policy))  # type: ignore[arg-type]
    with registry.read() as tx:
        assert unread.count(tx) == 0
        assert len(sightings.list_all(tx)) == 5
        assert journal.verify(tx, SIGNER.public).ok


def test_what_was_left_is_read_in_parts_that_keep_nobody_waiting(
    registry: Registry, taker: MakeTaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chores, "LEFT_TURNS", 1)
    monkeypatch.setattr("canary.steps.reading.read_on.__defaults__", (2,))
    planted = plant(registry, 8)
    ready = taker(planted)
    assert isinstance(ready.clock, HandClock)
    take(ready, mails(planted), read=False)
    assert chores.read_leftovers(ready) == 0
    ready.clock.ms += chores.UNREAD_MS + 1
    health = watch_health(registry, [], ready.clock.now_ms())
    assert health.unread == 3
    assert health.unread_oldest >= 60
    assert [chores.read_leftovers(ready) for _ in range(3)] == [2, 1, 0]
    health = watch_health(registry, [], ready.clock.now_ms())
    assert (health.unread, health.unread_oldest) == (0, 0.0)


def test_what_reaches_a_receiver_is_counted_as_its_items(registry: Registry, taker: MakeTaker) -> None:
    planted = plant(registry, 8)
    with registry.begin() as tx:
        sources.ensure(tx, "mail", "smtp")
    for _ in range(2):  # what is repeated counts once
        take(taker(planted), mails(planted), read=False)
    with registry.read() as tx:
        state = sources.get(tx, "mail")
        assert state is not None
        assert state.items == len(sightings.list_all(tx))


def test_a_self_test_comes_back_as_data_or_mail_and_opens_nothing(
    registry: Registry, taker: MakeTaker
) -> None:
    one = taker(plant(registry, 1))
    with registry.begin() as tx:
        word = selftest.plant(tx, "feed", NOW_MS, 60_000)
        mail = selftest.plant(tx, "mail", NOW_MS, 60_000)
    assert knows(registry, f"{mail}@selftest.invalid")
    assert not knows(registry, "canaryselftest@selftest.invalid")
    foreign = take(one, [Arrival("other", "feed", Item("k", word.encode(), 0))])
    assert foreign.sightings == 1
    with registry.read() as tx:
        assert len(selftest.pending(tx)) == 2
    to = f"{mail.upper()}@selftest.invalid"
    taken = take(
        one,
        [
            Arrival("feed", "feed", Item("k", f"<p>{word}</p>".encode(), 0)),
            Arrival("mail", "smtp", Item("m", b"hello", NOW_MS, "mail", to)),
        ],
        read=False,
    )
    assert (taken.ours, taken.sightings, taken.opened) == ((True, True), 2, ())
    with registry.read() as tx:
        assert {test.source: test.seen_ms for test in selftests.list_all(tx)} == {
            "feed": NOW_MS,
            "mail": NOW_MS,
        }
        assert [seen.detail.get("self_test") for seen in sightings.list_all(tx)] == [
            None,
            "came back",
            "came back",
        ]
    assert not knows(registry, f"{mail}@selftest.invalid")
