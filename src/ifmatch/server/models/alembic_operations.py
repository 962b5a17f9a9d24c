"""Add and drop version columns in Alembic migrations.

    from ifmatch.server.models import alembic_operations  # makes the two operations known

    def upgrade():
        op.add_version_column("note")

    def downgrade():
        op.drop_version_column("note")

Source: RFC 9110 section 8.8.1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ifmatch.errors import MissingExtraError
from ifmatch.server.models import triggers
from ifmatch.server.models.tags import VERSION_LENGTH

try:
    import sqlalchemy as sa
    from alembic.operations import MigrateOperation, Operations
except ImportError as error:  # pragma: no cover - the extra is installed where tests run
    raise MissingExtraError("alembic", "ifmatch.server.models.alembic_operations") from error

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["AddVersionColumn", "AddVersionTriggers", "DropVersionColumn"]


@Operations.register_operation("add_version_column")
class AddVersionColumn(MigrateOperation):
    """Add a version column, give every row a version, and make the triggers that keep it.

    Args:
        table: its name.
        column: to add.
        schema: of the table, None for the default one.
        key: columns of the primary key, for a table of SQLite WITHOUT ROWID only.
    """

    def __init__(self, table: str, column: str, schema: str | None, key: Sequence[str]) -> None:
        self.table = table
        self.column = column
        self.schema = schema
        self.key = key

    @classmethod
    def add_version_column(
        cls,
        operations: Operations,
        table: str,
        column: str = "version",
        *,
        schema: str | None = None,
        key: Sequence[str] = (),
    ) -> None:
        """Add the column and what keeps it; `op.add_version_column(table)`.

        Args:
            operations: of Alembic.
            table: its name.
            column: to add.
            schema: of the table, None for the default one.
            key: columns of the primary key, for a table of SQLite WITHOUT ROWID only.

        Source: RFC 9110 section 8.8.1.
        """
        operations.invoke(cls(table, column, schema, key))

    def reverse(self) -> DropVersionColumn:
        """Return the operation that undoes this one."""
        return DropVersionColumn(self.table, self.column, self.schema)


@Operations.register_operation("add_version_triggers")
class AddVersionTriggers(AddVersionColumn):
    """Make the triggers alone: for a new table, and again after SQLite's batch mode has rebuilt one.

    Args:
        table: its name.
        column: that holds the version.
        schema: of the table, None for the default one.
        key: columns of the primary key, for a table of SQLite WITHOUT ROWID only.
    """

    @classmethod
    def add_version_triggers(
        cls,
        operations: Operations,
        table: str,
        column: str = "version",
        *,
        schema: str | None = None,
        key: Sequence[str] = (),
    ) -> None:
        """Make the triggers; `op.add_version_triggers(table)`.

        Args:
            operations: of Alembic.
            table: its name.
            column: that holds the version.
            schema: of the table, None for the default one.
            key: columns of the primary key, for a table of SQLite WITHOUT ROWID only.

        Source: RFC 9110 section 8.8.1.
        """
        operations.invoke(cls(table, column, schema, key))


@Operations.register_operation("drop_version_column")
class DropVersionColumn(MigrateOperation):
    """Drop a version column and its triggers.

    Args:
        table: its name.
        column: to drop.
        schema: of the table, None for the default one.
    """

    def __init__(self, table: str, column: str, schema: str | None) -> None:
        self.table = table
        self.column = column
        self.schema = schema

    @classmethod
    def drop_version_column(
        cls, operations: Operations, table: str, column: str = "version", *, schema: str | None = None
    ) -> None:
        """Drop the triggers and the column; `op.drop_version_column(table)`.

        Args:
            operations: of Alembic.
            table: its name.
            column: to drop.
            schema: of the table, None for the default one.
        """
        operations.invoke(cls(table, column, schema))

    def reverse(self) -> AddVersionColumn:
        """Return the operation that undoes this one."""
        return AddVersionColumn(self.table, self.column, self.schema, ())


def _run(operations: Operations, statements: Sequence[str]) -> None:
    for statement in statements:
        operations.execute(sa.text(statement))


@Operations.implementation_for(AddVersionTriggers)
def _make_triggers(operations: Operations, operation: AddVersionColumn) -> None:
    database = operations.get_context().dialect.name
    statements = triggers.create_statements(
        database, operation.table, operation.column, schema=operation.schema, key=operation.key
    )
    _run(operations, statements)


@Operations.implementation_for(AddVersionColumn)
def _add(operations: Operations, operation: AddVersionColumn) -> None:
    column = sa.Column[str](operation.column, sa.String(VERSION_LENGTH), server_default="", nullable=False)
    operations.add_column(operation.table, column, schema=operation.schema)
    _make_triggers(operations, operation)
    _run(operations, [triggers.fill_statement(operation.table, operation.column, schema=operation.schema)])


@Operations.implementation_for(DropVersionColumn)
def _drop(operations: Operations, operation: DropVersionColumn) -> None:
    database = operations.get_context().dialect.name
    _run(
        operations,
        triggers.drop_statements(database, operation.table, operation.column, schema=operation.schema),
    )
    operations.drop_column(operation.table, operation.column, schema=operation.schema)
