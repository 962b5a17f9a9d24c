"""Held-out stories on stores and clouds in use: etcd, Radicale, moto's WAF and DynamoDB, Azurite, an S3-like store."""

from __future__ import annotations

import hashlib
import time
from email.utils import formatdate
from typing import TYPE_CHECKING, Any

from tools.recording_apis.apps.fen_desk import Desk
from tools.recording_apis.apps.vic_core import Req, Res
from tools.recording_apis.stage import case
from tools.recording_apis.stories import fen_setting as place
from tools.recording_apis.stories.vic_setting import signature

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tools.recording_apis.actors import Actor, Answer
    from tools.recording_apis.stage import Stage


@case(
    "d661",
    "fen-first-start-of-a-ski-lift-controller",
    "exists-already",
    "412",
    alone="exists-already",
    description=(
        "A ski lift's controller seeds its settings in etcd on its first start, each with prevExist=false; one key has "
        "been there for long, written by the mechanics with another value, and is refused as existing. The others are "
        "made, and the controller reads the one that is there."
    ),
)
def lift(stage: Stage) -> None:
    """Find that one of the settings is there."""
    server = stage.server("etcd")
    host = "etcd.bergbahn.example"
    setup = stage.actor("other", server, host, "requests")
    for key, value in (("lifte/l2/vmax", "4.2"), ("lifte/l1/vmax", "5.0"), ("lifte/l1/sitze", "6")):
        setup.send("PUT", f"/v2/keys/{key}", 201, place.FORM, place.encode(value=value))
    stage.forget()
    me = stage.actor("client", server, host, "node:axios", {"User-Agent": "liftd/4.1"})
    place.looks(me, "/version", "/v2/keys/lifte/l1?recursive=true", "/v2/keys/lifte/l2/sitze")
    for name, value, expect in (("sitze", "4", 201), ("vmax", "5.0", 412), ("wind_stopp", "60", 201)):
        content = place.encode(value=value)
        told = me.send("PUT", f"/v2/keys/lifte/l2/{name}?prevExist=false", expect, place.FORM, content)
        place.sure(expect == 201 or told.json["errorCode"] == 105)
        place.think(0.25)
    place.sure(me.get("/v2/keys/lifte/l2/vmax").json["node"]["value"] == "4.2")
    place.looks(me, "/v2/keys/lifte/l2?recursive=true&sorted=true", "/v2/stats/self")


def _event(uid: str, title: str) -> str:
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Huset//Vaskeri 2//DA",
        "BEGIN:VEVENT",
        f"UID:{uid}",
        "DTSTAMP:20261101T080000Z",
        "DTSTART:20261203T170000Z",
        "DTEND:20261203T190000Z",
        f"SUMMARY:{title}",
        "END:VEVENT",
        "END:VCALENDAR",
    ]
    return "\r\n".join(lines) + "\r\n"


@case(
    "d684",
    "fen-laundry-slot-that-was-given-up",
    "target-missing",
    "412",
    alone="target-missing",
    also="other-writer",
    description=(
        "A housing association books its laundry in Radicale: the caretaker has given a slot up and deleted it; a "
        "resident's application, which still shows it, moves it under the tag it knows: 412. The event is 404 and no "
        "longer in the list; the resident's other slot is moved without trouble."
    ),
)
def laundry(stage: Stage) -> None:
    """Move what is no longer there."""
    server = stage.server("radicale")
    host, kind = "kalender.andelsbolig.example", {"Content-Type": "text/calendar; charset=utf-8"}
    me = stage.actor(
        "client",
        server,
        host,
        "requests",
        {"User-Agent": "Vaskeplan/2.0", "Authorization": "Basic Ym9saWc6eA=="},
    )
    other = stage.actor(
        "other", server, host, "curl", {"User-Agent": "vicevaert", "Authorization": "Basic Ym9saWc6eA=="}
    )
    me.send("MKCALENDAR", "/bolig/vask/", 201)
    for uid in ("tur-1", "tur-2"):
        me.put(f"/bolig/vask/{uid}.ics", _event(uid, "Lejl. 14"), 201, kind)
    stage.forget()
    listing = '<?xml version="1.0"?><d:propfind xmlns:d="DAV:"><d:prop><d:getetag/></d:prop></d:propfind>'
    me.send("PROPFIND", "/bolig/vask/", 207, {"Depth": "1"}, listing)
    first, second = (me.get(f"/bolig/vask/{uid}.ics") for uid in ("tur-1", "tur-2"))
    place.think(0.4)
    seen = other.send("GET", "/bolig/vask/tur-2.ics", 200)
    other.send("DELETE", "/bolig/vask/tur-2.ics", (200, 204), {"If-Match": seen.etag})
    place.think(0.5)
    me.put(
        "/bolig/vask/tur-1.ics",
        first.body.replace(b"170000Z", b"173000Z"),
        (200, 201, 204),
        {**kind, "If-Match": first.etag},
    )
    me.put(
        "/bolig/vask/tur-2.ics",
        second.body.replace(b"170000Z", b"180000Z"),
        412,
        {**kind, "If-Match": second.etag},
    )
    me.get("/bolig/vask/tur-2.ics", 404)
    me.send("PROPFIND", "/bolig/vask/", 207, {"Depth": "1"}, listing)


@case(
    "d680",
    "fen-lock-token-of-the-other-address-list",
    "wrong-token-source",
    "400",
    alone="wrong-token-source",
    also="status-dialect-mismatch",
    description=(
        "A script keeps the address lists of a WAF, real boto3 against moto: it lists them and takes the lock token of "
        "the first entry for all. The update of the second list is refused with WAFOptimisticLockException, twice; with "
        "the token that GetIPSet gives for that list it passes."
    ),
)
def addresses(stage: Stage) -> None:
    """Take the token of the neighbour."""
    server = stage.server("moto")
    stage.servers["moto"] = stage.servers["moto"].replace("S3", "wafv2")
    me = place.Cloud(stage, "client", server, "wafv2", "waf.eu-north-1.cloud.test")
    names = {"bureaux": ["192.0.2.0/28"], "partenaires": ["198.51.100.0/26", "198.51.100.128/26"]}
    made = {
        name: me.call(
            "create_ip_set", Name=name, Scope="REGIONAL", IPAddressVersion="IPV4", Addresses=blocks
        )["Summary"]
        for name, blocks in names.items()
    }
    stage.forget()
    listed = me.call("list_ip_sets", Scope="REGIONAL")["IPSets"]
    own = next(one for one in listed if one["Name"] == "bureaux")
    ident = {"Scope": "REGIONAL", "Name": "partenaires", "Id": made["partenaires"]["Id"]}
    me.call(
        "update_ip_set",
        Scope="REGIONAL",
        Name="bureaux",
        Id=own["Id"],
        Addresses=["192.0.2.0/27"],
        LockToken=own["LockToken"],
    )
    listed = me.call("list_ip_sets", Scope="REGIONAL")["IPSets"]
    token = next(one["LockToken"] for one in listed if one["Name"] == "bureaux")
    wanted = [*names["partenaires"], "203.0.113.64/27"]
    for _ in range(2):
        me.call("update_ip_set", "WAFOptimisticLockException", **ident, Addresses=wanted, LockToken=token)
        place.think(0.5)
    me.call("list_tags_for_resource", ResourceARN=made["partenaires"]["ARN"])
    fresh = me.call("get_ip_set", **ident)
    me.call("update_ip_set", **ident, Addresses=wanted, LockToken=fresh["LockToken"])


class _Blobs:
    """Blobs of Azurite under a shared access signature."""

    def __init__(self, me: Actor, folder: str) -> None:
        self._me, self._folder, self._sas = me, folder, signature()

    def send(  # noqa: PLR0917 - what a request has
        self,
        method: str,
        name: str,
        expect: int,
        body: Any = None,
        query: str = "",
        fields: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send one request of the service."""
        more = {
            "x-ms-version": "2021-12-02",
            "x-ms-date": formatdate(time.time(), usegmt=True),
            **(fields or {}),
        }
        if method == "PUT" and name and not query:
            more |= {"x-ms-blob-type": "BlockBlob"}
        path = f"/notes/{self._folder}/{name}" if name else f"/notes/{self._folder}"
        return self._me.send(method, f"{path}?{query}{'&' if query else ''}{self._sas}", expect, more, body)


@case(
    "d686",
    "fen-bakery-orders-saved-as-if-new",
    "create-guard-on-update",
    "409",
    alone="create-guard-on-update",
    description=(
        "A bakery's order sheets in Azurite: the application reads a sheet, changes it and uploads it with "
        "If-None-Match: *, which it uses for all uploads; new sheets are made, each changed one is refused as existing, "
        "also on a second attempt."
    ),
)
def orders(stage: Stage) -> None:
    """Guard a change as if it were a first upload."""
    server = stage.server("azurite")
    me = stage.actor(
        "client", server, "notes.blob.bakkerij.example", "httpx", {"User-Agent": "bestelblad/3.3 azsdk-like"}
    )
    blobs = _Blobs(me, "bestellingen")
    blobs.send("PUT", "", 201, b"", "restype=container")
    for day in ("2026-11-25", "2026-11-26"):
        blobs.send("PUT", f"{day}.csv", 201, f"artikel;stuks\nvolkoren;{len(day) * 4}\n")
    stage.forget()
    only = {"If-None-Match": "*", "Content-Type": "text/csv"}
    blobs.send("GET", "", 200, None, "restype=container&comp=list")
    seen = blobs.send("GET", "2026-11-26.csv", 200)
    blobs.send("PUT", "2026-11-27.csv", 201, "artikel;stuks\nvolkoren;44\n", fields=only)
    changed = seen.text + "spelt;12\n"
    blobs.send("PUT", "2026-11-26.csv", 409, changed, fields=only)
    place.think(0.8)
    blobs.send("HEAD", "2026-11-26.csv", 200)
    blobs.send("PUT", "2026-11-26.csv", 409, changed, fields=only)
    place.sure("spelt" not in blobs.send("GET", "2026-11-26.csv", 200).text)


@case(
    "d675",
    "fen-two-workers-share-eight-partitions",
    "expected-control-flow",
    "412",
    alone="expected-control-flow",
    also="other-writer",
    description=(
        "Two workers of a meter-reading pipeline balance partitions by ownership blobs in Azurite: each round a worker "
        "lists them and claims some under If-Match; who is second gets 412 and goes on with the next. Nothing is lost, "
        "the checkpoints of what it owns are stored, and so it goes every round."
    ),
)
def partitions(stage: Stage) -> None:
    """Lose some claims each round, as is meant."""
    server = stage.server("azurite")
    host, folder = "notes.blob.zaehlwerk.example", "ableser"
    agent = "azsdk-python-eventhub-checkpointstoreblob/1.2.0"
    me = stage.actor("client", server, host, "requests", {"User-Agent": agent})
    other = stage.actor("other", server, host, "httpx", {"User-Agent": agent})
    mine, theirs = _Blobs(me, folder), _Blobs(other, folder)
    prefix = "ns-zaehler/stand/$default"
    theirs.send("PUT", "", 201, b"", "restype=container")
    for number in range(8):
        theirs.send("PUT", f"{prefix}/ownership/{number}", 201, b"")
    stage.forget()

    def tag(blobs: _Blobs, number: int) -> str:
        return blobs.send("HEAD", f"{prefix}/ownership/{number}", 200).etag

    def claim(blobs: _Blobs, number: int, held: str, who: str, expect: int = 200) -> None:
        fields = {"If-Match": held, "x-ms-meta-ownerid": who}
        blobs.send("PUT", f"{prefix}/ownership/{number}", expect, b"", "comp=metadata", fields)

    for own, lost in (((0, 2), 4), ((1, 3), 6), ((0, 1), 5), ((2, 3), 7)):
        mine.send(
            "GET", "", 200, None, f"restype=container&comp=list&include=metadata&prefix={prefix}/ownership/"
        )
        tags = {number: tag(mine, number) for number in (*own, lost)}
        claim(theirs, lost, tag(theirs, lost), "w-7b")
        for number in own:
            claim(mine, number, tags[number], "w-2c")
        claim(mine, lost, tags[lost], "w-2c", 412)
        for number in own:
            mine.send(
                "PUT",
                f"{prefix}/checkpoint/{number}",
                201,
                b"",
                fields={"x-ms-meta-offset": str(9000 + number)},
            )
        place.think(0.6)


@case(
    "d698",
    "fen-seed-prices-compared-as-text",
    "payload-precondition-mismatch",
    "400",
    alone="payload-precondition-mismatch",
    also="status-dialect-mismatch",
    description=(
        "A seed trader keeps prices in DynamoDB (moto, real boto3): an import conditions each write on the old price and "
        "sends it as a string, while the item holds a number. The condition fails twice, the refusal shows the unchanged "
        "item, and the same value as a number passes."
    ),
)
def prices(stage: Stage) -> None:
    """Compare a text with a number."""
    server = stage.server("moto")
    stage.servers["moto"] = stage.servers["moto"].replace("S3", "dynamodb")
    me = place.Cloud(stage, "client", server, "dynamodb", "dynamodb.eu-north-1.cloud.test")
    me.call(
        "create_table",
        TableName="saatgut",
        KeySchema=[{"AttributeName": "sorte", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "sorte", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    for number, price in (("rotklee-7", "12.5"), ("luzerne-2", "18.2"), ("inkarnat-1", "9.8")):
        me.call(
            "put_item",
            TableName="saatgut",
            Item={"sorte": {"S": number}, "preis": {"N": price}, "einheit": {"S": "kg"}},
        )
    stage.forget()
    me.call("describe_table", TableName="saatgut")
    me.call("scan", TableName="saatgut", Limit=10)

    def change(old: dict[str, str], expect: str = "") -> None:
        me.call(
            "update_item",
            expect,
            TableName="saatgut",
            Key={"sorte": {"S": "luzerne-2"}},
            UpdateExpression="SET preis = :neu",
            ConditionExpression="preis = :alt",
            ExpressionAttributeValues={":neu": {"N": "19.1"}, ":alt": old},
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )

    me.call("get_item", TableName="saatgut", Key={"sorte": {"S": "luzerne-2"}}, ConsistentRead=True)
    change({"S": "18.2"}, "ConditionalCheckFailedException")
    place.think(0.7)
    me.call("get_item", TableName="saatgut", Key={"sorte": {"S": "luzerne-2"}}, ConsistentRead=True)
    change({"S": "18.2"}, "ConditionalCheckFailedException")
    change({"N": "18.2"})
    me.call("get_item", TableName="saatgut", Key={"sorte": {"S": "inkarnat-1"}})


def _xml(status: int, code: str, text: str) -> Res:
    body = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>{text}</Message><RequestId>0C1E77</RequestId></Error>'
    return Res(status, body, {"Content-Type": "application/xml"})


def _attic() -> Desk:
    """Return an S3-like store that knows no conditions on writes."""
    desk, held = Desk(), dict[str, bytes]()

    def tag(body: bytes) -> dict[str, str]:
        return {"ETag": f'"{hashlib.md5(body).hexdigest()}"'}  # noqa: S324 - what such stores do

    @desk.on("GET", "/(.+)")
    def read(_req: Req, key: str) -> Res:
        if key not in held:
            return _xml(404, "NoSuchKey", "The specified key does not exist.")
        return Res(200, held[key], {**tag(held[key]), "Content-Type": "application/json"})

    @desk.on("PUT", "/(.+)")
    def write(req: Req, key: str) -> Res:
        if {"if-match", "if-none-match"} & set(req.fields):
            text = "A header you provided implies functionality that is not implemented"
            return _xml(501, "NotImplemented", text)
        held[key] = req.body
        return Res(200, b"", tag(req.body))

    return desk


@case(
    "d682",
    "fen-attic-store-without-conditional-writes",
    "unsupported-precondition",
    "501",
    alone="unsupported-precondition",
    synthetic=True,
    description=(
        "A deployment tool keeps its state in an S3-like store, with real boto3: a put with If-Match under the tag just "
        "read is answered 501 NotImplemented, one with If-None-Match for a new key too; plain puts are stored. The tool "
        "falls back to a file name with a number."
    ),
)
def attic(stage: Stage) -> None:
    """Ask for what the store cannot do."""
    server = place.open_box(stage, _attic(), "waitress", "an S3-like store")
    me = place.Cloud(stage, "client", server, "s3", "objects.attic.test")
    state = {"serial": 41, "resources": ["dns", "lb-1"]}
    me.call("put_object", Bucket="tofu", Key="prod/state.json", Body=Res(200, state).octets)
    stage.forget()
    seen = me.call("get_object", Bucket="tofu", Key="prod/state.json")
    body = Res(200, {**state, "serial": 42}).octets
    me.call(
        "put_object", "NotImplemented", Bucket="tofu", Key="prod/state.json", Body=body, IfMatch=seen["ETag"]
    )
    me.call("put_object", "NotImplemented", Bucket="tofu", Key="prod/state.lock", Body=b"{}", IfNoneMatch="*")
    place.think(0.5)
    again = me.call("head_object", Bucket="tofu", Key="prod/state.json")
    place.sure(again["ETag"] == seen["ETag"])
    me.call(
        "put_object", "NotImplemented", Bucket="tofu", Key="prod/state.json", Body=body, IfMatch=again["ETag"]
    )
    me.call("put_object", Bucket="tofu", Key="prod/state.000042.json", Body=body)
    me.call("get_object", Bucket="tofu", Key="prod/state.000042.json")
