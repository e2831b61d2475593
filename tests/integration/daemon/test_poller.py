"""One source polled by hand-set clocks: pace, backoff, breaker, fences, and what is kept of what was fetched."""

from __future__ import annotations

import io
import json
import random
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pytest
from warcio.archiveiterator import ArchiveIterator

from canary.alerts.policy import AlertPolicy
from canary.daemon.polling import LEASE_MS, Poller
from canary.daemon.settings import Source
from canary.errors import OutsideError
from canary.model.sight import Item, Poll
from canary.net.fetch import Reply
from canary.net.pace import Later
from canary.ports import Fetch
from canary.steps import warcs
from canary.steps.watch import Taker
from canary.store import captures, outbox, runs, sightings, sources
from canary.store.registry import Registry
from canary.store.sources import SourceState
from tests.watch_tools import NOW_MS, SIGNER, CannedFetch, HandClock, PlainEyes, Planted, reply

MINUTE = 60_000
LIST, PASTE = "https://x.example/list", "https://x.example/1"


@dataclass
class Scripted:
    """A monitor that does what each poll's script says."""

    scripts: list[Callable[[str | None, Fetch], Poll]]
    cursors: list[str | None] = field(default_factory=list)

    def poll(self, cursor: str | None, fetch: Fetch) -> Poll:
        self.cursors.append(cursor)
        return self.scripts.pop(0)(cursor, fetch)


def gives(cursor: str = "c", *texts: str, gap: bool = False, more: bool = False) -> Callable[..., Poll]:
    items = tuple(Item(f"k-{text}", text.encode(), 0) for text in texts)
    return lambda _cursor, _fetch: Poll(items, cursor, gap, more)


def fails(error: Exception | None = None) -> Callable[..., Poll]:
    def script(_cursor: str | None, _fetch: Fetch) -> Poll:
        raise error or OutsideError("the source answered 500", "")

    return script


@dataclass
class World:
    """A poller of one source every minute, and the clock it goes by."""

    registry: Registry
    clock: HandClock
    poller: Poller
    taker: Taker

    def poll(
        self, *scripts: Callable[..., Poll], pages: dict[str, Reply | Exception] | None = None
    ) -> Scripted:
        monitor = Scripted(list(scripts))
        self.last = self.poller.poll(Source("feed", "feed", MINUTE, monitor), CannedFetch(pages or {}))
        return monitor

    def state(self) -> SourceState:
        with self.registry.read() as tx:
            found = sources.get(tx, "feed")
        assert found is not None
        return found

    def wait_until_due(self) -> int:
        due = self.state().due_ms
        assert due is not None
        waited, self.clock.ms = due - self.clock.ms, due
        return waited

    def events(self) -> list[tuple[str, str]]:
        with self.registry.read() as tx:
            return [(one.event, one.channel) for one in outbox.list_all(tx)]


@pytest.fixture
def world(registry: Registry, planted: list[Planted]) -> World:
    clock = HandClock()
    taker = Taker(registry, SIGNER, clock, PlainEyes(planted), AlertPolicy(("ops", "chat"), 60_000))
    with registry.begin() as tx:
        sources.enlist(tx, "feed", "feed", NOW_MS, NOW_MS)
    return World(registry, clock, Poller(taker, random.Random(3), node="a"), taker)


def test_polls_stay_in_step_and_wait_for_their_slot(world: World) -> None:
    world.poll(gives("c1", "x"))
    assert (world.last.items, world.last.error) == (1, None)
    world.poll(gives())
    assert world.last.skipped
    for _ in range(3):
        world.wait_until_due()
        world.clock.ms += 5_000
        world.poll(gives("c2"))
    state = world.state()
    assert (state.slot, state.skipped, state.polls, state.cursor) == (NOW_MS + 4 * MINUTE, 0, 4, "c2")
    world.clock.ms += 10 * MINUTE
    world.poll(gives("c3"))
    assert (world.state().slot, world.state().skipped) == (NOW_MS + 14 * MINUTE, 9)


def test_a_gap_shortens_the_interval(world: World) -> None:
    world.poll(gives(gap=True))
    assert world.wait_until_due() <= MINUTE // 2 + 2_000
    assert world.state().gaps == 1


def test_a_host_that_asks_for_a_pause_between_polls_gets_it(world: World) -> None:
    def ask(_cursor: str | None, fetch: Fetch) -> Poll:
        fetch.get(LIST)
        return Poll((), "c")

    world.poll(ask, pages={LIST: reply(x_poll_interval="300")})
    assert 300_000 <= world.wait_until_due() <= 302_000
    assert world.state().pace_ms == 300_000
    world.poll(ask, pages={LIST: reply(status=304)})
    state = world.state()
    assert (state.requests, state.unchanged, state.pace_ms) == (2, 1, None)
    assert world.wait_until_due() <= MINUTE + 2_000


def test_a_source_that_keeps_failing_is_asked_ever_less_and_alarms_once(world: World) -> None:
    waits = []
    for _ in range(12):
        world.poll(fails())
        waits.append(world.wait_until_due())
    assert all(wait >= MINUTE for wait in waits)
    assert max(waits) <= 3_600_000 + 2_000
    assert sum(waits[6:]) > 5 * sum(waits[:6])
    state = world.state()
    assert (state.failures, state.breaker) == (12, "open")
    assert "12 failures in a row, next try in" in (state.last_error or "")
    assert world.events() == [("source.alarm", "ops"), ("source.alarm", "chat")]
    world.poll(gives())
    state = world.state()
    assert (state.failures, state.breaker, state.last_error) == (0, "closed", None)
    world.wait_until_due()
    for _ in range(5):
        world.poll(fails())
        world.wait_until_due()
    assert len(world.events()) == 4
    print(f"17 failures in {sum(waits) // 60_000} minutes and 12 requests; 2 alarms")


def test_a_host_that_says_when_is_asked_then(world: World) -> None:
    world.poll(fails(Later("x.example:443", world.clock.ms + 5_000, "it answered 429")))
    assert world.wait_until_due() == 5_000


def test_a_stalled_node_stores_nothing_over_what_came_after_it(world: World) -> None:
    """Node a stalls within its poll; b takes over when its hold has run out; a wakes up."""
    other = World(world.registry, world.clock, Poller(world.taker, random.Random(4), node="b"), world.taker)

    def stall(_cursor: str | None, _fetch: Fetch) -> Poll:
        other.poll(gives("early"))
        assert other.last.skipped
        world.clock.ms += LEASE_MS + 1
        other.poll(gives("newer", "one", "two"))
        assert other.last.items == 2
        return Poll((Item("k-one", b"one", 0), Item("k-stale", b"stale", 0)), "older")

    world.poll(stall)
    assert world.last.skipped
    assert world.last.error is None
    assert world.state().cursor == "newer"
    with world.registry.read() as tx:
        assert sorted(seen.item for seen in sightings.list_all(tx)) == ["k-one", "k-two"]
        [run] = runs.last(tx, "feed")
    assert (run.begins, run.node) == (2, "b")


def test_a_stalled_node_cannot_blame_the_source_either(world: World) -> None:
    other = World(world.registry, world.clock, Poller(world.taker, random.Random(4), node="b"), world.taker)

    def stall(_cursor: str | None, _fetch: Fetch) -> Poll:
        world.clock.ms += LEASE_MS + 1
        other.poll(gives("newer"))
        raise OutsideError("the source answered 500", "")

    world.poll(stall)
    assert (world.state().failures, world.state().cursor) == (0, "newer")


def test_a_poll_that_goes_on_is_stored_part_by_part(world: World) -> None:
    monitor = world.poll(gives("c1", "a", more=True), gives("c2", "b", more=True), gives("c3", more=True))
    assert monitor.cursors == [None, "c1", "c2"]
    assert (world.state().cursor, world.state().polls) == ("c3", 3)
    assert world.wait_until_due() == 1_000
    with world.registry.read() as tx:
        [run] = runs.last(tx, "feed")
    assert run._mapping["items"] == 2


def test_a_poll_that_we_cut_short_is_nobodys_fault(world: World) -> None:
    stopping = threading.Event()
    world.poller = Poller(world.taker, random.Random(3), stopping=stopping)

    def cut(_cursor: str | None, _fetch: Fetch) -> Poll:
        stopping.set()
        raise Later("x", 0, "the watch is stopping")

    world.poll(cut)
    state = world.state()
    assert (state.failures, state.due_ms, state.slot) == (0, world.clock.ms, NOW_MS)
    with world.registry.read() as tx:
        assert runs.unended(tx) == 1


def test_without_the_lead_nothing_is_polled(world: World) -> None:
    from canary.store.leases import Overtaken

    def leads(_tx: object) -> None:
        raise Overtaken("the schedule")

    world.poller = Poller(world.taker, random.Random(3), leads=leads)
    assert world.poll(gives()).cursors == []
    assert world.last.skipped


def paste(_cursor: str | None, fetch: Fetch) -> Poll:
    fetch.get(LIST)
    body = fetch.get(PASTE).body
    return Poll((Item("1", body, 0, detail={"url": PASTE}),), "c")


def records(file: bytes) -> Sequence[tuple[str, str, bytes]]:
    found = []
    for one in ArchiveIterator(io.BytesIO(file), check_digests="raise"):
        uri = one.rec_headers.get_header("WARC-Target-URI") or ""
        found.append((one.rec_type, uri, one.content_stream().read()))
    return found


def test_what_was_fetched_is_kept_as_warc_and_leaves_with_the_sighting(
    world: World, planted: list[Planted]
) -> None:
    listed = json.dumps([{"key": "1"}]).encode()
    leak = f"{planted[0].alias},{planted[0].phone}".encode()
    pages: dict[str, Reply | Exception] = {
        LIST: reply(listed, content_type="application/json", set_cookie="s=secret"),
        PASTE: reply(leak, content_encoding="gzip", x="a\r\nb"),
    }
    world.poll(paste, pages=pages)
    world.wait_until_due()
    world.poll(paste, pages=pages)  # nothing new: nothing more is kept
    with world.registry.read() as tx:
        [seen] = sightings.list_all(tx)
        kept = captures.of_sighting(tx, seen.id)
        raw = sightings.raw(tx, seen.id)
    assert len(kept) == 2
    assert kept[1].sha256 == seen.sha256
    file = warcs.export(seen, raw, kept)
    assert file == warcs.export(seen, raw, kept)
    info, page, same, item = records(file)
    assert info[0] == "warcinfo"
    assert page == ("response", LIST, listed)
    assert same == ("revisit", PASTE, b"")
    assert item == ("resource", f"urn:canary:sighting:{seen.id}", leak)
    assert b"secret" not in b"".join(one.record or b"" for one in kept)
    assert [one[0] for one in records(warcs.export(seen, None, []))] == ["warcinfo"]


def test_captures_without_match_are_kept_by_hash_only_in_time(world: World, planted: list[Planted]) -> None:
    def page(text: str) -> dict[str, Reply | Exception]:
        return {LIST: reply(text), PASTE: reply(text + "!")}

    world.poll(paste, pages=page("nothing"))
    world.wait_until_due()
    world.poll(paste, pages=page(planted[0].alias))
    with world.registry.begin() as tx:
        assert captures.forget(tx, world.clock.ms + 1) == 2
        kept = [captures.of_sighting(tx, seen.id) for seen in sightings.list_all(tx)]
    assert [[one.record is None for one in each] for each in kept] == [[True, True], [False, False]]
    assert [one.size for one in kept[0]] == [7, 8]
