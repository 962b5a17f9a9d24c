# mypy: ignore-errors
# ruff: noqa: ARG005 - routes are handed all that they may want
"""Imitations of services in use whose trouble makes no noise, and of some that work well."""

from __future__ import annotations

import hashlib
import itertools
import time
from email.utils import parsedate_to_datetime
from urllib.parse import parse_qsl

from tools.recording_apis.apps.ray_core import Api, Res, guid, httpdate, iso
from tools.recording_apis.apps.zed_suites import header, rows


def spring(kind: str, things: dict) -> Api:
    """Return entities as Spring Data REST shows them."""
    api = Api(lambda req: {"Vary": "Origin, Access-Control-Request-Method, Access-Control-Request-Headers"}, first=3)
    for key, data in things.items():
        api.keep(key, data, age=8000)

    def tag(key: str) -> str:
        return f'"{api.rows[key].rev}"'

    def show(key: str) -> dict:
        link = f"http://berths.port.example/api/{kind}/{key}"
        return {**api.rows[key].data, "_links": {"self": {"href": link}, kind[:-1]: {"href": link}}}

    def marks(key: str) -> dict:
        return {"ETag": tag(key), "Content-Type": "application/hal+json"}

    rows(
        api,
        rf"/api/{kind}/(\d+)",
        show=show,
        marks=marks,
        sent=header("if-match"),
        known=tag,
        refuse=lambda req, key: Res(412, b""),
        clean=lambda asked: {k: v for k, v in asked.items() if k != "_links"},
        done=lambda key: Res(204, b"", {"ETag": tag(key)}),
    )
    api.on("GET", f"/api/{kind}", lambda req: Res(200, {"_embedded": {kind: [show(key) for key in api.rows]}, "page": {"size": 20, "totalElements": len(api.rows), "number": 0}}, {"Cache-Control": "no-store"}))
    api.on("POST", "/api/rosters", lambda req: Res(201, {**req.json, "_links": {"self": {"href": "http://berths.port.example/api/rosters/88"}}}, {"Location": "http://berths.port.example/api/rosters/88"}))
    api.on("GET", "/api", lambda req: Res(200, {"_links": {kind: {"href": f"http://berths.port.example/api/{kind}{{?page,size}}"}}}, {"Cache-Control": "no-store"}))
    return api


def lrs(node: str, salt: str, documents: dict) -> Api:
    """Return one node of a record store; its tags hold what only this node knows."""
    api = Api(lambda req: {"X-Experience-API-Version": "1.0.3", "X-LRS-Node": node})
    for key, data in documents.items():
        api.keep(key, data, age=60000)

    def profile(req):
        asked = req.query
        key = asked.get("profileId")
        if key is None:
            return Res(200, list(api.rows))
        if key not in api.rows:
            return Res(404, b"")
        fields = {"ETag": f'"{hashlib.sha1(salt.encode() + api.rows[key].octets).hexdigest()}"', "Last-Modified": httpdate(api.rows[key].at)}
        if req.fields.get("if-none-match") == fields["ETag"]:
            return Res(304, b"", fields)
        return Res(200, api.rows[key].data, fields)

    api.on("GET", "/xapi/activities/profile", profile)
    api.on("POST", "/xapi/statements", lambda req: Res(200, [guid(req.body.decode())], {"X-Experience-API-Consistent-Through": iso(time.time())}))
    api.on("GET", "/xapi/about", lambda req: Res(200, {"version": ["1.0.3", "1.0.2"]}))
    return api


def notes(texts: dict) -> Api:
    """Return notes; the list's tag is made anew for each answer, those of the notes are not."""
    api, turn = Api(lambda req: {"X-Notes-API-Versions": "0.2, 1.3", "Cache-Control": "no-cache, no-store, must-revalidate"}), itertools.count(1)
    for number, (key, text) in enumerate(texts.items()):
        api.keep(key, text, age=50000 + number)

    def tag(key: str) -> str:
        return api.rows[key].digest("notes")

    def show(key: str) -> dict:
        row = api.rows[key]
        return {"id": int(key), "etag": tag(key), "readonly": False, "modified": int(row.at), "favorite": False, "category": "", **row.data}

    base = "/index.php/apps/notes/api/v1/notes"

    def many(req):
        made = hashlib.md5(f"{next(turn)}{time.time()}".encode()).hexdigest()
        return Res(200, [show(key) for key in api.rows], {"ETag": f'"{made}"', "Last-Modified": httpdate(max(row.at for row in api.rows.values()))})

    rows(
        api,
        base + r"/(\d+)",
        show=show,
        marks=lambda key: {"ETag": f'"{tag(key)}"'},
        sent=header("if-match"),
        known=lambda key: f'"{tag(key)}"',
        refuse=lambda req, key: Res(412, show(key)),
    )
    api.on("GET", base, many)
    api.on("GET", "/ocs/v2.php/cloud/capabilities", lambda req: Res(200, {"ocs": {"meta": {"status": "ok"}, "data": {"capabilities": {"notes": {"api_version": ["0.2", "1.3"]}}}}}))
    return api


def oracle(networks: dict) -> Api:
    """Return cloud networks; if-match may be left out."""
    api = Api(lambda req: {"opc-request-id": guid(f"{time.time()}").replace("-", "").upper()})
    for key, data in networks.items():
        api.keep(key, data, age=880000)

    def tag(key: str) -> str:
        return api.rows[key].digest("oci")[:8]

    def show(key: str) -> dict:
        href = f"https://iaas.eu-zurich-1.oraclecloud.com/20160918/vcns/{key}"
        return {"id": key, "lifecycleState": "AVAILABLE", "href": href, **api.rows[key].data}

    rows(
        api,
        r"/20160918/vcns/([^/]+)",
        show=show,
        marks=lambda key: {"etag": tag(key)},
        sent=header("if-match"),
        known=tag,
        refuse=lambda req, key: Res(412, {"code": "NoEtagMatch", "message": "The etag does not match"}),
        clean=lambda asked: {k: v for k, v in asked.items() if k not in {"id", "lifecycleState", "href"}},
    )

    def move(req, key: str):
        return Res(202, b"", {"etag": tag(key), "opc-work-request-id": "ocid1.coreservicesworkrequest.oc1.zrh.aa8k"})

    api.on("POST", r"/20160918/vcns/([^/]+)/actions/changeCompartment", move)
    api.on("GET", "/20160918/vcns", lambda req: Res(200, [show(key) for key in api.rows]))
    return api


def zotero(items: dict) -> Api:
    """Return a library; a write of many items is 200, whatever became of each."""
    api = Api(lambda req: {"Zotero-API-Version": "3", "Zotero-Schema-Version": "33"})
    api.version, api.at = 24020, {}

    def keep(key: str, data: dict) -> None:
        api.version += 3
        api.keep(key, data)
        api.at[key] = api.version

    for key, data in items.items():
        keep(key, data)

    def show(key: str) -> dict:
        return {"key": key, "version": api.at[key], "library": {"type": "user", "id": 475425}, "data": {"key": key, "version": api.at[key], **api.rows[key].data}}

    def mark() -> dict:
        return {"Last-Modified-Version": str(api.version)}

    def many(req):
        if req.method == "GET":
            if req.fields.get("if-modified-since-version") == str(api.version):
                return Res(304, b"", mark())
            since = int(req.query.get("since", 0))
            return Res(200, [show(key) for key in api.rows if api.at[key] > since], {**mark(), "Total-Results": str(len(api.rows))})
        success, failed = {}, {}
        for number, item in enumerate(req.json):
            key, version = item["key"], item.get("version")
            if version != api.at[key]:
                said = f"Item has been modified since specified version (expected {version}, found {api.at[key]})"
                failed[str(number)] = {"key": key, "code": 412, "message": said}
                continue
            keep(key, {**api.rows[key].data, **{k: v for k, v in item.items() if k not in {"key", "version"}}})
            success[str(number)] = key
        return Res(200, {"successful": {n: show(key) for n, key in success.items()}, "success": success, "unchanged": {}, "failed": failed}, mark())

    api.on("GET POST", "/users/475425/items", many)
    api.on("GET", "/users/475425/items/([A-Z0-9]+)", lambda req, key: Res(200, show(key), {"Last-Modified-Version": str(api.at[key])}))
    api.on("GET", "/keys/current", lambda req: Res(200, {"userID": 475425, "username": "ilse", "access": {"user": {"library": True, "write": True}}}))
    return api


def _since(text: str | None):
    try:
        return parsedate_to_datetime(text).timestamp() if text and text.endswith("GMT") else None
    except ValueError:
        return None


def salesforce(kind: str, things: dict) -> Api:
    """Return records whose reads know dates."""
    api = Api(lambda req: {"Sforce-Limit-Info": "api-usage=118/15000", "Cache-Control": "no-cache,must-revalidate,max-age=0,no-store,private"})
    for number, (key, data) in enumerate(things.items()):
        api.keep(key, data, age=1260 + number * 400)

    def show(key: str) -> dict:
        url = f"/services/data/v61.0/sobjects/{kind}/{key}"
        return {"attributes": {"type": kind, "url": url}, "Id": key, **api.rows[key].data, "LastModifiedDate": iso(api.rows[key].at).replace("Z", "+0000")}

    def one(req, key: str):
        if req.method == "PATCH":
            api.keep(key, {**api.rows[key].data, **req.json})
            return Res(204)
        known, fields = _since(req.fields.get("if-modified-since")), {"Last-Modified": httpdate(api.rows[key].at)}
        if known is not None and int(api.rows[key].at) <= known:
            return Res(304, b"", fields)
        return Res(200, show(key), fields)

    base = "/services/data/v61.0"
    api.on("GET PATCH", rf"{base}/sobjects/{kind}/(\w+)", one)
    api.on("GET", base + "/query", lambda req: Res(200, {"totalSize": len(api.rows), "done": True, "records": [show(key) for key in api.rows]}))
    api.on("GET", base + "/limits", lambda req: Res(200, {"DailyApiRequests": {"Max": 15000, "Remaining": 14882}}))
    return api


def canvas(kind: str, things: dict) -> Api:
    """Return health records guarded by dates alone; a date that is none is passed over."""
    api = Api()
    for number, (key, data) in enumerate(things.items()):
        api.keep(key, data, age=4000 + number * 60)

    def show(key: str) -> dict:
        return {"resourceType": kind, "id": key, **api.rows[key].data}

    def one(req, key: str):
        row = api.rows[key]
        if req.method == "PUT":
            known = _since(req.fields.get("if-unmodified-since"))
            if known is not None and int(row.at) > known:
                return Res(412, {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "conflict", "details": {"text": "Resource was modified"}}]})
            row = api.keep(key, {k: v for k, v in req.json.items() if k not in {"resourceType", "id"}})
        return Res(200, show(key), {"Last-Modified": httpdate(row.at), "Content-Type": "application/json"})

    api.on("GET PUT", rf"/{kind}/([0-9a-f-]+)", one)
    api.on("GET", f"/{kind}", lambda req: Res(200, {"resourceType": "Bundle", "type": "searchset", "total": len(api.rows), "entry": [{"resource": show(key)} for key in api.rows]}))
    api.on("POST", "/auth/token/", lambda req: Res(200, {"access_token": "w8sJ1", "expires_in": 36000, "token_type": "Bearer"}))
    return api


def gocd(pipelines: dict) -> Api:
    """Return pipelines; Jetty's suffix is known, no other."""
    api = Api(lambda req: {"X-Content-Type-Options": "nosniff"})
    for key, data in pipelines.items():
        api.keep(key, data, age=330000)

    def show(key: str) -> dict:
        return {"_links": {"self": {"href": f"http://ci.brewhouse.example/go/api/admin/pipelines/{key}"}}, "name": key, **api.rows[key].data}

    def one(req, key: str):
        tag = f'"{hashlib.sha256(api.rows[key].octets).hexdigest()}"'
        fields = {"ETag": tag, "Cache-Control": "max-age=0, private, must-revalidate", "Content-Type": "application/vnd.go.cd.v11+json"}
        if (req.fields.get("if-none-match") or "").replace("--gzip", "") == tag:
            return Res(304, b"", fields)
        return Res(200, show(key), fields)

    api.on("GET", "/go/api/admin/pipelines/([^/]+)", one)
    api.on("GET", "/go/api/version", lambda req: Res(200, {"version": "24.4.0", "build_number": "19686"}, {"Content-Type": "application/vnd.go.cd.v1+json"}))
    api.on("GET", "/go/api/agents", lambda req: Res(200, {"_embedded": {"agents": [{"uuid": guid("agent"), "hostname": "kettle-1", "agent_state": "Idle"}]}}, {"Content-Type": "application/vnd.go.cd.v7+json"}))
    return api


def twilio(documents: dict) -> Api:
    """Return a Sync service's documents; revisions count in hexadecimal digits."""
    api = Api(lambda req: {"Twilio-Request-Id": "RQ" + guid(f"{time.time()}").replace("-", ""), "X-Powered-By": "AT-5000"}, first=7)
    base = "/v1/Services/IS2d0f6a11bb/Documents"

    def show(key: str) -> dict:
        row = api.rows[key]
        sid = "ET" + guid(key).replace("-", "")
        return {"sid": sid, "unique_name": key, "service_sid": "IS2d0f6a11bb", "revision": f"{row.rev:x}", "data": row.data, "date_updated": iso(row.at, 0), "created_by": "system"}

    def one(req, key: str):
        if key not in api.rows:
            return Res(404, {"code": 20404, "message": f"The requested resource {req.path} was not found", "more_info": "https://www.twilio.com/docs/errors/20404", "status": 404})
        if req.method == "POST":
            sent = req.fields.get("if-match")
            if sent and sent != f"{api.rows[key].rev:x}":
                return Res(412, {"code": 54103, "message": "The revision of the Document does not match the expected revision", "status": 412})
            api.keep(key, dict(parse_qsl(req.body.decode()))["Data"])
        return Res(200, show(key))

    for key, data in documents.items():
        api.keep(key, data, age=500)
    api.on("GET POST", base + "/([^/]+)", one)
    api.on("GET", base, lambda req: Res(200, {"documents": [show(key) for key in api.rows], "meta": {"page": 0, "page_size": 50, "key": "documents", "next_page_url": None}}))
    return api


def sync(records: dict) -> Api:
    """Return a device's collections; versions are decimal seconds."""
    api = Api(lambda req: {"X-Weave-Timestamp": f"{time.time():.2f}"})
    api.at = {"bookmarks": time.time() - 4000.11}
    for key, data in records.items():
        api.keep(key, data, age=4000)

    def many(req, name: str):
        mark = f"{api.at[name]:.2f}"
        if req.method == "GET":
            if req.fields.get("x-if-modified-since") == mark:
                return Res(304, b"", {"X-Last-Modified": mark})
            newer = float(req.query.get("newer", 0))
            found = [{"id": key, "modified": round(row.at, 2), "payload": row.data} for key, row in api.rows.items() if row.at > newer]
            return Res(200, found, {"X-Last-Modified": mark, "X-Weave-Records": str(len(found))})
        known = req.fields.get("x-if-unmodified-since")
        if known and float(known) < round(api.at[name], 2):
            return Res(412, b"0", {"X-Last-Modified": mark})
        for one in req.json:
            api.keep(one["id"], one["payload"])
        api.at[name] = time.time()
        mark = f"{api.at[name]:.2f}"
        return Res(200, {"modified": float(mark), "success": [one["id"] for one in req.json], "failed": {}}, {"X-Last-Modified": mark})

    api.on("GET POST", r"/1\.5/90213377/storage/(\w+)", many)
    api.on("GET", r"/1\.5/90213377/info/collections", lambda req: Res(200, {name: round(at, 2) for name, at in api.at.items()}))
    api.on("GET", r"/1\.5/90213377/info/configuration", lambda req: Res(200, {"max_post_records": 100, "max_post_bytes": 2101248}))
    return api


def zosmf(members: dict) -> Api:
    """Return data sets; a read tells its tag only when asked to."""
    api = Api(lambda req: {"X-IBM-Txid": "tx" + guid(f"{time.time()}")[:14].replace("-", "").upper()})
    for key, text in members.items():
        api.keep(key, text, age=70000)

    def one(req, key: str):
        if key not in api.rows:
            return Res(404, {"category": 6, "rc": 8, "reason": 0, "message": "No such member"})
        tag = api.rows[key].digest("z").upper()
        if req.method == "GET":
            told = {"ETag": tag} if req.fields.get("x-ibm-return-etag") == "true" else {}
            return Res(200, api.rows[key].data, {"Content-Type": "text/plain; charset=UTF-8", **told})
        if req.fields.get("if-match") not in {None, tag}:
            return Res(412, b"")
        api.keep(key, req.body.decode())
        return Res(204, b"", {"ETag": api.rows[key].digest("z").upper()})

    base = "/zosmf/restfiles/ds"
    api.on("GET PUT", base + r"/([A-Z0-9.]+\([A-Z0-9]+\))", one)
    api.on("GET", base + r"/[A-Z0-9.]+/member", lambda req: Res(200, {"items": [{"member": key.split("(")[1][:-1]} for key in api.rows], "returnedRows": len(api.rows), "JSONversion": 1}))
    api.on("GET", base, lambda req: Res(200, {"items": [{"dsname": "PROD.BILLING.JCL"}], "returnedRows": 1, "JSONversion": 1}))
    return api
