# mypy: ignore-errors
# ruff: noqa: ANN001, ANN201, ANN202, ARG001 - routes are called by the frameworks
# fmt: off
"""Records, secrets, members and courses where all is well, though some of it looks otherwise."""

from __future__ import annotations

import base64
import time

from tools.recording_apis.apps.uma5_core import Api, Res, date, iso, mark, request_id
from tools.recording_apis.stage import case
from tools.recording_apis.stories import vic_setting as place


@case(
    "e112",
    "uma-fhir-weak-tags-at-work",
    "none",
    "healthy",
    alone="none",
    synthetic=True,
    description=(
        "A ward's terminal works on FHIR resources: a conditional create that finds one (200), weak version tags in "
        "If-Match that the server takes, 304 on polls, a colleague's change that is read before the next own one, 410."
    ),
)
def ward(stage):
    """Take turns."""
    api = Api({"X-Request-Id": lambda _r: mark(time.time_ns(), 16)}, fixed={"/baseR4/metadata": {"resourceType": "CapabilityStatement", "fhirVersion": "4.0.1"}})
    api.add("Task/t-41", {"resourceType": "Task", "id": "t-41", "status": "requested", "owner": "ward-3"}, 2)
    api.add("Patient/p-7", {"resourceType": "Patient", "id": "p-7", "identifier": [{"system": "urn:kis", "value": "20931"}]}, 5)
    gone = set()

    def told(row, status=200):
        body = {**row.data, "meta": {"versionId": str(row.rev), "lastUpdated": iso(row.at, 3, "+00:00")}}
        return Res(status, body, {"ETag": f'W/"{row.rev}"', "Last-Modified": date(row.at), "Content-Type": "application/fhir+json"})

    @api.on("POST", "/baseR4/Patient")
    def create(req):
        return told(api.rows["Patient/p-7"])

    @api.on("GET PUT DELETE", "/baseR4/((?:Task|Patient)/.+)")
    def one(req, key):
        row = api.rows[key]
        if key in gone:
            return Res(410, {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "deleted"}]}, {"Content-Type": "application/fhir+json"})
        if req.method != "GET" and req.fields.get("if-match", f'W/"{row.rev}"') != f'W/"{row.rev}"':
            return Res(412, {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "conflict"}]})
        if req.method == "DELETE":
            gone.add(key)
            return Res(204)
        if req.method == "PUT":
            row.write({k: v for k, v in req.json.items() if k != "meta"})
        elif req.fields.get("if-none-match") == f'W/"{row.rev}"':
            return Res(304, b"", {"ETag": f'W/"{row.rev}"'})
        return told(row)

    server = place.open_box(stage, api, "starlette", "HAPI FHIR")
    kind = {"Content-Type": "application/fhir+json"}
    me = stage.actor("client", server, "hapi.klinikum.example", "java", kind)
    other = stage.actor("other", server, "hapi.klinikum.example", "requests", kind)
    me.get("/baseR4/metadata")
    body = {"resourceType": "Patient", "identifier": [{"system": "urn:kis", "value": "20931"}]}
    me.send("POST", "/baseR4/Patient", 200, {"If-None-Exist": "identifier=urn:kis|20931"}, body)
    seen = me.get("/baseR4/Task/t-41")
    me.get("/baseR4/Task/t-41", 304, {"If-None-Match": seen.etag})
    for who, state in ((me, "accepted"), (other, "in-progress"), (me, "completed")):
        seen = who.get("/baseR4/Task/t-41")
        who.put("/baseR4/Task/t-41", {**seen.json, "status": state}, 200, {"If-Match": seen.etag})
        place.rest(0.6)
    seen = me.get("/baseR4/Task/t-41")
    me.send("DELETE", "/baseR4/Task/t-41", 204, {"If-Match": seen.etag})
    me.get("/baseR4/Task/t-41", 410)


@case(
    "e086",
    "uma-github-two-bots-on-one-branch",
    "none",
    "healthy",
    alone="none",
    synthetic=True,
    description=(
        "Two bots write files of one GitHub branch in turns: a 404 before a file is made without sha, then each PUT with "
        "the sha of the read just before, chains on the sha of the own answer, weak tags in polls with 304."
    ),
)
def bots(stage):
    """Write in turns."""
    base = "/repos/hafenamt/gezeiten/contents"
    api = Api({"X-GitHub-Request-Id": lambda _r: mark(time.time_ns(), 18).upper(), "X-GitHub-Api-Version-Selected": "2022-11-28",
               "X-RateLimit-Remaining": lambda _r: str(4990 - time.time_ns() // 10**8 % 60)},
              lambda _r: Res(404, {"message": "Not Found", "documentation_url": "https://docs.github.com/rest", "status": "404"}),
              {"/user": {"login": "pegel-bot", "type": "Bot"}})
    api.add("pegel/cuxhaven.csv", "zeit;cm\n", 1)

    def shown(path, row):
        sha = mark(f"blob {len(row.data)}\0{row.data}", 40, "sha1")
        return {"name": path.split("/")[-1], "path": path, "sha": sha, "size": len(row.data), "type": "file", "encoding": "base64",
                "content": base64.b64encode(row.data.encode()).decode() + "\n"}

    @api.on("GET PUT", base + "/(.+)")
    def one(req, path):
        row, made = api.rows.get(path), False
        if req.method == "PUT":
            if row is not None and req.json.get("sha") != shown(path, row)["sha"]:
                return Res(409, {"message": f"{path} does not match {req.json.get('sha')}", "status": "409"})
            text, made = base64.b64decode(req.json["content"]).decode(), row is None
            row = api.add(path, text, 1, 0.0) if made else row.write(text)
            commit = {"sha": mark((path, row.rev, row.at), 40, "sha1"), "message": req.json["message"]}
            return Res(201 if made else 200, {"content": shown(path, row), "commit": commit})
        if row is None:
            return api.lost(req)
        tag = f'W/"{mark((path, row.rev), 64, "sha256")}"'
        return Res(304, b"", {"ETag": tag}) if req.fields.get("if-none-match") == tag else Res(200, shown(path, row), {"ETag": tag})

    server = place.open_box(stage, api, "aiohttp", "GitHub contents")
    me = stage.actor("client", server, "api.github.example", "httpx", {"Accept": "application/vnd.github+json", "Authorization": "Bearer ghs_pegel"})
    other = stage.actor("other", server, "api.github.example", "node:axios", {"Accept": "application/vnd.github+json", "Authorization": "Bearer ghs_doku"})

    def save(who, path, text, sha, expect=200):
        body = {"message": f"{path}: neue Werte", "content": base64.b64encode(text.encode()).decode(), "branch": "main"}
        return who.put(f"{base}/{path}", {**body, "sha": sha} if sha else body, expect).json["content"]["sha"]

    me.get("/user")
    me.get(f"{base}/pegel/husum.csv?ref=main", 404)
    sha = save(me, "pegel/husum.csv", "zeit;cm\n06:00;412\n", "", 201)
    sha = save(me, "pegel/husum.csv", "zeit;cm\n06:00;412\n06:10;419\n", sha)
    seen = me.get(f"{base}/pegel/cuxhaven.csv?ref=main")
    me.get(f"{base}/pegel/cuxhaven.csv?ref=main", 304, {"If-None-Match": seen.etag})
    theirs = other.get(f"{base}/pegel/cuxhaven.csv?ref=main").json["sha"]
    save(other, "pegel/cuxhaven.csv", "# Quelle: WSV\nzeit;cm\n", theirs)
    place.rest(0.7)
    seen = me.get(f"{base}/pegel/cuxhaven.csv?ref=main", 200, {"If-None-Match": seen.etag})
    save(me, "pegel/cuxhaven.csv", base64.b64decode(seen.json["content"]).decode() + "06:00;388\n", seen.json["sha"])
    me.get(f"{base}/pegel/cuxhaven.csv?ref=main")


@case(
    "e081",
    "uma-zosmf-members-with-and-without-tag",
    "none",
    "healthy",
    alone="none",
    synthetic=True,
    description=(
        "An editor browses members of a data set by z/OSMF without asking for tags, asks for the tag of the one that it "
        "edits, and saves it with the bare tag in If-Match, three times with the tag of the last answer: 204."
    ),
)
def members(stage):
    """Edit a member."""
    base = "/zosmf/restfiles/ds/PAYR.PROD.JCL"
    api = Api({"X-IBM-Txid": lambda _r: mark(time.time_ns(), 24).upper(), "Cache-Control": "no-store"},
              fixed={"/zosmf/info": {"zosmf_port": "443", "zosmf_version": "28", "zos_version": "04.28.00", "api_version": "1"}})
    for name in ("NIGHTLY", "MONTHLY", "YEAREND"):
        api.add(name, f"//{name:8} JOB (ACCT),'PAYROLL',CLASS=A\n//STEP1    EXEC PGM=PAY{name[:4]}\n")

    @api.on("GET", base + "/member")
    def many(req):
        return Res(200, {"items": [{"member": name} for name in api.rows], "returnedRows": 3, "JSONversion": 1})

    @api.on("GET PUT", base + r"\((.+)\)")
    def one(req, name):
        row = api.rows[name]
        tag = mark(row.data).upper()
        if req.method == "PUT":
            if req.fields.get("if-match", tag) != tag:
                return Res(412, {"category": 1, "rc": 4, "reason": 12, "message": "ETag does not match"})
            row.write(req.body.decode())
            return Res(204, b"", {"Etag": mark(row.data).upper()})
        own = {"Etag": tag} if req.fields.get("x-ibm-return-etag") == "true" else {}
        return Res(200, row.data, {**own, "Content-Type": "text/plain; charset=UTF-8"})

    server = place.open_box(stage, api, "stdlib", "IBM zOSMF")
    me = stage.actor("client", server, "zos1.payroll.example", "node:axios", {"X-CSRF-ZOSMF-HEADER": "true", "User-Agent": "Zowe-Explorer/3.0"})
    me.get("/zosmf/info")
    me.get(f"{base}/member", 200, {"X-IBM-Max-Items": "0"})
    for name in ("YEAREND", "MONTHLY"):
        me.get(f"{base}({name})")
    seen = me.get(f"{base}(NIGHTLY)", 200, {"X-IBM-Return-Etag": "true"})
    text, tag = seen.text, seen.etag
    kind = {"Content-Type": "text/plain", "X-IBM-Data-Type": "text", "X-IBM-Return-Etag": "true"}
    for number in (1, 2, 3):
        text += f"//DD{number}      DD DSN=PAYR.OUT{number},DISP=SHR\n"
        tag = me.put(f"{base}(NIGHTLY)", text, 204, {**kind, "If-Match": tag}).etag
        place.rest(0.3)
    place.sure(me.get(f"{base}(NIGHTLY)", 200, {"X-IBM-Return-Etag": "true"}).etag == tag)


@case(
    "e094",
    "uma-salesforce-account-gzip-in-the-tag",
    "none",
    "healthy",
    alone="none",
    synthetic=True,
    description=(
        "A sales tool updates Salesforce accounts with tags that end in -gzip and a list of two in If-Match, as the API "
        "documents: 204; reads with If-Modified-Since are 304, a new account and a contact are written without."
    ),
)
def accounts(stage):
    """Send tags as they came."""
    base = "/services/data/v61.0/sobjects"
    api = Api({"Sforce-Limit-Info": "api-usage=211/15000", "Vary": "Accept-Encoding", "Cache-Control": "no-cache,must-revalidate,max-age=0,no-store,private"},
              fixed={"/services/data/v61.0/limits": {"DailyApiRequests": {"Max": 15000, "Remaining": 14789}}})
    for number in (1, 2):
        api.add(f"001D000000K0fX{number}", {"Name": f"Ziegelei {number}", "BillingCity": "Zwolle"})
    api.add("003D000000Q7aB1", {"LastName": "de Wit"})

    def tag(key):
        return f'"{base64.b64encode(mark((key, api.rows[key].rev)).encode()).decode()[:40]}=-gzip"'

    @api.on("POST", base + "/Account")
    def create(req):
        api.add("001D000000K0fX9", req.json, 1, 0.0)
        return Res(201, {"id": "001D000000K0fX9", "success": True, "errors": []})

    @api.on("GET PATCH", base + "/(Account|Contact)/(.+)")
    def one(req, kind, key):
        row = api.rows[key]
        own = {"ETag": tag(key)} if kind == "Account" else {}
        own["Last-Modified"] = date(row.at)
        if req.method == "PATCH":
            sent = [part.strip() for part in req.fields.get("if-match", tag(key)).split(",")]
            if tag(key) not in sent:
                return Res(412)
            row.write({**row.data, **req.json})
            return Res(204)
        if req.fields.get("if-none-match") == tag(key) or req.fields.get("if-modified-since") == date(row.at):
            return Res(304, b"", own)
        return Res(200, {"attributes": {"type": kind, "url": f"{base}/{kind}/{key}"}, "Id": key, **row.data, "LastModifiedDate": iso(row.at, 3, "+0000")}, own)

    server = place.open_box(stage, api, "cheroot", "Salesforce")
    me = stage.actor("client", server, "ziegel.my.salesforce.example", "requests", {"Authorization": "Bearer 00Dx0!AQ4", "Sforce-Call-Options": "client=verkoop"})
    other = stage.actor("other", server, "ziegel.my.salesforce.example", "curl", {"Authorization": "Bearer 00Dx0!AQ9"})
    me.get("/services/data/v61.0/limits")
    first = {key: me.get(f"{base}/Account/{key}") for key in api.rows if key.startswith("001")}
    for key, seen in first.items():
        me.get(f"{base}/Account/{key}", 304, {"If-Modified-Since": seen.fields["last-modified"]})
    key = "001D000000K0fX2"
    other.send("PATCH", f"{base}/Account/{key}", 204, {"If-Match": first[key].etag}, {"Phone": "038-555"})
    place.rest(0.5)
    second = me.get(f"{base}/Account/{key}", 200, {"If-None-Match": first[key].etag})
    me.send("PATCH", f"{base}/Account/{key}", 204, {"If-Match": f"{first[key].etag}, {second.etag}"}, {"BillingCity": "Kampen"})
    me.send("POST", f"{base}/Account", 201, None, {"Name": "Steenhandel IJssel"})
    me.send("PATCH", f"{base}/Account/001D000000K0fX1", 204, {"If-Match": first["001D000000K0fX1"].etag}, {"BillingCity": "Hattem"})
    me.get(f"{base}/Contact/003D000000Q7aB1")
    place.sure(me.get(f"{base}/Account/{key}").json["Phone"] == "038-555")


@case(
    "e107",
    "uma-vault-deleted-and-written-again",
    "none",
    "healthy",
    alone="none",
    synthetic=True,
    description=(
        "A key rotation on Vault's KV version 2: cas 0 makes a secret, cas 1 its next version; the version is deleted, the "
        "read is 404 that still tells the version, and the write with cas 2 makes the third. All as documented."
    ),
)
def rotation(stage):
    """Rotate a secret."""
    api = Api({"Cache-Control": "no-store", "Strict-Transport-Security": "max-age=31536000; includeSubDomains"}, lambda _r: Res(404, {"errors": []}), {
        "/v1/sys/health": {"initialized": True, "sealed": False, "standby": False, "version": "1.17.3"},
        "/v1/auth/token/lookup-self": {"data": {"display_name": "approle", "ttl": 2411, "policies": ["default", "rotate"]}}})
    past = {}

    def meta(key):
        number = len(past[key])
        return {"created_time": iso(past[key][-1]["at"], 6), "deletion_time": past[key][-1]["gone"], "destroyed": False, "version": number, "custom_metadata": None}

    @api.on("GET POST DELETE", "/v1/kv/data/(.+)")
    def one(req, key):
        known = past.setdefault(key, [])
        if req.method == "POST":
            if req.json.get("options", {}).get("cas", len(known)) != len(known):
                return Res(400, {"errors": ["check-and-set parameter did not match the current version"]})
            known.append({"data": req.json["data"], "at": time.time(), "gone": ""})
            return Res(200, {"request_id": request_id(req), "lease_id": "", "renewable": False, "data": meta(key)})
        if not known:
            return Res(404, {"errors": []})
        if req.method == "DELETE":
            known[-1]["gone"] = iso(time.time(), 6)
            return Res(204)
        data = None if known[-1]["gone"] else known[-1]["data"]
        return Res(404 if data is None else 200, {"request_id": request_id(req), "data": {"data": data, "metadata": meta(key)}})

    server = place.open_box(stage, api, "tornado", "Vault")
    me = stage.actor("client", server, "vault.bank.example", "httpx", {"X-Vault-Token": "hvs.CAESI", "X-Vault-Request": "true", "X-Vault-Namespace": "ops"})
    me.get("/v1/sys/health")
    me.get("/v1/auth/token/lookup-self")
    for key in ("swift/gateway", "swift/archive"):
        path = f"/v1/kv/data/{key}"
        me.get(path, 404)
        for version in (0, 1):
            me.send("POST", path, 200, None, {"options": {"cas": version}, "data": {"key": mark((key, version), 20)}})
            place.rest(0.2)
        if key == "swift/gateway":
            me.send("DELETE", path, 204)
            version = me.get(path, 404).json["data"]["metadata"]["version"]
            me.send("POST", path, 200, None, {"options": {"cas": version}, "data": {"key": mark(key, 20)}})
        place.sure(me.get(path).json["data"]["data"])


@case(
    "e103",
    "uma-xapi-profile-and-state",
    "none",
    "healthy",
    alone="none",
    synthetic=True,
    description=(
        "A course writes to a learning record store: its profile with If-None-Match: * after a 404 and then with If-Match, "
        "its state without a condition as the standard allows, statements with 200 and 204; another reader beside it."
    ),
)
def course(stage):
    """Learn a little."""
    api = Api({"X-Experience-API-Version": "1.0.3", "X-Experience-API-Consistent-Through": lambda _r: iso(time.time())},
              fixed={"/xapi/about": {"version": ["1.0.3", "1.0.0"]}})
    said = []

    @api.on("GET POST PUT", "/xapi/statements")
    def statements(req):
        if req.method == "GET":
            return Res(200, {"statements": said[-3:], "more": ""})
        said.append(req.json)
        return Res(204) if req.method == "PUT" else Res(200, [req.json["id"]])

    @api.on("GET PUT", "/xapi/activities/(profile|state)")
    def one(req, kind):
        key = f"{kind}/{req.query.get('profileId') or req.query.get('stateId')}"
        row = api.rows.get(key)
        tag = f'"{mark(row.data, 40, "sha1")}"' if row else ""
        if req.method == "PUT":
            match, none = req.fields.get("if-match"), req.fields.get("if-none-match")
            if kind == "profile" and row and match is None and none is None:
                return Res(409, "If-Match or If-None-Match is needed", {"Content-Type": "text/plain"})
            if (match is not None and match != tag) or (none == "*" and row):
                return Res(412)
            api.rows[key] = row.write(req.json) if row else api.add(key, req.json, 1, 0.0)
            return Res(204)
        return Res(200, row.data, {"ETag": tag, "Last-Modified": date(row.at)}) if row else Res(404)

    server = place.open_box(stage, api, "waitress", "xAPI LRS")
    always = {"X-Experience-API-Version": "1.0.3", "Authorization": "Basic bHJzOng="}
    me = stage.actor("client", server, "lrs.campus.example", "node:fetch", always)
    other = stage.actor("other", server, "lrs.campus.example", "urllib", always)
    activity = "activityId=http%3A%2F%2Fcampus.example%2Fc%2Fbrandschutz"
    profile, state = f"/xapi/activities/profile?{activity}&profileId=highscore", f"/xapi/activities/state?{activity}&stateId=bookmark&agent=%7B%22mbox%22%3A%22mailto%3Aj%40campus.example%22%7D"
    me.get("/xapi/about")
    me.get(state, 404)
    me.get(profile, 404)
    me.put(profile, {"best": 40}, 204, {"If-None-Match": "*"})
    for slide in (1, 2, 3):
        me.put(state, {"slide": slide}, 204)
        word = {"id": f"7f0e9a52-0c1d-4d2b-8a3e-00000000000{slide}", "verb": {"id": "http://adlnet.gov/expapi/verbs/progressed"}, "result": {"score": {"raw": slide * 20}}}
        where = f"?statementId={word['id']}" if slide == 2 else ""
        me.send("PUT" if where else "POST", f"/xapi/statements{where}", 204 if where else 200, None, word)
        place.rest(0.3)
    seen = me.get(profile)
    me.put(profile, {"best": 60}, 204, {"If-Match": seen.etag})
    other.get(profile)
    other.get("/xapi/statements?limit=3")
    me.get(state)
    me.get(profile)
