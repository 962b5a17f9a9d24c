# mypy: ignore-errors
# ruff: noqa: ANN001, ANN201, ANN202 - routes are called by the frameworks
# fmt: off
"""Pods, patients, libraries and mail that are damaged while each status says well."""

from __future__ import annotations

import time
from functools import partial

from tools.recording_apis.apps.uma5_core import Api, Res, date, iso, mark
from tools.recording_apis.stage import case
from tools.recording_apis.stories import vic_setting as place


@case(
    "e089",
    "uma-solid-pod-page-of-another-origin",
    "cors-hidden-etag",
    "lost-update",
    alone="cors-hidden-etag",
    synthetic=True,
    description=(
        "A page of another origin edits a list in a Solid pod; the pod exposes Link and WAC-Allow, not ETag, so the "
        "script's PUT has no If-Match, 205: an entry that its own side panel had read from elsewhere is gone."
    ),
)
def pod(stage):
    """Write without the tag that the script cannot see."""
    api = Api(lost=lambda _r: Res(404, "Not Found"))
    path = "/garten/beete.ttl"
    api.add(path, '<#a> <#wert> "Möhren" .\n')
    api.add("/profile/card", '<#me> <http://xmlns.com/foaf/0.1/name> "Ute" .\n')
    shared = {"Vary": "Accept,Authorization,Origin", "X-Powered-By": "Community Solid Server", "Access-Control-Allow-Credentials": "true",
              "Access-Control-Expose-Headers": "Accept-Patch,Accept-Post,Link,Location,WAC-Allow,Updates-Via"}

    @api.on("GET PUT OPTIONS", "(/.+)")
    def one(req, key):
        if key not in api.rows:
            return api.lost(req)
        own = {**shared, "Access-Control-Allow-Origin": req.fields.get("origin", "*")}
        if req.method == "OPTIONS":
            return Res(204, b"", {**own, "Access-Control-Allow-Methods": "GET, PUT, PATCH, DELETE", "Access-Control-Max-Age": "5",
                "Access-Control-Allow-Headers": req.fields.get("access-control-request-headers", "")})
        row = api.rows[key]
        tag = f'"{int(row.at * 1000)}-text/turtle"'
        if req.method == "PUT":
            if req.fields.get("if-match", tag) != tag:
                return Res(412, {"name": "PreconditionFailedHttpError", "statusCode": 412}, own)
            row.write(req.body.decode())
            return Res(205, b"", own)
        more = {"ETag": tag, "Last-Modified": date(row.at), "Content-Type": "text/turtle", "WAC-Allow": 'user="append read write"'}
        return Res(200, row.data, {**own, **more})

    server = place.open_box(stage, api, "aiohttp", "Community Solid Server")
    here = {**place.CHROME, "Origin": "https://beetplaner.example", "Referer": "https://beetplaner.example/"}
    me = stage.actor("client", server, "ute.pod.example", "httpx", here)
    other = stage.actor("other", server, "ute.pod.example", "node:fetch", {"User-Agent": "solid-file-cli/1.2"})
    me.get("/profile/card")
    mine = me.get(path).text
    seen = other.get(path)
    kind = {"Content-Type": "text/turtle"}
    other.put(path, seen.text + '<#b> <#wert> "Lauch" .\n', 205, {**kind, "If-Match": seen.etag})
    place.rest(1.1)
    me.get(path)
    asked = {"Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "content-type"}
    me.send("OPTIONS", path, 204, asked)
    me.put(path, mine + '<#c> <#wert> "Kürbis" .\n', 205, kind)
    place.sure("Lauch" not in me.get(path).text)


@case(
    "e106",
    "uma-canvas-medical-same-second",
    "date-precision",
    "lost-update",
    alone="date-precision",
    synthetic=True,
    description=(
        "Canvas Medical has If-Unmodified-Since only: two clinics change a patient within one second, so Last-Modified is "
        "the same before and after; the PUT from the older copy is 200, and the telephone number is the old one again."
    ),
)
def patients(stage):
    """Be let through within the second."""
    api = Api({"X-Correlation-Id": lambda _r: mark(time.time_ns())}, fixed={"/fhir/metadata": {"resourceType": "CapabilityStatement", "fhirVersion": "4.0.1"}})
    for key in ("p-3301", "p-3302"):
        api.add(key, {"resourceType": "Patient", "id": key, "telecom": [{"value": "555-0100"}], "address": [{"city": "Tampa"}]})

    @api.on("GET PUT", "/fhir/Patient/(.+)")
    def one(req, key):
        row = api.rows[key]
        if req.method == "PUT":
            stamp = req.fields.get("if-unmodified-since")
            if stamp and stamp != date(row.at):
                return Res(412, {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "conflict"}]})
            row.write({k: v for k, v in req.json.items() if k != "meta"})
        body = {**row.data, "meta": {"lastUpdated": iso(row.at, 6, "+00:00")}}
        return Res(200, body, {"Last-Modified": date(row.at), "Content-Type": "application/fhir+json"})

    server = place.open_box(stage, api, "tornado", "Canvas Medical")
    me = stage.actor("client", server, "fumage-orchard.canvasmedical.example", "requests", {"Authorization": "Bearer a1"})
    other = stage.actor("other", server, "fumage-orchard.canvasmedical.example", "httpx", {"Authorization": "Bearer b2"})
    me.get("/fhir/metadata")
    me.get("/fhir/Patient/p-3302")
    other.get("/fhir/Patient/p-3301")
    first = me.get("/fhir/Patient/p-3301")
    time.sleep(1.05 - time.time() % 1)
    when = {"If-Unmodified-Since": first.fields["last-modified"]}
    first = me.put("/fhir/Patient/p-3301", {**first.json, "gender": "female"}, 200, when)
    when = {"If-Unmodified-Since": first.fields["last-modified"]}
    time.sleep(0.2)
    other.put("/fhir/Patient/p-3301", {**first.json, "telecom": [{"value": "555-0177"}]}, 200, when)
    place.sure(me.get("/fhir/Patient/p-3301").fields["last-modified"] == first.fields["last-modified"])
    place.rest(1.4)
    me.put("/fhir/Patient/p-3301", {**first.json, "address": [{"city": "Ocala"}]}, 200, when)
    place.sure("0177" not in me.get("/fhir/Patient/p-3301").text)


def _zotero_item(api, key):
    row = api.rows[key]
    return {"key": key, "version": row.rev, "library": {"type": "user", "id": 475425}, "data": {"key": key, "version": row.rev, **row.data}}


def _zotero_store(api, key, body):
    row = api.rows[key]
    row.data, row.rev = {**row.data, **{k: v for k, v in body.items() if k not in {"key", "version"}}}, api.now


@case(
    "e100",
    "uma-zotero-batch-with-a-failure-inside",
    "status-dialect-mismatch",
    "conflict-in-200",
    alone="status-dialect-mismatch other-writer",
    also="other-writer",
    synthetic=True,
    description=(
        "A citation tool writes three items to Zotero in one POST: 200, with one under failed (code 412). "
        "It takes the status for all, goes on from Last-Modified-Version, and the item keeps the other's title."
    ),
)
def library(stage):
    """Take 200 for well."""
    base = "/users/475425/items"
    api = Api({"Zotero-API-Version": "3", "Zotero-Schema-Version": "33"}, fixed={"/keys/current": {"userID": 475425, "username": "ebert"}})
    api.now = 812
    for number, key in enumerate(("B7KX2M9Q", "C3PLR84T", "D9WVN5HA")):
        api.add(key, {"itemType": "book", "title": f"Deichbau {number + 1}"}, 805 + number)

    shown, store = partial(_zotero_item, api), partial(_zotero_store, api)

    @api.on("GET POST", base)
    def many(req):
        if req.method == "GET":
            since = int(req.query.get("since", 0))
            return Res(200, [shown(k) for k, row in api.rows.items() if row.rev > since], {"Last-Modified-Version": str(api.now)})
        api.now += 1
        told = {"successful": {}, "success": {}, "unchanged": {}, "failed": {}}
        for number, body in enumerate(req.json):
            key, found = body["key"], api.rows[body["key"]].rev
            if body["version"] != found:
                text = f"Item has been modified since specified version (expected {body['version']}, found {found})"
                told["failed"][str(number)] = {"key": key, "code": 412, "message": text}
                continue
            store(key, body)
            told["success"][str(number)], told["successful"][str(number)] = key, shown(key)
        return Res(200, told, {"Last-Modified-Version": str(api.now)})

    @api.on("GET PATCH", base + "/(.+)")
    def one(req, key):
        if req.method == "PATCH":
            api.now += 1
            store(key, req.json)
            return Res(204, b"", {"Last-Modified-Version": str(api.now)})
        return Res(200, shown(key), {"Last-Modified-Version": str(api.rows[key].rev)})

    server = place.open_box(stage, api, "flask-cheroot", "Zotero")
    me = stage.actor("client", server, "api.zotero.example", "urllib", {"Zotero-API-Key": "P9NiFoyLeZu2", "User-Agent": "Pyzotero/1.5.25"})
    other = stage.actor("other", server, "api.zotero.example", "node:fetch", {"Zotero-API-Key": "k2"})
    me.get("/keys/current")
    items = me.get(f"{base}?format=json&limit=100").json
    seen = other.get(f"{base}/C3PLR84T").fields["last-modified-version"]
    other.send("PATCH", f"{base}/C3PLR84T", 204, {"If-Unmodified-Since-Version": seen}, {"title": "Deichbau, zweite Auflage"})
    place.rest(0.8)
    body = [{"key": one["key"], "version": one["version"], "title": one["data"]["title"], "publisher": "Boyens"} for one in items]
    told = me.send("POST", base, 200, {"Zotero-Write-Token": mark("x")}, body)
    me.get(f"{base}?format=json&since={told.fields['last-modified-version']}")
    me.get("/keys/current")
    place.rest(0.6)
    place.sure("publisher" not in me.get(f"{base}/C3PLR84T").json["data"])


@case(
    "e091",
    "uma-jmap-two-moves-at-once",
    "self-race",
    "conflict-in-200",
    alone="self-race",
    synthetic=True,
    description=(
        "A mail program sends two Email/set calls at once, both with ifInState of the same state: each HTTP answer is 200, "
        "one of them holds the error stateMismatch; the same happens a little later."
    ),
)
def mail(stage):
    """Overtake oneself."""
    api = Api(fixed={"/jmap/session": {"apiUrl": "/jmap/api/", "username": "irma@post.example", "primaryAccounts": {"urn:ietf:params:jmap:mail": "u93"}, "state": "cyrus-0"}})
    state, mails = [4411], {f"M{mark(n, 12)}": {"mailboxIds": {"inbox": True}, "keywords": {}} for n in range(5)}

    @api.on("POST", "/jmap/api/")
    def call(req):
        told = []
        for name, args, tag in req.json["methodCalls"]:
            if name == "Email/get":
                found = [{"id": key, **mails[key]} for key in args.get("ids") or mails]
                told.append([name, {"accountId": "u93", "state": f"S{state[0]}", "list": found, "notFound": []}, tag])
                continue
            with api.lock:
                old = state[0]
                if args.get("ifInState", f"S{old}") != f"S{old}":
                    told.append(["error", {"type": "stateMismatch"}, tag])
                    continue
                time.sleep(0.15)
                state[0] += 1
                for key, patch in args["update"].items():
                    mails[key] = {**mails[key], **patch}
                told.append([name, {"accountId": "u93", "oldState": f"S{old}", "newState": f"S{state[0]}", "updated": dict.fromkeys(args["update"])}, tag])
        return Res(200, {"methodResponses": told, "sessionState": "cyrus-0"})

    server = place.open_box(stage, api, "starlette", "JMAP")
    me = stage.actor("client", server, "jmap.post.example", "httpx", {"Authorization": "Bearer fmu1-irma", "User-Agent": "Mailtemi/2.4"})

    def ask(name, more):
        using = ["urn:ietf:params:jmap:core", "urn:ietf:params:jmap:mail"]
        return me.send("POST", "/jmap/api/", 200, None, {"using": using, "methodCalls": [[name, {"accountId": "u93", **more}, "c0"]]})

    me.get("/jmap/session")
    for _time in range(2):
        got = ask("Email/get", {"ids": None, "properties": ["mailboxIds", "keywords"]}).json["methodResponses"][0][1]
        one, two = got["list"][0]["id"], got["list"][3]["id"]
        moves = ({one: {"mailboxIds": {"archive": True}}}, {two: {"keywords": {"$seen": True, "$flagged": True}}})
        calls = [partial(ask, "Email/set", {"ifInState": got["state"], "update": move}) for move in moves]
        told = [answer.json["methodResponses"][0][0] for answer in place.at_once(*calls, apart=0.04)]
        place.sure(sorted(told) == ["Email/set", "error"], told)
        place.rest(0.5)
    ask("Email/get", {"ids": [two]})
