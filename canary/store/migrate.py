"""Brings a registry's tables to the newest form, by the alembic revisions packaged beside this file."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from sqlalchemy import Connection, inspect, select, table, text

from canary.errors import OutsideError, UsageError
from canary.store.rows import lock
from canary.store.watchtables import metadata

# Oldest first; known here so that opening a current registry loads no alembic.
REVISIONS: Final = ("0001", "0002", "0003", "0004", "0005", "0006", "0007")
VERSION_TABLE: Final = "canary_version"
MIGRATIONS: Final = Path(__file__).parent / "migrations"
_LOCK: Final = 0x63616E617279  # "canary": one process migrates, the others wait


def version(connection: Connection) -> str | None:
    """Give the revision of the registry's tables, None where there is no registry."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    found: str | None = connection.scalar(select(text("version_num")).select_from(table(VERSION_TABLE)))
    return found


def create(connection: Connection) -> None:
    """Make all tables; raises UsageError where a registry stands, OutsideError where others' tables do."""
    lock(connection, _LOCK)
    if version(connection) is not None:
        raise UsageError("the database holds a registry already", "open it, or choose another database")
    foreign = sorted(set(inspect(connection).get_table_names()) & metadata.tables.keys())
    if foreign:
        raise OutsideError(
            f"the database holds tables of another program: {', '.join(foreign)}", "choose an empty database"
        )
    upgrade(connection)


def bring_up(connection: Connection) -> None:
    """Run the missing revisions; raises OutsideError for what is no registry or one of a newer canary."""
    lock(connection, _LOCK)
    check_known(found := version(connection))
    if found != REVISIONS[-1]:
        upgrade(connection)


def check_known(found: str | None) -> None:
    """Raise OutsideError where a revision is missing or unknown."""
    if found is None:
        raise OutsideError("the database is not a registry of canary", "make one with canary init")
    if found not in REVISIONS:
        raise OutsideError(
            f"the registry has revision {found}, this canary knows {', '.join(REVISIONS)}", "upgrade canary"
        )


def upgrade(connection: Connection) -> None:
    """Run alembic to the newest revision within the connection's transaction."""
    from alembic import command
    from alembic.config import Config

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    command.upgrade(config, "head")
