"""Callers, captures, self-tests, channels and what waits to be read, on both databases."""

from __future__ import annotations

import hashlib

from canary.model.sight import Match, Sighting
from canary.store import callers, captures, channels, selftests, sightings, unread
from canary.store.captures import Capture
from canary.store.registry import Registry
from canary.store.tables import sightings as rows
from canary.store.tx import Tx

WEAK = Match("c-1", "phone", ("phone",), "plain", "weak", expected_chance_hits=0.5)
FROM = "+8613800138000"


def call(number: int, raw: bytes = b"raw", **detail: str) -> Sighting:
    told = {"from": FROM, "clid": '"Wang" <138>', "duration": "5", **detail}
    return Sighting(
        f"s-{number}", "phone", "phone", f"call-{number}", "call", "154", 1_000, 2_000 + number,
        hashlib.sha256(raw).hexdigest(), len(raw), told,
    )  # fmt: skip


def add(tx: Tx, *numbers: int) -> dict[str, int]:
    return sightings.add_many(tx, [(call(number), b"raw") for number in numbers])


def test_who_called_is_forgotten_where_nothing_matched_and_the_digest_stays(issued: Registry) -> None:
    with issued.begin() as tx:
        assert set(add(tx, 1, 2, 3)) == {"s-1", "s-2", "s-3"}
        assert add(tx, 1) == {}
        sightings.add_match(tx, "s-1", WEAK)
        assert callers.times(tx, FROM) == 3
        assert callers.forget(tx, 2_003) == 1
        assert callers.forget(tx, 2_003) == 0
        kept = {one.id: one.detail for one in sightings.list_all(tx)}
        assert kept["s-1"] == call(1).detail
        assert kept["s-2"] == {"duration": "5"}
        assert kept["s-3"] == call(3).detail
        assert [sightings.raw(tx, f"s-{n}") is None for n in (1, 2, 3)] == [False, True, False]
        assert callers.times(tx, FROM) == 3
        assert callers.times(tx, "other") == 0
        sealed = [row.detail for row in tx.conn.execute(rows.select())]
    assert all(FROM.encode() not in one for one in sealed)


def test_calls_without_number_and_mails_have_no_caller(registry: Registry) -> None:
    mail = Sighting("s-9", "m", "smtp", "i", "mail", "a@b", 1, 1, "0" * 64, 1, {"from": "x@y"})
    hidden = call(8)
    with registry.begin() as tx:
        made = sightings.add_many(tx, [(mail, b"x")])
        assert len(made) == 1
        sightings.add(tx, Sighting(**{**_fields(hidden), "detail": {"from": "", "duration": "5"}}), b"y")
        assert callers.forget(tx, 10**12) == 0
        assert [one.detail for one in sightings.list_all(tx)] == [{"from": "x@y"}, {"duration": "5"}]


def _fields(one: Sighting) -> dict[str, object]:
    return {name: getattr(one, name) for name in one.__dataclass_fields__}


def test_captures_belong_to_sightings(registry: Registry) -> None:
    two = [Capture(5, "a" * 64, 10, b"record one"), Capture(6, "b" * 64, 20, b"record two")]
    with registry.begin() as tx:
        add(tx, 1, 2)
        first, second = captures.add(tx, "feed", 1_000, two)
        captures.link(tx, [("s-1", first), ("s-1", second), ("s-2", first)])
        captures.link(tx, [])
        assert captures.of_sighting(tx, "s-1") == two
        assert captures.of_sighting(tx, "s-2") == two[:1]
        assert captures.of_sighting(tx, "s-3") == []
        assert captures.forget(tx, 6) == 1
        assert captures.of_sighting(tx, "s-2") == [Capture(5, "a" * 64, 10, None)]


def test_a_self_test_comes_back_once_or_is_missed_once(registry: Registry) -> None:
    with registry.begin() as tx:
        assert selftests.get(tx, "feed") is None
        selftests.plant(tx, "feed", "word", 100, 300)
        assert selftests.missing(tx, 299) == []
        [late] = selftests.missing(tx, 300)
        assert (late.source, late.token, late.planted_ms) == ("feed", "word", 100)
        assert selftests.alarmed(tx, "feed", 300)
        assert not selftests.alarmed(tx, "feed", 301)
        assert selftests.missing(tx, 300) == []
        assert not selftests.seen(tx, "feed", "another", 310)
        assert selftests.seen(tx, "feed", "word", 310)
        assert not selftests.seen(tx, "feed", "word", 311)
        selftests.plant(tx, "feed", "next", 400, 600)
        found = selftests.get(tx, "feed")
        assert found == selftests.SelfTest("feed", "next", 400, 600)
        selftests.drop(tx, "feed")
        assert selftests.list_all(tx) == []


def test_a_channel_fails_since_its_first_failure_and_is_told_once(registry: Registry) -> None:
    with registry.begin() as tx:
        channels.failed(tx, "ops", "HTTP 500\x00", 100)
        channels.failed(tx, "ops", "HTTP 502", 200)
        state = channels.get(tx, "ops")
        assert state == channels.ChannelState("ops", 100, None, 200, "HTTP 502")
        assert channels.untold(tx, 99) == []
        assert [one.name for one in channels.untold(tx, 100)] == ["ops"]
        assert channels.told(tx, "ops", 300)
        assert not channels.told(tx, "ops", 301)
        assert channels.untold(tx, 999) == []
        before = channels.worked(tx, "ops", 400)
        assert before is not None
        assert before.told_ms == 300
        assert channels.worked(tx, "new", 400) is None
        channels.failed(tx, "ops", "again", 500)
        assert [(one.name, one.since_ms) for one in channels.list_all(tx)] == [("new", None), ("ops", 500)]
        assert channels.get(tx, "none") is None


def test_what_waits_to_be_read_is_read_by_one_alone(registry: Registry) -> None:
    with registry.begin() as tx:
        made = sightings.add_many(
            tx, [(call(1, b"one"), b"one"), (call(2, b"two"), b"two"), (call(3, b"one"), b"one")]
        )
        unread.add(tx, list(made.values()), 50)
        unread.add(tx, [], 50)
        assert unread.count(tx) == 3
        assert set(unread.waiting(tx, 1)) == {"s-1", "s-3"}  # one message
        assert unread.oldest(tx) == 50
        assert unread.done(tx, [made["s-1"], made["s-3"]]) == {made["s-1"], made["s-3"]}
        assert unread.done(tx, [made["s-1"], made["s-2"]]) == {made["s-2"]}
        assert unread.waiting(tx, 9) == {}
