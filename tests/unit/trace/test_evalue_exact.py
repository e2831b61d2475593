"""Every factor has mean at most 1 over the secret, by enumerating the whole secret; mistakes do not."""

from __future__ import annotations

from itertools import combinations, product

import numpy as np
import pytest

from canary.model.evidence import Candidates
from canary.trace.case import HitCanary, IssuedField
from canary.trace.evalue import count_candidates, log2_c, merge_roles, score, score_all, tuples_of

EXACT = 1 + 1e-12


def leak_of(rows, roles):
    single = {role: len({row[i] for row in rows}) for i, role in enumerate(roles)}
    pairs = {
        (roles[i], roles[j]): len({(row[i], row[j]) for row in rows})
        for i, j in combinations(range(len(roles)), 2)
    }
    return Candidates(single, pairs)


def records_in(rows, roles, secret):
    found = {frozenset(r for r, s, v in zip(roles, secret, row, strict=True) if s == v) for row in rows}
    return tuple(sorted((each for each in found if each - {"name"}), key=sorted))


def shape_of(spaces):
    return tuple((role, None if role == "name" else role, float(np.log2(n))) for role, n in spaces.items())


WORLDS = [
    ({"email": 8}, [(0,), (1,), (2,)]),
    ({"email": 8, "phone": 4}, [(0, 0), (1, 1), (2, 2), (3, 3)]),
    ({"email": 8, "phone": 4}, list(product(range(3), range(2)))),
    ({"email": 8, "name": 4}, [(0, 0), (0, 1), (5, 1)]),
    ({"email": 4, "phone": 4, "waybill_no": 8}, [(0, 0, 0), (1, 1, 1), (0, 1, 2), (3, 3, 7)]),
    ({"email": 4, "phone": 8, "name": 4}, list(product(range(2), range(2), range(2)))),
    ({"email": 16, "phone": 2, "waybill_no": 16}, [(0, 0, 0), (0, 1, 0)]),
]


@pytest.mark.parametrize(("spaces", "rows"), WORLDS)
def test_one_canary_has_mean_at_most_one(spaces, rows):
    roles = list(spaces)
    candidates, shape = leak_of(rows, roles), shape_of(spaces)
    secrets = list(product(*(range(n) for n in spaces.values())))
    values = [score(shape, records_in(rows, roles, secret), candidates) for secret in secrets]
    assert np.mean(values) <= EXACT
    assert max(values) > 1  # it can speak at all


@pytest.mark.parametrize(("spaces", "rows"), WORLDS)
def test_pairs_that_were_not_counted_are_bounded_by_the_product(spaces, rows):
    roles = list(spaces)
    counted = leak_of(rows, roles)
    shape = shape_of(spaces)
    secrets = list(product(*(range(n) for n in spaces.values())))
    blind = Candidates(counted.single, {})
    assert np.mean([score(shape, records_in(rows, roles, s), blind) for s in secrets]) <= EXACT


def best_tuple(shape, records, candidates, factor):
    """The variant "best tuple found, p multiplied by `factor`": without the mean over tuples."""
    forms = {role: form for role, form, _ in shape}
    roles = merge_roles(shape)
    chances = [
        min(1.0, count_candidates(t, forms, candidates) * 2.0 ** -sum(roles[r][0] for r in t))
        for t in tuples_of(roles)
        if any(record.issuperset(t) for record in records)
    ]
    return 1 / min(1.0, factor * min(chances)) if chances else 0.0


def test_picking_the_best_tuple_without_paying_for_it_breaks_the_mean():
    spaces, rows = {"email": 64, "phone": 64}, [(0, 1), (1, 0)]
    shape, candidates = shape_of(spaces), leak_of(rows, list(spaces))
    secrets = list(product(range(64), range(64)))
    found = [records_in(rows, list(spaces), s) for s in secrets]
    assert np.mean([best_tuple(shape, each, candidates, 1) for each in found]) > 1.5
    assert np.mean([score(shape, each, candidates) for each in found]) <= EXACT


def test_a_union_bound_clamped_at_one_breaks_the_mean_too():
    """T·p clamped at 1 pays tuples that cannot pay: two rare fields, and one that is found half of the time."""
    spaces, rows = {"email": 64, "phone": 2, "waybill_no": 64}, [(0, 0, 1)]
    shape, candidates = shape_of(spaces), leak_of(rows, list(spaces))
    secrets = list(product(*(range(n) for n in spaces.values())))
    found = [records_in(rows, list(spaces), s) for s in secrets]
    count = len(tuples_of(merge_roles(shape)))
    assert np.mean([best_tuple(shape, each, candidates, count) for each in found]) > 1.1
    assert np.mean([score(shape, each, candidates) for each in found]) <= EXACT


def canaries(secrets, rows, roles, spaces, shared, token):
    for number, secret in enumerate(secrets):
        fields = tuple(
            IssuedField(
                role,
                None if role == "name" else role,
                float(np.log2(n)),
                role in shared,
                token(role, v, number),
            )
            for (role, n), v in zip(spaces.items(), secret, strict=True)
        )
        records = records_in(rows, roles, secret)
        if records:
            yield HitCanary(f"c{number}", "u", fields, records)


@pytest.mark.parametrize("other", [{"email": 4}, {"name": 4}])
@pytest.mark.parametrize(
    "rows", [[(0, 0), (1, 1)], [(0, 0), (0, 1), (0, 2)], list(product(range(2), range(2)))]
)
def test_a_phone_shared_by_canaries_of_one_recipient_counts_once(other, rows):
    spaces = {"phone": 4, **other}
    roles = list(spaces)
    candidates = leak_of(rows, roles)
    one = list(product(range(4), range(4)))

    def mean_c(token):
        values = []
        for secrets in product(one, one):
            hits = list(canaries(secrets, rows, roles, spaces, {"phone"}, token))
            values.append(2 ** log2_c(2, list(score_all(hits, candidates).values())))
        return np.mean(values)

    assert mean_c(lambda role, value, number: f"{role}{value}") <= EXACT


def test_counting_a_shared_phone_in_every_canary_breaks_the_mean():
    """All canaries of a recipient carry one phone of a pool of 16; the leak holds one number."""
    spaces, rows, k = {"phone": 16}, [(0,)], 6

    def mean_product(token):
        values = []
        for phone in range(16):
            hits = list(canaries([(phone,)] * k, rows, ["phone"], spaces, {"phone"}, token))
            values.append(2 ** log2_c(k, list(score_all(hits, leak_of(rows, ["phone"])).values())))
        return np.mean(values)

    assert mean_product(lambda role, value, number: f"{role}{value}") <= EXACT
    assert mean_product(lambda role, value, number: f"{role}{value}-{number}") > 100


@pytest.mark.parametrize("k", [1, 2, 5])
def test_c_has_mean_at_most_one_and_the_best_survival_has_not(k):
    space, candidates = 8, 2
    chance = candidates / space
    p = 1 / chance
    ours = best = 0.0
    for found in range(k + 1):
        weight = (
            float(np.prod([(k - i) / (i + 1) for i in range(found)]))
            * chance**found
            * (1 - chance) ** (k - found)
        )
        ours += weight * 2 ** log2_c(k, [p] * found)
        grid = [(1 - w + w * p) ** found * (1 - w) ** (k - found) for w in (1 / k, 0.01, 0.05, 0.2, 0.5)]
        best += weight * max(grid)
    assert ours == pytest.approx(1, abs=1e-12)
    assert best > 1.05


def test_scores_of_small_worlds():
    email, phone = ("email", "email", 20.0), ("phone", "phone", 10.0)
    candidates = Candidates({"email": 16, "phone": 4096}, {("phone", "email"): 16})
    both = (frozenset({"email", "phone"}),)
    apart = (frozenset({"email"}), frozenset({"phone"}))
    assert score((email,), (frozenset({"email"}),), candidates) == 2**16
    assert score((email, phone), both, candidates) == pytest.approx((2**16 + 1 + 2**26) / 3)
    assert score((email, phone), apart, candidates) == pytest.approx((2**16 + 1) / 3)
    assert score((email,), (), candidates) == 0.0
    assert score((), both, candidates) == 0.0
    assert (
        score((("waybill_no", "code", 30.0),), (frozenset({"waybill_no"}),), candidates) == 1.0
    )  # nobody counted


def test_candidates_are_counted_by_role_or_form_and_never_below_one():
    candidates = Candidates({"code": 7, "waybill_no": 3, "phone": 0}, {("code", "phone"): 5})
    forms = {"waybill_no": "code", "phone": "phone", "order_no": "code", "name": None}
    assert count_candidates(("waybill_no",), forms, candidates) == 7
    assert count_candidates(("phone",), forms, candidates) == 1
    assert count_candidates(("phone", "waybill_no"), forms, candidates) == 5
    assert count_candidates(("order_no", "waybill_no"), forms, candidates) == 49
    assert count_candidates(("name", "phone"), forms, candidates) is None


def test_predeclared_tuples_leave_out_names_alone_and_parts_of_one_another():
    shape = (("name", None, 10.0), ("phone", "phone", 17.0), ("name_address", "name_address", 20.0))
    assert tuples_of(merge_roles(shape)) == [
        ("name_address",), ("phone",), ("name", "phone"), ("name_address", "phone"),
    ]  # fmt: skip


def test_two_fields_of_one_role_are_found_as_one():
    shape = (("phone", "phone", 10.0), ("phone", "phone", 10.0))
    assert merge_roles(shape)["phone"][0] == pytest.approx(9.0)
    assert score(shape, (frozenset({"phone"}),), Candidates({"phone": 1})) == pytest.approx(2**9)


def test_burned_shared_and_unnamed_tokens_count_for_nothing():
    phone = IssuedField("phone", "phone", 20.0, shared=True, token="t")
    email = IssuedField("email", "email", 30.0)
    candidates = Candidates({"phone": 1, "email": 1}, {("email", "phone"): 1})
    found = (frozenset({"phone"}),)
    first, second = HitCanary("a", "u", (phone, email), found), HitCanary("b", "u", (phone, email), found)
    assert score_all([second, first], candidates) == {"a": pytest.approx(2**20 / 3), "b": 0.0}
    assert score_all([HitCanary("z", "v", (phone,), found, burned=True), first], candidates) == {"a": 0.0}
    blank = HitCanary("a", "u", (IssuedField("phone", "phone", 20.0, shared=True),), found)
    assert score_all([blank], candidates) == {"a": 0.0}
    other = HitCanary("b", "v", (phone, email), found)  # another owner drew it on its own
    assert score_all([first, other], candidates)["b"] > 1


def test_bits_beyond_floats_stay_finite():
    value = score((("email", "email", 5000.0),), (frozenset({"email"}),), Candidates({"email": 1}))
    assert np.isfinite(value)
    assert np.isfinite(log2_c(3, [value] * 3))
    assert log2_c(0, []) == 0.0
    assert log2_c(2000, []) == pytest.approx(
        np.log2(0.9 + 0.1 * np.mean([(1 - w) ** 2000 for w in (1 / 2000, 0.01, 0.05, 0.2, 0.5)]))
    )
