"""Contacts in the registry and how phones are taken from the pool, on both databases."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from canary.errors import UsageError
from canary.model.people import Contact, ContactKind
from canary.store import contacts
from canary.store.registry import Registry

PHONE, DOMAIN = ContactKind.PHONE, ContactKind.EMAIL_DOMAIN


def phones(count: int, start: int = 0, inert: bool = False) -> list[Contact]:
    return [Contact(PHONE, f"154{number:08d}", inert=inert) for number in range(start, start + count)]


def test_contacts_come_back_in_the_order_they_were_added(registry: Registry) -> None:
    batch = [
        Contact(DOMAIN, "mail.example", provider="self\x00"),
        Contact(PHONE, "15400000001", inert=True, uses=3),
        Contact(PHONE, "15400000002", control=True),
        Contact(DOMAIN, "post.example"),
        Contact(DOMAIN, "quiet.example", control=True),
    ]
    with registry.begin() as tx:
        contacts.add_many(tx, batch, 5)
    with registry.read() as tx:
        assert contacts.list_all(tx) == [Contact(DOMAIN, "mail.example", provider="self\ufffd"), *batch[1:]]
        assert contacts.domains(tx) == ["mail.example", "post.example"]
        assert contacts.controls(tx) == [batch[2], batch[4]]
        assert contacts.find(tx, PHONE, "15400000001") == batch[1]
        assert contacts.find(tx, DOMAIN, "15400000001") is None
        assert contacts.find(tx, DOMAIN, "other.example") is None
        assert contacts.pool(tx) == contacts.PhonePool(live=0, inert=1)
        assert contacts.known(tx, [batch[0], Contact(PHONE, "1")]) == [True, False]


def test_a_contact_is_added_once(registry: Registry) -> None:
    with registry.begin() as tx:
        contacts.add(tx, Contact(PHONE, "15400000001"))
    with pytest.raises(UsageError, match="known already"), registry.begin() as tx:
        contacts.add_many(tx, [Contact(DOMAIN, "mail.example"), Contact(PHONE, "15400000001", control=True)])
    with pytest.raises(UsageError, match="stands twice"), registry.begin() as tx:
        contacts.add_many(tx, [Contact(DOMAIN, "mail.example")] * 2)
    with registry.read() as tx:
        assert len(contacts.list_all(tx)) == 1


def test_phones_are_spread_evenly_over_the_pool(registry: Registry) -> None:
    with registry.begin() as tx:
        contacts.add_many(tx, phones(100))
        taken = [each for _ in range(7) for each in contacts.take_phones(tx, 30, random.Random(1))]
        uses = {each.value: each.uses for each in contacts.list_all(tx)}
    assert Counter(taken) == Counter(uses)
    assert set(uses.values()) == {2, 3}


def test_the_least_used_phones_go_first(registry: Registry) -> None:
    with registry.begin() as tx:
        contacts.add_many(tx, [Contact(PHONE, f"1540000000{uses}", uses=uses) for uses in (0, 2, 5)])
        assert contacts.take_phones(tx, 2, random.Random(1)) == ["15400000000"] * 2
        third = contacts.take_phones(tx, 3, random.Random(1))
        assert Counter(third)["15400000005"] == 0
        assert sorted(each.uses for each in contacts.list_all(tx)) == [3, 4, 5]


def test_more_phones_than_the_pool_holds_repeat_evenly(registry: Registry) -> None:
    with registry.begin() as tx:
        contacts.add_many(tx, phones(3))
        taken = Counter(contacts.take_phones(tx, 8, random.Random(2)))
        assert sorted(taken.values()) == [2, 3, 3]
        assert {each.value: each.uses for each in contacts.list_all(tx)} == taken


def test_ties_are_broken_by_the_given_randomness(registry: Registry) -> None:
    with registry.begin() as tx:
        contacts.add_many(tx, phones(200))
    draws = []
    for seed in (1, 1, 2):
        with registry.begin() as tx, tx.conn.begin_nested() as undone:
            draws.append(contacts.take_phones(tx, 5, random.Random(seed)))
            undone.rollback()
    assert draws[0] == draws[1] != draws[2]


def test_a_few_phones_of_a_large_pool_are_drawn_from_all_of_it(registry: Registry) -> None:
    with registry.begin() as tx:
        contacts.add_many(tx, phones(2_000))
        taken = [each for seed in range(40) for each in contacts.take_phones(tx, 20, random.Random(seed))]
    assert len(set(taken)) == 800
    fifths = Counter(int(each[3:]) // 400 for each in taken)
    assert all(100 < fifths[each] < 220 for each in range(5))


def test_live_phones_go_before_inert_ones_and_controls_never_go(registry: Registry) -> None:
    with registry.begin() as tx:
        assert contacts.take_phones(tx, 3, random.Random(1)) == []
        contacts.add(tx, Contact(PHONE, "15499999999", control=True))
        assert contacts.take_phones(tx, 3, random.Random(1)) == []
        contacts.add_many(tx, phones(5, inert=True))
        assert set(contacts.take_phones(tx, 5, random.Random(1))) == {each.value for each in phones(5)}
        contacts.add_many(tx, phones(2, start=50))
        assert set(contacts.take_phones(tx, 4, random.Random(1))) == {"15400000050", "15400000051"}
        assert contacts.take_phones(tx, 0, random.Random(1)) == []
        assert contacts.pool(tx) == contacts.PhonePool(live=2, inert=5)


def test_a_sparse_level_is_read_whole(registry: Registry) -> None:
    """A level whose serials lie far apart is hit by no guess and still gives its phones."""
    with registry.begin() as tx:
        ends = [Contact(PHONE, "1"), *[Contact(PHONE, f"2{n:06d}", uses=1) for n in range(30_000)]]
        contacts.add_many(tx, [*ends, *[Contact(PHONE, f"3{n}") for n in range(9)]])
        assert contacts.take_phones(tx, 1, random.Random(5))[0][0] in "13"


def test_spent_phones_rest_before_they_are_issued_again(registry: Registry) -> None:
    with registry.begin() as tx:
        contacts.add_many(tx, phones(3), 1)
        spent = phones(3)[0].value
        assert contacts.spend(tx, [spent, "15499999999"], 500) == 1
        assert contacts.pool(tx) == contacts.PhonePool(live=2, inert=0)
        assert contacts.pool(tx, 501) == contacts.PhonePool(live=3, inert=0)
        assert spent not in contacts.take_phones(tx, 20, random.Random(1), 500)
        assert spent in contacts.take_phones(tx, 3, random.Random(1), 501)
        assert [one.spent_ms for one in contacts.list_all(tx)] == [500, None, None]


def test_a_pool_that_is_all_spent_gives_none(registry: Registry) -> None:
    with registry.begin() as tx:
        contacts.add_many(tx, phones(2), 1)
        contacts.spend(tx, [one.value for one in phones(2)], 500)
        assert contacts.take_phones(tx, 2, random.Random(1)) == []
