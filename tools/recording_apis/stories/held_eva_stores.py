"""Stories on real stores: moto, SeaweedFS, Kinto, Azurite, Radicale, WsgiDAV and etcd."""

from __future__ import annotations

import json
import re
import time
from email.utils import formatdate
from typing import TYPE_CHECKING

from tools.recording_apis.stage import case
from tools.recording_apis.stories import held_eva_setting as scene

if TYPE_CHECKING:
    from tools.recording_apis.actors import Actor, Answer
    from tools.recording_apis.stage import Stage


@case(
    "d620",
    "eva-issue-that-the-old-press-had-printed",
    "exists-already",
    "412",
    alone="exists-already",
    description=(
        "A press writes each issue of a newsletter to S3 (moto, boto3) with If-None-Match: * so that it never prints twice. "
        "Issue 212 is there already, from another program and older than the first attempt: 412; the next issues are created."
    ),
)
def issue(stage: Stage) -> None:
    """Find the place taken."""
    server = stage.server("moto")
    other = scene.Amazon(stage, "other", server, "s3.ca-central-1.amazonaws.example")
    other(
        "create_bucket", Bucket="bulletin", CreateBucketConfiguration={"LocationConstraint": "ca-central-1"}
    )
    stage.forget()
    for number in (210, 211, 212):
        other(
            "put_object",
            Bucket="bulletin",
            Key=f"fr/{number}.html",
            Body=f"<h1>Bulletin {number}</h1><p>Ancienne presse</p>".encode(),
        )
    scene.wait(2.2)
    me = scene.Amazon(stage, "client", server, "s3.ca-central-1.amazonaws.example")
    me("list_objects_v2", Bucket="bulletin", Prefix="en/")
    for key in ("en/212.html", "fr/212.html", "fr/213.html", "en/213.html"):
        text = f"<h1>{key[3:6]}</h1><p>Presse nouvelle, {key[:2]}</p>".encode()
        me(
            "put_object",
            "PreconditionFailed" if key == "fr/212.html" else "",
            Bucket="bulletin",
            Key=key,
            Body=text,
            ContentType="text/html",
            IfNoneMatch="*",
        )
        scene.wait(0.3)
        me("head_object", Bucket="bulletin", Key="fr/211.html")
    scene.must(b"Ancienne" in me("get_object", Bucket="bulletin", Key="fr/212.html")["Body"].read())
    me("list_objects_v2", Bucket="bulletin", Prefix="fr/")


@case(
    "d619",
    "eva-errand-that-somebody-has-struck-off",
    "target-missing",
    "412",
    alone="target-missing",
    description=(
        "A family keeps errands in Kinto. One is deleted on another telephone; the change that the first one then sends with "
        "If-Match is 412 without an existing record, and the read after it 404."
    ),
)
def errand(stage: Stage) -> None:
    """Change what is gone."""
    server = stage.server("kinto")
    key = {"Authorization": "Basic YW5kcmVhOmh1dHRl"}
    setup = stage.actor("other", server, "sync.familie.example", "requests", key)
    root = "/v1/buckets/haushalt/collections/besorgungen"
    setup.put("/v1/accounts/andrea", {"data": {"password": "hutte"}}, 201)
    setup.put("/v1/buckets/haushalt", {}, 201)
    setup.put(root, {}, 201)
    for name, text in (("brot", "2 Laib"), ("batterien", "AA, 8"), ("salz", "grob")):
        setup.put(f"{root}/records/{name}", {"data": {"was": name, "menge": text, "erledigt": False}}, 201)
    stage.forget()
    me = stage.actor(
        "client", server, "sync.familie.example", "aiohttp", {**key, "User-Agent": "Zettel/4.1 (Android 14)"}
    )
    me.get("/v1/")
    listed = me.get(f"{root}/records?_sort=was")
    me.get(f"{root}/records?_sort=was", 304, {"If-None-Match": listed.etag})
    me.get("/v1/buckets/haushalt")
    seen = {name: me.get(f"{root}/records/{name}") for name in ("brot", "batterien")}
    other = setup
    gone = other.get(f"{root}/records/batterien")
    other.send("DELETE", f"{root}/records/batterien", 200, {"If-Match": gone.etag})
    scene.wait(0.8)
    me.put(
        f"{root}/records/brot",
        {"data": {**seen["brot"].json["data"], "erledigt": True}},
        200,
        {"If-Match": seen["brot"].etag},
    )
    salt = me.get(f"{root}/records/salz")
    me.send("PATCH", f"{root}/records/salz", 200, {"If-Match": salt.etag}, {"data": {"menge": "fein"}})
    me.put(
        f"{root}/records/batterien",
        {"data": {"was": "batterien", "menge": "AA, 12", "erledigt": False}},
        412,
        {"If-Match": seen["batterien"].etag},
    )
    me.get(f"{root}/records/batterien", 404)
    me.get(f"{root}/records?_sort=was")


@case(
    "d589",
    "eva-unversioned-paths-are-sent-on",
    "none",
    "healthy",
    alone="none",
    description=(
        "A script of old writes to Kinto without the version in its paths. Kinto answers 307 to /v1, and the script sends "
        "the same method, content and If-Match there: each change passes once, and what it reads is what it has written."
    ),
)
def sent_on(stage: Stage) -> None:
    """Follow a redirect that keeps everything."""
    server = stage.server("kinto")
    me = stage.actor(
        "client",
        server,
        "settings.tram.example",
        "requests:follow",
        {"Authorization": "Basic bGluaWU6c2NoaWVuZQ=="},
    )
    me.put("/v1/accounts/linie", {"data": {"password": "schiene"}}, 201)
    me.put("/v1/buckets/anzeigen", {}, 201)
    me.put("/v1/buckets/anzeigen/collections/texte", {}, 201)
    stage.forget()
    root = "/buckets/anzeigen/collections/texte/records"
    tags = {}
    for stop in ("markt", "hafen"):
        tags[stop] = me.put(
            f"{root}/{stop}", {"data": {"zeile1": "Willkommen", "stop": stop}}, 201, {"If-None-Match": "*"}
        ).etag
    for turn in range(3):
        for stop in ("markt", "hafen"):
            tags[stop] = me.put(
                f"{root}/{stop}",
                {"data": {"zeile1": f"Umleitung {turn}", "stop": stop}},
                200,
                {"If-Match": tags[stop]},
            ).etag
        me.get(f"{root}/markt", 304, {"If-None-Match": tags["markt"]})
        scene.wait(0.25)
    scene.must(me.get(f"{root}/hafen").json["data"]["zeile1"] == "Umleitung 2")


@case(
    "d635",
    "eva-uploader-that-only-ever-creates",
    "create-guard-on-update",
    "409",
    alone="create-guard-on-update",
    description=(
        "A surveyor's program reads plans from a blob store (Azurite), lets them be edited and stores them under the same "
        "name with If-None-Match: *: 409 BlobAlreadyExists each time, while new plans are stored."
    ),
)
def only_create(stage: Stage) -> None:
    """Guard an update as if it were a creation."""
    server = stage.server("azurite")
    sas = scene.shared_access()
    fields = {"x-ms-version": "2023-11-03", "x-ms-blob-type": "BlockBlob"}
    me = stage.actor("client", server, "vermessung.blob.core.windows.example", "httpx", fields)
    me.put(f"/notes/plaene?restype=container&{sas}", b"", 201)
    for name in ("flur-7.json", "flur-9.json"):
        me.put(f"/notes/plaene/{name}?{sas}", {"flur": name[5], "punkte": 120}, 201)
    stage.forget()
    scene.wait(1.1)
    me.get(f"/notes/plaene?restype=container&comp=list&{sas}")
    guard = {"If-None-Match": "*"}
    for name in ("flur-7.json", "flur-9.json"):
        seen = me.get(f"/notes/plaene/{name}?{sas}")
        scene.wait(0.5)
        me.put(f"/notes/plaene/{name}?{sas}", {**seen.json, "punkte": 124}, 409, guard)
        me.put(f"/notes/plaene/{name[:6]}-skizze.json?{sas}", {"linien": 8}, 201, guard)
        scene.must(me.get(f"/notes/plaene/{name}?{sas}").etag == seen.etag)


@case(
    "d625",
    "eva-archive-under-a-lease",
    "lease-or-lock",
    "412",
    alone="lease-or-lock",
    description=(
        "A backup takes a lease of a minute on a blob (Azurite). The bookkeeper's program, which knows of no lease, wants to "
        "store it with the current tag: 412 LeaseIdMissing, twice; the read between shows x-ms-lease-state leased."
    ),
)
def leased(stage: Stage) -> None:
    """Write what another holds."""
    server = stage.server("azurite")
    sas = scene.shared_access()
    fields = {"x-ms-version": "2023-11-03"}
    other = stage.actor("other", server, "konto.blob.core.windows.example", "node:fetch", fields)
    block = {"x-ms-blob-type": "BlockBlob"}
    other.put(f"/notes/buecher?restype=container&{sas}", b"", 201)
    for name in ("2026-10.csv", "2026-11.csv"):
        other.put(
            f"/notes/buecher/{name}?{sas}",
            f"datum;soll;haben\n{name[:7]}-01;100;0\n",
            201,
            {**block, "Content-Type": "text/csv"},
        )
    stage.forget()
    scene.wait(1.1)
    me = stage.actor(
        "client",
        server,
        "konto.blob.core.windows.example",
        "urllib",
        {**fields, "User-Agent": "Buchhalter/6.2"},
    )
    me.get(f"/notes/buecher?restype=container&comp=list&{sas}")
    old = me.get(f"/notes/buecher/2026-10.csv?{sas}")
    me.put(
        f"/notes/buecher/2026-10.csv?{sas}",
        f"{old.text}2026-10-30;0;40\n",
        201,
        {**block, "If-Match": old.etag, "Content-Type": "text/csv"},
    )
    seen = me.get(f"/notes/buecher/2026-11.csv?{sas}")
    other.put(
        f"/notes/buecher/2026-11.csv?comp=lease&{sas}",
        b"",
        201,
        {"x-ms-lease-action": "acquire", "x-ms-lease-duration": "60"},
    )
    for _ in range(2):
        scene.wait(0.6)
        me.put(
            f"/notes/buecher/2026-11.csv?{sas}",
            f"{seen.text}2026-11-27;12;0\n",
            412,
            {**block, "If-Match": seen.etag, "Content-Type": "text/csv"},
        )
        scene.must(me.get(f"/notes/buecher/2026-11.csv?{sas}").etag == seen.etag)


@case(
    "d638",
    "eva-scanner-whose-clock-is-behind",
    "clock-skew",
    "412",
    alone="clock-skew",
    description=(
        "A document scanner stores an index in a blob store (Azurite), reads it back and guards the next store with the time "
        "of its own clock, which is 7 min 40 s behind as its x-ms-date shows: 412 each time, though nobody else writes."
    ),
)
def behind(stage: Stage) -> None:
    """Guard with one's own time."""
    server = stage.server("azurite")
    sas = scene.shared_access()
    me = stage.actor(
        "client",
        server,
        "scan.blob.core.windows.example",
        "requests",
        {"x-ms-version": "2023-11-03", "User-Agent": "ScanStation 2400 fw 3.9"},
    )

    def clock() -> str:
        return formatdate(time.time() - 460, usegmt=True)

    def save(name: str, data: object, expect: int, more: dict[str, str]) -> Answer:
        return me.put(
            f"/notes/eingang/{name}?{sas}",
            data,
            expect,
            {"x-ms-blob-type": "BlockBlob", "x-ms-date": clock(), **more},
        )

    me.put(f"/notes/eingang?restype=container&{sas}", b"", 201, {"x-ms-date": clock()})
    stage.forget()
    index: list[str] = []
    save("index.json", index, 201, {"If-None-Match": "*"})
    for number in (1, 2, 3):
        scene.wait(1.1)
        save(f"scan-{number:04}.txt", f"Seite {number}", 201, {"If-None-Match": "*"})
        known = me.get(f"/notes/eingang/index.json?{sas}", 200, {"x-ms-date": clock()})
        read_at = clock()
        save("index.json", [*known.json, number], 412, {"If-Unmodified-Since": read_at})
    me.get(f"/notes/eingang?restype=container&comp=list&{sas}", 200, {"x-ms-date": clock()})


def _events(*names: str) -> dict[str, str]:
    head = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Skaut//Kal//CS\r\nBEGIN:VEVENT\r\n"
    tail = "DTSTAMP:20261101T080000Z\r\nDTSTART:20261205T090000Z\r\nDTEND:20261205T110000Z\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    return {name: f"{head}UID:{name}@skaut\r\nSUMMARY:{name.title()}\r\n{tail}" for name in names}


@case(
    "d600",
    "eva-camp-calendar-after-the-weekend",
    "token-expired",
    "403",
    alone="token-expired",
    description=(
        "A telephone synchronises a calendar of Radicale, which forgets sync tokens after two seconds here. After a pause it "
        "sends the token that it holds, twice: 403 valid-sync-token. A sync from the beginning gives a token that works."
    ),
)
def camp(stage: Stage) -> None:
    """Send a token that has been forgotten."""
    server = stage.server("radicale", token_age=2)
    key = {"Authorization": "Basic dmxhZGE6dGFib3I="}
    me = stage.actor(
        "client", server, "kal.skaut.example", "httpx", {**key, "User-Agent": "DAVx5/4.4 (Android 15)"}
    )
    other = stage.actor("other", server, "kal.skaut.example", "requests", key)
    me.send("MKCALENDAR", "/vlada/tabor/", 201)
    text = {"Content-Type": "text/calendar; charset=utf-8"}
    for name, entry in _events("schuzka", "vyprava", "brigada").items():
        me.put(f"/vlada/tabor/{name}.ics", entry, 201, text)
    stage.forget()

    def sync(who: Actor, token: str, expect: int) -> str:
        body = f'<?xml version="1.0"?><D:sync-collection xmlns:D="DAV:"><D:sync-token>{token}</D:sync-token><D:sync-level>1</D:sync-level><D:prop><D:getetag/></D:prop></D:sync-collection>'
        got = who.send(
            "REPORT", "/vlada/tabor/", expect, {"Content-Type": "application/xml", "Depth": "0"}, body
        )
        found = re.search("<sync-token>(.*?)</", got.text)
        return found.group(1) if found else ""

    me.send("PROPFIND", "/vlada/", 207, {"Depth": "1"})
    token = sync(me, "", 207)
    token = sync(me, token, 207)
    event = me.get("/vlada/tabor/vyprava.ics")
    me.put(
        "/vlada/tabor/vyprava.ics",
        event.text.replace("Vyprava", "Vyprava na Rip"),
        204,
        {**text, "If-Match": event.etag},
    )
    token = sync(me, token, 207)
    scene.wait(4.2)
    other.put("/vlada/tabor/uklid.ics", _events("uklid")["uklid"], 201, text)
    sync(other, "", 207)
    for _ in range(2):
        sync(me, token, 403)
        scene.wait(0.5)
    token = sync(me, "", 207)
    sync(me, token, 207)


@case(
    "d614",
    "eva-minutes-under-lock-and-key",
    "none",
    "healthy",
    alone="none",
    description=(
        "A secretary edits minutes on WsgiDAV: lock, store with the token in If, store again, refresh the lock, unlock. "
        "Another looks in between and finds the old text, then the new one; he writes another file under If-Match."
    ),
)
def minutes(stage: Stage) -> None:
    """Lock, write, unlock."""
    server = stage.server("wsgidav")
    me = stage.actor(
        "client",
        server,
        "dav.kommun.example",
        "requests",
        {"User-Agent": "Microsoft-WebDAV-MiniRedir/10.0.19045"},
    )
    other = stage.actor("other", server, "dav.kommun.example", "httpx", {"User-Agent": "gvfs/1.54"})
    for name in ("protokoll-11.txt", "dagordning-12.txt"):
        other.put(f"/{name}", f"{name}: utkast\n", 201)
    stage.forget()
    scene.wait(1.2)
    me.send("OPTIONS", "/", 200)
    me.send("PROPFIND", "/", 207, {"Depth": "1"})
    asked = '<?xml version="1.0"?><D:lockinfo xmlns:D="DAV:"><D:lockscope><D:exclusive/></D:lockscope><D:locktype><D:write/></D:locktype><D:owner><D:href>KOMMUN\\berit</D:href></D:owner></D:lockinfo>'
    token = me.send(
        "LOCK", "/protokoll-11.txt", 200, {"Timeout": "Second-120", "Content-Type": "text/xml"}, asked
    ).fields["lock-token"]
    seen = me.get("/protokoll-11.txt")
    other.get("/protokoll-11.txt")
    me.put("/protokoll-11.txt", seen.text + "§1 Mötet öppnas\n", 204, {"If": f"({token})"})
    scene.wait(1.1)
    plan = other.get("/dagordning-12.txt")
    other.put("/dagordning-12.txt", plan.text + "Budget\n", 204, {"If-Match": plan.etag})
    me.send("LOCK", "/protokoll-11.txt", 200, {"Timeout": "Second-120", "If": f"({token})"})
    me.put("/protokoll-11.txt", seen.text + "§1 Mötet öppnas\n§2 Val\n", 204, {"If": f"({token})"})
    me.send("UNLOCK", "/protokoll-11.txt", 204, {"Lock-Token": token})
    scene.must("§2" in other.get("/protokoll-11.txt").text)
    me.get("/protokoll-11.txt")


@case(
    "d595",
    "eva-spare-pump-controller-asks-again",
    "expected-control-flow",
    "412",
    alone="expected-control-flow",
    description=(
        "Two controllers of a waterworks ask etcd every second for the key of who leads (prevExist=false, three seconds to "
        "live). The leader renews with prevValue; the spare one is told 412 Key already exists each time, and does other work."
    ),
)
def spare(stage: Stage) -> None:
    """Lose an election again and again."""
    server = stage.server("etcd")
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    me = stage.actor(
        "client",
        server,
        "etcd.wasserwerk.example",
        "requests",
        {**form, "User-Agent": "pumpctl/2.0 (node b)"},
    )
    other = stage.actor(
        "other", server, "etcd.wasserwerk.example", "httpx", {**form, "User-Agent": "pumpctl/2.0 (node a)"}
    )
    for name, value in (("druck", "4.2"), ("stufen", "3")):
        other.put(f"/v2/keys/pumpen/soll/{name}", f"value={value}", 201)
    stage.forget()
    key = "/v2/keys/pumpen/leader"
    other.put(f"{key}?prevExist=false", "value=node-a&ttl=3", 201)
    for turn in range(7):
        me.put(f"{key}?prevExist=false", "value=node-b&ttl=3", 412)
        me.get("/v2/keys/pumpen/soll")
        if turn % 2:
            me.put("/v2/keys/pumpen/messung/b", f"value={4.1 + turn / 50}", (200, 201))
        scene.wait(0.9)
        other.put(f"{key}?prevValue=node-a", "value=node-a&ttl=3", 200)
    scene.must(json.loads(me.get(key).text)["node"]["value"] == "node-a")
