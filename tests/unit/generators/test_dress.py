"""A persona is written as the host writes: masks, separators, dates, names of places."""

from __future__ import annotations

import random
from datetime import date

import pytest

from canary.fields.canonical import canonical
from canary.generators import dress
from canary.generators.clocks import learn_clock
from canary.generators.dress import Sample
from canary.generators.parties import parties_of
from canary.model.record import Persona

TODAY = date(2026, 11, 22)
WANG = Persona(
    *(
        "王小明",
        "M",
        date(1980, 3, 5),
        "",
        "浙江省",
        "杭州市",
        "西湖区",
        "浙江省杭州市西湖区文三路12号",
        "310010",
    ),
    *("wxm12.le@mail.example.org", "14012345678"),
)
SMITH = Persona(
    *(
        "Jane Smith",
        "F",
        date(1990, 12, 1),
        "",
        "MD",
        "Bowie",
        "",
        "12 Elm St Apt 3, Bowie, MD 20715",
        "20715",
    ),
    *("", "(212) 555-0142"),
)


def rng() -> random.Random:
    return random.Random(1)


@pytest.mark.parametrize(
    ("sample", "written"),
    [
        ("13812345678", "14012345678"),
        ("138-1234-5678", "140-1234-5678"),
        ("+86 138 1234 5678", "+86 140 1234 5678"),
        ("8613812345678", "8614012345678"),
        ("008613812345678", "008614012345678"),
        ("138****5678", "140****5678"),
        ("138xxxx5678", "140xxxx5678"),
        ("0571-88886666", "14012345678"),
        ("12345", "14012345678"),
    ],
)
def test_a_phone_takes_the_hosts_separators_country_code_and_mask(sample, written):
    assert dress.phone(WANG.phone, Sample([sample] * 5), rng()) == written


def test_a_phone_without_examples_is_left_alone():
    assert dress.phone("14012345678", Sample([]), rng()) == "14012345678"
    assert dress.phone("", Sample(["13812345678"]), rng()) == ""


@pytest.mark.parametrize(
    ("sample", "written"),
    [
        ("212-555-1234", "212-555-0142"),
        ("+1 212 555 1234", "+1 212 555 0142"),
        ("(646) 555-9876", "(212) 555-0142"),
    ],
)
def test_phones_of_america(sample, written):
    assert dress.phone(SMITH.phone, Sample([sample] * 3), rng()) == written
    assert dress.phone("12125550142", Sample([sample] * 3), rng()) == written


@pytest.mark.parametrize(
    ("sample", "written"),
    [
        (["李四", "张三丰"], "王小明"),
        (["李*", "张**"], {"王*", "王**"}),
        (["李先生", "张女士"], "王先生"),
    ],
)
def test_a_name_is_masked_or_titled_like_the_hosts(sample, written):
    found = dress.name(WANG, Sample(sample * 10), rng())
    assert found in (written if isinstance(written, set) else {written})


def test_names_in_capitals_or_surname_first():
    assert dress.name(SMITH, Sample(["DOE, JOHN"] * 5), rng()) == "SMITH, JANE"
    assert dress.name(SMITH, Sample(["Doe, John"] * 5), rng()) == "Smith, Jane"
    assert dress.name(SMITH, Sample(["John Doe"] * 5), rng()) == "Jane Smith"


@pytest.mark.parametrize(
    ("sample", "man", "woman"),
    [
        (["男", "女"], "男", "女"),
        (["M", "F"], "M", "F"),
        (["1", "2"], "1", "2"),
        (["1", "0"], "1", "0"),
        (["男", "未知"], "男", "女"),
        ([], "男", "女"),
        (["?"], "男", "女"),
    ],
)
def test_a_sex_takes_the_hosts_words(sample, man, woman):
    assert dress.sex(WANG, Sample(sample)) == man
    assert dress.sex(SMITH, Sample(sample)) == woman


def test_a_host_of_women_alone_is_seen():
    assert dress.sexes_of(Sample(["女"] * 30)) == {"F"}
    assert dress.sexes_of(Sample(["女", "男"] * 30)) == {"F", "M"}
    assert dress.sexes_of(Sample(["女"] * 3)) == {"F", "M"}


@pytest.mark.parametrize(
    ("sample", "written"),
    [
        (["1970/1/2", "1985/12/31"], "1980/3/5"),
        (["19700102", "19851231"], "19800305"),
        (["1970", "1985"], "1980"),
        (["x"], "1980-03-05"),
    ],
)
def test_a_birth_date_takes_the_hosts_spelling(sample, written):
    assert dress.birth_date(WANG, learn_clock(sample), Sample(sample)) == written


def test_an_age_counts_whole_years_and_keeps_its_unit():
    assert dress.age(WANG, TODAY, Sample(["34岁"])) == "46岁"
    assert dress.age(SMITH, TODAY, Sample([])) == "35"
    assert dress.age(SMITH, date(2026, 12, 1), Sample(["7"])) == "36"


@pytest.mark.parametrize(
    ("sample", "written"),
    [
        ("浙江省宁波市海曙区中山路1号", "浙江省杭州市西湖区文三路12号"),
        ("浙江省 宁波市 海曙区 中山路1号", "浙江省 杭州市 西湖区 文三路12号"),
        ("浙江宁波海曙区中山路1号", "浙江杭州西湖区文三路12号"),
        ("宁波市海曙区中山路1号", "杭州市西湖区文三路12号"),
        ("海曙区中山路1号", "西湖区文三路12号"),
        ("中山路1号", "文三路12号"),
    ],
)
def test_an_address_shows_as_much_as_the_hosts(sample, written):
    found = dress.address(WANG, Sample([sample] * 9))
    assert found == written
    assert canonical("address", found) == canonical("address", WANG.address)


def test_a_foreign_address_is_whole_or_the_street_alone():
    assert dress.address(SMITH, Sample(["1 Oak Ave, Reno, NV 89501"] * 3)) == SMITH.address
    assert dress.address(SMITH, Sample(["1 Oak Ave"] * 3)) == "12 Elm St Apt 3"


def test_divisions_are_whole_or_short():
    assert dress.division("浙江省", Sample(["广东", "江西"])) == "浙江"
    assert dress.division("杭州市", Sample(["苏州", "杭州"])) == "杭州"
    assert dress.division("浙江省", Sample(["广东省", "江西省"])) == "浙江省"
    assert dress.division("浙江省", Sample([])) == "浙江省"


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("浙江省杭州市西湖区文三路", ("浙江省", "杭州市", "西湖区")),
        ("上海市浦东新区世纪大道", ("上海市", "", "浦东新区")),
        ("文三路12号", ("", "", "")),
    ],
)
def test_divisions_are_read_off_an_address(text, parts):
    assert dress.divisions_of(text) == parts


@pytest.mark.parametrize(
    ("sample", "written"),
    [
        ("330106********1234", "110105********567X"),
        ("3301**********1234", "1101**********567X"),
        ("330106197001011234", "11010519490307567X"),
    ],
)
def test_an_id_keeps_the_hosts_mask(sample, written):
    assert dress.masked_text("11010519490307567X", Sample([sample] * 4), rng()) == written


def test_mails_cards_and_plates():
    assert dress.mail("wxm@mail.example.org", Sample(["a***b@qq.com"] * 4)) == "w***m@mail.example.org"
    assert dress.mail("wxm@mail.example.org", Sample(["ab@qq.com"] * 4)) == "wxm@mail.example.org"
    card = dress.card(rng(), Sample(["6222 **** **** 1234"] * 3))
    assert card.startswith("6222 **** **** ")
    assert dress.card(rng(), Sample(["6222021234567890"])).startswith("622202***")
    for seed in range(30):
        plate = dress.plate(random.Random(seed), Sample(["粤B12345", "粤BD12345"]))
        assert plate[:2] == "粤B"
        assert set(plate[2:]) & {"I", "O"}
    assert dress.plate(rng(), Sample([]))[:2] == "京A"
    assert "·" in dress.plate(rng(), Sample(["京A·12345"] * 3))


def test_columns_of_one_person_are_grouped():
    roles = {
        "运单号": "waybill_no", "寄件人": "name", "寄件电话": "phone", "收件人": "name", "收件电话": "phone",
        "省份": "province", "收件地址": "address", "快递员": "name",
    }  # fmt: skip
    parties = {party.name: party.columns for party in parties_of(list(roles), roles)}
    assert parties["sender"] == {"name": ["寄件人"], "phone": ["寄件电话"]}
    assert parties["recipient"] == {
        "name": ["收件人"],
        "phone": ["收件电话"],
        "province": ["省份"],
        "address": ["收件地址"],
    }
    assert parties["staff"] == {"name": ["快递员"]}


def test_an_unmarked_person_and_others():
    roles = {"姓名": "name", "电话": "phone", "备用电话": "phone", "紧急联系人": "name", "紧急电话": "phone"}
    parties = parties_of(list(roles), roles)
    assert [party.name for party in parties] == ["self", "emergency"]
    assert parties[0].columns["phone"] == ["电话", "备用电话"]
    assert parties[1].first("email") is None


def test_a_second_name_begins_another_person():
    roles = {"name_a": "name", "phone_a": "phone", "name_b": "name", "phone_b": "phone"}
    parties = parties_of(list(roles), roles)
    assert [party.columns["phone"] for party in parties] == [["phone_a"], ["phone_b"]]
