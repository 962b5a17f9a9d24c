"""Add versions in Django migrations, and the triggers that keep them.

    operations = [AddVersion("note")]                          # a table that is there already
    operations = [CreateModel("Note", ...), VersionTriggers("note")]   # a new one

Source: RFC 9110 section 8.8.1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ifmatch.errors import MissingExtraError
from ifmatch.server.models import triggers
from ifmatch.server.models.django_orm import VersionField

try:
    from django.db import connections, migrations
    from django.db.migrations.operations.base import Operation
except ImportError as error:  # pragma: no cover - the extra is installed where tests run
    raise MissingExtraError("django", "ifmatch.server.models.django_migrations") from error

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.db import models
    from django.db.backends.base.base import BaseDatabaseWrapper
    from django.db.backends.base.schema import BaseDatabaseSchemaEditor
    from django.db.migrations.state import ProjectState

__all__ = ["AddVersion", "VersionTriggers", "has_triggers"]


def has_triggers(model: type[models.Model], using: str = "default") -> bool:
    """Tell whether the triggers of a model's table are there.

    On SQLite Django makes a table anew for most AlterField and drops the triggers with the old one: repeat
    `VersionTriggers` after such a migration.

    Args:
        model: with a `VersionField`.
        using: alias of the database.

    Raises:
        ValueError: for another database than PostgreSQL and SQLite, and a model without a `VersionField`.
    """
    connection = connections[using]
    query, due = triggers.present_query(connection.vendor, model._meta.db_table, _column(model))  # noqa: SLF001
    with connection.cursor() as cursor:
        cursor.execute(query)
        row = cursor.fetchone()
    return row is not None and int(row[0]) == due


def _column(model: type[models.Model]) -> str:
    for field in model._meta.local_concrete_fields:  # noqa: SLF001 -- Django's public name
        if isinstance(field, VersionField):
            return str(field.column)
    raise ValueError(f"{model.__name__} has no VersionField of its own; run AddVersion first")


def _run(connection: BaseDatabaseWrapper, statements: Sequence[str]) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


class _OnModel(Operation):
    """Make and drop the triggers of the model of an operation, where the router lets it migrate."""

    model_name: str

    def _place(
        self, app_label: str, editor: BaseDatabaseSchemaEditor, state: ProjectState
    ) -> tuple[str, str] | None:
        """Return table and column, None where the model does not migrate."""
        model = state.apps.get_model(app_label, self.model_name)
        if not self.allow_migrate_model(editor.connection.alias, model):
            return None
        return model._meta.db_table, _column(model)  # noqa: SLF001 -- Django's public name

    def _make(
        self, app_label: str, editor: BaseDatabaseSchemaEditor, state: ProjectState, *, fill: bool
    ) -> None:
        place = self._place(app_label, editor, state)
        if place is not None:
            statements = triggers.create_statements(editor.connection.vendor, *place)
            _run(editor.connection, (*statements, triggers.fill_statement(*place)) if fill else statements)

    def _drop(self, app_label: str, editor: BaseDatabaseSchemaEditor, state: ProjectState) -> None:
        place = self._place(app_label, editor, state)
        if place is not None:
            _run(editor.connection, triggers.drop_statements(editor.connection.vendor, *place))


class AddVersion(_OnModel, migrations.AddField):
    """Add a `VersionField` to a model, give every row a version, and make the triggers.

    Args:
        model_name: of the model.
        name: of the field.
        field: None makes one; Django gives it when it squashes migrations.
        preserve_default: of no meaning here.

    Raises:
        ValueError: when the migration runs on another database than PostgreSQL and SQLite.
    """

    def __init__(
        self,
        model_name: str,
        name: str = "version",
        field: VersionField | None = None,
        preserve_default: bool = True,
    ) -> None:
        super().__init__(model_name, name, field or VersionField(), preserve_default)

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """Add column, triggers, versions; Django calls it.

        Args:
            app_label: of the application.
            schema_editor: of the database.
            from_state: the models before.
            to_state: the models after.
        """
        super().database_forwards(app_label, schema_editor, from_state, to_state)
        self._make(app_label, schema_editor, to_state, fill=True)

    def database_backwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """Drop triggers and column; Django calls it.

        Args:
            app_label: of the application.
            schema_editor: of the database.
            from_state: the models before.
            to_state: the models after.
        """
        self._drop(app_label, schema_editor, from_state)
        super().database_backwards(app_label, schema_editor, from_state, to_state)

    def describe(self) -> str:
        """Return the operation in words; `migrate --plan` shows it."""
        return f"Add version {self.name} to {self.model_name}, with triggers"


class VersionTriggers(_OnModel):
    """Make the triggers for a model that has its `VersionField` already; again, where they have gone.

    Args:
        model_name: of the model.
    """

    reduces_to_sql = False
    reversible = True

    def __init__(self, model_name: str) -> None:
        self.model_name = model_name

    def deconstruct(self) -> Any:
        """Return how a migration makes this operation; Django calls it."""
        return type(self).__name__, [], {"model_name": self.model_name}

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """Leave the models as they are; Django calls it.

        Args:
            app_label: of the application.
            state: of the models.
        """

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """Make the triggers; Django calls it.

        Args:
            app_label: of the application.
            schema_editor: of the database.
            from_state: the models before.
            to_state: the models after.
        """
        del from_state
        self._make(app_label, schema_editor, to_state, fill=False)

    def database_backwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """Drop the triggers; Django calls it.

        Args:
            app_label: of the application.
            schema_editor: of the database.
            from_state: the models before.
            to_state: the models after.
        """
        del to_state
        self._drop(app_label, schema_editor, from_state)

    def describe(self) -> str:
        """Return the operation in words; `migrate --plan` shows it."""
        return f"Make triggers that change the version of {self.model_name}"
