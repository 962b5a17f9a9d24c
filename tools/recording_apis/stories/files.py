"""Tomcat's files and the Docker registry's blobs and manifests."""

from __future__ import annotations

import hashlib
import json
import time
from typing import TYPE_CHECKING

from tools.recording_apis.stage import Stage, case

if TYPE_CHECKING:
    from tools.recording_apis.actors import Actor


@case(
    "a190",
    "tomcat-weak-only",
    "weak-only-origin",
    "412",
    alone="weak-only-origin",
    description="Tomcat's default servlet knows weak tags only and compares If-Match strongly: always 412.",
)
def weak_only(stage: Stage) -> None:
    """Send back what was received."""
    server = stage.server("tomcat")
    (server.directory / "webapps" / "ROOT" / "menu.txt").write_text("Monday: soup\n")
    time.sleep(1.2)
    me = stage.actor("client", server, "canteen.example.test", "curl")
    tag = me.get("/menu.txt").etag
    me.put("/menu.txt", "Monday: soup\nTuesday: rice\n", 412, {"If-Match": tag})
    tag = me.get("/menu.txt", 200, {"Accept-Encoding": "identity"}).etag
    me.put("/menu.txt", "Monday: soup\nTuesday: rice\n", 412, {"If-Match": tag})


@case(
    "a191",
    "tomcat-weak-tag-without-prefix",
    "weak-only-origin",
    "412",
    alone="weak-only-origin malformed-validator",
    also="malformed-validator",
    description="The client cuts W/ off the weak tag, hoping for a strong one; Tomcat refuses that as well.",
)
def cut(stage: Stage) -> None:
    """Cut the prefix off."""
    server = stage.server("tomcat")
    (server.directory / "webapps" / "ROOT" / "rota.csv").write_text("day,who\nmon,ida\n")
    time.sleep(1.2)
    me = stage.actor("client", server, "canteen.example.test", "requests")
    tag = me.get("/rota.csv").etag
    me.put("/rota.csv", "day,who\nmon,per\n", 412, {"If-Match": tag})
    me.get("/rota.csv")
    me.put("/rota.csv", "day,who\nmon,per\n", 412, {"If-Match": tag.removeprefix("W/")})


@case(
    "a192",
    "tomcat-unquoted-400",
    "malformed-validator",
    "400",
    alone="malformed-validator",
    description="If-Match without quotes is 400 from Tomcat.",
)
def unquoted(stage: Stage) -> None:
    """Leave the quotes away."""
    server = stage.server("tomcat")
    (server.directory / "webapps" / "ROOT" / "menu.txt").write_text("Monday: soup\n")
    me = stage.actor("client", server, "canteen.example.test", "httpx")
    bare = me.get("/menu.txt").etag.removeprefix("W/").strip('"')
    me.put("/menu.txt", "Monday: stew\n", 400, {"If-Match": bare})


@case(
    "a193",
    "tomcat-dates-healthy",
    "none",
    "healthy",
    alone="none",
    description="Files of a site are read with 304s and replaced under If-Unmodified-Since.",
)
def dates(stage: Stage) -> None:
    """Guard with dates."""
    server = stage.server("tomcat")
    (server.directory / "webapps" / "ROOT" / "menu.txt").write_text("Monday: soup\n")
    me = stage.actor("client", server, "canteen.example.test", "httpx")
    time.sleep(1.2)
    read = me.get("/menu.txt")
    me.get("/menu.txt", 304, {"If-None-Match": read.etag})
    me.get("/menu.txt", 304, {"If-Modified-Since": read.fields["last-modified"]})
    me.put("/menu.txt", "Monday: stew\n", 204, {"If-Unmodified-Since": read.fields["last-modified"]})
    time.sleep(1.1)
    me.get("/menu.txt", 200, {"If-None-Match": read.etag})


def _push_blob(actor: Actor, content: bytes) -> str:
    digest = "sha256:" + hashlib.sha256(content).hexdigest()
    begun = actor.send("POST", "/v2/shop/api/blobs/uploads/", 202)
    place = begun.fields["location"].partition(actor.host)[2]
    joint = "&" if "?" in place else "?"
    fields = {"Content-Type": "application/octet-stream"}
    actor.put(f"{place}{joint}digest={digest.replace(':', '%3A')}", content, 201, fields)
    return digest


@case(
    "a194",
    "registry-push-pull-healthy",
    "none",
    "healthy",
    alone="none",
    description=(
        "An image is pushed, layers that exist are skipped, the manifest is polled with 304s and pulled."
    ),
)
def registry(stage: Stage) -> None:
    """Push and pull an image."""
    server = stage.server("docker-registry")
    me = stage.actor("client", server, "registry.example.test", "requests", {"User-Agent": "docker/27.3.1"})
    layers = [b"layer one" * 40, b"layer two" * 50, b'{"architecture":"amd64"}']
    digests = []
    for layer in layers:
        digest = "sha256:" + hashlib.sha256(layer).hexdigest()
        me.send("HEAD", f"/v2/shop/api/blobs/{digest}", 404)
        digests.append(_push_blob(me, layer))
    me.send("HEAD", f"/v2/shop/api/blobs/{digests[0]}", 200)
    kind = "application/vnd.docker.distribution.manifest.v2+json"
    manifest = {
        "schemaVersion": 2,
        "mediaType": kind,
        "config": {"mediaType": "application/json", "size": len(layers[2]), "digest": digests[2]},
        "layers": [
            {"mediaType": "application/octet-stream", "size": len(layer), "digest": digest}
            for layer, digest in zip(layers[:2], digests[:2], strict=True)
        ],
    }
    text = json.dumps(manifest)
    me.put("/v2/shop/api/manifests/1.4", text, 201, {"Content-Type": kind})
    tag = me.get("/v2/shop/api/manifests/1.4", 200, {"Accept": kind}).etag
    for _ in range(2):
        me.get("/v2/shop/api/manifests/1.4", 304, {"Accept": kind, "If-None-Match": tag})
    me.get(f"/v2/shop/api/blobs/{digests[0]}")
    me.put("/v2/shop/api/manifests/1.4", text, 201, {"Content-Type": kind})
