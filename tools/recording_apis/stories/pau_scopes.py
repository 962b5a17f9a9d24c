"""Tokens of another thing, and tokens that guard more than the thing that is edited."""

from __future__ import annotations

import time

from tools.recording_apis import fronts
from tools.recording_apis.apps.pau_bodies import Zotero
from tools.recording_apis.apps.pau_google import Compute
from tools.recording_apis.apps.pau_tagged import Tagged
from tools.recording_apis.stage import Stage, case
from tools.recording_apis.stories import pau_setting as place
from tools.recording_apis.stories.pau_setting import bearer, must, pause


@case(
    "b672",
    "pau-fingerprint-of-the-instance",
    "wrong-token-source",
    "412",
    alone="wrong-token-source",
    synthetic=True,
    description=(
        "setMetadata is called with the instance's own fingerprint in place of metadata.fingerprint of the same "
        "answer: conditionNotMet, twice, each after a fresh read."
    ),
)
def fingerprint(stage: Stage) -> None:
    """Take the fingerprint of something else."""
    path = "/compute/v1/projects/harbour/zones/eu-a/instances/gate-1"
    data = {"labels": {"env": "prod"}, "metadata": [{"key": "ssh-keys", "value": "ops:ssh-ed25519 AAAA"}]}
    product = Compute({path: data})
    server = place.api(stage, product, "Compute Engine", "waitress")
    user = {"User-Agent": "google-api-python-client/2.150 (gzip)"}
    front = fronts.encrypted(stage, server)
    me = stage.actor("client", front, "compute.googleapis.test", "http2", bearer("teleport", **user))
    place.beside(me, "l")
    me.get("/compute/v1/projects/harbour/zones/eu-a/instances")
    for _ in range(2):
        seen = me.get(path).json
        new = [*seen["metadata"]["items"], {"key": "enable-oslogin", "value": "TRUE"}]
        me.send("POST", f"{path}/setMetadata", 412, None, {"fingerprint": seen["fingerprint"], "items": new})
        pause(0.5)
    place.beside(me, "s")


@case(
    "b673",
    "pau-task-tag-for-its-details",
    "wrong-token-source",
    "412",
    alone="wrong-token-source",
    synthetic=True,
    description=(
        "A bot changes a task's title with the task's @odata.etag, which works, and then its description, which lies "
        "in another resource, with the task's newest tag too: 412. The details' own tag, read at last, works."
    ),
)
def details(stage: Stage) -> None:
    """Use a task's tag for its details."""
    path = "/v1.0/planner/tasks/01gzSlKkIUSUl6DF"
    product = Tagged(
        "planner", {path: {"title": "Ice check"}, f"{path}/details": {"description": "Pier 3"}}, first=5
    )
    product.extra["GET /v1.0/me"] = place.said({"displayName": "Bot", "id": "b0"})
    server = place.api(stage, product, "Planner", "cheroot")
    me = stage.actor(
        "client",
        server,
        "graph.microsoft.test",
        "requests",
        bearer("bot", SdkVersion="graph-python/1.12"),
    )
    me.get("/v1.0/me")
    tag = me.get(path).json["@odata.etag"]
    me.send("PATCH", path, 204, {"If-Match": tag}, {"title": "Ice check, daily"})
    tag = me.get(path).json["@odata.etag"]
    pause()
    me.send("PATCH", f"{path}/details", 412, {"If-Match": tag}, {"description": "Pier 3 and 4"})
    own = me.get(f"{path}/details").json["@odata.etag"]
    me.send("PATCH", f"{path}/details", 204, {"If-Match": own}, {"description": "Pier 3 and 4"})


@case(
    "b674",
    "pau-library-moved-by-other-items",
    "coarse-token-scope",
    "412",
    alone="coarse-token-scope",
    also="other-writer",
    synthetic=True,
    description=(
        "A group library has one version for all items. A colleague files two other articles, and the write of an "
        "untouched item is 412 (expected 503, found 505); read again, the item has its old version."
    ),
)
def library(stage: Stage) -> None:
    """Be refused for others' items."""
    base = "/groups/4417/items/"
    product = Zotero(
        {base + n: {"itemType": "journalArticle", "title": n} for n in ("AB2C", "KQ7P", "ZZ9T")}, first=500
    )
    server = place.api(stage, product, "Zotero", "uvicorn")
    always = {"Zotero-API-Version": "3", "Zotero-API-Key": "fake"}
    me = stage.actor(
        "client", server, "api.zotero.test", "requests", {**always, "User-Agent": "Pyzotero/1.6"}
    )
    other = stage.actor("other", server, "api.zotero.test", "httpx", always)
    place.beside(me, "a")
    listed = me.get(base.rstrip("/")).fields["last-modified-version"]
    item = me.get(f"{base}AB2C").json
    for name in ("KQ7P", "ZZ9T"):
        now = other.get(base.rstrip("/")).fields["last-modified-version"]
        other.send(
            "PATCH", base + name, 204, {"If-Unmodified-Since-Version": now}, {"title": f"{name} (scan)"}
        )
    pause(0.4)
    place.beside(me, "t")
    me.send("PATCH", f"{base}AB2C", 412, {"If-Unmodified-Since-Version": listed}, {"tags": [{"tag": "read"}]})
    must(me.get(f"{base}AB2C").json["version"] == item["version"], "the item has moved")
    time.sleep(0.2)
    now = me.get(f"{base.rstrip('/')}?since={listed}").fields["last-modified-version"]
    me.send("PATCH", f"{base}AB2C", 204, {"If-Unmodified-Since-Version": now}, {"tags": [{"tag": "read"}]})
