"""Sightings, matches and incidents in the registry, on both databases."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest

from canary.errors import OutsideError, UsageError
from canary.model.canary import Placement
from canary.model.sight import Incident, Match, Sighting
from canary.store import canaries, incidents, recipients, sightings
from canary.store.registry import Registry
from canary.store.tables import sightings as rows

RAW = "泄露 13800138000\x00\xff".encode() * 50
WEAK = Match("c-1", "phone", ("phone",), "plain", "weak", expected_chance_hits=0.5, offset=3)
STRONG = Match(
    "c-1", "email", ("email",), "base64", "strong", member="包/a\x00.csv", offset=8, expected_chance_hits=1e-9
)


def sighting(number: int, **changes: object) -> Sighting:
    made = Sighting(
        id=f"s-{number}", source="pastes", kind="paste", item=f"paste-{number}", event="data", contact="1540000",
        time_ms=1_000 + number, seen_ms=2_000 + number, sha256=hashlib.sha256(RAW).hexdigest(), bytes=len(RAW),
        detail={"message_id": "<x@y>", "主题": "\udc80\x00"},
    )  # fmt: skip
    return replace(made, **changes)  # type: ignore[arg-type]


def test_a_sighting_is_kept_once_with_its_bytes(registry: Registry) -> None:
    with registry.begin() as tx:
        assert sightings.add(tx, sighting(1), RAW)
        assert not sightings.add(tx, sighting(2, item="paste-1"), RAW)
        assert sightings.add(tx, sighting(3, item="paste-1", sha256="0" * 64, contact=None), b"")
    with registry.read() as tx:
        assert sightings.get(tx, "s-1") == sighting(1)
        assert sightings.raw(tx, "s-1") == RAW
        assert sightings.raw(tx, "s-3") == b""
        assert sightings.get(tx, "s-2") is None
        assert sightings.raw(tx, "s-2") is None
        assert [each.id for each in sightings.list_all(tx)] == ["s-1", "s-3"]
        assert sightings.list_all(tx)[1].contact is None


def test_hostile_names_are_stored_and_stay_apart(registry: Registry) -> None:
    items = ["x" * 900, "x" * 901, "a\x00b", "a\udc80b", "运" * 500]
    with registry.begin() as tx:
        for number, item in enumerate(items):
            assert sightings.add(tx, sighting(number, item=item, source="s" * 300), b"")
        assert not sightings.add(tx, sighting(9, item="x" * 900, source="s" * 300), b"")
        found = [each.item for each in sightings.list_all(tx)]
    assert len(set(found)) == 4 + (found[2] != found[3])
    assert max(map(len, found)) == 500
    assert found[4] == items[4]
    assert found[0].startswith("xxx")


def test_raw_bytes_are_forgotten_where_nothing_matched(issued: Registry) -> None:
    with issued.begin() as tx:
        for number in (1, 2, 3):
            sightings.add(tx, sighting(number), RAW)
        sightings.add_match(tx, "s-1", WEAK)
        assert sightings.forget_raw(tx, 2_003) == 1
        assert [sightings.raw(tx, f"s-{number}") is None for number in (1, 2, 3)] == [False, True, False]
        assert [each.id for each, _ in sightings.kept(tx)] == ["s-1", "s-3"]
        assert [(each.id, raw) for each, raw in sightings.kept(tx, since_ms=2_002)] == [("s-3", RAW)]
        assert sightings.get(tx, "s-2") == sighting(2)


def test_a_sealed_cell_opens_only_in_its_own_row(registry: Registry) -> None:
    with registry.begin() as tx:
        sightings.add(tx, sighting(1), RAW)
        sightings.add(tx, sighting(2), RAW)
        stolen = tx.conn.execute(rows.select().where(rows.c.id == "s-2")).one().raw
        tx.conn.execute(rows.update().where(rows.c.id == "s-1").values(raw=stolen))
        with pytest.raises(OutsideError, match="does not open"):
            sightings.raw(tx, "s-1")


def test_a_match_names_the_releases_that_carry_its_canary(issued: Registry) -> None:
    with issued.begin() as tx:
        canaries.issue(tx, [], [Placement("c-1", "r-2", 0, carried=True)])
        sightings.add(tx, sighting(1), RAW)
        assert sightings.add_match(tx, "s-1", STRONG)
        (found,) = sightings.list_all(tx)
    assert found.matches == (
        replace(STRONG, member="包/a\ufffd.csv", release="r-1", recipients=("acme", "bolt")),
    )


def test_the_strongest_match_of_a_canary_at_an_item_stays(issued: Registry) -> None:
    with issued.begin() as tx:
        sightings.add(tx, sighting(1), RAW)
        sightings.add(tx, sighting(2, item="paste-1", sha256="0" * 64), RAW)
        assert sightings.add_match(tx, "s-1", WEAK)
        assert not sightings.add_match(
            tx, "s-2", replace(WEAK, field="key", fields=("key",), expected_chance_hits=0.9)
        )
        (first, second) = sightings.list_all(tx)
        assert second.matches == ()
        assert first.matches[0].fields == ("key", "phone")
        assert first.matches[0].field == "phone"
        assert sightings.add_match(tx, "s-2", STRONG)
        assert not sightings.add_match(tx, "s-2", replace(STRONG, expected_chance_hits=1e-12))
        assert not sightings.add_match(tx, "s-1", WEAK)
        (first, second) = sightings.list_all(tx)
    assert first.matches == ()
    (match,) = second.matches
    assert (match.field, match.strength, match.expected_chance_hits) == ("email", "strong", 1e-12)
    assert match.fields == ("email", "key", "phone")


def test_a_control_canary_matches_without_release(issued: Registry) -> None:
    with issued.begin() as tx:
        (one,) = canaries.by_ids(tx, ["c-1"])
        canaries.issue(tx, [replace(one, id="c-9", fields=(), control=True)])
        sightings.add(tx, sighting(1), RAW)
        sightings.add_match(tx, "s-1", replace(WEAK, canary="c-9"))
        (match,) = sightings.list_all(tx)[0].matches
    assert (match.release, match.recipients) == (None, ())


def test_a_match_needs_its_sighting_and_canary(issued: Registry) -> None:
    with issued.begin() as tx:
        with pytest.raises(UsageError, match="no sighting 's-1'"):
            sightings.add_match(tx, "s-1", WEAK)
        sightings.add(tx, sighting(1), RAW)
        with pytest.raises(UsageError, match="no canary 'c-77'"):
            sightings.add_match(tx, "s-1", replace(WEAK, canary="c-77"))


def test_an_incident_gathers_sightings_and_canaries(issued: Registry) -> None:
    with issued.begin() as tx:
        recipients.ensure_ghosts(tx, "waybills", 8, 1)
        opened = incidents.open(tx, 5_000)
        assert opened.recipients_frozen == 11
        for number, canary in ((1, "c-3"), (2, "c-1"), (3, "c-3")):
            sightings.add(tx, sighting(number), RAW)
            sightings.add_match(tx, f"s-{number}", replace(WEAK, canary=canary))
        incidents.attach(tx, opened.id, ["s-1", "s-2"])
        incidents.attach(tx, opened.id, iter(["s-3"]))
        other = incidents.open(tx, 6_000)
        wanted = Incident(opened.id, 5_000, "open", 11, ("s-1", "s-2", "s-3"), ("c-1", "c-3"))
        assert incidents.get(tx, opened.id) == wanted
        assert incidents.list_all(tx) == [wanted, other]
        assert [each.id for each in sightings.list_all(tx, incident=opened.id)] == ["s-1", "s-2", "s-3"]


def test_an_incident_keeps_verdict_traces_and_state(registry: Registry) -> None:
    answer = {"outcome": "named", "suspects": ["acme"], "log2_e": {"acme": 41.5}, "note": "运单\udc80"}
    with registry.begin() as tx:
        opened = incidents.open(tx, 5_000)
        incidents.save_trace(tx, opened.id, answer, 5_100)
        incidents.save_trace(tx, opened.id, {}, 5_200)
        incidents.set_verdict(tx, opened.id, "named", ["acme"])
        incidents.close(tx, opened.id, 5_300)
    with registry.read() as tx:
        assert incidents.traces(tx, opened.id) == [
            incidents.SavedTrace(5_100, answer),
            incidents.SavedTrace(5_200, {}),
        ]
        found = incidents.get(tx, opened.id)
        assert found == replace(opened, state="closed", outcome="named", suspects=("acme",))
        assert incidents.list_all(tx, state="open") == []
        assert incidents.list_all(tx, state="closed") == [found]
        assert incidents.traces(tx, "none") == []


def test_unknown_incidents_and_sightings_are_told(registry: Registry) -> None:
    with registry.begin() as tx:
        opened = incidents.open(tx, 1)
        with pytest.raises(UsageError, match="no such sighting"):
            incidents.attach(tx, opened.id, ["s-1"])
        for act in (
            lambda: incidents.attach(tx, "i-x", []),
            lambda: incidents.set_verdict(tx, "i-x", "named", []),
            lambda: incidents.close(tx, "i-x", 1),
            lambda: incidents.save_trace(tx, "i-x", {}, 1),
        ):
            with pytest.raises(UsageError, match="no incident 'i-x'"):
                act()
        assert incidents.get(tx, "i-x") is None
