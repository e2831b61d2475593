"""Taking in: every effect once, in one transaction, for each kind of event."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest

from canary.alerts.policy import AlertPolicy, Allow
from canary.errors import OutsideError
from canary.model.evidence import Findings
from canary.model.people import Recipient, RecipientKind
from canary.model.sight import Item, Sighting
from canary.steps.evidence import Seen, build_case
from canary.steps.lookout import Look
from canary.steps.watch import Advance, Arrival, Taken, Taker, knows, take
from canary.store import incidents, journal, outbox, recipients, sightings, sources
from canary.store.registry import Registry
from tests.integration.watch.conftest import MakeTaker
from tests.watch_tools import NOW_MS, SIGNER, HandClock, PlainEyes, Planted, plant


def mail(to: str, body: str = "buy now", name: str = "<1@x>") -> Item:
    raw = f"To: {to}\r\nMessage-ID: {name}\r\n\r\n{body}\r\n".encode()
    key = f"{name}#{hashlib.sha256(to.encode()).hexdigest()[:16]}"
    return Item(key, raw, NOW_MS, "mail", to, "message/rfc822", {"message_id": name})


def paste(text: str, key: str = "p1") -> Item:
    return Item(key, text.encode(), 0)


def take_in(taker: Taker, *items: Item, source: str = "web", kind: str = "paste") -> Taken:
    return take(taker, [Arrival(source, kind, item) for item in items])


def stored(registry: Registry) -> list[Sighting]:
    with registry.read() as tx:
        return sightings.list_all(tx)


def letters(registry: Registry) -> list[outbox.Letter]:
    with registry.read() as tx:
        return outbox.list_all(tx)


def open_incidents(registry: Registry) -> list[str]:
    with registry.read() as tx:
        return [one.id for one in incidents.list_all(tx, "open")]


def ledger_size(registry: Registry) -> int:
    with registry.read() as tx:
        return journal.head(tx).size


def test_a_mail_reaches_its_one_canary(registry: Registry, taker: MakeTaker) -> None:
    planted = plant(registry, 3)
    taken = take_in(taker(planted), mail(planted[1].alias.upper()), source="mail", kind="smtp")
    assert (taken.ours, taken.sightings, taken.matches) == ((True,), 1, 1)
    [seen] = stored(registry)
    assert (seen.source, seen.kind, seen.event) == ("mail", "smtp", "mail")
    assert seen.contact == planted[1].alias
    assert seen.detail["message_id"] == "<1@x>"
    [match] = seen.matches
    assert (match.canary, match.strength, match.release) == ("c-1", "strong", planted[1].release)
    assert match.recipients == ("acme",)
    assert seen.incident == open_incidents(registry)[0]
    with registry.read() as tx:
        raw = sightings.raw(tx, seen.id)
        report = journal.verify(tx, SIGNER.public)
    assert raw is not None
    assert hashlib.sha256(raw).hexdigest() == seen.sha256
    assert report.ok
    assert report.entries == 1


def test_one_message_to_many_is_one_sighting_each(registry: Registry, taker: MakeTaker) -> None:
    planted = plant(registry, 100)
    raw = mail(", ".join(one.alias for one in planted))
    items = [replace(raw, key=f"<1@x>#{at}", contact=one.alias) for at, one in enumerate(planted)]
    taken = take_in(taker(planted), *items, source="mail", kind="smtp")
    assert taken.sightings == 100
    seen = stored(registry)
    assert {one.matches[0].canary for one in seen} == {one.id for one in planted}
    assert {len(one.matches) for one in seen} == {1}
    assert len({one.incident for one in seen}) == 1
    [letter] = letters(registry)
    assert json.loads(letter.body)["sightings"] == 100
    assert json.loads(letter.body)["canaries"] == 100


def test_a_repeated_item_changes_nothing(registry: Registry, taker: MakeTaker, clock: HandClock) -> None:
    planted = plant(registry, 2)
    ready = taker(planted)
    take_in(ready, mail(planted[0].alias), source="mail", kind="smtp")
    before = stored(registry), letters(registry), ledger_size(registry)
    clock.ms += 5_000
    again = take_in(ready, mail(planted[0].alias), source="mail", kind="smtp")
    assert (again.ours, again.sightings, again.matches, again.opened) == ((True,), 0, 0, ())
    assert (stored(registry), letters(registry), ledger_size(registry)) == before


def test_an_unknown_contact_is_not_stored(registry: Registry, taker: MakeTaker) -> None:
    planted = plant(registry, 1)
    call = Item("call-1", b"{}", NOW_MS, "call", "13800000000")
    broken = Item("call-2", b"{}", NOW_MS, "call", "no number")
    taken = take_in(taker(planted), call, broken, mail("nobody@alias.example.com"))
    assert taken.ours == (False, False, False)
    assert stored(registry) == []
    assert ledger_size(registry) == 0


def test_a_call_reaches_all_holders_weakly(registry: Registry, taker: MakeTaker) -> None:
    planted = plant(registry, 6, phones=2)
    call = Item("call-1", b"{}", NOW_MS, "call", "+86" + planted[0].phone)
    take_in(taker(planted), call, source="phone", kind="phone")
    [seen] = stored(registry)
    assert {match.canary for match in seen.matches} == {"c-0", "c-2", "c-4"}
    assert {match.strength for match in seen.matches} == {"weak"}
    assert seen.contact == planted[0].phone


def test_a_control_number_is_kept_without_incident(registry: Registry, taker: MakeTaker) -> None:
    planted = plant(registry, 1, control=True)
    take_in(taker(planted), Item("1", b"{}", NOW_MS, "call", planted[0].phone))
    [seen] = stored(registry)
    assert [match.canary for match in seen.matches] == ["c-0"]
    assert seen.incident is None
    assert open_incidents(registry) == []


def test_what_a_mail_holds_of_other_canaries_is_data(registry: Registry, taker: MakeTaker) -> None:
    planted = plant(registry, 3)
    body = f"we have {planted[2].alias} {planted[2].waybill} and yours {planted[0].waybill}"
    take_in(taker(planted), mail(planted[0].alias, body), source="mail", kind="smtp")
    first, beyond = stored(registry)
    assert (first.event, first.matches[0].canary) == ("mail", "c-0")
    assert first.matches[0].fields == ("email", "waybill_no")
    assert (beyond.event, beyond.contact, beyond.item) == ("data", None, "<1@x>#data")
    assert [match.canary for match in beyond.matches] == ["c-2"]
    assert first.incident == beyond.incident


def test_data_without_match_is_kept(registry: Registry, taker: MakeTaker) -> None:
    planted = plant(registry, 1)
    taken = take_in(taker(planted), paste("nothing of ours"))
    assert (taken.sightings, taken.matches) == (1, 0)
    [seen] = stored(registry)
    assert (seen.incident, seen.time_ms, seen.seen_ms) == (None, NOW_MS, NOW_MS)


def test_a_lone_weak_hit_opens_nothing(registry: Registry, taker: MakeTaker) -> None:
    planted = plant(registry, 1)
    take_in(taker(planted), paste(f"call {planted[0].phone}"))
    [seen] = stored(registry)
    assert seen.matches[0].strength == "weak"
    assert open_incidents(registry) == []


def test_one_leak_is_one_incident(registry: Registry, taker: MakeTaker, clock: HandClock) -> None:
    ours, others = plant(registry, 4), plant(registry, 4, "globex", 10)
    ready = taker([*ours, *others])
    take_in(ready, paste(f"{ours[0].alias} {ours[0].waybill}"))
    take_in(ready, paste(f"{ours[3].alias}", "p2"), source="feed", kind="feed")
    take_in(ready, paste(f"{others[0].alias}", "p3"))
    seen = stored(registry)
    assert seen[0].incident == seen[1].incident != seen[2].incident
    clock.ms += 31 * 86_400_000
    take_in(ready, paste(f"{ours[1].alias}", "p4"))
    assert stored(registry)[3].incident not in {one.incident for one in seen}


def test_a_closed_incident_takes_no_more(registry: Registry, taker: MakeTaker) -> None:
    planted = plant(registry, 2)
    ready = taker(planted)
    take_in(ready, paste(planted[0].alias))
    with registry.begin() as tx:
        incidents.close(tx, open_incidents(registry)[0], NOW_MS)
    take_in(ready, paste(planted[1].alias, "p2"))
    first, second = stored(registry)
    assert second.incident is not None
    assert second.incident != first.incident


def test_a_shared_number_draws_no_leak_to_itself(registry: Registry, taker: MakeTaker) -> None:
    planted = plant(registry, 4, phones=1) + plant(registry, 4, "globex", 10, phones=1)
    ready = taker(planted)
    call = Item("call-1", b"{1}", NOW_MS, "call", planted[0].phone)
    take_in(ready, call, replace(call, key="call-2", raw=b"{2}"), source="phone", kind="phone")
    take_in(ready, paste(f"{planted[0].alias} {planted[0].waybill}"))
    first, second, leak = stored(registry)
    assert first.incident == second.incident != leak.incident


def test_digests_count_what_comes_later(registry: Registry, taker: MakeTaker, clock: HandClock) -> None:
    planted = plant(registry, 5)
    ready = taker(planted)
    for number, one in enumerate(planted):
        take_in(ready, paste(one.alias, f"p{number}"))
        clock.ms += 1_000
    opened, digest = letters(registry)
    assert (opened.event, digest.event) == ("incident.opened", "incident.digest")
    assert opened.due_ms == NOW_MS
    told = json.loads(digest.body)
    assert (told["sightings"], told["canaries"]) == (4, 4)
    assert digest.due_ms % 60_000 == 0
    assert digest.due_ms > clock.ms
    clock.ms = digest.due_ms
    take_in(ready, paste(planted[0].alias + "again", "p9"))
    assert [one.event for one in letters(registry)].count("incident.digest") == 2
    whole = "".join(one.body for one in letters(registry))
    assert not any(
        value in whole for one in planted for value in (one.alias, one.phone, one.waybill, one.recipient)
    )


def test_an_allowed_use_is_stored_and_not_told(registry: Registry, taker: MakeTaker) -> None:
    planted = plant(registry, 1)
    policy = AlertPolicy(("ops",), 60_000, allow=(Allow("courier", "waybill", "sms", 1),))
    ready = taker(planted, policy)
    sms = Item("m1", b"your parcel", NOW_MS, "sms", planted[0].phone)
    take_in(ready, sms, source="phone", kind="phone")
    [seen] = stored(registry)
    assert seen.detail["allowed"] == "courier"
    assert seen.incident is None
    [note] = letters(registry)
    assert (note.state, json.loads(note.body)["rule"]) == ("allowed", "courier")
    take_in(ready, replace(sms, key="m2", raw=b"a loan for you"), source="phone", kind="phone")
    assert stored(registry)[1].incident is not None
    assert [one.event for one in letters(registry)] == ["sighting.allowed", "incident.opened"]


def test_cursor_and_items_are_one(registry: Registry, taker: MakeTaker) -> None:
    planted = plant(registry, 1)
    ready = taker(planted)
    with registry.begin() as tx:
        sources.ensure(tx, "web", "paste")
    take(ready, [Arrival("web", "paste", paste("x"))], Advance("web", "cursor-1", True, NOW_MS + 1000))
    with registry.read() as tx:
        state = sources.get(tx, "web")
    assert state is not None
    assert (state.cursor, state.gaps, state.due_ms, state.failures) == ("cursor-1", 1, NOW_MS + 1000, 0)


def test_nothing_is_stored_where_the_cursor_cannot_be(registry: Registry, taker: MakeTaker) -> None:
    planted = plant(registry, 1)
    with pytest.raises(Exception, match="no source"):
        take(
            taker(planted),
            [Arrival("web", "paste", paste(planted[0].alias))],
            Advance("web", "c", False, None),
        )
    assert (stored(registry), letters(registry), ledger_size(registry)) == ([], [], 0)


def test_a_big_file_is_read_where_it_lies(registry: Registry, taker: MakeTaker, tmp_path: Path) -> None:
    planted = plant(registry, 1)
    dump = tmp_path / "dump.txt"
    dump.write_text(f"{planted[0].alias} {planted[0].waybill}")
    digest = hashlib.sha256(dump.read_bytes()).hexdigest()
    detail = {"sha256": digest, "bytes": str(dump.stat().st_size), "file": "dump.txt"}
    take_in(
        taker(planted), Item("dump.txt", b"", 0, detail=detail, file=str(dump)), source="dumps", kind="drop"
    )
    [seen] = stored(registry)
    assert (seen.sha256, seen.bytes) == (digest, dump.stat().st_size)
    assert seen.matches[0].canary == "c-0"
    with registry.read() as tx:
        assert sightings.raw(tx, seen.id) is None


def test_why_something_was_not_read_is_kept(registry: Registry, clock: HandClock) -> None:
    class Blind(PlainEyes):
        def look(self, name: str, data: bytes | Path) -> Look:
            return Look((), "the archive is encrypted")

    take_in(Taker(registry, SIGNER, clock, Blind(())), paste("x"))
    [seen] = stored(registry)
    assert seen.detail["scan"] == "the archive is encrypted"


def test_aliases_are_known_in_any_case(registry: Registry) -> None:
    planted = plant(registry, 1)
    assert knows(registry, planted[0].alias)
    assert knows(registry, planted[0].alias.upper())
    assert not knows(registry, "x" + planted[0].alias)
    assert not knows(registry, "not an address")
    registry.close()


def test_a_failing_registry_is_an_outside_error(tmp_path: Path, clock: HandClock) -> None:
    from tests.watch_tools import fresh_registry

    with fresh_registry(tmp_path) as registry:
        planted: list[Planted] = plant(registry, 1)
        (tmp_path / "canary.db").chmod(0o600)
        ready = Taker(registry, SIGNER, clock, PlainEyes(planted))
        with registry.begin() as tx:
            tx.conn.exec_driver_sql("DROP TABLE matches")
        with pytest.raises(OutsideError):
            take_in(ready, paste(planted[0].alias))
        with registry.read() as tx:
            assert tx.conn.exec_driver_sql("SELECT count(*) FROM sightings").scalar() == 0


def touch(account: str, text: str) -> Item:
    return Item(
        f"{account}-{text}", text.encode(), NOW_MS, "access", None, "text/plain", {"account": account}
    )


def test_a_touch_tells_the_account_and_whether_the_row_was_its_branchs(
    registry: Registry, taker: MakeTaker
) -> None:
    with registry.begin() as tx:
        for name, above in (
            ("head", None),
            ("north", "head"),
            ("n1", "north"),
            ("south", "head"),
            ("s1", "south"),
        ):
            recipients.add(tx, Recipient(name, RecipientKind.ACCOUNT, parent=above))
    [north] = plant(registry, 1, "north")
    [south] = plant(registry, 1, "s1", first=50)
    ready = taker([north, south])
    seen = f"GET /waybill/{north.waybill} {north.alias}"
    for account in ("n1", "north", "head", "s1", "stranger"):
        take_in(ready, touch(account, seen), source="log", kind="access_log")
    take_in(
        ready, touch("south", f"{seen} {south.alias}"), touch("n1", "GET /"), source="log", kind="access_log"
    )
    told = {(one.detail["account"], one.detail.get("branch")) for one in stored(registry)}
    assert told == {
        ("n1", "inside"), ("north", "inside"), ("head", "inside"), ("s1", "outside"), ("stranger", "unknown account"),
        ("south", "outside"), ("n1", None),
    }  # fmt: skip
    assert len(open_incidents(registry)) == 1
    assert json.loads(letters(registry)[0].body)["seen_as"] == ["access"]


def test_a_number_that_chance_brings_into_a_log_opens_nothing(registry: Registry, taker: MakeTaker) -> None:
    [one] = plant(registry, 1)
    take_in(taker([one]), touch("x", f"order {one.phone}"), source="log", kind="access_log")
    [seen] = stored(registry)
    assert [match.strength for match in seen.matches] == ["weak"]
    assert open_incidents(registry) == []


def test_of_a_touch_the_account_is_asked_and_not_the_rows_holder(
    registry: Registry, taker: MakeTaker
) -> None:
    with registry.begin() as tx:
        recipients.add(tx, Recipient("clerk", RecipientKind.ACCOUNT))
    [one] = plant(registry, 1)
    ready = taker([one])
    take_in(ready, mail(one.alias), source="mail", kind="smtp")
    for account in ("clerk", "stranger"):
        take_in(
            ready,
            touch(account, one.alias),
            touch(account, f"{one.alias} again"),
            source="log",
            kind="access_log",
        )
    with registry.read() as tx:
        case = build_case(tx, Findings(), Seen(sightings=tuple(sightings.list_all(tx))))
    assert {(event.kind, event.key, event.holders) for event in case.side} == {
        ("mail", one.id, ("acme",)), ("access", "account:clerk", ("clerk",)), ("access", "account:stranger", ()),
    }  # fmt: skip
