"""Seeding and unseeding on three kinds of database: exact, repeatable, and refused with nothing left behind."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import pytest

from canary.errors import OutsideError, UsageError
from canary.model.canary import Canary, ReleaseState
from canary.steps.seed import SeedRequest, seed
from canary.steps.tools import Tools
from canary.steps.unseed import unseed
from canary.store import canaries as canary_store
from canary.store import journal, releases

from .conftest import Place, PlainDrawer

pytestmark = pytest.mark.usefixtures("plain")

PERSONS = (
    "CREATE TABLE person (id {serial}, name VARCHAR(20) NOT NULL, mail VARCHAR(60) UNIQUE, age INTEGER{more})"
)


def persons(place: Place, rows: int = 50, more: str = "") -> Place:
    place.run(PERSONS.format(serial=place.serial, more=more))
    if not rows:
        return place
    mark = "?" if place.kind == "sqlite" else "%s"
    with place.engine.begin() as connection:
        connection.exec_driver_sql(
            f"INSERT INTO person (name, mail, age) VALUES ({mark}, {mark}, {mark})",
            [(f"王{n}", f"real{n}@host.example", 20 + n) for n in range(rows)],
        )
    return place


def content(place: Place, table: str = "person") -> list[tuple[Any, ...]]:
    return sorted(place.all(f"SELECT * FROM {table}"), key=repr)


def asked(place: Place, count: int = 7, **more: Any) -> SeedRequest:
    return replace(SeedRequest(place.url, "person", "acme", count), **more)


def entries(tools: Tools, kind: str) -> list[str]:
    with tools.registry.read() as tx:
        return [each.text for each in journal.entries(tx) if each.kind == kind]


def states(tools: Tools) -> list[ReleaseState]:
    with tools.registry.read() as tx:
        return [each.state for each in releases.list_all(tx)]


def test_canaries_are_planted_and_known_by_their_keys(place: Place, tools: Tools) -> None:
    before = content(persons(place))
    result = seed(tools, asked(place))
    assert (result.recipient, result.table, result.canaries) == ("acme", "person", 7)
    assert result.keys == tuple(range(51, 58))
    planted = place.all("SELECT mail FROM person WHERE id > 50")
    assert len(planted) == 7
    assert all(mail.endswith("@mail.example.org") for (mail,) in planted)
    assert [row for row in content(place) if row[0] <= 50] == before
    with tools.registry.read() as tx:
        release = releases.get(tx, str(result.release))
        stored = canary_store.of_release(tx, str(result.release))
    assert release is not None
    assert (release.state, release.kind, release.rows_in, release.rows_out) == (
        ReleaseState.DONE,
        "seed",
        50,
        57,
    )
    assert len(entries(tools, "seed")) == 1
    assert {canary.row["mail"] for _, canary in stored} == {mail for (mail,) in planted}
    assert {canary.row["id"] for _, canary in stored} == {str(key) for key in result.keys}


def test_unseed_leaves_the_table_as_it_was(place: Place, tools: Tools) -> None:
    before = content(persons(place))
    release = str(seed(tools, asked(place)).release)
    result = unseed(tools, release)
    assert (result.removed, result.missing, result.changed, result.touched) == (7, (), (), ())
    assert "counter" in result.warnings[0]
    assert content(place) == before
    assert states(tools) == [ReleaseState.UNDONE]
    assert len(entries(tools, "unseed")) == 1
    with pytest.raises(UsageError, match="was taken out already"):
        unseed(tools, release)


def test_unseed_takes_nothing_that_is_not_the_canary_any_more(place: Place, tools: Tools) -> None:
    persons(place)
    result = seed(tools, asked(place))
    place.run(
        "DELETE FROM person WHERE id = 51",
        "UPDATE person SET mail = 'somebody@host.example' WHERE id = 52",
        "UPDATE person SET age = 99 WHERE id = 53",
        "UPDATE person SET mail = NULL WHERE id = 54",
    )
    taken = unseed(tools, str(result.release))
    assert (taken.removed, taken.missing, taken.changed, taken.touched) == (4, (51,), (52, 54), (53,))
    assert place.all("SELECT id FROM person WHERE id > 50 ORDER BY id") == [(52,), (54,)]


def test_unseed_leaves_a_canary_that_real_rows_refer_to(place: Place, tools: Tools) -> None:
    persons(place)
    place.run(
        "CREATE TABLE orders (id INTEGER PRIMARY KEY, person BIGINT, "
        "FOREIGN KEY (person) REFERENCES person (id) ON DELETE CASCADE)"
    )
    result = seed(tools, asked(place))
    place.run("INSERT INTO orders VALUES (1, 52)")
    taken = unseed(tools, str(result.release))
    assert (taken.removed, taken.changed) == (6, (52,))
    assert place.all("SELECT person FROM orders") == [(52,)]


def test_the_same_request_gives_the_same_release(place: Place, tools: Tools) -> None:
    persons(place)
    first = seed(tools, asked(place, request="q-1"))
    again = seed(tools, asked(place, request="q-1"))
    assert again == first
    assert len(content(place)) == 57
    assert seed(tools, asked(place, request="q-2")).release != first.release
    assert seed(tools, asked(place)).release != first.release
    assert len(content(place)) == 71
    unseed(tools, str(first.release))
    with pytest.raises(UsageError, match="was taken out again"):
        seed(tools, asked(place, request="q-1"))


def test_a_dry_run_writes_nothing_anywhere(place: Place, tools: Tools) -> None:
    persons(place)
    before = content(place)
    result = seed(tools, asked(place, dry_run=True))
    assert (result.release, result.canaries, result.keys) == (None, 7, ())
    assert content(place) == before
    assert states(tools) == []
    assert entries(tools, "seed") == []
    assert seed(tools, asked(place)).keys == tuple(range(51, 58)), "a dry run moved the database's counter"


def test_a_constraint_that_no_row_satisfies_is_named_and_leaves_nothing(place: Place, tools: Tools) -> None:
    persons(place, more=", CONSTRAINT host_mail CHECK (mail LIKE '%@host.example')")
    before = content(place)
    with pytest.raises(OutsideError, match="host_mail") as caught:
        seed(tools, asked(place, request="q-1"))
    assert "nothing was planted" in caught.value.hint
    assert content(place) == before
    assert states(tools) == []


def test_a_constraint_that_only_the_database_understands_is_named(place: Place, tools: Tools) -> None:
    persons(place, more=", CONSTRAINT odd CHECK (age < 500 OR mail IS NULL), CONSTRAINT host CHECK (mail IS NULL OR "
            "mail LIKE '%@host.example' OR age IS NULL)")  # fmt: skip
    with pytest.raises(OutsideError, match="host"):
        seed(tools, asked(place))
    assert len(content(place)) == 50


def test_rows_that_a_constraint_refuses_are_replaced_by_others(place: Place, tools: Tools) -> None:
    persons(place, more=", CHECK (age < 30 OR mail LIKE '%@host.example')")
    result = seed(tools, asked(place, count=10))
    assert result.canaries == 10
    assert all(age < 30 for (age,) in place.all("SELECT age FROM person WHERE id > 50"))


def test_a_constraint_that_few_drafts_meet_is_met(
    place: Place, tools: Tools, monkeypatch: pytest.MonkeyPatch
) -> None:
    persons(place, more=", CHECK (age < 30 OR mail LIKE '%@host.example')")
    drawn = itertools.count(1)
    one = PlainDrawer._one

    def rarely_young(self: PlainDrawer) -> Canary:
        draft = one(self)
        return replace(draft, row={**draft.row, "age": "20" if next(drawn) % 100 == 0 else "60"})

    monkeypatch.setattr(PlainDrawer, "_one", rarely_young)
    assert seed(tools, asked(place, count=2)).canaries == 2


def test_foreign_keys_name_rows_that_exist(place: Place, tools: Tools) -> None:
    place.run("CREATE TABLE branch (id INTEGER PRIMARY KEY)")
    place.many("branch", [(3,), (5,)])
    persons(place, rows=0, more=", branch INTEGER NOT NULL, FOREIGN KEY (branch) REFERENCES branch (id)")
    place.run(*(f"INSERT INTO person (name, branch) VALUES ('a{n}', 5)" for n in range(12)))
    seed(tools, asked(place))
    assert place.all("SELECT DISTINCT branch FROM person") == [(5,)]


def test_an_empty_table_is_left_empty(place: Place, tools: Tools) -> None:
    persons(place, rows=0)
    result = seed(tools, asked(place))
    assert (result.canaries, result.keys) == (0, ())
    assert result.release is not None
    assert content(place) == []


def test_a_key_of_several_columns_comes_as_lists(place: Place, tools: Tools) -> None:
    place.run("CREATE TABLE person (town VARCHAR(9), no INTEGER, mail VARCHAR(60), PRIMARY KEY (town, no))")
    place.many("person", [("北京", 1, "a@b.example"), ("北京", 2, "c@b.example")])
    result = seed(tools, asked(place, count=2))
    assert sorted(result.keys) == [["北京", 3], ["北京", 4]]
    assert unseed(tools, str(result.release)).removed == 2
    assert len(content(place)) == 2


def test_a_trigger_that_rewrites_what_identifies_is_noticed(place: Place, tools: Tools) -> None:
    persons(place)
    before = content(place)
    place.run(*REWRITING[place.kind])
    with pytest.raises(OutsideError, match="changes 'mail' on insert"):
        seed(tools, asked(place))
    assert content(place) == before
    assert states(tools) == []


REWRITING = {
    "sqlite": [
        "CREATE TRIGGER tr AFTER INSERT ON person BEGIN UPDATE person SET mail = 'x' || id WHERE id = NEW.id; END"
    ],
    "postgresql": [
        "CREATE FUNCTION rewrite() RETURNS trigger AS $$ "
        "BEGIN NEW.mail = 'x' || NEW.id; RETURN NEW; END $$ LANGUAGE plpgsql",
        "CREATE TRIGGER tr BEFORE INSERT ON person FOR EACH ROW EXECUTE FUNCTION rewrite()",
    ],
    "mariadb": ["CREATE TRIGGER tr BEFORE INSERT ON person FOR EACH ROW SET NEW.mail = UUID()"],
}


def test_what_cannot_be_meant_is_refused(place: Place, tools: Tools) -> None:
    persons(place)
    for wrong, message in [
        (asked(place, recipient="nobody"), "no recipient 'nobody'"),
        (asked(place, count=0), "plants nothing"),
        (asked(place, request=" "), "--request is empty"),
        (asked(place, table=""), "no table was given"),
        (asked(place, url=tools.registry.engine.url.render_as_string()), "the registry's own database"),
    ]:
        with pytest.raises(UsageError, match=message):
            seed(tools, wrong)
    with pytest.raises(OutsideError, match="no table 'persons'"):
        seed(tools, asked(place, table="persons"))
    with pytest.raises(UsageError, match="no release 'r-none'"):
        unseed(tools, "r-none")
