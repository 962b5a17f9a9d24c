"""Healthy stories that look a little like trouble."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING

from tools.recording_apis.apps.vic_core import Box, Versions
from tools.recording_apis.stage import case
from tools.recording_apis.stories import vic_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.stage import Stage


@case(
    "e421",
    "dov-queue-board-that-really-moves",
    "none",
    "healthy",
    alone="none",
    description=(
        "A citizens' office board: the number that is called moves between most polls, so most are 200 with another tag "
        "and other content; where it stood still there is a 304. The clerk's saves go with the newest tag and pass."
    ),
)
def queue(stage: Stage) -> None:
    """Poll what moves."""
    docs = {"/tafel/aufruf": {"nr": 112, "platz": 4}, "/tafel/warten": {"wartende": 17, "minuten": 23}}
    box = Box({**docs, "/plaetze/4": {"platz": 4, "pause": False}}, lambda _p, doc: f'"{doc.digest()[:10]}"')
    server = place.open_box(stage, box, "tornado")
    me = stage.actor("client", server, "tafel.buergeramt.example", "aiohttp", {"X-User": "platz-4"})
    place.chores(me, "uc")
    held = {path: me.get(path) for path in docs}
    for turn in range(7):
        if turn != 3:
            with box.lock:
                box.store("/tafel/aufruf", {"nr": 113 + turn, "platz": 1 + turn % 5}, "aufruf")
                box.store("/tafel/warten", {"wartende": 16 - turn, "minuten": 22 - turn}, "aufruf")
        for path, old in held.items():
            got = me.get(path, 304 if turn == 3 else 200, {"If-None-Match": old.etag})
            held[path] = got if got.status == 200 else old
        if turn in {2, 5}:
            desk = me.get("/plaetze/4")
            me.put("/plaetze/4", {"platz": 4, "pause": turn == 2}, 200, {"If-Match": desk.etag})
        place.rest(0.25)


@case(
    "e427",
    "dov-labels-made-and-thrown-away",
    "none",
    "healthy",
    alone="none",
    description=(
        "A pathology bench makes label sheets under If-None-Match: *, reads whether they are there before (404), changes, "
        "deletes under the newest tag and makes one of the same name again: 201, since it was gone."
    ),
)
def labels(stage: Stage) -> None:
    """Make, delete and make again."""
    box = Box(
        {"/etiketten/vorlage": {"zeilen": 3}}, lambda _p, doc: f'"{doc.rev}-{doc.digest()[:8]}"', need=428
    )
    server = place.open_box(stage, box, "starlette")
    me = stage.actor("client", server, "etiketten.pathologie.example", "node:fetch", {"X-User": "bank-2"})
    other = stage.actor("other", server, "etiketten.pathologie.example", "requests", {"X-User": "bank-5"})
    me.get("/etiketten/vorlage")
    tags = {}
    for n in (1, 2, 3):
        me.get(f"/etiketten/P26-{n}", 404)
        tags[n] = me.put(
            f"/etiketten/P26-{n}", {"probe": n, "faerbung": "HE"}, 201, {"If-None-Match": "*"}
        ).etag
        place.rest(0.2)
    tags[2] = me.put("/etiketten/P26-2", {"probe": 2, "faerbung": "PAS"}, 200, {"If-Match": tags[2]}).etag
    other.get("/etiketten/P26-2", 304, {"If-None-Match": tags[2]})
    other.put("/etiketten/P26-9", {"probe": 9}, 201, {"If-None-Match": "*"})
    for n in (1, 2):
        me.send("DELETE", f"/etiketten/P26-{n}", 204, {"If-Match": tags[n]})
    me.get("/etiketten/P26-1", 404)
    place.rest(0.6)
    again = me.put("/etiketten/P26-1", {"probe": 1, "faerbung": "Giemsa"}, 201, {"If-None-Match": "*"}).etag
    me.get("/etiketten/P26-1", 304, {"If-None-Match": again})
    place.sure(me.get("/etiketten").json["count"] == 4)


@case(
    "e433",
    "dov-scans-read-in-pieces-under-one-tag",
    "none",
    "healthy",
    alone="none",
    description=(
        "moto's S3 and boto3: objects are made under If-None-Match, replaced under the tag of the last answer, and one is "
        "read in pieces under If-Match, all of one tag, while a colleague writes other keys beside it."
    ),
)
def scans(stage: Stage) -> None:
    """Read in pieces what stands still."""
    server = stage.server("moto")
    mine, theirs = place.Lake(stage, "client", server), place.Lake(stage, "other", server)
    theirs.call(
        "create_bucket", Bucket="scans", CreateBucketConfiguration={"LocationConstraint": "eu-west-3"}
    )
    body = bytes(range(250)) * 24
    tag = mine.call("put_object", Bucket="scans", Key="2026/herbar-0041.tif", Body=body, IfNoneMatch="*")[
        "ETag"
    ]
    mine.call("put_object", Bucket="scans", Key="2026/herbar-0042.tif", Body=body[:500], IfNoneMatch="*")
    seen = b""
    for at in range(0, 6000, 1500):
        span = f"bytes={at}-{at + 1499}"
        got = mine.call("get_object", Bucket="scans", Key="2026/herbar-0041.tif", Range=span, IfMatch=tag)
        seen += got["Body"].read()
        theirs.call(
            "put_object",
            Bucket="scans",
            Key=f"2026/herbar-00{50 + at // 1500}.tif",
            Body=b"II*" + span.encode(),
        )
    place.sure(seen == body)
    now = mine.call("head_object", Bucket="scans", Key="2026/herbar-0042.tif")
    mine.call("put_object", Bucket="scans", Key="2026/herbar-0042.tif", Body=body[:900], IfMatch=now["ETag"])
    mine.call("get_object", "304", Bucket="scans", Key="2026/herbar-0041.tif", IfNoneMatch=tag)
    mine.call("list_objects_v2", Bucket="scans", Prefix="2026/")


@case(
    "e439",
    "dov-shift-book-saved-side-by-side",
    "none",
    "healthy",
    alone="none",
    description=(
        "A dairy's shift book with X-Stand: the foreman's tool saves two different pages at once, each with its own "
        "newest stand, then each again with the stand of its answer; a colleague changes a third. All pass, nothing is lost."
    ),
)
def shifts(stage: Stage) -> None:
    """Save two pages at once."""
    docs = {f"/schichtbuch/{n}": {"tank": n, "grad": 4.1, "eintrag": ""} for n in ("t1", "t2", "t3")}
    box = Versions(
        docs, "X-Stand", "header", version=lambda doc: f"{doc.rev}.{doc.digest()[:3]}", need=428, first=20
    )
    box.done.append(lambda _req, _path: time.sleep(0.08))
    server = place.open_box(stage, box, "cheroot")
    me = stage.actor("client", server, "schicht.molkerei.example", "httpx", {"X-User": "meister"})
    other = stage.actor("other", server, "schicht.molkerei.example", "urllib", {"X-User": "labor"})
    place.chores(me, "uj")
    held = {n: me.get(f"/schichtbuch/{n}") for n in ("t1", "t2")}
    for turn in range(3):
        calls = [
            partial(
                me.put,
                f"/schichtbuch/{n}",
                {**old.json, "eintrag": f"Runde {turn}"},
                200,
                {"X-Stand": old.fields["x-stand"]},
            )
            for n, old in held.items()
        ]
        held = dict(zip(held, place.at_once(*calls), strict=True))
        seen = other.get("/schichtbuch/t3")
        other.put(
            "/schichtbuch/t3",
            {**seen.json, "grad": 4.0 + turn / 10},
            200,
            {"X-Stand": seen.fields["x-stand"]},
        )
        place.rest(0.4)
    place.sure(me.get("/schichtbuch/t2").json["eintrag"] == "Runde 2")
    place.chores(me, "t")
    me.get("/schichtbuch/t3")
