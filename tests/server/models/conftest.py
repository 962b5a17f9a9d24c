"""Databases for models: a PostgreSQL cluster for the session, a file of SQLite for each test."""

from __future__ import annotations

import itertools

import psycopg
import pytest

from tests.server.models import dj  # noqa: F401 -- Django wants its settings before any model is imported
from tests.server.models.places import Place
from tests.server.stores import clusters


@pytest.fixture(scope="session")
def postgresql(tmp_path_factory):
    """Give a function that makes an empty schema, far cheaper than a database, and tells where it is."""
    numbers = itertools.count(1)
    with clusters.Postgresql(tmp_path_factory.mktemp("pg", numbered=True)) as cluster:
        where = cluster.fresh_database()
        with psycopg.connect(where, autocommit=True) as connection:
            # Nothing here looks at what a crash leaves behind.
            connection.execute(f"ALTER DATABASE {connection.info.dbname} SET synchronous_commit = off")

            def fresh_schema() -> str:
                name = f"s{next(numbers)}"
                connection.execute(f"CREATE SCHEMA {name}")
                return f"{where} options=-csearch_path={name}"

            yield fresh_schema


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request, tmp_path):
    """Give a fresh, empty database."""
    if request.param == "sqlite":
        return Place("sqlite", str(tmp_path / "models.sqlite"))
    return Place("postgresql", request.getfixturevalue("postgresql")())
