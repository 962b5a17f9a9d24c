"""What S3 says of conditional writes, over HTTP: 412; 409 while another one runs; 404 for what went."""

from __future__ import annotations

import hashlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import obstore.store
import pytest

from ifmatch.server.stores.objects import ObjectStore
from ifmatch.server.stores.protocol import ABSENT, DELETED, Content, Lost

ONE, TWO = Content(b"1"), Content(b"2")
ERROR = "<Error><Code>{}</Code><Message>said by the test</Message></Error>"


class Bucket(ThreadingHTTPServer):
    """Objects by path, as S3 keeps them; `refusals` are the statuses that the next writes get."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.objects: dict[str, bytes] = {}
        self.refusals: list[int] = []
        self.seen: list[str] = []


class Handler(BaseHTTPRequestHandler):
    server: Bucket
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass

    def _answer(self, status: int, octets: bytes = b"", tag: str = "") -> None:
        self.send_response(status)
        if tag:
            self.send_header("ETag", tag)
        self.send_header("Last-Modified", "Thu, 01 Jan 2026 12:00:00 GMT")
        self.send_header("Content-Length", str(len(octets)))
        self.end_headers()
        self.wfile.write(octets)

    def do_GET(self) -> None:
        held = self.server.objects.get(self.path)
        if held is None:
            self._answer(404, ERROR.format("NoSuchKey").encode())
        else:
            self._answer(200, held, tag(held))

    def do_PUT(self) -> None:
        octets = self.rfile.read(int(self.headers["Content-Length"]))
        condition = next(name for name in ("If-Match", "If-None-Match") if name in self.headers)
        self.server.seen.append(condition)
        held = self.server.objects.get(self.path)
        if self.server.refusals:
            self._answer(self.server.refusals.pop(0), ERROR.format("ConditionalRequestConflict").encode())
        elif self.headers[condition] != ("*" if held is None else tag(held)):
            self._answer(412, ERROR.format("PreconditionFailed").encode())
        else:
            self.server.objects[self.path] = octets
            self._answer(200, tag=tag(octets))


def tag(octets: bytes) -> str:
    return f'"{hashlib.md5(octets, usedforsecurity=False).hexdigest()}"'


@pytest.fixture
def bucket():
    with Bucket() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def store_of(bucket: Bucket) -> ObjectStore:
    made = obstore.store.S3Store(
        "bucket",
        endpoint=f"http://127.0.0.1:{bucket.server_port}",
        access_key_id="name",
        secret_access_key="word",
        region="us-east-1",
        client_options={"allow_http": True},
        retry_config={"max_retries": 0},
    )
    return ObjectStore(made)


def test_the_condition_is_sent_and_a_false_one_is_a_lost_swap(bucket) -> None:
    store, other = store_of(bucket), store_of(bucket)
    version = store.swap("note", ABSENT, ONE)
    assert other.read("note").version == version
    newer = other.swap("note", version, TWO)
    assert store.swap("note", version, ONE) == Lost()
    assert (store.read("note").version, store.read("note").content) == (newer, TWO)
    assert bucket.seen == ["If-None-Match", "If-Match", "If-Match"]


@pytest.mark.parametrize("status", [409, 404])
def test_a_conflict_with_another_write_is_a_lost_swap_and_nothing_changed(bucket, status) -> None:
    store = store_of(bucket)
    bucket.refusals = [status]
    assert store.swap("note", ABSENT, ONE) == Lost()
    assert store.read("note") is None
    version = store.swap("note", ABSENT, ONE)
    bucket.refusals = [status]
    assert store.swap("note", version, TWO) == Lost()
    bucket.refusals = [status]
    assert store.swap("note", version, DELETED) == Lost()
    assert store.read("note").version == version
    assert isinstance(store.swap("note", version, TWO), str)
