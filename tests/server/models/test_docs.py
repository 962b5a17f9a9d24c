"""The snippets of docs/server/models.md run as they stand, one after the other."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy.orm import sessionmaker

from ifmatch.server.models.django_migrations import AddVersion
from tests.server.models import dj
from tests.server.models.places import SETTINGS, facts

PAGE = (Path(__file__).parents[3] / "docs" / "server" / "models.md").read_text("utf-8")
SNIPPETS = re.findall(r"```python (\w+)\n(.*?)```", PAGE, re.DOTALL)


def run(kind: str, names: dict[str, object], first: int = 0, last: int | None = None) -> dict[str, object]:
    chosen = [text for tag, text in SNIPPETS if tag == kind][first:last]
    assert chosen
    for text in chosen:
        exec(compile(text, f"models.md, {kind}", "exec", dont_inherit=True), names)  # noqa: S102 -- our own page
    return names


def test_every_snippet_is_run_by_some_test() -> None:
    assert {kind for kind, _ in SNIPPETS} == {"sqlalchemy", "xmin", "django", "alembic", "migration"}
    assert PAGE.count("```python") == len(SNIPPETS)


def test_sqlalchemy(place) -> None:
    names = run("sqlalchemy", {"__name__": "docs"}, 0, 1)
    engine = place.engine()
    names["Base"].metadata.create_all(engine)
    names |= {"sessions": sessionmaker(engine), "facts": facts("PUT"), "settings": SETTINGS}
    run("sqlalchemy", names, 1)
    assert names["items"][0]["etag"].startswith('"')
    assert names["written"].instance.text == "by content"
    engine.dispose()


@pytest.mark.parametrize("place", ["postgresql"], indirect=True)
def test_xmin(place) -> None:
    names = run("xmin", {"__name__": "docs"})
    engine = place.engine()
    names["Base"].metadata.create_all(engine)

    def change(_session, page):
        page = page or names["Page"](number=7)
        page.text = "new" if page.text is None else f"{page.text}er"
        return page

    sessions = sessionmaker(engine)
    tags = [names["PAGES"].write(sessions, 7, facts("PUT"), change, settings=SETTINGS).etag for _ in range(2)]
    assert tags[0] != tags[1]
    with sessions() as session:
        assert names["PAGES"].tag_of(session.get(names["Page"], 7)) == tags[1]
    engine.dispose()


# Django knows a model once in a process.
@pytest.mark.parametrize("place", ["postgresql"], indirect=True)
def test_django(place) -> None:
    names = run("django", {"__name__": "docs"}, 0, 1)
    names |= {"facts": facts("PUT"), "settings": SETTINGS}
    with dj.connected(place) as connection:
        with connection.schema_editor() as editor:
            editor.create_model(names["Note"])
        names["NOTES"] = names["Rows"](names["Note"].objects.using("place"))
        run("django", names, 1)
        rows = names["with_xmin"](names["Note"].objects.using("place"))
        assert names["BY_XMIN"].tag_of(rows.get(pk=7)) == f'"{rows.get(pk=7).xmin}"'
    assert names["written"].created


def test_migrations(place) -> None:
    names = run("alembic", {"__name__": "docs"})
    place.run("CREATE TABLE note (number INTEGER PRIMARY KEY)")
    engine = place.engine()
    for step in ("upgrade", "downgrade"):
        with engine.begin() as connection:
            names[step](Operations(MigrationContext.configure(connection)))
    assert sa.inspect(engine).get_columns("note")[0]["name"] == "number"
    engine.dispose()
    assert isinstance(run("migration", {})["added"][0], AddVersion)
