"""What the services themselves get wrong: tags, versions, their comparison, and the order of things."""

from __future__ import annotations

import time

from tools.recording_apis import fronts
from tools.recording_apis.stage import Stage, case
from tools.recording_apis.stories import qin_setting as qin

_LAB, _CLUB, _FARM = "lims.bodenlabor.test", "intern.ruderclub.test", "api.hofgut-weiler.test"
_SAMPLES = {
    "samples/B-26-0114": {"depth": 30, "ph": 6.4, "status": "received"},
    "samples/B-26-0115": {"depth": 60, "ph": 5.9, "status": "received"},
    "samples/B-26-0201": {"depth": 90, "ph": 7.1, "status": "measured"},
}
_BOATS = {
    "boats/skiff-2": {"name": "Möwe", "seats": 2, "state": "ok"},
    "boats/eight": {"name": "Albatros", "seats": 8},
}
_FIELDS = {
    "fields/west": {"crop": "rye", "hectares": 11.2, "lime": "2024"},
    "fields/mill": {"crop": "oats", "hectares": 6.0, "lime": "2021"},
}


@case(
    "b776",
    "qin-tag-of-a-page-with-its-render-time",
    "unstable-etag",
    "412",
    alone="unstable-etag",
    description=(
        "The laboratory's middleware hashes the rendered answer, which holds the moment of rendering: two reads in a "
        "row have two tags at the same row version, and no save with any of them is ever taken."
    ),
)
def rendered(stage: Stage) -> None:
    """Get a new tag with each read."""
    server = qin.service(stage, "tags", _SAMPLES, HABITS="nonce")
    front = fronts.apache(stage, server)
    me = stage.actor("client", front, _LAB, "node:axios", {"X-User": "scale-3"})
    tags = [me.get("/samples/B-26-0114").etag for _ in range(3)]
    qin.require(len(set(tags)) == 3, "one tag")
    for _ in range(2):
        tag = me.get("/samples/B-26-0114").etag
        me.send("PATCH", "/samples/B-26-0114", 412, {"If-Match": tag}, {"status": "weighed"})
    qin.require(me.get("/samples/B-26-0114").json["status"] == "received", "written")


@case(
    "b777",
    "qin-put-answers-a-tag-of-another-make",
    "etag-source-mismatch",
    "412",
    alone="etag-source-mismatch",
    description=(
        "GET's tags are hashes, the answer to a PUT has eight-r21: that one is refused on the next save, while the "
        "tag of a read of the same row version is taken."
    ),
)
def makes(stage: Stage) -> None:
    """Use the tag of an answer to a write."""
    server = qin.service(stage, "tags", _BOATS, HABITS="put")
    me = stage.actor("client", server, _CLUB, "httpx", {"X-User": "bootswart"})
    qin.notices(me, 4)
    me.get("/boats")
    one = me.get("/boats/eight")
    saved = me.put("/boats/eight", qin.changed(one, state="rigger bent"), 200, {"If-Match": one.etag})
    me.put("/boats/eight", qin.changed(one, state="repaired"), 412, {"If-Match": saved.etag})
    fresh = me.get("/boats/eight")
    qin.require(fresh.json["state"] == "rigger bent" and fresh.etag != saved.etag, "somebody else")
    me.put("/boats/eight", qin.changed(fresh, state="repaired"), 200, {"If-Match": fresh.etag})


@case(
    "b778",
    "qin-only-weak-tags-compared-strongly",
    "weak-only-origin",
    "412",
    alone="weak-only-origin",
    description=(
        "The farm's service gives all its tags as weak, with identity as well and nothing in between, and compares "
        "If-Match strongly: each save is refused at once, the tag read again is the same."
    ),
)
def weak(stage: Stage) -> None:
    """Write with the weak tags of a service."""
    server = qin.service(stage, "tags", _FIELDS, HABITS="weak")
    me = stage.actor("client", server, _FARM, "urllib", {"X-User": "tractor-1"})
    qin.notices(me, 5)
    for path in ("/fields/west", "/fields/mill"):
        tag = me.get(path, 200, qin.PLAIN).etag
        me.send("PATCH", path, 412, {"If-Match": tag}, {"lime": "2026"})
        qin.require(me.get(path, 200, qin.PLAIN).etag == tag, "moved")
    me.send("PATCH", "/fields/mill", 412, {"If-Match": tag}, {"lime": "2026"})


@case(
    "b779",
    "qin-read-in-german-saved-without-language",
    "representation-mismatch",
    "412",
    alone="representation-mismatch",
    description=(
        "A row read with Accept-Language: de has a tag of its own (Vary says so); the saving code sends no language "
        "and is compared with the English one: 412. With the same language on the save it is taken."
    ),
)
def language(stage: Stage) -> None:
    """Read in one language and write in another."""
    server = qin.service(
        stage, "tags", {"prices/eggs": {"unit": "10", "net": 2.4}, "prices/milk": {"net": 1.1}}, HABITS="lang"
    )
    me = stage.actor("client", server, _FARM, "requests", {"X-User": "hofladen"})
    german = {"Accept-Language": "de-DE"}
    tag = me.get("/prices/eggs", 200, german).etag
    me.get("/prices/milk", 200, german)
    me.send("PATCH", "/prices/eggs", 412, {"If-Match": tag}, {"net": 2.6})
    qin.require(me.get("/prices/eggs", 200, german).etag == tag, "moved")
    me.send("PATCH", "/prices/eggs", 412, {"If-Match": tag}, {"net": 2.6})
    me.send("PATCH", "/prices/eggs", 200, {"If-Match": tag, **german}, {"net": 2.6})


@case(
    "b780",
    "qin-report-corrected-within-the-second",
    "weak-until-settled",
    "412",
    alone="weak-until-settled",
    description=(
        "A generator stores its report on Apache's WebDAV and corrects it at once: the tag of a file that young is "
        "weak and refused; two seconds later the same value is strong, and the correction is taken."
    ),
)
def young(stage: Stage) -> None:
    """Correct a file too soon."""
    server = fronts.site(stage, "apache2", {"index.txt": "reports\n"}, fronts.DAV["apache2"])
    me = stage.actor("client", server, "reports.bodenlabor.test", "httpx", {"X-User": "generator"})
    me.put("/B-26-0114.json", {"ph": 6.4}, 201)
    tag = me.get("/B-26-0114.json").etag
    qin.require(tag.startswith("W/"), "strong")
    me.put("/B-26-0114.json", {"ph": 6.41}, 412, {"If-Match": tag})
    time.sleep(2.2)
    settled = me.get("/B-26-0114.json").etag
    qin.require(tag == f"W/{settled}", "another tag")
    me.put("/B-26-0114.json", {"ph": 6.41}, 204, {"If-Match": settled})


@case(
    "b781",
    "qin-poll-answered-412-where-304-is-due",
    "server-precondition-bug",
    "412",
    alone="server-precondition-bug",
    description=(
        "The club's middleware answers a read whose If-None-Match has the current tag with 412: a display that polls "
        "sees an error each time nothing has changed; without the field the row and the very tag come."
    ),
)
def polled(stage: Stage) -> None:
    """Poll and get errors."""
    server = qin.service(stage, "tags", _BOATS, HABITS="safe412")
    me = stage.actor("client", server, _CLUB, "aiohttp", {"X-User": "display"})
    tag = me.get("/boats/skiff-2").etag
    for _ in range(4):
        me.get("/boats/skiff-2", 412, {"If-None-Match": tag})
        time.sleep(0.4)
    qin.require(me.get("/boats/skiff-2").etag == tag, "moved")
    me.get("/boats/skiff-2", 412, {"If-None-Match": tag})


@case(
    "b782",
    "qin-saves-first-and-compares-afterwards",
    "post-commit-412",
    "409",
    alone="post-commit-412 intermediary-replay",
    description=(
        "The service stores the row, raises its version and compares the sent version with the raised one: the very "
        "first save with the version just read is 409, and the record read afterwards holds it under the client's "
        "name, one version on."
    ),
)
def afterwards(stage: Stage) -> None:
    """Be refused after the save."""
    server = qin.service(stage, "parts", _SAMPLES, HABITS="late", SHAPE="laravel", CODE="VersionMismatch")
    me = stage.actor("client", server, _LAB, "requests", {"X-User": "scale-3"})
    qin.office(me, 6, "scale-3")
    me.get("/erp/samples")
    one = me.get("/erp/samples/B-26-0115")
    me.put("/erp/samples/B-26-0115", qin.changed(one, ph=5.87), 409)
    again = me.get("/erp/samples/B-26-0115")
    qin.require(again.json["ph"] == 5.87 and again.json["version"] == one.json["version"] + 1, "not stored")
    me.put("/erp/samples/B-26-0115", qin.changed(again, status="measured"), 409)
    qin.require(me.get("/erp/samples/B-26-0115").json["status"] == "measured", "not stored")


@case(
    "b783",
    "qin-bulk-endpoint-looks-at-no-version",
    "precondition-ignored",
    "lost-update",
    alone="precondition-ignored precondition-stripped",
    description=(
        "Single saves of the rental check rowVersion, the bulk endpoint does not: the night job sends the versions "
        "of its first read though the station has moved one car since, which the job has even read; every item is "
        "200 and the station's move is undone."
    ),
)
def bulk(stage: Stage) -> None:
    """Send old versions in bulk."""
    cars = {f"car-{n}": {"plate": f"GO-EF {n}", "station": "GOE", "mileage": 1000 * n} for n in (11, 12, 13)}
    server = qin.service(stage, "fleet", cars, HABITS="bulk")
    me = stage.actor("client", server, "office.rentacar.test", "httpx", {"X-User": "night-job"})
    other = stage.actor("other", server, "office.rentacar.test", "requests", {"X-User": "station-ks"})
    old = me.get("/api/vehicles").json
    theirs = other.get("/api/vehicles/car-12")
    other.put("/api/vehicles/car-12", {"station": "KS", "rowVersion": theirs.json["rowVersion"]}, 200)
    time.sleep(0.5)
    qin.require(me.get("/api/vehicles/car-12").json["station"] == "KS", "not moved")
    items = [
        {"id": one["id"], "rowVersion": one["rowVersion"], "set": {"station": "GOE", "checked": True}}
        for one in old
    ]
    me.send("POST", "/api/vehicles/-/bulk", 207, None, {"items": items})
    qin.require(me.get("/api/vehicles/car-12").json["station"] == "GOE", "kept")


@case(
    "b784",
    "qin-if-match-never-read",
    "precondition-ignored",
    "lost-update",
    alone="precondition-ignored precondition-stripped",
    description=(
        "The farm's service gives tags and reads no If-Match: a tablet that was offline sends its old row with its old "
        "tag after it has seen the newer one, gets 200, and the other's crop is gone."
    ),
)
def never(stage: Stage) -> None:
    """Be taken with an old tag."""
    server = qin.service(stage, "tags", _FIELDS, HABITS="ignore")
    me = stage.actor("client", server, _FARM, "curl", {"X-User": "tablet-2"})
    other = stage.actor("other", server, _FARM, "node", {"X-User": "office"})
    qin.notices(me, 8)
    old = me.get("/fields/mill")
    theirs = other.get("/fields/mill")
    other.put("/fields/mill", qin.changed(theirs, crop="lupins"), 200, {"If-Match": theirs.etag})
    qin.require(me.get("/fields/mill").json["crop"] == "lupins", "not changed")
    me.put("/fields/mill", qin.changed(old, lime="2026"), 200, {"If-Match": old.etag})
    qin.require(me.get("/fields/mill").json["crop"] == "oats", "kept")


@case(
    "b785",
    "qin-two-clerks-pass-the-same-check",
    "check-then-write-race",
    "lost-update",
    alone="none",
    description=(
        "The check of the version and the update are two steps half a second apart and nothing holds them together: "
        "two technicians save the same sample at once with one version and both get 200; the first one's value is "
        "gone. A save with an old version afterwards is refused as it should."
    ),
)
def passed(stage: Stage) -> None:
    """Let two writes through one check."""
    server = qin.service(stage, "parts", _SAMPLES, HABITS="race", HOLD="0.5", SHAPE="spring")
    me = stage.actor("client", server, _LAB, "requests", {"X-User": "iris"})
    other = stage.actor("other", server, _LAB, "httpx", {"X-User": "tom"})
    qin.office(me, 2, "iris")
    mine, theirs = me.get("/erp/samples/B-26-0201"), other.get("/erp/samples/B-26-0201")
    found = qin.at_once(
        [
            lambda: me.put("/erp/samples/B-26-0201", qin.changed(mine, ph=7.3), 200),
            lambda: other.put("/erp/samples/B-26-0201", qin.changed(theirs, status="released"), 200),
        ],
        0.15,
    )
    qin.require([one.status for one in found] == [200, 200], "one refused")
    time.sleep(0.3)
    qin.require(other.get("/erp/samples/B-26-0201").json["ph"] == 7.1, "kept")
    other.put("/erp/samples/B-26-0201", qin.changed(theirs, status="archived"), 409)
