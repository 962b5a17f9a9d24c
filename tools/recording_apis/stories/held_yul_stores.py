"""Stories on real stores: Radicale, Kinto, Azurite, etcd, Tomcat, WsgiDAV."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from tools.recording_apis import fronts
from tools.recording_apis.stage import case
from tools.recording_apis.stories import held_yul_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.stage import Stage

_ICS = {"Content-Type": "text/calendar; charset=utf-8"}
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def _basic(who: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{who}:{who}".encode()).decode()}


def _todo(uid: str, title: str, *more: str) -> str:
    lines = ("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Hagi//Planer 6//PL", "BEGIN:VTODO", f"UID:{uid}")
    end = ("DTSTAMP:20261120T090000Z", f"SUMMARY:{title}", *more, "END:VTODO", "END:VCALENDAR", "")
    return "\r\n".join((*lines, *end))


@case(
    "e254",
    "yul-task-closed-by-the-foreman",
    "other-writer",
    "412",
    alone="other-writer",
    description=(
        "Radicale behind Apache: a site planner moves a task's due date with the tag that it read; the foreman has "
        "completed the task in between: 412, and the task read again is the foreman's."
    ),
)
def foreman(stage: Stage) -> None:
    """Be second at a task."""
    server = stage.server("radicale")
    front = fronts.apache(stage, server)
    setup = stage.actor("setup", server, "plan.budowa.example", "requests", _basic("hagi"))
    setup.send("MKCALENDAR", "/hagi/zadania/", 201)
    for uid, title in (("t-7", "Szalunek"), ("t-8", "Zbrojenie"), ("t-9", "Beton B25")):
        setup.put(f"/hagi/zadania/{uid}.ics", _todo(uid, title), 201, _ICS)
    stage.forget()
    me = stage.actor(
        "client", front, "plan.budowa.example", "aiohttp", {**_basic("hagi"), "User-Agent": "Planer/6"}
    )
    other = stage.actor(
        "other", front, "plan.budowa.example", "httpx", {**_basic("hagi"), "User-Agent": "Tel/2"}
    )
    place.listed(me, "/hagi/zadania/")
    task, spare = me.get("/hagi/zadania/t-9.ics"), me.get("/hagi/zadania/t-7.ics")
    theirs = other.get("/hagi/zadania/t-9.ics")
    done = ("STATUS:COMPLETED", "COMPLETED:20261128T101500Z", "X-LAST-EDITOR:brygadzista")
    other.put(
        "/hagi/zadania/t-9.ics", _todo("t-9", "Beton B25", *done), 204, {**_ICS, "If-Match": theirs.etag}
    )
    place.rest(1.2)
    moved = _todo("t-7", "Szalunek", "DUE:20261203T120000Z")
    me.put("/hagi/zadania/t-7.ics", moved, 204, {**_ICS, "If-Match": spare.etag})
    moved = _todo("t-9", "Beton B25", "DUE:20261204T120000Z")
    me.put("/hagi/zadania/t-9.ics", moved, 412, {**_ICS, "If-Match": task.etag})
    place.sure("brygadzista" in me.get("/hagi/zadania/t-9.ics").text)
    me.get("/hagi/zadania/t-8.ics")


@case(
    "e241",
    "yul-settings-object-from-before-its-own-save",
    "stale-stored-token",
    "412",
    alone="stale-stored-token",
    description=(
        "Kinto behind HAProxy: an extension saves a preset twice from the same object; its first save was answered "
        "with a new ETag that it did not take over, so the second is 412, and details.existing is its own first save."
    ),
)
def preset(stage: Stage) -> None:
    """Save twice with the first tag."""
    server = stage.server("kinto")
    front = fronts.haproxy(stage, [server])
    setup = stage.actor("setup", server, "sync.palette.example", "httpx")
    setup.put("/v1/accounts/imke", {"data": {"password": "imke"}}, 201)
    own = _basic("imke")
    setup.put("/v1/buckets/brushes", {}, 201, own)
    setup.put("/v1/buckets/brushes/collections/presets", {}, 201, own)
    for name in ("ink", "chalk", "wash"):
        setup.put(f"/v1/buckets/brushes/collections/presets/records/{name}", {"data": {"size": 12}}, 201, own)
    stage.forget()
    me = stage.actor(
        "client", front, "sync.palette.example", "node:fetch", {**own, "User-Agent": "Palette/0.9"}
    )
    me.get("/v1/")
    base = "/v1/buckets/brushes/collections/presets/records"
    place.watch(me, [base], 2)
    kept = me.get(f"{base}/chalk")
    other = me.get(f"{base}/ink")
    first = me.put(f"{base}/chalk", {"data": {"size": 18}}, 200, {"If-Match": kept.etag})
    place.rest(0.6)
    me.put(f"{base}/ink", {"data": {"size": 3}}, 200, {"If-Match": other.etag})
    place.rest(0.5)
    refused = me.put(f"{base}/chalk", {"data": {"size": 18, "grain": 0.4}}, 412, {"If-Match": kept.etag})
    place.sure(refused.json["details"]["existing"]["size"] == first.json["data"]["size"])
    me.get(f"{base}/wash")


@case(
    "e277",
    "yul-undefined-in-the-header",
    "null-token",
    "412",
    alone="null-token",
    description=(
        "A page reads response.headers.ETag where axios has lower-case names and sends If-Match: undefined: Azurite's "
        "blob service answers ConditionNotMet for each thumbnail, though nobody else has written them."
    ),
)
def undefined(stage: Stage) -> None:
    """Send a word of JavaScript's."""
    server = stage.server("azurite")
    seal = place.signature()
    kind = {"x-ms-version": "2021-08-06", "x-ms-blob-type": "BlockBlob", "Content-Type": "image/svg+xml"}
    setup = stage.actor("setup", server, "notes.blob.example", "requests", {"x-ms-version": "2021-08-06"})
    setup.put(f"/notes/thumbs?restype=container&{seal}", b"", 201)
    for name in ("oak", "elm", "fir"):
        setup.put(f"/notes/thumbs/{name}.svg?{seal}", f"<svg id='{name}'/>", 201, kind)
    stage.forget()
    me = stage.actor(
        "client", server, "notes.blob.example", "node:axios", {"User-Agent": "herbarium-admin/4.1"}
    )
    me.get(f"/notes/thumbs?restype=container&comp=list&{seal}", 200, {"x-ms-version": "2021-08-06"})
    for name in ("oak", "fir"):
        seen = me.get(f"/notes/thumbs/{name}.svg?{seal}", 200, {"x-ms-version": "2021-08-06"})
        wrong = {**kind, "If-Match": "undefined"}
        refused = me.put(f"/notes/thumbs/{name}.svg?{seal}", f"<svg id='{name}' w='64'/>", 412, wrong)
        place.sure("ConditionNotMet" in refused.text)
        same = {"x-ms-version": "2021-08-06", "If-None-Match": seen.etag}
        me.get(f"/notes/thumbs/{name}.svg?{seal}", 304, same)
        place.rest(0.5)
    me.get(f"/notes/thumbs/elm.svg?{seal}", 200, {"x-ms-version": "2021-08-06"})


@case(
    "e255",
    "yul-janitor-election",
    "expected-control-flow",
    "412",
    alone="expected-control-flow",
    description=(
        "Three janitors take turns at one etcd key with a time to live: prevExist=false is 412 for whoever comes while "
        "it is held, every second or so, until it lapses and the next one has it; work goes on all the time."
    ),
)
def janitors(stage: Stage) -> None:
    """Stand for office."""
    server = stage.server("etcd")
    me = stage.actor("client", server, "keys.grid.example", "requests", {"User-Agent": "janitor/1.4 node-b"})
    other = stage.actor("other", server, "keys.grid.example", "httpx", {"User-Agent": "janitor/1.4 node-a"})
    key, claim = "/v2/keys/locks/janitor", "?prevExist=false"
    other.send("PUT", key + claim, 201, _FORM, "value=node-a&ttl=4")
    for turn in range(4):
        me.send("PUT", key + claim, 412, _FORM, "value=node-b&ttl=4")
        me.send("PUT", "/v2/keys/nodes/node-b", (200, 201), _FORM, f"value=idle-{turn}&ttl=30")
        me.get("/v2/keys/nodes?recursive=true")
        place.rest(0.9)
    place.rest(1.4)
    me.send("PUT", key + claim, 201, _FORM, "value=node-b&ttl=4")
    other.send("PUT", key + claim, 412, _FORM, "value=node-a&ttl=4")
    me.send("PUT", "/v2/keys/sweeps/last", 201, _FORM, "value=41+removed")
    me.send("PUT", f"{key}?prevValue=node-b", 200, _FORM, "value=node-b&ttl=4")
    other.send("PUT", key + claim, 412, _FORM, "value=node-a&ttl=4")
    me.send("DELETE", f"{key}?prevValue=node-b", 200)
    other.send("PUT", key + claim, 201, _FORM, "value=node-a&ttl=4")
    place.rest(0.9)
    me.send("PUT", key + claim, 412, _FORM, "value=node-b&ttl=4")
    me.get("/v2/keys/nodes?recursive=true")


@case(
    "e242",
    "yul-servlet-tags-are-weak",
    "weak-only-origin",
    "412",
    alone="weak-only-origin",
    description=(
        "Tomcat's DefaultServlet makes weak tags only, with identity as well: each conditional save of a template with "
        "the tag just read is 412 though nobody else writes."
    ),
)
def servlet(stage: Stage) -> None:
    """Compare weak tags strongly."""
    server = stage.server("tomcat")
    root = server.directory / "webapps" / "ROOT"
    for name in ("invoice", "reminder", "receipt"):
        fronts.put_file(root, f"templates/{name}.ftl", f"<#-- {name} -->\nDear ${{name}},\n", 4000)
    me = stage.actor("client", server, "templates.billing.example", "java", {"X-Tool": "tplpush 2.2"})
    for name in ("invoice", "reminder"):
        for fields in ({}, {"Accept-Encoding": "identity"}):
            seen = me.get(f"/templates/{name}.ftl", 200, fields)
            place.sure(seen.etag.startswith("W/"))
            me.put(f"/templates/{name}.ftl", seen.text + "Regards\n", 412, {"If-Match": seen.etag})
            place.rest(0.3)
        me.get(f"/templates/{name}.ftl", 304, {"If-None-Match": seen.etag})
    me.get("/templates/receipt.ftl")


@case(
    "e245",
    "yul-files-read-by-one-program-written-by-another",
    "etag-source-mismatch",
    "412",
    alone="etag-source-mismatch",
    description=(
        "nginx answers GET from the folder itself and passes the other methods to WsgiDAV on the same folder: the two "
        "make tags of their own, so If-Match with the tag of the GET is 412; PROPFIND shows the other kind."
    ),
)
def two_programs(stage: Stage) -> None:
    """Read here and write there."""
    server = stage.server("wsgidav")
    for name in ("bail", "avenant", "etat"):
        fronts.put_file(server.directory, f"dossiers/214/{name}.txt", f"{name}: version 1\n", 5000)
    port = stage.behind(server)
    block = (
        f"location /dossiers/ {{ root {server.directory}; error_page 418 = @dav;\n"
        "if ($request_method !~ ^(GET|HEAD)$) { return 418; } }\n"
        f"location @dav {{ proxy_pass http://127.0.0.1:{port}; proxy_set_header Host $http_host; }}\n"
    )
    front = fronts.nginx(stage, server, "", "", block)
    me = stage.actor("client", front, "ged.notaire.example", "urllib", {"User-Agent": "Etude/7"})
    for name in ("bail", "avenant"):
        seen = me.get(f"/dossiers/214/{name}.txt")
        me.put(f"/dossiers/214/{name}.txt", seen.text + "annexe A\n", 412, {"If-Match": seen.etag})
        place.sure(seen.etag.strip('"') not in place.listed(me, f"/dossiers/214/{name}.txt", "0").text)
        again = me.get(f"/dossiers/214/{name}.txt")
        place.sure(again.etag == seen.etag)
        place.rest(0.4)
    me.get("/dossiers/214/etat.txt")
