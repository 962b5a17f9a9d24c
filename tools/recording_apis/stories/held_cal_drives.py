"""Drives, folders and bookmarks."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from tools.recording_apis.apps.cal_apis import Api, Req, Res, Row, guid, hashed, instant, stamp
from tools.recording_apis.stage import case
from tools.recording_apis.stories import held_cal_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.actors import Answer
    from tools.recording_apis.stage import Stage


@case(
    "e364",
    "cal-folder-sync-with-bare-integers",
    "none",
    "healthy",
    alone="none",
    synthetic=True,
    description="A folder tool on Box: tags that are bare integers, 304 for what it holds, a rename after another user's rename that it read first, and the 404 of a file that it had itself removed. All as it should be.",
)
def box(stage: Stage) -> None:
    """Sync and be content."""
    rows = {
        k: Row({"type": "file", "name": n, "sha1": hashed(n), "size": 4000 + len(n)}, 0)
        for k, n in (("81120", "menu.pdf"), ("81133", "wine.pdf"), ("81149", "hours.txt"))
    }
    gone: set[str] = set()

    def shown(key: str) -> dict[str, Any]:
        row = rows[key]
        return {
            "id": key,
            "etag": str(row.rev),
            "sequence_id": str(row.rev),
            "modified_at": instant(row.at, 0),
            "modified_by": {"type": "user", "name": row.by},
            **row.data,
        }

    api = Api(
        lambda req: {
            "X-Box-Request-Id": hashed(time.time())[:20],
            "Strict-Transport-Security": "max-age=31536000",
            "Box-Who": req.fields.get("as-user", "-"),
        }
    )

    @api.on("GET", "/2.0/folders/0/items")
    def items(_req: Req) -> Res:
        kept = [k for k in rows if k not in gone]
        return Res(
            200,
            {
                "total_count": len(kept),
                "entries": [
                    {"type": "file", "id": k, "etag": str(rows[k].rev), "name": rows[k].data["name"]}
                    for k in kept
                ],
                "offset": 0,
                "limit": 100,
            },
        )

    @api.on("GET|PUT|DELETE", "/2.0/files/([0-9]+)")
    def one(req: Req, key: str) -> Res:
        row, sent = rows[key], req.fields.get("if-match")
        if key in gone:
            return Res(
                404,
                {
                    "type": "error",
                    "status": 404,
                    "code": "not_found",
                    "message": "Not Found",
                    "request_id": hashed(key)[:12],
                },
            )
        if sent is not None and sent != str(row.rev):
            return Res(
                412,
                {
                    "type": "error",
                    "status": 412,
                    "code": "precondition_failed",
                    "message": "The resource has been modified. Please retrieve the resource again and retry",
                },
            )
        if req.method == "DELETE":
            gone.add(key)
            return Res(204)
        if req.method == "PUT":
            row.add(req.json, req.fields.get("as-user", ""))
        elif req.fields.get("if-none-match") == str(row.rev):
            return Res(304, b"", {"ETag": str(row.rev)})
        return Res(200, shown(key), {"ETag": str(row.rev)})

    server = place.open_box(stage, api, "stdlib", "Box")
    me = stage.actor("client", server, "api.bistro.example", "requests", {"As-User": "carla"})
    other = stage.actor("other", server, "api.bistro.example", "httpx", {"As-User": "jean"})
    me.get("/2.0/folders/0/items")
    held = {k: me.get(f"/2.0/files/{k}").fields["etag"] for k in rows}
    me.get("/2.0/files/81120", 304, {"If-None-Match": held["81120"]})
    other.put(
        "/2.0/files/81133",
        {"name": "wines.pdf"},
        200,
        {"If-Match": other.get("/2.0/files/81133").fields["etag"]},
    )
    place.rest(0.6)
    fresh = me.get("/2.0/files/81133", 200, {"If-None-Match": held["81133"]}).json
    me.put(
        "/2.0/files/81133",
        {"name": fresh["name"].replace("wines", "wines-2025")},
        200,
        {"If-Match": fresh["etag"]},
    )
    me.send("DELETE", "/2.0/files/81149", 204, {"If-Match": held["81149"]})
    me.get("/2.0/files/81149", 404)
    me.get("/2.0/files/81133", 304, {"If-None-Match": "2"})
    place.sure(me.get("/2.0/folders/0/items").json["total_count"] == 2)


@case(
    "e374",
    "cal-songs-rewritten-by-the-drive-itself",
    "server-side-mutation",
    "412",
    alone="server-side-mutation",
    synthetic=True,
    description="A band's tool uploads an mp3 to OneDrive and renames it with the eTag that the upload gave: 412 resourceModified, since the drive's own indexing (lastModifiedBy: an application, the same size and cTag) had moved the eTag; the text file beside it keeps its own and is renamed.",
)
def songs(stage: Stage) -> None:
    """Be overtaken by the drive."""
    rows: dict[str, Row] = {}

    def tag(name: str, kind: str, rev: int) -> str:
        return f'"{{{guid(name).upper()}}},{rev}"' if kind == "e" else f'"c:{{{guid(name).upper()}}},{rev}"'

    def shown(key: str) -> dict[str, Any]:
        row = rows[key]
        by = (
            {"application": {"id": "00000003-0000-0ff1", "displayName": "SharePoint Online Media"}}
            if row.by == "media"
            else {"user": {"displayName": "Lotte V.", "email": "lotte@fanfare.example"}}
        )
        return {
            "id": key,
            "eTag": tag(key, "e", row.rev),
            "cTag": tag(key, "c", 1),
            "lastModifiedDateTime": instant(row.at, 0),
            "lastModifiedBy": by,
            **row.data,
        }

    api = Api(
        lambda _req: {
            "request-id": guid(str(time.time())),
            "OData-Version": "4.0",
            "Strict-Transport-Security": "max-age=31536000",
        },
        "application/json;odata.metadata=minimal",
    )

    @api.on("GET", "/v1.0/me/drive/root/children|/v1.0/me/drive/root:/Set:/children")
    def children(_req: Req) -> Res:
        return Res(200, {"@odata.count": len(rows), "value": [shown(k) for k in rows]})

    @api.on("PUT", "/v1.0/me/drive/root:/Set/(.+):/content")
    def upload(req: Req, name: str) -> Res:
        key = f"01{hashed(name)[:18].upper()}"
        rows[key] = Row(
            {
                "name": name,
                "size": len(req.body),
                "file": {
                    "mimeType": req.fields["content-type"],
                    "hashes": {"quickXorHash": hashed(req.body)[:20] + "="},
                },
            },
            1,
            "lotte",
            0,
        )
        return Res(201, shown(key))

    @api.on("GET|PATCH", "/v1.0/me/drive/items/([A-Z0-9]+)")
    def item(req: Req, key: str) -> Res:
        if req.method == "PATCH":
            if req.fields.get("if-match", tag(key, "e", rows[key].rev)) != tag(key, "e", rows[key].rev):
                return Res(
                    412,
                    {
                        "error": {
                            "code": "resourceModified",
                            "message": "ETag does not match current item's value",
                            "innerError": {"date": instant(time.time(), 0)[:-1]},
                        }
                    },
                )
            rows[key].add(req.json, "lotte")
        return Res(200, shown(key), {"ETag": tag(key, "e", rows[key].rev)})

    server = place.open_box(stage, api, "cheroot", "OneDrive")
    me = stage.actor("client", server, "graph.fanfare.example", "requests", {"Authorization": "Bearer EwB4"})
    me.get("/v1.0/me/drive/root/children")
    text = me.put(
        "/v1.0/me/drive/root:/Set/order.txt:/content", "1 Waltz\n2 Polka", 201, {"Content-Type": "text/plain"}
    ).json
    song = me.put(
        "/v1.0/me/drive/root:/Set/take7.mp3:/content",
        b"ID3\x03\x00\x00\x00\x00" + b"tone" * 40,
        201,
        {"Content-Type": "audio/mpeg"},
    ).json
    place.rest(0.8)
    rows[song["id"]].add({"audio": {"duration": 184000, "bitrate": 192, "title": "Take 7"}}, "media")
    me.send(
        "PATCH",
        f"/v1.0/me/drive/items/{text['id']}",
        200,
        {"If-Match": text["eTag"]},
        {"name": "setlist.txt"},
    )
    place.rest(0.3)
    me.send(
        "PATCH",
        f"/v1.0/me/drive/items/{song['id']}",
        412,
        {"If-Match": song["eTag"]},
        {"name": "07 Waltz.mp3"},
    )
    now = me.get(f"/v1.0/me/drive/items/{song['id']}").json
    place.sure(now["eTag"] != song["eTag"] and now["size"] == song["size"] and now["cTag"] == song["cTag"])
    me.get("/v1.0/me/drive/root:/Set:/children")


@case(
    "e393",
    "cal-drive-date-in-iso-form",
    "bad-date",
    "lost-update",
    alone="bad-date",
    synthetic=True,
    description="A script guards its uploads to a SabreDAV drive by If-Unmodified-Since with an ISO 8601 time: the server passes over what is no HTTP date and takes each PUT; a PROPFIND had shown a colleague's newer getlastmodified before the second, whose lines are gone in the file as read later.",
)
def drive(stage: Stage) -> None:
    """Send a date that is none to the server."""
    rows = {
        n: Row({"text": t}, age=5000 + len(t))
        for n, t in (
            ("rota.txt", "Mon Ada\nTue Ben\n"),
            ("keys.txt", "1 hall\n"),
            ("plan.txt", "May: roof\n"),
        )
    }
    api = Api(
        lambda _req: {
            "X-Sabre-Version": "4.6.0",
            "Content-Security-Policy": "default-src 'none';",
            "DAV": "1, 3, extended-mkcol",
        },
        "application/xml; charset=utf-8",
    )

    def fields(row: Row) -> dict[str, str]:
        return {
            "ETag": f'"{hashed(row.data["text"], "md5")}"',
            "Last-Modified": stamp(row.at),
            "Content-Type": "text/plain",
        }

    @api.on("PROPFIND", "/remote.php/dav/files/ada/Club/?")
    def listing(_req: Req) -> Res:
        inner = "".join(
            f"<d:response><d:href>/remote.php/dav/files/ada/Club/{k}</d:href><d:propstat><d:prop><d:getlastmodified>{stamp(r.at)}</d:getlastmodified><d:getetag>&quot;{hashed(r.data['text'], 'md5')}&quot;</d:getetag><d:getcontentlength>{len(r.data['text'])}</d:getcontentlength></d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response>"
            for k, r in rows.items()
        )
        return Res(
            207,
            f'<?xml version="1.0"?><d:multistatus xmlns:d="DAV:" xmlns:s="http://sabredav.org/ns">{inner}</d:multistatus>',
        )

    @api.on("GET|PUT", "/remote.php/dav/files/ada/Club/(.+)")
    def thing(req: Req, key: str) -> Res:
        row, since = rows[key], req.fields.get("if-unmodified-since", "")
        if req.method == "PUT":
            if since.endswith("GMT") and since != stamp(row.at):
                return Res(
                    412,
                    '<?xml version="1.0" encoding="utf-8"?><d:error xmlns:d="DAV:" xmlns:s="http://sabredav.org/ns"><s:exception>Sabre\\DAV\\Exception\\PreconditionFailed</s:exception><s:message>An If-Unmodified-Since header was specified, but the entity has been changed since the specified date.</s:message><s:header>If-Unmodified-Since</s:header></d:error>',
                )
            row.set({"text": req.body.decode()})
            return Res(204, b"", {k: v for k, v in fields(row).items() if k != "Content-Type"})
        return Res(200, row.data["text"], fields(row))

    server = place.open_box(stage, api, "cheroot", "SabreDAV")
    me = stage.actor(
        "client", server, "cloud.bowls.example", "curl:trace-time", {"Authorization": "Basic YWRhOng="}
    )
    other = stage.actor(
        "other", server, "cloud.bowls.example", "requests", {"Authorization": "Basic YmVuOng="}
    )
    base = "/remote.php/dav/files/ada/Club/"
    ask = '<?xml version="1.0"?><d:propfind xmlns:d="DAV:"><d:prop><d:getetag/><d:getlastmodified/></d:prop></d:propfind>'
    me.send("PROPFIND", base, 207, {"Depth": "1"}, ask)

    def iso(answer: Answer) -> str:
        moment = time.strptime(answer.fields["last-modified"], "%a, %d %b %Y %H:%M:%S GMT")
        return time.strftime("%Y-%m-%dT%H:%M:%S+00:00", moment)

    keys = me.get(base + "keys.txt")
    me.put(base + "keys.txt", keys.text + "2 shed\n", 204, {"If-Unmodified-Since": iso(keys)})
    mine, theirs = me.get(base + "rota.txt"), other.get(base + "rota.txt")
    place.rest(1.1)
    other.put(base + "rota.txt", theirs.text + "Wed Cas\n", 204, {"If-Match": theirs.etag})
    place.rest(0.5)
    me.send("PROPFIND", base, 207, {"Depth": "1"}, ask)
    me.put(base + "rota.txt", mine.text.replace("Ada", "Ida"), 204, {"If-Unmodified-Since": iso(mine)})
    place.sure("Cas" not in me.get(base + "rota.txt").text)


@case(
    "e394",
    "cal-bookmarks-shared-on-kinto",
    "none",
    "healthy",
    alone="none",
    description="Bookmarks on a real Kinto: two devices take turns, each with the tag of its newest read; the list's timestamp in If-None-Match gives 304 while nothing moves, _since lists what the other did, a deletion leaves a tombstone there. Nothing is lost.",
)
def bookmarks(stage: Stage) -> None:
    """Take turns."""
    server = stage.server("kinto")
    head = {"Authorization": "Basic YWxleDp4eXo5OTk="}
    me = stage.actor("client", server, "kinto.reading.example", "requests", head)
    other = stage.actor("other", server, "kinto.reading.example", "node:axios", head)
    me.put("/v1/accounts/alex", {"data": {"password": "xyz999"}}, (200, 201), {"Authorization": ""})
    base = "/v1/buckets/default/collections/links/records"
    ids = [guid(f"link{n}") for n in range(3)]
    for n, one in enumerate(ids):
        me.put(f"{base}/{one}", {"data": {"title": f"Moss {n}", "read": False}}, 201, {"If-None-Match": "*"})
    stage.forget()
    me.get("/v1/")
    tag = me.get(base).etag
    me.get(base, 304, {"If-None-Match": tag})
    seen = me.get(f"{base}/{ids[0]}")
    saved = me.send("PATCH", f"{base}/{ids[0]}", 200, {"If-Match": seen.etag}, {"data": {"read": True}})
    me.send(
        "PATCH",
        f"{base}/{ids[0]}",
        200,
        {"If-Match": f'"{saved.json["data"]["last_modified"]}"'},
        {"data": {"stars": 4}},
    )
    theirs = other.get(f"{base}/{ids[1]}")
    other.put(
        f"{base}/{ids[1]}",
        {"data": {"title": "Moss and fern", "read": False}},
        200,
        {"If-Match": theirs.etag},
    )
    place.rest(0.8)
    me.get(f"{base}?_since={tag.strip(chr(34))}")
    fresh = me.get(f"{base}/{ids[1]}")
    me.send("PATCH", f"{base}/{ids[1]}", 200, {"If-Match": fresh.etag}, {"data": {"read": True}})
    last = me.get(f"{base}/{ids[2]}")
    me.send("DELETE", f"{base}/{ids[2]}", 200, {"If-Match": last.etag})
    me.get(f"{base}/{ids[2]}", 404)
    place.sure(len(me.get(base).json["data"]) == 2)
