"""The shadow counts what preconditions would have refused: never more than happened, in bounded memory."""

from __future__ import annotations

import asyncio
import json
import os
import random
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ifmatch.server.asgi import PreconditionMiddleware
from ifmatch.server.events import Event
from ifmatch.server.gate import Settings
from ifmatch.server.shadow import Shadow, route_of_path

NOW = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)


def shadow(**options) -> Shadow:
    return Shadow(clock=lambda: NOW, **options)


def rows(watched: Shadow) -> dict:
    return {(row["client"], row["method"]): row for row in watched.report()["rows"]}


def test_two_writers_on_one_version_are_an_overwrite() -> None:
    watched = shadow()
    for client in ("ann", "bob"):
        watched.read(client, "/notes/1", '"1"')
    watched.wrote("ann", "/notes/1", "PUT", guarded=False)
    watched.wrote("bob", "/notes/1", "PUT", guarded=False)
    assert rows(watched)["ann", "PUT"]["unguarded_current"] == 1
    assert rows(watched)["bob", "PUT"]["overwrote"] == 1
    (example,) = watched.report()["overwrites"]
    assert example == {
        "at": "2026-03-10T09:00:00+00:00",
        "client": "bob",
        "method": "PUT",
        "overwrote": "ann",
        "path": "/notes/1",
    }


def test_reading_again_makes_it_good() -> None:
    watched = shadow()
    watched.read("bob", "/notes/1", None)
    watched.wrote("ann", "/notes/1", "PUT", guarded=False)
    watched.read("bob", "/notes/1", None)
    watched.wrote("bob", "/notes/1", "PUT", guarded=False)
    watched.wrote("bob", "/notes/1", "PUT", guarded=False)  # over its own
    assert rows(watched)["bob", "PUT"]["unguarded_current"] == 2
    assert rows(watched)["ann", "PUT"]["unguarded_blind"] == 1
    assert watched.report()["overwrites"] == []


def test_guarded_writes_and_other_resources_are_no_overwrite() -> None:
    watched = shadow()
    watched.read("bob", "/notes/1", None)
    watched.wrote("ann", "/notes/1", "PUT", guarded=False)
    watched.wrote("bob", "/notes/1", "PUT", guarded=True)
    watched.wrote("bob", "/notes/2", "PUT", guarded=False)
    assert rows(watched)["bob", "PUT"]["guarded"] == 1
    assert rows(watched)["bob", "PUT"]["overwrote"] == 0


def test_another_tag_tells_of_a_write_elsewhere_only_where_tags_are_trusted() -> None:
    for trusted, overwrote in ((True, 1), (False, 0)):
        watched = shadow(trust_tags=trusted, paths=False)
        watched.read("ann", "/notes/1", '"1"')
        watched.read("bob", "/notes/1", '"2"')
        watched.wrote("ann", "/notes/1", "PUT", guarded=False)
        assert rows(watched)["ann", "PUT"]["overwrote"] == overwrote
        assert all("path" not in one for one in watched.report()["overwrites"])


def test_memory_is_bounded_and_forgetting_never_makes_an_overwrite() -> None:
    watched = shadow(most_resources=10, most_pairs=20)
    for number in range(500):
        watched.read("ann", f"/notes/{number}", None)
        watched.wrote("bob", f"/notes/{number}", "PUT", guarded=False)
    watched.wrote("ann", "/notes/1", "PUT", guarded=False)
    assert len(watched._resources) <= 10
    assert len(watched._given) <= 20
    assert rows(watched)["ann", "PUT"]["overwrote"] == 0
    assert watched.report()["forgotten"] > 900


def test_made_up_clients_do_not_grow_the_report_without_bound(monkeypatch) -> None:
    monkeypatch.setattr("ifmatch.server.shadow._MOST_ROWS", 5)
    watched = shadow()
    for number in range(20):
        watched.wrote(f"client {number}", "/a", "PUT", guarded=False)
    assert len(watched.report()["rows"]) == 6
    assert rows(watched)["(others)", "PUT"]["writes"] == 15


@settings(max_examples=60)
@given(seed=st.integers(0, 2**32))
def test_what_it_counts_really_happened(seed: int) -> None:
    # The truth is kept beside it: what each client saw last, and who wrote what.
    rng = random.Random(seed)
    watched = shadow(most_resources=rng.choice([2, 100]), most_pairs=rng.choice([3, 100]))
    state: dict[str, int] = {}
    seen: dict[tuple[str, str], int] = {}
    overwrites = 0
    for _ in range(80):
        client, path = rng.choice("abc"), f"/{rng.randrange(3)}"
        if rng.random() < 0.5:
            watched.read(client, path, None)
            seen[client, path] = state.get(path, 0)
            continue
        guarded = rng.random() < 0.2
        known = seen.get((client, path))
        overwrites += not guarded and known is not None and known != state.get(path, 0)
        watched.wrote(client, path, "PUT", guarded=guarded)
        state[path] = state.get(path, 0) + 1
        seen[client, path] = state[path]
    counted = sum(row["overwrote"] for row in watched.report()["rows"])
    assert counted <= overwrites
    if watched.report()["forgotten"] == 0:
        assert counted == overwrites


def test_events_are_counted_by_client() -> None:
    watched = shadow()
    event = Event(
        outcome="refused",
        method="PUT",
        route="/notes/{id}",
        stage="report-only",
        applied=False,
        cause="etag-weakened",
        client="ann",
    )
    watched(event)
    watched(event)
    assert rows(watched)["ann", "PUT"]["events"] == {"refused:etag-weakened": 2}


def test_it_saves_itself_now_and_then(tmp_path) -> None:
    at = [NOW]
    watched = Shadow(clock=lambda: at[0], save_to=tmp_path / "rollout-{pid}.json", save_every=60)
    watched.wrote("ann", "/1", "PUT", guarded=False)
    assert list(tmp_path.iterdir()) == []
    at[0] += timedelta(seconds=61)
    watched.wrote("ann", "/1", "PUT", guarded=False)
    (path,) = tmp_path.iterdir()
    assert "{pid}" not in path.name
    assert json.loads(path.read_text())["rows"][0]["writes"] == 2
    with pytest.raises(ValueError, match="needs a path"):
        shadow().save()


def test_a_report_that_cannot_be_saved_fails_no_request(tmp_path, caplog) -> None:
    watched = Shadow(save_to=tmp_path / "no such folder" / "report.json", save_every=0)
    watched.wrote("ann", "/1", "PUT", guarded=False)
    assert "was not saved" in caplog.text
    with pytest.raises(OSError, match="no such folder"):
        watched.save()


def test_threads_that_save_at_once_do_not_meet(tmp_path) -> None:
    watched = Shadow(save_to=tmp_path / "report.json", save_every=0)

    def work(client: str) -> None:
        for number in range(40):
            watched.wrote(client, f"/{number}", "PUT", guarded=False)

    threads = [threading.Thread(target=work, args=(client,)) for client in "abcdef"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    watched.save()
    saved = json.loads((tmp_path / "report.json").read_text())
    assert sum(row["writes"] for row in saved["rows"]) == 240
    assert [path.name for path in tmp_path.iterdir()] == ["report.json"]


@pytest.mark.parametrize(
    ("path", "route"),
    [
        ("/notes/17", "/notes/{}"),
        ("/notes/17?x=1", "/notes/{}"),
        ("/notes/3f2b8c1e-7d7a-4c53-9a55-1f2e3d4c5b6a/parts", "/notes/{}/parts"),
        ("/v1/notes/deadbeefcafe", "/{}/notes/{}"),
        ("/notes/archive", "/notes/archive"),
        ("/", "/"),
    ],
)
def test_a_template_for_a_path(path, route) -> None:
    assert route_of_path(path) == route


LAST = """
import sys
from ifmatch.server import Shadow
watched = Shadow(save_to=sys.argv[1])
watched.wrote("a", "/note", "PUT", guarded=False)
"""


def test_what_was_seen_last_is_saved_when_the_process_ends(tmp_path) -> None:
    ended = subprocess.run([sys.executable, "-c", LAST, str(tmp_path / "r-{pid}.json")], check=False)
    assert ended.returncode == 0
    (saved,) = tmp_path.glob("r-*.json")
    assert json.loads(saved.read_text())["rows"][0]["writes"] == 1


def test_the_end_of_an_asgi_server_saves_too(tmp_path) -> None:
    # uvicorn ends by the signal that it got: nothing that is registered for the exit is run.
    watched = Shadow(save_to=tmp_path / "report.json")

    async def app(scope, _receive, send):
        assert scope["type"] == "lifespan"
        await send({"type": "lifespan.startup.complete"})
        assert not (tmp_path / "report.json").exists()
        await send({"type": "lifespan.shutdown.complete"})

    sent = []

    async def send(message):
        sent.append(message["type"])

    async def run():
        watched.wrote("a", "/note", "PUT", guarded=False)
        await PreconditionMiddleware(app, settings=Settings(shadow=watched))({"type": "lifespan"}, None, send)

    asyncio.run(run())
    assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
    assert json.loads((tmp_path / "report.json").read_text())["rows"][0]["writes"] == 1


def test_a_process_that_was_forked_later_has_a_report_of_its_own(tmp_path, monkeypatch) -> None:
    watched = Shadow(save_to=tmp_path / "report-{pid}.json", save_every=0)
    monkeypatch.setattr(os, "getpid", lambda: 4711)
    watched.wrote("a", "/note", "PUT", guarded=False)
    assert [path.name for path in tmp_path.iterdir()] == ["report-4711.json"]
