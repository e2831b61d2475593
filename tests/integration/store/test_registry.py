"""The registry itself: making, opening, transactions and what goes wrong with databases."""

from __future__ import annotations

import contextlib
import re
import sqlite3
import stat
import threading
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import insert, inspect, select, text

from canary.errors import OutsideError, UsageError
from canary.keys import Keys
from canary.store import meta, migrate
from canary.store.registry import Registry
from canary.store.tables import datasets, metadata
from canary.store.tx import Tx

# SQLite's indexes of expressions cannot be reflected, and PostgreSQL spells them in its own way.
EXPRESSED = "uq_identifiers_digest"
unreflected = pytest.mark.filterwarnings("ignore:.*expression-based index")


def differences(tx: Tx) -> list[Any]:
    """Tell in what the tables differ from those declared, but for the index of an expression."""
    options = {
        "version_table": migrate.VERSION_TABLE,
        "compare_type": True,
        "compare_server_default": True,
        "include_object": lambda _, name, *__: name != EXPRESSED,
    }
    return [*compare_metadata(MigrationContext.configure(tx.conn, opts=options), metadata)]


@unreflected
def test_the_revisions_make_exactly_the_declared_tables(registry: Registry) -> None:
    with registry.read() as tx:
        assert differences(tx) == []
        assert set(metadata.tables) < set(inspect(tx.conn).get_table_names())


@unreflected
def test_the_declared_table_comparison_notices_a_difference(registry: Registry) -> None:
    with registry.begin() as tx:
        tx.conn.execute(text("DROP INDEX ix_sightings_seen_ms"))
    with registry.read() as tx:
        assert [each[0] for each in differences(tx)] == ["add_index"]


def test_the_known_revisions_are_those_on_disk() -> None:
    config = Config()
    config.set_main_option("script_location", str(migrate.MIGRATIONS))
    config.set_main_option("path_separator", "os")
    scripts = ScriptDirectory.from_config(config)
    assert tuple(each.revision for each in reversed([*scripts.walk_revisions()])) == migrate.REVISIONS
    assert scripts.get_current_head() == migrate.REVISIONS[-1]


def test_one_index_serves_look_ups_and_keeps_unshared_values_unique(registry: Registry) -> None:
    with registry.begin() as tx:
        sqlite = tx.conn.dialect.name == "sqlite"
        if not sqlite:
            tx.conn.execute(text("SET LOCAL enable_seqscan = off"))
        explain = "EXPLAIN QUERY PLAN" if sqlite else "EXPLAIN"
        digest = "x'00'" if sqlite else "'\\x00'::bytea"
        found = tx.conn.execute(text(f"{explain} SELECT canary FROM identifiers WHERE digest = {digest}"))
        assert EXPRESSED in str(found.all())
        made = "sqlite_master WHERE name" if sqlite else "pg_indexes WHERE indexname"
        column = "sql" if sqlite else "indexdef"
        declared = tx.conn.scalar(text(f"SELECT {column} FROM {made} = '{EXPRESSED}'"))
    assert re.search(r"UNIQUE INDEX.*digest, .*CASE\s+WHEN shared THEN serial\s+ELSE", str(declared), re.S)


def downgrade(tx: Tx, revision: str) -> None:
    from alembic import command

    config = Config(attributes={"connection": tx.conn})
    config.set_main_option("script_location", str(migrate.MIGRATIONS))
    config.set_main_option("path_separator", "os")
    command.downgrade(config, revision)


@unreflected
def test_a_registry_of_two_digest_indexes_gets_one(registry: Registry) -> None:
    with registry.begin() as tx:
        downgrade(tx, "0006")
        before = {each["name"]: each["unique"] for each in inspect(tx.conn).get_indexes("identifiers")}
        migrate.bring_up(tx.conn)
        after = {each["name"] for each in inspect(tx.conn).get_indexes("identifiers")}
        assert differences(tx) == []
    assert (before["ix_identifiers_digest"], before[EXPRESSED]) == (0, 1)
    assert "ix_identifiers_digest" not in after


def test_downgrade_takes_every_table_back(registry: Registry) -> None:
    with registry.begin() as tx:
        downgrade(tx, "base")
        assert set(inspect(tx.conn).get_table_names()) == {migrate.VERSION_TABLE}


def test_a_registry_opens_again_with_what_was_committed(registry: Registry, database_url: str) -> None:
    with registry.begin() as tx:
        meta.put(tx, "note", "first")
        meta.put(tx, "note", "second")
    registry.close()
    again = Registry.open(database_url, registry.keys)
    try:
        with again.read() as tx:
            assert meta.get(tx, "note") == "second"
            assert meta.get(tx, "nothing") is None
    finally:
        again.close()


def test_an_exception_undoes_the_whole_write_transaction(registry: Registry) -> None:
    def write_and_stop() -> None:
        with registry.begin() as tx:
            meta.put(tx, "note", "written")
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        write_and_stop()
    with registry.read() as tx:
        assert meta.get(tx, "note") is None


def test_a_read_transaction_sees_one_state_and_leaves_nothing(registry: Registry) -> None:
    with registry.read() as reading:
        assert reading.conn.scalars(select(datasets.c.name)).all() == []
        with registry.begin() as tx:
            tx.conn.execute(insert(datasets).values(name="waybills", created_ms=1))
        assert reading.conn.scalars(select(datasets.c.name)).all() == []
    with registry.read() as tx:
        assert tx.conn.scalars(select(datasets.c.name)).all() == ["waybills"]
        assert not tx.writes


def test_a_write_in_a_read_transaction_never_stays(registry: Registry) -> None:
    refused = contextlib.suppress(OutsideError)  # PostgreSQL refuses at once, SQLite forgets at the end
    with refused, registry.read() as tx:
        meta.put(tx, "note", "written")
    with registry.read() as tx:
        assert meta.get(tx, "note") is None


def test_writers_wait_for_one_another(registry: Registry) -> None:
    def count() -> None:
        for _ in range(10):
            with registry.begin() as tx:
                tx.conn.execute(select(metadata.tables["ledger_head"]).with_for_update())
                meta.put(tx, "count", str(int(meta.get(tx, "count") or 0) + 1))

    threads = [threading.Thread(target=count) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    with registry.read() as tx:
        assert meta.get(tx, "count") == "40"


def test_create_refuses_where_a_registry_stands(registry: Registry, database_url: str) -> None:
    with pytest.raises(UsageError, match="already"):
        Registry.create(database_url, registry.keys)


def test_open_refuses_another_master_key(registry: Registry, database_url: str) -> None:
    with pytest.raises(OutsideError, match="master key"):
        Registry.open(database_url, Keys(bytes(32)))


def test_open_refuses_a_registry_of_a_newer_canary(registry: Registry, database_url: str) -> None:
    with registry.begin() as tx:
        tx.conn.execute(text(f"UPDATE {migrate.VERSION_TABLE} SET version_num = '9999'"))
    with pytest.raises(OutsideError, match="9999") as caught:
        Registry.open(database_url, registry.keys)
    assert "upgrade" in caught.value.hint


def test_open_runs_missing_revisions(
    registry: Registry, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    brought: list[str] = []
    monkeypatch.setattr(migrate, "REVISIONS", (*migrate.REVISIONS, "later"))
    monkeypatch.setattr(migrate, "upgrade", lambda connection: brought.append(connection.dialect.name))
    Registry.open(database_url, registry.keys).close()
    assert brought == [registry.engine.dialect.name]


def test_bringing_up_a_current_registry_changes_nothing(registry: Registry) -> None:
    with registry.begin() as tx:
        migrate.bring_up(tx.conn)
        assert migrate.version(tx.conn) == migrate.REVISIONS[-1]


def test_open_refuses_a_database_without_a_registry(database_url: str, keys: Keys, tmp_path: Path) -> None:
    if database_url.startswith("sqlite"):
        with closing(sqlite3.connect(tmp_path / "canary.db")) as connection:
            connection.execute("CREATE TABLE recipients (other TEXT)")
    with pytest.raises(OutsideError, match="not a registry") as caught:
        Registry.open(database_url, keys)
    assert "canary init" in caught.value.hint


@pytest.mark.postgresql
def test_create_refuses_a_database_with_tables_of_another_program(postgresql_url: str, keys: Keys) -> None:
    import psycopg

    with psycopg.connect(postgresql_url) as connection:
        connection.execute("CREATE TABLE recipients (other TEXT)")
    with pytest.raises(OutsideError, match="another program: recipients"):
        Registry.create(postgresql_url, keys)


@pytest.mark.postgresql
def test_an_unreachable_server_is_told_without_the_password(postgresql_url: str, keys: Keys) -> None:
    bad = postgresql_url.replace("postgres@", "postgres:s3cr3t@").rpartition("/")[0] + "/nowhere"
    with pytest.raises(OutsideError) as caught:
        Registry.open(bad, keys)
    assert "nowhere" in caught.value.message
    assert "s3cr3t" not in caught.value.message + caught.value.hint
    with pytest.raises(OutsideError, match="failed"):
        Registry.open("postgresql://u:s3cr3t@127.0.0.1:1/x", keys)


def test_the_password_never_shows(keys: Keys) -> None:
    from canary.store import engine

    url = engine.normalise("postgres://u:s3cr3t@127.0.0.1:1/x")
    registry = Registry(engine.make_engine(url), keys)
    try:
        assert "s3cr3t" not in repr(registry) + registry.url
        assert registry.url.startswith("postgresql+psycopg://u:***@")
    finally:
        registry.close()


def test_sqlite_files_are_for_their_owner_alone(tmp_path: Path, keys: Keys) -> None:
    registry = Registry.create(f"sqlite:///{tmp_path / 'canary.db'}", keys)
    with registry.begin() as tx:
        meta.put(tx, "note", "x")
        modes = {each.name: stat.S_IMODE(each.stat().st_mode) for each in tmp_path.iterdir()}
    registry.close()
    assert modes == {"canary.db": 0o600, "canary.db-wal": 0o600, "canary.db-shm": 0o600}


def test_sqlite_runs_with_the_promised_pragmas(tmp_path: Path, keys: Keys) -> None:
    registry = Registry.create(f"sqlite:///{tmp_path / 'canary.db'}", keys)
    names = "journal_mode", "synchronous", "foreign_keys", "busy_timeout"
    with registry.read() as tx:
        found = {name: tx.conn.exec_driver_sql(f"PRAGMA {name}").scalar() for name in names}
    registry.close()
    assert found == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 30_000}


def test_a_missing_sqlite_file_is_not_made_by_opening(tmp_path: Path, keys: Keys) -> None:
    with pytest.raises(OutsideError, match="no registry"):
        Registry.open(f"sqlite:///{tmp_path / 'canary.db'}", keys)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_database_is_told(tmp_path: Path, keys: Keys) -> None:
    path = tmp_path / "canary.db"
    path.write_bytes(b"PK\x03\x04" * 1000)
    with pytest.raises(OutsideError, match="not a database"):
        Registry.open(f"sqlite:///{path}", keys)


def test_a_file_in_the_way_and_a_missing_folder_are_told(tmp_path: Path, keys: Keys) -> None:
    (tmp_path / "canary.db").write_text("")
    with pytest.raises(UsageError, match="exists already"):
        Registry.create(f"sqlite:///{tmp_path / 'canary.db'}", keys)
    with pytest.raises(OutsideError, match="cannot create"):
        Registry.create(f"sqlite:///{tmp_path / 'none' / 'canary.db'}", keys)


def test_a_failed_making_leaves_no_file(tmp_path: Path, keys: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(connection: object) -> None:
        raise OutsideError("disk full")

    monkeypatch.setattr(migrate, "upgrade", fail)
    with pytest.raises(OutsideError, match="disk full"):
        Registry.create(f"sqlite:///{tmp_path / 'canary.db'}", keys)
    assert list(tmp_path.iterdir()) == []


def test_a_read_only_registry_reads_and_says_why_it_cannot_write(tmp_path: Path, keys: Keys) -> None:
    path = tmp_path / "canary.db"
    Registry.create(f"sqlite:///{path}", keys).close()
    registry = Registry.open(f"sqlite:///file:{path}?mode=ro&uri=true", keys)
    try:
        with pytest.raises(OutsideError, match="readonly") as caught, registry.begin() as tx:
            meta.put(tx, "note", "x")
        assert "writable" in caught.value.hint
    finally:
        registry.close()


@pytest.mark.parametrize(
    "url", ["mysql://u:s3cr3t@h/d", "oracle://x", "not a url", "sqlite://", "sqlite:///:memory:"]
)
def test_other_urls_are_refused_without_telling_secrets(url: str, keys: Keys) -> None:
    with pytest.raises(UsageError) as caught:
        Registry.create(url, keys)
    assert "s3cr3t" not in caught.value.message + caught.value.hint


def test_writers_of_one_process_take_turns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    registry = Registry.create(f"sqlite:///{tmp_path / 'turns.db'}", Keys(bytes(range(32))))
    written: list[str] = []

    def write(name: str) -> None:
        with registry.begin() as tx:
            written.append(name)
            meta.put(tx, "turn", name)

    threads = [threading.Thread(target=write, args=(name,)) for name in "ab"]
    with registry.begin() as tx:
        for thread in threads:
            thread.start()
        threads[0].join(0.05)
        assert written == []
        meta.put(tx, "turn", "first")
        monkeypatch.setattr("canary.store.engine.BUSY_SECONDS", 0.01)
        late = threading.Thread(target=write, args=("late",))  # its turn does not come: SQLite has it wait
        late.start()
        late.join(0.1)
        assert written == []
    for thread in (*threads, late):
        thread.join(10)
    assert sorted(written) == ["a", "b", "late"]
    registry.close()
