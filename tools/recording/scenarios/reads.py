"""Representations, redirects and ranges."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from tools.recording.origin import Habits, Origin, Reply, Resource, content_tag, version_tag
from tools.recording.scenarios.material import octets
from tools.recording.stage import Stage, case

if TYPE_CHECKING:
    from tools.recording.message import Message


def _negotiated(
    stage: Stage, field: str, variants: dict[str, bytes], default: str, habits: Habits | None = None
) -> Origin:
    """Return an origin whose documents have a tag of their own for each value of a request field."""

    def pick(origin: Origin, request: Message) -> Reply | None:
        wanted = next((name for name in variants if name in (request.get(field) or "")), default)
        resource = origin.resources[request.target]
        version = resource.version
        etag = f'"{content_tag(Resource(variants[wanted], ""))[:10]}-{version}"'
        if request.method == "GET":
            kind = wanted if "/" in wanted else resource.media_type
            return Reply(200, (("Content-Type", kind), ("ETag", etag), ("Vary", field)), variants[wanted])
        if request.get("If-Match") not in {etag, None}:
            return origin.refusal(412, "If-Match does not match the selected representation")
        origin.commit(request.target, request.body)
        return Reply(204)

    return stage.origin(habits or Habits(emit_last_modified=False), hook=pick)


@case(
    "d182",
    "html-read-json-write",
    "representation-mismatch",
    "412",
    alone="representation-mismatch",
    description=(
        "The page reads a recipe as HTML and writes JSON: the tag of the HTML variant is compared with "
        "the JSON one. Read as JSON, the same write passes."
    ),
    client=(200, 412, 200, 204),
)
def html_json(stage: Stage) -> None:
    """Read one media type, write another."""
    variants = {
        "text/html": b"<article><h1>Dal</h1></article>",
        "application/json": b'{"title":"Dal","serves":4}',
    }
    origin = _negotiated(stage, "Accept", variants, "application/json")
    path = "/recipes/dal"
    origin.store(path, variants["application/json"])
    me = stage.client(stage.front("nginx", stage.tap(origin.port)), "recipes.example.test", "browser")
    read = me.get(path, {"Accept": "text/html,application/xhtml+xml"})
    time.sleep(1.3)
    me.put(path, {"title": "Dal", "serves": 6}, {"If-Match": read.etag, "Accept": "application/json"})
    read = me.get(path, {"Accept": "application/json"})
    me.put(path, {"title": "Dal", "serves": 6}, {"If-Match": read.etag, "Accept": "application/json"})


@case(
    "d183",
    "french-page-default-write",
    "representation-mismatch",
    "412",
    alone="representation-mismatch",
    description=(
        "A translator reads the French variant; the upload job sends no Accept-Language and is compared "
        "with the English one."
    ),
    client=(200, 412, 200, 412, 200),
)
def french(stage: Stage) -> None:
    """Read French, write without a language."""
    variants = {"fr": "Règlement intérieur, article 1\n".encode(), "en": b"House rules, article 1\n"}
    origin = _negotiated(stage, "Accept-Language", variants, "en")
    path = "/rules/house.txt"
    origin.store(path, variants["en"], "text/plain; charset=utf-8")
    me = stage.client(stage.front("apache2", stage.tap(origin.port)), "rules.example.test", "curl")
    for _ in range(2):
        read = me.get(path, {"Accept-Language": "fr-FR,fr;q=0.9"})
        time.sleep(0.8)
        me.put(
            path,
            "Règlement intérieur, article 2\n",
            {"If-Match": read.etag, "Content-Type": "text/plain; charset=utf-8"},
        )
    me.get(path)


@case(
    "d184",
    "version-header-differs",
    "representation-mismatch",
    "412",
    alone="representation-mismatch",
    description=(
        "Reads ask for Api-Version 2025-01, writes for 2024-06 (two halves of one SDK): the tags differ "
        "by version of the representation."
    ),
    client=(200, 412, 200, 204),
)
def version_header(stage: Stage) -> None:
    """Read one version of the representation, write another."""
    variants = {"2025-01": b'{"account":{"id":5,"tier":"gold"}}', "2024-06": b'{"id":5,"tier":"gold"}'}
    origin = _negotiated(stage, "Api-Version", variants, "2024-06", Habits(problem="vendor"))
    path = "/accounts/5"
    origin.store(path, variants["2024-06"])
    me = stage.client(stage.front("envoy", stage.tap(origin.port)), "accounts.example.test", "go")
    read = me.get(path, {"Api-Version": "2025-01"})
    time.sleep(0.5)
    me.put(path, {"id": 5, "tier": "platinum"}, {"If-Match": read.etag, "Api-Version": "2024-06"})
    time.sleep(0.9)
    read = me.get(path, {"Api-Version": "2024-06"})
    me.put(path, {"id": 5, "tier": "platinum"}, {"If-Match": read.etag, "Api-Version": "2024-06"})


@case(
    "d185",
    "apache-ranged-guarded",
    "read-changed-mid-transfer",
    "412",
    alone="read-changed-mid-transfer",
    description=(
        "A map tile archive on Apache is fetched in parts, each with If-Match; a deployment replaces it "
        "between the parts: 412, and the HEAD shows another size and tag."
    ),
    config=("Apache static file",),
    client=(206, 206, 412, 200),
)
def ranged_guarded(stage: Stage) -> None:
    """Fetch parts of a file that is replaced."""
    directory = stage.directory()
    files = directory / "files"
    files.mkdir()
    archive = files / "tiles.mbt"
    archive.write_bytes(octets(6000, 21))
    os.utime(archive, (time.time() - 7200, time.time() - 7200))
    front = stage.tap(stage.apache(f"DocumentRoot {files}\n", directory))
    me = stage.client(front, "tiles.example.test", "aiohttp")
    first = me.get("/tiles.mbt", {"Range": "bytes=0-1999", "Accept-Encoding": "identity"})
    me.get("/tiles.mbt", {"Range": "bytes=2000-3999", "If-Match": first.etag, "Accept-Encoding": "identity"})
    replacement = files / "tiles.new"
    replacement.write_bytes(octets(6400, 22))
    os.utime(replacement, (time.time() - 30, time.time() - 30))
    replacement.replace(archive)
    time.sleep(0.7)
    me.get("/tiles.mbt", {"Range": "bytes=4000-5999", "If-Match": first.etag, "Accept-Encoding": "identity"})
    me.send("HEAD", "/tiles.mbt")


@case(
    "d186",
    "ranged-unguarded-splice",
    "read-changed-mid-transfer",
    "wrong-206",
    alone="read-changed-mid-transfer",
    description=(
        "The same without any guard, behind nginx: three parts, two different tags and totals, all 206; "
        "the joined file is neither version."
    ),
    client=(206, 206, 206),
)
def ranged_unguarded(stage: Stage) -> None:
    """Splice parts of two versions."""
    origin = stage.origin(Habits(read_only_ranges=True))
    path = "/episodes/041.mp3"
    origin.store(path, octets(5400, 31), "audio/mpeg", age=90000)
    me = stage.client(stage.front("nginx", stage.tap(origin.port)), "audio.example.test", "urlsession")
    for turn, first in enumerate((0, 1800, 3600)):
        me.get(path, {"Range": f"bytes={first}-{first + 1799}"})
        time.sleep(0.5)
        if turn == 1:
            origin.commit(path, octets(5700, 32))


@case(
    "d187",
    "if-range-not-honoured",
    "precondition-ignored",
    "wrong-206",
    alone="precondition-ignored read-changed-mid-transfer server-precondition-bug",
    also="read-changed-mid-transfer",
    description=(
        "A resumed download guards with If-Range; the server never looks at it and sends the rest of the "
        "new file as 206 with another tag."
    ),
    client=(206, 206),
)
def if_range_ignored(stage: Stage) -> None:
    """Resume into another version."""
    origin = stage.origin(Habits(read_only_ranges=True, ignore_if_range=True, tag=version_tag, lower=True))
    path = "/iso/rescue.img"
    origin.store(path, octets(4000, 41), "application/octet-stream")
    me = stage.client(stage.tap(origin.port), "mirror.example.test", "curl")
    first = me.get(path, {"Range": "bytes=0-2499"})
    origin.commit(path, octets(4000, 42))
    time.sleep(1.8)
    me.get(path, {"Range": "bytes=2500-", "If-Range": first.etag})


@case(
    "d188",
    "moved-permanently-post-becomes-get",
    "redirect-rewrites-request",
    "lost-write",
    alone="redirect-rewrites-request",
    description=(
        "The old address answers 301 to a POST with If-Match; the client follows with a GET as browsers "
        "do: 200, nothing is stored."
    ),
    config=("return 301",),
    client=(200, 301, 200),
    upstream=(200, 200),
)
def post_becomes_get(stage: Stage) -> None:
    """Follow a 301 with a GET."""
    origin = stage.origin(Habits(tag=version_tag))
    origin.store("/app/notes/3", {"id": 3, "text": "call Per"})
    tap = stage.tap(origin.port)
    front = stage.nginx(
        f"location /app/ {{ proxy_pass http://127.0.0.1:{tap}; proxy_set_header Host $http_host; }}\n"
        "location /old/ { rewrite ^/old/(.*)$ http://notes.example.test/app/$1 permanent; }"
    )
    me = stage.client(front, "notes.example.test", "browser", {"Cookie": "n=1"})
    read = me.get("/app/notes/3")
    time.sleep(0.9)
    me.send("POST", "/old/notes/3", {"If-Match": read.etag}, body={"id": 3, "text": "call Per on Friday"})
    me.get("/app/notes/3", {"If-Match": read.etag})


@case(
    "d189",
    "see-other-region-host",
    "redirect-rewrites-request",
    "lost-write",
    alone="redirect-rewrites-request",
    description=(
        "A PUT to the global host is answered 302 with the region's host; the client follows with GET "
        "and without its condition and body, twice, and reports success."
    ),
    client=(200, 302, 200, 302, 200),
)
def region_host(stage: Stage) -> None:
    """Follow a 302 to another host."""
    region = stage.origin(Habits(fields=(("X-Region", "eu-north"),)))
    path = "/v1/robots/r2/mission"
    region.store(path, {"robot": "r2", "mission": "dock"})
    place = (("Location", f"http://eu.robots.example.test{path}"),)
    world = stage.origin(Habits(), hook=lambda _, __: Reply(302, place))
    eu, anywhere = stage.tap(region.port, "upstream-region"), stage.tap(world.port, "upstream-global")
    me = stage.client(anywhere, "robots.example.test", "requests", {"Accept": "application/json"})
    read = me.get(path, host="eu.robots.example.test", port=eu)
    for mission in ("patrol", "patrol"):
        me.put(path, {"robot": "r2", "mission": mission}, {"If-Match": read.etag})
        me.get(path, host="eu.robots.example.test", port=eu)
        time.sleep(1.2)
