"""Vendors' own libraries and whole programs as actors: boto3, Azure, Kinto, rclone, cadaver, Chromium, a cache."""

from __future__ import annotations

import importlib
import os
import subprocess
import uuid
from dataclasses import dataclass, field
from operator import methodcaller
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from tools.recording_apis import fronts
from tools.recording_apis.names import route
from tools.recording_apis.servers import program
from tools.recording_apis.stage import StoryError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tools.recording.message import Message
    from tools.recording_apis.actors import Answer, Program
    from tools.recording_apis.servers import Server
    from tools.recording_apis.stage import Stage

S3, BLOB, KINTO = "objects.meridian.test", "meridian.blob.test", "kinto.meridian.test"
_CHROMIUM = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-component-update",
)


class Objects:
    """A boto3 client of one bucket.

    Args:
        stage: The story's stage.
        name: The actor's file.
        server: An S3 server, or what stands before one.
        loses: Requests whose answer is lost.
        attempts: How often boto3 tries in all.
    """

    def __init__(
        self,
        stage: Stage,
        name: str,
        server: Server,
        loses: Callable[[Message], bool] | None = None,
        attempts: int = 3,
    ) -> None:
        self._port = stage.tap(name, server, loses)
        boto3 = importlib.import_module("boto3")
        config = importlib.import_module("botocore.config").Config(
            s3={"addressing_style": "path"},
            retries={"mode": "standard", "total_max_attempts": attempts},
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            proxies={},
            user_agent=f"Boto3/{boto3.__version__} md/Botocore ua/2.1 os/linux lang/python#3.11 app/lake-sync",
        )
        self._errors = importlib.import_module("botocore.exceptions")
        self.client = boto3.client(
            "s3",
            endpoint_url=f"http://{S3}",
            region_name="eu-west-3",
            aws_access_key_id="MERIDIANKEY",
            aws_secret_access_key="meridian",  # noqa: S106 - the servers check nothing
            config=config,
        )

    def call(self, operation: str, expect: int = 200, **named: Any) -> dict[str, Any]:
        """Call an operation on the bucket and insist on its status."""
        route(S3, self._port)
        try:
            answer: dict[str, Any] = getattr(self.client, operation)(Bucket="lake", **named)
        except self._errors.ClientError as refused:
            answer = dict(refused.response)
        status = answer["ResponseMetadata"]["HTTPStatusCode"]
        if status != expect:
            raise StoryError(f"{operation} {named}: {status}, expected {expect}: {answer}")
        return answer

    def read(self, key: str, expect: int = 200, **named: Any) -> bytes:
        """Get an object and return its content, empty when refused."""
        answer = self.call("get_object", expect, Key=key, **named)
        return bytes(answer["Body"].read()) if "Body" in answer else b""


def lake(stage: Stage, kind: str, **objects: bytes) -> Server:
    """Start an S3 server with a bucket and objects; a key's ``__`` is a slash."""
    server = stage.server(kind)
    setup = Objects(stage, "setup", server)
    setup.call("create_bucket", CreateBucketConfiguration={"LocationConstraint": "eu-west-3"})
    for key, content in objects.items():
        setup.call("put_object", Key=key.replace("__", "/"), Body=content)
    stage.forget()
    return server


class Containers:
    """The azure-storage-blob library with one container.

    Args:
        stage: The story's stage.
        name: The actor's file.
        server: Azurite, or what stands before it.
        loses: Requests whose answer is lost.
        settings: Options of the library's service client.
    """

    def __init__(
        self,
        stage: Stage,
        name: str,
        server: Server,
        loses: Callable[[Message], bool] | None = None,
        **settings: Any,
    ) -> None:
        self._port = stage.tap(name, server, loses)
        self._errors = importlib.import_module("azure.core.exceptions")
        self.match = importlib.import_module("azure.core").MatchConditions
        library = importlib.import_module("azure.storage.blob")
        account = "AccountName=notes;AccountKey=ZXhhbXBsZQ==;DefaultEndpointsProtocol=http;"
        options: dict[str, Any] = {"retry_total": 0, "initial_backoff": 1, "increment_base": 1, **settings}
        with patch("platform.platform", return_value="Linux-x86_64"):
            self.service = library.BlobServiceClient.from_connection_string(
                f"{account}BlobEndpoint=http://{BLOB}/notes", **options
            )

    def on(self, blob: str, action: Callable[[Any], Any], expect: str = "") -> Any:
        """Do something with a blob and insist on the error code, empty for success."""
        route(BLOB, self._port)
        code, result = "", None
        try:
            with patch("uuid.uuid1", uuid.uuid4):  # no card's address in the request ids
                result = action(self.service.get_blob_client("plans", blob))
        except self._errors.HttpResponseError as refused:
            code = getattr(refused, "error_code", "") or str(refused.status_code)
        told = str(getattr(code, "value", code))
        if told != expect:
            raise StoryError(f"{blob}: expected {expect or 'success'}, got {told or result}")
        return result

    def tag(self, blob: str) -> str:
        """Return a blob's tag."""
        return str(self.on(blob, lambda one: one.get_blob_properties().etag))

    def upload(self, blob: str, text: bytes, tag: str, expect: str = "", **more: Any) -> Any:
        """Replace a blob if its tag is still the one named."""
        guard = {"etag": tag, "match_condition": self.match.IfNotModified}
        return self.on(blob, lambda one: one.upload_blob(text, overwrite=True, **guard, **more), expect)


def container(stage: Stage, **blobs: bytes) -> Server:
    """Start Azurite with a container and blobs; a name's last ``_`` is a dot."""
    server = stage.server("azurite")
    setup = Containers(stage, "setup", server)
    route(BLOB, setup.__dict__["_port"])
    setup.service.create_container("plans")
    for name, text in blobs.items():
        key = ".".join(name.rsplit("_", 1))
        setup.on(key, methodcaller("upload_blob", text))
    stage.forget()
    return server


class Tasks:
    """The kinto-http library on one collection.

    Args:
        stage: The story's stage.
        name: The actor's file.
        server: Kinto, or what stands before it.
        user: Account, with a password of the same text.
    """

    def __init__(self, stage: Stage, name: str, server: Server, user: str) -> None:
        self._port = stage.tap(name, server)
        library = importlib.import_module("kinto_http")
        self._refused = library.KintoException
        self.client = library.Client(
            server_url=f"http://{KINTO}/v1", auth=(user, user), bucket="crew", collection="rota"
        )

    def do(self, operation: str, expect: int = 0, **named: Any) -> dict[str, Any]:
        """Call an operation and insist on the refusing status, 0 for success."""
        route(KINTO, self._port)
        status, result = 0, {}
        try:
            result = getattr(self.client, operation)(**named)
        except self._refused as refused:
            status = refused.response.status_code
        if status != expect:
            raise StoryError(f"{operation}: {status}, expected {expect}: {result}")
        return result


def rota(stage: Stage, **records: Mapping[str, Any]) -> Server:
    """Start Kinto with two accounts, a bucket that both may write, and records."""
    server = stage.server("kinto")
    setup = stage.actor("setup", server, KINTO)
    for user in ("mila", "theo"):
        setup.put(f"/v1/accounts/{user}", {"data": {"password": user}}, 201)
    setup.always = basic("mila")
    setup.put("/v1/buckets/crew", {"permissions": {"write": ["system.Authenticated"]}}, 201)
    setup.put("/v1/buckets/crew/collections/rota", {}, 201)
    for name, data in records.items():
        setup.put(f"/v1/buckets/crew/collections/rota/records/{name}", {"data": data}, 201)
    stage.forget()
    return server


def basic(user: str) -> dict[str, str]:
    """Return the field of an account whose password is its name."""
    base64 = importlib.import_module("base64")
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{user}".encode()).decode()}


def rclone(stage: Stage, port: int, kind: str, *arguments: str, expect: int = 0) -> str:
    """Run rclone on a WebDAV or S3 remote named ``far`` behind a loopback port and return what it printed."""
    work = stage.directory()
    url = f"http://127.0.0.1:{port}"
    own = {"RCLONE_CONFIG": str(work / "none.conf"), "RCLONE_CONFIG_FAR_TYPE": kind, "HOME": str(work)}
    if kind == "webdav":
        own |= {"RCLONE_CONFIG_FAR_URL": url, "RCLONE_CONFIG_FAR_VENDOR": "other"}
    else:
        own |= {"RCLONE_CONFIG_FAR_PROVIDER": "Other", "RCLONE_CONFIG_FAR_ENDPOINT": url}
        own |= {"RCLONE_CONFIG_FAR_ACCESS_KEY_ID": "KEY", "RCLONE_CONFIG_FAR_SECRET_ACCESS_KEY": "none"}
    done = subprocess.run(
        [program("rclone"), *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=work,
        env={**os.environ, **own},
        timeout=60,
    )
    if done.returncode != expect:
        raise StoryError(f"rclone {arguments}: {done.returncode} {done.stderr[-800:]}")
    return done.stdout


def cadaver(stage: Stage, port: int, commands: str, files: Mapping[str, str]) -> str:
    """Run cadaver on a server behind a loopback port and return what it printed."""
    work = stage.directory()
    for name, text in files.items():
        (work / name).write_text(text, encoding="utf-8")
    done = subprocess.run(
        [program("cadaver"), f"http://127.0.0.1:{port}/"],
        input=commands,
        capture_output=True,
        text=True,
        check=False,
        cwd=work,
        env={**os.environ, "HOME": str(work)},
        timeout=30,
    )
    return done.stdout


@dataclass
class Caching:
    """A mobile platform's HTTP stack: its cache adds If-None-Match to any method for what it has stored.

    Args:
        inner: What sends.
    """

    inner: Program
    stored: dict[str, str] = field(default_factory=dict)

    def send(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        """Send one request with the condition of the cache."""
        known = {"If-None-Match": self.stored[url]} if url in self.stored else {}
        answer = self.inner.send(method, url, {**headers, **known}, body)
        if method == "GET" and answer.status == 200 and "etag" in answer.fields:
            self.stored[url] = answer.etag
        return answer

    def close(self) -> None:
        """Close what sends."""
        self.inner.close()


_CALL = """async ([method, url, fields, body]) => {
  const headers = {...fields};
  if (body !== null) headers['Content-Type'] = 'application/json';
  try {
    const r = await fetch(url, {method, headers, body: body === null ? undefined : JSON.stringify(body)});
    await r.text();
    return [r.status, r.headers.get('etag')];
  } catch (error) { return [0, null]; } }"""


class Page:
    """A page in Chromium that calls an interface; a HAR of the browser's own becomes the client's file.

    Args:
        stage: The story's stage.
        server: The interface, or what stands before it.
        host: Host of the interface.
        origin: Host of the page; the interface's own when it is empty and serves ``/-/up``.
    """

    def __init__(self, stage: Stage, server: Server, host: str, origin: str = "") -> None:
        self._stage, self._host, self._export = stage, host, stage.directory() / "client.har"
        rules = f"MAP {host}:80 127.0.0.1:{stage.tap('client', server)}"
        start = f"http://{host}/-/up"
        if origin:
            shell = "<!doctype html><title>Planner</title><link rel=stylesheet href=/app.css><main></main>"
            pages = fronts.site(stage, "nginx", {"board.html": shell, "app.css": "main{}", "favicon.ico": ""})
            rules += f", MAP {origin}:80 127.0.0.1:{pages.port}"
            start = f"http://{origin}/board.html"
        self._driver = importlib.import_module("playwright.sync_api").sync_playwright().start()
        self._chromium = self._driver.chromium.launch(
            executable_path="/usr/bin/chromium", args=[*_CHROMIUM, f"--host-resolver-rules={rules}"]
        )
        self._context = self._chromium.new_context(
            record_har_path=str(self._export), record_har_content="embed", locale="nl-NL"
        )
        self._page = self._context.new_page()
        self._page.goto(start)

    def call(
        self, method: str, path: str, expect: int, body: object = None, **fields: str | None
    ) -> str | None:
        """Call the interface from the page and return the tag that the script may read; 0 is a network error."""
        named = {name.replace("_", "-"): value for name, value in fields.items()}
        status, tag = self._page.evaluate(_CALL, [method, f"http://{self._host}{path}", named, body])
        if status != expect:
            raise StoryError(f"{method} {path}: {status}, expected {expect}")
        return str(tag) if tag is not None else None

    def twice(self, path: str, tag: str, bodies: list[object], **fields: str) -> list[int]:
        """Send two PUTs under one tag without waiting for the first; return both statuses."""
        named = {name.replace("_", "-"): value for name, value in fields.items()}
        script = f"""async ([url, fields, bodies]) => {{ const call = {_CALL};
  const all = await Promise.all(bodies.map((body) => call(['PUT', url, fields, body])));
  return all.map((one) => one[0]); }}"""
        url = f"http://{self._host}{path}"
        return list(self._page.evaluate(script, [url, {**named, "If-Match": tag}, bodies]))

    def finish(self) -> None:
        """Close the browser, which writes its HAR."""
        self._stage.servers["browser"] = f"Chromium {self._chromium.version}"
        self._context.close()
        self._chromium.close()
        self._driver.stop()
        self._stage.exported["client"] = self._export
