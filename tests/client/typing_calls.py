"""Every public call of the client as a type checker sees it; `make check` runs mypy and basedpyright over it.

Nothing here is executed. Lines marked with an ignore must be errors: both checkers complain when one is not.
"""

# pyright: strict, reportUnnecessaryTypeIgnoreComment=true, reportUnusedVariable=false

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, assert_type

import aiohttp
import httpx
import httpx2
import requests

import ifmatch
from ifmatch.client import (
    DELETE,
    NOTHING,
    AsyncClient,
    Client,
    ClientEvent,
    Downloaded,
    Edit,
    EditOctets,
    FieldRing,
    Finished,
    JsonMarker,
    JsonPatch,
    Limits,
    LineageField,
    LineMarker,
    MemoryStates,
    MergeDocument,
    MergePatch,
    MergeText,
    RedisStates,
    Settings,
    Snapshot,
    SqliteStates,
    StateStore,
    Telemetry,
    Tracking,
    Updated,
    ValidatorMemory,
    from_record,
    log,
    speak,
    track,
)
from ifmatch.dialects import read_file
from ifmatch.merge import JsonValue, Policies
from ifmatch.model.diagnosis import Diagnosis

if TYPE_CHECKING:
    import redis

    from ifmatch.update import Delete, Nothing

URL = "https://api.test/doc"


def increment(document: dict[str, int]) -> dict[str, int]:
    document["n"] += 1
    return document


def sometimes(document: dict[str, int]) -> dict[str, int] | Delete | Nothing:
    return DELETE if document["n"] > 9 else NOTHING


def of_json(document: JsonValue) -> JsonValue:
    return document


def shout(octets: bytes | None) -> bytes:
    return (octets or b"").upper()


def observe(event: ClientEvent) -> None:
    if isinstance(event, Finished):
        assert_type(event.result, Updated | None)


def show(there: int, total: int | None) -> None:
    print(there, total)


def tracking(
    sync: httpx2.Client,
    asynchronous: httpx2.AsyncClient,
    old: httpx.Client,
    session: requests.Session,
    aio: aiohttp.ClientSession,
) -> None:
    assert_type(track(sync), httpx2.Client)
    assert_type(track(asynchronous), httpx2.AsyncClient)
    assert_type(track(old), httpx.Client)
    assert_type(track(session), requests.Session)
    assert_type(track(aio), aiohttp.ClientSession)
    shared = ValidatorMemory(urls=10)
    track(sync, Tracking(history=False, raise_on_conflict=True, validators=shared))
    track(sync, Tracking(wants=lambda method, url: method == "PUT" and url.endswith("/doc")))
    track(sync, Tracking(on_precondition_failed=print))
    track(object())  # type: ignore[type-var]
    assert_type(ifmatch.explain(sync.get(URL)), Diagnosis)


def settings(connection: redis.Redis) -> Settings:
    store: StateStore = MemoryStates()
    store = RedisStates(connection, prefix="x:", seconds=60)
    store = SqliteStates(Path("states.db"), octets=1024)
    return Settings(
        dialect=speak("s3"),
        authorship=FieldRing("x-amz-meta-ifmatch-writes"),
        limits=Limits(seconds=10.0, conflicts=50, transport=3),
        combine=True,
        states=store,
        identity="me",
        fields=(("Accept", "application/json"),),
        observers=(log, observe, Telemetry()),
    )


def other_settings() -> None:
    Settings(authorship=JsonMarker())
    Settings(authorship=LineMarker())
    Settings(authorship=LineageField("Idempotency-Key", "X-Last-Key"))
    Settings(dialect=from_record(read_file(Path("my-api.toml"))))
    Settings(combine="yes")  # type: ignore[arg-type]


def editing(
    sync: httpx2.Client, old: httpx.Client, session: requests.Session, aio: aiohttp.ClientSession
) -> None:
    client = Client(sync)
    Client(old)
    Client(session, Settings())
    Client(aio)  # type: ignore[arg-type]
    assert_type(client.edit(URL, increment), Updated)
    client.edit(URL, sometimes)
    client.edit(URL, of_json)
    client.edit(URL, Edit(increment, creates=True))
    client.edit(URL, EditOctets(shout))
    client.edit(URL, {"a": 1, "b": None})
    client.edit(URL, MergePatch({"a": 1}, creates=True))
    client.edit(URL, [{"op": "replace", "path": "/a", "value": 1}])
    client.edit(URL, JsonPatch([{"op": "remove", "path": "/a"}]))
    client.edit(URL, 5)  # type: ignore[arg-type]
    read = client.read(URL)
    assert_type(read, Snapshot)
    assert_type(read.value, JsonValue)
    assert_type(read.document, dict[str, JsonValue])
    client.edit(URL, MergeDocument(read.value, {"a": 2}, Policies({"/a": "mine"})))
    client.edit(URL, MergeText(read.text, "mine", lambda conflict: str(conflict.mine)))
    done = client.edit(
        URL, increment, fields=[("X-A", "b")], same_value_is_enough=True, limits=Limits(seconds=1)
    )
    assert_type(done.how, str)
    assert_type(done.after, tuple[str, ...])
    assert_type(client.create(URL, {"a": [1, 2]}), Updated)
    client.create(URL, b"octets", media_type="text/plain")
    assert_type(client.delete(URL), Updated)
    client.delete(URL, seen=read)
    assert_type(client.download(URL, Path("file")), Downloaded)
    client.download(URL, "file", progress=show)


async def asynchronous_editing(
    modern: httpx2.AsyncClient, old: httpx.AsyncClient, aio: aiohttp.ClientSession, sync: httpx2.Client
) -> None:
    client = AsyncClient(modern, Settings())
    AsyncClient(old)
    AsyncClient(aio)
    AsyncClient(sync)  # type: ignore[arg-type]
    assert_type(await client.edit(URL, increment), Updated)
    await client.edit(URL, {"a": 1})
    read = await client.read(URL)
    assert_type(read, Snapshot)
    assert_type(await client.create(URL, "text"), Updated)
    assert_type(await client.delete(URL, seen=read), Updated)
    assert_type(await client.download(URL, "file"), Downloaded)
