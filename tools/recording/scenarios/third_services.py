"""Third batch: services whose tags cannot match, and services that judge wrongly."""

from __future__ import annotations

import json
import os
import time
from typing import TYPE_CHECKING

from tools.recording.origin import Habits, Origin, Reply, Resource, content_tag, version_tag
from tools.recording.scenarios.material import octets
from tools.recording.scenarios.third_tokens import number_tag
from tools.recording.scenarios.third_writers import uuid_tag
from tools.recording.stage import Stage, case

if TYPE_CHECKING:
    from tools.recording.message import Message

_MERGE = {"Content-Type": "application/merge-patch+json"}


@case(
    "d362",
    "tag-is-the-time-of-day",
    "unstable-etag",
    "412",
    alone="unstable-etag",
    description=(
        "The tag is the time of the answer in milliseconds: HEAD and GET disagree, polling by tag never "
        "gets a 304 though the octets are the same, and every PATCH is refused."
    ),
    client=(200, 200, 200, 412, 200, 412),
)
def time_of_day(stage: Stage) -> None:
    """Poll and patch with tags that live a millisecond."""
    origin = stage.origin(Habits(tag=lambda _: f"{time.time_ns() // 1_000_000}", emit_last_modified=False))
    path = "/turbines/t3/setpoint"
    origin.store(path, {"turbine": "t3", "pitch": 12.5})
    front = stage.front("envoy", stage.tap(origin.port))
    me = stage.client(front, "wind.example.test", "aiohttp", {"Authorization": "Bearer scada"})
    tag = me.send("HEAD", path).etag
    time.sleep(0.3)
    me.get(path, {"If-None-Match": tag})
    for pitch in (12.0, 11.5):
        tag = me.get(path).etag
        time.sleep(0.4)
        me.send("PATCH", path, {"If-Match": tag, **_MERGE}, body=f'{{"pitch":{pitch}}}')


@case(
    "d363",
    "head-tag-is-not-the-puts",
    "etag-source-mismatch",
    "412",
    alone="etag-source-mismatch",
    description=(
        "HEAD is answered by the storage layer (time and size), GET and writes by the application (a "
        "hash): a save guarded by the tag of HEAD is refused, one by that of GET passes, twice."
    ),
    client=(200, 412, 200, 200, 200, 412, 200, 200),
)
def head_tag(stage: Stage) -> None:
    """Save with the tag of HEAD, then with that of GET."""

    def storage(origin: Origin, request: Message) -> Reply | None:
        if request.method != "HEAD":
            return None
        resource = origin.resources[request.target]
        tag = f'"{int(resource.modified * 1000):x}-{len(resource.body)}"'
        return Reply(200, (("Content-Type", resource.media_type), ("ETag", tag)), resource.body)

    origin = stage.origin(Habits(emit_last_modified=False, problem="vendor"), hook=storage)
    path = "/media/intro.srt"
    origin.store(path, "1\n00:00:01,000 --> 00:00:02,000\nHello\n", "application/x-subrip")
    front = stage.front("nginx", stage.tap(origin.port))
    me = stage.client(front, "media.example.test", "go", {"Authorization": "Bearer subs"})
    kind = {"Content-Type": "application/x-subrip"}
    for word in ("Hi", "Welcome"):
        body = f"1\n00:00:01,000 --> 00:00:02,000\n{word}\n"
        head = me.send("HEAD", path)
        time.sleep(0.4)
        me.put(path, body, {"If-Match": head.etag, **kind})
        read = me.get(path)
        me.put(path, body, {"If-Match": read.etag, **kind})
        time.sleep(0.4)


@case(
    "d366",
    "weak-tags-and-a-strict-delete",
    "weak-only-origin",
    "412",
    alone="weak-only-origin",
    description=(
        "The service serves W/ tags for identity, without any intermediary, and compares strongly: PATCH "
        "and DELETE with the served tag are refused after each fresh read."
    ),
    client=(200, 412, 200, 412, 304),
    upstream=(200, 412, 200, 412, 304),
)
def weak_delete(stage: Stage) -> None:
    """Write with tags that cannot match."""
    origin = stage.origin(
        Habits(weak=True, tag=lambda one: f"{len(one.body):x}-{content_tag(one)[:11]}", problem="html")
    )
    path = "/api/coupons/WINTER"
    origin.store(path, {"code": "WINTER", "percent": 10})
    me = stage.client(stage.tap(origin.port), "shop.example.test", "curl", {"Accept-Encoding": "identity"})
    tag = me.get(path).etag
    me.send("PATCH", path, {"If-Match": tag, **_MERGE}, body='{"percent":15}')
    time.sleep(1.4)
    tag = me.get(path).etag
    me.send("DELETE", path, {"If-Match": tag})
    time.sleep(0.4)
    me.get(path, {"If-None-Match": tag})


@case(
    "d368",
    "linked-data-read-plain-patch",
    "representation-mismatch",
    "412",
    alone="representation-mismatch",
    description=(
        "The client reads application/ld+json, whose tag is of that form, and PATCHes the resource with "
        "Accept: application/json: 412. Read with the same Accept, the PATCH passes."
    ),
    client=(200, 412, 200, 200),
)
def linked_data(stage: Stage) -> None:
    """Read one form, write another."""
    path = "/catalog/books/77"

    def linked(origin: Origin, request: Message) -> Reply | None:
        if request.method != "GET" or "ld+json" not in (request.get("Accept") or ""):
            return None
        resource = origin.resources[path]
        body = json.dumps({"@context": "https://schema.org", **json.loads(resource.body)}).encode()
        kind = ("Content-Type", "application/ld+json")
        return Reply(200, (kind, ("ETag", f'"ld-{resource.version}"'), ("Vary", "Accept")), body)

    habits = Habits(tag=lambda one: f"js-{one.version}", read_fields=(("Vary", "Accept"),))
    origin = stage.origin(habits, hook=linked)
    origin.store(path, {"name": "Sea Routes", "isbn": "978-82-000-0000-1", "copies": 3})
    front = stage.front("haproxy", stage.tap(origin.port))
    me = stage.client(front, "library.example.test", "okhttp")
    tag = me.get(path, {"Accept": "application/ld+json"}).etag
    time.sleep(0.6)
    plain = {"Accept": "application/json", **_MERGE}
    me.send("PATCH", path, {"If-Match": tag, **plain}, body='{"copies":4}')
    tag = me.get(path, {"Accept": "application/json"}).etag
    me.send("PATCH", path, {"If-Match": tag, **plain}, body='{"copies":4}')


@case(
    "d369",
    "short-view-has-its-own-tag",
    "representation-mismatch",
    "412",
    alone="representation-mismatch wrong-token-source",
    description=(
        "GET ?fields=name returns a short view with a tag of its own; the PUT of the whole document with "
        "it is refused, with the tag of the full view it passes."
    ),
    client=(200, 412, 200, 200),
)
def short_view(stage: Stage) -> None:
    """Write with the tag of a selection."""
    path = "/staff/114"

    def view(origin: Origin, request: Message) -> Reply | None:
        if request.method != "GET" or "fields=" not in request.target:
            return None
        short = Resource(b'{"name":"Signe Holm"}', "application/json", origin.resources[path].version)
        fields = (("Content-Type", "application/json"), ("ETag", f'"{uuid_tag(short)}"'))
        return Reply(200, fields, short.body)

    origin = stage.origin(Habits(tag=uuid_tag, emit_last_modified=False), hook=view)
    person = {"name": "Signe Holm", "unit": "B4", "phone": "+47 22 00 00 00"}
    origin.store(path, person)
    front = stage.front("caddy", stage.tap(origin.port))
    me = stage.client(front, "staff.example.test", "axios", {"Authorization": "Bearer hr"})
    tag = me.get(f"{path}?fields=name").etag
    time.sleep(0.8)
    me.put(path, {**person, "unit": "C1"}, {"If-Match": tag})
    tag = me.get(path).etag
    me.put(path, {**person, "unit": "C1"}, {"If-Match": tag})


def _apache_dav(stage: Stage) -> int:
    directory = stage.directory()
    for name in ("files", "locks"):
        (directory / name).mkdir()
        (directory / name).chmod(0o777)
    body = (
        f"DocumentRoot {directory}/files\nDavLockDB {directory}/locks/db\n<Location />\nDav On\n</Location>\n"
    )
    return stage.apache(body, directory)


@case(
    "d370",
    "young-file-cannot-be-deleted",
    "weak-until-settled",
    "412",
    alone="weak-until-settled",
    description=(
        "A temporary file on Apache mod_dav is made, read and deleted within half a second: its tag is "
        "still weak and the DELETE is refused; two seconds later the same tag is strong and it passes."
    ),
    config=("Dav On",),
    client=(201, 200, 412, 200, 204),
)
def young_delete(stage: Stage) -> None:
    """Delete a file that is too young."""
    me = stage.client(stage.tap(_apache_dav(stage)), "scratch.example.test", "go")
    path = "/upload-7781.part"
    kind = {"Content-Type": "application/octet-stream"}
    me.put(path, octets(300, 9), kind)
    time.sleep(0.15)
    tag = me.send("HEAD", path).etag
    me.send("DELETE", path, {"If-Match": tag})
    time.sleep(2.0)
    tag = me.send("HEAD", path).etag
    me.send("DELETE", path, {"If-Match": tag})


@case(
    "d371",
    "typing-faster-than-the-clock",
    "weak-until-settled",
    "412",
    alone="weak-until-settled",
    description=(
        "An editor behind Envoy saves on Apache mod_dav after each word: saves within a second of the one "
        "before are refused for a weak tag; one after a pause with the same opaque text passes."
    ),
    config=("Dav On",),
    client=(201, 200, 412, 200, 412, 200, 204),
)
def typing(stage: Stage) -> None:
    """Save faster than the clock of the tags."""
    front = stage.front("envoy", stage.tap(_apache_dav(stage)))
    me = stage.client(front, "pad.example.test", "browser", {"Cookie": "pad=3"})
    kind = {"Content-Type": "text/plain"}
    me.put("/letter.txt", "Dear", kind)
    for pause in (0.1, 0.1, 1.9):
        time.sleep(pause)
        tag = me.get("/letter.txt").etag
        me.put("/letter.txt", "Dear Aunt", {"If-Match": tag, **kind})


@case(
    "d375",
    "counter-patched-and-refused",
    "post-commit-412",
    "412",
    alone="post-commit-412 intermediary-replay",
    description=(
        "The service writes first and checks If-Match against the new tag: the PATCH is answered 412 at "
        "once, the read shows its value and its request id."
    ),
    client=(200, 412, 200),
    upstream=(200, 412, 200),
)
def counter(stage: Stage) -> None:
    """Be refused after the change was made."""

    def late(origin: Origin, request: Message) -> Reply | None:
        return origin.refusal(412, "stale If-Match") if request.get("If-Match") else None

    origin = stage.origin(Habits(tag=uuid_tag, problem="vendor", lower=True), after_commit=late)
    path = "/meters/m-30"
    origin.store(path, {"meter": "m-30", "reading": 4410, "by": "req-0"})
    me = stage.client(stage.front("traefik", stage.tap(origin.port)), "meters.example.test", "dart")
    tag = me.get(path).etag
    time.sleep(0.7)
    me.send("PATCH", path, {"If-Match": tag, **_MERGE}, body='{"reading":4423,"by":"req-91c2"}')
    time.sleep(0.3)
    me.get(path)


@case(
    "d377",
    "two-patches-both-taken",
    "check-then-write-race",
    "lost-update",
    alone="none check-then-write-race",
    also="other-writer",
    description=(
        "Two cashiers PUT one drawer at the same time with one tag: both get 200, one's entry is gone. A "
        "third save with that old tag, alone, is refused."
    ),
    client=(200, 200, 200),
    other=(200, 200, 412),
)
def both_taken(stage: Stage) -> None:
    """Write at the same time over a gap between check and write."""
    origin = stage.origin(Habits(tag=version_tag, racy=True, write_delay=0.35))
    path = "/drawers/5"
    base = {"drawer": 5, "entries": ["float 200"]}
    origin.store(path, base)
    front = stage.front("nginx", stage.tap(origin.port))
    me = stage.client(front, "till.example.test", "okhttp", {"Authorization": "Bearer kim"})
    other = stage.other(front, "till.example.test", "okhttp", {"Authorization": "Bearer ove"})
    mine, theirs = me.get(path), other.get(path)
    time.sleep(0.4)
    me.together(
        [
            lambda: other.put(
                path, {"drawer": 5, "entries": ["float 200", "sale 35"]}, {"If-Match": theirs.etag}
            ),
            lambda: me.put(path, {"drawer": 5, "entries": ["float 200", "sale 90"]}, {"If-Match": mine.etag}),
        ],
        stagger=0.08,
    )
    time.sleep(0.8)
    me.get(path)
    other.put(path, {"drawer": 5, "entries": ["float 200", "sale 35", "sale 7"]}, {"If-Match": theirs.etag})


@case(
    "d378",
    "conditions-are-bad-requests",
    "unsupported-precondition",
    "400",
    alone="unsupported-precondition",
    description=(
        "A gateway answers 400 'conditional headers are not supported' to each PUT with If-Match, and to "
        "one with If-Unmodified-Since; without a condition it passes."
    ),
    client=(200, 400, 200, 400, 200),
)
def bad_requests(stage: Stage) -> None:
    """Try conditions that the service cannot do."""

    def refuse(_: Origin, request: Message) -> Reply | None:
        if request.method != "PUT" or not (request.get("If-Match") or request.get("If-Unmodified-Since")):
            return None
        text = b'{"error":"UnsupportedHeader","message":"Conditional headers are not supported here."}'
        return Reply(400, (("Content-Type", "application/json"),), text)

    origin = stage.origin(Habits(tag=number_tag), hook=refuse)
    path = "/legacy/tariffs/a"
    origin.store(path, {"tariff": "a", "price": 12})
    me = stage.client(stage.front("apache2", stage.tap(origin.port)), "tariffs.example.test", "powershell")
    read = me.get(path)
    me.put(path, {"tariff": "a", "price": 13}, {"If-Match": read.etag})
    time.sleep(0.7)
    read = me.get(path)
    me.put(path, {"tariff": "a", "price": 13}, {"If-Unmodified-Since": read.last_modified})
    time.sleep(0.5)
    me.put(path, {"tariff": "a", "price": 13})


@case(
    "d364",
    "segments-of-a-replaced-log",
    "read-changed-mid-transfer",
    "412",
    alone="read-changed-mid-transfer",
    description=(
        "A download in segments from nginx, each guarded by the date of HEAD; the file is replaced after "
        "the second segment: 412, HEAD shows another date and size, the download starts over."
    ),
    config=("nginx static file",),
    client=(200, 206, 206, 412, 200, 206, 206),
)
def segments(stage: Stage) -> None:
    """Read segments of a file that is replaced."""
    directory = stage.directory()
    files = directory / "files"
    files.mkdir()
    target = files / "trace.log"
    target.write_bytes(octets(3600, 11))
    os.utime(target, (time.time() - 9000, time.time() - 9000))
    front = stage.nginx(f"root {files};")
    me = stage.client(stage.tap(front), "logs.example.test", "java")
    date = me.send("HEAD", "/trace.log").last_modified
    for start in (0, 1200, 2400):
        if start == 2400:
            target.write_bytes(octets(4800, 12))
        me.get("/trace.log", {"Range": f"bytes={start}-{start + 1199}", "If-Unmodified-Since": date})
        time.sleep(0.4)
    date = me.send("HEAD", "/trace.log").last_modified
    for start in (0, 2400):
        me.get("/trace.log", {"Range": f"bytes={start}-{start + 2399}", "If-Unmodified-Since": date})
