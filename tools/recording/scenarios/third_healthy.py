"""Third batch: healthy traffic that looks suspicious at first sight."""

from __future__ import annotations

import json
import os
import time
from typing import TYPE_CHECKING

from tools.recording.origin import Habits, Origin, Reply, size_and_time_tag
from tools.recording.scenarios.material import ARTICLE, SETTINGS, octets
from tools.recording.scenarios.routing import shared
from tools.recording.scenarios.third_tokens import number_tag
from tools.recording.scenarios.third_writers import uuid_tag
from tools.recording.stage import Stage, case

if TYPE_CHECKING:
    from tools.recording.message import Message

_MERGE = {"Content-Type": "application/merge-patch+json"}


@case(
    "d400",
    "chain-of-own-tags",
    "none",
    "healthy",
    alone="none",
    description=(
        "Six PATCHes, each with the tag of the answer before; polls in between get 304; at the end a "
        "guarded DELETE and a 404."
    ),
    client=(200, 200, 304, 200, 304, 200, 304, 204, 404),
)
def chain(stage: Stage) -> None:
    """Chain one's own tags."""
    origin = stage.origin(Habits(tag=number_tag))
    path = "/timers/t1"
    origin.store(path, {"id": "t1", "minutes": 5})
    me = stage.client(stage.front("traefik", stage.tap(origin.port)), "timers.example.test", "dart")
    tag = me.get(path).etag
    for minutes in (6, 7, 8):
        tag = me.send("PATCH", path, {"If-Match": tag, **_MERGE}, body=f'{{"minutes":{minutes}}}').etag
        time.sleep(0.25)
        me.get(path, {"If-None-Match": tag})
    me.send("DELETE", path, {"If-Match": tag})
    me.get(path)


@case(
    "d401",
    "rest-after-a-conflict-done-right",
    "none",
    "recovered",
    alone="other-writer none",
    also="other-writer",
    description=(
        "A guarded PATCH is refused because another wrote; the client reads again, sees that its field is "
        "untouched, and its PATCH with the new tag keeps both changes."
    ),
    client=(200, 412, 200, 200, 200),
    other=(200, 200),
)
def done_right(stage: Stage) -> None:
    """Refresh, rebase, retry."""
    origin = stage.origin(Habits(tag=uuid_tag, emit_last_modified=False))
    path = "/profiles/77"
    origin.store(path, {"id": 77, "city": "Bergen", "phone": "1"})
    front = stage.front("haproxy", stage.tap(origin.port))
    me = stage.client(front, "profiles.example.test", "okhttp", {"Authorization": "Bearer m"})
    other = stage.other(front, "profiles.example.test", "axios", {"Authorization": "Bearer n"})
    mine, theirs = me.get(path), other.get(path)
    other.send("PATCH", path, {"If-Match": theirs.etag, **_MERGE}, body='{"phone":"2"}')
    time.sleep(0.7)
    me.send("PATCH", path, {"If-Match": mine.etag, **_MERGE}, body='{"city":"Voss"}')
    fresh = me.get(path)
    me.send("PATCH", path, {"If-Match": fresh.etag, **_MERGE}, body='{"city":"Voss"}')
    me.get(path)


@case(
    "d403",
    "three-writers-three-documents",
    "none",
    "healthy",
    alone="none",
    description=(
        "Three clients save one document each under one path at the same time, over two agreeing nodes "
        "behind Envoy; all guarded, all taken."
    ),
    client=(200, 200, 200),
    other=(200, 200, 200),
    other2=(200, 200, 200),
)
def three_documents(stage: Stage) -> None:
    """Write apart from each other."""
    one, two = shared(stage, Habits(tag=uuid_tag), Habits(tag=uuid_tag))
    for name in ("x", "y", "z"):
        one.store(f"/seats/{name}", {"seat": name, "free": True})
    front = stage.envoy([stage.tap(one.port, "upstream1"), stage.tap(two.port, "upstream2")])
    actors = [
        stage.client(front, "seats.example.test", "browser", {"Cookie": "k=1"}),
        stage.other(front, "seats.example.test", "browser", {"Cookie": "k=2"}),
        stage.client(front, "seats.example.test", "browser", {"Cookie": "k=3"}, name="other2"),
    ]
    tags = [actor.get(f"/seats/{name}").etag for actor, name in zip(actors, "xyz", strict=True)]
    time.sleep(0.4)
    for free in (False, True):
        for number, name in enumerate("xyz"):
            body = {"seat": name, "free": free}
            tags[number] = actors[number].put(f"/seats/{name}", body, {"If-Match": tags[number]}).etag
        time.sleep(0.5)


@case(
    "d404",
    "feed-that-changes-each-second",
    "none",
    "healthy",
    alone="none",
    description=(
        "A ticker polled by tag and date through nginx: a new version almost each time, sometimes a 304; "
        "each new tag comes with new octets."
    ),
    client=(200, 200, 304, 200, 304, 200),
)
def ticker(stage: Stage) -> None:
    """Poll a feed that moves."""
    origin = stage.origin(Habits(tag=size_and_time_tag, read_fields=(("Cache-Control", "no-cache"),)))
    path = "/ticker/osebx.csv"
    origin.store(path, "osebx,1401.2\n", "text/csv", age=2)
    me = stage.client(stage.front("nginx", stage.tap(origin.port)), "ticker.example.test", "go")
    read = me.get(path)
    for value in ("1401.9", "", "1402.55", "", "1400.1"):
        time.sleep(1.05)
        if value:
            origin.commit(path, f"osebx,{value}\n".encode())
        both = {"If-None-Match": read.etag, "If-Modified-Since": read.last_modified}
        answer = me.get(path, both)
        read = answer if answer.status == 200 else read


@case(
    "d407",
    "ranges-of-a-still-file",
    "none",
    "healthy",
    alone="none",
    description=(
        "A player reads ranges of a film on nginx in any order, each with If-Match or If-Range; one jumps "
        "past the end (416), the file never changes."
    ),
    config=("nginx static file",),
    client=(200, 206, 206, 206, 416, 206),
)
def still_file(stage: Stage) -> None:
    """Read ranges that fit."""
    directory = stage.directory()
    files = directory / "files"
    files.mkdir()
    target = files / "film.txt"
    target.write_bytes(octets(5000, 21))
    os.utime(target, (time.time() - 7000, time.time() - 7000))
    me = stage.client(stage.tap(stage.nginx(f"root {files};")), "films.example.test", "java")
    tag = me.send("HEAD", "/film.txt").etag
    for first, field in ((0, "If-Match"), (3000, "If-Range"), (1000, "If-Match"), (9000, "If-Match")):
        me.get("/film.txt", {"Range": f"bytes={first}-{first + 999}", field: tag})
        time.sleep(0.3)
    me.get("/film.txt", {"Range": "bytes=-500", "If-Range": tag})


@case(
    "d411",
    "create-if-absent-at-start",
    "none",
    "healthy",
    alone="none expected-control-flow exists-already",
    description=(
        "At each start a service ensures its default configuration: PUT with If-None-Match: *; the first "
        "start creates it, later ones get 412 and read what is there, which is what they would have written."
    ),
    client=(201, 412, 200, 412, 200),
)
def create_absent(stage: Stage) -> None:
    """Ensure that something exists."""
    origin = stage.origin(Habits(problem="empty"))
    me = stage.client(stage.front("caddy", stage.tap(origin.port)), "boot.example.test", "go")
    path = "/config/defaults"
    me.put(path, SETTINGS, {"If-None-Match": "*"})
    for _ in range(2):
        time.sleep(1.0)
        me.put(path, SETTINGS, {"If-None-Match": "*"})
        me.get(path)


@case(
    "d412",
    "tag-list-with-the-right-one",
    "none",
    "healthy",
    alone="none",
    description=(
        "A sync engine sends the last three tags it has seen, the current one among them; each save is "
        "taken, each poll with the list is 304."
    ),
    client=(200, 200, 200, 304, 200, 304),
)
def tag_list(stage: Stage) -> None:
    """Send lists that hold the current tag."""
    origin = stage.origin(Habits(tag=uuid_tag, put_status=200))
    path = "/articles/locking"
    origin.store(path, ARTICLE)
    me = stage.client(stage.front("varnishd", stage.tap(origin.port)), "wiki.example.test", "aiohttp")
    known = [me.get(path).etag]
    for number in range(3):
        title = {**ARTICLE, "title": f"Locking, part {number}"}
        known.insert(0, me.put(path, title, {"If-Match": ", ".join(known[:3])}).etag)
        time.sleep(0.4)
        if number:
            me.get(path, {"If-None-Match": ", ".join(known[:3])})


@case(
    "d413",
    "rate-limited-then-the-same-again",
    "none",
    "healthy",
    alone="none",
    description=(
        "A guarded PUT meets 503 with Retry-After before anything was written; the same request a second "
        "later is taken with the same tag. The next save uses the new tag."
    ),
    client=(200, 503, 200, 200),
)
def limited(stage: Stage) -> None:
    """Wait as told, send again."""
    refused: list[bool] = []

    def limit(_: Origin, request: Message) -> Reply | None:
        if request.method != "PUT" or refused:
            return None
        refused.append(True)
        return Reply(503, (("Retry-After", "1"), ("Content-Type", "text/plain")), b"slow down\n")

    origin = stage.origin(Habits(tag=number_tag, lower=True), hook=limit)
    path = "/queues/mail"
    origin.store(path, {"queue": "mail", "depth": 10})
    me = stage.client(stage.front("apache2", stage.tap(origin.port)), "queues.example.test", "httpx")
    tag = me.get(path).etag
    me.put(path, {"queue": "mail", "depth": 20}, {"If-Match": tag})
    time.sleep(1.1)
    tag = me.put(path, {"queue": "mail", "depth": 20}, {"If-Match": tag}).etag
    time.sleep(0.4)
    me.put(path, {"queue": "mail", "depth": 30}, {"If-Match": tag})


@case(
    "d405",
    "dates-only-slow-editors",
    "none",
    "healthy",
    alone="none",
    description=(
        "Two editors take turns on a file without ETag, seconds apart, each re-reading before the save "
        "with If-Unmodified-Since: all are taken and nothing is lost."
    ),
    client=(200, 204, 200),
    other=(200, 204),
)
def slow_editors(stage: Stage) -> None:
    """Take turns by dates."""
    origin = stage.origin(Habits(emit_etag=False, put_status=204))
    path = "/logbook/ship.txt"
    origin.store(path, "08:00 left port\n", "text/plain")
    front = stage.front("lighttpd", stage.tap(origin.port))
    kind = {"Content-Type": "text/plain"}
    me = stage.client(front, "ship.example.test", "ruby", {"Authorization": "Basic bTp="})
    other = stage.other(front, "ship.example.test", "curl", {"Authorization": "Basic bjo="})
    read = me.get(path)
    me.put(path, read.body + b"09:10 fog\n", {"If-Unmodified-Since": read.last_modified, **kind})
    time.sleep(2.1)
    read = other.get(path)
    other.put(path, read.body + b"09:40 clear\n", {"If-Unmodified-Since": read.last_modified, **kind})
    time.sleep(1.5)
    me.get(path)


@case(
    "d406",
    "two-forms-each-with-its-tag",
    "none",
    "healthy",
    alone="none",
    description=(
        "One document as JSON and as HTML, a tag for each form, Vary: Accept; the client reads both, polls "
        "both (304) and saves the JSON with the JSON's tag."
    ),
    client=(200, 200, 304, 304, 200, 200),
)
def two_forms(stage: Stage) -> None:
    """Read two forms, write one with its own tag."""
    path = "/recipes/9"

    def page(origin: Origin, request: Message) -> Reply | None:
        if request.method != "GET" or "text/html" not in (request.get("Accept") or ""):
            return None
        resource = origin.resources[path]
        fields = (("ETag", f'"html-{resource.version}"'), ("Vary", "Accept"), ("Content-Type", "text/html"))
        if request.get("If-None-Match") == fields[0][1]:
            return Reply(304, fields[:2])
        return Reply(200, fields, f"<h1>{json.loads(resource.body)['name']}</h1>".encode())

    origin = stage.origin(
        Habits(tag=lambda one: f"json-{one.version}", read_fields=(("Vary", "Accept"),)), hook=page
    )
    origin.store(path, {"name": "Pancakes", "eggs": 2})
    me = stage.client(stage.front("envoy", stage.tap(origin.port)), "recipes.example.test", "browser")
    data = me.get(path).etag
    html = me.get(path, {"Accept": "text/html"}).etag
    time.sleep(0.6)
    me.get(path, {"If-None-Match": data})
    me.get(path, {"Accept": "text/html", "If-None-Match": html})
    me.put(path, {"name": "Thin pancakes", "eggs": 3}, {"If-Match": data})
    me.get(path, {"Accept": "text/html", "If-None-Match": html})
