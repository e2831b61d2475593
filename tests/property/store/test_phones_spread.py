"""Whatever is taken in whatever order, uses of the pool's phones never drift further apart than they were."""

from __future__ import annotations

import random
import tempfile
from collections import Counter
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from canary.keys import Keys
from canary.model.people import Contact, ContactKind
from canary.store import contacts
from canary.store.registry import Registry


@settings(max_examples=25, deadline=None)
@given(
    uses=st.lists(st.integers(min_value=0, max_value=4), min_size=1, max_size=30),
    takes=st.lists(st.integers(min_value=0, max_value=40), max_size=5),
    seed=st.integers(),
)
def test_phones_fill_up_from_the_least_used(uses: list[int], takes: list[int], seed: int) -> None:
    rng = random.Random(seed)
    pool = [Contact(ContactKind.PHONE, f"1540000{place:04d}", uses=each) for place, each in enumerate(uses)]
    with tempfile.TemporaryDirectory() as folder:
        registry = Registry.create(f"sqlite:///{Path(folder) / 'canary.db'}", Keys(bytes(32)))
        try:
            with registry.begin() as tx:
                contacts.add_many(tx, pool)
                taken = Counter(each for n in takes for each in contacts.take_phones(tx, n, rng))
                after = {each.value: each.uses for each in contacts.list_all(tx)}
        finally:
            registry.close()
    assert taken.total() == sum(takes)
    assert after == {each.value: each.uses + taken[each.value] for each in pool}
    if taken:
        # the fullest phone that was taken stands at most one above the emptiest of all
        assert max(after[each] for each in taken) - min(after.values()) <= 1
