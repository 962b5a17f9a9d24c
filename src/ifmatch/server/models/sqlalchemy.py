"""Perform conditional writes on SQLAlchemy models, in sync and async sessions.

    class Note(Versioned, Base):
        __tablename__ = "note"
        number: Mapped[int] = mapped_column(primary_key=True)
        text: Mapped[str]

    keep_versions(Note)                        # triggers, for writes past this module
    NOTES = Rows(Note)

    def put(session: Session, note: Note | None) -> Note:
        note = note or Note(number=7)
        note.text = "new"
        return note

    written = NOTES.write(sessions, 7, facts, put, settings=settings)

Source: RFC 9110 section 13.2.1.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, Final, TypeAlias, TypeVar, cast
from uuid import UUID

from ifmatch.errors import MissingExtraError
from ifmatch.server.loop import Declined
from ifmatch.server.models import triggers
from ifmatch.server.models.attempts import (
    LIMITS,
    Described,
    Description,
    Request,
    Tries,
    Written,
    lost_reason,
)
from ifmatch.server.models.tags import VERSION_LENGTH, next_version, strong_tag
from ifmatch.server.stores.protocol import DELETED, Lost

try:
    import sqlalchemy as sa
    from sqlalchemy.event import listen
    from sqlalchemy.exc import DBAPIError, IntegrityError
    from sqlalchemy.orm import Mapped, declared_attr, mapped_column
    from sqlalchemy.orm.attributes import flag_modified
    from sqlalchemy.orm.exc import StaleDataError
    from sqlalchemy.types import UserDefinedType
except ImportError as error:  # pragma: no cover - the extra is installed where tests run
    raise MissingExtraError("sqlalchemy", "ifmatch.server.models.sqlalchemy") from error

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sqlalchemy.ext.asyncio import AsyncSession
    from sqlalchemy.orm import MappedColumn, Mapper, Session

    from ifmatch.server.answers import RequestFacts
    from ifmatch.server.gate import Settings
    from ifmatch.server.loop import Limits
    from ifmatch.server.policy import Policy
    from ifmatch.server.stores.protocol import Content, Deleted

__all__ = ["Rows", "Versioned", "Xid", "keep_versions", "tag_of", "xmin_column"]

Model = TypeVar("Model")
Change: TypeAlias = "Callable[[Session, Model | None], Model | Deleted | Declined]"
"""Gets the session and the row, None when there is none; returns the row to store, DELETED or `Declined`.
It may run several times, must not commit, and must not have effects outside of its session."""
_TAKEN: Final = "taken"


def _next(last: object) -> str:
    return next_version(last if isinstance(last, str) else None)


class Versioned:
    """Give a declarative model a version column that SQLAlchemy compares and changes with each write.

    Each UPDATE and DELETE of a session says `WHERE version = ...`.
    """

    version: Mapped[str] = mapped_column(sa.String(VERSION_LENGTH), server_default="", sort_order=1000)

    @declared_attr.directive
    def __mapper_args__(self) -> dict[str, Any]:
        """Return what makes the column the version of the row."""
        return {"version_id_col": self.version, "version_id_generator": _next}


class Xid(UserDefinedType[str]):
    """The number of a transaction in PostgreSQL, read and compared as text."""

    cache_ok = True

    def get_col_spec(self, **_: object) -> str:
        """Return the name of the type; SQLAlchemy calls it."""
        return "xid"

    def bind_expression(self, bindvalue: sa.BindParameter[str]) -> sa.ColumnElement[str]:
        """Return a value as it is compared; SQLAlchemy calls it.

        Args:
            bindvalue: the parameter.
        """
        return sa.cast(sa.type_coerce(bindvalue, sa.String), Xid)

    def column_expression(self, colexpr: sa.ColumnElement[str]) -> sa.ColumnElement[str]:
        """Return a column as it is read; SQLAlchemy calls it.

        Args:
            colexpr: the column.
        """
        return sa.cast(colexpr, sa.String)


def xmin_column() -> MappedColumn[str]:
    """Return a column for PostgreSQL's `xmin`, the version that every row has without any migration.

        xmin: Mapped[str] = xmin_column()
        __mapper_args__ = {"version_id_col": xmin, "version_id_generator": False, "eager_defaults": True}

    Every write past this module changes it too. Its limits: after 2^32 transactions a number comes back, on
    the same row perhaps with another content; after dump and restore, a logical replica's promotion or
    pg_upgrade by dump all numbers are others, and an old one may name another state. Where clients keep
    tags over such moments, add a version column.

    Source: RFC 9110 section 8.8.1.
    """
    return mapped_column(
        "xmin", Xid, system=True, server_default=sa.FetchedValue(), server_onupdate=sa.FetchedValue()
    )


def tag_of(instance: object) -> str:
    """Return the strong entity tag of a row by its version column, quotes included.

    Args:
        instance: of a model with `version_id_col`: text, a UUID or `xmin`.

    Raises:
        ValueError: when the model has no version column, the row has no version yet, or the versions are
            numbers: those start again when a row is deleted and made anew.

    Source: RFC 9110 section 8.8.3.
    """
    mapper = cast("Mapper[Any]", sa.inspect(type(instance)))
    name = _version_name(mapper)
    if name is None:
        raise ValueError(
            f"{type(instance).__name__} has no version column: inherit from Versioned, or give Rows a `tag`,"
            " for example digest_of(...)"
        )
    value: object = getattr(instance, name)
    if isinstance(value, UUID):
        value = str(value)
    if not isinstance(value, str):
        raise ValueError(  # noqa: TRY004 - what is wrong is the model
            f"the version of {type(instance).__name__} is {value!r}; it has to be text or a UUID, as a number"
            " starts again when the row is deleted and made anew; flush a new row first"
        )
    return strong_tag(value)


def keep_versions(model: type[object]) -> None:
    """Make the triggers of a model's table whenever SQLAlchemy creates the table.

    Migrations make them with `ifmatch.server.models.alembic_operations`.

    Args:
        model: with a version column of text.

    Raises:
        ValueError: when the model has none.

    Source: RFC 9110 section 8.8.1.
    """
    mapper = cast("Mapper[Any]", sa.inspect(model))
    column = mapper.version_id_col
    if column is None or not isinstance(column.type, sa.String):
        raise ValueError(f"{model.__name__} has no version column of text: inherit from Versioned")
    table = cast("sa.Table", column.table)
    without_rowid = table.dialect_options["sqlite"].get("with_rowid") is False
    key = [str(part.name) for part in table.primary_key] if without_rowid else []

    def created(target: sa.Table, connection: sa.Connection, **_: object) -> None:
        database = connection.dialect.name
        statements = triggers.create_statements(
            database, target.name, str(column.name), schema=target.schema, key=key
        )
        for statement in statements:
            connection.exec_driver_sql(statement)

    def dropped(target: sa.Table, connection: sa.Connection, **_: object) -> None:
        database = connection.dialect.name
        for statement in triggers.drop_statements(
            database, target.name, str(column.name), schema=target.schema
        ):
            connection.exec_driver_sql(statement)

    listen(table, "after_create", created)
    listen(table, "after_drop", dropped)


def _version_name(mapper: Mapper[Any]) -> str | None:
    column = mapper.version_id_col
    return None if column is None else mapper.get_property_by_column(column).key


class Rows(Described[Model]):
    """The rows of one model as resources with conditional writes.

    With a version column the write is optimistic: UPDATE or DELETE with the version in its condition; when it
    hits no row, the row is read again and locked from then on, so that nobody is faster a second time. With
    `tag` the row is locked from the first read to the commit, and no version column is needed. The lock is
    SELECT FOR UPDATE; on SQLite, the write lock of the file.

    Args:
        model: the mapped class.
        tag: gives the strong entity tag of a row, quotes included, from what the row holds; None: `tag_of`.
        modified: gives the date of the last modification, aware; None: there are no dates.
        content: gives the representation, for refused clients that prefer it; None: never.
        options: loader options for each read, as `Session.get` takes them.

    Raises:
        ValueError: when the model has no version column and there is no `tag`.

    Source: RFC 9110 section 13.1.1.
    """

    def __init__(
        self,
        model: type[Model],
        *,
        tag: Callable[[Model], str] | None = None,
        modified: Callable[[Model], datetime] | None = None,
        content: Callable[[Model], Content] | None = None,
        options: tuple[Any, ...] = (),
    ) -> None:
        self._model = model
        self._mapper = cast("Mapper[Any]", sa.inspect(model))
        self._version = _version_name(self._mapper) if tag is None else None
        if tag is None and self._version is None:
            raise ValueError(
                f"{model.__name__} has no version column: inherit from Versioned, map xmin_column() and name"
                " it in __mapper_args__ as version_id_col, or give `tag`, for example digest_of(...)"
            )
        self._description = Description(tag or tag_of, modified, content)
        self._options = options

    def write(
        self,
        sessions: Callable[[], Session],
        key: object,
        facts: RequestFacts,
        change: Change[Model],
        *,
        settings: Settings,
        policy: Policy | None = None,
        creates: bool | None = None,
        limits: Limits = LIMITS,
    ) -> Written[Model]:
        """Perform a conditional write: read, evaluate, change, commit; again when somebody was faster.

        Args:
            sessions: makes a session, such as a `sessionmaker`; each attempt gets one of its own.
            key: the primary key, a tuple when it has several columns.
            facts: of the request.
            change: changes the row; see `Change`.
            settings: of the service.
            policy: of the route; None takes it from the settings.
            creates: whether the method would make a missing resource; None: PUT only.
            limits: attempts, deadline and pauses.

        Raises:
            PreconditionRefusedError: with the answer: 412, 428, 503, or what the change declined with.
            ValueError: when the change returns a row with another key, or ends the transaction.
            DBAPIError: from the database, for everything but a lost race.

        Source: RFC 9110 section 13.2.1.
        """
        request = Request(facts, settings, policy, creates)
        tries = Tries(request, limits)
        while True:
            with sessions() as session:
                outcome = self._attempt(session, key, request, change, tries)
            if isinstance(outcome, Written):
                return outcome
            time.sleep(tries.pause(outcome))

    async def write_async(
        self,
        sessions: Callable[[], AsyncSession],
        key: object,
        facts: RequestFacts,
        change: Change[Model],
        *,
        settings: Settings,
        policy: Policy | None = None,
        creates: bool | None = None,
        limits: Limits = LIMITS,
    ) -> Written[Model]:
        """Perform a conditional write with async sessions; arguments and errors as `write`.

        The change is a plain function that gets the sync session below (`AsyncSession.run_sync`).

        Source: RFC 9110 section 13.2.1.
        """
        request = Request(facts, settings, policy, creates)
        tries = Tries(request, limits)
        while True:
            async with sessions() as session:
                outcome = await session.run_sync(self._attempt, key, request, change, tries)
            if isinstance(outcome, Written):
                return outcome
            await asyncio.sleep(tries.pause(outcome))

    def _attempt(
        self, session: Session, key: object, request: Request, change: Change[Model], tries: Tries
    ) -> Written[Model] | Lost:
        # What is returned has to be readable when the session is gone.
        session.expire_on_commit = False
        before: Model | None = None
        try:
            before = self._read(session, key, holds=self._version is None or tries.was_overtaken)
            request.judge(self.current(before))
            seen = self._seen(before)
            transaction = session.get_transaction()
            result = change(session, before)
            if isinstance(result, Declined):
                raise request.refusal(result)
            if session.get_transaction() is not transaction:
                raise ValueError("the change ended the transaction; leave commit and rollback to Rows.write")
            if self._seen(before) != seen:
                # The change has read a newer state into the row; the condition was not compared with that.
                session.rollback()
                return Lost()
            if result is DELETED:
                return self._deleted(session, before, tries)
            return self._stored(session, key, before, result, tries)
        except StaleDataError:
            session.rollback()
            return Lost()
        except IntegrityError as error:
            if before is not None:
                raise
            session.rollback()
            tries.taken(error)
            return Lost(_TAKEN)
        except DBAPIError as error:
            reason = lost_reason(error.orig)
            if reason is None:
                raise
            session.rollback()
            return Lost(reason)

    def _read(self, session: Session, key: object, *, holds: bool) -> Model | None:
        if not holds:
            return session.get(self._model, key, options=self._options)
        if session.get_bind(self._mapper).dialect.name == "sqlite":
            # It changes no row, and takes the lock that a later change would have to wait for.
            column = self._mapper.primary_key[0]
            session.execute(sa.update(column.table).values({column: column}).where(sa.false()))
        return session.get(self._model, key, options=self._options, with_for_update={"of": self._model})

    def _seen(self, instance: Model | None) -> object:
        """Return the version that was loaded, whatever the change has set."""
        if instance is None or self._version is None:
            return None
        history = sa.inspect(instance).attrs[self._version].history
        return (history.deleted or history.unchanged or (None,))[0]

    def _deleted(self, session: Session, before: Model | None, tries: Tries) -> Written[Model]:
        if before is not None:
            session.delete(before)
        session.flush()
        session.commit()
        return Written(None, None, False, tries.number)

    def _stored(
        self, session: Session, key: object, before: Model | None, result: Model, tries: Tries
    ) -> Written[Model]:
        if before is not None and result is not before:
            raise ValueError("the change has to return the row that it got, with its attributes changed")
        if before is None:
            given = cast("tuple[object, ...]", key) if isinstance(key, tuple) else (key,)
            if tuple(self._mapper.primary_key_from_instance(result)) != given:
                raise ValueError(f"the change has to return a new row with the primary key {key!r}")
            session.add(result)
        else:
            self._touch(before)
        session.flush()
        if self._version is None or sa.inspect(result).expired_attributes:
            # As every reader will see it: the database may have rounded, cut or computed values.
            session.refresh(result)
        etag = self.tag_of(result)
        session.commit()
        return Written(result, etag, before is None, tries.number)

    def _touch(self, instance: Model) -> None:
        """Make sure that there is an UPDATE, also where only rows of other tables have changed."""
        if self._version is None:
            return
        loaded = sa.inspect(instance).dict
        for column in self._mapper.local_table.columns:
            if column.primary_key or column is self._mapper.version_id_col or column.computed is not None:
                continue
            if column not in self._mapper.columns.values():
                continue
            name = self._mapper.get_property_by_column(column).key
            if name in loaded and name != self._version:
                flag_modified(instance, name)
                return
