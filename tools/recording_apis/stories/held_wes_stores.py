"""Stories on calendars, key stores, records and objects: Radicale, etcd, Kinto, moto, SeaweedFS, Azurite."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from tools.recording_apis import fronts
from tools.recording_apis.stage import case
from tools.recording_apis.stories import vic_setting as place
from tools.recording_apis.stories.held_wes_setting import FORM, ICS, JSON, basic, event

if TYPE_CHECKING:
    from tools.recording_apis.actors import Actor
    from tools.recording_apis.servers import Server
    from tools.recording_apis.stage import Stage

_PROPS = '<propfind xmlns="DAV:"><prop><getetag/></prop></propfind>'
_XML = {"Content-Type": "application/xml", "Depth": "1"}


@case(
    "e161",
    "wes-gzip-on-text-calendar",
    "etag-weakened",
    "412",
    alone="etag-weakened",
    description=(
        "nginx compresses text/calendar in front of Radicale, which makes the tag of a GET weak; each PUT with what the "
        "agenda read is 412, while what PUT itself answers with is strong and works."
    ),
)
def weakened(stage: Stage) -> None:
    """Change what was read compressed."""
    server = stage.server("radicale")
    setup = stage.actor("other", server, "agenda.parochie.example", "requests", basic("koster"))
    setup.send("MKCALENDAR", "/koster/diensten/", 201, {"Content-Type": "application/xml"})
    for uid in ("doop", "mis", "koor"):
        setup.put(f"/koster/diensten/{uid}.ics", event(uid, uid.title(), 9, "LOCATION:Sint-Jan"), 201, ICS)
    stage.forget()
    edge = fronts.nginx_gzip(stage, server, 'proxy_set_header Accept-Encoding "";')
    me = stage.actor(
        "client",
        edge,
        "agenda.parochie.example",
        "httpx",
        {**basic("koster"), "Accept-Encoding": "gzip, deflate"},
    )
    me.send("PROPFIND", "/koster/diensten/", 207, _XML, _PROPS)
    made = me.put(
        "/koster/diensten/vesper.ics", event("vesper", "Vesper", 17), 201, {**ICS, "If-None-Match": "*"}
    )
    later = event("vesper", "Vesper", 18)
    me.put("/koster/diensten/vesper.ics", later, (201, 204), {**ICS, "If-Match": made.etag})
    for uid, hour in (("mis", 10), ("doop", 14)):
        seen = me.get(f"/koster/diensten/{uid}.ics")
        place.sure(seen.etag.startswith("W/"))
        place.rest(0.6)
        body = event(uid, uid.title(), hour, "LOCATION:Sint-Jan")
        me.put(f"/koster/diensten/{uid}.ics", body, 412, {**ICS, "If-Match": seen.etag})
    bare = me.get("/koster/diensten/mis.ics", 200, {"Accept-Encoding": "identity"})
    place.sure(not bare.etag.startswith("W/"))


@case(
    "e181",
    "wes-surgery-diary-two-desks",
    "other-writer",
    "412",
    alone="other-writer",
    description=(
        "Two desks of a vet's surgery move the same appointment in Radicale; the second's PUT with the tag of its read "
        "is 412, the event that it then reads has the first's time and room."
    ),
)
def surgery(stage: Stage) -> None:
    """Be second at an appointment."""
    server = stage.server("radicale")
    me = stage.actor(
        "client",
        server,
        "diary.vets.example",
        "aiohttp",
        {**basic("ward"), "User-Agent": "DiarySync/3.2 (ward)"},
    )
    other = stage.actor(
        "other", server, "diary.vets.example", "urllib", {**basic("ward"), "User-Agent": "Reception/11"}
    )
    me.send("MKCALENDAR", "/ward/surgery/", 201, {"Content-Type": "application/xml"})
    for uid in ("rex", "minka", "bo"):
        me.put(f"/ward/surgery/{uid}.ics", event(uid, f"{uid} dental", 9, "LOCATION:Room 1"), 201, ICS)
    stage.forget()
    me.send("PROPFIND", "/ward/surgery/", 207, _XML, _PROPS)
    mine = me.get("/ward/surgery/minka.ics")
    rex = me.get("/ward/surgery/rex.ics")
    done = event("rex", "rex dental", 9, "LOCATION:Room 1", "STATUS:CONFIRMED")
    me.put("/ward/surgery/rex.ics", done, 204, {**ICS, "If-Match": rex.etag})
    theirs = other.get("/ward/surgery/minka.ics")
    moved = event("minka", "minka dental", 11, "LOCATION:Room 3", "COMMENT:reception")
    other.put("/ward/surgery/minka.ics", moved, 204, {**ICS, "If-Match": theirs.etag})
    place.rest(1.3)
    body = event("minka", "minka dental", 9, "LOCATION:Room 1", "DESCRIPTION:fasting since 8 pm")
    me.put("/ward/surgery/minka.ics", body, 412, {**ICS, "If-Match": mine.etag})
    now = me.get("/ward/surgery/minka.ics")
    place.sure("reception" in now.text and now.etag != mine.etag)
    me.get("/ward/surgery/bo.ics")


_SYNC = (
    '<sync-collection xmlns="DAV:"><sync-token>{}</sync-token><sync-level>1</sync-level>'
    "<prop><getetag/></prop></sync-collection>"
)


def _token(text: str) -> str:
    return text.partition("<sync-token>")[2].partition("</sync-token>")[0]


@case(
    "e172",
    "wes-phone-back-from-holiday",
    "token-expired",
    "403",
    alone="token-expired",
    description=(
        "A phone asks Radicale for what changed since a sync token that the server no longer keeps: 403 valid-sync-token "
        "until it starts with an empty token, which gives a full answer and a new one."
    ),
)
def holiday(stage: Stage) -> None:
    """Ask with too old a token."""
    server = stage.server("radicale", token_age=1)
    me = stage.actor(
        "client", server, "dav.koop.example", "urllib", {**basic("ilse"), "User-Agent": "DAVdroid/4.4"}
    )
    other = stage.actor(
        "other", server, "dav.koop.example", "httpx", {**basic("ilse"), "User-Agent": "Laptop/7"}
    )
    me.send("MKCALENDAR", "/ilse/home/", 201, {"Content-Type": "application/xml"})
    for uid in ("gym", "tax"):
        me.put(f"/ilse/home/{uid}.ics", event(uid, uid, 8), 201, ICS)
    stage.forget()
    xml = {"Content-Type": "application/xml", "Depth": "0"}
    first = me.send("REPORT", "/ilse/home/", 207, xml, _SYNC.format(""))
    token = _token(first.text)
    me.send("REPORT", "/ilse/home/", 207, xml, _SYNC.format(token))
    other.put("/ilse/home/gym.ics", event("gym", "gym", 10), 204, ICS)
    place.rest(2.3)
    other.send("REPORT", "/ilse/home/", 207, xml, _SYNC.format(""))
    place.rest(2.3)
    other.put("/ilse/home/tax.ics", event("tax", "tax", 11), 204, ICS)
    other.send("REPORT", "/ilse/home/", 207, xml, _SYNC.format(""))
    me.get("/ilse/home/gym.ics")
    for _ in range(2):
        me.send("REPORT", "/ilse/home/", (403, 409, 410), xml, _SYNC.format(token))
        place.rest(0.4)
    again = me.send("REPORT", "/ilse/home/", 207, xml, _SYNC.format(""))
    place.sure(_token(again.text) != token)
    me.send("REPORT", "/ilse/home/", 207, xml, _SYNC.format(_token(again.text)))


@case(
    "e171",
    "wes-choir-merges-and-goes-on",
    "none",
    "recovered",
    alone="none",
    description=(
        "A choir's calendar on Radicale: one PUT is 412 as the conductor moved the rehearsal, the client reads it, keeps "
        "the new hour, adds its note and is taken. Nothing is wrong."
    ),
)
def choir(stage: Stage) -> None:
    """Handle a conflict well."""
    server = stage.server("radicale")
    me = stage.actor("client", server, "kalender.kor.example", "node:fetch", basic("alt"))
    other = stage.actor("other", server, "kalender.kor.example", "requests", basic("alt"))
    other.send("MKCALENDAR", "/alt/prov/", 201, {"Content-Type": "application/xml"})
    for uid in ("prov1", "prov2"):
        other.put(f"/alt/prov/{uid}.ics", event(uid, "Körprov", 18), 201, ICS)
    stage.forget()
    me.send("PROPFIND", "/alt/prov/", 207, _XML, _PROPS)
    mine = me.get("/alt/prov/prov1.ics")
    other.put("/alt/prov/prov1.ics", event("prov1", "Körprov", 19), 204, {**ICS, "If-Match": mine.etag})
    place.rest(0.7)
    noted = partial(event, "prov1", "Körprov")
    me.put("/alt/prov/prov1.ics", noted(18, "DESCRIPTION:ta med noter"), 412, {**ICS, "If-Match": mine.etag})
    now = me.get("/alt/prov/prov1.ics")
    place.rest(0.3)
    told = me.put(
        "/alt/prov/prov1.ics", noted(19, "DESCRIPTION:ta med noter"), 204, {**ICS, "If-Match": now.etag}
    )
    place.sure(me.get("/alt/prov/prov1.ics").etag == told.etag)
    me.get("/alt/prov/prov2.ics")


@case(
    "e163",
    "wes-two-workers-one-index",
    "self-race",
    "412",
    alone="self-race",
    description=(
        "One deployer run (X-Run-Id) sends two swaps of an etcd key with one prevIndex a few hundredths of a second "
        "apart from two workers: the first is stored, the second compared with it and refused, for two keys."
    ),
)
def workers(stage: Stage) -> None:
    """Swap twice at once."""
    server = stage.server("etcd")
    agent = {"User-Agent": "rollout/0.9", "X-Run-Id": "r-7741"}
    me = stage.actor("client", server, "kv.rollout.internal", "httpx", agent)
    for key, value in (("canary", "5"), ("stable", "95"), ("pause", "no")):
        me.put(f"/v2/keys/weights/{key}", f"value={value}", 201, FORM)
    stage.forget()
    me.get("/v2/keys/weights?recursive=true")
    me.get("/v2/keys/weights/pause")
    for key, values in (("canary", ("10", "15")), ("stable", ("90", "85"))):
        index = me.get(f"/v2/keys/weights/{key}").json["node"]["modifiedIndex"]
        path = f"/v2/keys/weights/{key}?prevIndex={index}"
        calls = [partial(me.put, path, f"value={value}", (200, 412), FORM) for value in values]
        got = place.at_once(*calls, apart=0.0)
        place.sure(sorted(one.status for one in got) == [200, 412])
        place.rest(0.5)
    me.get("/v2/keys/weights?recursive=true")


@case(
    "e195",
    "wes-claims-a-berth-unheard",
    "lost-response-replay",
    "412",
    alone="lost-response-replay",
    description=(
        "A crane claims berths in etcd with prevExist=false and its own nonce; for one the connection breaks after the "
        "store, the same is sent again and told 412 (105, key already exists): what is there is its own claim."
    ),
)
def berth(stage: Stage) -> None:
    """Be refused for one's own claim."""
    server = stage.server("etcd")
    me = stage.actor(
        "client",
        server,
        "kv.quay.internal",
        "requests",
        {"User-Agent": "crane-4"},
        loses=place.drops("PUT", "/b7"),
    )
    me.get("/version")
    me.get("/v2/keys/berths", 404)
    for berth in ("b6", "b7"):
        value = f"value=crane-4%2F{berth}-c81f03"
        me.put(f"/v2/keys/berths/{berth}?prevExist=false", value, 201 if berth == "b6" else 0, FORM)
        place.rest(0.4)
    refused = me.put("/v2/keys/berths/b7?prevExist=false", value, 412, FORM)
    place.sure(refused.json["errorCode"] == 105)
    place.sure(me.get("/v2/keys/berths/b7").json["node"]["value"] == "crane-4/b7-c81f03")
    me.get("/v2/keys/berths?recursive=true")


def _kinto(stage: Stage, user: str, collection: str, records: dict[str, Any]) -> tuple[Server, Actor]:
    server = stage.server("kinto")
    setup = stage.actor("other", server, f"{collection}.kinto.example", "requests", basic(user))
    setup.put(f"/v1/accounts/{user}", {"data": {"password": "pw"}}, 201, {"Authorization": ""})
    setup.put("/v1/buckets/app", {}, 201)
    setup.put(f"/v1/buckets/app/collections/{collection}", {}, 201)
    for name, data in records.items():
        setup.put(f"/v1/buckets/app/collections/{collection}/records/{name}", {"data": data}, 201)
    stage.forget()
    return server, setup


@case(
    "e174",
    "wes-one-stamp-for-all-hives",
    "coarse-token-scope",
    "412",
    alone="coarse-token-scope",
    description=(
        "A beekeeper's app adds inspections to a Kinto collection with If-Match of the list's ETag, which any record of the "
        "collection moves: a colleague's work on another hive refuses each of its inserts."
    ),
)
def hives(stage: Stage) -> None:
    """Guard an insert by the whole collection."""
    rows = {f"hive{n}": {"queen": "2025", "frames": 8 + n} for n in range(4)}
    server, other = _kinto(stage, "imker", "hives", rows)
    me = stage.actor("client", server, "hives.kinto.example", "node:axios", basic("imker"))
    path = "/v1/buckets/app/collections/hives/records"
    me.get("/v1/")
    stamp = me.get(f"{path}?_sort=-last_modified").etag
    mine = me.get(f"{path}/hive0")
    for frames in (12, 13):
        other.send("PATCH", f"{path}/hive3", 200, JSON, {"data": {"frames": frames}})
        place.rest(0.8)
        row = {"data": {"hive": "hive1", "mites": frames - 9}}
        me.send("POST", path, 412, {**JSON, "If-Match": stamp}, row)
        same = me.get(f"{path}/hive0")
        place.sure(same.etag == mine.etag)
        listed = me.get(f"{path}?_sort=-last_modified")
        place.sure(listed.json["data"][0]["id"] == "hive3" and listed.etag != stamp)
        stamp = listed.etag


@case(
    "e183",
    "wes-form-without-its-stamp",
    "null-token",
    "400",
    alone="null-token",
    description=(
        "A club's form on Kinto takes the stamp from a field that its list view does not have: it sends If-Match: "
        "undefined and is told 400; with the ETag of a read the same edit is stored for another record."
    ),
)
def form(stage: Stage) -> None:
    """Send what is not there."""
    rows = {f"m{n}": {"name": f"Lid {n}", "fee": 40} for n in range(3)}
    server, _ = _kinto(stage, "bestuur", "leden", rows)
    me = stage.actor("client", server, "leden.kinto.example", "node:fetch", basic("bestuur"))
    path = "/v1/buckets/app/collections/leden/records"
    me.get(path)
    good = me.get(f"{path}/m0")
    me.send("PATCH", f"{path}/m0", 200, {**JSON, "If-Match": good.etag}, {"data": {"fee": 45}})
    for name in ("m1", "m2"):
        place.rest(0.4)
        me.get(f"{path}/{name}")
        me.send(
            "PATCH", f"{path}/{name}", (400, 412), {**JSON, "If-Match": "undefined"}, {"data": {"fee": 45}}
        )
    me.get(path)


@case(
    "e167",
    "wes-night-dump-has-a-name-already",
    "exists-already",
    "412",
    alone="exists-already",
    description=(
        "A backup script puts dumps to S3 (moto) with If-None-Match: *; one name holds last week's dump of another size and "
        "content, and put_object is refused with PreconditionFailed; head_object shows that it is older."
    ),
)
def dump(stage: Stage) -> None:
    """Meet an older object."""
    server = stage.server("moto")
    other, me = place.Lake(stage, "other", server), place.Lake(stage, "client", server)
    other.call("create_bucket", Bucket="dumps", CreateBucketConfiguration={"LocationConstraint": "eu-west-3"})
    other.call("put_object", Bucket="dumps", Key="crm/w48-2.sql", Body=b"-- by hand, before the upgrade\n")
    stage.forget()
    place.rest(1.5)
    me.call("list_objects_v2", Bucket="dumps", Prefix="crm/w47")
    for number in (1, 2, 3):
        named = {"Bucket": "dumps", "Key": f"crm/w48-{number}.sql", "IfNoneMatch": "*"}
        expect = "PreconditionFailed" if number == 2 else ""
        me.call(
            "put_object",
            expect,
            Body=f"-- part {number}\ninsert into t values ({number});\n".encode(),
            **named,
        )
        place.rest(0.3)
    me.call("head_object", Bucket="dumps", Key="crm/w48-2.sql")
    me.call("get_object", Bucket="dumps", Key="crm/w48-2.sql")["Body"].read()


@case(
    "e188",
    "wes-manifest-pusher-keeps-the-first-tag",
    "stale-stored-token",
    "412",
    alone="stale-stored-token",
    description=(
        "A publisher replaces a manifest in S3 (SeaweedFS) with If-Match twice: the second time it sends the ETag of its "
        "start again, although its own first put was answered with a newer one. Nobody else writes."
    ),
)
def manifest(stage: Stage) -> None:
    """Forget the tag of one's own put."""
    server = stage.server("seaweedfs")
    me = place.Lake(stage, "client", server)
    me.call("create_bucket", Bucket="site")
    for key in ("manifest.json", "robots.txt"):
        me.call("put_object", Bucket="site", Key=key, Body=b'{"build":1,"files":[]}')
    stage.forget()
    me.call("list_objects_v2", Bucket="site")
    held = me.call("head_object", Bucket="site", Key="manifest.json")["ETag"]
    own = me.call(
        "put_object", Bucket="site", Key="manifest.json", Body=b'{"build":2,"files":["a"]}', IfMatch=held
    )
    place.sure(own["ETag"] != held)
    me.call("put_object", Bucket="site", Key="img/logo.svg", Body=b"<svg/>")
    place.rest(0.9)
    body = b'{"build":3,"files":["a","b"]}'
    me.call("put_object", "PreconditionFailed", Bucket="site", Key="manifest.json", Body=body, IfMatch=held)
    now = me.call("head_object", Bucket="site", Key="manifest.json")
    place.sure(now["ETag"] == own["ETag"])
