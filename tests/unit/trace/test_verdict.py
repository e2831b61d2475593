"""Who is named, listed or cleared, and what is said about it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from canary.errors import UsageError
from canary.model.evidence import Candidates
from canary.trace.case import Held, Holder, Limits, MarkScore, SideEvent
from canary.trace.verdict import assess, conclude, confirm


def told(answer):
    return [(one.recipient, one.status) for one in answer.suspects]


def whole(answer):
    return sum(answer.probabilities.values()) + answer.unknown_source + answer.registry_compromised


def test_one_leaker_is_named_with_bound_share_and_sentence(hit, case):
    found = [hit(i, "p3", ["name", "phone"] if i % 2 else ["email"]) for i in range(18)]
    answer = conclude(case(20, found))
    assert answer.outcome == "named"
    assert told(answer) == [("p3", "named")]
    suspect = answer.suspects[0]
    assert suspect.grade == "probable"
    assert suspect.releases == ("r-p3",)
    assert 0.99 < suspect.probability <= suspect.contributed <= 0.998
    assert 0 < suspect.false_accusation < 1e-100
    assert (suspect.evidence.canaries, suspect.evidence.fields) == (18, 27)
    assert any(
        s.startswith("p3: 18 of its 160 canaries stand in the leak, by email (9), name+phone (9);")
        for s in answer.explanation
    )
    assert "time of the leak unknown, so every release up to now counts" in answer.explanation
    assert whole(answer) == pytest.approx(1, abs=1e-9)
    assert answer.log2_e["p3"] > 400 > answer.log2_e["p4"]


def test_nothing_found_names_and_lists_nobody(case):
    answer = conclude(case(20))
    assert (answer.outcome, answer.suspects) == ("inconclusive", ())
    assert answer.unknown_source > 0.5
    assert "no canary of ours stands in the leak (5,000 rows read)" in answer.explanation
    assert "nobody can be named or listed from this" in answer.explanation


def test_a_lone_phone_of_a_pool_lists_nobody(hit, case):
    answer = conclude(case(20, [hit(1, "p3", ["phone"])]))
    assert (answer.outcome, answer.suspects) == ("inconclusive", ())


def test_a_lone_waybill_number_makes_a_lead_but_no_name(hit, case):
    answer = conclude(case(5, [hit(1, "p3", ["waybill_no", "phone"])], issued={f"p{i}": 3 for i in range(5)}))
    assert answer.outcome == "shortlisted"
    assert told(answer) == [("p3", "shortlisted")]
    assert answer.suspects[0].grade == "lead"
    assert answer.suspects[0].false_accusation > 1e-6
    assert "p3 is not named: the bound on false accusation is above the limit" in answer.explanation


def test_the_limit_decides(hit, case):
    leak = case(20, [hit(1, "p3", ["email"])])
    assert told(conclude(leak)) == [("p3", "named")]
    strict = conclude(leak, Limits(false_accusation=1e-12))
    assert told(strict) == [("p3", "shortlisted")]


def test_an_empty_registry_and_one_without_holders_end_inconclusive(case):
    answer = conclude(case(0, releases={}, issued={}))
    assert answer.outcome == "inconclusive"
    assert answer.unknown_source > 0.99
    assert whole(answer) == pytest.approx(1, abs=1e-9)


def test_two_guilty_in_one_dump_are_both_named(hit, case):
    found = [hit(i, "p3" if i % 2 else "p5", ["email"]) for i in range(20)]
    answer = conclude(case(20, found))
    assert told(answer) == [("p3", "named"), ("p5", "named")]
    assert all(one.contributed > 0.99 for one in answer.suspects)
    assert all(one.probability == pytest.approx(0.499, abs=0.002) for one in answer.suspects)


@pytest.mark.parametrize("handed_on", [80, 160])
def test_of_a_vendor_and_its_subprocessor_the_deepest_is_named(hit, case, handed_on):
    found = [hit(i, "p0", ["email"], ["p1"]) for i in range(10)] + [
        hit(100 + i, "p1", ["email"]) for i in range(9)
    ]
    for partners in (2, 20):
        answer = conclude(case(partners, found, carried={"p1": {"p0": handed_on}}, parents={"p1": "p0"}))
        assert told(answer) == [("p1", "named")]
        assert "p0 is not named: a deeper copy, of p1, explains the same canaries" in answer.explanation


def test_of_a_chain_of_three_the_deepest_is_named(hit, case):
    found = [hit(i, "p0", ["email"], ["p1", "p2"]) for i in range(8)]
    found += [hit(100 + i, "p1", ["email"], ["p2"]) for i in range(8)]
    found += [hit(200 + i, "p2", ["email"]) for i in range(8)]
    carried = {"p1": {"p0": 80}, "p2": {"p0": 70, "p1": 120}}
    assert told(conclude(case(12, found, carried=carried))) == [("p2", "named")]


def test_a_vendor_that_leaked_more_than_it_handed_on_is_named_too(hit, case):
    found = [hit(i, "p0", ["email"], ["p1"]) for i in range(10)] + [
        hit(50 + i, "p0", ["email"]) for i in range(10)
    ]
    alone = conclude(case(20, found, carried={"p1": {"p0": 80}}))
    assert told(alone) == [("p0", "named")]
    both = conclude(
        case(20, [*found, *(hit(100 + i, "p1", ["email"]) for i in range(9))], carried={"p1": {"p0": 80}})
    )
    assert told(both) == [("p0", "named"), ("p1", "named")] or told(both) == [
        ("p1", "named"),
        ("p0", "named"),
    ]


def test_a_copy_whose_own_canaries_are_missing_is_not_ruled_out(hit, case):
    """Whoever holds a derived copy may know which canaries are its own and remove them."""
    found = [hit(i, "p0", ["email"], ["p1"]) for i in range(10)]
    answer = conclude(case(20, found, carried={"p1": {"p0": 80}}))
    assert answer.outcome == "shortlisted"
    assert "p1" in [one.recipient for one in answer.suspects]


def test_each_carries_the_others_canaries_and_the_stronger_is_named(hit, case):
    found = [hit(i, "p0", ["email"], ["p1"]) for i in range(12)] + [
        hit(100 + i, "p1", ["email"], ["p0"]) for i in range(6)
    ]
    answer = conclude(case(20, found, carried={"p1": {"p0": 160}, "p0": {"p1": 160}}))
    assert len([one for one in answer.suspects if one.status == "named"]) <= 1


def test_three_equal_holders_get_at_most_a_third_each(hit, case):
    found = [hit(i, "p0", ["email"], ["p1", "p2"]) for i in range(10)]
    issued = {f"p{i}": 160 for i in range(20)} | {"p1": 0, "p2": 0}
    answer = conclude(case(20, found, issued=issued, carried={"p1": {"p0": 160}, "p2": {"p0": 160}}))
    assert [one.status for one in answer.suspects] == ["shortlisted"] * 3
    assert all(one.probability <= 1 / 3 for one in answer.suspects)
    assert any(
        s.startswith("p1 also holds 10 of these canaries, in a copy derived from one of p0")
        for s in answer.explanation
    )


def test_only_holders_from_before_the_leak_was_seen_can_be_named(hit, case):
    answer = conclude(
        case(20, [hit(i, "p3", ["email"], made=10, seen_ms=20) for i in range(9)], earliest_ms=5)
    )
    assert answer.suspects == ()
    assert answer.registry_compromised < 0.01
    assert any(
        s.startswith("p3: canaries issued only after the leak was first seen") for s in answer.explanation
    )
    assert (
        "only releases made before the leak was first seen, 1970-01-01 00:00:00 UTC, count"
        in answer.explanation
    )


def test_canaries_seen_before_they_were_handed_out_mean_a_compromised_registry(hit, case):
    releases = {f"p{i}": (Held(f"r-p{i}", 1),) for i in range(20)} | {"p3": (Held("r-p3", 10),)}
    found = [hit(i, "p3", ["email"], made=10, seen_ms=4) for i in range(9)]
    answer = conclude(case(20, found, releases=releases, earliest_ms=5, late={"p3": 160}))
    assert answer.registry_compromised > 0.9
    assert answer.suspects == ()
    assert "p3: above the bar without holding a copy made before the leak was seen" in answer.explanation


def test_a_control_canary_in_the_data_stops_naming(hit, case):
    found = [hit(i, "p3", ["email"]) for i in range(9)]
    assert conclude(case(20, found, controls=50)).outcome == "named"
    answer = conclude(case(20, [*found, hit(99, "", ["email"], control=True)], controls=50))
    assert (answer.outcome, answer.suspects) == ("inconclusive", ())
    assert answer.registry_compromised > 0.99
    assert "1 control canary stood in the leak, never handed to anybody: c-00099" in answer.explanation


def test_a_control_found_by_chance_does_not_stop_naming(hit, case):
    found = [hit(i, "p3", ["email"]) for i in range(9)]
    answer = conclude(case(20, [*found, hit(99, "", ["phone"], control=True)], controls=50))
    assert told(answer) == [("p3", "named")]


def test_a_control_that_shares_the_only_phone_is_not_said_to_stand_in_the_leak(hit, case):
    found = [hit(i, "p3", ["email"]) for i in range(9)]
    crowded = Candidates({"email": 5000, "phone": 100_000, "code": 5000}, {})
    shared = hit(99, "", ["phone"], control=True)
    answer = conclude(case(20, [*found, shared], controls=8, candidates=crowded))
    assert told(answer) == [("p3", "named")]
    assert not any("control canar" in sentence for sentence in answer.explanation)


def test_calls_of_control_numbers_count_at_most_twenty(case):
    quiet, loud = case(20), case(20, side=(SideEvent("n", (), "call", True, control=True),) * 50)
    before, after = conclude(quiet), conclude(loud)
    odds = (
        after.registry_compromised
        / after.unknown_source
        / (before.registry_compromised / before.unknown_source)
    )
    assert odds == pytest.approx(20)


def test_a_ghost_above_the_bar_stops_naming(hit, case):
    found = [hit(i, "p3", ["email"]) for i in range(9)] + [
        hit(50 + i, "ghost-1", ["email"]) for i in range(3)
    ]
    found = [replace(each, holders=()) if each.owner == "ghost-1" else each for each in found]
    answer = conclude(case(20, found))
    assert (answer.outcome, answer.suspects) == ("inconclusive", ())
    assert answer.registry_compromised > 0.5
    assert any(s.startswith("ghost-1: never issued anything, yet above the bar") for s in answer.explanation)


def test_burned_canaries_count_for_nothing(hit, case):
    answer = conclude(case(20, [hit(i, "p3", ["email"], burned=True) for i in range(9)]))
    assert answer.suspects == ()
    assert "9 canaries had become public before and count for nothing" in answer.explanation


def test_candidates_that_nobody_counted_make_a_hit_chance(hit, case):
    blind = replace(case(20).candidates, single={"phone": 100}, pair={})
    answer = conclude(case(20, [hit(1, "p3", ["email"])], candidates=blind))
    assert answer.suspects == ()
    assert "nobody counted the candidates for email, so finding one counts as chance" in answer.explanation


def test_an_earlier_trace_of_the_incident_is_weighed_in(hit, case):
    leak = [hit(1, "p3", ["email"])]
    first = conclude(case(20, leak))
    again = conclude(case(20, leak, earlier=(first.log2_e,)))
    assert told(again) == [("p3", "named")]
    assert (
        "this is trace 2 of the incident; all of them share one limit, with weights fixed beforehand"
        in again.explanation
    )
    weak_before = conclude(case(20, leak, earlier=(conclude(case(20)).log2_e,) * 3))
    assert weak_before.suspects[0].false_accusation > 100 * first.suspects[0].false_accusation


def test_recipients_added_later_only_raise_n(hit, case):
    leak = [hit(1, "p3", ["email"])]
    bound = conclude(case(20, leak, n_frozen=5)).suspects[0].false_accusation
    assert conclude(case(20, leak, n_frozen=28)).suspects[0].false_accusation == bound
    assert conclude(case(20, leak, n_frozen=280)).suspects[0].false_accusation == pytest.approx(10 * bound)


def test_marks_are_evidence_too(case):
    answer = conclude(case(20, marks={"p2": MarkScore(90.0, 40, 38, 500), "p4": MarkScore(-3.0, 40, 2, 10)}))
    assert told(answer) == [("p2", "named")]
    evidence = answer.suspects[0].evidence
    assert (evidence.marks_read, evidence.marks_agreeing, evidence.rows_held) == (40, 38, 500)
    assert any("38 of 40 marks read agree" in s for s in answer.explanation)


def test_side_evidence_alone_never_names(case):
    side = tuple(SideEvent(f"k{i}", ("p1",), "mail", True) for i in range(30))
    answer = conclude(
        case(
            1, releases={"p1": (Held("r", 1),)}, recipients=("p1",), ghosts=frozenset(), issued={}, side=side
        )
    )
    assert answer.outcome == "shortlisted"
    assert answer.suspects[0].false_accusation == 1.0


def test_more_than_twenty_suspects_are_no_list(hit, case):
    found = [hit(i, f"p{i}", ["waybill_no"]) for i in range(25)]
    issued = {f"p{i}": 1 for i in range(25)}
    assert conclude(case(25, found[:4], issued=issued)).outcome == "shortlisted"
    answer = conclude(case(25, found, issued=issued), Limits(false_accusation=1e-30, shortlisted=0.0))
    assert answer.suspects == ()


def test_shares_of_unequal_sources_follow_what_they_explain(hit, case):
    found = [hit(i, "p3", ["email"]) for i in range(30)] + [hit(100 + i, "p5", ["email"]) for i in range(10)]
    answer = conclude(case(20, found))
    assert answer.probabilities["p3"] == pytest.approx(0.75 * 0.998, abs=0.003)
    assert told(answer)[0][0] == "p3"


def test_a_holder_by_derivation_alone_can_be_listed(hit, case):
    found = [hit(i, "p0", ["email"]) for i in range(6)]
    found = [replace(each, holders=(*each.holders, Holder("p1", "r-p1", 99, carried=True))) for each in found]
    answer = conclude(case(20, found, earliest_ms=50))  # that copy was made too late
    assert told(answer) == [("p0", "named")]
    assert not any("also holds" in sentence for sentence in answer.explanation)


def test_assessment_has_every_probability(hit, case):
    assessment = assess(case(20, [hit(i, "p3", ["email"]) for i in range(9)]))
    assert assessment.standing.contributed["p3"] > 0.99
    assert sum(assessment.standing.contributed.values()) >= assessment.odds.recipients - 1e-9


def test_confirming_needs_a_name_second_evidence_reviewer_and_reason(hit, case):
    answer = conclude(case(20, [hit(i, "p3", ["email"]) for i in range(9)]))
    raised = confirm(answer, "p3", "Li Wei", "alias was mailed as well", second_evidence=True)
    assert raised.suspects[0].grade == "confirmed"
    assert raised.explanation[-1] == "p3: confirmed by Li Wei, alias was mailed as well"
    with pytest.raises(UsageError, match="is not named"):
        confirm(answer, "p4", "Li Wei", "x", second_evidence=True)
    for reviewer, reason, second in (("", "x", True), ("Li Wei", " ", True), ("Li Wei", "x", False)):
        with pytest.raises(UsageError, match="without second evidence"):
            confirm(answer, "p3", reviewer, reason, second_evidence=second)
