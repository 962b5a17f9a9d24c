"""Every write changes the version, whoever makes it; no version comes back."""

# ruff: noqa: S608 -- no text of strangers

from __future__ import annotations

import re

import pytest

from ifmatch.server.models import triggers
from ifmatch.server.models.tags import next_version

OURS = re.compile(r"\d{13}[0-9a-f]{19}")
TABLE = "CREATE TABLE note (number INTEGER PRIMARY KEY, text TEXT, version VARCHAR(32) NOT NULL DEFAULT '')"


@pytest.fixture
def table(place):
    place.run(TABLE)
    place.script(*triggers.create_statements(place.kind, "note"))
    place.run("INSERT INTO note (number, text) VALUES (1, 'a')")
    return place


def version(place, number: int = 1) -> str:
    return place.run(f"SELECT version FROM note WHERE number = {number}")[0][0]


def test_a_new_row_gets_a_version_of_our_form(table) -> None:
    assert OURS.fullmatch(version(table))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE note SET text = 'b'",
        "UPDATE note SET text = text",
        "UPDATE note SET version = ''",
        "UPDATE note SET text = 'b', version = '0000000000001' || substr(version, 14)",
        "INSERT INTO note (number, text) VALUES (1, 'c') ON CONFLICT (number) DO UPDATE SET text = 'c'",
    ],
)
def test_a_write_past_the_helper_changes_the_version_upwards(table, statement) -> None:
    before = version(table)
    table.run(statement)
    assert OURS.fullmatch(version(table))
    assert version(table) > before


def test_a_version_above_the_stored_one_stays_as_it_was_written(table) -> None:
    mine = next_version(version(table))
    table.run(f"UPDATE note SET text = 'b', version = '{mine}'")
    assert version(table) == mine


def test_a_row_saved_with_the_version_that_was_read_long_ago_does_not_get_its_tag_back(table) -> None:
    old = version(table)
    table.run("UPDATE note SET text = 'b'")
    newer = version(table)
    table.run(f"UPDATE note SET text = 'c', version = '{old}'")
    assert version(table) > newer


def test_versions_grow_where_the_last_writer_had_a_clock_ahead(table) -> None:
    ahead = next_version(milliseconds=9_000_000_000_000)
    table.run(f"UPDATE note SET version = '{ahead}'")
    table.run("UPDATE note SET text = 'b'")
    assert version(table)[:13] == "9000000000001"


def test_one_statement_over_many_rows_gives_each_a_version_of_its_own(table) -> None:
    rows = ", ".join(f"({number}, 'x')" for number in range(2, 60))
    table.run(f"INSERT INTO note (number, text) VALUES {rows}")
    table.run("UPDATE note SET text = 'y'")
    rows = table.run("SELECT version FROM note")
    assert len({row[0] for row in rows}) == 59


def test_a_row_made_anew_has_another_version(table) -> None:
    before = version(table)
    table.run("DELETE FROM note")
    table.run("INSERT INTO note (number, text) VALUES (1, 'a')")
    assert version(table) != before


def test_making_them_again_does_no_harm_and_dropping_them_stops_them(table) -> None:
    table.script(*triggers.create_statements(table.kind, "note"))
    query, due = triggers.present_query(table.kind, "note")
    assert table.run(query)[0][0] == due
    for _ in range(2):
        table.script(*triggers.drop_statements(table.kind, "note"))
    assert table.run(query)[0][0] == 0
    before = version(table)
    table.run("UPDATE note SET text = 'b'")
    assert version(table) == before


def test_names_that_need_quotes_and_long_names(place) -> None:
    for name in ('odd "table" name\'s', "n" * 60):
        quoted = '"' + name.replace('"', '""') + '"'
        place.run(f"""CREATE TABLE {quoted} (number INTEGER PRIMARY KEY, "the version" TEXT DEFAULT '')""")
        place.script(*triggers.create_statements(place.kind, name, "the version"))
        place.run(f"INSERT INTO {quoted} (number) VALUES (1)")
        place.run(f"UPDATE {quoted} SET number = 2")
        assert OURS.fullmatch(place.run(f'SELECT "the version" FROM {quoted}')[0][0])
        query, due = triggers.present_query(place.kind, name, "the version")
        assert place.run(query)[0][0] == due


def test_filling_gives_rows_that_were_there_a_version(place) -> None:
    place.run("CREATE TABLE note (number INTEGER PRIMARY KEY)")
    place.run("INSERT INTO note VALUES (1), (2)")
    place.run("ALTER TABLE note ADD COLUMN version VARCHAR(32) NOT NULL DEFAULT ''")
    place.script(*triggers.create_statements(place.kind, "note"), triggers.fill_statement("note"))
    assert all(OURS.fullmatch(row[0]) for row in place.run("SELECT version FROM note"))


@pytest.mark.parametrize("place", ["sqlite"], indirect=True)
def test_sqlite_tables_without_rowid_and_recursive_triggers(place) -> None:
    columns = "a TEXT, b INTEGER, version TEXT DEFAULT '', PRIMARY KEY (a, b)"
    place.run(f"CREATE TABLE note ({columns}) WITHOUT ROWID")
    place.script(*triggers.create_statements("sqlite", "note", key=("a", "b")))
    place.run("INSERT INTO note (a, b) VALUES ('x', 1), ('x', 2)")
    before = dict(place.run("SELECT b, version FROM note"))
    place.run("UPDATE note SET a = 'y' WHERE b = 1")
    after = dict(place.run("SELECT b, version FROM note"))
    assert after[1] > before[1]
    assert after[2] == before[2]
    place.run("REPLACE INTO note (a, b) VALUES ('y', 1)")
    assert dict(place.run("SELECT b, version FROM note"))[1] not in {"", before[1], after[1]}


def test_another_database_is_told_what_to_do() -> None:
    with pytest.raises(ValueError, match=r"no triggers for 'mysql'.*content digest"):
        triggers.create_statements("mysql", "note")
