"""Delivery by hand-set clocks: a channel that is down for a day, and who is told that it is."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, field
from functools import partial

import pytest

from canary.alerts.letter import Alert
from canary.alerts.policy import AlertPolicy, parse_quiet
from canary.daemon import chores
from canary.daemon.deliver import Delivery
from canary.errors import OutsideError
from canary.steps.alarms import mended_channel
from canary.steps.watch import Taker
from canary.store import channels, journal, outbox
from canary.store.registry import Registry
from tests.watch_tools import SIGNER, HandClock, PlainEyes

SECOND, MINUTE, HOUR = 1_000, 60_000, 3_600_000


@dataclass
class Hook:
    """A channel that a test switches off and on."""

    name: str
    up: bool = True
    got: list[Alert] = field(default_factory=list)
    tries: int = 0

    def send(self, alert: Alert) -> None:
        self.tries += 1
        if not self.up:
            raise OutsideError("the webhook answered 503", "")
        self.got.append(alert)

    def events(self) -> list[str]:
        return [one.event for one in self.got]


@dataclass
class Post:
    """An outbox with its delivery, and the leader's chores."""

    registry: Registry
    clock: HandClock
    taker: Taker
    delivery: Delivery

    def put(self, key: str, channel: str) -> None:
        with self.registry.begin() as tx:
            outbox.add(tx, key=key, event="incident.opened", channel=channel, body="{}", due_ms=self.clock.ms)

    def pass_time(self, ms: int, step_ms: int = 15 * SECOND) -> None:
        for _ in range(0, ms, step_ms):
            self.delivery.turn(wait=True)
            chores.alarm(self.taker)
            self.clock.ms += step_ms


def post_of(registry: Registry, *hooks: Hook, quiet: str = "") -> Post:
    clock = HandClock()
    policy = AlertPolicy(tuple(one.name for one in hooks), quiet=parse_quiet(quiet))
    taker = Taker(registry, SIGNER, clock, PlainEyes([]), policy)
    delivery = Delivery(registry, hooks, clock, random.Random(1), 30 * SECOND)
    delivery.use(hooks, partial(_mended, taker))
    return Post(registry, clock, taker, delivery)


def _mended(taker: Taker, tx: object, name: str, since_ms: int, now_ms: int) -> None:
    mended_channel(tx, taker, name, since_ms, now_ms)  # type: ignore[arg-type]


@pytest.fixture
def hooks() -> tuple[Hook, Hook]:
    return Hook("webhook:ops"), Hook("syslog:x")


def test_a_webhook_that_is_down_for_a_day_gets_every_event_once(
    registry: Registry, hooks: tuple[Hook, Hook]
) -> None:
    ops, log = hooks
    ops.up = False
    post = post_of(registry, ops, log)
    for hour in range(24):
        post.put(f"k{hour}", ops.name)
        post.pass_time(HOUR, 5 * MINUTE)
    assert ops.got == []
    assert 24 <= ops.tries <= 40  # doubling pauses up to an hour, and not once a letter
    ops.up = True
    post.pass_time(2 * HOUR, 5 * MINUTE)
    assert sorted(one.key for one in ops.got) == sorted(f"k{hour}" for hour in range(24))
    assert log.events() == ["channel.broken", "channel.mended"]
    with registry.read() as tx:
        assert outbox.counts(tx) == {"sent": 26}
    print(f"24 events in a day without webhook: {ops.tries - 24} tries in vain, each event delivered once")


def test_the_owner_is_told_within_five_minutes_by_the_other_channels_even_in_quiet_hours(
    registry: Registry, hooks: tuple[Hook, Hook]
) -> None:
    ops, log = hooks
    ops.up = False
    post = post_of(registry, ops, log, quiet="00:00-23:59")
    post.put("k", ops.name)
    began = post.clock.ms
    while not log.got:
        post.pass_time(15 * SECOND)
        assert post.clock.ms - began < 5 * MINUTE
    told = json.loads(log.got[0].body)
    assert (told["event"], told["channel"]) == ("channel.broken", "webhook:ops")
    with registry.read() as tx:
        state = channels.get(tx, ops.name)
        entries = [json.loads(one.text)["body"] for one in journal.entries(tx)]
        assert journal.verify(tx, SIGNER.public).ok
    assert state is not None
    assert (state.since_ms, state.error) == (began, "the webhook answered 503")
    assert entries == [{"alarm": "channel.broken", "channel": "webhook:ops", "since_ms": began}]
    post.pass_time(30 * MINUTE, MINUTE)
    assert log.events() == ["channel.broken"]


def test_a_lone_channel_that_fails_is_told_in_ledger_and_status(registry: Registry) -> None:
    ops = Hook("webhook:ops", up=False)
    post = post_of(registry, ops)
    post.put("k", ops.name)
    post.pass_time(4 * MINUTE)
    with registry.read() as tx:
        assert journal.head(tx).size == 1
        assert [one.name for one in channels.list_all(tx) if one.since_ms is not None] == [ops.name]
        assert outbox.counts(tx) == {"waiting": 1}


def test_a_channel_that_stumbles_once_is_nobodys_business(
    registry: Registry, hooks: tuple[Hook, Hook]
) -> None:
    ops, log = hooks
    ops.up = False
    post = post_of(registry, ops, log)
    post.put("k", ops.name)
    post.pass_time(30 * SECOND)
    ops.up = True
    post.pass_time(5 * MINUTE)
    assert (ops.events(), log.events()) == (["incident.opened"], [])
