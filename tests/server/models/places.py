"""Where a database is, in the words of each library; and the requests that tests send."""

from __future__ import annotations

import contextlib
import sqlite3
from dataclasses import dataclass

import psycopg
import sqlalchemy as sa

from ifmatch.server.answers import RequestFacts
from ifmatch.server.gate import Settings

SETTINGS = Settings(sinks=())
LOCKED = (sqlite3.OperationalError, psycopg.errors.LockNotAvailable)
"""What `Place.run` raises when somebody holds the lock for longer than it waits."""


@dataclass(frozen=True)
class Place:
    """A database: `sqlite` and a path, or `postgresql` and a connection string."""

    kind: str
    where: str

    @property
    def words(self) -> dict[str, str]:
        return dict(part.split("=", 1) for part in self.where.split())

    def engine(self, **options) -> sa.Engine:
        if self.kind == "sqlite":
            return sa.create_engine(f"sqlite:///{self.where}", connect_args={"timeout": 20}, **options)
        return sa.create_engine("postgresql+psycopg://", connect_args=self.words, **options)

    def django(self) -> dict[str, object]:
        if self.kind == "sqlite":
            return {"ENGINE": "django.db.backends.sqlite3", "NAME": self.where, "OPTIONS": {"timeout": 20}}
        words = self.words
        return {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": words["dbname"],
            "USER": words["user"],
            "HOST": words["host"],
            "OPTIONS": {"options": words["options"]},
        }

    def run(self, statement: str, patience: float = 120) -> list[tuple[object, ...]]:
        """Run one statement by hand, past every helper; wait so many seconds for locks, return the rows."""
        if self.kind == "sqlite":
            with contextlib.closing(sqlite3.connect(self.where, timeout=patience)) as connection, connection:
                return connection.execute(statement).fetchall()
        with psycopg.connect(self.where) as connection:
            connection.execute(f"SET lock_timeout = {int(1000 * patience)}".encode())
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def script(self, *statements: str) -> None:
        for statement in statements:
            self.run(statement)


def facts(method: str = "PUT", *fields: tuple[str, str]) -> RequestFacts:
    return RequestFacts(method, "/notes/1", fields, "/notes/{number}")
