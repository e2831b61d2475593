"""A person whose values stand in the rows of several tables is one draw: the mean stays at most 1, by enumeration."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product

import numpy as np
import pytest

from canary.model.evidence import Candidates
from canary.trace.case import HitCanary, IssuedField
from canary.trace.evalue import log2_c, score_all

EXACT = 1 + 1e-12
KEYS = 4
Row = tuple[int, int]  # a phone and an order number of the leak


def leak_of(rows: Sequence[Row]) -> Candidates:
    phones, keys = ({row[at] for row in rows} for at in (0, 1))
    return Candidates({"phone": len(phones), "order_no": len(keys)}, {("phone", "order_no"): len(set(rows))})


def family(
    phone: int, keys: Sequence[int], rows: Sequence[Row], ids: Sequence[str], token: str, bits: int = 2
) -> Iterator[HitCanary]:
    """A customer with a phone, and orders with the same phone and a number each, as the scan finds them.

    A phone beside the number of one order belongs to that order, as the scan has it; else to all that carry it.
    """
    decided = [row for row in rows if row[0] == phone and row[1] in keys]
    bare = [row for row in rows if row[0] == phone and row[1] not in keys]
    carried = [frozenset({"phone"})] if bare else []
    own = IssuedField("phone", "phone", float(bits), False, "phone")
    if carried:
        yield HitCanary(ids[0], "u", (own,), tuple(carried))
    for number, key in enumerate(keys):
        copy = IssuedField("phone", "phone", float(bits), True, token.format(number))
        records = set(carried)
        records |= {frozenset({"phone", "order_no"}) for row in decided if row[1] == key}
        records |= {frozenset({"order_no"}) for row in rows if row[1] == key and row[0] != phone}
        if records:
            fields = (copy, IssuedField("order_no", "code", 2.0, False, f"order{number}"))
            yield HitCanary(ids[number + 1], "u", fields, tuple(sorted(records, key=sorted)))


def mean_c(rows: Sequence[Row], ids: Sequence[str], token: str, orders: int = 2, bits: int = 2) -> float:
    values = []
    for phone, *keys in product(range(2**bits), *[range(KEYS)] * orders):
        if len(set(keys)) == orders:  # numbers of records are never given out twice
            hits = list(family(phone, keys, rows, ids, token, bits))
            values.append(2 ** log2_c(1 + orders, list(score_all(hits, leak_of(rows)).values())))
    return float(np.mean(values))


LEAKS: list[list[Row]] = [
    [(0, 0)], [(0, 0), (1, 1)], [(0, 0), (0, 1)], [(0, 0), (1, 0), (2, 0)], [(0, 1), (1, 0), (0, 3)],
    list(product(range(2), range(2))), [(0, 0), (0, 1), (1, 2), (1, 3)],
]  # fmt: skip


@pytest.mark.parametrize("rows", LEAKS)
@pytest.mark.parametrize("ids", [("a", "b", "c"), ("c", "b", "a"), ("b", "a", "c")])
def test_a_person_in_several_rows_is_one_draw(rows: list[Row], ids: tuple[str, ...]) -> None:
    assert mean_c(rows, ids, "phone") <= EXACT


def test_rows_taken_for_draws_of_their_own_break_the_mean() -> None:
    rows: list[Row] = [(0, 9)]  # a customers' table: one phone, and no number of an order
    ids = tuple("abcdef")
    assert mean_c(rows, ids, "phone", 3, 6) <= EXACT
    assert mean_c(rows, ids, "phone-{}", 3, 6) > 2


def test_the_first_row_that_was_hit_counts_the_person() -> None:
    rows: list[Row] = [(1, 2)]
    alone = score_all(family(1, (0, 3), rows, ("a", "b", "c"), "phone"), leak_of(rows))
    assert alone["a"] == 4
    assert alone["b"] == alone["c"] == 0
    beside = score_all(family(1, (2, 3), rows, ("a", "b", "c"), "phone"), leak_of(rows))
    assert beside == {"b": pytest.approx((4 + 4 + 16) / 3)}
