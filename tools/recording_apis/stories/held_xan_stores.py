"""Unseen recordings: Kinto, Azurite, etcd and two object stores."""

from __future__ import annotations

import json
import urllib.parse
from typing import TYPE_CHECKING, Any

from tools.recording_apis.stage import case
from tools.recording_apis.stories import held_xan_setting as lab
from tools.recording_apis.stories.vic_setting import Lake, signature

if TYPE_CHECKING:
    from tools.recording_apis.servers import Server
    from tools.recording_apis.stage import Stage

_BLOB = {"x-ms-version": "2024-11-04"}
_NEW = {"x-ms-blob-type": "BlockBlob", "Content-Type": "application/json"}


def _container(stage: Stage, host: str, name: str, blobs: dict[str, str]) -> tuple[Server, str]:
    """Start Azurite with a container of blobs; return it and the signature."""
    server, key = stage.server("azurite"), signature()
    setup = stage.actor("setup", server, host, "httpx", _BLOB)
    setup.put(f"/notes/{name}?restype=container&{key}", b"", 201)
    for path, text in blobs.items():
        setup.put(f"/notes/{name}/{path}?{key}", text, 201, _NEW)
    lab.begin(stage, "setup")
    lab.wait(1.2)
    return server, key


@case(
    "e201",
    "clear-the-done-ones",
    "coarse-token-scope",
    "412",
    alone="coarse-token-scope",
    description=(
        "A dispatcher clears finished trips from a Kinto collection with the tag of the list. A driver has reported a "
        "position on a running trip meanwhile: 412, though none of the finished trips has changed."
    ),
)
def clear(stage: Stage) -> None:
    """Guard a part with the tag of the whole."""
    trips: dict[str, object] = {
        f"fahrt-{n}": {"ziel": f"Depot {n}", "fertig": n < 4, "km": 10 * n} for n in range(1, 7)
    }
    server = lab.kinto(stage, "flotte", "fahrten", trips, "dispo.spedition.test")
    base = "/v1/buckets/flotte/collections/fahrten/records"
    me = stage.actor("client", server, "dispo.spedition.test", "aiohttp", lab.KINTO_ONE)
    other = stage.actor("other", server, "dispo.spedition.test", "requests", lab.KINTO_TWO)
    me.get("/v1/")
    seen = me.get(f"{base}?_sort=-last_modified")
    me.get(f"{base}/fahrt-2")
    tag = other.get(f"{base}/fahrt-6").etag
    other.send("PATCH", f"{base}/fahrt-6", 200, {"If-Match": tag}, {"data": {"km": 77}})
    lab.wait(0.7)
    me.send("DELETE", f"{base}?fertig=true", 412, {"If-Match": seen.etag})
    fresh = me.get(f"{base}?_sort=-last_modified")
    lab.sure(fresh.json["data"][0]["id"] == "fahrt-6" and fresh.json["data"][0]["km"] == 77)
    me.get(f"{base}?fertig=true")


@case(
    "e212",
    "two-fields-saved-on-leaving",
    "self-race",
    "412",
    alone="self-race",
    description=(
        "A form saves each field when it loses focus. Two fields are left within a few milliseconds, so two PATCHes go "
        "to Kinto with one tag at the same time: one is 200, the other 412, and what remains has only the first."
    ),
)
def fields(stage: Stage) -> None:
    """Save two fields at once."""
    beds: dict[str, object] = {
        f"grzadka-{n}": {"odmiana": "sałata", "rzedy": n, "uwagi": ""} for n in range(1, 5)
    }
    server = lab.kinto(stage, "ogrod", "grzadki", beds, "grzadki.ogrod.test")
    base = "/v1/buckets/ogrod/collections/grzadki/records"
    me = stage.actor("client", server, "grzadki.ogrod.test", "requests", {**lab.KINTO_ONE, "X-Form": "f-31c"})
    twin = lab.again(me)
    me.get(f"{base}?_limit=10")
    twin.get(f"{base}/grzadka-1")
    tag = me.get(f"{base}/grzadka-3").etag
    one = me.send("PATCH", f"{base}/grzadka-3", 200, {"If-Match": tag}, {"data": {"odmiana": "botwina"}})
    tag = one.etag
    lab.wait(1.0)
    got = lab.both(
        lambda: me.send("PATCH", f"{base}/grzadka-3", (200, 412), {"If-Match": tag}, {"data": {"rzedy": 9}}),
        lambda: twin.send(
            "PATCH", f"{base}/grzadka-3", (200, 412), {"If-Match": tag}, {"data": {"uwagi": "włóknina"}}
        ),
        apart=0.003,
    )
    lab.sure(sorted(one.status for one in got) == [200, 412], got)
    mine = stage.taps["client"].recorded
    lab.sure(len(mine) == 6, mine)
    lab.wait(0.5)
    me.get(f"{base}/grzadka-3")
    me.get(f"{base}/grzadka-4")


@case(
    "e224",
    "head-for-the-tag-only",
    "blind-refresh",
    "lost-update",
    alone="blind-refresh",
    description=(
        "A catalogue editor reads a shelf list from SeaweedFS, works on it, and just before storing asks with HEAD for "
        "the tag of the moment. Meanwhile another branch added two titles: the check passes, and they are gone."
    ),
)
def shelves(stage: Stage) -> None:
    """Take a fresh tag for an old edit."""
    server = stage.server("seaweedfs")
    setup = Lake(stage, "setup", server)
    setup.call("create_bucket", Bucket="catalogue")
    for name in ("a", "b", "c"):
        rows = {"rayon": name, "titres": [f"{name}{n}" for n in range(4)]}
        setup.call("put_object", Bucket="catalogue", Key=f"rayon/{name}.json", Body=json.dumps(rows))
    lab.begin(stage, "setup")
    me, other = Lake(stage, "client", server), Lake(stage, "other", server)
    key: dict[str, Any] = {"Bucket": "catalogue", "Key": "rayon/b.json"}
    me.call("list_objects_v2", Bucket="catalogue", Prefix="rayon/")
    mine = json.loads(me.call("get_object", **key)["Body"].read())
    me.call("get_object", Bucket="catalogue", Key="rayon/a.json")["Body"].read()
    seen = other.call("get_object", **key)
    theirs = json.loads(seen["Body"].read())
    theirs["titres"] += ["nouv-1", "nouv-2"]
    other.call("put_object", **key, Body=json.dumps(theirs), IfMatch=seen["ETag"])
    lab.wait(1.2)
    mine["titres"].remove("b0")
    tag = me.call("head_object", **key)["ETag"]
    me.call("put_object", **key, Body=json.dumps(mine), IfMatch=tag)
    lab.wait(0.4)
    now = json.loads(me.call("get_object", **key)["Body"].read())
    lab.sure("nouv-1" not in now["titres"], now)
    me.call("list_objects_v2", Bucket="catalogue", Prefix="rayon/")


@case(
    "e202",
    "local-time-called-gmt",
    "timezone-error",
    "lost-update",
    alone="timezone-error",
    description=(
        "A weighbridge program writes the time of its last read, two hours ahead of UTC, into If-Unmodified-Since and "
        "calls it GMT. A clerk's correction of the blob lies before it, so Azurite stores the old tare over it."
    ),
)
def tare(stage: Stage) -> None:
    """Send local time as GMT."""
    blobs = {f"lkw/{n}.json": json.dumps({"kfz": f"KI-TR {n}", "tara": 7400 + n}) for n in (301, 302, 303)}
    server, key = _container(stage, "waage.kies.test", "tara", blobs)
    me = stage.actor("client", server, "waage.kies.test", "urllib", {**_BLOB, "User-Agent": "Waage/7"})
    other = stage.actor("other", server, "waage.kies.test", "httpx", _BLOB)
    block = _NEW
    me.get(f"/notes/tara?restype=container&comp=list&{key}")

    def local(value: str) -> str:
        import email.utils as mail  # noqa: PLC0415 - beside its only use

        return mail.formatdate(mail.parsedate_to_datetime(value).timestamp() + 7200, usegmt=True)

    first = me.get(f"/notes/tara/lkw/301.json?{key}")
    seen = me.get(f"/notes/tara/lkw/302.json?{key}")
    own = {**block, "If-Unmodified-Since": local(first.fields["last-modified"])}
    me.put(f"/notes/tara/lkw/301.json?{key}", json.dumps({**first.json, "stand": "w1"}), 201, own)
    theirs = other.get(f"/notes/tara/lkw/302.json?{key}")
    body = json.dumps({**theirs.json, "tara": 7655, "plombe": "A-19"})
    other.put(f"/notes/tara/lkw/302.json?{key}", body, 201, {**block, "If-Match": theirs.etag})
    lab.wait(1.2)
    me.get(f"/notes/tara?restype=container&comp=list&{key}")
    own = {**block, "If-Unmodified-Since": local(seen.fields["last-modified"])}
    me.put(f"/notes/tara/lkw/302.json?{key}", json.dumps({**seen.json, "stand": "w1"}), 201, own)
    lab.sure("plombe" not in me.get(f"/notes/tara/lkw/302.json?{key}").json)


@case(
    "e216",
    "the-drawer-instead-of-the-sheet",
    "wrong-token-source",
    "412",
    alone="wrong-token-source",
    description=(
        "A sync job asks Azurite for the properties of the container and sends that tag with its upload of a blob in "
        "it: 412 each time, though nobody else writes. The blob's own tag, which its read shows, is another."
    ),
)
def drawer(stage: Stage) -> None:
    """Take the tag of the container."""
    blobs = {f"rezept-{n}.json": json.dumps({"n": n, "gramm": 250}) for n in range(1, 4)}
    server, key = _container(stage, "rezepte.baecker.test", "rezepte", blobs)
    me = stage.actor("client", server, "rezepte.baecker.test", "node:axios", _BLOB)
    block = _NEW
    me.get(f"/notes/rezepte?restype=container&comp=list&{key}")
    seen = me.get(f"/notes/rezepte/rezept-2.json?{key}")
    for _ in range(2):
        drawer_tag = me.send("HEAD", f"/notes/rezepte?restype=container&{key}", 200).etag
        lab.sure(drawer_tag != seen.etag)
        own = {**block, "If-Match": drawer_tag}
        me.put(f"/notes/rezepte/rezept-2.json?{key}", {**seen.json, "gramm": 260}, 412, own)
        lab.wait(0.7)
    me.send("HEAD", f"/notes/rezepte/rezept-2.json?{key}", 200)
    me.get(f"/notes/rezepte/rezept-3.json?{key}")


@case(
    "e232",
    "the-answer-that-did-not-come-back",
    "lost-response-replay",
    "412",
    alone="lost-response-replay",
    description=(
        "A reading terminal uploads a blob with If-Match; the connection breaks before the answer. It sends the same "
        "upload with the same request id again: 412. What is stored is its own, with its own reading number."
    ),
)
def reading(stage: Stage) -> None:
    """Send again what has arrived."""
    blobs = {f"zaehler/{n}.json": json.dumps({"nr": n, "stand": 5000 + n}) for n in (41, 42, 43)}
    server, key = _container(stage, "zaehler.werk.test", "stand", blobs)
    path = f"/notes/stand/zaehler/42.json?{key}"
    me = stage.actor(
        "client",
        server,
        "zaehler.werk.test",
        "requests",
        {**_BLOB, "User-Agent": "Ableser/12"},
        loses=lab.lost("PUT", "/42.json"),
    )
    block = _NEW
    me.get(f"/notes/stand?restype=container&comp=list&{key}")
    beside = me.get(f"/notes/stand/zaehler/41.json?{key}")
    own = {**block, "If-Match": beside.etag, "x-ms-client-request-id": "5d0c-41"}
    me.put(f"/notes/stand/zaehler/41.json?{key}", {"nr": 41, "stand": 5102, "ablesung": "r-7fd1"}, 201, own)
    seen = me.get(path)
    own = {**block, "If-Match": seen.etag, "x-ms-client-request-id": "5d0c-42"}
    body = {"nr": 42, "stand": 5188, "ablesung": "r-7fd2"}
    me.put(path, body, 0, own)
    lab.wait(0.8)
    me.put(path, body, 412, own)
    lab.sure(me.get(path).json["ablesung"] == "r-7fd2")


@case(
    "e229",
    "the-test-expects-what-was-once",
    "payload-precondition-mismatch",
    "400",
    alone="payload-precondition-mismatch",
    description=(
        "An import sends JSON Patch to Kinto whose test operation expects a price as text; the record has it as a "
        "number. Kinto answers 400 and names the failed operation; a patch with a test that holds is 200."
    ),
)
def patch(stage: Stage) -> None:
    """Test for a value of another type."""
    goods: dict[str, object] = {
        f"sku-{n}": {"nome": f"Candela {n}", "prezzo": 4.5 + n, "scorta": 12} for n in range(1, 5)
    }
    server = lab.kinto(stage, "bottega", "articoli", goods, "articoli.candele.test")
    base = "/v1/buckets/bottega/collections/articoli/records"
    me = stage.actor("client", server, "articoli.candele.test", "httpx", lab.KINTO_ONE)
    media = {"Content-Type": "application/json-patch+json"}

    def send(key: str, was: object, new: object, expect: int) -> None:
        steps = [
            {"op": "test", "path": "/data/prezzo", "value": was},
            {"op": "replace", "path": "/data/prezzo", "value": new},
        ]
        me.send("PATCH", f"{base}/{key}", expect, media, json.dumps(steps))

    me.get(base)
    send("sku-1", 5.5, 5.9, 200)
    send("sku-3", "7.50", 7.9, 400)
    lab.wait(0.5)
    lab.sure(me.get(f"{base}/sku-3").json["data"]["prezzo"] == 7.5)
    send("sku-3", "7.50", 7.9, 400)
    me.get(f"{base}/sku-4")


@case(
    "e210",
    "the-index-moved-on",
    "other-writer",
    "412",
    alone="other-writer",
    description=(
        "Two control rooms set points of a district heating in etcd with prevIndex. The day shift has raised the flow "
        "temperature since the night shift's read: Compare failed with both indexes, and the read shows the new value."
    ),
)
def heating(stage: Stage) -> None:
    """Compare with an index of before."""
    server = stage.server("etcd")
    setup = stage.actor("setup", server, "kontroll.fjarrvarme.test", "httpx")
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    for name, value in (("framledning", "82"), ("retur", "55"), ("tryck", "4.1")):
        setup.put(f"/v2/keys/nat/norr/{name}", f"value={value}", 201, form)
    lab.begin(stage, "setup")
    own = {**form, "X-Skift": "natt"}
    me = stage.actor("client", server, "kontroll.fjarrvarme.test", "curl:trace-time", own)
    other = stage.actor("other", server, "kontroll.fjarrvarme.test", "requests", {**form, "X-Skift": "dag"})
    me.get("/v2/keys/nat/norr?recursive=true")
    mine = me.get("/v2/keys/nat/norr/framledning").json["node"]["modifiedIndex"]
    theirs = other.get("/v2/keys/nat/norr/framledning").json["node"]["modifiedIndex"]
    press = me.get("/v2/keys/nat/norr/tryck").json["node"]["modifiedIndex"]
    body = "value=" + urllib.parse.quote("88 (frost)")
    other.put(f"/v2/keys/nat/norr/framledning?prevIndex={theirs}", body, 200)
    lab.wait(0.9)
    me.put(f"/v2/keys/nat/norr/tryck?prevIndex={press}", "value=4.3", 200)
    me.put(f"/v2/keys/nat/norr/framledning?prevIndex={mine}", "value=79", 412)
    me.get("/v2/keys/nat/norr/framledning")


@case(
    "e220",
    "four-parts-of-two-surveys",
    "read-changed-mid-transfer",
    "mixed-206",
    alone="read-changed-mid-transfer",
    description=(
        "A viewer fetches a point cloud from moto in parts without a condition. Between the parts the surveyors store a "
        "new one of the same length: all are 206, under two tags, and the assembled file is half of each."
    ),
)
def survey(stage: Stage) -> None:
    """Read in parts while it is replaced."""
    server = stage.server("moto")
    setup = Lake(stage, "setup", server)
    setup.call(
        "create_bucket", Bucket="rilievi", CreateBucketConfiguration={"LocationConstraint": "eu-west-3"}
    )
    cloud = "".join(f"{n:05} {n * 13 % 997:03} {n * 7 % 89:02}\n" for n in range(320))
    setup.call("put_object", Bucket="rilievi", Key="cava/west.xyz", Body=cloud)
    setup.call("put_object", Bucket="rilievi", Key="cava/west.json", Body='{"epsg":25832}')
    lab.begin(stage, "setup")
    me, other = Lake(stage, "client", server), Lake(stage, "other", server)
    key: dict[str, Any] = {"Bucket": "rilievi", "Key": "cava/west.xyz"}
    me.call("get_object", Bucket="rilievi", Key="cava/west.json")["Body"].read()
    size = me.call("head_object", **key)["ContentLength"]
    step, whole, tags = size // 4, b"", set()
    for part in range(4):
        if part == 2:
            other.call("put_object", **key, Body=cloud.replace("1 ", "8 "))
            lab.wait(0.6)
        end = size - 1 if part == 3 else (part + 1) * step - 1
        got = me.call("get_object", **key, Range=f"bytes={part * step}-{end}")
        tags.add(got["ETag"])
        whole += got["Body"].read()
    lab.sure(len(tags) == 2 and len(whole) == size, tags)
    me.call("head_object", Bucket="rilievi", Key="cava/west.json")


@case(
    "e227",
    "the-task-list-keeps-its-first-tag",
    "stale-stored-token",
    "412",
    alone="stale-stored-token",
    description=(
        "A task app keeps the tag of the first read in its database and never takes over the one that its own save "
        "answered: the first save on Radicale is stored, the next one with the same tag is 412, and nobody else writes."
    ),
)
def tasks(stage: Stage) -> None:
    """Save twice with the tag of the first read."""

    def todo(uid: str, title: str, done: int) -> str:
        text = lab.event(uid, title, "20261130T090000Z", f"PERCENT-COMPLETE:{done}")
        return text.replace("VEVENT", "VTODO")

    items = {f"t{n}.ics": todo(f"t{n}", f"Zaun Feld {n}", 0) for n in range(1, 5)}
    server = lab.calendar(stage, "hof.aufgaben.test", "/hof/zaun/", items)
    me = stage.actor(
        "client", server, "hof.aufgaben.test", "httpx", {**lab.basic("hof"), "User-Agent": "Hofbuch/1.8"}
    )
    media = {"Content-Type": "text/calendar; charset=utf-8"}
    lab.listing(me, "/hof/zaun/")
    first = {n: me.get(f"/hof/zaun/t{n}.ics") for n in (1, 2, 3)}
    for n, done in ((2, 30), (1, 100)):
        own = {**media, "If-Match": first[n].etag}
        saved = me.put(f"/hof/zaun/t{n}.ics", todo(f"t{n}", f"Zaun Feld {n}", done), 204, own)
        lab.sure(saved.etag != first[n].etag)
        lab.wait(0.4)
    lab.wait(0.8)
    me.get("/hof/zaun/t3.ics")
    own = {**media, "If-Match": first[2].etag}
    me.put("/hof/zaun/t2.ics", todo("t2", "Zaun Feld 2", 60), 412, own)
    me.get("/hof/zaun/t4.ics")
