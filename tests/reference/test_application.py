"""Answers beside the table of requirements: refusals before conditions, troubles of stores, odd requests."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import pytest

from ifmatch.errors import StoreUnavailableError
from ifmatch.reference.application import PracticeServer
from ifmatch.reference.messages import LONGEST_CONTENT
from ifmatch.server.stores.memory import AsyncMemoryStore, MemoryStore
from ifmatch.server.stores.protocol import Lost
from tests.reference.conformance import JSON, Origin
from tests.reference.serving import in_process
from tests.reference.wire import message


@pytest.fixture(scope="module")
def origin():
    with in_process() as (run, _):
        yield Origin(run.origin)


@pytest.mark.parametrize(
    ("sent", "status", "said"),
    [
        (("PUT", (("Content-Encoding", "gzip"),), b"x"), 415, "as it is"),
        (("PUT", (("Content-Range", "bytes 0-0/2"),), b"x"), 400, "whole content"),
        (("PATCH", (("Content-Type", "text/plain"),), b"x"), 415, "merge-patch"),
        (("PATCH", (("Content-Type", "application/merge-patch+json"),), b"{"), 400, "not JSON"),
        (("PATCH", (("Content-Type", "application/json-patch+json"),), b"{}"), 400, "array"),
        (("PATCH", (("Content-Type", "application/json-patch+json"),), b"[1]"), 400, "array"),
        (("POST", (), b"x"), 405, "PUT"),
    ],
)
def test_what_is_wrong_anyway_is_told_before_conditions(origin, sent, status, said) -> None:
    method, lines, content = sent
    path = origin.fresh()
    answer = origin.ask(method, path, ("If-Match", '"x"'), *lines, content=content)
    assert answer.status == status
    assert answer.get("content-type") == "application/problem+json"
    assert said in json.loads(answer.content)["detail"]


def test_a_patch_of_what_is_no_json_is_a_conflict(origin) -> None:
    path = origin.fresh(b"plain text")
    kind = ("Content-Type", "application/merge-patch+json")
    answer = origin.ask("PATCH", path, kind, content=b'{"a": 1}')
    assert answer.status == 409
    assert origin.holds(path, b"plain text")


def test_content_that_is_too_long_is_413_and_ends_the_connection(origin) -> None:
    path = origin.fresh(b"kept")
    with origin.connect() as connection:
        length = LONGEST_CONTENT + 1
        head = message("PUT", path, connection.host, ("Content-Length", str(length)))
        connection.send(head)
        try:
            for _ in range(length // 65536 + 1):
                connection.send(b"x" * 65536)
        except ConnectionError:
            return  # refused before all of it was sent
        assert connection.answer("PUT").status == 413
    assert origin.holds(path, b"kept")


@pytest.mark.parametrize("sibling", ["-forbidden", "-moved"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "POST", "OPTIONS", "BREW"])
def test_two_siblings_refuse_every_method(origin, sibling, method) -> None:
    answer = origin.ask(method, f"/resource{sibling}", ("If-Match", "*"))
    assert answer.status == {"-forbidden": 403, "-moved": 302}[sibling]
    asked = origin.ask("OPTIONS", f"/resource{sibling}", ("Access-Control-Request-Method", "PUT"))
    assert asked.status == 204


def test_a_target_in_absolute_form_is_the_same_resource(origin) -> None:
    assert origin.ask("GET", f"{origin.url}/resource").status == 200


def test_an_unknown_path_is_404_and_names_the_resource(origin) -> None:
    answer = origin.ask("GET", "/elsewhere")
    assert answer.status == 404
    assert "/resource" in json.loads(answer.content)["detail"]


def test_the_tag_of_the_sibling_has_to_be_named(origin) -> None:
    assert origin.ask("GET", "/resource-tagged").status == 400
    assert origin.ask("GET", "/resource-tagged?etag=").get("etag") == ""
    assert origin.ask("GET", "/resource-tagged?other=1&etag=%22a%22").get("etag") == '"a"'
    # A plus is a plus: the query holds octets, not a form.
    assert origin.ask("GET", "/resource-tagged?etag=%22a+b%22").get("etag") == '"a+b"'


def test_a_tag_that_is_none_is_served_as_it_is_and_never_matches(origin) -> None:
    path = "/resource-tagged?etag=abc"
    assert origin.ask("GET", path).get("etag") == "abc"
    assert origin.ask("GET", path, ("If-None-Match", '"abc"')).status == 200
    assert origin.put(path, ("If-Match", '"abc"')).status == 412
    assert origin.put(path, ("If-Match", "*")).status == 204


def test_head_of_a_refusal_has_no_content(origin) -> None:
    path = origin.fresh()
    with origin.connect() as connection:
        assert connection.ask("HEAD", path, ("If-Match", '"x"')).status == 412
        assert connection.ask("GET", path).status == 200


def test_a_client_that_goes_away_leaves_the_server_well(origin) -> None:
    path = origin.fresh(b"kept")
    for _ in range(3):
        with origin.connect() as connection:
            connection.send(message("PUT", path, connection.host, content=b"never whole")[:-3])
    assert origin.holds(path, b"kept")


class Troubled(AsyncMemoryStore):
    """A store that cannot be asked, or always loses."""

    def __init__(self, trouble: str) -> None:
        super().__init__()
        self.trouble = trouble

    async def read(self, key):
        if self.trouble == "read":
            raise StoreUnavailableError("the disk is gone", store="x")
        return await super().read(key)

    async def swap(self, key, expected, new):
        if self.trouble == "swap":
            raise StoreUnavailableError("the disk is gone", store="x", outcome_unknown=True)
        if self.trouble == "lost":
            return Lost()
        return await super().swap(key, expected, new)


async def asked(server, method, *, content=b"{}"):
    """Send a request to the application itself."""
    told = []

    async def receive():
        return {"type": "http.request", "body": content, "more_body": False}

    async def send(message) -> None:
        told.append(message)

    scope = {"type": "http", "method": method, "path": "/resource", "query_string": b"", "headers": []}
    await server(scope, receive, send)
    fields = {name.decode().lower(): value.decode() for name, value in told[0]["headers"]}
    return told[0]["status"], fields, told[1]["body"]


@pytest.mark.parametrize(
    ("trouble", "method", "said"),
    [
        ("read", "GET", "the disk is gone"),
        ("swap", "PUT", "Whether the write happened is unknown"),
        ("lost", "PUT", "Nothing was stored"),
    ],
)
def test_a_store_in_trouble_is_503_and_says_when_to_come_back(trouble, method, said) -> None:
    async def no_pause(_: float) -> None: ...

    from ifmatch.reference.surroundings import Surroundings

    server = PracticeServer(store=Troubled(trouble), surroundings=Surroundings(sleep=no_pause))
    status, fields, content = asyncio.run(asked(server, method))
    assert status == 503
    assert fields["retry-after"] == "1"
    assert said in json.loads(content)["detail"]


def test_a_store_that_cannot_be_seeded_stops_the_start() -> None:
    async def start():
        told = []

        async def receive():
            return {"type": "lifespan.startup"}

        async def send(message) -> None:
            told.append(message)

        await PracticeServer(store=Troubled("swap"))({"type": "lifespan"}, receive, send)
        return told

    told = asyncio.run(start())
    assert told[0]["type"] == "lifespan.startup.failed"
    assert "the disk is gone" in told[0]["message"]


def test_it_speaks_http_and_nothing_else() -> None:
    with pytest.raises(ValueError, match="websocket"):
        asyncio.run(PracticeServer(store=AsyncMemoryStore())({"type": "websocket"}, None, None))


def test_what_is_stored_already_is_not_seeded_anew() -> None:
    async def story():
        store = AsyncMemoryStore()
        server = PracticeServer(store=store)
        await server.seed()
        before = await store.read("/resource")
        await server.seed()
        return before, await store.read("/resource")

    before, after = asyncio.run(story())
    assert before == after


def test_a_store_whose_clock_is_ahead_does_not_date_the_future() -> None:
    async def story():
        store = AsyncMemoryStore(MemoryStore(clock=lambda: datetime.now(UTC) + timedelta(hours=1)))
        server = PracticeServer(store=store)
        await server.seed()
        return await asked(server, "GET")

    _, fields, _ = asyncio.run(story())
    assert parsedate_to_datetime(fields["last-modified"]) <= parsedate_to_datetime(fields["date"])


def test_json_is_what_it_says(origin) -> None:
    answer = origin.ask("GET", "/resource")
    assert len(answer.content) >= 64
    assert json.loads(answer.content)["count"] == 0
    assert origin.ask("GET", "/resource", JSON).status == 200
