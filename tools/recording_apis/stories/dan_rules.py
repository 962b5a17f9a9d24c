"""Stories on locks, conditions in the content, and refusals that mean something else."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tools.recording_apis import fronts
from tools.recording_apis.apps.dan_desk import Res, desk, revision, versions
from tools.recording_apis.stage import case
from tools.recording_apis.stories import dan_setting as at

if TYPE_CHECKING:
    from tools.recording_apis.actors import Answer
    from tools.recording_apis.apps.vic_core import Doc, Req
    from tools.recording_apis.stage import Stage

LOCK = (
    '<?xml version="1.0" encoding="utf-8"?><D:lockinfo xmlns:D="DAV:"><D:lockscope><D:exclusive/></D:lockscope>'
    "<D:locktype><D:write/></D:locktype><D:owner><D:href>{}</D:href></D:owner></D:lockinfo>"
)


@case(
    "d542",
    "dan-drawing-open-at-the-architects",
    "lease-or-lock",
    "423",
    alone="lease-or-lock",
    description=(
        "An architect holds a WebDAV lock on a drawing (WsgiDAV) without changing it; the contractor's sync client sends "
        "the current tag but no lock token: 423 until the lock is given back. lockdiscovery shows the holder."
    ),
)
def drawing(stage: Stage) -> None:
    """Write what somebody has locked."""
    server = stage.server("wsgidav")
    me = stage.actor("client", server, "plans.bauhof.example", "httpx", {"User-Agent": "PlanSync/2.7"})
    other = stage.actor("other", server, "plans.bauhof.example", "requests", {"User-Agent": "CAD-Desk/11"})
    me.send("MKCOL", "/hall-b", 201)
    for n in ("floor", "roof", "stairs"):
        me.put(f"/hall-b/{n}.txt", f"0\nSECTION\n2\n{n.upper()}\n" * 12, 201, {"Content-Type": "text/plain"})
    xml = {"Content-Type": "application/xml"}
    locked = other.send(
        "LOCK", "/hall-b/roof.txt", 200, {**xml, "Timeout": "Second-600"}, LOCK.format("architect k. baum")
    )
    token = locked.fields["lock-token"]
    other.get("/hall-b/roof.txt")
    at.rest(0.5)
    for n in ("floor", "roof", "stairs"):
        seen = me.get(f"/hall-b/{n}.txt")
        body = f"{seen.text}0\nNOTE\n"
        me.put(f"/hall-b/{n}.txt", body, 423 if n == "roof" else 204, {"If-Match": seen.etag})
    me.send("PROPFIND", "/hall-b/roof.txt", 207, {"Depth": "0"})
    at.rest(0.8)
    again = me.get("/hall-b/roof.txt")
    me.put("/hall-b/roof.txt", f"{again.text}0\nNOTE\n", 423, {"If-Match": again.etag})
    other.send("UNLOCK", "/hall-b/roof.txt", 204, {"Lock-Token": token})
    at.rest(0.6)
    last = me.get("/hall-b/roof.txt")
    at.sure(last.etag == again.etag)
    me.put("/hall-b/roof.txt", f"{last.text}0\nNOTE\n", 204, {"If-Match": last.etag})


@case(
    "d559",
    "dan-three-nodes-and-one-nightly-job",
    "expected-control-flow",
    "412",
    alone="expected-control-flow",
    description=(
        "Each of three nodes tries every second to take the leader key of a report scheduler on etcd with prevExist=false "
        "and a short ttl; the losers get 412 Key already exists and wait for the next round. The reports run all the while."
    ),
)
def nightly(stage: Stage) -> None:
    """Lose an election now and then."""
    server = stage.server("etcd")
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    nodes = {
        name: stage.actor(
            file, server, "etcd.reports.example", program, {**form, "User-Agent": f"sched/1.4 {name}"}
        )
        for name, file, program in (
            ("node-a", "client", "requests"),
            ("node-b", "other", "httpx"),
            ("node-c", "other-2", "urllib"),
        )
    }
    nodes["node-a"].put("/v2/keys/reports/config", "value=hourly", 201)
    leaders = []
    for turn in range(5):
        order = [
            ("node-a", "node-b", "node-c"),
            ("node-b", "node-a", "node-c"),
            ("node-c", "node-b", "node-a"),
        ]
        for name in order[turn % 3]:
            got: Answer = nodes[name].put(
                "/v2/keys/reports/leader?prevExist=false", f"value={name}&ttl=1", (201, 412)
            )
            if got.status == 201:
                leaders.append(name)
                nodes[name].put("/v2/keys/reports/last-run", f"value={turn}-{name}", (200, 201))
            at.rest(0.06)
        nodes["node-a"].get("/v2/keys/reports/config")
        nodes["node-a"].get("/v2/keys/reports/last-run")
        at.rest(1.9)
    at.sure(len(leaders) == 5 and leaders.count("node-a") == 2, leaders)


@case(
    "d522",
    "dan-two-hundred-and-not-saved",
    "status-dialect-mismatch",
    "lost-update",
    alone="status-dialect-mismatch",
    also="other-writer",
    description=(
        "A quiz authoring API answers a stale revision with 200 and saved:false in the content. The importer looks at the "
        "status only, counts the row as done and publishes: the questions that a co-author had touched lack the import."
    ),
)
def not_saved(stage: Stage) -> None:
    """Take a refusal for a success."""
    docs = {f"/q/questions/{n}": {"id": n, "text": f"Q{n}", "points": 1} for n in range(301, 309)}
    box = versions(
        docs, "rev", {"/q/quiz/9": {"title": "Safety"}, "/q/quiz/9/publish": {"published": True}}, first=5
    )

    def conflict(_req: Req, doc: Doc) -> Res:
        return Res(
            200, {"saved": False, "reason": "STALE_REVISION", "yourRev": doc.rev - 1, "currentRev": doc.rev}
        )

    shown = box.answer_write
    box.conflict = conflict

    def stored(req: Req, path: str, doc: Doc, made: bool) -> Res:
        return Res(200, {"saved": True, **shown(req, path, doc, made).body})

    box.answer_write = stored
    server = at.open_box(stage, box, "flask")
    me = stage.actor(
        "client", server, "api.quizforge.example", "node:axios", {"User-Agent": "xlsx-import/0.8"}
    )
    other = stage.actor("other", server, "api.quizforge.example", "httpx", at.BROWSER)
    at.reads(me, "/q/quiz/9", "/q/questions")
    held = {n: me.get(f"/q/questions/{n}") for n in range(301, 309)}
    for n in (303, 306):
        seen = other.get(f"/q/questions/{n}")
        got = other.put(f"/q/questions/{n}", at.over(seen, text=f"Reworded {n}"), 200)
        at.sure(got.json["saved"])
    for n, seen in held.items():
        got = me.put(f"/q/questions/{n}", at.over(seen, points=5), 200)
        at.sure(got.json["saved"] is (n not in {303, 306}))
    me.send("POST", "/q/quiz/9/publish", 200, None, {"version": "2026-11"})
    at.rest(0.5)
    for n in (302, 303, 306):
        at.sure(me.get(f"/q/questions/{n}").json["points"] == (5 if n == 302 else 1))
    me.get("/q/quiz/9")


@case(
    "d547",
    "dan-json-patch-tests-a-text",
    "payload-precondition-mismatch",
    "409",
    alone="payload-precondition-mismatch",
    description=(
        'A stock integration sends JSON Patches whose test operation holds the expected value as text ("12.50") where '
        "the record has a number (12.5): each is refused with the failing operation named, nobody else writes; with the number "
        "it is taken."
    ),
)
def json_patch(stage: Stage) -> None:
    """Expect a value in another type."""
    docs = {f"/v1/items/{n}": {"sku": n, "price": 12.5, "stock": 4} for n in ("T-100", "T-101", "T-102")}
    box = desk(docs, None, {"/v1/locations": ["main", "annex"]})

    def apply(req: Req) -> Res | None:
        if req.method != "PATCH":
            return None
        doc = box.docs[req.path]
        data = dict(doc.data)
        for number, step in enumerate(req.json):
            name = step["path"][1:]
            if step["op"] == "test" and data.get(name) != step["value"]:
                detail = f"test failed: {step['path']} is {json.dumps(data.get(name))}, expected {json.dumps(step['value'])}"
                return Res(
                    409, {"code": "PATCH_TEST_FAILED", "operation": f"operations[{number}]", "detail": detail}
                )
            if step["op"] == "replace":
                data[name] = step["value"]
        box.store(req.path, data, req.who)
        return Res(200, data)

    box.before.append(apply)
    me = stage.actor("client", at.open_box(stage, box, "tornado"), "stock.tillwise.example", "requests")
    at.reads(me, "/v1/locations", "/v1/items")
    kind = {"Content-Type": "application/json-patch+json"}

    def patch(sku: str, old: object, expect: int) -> None:
        steps = [
            {"op": "test", "path": "/price", "value": old},
            {"op": "replace", "path": "/price", "value": 13.9},
        ]
        me.send("PATCH", f"/v1/items/{sku}", expect, kind, steps)

    for sku in ("T-100", "T-101", "T-102"):
        me.get(f"/v1/items/{sku}")
        patch(sku, "12.50", 409)
        at.rest(0.2)
    seen = me.get("/v1/items/T-101")
    at.sure(seen.json["price"] == 12.5)
    patch("T-101", 12.5, 200)
    patch("T-102", 12.5, 200)
    at.reads(me, "/v1/items/T-101", "/v1/locations")


@case(
    "d573",
    "dan-upsert-by-mail-address",
    "multi-match",
    "412",
    alone="multi-match",
    description=(
        "A newsletter import updates contacts by their mail address (PUT /contacts?email=...). Two contacts share one: "
        "412 multiple_matches with both ids, at every attempt; addresses with one or no contact go through."
    ),
)
def upsert(stage: Stage) -> None:
    """Change by a criterion that fits two."""
    people = {1: "ann@x.example", 2: "bo@x.example", 3: "cy@x.example", 4: "bo@x.example", 5: "di@x.example"}
    docs = {f"/api/contacts/{n}": {"id": n, "email": mail, "tags": []} for n, mail in people.items()}
    box = desk(docs, revision, {"/api/lists/7": {"name": "Spring"}})

    def by_mail(req: Req) -> Res | None:
        mail = req.query.get("email")
        if mail is None or req.path != "/api/contacts":
            return None
        hits = [path for path, doc in box.docs.items() if doc.data["email"] == mail]
        if req.safe:
            return Res(200, {"total": len(hits), "contacts": [box.docs[one].data for one in hits]})
        if len(hits) > 1:
            ids = [box.docs[one].data["id"] for one in hits]
            return Res(
                412,
                {
                    "error": "multiple_matches",
                    "message": f"{len(hits)} contacts match email={mail}",
                    "ids": ids,
                },
            )
        path = hits[0] if hits else f"/api/contacts/{len(box.docs) + 1}"
        old = box.docs[path].data if hits else {"id": len(box.docs) + 1}
        box.store(path, {**old, **req.json}, "import")
        return Res(200 if hits else 201, box.docs[path].data)

    box.before.append(by_mail)
    me = stage.actor("client", at.open_box(stage, box, "starlette"), "api.postroom.example", "aiohttp")
    at.reads(me, "/api/lists/7", "/api/contacts")
    for mail in ("ann@x.example", "bo@x.example", "cy@x.example", "new@x.example", "di@x.example"):
        expect = {"bo@x.example": 412, "new@x.example": 201}.get(mail, 200)
        me.put(f"/api/contacts?email={mail}", {"email": mail, "tags": ["spring"]}, expect)
        at.rest(0.1)
    for _ in range(2):
        at.rest(0.5)
        me.put("/api/contacts?email=bo@x.example", {"email": "bo@x.example", "tags": ["spring"]}, 412)
    found = me.get("/api/contacts?email=bo@x.example")
    at.sure(found.json["total"] == 2)
    at.reads(me, "/api/contacts/2", "/api/contacts/4")


_S3 = '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{}</Code><Message>{}</Message><Resource>{}</Resource></Error>'


@case(
    "d539",
    "dan-archive-gateway-knows-no-conditions",
    "unsupported-precondition",
    "501",
    alone="unsupported-precondition",
    synthetic=True,
    description=(
        "An S3-like archive gateway answers every PUT with If-Match or If-None-Match with 501 NotImplemented, the tag just "
        "read and the new key alike. A backup tool retries, then writes its index without a condition, which works."
    ),
)
def archive(stage: Stage) -> None:
    """Ask for what a store cannot do."""
    docs = {
        f"/vault/{n}": ("application/octet-stream", f"{n} " * 30)
        for n in ("index.json", "pack-01", "pack-02")
    }
    box = desk(docs, lambda _path, doc: f'"{doc.digest()}"', dates=True)
    said = "A header you provided implies functionality that is not implemented"

    def refuse(req: Req) -> Res | None:
        if req.safe or not {"if-match", "if-none-match"} & set(req.fields):
            return None
        return Res(501, _S3.format("NotImplemented", said, req.path), {"Content-Type": "application/xml"})

    box.before.append(refuse)
    server = at.open_box(stage, box, "cheroot", "an S3-like archive gateway")
    kind = {"User-Agent": "snapvault/0.17", "Content-Type": "application/octet-stream"}
    me = stage.actor("client", server, "archive.coldline.example", "requests", kind)
    for pack in ("pack-01", "pack-02"):
        me.send("HEAD", f"/vault/{pack}", 200)
    seen = me.get("/vault/index.json")
    me.put("/vault/pack-03", b"three" * 40, 501, {"If-None-Match": "*"})
    me.put("/vault/pack-03", b"three" * 40, 201)
    me.put("/vault/index.json", seen.body + b"pack-03", 501, {"If-Match": seen.etag})
    at.rest(0.5)
    seen = me.get("/vault/index.json")
    me.put("/vault/index.json", seen.body + b"pack-03", 501, {"If-Match": seen.etag})
    at.rest(0.7)
    me.get("/vault/pack-01")
    me.put("/vault/index.json", seen.body + b"pack-03", 200)
    me.get("/vault/index.json")


@case(
    "d568",
    "dan-edge-rule-against-scripts",
    "nonprecondition-412",
    "412",
    alone="nonprecondition-412",
    description=(
        "An edge rule in nginx answers 412 with its own page to every POST and PUT from clients whose User-Agent names "
        "curl; the request carries no condition and never reaches the API. Reads pass, and so does the same PUT under another name."
    ),
)
def edge_rule(stage: Stage) -> None:
    """Be turned away for one's name."""
    docs = {f"/api/deploys/{n}": {"id": n, "ref": f"v1.{n}", "state": "live"} for n in (41, 42)}
    server = at.node(stage, "express", docs, {"/api/status": {"green": True}})
    rule = 'set $bot ""; if ($http_user_agent ~* "curl") { set $bot "u"; }\n'
    rule += 'if ($request_method ~ "^(PUT|POST)$") { set $bot "${bot}w"; }\nif ($bot = "uw") { return 412; }'
    me = stage.actor("client", fronts.nginx(stage, server, rule), "deploy.shipyard.example", "curl:verbose")
    at.reads(me, "/api/status", "/api/deploys", "/api/deploys/42")
    body = {"id": 43, "ref": "v1.43", "state": "queued"}
    for _ in range(3):
        refused = me.put("/api/deploys/43", body, 412)
        at.sure("<html>" in refused.text and "nginx" in refused.text)
        at.rest(0.3)
    me.get("/api/deploys/43", 404)
    me.put("/api/deploys/43", body, 201, {"User-Agent": "deploy-agent/2.0"})
    at.reads(me, "/api/deploys/43", "/api/status")
