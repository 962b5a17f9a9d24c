"""Tokens that are none, damaged, of another thing, of too much, too old, or put there by somebody else."""

from __future__ import annotations

import http.client
import re
import time

from tools.recording_apis.stage import Stage, case
from tools.recording_apis.stories import sia_setting as lab
from tools.recording_apis.stories import sia_stores as stores


@case(
    "d020",
    "sia-undefined-goes-to-kinto",
    "null-token",
    "400",
    alone="null-token",
    description=(
        "A page reads a field of the answer that is not there and sends If-Match: undefined. Kinto calls that an "
        "invalid header (400), also the second time."
    ),
)
def undefined(stage: Stage) -> None:
    """Send the word undefined."""
    tasks = {f"k{n}": {"title": f"Aufgabe {n}", "done": False} for n in range(1, 6)}
    server, base = stores.kinto(stage, "tasks.lab.test", "team/tasks", tasks)
    me = stage.actor("client", server, "tasks.lab.test", "node:axios", lab.signed("redaktion"))
    me.get("/v1/")
    me.get(f"{base}?_limit=3")
    for name in ("k2", "k4"):
        seen = me.get(f"{base}/{name}").json["data"]
        body = {"data": {"title": seen["title"], "done": True}}
        me.put(f"{base}/{name}", body, 400, {"If-Match": "undefined"})
    me.get(f"{base}/k2")


@case(
    "d022",
    "sia-quotes-lost-on-the-way",
    "malformed-validator",
    "412",
    alone="malformed-validator",
    description=(
        "A calendar client keeps tags without their quotes and sends them so. Radicale compares the text and refuses "
        "each change; the tag itself is current, as the next listing shows."
    ),
)
def unquoted(stage: Stage) -> None:
    """Send a tag without quotes."""
    events = {f"v{n}": lab.appointment(f"v{n}", f"Vorlesung {n}") for n in range(1, 6)}
    server = stores.radicale(stage, "cal.hochschule.test", "lehre", "/lehre/winter/", events)
    me = stage.actor("client", server, "cal.hochschule.test", "aiohttp", lab.signed("lehre"))
    lab.propfind(me, "/lehre/winter/")
    lab.poll(me, lab.names("/lehre/winter", "v1.ics", "v3.ics"), 1)
    for n in (2, 5):
        tag = me.get(f"/lehre/winter/v{n}.ics").etag.strip('"')
        body = lab.appointment(f"v{n}", f"Vorlesung {n} (Aula)")
        me.put(f"/lehre/winter/v{n}.ics", body, 412, {**lab.CALENDAR, "If-Match": tag})
        lab.propfind(me, "/lehre/winter/")


@case(
    "d023",
    "sia-tag-escaped-as-json",
    "malformed-validator",
    "412",
    alone="malformed-validator",
    description=(
        "A browser extension keeps tags as JSON strings and sends them with backslashes before the quotes. The file "
        "server refuses; with the tag as served the same write is taken."
    ),
)
def escaped(stage: Stage) -> None:
    """Send backslashes."""
    files = {f"snips/s{n}.json": f'{{"n":{n},"text":"hello {n}"}}' for n in range(1, 6)}
    server = lab.shares(stage, "lighttpd", files)
    me = stage.actor("client", server, "snips.werkbank.test", "node:fetch", {"User-Agent": "SnipExt/5"})
    with lab.beside(stage, server, "probe.werkbank.test", ["/snips/s5.json"]):
        lab.poll(me, lab.names("/snips", "s1.json", "s2.json"), 2)
        tag = me.get("/snips/s3.json").etag
        body = {"n": 3, "text": "hello again"}
        me.put("/snips/s3.json", body, 412, {"If-Match": tag.replace('"', '\\"')})
        me.get("/snips/s4.json")
        me.put("/snips/s3.json", body, 412, {"If-Match": me.get("/snips/s3.json").etag.replace('"', '\\"')})
        time.sleep(0.3)
        me.put("/snips/s3.json", body, (200, 204), {"If-Match": tag})


@case(
    "d024",
    "sia-tag-of-the-calendar",
    "wrong-token-source",
    "412",
    alone="wrong-token-source",
    description=(
        "A client takes the getetag of the calendar collection from a PROPFIND and sends it as If-Match with an "
        "appointment of that calendar. It was never the appointment's tag; Radicale refuses."
    ),
)
def collection(stage: Stage) -> None:
    """Send the tag of the folder."""
    events = {f"b{n}": lab.appointment(f"b{n}", f"Bahn {n}") for n in range(1, 6)}
    server = stores.radicale(stage, "bahnen.verein.test", "verein", "/verein/bahnen/", events)
    me = stage.actor("client", server, "bahnen.verein.test", "httpx", lab.signed("verein"))
    listing = lab.propfind(me, "/verein/bahnen/", "1")
    tag = lab.raw_tag(listing, "/verein/bahnen/")
    own = me.get("/verein/bahnen/b4.ics")
    lab.poll(me, lab.names("/verein/bahnen", "b1.ics", "b5.ics"), 1)
    lab.must(own.etag != tag)
    body = lab.appointment("b4", "Bahn 4", "20261220T150000Z")
    me.put("/verein/bahnen/b4.ics", body, 412, {**lab.CALENDAR, "If-Match": tag})
    me.get("/verein/bahnen/b2.ics")
    again = lab.propfind(me, "/verein/bahnen/", "1")
    lab.must(lab.raw_tag(again, "/verein/bahnen/") == tag)
    me.put("/verein/bahnen/b4.ics", body, 412, {**lab.CALENDAR, "If-Match": tag})


@case(
    "d025",
    "sia-tag-of-the-list-for-a-record",
    "wrong-token-source",
    "412",
    alone="wrong-token-source",
    description=(
        "A client takes the ETag field of Kinto's list answer, which is the collection's, for the tag of a record in "
        "it. For the newest record that happens to fit; for an older one Kinto refuses though nobody wrote."
    ),
)
def listed(stage: Stage) -> None:
    """Send the list's tag with a record."""
    sensors = {f"s{n}": {"unit": "mm", "gain": n} for n in range(1, 7)}
    server, base = stores.kinto(stage, "sensors.lab.test", "hydro/sensors", sensors)
    me = stage.actor("client", server, "sensors.lab.test", "requests", lab.signed("redaktion"))
    listing = me.get(base)
    me.put(f"{base}/s2", {"data": {"unit": "mm", "gain": 20}}, 412, {"If-Match": listing.etag})
    me.get(f"{base}/s2")
    me.get(f"{base}/s3")
    again = me.get(base)
    lab.must(again.etag == listing.etag)
    me.put(f"{base}/s2", {"data": {"unit": "mm", "gain": 20}}, 412, {"If-Match": again.etag})
    me.put(f"{base}/s6", {"data": {"unit": "mm", "gain": 60}}, 200, {"If-Match": again.etag})


@case(
    "d026",
    "sia-whole-collection-as-guard",
    "coarse-token-scope",
    "412",
    alone="coarse-token-scope",
    also="other-writer",
    description=(
        "A client clears done notes from a Kinto collection by a filtered DELETE under the collection's own tag. "
        "Another client has changed a note that the filter does not touch: refused, although nothing collides."
    ),
)
def guard(stage: Stage) -> None:
    """A filtered DELETE under the collection's tag."""
    notes = {f"n{n}": {"text": f"Notiz {n}", "state": ("open", "done", "void")[n % 3]} for n in range(1, 10)}
    server, base = stores.kinto(stage, "notes.lab.test", "ward/notes", notes)
    me = stage.actor("client", server, "notes.lab.test", "httpx", lab.signed("redaktion"))
    other = stage.actor("other", server, "notes.lab.test", "node:fetch", lab.signed("mobil"))
    lab.stroll(me, lab.names(base, "n1", "n4", "n7"), 5, 78)
    held = me.get(base)
    me.send("DELETE", f"{base}?state=void", 200, {"If-Match": held.etag})
    before = me.get(base)
    theirs = other.get(f"{base}/n3")
    other.put(
        f"{base}/n3", {"data": {"text": "Notiz 3, Bett 4", "state": "open"}}, 200, {"If-Match": theirs.etag}
    )
    time.sleep(0.3)
    me.get(f"{base}/n6")
    me.send("DELETE", f"{base}?state=done", 412, {"If-Match": before.etag})
    now = me.get(base)
    changed = [one["id"] for one in now.json["data"] if one not in before.json["data"]]
    lab.must(changed == ["n3"], changed)


@case(
    "d027",
    "sia-one-tag-for-all-rules",
    "coarse-token-scope",
    "412",
    alone="coarse-token-scope",
    also="other-writer",
    description=(
        "All rules of a firewall share one tag. Two operators edit different rules; the second one's write is "
        "refused after each of the first one's, and its own rule is unchanged whenever it looks."
    ),
)
def rules(stage: Stage) -> None:
    """Different rules, one tag."""
    docs = {f"/acl/{n}": lab.doc(rule=n, ports=[n * 100], allow=n % 2 == 0) for n in range(1, 7)}
    docs["/hosts/gw"] = lab.doc(name="gw", os="9.2")
    server = lab.bench(stage, docs, "aiohttp", tag="guid", area="/acl/", voice="problem")
    me = stage.actor("client", server, "fw.rechenzentrum.test", "requests", lab.signed("op1"))
    other = stage.actor("other", server, "fw.rechenzentrum.test", "curl", lab.signed("op2"))
    tags = lab.poll(me, lab.names("/acl", "1", "2", "3"), 1)
    lab.must(len(set(tags.values())) == 1, tags)
    lab.stroll(me, lab.names("/hosts", "gw"), 6, 27)
    for number in range(2):
        mine = me.get("/acl/2")
        theirs = other.get("/acl/5")
        other.put("/acl/5", {**theirs.json, "ports": [500 + number]}, 200, {"If-Match": theirs.etag})
        time.sleep(0.4)
        me.put("/acl/2", {**mine.json, "allow": False}, 412, {"If-Match": mine.etag})
        lab.must(me.get("/acl/2").json == mine.json)
    me.get("/acl/5")


@case(
    "d028",
    "sia-upload-means-create",
    "create-guard-on-update",
    "412",
    alone="create-guard-on-update",
    description=(
        "A script downloads objects from SeaweedFS, changes them and uploads them with If-None-Match: *. Each upload "
        "of an object that it has just read is refused; the object is unchanged and carries the tag it was read with."
    ),
)
def upload(stage: Stage) -> None:
    """If-None-Match: * for what was just read."""
    server = stage.server("seaweedfs")
    host = "objects.imkerei.test"
    held = {f"hives/h{n}.yaml": f"hive: {n}\nkg: 3{n}\n" for n in range(1, 5)}
    stores.bucket(stage, server, host, "apiary", held)
    me = stores.Store(stage, "client", server, host)
    me.call("list_objects_v2", Bucket="apiary")
    for n in (1, 3):
        seen = me.call("get_object", Bucket="apiary", Key=f"hives/h{n}.yaml")
        body = f"{seen['Text']}queen: marked\n".encode()
        me.call("put_object", 412, Bucket="apiary", Key=f"hives/h{n}.yaml", Body=body, IfNoneMatch="*")
        now = me.call("head_object", Bucket="apiary", Key=f"hives/h{n}.yaml")
        lab.must(now["ETag"] == seen["ETag"])
    me.call("put_object", Bucket="apiary", Key="hives/h9.yaml", Body=b"hive: 9\n", IfNoneMatch="*")


@case(
    "d029",
    "sia-wiki-wants-a-condition",
    "token-missing",
    "428",
    alone="token-missing",
    description=(
        "A wiki demands If-Match for changes of existing pages. An import script knows nothing of that and gets 428 "
        "for each page that exists, 201 for the new ones, although every read hands it a tag."
    ),
)
def wanted(stage: Stage) -> None:
    """Import without If-Match."""
    docs = {
        f"/wiki/{n}": lab.page(f"= {n} =\n", "text/x-wiki") for n in ("Start", "Labor", "Gase", "Notfall")
    }
    server = lab.bench(stage, docs, "starlette", tag="crc", needs=428, voice="html", tongue="de")
    me = stage.actor("client", server, "wiki.halle.test", "curl", lab.signed("import"))
    with lab.beside(stage, server, "www.halle.test", ["/wiki/Start", "/healthz"]):
        me.get("/wiki")
        text = {"Content-Type": "text/x-wiki"}
        for name, expect in (("Start", 428), ("Neu", 201), ("Gase", 428), ("Plan", 201)):
            if expect == 428:
                me.get(f"/wiki/{name}")
            me.put(f"/wiki/{name}", f"= {name} =\nImportiert.\n", expect, text)
        me.get("/wiki/Gase")


@case(
    "d031",
    "sia-phone-cache-adds-a-condition",
    "implicit-precondition",
    "412",
    alone="implicit-precondition",
    description=(
        "The phone's HTTP library adds If-None-Match of its cached copy to every request for a URL that it has seen, "
        "PUTs too; Apache's mod_dav refuses them. The same app on the desk sends none and stores without trouble."
    ),
)
def cached(stage: Stage) -> None:
    """If-None-Match from a cache on a PUT."""
    files = {f"listen/l{n}.txt": f"Liste {n}\n- Brot\n" for n in range(1, 6)}
    server = lab.shares(stage, "apache2", files)
    phone = {"User-Agent": "Listen/31 CFNetwork/1490 Darwin/23.2", "Accept": "*/*"}
    desk = {"User-Agent": "Listen/31 (desktop)", "Accept": "*/*"}
    me = stage.actor("client", server, "listen.haus.test", "requests", phone)
    other = stage.actor("other", server, "listen.haus.test", "httpx", desk)
    lab.stroll(me, lab.names("/listen", "l2.txt", "l4.txt"), 5, 79)
    tags = lab.poll(me, [f"/listen/l{n}.txt" for n in (1, 2, 3)], 2)
    text = {"Content-Type": "text/plain"}
    other.get("/listen/l5.txt")
    other.put("/listen/l5.txt", "Liste 5\n- Brot\n- Salz\n", 204, text)
    for n in (1, 3):
        guard = {"If-None-Match": tags[f"/listen/l{n}.txt"], **text}
        me.put(f"/listen/l{n}.txt", f"Liste {n}\n- Brot\n- Milch\n", 412, guard)
        me.get(f"/listen/l{n}.txt", 304, {"If-None-Match": tags[f"/listen/l{n}.txt"]})
    me.put("/listen/l9.txt", "Liste 9\n", 201, text)


@case(
    "d032",
    "sia-watch-from-a-cleared-index",
    "token-expired",
    "400",
    alone="token-expired",
    description=(
        "A watcher of etcd comes back after a long pause with the index it had then. etcd keeps a thousand events "
        "and says that the index is outdated and cleared; after a new read it watches from the new index."
    ),
)
def watch(stage: Stage) -> None:
    """WaitIndex from before a thousand events."""
    server = stage.server("etcd")
    me = stage.actor("client", server, "keys.cluster.test", "requests", {"User-Agent": "watcher/1.4"})
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    me.put("/v2/keys/units/web", "value=3", 201, form)
    start = int(me.get("/v2/keys/units?recursive=true").fields["x-etcd-index"])
    me.get("/version")
    straight = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    for number in range(1060):
        straight.request("PUT", "/v2/keys/beats/a", f"value={number}", form)
        straight.getresponse().read()
    straight.close()
    me.get(f"/v2/keys/units?wait=true&recursive=true&waitIndex={start + 1}", 400)
    me.get(f"/v2/keys/units?wait=true&recursive=true&waitIndex={start + 1}", 400)
    now = int(me.get("/v2/keys/units?recursive=true").fields["x-etcd-index"])
    me.put("/v2/keys/units/web", "value=4", 200, form)
    me.get(f"/v2/keys/units?wait=true&recursive=true&waitIndex={now + 1}")


def _sync(token: str) -> str:
    return (
        '<?xml version="1.0" encoding="utf-8"?><sync-collection xmlns="DAV:">'
        f"<sync-token>{token}</sync-token><sync-level>1</sync-level><prop><getetag/></prop></sync-collection>"
    )


@case(
    "d033",
    "sia-sync-token-of-last-week",
    "token-expired",
    "403",
    alone="token-expired",
    description=(
        "A device asks Radicale for changes since a sync token that the server no longer keeps and is told that the "
        "token is not valid (403 valid-sync-token). A full report brings a new token, which works."
    ),
)
def sync(stage: Stage) -> None:
    """Sync with a token that is no longer kept."""
    events = {f"e{n}": lab.appointment(f"e{n}", f"Einsatz {n}") for n in range(1, 6)}
    server = stores.radicale(stage, "dienst.feuerwehr.test", "wache", "/wache/plan/", events, token_age=1)
    me = stage.actor("client", server, "dienst.feuerwehr.test", "requests", lab.signed("wache"))
    first = me.send("REPORT", "/wache/plan/", 207, lab.XML, _sync(""))
    token = re.findall(r"<sync-token>([^<]+)<", first.text)[0]
    me.get("/wache/plan/e2.ics")
    time.sleep(2.6)
    me.put("/wache/plan/e8.ics", lab.appointment("e8", "Übung"), 201, lab.CALENDAR)
    me.send("REPORT", "/wache/plan/", 207, lab.XML, _sync(""))
    me.send("REPORT", "/wache/plan/", 403, lab.XML, _sync(token))
    second = me.send("REPORT", "/wache/plan/", 207, lab.XML, _sync(""))
    fresh = re.findall(r"<sync-token>([^<]+)<", second.text)[0]
    me.send("REPORT", "/wache/plan/", 207, lab.XML, _sync(fresh))
    me.get("/wache/plan/e8.ics")
