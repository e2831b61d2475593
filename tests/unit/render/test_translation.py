"""Every sentence a trace can say has its Chinese."""

from __future__ import annotations

import re

import pytest

from canary.model.evidence import Candidates
from canary.steps.render.phrases import WORDS, Tongue
from canary.steps.render.translate import PATTERNS, translate
from canary.trace.case import Case, Held, HitCanary, Holder, IssuedField, Limits, MarkScore
from canary.trace.verdict import conclude, confirm

FIELDS = (IssuedField("email", "email", 60.0), IssuedField("plate", "code", 20.0))
CHINESE = re.compile("[\u4e00-\u9fff]")


def hit(number, owner, derived=(), made=1, **more):
    own = () if more.get("control") else (Holder(owner, f"r-{owner}", made),)
    carried = tuple(Holder(name, f"r-{name}", 1, carried=True) for name in derived)
    return HitCanary(f"c{number}", owner, FIELDS, (frozenset({"email", "plate"}),), (*own, *carried), **more)


def case(hits, **more):
    names = tuple(f"p{i}" for i in range(9))
    ghosts = ("ghost-0", "ghost-1")
    held = {name: (Held(f"r-{name}", 1),) for name in names}
    settings = {"recipients": names + ghosts, "releases": held, "issued": dict.fromkeys(names, 50), "hits": tuple(hits),
                "candidates": Candidates({"email": 100}), "ghosts": frozenset(ghosts), "rows": 10}  # fmt: skip
    return Case(**{**settings, **more})


def told():
    chain = [hit(i, "p0", ["p1"]) for i in range(9)] + [hit(20 + i, "p1") for i in range(9)]
    leaker = [hit(i, "p3") for i in range(5)]
    outsider = {name: (Held(f"r-{name}", 1),) for name in ("p0", "p1")} | {"p3": (Held("r", 9),)}
    cases = [
        case([]),
        case([], rows_recognised=7),
        case(leaker[:1], rows_recognised=1, earliest_ms=5),
        case(chain, carried={"p1": {"p0": 30}}),
        case(
            [hit(i, "p0", ["p1", "p2"]) for i in range(9)],
            issued={"p0": 50},
            carried={"p1": {"p0": 50}, "p2": {"p0": 50}},
        ),
        case([*leaker, hit(9, "", control=True)], controls=4),
        case([*leaker, hit(9, "", control=True), hit(8, "", control=True)], controls=4),
        case([*leaker, hit(90, "ghost-1"), hit(91, "ghost-1"), hit(92, "ghost-0"), hit(93, "ghost-0")]),
        case([hit(i, "p3", made=9, seen_ms=3) for i in range(5)], releases=outsider, earliest_ms=5),
        case([hit(i, f"p{i}", made=9, seen_ms=10) for i in range(8)], earliest_ms=5),
        case([hit(1, "p3", burned=True)]),
        case(
            leaker,
            earlier=({"p3": 3.0},),
            marks={"p3": MarkScore(10.0, 40, 38)},
            ghosts=frozenset({"ghost-0"}),
        ),
        case(leaker, ghosts=frozenset()),
    ]
    for each in cases:
        yield from conclude(each).explanation
        yield from conclude(each, Limits(false_accusation=1e-250)).explanation
    yield from confirm(
        conclude(case(leaker)), "p3", "Li Wei", "mailed, too", second_evidence=True
    ).explanation


def test_every_sentence_is_translated_and_keeps_its_numbers():
    sentences = sorted(set(told()))
    used = set()
    for sentence in sentences:
        chinese = translate(sentence, "zh")
        assert CHINESE.search(chinese), sentence
        assert "{" not in chinese
        assert sorted(re.findall(r"\d[\d.,e-]*\d|\d", sentence)) == sorted(
            re.findall(r"\d[\d.,e-]*\d|\d", chinese)
        ), sentence
        used.add(next(pattern for pattern, _ in PATTERNS if pattern.fullmatch(sentence)))
        assert translate(sentence, "en") == sentence
    assert len(used) == len(PATTERNS), [p.pattern for p, _ in PATTERNS if p not in used]


def test_an_unknown_sentence_stays():
    assert translate("something new", "zh") == "something new"


@pytest.mark.parametrize("word", sorted(WORDS))
def test_both_languages_fill_the_same_holes(word):
    english, chinese = WORDS[word]
    assert sorted(re.findall(r"\{\w+\}", english)) == sorted(re.findall(r"\{\w+\}", chinese))
    assert CHINESE.search(chinese)


def test_words_that_are_not_listed_stay():
    assert Tongue("zh").known("seized") == "seized"
    assert Tongue("zh")("named") == "已认定"
