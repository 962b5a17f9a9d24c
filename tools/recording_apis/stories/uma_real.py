"""Unseen recordings: real stores that speak dialects."""

from __future__ import annotations

import base64
import datetime as dt
import importlib
import uuid
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from tools.recording_apis.apps.uma_core import md5
from tools.recording_apis.stage import case
from tools.recording_apis.stories import uma_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.actors import Actor, Answer
    from tools.recording_apis.stage import Stage

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
SIGNED = "AWS4-HMAC-SHA256 Credential=AKIASTORE/20261127/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=00"


@case(
    "d214",
    "kinto-record-created-once-more",
    "create-guard-on-update",
    "412",
    alone="create-guard-on-update",
    description=(
        "An app changes a task on Kinto that it has just read, and guards the PUT with If-None-Match: * out of its code "
        "for new tasks: 412 with the existing record, twice. New tasks are created with the same guard."
    ),
)
def task(stage: Stage) -> None:
    """Guard an update as a creation."""
    server = stage.server("kinto")
    base = "/v1/buckets/default/collections/tasks/records"
    word = {"Authorization": "Basic " + base64.b64encode(b"rosa:lang-genug").decode()}
    keeper = stage.actor("keeper", server, "kinto.haushalt.test", always=word)
    keeper.put("/v1/accounts/rosa", {"data": {"password": "lang-genug"}}, 201, {"Authorization": ""})
    names = [str(uuid.uuid5(uuid.NAMESPACE_URL, f"task{n}")) for n in range(4)]
    for name in names[:3]:
        keeper.put(f"{base}/{name}", {"data": {"title": f"Aufgabe {name[:4]}", "done": False}}, 201)
    del stage.taps["keeper"]
    stage.forget()
    me = stage.actor("client", server, "kinto.haushalt.test", "node:fetch", word)
    me.get("/v1/")
    listed = me.get(base)
    me.get(base, 304, {"If-None-Match": listed.etag})
    me.put(f"{base}/{names[3]}", {"data": {"title": "Neu", "done": False}}, 201, {"If-None-Match": "*"})
    for _ in range(2):
        seen = me.get(f"{base}/{names[1]}").json["data"]
        body = {"data": {"title": seen["title"], "done": True}}
        me.put(f"{base}/{names[1]}", body, 412, {"If-None-Match": "*"})
        place.pause(0.4)
    me.get(base)


@case(
    "d216",
    "the-upload-that-came-through-unheard",
    "lost-response-replay",
    "412",
    alone="lost-response-replay exists-already",
    description=(
        "A backup puts an object to moto's S3, create only. The answer is lost, the program sends the same request "
        "again with the same invocation id and gets 412; the object has its own run's mark and the moment of the first try."
    ),
)
def backup(stage: Stage) -> None:
    """Meet one's own object on the second try."""
    server = stage.server("moto")
    keeper = stage.actor("keeper", server, "s3.sicherung.test", always={"Authorization": SIGNED})
    keeper.put("/nacht", None, 200)
    keeper.put("/nacht/montag.json", '{"files": 11}', 200)
    del stage.taps["keeper"]
    stage.forget()
    loses = place.nth("PUT /nacht/dienstag.json", 1)
    always = {"Authorization": SIGNED, "User-Agent": "sichern/4 md/lauf-9e1"}
    me = stage.actor("client", server, "s3.sicherung.test", "requests", always, loses=loses)
    me.get("/nacht?list-type=2")
    me.send("HEAD", "/nacht/montag.json", 200)
    for name in ("samstag", "sonntag"):
        me.put(f"/nacht/{name}.json", '{"files": 10, "run": "lauf-9e1"}', 200, {"If-None-Match": "*"})
        me.get(f"/nacht/{name}.json")
    own = {"If-None-Match": "*", "amz-sdk-invocation-id": "3b0d7c1e-6a55-4a0c-9d7e-19c1f0f3e9e1"}
    own |= {"x-amz-meta-run": "lauf-9e1", "Content-Type": "application/json"}
    me.put(
        "/nacht/dienstag.json",
        '{"files": 12, "run": "lauf-9e1"}',
        0,
        {**own, "amz-sdk-request": "attempt=1; max=3"},
    )
    place.pause(1.2)
    me.put(
        "/nacht/dienstag.json",
        '{"files": 12, "run": "lauf-9e1"}',
        412,
        {**own, "amz-sdk-request": "attempt=2; max=3"},
    )
    place.holds(me.send("HEAD", "/nacht/dienstag.json", 200).fields["x-amz-meta-run"] == "lauf-9e1")
    me.get("/nacht/dienstag.json")


@case(
    "d217",
    "a-lease-on-the-ledger-blob",
    "lease-or-lock",
    "412",
    alone="lease-or-lock",
    description=(
        "A nightly job holds a lease on a blob of Azurite. A clerk's program puts the blob with the current ETag and no "
        "lease id: 412 LeaseIdMissing, again after a fresh read that shows the lease; another blob is put as usual."
    ),
)
def lease(stage: Stage) -> None:
    """Write to a leased blob."""
    server = stage.server("azurite")
    library = importlib.import_module("azure.storage.blob")
    signature = library.generate_account_sas(
        "notes",
        "ZXhhbXBsZQ==",
        resource_types=library.ResourceTypes(service=True, container=True, object=True),
        permission=library.AccountSasPermissions(read=True, write=True, delete=True, list=True, create=True),
        expiry=dt.datetime.now(dt.UTC) + dt.timedelta(days=2),
    )
    version = {"x-ms-version": "2023-11-03"}

    def path(name: str, query: str = "") -> str:
        return f"/notes/konten{name}?{query}{signature}"

    def put(who: Actor, name: str, body: str, expect: int, **more: str) -> Answer:
        own = {**version, "x-ms-blob-type": "BlockBlob", "Content-Type": "text/csv", **more}
        return who.put(path(name), body, expect, {**own, "x-ms-client-request-id": str(uuid.uuid4())})

    keeper = stage.actor("keeper", server, "konten.blob.test")
    keeper.put(path("", "restype=container&"), None, 201, version)
    for name in ("/soll.csv", "/haben.csv", "/saldo.csv"):
        put(keeper, name, f"{name};0\n", 201)
    del stage.taps["keeper"]
    stage.forget()
    me = stage.actor("client", server, "konten.blob.test", "httpx", {"User-Agent": "Buchung/7"})
    other = stage.actor("other", server, "konten.blob.test", "requests", {"User-Agent": "nachtlauf/2"})
    me.get(path("", "restype=container&comp=list&"), 200, version)
    seen = me.get(path("/saldo.csv"), 200, version)
    own = {**version, "x-ms-lease-action": "acquire", "x-ms-lease-duration": "60", "Content-Length": "0"}
    other.put(path("/saldo.csv", "comp=lease&"), None, 201, own)
    put(me, "/saldo.csv", "saldo;14\n", 412, **{"If-Match": seen.etag})
    again = me.get(path("/saldo.csv"), 200, version)
    place.holds(again.fields["x-ms-lease-status"] == "locked" and again.etag == seen.etag)
    put(me, "/soll.csv", "soll;14\n", 201, **{"If-Match": me.get(path("/soll.csv"), 200, version).etag})
    put(me, "/saldo.csv", "saldo;14\n", 412, **{"If-Match": again.etag})


def event(name: str, hour: int, more: str = "") -> str:
    """Return an appointment as iCalendar."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//hort//plan//DE", "BEGIN:VEVENT", f"UID:{name}@hort"]
    lines += [f"DTSTAMP:20261120T0{hour % 10}0000Z", f"DTSTART:20270107T{hour:02}0000Z", f"SUMMARY:{name}"]
    return "\r\n".join(
        [*lines, *([f"DESCRIPTION:{more}"] if more else []), "END:VEVENT", "END:VCALENDAR", ""]
    )


@case(
    "d218",
    "radicale-looks-at-no-date",
    "precondition-ignored",
    "lost-update",
    alone="precondition-ignored precondition-stripped",
    description=(
        "A calendar program's save on Radicale is 412 under the old tag; it falls back to If-Unmodified-Since with the "
        "old date, though HEAD shows a later one. The server does not look at that field: the save is stored, and a "
        "colleague's note is gone."
    ),
)
def dates(stage: Stage) -> None:
    """Guard with a date that nobody reads."""
    server = stage.server("radicale")
    word = {"Authorization": "Basic " + base64.b64encode(b"hort:x").decode()}
    keeper = stage.actor("keeper", server, "kalender.hort.test", always=word)
    body = '<?xml version="1.0"?><mkcalendar xmlns="urn:ietf:params:xml:ns:caldav"/>'
    keeper.send("MKCALENDAR", "/hort/plan/", 201, {"Content-Type": "application/xml"}, body)
    ics = {"Content-Type": "text/calendar"}
    for number, name in enumerate(("ausflug", "elternabend", "fest")):
        keeper.put(f"/hort/plan/{name}.ics", event(name, 9 + number), 201, ics)
    del stage.taps["keeper"]
    stage.forget()
    place.pause(1.1)
    me = stage.actor("client", server, "kalender.hort.test", "aiohttp", {**word, "User-Agent": "Planer/12"})
    other = stage.actor("other", server, "kalender.hort.test", "urllib", {**word, "User-Agent": "Handy/3"})
    me.send("PROPFIND", "/hort/plan/", 207, {"Depth": "1"})
    seen = me.get("/hort/plan/elternabend.ics")
    tag = other.get("/hort/plan/elternabend.ics").etag
    other.put(
        "/hort/plan/elternabend.ics",
        event("elternabend", 10, "Kuchen mitbringen"),
        204,
        {"If-Match": tag, **ics},
    )
    place.pause(1.2)
    me.get("/hort/plan/ausflug.ics")
    me.put("/hort/plan/elternabend.ics", event("elternabend", 18), 412, {"If-Match": seen.etag, **ics})
    since = {"If-Unmodified-Since": seen.fields["last-modified"], **ics}
    place.holds(
        me.send("HEAD", "/hort/plan/elternabend.ics", 200).fields["last-modified"]
        != seen.fields["last-modified"]
    )
    me.put("/hort/plan/elternabend.ics", event("elternabend", 18), 204, since)
    place.holds("Kuchen" not in me.get("/hort/plan/elternabend.ics").text)
    me.get("/hort/plan/fest.ics")


@case(
    "d219",
    "three-nodes-and-one-leader-key",
    "expected-control-flow",
    "412",
    alone="expected-control-flow none",
    description=(
        "Three nodes ask etcd every half a second for one leader key with prevExist=false. The one that has it keeps it "
        "with prevValue; the others are 412 (105) each time and go on with their work, until the key runs out and the "
        "client gets it."
    ),
)
def leader(stage: Stage) -> None:
    """Lose an election, round after round."""
    server = stage.server("etcd")
    me = stage.actor("client", server, "etcd.cluster.test", "requests", {"User-Agent": "node-b"})
    other = stage.actor("other", server, "etcd.cluster.test", "aiohttp", {"User-Agent": "node-a"})
    third = stage.actor("third", server, "etcd.cluster.test", "urllib", {"User-Agent": "node-c"})

    def ask(who: Actor, expect: int, node: str, **guard: str) -> None:
        body = urlencode({"value": node, "ttl": "1", **guard})
        who.put("/v2/keys/leader", body, expect, FORM)

    me.get("/version")
    ask(other, 201, "node-a", prevExist="false")
    for turn in range(5):
        ask(me, 412, "node-b", prevExist="false")
        me.put(f"/v2/keys/nodes/b/beat{turn % 2}", urlencode({"value": str(turn)}), (200, 201), FORM)
        ask(third, 412, "node-c", prevExist="false")
        ask(other, 200, "node-a", prevValue="node-a")
        place.pause(0.5)
    me.get("/v2/keys/leader")
    place.pause(1.8)
    ask(me, 201, "node-b", prevExist="false")
    me.get("/v2/keys/nodes/b?recursive=true")
    ask(third, 412, "node-c", prevExist="false")


@case(
    "d227",
    "a-site-goes-to-a-bucket",
    "none",
    "healthy",
    alone="none",
    description=(
        "A site is synchronised to moto's S3: 404 for what is new, 304 for what is there already, uploads, a read in parts "
        "guarded by If-Match, and a deletion. A second reader looks at the same objects; there is no conflict."
    ),
)
def site(stage: Stage) -> None:
    """Synchronise files."""
    server = stage.server("moto")
    always = {"Authorization": SIGNED}
    keeper = stage.actor("keeper", server, "web.speicher.test", always=always)
    keeper.put("/site", None, 200)
    pages = {f"seite{n}.html": f"<h1>Seite {n}</h1>" for n in range(4)}
    for name, content in list(pages.items())[:3]:
        keeper.put(f"/site/{name}", content, 200)
    keeper.put("/site/film.bin", bytes(range(250)) * 8, 200)
    del stage.taps["keeper"]
    stage.forget()
    me = stage.actor("client", server, "web.speicher.test", "aiohttp", {**always, "User-Agent": "s3sync/2"})
    other = stage.actor("other", server, "web.speicher.test", "requests", {**always, "User-Agent": "leser/1"})
    me.get("/site?list-type=2")
    for name, content in pages.items():
        head = me.send("HEAD", f"/site/{name}", (200, 404))
        if head.status == 404:
            me.put(f"/site/{name}", content, 200, {"If-None-Match": "*", "Content-Type": "text/html"})
        else:
            place.holds(head.etag == f'"{md5(content)}"')
            me.get(f"/site/{name}", 304, {"If-None-Match": head.etag})
    film = other.send("HEAD", "/site/film.bin", 200).etag
    for start in range(0, 2000, 500):
        other.get("/site/film.bin", 206, {"Range": f"bytes={start}-{start + 499}", "If-Match": film})
    place.pause(0.4)
    me.put("/site/seite0.html", "<h1>Seite 0, neu</h1>", 200, {"Content-Type": "text/html"})
    other.get("/site/seite0.html")
    me.send("DELETE", "/site/seite2.html", 204)
    me.send("HEAD", "/site/seite2.html", 404)
    me.get("/site?list-type=2")
