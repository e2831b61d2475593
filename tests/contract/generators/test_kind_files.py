"""What every kind file promises, and the columns that other programs rely on."""

from __future__ import annotations

import random
import re
from datetime import date, datetime
from importlib.metadata import EntryPoint
from itertools import islice, pairwise

import pytest

from canary.errors import UsageError
from canary.fields.canonical import canonical
from canary.fields.headings import role_of_heading
from canary.generators import kinds
from canary.generators.kinds import best_kind, kind_names, load_kind, rows_of_kind
from canary.generators.persona import Personas
from canary.generators.safety import Owned, check
from canary.model.record import Kind, KindColumn

TODAY = date(2026, 11, 22)
PERSONA = [
    *("name", "sex", "birth_date", "id_number", "province", "city", "district"),
    *("address", "postcode", "email", "phone"),
]


def rows(
    name: str,
    count: int,
    locale: str = "zh_CN",
    seed: int = 1,
    domains: tuple[str, ...] = ("mail.example.org",),
):
    personas = Personas(locale, random.Random(seed), domains, today=TODAY)
    return rows_of_kind(load_kind(name), personas, random.Random(seed), count, locale)


def test_the_kinds_of_day_one_are_there():
    assert {"waybill", "order", "resume", "hospital_visit", "online_account", "customer", "persona"} <= set(
        kind_names()
    )


@pytest.mark.parametrize("name", kind_names())
@pytest.mark.parametrize("locale", ["zh_CN", "en_US"])
def test_every_kind_gives_rows_that_pass_the_gate(name, locale):
    made = rows(name, 60, locale)
    owned = Owned(TODAY, frozenset({"mail.example.org"}))
    found = list(made.rows)
    assert len(found) == 60
    for row in found:
        assert tuple(row) == made.headings
        for heading, value in row.items():
            check(made.roles[heading], value or "", owned)


@pytest.mark.parametrize("name", kind_names())
def test_every_kind_has_a_summary_and_headings_in_both_languages(name):
    kind = load_kind(name)
    assert kind.summary
    assert kind.language in {"zh", "en"}
    for column in kind.columns:
        assert re.search(r"[\u4e00-\u9fff]", column.headings["zh"])
        assert column.headings["en"].isascii()


def test_the_headings_of_persona_are_the_same_in_every_locale():
    for locale in ("zh_CN", "en_US", "de_DE"):
        assert list(rows("persona", 1, locale).headings) == PERSONA


def test_personas_have_different_mails_and_no_id_where_none_is_safe():
    found = list(rows("persona", 3000).rows)
    assert len({row["email"] for row in found}) == 3000
    for row in found:
        year = int(str(row["birth_date"])[:4])
        assert (row["id_number"] == "") == (1981 <= year <= 1985)
        assert str(row["address"]).startswith(str(row["province"]))
        assert len(str(row["postcode"])) == 6
        assert canonical("phone", str(row["phone"])) == row["phone"]


def test_personas_without_a_domain_have_no_mail():
    assert {row["email"] for row in rows("persona", 50, domains=()).rows} == {""}


def test_waybills_look_like_a_host_table():
    made = rows("waybill", 20_000)
    assert made.roles["运单号"] == "waybill_no"
    found = list(made.rows)
    numbers = [int(str(row["运单号"])[2:]) for row in found]
    assert all(re.fullmatch(r"YT\d{13}", str(row["运单号"])) for row in found)
    assert numbers == sorted(set(numbers))
    gaps = [after - before for before, after in pairwise(numbers)]
    assert 2000 < sum(gaps) / len(gaps) < 2800
    times = [datetime.fromisoformat(str(row["下单时间"])) for row in found]
    assert times == sorted(times)
    assert 7 <= len({moment.date() for moment in times}) <= 9
    assert max(times).date() < TODAY
    night = sum(moment.hour < 6 for moment in times) / len(times)
    assert night < 0.05


def test_a_stream_is_not_drawn_before_it_is_read():
    made = rows("waybill", 10**9)
    assert len(list(islice(made.rows, 10))) == 10


@pytest.mark.parametrize("name", kind_names())
def test_the_same_seed_gives_the_same_rows(name):
    assert list(rows(name, 20).rows) == list(rows(name, 20).rows)
    assert list(rows(name, 20).rows) != list(rows(name, 20, seed=2).rows)


def test_an_unknown_kind_lists_the_known_ones():
    with pytest.raises(UsageError) as caught:
        load_kind("passport")
    assert "waybill" in caught.value.hint


def test_headings_of_chinese_kinds_are_recognised():
    for name in ("waybill", "order", "resume"):
        for column in load_kind(name).columns:
            if column.role in {"phone", "email", "name", "address", "waybill_no", "order_no"}:
                assert role_of_heading(column.headings["zh"]) == column.role


def test_a_package_adds_a_kind_by_an_entry_point(monkeypatch):
    kind = Kind(
        "parcel",
        "a parcel",
        "en",
        (KindColumn("name", "name", {"zh": "名", "en": "name"}, {"persona": "name"}),),
    )
    monkeypatch.setattr(parcels, "KIND", kind)
    points = [
        EntryPoint("parcel", f"{__name__}:parcels.KIND", kinds.GROUP),
        EntryPoint("made_parcel", f"{__name__}:parcels.make", kinds.GROUP),
        EntryPoint("no_parcel", f"{__name__}:parcels.NOTHING", kinds.GROUP),
    ]
    monkeypatch.setattr(EntryPoint, "load", lambda self: getattr(parcels, self.attr.partition(".")[2]))
    monkeypatch.setattr(kinds, "entry_points", lambda group: points if group == kinds.GROUP else [])
    assert "parcel" in kind_names()
    assert load_kind("parcel") == kind
    assert load_kind("made_parcel") == kind
    with pytest.raises(UsageError, match="gives no record kind"):
        load_kind("no_parcel")


class parcels:
    KIND: Kind | None = None
    NOTHING = "nothing"

    @staticmethod
    def make() -> Kind | None:
        return parcels.KIND


def test_the_kind_nearest_to_a_table_is_found():
    for name in ("waybill", "resume", "hospital_visit", "persona"):
        assert best_kind([column.role for column in load_kind(name).columns]) == name
    assert best_kind(["measure", "category", "other"]) == "table"
