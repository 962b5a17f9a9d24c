"""Servers that evaluate wrongly, or at the wrong time, or make tags that cannot match."""

from __future__ import annotations

import os
import time
from functools import partial
from typing import TYPE_CHECKING

from tools.recording.origin import (
    Habits,
    Origin,
    Reply,
    Resource,
    content_tag,
    size_and_time_tag,
    version_tag,
)
from tools.recording.scenarios.material import card, event, octets
from tools.recording.stage import Stage, case

if TYPE_CHECKING:
    from pathlib import Path

    from tools.recording.message import Message


def _dav_files(stage: Stage) -> tuple[Path, Path]:
    directory = stage.directory()
    directory.chmod(0o777)
    files = directory / "files"
    files.mkdir()
    files.chmod(0o777)
    return directory, files


@case(
    "d160",
    "get-if-none-match-412",
    "server-precondition-bug",
    "412",
    alone="server-precondition-bug",
    description="A server answers 412 to a GET whose If-None-Match equals the current tag; 304 is due.",
    client=(200, 412, 200, 412),
)
def get_412(stage: Stage) -> None:
    """Poll and be told 412."""

    def wrong(origin: Origin, request: Message) -> Reply | None:
        resource = origin.resources[request.target]
        if request.method == "GET" and request.get("If-None-Match") == origin.etag(resource):
            return origin.refusal(412, "Precondition Failed")
        return None

    origin = stage.origin(Habits(problem="plain", fields=(("Server", "TornadoServer/6.1"),)), hook=wrong)
    path = "/status/grid.json"
    origin.store(path, {"load": 0.71, "at": "2026-11-24T13:00:00Z"})
    me = stage.client(stage.front("apache2", stage.tap(origin.port)), "grid.example.test", "requests")
    for _ in range(2):
        read = me.get(path)
        time.sleep(0.9)
        me.get(path, {"If-None-Match": read.etag})
        time.sleep(0.4)


@case(
    "d161",
    "star-refused-on-existing",
    "server-precondition-bug",
    "412",
    alone="server-precondition-bug unsupported-precondition",
    description=(
        "If-Match: * on a document that exists is refused (the server compares the star as if it were a "
        "tag); with the real tag the same write passes."
    ),
    client=(200, 412, 200, 200),
)
def star_refused(stage: Stage) -> None:
    """Ask for any version."""

    def wrong(origin: Origin, request: Message) -> Reply | None:
        return origin.refusal(412, "etag mismatch") if request.get("If-Match") == "*" else None

    origin = stage.origin(Habits(problem="vendor", tag=version_tag), hook=wrong)
    path = "/queues/mail/settings"
    origin.store(path, {"visibility": 30, "dlq": True})
    me = stage.client(stage.front("caddy", stage.tap(origin.port)), "queue.example.test", "curl")
    me.get(path)
    me.put(path, {"visibility": 60, "dlq": True}, {"If-Match": "*"})
    time.sleep(1.1)
    read = me.get(path)
    me.put(path, {"visibility": 60, "dlq": True}, {"If-Match": read.etag})


@case(
    "d162",
    "conditional-delete-not-implemented",
    "unsupported-precondition",
    "501",
    alone="unsupported-precondition",
    description=(
        "An object store answers 501 NotImplemented to a DELETE with If-Match, also with the tag just "
        "read; without it the DELETE passes."
    ),
    client=(200, 501, 200, 501, 204),
)
def not_implemented(stage: Stage) -> None:
    """Delete under a condition that the store cannot do."""

    def refuse(_: Origin, request: Message) -> Reply | None:
        if request.method != "DELETE" or request.get("If-Match") is None:
            return None
        text = (
            "<?xml version='1.0'?><Error><Code>NotImplemented</Code><Message>A header you provided "
            "implies functionality that is not implemented</Message><Header>If-Match</Header></Error>"
        )
        return Reply(501, (("Content-Type", "application/xml"),), text.encode())

    origin = stage.origin(Habits(fields=(("x-amz-request-id", "4F0C1D"),)), hook=refuse)
    path = "/backups/2026-11/db.dump"
    origin.store(path, octets(1200, 8), "application/octet-stream")
    me = stage.client(stage.tap(origin.port), "s3.example.test", "go")
    for _ in range(2):
        head = me.send("HEAD", path)
        me.send("DELETE", path, {"If-Match": head.etag})
        time.sleep(0.6)
    me.send("DELETE", path)


@case(
    "d163",
    "any-tag-is-refused",
    "unsupported-precondition",
    "412",
    alone="unsupported-precondition server-precondition-bug",
    description=(
        "A legacy service refuses each If-Match, whatever its value and however fresh. Unconditional "
        "writes pass."
    ),
    client=(200, 412, 200, 412, 412, 200, 200),
)
def any_tag(stage: Stage) -> None:
    """Try fresh tags and the star at a gateway that refuses all."""

    def refuse(origin: Origin, request: Message) -> Reply | None:
        return origin.refusal(412, "conditional request") if request.get("If-Match") else None

    origin = stage.origin(Habits(tag=version_tag, problem="plain"), hook=refuse)
    path = "/legacy/records/55"
    origin.store(path, "<record id='55'><owner>tina</owner></record>", "application/xml")
    me = stage.client(stage.front("nginx", stage.tap(origin.port)), "legacy.example.test", "java")
    body = "<record id='55'><owner>ulf</owner></record>"
    for pause in (0.4, 1.2):
        read = me.get(path)
        time.sleep(pause)
        me.put(path, body, {"If-Match": read.etag, "Content-Type": "application/xml"})
    me.put(path, body, {"If-Match": "*", "Content-Type": "application/xml"})
    me.get(path)
    me.put(path, body, {"Content-Type": "application/xml"})


@case(
    "d169",
    "nginx-dav-put-and-delete",
    "precondition-ignored",
    "lost-update",
    alone="precondition-ignored server-precondition-bug precondition-stripped",
    description=(
        "nginx's DAV module never looks at If-Match on PUT and DELETE: a save with the tag from before "
        "the own last save is taken, and so is a DELETE with a tag of long ago. The colleague's lines "
        "are gone."
    ),
    config=("dav_methods PUT DELETE",),
    client=(200, 204, 204, 200, 204),
    other=(200, 204),
)
def nginx_dav(stage: Stage) -> None:
    """Save and delete with stale tags."""
    directory, files = _dav_files(stage)
    (files / "todo.txt").write_text("one\ntwo\n")
    front = stage.tap(
        stage.nginx(
            f"root {files}; client_body_temp_path {directory}/uploads; location / {{ "
            f"dav_methods PUT DELETE; }}"
        )
    )
    me = stage.client(front, "dav.example.test", "curl")
    other = stage.other(front, "dav.example.test", "davx5")
    read = me.get("/todo.txt")
    time.sleep(1.1)
    me.put("/todo.txt", "one\ntwo\nthree\n", {"If-Match": read.etag, "Content-Type": "text/plain"})
    time.sleep(1.1)
    theirs = other.get("/todo.txt")
    other.put("/todo.txt", "one\ntwo\nthree\nfour\n", {"If-Match": theirs.etag, "Content-Type": "text/plain"})
    time.sleep(1.1)
    me.put("/todo.txt", "one\ntwo\nTHREE\n", {"If-Match": read.etag, "Content-Type": "text/plain"})
    me.get("/todo.txt")
    me.send("DELETE", "/todo.txt", {"If-Match": read.etag})


@case(
    "d170",
    "patch-path-forgets-the-check",
    "precondition-ignored",
    "lost-update",
    alone="precondition-ignored server-precondition-bug precondition-stripped",
    description=(
        "PUT honours If-Match, PATCH does not look: the agent's PATCH with the very tag that PUT had "
        "just refused is taken and drops another's status."
    ),
    client=(200, 412, 200, 200),
    other=(200, 200),
)
def patch_forgets(stage: Stage) -> None:
    """Be refused by PUT and let in by PATCH."""
    origin = stage.origin(
        Habits(tag=version_tag, ignore=frozenset({"if-match"}), ignore_on=frozenset({"PATCH"}))
    )
    path = "/cases/4031"
    origin.store(path, {"id": 4031, "status": "open", "note": ""})
    front = stage.front("traefik", stage.tap(origin.port))
    me = stage.client(front, "cases.example.test", "axios", {"Authorization": "Bearer agent-4"})
    other = stage.other(front, "cases.example.test", "axios", {"Authorization": "Bearer agent-6"})
    mine, theirs = me.get(path), other.get(path)
    other.put(path, {"id": 4031, "status": "escalated", "note": "call back"}, {"If-Match": theirs.etag})
    time.sleep(0.9)
    me.put(path, {"id": 4031, "status": "closed", "note": ""}, {"If-Match": mine.etag})
    time.sleep(0.2)
    kind = {"If-Match": mine.etag, "Content-Type": "application/merge-patch+json"}
    me.send("PATCH", path, kind, body={"status": "closed", "note": ""})
    me.get(path)


@case(
    "d171",
    "two-winners",
    "check-then-write-race",
    "lost-update",
    alone="none",
    description=(
        "Check and write are two steps 200 ms apart: two overlapping PUTs with one tag both get 200, one "
        "is gone. A later stale write is refused properly."
    ),
    client=(200, 200, 200),
    other=(200, 200, 412),
    upstream=(200, 200, 200, 200, 412, 200),
)
def two_winners(stage: Stage) -> None:
    """Win twice."""
    origin = stage.origin(Habits(racy=True, write_delay=0.2, fields=(("Server", "gunicorn"),)))
    path = "/accounts/a-19/budget"
    origin.store(path, {"eur": 1000, "by": "init"})
    front = stage.front("envoy", stage.tap(origin.port))
    me = stage.client(front, "bank.example.test", "httpx", {"X-Teller": "1"})
    other = stage.other(front, "bank.example.test", "httpx", {"X-Teller": "2"})
    mine, theirs = me.get(path), other.get(path)
    time.sleep(0.4)
    me.together(
        [
            lambda: other.put(path, {"eur": 900, "by": "teller 2"}, {"If-Match": theirs.etag}),
            lambda: me.put(path, {"eur": 1250, "by": "teller 1"}, {"If-Match": mine.etag}),
        ],
        stagger=0.05,
    )
    time.sleep(0.7)
    other.put(path, {"eur": 850, "by": "teller 2"}, {"If-Match": theirs.etag})
    me.get(path)


@case(
    "d172",
    "racing-workers-one-file",
    "check-then-write-race",
    "lost-update",
    alone="check-then-write-race",
    description=(
        "One agent's three workers append to a calendar with one tag at once; the server lets two or "
        "more through (200 each, a moment apart) though all bear the same tag; the last one wins. "
        "Sequentially the same stale tag is refused."
    ),
    client=(200, 204, 204, 204, 412, 200),
)
def racing_workers(stage: Stage) -> None:
    """Win three times with one tag."""
    origin = stage.origin(Habits(racy=True, write_delay=0.15, put_status=204, tag=size_and_time_tag))
    path = "/cal/shifts.ics"
    origin.store(path, event("s0", "Shift"), "text/calendar")
    me = stage.client(stage.front("nginx", stage.tap(origin.port)), "shifts.example.test", "aiohttp")
    read = me.get(path)
    kind = {"If-Match": read.etag, "Content-Type": "text/calendar"}
    bodies = [event(f"s{number}", f"Shift {number}") for number in range(1, 4)]
    me.together([partial(me.put, path, body, kind) for body in bodies], stagger=0.03)
    time.sleep(0.6)
    me.put(path, bodies[0], kind)
    me.get(path)


@case(
    "d173",
    "refused-but-stored",
    "post-commit-412",
    "412",
    alone="post-commit-412 intermediary-replay",
    description=(
        "The service compares If-Match with the tag it has just made, after the write: 412 within "
        "milliseconds on the first attempt, and the read shows the own data under a new tag."
    ),
    client=(200, 412, 200, 412, 200),
    upstream=(200, 412, 200, 412, 200),
)
def refused_but_stored(stage: Stage) -> None:
    """Be refused and find the write done."""

    def late(origin: Origin, request: Message) -> Reply | None:
        return origin.refusal(412, "ETag does not match") if request.get("If-Match") else None

    origin = stage.origin(Habits(fields=(("Server", "WSGIServer/0.2 CPython/3.11.7"),)), after_commit=late)
    path = "/en/map/allotments/layers/3"
    origin.store(path, {"name": "Plots", "features": 41})
    me = stage.client(stage.tap(origin.port), "umap.example.test", "browser", {"Cookie": "csrftoken=k"})
    for features in (42, 43):
        read = me.get(path)
        time.sleep(0.9)
        me.put(path, {"name": "Plots", "features": features}, {"If-Match": read.etag})
        time.sleep(0.3)
    me.get(path)


@case(
    "d174",
    "weak-only-service",
    "weak-only-origin",
    "412",
    alone="weak-only-origin",
    description=(
        "A service of weak tags only, also for identity: If-Match with what it served is refused each "
        "time. No intermediary marks."
    ),
    client=(200, 412, 200, 412, 200),
)
def weak_only(stage: Stage) -> None:
    """Send weak tags that can never match."""
    origin = stage.origin(
        Habits(weak=True, fields=(("X-Powered-By", "Express"),), emit_last_modified=False, problem="plain")
    )
    path = "/glossary/terms/etag"
    origin.store(path, {"term": "etag", "text": "entity tag"})
    me = stage.client(stage.tap(origin.port), "glossary.example.test", "undici")
    for headers in ({}, {"accept-encoding": "identity"}):
        read = me.get(path, headers)
        time.sleep(0.8)
        me.put(
            path,
            {"term": "etag", "text": "Entity tag (RFC 9110 section 8.8.3)"},
            {"if-match": read.etag, **headers},
        )
    me.send("HEAD", path, {"accept-encoding": "identity"})


@case(
    "d175",
    "nonce-in-page",
    "unstable-etag",
    "412",
    alone="unstable-etag",
    description=(
        "The tag hashes the page with its render time in it: each read has another tag (and only that "
        "line differs), so no PUT ever matches."
    ),
    client=(200, 200, 412, 200, 412),
)
def nonce_in_page(stage: Stage) -> None:
    """Read twice, write, in vain."""
    counter = [0]

    def render(resource: Resource) -> str:
        counter[0] += 1
        resource.body = resource.body.split(b"<!--")[0] + f"<!-- rendered {counter[0]:06d} -->".encode()
        return content_tag(resource)

    origin = stage.origin(Habits(tag=render, emit_last_modified=False, problem="html"))
    path = "/handbook/leave.html"
    origin.store(path, "<html><body><h1>Leave</h1><p>25 days.</p></body></html>", "text/html")
    me = stage.client(stage.front("haproxy", stage.tap(origin.port)), "handbook.example.test", "browser")
    me.get(path)
    time.sleep(0.3)
    for _ in range(2):
        read = me.get(path)
        time.sleep(0.5)
        me.put(
            path,
            "<html><body><h1>Leave</h1><p>26 days.</p></body></html>",
            {"If-Match": read.etag, "Content-Type": "text/html"},
        )


@case(
    "d176",
    "put-answer-tag-not-gets",
    "etag-source-mismatch",
    "412",
    alone="etag-source-mismatch",
    description=(
        "PUT answers with a hash of the content, GET serves a revision counter, and writes are compared "
        "with the counter: chaining saves by the answer's tag is refused, a fresh read passes."
    ),
    client=(200, 200, 412, 200, 200, 412),
)
def put_answer_tag(stage: Stage) -> None:
    """Chain saves by the tag of the answer."""

    def other_tag(origin: Origin, request: Message) -> Reply | None:
        resource = origin.resources[request.target]
        return Reply(
            200,
            (("Content-Type", resource.media_type), ("ETag", f'"{content_tag(resource)}"')),
            resource.body,
        )

    origin = stage.origin(
        Habits(tag=lambda resource: f"rev-{resource.version:05d}", emit_last_modified=False),
        after_commit=other_tag,
    )
    path = "/vault/people/iris.vcf"
    origin.store(path, card("i1", "Iris Bo", "iris@example.net"), "text/vcard")
    me = stage.client(stage.front("lighttpd", stage.tap(origin.port)), "vault.example.test", "dart")
    kind = {"content-type": "text/vcard"}
    for mail in ("iris@example.org", "iris.bo@example.org"):
        read = me.get(path)
        written = me.put(path, card("i1", "Iris Bo", mail), {"if-match": read.etag, **kind})
        time.sleep(0.6)
        me.put(path, card("i1", "Iris Bø", mail), {"if-match": written.etag, **kind})
        time.sleep(0.4)


@case(
    "d177",
    "mod-dav-locked",
    "lease-or-lock",
    "423",
    alone="lease-or-lock",
    description=(
        "Another author holds a WebDAV lock on Apache mod_dav: the PUT with the right tag but without "
        "the lock token is refused with 423, as is the retry; after UNLOCK it passes."
    ),
    config=("Dav On", "DavLockDB"),
    client=(200, 423, 423, 204),
    other=(200, 204),
)
def mod_dav_locked(stage: Stage) -> None:
    """Write a locked file."""
    directory, files = _dav_files(stage)
    (directory / "locks").mkdir()
    (directory / "locks").chmod(0o777)
    (files / "agenda.txt").write_text("1. Budget\n")
    (files / "agenda.txt").chmod(0o666)

    os.utime(files / "agenda.txt", (time.time() - 500, time.time() - 500))
    front = stage.tap(
        stage.apache(
            f"DocumentRoot {files}\nDavLockDB {directory}/locks/db\n<Location />\nDav On\n</Location>\n",
            directory,
        )
    )
    me = stage.client(front, "agenda.example.test", "davx5", {"Authorization": "Basic YTpi"})
    other = stage.other(front, "agenda.example.test", "ruby", {"Authorization": "Basic YzpkCg=="})
    info = (
        "<?xml version='1.0'?><D:lockinfo xmlns:D='DAV:'><D:lockscope><D:exclusive/></D:lockscope>"
        "<D:locktype><D:write/></D:locktype><D:owner>cleo</D:owner></D:lockinfo>"
    )
    lock = other.send(
        "LOCK", "/agenda.txt", {"Content-Type": "application/xml", "Timeout": "Second-60"}, body=info
    )
    read = me.get("/agenda.txt")
    headers = {"If-Match": read.etag, "Content-Type": "text/plain"}
    for pause in (0.9, 0.6):
        me.put("/agenda.txt", "1. Budget\n2. Hiring\n", headers)
        time.sleep(pause)
    other.send("UNLOCK", "/agenda.txt", {"Lock-Token": lock.header("Lock-Token") or ""})
    me.put("/agenda.txt", "1. Budget\n2. Hiring\n", headers)
