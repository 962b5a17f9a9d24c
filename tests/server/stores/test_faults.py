"""Workers and servers killed in the middle, connections that break, settings that promise too much."""

from __future__ import annotations

import json
import os
import socket
import threading
import time

import obstore
import obstore.store
import psycopg
import pytest

from ifmatch.errors import StoreUnavailableError
from ifmatch.server.stores.objects import ObjectStore
from ifmatch.server.stores.postgresql import AsyncPostgresqlStore, PostgresqlStore
from ifmatch.server.stores.protocol import ABSENT, DELETED, Content, Lost
from ifmatch.server.stores.redis import RedisStore
from ifmatch.server.stores.sqlite import SqliteStore
from tests.server.stores import clusters
from tests.server.stores.incrementing import KEY
from tests.server.stores.opening import Blocking, open_store
from tests.server.stores.test_contention import start

ONE, TWO = Content(b"1"), Content(b"2")


def acknowledged(worker, lines):
    """Read so many acknowledged (number, token) pairs of a worker."""
    assert json.loads(worker.stdout.readline()) == {"ready": True}
    worker.stdin.write("go\n")
    worker.stdin.flush()
    return [json.loads(worker.stdout.readline())["applied"] for _ in range(lines)]


@pytest.mark.parametrize("kind", ["sqlite", "postgresql", "redis"])
def test_what_a_killed_worker_was_told_is_stored_and_its_old_tokens_are_refused(kind, place) -> None:
    where = place(kind)
    store = open_store(kind, where)
    store.swap(KEY, ABSENT, Content(b"0"))
    worker = start(kind, where, "any", 10_000)
    told = acknowledged(worker, 25)
    worker.kill()
    told += [
        json.loads(line)["applied"] for line in worker.communicate()[0].splitlines() if line.endswith("}")
    ]
    number, token = max(told)
    stored = store.read(KEY)
    # Each of its 4 clients may have had one write under way that it was never told of.
    assert number <= int(stored.content.octets) <= number + 4
    stale = [tag for _, tag in told if tag != stored.version]
    assert len(stale) >= 20
    assert {store.swap(KEY, tag, TWO) for tag in stale} == {Lost("changed")}
    assert isinstance(store.swap(KEY, stored.version, TWO), str)
    store.close()
    assert token


@pytest.fixture
def own_postgresql(tmp_path):
    with clusters.Postgresql(tmp_path) as cluster:
        yield cluster


@pytest.fixture
def own_redis(tmp_path):
    with clusters.Redis(tmp_path) as server:
        yield server


def written_until_killed(store, kill):
    """Write one after the other, kill the server after 50; return what was acknowledged, and the error."""
    told = []
    token = store.swap(KEY, ABSENT, Content(b"0"))
    killer = threading.Thread(target=kill)
    try:
        for number in range(1, 1_000_000):
            token = store.swap(KEY, token, Content(b"%d" % number))
            told.append((number, token))
            if number == 50:
                killer.start()
    except StoreUnavailableError as error:
        killer.join(60)
        return told, error


@pytest.mark.parametrize("kind", ["postgresql", "async-postgresql"])
def test_acknowledged_writes_survive_a_killed_postgresql(own_postgresql, kind) -> None:
    store = open_store(kind, own_postgresql.fresh_database())
    told, error = written_until_killed(store, own_postgresql.kill)
    assert error.outcome_unknown
    assert "Read the key again" in str(error)
    with pytest.raises(StoreUnavailableError) as refused:
        store.swap(KEY, told[-1][1], TWO)
    assert not refused.value.outcome_unknown
    own_postgresql.start()
    stored = store.read(KEY)
    assert int(stored.content.octets) in {told[-1][0], told[-1][0] + 1}
    assert {store.swap(KEY, tag, TWO) for _, tag in told[-50:] if tag != stored.version} == {Lost("changed")}
    assert isinstance(store.swap(KEY, stored.version, TWO), str)
    store.close()


@pytest.mark.parametrize("kind", ["redis", "async-redis"])
def test_acknowledged_writes_survive_a_killed_redis_with_fsync_always(own_redis, kind) -> None:
    store = open_store(kind, own_redis.fresh_url())
    told, error = written_until_killed(store, own_redis.kill)
    assert error.store == "redis"
    with pytest.raises(StoreUnavailableError) as refused:
        store.swap(KEY, told[-1][1], TWO)
    assert not refused.value.outcome_unknown
    own_redis.start()
    stored = read_when_loaded(store)
    assert int(stored.content.octets) in {told[-1][0], told[-1][0] + 1}
    assert {store.swap(KEY, tag, TWO) for _, tag in told[-50:] if tag != stored.version} == {Lost("changed")}
    store.close()


def read_when_loaded(store):
    deadline = time.monotonic() + 120
    while True:
        try:
            return store.read(KEY)
        except StoreUnavailableError:
            assert time.monotonic() < deadline
            time.sleep(0.02)


def test_tokens_do_not_come_back_after_an_empty_restart_of_redis(own_redis) -> None:
    store = RedisStore(own_redis.fresh_url())
    assert store.persistence() == "append-only file, fsync always"
    old = [store.swap(KEY, ABSENT, ONE)]
    old += [store.swap(KEY, old[-1], ONE) for _ in range(1)]
    own_redis.kill()
    own_redis.empty()
    own_redis.start()
    assert read_when_loaded(store) is None
    new = [store.swap(KEY, ABSENT, ONE)]
    new.append(store.swap(KEY, new[0], ONE))
    assert not set(old) & set(new)
    assert {store.swap(KEY, tag, TWO) for tag in old} == {Lost("changed")}
    store.close()


def test_a_redis_that_answers_nothing_leaves_the_outcome_open(tmp_path) -> None:
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "s"))
        listening.listen()

        def hang_up() -> None:
            connection = listening.accept()[0]
            with connection:
                while b"EVAL" not in (received := connection.recv(65536)):
                    # The library introduces itself; each line of that is answered.
                    connection.sendall(b"+OK\r\n" * max(1, received.count(b"*")))

        answering = threading.Thread(target=hang_up)
        answering.start()
        store = RedisStore(f"unix://{tmp_path / 's'}?protocol=2")
        with pytest.raises(StoreUnavailableError) as raised:
            store.swap(KEY, ABSENT, ONE)
        answering.join(120)
        store.close()
    assert raised.value.outcome_unknown


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"appendonly": "no", "save": ""}, "none"),
        ({"appendonly": "no", "save": "60 1"}, "snapshots"),
        ({"appendonly": "yes", "appendfsync": "everysec"}, "append-only file, fsync everysec"),
        ({"maxmemory": "100mb", "maxmemory-policy": "allkeys-lru"}, "none: keys are evicted when memory is full"),  # noqa: E501
    ],
)  # fmt: skip
def test_what_redis_keeps_is_said(own_redis, settings, words) -> None:
    store = RedisStore(own_redis.fresh_url())
    for name, value in settings.items():
        store._client.execute_command("CONFIG", "SET", name, value)
    assert store.persistence() == words
    store.close()


@pytest.mark.parametrize("setting", ["synchronous_commit"])
@pytest.mark.parametrize("kind", ["sync", "async"])
def test_postgresql_that_does_not_wait_for_the_disk_is_warned_about(postgresql, setting, kind) -> None:
    where = postgresql.fresh_database() + f" options='-c {setting}=off'"
    store = PostgresqlStore(where) if kind == "sync" else Blocking(lambda: AsyncPostgresqlStore(where))
    with pytest.warns(RuntimeWarning, match=f"{setting}=off: acknowledged writes can be gone"):
        assert store.read(KEY) is None
    assert store.read(KEY) is None
    store.close()


@pytest.mark.parametrize("level", ["repeatable read", "serializable"])
def test_a_serialization_failure_is_a_lost_swap(postgresql, level) -> None:
    where = postgresql.fresh_database()
    store = PostgresqlStore(
        where + f" options='-c default_transaction_isolation={level.replace(' ', chr(92) * 2 + ' ')}'"
    )
    token = store.swap(KEY, ABSENT, ONE)
    answers = []
    with psycopg.connect(where) as other:
        other.execute("UPDATE ifmatch_content SET version = 'theirs'")
        waiting = threading.Thread(target=lambda: answers.append(store.swap(KEY, token, TWO)))
        waiting.start()
        wait_for_lock(where)
        other.commit()
        waiting.join(120)
    assert answers == [Lost("serialization")]
    assert store.read(KEY).version == "theirs"
    store.close()


def wait_for_lock(where) -> None:
    deadline = time.monotonic() + 120
    with psycopg.connect(where, autocommit=True) as watching:
        while not watching.execute("SELECT 1 FROM pg_locks WHERE NOT granted").fetchone():
            assert time.monotonic() < deadline
            time.sleep(0.01)


def test_a_lock_that_is_not_given_in_time_is_busy(postgresql) -> None:
    where = postgresql.fresh_database()
    store = PostgresqlStore(where + " options='-c lock_timeout=50'")
    token = store.swap(KEY, ABSENT, ONE)
    with psycopg.connect(where) as other:
        other.execute("UPDATE ifmatch_content SET version = 'theirs'")
        assert store.swap(KEY, token, TWO) == Lost("busy")
        other.rollback()
    assert isinstance(store.swap(KEY, token, TWO), str)
    store.close()


def test_connections_that_the_server_closed_are_replaced(postgresql) -> None:
    where = postgresql.fresh_database()
    store = PostgresqlStore(where)
    token = store.swap(KEY, ABSENT, ONE)
    with psycopg.connect(where, autocommit=True) as other:
        other.execute(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
            " WHERE pid <> pg_backend_pid() AND datname = current_database()"
        )
    assert store.read(KEY).version == token
    assert isinstance(store.swap(KEY, token, TWO), str)
    store.close()


def test_a_key_too_long_for_postgresql_is_refused_with_advice(postgresql) -> None:
    store = PostgresqlStore(postgresql.fresh_database())
    with pytest.raises(ValueError, match="digest"):
        store.read("x" * 2601)
    key = os.urandom(1300).hex()
    assert isinstance(store.swap(key, ABSENT, ONE), str)
    store.close()


def test_a_table_that_is_not_there_is_told(postgresql) -> None:
    store = PostgresqlStore(postgresql.fresh_database(), create=False)
    with pytest.raises(StoreUnavailableError, match="ifmatch_content") as raised:
        store.swap(KEY, ABSENT, ONE)
    assert not raised.value.outcome_unknown
    store.close()


def test_sqlite_that_stays_locked_is_busy_and_nothing_changed(tmp_path) -> None:
    store = SqliteStore(tmp_path / "a.sqlite", busy_seconds=0.05)
    token = store.swap(KEY, ABSENT, ONE)
    holder = SqliteStore(tmp_path / "a.sqlite")
    holder._connection().execute("BEGIN IMMEDIATE")
    assert store.swap(KEY, token, TWO) == Lost("busy")
    holder._connection().execute("ROLLBACK")
    assert isinstance(store.swap(KEY, token, TWO), str)
    store.close()
    holder.close()


@pytest.mark.parametrize("name", [":memory:", "", "file::memory:?cache=shared"])
def test_sqlite_in_memory_is_refused_with_the_way_out(name) -> None:
    with pytest.raises(ValueError, match="MemoryStore"):
        SqliteStore(name)


def test_sqlite_that_cannot_be_opened_is_told(tmp_path) -> None:
    with pytest.raises(StoreUnavailableError, match="folder exists"):
        SqliteStore(tmp_path / "missing" / "a.sqlite")
    (tmp_path / "text").write_text("this is no database, and it is long enough to tell" * 40)
    with pytest.raises(StoreUnavailableError, match="not a database"):
        SqliteStore(tmp_path / "text")


def test_sqlite_waits_for_the_disk_unless_told_otherwise(tmp_path) -> None:
    for durable, level in ((True, 2), (False, 1)):
        store = SqliteStore(tmp_path / f"{durable}.sqlite", durable=durable)
        assert store._connection().execute("PRAGMA synchronous").fetchone() == (level,)
        assert store._connection().execute("PRAGMA journal_mode").fetchone() == ("wal",)
        store.close()


def test_connections_of_threads_that_ended_are_closed(tmp_path) -> None:
    store = SqliteStore(tmp_path / "a.sqlite")
    for _ in range(20):
        thread = threading.Thread(target=store.read, args=(KEY,))
        thread.start()
        thread.join(120)
    assert len(store._opened) <= 3
    store.close()


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_forked_process_opens_connections_of_its_own(kind, place) -> None:
    store = open_store(kind, place(kind))
    token = store.swap(KEY, ABSENT, ONE)
    child = os.fork()
    if child == 0:
        answer = store.swap(KEY, token, TWO)
        os._exit(0 if isinstance(answer, str) else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert store.read(KEY).content == TWO
    assert isinstance(store.swap(KEY, store.read(KEY).version, ONE), str)
    store.close()


def test_local_files_are_no_object_store_for_this(tmp_path) -> None:
    with pytest.raises(ValueError, match="SqliteStore"):
        ObjectStore(obstore.store.LocalStore(prefix=tmp_path))


def test_two_stores_on_one_bucket_do_not_believe_what_they_remember() -> None:
    bucket = obstore.store.MemoryStore()
    first, second = ObjectStore(bucket), ObjectStore(bucket)
    token = first.swap(KEY, ABSENT, ONE)
    gone = second.swap(KEY, token, DELETED)
    assert first.swap(KEY, token, TWO) == Lost("changed")
    assert first.read(KEY) is None
    again = second.swap(KEY, ABSENT, ONE)
    assert first.swap(KEY, ABSENT, TWO) == Lost("changed")
    assert len({token, gone, again}) == 3
    assert isinstance(first.swap(KEY, again, TWO), str)


def test_a_foreign_object_under_the_prefix_is_told() -> None:
    bucket = obstore.store.MemoryStore()
    obstore.put(bucket, "ifmatch/_counter", b"not ours")
    with pytest.raises(StoreUnavailableError, match="prefix of its own"):
        ObjectStore(bucket).read(KEY)
