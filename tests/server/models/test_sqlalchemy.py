"""Conditional writes through sessions of SQLAlchemy, sync and async, on PostgreSQL and SQLite."""

from __future__ import annotations

import asyncio
import json
from collections import Counter as Tally

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import Session, sessionmaker

from ifmatch.server.gate import Settings
from ifmatch.server.loop import Declined, Limits
from ifmatch.server.models.sqlalchemy import Rows, keep_versions, tag_of
from ifmatch.server.models.tags import digest_of
from ifmatch.server.policy import Policies, Policy, Stage
from ifmatch.server.refusal import PreconditionRefusedError
from ifmatch.server.stores.protocol import DELETED
from tests.server.models import alchemy
from tests.server.models.alchemy import COUNTERS, NOTES, Base, Counts, Line, Note, Plain, Tagged
from tests.server.models.places import LOCKED, SETTINGS, facts

EVENTS: list = []
TELLING = Settings(sinks=(EVENTS.append,))
QUICK = Limits(attempts=5, seconds=5.0, first_pause=0.0)


@pytest.fixture
def sessions(place):
    EVENTS.clear()
    engine = place.engine()
    Base.metadata.create_all(engine)
    made = sessionmaker(engine)
    with made() as session, session.begin():
        session.add(Note(number=1, text="old"))
        session.add(Plain(id=1, n=0))
    yield made
    engine.dispose()


def put(text: str, number: int = 1):
    def change(_: Session, note: Note | None) -> Note:
        note = note or Note(number=number)
        note.text = text
        return note

    return change


def state(sessions, number: int = 1):
    with sessions() as session:
        note = session.get(Note, number)
        return None if note is None else (note.text, tag_of(note))


def refused(rows, sessions, given, change, **options):
    with pytest.raises(PreconditionRefusedError) as refusal:
        rows.write(sessions, 1, given, change, settings=options.pop("settings", SETTINGS), **options)
    return refusal.value.answer


def test_a_true_condition_is_applied_and_the_new_tag_is_told(sessions) -> None:
    before = state(sessions)[1]
    written = NOTES.write(sessions, 1, facts("PUT", ("If-Match", before)), put("new"), settings=TELLING)
    assert state(sessions) == ("new", written.etag)
    assert (written.instance.text, written.created, written.attempts) == ("new", False, 1)
    assert written.etag > before
    assert EVENTS == []


def test_a_false_condition_is_412_with_the_state_it_was_compared_with(sessions) -> None:
    before = state(sessions)
    answer = refused(NOTES, sessions, facts("PUT", ("If-Match", '"stale"')), put("new"), settings=TELLING)
    assert answer.status == 412
    assert json.loads(answer.octets)["current"]["etag"] == before[1]
    assert state(sessions) == before
    assert [(event.outcome, event.field) for event in EVENTS] == [("refused", "If-Match")]


def test_the_current_representation_comes_with_it_when_it_is_preferred(sessions) -> None:
    given = facts("PUT", ("If-Match", '"stale"'), ("Prefer", "return=representation"))
    assert refused(NOTES, sessions, given, put("new")).octets == b"old"


def test_creation_update_and_deletion(sessions) -> None:
    given = facts("PUT", ("If-None-Match", "*"))
    written = NOTES.write(sessions, 2, given, put("made", 2), settings=SETTINGS)
    assert written.created
    assert state(sessions, 2) == ("made", written.etag)
    assert refused(NOTES, sessions, given, put("again")).status == 412
    given = facts("DELETE", ("If-Match", written.etag))
    gone = NOTES.write(sessions, 2, given, lambda _, __: DELETED, settings=SETTINGS)
    assert (gone.instance, gone.etag) == (None, None)
    assert state(sessions, 2) is None
    anew = NOTES.write(sessions, 2, facts("PUT"), put("made", 2), settings=SETTINGS)
    assert anew.etag != written.etag


def test_somebody_else_in_between_leads_to_another_evaluation(sessions, place) -> None:
    old = state(sessions)[1]
    seen = []

    def overtaken(_: Session, note: Note) -> Note:
        seen.append(note.text)
        if len(seen) == 1:
            place.run("UPDATE note SET text = 'theirs'")
        note.text = f"{note.text} and mine"
        return note

    answer = refused(NOTES, sessions, facts("PUT", ("If-Match", old)), overtaken)
    assert (answer.status, seen) == (412, ["old"])
    assert state(sessions)[0] == "theirs"
    seen.clear()
    written = NOTES.write(sessions, 1, facts("PUT", ("If-Match", "*")), overtaken, settings=SETTINGS)
    assert (written.attempts, seen) == (2, ["theirs", "theirs"])
    assert state(sessions) == ("theirs and mine", written.etag)


def test_a_deletion_compares_too(sessions, place) -> None:
    old = state(sessions)[1]

    def overtaken(_: Session, __: Note):
        place.run("UPDATE note SET text = 'theirs'")
        return DELETED

    assert refused(NOTES, sessions, facts("DELETE", ("If-Match", old)), overtaken).status == 412
    assert state(sessions)[0] == "theirs"


def test_a_creation_that_is_overtaken_is_evaluated_again(sessions, place) -> None:
    def overtaken(_: Session, note: Note | None) -> Note:
        if note is None:
            place.run("INSERT INTO note (number, text) VALUES (3, 'theirs')")
        note = note or Note(number=3)
        note.text = "mine"
        return note

    with pytest.raises(PreconditionRefusedError) as refusal:
        NOTES.write(sessions, 3, facts("PUT", ("If-None-Match", "*")), overtaken, settings=SETTINGS)
    assert refusal.value.answer.status == 412
    assert state(sessions, 3)[0] == "theirs"


def test_whoever_was_overtaken_once_holds_the_row(sessions, place) -> None:
    """Others that try each time are faster once, and wait for the second attempt."""
    kept_out = []

    def overtaken(_: Session, note: Note) -> Note:
        try:
            place.run("UPDATE note SET text = 'theirs'", patience=0.05)
        except LOCKED:
            kept_out.append(note.text)
        note.text = "mine"
        return note

    written = NOTES.write(sessions, 1, facts("PUT", ("If-Match", "*")), overtaken, settings=SETTINGS)
    assert (written.attempts, kept_out) == (2, ["theirs"])
    assert state(sessions) == ("mine", written.etag)


def test_a_newer_state_that_the_change_has_read_is_compared_first(sessions, place) -> None:
    old = state(sessions)[1]

    def refreshed(session: Session, note: Note) -> Note:
        if note.text == "old":
            place.run("UPDATE note SET text = 'theirs'")
            session.expire(note)
        note.text = f"{note.text} overwritten"
        return note

    assert refused(NOTES, sessions, facts("PUT", ("If-Match", old)), refreshed).status == 412
    assert state(sessions)[0] == "theirs"


def test_an_unguarded_write_is_428_where_a_condition_is_required(sessions) -> None:
    settings = Settings(policies=Policies(default=Policy(stage=Stage.ENFORCE)), sinks=())
    assert refused(NOTES, sessions, facts("PUT"), put("new"), settings=settings).status == 428
    watching = Settings(policies=Policies(default=Policy(stage=Stage.REPORT_ONLY)), sinks=())
    NOTES.write(sessions, 1, facts("PUT", ("If-Match", '"stale"')), put("new"), settings=watching)
    assert state(sessions)[0] == "new"


def test_what_the_application_declines_is_answered_and_nothing_is_stored(sessions) -> None:
    def declined(_: Session, note: Note) -> Declined:
        note.text = "half"
        return Declined(422, "no")

    assert refused(NOTES, sessions, facts("PUT"), declined).status == 422
    assert state(sessions)[0] == "old"


def test_a_write_that_changes_only_other_tables_or_nothing_gets_a_new_tag(sessions) -> None:
    before = state(sessions)[1]

    def lines(_: Session, note: Note) -> Note:
        note.lines.append(Line(text="a line"))
        return note

    after = NOTES.write(sessions, 1, facts("PUT"), lines, settings=SETTINGS).etag
    same = NOTES.write(sessions, 1, facts("PUT"), lambda _, note: note, settings=SETTINGS).etag
    assert before < after < same == state(sessions)[1]


def test_another_violated_constraint_is_the_applications_own_error(sessions) -> None:
    def change(_: Session, note: Note | None) -> Note:
        note = note or Note(number=9)
        note.unique = "x"
        return note

    NOTES.write(sessions, 1, facts("PUT"), change, settings=SETTINGS)
    with pytest.raises(sa.exc.IntegrityError):
        NOTES.write(sessions, 9, facts("PUT"), change, settings=SETTINGS)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda _, __: Note(number=1), "return the row that it got"),
        (lambda session, note: session.commit() or note, "ended the transaction"),
    ],
)
def test_changes_that_break_the_rules_are_told_so(sessions, change, text) -> None:
    with pytest.raises(ValueError, match=text):
        NOTES.write(sessions, 1, facts("PUT"), change, settings=SETTINGS)


def test_a_new_row_with_another_key_is_refused(sessions) -> None:
    with pytest.raises(ValueError, match="primary key 5"):
        NOTES.write(sessions, 5, facts("PUT"), put("new", 6), settings=SETTINGS)


@pytest.mark.parametrize("place", ["postgresql"], indirect=True)
def test_async_sessions(sessions, place) -> None:
    async def run():
        engine = create_async_engine("postgresql+psycopg://", connect_args=place.words)
        try:
            return await asyncio.gather(
                *(
                    NOTES.write_async(
                        lambda: AsyncSession(engine), 1, facts("PUT"), append(letter), settings=SETTINGS
                    )
                    for letter in "abcd"
                )
            )
        finally:
            await engine.dispose()

    def append(letter):
        def change(_: Session, note: Note) -> Note:
            note.text += letter
            return note

        return change

    written = asyncio.run(run())
    text, tag = state(sessions)
    assert sorted(text.removeprefix("old")) == list("abcd")
    assert tag in {one.etag for one in written}
    assert len({one.etag for one in written}) == 4


@pytest.mark.parametrize(
    ("place", "kind"),
    [("sqlite", "digest"), ("postgresql", "digest"), ("postgresql", "xmin")],
    indirect=["place"],
)
def test_tables_without_a_version_column(sessions, place, kind) -> None:
    rows = COUNTERS[kind]
    model = rows._model

    def increment(_: Session, row):
        row = row or model(id=1, n=0)
        row.n += 1
        return row

    first = rows.write(sessions, 1, facts("PUT"), increment, settings=SETTINGS)
    place.run("UPDATE plain SET n = 10")
    assert refused(rows, sessions, facts("PUT", ("If-Match", first.etag)), increment).status == 412
    with sessions() as session:
        known = rows.tag_of(session.get(model, 1))
    second = rows.write(sessions, 1, facts("PUT", ("If-Match", known)), increment, settings=SETTINGS)
    assert second.instance.n == 11
    rows.write(
        sessions, 1, facts("DELETE", ("If-Match", second.etag)), lambda _, __: DELETED, settings=SETTINGS
    )
    given = facts("PUT", ("If-None-Match", "*"))
    made = rows.write(sessions, 1, given, increment, settings=SETTINGS)
    assert made.created
    assert refused(rows, sessions, given, increment).status == 412


@pytest.mark.parametrize("place", ["postgresql"], indirect=True)
def test_serialization_failures_are_lost_races(sessions, place) -> None:
    strict = sessionmaker(place.engine(isolation_level="SERIALIZABLE"))
    tally = Tally()

    def overtaken(_: Session, note: Note) -> Note:
        tally["calls"] += 1
        if tally["calls"] == 1:
            place.run("UPDATE note SET text = 'theirs'")
        note.text += " and mine"
        return note

    NOTES.write(strict, 1, facts("PUT"), overtaken, settings=SETTINGS)
    assert (state(sessions)[0], tally["calls"]) == ("theirs and mine", 2)
    strict.kw["bind"].dispose()


def test_a_busy_database_is_a_lost_race(sessions, place) -> None:
    """Somebody holds the lock: 503 in the end, never an error of the driver."""
    if place.kind == "sqlite":
        engine = sa.create_engine(f"sqlite:///{place.where}", connect_args={"timeout": 0})
    else:
        words = place.words
        words["options"] += " -clock_timeout=50"
        engine = sa.create_engine("postgresql+psycopg://", connect_args=words)
    hurried = sessionmaker(engine)
    with sessions.kw["bind"].connect() as connection:
        connection.execute(sa.text("UPDATE note SET text = 'theirs'"))
        answer = refused(NOTES, hurried, facts("PUT"), put("mine"), limits=QUICK, settings=TELLING)
        assert (answer.status, answer.field("Retry-After")) == (503, "1")
        assert [event.outcome for event in EVENTS] == ["contended"]
        connection.rollback()
    NOTES.write(hurried, 1, facts("PUT"), put("mine"), settings=SETTINGS)
    assert state(sessions)[0] == "mine"
    engine.dispose()


def test_a_version_of_ones_own_and_versions_that_are_no_strong_tags(sessions) -> None:
    rows = Rows(Tagged)

    def change(_: Session, row: Tagged | None) -> Tagged:
        row = row or Tagged(number=1, text="")
        row.text += "x"
        return row

    first = rows.write(sessions, 1, facts("PUT"), change, settings=SETTINGS)
    second = rows.write(sessions, 1, facts("PUT", ("If-Match", first.etag)), change, settings=SETTINGS)
    assert second.instance.text == "xx"
    with pytest.raises(ValueError, match="starts again"):
        tag_of(Counts(number=1, version=1))
    with pytest.raises(ValueError, match="no version column"):
        tag_of(Plain(id=1, n=0))
    with pytest.raises(ValueError, match="no version column"):
        Rows(Plain)
    with pytest.raises(ValueError, match="no version column of text"):
        keep_versions(Counts)
    assert digest_of("n")(Plain(id=1, n=0)) != digest_of("n")(Plain(id=1, n=1))


def test_the_state_for_adapters(sessions) -> None:
    with sessions() as session:
        row = session.get(Plain, 1)
        current = COUNTERS["digest"].current(row)
    assert current.representation.last_modified == alchemy.moment(row)
    assert COUNTERS["digest"].current(None) is None


def test_dropping_the_tables_drops_what_kept_them(sessions, place) -> None:
    engine = sessions.kw["bind"]
    Base.metadata.drop_all(engine)
    if place.kind == "postgresql":
        query = "SELECT count(*) FROM pg_proc WHERE pronamespace = CAST(current_schema AS regnamespace)"
        assert place.run(query) == [(0,)]
    Base.metadata.create_all(engine)
