"""What goes with a person only by way of a hub is taken from another row of that hub."""

from __future__ import annotations

import random
from datetime import date, datetime, timedelta

import pyarrow as pa
import pytest

from canary.files.table import RowBatch
from canary.generators.balance import Balance
from canary.generators.bonds import Hub, hub_of
from canary.generators.copying import Plain
from canary.generators.crossing import CHOICE, NEAR, Crossing
from canary.generators.fit import canaries_for
from canary.generators.habits import habits_of
from canary.generators.host import HostLearner
from canary.generators.persona import Personas
from canary.generators.profile import HostProfile

ROLES = {
    "time": "time", "name": "name", "phone": "phone", "age": "age", "room": "category", "doctor": "category",
    "sign": "category", "clerk": "category",
}  # fmt: skip
ROOMS = ("eyes", "teeth", "skin", "heart")
ROWS = 3600


def visits(seed: int = 1) -> dict[str, list[str]]:
    """Draw visits: a room has its ages and its doctors; a sign goes with the age as well, a clerk with the hour."""
    rng, start = random.Random(seed), datetime(2024, 5, 6, 8)
    columns: dict[str, list[str]] = {name: [] for name in ROLES}
    for at in range(ROWS):
        room = rng.randrange(4)
        age = min(88, max(18, round(rng.gauss(25 + 15 * room, 8))))
        time = start + timedelta(minutes=7 * at)
        name = "".join(rng.choice("王李张刘伟强磊军勇涛超明刚平") for _ in range(3))
        cells = (
            time, name, f"138{rng.randrange(10**8):08d}", age, ROOMS[room], f"Dr {room}{rng.randrange(6)}",
            f"S{room}{age // 10}", f"C{room}{time.hour // 8}",
        )  # fmt: skip
        for name, cell in zip(ROLES, cells, strict=True):
            columns[name].append(str(cell))
    return columns


def learned(columns: dict[str, list[str]]) -> HostProfile:
    learner = HostLearner(tuple(columns), ROLES, random.Random(2), 60)
    learner.feed(RowBatch(0, pa.RecordBatch.from_pydict(columns)))
    return learner.finish()


@pytest.fixture(scope="module")
def profile() -> HostProfile:
    return learned(visits())


def test_the_hub_is_what_the_others_go_by():
    cells = visits()
    group = {name: list(cells[name]) for name in ("age", "room", "doctor", "sign")}
    group["age"] = [age[0] for age in group["age"]]
    found = hub_of(group, {}, 1)
    assert found is not None
    assert found.heading == "room"
    assert set(found.parts) == {frozenset({"age", "sign"}), frozenset({"doctor"})}


def test_what_goes_with_the_hour_is_found_by_it():
    cells = visits()
    group = {name: list(cells[name]) for name in ("age", "room", "doctor", "clerk")}
    found = hub_of(group, {"hour": [str(int(time[11:13])) for time in cells["time"]]}, 1)
    assert found is not None
    assert frozenset({"clerk", "hour"}) in found.parts


def test_few_columns_have_no_hub_and_neither_have_many():
    cells = visits()
    assert hub_of({name: list(cells[name]) for name in ("room", "doctor")}, {}, 1) is None
    assert (
        hub_of({f"{name}{at}": list(cells[name]) for at in range(6) for name in ("room", "doctor")}, {}, 1)
        is None
    )


def test_only_what_tells_nothing_of_person_or_hour_is_crossed(profile):
    (crossing,) = habits_of(profile, {"time"}).crossings
    assert (crossing.hub, crossing.parts) == ("room", (("doctor",),))


def test_one_part_stays_with_the_row(profile):
    sample, plain = profile.sample, Plain.of(profile, ("room", "doctor", "sign"))
    hub = Hub("room", (frozenset({"doctor"}), frozenset({"sign", "clerk"})))
    group = {"room", "doctor", "sign", "clerk"}
    crossing = Crossing.of(hub, group, plain, set(), sample, [(0, 1), (2, 2)])
    assert crossing is not None
    assert crossing.parts == (("doctor",),)
    assert crossing.rest == ("clerk", "room", "sign")
    assert crossing.lasting == (sample[0]["room"] == sample[1]["room"])
    assert Crossing.of(hub, group, plain, {"doctor", "sign"}, sample, ()) is None


def test_a_row_gets_the_cells_of_another_with_its_hub(profile):
    sample, plain = profile.sample, Plain.of(profile, ("room", "doctor"))
    hub = Hub("room", (frozenset({"doctor"}), frozenset({"age"})))
    crossing = Crossing.of(hub, {"room", "doctor", "age"}, plain, {"age"}, sample, ())
    assert crossing is not None
    rng, balances = random.Random(1), [Balance([profile.heads("doctor")])]
    changed = 0
    for near in range(500, 700):
        row = dict(sample[near])
        crossing.cross(row, near, 25, sample, plain, balances, rng)
        assert {**row, "doctor": ""} == {**sample[near], "doctor": ""}
        assert row["doctor"][3] == sample[near]["doctor"][3]  # of the same room
        changed += row["doctor"] != sample[near]["doctor"]
    assert 120 < changed < 200
    alone = {"room": "unknown", "doctor": "x"}
    crossing.cross(alone, 500, 25, sample, plain, balances, rng)
    assert alone["doctor"] == "x"
    assert CHOICE <= 2 * NEAR


def test_canaries_have_doctors_of_their_rooms(profile):
    personas = Personas("zh_CN", random.Random(5), ["mail.example.org"], today=date(2026, 11, 22))
    drafts = canaries_for(profile, profile.places, 60, personas, random.Random(6))
    assert len(drafts) == 60
    assert all(ROOMS[int(draft.row["doctor"][3])] == draft.row["room"] for draft in drafts)
    assert all(draft.row["sign"][1] == draft.row["doctor"][3] for draft in drafts)
