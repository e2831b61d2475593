"""The throw-away servers of the test suite answer, each test with a database of its own."""

from __future__ import annotations

import pytest
from sqlalchemy import create_engine, text


@pytest.mark.postgresql
def test_postgresql_gives_each_test_an_empty_database(postgresql_url: str) -> None:
    engine = create_engine(postgresql_url.replace("postgresql://", "postgresql+psycopg://"))
    try:
        with engine.connect() as connection:
            assert connection.scalar(text("SELECT count(*) FROM pg_stat_user_tables")) == 0
            assert connection.scalar(text("SHOW server_encoding")) == "UTF8"
    finally:
        engine.dispose()


@pytest.mark.mariadb
def test_mariadb_gives_each_test_an_empty_database(mariadb_url: str) -> None:
    engine = create_engine(mariadb_url)
    try:
        with engine.connect() as connection:
            assert connection.execute(text("SHOW TABLES")).all() == []
            assert connection.scalar(text("SELECT '一𠮷'")) == "一𠮷"
    finally:
        engine.dispose()
