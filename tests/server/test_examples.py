"""The worked examples: updates are lost before, seen by the shadow, refused at the end."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.server.raw import Answer, exchange
from tests.server.servers import serving
from tests.server.stores.clusters import Postgresql

if TYPE_CHECKING:
    from collections.abc import Iterator

EXAMPLES = Path(__file__).parents[2] / "examples"
JSON = (b"Content-Type", b"application/json")


class Flask:
    """SQLite, gunicorn with two processes."""

    def __init__(self, folder: Path) -> None:
        self.database = folder / "notes.sqlite3"

    @contextmanager
    def serve(self, stage: str, **environment: str) -> Iterator[int]:
        name = {"before": "before", "shadow": "watched"}.get(stage, "after")
        given = {"DATABASE": str(self.database), "STAGE": stage, **environment}
        with serving("gunicorn", name, given, folder=EXAMPLES / "flask_notes") as port:
            yield port

    def migrate(self) -> None:
        with sqlite3.connect(self.database) as connection:
            connection.executescript((EXAMPLES / "flask_notes" / "add_version.sql").read_text())
        connection.close()

    def write_past_it(self) -> None:
        with sqlite3.connect(self.database) as connection:
            connection.execute("UPDATE note SET text = 'past the service' WHERE number = 1")
        connection.close()


class Django(Flask):
    """The same in Django; migrations make and change the table."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.manage("migrate", "notes", "0001")

    def manage(self, *arguments: str) -> None:
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=EXAMPLES / "django_notes",
            env=os.environ | {"DATABASE": str(self.database)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr

    @contextmanager
    def serve(self, stage: str, **environment: str) -> Iterator[int]:
        given = {"DATABASE": str(self.database), "STAGE": stage, **environment}
        with serving("gunicorn", "wsgi", given, folder=EXAMPLES / "django_notes") as port:
            yield port

    def migrate(self) -> None:
        self.manage("migrate", "notes")
        self.manage("check")

    def write_past_it(self) -> None:
        with sqlite3.connect(self.database) as connection:
            connection.execute("UPDATE notes_note SET text = 'past the service' WHERE id = 1")
        connection.close()


class FastAPI:
    """PostgreSQL through SQLAlchemy, uvicorn."""

    def __init__(self, connection_string: str) -> None:
        self.connection_string = connection_string
        parts = dict(part.split("=", 1) for part in connection_string.split())
        self.url = f"postgresql+psycopg://{parts['user']}@/{parts['dbname']}?host={parts['host']}"

    @contextmanager
    def serve(self, stage: str, **environment: str) -> Iterator[int]:
        name = {"before": "before", "shadow": "watched"}.get(stage, "after")
        given = {"DATABASE_URL": self.url, "STAGE": stage, **environment}
        with serving("uvicorn", name, given, folder=EXAMPLES / "fastapi_sqlalchemy_postgresql") as port:
            yield port

    def _execute(self, sql: str) -> None:
        import psycopg

        with psycopg.connect(self.connection_string) as connection:
            connection.execute(sql)

    def migrate(self) -> None:
        self._execute((EXAMPLES / "fastapi_sqlalchemy_postgresql" / "add_version.sql").read_text())

    def write_past_it(self) -> None:
        self._execute("UPDATE note SET text = 'past the service' WHERE number = 1")


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    with Postgresql(tmp_path_factory.mktemp("postgresql")) as started:
        yield started


@pytest.fixture(params=["flask", "django", "fastapi"])
def example(request, tmp_path):
    if request.param == "flask":
        yield Flask(tmp_path)
    elif request.param == "django":
        yield Django(tmp_path)
    else:
        yield FastAPI(request.getfixturevalue("cluster").fresh_database())


def get(port: int, client: str = "ann", *lines) -> Answer:
    return exchange("127.0.0.1", port, "GET", "/notes/1", [(b"User-Agent", client.encode()), *lines])


def put(port: int, text: str, client: str = "ann", *lines) -> Answer:
    fields = [JSON, (b"User-Agent", client.encode()), *lines]
    return exchange("127.0.0.1", port, "PUT", "/notes/1", fields, json.dumps({"text": text}).encode())


def text_of(answer: Answer) -> str:
    return json.loads(answer.content)["text"]


def if_match(answer: Answer) -> tuple[bytes, bytes]:
    etag = answer.field("ETag")
    assert etag is not None
    return b"If-Match", etag.encode()


def test_from_a_service_without_versions_to_enforced(example, tmp_path) -> None:
    with example.serve("before") as port:
        assert put(port, "first").status == 200
        assert get(port).field("ETag") is None
    report = tmp_path / "report.json"
    with example.serve("shadow", REPORT=str(report)) as port:
        for client in ("ann", "bob"):
            assert text_of(get(port, client)) == "first"
        assert put(port, "by ann", "ann").status == 200
        assert put(port, "by bob", "bob").status == 200  # and what ann wrote is gone
    told = json.loads(report.read_text())
    assert {row["client"].split("#")[0]: row["overwrote"] for row in told["rows"]} == {"ann": 0, "bob": 1}
    done = subprocess.run(
        [sys.executable, "-m", "ifmatch.cli", "rollout", str(report)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "2 clients of 2 break" in done.stdout

    example.migrate()
    with example.serve("honour") as port:
        seen = get(port)
        assert put(port, "on what is there", "ann", if_match(seen)).status == 200
        refused = put(port, "on what was there", "bob", if_match(seen))
        assert refused.status == 412
        assert json.loads(refused.content)["current"]["etag"] == get(port).field("ETag")
        assert put(port, "without a condition").status == 200

    with example.serve("enforce") as port:
        assert put(port, "without a condition").status == 428
        seen = get(port)
        example.write_past_it()
        assert put(port, "over it", "ann", if_match(seen)).status == 412
        assert text_of(get(port)) == "past the service"
        assert get(port, "ann", (b"If-None-Match", get(port).field("ETag").encode())).status == 304


@pytest.mark.parametrize(
    "example", ["flask", pytest.param("django", marks=pytest.mark.full), "fastapi"], indirect=True
)
def test_contended_increments_lose_nothing(example) -> None:
    with example.serve("before") as port:
        assert put(port, "0").status == 200
    example.migrate()
    each, clients = 8, 4
    failures: list[int] = []

    def work(port: int) -> None:
        for _ in range(each):
            while True:
                seen = get(port)
                answer = put(port, str(int(text_of(seen)) + 1), "worker", if_match(seen))
                if answer.status == 200:
                    break
                if answer.status != 412:
                    failures.append(answer.status)
                    break

    with example.serve("enforce") as port:
        threads = [threading.Thread(target=work, args=(port,)) for _ in range(clients)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []
        assert text_of(get(port)) == str(each * clients)
