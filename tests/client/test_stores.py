"""Remembered states, in memory, in SQLite between processes, in Redis between machines: first guesses."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import threading

import httpx2
import pytest
import redis
import redis.asyncio

from ifmatch.client import AsyncClient, Client, MemoryStates, RedisStates, Settings, SqliteStates
from ifmatch.errors import StoreUnavailableError
from ifmatch.model.message import Fields
from ifmatch.update import State
from tests.client.libraries import QUICK
from tests.server.stores.clusters import Redis

STATE = State(b'{"n":1}', ('"1"',), "application/json", Fields([("ETag", '"1"'), ("X-Meta", "a b")]))


@pytest.fixture(scope="module")
def redis_server(tmp_path_factory):
    with Redis(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture(params=["memory", "sqlite", "redis"])
def store(request, tmp_path):
    if request.param == "memory":
        yield MemoryStates()
    elif request.param == "sqlite":
        yield SqliteStates(tmp_path / "states.db")
    else:
        server = request.getfixturevalue("redis_server")
        connection = redis.Redis.from_url(server.fresh_url())
        yield RedisStates(connection, prefix=f"{tmp_path.name}:")
        connection.close()


def increment(document):
    document["n"] += 1
    return document


def test_what_was_kept_comes_back(store) -> None:
    assert store.load("k") is None
    store.save("k", STATE)
    loaded = store.load("k")
    assert loaded == STATE
    assert loaded.fields.text("x-meta") == "a b"
    store.save("k", State(b"\xff\x00", ("2", "3")))
    assert store.load("k").octets == b"\xff\x00"
    store.drop("k")
    store.drop("k")
    assert store.load("k") is None


def test_what_is_too_large_is_dropped_not_left_stale(store) -> None:
    store.save("k", STATE)
    store.save("k", State(b"x" * (1024 * 1024 + 1), ('"2"',)))
    assert store.load("k") is None


def test_threads_share_a_store(store) -> None:
    def use(number):
        for _ in range(20):
            store.save(str(number), STATE)
            assert store.load(str(number)) == STATE

    failures = []
    threads = [
        threading.Thread(target=lambda number=number: _caught(use, number, failures)) for number in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert failures == []


def _caught(function, argument, failures):
    try:
        function(argument)
    except Exception as error:  # noqa: BLE001 - shown by the caller
        failures.append(error)


def test_memory_is_bounded() -> None:
    store = MemoryStates(octets=100, total=250)
    for number in range(5):
        store.save(str(number), State(b"x" * 100, ("1",)))
    assert [store.load(str(number)) is not None for number in range(5)] == [False, False, False, True, True]


def test_old_entries_are_not_used(tmp_path) -> None:
    now = [1000.0]
    store = SqliteStates(tmp_path / "states.db", seconds=60, clock=lambda: now[0])
    store.save("k", STATE)
    now[0] += 61
    assert store.load("k") is None


def test_the_file_is_for_its_owner_only(tmp_path) -> None:
    SqliteStates(tmp_path / "states.db").save("k", STATE)
    assert (tmp_path / "states.db").stat().st_mode & 0o077 == 0


def test_cookies_are_not_kept(tmp_path) -> None:
    store = SqliteStates(tmp_path / "states.db")
    store.save("k", State(b"{}", ("1",), "", Fields([("Set-Cookie", "session=s3cret")])))
    assert b"s3cret" not in (tmp_path / "states.db").read_bytes()


def test_an_entry_that_cannot_be_read_counts_as_none(tmp_path) -> None:
    store = SqliteStates(tmp_path / "states.db")
    for held in (b"not JSON", b"{}", json.dumps({"token": 1}).encode()):
        store._connection().execute("INSERT OR REPLACE INTO states VALUES ('k', 1e12, ?)", (held,))
        assert store.load("k") is None


def test_a_path_that_cannot_be_opened_is_said(tmp_path) -> None:
    with pytest.raises(StoreUnavailableError, match="cannot be opened"):
        SqliteStates(tmp_path)


def test_clients_that_share_a_store_share_the_last_state(service, store) -> None:
    service.put(value={"n": 0})
    settings = Settings(states=store, identity="one", limits=QUICK)
    for _ in range(3):
        with httpx2.Client() as plain:
            Client(plain, settings).edit(service.url(), increment)
    assert service.methods() == ["GET", "PUT", "PUT", "PUT"]
    assert service.value() == {"n": 3}


def test_identities_do_not_see_each_others_states(service, store) -> None:
    service.put(value={"n": 0})
    for identity in ("a", "b", "", ""):
        with httpx2.Client() as plain:
            Client(plain, Settings(states=store, identity=identity)).edit(service.url(), increment)
    assert service.methods() == ["GET", "PUT"] * 4


def test_what_other_credentials_showed_is_not_remembered(service) -> None:
    service.put(value={"n": 0})
    with httpx2.Client() as plain:
        editor = Client(plain)
        editor.edit(service.url(), increment)
        editor.edit(service.url(), increment, fields=[("Authorization", "Bearer other")])
    assert service.methods() == ["GET", "PUT", "GET", "PUT"]


def test_a_store_that_fails_costs_a_read_and_nothing_else(service, caplog) -> None:
    class Broken(MemoryStates):
        def load(self, _key):
            raise StoreUnavailableError("down")

        def save(self, _key, _state):
            raise StoreUnavailableError("down")

    service.put(value={"n": 0})
    with httpx2.Client() as plain:
        editor = Client(plain, Settings(states=Broken()))
        editor.edit(service.url(), increment)
        editor.edit(service.url(), increment)
    assert service.value() == {"n": 2}
    assert "without remembered states" in caplog.text


def test_an_asynchronous_client_does_not_block_on_a_store(service, tmp_path) -> None:
    service.put(value={"n": 0})
    seen = set()

    class Watched(SqliteStates):
        def load(self, key):
            seen.add(threading.current_thread())
            return super().load(key)

    async def run():
        async with httpx2.AsyncClient() as plain:
            await AsyncClient(plain, Settings(states=Watched(tmp_path / "s.db"))).edit(
                service.url(), increment
            )

    asyncio.run(run())
    assert threading.main_thread() not in seen
    assert seen


PROCESS = """
import sys, httpx2
from ifmatch.client import Client, Limits, Settings, SqliteStates
def increment(document):
    document["n"] += 1
    return document
with httpx2.Client() as plain:
    settings = Settings(states=SqliteStates(sys.argv[1]), identity="one", limits=Limits(seconds=60))
    editor = Client(plain, settings)
    for _ in range(10):
        editor.edit(sys.argv[2], increment)
"""


def test_processes_share_a_file_and_lose_nothing(service, tmp_path) -> None:
    service.put(value={"n": 0})
    command = [sys.executable, "-c", PROCESS, str(tmp_path / "states.db"), service.url()]
    running = [subprocess.Popen(command) for _ in range(3)]
    assert [one.wait(60) for one in running] == [0, 0, 0]
    assert service.value() == {"n": 30}


def test_a_state_that_is_often_wrong_is_not_trusted(service) -> None:
    """Somebody else writes between all of ours: after a few refusals the edit begins with a read."""
    service.put(value={"n": 0})
    with httpx2.Client() as plain:
        editor = Client(plain)
        for _ in range(6):
            editor.edit(service.url(), increment)
            service.put(value={"n": service.value()["n"] + 1})
        last = editor.edit(service.url(), increment)
    assert [attempt.method for attempt in last.attempts] == ["GET", "PUT"]
    assert service.value() == {"n": 13}


class Decoding:
    """A Redis client that gives text, as `decode_responses=True` makes it."""

    def __init__(self):
        self.held = {}

    def get(self, key):
        return self.held.get(key)

    def set(self, key, value, _seconds):
        self.held[key] = value.decode()

    def delete(self, key):
        self.held.pop(key, None)


def test_a_redis_client_that_decodes_is_read_too() -> None:
    states = RedisStates(Decoding())
    states.save("k", STATE)
    assert states.load("k") == STATE


def test_an_asynchronous_redis_client_is_refused() -> None:
    with pytest.raises(TypeError, match=r"redis\.asyncio\.Redis"):
        RedisStates(redis.asyncio.Redis())


def test_a_store_that_is_down_is_left_alone_for_a_while(service, caplog) -> None:
    class Down(MemoryStates):
        blocks, asked = True, 0

        def load(self, _key):
            self.asked += 1
            raise StoreUnavailableError("down")

    service.put(value={"n": 1})
    now = [100.0]
    down = Down()
    with httpx2.Client() as plain:
        client = Client(plain, Settings(states=down, limits=QUICK, clock=lambda: now[0]))
        for _ in range(3):
            client.edit(service.url(), increment)
        assert (down.asked, caplog.text.count("going on without remembered states")) == (1, 1)
        now[0] += 31
        client.edit(service.url(), increment)
        assert down.asked == 2


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_forked_process_opens_the_file_anew(tmp_path) -> None:
    """SQLite does not allow a connection to be carried into another process."""
    states = SqliteStates(tmp_path / "states.db")
    states.save("k", STATE)
    before = states._connection()
    child = os.fork()
    if child == 0:
        os._exit(0 if states._connection() is not before and states.load("k") == STATE else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert states._connection() is before
