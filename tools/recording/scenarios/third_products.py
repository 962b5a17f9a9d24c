"""Third batch: finished products as the origin: Radicale, WsgiDAV, Kinto, SeaweedFS, Tomcat, Django, json-server."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tools.recording.components import MissingProgramError
from tools.recording.scenarios.material import RUNBOOK, event, octets
from tools.recording.stage import Stage, case
from tools.recording_apis import servers

if TYPE_CHECKING:
    from collections.abc import Generator

    from tools.recording.client import Client

_ICS = {"Content-Type": "text/calendar; charset=utf-8"}
_TEXT = {"Content-Type": "text/plain"}
_TASKS = "/v1/buckets/team/collections/tasks"
_ANNA = {"Authorization": "Basic YW5uYTphbm5h"}
_BEN = {"Authorization": "Basic YmVuOmJlbg=="}


@contextmanager
def product(stage: Stage, name: str, **settings: object) -> Generator[servers.Server]:
    """Run a finished server while a story is played and name it in the label."""
    try:
        running = servers.start(name, stage.directory(), **settings)
    except servers.MissingProgramError as missing:
        raise MissingProgramError(str(missing)) from missing
    stage.servers[name] = running.version
    try:
        yield running
    finally:
        running.stop()


def _unrecorded(stage: Stage, port: int, always: dict[str, str] | None = None) -> Client:
    """Return an actor for what happened before the story: its requests become no file."""
    made = stage.client(port, "setup.example.test", "curl", always, name="setup")
    del stage.actors["setup"]
    return made


def _furnish_kinto(stage: Stage, port: int, *records: str) -> None:
    setup = _unrecorded(stage, port)
    for name in ("anna", "ben"):
        setup.put(f"/v1/accounts/{name}", {"data": {"password": name}})
    both = {"permissions": {"write": ["account:anna", "account:ben"]}}
    setup.put("/v1/buckets/team", both, _ANNA)
    setup.put(_TASKS, both, _ANNA)
    for one in records:
        setup.put(f"{_TASKS}/records/{one}", {"data": {"title": one, "done": False}}, _ANNA)
        time.sleep(0.02)


def _calendar(stage: Stage, port: int, user: str, *events: str) -> None:
    setup = _unrecorded(stage, port, {"Authorization": f"Basic {user}"})
    kind = {"Content-Type": "application/xml"}
    made = (
        "<?xml version='1.0'?><C:mkcalendar xmlns:D='DAV:' xmlns:C='urn:ietf:params:xml:ns:caldav'>"
        "<D:set><D:prop><D:displayname>Work</D:displayname></D:prop></D:set></C:mkcalendar>"
    )
    setup.send("MKCALENDAR", "/anna/office/", kind, body=made)
    for uid in events:
        setup.put(f"/anna/office/{uid}.ics", event(uid, "Stand-up"), _ICS)


_PROPFIND = "<?xml version='1.0'?><D:propfind xmlns:D='DAV:'><D:prop><D:getetag/></D:prop></D:propfind>"


@case(
    "d415",
    "radicale-two-devices-behind-nginx",
    "other-writer",
    "412",
    alone="other-writer",
    description=(
        "Two devices of one person edit an event on Radicale behind nginx; the phone lists, reads and "
        "writes with a tag that the laptop's save has replaced."
    ),
    config=("nginx before Radicale",),
    client=(207, 200, 412, 207, 200),
    other=(200, 204),
)
def radicale_devices(stage: Stage) -> None:
    """Meet the other device."""
    with product(stage, "radicale") as server:
        _calendar(stage, server.port, "YW5uYTphbm5h", "e1", "e2")
        front = stage.front("nginx", stage.tap(server.port))
        me = stage.client(front, "dav.example.test", "davx5", _ANNA)
        other = stage.other(front, "dav.example.test", "urlsession", _ANNA)
        deep = {"Depth": "1", "Content-Type": "application/xml"}
        me.send("PROPFIND", "/anna/office/", deep, body=_PROPFIND)
        mine, theirs = me.get("/anna/office/e2.ics"), other.get("/anna/office/e2.ics")
        time.sleep(1.1)
        moved = {"If-Match": theirs.etag, **_ICS}
        other.put("/anna/office/e2.ics", event("e2", "Stand-up", "10"), moved)
        time.sleep(0.9)
        me.put("/anna/office/e2.ics", event("e2", "Stand-up with Bo"), {"If-Match": mine.etag, **_ICS})
        me.send("PROPFIND", "/anna/office/", deep, body=_PROPFIND)
        me.get("/anna/office/e2.ics")


@case(
    "d417",
    "wsgidav-same-tag-twice",
    "stale-stored-token",
    "412",
    alone="stale-stored-token",
    description=(
        "A client uploads a text to WsgiDAV with the tag it read, then once more with that same tag though "
        "its own upload has changed it; after a HEAD it passes."
    ),
    client=(201, 200, 204, 412, 200, 204),
)
def wsgidav_twice(stage: Stage) -> None:
    """Keep the tag from before the own save."""
    with product(stage, "wsgidav") as server:
        front = stage.front("haproxy", stage.tap(server.port))
        me = stage.client(front, "files.example.test", "go")
        me.put("/runbook.txt", RUNBOOK[:300], _TEXT)
        time.sleep(1.2)
        tag = me.send("HEAD", "/runbook.txt").etag
        me.put("/runbook.txt", RUNBOOK[:400], {"If-Match": tag, **_TEXT})
        time.sleep(1.2)
        me.put("/runbook.txt", RUNBOOK[:500], {"If-Match": tag, **_TEXT})
        tag = me.send("HEAD", "/runbook.txt").etag
        me.put("/runbook.txt", RUNBOOK[:500], {"If-Match": tag, **_TEXT})


@case(
    "d418",
    "kinto-collection-timestamp-guards-a-part",
    "coarse-token-scope",
    "412",
    alone="coarse-token-scope",
    also="other-writer",
    description=(
        "Kinto: DELETE of the finished tasks is guarded with the collection's timestamp; Ben edits a task "
        "that is not among them, and the whole call is refused. The finished ones are as they were."
    ),
    client=(200, 412, 200, 200),
    other=(200,),
)
def kinto_collection(stage: Stage) -> None:
    """Delete a part under the tag of the whole."""
    with product(stage, "kinto") as server:
        _furnish_kinto(stage, server.port, "paint", "sand")
        setup = _unrecorded(stage, server.port)
        setup.put(f"{_TASKS}/records/oil", {"data": {"title": "oil", "done": True}}, _ANNA)
        front = stage.front("caddy", stage.tap(server.port))
        me = stage.client(front, "sync.example.test", "axios", _ANNA)
        other = stage.other(front, "sync.example.test", "httpx", _BEN)
        finished = f"{_TASKS}/records?done=true"
        tag = me.get(finished).etag
        time.sleep(0.5)
        other.send("PATCH", f"{_TASKS}/records/sand", body={"data": {"title": "sand twice"}})
        time.sleep(0.6)
        me.send("DELETE", finished, {"If-Match": tag})
        tag = me.get(finished).etag
        me.send("DELETE", finished, {"If-Match": tag})


@case(
    "d419",
    "kinto-save-as-create",
    "create-guard-on-update",
    "412",
    alone="create-guard-on-update",
    description=(
        "An app reads a Kinto record, edits it and PUTs with If-None-Match: * (its 'safe' mode is for "
        "creation only): refused; Kinto's answer shows the record. With If-Match it passes."
    ),
    client=(200, 412, 200),
)
def kinto_create(stage: Stage) -> None:
    """Update with the guard for creation."""
    with product(stage, "kinto") as server:
        _furnish_kinto(stage, server.port, "oil")
        front = stage.front("apache2", stage.tap(server.port))
        me = stage.client(front, "sync.example.test", "okhttp", _ANNA)
        path = f"{_TASKS}/records/oil"
        tag = me.get(path).etag
        time.sleep(0.6)
        me.put(path, {"data": {"title": "oil", "done": True}}, {"If-None-Match": "*"})
        time.sleep(0.4)
        me.put(path, {"data": {"title": "oil", "done": True}}, {"If-Match": tag})


@case(
    "d420",
    "seaweedfs-read-back-and-overwrite",
    "blind-refresh",
    "lost-update",
    alone="blind-refresh",
    also="other-writer",
    description=(
        "A catalogue writer on SeaweedFS loses with 412, takes the new tag by HEAD and sends its old list "
        "again: 200, the other's entry is gone, as the read shows."
    ),
    other=(200, 200),
    client=(200, 412, 200, 200, 200),
)
def seaweed_overwrite(stage: Stage) -> None:
    """Refresh the tag, not the list."""
    with product(stage, "seaweedfs") as server:
        setup = _unrecorded(stage, server.port)
        setup.put("/lake", b"")
        setup.put("/lake/catalogue.json", {"tables": ["a"]})
        front = stage.front("traefik", stage.tap(server.port))
        me = stage.client(front, "s3.example.test", "go")
        other = stage.other(front, "s3.example.test", "requests")
        path = "/lake/catalogue.json"
        mine, theirs = me.get(path), other.get(path)
        other.put(path, {"tables": ["a", "b"]}, {"If-Match": theirs.etag})
        time.sleep(0.9)
        me.put(path, {"tables": ["a", "c"]}, {"If-Match": mine.etag})
        tag = me.send("HEAD", path).etag
        me.put(path, {"tables": ["a", "c"]}, {"If-Match": tag})
        me.get(path)


@case(
    "d422",
    "tomcat-strong-wanted",
    "weak-only-origin",
    "412",
    alone="weak-only-origin",
    description=(
        "Tomcat's default servlet gives weak tags and refuses them in If-Match, for PUT and DELETE, "
        "through Envoy and after each fresh HEAD; a guard by date is taken."
    ),
    client=(200, 412, 200, 412, 204),
)
def tomcat_weak(stage: Stage) -> None:
    """Write with Tomcat's own tags."""
    with product(stage, "tomcat") as server:
        _unrecorded(stage, server.port).put("/rates.txt", "base 2.5\n", _TEXT)
        time.sleep(1.2)
        front = stage.front("envoy", stage.tap(server.port))
        me = stage.client(front, "rates.example.test", "powershell")
        read = me.send("HEAD", "/rates.txt")
        me.put("/rates.txt", "base 2.75\n", {"If-Match": read.etag, **_TEXT})
        time.sleep(0.8)
        read = me.send("HEAD", "/rates.txt")
        me.send("DELETE", "/rates.txt", {"If-Match": read.etag})
        me.put("/rates.txt", "base 2.75\n", {"If-Unmodified-Since": read.last_modified, **_TEXT})


@case(
    "d424",
    "radicale-event-cancelled-elsewhere",
    "target-missing",
    "412",
    alone="target-missing",
    description=(
        "The organiser's device deletes an event; the other's PUT and, after a pause, DELETE with the old "
        "tag fail at Radicale (412, 404); the event is gone."
    ),
    other=(200, 200),
    client=(200, 412, 404, 404),
)
def radicale_cancelled(stage: Stage) -> None:
    """Write to an event that is gone."""
    with product(stage, "radicale") as server:
        _calendar(stage, server.port, "YW5uYTphbm5h", "m7")
        front = stage.front("lighttpd", stage.tap(server.port))
        me = stage.client(front, "dav.example.test", "urlsession", _ANNA)
        other = stage.other(front, "dav.example.test", "java", _ANNA)
        path = "/anna/office/m7.ics"
        mine, theirs = me.get(path), other.get(path)
        other.send("DELETE", path, {"If-Match": theirs.etag})
        time.sleep(0.8)
        me.put(path, event("m7", "Stand-up (online)"), {"If-Match": mine.etag, **_ICS})
        time.sleep(1.0)
        me.send("DELETE", path, {"If-Match": mine.etag})
        me.get(path)


@case(
    "d425",
    "django-workflow-engine-follows",
    "server-side-mutation",
    "412",
    alone="server-side-mutation",
    description=(
        "A Django service's workflow engine sets a note to 'in review' half a second after each save; the "
        "client's next save with the tag of its own answer is refused, and no one else has written."
    ),
    client=(200, 200, 412, 200, 200),
)
def django_workflow(stage: Stage) -> None:
    """Meet the workflow engine's own write."""
    with product(stage, "application", app="notes_django", STAMP="0.5") as server:
        front = stage.front("nginx", stage.tap(server.port))
        me = stage.client(front, "notes.example.test", "undici", {"authorization": "Bearer w"})
        note = {"title": "Roof repair", "budget": 9500, "status": "draft"}
        tag = me.get("/notes/12").etag
        saved = me.put("/notes/12", note, {"If-Match": tag})
        time.sleep(1.1)
        me.put("/notes/12", {**note, "budget": 9800}, {"If-Match": saved.header("ETag") or tag})
        tag = me.get("/notes/12").etag
        me.put("/notes/12", {**note, "budget": 9800, "status": "in review"}, {"If-Match": tag})


@case(
    "d427",
    "json-server-unguarded-either-way",
    "precondition-ignored",
    "lost-update",
    alone="none precondition-ignored server-precondition-bug precondition-stripped",
    also="other-writer",
    description=(
        "json-server hands out tags and takes a PATCH with one that is two writes old; the colleague's "
        "value in the same member is overwritten."
    ),
    client=(200, 200, 200),
    other=(200, 200, 200),
)
def json_server(stage: Stage) -> None:
    """Patch with an old tag."""
    content = '{"posts":[{"id":1,"title":"Hello","views":100}]}'
    with product(stage, "json-server", content=content) as server:
        front = stage.front("haproxy", stage.tap(server.port))
        me = stage.client(front, "blog.example.test", "browser", {"Cookie": "w=1"})
        other = stage.other(front, "blog.example.test", "axios", {"Authorization": "Bearer ed"})
        tag = me.get("/posts/1").etag
        theirs = other.get("/posts/1").etag
        for title in ("Hello again", "Hello all"):
            time.sleep(0.4)
            theirs = other.send("PATCH", "/posts/1", {"If-Match": theirs}, body={"title": title}).etag
        time.sleep(0.7)
        me.send("PATCH", "/posts/1", {"If-Match": tag}, body={"title": "Hello, world"})
        me.get("/posts/1")


@case(
    "d429",
    "wsgidav-folder-sync",
    "none",
    "healthy",
    alone="none",
    description=(
        "A sync client on WsgiDAV behind Varnish: list, upload three files, change two with their tags, "
        "delete one with its tag, list again. All fits."
    ),
)
def wsgidav_sync(stage: Stage) -> None:
    """Sync a folder in peace."""
    with product(stage, "wsgidav") as server:
        front = stage.front("varnishd", stage.tap(server.port))
        me = stage.client(front, "files.example.test", "aiohttp")
        deep = {"Depth": "1", "Content-Type": "application/xml"}
        me.send("PROPFIND", "/", deep, body=_PROPFIND)
        for number in range(3):
            me.put(f"/part{number}.bin", octets(200, number), {"If-None-Match": "*"})
        time.sleep(1.2)
        for number in range(2):
            tag = me.send("HEAD", f"/part{number}.bin").etag
            me.put(f"/part{number}.bin", octets(260, number + 5), {"If-Match": tag})
        tag = me.send("HEAD", "/part2.bin").etag
        me.send("DELETE", "/part2.bin", {"If-Match": tag})
        me.send("PROPFIND", "/", deep, body=_PROPFIND)


@case(
    "d430",
    "radicale-calm-day",
    "none",
    "healthy",
    alone="none",
    description=(
        "A phone on Radicale: creates an event under If-None-Match: *, moves it twice with the tag of the "
        "answer or of a read, polls (Radicale sends it whole), deletes it with its tag."
    ),
)
def radicale_calm(stage: Stage) -> None:
    """Create, move, poll, delete."""
    with product(stage, "radicale") as server:
        _calendar(stage, server.port, "YW5uYTphbm5h", "a1")
        front = stage.front("apache2", stage.tap(server.port))
        me = stage.client(front, "dav.example.test", "davx5", _ANNA)
        path = "/anna/office/b9.ics"
        me.put(path, event("b9", "Dentist", "15"), {"If-None-Match": "*", **_ICS})
        for hour in ("16", "17"):
            tag = me.get(path).etag
            time.sleep(0.5)
            me.put(path, event("b9", "Dentist", hour), {"If-Match": tag, **_ICS})
        tag = me.get(path).etag
        me.get(path, {"If-None-Match": tag})
        me.send("DELETE", path, {"If-Match": tag})


@case(
    "d432",
    "kinto-turns",
    "none",
    "healthy",
    alone="none",
    description=(
        "Two people on Kinto take turns: each polls the record by tag, gets the other's version or a 304, "
        "and PATCHes with the tag just read."
    ),
)
def kinto_turns(stage: Stage) -> None:
    """Take turns on a record."""
    with product(stage, "kinto") as server:
        _furnish_kinto(stage, server.port, "fence")
        front = stage.front("traefik", stage.tap(server.port))
        me = stage.client(front, "sync.example.test", "dart", _ANNA)
        other = stage.other(front, "sync.example.test", "ruby", _BEN)
        path = f"{_TASKS}/records/fence"
        tags = {"me": me.get(path).etag, "other": other.get(path).etag}
        for turn, (name, actor) in enumerate((("me", me), ("other", other), ("me", me), ("other", other))):
            read = actor.get(path, {"If-None-Match": tags[name]})
            tag = read.header("ETag") or tags[name]
            written = actor.send("PATCH", path, {"If-Match": tag}, body={"data": {"coats": turn}})
            tags[name] = written.etag
            time.sleep(0.6)
