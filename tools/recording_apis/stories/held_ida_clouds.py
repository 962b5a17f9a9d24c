"""Object stores and control planes."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from tools.recording_apis.apps.ida_wire import Desk, Req, Res, Rows, digest, http_date, iso
from tools.recording_apis.stage import case
from tools.recording_apis.stories import held_ida_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.stage import Stage


def _graph_item(rows: Rows, key: str) -> dict[str, Any]:
    row = rows[key]
    return {
        "@odata.context": "$metadata#drive/items/$entity",
        "id": key,
        "eTag": f'"{{{digest(key, 8).upper()}}},{row.rev}"',
        "cTag": f'"c:{{{digest(key, 8).upper()}}},{row.data["content"]}"',
        "name": row.data["name"],
        "size": row.data["size"],
        "lastModifiedDateTime": iso(row.at, 0),
        "lastModifiedBy": {"application" if "Service" in row.by else "user": {"displayName": row.by}},
        **({"photo": row.data["photo"]} if "photo" in row.data else {}),
    }


def _drive(rows: Rows) -> Desk:
    desk = Desk(request_id="5f0c6f4e-11", Cache_Control="private")

    @desk.on("GET PATCH", r"/v1\.0/me/drive/items/(\w+)")
    def item(req: Req, key: str) -> Res:
        if req.method == "PATCH":
            sent = req.fields.get("if-match")
            if sent and sent != _graph_item(rows, key)["eTag"]:
                said = "ETag does not match current item's value"
                return Res(412, {"error": {"code": "resourceModified", "message": said}})
            rows.keep(key, {**rows[key].data, **req.json}, "Ilse Brandt")
        return Res(200, _graph_item(rows, key))

    @desk.on("PUT", r"/v1\.0/me/drive/items/(\w+)/content")
    def upload(req: Req, key: str) -> Res:
        data = {**rows[key].data, "size": len(req.body), "content": rows[key].data["content"] + 1}
        rows.keep(key, data, "Ilse Brandt")
        return Res(200, _graph_item(rows, key))

    desk.page("/v1.0/me", {"displayName": "Ilse Brandt", "id": "48d3"})
    desk.page("/v1.0/me/drive/root/children", {"value": [{"id": "01FOTO7", "name": "IMG_2207.jpg"}]})
    return desk


@case(
    "d754",
    "ida-photo-service-adds-metadata",
    "server-side-mutation",
    "412",
    alone="server-side-mutation",
    synthetic=True,
    description=(
        "A photographer's tool uploads a picture to a drive after the pattern of Microsoft Graph and renames it with the "
        "eTag of the upload's answer; the media service of the drive has meanwhile written the camera's data into the "
        "item, so the rename is 412 resourceModified. The cTag is the same; no user wrote."
    ),
)
def photo(stage: Stage) -> None:
    """Be overtaken by the drive itself."""
    rows = Rows(first=3)
    for key, name in (("01FOTO7", "IMG_2207.jpg"), ("01FOTO8", "IMG_2208.jpg")):
        rows.seed(key, {"name": name, "size": 10, "content": 1}, 700, "Ilse Brandt")
    desk = _drive(rows)
    me = stage.actor(
        "client", place.serve(stage, desk, "waitress", "Microsoft Graph"), "graph.dateien.test", "aiohttp"
    )
    place.look(me, "/v1.0/me", "/v1.0/me/drive/root/children")
    for number, key in enumerate(("01FOTO8", "01FOTO7")):
        me.get(f"/v1.0/me/drive/items/{key}")
        picture = {"Content-Type": "image/jpeg"}
        put = me.put(f"/v1.0/me/drive/items/{key}/content", f"JFIF{number}" * 60, 200, picture).json
        guard = {"If-Match": put["eTag"]}
        if number:
            place.rest(0.6)
            seen = {**rows[key].data, "photo": {"cameraMake": "Nikon", "iso": 200}}
            rows.keep(key, seen, "Media Service")
            place.rest(0.3)
            me.send("PATCH", f"/v1.0/me/drive/items/{key}", 412, guard, {"name": "Hochzeit-007.jpg"})
            now = me.get(f"/v1.0/me/drive/items/{key}").json
            place.sure(now["cTag"] == put["cTag"] and now["eTag"] != put["eTag"])
            place.rest(0.5)
            me.get(f"/v1.0/me/drive/items/{key}")
        else:
            me.send("PATCH", f"/v1.0/me/drive/items/{key}", 200, guard, {"name": "Hochzeit-006.jpg"})
    place.look(me, "/v1.0/me/drive/root/children")


def _raster_desk() -> Any:
    rows = Rows(first=1732703001120044, step=9120331)
    rows.seed("dem/blatt-4711.asc", "\n".join(f"{n * 7 % 97:05}" for n in range(250)), 5000)
    desk = Desk()

    @desk.on("GET", r"/storage/v1/b/dem-lgl/o/(.+)")
    def read(req: Req, key: str) -> Res:
        row = rows[key]
        whole = row.data.encode()
        fields = {
            "ETag": f'"{digest(row.data)}"',
            "x-goog-generation": str(row.rev),
            "x-goog-hash": f"md5={base64.b64encode(bytes.fromhex(digest(row.data))).decode()}",
            "Last-Modified": http_date(row.at),
        }
        if req.query.get("alt") != "media":
            meta = {
                "kind": "storage#object",
                "name": key,
                "generation": str(row.rev),
                "size": str(len(whole)),
            }
            return Res(200, {**meta, "updated": iso(row.at), "md5Hash": fields["x-goog-hash"][4:]})
        low, high = (int(one) for one in req.fields["range"][6:].split("-"))
        part = whole[low : high + 1]
        fields |= {
            "Content-Range": f"bytes {low}-{low + len(part) - 1}/{len(whole)}",
            "Content-Type": "text/plain",
        }
        return Res(206, part, fields)

    desk.page(
        "/storage/v1/b/dem-lgl", {"kind": "storage#bucket", "id": "dem-lgl", "location": "EUROPE-WEST3"}
    )
    desk.page("/jobs/verschneidung/ergebnis", {"ok": False}, 202, "POST")
    return rows, desk


@case(
    "d777",
    "ida-survey-raster-in-three-reads",
    "read-changed-mid-transfer",
    "corrupt-read",
    alone="read-changed-mid-transfer",
    synthetic=True,
    description=(
        "A land office's job reads an elevation raster from a store after the pattern of Google Cloud Storage in three "
        "ranges without naming the generation; between the second and the third the survey replaces the object. All "
        "are 206; the job puts the parts together and reports a checksum that fits neither generation."
    ),
)
def raster(stage: Stage) -> None:
    """Put parts of two generations together."""
    rows, desk = _raster_desk()
    me = stage.actor(
        "client", place.serve(stage, desk, "tornado", "Google Cloud Storage"), "speicher.lgl.test"
    )
    path = "/storage/v1/b/dem-lgl/o/dem%2Fblatt-4711.asc"
    place.look(me, "/storage/v1/b/dem-lgl")
    meta = me.get(path).json
    parts = [me.get(f"{path}?alt=media", 206, {"Range": f"bytes={n * 500}-{n * 500 + 499}"}) for n in (0, 1)]
    place.rest(0.4)
    rows.keep("dem/blatt-4711.asc", "\n".join(f"{n * 5 % 89:05}" for n in range(250)), "befliegung")
    place.rest(0.2)
    parts.append(me.get(f"{path}?alt=media", 206, {"Range": "bytes=1000-1499"}))
    place.sure(parts[2].etag != parts[0].etag)
    whole = b"".join(one.body for one in parts)
    report = {"objekt": "blatt-4711.asc", "generation": meta["generation"], "soll": meta["md5Hash"]}
    report["ist"] = base64.b64encode(bytes.fromhex(digest(whole))).decode()
    place.post(me, "/jobs/verschneidung/ergebnis", report, 202)
    place.sure(me.get(path).json["generation"] != meta["generation"])


@case(
    "d782",
    "ida-nightly-export-name-taken",
    "exists-already",
    "409",
    alone="exists-already",
    synthetic=True,
    description=(
        "An exporter puts its files into a store after the pattern of Alibaba OSS with x-oss-forbid-overwrite: true; "
        "one name was taken by another exporter hours ago, so that one is 409 FileAlreadyExists, as intended. HEAD shows "
        "the older object of another size and owner."
    ),
)
def export(stage: Stage) -> None:
    """Find a name taken."""
    rows = Rows()
    rows.seed("export/2026-11-27/hangzhou.csv", "store,sum\n7,1180\n", 21000, "exporter-b")
    desk = Desk(
        '<?xml version="1.0" encoding="UTF-8"?><Error><Code>NoSuchKey</Code></Error>',
        x_oss_request_id="6747A1",
    )

    @desk.on("GET PUT HEAD", r"/(export/.+)")
    def thing(req: Req, key: str) -> Res:
        row = rows.get(key)
        if req.method == "PUT":
            if row and req.fields.get("x-oss-forbid-overwrite") == "true":
                said = "The object you specified already exists and can not be overwritten."
                xml = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>FileAlreadyExists</Code><Message>{said}</Message>'
                xml += f"<Key>{key}</Key><EC>0026-00000002</EC></Error>"
                return Res(409, xml, {"Content-Type": "application/xml", "x-oss-ec": "0026-00000002"})
            row = rows.keep(key, req.body.decode(), "exporter-a")
            return Res(200, b"", {"ETag": f'"{digest(row.data).upper()}"'})
        if row is None:
            return Res(404, desk.missing, {"Content-Type": "application/xml"})
        marks = {"ETag": f'"{digest(row.data).upper()}"', "Last-Modified": http_date(row.at)}
        return Res(200, row.data, {**marks, "Content-Type": "text/csv", "x-oss-meta-writer": row.by})

    listing = "<ListBucketResult><Name>umsatz</Name><Prefix>export/2026-11-26/</Prefix><KeyCount>0</KeyCount></ListBucketResult>"
    desk.page("/", listing, Content_Type="application/xml")
    server = place.serve(stage, desk, "cheroot", "Alibaba OSS")
    me = stage.actor(
        "client", server, "umsatz.oss-cn.test", "curl:verbose", {"User-Agent": "aliyun-sdk-python/2.19"}
    )
    me.get("/?prefix=export%2F2026-11-26%2F")
    for city, status in (("beijing", 200), ("hangzhou", 409), ("suzhou", 200)):
        fields = {
            "x-oss-forbid-overwrite": "true",
            "Content-Type": "text/csv",
            "x-oss-meta-writer": "exporter-a",
        }
        me.put(
            f"/export/2026-11-27/{city}.csv",
            f"store,sum\n{len(city)},{len(city) * 431}\n9,77\n",
            status,
            fields,
        )
        place.rest(0.2)
    got = me.send("HEAD", "/export/2026-11-27/hangzhou.csv", 200)
    place.sure(got.fields["x-oss-meta-writer"] == "exporter-b")
    me.get("/export/2026-11-27/hangzhou.csv")


def _contract_desk() -> Any:
    rows = Rows(first=0)
    for number in (88120, 88121, 88134):
        rows.seed(
            str(number), {"name": f"Vertrag {number}.docx", "sha1": digest(str(number), 40, "sha1")}, 90000
        )
    gone: list[str] = []
    desk = Desk()

    def error(status: int, code: str, said: str) -> Res:
        return Res(
            status, {"type": "error", "status": status, "code": code, "message": said, "request_id": "1k9xq"}
        )

    @desk.on("GET PUT DELETE", r"/2\.0/files/(\d+)")
    def file(req: Req, key: str) -> Res:
        sent = req.fields.get("if-match")
        if req.method != "GET" and sent and (key not in rows or sent != str(rows[key].rev)):
            said = "The resource has been modified. Please retrieve the resource again and retry"
            return error(412, "precondition_failed", said)
        if key not in rows:
            return error(404, "trashed", "Item is trashed")
        if req.method == "DELETE":
            rows.drop(key)
            gone.append(key)
            return Res(204)
        if req.method == "PUT":
            rows.keep(key, {**rows[key].data, **req.json}, "kanzlei")
        row = rows[key]
        return Res(
            200, {"type": "file", "id": key, "etag": str(row.rev), "sequence_id": str(row.rev), **row.data}
        )

    @desk.on("GET", "/2.0/folders/311/items")
    def folder(_req: Req) -> Res:
        entries = [{"id": k, "etag": str(r.rev)} for k, r in rows.rows.items()]
        return Res(200, {"total_count": len(entries), "entries": entries})

    @desk.on("GET", "/2.0/events")
    def events(_req: Req) -> Res:
        seen = [
            {"event_type": "ITEM_TRASH", "created_by": {"login": "ref@kanzlei.test"}, "source": {"id": k}}
            for k in gone
        ]
        return Res(200, {"chunk_size": len(seen), "next_stream_position": "1152", "entries": seen})

    desk.page("/2.0/users/me", {"type": "user", "login": "sekretariat@kanzlei.test"})
    return desk


@case(
    "d758",
    "ida-contract-went-to-the-trash",
    "target-missing",
    "412",
    alone="target-missing",
    synthetic=True,
    description=(
        "A law firm's tool renames files in a store after the pattern of Box with a bare etag in if-match; a colleague "
        "has put one file into the trash, so the rename is 412, and reading it is 404 trashed."
    ),
)
def contract(stage: Stage) -> None:
    """Rename what somebody has put away."""
    desk = _contract_desk()
    server = place.serve(stage, desk, "falcon", "Box")
    me = stage.actor("client", server, "api.ablage.test", "httpx", {"Authorization": "Bearer sek"})
    other = stage.actor("other", server, "api.ablage.test", "requests", {"Authorization": "Bearer ref"})
    place.look(me, "/2.0/users/me", "/2.0/folders/311/items", "/2.0/events?stream_position=1140")
    held = {n: me.get(f"/2.0/files/{n}").json for n in (88120, 88121, 88134)}
    other.send("DELETE", "/2.0/files/88121", 204, {"if-match": other.get("/2.0/files/88121").json["etag"]})
    place.rest(0.5)
    for number, one in held.items():
        status = 412 if number == 88121 else 200
        me.put(
            f"/2.0/files/{number}",
            {"name": one["name"].replace("Vertrag", "2026 Vertrag")},
            status,
            {"if-match": one["etag"]},
        )
    me.get("/2.0/files/88121", 404)
    place.look(me, "/2.0/events?stream_position=1140", "/2.0/folders/311/items")


def _distribution_xml(data: dict[str, Any]) -> str:
    inner = "".join(f"<{name}>{value}</{name}>" for name, value in data.items())
    return f'<?xml version="1.0"?>\n<DistributionConfig xmlns="http://cloudfront.amazonaws.com/doc/2020-05-31/">{inner}</DistributionConfig>'


def _distributions(rows: Rows) -> Desk:
    desk = Desk(x_amzn_RequestId="ad2f-77")

    @desk.on("GET PUT", r"/2020-05-31/distribution/(\w+)/config")
    def config(req: Req, key: str) -> Res:
        def mark() -> str:
            return "E" + digest([key, rows[key].rev], 12).upper()

        if req.method == "PUT":
            if req.fields.get("if-match") != mark():
                said = "The request failed because it didn't meet the preconditions in one or more request-header fields."
                xml = f"<ErrorResponse><Error><Type>Sender</Type><Code>PreconditionFailed</Code><Message>{said}</Message></Error></ErrorResponse>"
                return Res(412, xml, {"Content-Type": "text/xml"})
            rows.keep(key, req.body.decode(), "deployer")
        return Res(200, rows[key].data, {"ETag": mark(), "Content-Type": "text/xml"})

    desk.page(
        "/2020-05-31/distribution",
        "<DistributionList><Quantity>2</Quantity></DistributionList>",
        Content_Type="text/xml",
    )
    desk.page(
        "/2020-05-31/distribution/EDFDVBD6/invalidation",
        "<Invalidation><Status>InProgress</Status></Invalidation>",
        201,
        "POST",
        Content_Type="text/xml",
    )
    return desk


@case(
    "d784",
    "ida-second-stage-with-planned-tag",
    "stale-stored-token",
    "412",
    alone="stale-stored-token",
    synthetic=True,
    description=(
        "A deployer changes two things of a distribution (after the pattern of CloudFront) in two calls. It planned both with "
        "the ETag of one read; the answer to the first change carries the new one, which it does not take up, and the "
        "second change is 412. Nobody else writes; the configuration read then is its own first change."
    ),
)
def deployer(stage: Stage) -> None:
    """Keep the tag of the plan."""
    rows = Rows(first=11)
    for key in ("EDFDVBD6", "E2QWRUHA"):
        rows.seed(
            key,
            _distribution_xml({"Comment": key, "PriceClass": "PriceClass_100", "Enabled": "true"}),
            400000,
        )
    server = place.serve(stage, _distributions(rows), "waitress", "CloudFront")
    me = stage.actor("client", server, "cloudfront.kanal.test", "java", {"User-Agent": "aws-sdk-java/2.29"})
    place.look(me, "/2020-05-31/distribution")
    plan = {key: me.get(f"/2020-05-31/distribution/{key}/config") for key in ("E2QWRUHA", "EDFDVBD6")}
    path = "/2020-05-31/distribution/EDFDVBD6/config"
    first = plan["EDFDVBD6"].text.replace("PriceClass_100", "PriceClass_200")
    xml = {"Content-Type": "text/xml"}
    done = me.put(path, first, 200, {**xml, "If-Match": plan["EDFDVBD6"].etag})
    other = plan["E2QWRUHA"].text.replace("_100", "_All")
    me.put("/2020-05-31/distribution/E2QWRUHA/config", other, 200, {**xml, "If-Match": plan["E2QWRUHA"].etag})
    place.post(
        me,
        "/2020-05-31/distribution/EDFDVBD6/invalidation",
        "<InvalidationBatch><Path>/*</Path></InvalidationBatch>",
        201,
        xml,
    )
    place.rest(0.8)
    second = first.replace("<Comment>EDFDVBD6", "<Comment>shop, winter")
    me.put(path, second, 412, {**xml, "If-Match": plan["EDFDVBD6"].etag})
    now = me.get(path)
    place.sure(now.etag == done.etag and now.text == first)


@case(
    "d761",
    "ida-meter-run-told-twice",
    "lost-response-replay",
    "412",
    alone="lost-response-replay",
    synthetic=True,
    description=(
        "A biller replaces a document in a store after the pattern of Cosmos DB with If-Match; the connection ends before "
        "the answer, the SDK sends the same again under the same activity id and is told 412; the stored document has its run id."
    ),
)
def biller(stage: Stage) -> None:
    """Meet one's own write."""
    rows = Rows()
    for number in (301, 302, 303):
        rows.seed(
            f"zaehler-{number}",
            {"id": f"zaehler-{number}", "kwh": 1200 + number, "runId": "2026-10"},
            2600000,
        )
    desk = Desk(x_ms_session_token="0:-1#55", x_ms_gatewayversion="version=2.14.0")  # noqa: S106

    def shown(key: str) -> Res:
        row = rows[key]
        mark = f'"{digest([key, row.rev], 8)}-0000-0d00-0000-{int(row.at):x}0000"'
        return Res(
            200, {**row.data, "_rid": digest(key, 10), "_etag": mark, "_ts": int(row.at)}, {"ETag": mark}
        )

    @desk.on("GET PUT", r"/dbs/netz/colls/zaehler/docs/([\w-]+)")
    def doc(req: Req, key: str) -> Res:
        if req.method == "PUT":
            sent = req.fields.get("if-match")
            if sent and sent != shown(key).fields["ETag"]:
                said = "Operation cannot be performed because one of the specified precondition is not met."
                return Res(412, {"code": "PreconditionFailed", "message": said}, {"x-ms-substatus": "0"})
            rows.keep(key, {k: v for k, v in req.json.items() if not k.startswith("_")}, "biller")
        return shown(key)

    desk.page("/dbs/netz/colls/zaehler", {"id": "zaehler", "partitionKey": {"paths": ["/id"]}})
    desk.page("/dbs/netz/colls/zaehler/pkranges", {"PartitionKeyRanges": [{"id": "0"}], "_count": 1})
    server = place.serve(stage, desk, "starlette", "Azure Cosmos DB")
    lost = place.drops("PUT", "zaehler-302")
    me = stage.actor(
        "client", server, "netz.documents.test", "httpx", {"x-ms-version": "2020-07-15"}, loses=lost
    )
    place.look(me, "/dbs/netz/colls/zaehler", "/dbs/netz/colls/zaehler/pkranges")
    for number in (301, 302, 303):
        path = f"/dbs/netz/colls/zaehler/docs/zaehler-{number}"
        seen = me.get(path)
        body = {**seen.json, "kwh": seen.json["kwh"] + 96, "runId": "2026-11/7c1e"}
        fields = {"If-Match": seen.etag, "x-ms-activity-id": f"b1f0-{number}-aa"}
        me.put(path, body, 0 if number == 302 else 200, fields)
        if number == 302:
            place.rest(0.4)
            me.put(path, body, 412, fields)
            now = me.get(path)
            place.sure(now.json["runId"] == "2026-11/7c1e" and now.etag != seen.etag)
