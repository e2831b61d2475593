"""Live databases of three kinds: reflected, streamed as text, written and found again without loss."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from canary.errors import OutsideError, UsageError
from canary.steps.live_fit import Mould
from canary.steps.live_model import Row
from canary.steps.live_rows import LiveRows
from canary.steps.live_schema import children_of
from canary.steps.live_unique import Seat, Vacancies, fresh_like
from canary.steps.livedb import LiveDb, is_database_url, normalise, shown, url_digest

from .conftest import Place

EVERYTHING = {
    "sqlite": """CREATE TABLE "客户" (id INTEGER PRIMARY KEY, "编号" VARCHAR(10) UNIQUE, n NUMERIC(8,2) NOT NULL,
        born DATE, seen DATETIME, b BLOB, x, f REAL, g INTEGER GENERATED ALWAYS AS (length("编号")) STORED)""",
    "postgresql": """CREATE TABLE "客户" (id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        "编号" VARCHAR(10) UNIQUE, n NUMERIC(8,2) NOT NULL, born DATE, seen TIMESTAMPTZ, b BYTEA, j JSONB,
        u UUID, a TEXT[], c CHAR(5), f FLOAT8, bo BOOLEAN, iv INTERVAL, ip INET, x BIT(3), sr SERIAL,
        g INTEGER GENERATED ALWAYS AS (length("编号")) STORED)""",
    "mariadb": """CREATE TABLE `客户` (id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY, `编号` VARCHAR(10) UNIQUE,
        n DECIMAL(8,2) NOT NULL, born DATE, seen TIMESTAMP NULL, b BLOB, j JSON, u UUID, c CHAR(5), f DOUBLE,
        bo BOOLEAN, y YEAR, ip INET6, x BIT(3), ti TIME, s SET('a','b'), e ENUM('男','女'), p POINT,
        g INTEGER GENERATED ALWAYS AS (char_length(`编号`)) STORED)""",
}
FIRST = {
    "sqlite": """INSERT INTO "客户" ("编号", n, born, seen, b, x, f)
        VALUES ('A1', 12.5, '2024-02-03', '2024-05-01T10:00', x'00ff', 7, 0.1)""",
    "postgresql": """INSERT INTO "客户" ("编号", n, born, seen, b, j, u, a, c, f, bo, iv, ip, x)
        VALUES ('A1', 12.5, '2024-02-03', '2024-05-01 10:00:00.25+08', '\\x00ff', '{"a": [1, "x"]}',
        'c36c2aa8-6b26-43be-b5c8-2362b642c763', '{a,"b c"}', 'ab', 0.1, true, '1 day 02:00', '10.0.0.1', '101')""",
    "mariadb": """INSERT INTO `客户` (`编号`, n, born, seen, b, j, u, c, f, bo, y, ip, x, ti, s, e, p)
        VALUES ('A1', 12.5, '2024-02-03', '2024-05-01 10:00:00', x'00ff', '{"a": [1, "x"]}',
        'c36c2aa8-6b26-43be-b5c8-2362b642c763', 'ab', 0.1, 1, 2024, '::1', b'101', '10:11:12', 'a,b', '男',
        POINT(1, 2))""",
}


def test_every_type_comes_as_text_and_goes_back_the_same(place: Place) -> None:
    place.run(EVERYTHING[place.kind], FIRST[place.kind])
    with place.db.reading() as connection:
        table = place.db.reflect(connection, "客户")
        (batch,) = LiveRows(connection, place.db.tongue, table).batches(table.headings)
    (first,) = batch.rows.to_pylist()
    assert table.key == ("id",)
    assert {"id", "g"}.isdisjoint(table.fillable)
    mould = Mould(table, place.db.tongue)
    copy: Row = {**mould.cast(first), "编号": "A2"}
    assert mould.misfit(copy) is None
    with place.db.writing("客户") as connection:
        rows = LiveRows(connection, place.db.tongue, table)
        key = rows.insert(copy)
        stored = rows.fetch([key])[key]
        connection.commit()
    assert {name: stored[name] for name in copy} == copy
    assert stored["g"] == "2"
    everything = (
        "x.*"
        if place.kind != "postgresql"
        else "x.born, x.seen, x.b, x.j, x.u, x.a, x.c, x.f, x.iv, x.ip, x.x"
    )
    one, two = place.all(f"SELECT {everything} FROM {_quoted(place)} x ORDER BY x.id")
    assert [pair for pair in zip(one, two, strict=True) if pair[0] != pair[1]] in ([], [(1, 2), ("A1", "A2")])


def _quoted(place: Place) -> str:
    return "`客户`" if place.kind == "mariadb" else '"客户"'


def test_rows_of_a_large_table_stream_in_the_order_of_the_key(place: Place) -> None:
    place.run("CREATE TABLE t (id INTEGER PRIMARY KEY, v VARCHAR(10))")
    numbers = list(range(25_000))
    random.Random(1).shuffle(numbers)
    place.many("t", [(number, f"v{number}" if number % 7 else None) for number in numbers])
    with place.db.reading() as connection:
        table = place.db.reflect(connection, "t")
        batches = list(LiveRows(connection, place.db.tongue, table).batches(("id", "v")))
    assert [batch.start for batch in batches] == [0, 10_000, 20_000]
    ids = [cell for batch in batches for cell in batch.rows.column("id").to_pylist()]
    assert ids == [str(number) for number in range(25_000)]
    assert batches[0].rows.column("v").to_pylist()[:8] == [None, *(f"v{n}" for n in range(1, 7)), None]


def test_constraints_are_reflected(place: Place) -> None:
    place.run(
        "CREATE TABLE branch (id INTEGER PRIMARY KEY)",
        """CREATE TABLE visit (a INTEGER NOT NULL, b INTEGER NOT NULL, mail VARCHAR(40) UNIQUE,
            branch INTEGER NOT NULL, PRIMARY KEY (a, b),
            CONSTRAINT fk_branch FOREIGN KEY (branch) REFERENCES branch (id),
            CONSTRAINT low CHECK (a < 9), UNIQUE (branch, b))""",
    )
    with place.db.reading() as connection:
        table = place.db.reflect(connection, "visit")
        parent = place.db.reflect(connection, "branch")
        children = children_of(connection, parent)
    assert table.key == ("a", "b")
    assert {unique.columns for unique in table.uniques} == {("a", "b"), ("mail",), ("branch", "b")}
    assert [(each.columns, each.table, each.targets) for each in table.references] == [
        (("branch",), "branch", ("id",))
    ]
    assert [check.name for check in table.checks] == ["low"]
    assert [(name, reference.columns) for _, name, reference in children] == [("visit", ("branch",))]
    assert table.fillable == ("a", "b", "mail", "branch")


def test_a_unique_column_stands_in_for_a_primary_key(place: Place) -> None:
    place.run(
        "CREATE TABLE t (code VARCHAR(9) UNIQUE, mail VARCHAR(9) NOT NULL UNIQUE, v INTEGER)",
        "CREATE TABLE bare (v INTEGER)",
    )
    with place.db.reading() as connection:
        assert place.db.reflect(connection, "t").key == ("mail",)
        with pytest.raises(OutsideError, match="neither primary key nor unique column"):
            place.db.reflect(connection, "bare")


def test_a_missing_table_lists_those_there_are_and_a_view_is_refused(place: Place) -> None:
    place.run("CREATE TABLE orders (id INTEGER PRIMARY KEY)", "CREATE VIEW shown AS SELECT * FROM orders")
    with place.db.reading() as connection:
        with pytest.raises(OutsideError, match="no table 'order'") as caught:
            place.db.reflect(connection, "order")
        assert caught.value.hint == "tables: orders"
        with pytest.raises(UsageError, match="'shown' is a view"):
            place.db.reflect(connection, "shown")


def test_a_name_with_a_schema_or_with_a_dot(place: Place) -> None:
    schema = {
        "sqlite": "main",
        "postgresql": "sales",
        "mariadb": place.url.rpartition("/")[2].partition("?")[0],
    }
    if place.kind == "postgresql":
        place.run("CREATE SCHEMA sales")
    quote = "`" if place.kind == "mariadb" else '"'
    place.run(
        f"CREATE TABLE {schema[place.kind]}.orders (id INTEGER PRIMARY KEY)",
        f"CREATE TABLE {quote}a.b{quote} (id INTEGER PRIMARY KEY)",
    )
    with place.db.reading() as connection:
        assert place.db.reflect(connection, f"{schema[place.kind]}.orders").schema == schema[place.kind]
        assert place.db.reflect(connection, "a.b").name == "a.b"
        with pytest.raises(OutsideError, match=r"no table 'nowhere\.orders'"):
            place.db.reflect(connection, "nowhere.orders")


def test_the_lock_of_a_release_is_held_until_its_transaction_ends(place: Place) -> None:
    place.run("CREATE TABLE t (id INTEGER PRIMARY KEY)")
    first, second = place.db, place.db
    with first.writing() as connection:
        assert first.tongue.lock(connection, "r-1")
        if place.kind != "sqlite":  # one writer at a time is all that SQLite knows
            with second.writing() as other:
                assert not second.tongue.lock(other, "r-1")
                assert second.tongue.lock(other, "r-2")
    with second.writing() as other:
        assert second.tongue.lock(other, "r-1")


@pytest.mark.mariadb
def test_a_table_without_transactions_is_refused(mariadb_url: str) -> None:
    db = LiveDb.at(mariadb_url)
    with db.writing() as connection:
        connection.exec_driver_sql("CREATE TABLE t (id INTEGER PRIMARY KEY) ENGINE=MyISAM")
    with (
        db.reading() as connection,
        pytest.raises(OutsideError, match="its engine MyISAM has no transactions"),
    ):
        db.reflect(connection, "t")


def seats_of(
    place: Place, table_name: str, rows: list[dict[str, str | None]], sample: list[dict[str, str | None]]
):
    with place.db.reading() as connection:
        table = place.db.reflect(connection, table_name)
        vacancies = Vacancies(LiveRows(connection, place.db.tongue, table), sample, random.Random(7))
        return vacancies.seat([Seat(row, frozenset()) for row in rows])


def test_a_one_to_one_reference_takes_keys_that_nobody_uses(place: Place) -> None:
    place.run(
        "CREATE TABLE person (id INTEGER PRIMARY KEY)",
        "CREATE TABLE card (id INTEGER PRIMARY KEY, person INTEGER UNIQUE REFERENCES person (id), "
        "FOREIGN KEY (person) REFERENCES person (id))",
    )
    place.many("person", [(number,) for number in range(1, 31)])
    place.many("card", [(number, number) for number in range(1, 21)])
    rows = [{"id": str(100 + n), "person": str(n)} for n in range(1, 16)]
    seated, short = seats_of(place, "card", rows, [{"id": "1", "person": "1"}])
    assert sorted(int(seat.row["person"] or 0) for seat in seated) == list(range(21, 31))
    assert short is not None


def test_a_line_number_continues_within_its_order(place: Place) -> None:
    place.run("CREATE TABLE line (orders INTEGER, no INTEGER, PRIMARY KEY (orders, no))")
    place.many("line", [(order, no) for order in (1, 2) for no in (1, 2, 3)])
    sample: list[dict[str, str | None]] = [
        {"orders": str(o), "no": str(n)} for o in (1, 2) for n in (1, 2, 3)
    ]
    seated, short = seats_of(place, "line", [dict(sample[0]), dict(sample[0]), dict(sample[4])], sample)
    assert short is None
    taken = {(seat.row["orders"], seat.row["no"]) for seat in seated}
    assert len(taken) == 3
    assert not taken & {(each["orders"], each["no"]) for each in sample}


def test_a_unique_text_is_drawn_afresh_in_its_own_shape(place: Place) -> None:
    place.run("CREATE TABLE t (id INTEGER PRIMARY KEY, code VARCHAR(20) UNIQUE)")
    place.many("t", [(1, "AB-0001-x")])
    seated, short = seats_of(
        place, "t", [{"id": "2", "code": "AB-0001-x"}], [{"id": "1", "code": "AB-0001-x"}]
    )
    assert short is None
    code = str(seated[0].row["code"])
    assert code != "AB-0001-x"
    assert (code[2], code[7], code[:2].isupper(), code[8].islower()) == ("-", "-", True, True)


def test_identifying_cells_are_never_moved(place: Place) -> None:
    place.run("CREATE TABLE t (id INTEGER PRIMARY KEY, code VARCHAR(20) UNIQUE)")
    place.many("t", [(1, "A1")])
    with place.db.reading() as connection:
        table = place.db.reflect(connection, "t")
        vacancies = Vacancies(LiveRows(connection, place.db.tongue, table), [], random.Random(7))
        seated, short = vacancies.seat([Seat({"id": "2", "code": "A1"}, frozenset({"code"}))])
    assert seated == []
    assert short


def test_a_uuid_is_drawn_as_a_uuid() -> None:
    import uuid

    text = fresh_like("c36c2aa8-6b26-43be-b5c8-2362b642c763", random.Random(3))
    assert uuid.UUID(text).version == 4


@pytest.mark.parametrize(
    ("given", "driver"),
    [
        ("postgresql://u:p@h/d", "postgresql+psycopg"),
        ("postgres://h/d", "postgresql+psycopg"),
        ("postgresql+psycopg2://h/d", "postgresql+psycopg"),
        ("mysql://h/d", "mysql+pymysql"),
        ("mariadb://h/d", "mysql+pymysql"),
        ("mysql+mysqldb://h/d", "mysql+pymysql"),
        ("sqlite:///x.db", "sqlite+pysqlite"),
    ],
)
def test_urls_of_every_spelling_get_the_driver_that_is_there(given: str, driver: str) -> None:
    assert normalise(given).drivername == driver
    assert is_database_url(given)


@pytest.mark.parametrize(
    "given", ["orders.csv", "oracle://h/d", "sqlite://", "sqlite:///:memory:", "mysql://h", "mysql://h:x/d"]
)
def test_what_is_no_database_url_is_refused(given: str) -> None:
    with pytest.raises(UsageError):
        normalise(given)
    assert not is_database_url("orders.csv")


def test_neither_user_nor_password_is_shown_and_they_do_not_tell_databases_apart() -> None:
    one, two = normalise("mysql://app:s3cret@h/d?charset=utf8"), normalise("mariadb://other@h/d")
    assert shown(one) == "mysql://h/d"
    assert url_digest(one) == url_digest(two)
    assert url_digest(one) != url_digest(normalise("mysql://h/other"))


def test_a_missing_file_is_not_made(tmp_path: Path) -> None:
    db = LiveDb.at(f"sqlite:///{tmp_path / 'none.db'}")
    with pytest.raises(OutsideError, match="no database file"), db.reading():
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_database_that_does_not_answer(tmp_path: Path) -> None:
    db = LiveDb.at("postgresql://app:s3cret@127.0.0.1:9/shop")
    with pytest.raises(OutsideError, match="the database failed") as caught, db.reading():
        pass
    assert "s3cret" not in caught.value.message
