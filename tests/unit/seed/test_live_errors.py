"""What databases report, told without values and passwords."""

from __future__ import annotations

import pytest
from sqlalchemy import make_url
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, OperationalError

from canary.steps import live_errors

URL = make_url("postgresql+psycopg://app:s3cret@db.example/shop")


class Reported(Exception):
    """A driver's error: number and text, or SQLSTATE and text."""

    def __init__(self, *arguments: object, sqlstate: str | None = None) -> None:
        super().__init__(*arguments)
        self.sqlstate = sqlstate


def report(
    *arguments: object, sqlstate: str | None = None, kind: type[DBAPIError] = OperationalError
) -> DBAPIError:
    return kind("INSERT …", None, Reported(*arguments, sqlstate=sqlstate))


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (report("no", sqlstate="28P01"), "refused the login"),
        (report(1045, "Access denied for user 'app'"), "refused the login"),
        (report("x", sqlstate="25006"), "read-only"),
        (report("attempt to write a readonly database"), "read-only"),
        (
            report("permission denied for table t", sqlstate="42501"),
            "no privilege: permission denied for table t",
        ),
        (report("database is locked"), "busy"),
        (report(1205, "Lock wait timeout exceeded"), "busy"),
        (
            report("connection to server failed: s3cret"),
            "the database failed: connection to server failed: ***",
        ),
        (report("odd", sqlstate="XX000"), "the database failed: odd"),
        (report(), "Reported"),
    ],
)
def test_each_report_has_its_message_and_a_hint(error: DBAPIError, message: str) -> None:
    told = live_errors.outside(error, URL, "orders")
    assert message in told.message
    assert told.hint
    assert "s3cret" not in told.message + told.hint


def test_values_never_appear() -> None:
    error = report(
        1366, "Incorrect integer value: '13812345678' for column `s`.`t`.`n` at row 1", kind=DataError
    )
    assert "13812345678" not in live_errors.outside(error, URL).message
    assert live_errors.constraint_of(error) == "n"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Duplicate entry 'a@b' for key 'orders.uq_mail'", "uq_mail"),
        ("Duplicate entry 'a@b' for key 'uq_mail'", "uq_mail"),
        ("CONSTRAINT `positive` failed for `shop`.`orders`", "positive"),
        ("Column 'name' cannot be null", "name"),
        ("Data too long for column 'name' at row 1", "name"),
        ("UNIQUE constraint failed: orders.mail", "orders.mail"),
        ("CHECK constraint failed: n > 0", "n > 0"),
        ("something else about 'a@b'", "something else about …"),
    ],
)
def test_the_constraint_is_named(text: str, name: str) -> None:
    error = report(text, kind=IntegrityError)
    assert live_errors.constraint_of(error) == name
    assert name in live_errors.refused(error, "orders").message


def test_only_reports_about_a_row_are_tried_again() -> None:
    assert live_errors.rejects_row(report("x", kind=IntegrityError))
    assert live_errors.rejects_row(report("x", kind=DataError))
    assert live_errors.rejects_row(report("raised by a trigger", sqlstate="P0001"))
    assert not live_errors.rejects_row(report("gone", sqlstate="57P01"))
