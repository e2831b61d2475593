"""Aliases in a host's own shapes: strong, on our domains, and put together as the host's are."""

from __future__ import annotations

import random
import re
from collections import Counter
from datetime import date

import numpy as np
import pytest

from canary.generators.aliases import AliasWays, bits_of_shape
from canary.generators.emails import LONGEST_RUN, cut_syllables, syllables
from canary.generators.people import Wish
from canary.generators.persona import Personas

DOMAINS = tuple(f"d{at}.example.org" for at in range(6))
NOBODY = ("", "")


def host(heads: list[str], provider: float = 0.8, seed: int = 1) -> list[str]:
    rng = random.Random(seed)
    return [
        f"{head}@{'qq.com' if rng.random() < provider else f'firm{rng.randrange(40)}.example.com'}"
        for head in heads
    ]


def letters(rng: random.Random, count: int) -> list[str]:
    return [
        "".join(rng.choice("abcdefghijklmnop") for _ in range(rng.randint(4, 10)))
        + (str(rng.randint(1, 9999)) if rng.random() < 0.6 else "")
        for _ in range(count)
    ]


def spoken(rng: random.Random, count: int) -> list[str]:
    return [
        "".join(rng.choices(syllables(), k=rng.randint(2, 4))) + str(rng.randint(1, 999))
        for _ in range(count)
    ]


def drawn(ways: AliasWays, count: int) -> list[str]:
    gen = np.random.default_rng(5)
    return ways.draw(gen, ["wangjun"] * count, ["wj"] * count)


@pytest.mark.parametrize("make", [letters, spoken])
def test_shapes_are_the_hosts_and_strong(make):
    heads = make(random.Random(2), 2000)
    ways = AliasWays.of(host(heads), [NOBODY] * len(heads))
    assert ways is not None
    assert ways.bits >= 36
    mine = drawn(ways, 500)
    assert len(set(mine)) == 500
    known = {re.sub(r"\d", "0", re.sub(r"[a-z]+", "a", head)) for head in heads}
    assert {re.sub(r"\d", "0", re.sub(r"[a-z]+", "a", head)) for head in mine} <= known
    assert max(map(len, mine)) <= max(map(len, heads)) + 8  # syllables are longer or shorter, and as many
    if make is spoken:
        assert all(cut_syllables(re.sub(r"\d+$", "", head)) for head in mine)


def test_the_stated_strength_is_that_of_the_weakest_shape():
    heads = letters(random.Random(3), 1000)
    ways = AliasWays.of(host(heads), [NOBODY] * len(heads))
    assert ways is not None
    weakest = min(bits_of_shape(shape, ways.fill, zeros=ways.zeros) for shape in ways.shapes)
    assert weakest - 0.01 <= ways.bits <= weakest
    commonest = max(Counter(letter for head in heads for letter in head if letter.isalpha()).values())
    assert ways.fill.bits == pytest.approx(
        -np.log2(commonest / sum(letter.isalpha() for head in heads for letter in head))
    )


def test_aliases_that_spell_their_person_go_on_doing_so():
    rng = random.Random(4)
    names = [(f"{rng.choice(syllables())}{rng.choice(syllables())}", "wx") for _ in range(400)]
    heads = [f"{whole}{rng.randint(10, 9999)}" for whole, _ in names]
    ways = AliasWays.of(host(heads), names)
    assert ways is not None
    assert ways.bits >= 36
    assert all(
        re.fullmatch(r"wj[a-z]{3,}\d{2,4}", head) for head in drawn(ways, 200)
    )  # made longer: a short form


def test_no_run_of_digits_is_long_and_numbers_alone_teach_nothing():
    rng = random.Random(5)
    heads = [str(rng.randint(10**8, 10**10)) for _ in range(300)]
    assert AliasWays.of(host(heads), [NOBODY] * 300) is None
    mixed = [*heads, *letters(rng, 300)]
    ways = AliasWays.of(host(mixed), [NOBODY] * 600)
    assert ways is not None
    assert max(len(run) for head in drawn(ways, 300) for run in re.findall(r"\d+", head)) <= LONGEST_RUN


def test_few_aliases_teach_nothing():
    assert AliasWays.of(["a@qq.com"] * 20, [NOBODY] * 20) is None


def test_our_domains_share_the_aliases_as_the_hosts_tail_has_them():
    heads = letters(random.Random(6), 3000)
    ways = AliasWays.of(host(heads, provider=0.5), [NOBODY] * 3000)
    assert ways is not None
    gen = np.random.default_rng(1)
    assert len(set(ways.shares(gen, 6, 50))) > 1
    assert ways.shares(gen, 6, 10**6) == [1.0] * 6  # more than such domains have: as thin as can be
    personas = Personas("zh_CN", random.Random(7), DOMAINS, today=date(2025, 1, 1))
    mails = [one.email for one in personas.draw(200, Wish(ways=ways))]
    assert len(set(mails)) == 200
    assert {mail.partition("@")[2] for mail in mails} == set(DOMAINS)
    again = personas.again(personas.draw(1, Wish(ways=ways))[0], ways)
    assert again not in mails
    assert again.partition("@")[2] in DOMAINS
