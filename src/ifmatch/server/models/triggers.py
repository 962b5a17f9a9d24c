"""Generate triggers that change the version of a row on every write, also on those past the helpers.

The admin, `QuerySet.update`, bulk operations, other programs and SQL by hand do not know that a version has
to change. The triggers know two rules: a new row without a version gets one, and an update whose version is
not above the stored one gets one that is. So a write that names no version changes it, and so does one that
brings an old version along.

All statements are free of `%` and `:`, so that they pass through `text()`, `DDL`, cursors and `RunSQL` alike.

Source: RFC 9110 section 8.8.1.
"""

# ruff: noqa: S608 -- statements are made of quoted names

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["DATABASES", "create_statements", "drop_statements", "fill_statement", "present_query"]

DATABASES: Final = ("postgresql", "sqlite")
"""Names of the databases for which there are triggers, as SQLAlchemy and Django name them."""

_LONGEST_NAME: Final = 50
_SQLITE_NOW: Final = "CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)"
_POSTGRESQL_NOW: Final = "CAST(floor(extract(epoch FROM clock_timestamp()) * 1000) AS bigint)"


def create_statements(
    database: str,
    table: str,
    column: str = "version",
    *,
    schema: str | None = None,
    key: Sequence[str] = (),
) -> tuple[str, ...]:
    """Return the statements that make the triggers of a table; running them again does no harm.

    Args:
        database: `postgresql` or `sqlite`.
        table: its name, not quoted.
        column: that holds the version: text of at least 32 characters, NOT NULL DEFAULT ''.
        schema: of the table, None for the default one.
        key: columns of the primary key; SQLite needs them for a table WITHOUT ROWID, else leave them out.

    Raises:
        ValueError: for another database.

    Source: RFC 9110 section 8.8.1.
    """
    if _known(database) == "sqlite":
        return _sqlite(table, column, schema, key or ("rowid",))
    return _postgresql(table, column, schema)


def drop_statements(
    database: str, table: str, column: str = "version", *, schema: str | None = None
) -> tuple[str, ...]:
    """Return the statements that take the triggers of a table away; running them again does no harm.

    Args:
        database: `postgresql` or `sqlite`.
        table: its name, not quoted.
        column: that holds the version.
        schema: of the table, None for the default one.

    Raises:
        ValueError: for another database.
    """
    name = _name(table, column)
    if _known(database) == "sqlite":
        return tuple(
            f"DROP TRIGGER IF EXISTS {_qualified(f'{name}_{event}', schema)}"
            for event in ("insert", "update")
        )
    return (
        f"DROP TRIGGER IF EXISTS {_quoted(name)} ON {_qualified(table, schema)}",
        f"DROP FUNCTION IF EXISTS {_qualified(name, schema)}()",
    )


def fill_statement(table: str, column: str = "version", *, schema: str | None = None) -> str:
    """Return the statement that gives every row a new version; the triggers have to be there.

    Args:
        table: its name, not quoted.
        column: that holds the version.
        schema: of the table, None for the default one.
    """
    return f"UPDATE {_qualified(table, schema)} SET {_quoted(column)} = ''"


def present_query(
    database: str, table: str, column: str = "version", *, schema: str | None = None
) -> tuple[str, int]:
    """Return a query that counts the triggers of a table that are there, and how many there should be.

    SQLite drops triggers when a migration rebuilds the table (Alembic's batch mode, Django's AlterField).

    Args:
        database: `postgresql` or `sqlite`.
        table: its name, not quoted.
        column: that holds the version.
        schema: of the table, None for the default one.

    Raises:
        ValueError: for another database.
    """
    name = _name(table, column)
    if _known(database) == "sqlite":
        catalogue = _qualified("sqlite_master", schema)
        names = f"{_literal(f'{name}_insert')}, {_literal(f'{name}_update')}"
        return (
            f"SELECT count(*) FROM {catalogue} WHERE type = 'trigger' AND name IN ({names})",
            2,
        )
    target = _literal(_qualified(table, schema))
    query = (
        f"SELECT count(*) FROM pg_trigger WHERE tgname = {_literal(name)} AND tgenabled <> 'D'"
        f" AND tgrelid = CAST({target} AS regclass)"
    )
    return query, 1


def _known(database: str) -> str:
    if database not in DATABASES:
        raise ValueError(
            f"there are no triggers for {database!r}, only for {' and '.join(DATABASES)}; elsewhere let"
            " nothing write past the helper, or take a content digest under the row lock"
        )
    return database


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _qualified(name: str, schema: str | None) -> str:
    return _quoted(name) if schema is None else f"{_quoted(schema)}.{_quoted(name)}"


def _name(table: str, column: str) -> str:
    name = f"{table}_{column}_grows"
    if len(name.encode()) <= _LONGEST_NAME:
        return name
    # PostgreSQL cuts names at 63 octets, which would make two long tables share one trigger name.
    return f"grows_{blake2b(name.encode(), digest_size=12).hexdigest()}"


def _sqlite(table: str, column: str, schema: str | None, key: Sequence[str]) -> tuple[str, ...]:
    name, version, target = _name(table, column), _quoted(column), _quoted(table)
    # Without quotes: "rowid" in quotes is read as text where a table has no such column.
    columns = [part if part == "rowid" else _quoted(part) for part in key]
    row = " AND ".join(f"{part} = NEW.{part}" for part in columns)
    random = "substr(lower(hex(randomblob(10))), 1, 19)"
    first = f"CAST({_SQLITE_NOW} AS TEXT) || {random}"
    above = f"max({_SQLITE_NOW}, CAST(substr(OLD.{version}, 1, 13) AS INTEGER) + 1)"
    later = f"CAST({above} AS TEXT) || {random}"
    # What the trigger writes is above the old version, so it ends even with recursive_triggers.
    events = (("update", f"NEW.{version} <= OLD.{version}", later), ("insert", f"NEW.{version} = ''", first))
    statements: list[str] = []
    for event, condition, new in events:
        trigger = _qualified(f"{name}_{event}", schema)
        statements.append(
            f"CREATE TRIGGER IF NOT EXISTS {trigger} AFTER {event.upper()} ON {target}"
            f" FOR EACH ROW WHEN NEW.{version} IS NULL OR {condition}"
            f" BEGIN UPDATE {target} SET {version} = {new} WHERE {row}; END"
        )
    return tuple(statements)


def _postgresql(table: str, column: str, schema: str | None) -> tuple[str, ...]:
    name, version, target = _name(table, column), _quoted(column), _qualified(table, schema)
    function = _qualified(name, schema)
    trigger = f"CREATE TRIGGER {_quoted(name)} BEFORE INSERT OR UPDATE ON {target}"
    return (
        f"""CREATE OR REPLACE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS $grows$
DECLARE
  moment bigint;
  random text;
BEGIN
  IF TG_OP = 'INSERT' THEN
    IF NEW.{version} IS NOT NULL AND NEW.{version} <> '' THEN
      RETURN NEW;
    END IF;
  ELSIF NEW.{version} COLLATE "C" > OLD.{version} COLLATE "C" THEN
    RETURN NEW;
  END IF;
  moment = {_POSTGRESQL_NOW};
  IF TG_OP = 'UPDATE' THEN
    IF OLD.{version} ~ '^[0-9]{{13}}' THEN
      moment = greatest(moment, CAST(left(OLD.{version}, 13) AS bigint) + 1);
    END IF;
  END IF;
  random = replace(CAST(gen_random_uuid() AS text), '-', '');
  NEW.{version} = CAST(moment AS text) || left(random, 12) || right(random, 7);
  RETURN NEW;
END $grows$""",
        # CREATE OR REPLACE TRIGGER is new in PostgreSQL 14.
        f"DROP TRIGGER IF EXISTS {_quoted(name)} ON {target}",
        f"{trigger} FOR EACH ROW EXECUTE FUNCTION {function}()",
    )
