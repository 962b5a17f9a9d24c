"""Lettings, shipments and references."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from tools.recording_apis.apps.cal_apis import Api, Req, Res, Row, guid, hashed, instant, stamp
from tools.recording_apis.stage import case
from tools.recording_apis.stories import held_cal_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.stage import Stage


def _zotero_api() -> Api:
    place_keys = ("QWRT7Z2A", "HH4PX9CD", "ZTEUV3KM")
    items: dict[str, dict[str, Any]] = {
        k: {"key": k, "version": v, "title": t, "extra": ""}
        for k, v, t in zip(place_keys, (288, 301, 296), ("Bog pollen", "Peat cores", "Varves"), strict=True)
    }
    library = [301]
    api = Api(
        lambda _req: {
            "Zotero-API-Version": "3",
            "Last-Modified-Version": str(library[0]),
            "Zotero-Schema-Version": "32",
        }
    )

    def shown(key: str) -> dict[str, Any]:
        own = items[key]
        return {
            "key": key,
            "version": own["version"],
            "library": {"type": "group", "id": 51120, "name": "Quaternary"},
            "data": own,
        }

    @api.on("GET", "/groups/51120/items")
    def listed(_req: Req) -> Res:
        return Res(200, [shown(k) for k in items], {"Total-Results": str(len(items))})

    @api.on("GET|PATCH", "/groups/51120/items/([A-Z0-9]+)")
    def one(req: Req, key: str) -> Res:
        if req.method == "GET":
            return Res(200, shown(key), {"Last-Modified-Version": str(items[key]["version"])})
        library[0] += 1
        items[key].update(req.json, version=library[0])
        return Res(204, b"", {"Last-Modified-Version": str(library[0])})

    @api.on("POST", "/groups/51120/items")
    def many(req: Req) -> Res:
        out: dict[str, dict[str, Any]] = {"success": {}, "unchanged": {}, "failed": {}, "successful": {}}
        library[0] += 1
        for n, sent in enumerate(req.json):
            own = items[sent["key"]]
            if sent["version"] != own["version"]:
                out["failed"][str(n)] = {
                    "key": own["key"],
                    "code": 412,
                    "message": f"Item has been modified since specified version (expected {sent['version']}, found {own['version']})",
                }
            else:
                own.update(sent, version=library[0])
                out["success"][str(n)] = own["key"]
                out["successful"][str(n)] = shown(own["key"])
        return Res(200, out)

    api.say(
        "GET",
        "/keys/current",
        {"key": "P9N", "userID": 47, "username": "sedge", "access": {"groups": {"51120": {"write": True}}}},
    )
    return api


@case(
    "e365",
    "cal-references-unsaved-in-a-200",
    "status-dialect-mismatch",
    "lost-update",
    alone="status-dialect-mismatch",
    also="other-writer",
    synthetic=True,
    description="A plug-in writes several Zotero items in one POST and looks at the status alone: 200, with the second item under failed (412, modified since version 301 by the group's other member); it goes on as if saved, and its later read shows the item without its edit.",
)
def zotero(stage: Stage) -> None:
    """Take a 200 for the whole truth."""
    server = place.open_box(stage, _zotero_api(), "aiohttp", "Zotero")
    me = stage.actor(
        "client", server, "api.refs.example", "httpx", {"Zotero-API-Version": "3", "Zotero-API-Key": "P9N"}
    )
    other = stage.actor(
        "other", server, "api.refs.example", "urllib", {"Zotero-API-Version": "3", "Zotero-API-Key": "Q1B"}
    )
    me.get("/keys/current")
    held = me.get("/groups/51120/items?format=json&limit=50").json
    other.send(
        "PATCH",
        "/groups/51120/items/HH4PX9CD",
        204,
        {"If-Unmodified-Since-Version": "301", "Content-Type": "application/json"},
        {"title": "Peat cores, revised"},
    )
    place.rest(1.1)
    sent = [{**one["data"], "extra": f"shelf {n}"} for n, one in enumerate(held, 3)]
    got = me.send("POST", "/groups/51120/items", 200, {"Zotero-Write-Token": hashed("w", "md5")}, sent).json
    place.sure(list(got["failed"]) == ["1"])
    place.rest(0.4)
    now = me.get("/groups/51120/items?format=json&limit=50").json
    place.sure(now[1]["data"]["extra"] == "" and now[0]["data"]["extra"] == "shelf 3")


@case(
    "e381",
    "cal-lettings-tag-without-its-quotes",
    "malformed-validator",
    "412",
    alone="malformed-validator",
    synthetic=True,
    description="A letting agency's sync patches Reapit properties with the _eTag of its JSON store, quotes taken off when it was stored: 412 ETag provided does not match, twice, though the read in between gives the same value in quotes; a landlord's record patched by the quoted value is 204.",
)
def lettings(stage: Stage) -> None:
    """Lose the quotes."""
    rows = {
        ("properties", f"OXF{n}"): Row(
            {"marketingMode": "letting", "letting": {"rent": 1400 + n % 100, "rentFrequency": "monthly"}}
        )
        for n in (180021, 180022)
    }
    rows["landlords", "OXL0087"] = Row({"active": True, "source": {"id": "WEB"}})
    api = Api(
        lambda _req: {"x-amzn-RequestId": guid(str(time.time())), "api-version": "2020-01-31"},
        "application/json; charset=utf-8",
    )

    def tag(key: tuple[str, str]) -> str:
        return f'"{hashed((key, rows[key].rev), "md5").upper()}"'

    @api.on("GET", "/(properties|landlords)/?")
    def listed(_req: Req, kind: str) -> Res:
        found = [
            {"id": k[1], "modified": instant(r.at, 0), **r.data, "_eTag": tag(k)}
            for k, r in rows.items()
            if k[0] == kind
        ]
        return Res(
            200,
            {
                "_embedded": found,
                "pageNumber": 1,
                "pageSize": 25,
                "pageCount": len(found),
                "totalCount": len(found),
            },
        )

    @api.on("GET|PATCH", "/(properties|landlords)/([A-Z0-9]+)")
    def one(req: Req, kind: str, key: str) -> Res:
        row = rows[kind, key]
        if req.method == "PATCH":
            if req.fields.get("if-match") != tag((kind, key)):
                return Res(
                    412,
                    {
                        "statusCode": 412,
                        "dateTime": instant(time.time(), 6),
                        "description": "ETag provided does not match the current version of the resource. Please retrieve the latest version of the resource and try again.",
                    },
                )
            row.add(req.json)
            return Res(204)
        return Res(
            200,
            {"id": key, "modified": instant(row.at, 0), **row.data, "_eTag": tag((kind, key))},
            {"ETag": tag((kind, key))},
        )

    server = place.open_box(stage, api, "starlette", "Reapit Foundations")
    me = stage.actor(
        "client",
        server,
        "platform.letwise.example",
        "node:fetch",
        {"Authorization": "Bearer eyJraW", "api-version": "2020-01-31", "reapit-customer": "SBOX"},
    )
    found = {
        one["id"]: one["_eTag"].strip('"')
        for one in me.get("/properties/?marketingMode=letting&pageSize=25").json["_embedded"]
    }
    lord = me.get("/landlords/OXL0087")
    me.send("PATCH", "/landlords/OXL0087", 204, {"If-Match": lord.etag}, {"active": False})
    me.send(
        "PATCH",
        "/properties/OXF180022",
        412,
        {"If-Match": found["OXF180022"]},
        {"letting": {"rent": 1495, "rentFrequency": "monthly"}},
    )
    place.rest(0.7)
    again = me.get("/properties/OXF180022").json
    place.sure(again["_eTag"].strip('"') == found["OXF180022"])
    me.send(
        "PATCH",
        "/properties/OXF180022",
        412,
        {"If-Match": again["_eTag"].strip('"')},
        {"letting": {"rent": 1495, "rentFrequency": "monthly"}},
    )
    me.get("/properties/?marketingMode=letting&pageSize=25")


@case(
    "e382",
    "cal-shipment-refused-and-yet-stored",
    "post-commit-412",
    "412",
    alone="post-commit-412",
    synthetic=True,
    description="A Spring Data REST service looks at If-Unmodified-Since after its commit: a planner patches a shipment with the date it was just given and is told 412, and the shipment that it then reads is its own, one version on and of that very second; the next one is the same.",
)
def shipment(stage: Stage) -> None:
    """Be refused after the fact."""
    rows = {
        n: Row({"dock": "B", "pallets": 10 + n, "state": "PLANNED"}, 2, age=3000 + n) for n in (70, 71, 72)
    }
    api = Api(
        lambda _req: {"Vary": "Origin, Access-Control-Request-Method, Access-Control-Request-Headers"},
        "application/hal+json",
    )

    def shown(key: int) -> dict[str, Any]:
        row = rows[key]
        return {
            **row.data,
            "version": row.rev,
            "lastModifiedDate": instant(row.at),
            "_links": {"self": {"href": f"http://loads.quarry.example/api/shipments/{key}"}},
        }

    @api.on("GET", "/api/shipments")
    def listed(_req: Req) -> Res:
        return Res(
            200,
            {
                "_embedded": {"shipments": [shown(k) for k in rows]},
                "page": {"size": 20, "totalElements": 3, "totalPages": 1, "number": 0},
            },
        )

    @api.on("GET|PATCH", "/api/shipments/([0-9]+)")
    def one(req: Req, key: str) -> Res:
        row = rows[int(key)]
        if req.method == "PATCH":
            row.add(req.json, "planner")
            since = req.fields.get("if-unmodified-since")
            return (
                Res(412)
                if since and stamp(row.at) != since
                else Res(204, b"", {"ETag": f'"{row.rev}"', "Last-Modified": stamp(row.at)})
            )
        return Res(200, shown(int(key)), {"Last-Modified": stamp(row.at), "ETag": f'"{row.rev}"'})

    api.say("GET", "/api/docks", {"_embedded": {"docks": [{"code": c, "open": True} for c in "ABC"]}})
    server = place.open_box(stage, api, "waitress", "Spring Data REST")
    me = stage.actor(
        "client",
        server,
        "loads.quarry.example",
        "urllib",
        {"Accept": "application/hal+json", "Authorization": "Basic cGxhbm5lcg=="},
    )
    me.get("/api/shipments")
    me.get("/api/docks")
    for key, dock in ((71, "C"), (72, "A")):
        seen = me.get(f"/api/shipments/{key}")
        me.send(
            "PATCH",
            f"/api/shipments/{key}",
            412,
            {
                "If-Unmodified-Since": seen.fields["last-modified"],
                "Content-Type": "application/merge-patch+json",
            },
            {"dock": dock, "state": "CALLED"},
        )
        place.rest(0.6)
        now = me.get(f"/api/shipments/{key}").json
        place.sure(now["dock"] == dock and now["version"] == seen.json["version"] + 1)
    me.get("/api/shipments")
