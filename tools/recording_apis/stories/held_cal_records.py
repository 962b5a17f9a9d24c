# mypy: ignore-errors
# fmt: off
"""Accounts, lettings, mail, documents, carts, repositories and indices."""

from __future__ import annotations

import base64
import time
from functools import partial
from typing import TYPE_CHECKING

from tools.recording_apis.apps.cal_apis import Api, Req, Res, Row, guid, hashed, instant, stamp
from tools.recording_apis.stage import case
from tools.recording_apis.stories import held_cal_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.actors import Answer
    from tools.recording_apis.stage import Stage


@case("e380", "cal-accounts-asked-by-a-fast-clock", "clock-skew", "stale-read", alone="clock-skew", synthetic=True,
      description="A mirror of Salesforce accounts asks with If-Modified-Since made from its own clock, eleven minutes ahead of the answers' Date: 304 again and again, also after a colleague changed the account; a SOQL query in the same file shows a LastModifiedDate after the last 200 and another phone.")
def accounts(stage: Stage) -> None:
    """Ask about the future."""
    rows = {n: Row({"Name": t, "Phone": p}, age=86000) for n, t, p in (("0015f00AA", "Gull Freight", "0117 41"), ("0015f00AB", "Heron Mills", "0117 52"))}
    api = Api(lambda _req: {"Sforce-Limit-Info": f"api-usage={api.count + 912}/100000", "Strict-Transport-Security": "max-age=63072000"}, "application/json;charset=UTF-8")
    base = "/services/data/v59.0"

    def shown(key: str) -> dict:
        row = rows[key]
        return {"attributes": {"type": "Account", "url": f"{base}/sobjects/Account/{key}"}, "Id": key, **row.data, "LastModifiedDate": instant(row.at).replace("Z", "+0000")}

    def seconds(text: str) -> float:
        import calendar  # noqa: PLC0415 - beside its only use

        return calendar.timegm(time.strptime(text, "%a, %d %b %Y %H:%M:%S GMT"))

    @api.on("GET|PATCH", base + "/sobjects/Account/([0-9A-Za-z]+)")
    def one(req: Req, key: str) -> Res:
        row = rows[key]
        if req.method == "PATCH":
            row.add(req.json, "sales")
            return Res(204)
        since = req.fields.get("if-modified-since")
        if since and int(row.at) <= seconds(since):
            return Res(304)
        return Res(200, shown(key), {"Last-Modified": stamp(row.at)})

    @api.on("GET", base + "/query")
    def query(_req: Req) -> Res:
        return Res(200, {"totalSize": len(rows), "done": True, "records": [shown(k) for k in rows]})

    server = place.open_box(stage, api, "stdlib", "Salesforce")
    me = stage.actor("client", server, "gull.my.crm.example", "java", {"Authorization": "Bearer 00D5f!AQ", "X-PrettyPrint": "0"})
    other = stage.actor("other", server, "gull.my.crm.example", "requests", {"Authorization": "Bearer 00D5f!BQ"})
    paths = {k: f"{base}/sobjects/Account/{k}" for k in rows}
    for path in paths.values():
        me.get(path)

    def ask(key: str) -> None:
        me.get(paths[key], 304, {"If-Modified-Since": stamp(time.time() + 660)})

    place.rest(1.0)
    ask("0015f00AA")
    ask("0015f00AB")
    other.send("PATCH", paths["0015f00AB"], 204, body={"Phone": "0117 99"})
    for _turn in range(3):
        place.rest(1.1)
        ask("0015f00AA")
        ask("0015f00AB")
    place.sure("0117 99" in me.get(base + "/query?q=SELECT+Id,Name,Phone,LastModifiedDate+FROM+Account").text)
    ask("0015f00AB")


@case("e381", "cal-lettings-tag-without-its-quotes", "malformed-validator", "412", alone="malformed-validator", synthetic=True,
      description="A letting agency's sync patches Reapit properties with the _eTag of its JSON store, quotes taken off when it was stored: 412 ETag provided does not match, twice, though the read in between gives the same value in quotes; a landlord's record patched by the quoted value is 204.")
def lettings(stage: Stage) -> None:
    """Lose the quotes."""
    rows = {("properties", f"OXF{n}"): Row({"marketingMode": "letting", "letting": {"rent": 1400 + n % 100, "rentFrequency": "monthly"}}) for n in (180021, 180022)}
    rows["landlords", "OXL0087"] = Row({"active": True, "source": {"id": "WEB"}})
    api = Api(lambda _req: {"x-amzn-RequestId": guid(str(time.time())), "api-version": "2020-01-31"}, "application/json; charset=utf-8")

    def tag(key: tuple[str, str]) -> str:
        return f'"{hashed((key, rows[key].rev), "md5").upper()}"'

    @api.on("GET", "/(properties|landlords)/?")
    def listed(_req: Req, kind: str) -> Res:
        found = [{"id": k[1], "modified": instant(r.at, 0), **r.data, "_eTag": tag(k)} for k, r in rows.items() if k[0] == kind]
        return Res(200, {"_embedded": found, "pageNumber": 1, "pageSize": 25, "pageCount": len(found), "totalCount": len(found)})

    @api.on("GET|PATCH", "/(properties|landlords)/([A-Z0-9]+)")
    def one(req: Req, kind: str, key: str) -> Res:
        row = rows[kind, key]
        if req.method == "PATCH":
            if req.fields.get("if-match") != tag((kind, key)):
                return Res(412, {"statusCode": 412, "dateTime": instant(time.time(), 6), "description": "ETag provided does not match the current version of the resource. Please retrieve the latest version of the resource and try again."})
            row.add(req.json)
            return Res(204)
        return Res(200, {"id": key, "modified": instant(row.at, 0), **row.data, "_eTag": tag((kind, key))}, {"ETag": tag((kind, key))})

    server = place.open_box(stage, api, "starlette", "Reapit Foundations")
    me = stage.actor("client", server, "platform.letwise.example", "node:fetch", {"Authorization": "Bearer eyJraW", "api-version": "2020-01-31", "reapit-customer": "SBOX"})
    found = {one["id"]: one["_eTag"].strip('"') for one in me.get("/properties/?marketingMode=letting&pageSize=25").json["_embedded"]}
    lord = me.get("/landlords/OXL0087")
    me.send("PATCH", "/landlords/OXL0087", 204, {"If-Match": lord.etag}, {"active": False})
    me.send("PATCH", "/properties/OXF180022", 412, {"If-Match": found["OXF180022"]}, {"letting": {"rent": 1495, "rentFrequency": "monthly"}})
    place.rest(0.7)
    again = me.get("/properties/OXF180022").json
    place.sure(again["_eTag"].strip('"') == found["OXF180022"])
    me.send("PATCH", "/properties/OXF180022", 412, {"If-Match": again["_eTag"].strip('"')}, {"letting": {"rent": 1495, "rentFrequency": "monthly"}})
    me.get("/properties/?marketingMode=letting&pageSize=25")


@case("e382", "cal-shipment-refused-and-yet-stored", "post-commit-412", "412", alone="post-commit-412", synthetic=True,
      description="A Spring Data REST service looks at If-Unmodified-Since after its commit: a planner patches a shipment with the date it was just given and is told 412, and the shipment that it then reads is its own, one version on and of that very second; the next one is the same.")
def shipment(stage: Stage) -> None:
    """Be refused after the fact."""
    rows = {n: Row({"dock": "B", "pallets": 10 + n, "state": "PLANNED"}, 2, age=3000 + n) for n in (70, 71, 72)}
    api = Api(lambda _req: {"Vary": "Origin, Access-Control-Request-Method, Access-Control-Request-Headers"}, "application/hal+json")

    def shown(key: int) -> dict:
        row = rows[key]
        return {**row.data, "version": row.rev, "lastModifiedDate": instant(row.at), "_links": {"self": {"href": f"http://loads.quarry.example/api/shipments/{key}"}}}

    @api.on("GET", "/api/shipments")
    def listed(_req: Req) -> Res:
        return Res(200, {"_embedded": {"shipments": [shown(k) for k in rows]}, "page": {"size": 20, "totalElements": 3, "totalPages": 1, "number": 0}})

    @api.on("GET|PATCH", "/api/shipments/([0-9]+)")
    def one(req: Req, key: str) -> Res:
        row = rows[int(key)]
        if req.method == "PATCH":
            row.add(req.json, "planner")
            since = req.fields.get("if-unmodified-since")
            return Res(412) if since and stamp(row.at) != since else Res(204, b"", {"ETag": f'"{row.rev}"', "Last-Modified": stamp(row.at)})
        return Res(200, shown(int(key)), {"Last-Modified": stamp(row.at), "ETag": f'"{row.rev}"'})

    api.say("GET", "/api/docks", {"_embedded": {"docks": [{"code": c, "open": True} for c in "ABC"]}})
    server = place.open_box(stage, api, "waitress", "Spring Data REST")
    me = stage.actor("client", server, "loads.quarry.example", "urllib", {"Accept": "application/hal+json", "Authorization": "Basic cGxhbm5lcg=="})
    me.get("/api/shipments")
    me.get("/api/docks")
    for key, dock in ((71, "C"), (72, "A")):
        seen = me.get(f"/api/shipments/{key}")
        me.send("PATCH", f"/api/shipments/{key}", 412, {"If-Unmodified-Since": seen.fields["last-modified"], "Content-Type": "application/merge-patch+json"}, {"dock": dock, "state": "CALLED"})
        place.rest(0.6)
        now = me.get(f"/api/shipments/{key}").json
        place.sure(now["dock"] == dock and now["version"] == seen.json["version"] + 1)
    me.get("/api/shipments")


def _couch_api() -> Api:
    rows: dict[str, Row] = {}
    seq = [0]

    def rev(key: str) -> str:
        return f"{rows[key].rev}-{hashed((key, rows[key].rev, str(rows[key].data)), 'md5')}"

    def store(key: str, data: dict) -> None:
        seq[0] += 1
        rows[key] = rows[key].set(data) if key in rows else Row(data)
        rows[key].seq = seq[0]

    for n in (1, 2, 3):
        store(f"note-{n}", {"text": f"bed {n}: kale"})
    api = Api(lambda _req: {"Server": "CouchDB/3.3.3 (Erlang OTP/24)", "X-Couch-Request-ID": hashed(time.time())[:10], "Cache-Control": "must-revalidate"})

    @api.on("GET", "/garden/_changes")
    def changes(req: Req) -> Res:
        since = int(req.query.get("since", "0").split("-")[0])
        found = sorted(((r.seq, k) for k, r in rows.items() if r.seq > since and not k.startswith("_local")))
        return Res(200, {"results": [{"seq": f"{s}-g1AAA", "id": k, "changes": [{"rev": rev(k)}], **({"deleted": True} if rows[k].data.get("_deleted") else {})} for s, k in found], "last_seq": f"{seq[0]}-g1AAA", "pending": 0})

    @api.on("GET|PUT|DELETE", "/garden/((?:_local/)?[a-z0-9-]+)")
    def doc(req: Req, key: str) -> Res:
        row = rows.get(key)
        dead = row is None or row.data.get("_deleted")
        if req.method == "GET":
            if dead:
                return Res(404, {"error": "not_found", "reason": "missing" if row is None else "deleted"})
            if req.fields.get("if-none-match") == f'"{rev(key)}"':
                return Res(304, b"", {"ETag": f'"{rev(key)}"'})
            return Res(200, {"_id": key, "_rev": rev(key), **row.data}, {"ETag": f'"{rev(key)}"'})
        body = req.json if req.body else {"_deleted": True}
        sent = req.query.get("rev") or body.get("_rev")
        if not dead and sent != rev(key):
            return Res(409, {"error": "conflict", "reason": "Document update conflict."})
        store(key, {k: v for k, v in body.items() if k not in {"_id", "_rev"}})
        return Res(200 if req.method == "DELETE" else 201, {"ok": True, "id": key, "rev": rev(key)}, {"ETag": f'"{rev(key)}"'})
    return api


@case("e383", "cal-couch-follows-its-feed", "none", "healthy", alone="none", synthetic=True,
      description="A tablet syncs notes with CouchDB: _local checkpoint missing at first (404) and then saved with its own _rev, documents put with the newest _rev, one deleted and made anew over its tombstone, a change of another tablet taken from _changes before it is edited. Nothing is lost.")
def couch(stage: Stage) -> None:
    """Replicate in peace."""
    server = place.open_box(stage, _couch_api(), "cheroot", "CouchDB")
    me = stage.actor("client", server, "couch.allotment.example", "node:fetch", {"Authorization": "Basic dGFibGV0"})
    other = stage.actor("other", server, "couch.allotment.example", "aiohttp", {"Authorization": "Basic c2hlZA=="})
    me.get("/garden/_local/tab9", 404)
    first = me.get("/garden/_changes?style=all_docs&since=0&limit=100").json
    mark = me.put("/garden/_local/tab9", {"last_seq": first["last_seq"]}, 201).json["rev"]
    note = me.get("/garden/note-1").json
    saved = me.put("/garden/note-1", {**note, "text": "bed 1: kale, thinned"}, 201).json
    me.put("/garden/note-1", {**note, "_rev": saved["rev"], "text": "bed 1: kale, thinned twice"}, 201)
    theirs = other.get("/garden/note-2").json
    other.put("/garden/note-2", {**theirs, "text": "bed 2: leeks"}, 201)
    place.rest(0.8)
    feed = me.get(f"/garden/_changes?style=all_docs&since={first['last_seq']}").json
    note = me.get("/garden/note-2").json
    me.put("/garden/note-2", {**note, "text": note["text"] + ", netted"}, 201)
    gone = me.get("/garden/note-3").json["_rev"]
    me.send("DELETE", f"/garden/note-3?rev={gone}", 200)
    me.get("/garden/note-3", 404)
    me.put("/garden/note-3", {"text": "bed 3: beans"}, 201)
    me.put("/garden/_local/tab9", {"_rev": mark, "last_seq": feed["last_seq"]}, 201)
    kept = me.get("/garden/note-2")
    me.get("/garden/note-2", 304, {"If-None-Match": kept.etag})


@case("e384", "cal-mail-state-of-last-month", "token-expired", "stale-read", alone="token-expired", synthetic=True,
      description="A mail client asks a JMAP server for the changes since the state that it stored weeks ago: 200 with the error cannotCalculateChanges for Email, three polls long, while the mailboxes' state still works; it then queries everything anew, and the new state works.")
def mail(stage: Stage) -> None:
    """Ask since a state that nobody keeps."""
    state = {"Email": 9120, "Mailbox": 301}
    mails = {f"M{n}": {"id": f"M{n}", "subject": s, "keywords": {}} for n, s in ((880, "Rota"), (881, "Keys"), (882, "Roof"))}
    api = Api(lambda _req: {"Cache-Control": "no-cache, no-store, must-revalidate"}, "application/json; charset=utf-8")
    api.say("GET", "/jmap/session", {"username": "bell@parish.example", "apiUrl": "http://jmap.parish.example/jmap/api", "primaryAccounts": {"urn:ietf:params:jmap:mail": "u1"}, "capabilities": {"urn:ietf:params:jmap:core": {"maxCallsInRequest": 16}}, "state": "s55"})

    def call(name: str, given: dict) -> tuple[str, dict]:
        kind = name.partition("/")[0]
        if name.endswith("/changes"):
            since = int(given["sinceState"][1:])
            if since < 9000 and kind == "Email":
                return "error", {"type": "cannotCalculateChanges", "description": "The server has discarded the history before this state", "newState": f"s{state[kind]}"}
            return name, {"accountId": "u1", "oldState": given["sinceState"], "newState": f"s{state[kind]}", "hasMoreChanges": False, "created": [], "updated": [], "destroyed": []}
        if name == "Email/query":
            return name, {"accountId": "u1", "queryState": "q9", "ids": list(mails), "total": len(mails), "position": 0}
        if name == "Email/set":
            state["Email"] += 1
            for key, more in given["update"].items():
                mails[key]["keywords"] = more.get("keywords", {})
            return name, {"accountId": "u1", "oldState": given.get("ifInState"), "newState": f"s{state['Email']}", "updated": dict.fromkeys(given["update"])}
        if name == "Mailbox/get":
            return name, {"accountId": "u1", "state": f"s{state['Mailbox']}", "list": [{"id": "in", "name": "Inbox", "totalEmails": len(mails)}]}
        return name, {"accountId": "u1", "state": f"s{state['Email']}", "list": list(mails.values()), "notFound": []}

    @api.on("POST", "/jmap/api")
    def run(req: Req) -> Res:
        return Res(200, {"methodResponses": [[*call(n, g), tag] for n, g, tag in req.json["methodCalls"]], "sessionState": "s55"})

    server = place.open_box(stage, api, "tornado", "JMAP")
    me = stage.actor("client", server, "jmap.parish.example", "aiohttp", {"Authorization": "Bearer fm1"})
    me.get("/jmap/session")

    def ask(*calls: tuple[str, dict]) -> dict:
        sent = [[n, {"accountId": "u1", **g}, f"c{i}"] for i, (n, g) in enumerate(calls)]
        return me.send("POST", "/jmap/api", 200, body={"using": ["urn:ietf:params:jmap:core", "urn:ietf:params:jmap:mail"], "methodCalls": sent}).json["methodResponses"]

    for _turn in range(3):
        got = ask(("Mailbox/changes", {"sinceState": "s298"}), ("Email/changes", {"sinceState": "s7404", "maxChanges": 200}))
        place.sure(got[1][0] == "error")
        place.rest(0.9)
    ask(("Mailbox/get", {"ids": None}))
    ask(("Email/query", {"filter": {"inMailbox": "in"}}), ("Email/get", {"ids": list(mails), "properties": ["id", "subject", "keywords"]}))
    ask(("Email/changes", {"sinceState": "s9120"}))
    ask(("Email/set", {"ifInState": "s9120", "update": {"M882": {"keywords": {"$seen": True}}}}))


@case("e385", "cal-survey-fetched-in-four-pieces", "read-changed-mid-transfer", "corrupted-read", alone="read-changed-mid-transfer", synthetic=True,
      description="A worker fetches a survey from IBM's object storage in ranges of 64 octets without a condition; after the second piece the nightly export replaces the object, and the last two 206 carry another ETag and Last-Modified: the joined file, which it uploads again, is of two versions.")
def survey(stage: Stage) -> None:
    """Join halves of two things."""
    def text(year: int) -> str:
        return "".join(f"{year};plot {n:02d};{(n * year) % 97:02d} t/ha;ok\n" for n in range(10))[:240]

    rows = {"survey.csv": Row({"text": text(2023)}, age=7000), "legend.txt": Row({"text": "plot;yield;state\n"}, age=90000)}
    api = Api(lambda _req: {"X-Clv-Request-Id": guid(str(time.time())), "Server": "Cleversafe/3.18.1", "x-amz-request-id": guid(str(time.time())), "Accept-Ranges": "bytes"}, "application/xml")

    def fields(row: Row) -> dict[str, str]:
        return {"ETag": f'"{hashed(row.data["text"], "md5")}"', "Last-Modified": stamp(row.at), "Content-Type": "text/csv"}

    @api.on("GET", "/agri-fields/?")
    def listing(_req: Req) -> Res:
        inner = "".join(f"<Contents><Key>{k}</Key><LastModified>{instant(r.at)}</LastModified><ETag>&quot;{hashed(r.data['text'], 'md5')}&quot;</ETag><Size>{len(r.data['text'])}</Size></Contents>" for k, r in rows.items())
        return Res(200, f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>agri-fields</Name>{inner}</ListBucketResult>')

    @api.on("GET|HEAD|PUT", "/agri-fields/(.+)")
    def thing(req: Req, key: str) -> Res:
        if req.method == "PUT":
            rows[key] = rows.get(key, Row({})).set({"text": req.body.decode()})
            return Res(200, b"", {"ETag": fields(rows[key])["ETag"]})
        row, wanted = rows[key], req.fields.get("range")
        if not wanted:
            return Res(200, row.data["text"], fields(row))
        low, high = (int(one) for one in wanted.removeprefix("bytes=").split("-"))
        whole = row.data["text"]
        return Res(206, whole[low : high + 1], {**fields(row), "Content-Range": f"bytes {low}-{min(high, len(whole) - 1)}/{len(whole)}"})

    server = place.open_box(stage, api, "cheroot", "IBM Cloud Object Storage")
    head = {"Authorization": "bearer eyJraWQ", "ibm-service-instance-id": "crn:v1"}
    me = stage.actor("client", server, "s3.eu-de.fieldstore.example", "httpx", head)
    other = stage.actor("other", server, "s3.eu-de.fieldstore.example", "requests", head)
    me.get("/agri-fields/?list-type=2")
    me.get("/agri-fields/legend.txt")
    pieces = [me.send("GET", "/agri-fields/survey.csv", 206, {"Range": f"bytes={n}-{n + 63}"}) for n in (0, 64)]
    place.rest(0.5)
    other.put("/agri-fields/survey.csv", text(2024), 200, {"Content-Type": "text/csv"})
    pieces += [me.send("GET", "/agri-fields/survey.csv", 206, {"Range": f"bytes={n}-{n + 63}"}) for n in (128, 192)]
    place.sure(len({one.etag for one in pieces}) == 2)
    joined = "".join(one.text for one in pieces)
    place.sure("2023" in joined and "2024" in joined)
    me.put("/agri-fields/import/survey.csv", joined, 200, {"Content-Type": "text/csv"})
    me.get("/agri-fields/?list-type=2")


@case("e386", "cal-game-board-saved-by-two-timers", "self-race", "412", alone="self-race", synthetic=True,
      description="A game keeps its board in a Twilio Sync document: the move and the clock's tick each post the document with the revision that both hold, some hundredths of a second apart and in one session; one is 200, the other 412 with 54103, twice in a game.")
def board(stage: Stage) -> None:
    """Tick while moving."""
    row = Row({"board": "........", "clock": 300}, 10)
    api = Api(lambda _req: {"Twilio-Request-Id": f"RQ{hashed(time.time(), 'md5')}", "Twilio-Request-Duration": "0.011", "X-Shenanigans": "none"}, "application/json; charset=utf-8")
    base = "/v1/Services/IS7c2e/Documents/MP91"

    def shown() -> dict:
        return {"sid": "ET91", "unique_name": "MP91", "service_sid": "IS7c2e", "revision": f"{row.rev:x}", "date_updated": instant(row.at), "created_by": "table-4", "data": row.data}

    @api.on("GET|POST", base)
    def doc(req: Req) -> Res:
        if req.method == "POST":
            import json  # noqa: PLC0415 - beside its only use
            from urllib.parse import parse_qs  # noqa: PLC0415 - beside its only use

            with api.lock:
                if req.fields.get("if-match") not in {None, f"{row.rev:x}"}:
                    return Res(412, {"code": 54103, "message": "The revision of the Document does not match the expected revision", "more_info": "https://www.twilio.com/docs/errors/54103", "status": 412})
                row.add(json.loads(parse_qs(req.body.decode())["Data"][0]), "table-4")
                time.sleep(0.12)
        return Res(200, shown(), {"ETag": f"{row.rev:x}"})

    api.say("GET", "/v1/Services/IS7c2e", {"sid": "IS7c2e", "friendly_name": "tables", "reachability_webhooks_enabled": False})
    server = place.open_box(stage, api, "starlette", "Twilio Sync")
    me = stage.actor("client", server, "sync.boardroom.example", "httpx", {"Authorization": "Basic QUM6eA==", "User-Agent": "tables/0.9 (device 4)"})
    me.get("/v1/Services/IS7c2e")

    def save(tag: str, text: str) -> Answer:
        return me.send("POST", base, (200, 412), {"If-Match": tag, "Content-Type": "application/x-www-form-urlencoded"}, f"Data={text}")

    for turn in range(3):
        tag = me.get(base).json["revision"]
        move = partial(save, tag, f"%7B%22board%22%3A%22{'x' * (turn + 1)}.......%22%7D")
        if turn == 0:
            place.sure(move().status == 200)
        else:
            got = place.at_once(move, partial(save, tag, f"%7B%22clock%22%3A{290 - turn}%7D"), apart=0.04)
            place.sure([one.status for one in got] == [200, 412])
        place.rest(0.6)
    me.get(base)


@case("e387", "cal-cart-line-sent-to-the-old-address", "redirect-rewrites-request", "lost-update", alone="redirect-rewrites-request", synthetic=True,
      description="A shop on Broadleaf moved its carts under a tenant's path and answers the old one with 302: a kiosk's PUT of a line with X-Cart-Version is followed as a GET, its 200 is the cart as it was, and the kiosk goes on; the cart it shows later has the old amount and version.")
def cart(stage: Stage) -> None:
    """Have a write become a read."""
    row = Row({"items": [{"id": "01H", "sku": "boots", "quantity": 1}], "status": "IN_PROCESS"}, 4)
    api = Api(lambda _req: {"X-Trace-Id": hashed(time.time())[:16]})

    def shown() -> dict:
        return {"id": "01HC", "version": row.rev, **row.data, "cartPricing": {"total": {"amount": 90 * row.data["items"][0]["quantity"], "currency": "EUR"}}}

    api.on("GET", "/t/alpine/cart/01HC")(lambda _req: Res(200, shown(), {"X-Cart-Version": str(row.rev)}))

    @api.on("PUT|PATCH", "/t/alpine/cart/01HC/items/01H")
    def line(req: Req) -> Res:
        if req.fields.get("x-cart-version") != str(row.rev):
            return Res(409, {"type": "CONFLICT", "message": "cart version mismatch", "currentVersion": row.rev})
        row.add({"items": [{**row.data["items"][0], **req.json}]})
        return Res(200, shown(), {"X-Cart-Version": str(row.rev)})

    api.on("GET", "/t/alpine/cart/01HC/items/01H")(lambda _req: Res(200, shown(), {"X-Cart-Version": str(row.rev)}))
    api.on("GET|PUT|PATCH", "/api/cart-operations(/cart/.+)")(lambda _req, rest: Res(302, b"", {"Location": f"http://shop.alpine.example/t/alpine{rest}"}))
    api.say("GET", "/t/alpine/catalog/products/boots", {"sku": "boots", "price": 90, "available": 14})
    server = place.open_box(stage, api, "waitress", "Broadleaf Commerce")
    me = stage.actor("client", server, "shop.alpine.example", "requests:follow", {"X-Context-Request": '{"tenantId":"alpine"}'})
    me.get("/t/alpine/catalog/products/boots")
    seen = me.get("/api/cart-operations/cart/01HC")
    got = me.put("/api/cart-operations/cart/01HC/items/01H", {"quantity": 2}, 200, {"X-Cart-Version": seen.fields["x-cart-version"]})
    place.sure(got.json["version"] == 4)
    place.rest(0.8)
    me.get("/t/alpine/catalog/products/boots")
    got = me.get("/api/cart-operations/cart/01HC").json
    place.sure(got["version"] == 4 and got["items"][0]["quantity"] == 1)


@case("e388", "cal-notices-committed-beside-each-other", "coarse-token-scope", "409", alone="coarse-token-scope", also="other-writer", synthetic=True,
      description="A publisher puts a notice by GitHub's contents API with the blob's right sha, but a colleague's commit to another file moves the branch meanwhile: 409, main is at one commit but expected another; it comes again with another neighbour, and the commits list shows that only other paths were touched.")
def notices(stage: Stage) -> None:
    """Be refused for a neighbour's sake."""
    files = {"notices/fire.md": "Fire drill\n", "notices/water.md": "Water off\n", "menu.md": "Soup\n"}
    commits = [{"sha": hashed("c0"), "commit": {"message": "start"}, "files": list(files)}]
    api = Api(lambda _req: {"X-GitHub-Media-Type": "github.v3; format=json", "X-GitHub-Request-Id": hashed(time.time())[:20].upper(), "X-RateLimit-Remaining": str(4900 - api.count), "Server": "GitHub.com"}, "application/json; charset=utf-8")
    base = "/repos/hall/site"

    def blob(path: str) -> str:
        return hashed(f"blob {len(files[path])}\0{files[path]}")

    @api.on("GET", base + "/commits")
    def listed(_req: Req) -> Res:
        return Res(200, [{k: one[k] for k in ("sha", "commit", "files")} for one in reversed(commits)])

    @api.on("GET|PUT", base + "/contents/(.+)")
    def contents(req: Req, path: str) -> Res:
        if req.method == "GET":
            text = base64.b64encode(files[path].encode()).decode()
            return Res(200, {"name": path.rpartition("/")[2], "path": path, "sha": blob(path), "type": "file", "encoding": "base64", "content": text}, {"ETag": f'"{blob(path)}"'})
        head = commits[-1]["sha"]
        if req.json.get("sha") != blob(path):
            return Res(409, {"message": f"{path} does not match {req.json.get('sha')}", "documentation_url": "https://docs.github.com/rest/repos/contents#create-or-update-file-contents", "status": "409"})
        if "notices" in path:
            time.sleep(0.35)
        if commits[-1]["sha"] != head:
            return Res(409, {"message": f"is at {commits[-1]['sha']} but expected {head}", "documentation_url": "https://docs.github.com/rest/repos/contents#create-or-update-file-contents", "status": "409"})
        files[path] = base64.b64decode(req.json["content"]).decode()
        commits.append({"sha": hashed(f"c{len(commits)}"), "commit": {"message": req.json["message"], "author": {"name": req.fields["x-author"], "date": instant(time.time(), 0)}}, "files": [path]})
        return Res(200, {"content": {"path": path, "sha": blob(path)}, "commit": commits[-1]})

    server = place.open_box(stage, api, "cheroot", "GitHub contents")
    me = stage.actor("client", server, "api.forge.example", "node:axios", {"Authorization": "token ghs_a", "Accept": "application/vnd.github+json", "X-Author": "porter"})
    other = stage.actor("other", server, "api.forge.example", "httpx", {"Authorization": "token ghs_b", "X-Author": "kitchen"})

    def put(who: object, path: str, text: str, sha: str, expect: int) -> Answer:
        return who.put(f"{base}/contents/{path}", {"message": f"Update {path}", "branch": "main", "sha": sha, "content": base64.b64encode(text.encode()).decode()}, expect)

    me.get(base + "/commits?per_page=5")
    water = me.get(base + "/contents/notices/water.md?ref=main").json
    put(me, "notices/water.md", "Water back\n", water["sha"], 200)
    fire = me.get(base + "/contents/notices/fire.md?ref=main").json
    for soup in ("Barley\n", "Lentil\n"):
        menu = other.get(base + "/contents/menu.md").json
        place.at_once(partial(put, me, "notices/fire.md", "Fire drill at 10\n", fire["sha"], 409), partial(put, other, "menu.md", soup, menu["sha"], 200), apart=0.15)
        place.rest(0.5)
        place.sure(me.get(base + "/contents/notices/fire.md?ref=main").json["sha"] == fire["sha"])
    me.get(base + "/commits?per_page=5")
