"""More stories on APIs in use, imitated as their documentation says, and Azurite."""

from __future__ import annotations

import re
import time
from email.utils import formatdate
from typing import TYPE_CHECKING, Any

from tools.recording_apis.apps.vic_core import Box, Res, Versions
from tools.recording_apis.stage import case
from tools.recording_apis.stories import vic_setting as place

if TYPE_CHECKING:
    from collections.abc import Callable

    from tools.recording_apis.actors import Actor
    from tools.recording_apis.apps.vic_core import Doc, Req
    from tools.recording_apis.stage import Stage


def _policies(box: Versions) -> Callable[[Req], Res | None]:
    def act(req: Req) -> Res | None:
        path, _, verb = req.path.rpartition(":")
        doc = box.docs.get(path)
        if doc is None:
            return None
        if verb == "setIamPolicy":
            sent = req.json["policy"]
            if sent.get("etag") not in {None, f"BwYk{doc.rev:06}A="}:
                said = "There were concurrent policy changes. Please retry the whole read-modify-write with exponential backoff."
                return Res(409, {"error": {"code": 409, "status": "ABORTED", "message": said}})
            doc = box.store(path, sent["bindings"], req.who)
        return Res(200, {"version": 1, "etag": f"BwYk{doc.rev:06}A=", "bindings": doc.data})

    return act


@case(
    "e419",
    "dov-policy-sent-without-its-etag",
    "unconditional-write",
    "lost-update",
    alone="unconditional-write",
    synthetic=True,
    description=(
        "Google IAM: an onboarding job sets the policy of a topic without the etag that getIamPolicy gave it, from the "
        "bindings of its first reading; the auditor whom an administrator had added, as it saw, is no longer in it."
    ),
)
def policy(stage: Stage) -> None:
    """Leave the etag out of the policy."""
    root = "/v1/projects/ernte-prod/topics"
    bindings = [{"role": "roles/pubsub.publisher", "members": ["serviceAccount:waage@ernte-prod.iam"]}]
    box = Versions({f"{root}/{n}": bindings for n in ("lieferung", "silo", "wetter")}, first=40)
    box.before.append(_policies(box))
    box.show = lambda _req, path, _doc: Res(
        200, {"name": path.removeprefix("/v1/"), "messageRetentionDuration": "600s"}
    )
    server = place.open_box(stage, box, "tornado", "Google Cloud Pub/Sub")
    me = stage.actor(
        "client", server, "pubsub.googleapis.com", "httpx", {"Authorization": "Bearer onboarding"}
    )
    other = stage.actor(
        "other", server, "pubsub.googleapis.com", "requests", {"Authorization": "Bearer admin"}
    )

    def ask(who: Actor, topic: str, verb: str, body: Any = None) -> Any:
        return who.send(
            "POST", f"{root}/{topic}:{verb}", 200, None, body or {"options": {"requestedPolicyVersion": 1}}
        ).json

    me.get(f"{root}/silo")
    held = {topic: ask(me, topic, "getIamPolicy")["bindings"] for topic in ("lieferung", "silo")}
    theirs = ask(other, "silo", "getIamPolicy")
    viewer = {"role": "roles/pubsub.viewer", "members": ["user:audit@ernte.example"]}
    ask(other, "silo", "setIamPolicy", {"policy": {**theirs, "bindings": [*theirs["bindings"], viewer]}})
    place.rest(0.9)
    place.sure(viewer in ask(me, "silo", "getIamPolicy")["bindings"])
    for topic, rows in held.items():
        new = [
            *rows,
            {"role": "roles/pubsub.subscriber", "members": ["serviceAccount:muehle@ernte-prod.iam"]},
        ]
        ask(me, topic, "setIamPolicy", {"policy": {"bindings": new}})
        place.rest(0.3)
    place.sure(viewer not in ask(me, "silo", "getIamPolicy")["bindings"])
    me.get(f"{root}/wetter")


def _zotero(box: Box, root: str, at: dict[str, int]) -> None:
    def act(req: Req) -> Res | None:
        if req.safe and req.path == root:
            since = int(req.query.get("since", "0"))
            rows = [
                {"key": d.data["key"], "version": at[p], "data": d.data}
                for p, d in box.docs.items()
                if at[p] > since
            ]
            return Res(200, rows)
        if req.safe or not req.path.startswith(root):
            return None
        sent = int(req.fields["if-unmodified-since-version"])
        one = req.path in box.docs and req.method == "PATCH"
        if sent < at[req.path if one else "library"]:
            scope = "Item" if one else "Library"
            found = at[req.path if one else "library"]
            return box.error(
                412, f"{scope} has been modified since specified version (expected {sent}, found {found})"
            )
        at["library"] += 1
        for row in [{**req.json, "key": req.path.rpartition("/")[2]}] if one else req.json:
            path = f"{root}/{row['key']}"
            box.store(path, {**box.docs[path].data, **row}, req.who)
            at[path] = at["library"]
        return (
            Res(204)
            if one
            else Res(
                200, {"successful": {str(n): row["key"] for n, row in enumerate(req.json)}, "failed": {}}
            )
        )

    def versioned(req: Req, res: Res) -> None:
        res.fields |= {
            "Zotero-API-Version": "3",
            "Last-Modified-Version": str(at.get(req.path, at["library"])),
        }

    box.before.append(act)
    box.after.append(versioned)


@case(
    "e423",
    "dov-library-moved-by-another-note",
    "coarse-token-scope",
    "412",
    alone="coarse-token-scope",
    synthetic=True,
    description=(
        "Zotero: a writer's plug-in posts its own two items under the library's version; a co-author's phone only adds "
        "notes to another item, which moves the library's number, so each post is 412; its items are as it read them."
    ),
)
def library(stage: Stage) -> None:
    """Be refused for what stands beside."""
    root = "/groups/51077/items"
    docs = {
        f"{root}/{k}": {"key": k, "itemType": "book", "title": k.title(), "extra": ""}
        for k in ("QX4TP7", "M2RRW9", "ZZ81KD")
    }
    box, at = (
        Box(docs),
        {"library": 1204, **{f"{root}/{k}": 1180 + n for n, k in enumerate(("QX4TP7", "M2RRW9", "ZZ81KD"))}},
    )

    _zotero(box, root, at)
    server = place.open_box(stage, box, "flask-cheroot", "Zotero")
    me = stage.actor("client", server, "api.zotero.org", "requests", {"Zotero-API-Key": "P9example"})
    other = stage.actor("other", server, "api.zotero.org", "urllib", {"Zotero-API-Key": "T2example"})
    rows = [{"key": "QX4TP7", "extra": "p. 44"}, {"key": "M2RRW9", "extra": "p. 101"}]
    for turn in range(3):
        known = me.get(f"{root}?since={1170 if turn == 0 else 1204 + turn}").fields["last-modified-version"]
        place.rest(0.4)
        note = other.get(f"{root}/ZZ81KD").fields["last-modified-version"]
        other.send(
            "PATCH", f"{root}/ZZ81KD", 204, {"If-Unmodified-Since-Version": note}, {"extra": f"note {turn}"}
        )
        place.rest(0.5)
        me.send("POST", root, 412, {"If-Unmodified-Since-Version": known}, rows)
        me.get(f"{root}/QX4TP7")
    moved = me.get(f"{root}?since=1204").json
    place.sure([row["key"] for row in moved] == ["ZZ81KD"])
    me.get(f"{root}/M2RRW9")


def _numbered(box: Box, seq: dict[str, int]) -> None:
    def show(_req: Req, path: str, doc: Doc) -> Res:
        head = {"_index": "bins", "_id": path.rpartition("/")[2], "_version": doc.rev, "_seq_no": seq[path]}
        return Res(200, {**head, "_primary_term": 3, "found": True, "_source": doc.data})

    def judge(req: Req, _doc: Doc | None) -> Res | None:
        want, now = int(req.query["if_seq_no"]), seq[req.path]
        if want == now:
            seq[req.path] = max(seq.values()) + 1
            return None
        said = (
            f"[{req.path.rpartition('/')[2]}]: version conflict, required seqNo [{want}], primary term [3]. "
        )
        said += f"current document has seqNo [{now}] and primary term [3]"
        cause = {"type": "version_conflict_engine_exception", "reason": said, "index": "bins", "shard": "0"}
        return Res(409, {"error": {"root_cause": [cause], **cause}, "status": 409})

    def written(req: Req, path: str, doc: Doc, _made: bool) -> Res:
        shown = show(req, path, doc).body
        kept = {key: one for key, one in shown.items() if key not in {"found", "_source"}}
        return Res(200, {**kept, "result": "updated", "_shards": {"total": 2, "successful": 2, "failed": 0}})

    box.show, box.judge, box.answer_write = show, judge, written


@case(
    "e425",
    "dov-stock-document-counted-by-another",
    "other-writer",
    "409",
    alone="other-writer",
    synthetic=True,
    description=(
        "Elasticsearch: a stocktaker writes with the seq_no and primary term of his reading; another's handheld has "
        "counted the same bin in between: 409 version_conflict_engine_exception, and the document names the other."
    ),
)
def stocktake(stage: Stage) -> None:
    """Count after another."""
    docs = {
        f"/bins/_doc/{n}": {"bin": n, "sku": "M8x40", "qty": 400, "counted_by": "init"}
        for n in ("a-17", "a-18", "b-02")
    }
    box, seq = Box(docs), {f"/bins/_doc/{n}": 880 + i * 3 for i, n in enumerate(("a-17", "a-18", "b-02"))}

    _numbered(box, seq)
    server = place.open_box(stage, box, "waitress", "Elasticsearch")
    me = stage.actor("client", server, "es.lager.example", "node:fetch", {"X-Opaque-Id": "pda-4"})
    other = stage.actor("other", server, "es.lager.example", "java", {"X-Opaque-Id": "pda-9"})

    def put(who: Actor, seen: Any, by: str, qty: int, expect: int) -> None:
        target = (
            f"/bins/_doc/{seen['_id']}?if_seq_no={seen['_seq_no']}&if_primary_term={seen['_primary_term']}"
        )
        who.put(target, {**seen["_source"], "qty": qty, "counted_by": by}, expect)

    health = {"cluster_name": "lager", "status": "green", "number_of_nodes": 2, "active_shards": 6}
    box.fixed["/_cluster/health"] = Res(200, health)
    box.fixed["/bins/_mapping"] = Res(
        200, {"bins": {"mappings": {"properties": {"qty": {"type": "integer"}}}}}
    )
    place.aside(box, me, "/_cluster/health", "/bins/_mapping")
    mine, next_one = me.get("/bins/_doc/a-18").json, me.get("/bins/_doc/b-02").json
    put(other, other.get("/bins/_doc/a-18").json, "pda-9", 377, 200)
    place.rest(1.0)
    put(me, next_one, "pda-4", 398, 200)
    put(me, mine, "pda-4", 379, 409)
    place.sure(me.get("/bins/_doc/a-18").json["_source"]["counted_by"] == "pda-9")
    place.rest(0.3)
    me.get("/bins/_doc/a-17")


def _changes(zone: str, live: dict[str, Any]) -> Callable[[Req], Res | None]:
    done = [60]

    def act(req: Req) -> Res | None:
        if req.safe and req.path == f"{zone}/rrsets":
            return Res(200, {"kind": "dns#resourceRecordSetsListResponse", "rrsets": list(live.values())})
        if req.path != f"{zone}/changes" or req.safe:
            return None
        for number, gone in enumerate(req.json["deletions"]):
            if gone not in live.values():
                said = f"Precondition not met for 'entity.change.deletions[{number}]'"
                one = {"domain": "global", "reason": "conditionNotMet", "message": said}
                return Res(412, {"error": {"code": 412, "message": said, "errors": [one]}})
        for new in req.json["additions"]:
            live[new["name"].partition(".")[0]] = new
        done[0] += 1
        return Res(200, {"kind": "dns#change", "id": str(done[0]), "status": "pending", **req.json})

    return act


@case(
    "e429",
    "dov-record-set-with-the-wrong-ttl",
    "payload-precondition-mismatch",
    "412",
    alone="payload-precondition-mismatch",
    synthetic=True,
    description=(
        "Cloud DNS: a change must delete exactly the record set that is there; the controller writes the TTL of its "
        "configuration (300) into deletions where the listing has 120: 412 naming deletions[0], each round; another passes."
    ),
)
def records(stage: Stage) -> None:
    """Delete what is not quite there."""
    zone = "/dns/v1/projects/netz-7/managedZones/hof"
    live = {
        n: {
            "name": f"{n}.hof.example.",
            "type": "A",
            "ttl": 120 if n == "shop" else 300,
            "rrdatas": ["192.0.2.10"],
        }
        for n in ("www", "shop", "mail")
    }
    box = Box({})

    box.before.append(_changes(zone, live))
    server = place.open_box(stage, box, "aiohttp", "Google Cloud DNS")
    me = stage.actor("client", server, "dns.googleapis.com", "aiohttp", {"Authorization": "Bearer dns-sync"})
    box.fixed[zone] = Res(
        200, {"kind": "dns#managedZone", "name": "hof", "dnsName": "hof.example.", "visibility": "public"}
    )
    place.aside(box, me, zone)
    for _ in range(3):
        rows = me.get(f"{zone}/rrsets?maxResults=100").json["rrsets"]
        for row in rows:
            if row["name"].startswith("mail") or row["rrdatas"] == ["192.0.2.77"]:
                continue
            old, new = {**row, "ttl": 300}, {**row, "ttl": 300, "rrdatas": ["192.0.2.77"]}
            wrong = row["name"].startswith("shop")
            me.send(
                "POST",
                f"{zone}/changes",
                412 if wrong else 200,
                None,
                {"additions": [new], "deletions": [old]},
            )
        place.rest(0.7)


@case(
    "e431",
    "dov-kiosk-clock-an-hour-ahead",
    "clock-skew",
    "lost-update",
    alone="clock-skew",
    description=(
        "Azurite: a kiosk whose clock runs an hour ahead sends its own present time as If-Unmodified-Since, as its "
        "x-ms-date beside the service's Date shows; no write can fail so, and the office's opening hours are overwritten."
    ),
)
def kiosk(stage: Stage) -> None:
    """Send the time of one's own clock."""
    server, sas = stage.server("azurite"), place.signature()
    host, fields = "notes.blob.core.windows.net", {"x-ms-version": "2021-12-02"}
    me = stage.actor("client", server, host, "requests", {**fields, "User-Agent": "KioskOS/9"})
    other = stage.actor("other", server, host, "httpx", {**fields, "User-Agent": "office"})
    base = "/notes/kiosk"
    kind = {"x-ms-blob-type": "BlockBlob", "Content-Type": "application/json"}
    other.put(f"{base}?restype=container&{sas}", b"", 201)
    for n in ("hours", "prices", "banner"):
        other.put(f"{base}/{n}.json?{sas}", {"of": n, "mon": "9-17", "sat": "10-13"}, 201, kind)
    place.rest(1.2)

    def ahead() -> dict[str, str]:
        return {"x-ms-date": formatdate(time.time() + 3611, usegmt=True)}

    def save(name: str, body: Any) -> None:
        now = ahead()
        me.put(
            f"{base}/{name}.json?{sas}", body, 201, {**kind, **now, "If-Unmodified-Since": now["x-ms-date"]}
        )

    me.get(f"{base}?restype=container&comp=list&{sas}", 200, ahead())
    mine = {n: me.get(f"{base}/{n}.json?{sas}", 200, ahead()) for n in ("hours", "banner")}
    theirs = other.get(f"{base}/hours.json?{sas}")
    body = {**theirs.json, "sat": "closed"}
    other.put(f"{base}/hours.json?{sas}", body, 201, {**kind, "If-Match": theirs.etag})
    place.rest(1.1)
    listed = me.get(f"{base}?restype=container&comp=list&{sas}", 200, ahead())
    place.sure(mine["hours"].etag.strip('"') not in listed.text)
    save("banner", {**mine["banner"].json, "text": "Welcome"})
    save("hours", {**mine["hours"].json, "mon": "8-17"})
    place.rest(0.4)
    place.sure(me.get(f"{base}/hours.json?{sas}", 200, ahead()).json["sat"] == "10-13")
    me.get(f"{base}/prices.json?{sas}", 200, ahead())


@case(
    "e435",
    "dov-board-card-keeps-its-first-etag",
    "stale-stored-token",
    "412",
    alone="stale-stored-token",
    synthetic=True,
    description=(
        "Microsoft Graph Planner: each change is answered with the task and its new @odata.etag, which the board "
        "leaves aside; its next change of the same card, with the tag from the first list, is 412. Nobody else is there."
    ),
)
def card(stage: Stage) -> None:
    """Keep the tag of the first list."""
    root = "/v1.0/planner/tasks"
    docs = {
        f"{root}/{k}": {"id": k, "title": t, "percentComplete": 0, "bucketId": "b1"}
        for k, t in (("hQ1", "Zelt"), ("hQ2", "Strom"), ("hQ3", "Bühne"))
    }

    def tag(_path: str, doc: Doc) -> str:
        return f'W/"JzEtVGFzayAgQEBAQEBAQEBAQEBAQEBA{doc.rev:02}Jw=="'

    box = Box(docs, tag, need=400)
    box.matches = lambda value, path, doc, **_more: value == tag(path, doc)

    def show(_req: Req, path: str, doc: Doc) -> Res:
        return Res(200, {"@odata.etag": tag(path, doc), **doc.data})

    box.show, box.answer_write = show, lambda req, path, doc, _made: show(req, path, doc)
    box.listing = lambda req, _path, below: Res(
        200, {"value": [show(req, p, d).body for p, d in below.items()]}
    )
    box.say[412] = {
        "error": {"code": "preconditionFailed", "message": "The item has been modified since it was read."}
    }
    server = place.open_box(stage, box, "stdlib", "Microsoft Graph Planner")
    fields = {"Authorization": "Bearer EwA-example", "Prefer": "return=representation"}
    me = stage.actor("client", server, "graph.microsoft.com", "node:axios", fields)
    box.fixed["/v1.0/me"] = Res(200, {"displayName": "Runa Lind", "userPrincipalName": "runa@fest.example"})
    buckets = [{"id": f"b{n}", "name": name, "planId": "p77"} for n, name in ((1, "Aufbau"), (2, "Abbau"))]
    box.fixed["/v1.0/planner/plans/p77/buckets"] = Res(200, {"value": buckets})
    place.aside(box, me, "/v1.0/me", "/v1.0/planner/plans/p77/buckets")
    first = {row["id"]: row["@odata.etag"] for row in me.get(root).json["value"]}
    for key in ("hQ1", "hQ3"):
        got = me.send("PATCH", f"{root}/{key}", 200, {"If-Match": first[key]}, {"percentComplete": 50}).json
        place.sure(got["@odata.etag"] != first[key])
        place.rest(0.6)
        me.send("PATCH", f"{root}/{key}", 412, {"If-Match": first[key]}, {"bucketId": "b2"})
    me.send("PATCH", f"{root}/hQ2", 200, {"If-Match": first["hQ2"]}, {"percentComplete": 100})
    me.get(f"{root}/hQ1")


def _events(box: Box, life: float) -> Callable[[Req], Res | None]:
    def act(req: Req) -> Res | None:
        if not req.path.endswith("/events"):
            return None
        sent, now = req.query.get("syncToken"), time.time()
        if sent and now - int(sent[4:-1]) / 1000 > life:
            said = "Sync token is no longer valid, a full sync is required."
            one = {
                "domain": "calendar",
                "reason": "fullSyncRequired",
                "message": said,
                "locationType": "parameter",
                "location": "syncToken",
            }
            return Res(410, {"error": {"errors": [one], "code": 410, "message": said}})
        rows = [doc.data for path, doc in box.docs.items() if path.startswith(req.path) and not sent]
        return Res(
            200, {"kind": "calendar#events", "items": rows, "nextSyncToken": f"CPjd{int(now * 1000)}="}
        )

    return act


@case(
    "e437",
    "dov-door-signs-after-the-weekend",
    "token-expired",
    "410",
    alone="token-expired",
    synthetic=True,
    description=(
        "Google Calendar: door signs go on with the sync token that they had before a pause; 410 fullSyncRequired, also "
        "when sent once more; a full reading gives a new token, which works, as does that of the room read lately."
    ),
)
def signs(stage: Stage) -> None:
    """Go on with an old sync token."""
    rooms = ("aula", "atelier")
    docs = {
        f"/calendar/v3/calendars/{r}/events/{n}": {"id": f"{r}{n}", "summary": "Probe", "etag": f'"34{n}"'}
        for r in rooms
        for n in (1, 2)
    }
    box = Box(docs)
    box.before.append(_events(box, 2.0))
    server = place.open_box(stage, box, "starlette", "Google Calendar")
    me = stage.actor("client", server, "www.googleapis.com", "urllib", {"Authorization": "Bearer ya29.sign"})
    rows = [{"id": r, "summary": r.title(), "accessRole": "reader"} for r in rooms]
    box.fixed["/calendar/v3/users/me/calendarList"] = Res(
        200, {"kind": "calendar#calendarList", "items": rows}
    )
    place.aside(box, me, "/calendar/v3/users/me/calendarList")
    urls = {r: f"/calendar/v3/calendars/{r}/events" for r in rooms}
    token = {r: me.get(f"{urls[r]}?singleEvents=true").json["nextSyncToken"] for r in rooms}
    for _ in range(2):
        place.rest(0.5)
        for r in rooms:
            token[r] = me.get(f"{urls[r]}?syncToken={token[r]}").json["nextSyncToken"]
    place.rest(1.6)
    token["atelier"] = me.get(f"{urls['atelier']}?syncToken={token['atelier']}").json["nextSyncToken"]
    place.rest(0.9)
    for _ in range(2):
        me.get(f"{urls['aula']}?syncToken={token['aula']}", 410)
        place.rest(0.4)
    got = me.get(f"{urls['aula']}?singleEvents=true").json
    place.sure(len(got["items"]) == 2 and re.match("CPjd", got["nextSyncToken"]))
    me.get(f"{urls['aula']}?syncToken={got['nextSyncToken']}")
