"""Refreshes pass every client-side cache; a cache that cannot be passed is named instead of looped on."""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import replace
from email.utils import formatdate

import cachecontrol
import hishel
import hishel.httpx2
import pytest
import requests
import requests_cache
from aiohttp_client_cache import CacheBackend
from aiohttp_client_cache import CachedSession as AiohttpCachedSession
from hishel.httpx2 import AsyncCacheClient, CacheClient
from hishel.requests import CacheAdapter

import ifmatch
from ifmatch.client import AsyncClient, Client, RefusedTokenServedAgainError, Settings, track
from tests.client.libraries import QUICK


def max_age():
    """Fields of an answer that may be kept; CacheControl keeps nothing without a date."""
    return (("Cache-Control", "max-age=60"), ("Date", formatdate(usegmt=True)))


SETTINGS = Settings(limits=QUICK)


def increment(document):
    document["n"] += 1
    return document


def requests_cache_session(**options):
    return requests_cache.CachedSession(backend="memory", **options)


def cache_control_session():
    return cachecontrol.CacheControl(requests.Session())


def hishel_client(tmp_path, rfc):
    storage = hishel.SqliteStorage(database_path=str(tmp_path / "cache.db"))
    return CacheClient(storage=storage, rfc=rfc)


def hishel_session(tmp_path, rfc):
    storage = hishel.SqliteStorage(database_path=str(tmp_path / "cache.db"))
    session = requests.Session()
    session.mount("http://", CacheAdapter(storage=storage, rfc=rfc))
    return session


SYNC = {
    "hishel on requests": lambda tmp_path: hishel_session(tmp_path, rfc=False),
    "hishel on requests, rfc": lambda tmp_path: hishel_session(tmp_path, rfc=True),
    "requests-cache": lambda _: requests_cache_session(),
    "requests-cache, cache_control": lambda _: requests_cache_session(cache_control=True),
    "CacheControl": lambda _: cache_control_session(),
    "hishel": lambda tmp_path: hishel_client(tmp_path, rfc=False),
    "hishel, rfc": lambda tmp_path: hishel_client(tmp_path, rfc=True),
}


@pytest.fixture(params=SYNC)
def cached(request, tmp_path):
    with SYNC[request.param](tmp_path) as client:
        yield client


def in_cache(client, service):
    """Tell whether the cache answers a plain read."""
    before = len(service.seen)
    client.get(service.url())
    return len(service.seen) == before


def test_an_edit_passes_the_cache(cached, service) -> None:
    service.fields = max_age()
    service.put(value={"n": 1})
    cached.get(service.url())
    assert in_cache(cached, service), "without a cache at work this proves nothing"
    service.put(value={"n": 10})
    editor = Client(cached, SETTINGS)
    done = editor.edit(service.url(), increment)
    assert service.value() == {"n": 11}
    assert done.conflicts == 0


def test_the_refresh_after_a_refusal_passes_the_cache(cached, service) -> None:
    service.fields = max_age()
    service.put(value={"n": 1})
    editor = Client(cached, SETTINGS)
    editor.edit(service.url(), increment)
    cached.get(service.url())
    service.put(value={"n": 10})
    assert editor.edit(service.url(), increment).conflicts == 1
    service.put(value={"n": 20})
    editor.edit(service.url(), increment)
    assert service.value() == {"n": 21}


def test_what_is_for_the_adapter_of_hishel_reaches_no_service(service, tmp_path) -> None:
    service.put(value={"n": 1})
    for session in (requests.Session(), hishel_session(tmp_path, rfc=False)):
        with session:
            Client(session, SETTINGS).edit(service.url(), increment)
    fields = {name.lower() for request in service.seen for name in dict(request.fields)}
    assert fields
    assert not {name for name in fields if name.startswith("x-hishel")}


@pytest.mark.parametrize("name", ["requests-cache", "CacheControl"])
def test_the_cache_forgets_what_was_written(service, tmp_path, name) -> None:
    service.fields = max_age()
    service.put(value={"n": 1})
    with SYNC[name](tmp_path) as client:
        client.get(service.url())
        Client(client, SETTINGS).edit(service.url(), increment)
        assert client.get(service.url()).json() == {"n": 2}


@pytest.mark.parametrize("cache_control", [False, True])
def test_an_edit_passes_aiohttp_client_cache(service, cache_control) -> None:
    service.fields = max_age()
    service.put(value={"n": 1})

    async def run():
        async with AiohttpCachedSession(cache=CacheBackend(), cache_control=cache_control) as session:
            await session.get(service.url())
            before = len(service.seen)
            await session.get(service.url())
            assert len(service.seen) == before
            service.put(value={"n": 10})
            editor = AsyncClient(session, SETTINGS)
            await editor.edit(service.url(), increment)
            service.put(value={"n": 20})
            assert (await editor.edit(service.url(), increment)).conflicts == 1
            async with session.get(service.url()) as response:
                assert await response.json() == {"n": 21}

    asyncio.run(run())
    assert service.value() == {"n": 21}


class AsyncMemory(hishel.AsyncBaseStorage):
    """The storages that come with hishel need a package more."""

    def __init__(self):
        super().__init__()
        self.held = {}

    async def create_entry(self, request, response, key, id_=None, **_limits):
        octets = b"".join([piece async for piece in response.stream])
        self.held[key] = hishel.Entry(id_ or uuid.uuid4(), request, response), octets
        return (await self.get_entries(key))[0]

    async def get_entries(self, key):
        async def stream():
            yield octets

        if key not in self.held:
            return []
        entry, octets = self.held[key]
        return [replace(entry, response=replace(entry.response, stream=stream()))]

    async def update_headers(self, id, headers):  # noqa: A002
        pass

    async def remove_entry(self, id):  # noqa: A002
        self.held = {key: held for key, held in self.held.items() if held[0].id != id}


@pytest.mark.parametrize("rfc", [False, True])
def test_an_edit_passes_hishel_asynchronously(service, rfc) -> None:
    service.fields = max_age()
    service.put(value={"n": 1})

    async def run():
        async with AsyncCacheClient(storage=AsyncMemory(), rfc=rfc) as client:
            await client.get(service.url())
            assert (await client.get(service.url())).json() == {"n": 1}
            assert len(service.seen) == 1
            service.put(value={"n": 10})
            await AsyncClient(client, SETTINGS).edit(service.url(), increment)

    asyncio.run(run())
    assert service.value() == {"n": 11}


@pytest.mark.parametrize("rfc", [False, True])
def test_a_refusal_after_a_read_from_the_adapter_of_hishel_is_put_down_to_it(service, tmp_path, rfc) -> None:
    service.fields = max_age()
    service.put(value={"n": 1})
    with track(hishel_session(tmp_path, rfc=rfc)) as session:
        session.get(service.url())
        service.put(value={"n": 10})
        assert session.get(service.url()).json() == {"n": 1}
        refused = session.put(service.url(), data=b'{"n":2}')
        assert refused.status_code == 412
        assert ifmatch.explain(refused).incidents[0].findings[0].cause == "stale-cache-read"


def test_a_service_that_speaks_like_the_adapter_of_hishel_is_no_cache(service) -> None:
    service.fields = (("X-Hishel-From-Cache", "true"),)
    service.put(value={"n": 1})
    with track(requests.Session()) as session:
        session.get(service.url())
        service.put(value={"n": 10})
        refused = session.put(service.url(), data=b'{"n":2}')
        causes = {one.cause for one in ifmatch.explain(refused).incidents[0].findings}
        assert "other-writer" in causes
        assert ifmatch.explain(refused).incidents[0].findings[0].cause != "stale-cache-read"


class StubbornSession(requests_cache.CachedSession):
    """A cache that no argument gets past."""

    def send(self, request, **options):
        options.pop("force_refresh", None)
        request.headers.pop("Cache-Control", None)
        return super().send(request, **options)


def test_a_cache_that_answers_all_the_same_is_named(service) -> None:
    service.put(value={"n": 1})
    with StubbornSession(backend="memory") as session:
        session.get(service.url())
        # The stale copy is what the edit begins with; the refusal and the refresh tell.
        service.put(value={"n": 10})
        with pytest.raises(RefusedTokenServedAgainError) as caught:
            Client(session, SETTINGS).edit(service.url(), increment)
    assert caught.value.cache == "requests-cache"
    assert caught.value.cause == "stale-cache-read"
    assert service.value() == {"n": 10}


def test_a_cache_on_the_way_is_named(service) -> None:
    """A shared cache that ignores no-cache in requests."""
    service.put(value={"n": 1})
    stale = service.act("/doc", type("Seen", (), {"method": "GET", "__getitem__": lambda *_: None})())
    stale.fields = (*stale.fields, ("Age", "12"), ("Via", "1.1 edge"))
    service.put(value={"n": 10})
    service.script("/doc", stale, None, stale)
    with requests.Session() as session, pytest.raises(RefusedTokenServedAgainError) as caught:
        Client(session, SETTINGS).edit(service.url(), increment)
    assert caught.value.cache == "Age: 12, Via: 1.1 edge"


def test_a_refusal_that_a_cache_led_to_is_explained_as_that(service) -> None:
    service.put(value={"n": 1})
    with track(requests_cache_session()) as session:
        session.get(service.url())
        service.put(value={"n": 10})
        assert session.get(service.url()).from_cache
        refused = session.put(service.url(), json={"n": 2})
        session.get(service.url(), force_refresh=True)
        again = session.put(service.url(), json={"n": 2}, headers={"If-Match": '"v1"'})
    assert refused.status_code == again.status_code == 412
    causes = [
        finding.cause for incident in ifmatch.explain(refused).incidents for finding in incident.findings
    ]
    assert causes[0] == "stale-cache-read"
