"""Every record of every kind agrees with itself, passes the gate and is read for what it is."""

from __future__ import annotations

import random
import re
import tomllib
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from functools import lru_cache

import pytest

from canary.fields.guess import guess_roles
from canary.generators.data import config_folder
from canary.generators.kinds import kind_names, load_kind, rows_of_kind
from canary.generators.persona import Personas
from canary.generators.places import places
from canary.generators.safety import Owned, check

TODAY = date(2026, 11, 22)
ROWS = 700
DAY = timedelta(days=1)
Row = Mapping[str, str]
PROMISED = {
    "waybill", "order", "resume", "hospital_visit", "hotel_stay", "bank_customer", "car_insurance", "maternity",
    "social_security", "student", "employee", "property_owner", "vehicle", "train_ticket", "air_ticket",
    "mobile_subscriber", "online_account", "customer", "persona",
}  # fmt: skip


@lru_cache(maxsize=64)
def drawn(name: str, locale: str = "zh_CN", seed: int = 1, count: int = ROWS) -> list[dict[str, str]]:
    """Draw rows of a kind, by the names of its columns."""
    kind = load_kind(name)
    personas = Personas(locale, random.Random(seed), ["mail.example.org"], today=TODAY)
    made = rows_of_kind(kind, personas, random.Random(seed), count, locale)
    names = [column.name for column in kind.columns]
    return [dict(zip(names, (cell or "" for cell in row.values()), strict=True)) for row in made.rows]


def age_of(birth: str) -> int:
    born = date.fromisoformat(birth)
    return TODAY.year - born.year - ((TODAY.month, TODAY.day) < (born.month, born.day))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def the_number_agrees(row: Row, least: int = 18, most: int = 80) -> None:
    """Sex, birth and age of a row are those of its identity number."""
    number = row["id_number"]
    if not number:
        return
    birth = f"{number[6:10]}-{number[10:12]}-{number[12:14]}"
    assert least <= age_of(birth) <= most
    assert row.get("birth_date", birth) == birth
    assert row.get("age", str(age_of(birth))) == str(age_of(birth))
    assert row.get("sex", "男女"[1 - int(number[16]) % 2]) == "男女"[1 - int(number[16]) % 2]


def hotel_stay(row: Row) -> None:
    hotel = table("hotel_stay", "hotel", "name", row["hotel"])
    room = table("hotel_stay", "room", "type", row["room_type"])
    assert at(row["booked"]) < at(row["arrival"]) < at(row["departure"])
    assert (at(row["departure"]).date() - at(row["arrival"]).date()).days == int(row["nights"])
    assert 2 <= int(row["floor"]) <= hotel["floors"]
    assert re.fullmatch(rf"{row['floor']}[0-2][1-9]", row["room"])
    assert int(row["amount"]) == room["price"] * int(row["nights"])
    assert int(row["guests"]) <= room["beds"]
    assert int(row["deposit"]) == room["deposit"]


def bank_customer(row: Row) -> None:
    assert row["card"].count("*") == 11
    assert sum(map(str.isdigit, row["card"])) == 8
    assert row["branch"] in {f"{county.district}支行" for county in places().counties}
    assert row["branch"].removesuffix("支行") in row["address"]
    assert lived(row["birth_date"], row["opened"]) >= 16
    assert not (row["job"] == "退休" and age_of(row["birth_date"]) < 58)
    assert not (row["risk"] == "进取型" and age_of(row["birth_date"]) >= 60)


def lived(birth: str, day: str) -> int:
    born, then = date.fromisoformat(birth), date.fromisoformat(day[:10])
    return then.year - born.year - ((then.month, then.day) < (born.month, born.day))


def car_insurance(row: Row) -> None:
    start, end = date.fromisoformat(row["start"]), date.fromisoformat(row["end"])
    assert end + DAY == start.replace(year=start.year + 1, day=min(start.day, 28 if start.month == 2 else 31))
    assert date.fromisoformat(row["registered"]) <= start
    assert date.fromisoformat(row["registered"]) < TODAY
    assert (row["status"] == "待生效") == (start > TODAY)
    assert int(row["free_years"]) <= (TODAY - date.fromisoformat(row["registered"])).days // 365
    assert row["branch"].removesuffix("分公司") in row["address"]
    plate_of_the_province(row)
    rows = tables("car_insurance", "cover")
    car = table("car_insurance", "car", "model", row["model"])
    discount = 1 - min(0.5, 0.1 * int(row["free_years"]))
    fair = {round((one["base"] + one["rate"] * car["price"] * discount) * 100) for one in rows
            if one["type"] == row["cover"] and str(one["sum"]) == row["insured_sum"]}  # fmt: skip
    assert any(abs(round(float(row["premium"]) * 100) - cents) <= 1 for cents in fair)


HEADS = dict(
    zip(
        map(
            str,
            (*range(11, 16), *range(21, 24), *range(31, 38), *range(41, 47), *range(50, 55), *range(61, 66)),
        ),
        "京津冀晋蒙辽吉黑沪苏浙皖闽赣鲁豫鄂湘粤桂琼渝川贵云藏陕甘青宁新",
        strict=True,
    )
)


@lru_cache(maxsize=1)
def provinces() -> dict[str, str]:
    return {county.province: HEADS[county.code[:2]] for county in places().counties}


def plate_of_the_province(row: Row, where: str = "address") -> None:
    [head] = [head for province, head in provinces().items() if row[where].startswith(province)]
    assert re.fullmatch(rf"{head}[A-E](?=[0-9]*[IO])[0-9IO]{{5}}", row["plate"])


def maternity(row: Row) -> None:
    last, recorded, due = (date.fromisoformat(row[key]) for key in ("last_period", "recorded", "due"))
    assert last < recorded <= TODAY
    assert due == last + 280 * DAY
    assert int(row["week"]) == (recorded - last).days // 7
    assert 20 <= age_of(row["birth_date"]) <= 44
    assert int(row["births"]) < int(row["pregnancies"])
    assert row["age"] == str(age_of(row["birth_date"]))
    assert not row["id_number"] or int(row["id_number"][16]) % 2 == 0
    assert 39 <= float(row["weight"]) <= 105
    assert row["name"] != row["spouse"]


RATES = {
    "企业职工基本养老保险": (8, 16),
    "职工基本医疗保险": (2, 8),
    "失业保险": (0.3, 0.7),
    "工伤保险": (0, 0.4),
}


def social_security(row: Row) -> None:
    own, firm = RATES[row["scheme"]]
    assert abs(float(row["own"]) - int(row["base"]) * own / 100) < 0.006
    assert abs(float(row["firm"]) - int(row["base"]) * firm / 100) < 0.006
    assert row["city"] in row["address"]
    months = (TODAY - date.fromisoformat(row["joined"])).days / 30
    assert 0 <= int(row["months"]) <= months
    assert re.fullmatch(r"[\u4e00-\u9fff]{5,22}公司", row["employer"])


def student(row: Row) -> None:
    enrolled, year = date.fromisoformat(row["enrolled"]), int(row["cohort"])
    assert row["student_no"].startswith(row["cohort"])
    assert (enrolled.year, enrolled.month, enrolled.day) == (year, 9, 1)
    assert enrolled <= TODAY
    assert 17 <= lived(row["birth_date"], row["enrolled"]) <= 19
    assert row["leaving"] == f"{year + 4}-06-30"
    assert (row["status"] == "毕业") == (row["leaving"] < TODAY.isoformat())
    found = [one for one in tables("student", "college") if one["major"] == row["major"]]
    assert [one["name"] for one in found] == [row["college"]]
    assert row["student_no"][4:6] == found[0]["code"]
    assert row["class"].startswith(found[0]["short"] + row["cohort"])
    assert float(row["credits"]) <= 1.05 * 40 * min(4, 2026 - year)


def employee(row: Row) -> None:
    assert lived(row["birth_date"], row["hired"]) >= 18
    years = (TODAY - date.fromisoformat(row["hired"])).days / 365.2425
    assert int(row["years"]) == int(years)
    post = table("employee", "post", "position", row["position"])
    assert post["department"] == row["department"]
    assert 0 <= int(row["salary"]) - post["pay"] - 150 * int(row["years"]) <= 4000
    assert age_of(row["birth_date"]) >= {"高中": 18, "大专": 21, "本科": 22, "硕士": 25}[row["degree"]]
    assert sum(map(str.isdigit, row["card"])) == 8


def property_owner(row: Row) -> None:
    estate = table("property_owner", "estate", "name", row["estate"])
    assert row["address"].endswith(f"{row['estate']}{row['building']}栋{row['unit']}单元{row['room']}室")
    assert re.fullmatch(rf"{row['floor']}0[1-4]", row["room"])
    assert int(row["floor"]) <= estate["floors"]
    assert int(row["building"]) <= estate["buildings"]
    assert row["rate"] == estate["rate"]
    assert abs(float(row["fee"]) - float(row["area"]) * float(row["rate"])) < 0.006
    assert row["bought"] < row["moved_in"] < TODAY.isoformat()
    flat = table("property_owner", "flat", "layout", row["layout"])
    assert flat["least"] <= float(row["area"]) <= flat["most"]
    assert 5200 <= int(row["price"]) / float(row["area"]) <= 31001
    if row["parking"]:
        plate_of_the_province({**row, "plate": row["parking"]})


def vehicle(row: Row) -> None:
    plate_of_the_province(row)
    car = table("vehicle", "car", "model", row["model"])
    assert (car["brand"], car["fuel"], car["engine"]) == (row["brand"], row["fuel"], row["engine"])
    registered = date.fromisoformat(row["registered"])
    assert registered < TODAY
    assert date.fromisoformat(row["inspected"]) >= registered + 2190 * DAY
    assert 3 <= int(row["mileage"]) / (TODAY - registered).days <= 91


def train_ticket(row: Row) -> None:
    trips = tables("train_ticket", "trip")
    wanted = [row["train"], row["origin"], row["goal"], row["leaves"][11:], row["arrives"][11:]]
    wanted += [row["class"], row["fare"]]
    assert wanted in [list(trip.values()) for trip in trips]
    assert at(row["bought"]) < at(row["leaves"]) < at(row["arrives"])
    assert row["leaves"][:10] == row["arrives"][:10] == row["day"]
    assert re.fullmatch(r"[01][1-7][ABCDF]", row["seat"])
    assert not (row["class"] == "一等座" and row["seat"][-1] == "B")
    assert (row["status"] == "已使用") <= (row["day"] < TODAY.isoformat())
    assert (row["status"] in ("已支付", "已出票")) <= (row["day"] >= TODAY.isoformat())


def air_ticket(row: Row) -> None:
    trip = table("air_ticket", "trip", "flight", row["flight"])
    assert (trip["airline"], trip["origin"], trip["goal"]) == (row["airline"], row["origin"], row["goal"])
    assert row["ticket_no"].startswith(trip["stock"] + "-")
    assert at(row["bought"]) < at(row["leaves"]) < at(row["arrives"])
    assert row["leaves"] == f"{row['day']} {trip['leaves']}"
    assert int(row["total"]) == int(row["fare"]) + int(row["tax"])
    share = int(row["fare"]) / trip["full"]
    assert 2 < share < 3 if row["cabin"] == "公务舱" else 0.3 < share <= 1
    assert (row["status"] == "已使用") <= (row["day"] < TODAY.isoformat())


def mobile_subscriber(row: Row) -> None:
    plan = table("mobile_subscriber", "plan", "name", row["plan"])
    assert int(row["fee"]) == plan["fee"]
    assert abs(float(row["bill"]) - float(row["fee"]) - float(row["extra"])) < 0.006
    assert at(row["joined"]).date() < TODAY
    assert row["city"] in row["address"]
    assert float(row["data"]) <= max(0.5, 1.4 * plan["gb"]) + 0.01
    assert not (row["rank"] == "金卡" and int(row["fee"]) < 100)


def waybill(row: Row) -> None:
    days = (datetime(2026, 11, 22) - at(row["created"])).days
    assert (row["status"] == "退回") <= (days >= 4)
    assert (row["status"] == "已揽收") <= (days < 2)
    assert row["recipient_address"].startswith(row["province"])
    assert row["city"] in row["recipient_address"]
    assert row["recipient_phone"] != row["sender_phone"]
    more = max(0, int(float(row["weight"]) - 0.001))
    assert 3.5 + more <= float(row["fee"]) <= 12 + 2.5 * more


def order(row: Row) -> None:
    assert at(row["created"]) < at(row["paid"])
    assert 9.9 <= float(row["amount"]) / int(row["quantity"]) <= 699
    assert row["province"] in provinces()


def resume(row: Row) -> None:
    learnt = {"高中": 18, "大专": 21, "本科": 22, "硕士": 25, "博士": 29}[row["degree"]]
    age = age_of(row["birth_date"])
    assert (age - learnt) / 2 - 1 <= int(row["years"]) <= age - learnt
    assert not (row["job"] == "教师" and row["degree"] in ("高中", "大专"))


def hospital_visit(row: Row) -> None:
    assert (row["department"] == "妇产科") <= (row["sex"] == "女")
    assert (row["department"] == "泌尿外科") <= (row["sex"] == "男")
    rule = next(one for one in load_kind("hospital_visit").columns if one.name == "diagnosis").rule
    assert row["diagnosis"] in rule["choice"][row["department"]]  # type: ignore[index]
    assert at(row["time"]).date() < TODAY


def online_account(row: Row) -> None:
    assert at(row["registered"]) < at(row["login"]) <= datetime(2026, 11, 22)
    assert int(row["level"]) == min(12, int(row["points"]) // 1600 + 1)


def customer(row: Row) -> None:
    assert (float(row["spent"]) == 0) == (row["orders"] == "0")
    assert {"standard": (0, 1000), "silver": (400, 2500), "gold": (1000, 1e9), "platinum": (2500, 1e9)}[
        row["tier"]
    ][0] <= float(row["spent"])
    assert row["created"] < TODAY.isoformat()


def persona(row: Row) -> None:
    assert row["address"].startswith(row["province"])
    assert row["district"] in row["address"]


JUDGES: Mapping[str, Callable[[Row], None]] = {
    judge.__name__: judge
    for judge in (
        waybill, order, resume, hospital_visit, hotel_stay, bank_customer, car_insurance, maternity, social_security,
        student, employee, property_owner, vehicle, train_ticket, air_ticket, mobile_subscriber, online_account,
        customer, persona,
    )
}  # fmt: skip
AGES = {"maternity": (20, 44), "student": (18, 23), "social_security": (19, 59), "employee": (19, 59)}


@lru_cache(maxsize=64)
def _file(kind: str) -> dict[str, dict[str, dict[str, list[list[object]]]]]:
    return tomllib.loads(config_folder("kinds").joinpath(f"{kind}.toml").read_text("utf-8"))


def tables(kind: str, name: str) -> list[dict[str, object]]:
    found = _file(kind)["tables"][name]
    return [dict(zip(map(str, found["columns"]), row, strict=True)) for row in found["rows"]]


def table(kind: str, name: str, key: str, value: str) -> dict[str, object]:
    return next(one for one in tables(kind, name) if one[key] == value)


def test_every_promised_kind_is_there_and_has_a_judge() -> None:
    assert set(kind_names()) == PROMISED == JUDGES.keys()


@pytest.mark.parametrize("name", sorted(PROMISED))
def test_a_record_agrees_with_itself(name: str) -> None:
    least, most = AGES.get(name, (18, 80))
    for row in drawn(name):
        JUDGES[name](row)
        if name != "persona" and "id_number" in row and "sex" in row:
            the_number_agrees(row, least, most)


@pytest.mark.parametrize("name", sorted(PROMISED))
@pytest.mark.parametrize("locale", ["zh_CN", "en_US"])
def test_every_value_passes_the_gate_and_headings_and_values_tell_the_role(name: str, locale: str) -> None:
    kind = load_kind(name)
    personas = Personas(locale, random.Random(4), ["mail.example.org"], today=TODAY)
    made = rows_of_kind(kind, personas, random.Random(4), 150, locale)
    rows = list(made.rows)
    owned = Owned(TODAY, frozenset({"mail.example.org"}))
    for row in rows:
        for heading, value in row.items():
            check(made.roles[heading], value or "", owned)
    for language in ("zh", "en"):
        columns = {one.headings[language]: [row[shown] for row in rows]
                   for one, shown in zip(kind.columns, made.headings, strict=True)}  # fmt: skip
        wanted = {one.headings[language]: one.role for one in kind.columns}
        assert guess_roles(list(columns), columns) == wanted


@pytest.mark.parametrize("name", sorted(PROMISED))
def test_numbers_of_records_are_not_used_twice(name: str) -> None:
    first = load_kind(name).columns[0]
    if first.role in {"record_no", "order_no", "waybill_no", "account_no"}:
        assert len({row[first.name] for row in drawn(name)}) == ROWS


def test_an_employer_is_one_that_no_company_can_be() -> None:
    """The part between town and trade has one character, where two are the least that is registered."""
    brands, trades = (
        set(str(tomllib.loads(config_folder("people").joinpath("employers_zh.toml").read_text("utf-8"))[key]).split())
        for key in ("brands", "trades")
    )  # fmt: skip
    assert {len(brand) for brand in brands} == {1}
    for trade in trades:
        assert trade[1:] not in trades  # brand and a trade's first sign are never read as a whole brand
    for row in drawn("social_security"):
        assert any(f"{brand}{trade}有限" in row["employer"] for brand in brands for trade in trades)
