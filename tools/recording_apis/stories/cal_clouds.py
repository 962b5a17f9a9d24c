"""Stories on clouds in use: imitations, and Azurite."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from tools.recording_apis.apps.cal_books import Books, stamp
from tools.recording_apis.apps.vic_core import Doc, Req, Res
from tools.recording_apis.stage import case
from tools.recording_apis.stories import cal_setting as place
from tools.recording_apis.stories.vic_setting import signature

if TYPE_CHECKING:
    from tools.recording_apis.stage import Stage


def _drive() -> Books:
    names = {"01PHOTO": "IMG_4410.jpg", "01PLAN": "stall-plan.docx", "01LIST": "helpers.xlsx"}
    books = Books({key: {"name": name, "size": 51200, "c": 1} for key, name in names.items()}, 1)
    head = "/v1.0/me/drive/items/"

    def shown(key: str, doc: Doc) -> dict[str, Any]:
        app = {"application": {"displayName": "Media Processing"}}
        user = {"user": {"displayName": "Rosa Lindqvist"}}
        return {
            "id": key,
            "name": doc.data["name"],
            "size": doc.data["size"],
            "eTag": f'"{{7C9E1B20-{key}}},{doc.rev}"',
            "cTag": f'"c:{{7C9E1B20-{key}}},{doc.data["c"]}"',
            "lastModifiedDateTime": stamp(doc.at, 0),
            "lastModifiedBy": app if doc.by == "app" else user,
            **({"photo": doc.data["photo"]} if "photo" in doc.data else {}),
        }

    @books.on("GET", f"{head}(\\w+)")
    def read(_req: Req, key: str) -> Res:
        doc = books.rows[key]
        if doc.data.get("fresh") and time.time() - doc.at > 0.8:
            taken = {"cameraMake": "Fairphone", "takenDateTime": "2026-10-03T10:12:44Z"}
            doc = books.keep(key, {**doc.data, "fresh": False, "photo": taken}, "app")
        return Res(200, shown(key, doc))

    @books.on("PUT", f"{head}(\\w+)/content")
    def upload(req: Req, key: str) -> Res:
        old = books.rows[key].data
        fresh = key == "01PHOTO"
        return Res(
            200,
            shown(key, books.keep(key, {**old, "size": len(req.body), "c": old["c"] + 1, "fresh": fresh})),
        )

    @books.on("PATCH", f"{head}(\\w+)")
    def rename(req: Req, key: str) -> Res:
        read(req, key)
        if req.fields.get("if-match") != shown(key, books.rows[key])["eTag"]:
            said = {"code": "resourceModified", "message": "ETag does not match current item's value"}
            return Res(412, {"error": {**said, "innerError": {"request-id": "5d2a-0c91"}}})
        return Res(200, shown(key, books.keep(key, {**books.rows[key].data, **req.json})))

    @books.on("GET", "/v1.0/me/drive/root/children")
    def children(_req: Req) -> Res:
        return Res(200, {"value": [shown(key, doc) for key, doc in books.rows.items()]})

    return books


@case(
    "d483",
    "cal-onedrive-reads-the-photo",
    "server-side-mutation",
    "412",
    alone="server-side-mutation",
    synthetic=True,
    description=(
        "A photo that was just uploaded to OneDrive (imitation) gets its camera data added by the service itself a "
        "second later, under a new eTag and the same cTag; the rename with the eTag of the upload is refused. Documents keep theirs."
    ),
)
def photo(stage: Stage) -> None:
    """Rename a photo that the service has worked on."""
    server = place.open_box(stage, _drive(), "waitress", "OneDrive")
    me = stage.actor("client", server, "graph.office.test", "requests", {"Authorization": "Bearer x"})
    items = "/v1.0/me/drive/items/"
    me.get("/v1.0/me/drive/root/children")
    done = me.put(f"{items}01PLAN/content", "plan " * 300, 200)
    place.rest(1.2)
    me.send("PATCH", f"{items}01PLAN", 200, {"If-Match": done.json["eTag"]}, {"name": "stalls.docx"})
    done = me.put(f"{items}01PHOTO/content", "jpeg " * 9000, 200)
    place.rest(1.3)
    me.get(f"{items}01LIST")
    me.send("PATCH", f"{items}01PHOTO", 412, {"If-Match": done.json["eTag"]}, {"name": "stand.jpg"})
    now = me.get(f"{items}01PHOTO").json
    place.sure(now["cTag"] == done.json["cTag"] and "application" in now["lastModifiedBy"])
    place.rest(0.3)
    me.send("PATCH", f"{items}01PHOTO", 200, {"If-Match": now["eTag"]}, {"name": "stand.jpg"})
    me.get("/v1.0/me/drive/root/children")


@case(
    "d513",
    "cal-lease-of-fifteen-seconds",
    "token-expired",
    "412",
    alone="token-expired lease-or-lock",
    description=(
        "A job takes a lease of fifteen seconds on a blob of Azurite, writes, works on for longer than that, and its "
        "next write under the lease is refused with 412; the properties call the lease expired, and taken anew it works."
    ),
)
def leased(stage: Stage) -> None:
    """Write under a lease that has run out."""
    server = stage.server("azurite")
    sas = signature()
    version = {"x-ms-version": "2021-08-06"}
    me = stage.actor("client", server, "blobs.payroll.test", "httpx", version)
    me.put(f"/notes/runs?restype=container&{sas}", b"", 201)
    blob = {"x-ms-blob-type": "BlockBlob", "Content-Type": "text/plain"}
    me.put(f"/notes/runs/november.txt?{sas}", "run: none\n", 201, blob)
    me.put(f"/notes/runs/bonus.txt?{sas}", "run: none\n", 201, blob)
    ask = {"x-ms-lease-action": "acquire", "x-ms-lease-duration": "15"}
    lease = me.put(f"/notes/runs/november.txt?comp=lease&{sas}", b"", 201, ask).fields["x-ms-lease-id"]
    held = {**blob, "x-ms-lease-id": lease}
    me.put(f"/notes/runs/november.txt?{sas}", "run: 1 of 2\n", 201, held)
    for _ in range(4):
        place.rest(4.1)
        me.get(f"/notes/runs/bonus.txt?{sas}")
    late = me.put(f"/notes/runs/november.txt?{sas}", "run: 2 of 2\n", 412, held)
    place.sure("Lease" in late.fields.get("x-ms-error-code", late.text), late.text)
    state = me.send("HEAD", f"/notes/runs/november.txt?{sas}", 200)
    place.sure(state.fields["x-ms-lease-state"] == "expired")
    lease = me.put(f"/notes/runs/november.txt?comp=lease&{sas}", b"", 201, ask).fields["x-ms-lease-id"]
    me.put(f"/notes/runs/november.txt?{sas}", "run: 2 of 2\n", 201, {**blob, "x-ms-lease-id": lease})
    release = {"x-ms-lease-action": "release", "x-ms-lease-id": lease}
    me.put(f"/notes/runs/november.txt?comp=lease&{sas}", b"", 200, release)


def _functions() -> Books:
    books = Books({"dev": {"code": "v3"}, "live": {"code": "v2"}})
    tags = {"dev": "ETVPDKIKX0D", "live": "E2J9QWF1X7"}
    head = "/2020-05-31/function"

    def summary(stage_name: str) -> str:
        return (
            '<?xml version="1.0"?><FunctionSummary xmlns="http://cloudfront.amazonaws.com/doc/2020-05-31/">'
            f"<Name>geo-redirect</Name><FunctionMetadata><Stage>{stage_name}</Stage></FunctionMetadata>"
            "</FunctionSummary>"
        )

    @books.on("GET", f"{head}/geo-redirect/describe")
    def describe(req: Req) -> Res:
        live = req.query.get("Stage") == "LIVE"
        return Res(200, summary("LIVE" if live else "DEVELOPMENT"), {"ETag": tags["live" if live else "dev"]})

    @books.on("GET", head)
    def functions(_req: Req) -> Res:
        return Res(200, summary("LIVE").replace("FunctionSummary", "FunctionList"))

    @books.on("PUT", f"{head}/geo-redirect")
    def update(req: Req) -> Res:
        if req.fields.get("if-match") != tags["dev"]:
            code = "<Code>PreconditionFailed</Code><Message>The request failed because it didn't meet the preconditions in one or more request-header fields.</Message>"
            return Res(412, f'<?xml version="1.0"?><ErrorResponse><Error>{code}</Error></ErrorResponse>')
        tags["dev"] = f"ETV{books.keep('dev', {'code': 'v4'}).digest()[:8].upper()}"
        return Res(200, summary("DEVELOPMENT"), {"ETag": tags["dev"]})

    @books.on("POST", f"{head}/geo-redirect/test")
    def tested(_req: Req) -> Res:
        return Res(
            200, '<?xml version="1.0"?><TestResult><ComputeUtilization>17</ComputeUtilization></TestResult>'
        )

    return books


@case(
    "d466",
    "cal-function-of-the-live-stage",
    "wrong-token-source",
    "412",
    alone="wrong-token-source",
    synthetic=True,
    description=(
        "A deployment reads the ETag of a CloudFront function (imitation) in its LIVE stage and updates the function, "
        "which is compared with the ETag of DEVELOPMENT: 412, again and again, until the other stage is read."
    ),
)
def functions_stage(stage: Stage) -> None:
    """Send the tag of another stage."""
    books = _functions()
    server = place.open_box(stage, books, "cheroot", "CloudFront")
    agent = {"User-Agent": "deploy/3.1 (aws-sdk)", "Content-Type": "text/xml"}
    me = stage.actor("client", server, "cloudfront.edge.test", "node:fetch", agent)
    head = "/2020-05-31/function"
    me.get(head)
    place.usual(books, me, "/2020-05-31/distribution/E1A2B3/config")
    code = "<UpdateFunctionRequest><FunctionCode>ZnVuY3Rpb24=</FunctionCode></UpdateFunctionRequest>"
    for _ in range(2):
        live = me.get(f"{head}/geo-redirect/describe?Stage=LIVE")
        me.put(f"{head}/geo-redirect", code, 412, {"If-Match": live.etag})
        place.rest(0.5)
    dev = me.get(f"{head}/geo-redirect/describe?Stage=DEVELOPMENT")
    done = me.put(f"{head}/geo-redirect", code, 200, {"If-Match": dev.etag})
    me.send("POST", f"{head}/geo-redirect/test", 200, {"If-Match": done.etag}, "<TestFunctionRequest/>")
    place.sure(me.get(f"{head}/geo-redirect/describe?Stage=LIVE").etag == live.etag != dev.etag)


def _zone() -> Books:
    rows = {
        "www.cafe.test.": {"ttl": 600, "rrdatas": ["192.0.2.10"]},
        "mail.cafe.test.": {"ttl": 3600, "rrdatas": ["192.0.2.25"]},
    }
    books = Books(rows, lost={"error": {"code": 404}})
    head = "/dns/v1/projects/cafe-prod/managedZones/main"

    def record(name: str) -> dict[str, Any]:
        return {"kind": "dns#resourceRecordSet", "name": name, "type": "A", **books.rows[name].data}

    @books.on("GET", head)
    def zone(_req: Req) -> Res:
        return Res(200, {"kind": "dns#managedZone", "name": "main", "dnsName": "cafe.test."})

    @books.on("GET", f"{head}/rrsets")
    def rrsets(_req: Req) -> Res:
        return Res(
            200,
            {"kind": "dns#resourceRecordSetsListResponse", "rrsets": [record(name) for name in books.rows]},
        )

    @books.on("POST", f"{head}/changes")
    def changes(req: Req) -> Res:
        for number, gone in enumerate(req.json["deletions"]):
            if gone != record(gone["name"]):
                said = f"Precondition not met for 'entity.change.deletions[{number}]'"
                why = [{"message": said, "domain": "global", "reason": "conditionNotMet"}]
                return Res(412, {"error": {"code": 412, "message": said, "errors": why}})
        for new in req.json["additions"]:
            books.keep(new["name"], {"ttl": new["ttl"], "rrdatas": new["rrdatas"]})
        return Res(200, {"kind": "dns#change", "id": "7", "status": "pending", **req.json})

    @books.on("GET", f"{head}/changes/7")
    def change(_req: Req) -> Res:
        return Res(200, {"kind": "dns#change", "id": "7", "status": "done"})

    return books


@case(
    "d507",
    "cal-dns-record-with-another-ttl",
    "payload-precondition-mismatch",
    "412",
    alone="payload-precondition-mismatch",
    synthetic=True,
    description=(
        "A script replaces a record of a Cloud DNS zone (imitation) and names the old one with its own default TTL of 300 "
        "while the zone has 600: 412 that names deletions[0]. With the record as read, the change is taken."
    ),
)
def ttl(stage: Stage) -> None:
    """Name an old record that is not the zone's."""
    books = _zone()
    server = place.open_box(stage, books, "bottle", "Cloud DNS")
    me = stage.actor("client", server, "dns.googleapis.test", "requests", {"User-Agent": "dnsctl/0.4"})
    head = "/dns/v1/projects/cafe-prod/managedZones/main"
    me.get(head)
    base = {"kind": "dns#resourceRecordSet", "name": "www.cafe.test.", "type": "A"}
    new = {**base, "ttl": 300, "rrdatas": ["192.0.2.77"]}
    guess = {**base, "ttl": 300, "rrdatas": ["192.0.2.10"]}
    for _ in range(2):
        me.send("POST", f"{head}/changes", 412, None, {"additions": [new], "deletions": [guess]})
        place.rest(0.6)
        place.usual(books, me, "/dns/v1/projects/cafe-prod/policies")
    real = next(one for one in me.get(f"{head}/rrsets").json["rrsets"] if one["name"] == "www.cafe.test.")
    me.send("POST", f"{head}/changes", 200, None, {"additions": [new], "deletions": [real]})
    me.get(f"{head}/changes/7")
    me.get(f"{head}/rrsets")


_S3 = '<?xml version="1.0" encoding="UTF-8"?><Error><Code>{}</Code><Message>{}</Message><Resource>{}</Resource></Error>'


@case(
    "d468",
    "cal-lock-file-on-a-store-without",
    "unsupported-precondition",
    "501",
    alone="unsupported-precondition",
    synthetic=True,
    description=(
        "An infrastructure tool takes its lock by a PUT with If-None-Match: * in an S3-compatible store (after B2) that "
        "answers 501 to the field, for every key and each time; plain puts and reads work."
    ),
)
def no_lock(stage: Stage) -> None:
    """Ask for a condition that the store does not know."""
    state = '{"version":4,"serial":18,"resources":[]}'
    books = Books({"/infra/prod.tfstate": state}, extra={"x-amz-request-id": "ad18f3"})

    @books.on("GET", "(/infra/.+)")
    def read(_req: Req, key: str) -> Res:
        if key not in books.rows:
            return Res(404, _S3.format("NoSuchKey", "The specified key does not exist.", key))
        return Res(200, books.rows[key].data, {"ETag": f'"{books.rows[key].digest()}"'})

    @books.on("PUT", "(/infra/.+)")
    def write(req: Req, key: str) -> Res:
        if "if-none-match" in req.fields or "if-match" in req.fields:
            said = "A header you provided implies functionality that is not implemented."
            return Res(501, _S3.format("NotImplemented", said, key))
        return Res(200, "", {"ETag": f'"{books.keep(key, req.body.decode()).digest()}"'})

    server = place.open_box(stage, books, "stdlib", "an S3-compatible store")
    me = stage.actor(
        "client", server, "s3.backup-store.test", "httpx", {"User-Agent": "tofu/1.9 aws-sdk-go-v2"}
    )
    me.get("/infra/prod.tfstate")
    lock = '{"ID":"c1a0","Operation":"OperationTypeApply"}'
    for _ in range(2):
        me.put("/infra/prod.tfstate.tflock", lock, 501, {"If-None-Match": "*"})
        me.get("/infra/prod.tfstate.tflock", 404)
        place.rest(0.7)
    seen = me.get("/infra/prod.tfstate")
    me.put("/infra/prod.tfstate", state.replace("18", "19"), 501, {"If-Match": seen.etag})
    me.put("/infra/prod.tfstate", state.replace("18", "19"), 200)
    me.get("/infra/prod.tfstate")


@case(
    "d497",
    "cal-delete-marker-counts-as-there",
    "server-precondition-bug",
    "412",
    alone="server-precondition-bug",
    synthetic=True,
    description=(
        "In a versioned bucket (after RustFS) a key whose latest version is a delete marker is 404 to every read, and "
        "a PUT with If-None-Match: * is yet refused with 412; for keys that never were, the same request creates."
    ),
)
def marker(stage: Stage) -> None:
    """Create again what was deleted."""
    books = Books({"/exports/daily.csv": "day,sum\n1,40\n"})

    @books.on("GET", "(/exports/.+)")
    def read(_req: Req, key: str) -> Res:
        doc = books.rows.get(key)
        if doc is None or doc.data is None:
            more = {"x-amz-delete-marker": "true"} if doc else {}
            return Res(404, _S3.format("NoSuchKey", "The specified key does not exist.", key), more)
        return Res(200, doc.data, {"ETag": f'"{doc.digest()}"', "x-amz-version-id": f"v{doc.rev:04}"})

    @books.on("DELETE", "(/exports/.+)")
    def delete(_req: Req, key: str) -> Res:
        return Res(
            204, b"", {"x-amz-delete-marker": "true", "x-amz-version-id": f"v{books.keep(key, None).rev:04}"}
        )

    @books.on("PUT", "(/exports/.+)")
    def write(req: Req, key: str) -> Res:
        if req.fields.get("if-none-match") == "*" and key in books.rows:
            said = "At least one of the pre-conditions you specified did not hold"
            return Res(412, _S3.format("PreconditionFailed", said, key))
        doc = books.keep(key, req.body.decode())
        return Res(200, "", {"ETag": f'"{doc.digest()}"', "x-amz-version-id": f"v{doc.rev:04}"})

    server = place.open_box(stage, books, "falcon", "RustFS")
    me = stage.actor("client", server, "s3.warehouse.test", "aiohttp", {"User-Agent": "exporter/7"})
    once = {"If-None-Match": "*", "Content-Type": "text/csv"}
    me.put("/exports/2026-11-25.csv", "day,sum\n25,11\n", 200, once)
    me.get("/exports/daily.csv")
    me.send("DELETE", "/exports/daily.csv", 204)
    me.get("/exports/daily.csv", 404)
    for _ in range(2):
        me.put("/exports/daily.csv", "day,sum\n2,44\n", 412, once)
        me.get("/exports/daily.csv", 404)
        place.rest(0.5)
    me.put("/exports/2026-11-26.csv", "day,sum\n26,9\n", 200, once)
    me.put("/exports/daily.csv", "day,sum\n2,44\n", 200, {"Content-Type": "text/csv"})
    me.get("/exports/daily.csv")


@case(
    "d461",
    "cal-generations-in-good-order",
    "none",
    "healthy",
    alone="none",
    synthetic=True,
    description=(
        "A job keeps its checkpoint in Cloud Storage (imitation): created with ifGenerationMatch=0, which succeeds, then "
        "moved on with the generation of each answer; reads with ifGenerationNotMatch are 304 in between."
    ),
)
def generations(stage: Stage) -> None:
    """Move a checkpoint on."""
    books = Books(
        {"config.json": {"batch": 500}},
        1732700000000001,
        lost={"error": {"code": 404, "message": "Not Found"}},
    )

    def meta(name: str) -> dict[str, Any]:
        doc = books.rows[name]
        return {"kind": "storage#object", "name": name, "generation": str(doc.rev), "updated": stamp(doc.at)}

    @books.on("POST", "/upload/storage/v1/b/jobs/o")
    def upload(req: Req) -> Res:
        name, want = req.query["name"], req.query.get("ifGenerationMatch")
        now = str(books.rows[name].rev) if name in books.rows else "0"
        if want is not None and want != now:
            why = [{"reason": "conditionNotMet", "location": "If-Match", "locationType": "header"}]
            return Res(412, {"error": {"code": 412, "message": "Precondition Failed", "errors": why}})
        books.keep(name, req.json)
        return Res(200, meta(name))

    @books.on("GET", "/storage/v1/b/jobs/o/(.+)")
    def read(req: Req, name: str) -> Res:
        if name not in books.rows:
            return Res(404, books.lost)
        if req.query.get("ifGenerationNotMatch") == str(books.rows[name].rev):
            return Res(304)
        return Res(200, books.rows[name].data if req.query.get("alt") == "media" else meta(name))

    server = place.open_box(stage, books, "waitress", "Cloud Storage")
    me = stage.actor(
        "client", server, "storage.googleapis.test", "requests", {"User-Agent": "etl/2 gcs-python"}
    )
    base, put = "/storage/v1/b/jobs/o", "/upload/storage/v1/b/jobs/o?uploadType=media&name=checkpoint.json"
    me.get(f"{base}/config.json?alt=media")
    me.get(f"{base}/checkpoint.json", 404)
    now = me.send("POST", f"{put}&ifGenerationMatch=0", 200, None, {"offset": 0}).json["generation"]
    for offset in (500, 1000, 1500):
        place.rest(0.3)
        me.get(f"{base}/checkpoint.json?ifGenerationNotMatch={now}", 304)
        now = me.send("POST", f"{put}&ifGenerationMatch={now}", 200, None, {"offset": offset}).json[
            "generation"
        ]
    place.sure(me.get(f"{base}/checkpoint.json?alt=media").json == {"offset": 1500})
