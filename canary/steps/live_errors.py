"""What databases report, in one line without values or passwords, and which reports concern one row."""

from __future__ import annotations

import re
from typing import Final

from sqlalchemy import URL
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError

from canary.errors import OutsideError

_READ_ONLY: Final = frozenset({"25006", "1290", "1792", "1836"})
_FORBIDDEN: Final = frozenset({"42501", "1142", "1143", "1044"})
_REFUSED_LOGIN: Final = frozenset({"28000", "28P01", "1045", "1698"})
_BUSY: Final = frozenset({"55P03", "40P01", "57014", "1205", "1213"})
_TRIGGER: Final = frozenset(
    {"P0001", "1644", "3819", "4025"}
)  # raised by a trigger, or a CHECK on older drivers
_NAMES: Final = (
    re.compile(r"for key '(?:[^'.]*\.)?([^']*)'"),  # MariaDB and MySQL: a unique key
    re.compile(r"CONSTRAINT `([^`]*)`"),
    re.compile(r"Column '([^']*)' cannot be null"),
    re.compile(r"column [`']([^`']*)[`'] at row"),
    re.compile(r"`([^`]*)` at row"),
    re.compile(r"constraint failed: (.*)", re.DOTALL),  # SQLite
)
_VALUE: Final = re.compile(r"'[^'`]*'|\"[^\"]*\"")


def code_of(error: DBAPIError) -> str:
    """Give the number or SQLSTATE of a database's report, empty where it has none."""
    arguments = getattr(error.orig, "args", ())
    if arguments and isinstance(arguments[0], int):
        return str(arguments[0])
    return str(getattr(error.orig, "sqlstate", None) or "")


def said(error: DBAPIError) -> str:
    """Give the first line of a database's report, with every quoted value left out."""
    arguments = getattr(error.orig, "args", ())
    whole = str(arguments[-1] if arguments else error.orig).strip()
    line = whole.splitlines()[0] if whole else type(error.orig).__name__
    return _VALUE.sub("…", line).strip()


def rejects_row(error: DBAPIError) -> bool:
    """Tell whether the report concerns the row that was inserted, so that another row may pass."""
    if isinstance(error, (IntegrityError, DataError)):
        return True
    return code_of(error) in _TRIGGER


def constraint_of(error: DBAPIError) -> str:
    """Name the constraint (or column) that refused a row, else what the database said."""
    report = getattr(error.orig, "diag", None)
    for part in ("constraint_name", "column_name"):
        if getattr(report, part, None):
            return str(getattr(report, part))
    arguments = getattr(error.orig, "args", ())
    text = str(arguments[-1]) if arguments else ""
    for pattern in _NAMES:
        if found := pattern.search(text):
            return found[1].strip()
    return said(error)


def outside(error: DBAPIError, url: URL, table: str = "") -> OutsideError:
    """Turn a database's report into an error with a hint; says no password and no value."""
    code, text = code_of(error), said(error)
    if url.password:
        text = text.replace(str(url.password), "***")
    if code in _REFUSED_LOGIN:
        return OutsideError("the database refused the login", "check user and password in the URL")
    if code in _READ_ONLY or "readonly database" in text:
        return OutsideError(
            "the database is read-only", "give the URL of the primary, and a file that may be written"
        )
    if code in _FORBIDDEN:
        return OutsideError(
            f"no privilege: {text}", f"grant SELECT, INSERT and DELETE on {table or 'the table'} to this user"
        )
    if code in _BUSY or "database is locked" in text or "database table is locked" in text:
        return OutsideError(
            "the database is busy: another program holds its lock", "try again when it has ended"
        )
    if error.connection_invalidated or not code:
        return OutsideError(
            f"the database failed: {text}", "check that it is up and the URL is right, then try again"
        )
    return OutsideError(f"the database failed: {text}", "see the database's own log for more")


def refused(error: DBAPIError, table: str) -> OutsideError:
    """Make the error for a row that no draft could satisfy; names the constraint."""
    return OutsideError(
        f"no canary satisfies the constraint {constraint_of(error)!r} of {table}",
        "nothing was planted; give its column's role in a policy (--policy), or plant in another table",
    )
