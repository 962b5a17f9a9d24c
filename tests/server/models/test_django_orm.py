"""Conditional writes on models of Django, on PostgreSQL and SQLite; writes past them change the tag too."""

from __future__ import annotations

import asyncio
import json
from types import SimpleNamespace

import pytest
from asgiref.sync import sync_to_async
from django.core.serializers.base import DeserializedObject
from django.db import IntegrityError, connections, models, transaction
from django.db.migrations import AddField, AlterField, CreateModel
from django.db.migrations.state import ProjectState
from django.db.migrations.writer import OperationWriter
from django.forms import modelform_factory

from ifmatch.server.gate import Settings
from ifmatch.server.loop import Declined, Limits
from ifmatch.server.models.django_migrations import AddVersion, VersionTriggers, has_triggers
from ifmatch.server.models.django_orm import Rows, VersionField, tag_of
from ifmatch.server.policy import Policies, Policy, Stage
from ifmatch.server.refusal import PreconditionRefusedError
from ifmatch.server.stores.protocol import DELETED
from tests.server.models import dj
from tests.server.models.dj import Line, Note, Plain
from tests.server.models.places import LOCKED, SETTINGS, facts

EVENTS: list = []
TELLING = Settings(sinks=(EVENTS.append,))
QUICK = Limits(attempts=5, seconds=5.0, first_pause=0.0)
NOTES = dj.notes()


def make_tables(connection, *tables) -> None:
    with connection.schema_editor() as editor:
        for table in tables:
            editor.create_model(table)
        names = {table._meta.model_name: table for table in tables}
        state = SimpleNamespace(apps=SimpleNamespace(get_model=lambda _, name: names[name]))
        for name, table in names.items():
            if hasattr(table, "version"):
                VersionTriggers(name).database_forwards("models", editor, state, state)


@pytest.fixture
def database(place):
    EVENTS.clear()
    with dj.connected(place) as connection:
        make_tables(connection, Note, Line, Plain)
        Note(pk=1, text="old").save(using="place")
        Plain(pk=1, n=0).save(using="place")
        yield place


def put(text: str, number: int = 1):
    def change(note: Note | None) -> Note:
        note = note or Note(pk=number)
        note.text = text
        return note

    return change


def state(number: int = 1):
    note = Note.objects.using("place").filter(pk=number).first()
    return None if note is None else (note.text, tag_of(note))


def refused(rows, given, change, key=1, **options):
    with pytest.raises(PreconditionRefusedError) as refusal:
        rows.write(key, given, change, settings=options.pop("settings", SETTINGS), **options)
    return refusal.value.answer


@pytest.mark.usefixtures("database")
def test_true_and_false_conditions() -> None:
    before = state()[1]
    written = NOTES.write(1, facts("PUT", ("If-Match", before)), put("new"), settings=TELLING)
    assert state() == ("new", written.etag)
    assert (written.created, written.attempts) == (False, 1)
    assert written.etag > before
    assert EVENTS == []
    given = facts("PUT", ("If-Match", before), ("Prefer", "return=representation"))
    assert refused(NOTES, given, put("newer")).octets == b"new"
    answer = refused(NOTES, facts("PUT", ("If-Match", before)), put("newer"), settings=TELLING)
    assert (answer.status, json.loads(answer.octets)["current"]["etag"]) == (412, written.etag)
    assert [(event.outcome, event.field) for event in EVENTS] == [("refused", "If-Match")]
    assert state() == ("new", written.etag)


@pytest.mark.usefixtures("database")
def test_creation_deletion_and_creation_anew() -> None:
    given = facts("PUT", ("If-None-Match", "*"))
    written = NOTES.write(2, given, put("made", 2), settings=SETTINGS)
    assert written.created
    assert state(2) == ("made", written.etag)
    assert refused(NOTES, given, put("again"), 2).status == 412
    gone = NOTES.write(2, facts("DELETE", ("If-Match", written.etag)), lambda _: DELETED, settings=SETTINGS)
    assert (gone.instance, gone.etag, state(2)) == (None, None, None)
    anew = NOTES.write(2, facts("PUT"), put("made", 2), settings=SETTINGS)
    assert anew.etag != written.etag
    refusal = refused(NOTES, facts("PUT", ("If-Match", written.etag)), put("stale", 2), 2)
    assert refusal.status == 412


class Overtaken(Rows[Note]):
    """Somebody else is faster, between the evaluation and the claim, so many times."""

    def __init__(self, place, times: int = 1, statement: str = "UPDATE dj_note SET text = 'theirs'") -> None:
        super().__init__(Note.objects.using("place"))
        self.place, self.times, self.statement = place, times, statement

    def _claimed(self, database, before):
        if self.times:
            self.times -= 1
            self.place.run(self.statement)
        return super()._claimed(database, before)


@pytest.mark.parametrize(("method", "change"), [("PUT", put("mine")), ("DELETE", lambda _: DELETED)])
def test_somebody_else_in_between_leads_to_another_evaluation(database, method, change) -> None:
    # On SQLite the claim is the first statement of the transaction, so others can write until then.
    old = state()[1]
    rows = Overtaken(Outside(database))
    assert refused(rows, facts(method, ("If-Match", old)), change).status == 412
    assert state()[0] == "theirs"
    rows.times = 1
    written = rows.write(1, facts(method, ("If-Match", "*")), change, settings=SETTINGS)
    assert written.attempts == 2
    assert state() == (None if method == "DELETE" else ("mine", written.etag))


class Outside:
    """Write while a transaction of ours is open: BEGIN alone takes no lock."""

    def __init__(self, place) -> None:
        self.place = place

    def run(self, statement: str) -> None:
        self.place.run(statement)


def test_whoever_was_overtaken_once_holds_the_row(database) -> None:
    """Others that try each time are faster once, and wait for the second attempt."""
    kept_out = []

    class Impatient:
        def run(self, statement: str) -> None:
            try:
                database.run(statement, patience=0.05)
            except LOCKED:
                kept_out.append(state()[0])

    rows = Overtaken(Impatient(), times=100)
    written = rows.write(1, facts("PUT", ("If-Match", "*")), put("mine"), settings=SETTINGS)
    assert (written.attempts, kept_out) == (2, ["theirs"])
    assert state() == ("mine", written.etag)


def test_a_busy_database_is_503_in_the_end(database) -> None:
    with connections["place"].cursor() as cursor:
        hurried = "PRAGMA busy_timeout = 0" if database.kind == "sqlite" else "SET lock_timeout = 50"
        cursor.execute(hurried)
    engine = database.engine()
    with engine.connect() as holder:
        holder.exec_driver_sql("UPDATE dj_note SET text = 'theirs'")
        answer = refused(NOTES, facts("PUT"), put("mine"), limits=QUICK, settings=TELLING)
    engine.dispose()
    assert (answer.status, answer.field("Retry-After")) == (503, "1")
    assert [event.outcome for event in EVENTS] == ["contended"]


@pytest.mark.parametrize("place", ["postgresql"], indirect=True)
def test_a_creation_that_is_overtaken_is_evaluated_again(database) -> None:
    def overtaken(note: Note | None) -> Note:
        if note is None:
            database.run("INSERT INTO dj_note (id, text) VALUES (3, 'theirs')")
        note = note or Note(pk=3)
        note.text = "mine"
        return note

    assert refused(NOTES, facts("PUT", ("If-None-Match", "*")), overtaken, 3).status == 412
    assert state(3)[0] == "theirs"


@pytest.mark.usefixtures("database")
def test_what_is_declined_and_what_breaks_the_rules() -> None:
    def declined(note: Note) -> Declined:
        note.text = "half"
        Line.objects.using("place").create(note=note, text="a line")
        return Declined(422, "no")

    before = state()
    assert refused(NOTES, facts("PUT"), declined).status == 422
    with pytest.raises(ValueError, match="return the row that it got"):
        NOTES.write(1, facts("PUT"), lambda _: Note(pk=1), settings=SETTINGS)
    with pytest.raises(ValueError, match="primary key 5"):
        NOTES.write(5, facts("PUT"), put("new", 6), settings=SETTINGS)
    with transaction.atomic(using="place"), pytest.raises(RuntimeError, match="non_atomic_requests"):
        NOTES.write(1, facts("PUT"), put("new"), settings=SETTINGS)
    assert state() == before
    assert not Line.objects.using("place").exists()


@pytest.mark.usefixtures("database")
def test_428_and_a_stage_that_refuses_nothing() -> None:
    settings = Settings(policies=Policies(default=Policy(stage=Stage.ENFORCE)), sinks=())
    assert refused(NOTES, facts("PUT"), put("new"), settings=settings).status == 428
    watching = Settings(policies=Policies(default=Policy(stage=Stage.REPORT_ONLY)), sinks=())
    NOTES.write(1, facts("PUT", ("If-Match", '"stale"')), put("new"), settings=watching)
    assert state()[0] == "new"


@pytest.mark.usefixtures("database")
def test_rows_of_other_tables_and_other_constraints() -> None:
    def lines(note: Note) -> Note:
        Line.objects.using("place").create(note=note, text="a line")
        return note

    before = state()[1]
    assert NOTES.write(1, facts("PUT"), lines, settings=SETTINGS).etag > before

    def unique(note: Note | None) -> Note:
        note = note or Note(pk=9)
        note.unique = "x"
        return note

    NOTES.write(1, facts("PUT"), unique, settings=SETTINGS)
    with pytest.raises(IntegrityError):
        NOTES.write(9, facts("PUT"), unique, settings=SETTINGS)


@pytest.mark.usefixtures("database")
def test_async_views() -> None:
    def leave() -> None:
        # The thread of `sync_to_async` outlives the test, and its connection would lead to an old database.
        connections["place"].close()
        del connections["place"]

    async def run():
        try:
            return await NOTES.awrite(1, facts("PUT"), put("new"), settings=SETTINGS)
        finally:
            await sync_to_async(leave)()

    written = asyncio.run(run())
    assert state() == ("new", written.etag)


@pytest.mark.parametrize(
    ("place", "kind"),
    [("sqlite", "digest"), ("postgresql", "digest"), ("postgresql", "xmin")],
    indirect=["place"],
)
def test_tables_without_a_version_column(database, kind) -> None:
    rows = dj.counters(kind)

    def increment(row):
        row = row or Plain(pk=1, n=0)
        row.n += 1
        return row

    first = rows.write(1, facts("PUT"), increment, settings=SETTINGS)
    database.run("UPDATE plain SET n = 10")
    assert refused(rows, facts("PUT", ("If-Match", first.etag)), increment).status == 412
    known = rows.tag_of(rows._rows.get(pk=1))
    second = rows.write(1, facts("PUT", ("If-Match", known)), increment, settings=SETTINGS)
    assert second.instance.n == 11
    rows.write(1, facts("DELETE", ("If-Match", second.etag)), lambda _: DELETED, settings=SETTINGS)
    given = facts("PUT", ("If-None-Match", "*"))
    assert rows.write(1, given, increment, settings=SETTINGS).created
    assert refused(rows, given, increment).status == 412


@pytest.mark.parametrize("place", ["sqlite"], indirect=True)
def test_a_uuid_of_ones_own_and_models_without_a_version(place) -> None:
    from uuid import uuid4

    with dj.connected(place) as connection:
        with connection.schema_editor() as editor:
            editor.create_model(dj.Marked)
        rows = Rows(dj.Marked.objects.using("place"))
        made = rows.write(1, facts("PUT"), lambda _: dj.Marked(pk=1, version=uuid4()), settings=SETTINGS)
        again = rows.write(1, facts("PUT", ("If-Match", made.etag)), lambda row: row, settings=SETTINGS)
        assert again.etag != made.etag
        assert tag_of(dj.Marked.objects.using("place").get()) == again.etag
    with pytest.raises(ValueError, match="has no version: inherit"):
        Rows(Plain.objects.all())
    with pytest.raises(ValueError, match="has no version: inherit"):
        tag_of(Plain(n=1))


def admin_saves(database) -> None:
    """The admin saves the row that its form was made from, and so a version that was read long ago."""
    note = Note.objects.using("place").get(pk=1)
    database.run("UPDATE dj_note SET text = 'in between'")
    form = modelform_factory(Note, fields=["text"])({"text": "admin"}, instance=note)
    assert form.is_valid(), form.errors
    form.save()


def bulk_updates(_) -> None:
    note = Note.objects.using("place").get(pk=1)
    note.text = "bulk"
    Note.objects.using("place").bulk_update([note], ["text"])


def fixture_loads(database) -> None:
    """`loaddata` writes the version of the fixture, which may be an old one."""
    note = Note.objects.using("place").get(pk=1)
    database.run("UPDATE dj_note SET text = 'in between'")
    note.text = "loaded"
    DeserializedObject(note).save(using="place")
    assert state()[0] == "loaded"


@pytest.mark.parametrize(
    "past",
    [
        admin_saves,
        bulk_updates,
        fixture_loads,
        lambda _: Note.objects.using("place").update(text="update"),
        lambda _: Note.objects.using("place").bulk_create(
            [Note(pk=1, text="upsert")], update_conflicts=True, update_fields=["text"], unique_fields=["id"]
        ),
        lambda database: database.run("UPDATE dj_note SET text = 'sql'"),
        lambda _: Note.objects.using("place").update_or_create(pk=1, defaults={"text": "or create"}),
    ],
)
def test_writes_past_the_helper_change_the_tag(database, past) -> None:
    tags = [state()[1]]
    past(database)
    tags.append(state()[1])
    assert state()[0] != "old"
    assert tags[1] > tags[0]
    assert refused(NOTES, facts("PUT", ("If-Match", tags[0])), put("mine")).status == 412
    NOTES.write(1, facts("PUT", ("If-Match", tags[1])), put("mine"), settings=SETTINGS)


def migrate(connection, *steps, backwards: bool = False):
    """Run operations as the executor does; return the states before and after."""
    states = [ProjectState()]
    for step in steps:
        after = states[-1].clone()
        step.state_forwards("old", after)
        if not backwards:
            with connection.schema_editor(atomic=True) as editor:
                step.database_forwards("old", editor, states[-1], after)
        states.append(after)
    if backwards:
        with connection.schema_editor(atomic=True) as editor:
            steps[-1].database_backwards("old", editor, states[-1], states[-2])
    return states[-1].apps


CREATE = CreateModel("Book", [("id", models.AutoField(primary_key=True)), ("title", models.TextField())])


def test_a_migration_adds_versions_to_a_table_that_is_there(place) -> None:
    with dj.connected(place) as connection:
        migrate(connection, CREATE)
        place.run("INSERT INTO old_book (title) VALUES ('a'), ('b')")
        model = migrate_only_last(connection, CREATE, AddVersion("book")).get_model("old", "Book")
        versions = [book.version for book in model.objects.using("place").order_by("id")]
        assert len(set(versions)) == 2
        assert all(len(version) == 32 for version in versions)
        assert has_triggers(model, "place")
        place.run("INSERT INTO old_book (title) VALUES ('c')")
        place.run("UPDATE old_book SET title = 'x'")
        after = [book.version for book in model.objects.using("place").order_by("id")]
        assert len(after) == 3
        assert all(new > old for new, old in zip(after, versions, strict=False))
        migrate(connection, CREATE, AddVersion("book"), backwards=True)
        place.run("UPDATE old_book SET title = 'y'")


def migrate_only_last(connection, *steps):
    """Run the last operation; the others were run before."""
    before = ProjectState()
    for step in steps[:-1]:
        step.state_forwards("old", before)
    after = before.clone()
    steps[-1].state_forwards("old", after)
    with connection.schema_editor(atomic=True) as editor:
        steps[-1].database_forwards("old", editor, before, after)
    return after.apps


@pytest.mark.parametrize("place", ["sqlite"], indirect=True)
def test_triggers_that_a_rebuilt_table_lost_are_noticed_and_made_again(place) -> None:
    with dj.connected(place) as connection:
        steps = [CREATE, AddVersion("book"), AlterField("book", "title", models.CharField(max_length=9))]
        model = migrate(connection, *steps).get_model("old", "Book")
        assert not has_triggers(model, "place")
        model = migrate_only_last(connection, *steps, VersionTriggers("book")).get_model("old", "Book")
        assert has_triggers(model, "place")
        with pytest.raises(ValueError, match="no VersionField"):
            has_triggers(Plain, "place")


def test_operations_can_be_written_to_files_and_tell_what_they_do() -> None:
    for operation in (AddVersion("book"), VersionTriggers("book")):
        text, imports = OperationWriter(operation, indentation=0).serialize()
        assert type(operation).__name__ in text
        assert "book" in operation.describe()
        assert "import ifmatch.server.models.django_migrations" in imports
    assert isinstance(AddVersion("book"), AddField)
    name, path, args, kwargs = VersionField().deconstruct()
    assert (path, args, kwargs) == ("ifmatch.server.models.django_orm.VersionField", [], {})
    assert name is None
