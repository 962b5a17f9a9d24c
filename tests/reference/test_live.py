"""The stream of events behind the page, on a raw socket; journals of one process and of several."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from datetime import UTC, datetime

import pytest

from ifmatch.reference.journal import Event, Journal, SharedJournal
from tests.reference.conformance import Origin
from tests.reference.serving import in_process
from tests.reference.wire import Connection, message


def event(number: int, **more) -> Event:
    given = {"at": 1.0, "who": "ana", "method": "GET", "path": "/r", "condition": "", "status": 200}
    return Event(number=number, content="", etag="", **{**given, **more})


def events_of(connection: Connection, count: int) -> list[dict]:
    """Read so many events from an open stream."""
    found = []
    while len(found) < count:
        line = connection._until(b"\n").strip()
        if line.startswith(b"data: "):
            found.append(json.loads(line[6:]))
    return found


def listening(origin: str, *lines) -> Connection:
    connection = Connection(origin)
    connection.send(message("GET", "/resource-events", connection.host, *lines))
    head = connection._until(b"\r\n\r\n")
    assert b" 200 " in head
    assert b"text/event-stream" in head
    return connection


def test_events_of_before_come_first_and_new_ones_at_once() -> None:
    with in_process() as (run, _):
        origin = Origin(run.origin)
        tag = origin.tag("/resource")
        with listening(run.origin) as stream:
            assert [one["method"] for one in events_of(stream, 1)] == ["GET"]
            answer = origin.put("/resource", ("If-Match", '"old"'), ("Practice-Client", "ben"))
            assert answer.status == 412
            (told,) = events_of(stream, 1)
        assert (told["who"], told["status"], told["etag"]) == ("ben", 412, tag)
        assert told["condition"] == 'If-Match: "old"'
        assert told["number"] == 2


def test_a_stream_goes_on_where_it_was_cut() -> None:
    with in_process() as (run, _):
        origin = Origin(run.origin)
        for _ in range(3):
            origin.ask("GET", "/resource")
        with listening(run.origin, ("Last-Event-ID", "2")) as stream:
            assert [one["number"] for one in events_of(stream, 1)] == [3]
        with listening(run.origin, ("Last-Event-ID", "garbage")) as stream:
            assert [one["number"] for one in events_of(stream, 3)] == [1, 2, 3]


def test_an_open_stream_does_not_hold_the_end_of_the_server_up() -> None:
    with in_process() as (run, _):
        stream = listening(run.origin)
        started = time.monotonic()
        run.stop()
        assert time.monotonic() - started < 20
        assert not run.thread.is_alive()
        stream.__exit__()


def test_neither_the_page_nor_the_stream_is_an_event() -> None:
    with in_process() as (run, server):
        origin = Origin(run.origin)
        page = origin.ask("GET", "/resource-page")
        assert page.status == 200
        assert "default-src 'none'" in (page.get("content-security-policy") or "")
        with listening(run.origin):
            assert list(server.journal) == []


def test_a_lost_answer_is_an_event_without_a_status() -> None:
    with in_process("lost-response") as (run, server):
        with Connection(run.origin) as connection:
            connection.send(message("PUT", "/resource", connection.host, content=b"x"))
            assert connection.is_closed()
        assert [one.status for one in server.journal] == [0]


def test_a_journal_keeps_the_latest() -> None:
    async def story():
        journal = Journal(remembered=3)
        for _ in range(5):
            journal.add(event(0))
        return await journal.fetch(0), await journal.fetch(4)

    everything, latest = asyncio.run(story())
    assert [one.number for one in everything] == [3, 4, 5]
    assert [one.number for one in latest] == [5]


def test_who_waits_is_woken_by_an_event_and_by_the_end() -> None:
    async def story():
        journal = Journal()
        waiting = asyncio.create_task(journal.wait(30))
        await asyncio.sleep(0)
        journal.add(event(0))
        first = await waiting
        second = asyncio.create_task(journal.wait(30))
        await asyncio.sleep(0)
        journal.close()
        return first, await second, journal.closed, await journal.wait(0.001)

    assert asyncio.run(story()) == (True, True, True, False)


def test_several_processes_share_a_journal(tmp_path) -> None:
    """Two journals on one file, each on a loop of its own, as two workers have them."""
    path = tmp_path / "journal.sqlite"

    async def add(who: str) -> None:
        journal = SharedJournal(path, remembered=50)
        for _ in range(20):
            journal.add(event(0, who=who))
        await journal._flushing

    threads = [threading.Thread(target=lambda who=who: asyncio.run(add(who))) for who in ("ana", "ben")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    found = asyncio.run(SharedJournal(path).fetch(0))
    assert [one.number for one in found] == list(range(1, 41))
    assert sorted(one.who for one in found) == ["ana"] * 20 + ["ben"] * 20
    asyncio.run(add("cem"))
    asyncio.run(add("dora"))
    kept = asyncio.run(SharedJournal(path).fetch(0))
    assert [one.number for one in kept] == list(range(31, 81))


def test_an_event_that_comes_while_others_are_written_is_not_forgotten(tmp_path) -> None:
    async def story():
        journal = SharedJournal(tmp_path / "journal.sqlite")
        write = journal._write

        def slow(events) -> None:
            if len(events) == 1 and events[0].who == "ana":
                # In the middle of the first write the next event comes.
                loop.call_soon_threadsafe(journal.add, event(0, who="ben"))
                came.wait(120)
            write(events)

        loop = asyncio.get_running_loop()
        came = threading.Event()
        journal._write = slow
        journal.add(event(0, who="ana"))
        deadline = time.monotonic() + 60
        while not journal._pending or journal._pending[0].who != "ben":
            assert time.monotonic() < deadline
            await asyncio.sleep(0.01)
        came.set()
        await journal._flushing
        return [one.who for one in await journal.fetch(0)]

    assert asyncio.run(story()) == ["ana", "ben"]


@pytest.mark.parametrize(
    ("lines", "who"),
    [
        ((("Practice-Client", "ana"), ("User-Agent", "curl/8")), "ana"),
        ((("User-Agent", "curl/8.5"),), "curl"),
        ((("User-Agent", "Mozilla/5.0 (X11)"),), "Mozilla"),
        ((), "127.0.0.1"),
    ],
)
def test_everybody_has_a_name(lines, who) -> None:
    with in_process() as (run, server):
        Origin(run.origin).ask("GET", "/resource", *lines)
        (seen,) = server.journal
        assert seen.who.startswith(who)
        assert abs(seen.at - datetime.now(UTC).timestamp()) < 30
