"""Perform conditional writes on Django models.

    class Note(Versioned):
        text = models.TextField()

    NOTES = Rows(Note.objects.all())

    def put(note: Note | None) -> Note:
        note = note or Note(pk=7)
        note.text = "new"
        return note

    written = NOTES.write(7, facts_of(request), put, settings=settings.IFMATCH)

The triggers for writes past `save()` come with a migration: `ifmatch.server.models.django_migrations`.

Source: RFC 9110 section 13.2.1.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final, TypeAlias, TypeVar, cast
from uuid import UUID, uuid4

from ifmatch.errors import MissingExtraError
from ifmatch.server.loop import Declined
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
    from asgiref.sync import sync_to_async
    from django.db import DatabaseError, IntegrityError, connections, models, router, transaction
    from django.db.models.expressions import RawSQL
except ImportError as error:  # pragma: no cover - the extra is installed where tests run
    raise MissingExtraError("django", "ifmatch.server.models.django_orm") from error

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from ifmatch.server.answers import RequestFacts
    from ifmatch.server.gate import Settings
    from ifmatch.server.loop import Limits
    from ifmatch.server.policy import Policy
    from ifmatch.server.stores.protocol import Content, Deleted

__all__ = ["Rows", "VersionField", "Versioned", "tag_of", "with_xmin"]

Model = TypeVar("Model", bound=models.Model)
Change: TypeAlias = "Callable[[Model | None], Model | Deleted | Declined]"
"""Gets the row, None when there is none; returns the row to store, DELETED or `Declined`. It runs inside the
transaction and may write other rows; it may run several times."""
_TAKEN: Final = "taken"


class VersionField(models.CharField):  # type: ignore[type-arg] # pyright: ignore[reportMissingTypeArgument]
    """A column that gets a version above the last one with each `save()` and `bulk_create()`.

    What does not go through `save()` is for the triggers (`ifmatch.server.models.django_migrations`).
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs |= {"max_length": VERSION_LENGTH, "editable": False, "default": "", "db_default": ""}
        super().__init__(*args, **kwargs)  # pyright: ignore[reportUnknownMemberType]

    def deconstruct(self) -> Any:
        """Return how a migration makes this field; Django calls it."""
        name, path, args, kwargs = super().deconstruct()
        for given in ("max_length", "editable", "default", "db_default"):
            kwargs.pop(given, None)
        return name, path, args, kwargs

    def pre_save(self, model_instance: models.Model, add: bool) -> str:  # noqa: ARG002
        """Return a new version, and set it on the row; Django calls it.

        Args:
            model_instance: the row.
            add: whether it is new.
        """
        last: object = getattr(model_instance, self.attname)
        version = next_version(last if isinstance(last, str) else None)
        setattr(model_instance, self.attname, version)
        return version


class Versioned(models.Model):
    """Give a model a version that changes with each write."""

    version = VersionField()

    class Meta:
        """Only for inheriting from."""

        abstract = True


def with_xmin(rows: models.QuerySet[Model]) -> models.QuerySet[Model]:
    """Return rows that carry PostgreSQL's `xmin` as the attribute `xmin`, for `Rows(..., tag=...)`.

        Rows(with_xmin(Note.objects.all()), tag=lambda note: strong_tag(note.xmin))

    Its limits: `ifmatch.server.models.sqlalchemy.xmin_column`.

    Args:
        rows: of a table in PostgreSQL.

    Source: RFC 9110 section 8.8.1.
    """
    table = rows.model._meta.db_table.replace('"', '""')  # noqa: SLF001 -- Django's public name
    return rows.annotate(xmin=RawSQL(f'CAST("{table}"."xmin" AS text)', (), models.CharField()))  # noqa: S611


def _version_field(model: type[models.Model]) -> str | None:
    for field in model._meta.concrete_fields:  # noqa: SLF001 -- Django's public name
        if isinstance(field, VersionField) or (
            field.name == "version" and isinstance(field, models.UUIDField)
        ):
            return str(field.attname)
    return None


def tag_of(instance: models.Model) -> str:
    """Return the strong entity tag of a row by its version, quotes included.

    Args:
        instance: of a model with a `VersionField`, or with a UUIDField of the name `version`.

    Raises:
        ValueError: when the model has none, or the row was not stored yet.

    Source: RFC 9110 section 8.8.3.
    """
    name = _version_field(type(instance))
    if name is None:
        raise ValueError(
            f"{type(instance).__name__} has no version: inherit from Versioned, or give Rows a `tag`, for"
            " example digest_of(...)"
        )
    value: object = getattr(instance, name)
    if not isinstance(value, str | UUID):
        raise ValueError(f"the row of {type(instance).__name__} has no version yet; save it first")  # noqa: TRY004
    return strong_tag(str(value))


class Rows(Described[Model]):
    """The rows of one model as resources with conditional writes.

    With a version the write begins with `UPDATE ... SET version WHERE pk AND version`, which also locks the
    row; then the change runs and `save()` or `delete()` with all their signals, in the same transaction. When
    it hits no row, the row is read again and locked from then on, so that nobody is faster a second time.
    With `tag` the row is locked from the first read to the commit. The lock is `select_for_update`; on
    SQLite, the write lock of the file.

    Args:
        rows: which rows there are, `Note.objects.all()`, narrowed where a user sees only some.
        tag: gives the strong entity tag of a row, quotes included, from what the row holds; None: `tag_of`.
        modified: gives the date of the last modification, aware; None: there are no dates.
        content: gives the representation, for refused clients that prefer it; None: never.

    Raises:
        ValueError: when the model has no version and there is no `tag`.

    Source: RFC 9110 section 13.1.1.
    """

    def __init__(
        self,
        rows: models.QuerySet[Model],
        *,
        tag: Callable[[Model], str] | None = None,
        modified: Callable[[Model], datetime] | None = None,
        content: Callable[[Model], Content] | None = None,
    ) -> None:
        self._rows = rows
        self._version = _version_field(rows.model) if tag is None else None
        if tag is None and self._version is None:
            raise ValueError(
                f"{rows.model.__name__} has no version: inherit from Versioned, or give `tag`, for example"
                " digest_of(...)"
            )
        self._description = Description(tag or tag_of, modified, content)

    def write(
        self,
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
            key: the primary key.
            facts: of the request.
            change: changes the row; see `Change`.
            settings: of the service.
            policy: of the route; None takes it from the settings.
            creates: whether the method would make a missing resource; None: PUT only.
            limits: attempts, deadline and pauses.

        Raises:
            PreconditionRefusedError: with the answer: 412, 428, 503, or what the change declined with.
            RuntimeError: inside of a transaction, in which nobody else's write can be seen or waited for.
            ValueError: when the change returns a row with another key.
            DatabaseError: from the database, for everything but a lost race.

        Source: RFC 9110 section 13.2.1.
        """
        request = Request(facts, settings, policy, creates)
        tries = Tries(request, limits)
        database = self._database()
        while True:
            outcome = self._attempt(database, key, request, change, tries)
            if isinstance(outcome, Written):
                return outcome
            time.sleep(tries.pause(outcome))

    async def awrite(
        self,
        key: object,
        facts: RequestFacts,
        change: Change[Model],
        *,
        settings: Settings,
        policy: Policy | None = None,
        creates: bool | None = None,
        limits: Limits = LIMITS,
    ) -> Written[Model]:
        """Perform a conditional write from an async view, in the thread of `sync_to_async`; see `write`.

        Args:
            key: the primary key.
            facts: of the request.
            change: a plain function.
            settings: of the service.
            policy: of the route; None takes it from the settings.
            creates: whether the method would make a missing resource; None: PUT only.
            limits: attempts, deadline and pauses.

        Source: RFC 9110 section 13.2.1.
        """
        return await sync_to_async(self.write)(
            key, facts, change, settings=settings, policy=policy, creates=creates, limits=limits
        )

    def _database(self) -> str:
        # A replica may be behind: what is compared has to be read where it is written.
        named = cast("str | None", getattr(self._rows, "_db", None))  # what `using` has set
        database = named or router.db_for_write(self._rows.model)
        blocks = cast("list[object]", getattr(connections[database], "atomic_blocks", []))
        if blocks and not getattr(blocks[-1], "_from_testcase", False):
            raise RuntimeError(
                "Rows.write was called inside of a transaction; decorate the view with"
                " transaction.non_atomic_requests (ATOMIC_REQUESTS), or leave the atomic block"
            )
        return database

    def _attempt(
        self, database: str, key: object, request: Request, change: Change[Model], tries: Tries
    ) -> Written[Model] | Lost:
        before: Model | None = None
        try:
            holds = self._version is None or tries.was_overtaken
            if not holds:
                before = self._rows.using(database).filter(pk=key).first()
                request.judge(self.current(before))
            with transaction.atomic(using=database):
                if holds:
                    before = self._locked(database, key)
                    request.judge(self.current(before))
                if self._version is not None and before is not None and not self._claimed(database, before):
                    return Lost()
                return self._perform(database, key, before, request, change, tries)
        except IntegrityError as error:
            if before is not None:
                raise
            tries.taken(error)
            return Lost(_TAKEN)
        except DatabaseError as error:
            reason = lost_reason(error.__cause__)
            if reason is None:
                raise
            return Lost(reason)

    def _locked(self, database: str, key: object) -> Model | None:
        rows = self._rows.using(database)
        if connections[database].vendor == "sqlite":
            # It changes no row, and takes the lock that a later change would have to wait for.
            with connections[database].cursor() as cursor:
                name = connections[database].ops.quote_name
                meta = self._rows.model._meta  # noqa: SLF001 -- Django's public name
                column = name(cast("str", meta.pk.column))
                cursor.execute(f"UPDATE {name(meta.db_table)} SET {column} = {column} WHERE 0")  # noqa: S608
        features = connections[database].features
        of = ("self",) if features.has_select_for_update_of else ()
        return rows.select_for_update(of=of).filter(pk=key).first()

    def _claimed(self, database: str, before: Model) -> bool:
        """Compare and set in one statement; the row is locked then."""
        name = cast("str", self._version)
        seen: object = getattr(before, name)
        new = uuid4() if isinstance(seen, UUID) else next_version(cast("str", seen))
        known = self._rows.model._base_manager.using(database).filter(pk=before.pk, **{name: seen})  # noqa: SLF001
        if known.update(**{name: new}) != 1:
            return False
        setattr(before, name, new)
        return True

    def _perform(  # noqa: PLR0917
        self,
        database: str,
        key: object,
        before: Model | None,
        request: Request,
        change: Change[Model],
        tries: Tries,
    ) -> Written[Model]:
        result = change(before)
        if isinstance(result, Declined):
            raise request.refusal(result)
        if result is DELETED:
            if before is not None:
                before.delete(using=database)
            return Written(None, None, False, tries.number)
        if before is not None and result is not before:
            raise ValueError("the change has to return the row that it got, with its attributes changed")
        if result.pk != self._rows.model._meta.pk.to_python(key):  # noqa: SLF001 -- Django's public name
            raise ValueError(f"the change has to return a row with the primary key {key!r}")
        result.save(using=database, force_insert=before is None, force_update=before is not None)
        if self._version is None:
            # As every reader will see it: the database may have rounded, cut or computed values.
            result = self._rows.using(database).get(pk=result.pk)
        return Written(result, self.tag_of(result), before is None, tries.number)
