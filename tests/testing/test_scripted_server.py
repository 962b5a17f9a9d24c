"""The server for tests: real clients of Python on a socket and without one, and what they meet on demand."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
import threading
import urllib.request
from urllib.parse import urlsplit

import pytest

from ifmatch.testing import ScriptedServer, practice_server


@pytest.fixture(scope="module")
def running():
    with practice_server() as server:
        yield server


@pytest.fixture
def server(running):
    running.reset()
    return running


def ask(server, method, content=None, **fields):
    """Send a request with the client of the standard library."""
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=120)
    try:
        headers = {name.replace("_", "-"): value for name, value in fields.items()}
        connection.request(method, server.path, content, headers)
        answer = connection.getresponse()
        answer.read()
        return answer
    finally:
        connection.close()


def test_it_is_a_server_like_any_other(server) -> None:
    with urllib.request.urlopen(server.url, timeout=120) as answer:
        assert json.loads(answer.read()) == server.document()
        assert answer.headers["ETag"] == server.etag()


def test_another_writer_is_faster_once(server) -> None:
    tag = server.etag()
    server.conflict()
    assert ask(server, "PUT", b'{"note": "mine"}', If_Match=tag).status == 412
    assert server.document()["visits"] == 1
    assert ask(server, "PUT", b'{"note": "mine"}', If_Match=server.etag()).status == 204
    assert server.document() == {"note": "mine"}


def test_another_writer_is_faster_several_times(server) -> None:
    server.conflict(lambda document: {**document, "note": document["note"] + "!"}, times=3)
    statuses = []
    while not statuses or statuses[-1] == 412:
        statuses.append(ask(server, "PUT", b"{}", If_Match=server.etag()).status)
    assert statuses == [412, 412, 412, 204]


def test_what_others_write_at_once(server) -> None:
    before = server.etag()
    after = server.write({"note": "theirs"})
    assert server.etag() == after != before
    assert ask(server, "PUT", b"{}", If_Match=before).status == 412
    server.delete()
    assert server.content() is None
    assert server.etag() is None
    with pytest.raises(LookupError, match="nothing is stored"):
        server.document()
    assert ask(server, "PUT", b"{}", If_Match=after).status == 412


def test_the_resource_vanishes(server) -> None:
    tag = server.etag()
    server.vanish()
    assert ask(server, "PUT", b"{}", If_Match=tag).status == 412
    assert ask(server, "GET").status == 404


@pytest.mark.parametrize("stored", [True, False])
def test_an_answer_is_lost(server, stored) -> None:
    tag = server.etag()
    server.lose_answer(stored=stored)
    with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
        ask(server, "PUT", b'{"note": "mine"}', If_Match=tag)
    assert (server.document() == {"note": "mine"}) is stored
    assert ask(server, "PUT", b'{"note": "mine"}', If_Match=tag).status == (412 if stored else 204)


def test_a_write_is_delivered_twice(server) -> None:
    server.replay()
    assert ask(server, "PUT", b'{"note": "mine"}', If_Match=server.etag()).status == 412
    assert server.document() == {"note": "mine"}


def test_a_quirk_for_a_while(server) -> None:
    with server.quirk("weak-only"):
        assert ask(server, "GET").headers["ETag"] == f"W/{server.etag()}"
    assert ask(server, "GET").headers["ETag"] == server.etag()


def test_what_was_asked_is_told(server) -> None:
    tag = server.etag()
    ask(server, "GET", User_Agent="mine/1.0")
    with server.quirk("bare-412"):
        ask(server, "PUT", b'{"note": "x"}', If_Match='"old"')
    seen = [(event.method, event.status, event.condition) for event in server.requests]
    assert seen == [("GET", 200, ""), ("PUT", 412, 'If-Match: "old"')]
    assert server.requests[0].who == "mine"
    assert server.requests[0].etag == tag
    assert server.requests[1].content == '{"note": "x"}'


def test_reset_forgets_everything(server) -> None:
    first = server.document()
    server.conflict(times=5)
    server.write({"other": 1})
    server.reset()
    assert server.document() == first
    assert server.requests == ()
    assert ask(server, "PUT", b"{}", If_Match=server.etag()).status == 204


def test_one_conflict_meets_one_of_many_writers(server) -> None:
    tag = server.etag()
    server.conflict()
    statuses = []
    writers = [
        threading.Thread(target=lambda: statuses.append(ask(server, "PUT", b"{}", If_Match=tag).status))
        for _ in range(4)
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(120)
    # The other writer came before all of them, so nobody's tag held.
    assert statuses == [412] * 4
    assert server.document()["visits"] == 1


def test_without_a_socket_httpx_asks_the_application() -> None:
    import asyncio

    import httpx

    server = ScriptedServer(document={"note": "a"}, path="/notes/1")

    async def story() -> list[int]:
        transport = httpx.ASGITransport(app=server)
        async with httpx.AsyncClient(transport=transport, base_url=server.origin) as client:
            read = await client.get(server.path)
            server.conflict()
            refused = await client.put(
                server.path, json={"note": "b"}, headers={"If-Match": read.headers["etag"]}
            )
            again = await client.get(server.path)
            stored = await client.put(
                server.path, json={**again.json(), "note": "b"}, headers={"If-Match": again.headers["etag"]}
            )
            return [read.status_code, refused.status_code, stored.status_code]

    assert asyncio.run(story()) == [200, 412, 204]
    assert server.document() == {"note": "b", "visits": 1}


def test_without_a_socket_no_extra_is_needed() -> None:
    code = (
        "import sys\n"
        "from ifmatch.testing import ScriptedServer\n"
        "ScriptedServer()\n"
        "extras = {'uvicorn', 'starlette', 'h11', 'httpx', 'click', 'pytest'} & set(sys.modules)\n"
        "assert not extras, extras\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_octets_that_are_no_json_can_be_served() -> None:
    server = ScriptedServer(document=b"\x00\x01")
    assert server.content() == b"\x00\x01"
    with pytest.raises(ValueError, match="Expecting value"):
        server.document()


def test_an_open_page_does_not_hold_the_end_up(caplog) -> None:
    """Streams of a page end with the server, also one from before a reset, and nothing is said about it."""
    with practice_server() as server:
        streams = []
        for _ in range(2):
            stream = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=30)
            stream.request("GET", f"{server.path}-events")
            streams.append((stream, stream.getresponse()))
            server.reset()
    for stream, answer in streams:
        assert answer.read() == b""
        stream.close()
    assert not caplog.records
