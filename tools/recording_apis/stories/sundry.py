"""More of the same servers: damaged tags, dates, downloads without a guard, locks that are waited for."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tools.recording_apis.stage import Stage, case
from tools.recording_apis.stories.caldav import event, furnished, phone
from tools.recording_apis.stories.webdav import lock

if TYPE_CHECKING:
    from collections.abc import Mapping

_ICS: Mapping[str, str] = {"Content-Type": "text/calendar; charset=utf-8"}


@case(
    "a275",
    "webdav-423-waited-for",
    "lease-or-lock",
    "recovered",
    alone="lease-or-lock",
    description="The upload meets a colleague's lock (423), waits, and succeeds once it has been given back.",
)
def waited(stage: Stage) -> None:
    """Wait for a lock."""
    dav = stage.server("wsgidav")
    (dav.directory / "budget.csv").write_text("item,sum\nrent,900\n")
    me = stage.actor("client", dav, "files.example.test", "httpx")
    other = stage.actor("other", dav, "files.example.test")
    tag = me.get("/budget.csv").etag
    token = lock(other, "/budget.csv", "mia")
    for _ in range(2):
        me.put("/budget.csv", "item,sum\nrent,950\n", 423, {"If-Match": tag})
        time.sleep(0.7)
    other.send("UNLOCK", "/budget.csv", 204, {"Lock-Token": f"<{token}>"})
    me.put("/budget.csv", "item,sum\nrent,950\n", 204, {"If-Match": tag})


@case(
    "a276",
    "webdav-quoted-undefined",
    "null-token",
    "412",
    alone="null-token",
    description=(
        'A template fills in a missing variable: If-Match: "undefined", in quotes and therefore well-formed.'
    ),
)
def undefined(stage: Stage) -> None:
    """Send a quoted nothing."""
    dav = stage.server("wsgidav")
    (dav.directory / "notes.txt").write_text("one\n")
    me = stage.actor("client", dav, "files.example.test", "curl")
    me.get("/notes.txt")
    me.put("/notes.txt", "one\ntwo\n", 412, {"If-Match": '"undefined"'})


@case(
    "a277",
    "caldav-escaped-quotes",
    "malformed-validator",
    "412",
    alone="malformed-validator",
    description=(
        "The tag was cut out of the XML listing with its entities: &quot;...&quot; goes into If-Match."
    ),
)
def escaped(stage: Stage) -> None:
    """Keep the XML escapes."""
    server = furnished(stage, "yoga")
    me = phone(stage, server, agent="minical/0.3")
    path = "/anna/office/yoga.ics"
    tag = me.get(path).etag
    damaged = tag.replace('"', "&quot;")
    me.put(path, event("yoga", "Yoga, room 2"), 412, {**_ICS, "If-Match": damaged})
    me.get(path)


@case(
    "a278",
    "registry-tag-if-match-ignored",
    "precondition-ignored",
    "lost-update",
    alone="none precondition-ignored",
    description=(
        "Two pipelines move one image tag with If-Match; the registry does not look at it, so the second, "
        "outdated push is accepted and the first one's image is untagged."
    ),
)
def registry(stage: Stage) -> None:
    """Guard where nobody looks."""
    server = stage.server("docker-registry")
    kind = "application/vnd.oci.image.index.v1+json"

    def index(pipeline: str) -> dict[str, object]:
        text: dict[str, object] = {"schemaVersion": 2, "mediaType": kind, "manifests": []}
        return {**text, "annotations": {"org.opencontainers.image.source": pipeline}}

    me = stage.actor("client", server, "registry.example.test", "requests", {"Accept": kind})
    other = stage.actor("other", server, "registry.example.test", "httpx", {"Accept": kind})
    path, fields = "/v2/shop/api/manifests/stable", {"Content-Type": kind}
    other.put(path, index("nightly"), 201, fields)
    tag, theirs = me.get(path).etag, other.get(path).etag
    other.put(path, index("pipeline-b"), 201, {**fields, "If-Match": theirs})
    time.sleep(0.5)
    me.put(path, index("pipeline-a"), 201, {**fields, "If-Match": tag})
    other.get(path)


@case(
    "a279",
    "tomcat-date-other-writer",
    "other-writer",
    "412",
    alone="other-writer",
    description=(
        "A page of a site was replaced after it had been read; the PUT under If-Unmodified-Since is refused."
    ),
)
def date(stage: Stage) -> None:
    """Guard with a date."""
    server = stage.server("tomcat")
    (server.directory / "webapps" / "ROOT" / "about.html").write_text("<p>About us</p>\n")
    me = stage.actor("client", server, "site.example.test", "httpx")
    other = stage.actor("other", server, "site.example.test")
    moment = me.get("/about.html").fields["last-modified"]
    time.sleep(2.2)
    theirs = other.get("/about.html").fields["last-modified"]
    other.put("/about.html", "<p>About all of us</p>\n", 204, {"If-Unmodified-Since": theirs})
    time.sleep(0.6)
    me.put("/about.html", "<p>About us, 2026</p>\n", 412, {"If-Unmodified-Since": moment})
    me.get("/about.html")


@case(
    "a280",
    "express-unguarded-ranges",
    "read-changed-mid-transfer",
    "wrong-content",
    alone="read-changed-mid-transfer",
    description=(
        "A download in two ranges without If-Range or If-Match; the file was replaced in between, so the "
        "halves belong to different versions, as their tags show."
    ),
)
def halves(stage: Stage) -> None:
    """Join halves of two files."""
    server = stage.server("express")
    file = server.directory / "public" / "data.csv"
    file.write_text("old,line\n" * 200)
    me = stage.actor("client", server, "memo.example.test", "curl")
    me.send("GET", "/files/data.csv", 206, {"Range": "bytes=0-899"})
    time.sleep(1.1)
    file.write_text("new,row!\n" * 200)
    me.send("GET", "/files/data.csv", 206, {"Range": "bytes=900-1799"})


@case(
    "a281",
    "express-if-range-restarts-healthy",
    "none",
    "healthy",
    alone="none",
    description="If-Range with the old date meets a changed file: 200 with the whole, as it should be.",
)
def restarts(stage: Stage) -> None:
    """Start over when the file has changed."""
    server = stage.server("express")
    file = server.directory / "public" / "data.csv"
    file.write_text("old,line\n" * 200)
    me = stage.actor("client", server, "memo.example.test", "requests")
    first = me.send("GET", "/files/data.csv", 206, {"Range": "bytes=0-899"})
    time.sleep(1.6)
    file.write_text("new,row!\n" * 200)
    guard = {"Range": "bytes=900-1799", "If-Range": first.fields["last-modified"]}
    me.send("GET", "/files/data.csv", 200, guard)


@case(
    "a283",
    "webdav-delete-twice-healthy",
    "none",
    "healthy",
    alone="none",
    description=(
        "A mirror deletes what is gone in its source; one file has vanished already: 404, as good as done."
    ),
)
def twice(stage: Stage) -> None:
    """Delete what may be gone."""
    dav = stage.server("wsgidav")
    for name in ("a.txt", "b.txt"):
        (dav.directory / name).write_text(name)
    me = stage.actor("client", dav, "files.example.test", "aiohttp")
    for name, status in (("a.txt", 204), ("gone.txt", 404), ("b.txt", 204)):
        me.send("DELETE", f"/{name}", status)
    me.put("/c.txt", "c", 201, {"If-None-Match": "*"})
