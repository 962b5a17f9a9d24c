"""Stories on imitated APIs in use: a library of references, clusters, key stores, names."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from tools.recording_apis.apps.vic_core import Box, Doc, Req, Res
from tools.recording_apis.stage import case
from tools.recording_apis.stories import vic_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.actors import Actor
    from tools.recording_apis.stage import Stage


def _zotero() -> Box:
    box = Box({f"/users/77/items/{k}": {"key": k, "title": k} for k in ("AAQ2", "BBR3", "CCS4")}, first=410)
    box.extra["Zotero-API-Version"] = "3"
    level = [412]

    def show(_req: Req, _path: str, doc: Doc) -> Res:
        return Res(
            200,
            {"key": doc.data["key"], "version": doc.rev, "data": doc.data},
            {"Last-Modified-Version": str(level[0])},
        )

    def judge(req: Req, _doc: Doc | None) -> Res | None:
        sent = req.fields.get("if-unmodified-since-version")
        if sent is not None and int(sent) < level[0]:
            text = f"Library has been modified since specified version (expected {sent}, found {level[0]})"
            return Res(412, text, {"Content-Type": "text/plain", "Last-Modified-Version": str(level[0])})
        return None

    def count(_req: Req, path: str) -> None:
        level[0] += 1
        box.docs[path].rev = level[0]

    box.show, box.judge = show, judge
    box.answer_write = lambda _req, _path, _doc, _made: Res(
        204, b"", {"Last-Modified-Version": str(level[0])}
    )
    box.done.append(count)
    return box


@case(
    "d305",
    "vic-zotero-sibling-moves-the-library",
    "coarse-token-scope",
    "412",
    alone="coarse-token-scope",
    also="other-writer",
    synthetic=True,
    description=(
        "Zotero's If-Unmodified-Since-Version counts the whole library: a second device changes another item, and the "
        "client's write of an item that nobody has touched is refused; its version is as before when read again."
    ),
)
def sibling(stage: Stage) -> None:
    """Be refused because of a sibling."""
    box = _zotero()
    server = place.open_box(stage, box, "flask", "Zotero")
    me = stage.actor(
        "client",
        server,
        "api.zotero.example",
        "requests",
        {"Zotero-API-Key": "k1", "User-Agent": "Zotero/7.0 desk"},
    )
    other = stage.actor(
        "other",
        server,
        "api.zotero.example",
        "aiohttp",
        {"Zotero-API-Key": "k1", "User-Agent": "ZoteroiOS/1.0"},
    )
    place.aside(box, me, "/keys/current", "/users/77/collections")
    for turn in range(2):
        mine = me.get("/users/77/items/AAQ2")
        level = mine.fields["last-modified-version"]
        theirs = other.get("/users/77/items/BBR3")
        guard = {"If-Unmodified-Since-Version": theirs.fields["last-modified-version"]}
        other.put("/users/77/items/BBR3", {"key": "BBR3", "title": f"B {turn}"}, 204, guard)
        place.rest(0.4)
        place.aside(box, me, "/users/77/tags?limit=25")
        guard = {"If-Unmodified-Since-Version": level}
        me.put("/users/77/items/AAQ2", {"key": "AAQ2", "title": "On owls"}, 412, guard)
        again = me.get("/users/77/items/AAQ2")
        place.sure(again.json == mine.json)
        me.get("/users/77/items/BBR3")


@case(
    "d306",
    "vic-kubernetes-watch-from-long-ago",
    "token-expired",
    "410",
    alone="token-expired",
    synthetic=True,
    description=(
        "A controller resumes its watch with the resourceVersion that it kept over the week-end; the server no longer "
        "has that history and answers 410 Expired, three times; a watch from the version of a fresh list goes on."
    ),
)
def watch(stage: Stage) -> None:
    """Resume from what is no longer kept."""
    root, level = "/api/v1/namespaces/shop/configmaps", 90412
    box = Box({})

    def kube(req: Req) -> Res | None:
        since = req.query.get("resourceVersion", "")
        if req.query.get("watch") and since and int(since) < level - 400:
            text = f"too old resource version: {since} ({level - 371})"
            return Res(
                410,
                {"kind": "Status", "status": "Failure", "message": text, "reason": "Expired", "code": 410},
            )
        if req.query.get("watch"):
            event = {
                "type": "BOOKMARK",
                "object": {"kind": "ConfigMap", "metadata": {"resourceVersion": str(level)}},
            }
            return Res(200, event)
        items = [{"metadata": {"name": n, "resourceVersion": str(level - 40)}} for n in ("rates", "flags")]
        return Res(
            200, {"kind": "ConfigMapList", "metadata": {"resourceVersion": str(level)}, "items": items}
        )

    box.before.append(kube)
    server = place.open_box(stage, box, "starlette", "Kubernetes")
    me = stage.actor(
        "client",
        server,
        "kube.cluster.example",
        "httpx",
        {"User-Agent": "ctrl/0.8", "Accept": "application/json"},
    )
    for wait in (0.3, 0.6, 1.0):
        me.get(f"{root}?watch=1&allowWatchBookmarks=true&resourceVersion=88017", 410)
        me.get("/api/v1/namespaces/shop/pods")
        place.rest(wait)
    listed = me.get(root).json["metadata"]["resourceVersion"]
    me.get(f"{root}?watch=1&allowWatchBookmarks=true&resourceVersion={listed}")


@case(
    "d307",
    "vic-consul-false-taken-for-success",
    "status-dialect-mismatch",
    "lost-update",
    alone="status-dialect-mismatch",
    also="other-writer",
    synthetic=True,
    description=(
        "Consul answers a failed check-and-set with 200 and the body false; the deployer looks at the status alone and "
        "announces the new weight, which was never stored, since an operator had written in between."
    ),
)
def weight(stage: Stage) -> None:
    """Take false for success."""
    keys = {
        f"/v1/kv/web/{k}": ("text/plain", v) for k, v in (("weight", "10"), ("pool", "blue"), ("canary", "0"))
    }
    box = Box(keys, first=730)
    box.show = lambda _req, path, doc: Res(
        200,
        [{"Key": path[7:], "ModifyIndex": doc.rev, "Value": base64.b64encode(doc.octets).decode()}],
        {"X-Consul-Index": "812", "Content-Type": "application/json"},
    )
    box.judge = lambda req, doc: (
        Res(200, "false", {"Content-Type": "application/json"})
        if "cas" in req.query and int(req.query["cas"]) != (doc.rev if doc else 0)
        else None
    )
    box.change = lambda req, _doc: req.body.decode()
    box.answer_write = lambda *_rest: Res(200, "true", {"Content-Type": "application/json"})
    server = place.open_box(stage, box, "aiohttp", "Consul")
    me = stage.actor("client", server, "consul.web.test", "node:fetch", {"User-Agent": "deployer/11"})
    other = stage.actor("other", server, "consul.web.test", "curl", {"User-Agent": "consul-cli"})
    place.aside(box, me, "/v1/status/leader", "/v1/catalog/services")
    _consul_play(box, me, other)


def _consul_play(box: Box, me: Actor, other: Actor) -> None:
    def index(who: Actor, key: str) -> int:
        told: Any = who.get(f"/v1/kv/web/{key}").json
        return int(told[0]["ModifyIndex"])

    text = {"Content-Type": "text/plain"}
    mine, theirs = index(me, "weight"), index(other, "weight")
    place.sure(other.put(f"/v1/kv/web/weight?cas={theirs}", "25", 200, text).text == "true")
    place.rest(0.5)
    place.aside(box, me, "/v1/health/service/web?passing=1")
    place.sure(me.put(f"/v1/kv/web/pool?cas={index(me, 'pool')}", "green", 200, text).text == "true")
    place.sure(me.put(f"/v1/kv/web/weight?cas={mine}", "60", 200, text).text == "false")
    me.send("PUT", "/v1/kv/web/announced", 200, text, "weight=60")
    place.rest(0.5)
    place.sure(base64.b64decode(me.get("/v1/kv/web/weight").json[0]["Value"]) == b"25")
    me.get("/v1/kv/web/canary")


@case(
    "d308",
    "vic-cloud-dns-deletes-another-ttl",
    "payload-precondition-mismatch",
    "412",
    alone="payload-precondition-mismatch",
    synthetic=True,
    description=(
        "A certificate program deletes a TXT record of Cloud DNS as it believes it to be, with TTL 60; the live record "
        "has 300, as the list says, and the change is refused for entity.change.deletions[0], twice."
    ),
)
def ttl(stage: Stage) -> None:
    """Delete a record that is not quite so."""
    root, live = (
        "/dns/v1/projects/shop/managedZones/main",
        {"name": "_acme.shop.example.", "type": "TXT", "ttl": 300, "rrdatas": ['"q1"']},
    )
    box = Box(
        {
            f"{root}/rrsets": {
                "rrsets": [live, {"name": "shop.example.", "type": "A", "ttl": 60, "rrdatas": ["192.0.2.7"]}]
            }
        }
    )

    def changes(req: Req) -> Res | None:
        if req.method != "POST":
            return None
        for number, one in enumerate(req.json.get("deletions", [])):
            if one not in box.docs[f"{root}/rrsets"].data["rrsets"]:
                text = f"Precondition not met for 'entity.change.deletions[{number}]'"
                error = {
                    "domain": "global",
                    "reason": "conditionNotMet",
                    "message": text,
                    "locationType": "header",
                    "location": "If-Match",
                }
                return Res(412, {"error": {"code": 412, "message": text, "errors": [error]}})
        return Res(200, {"kind": "dns#change", "id": "18", "status": "pending", **req.json})

    box.before.append(changes)
    server = place.open_box(stage, box, "falcon", "Cloud DNS")
    me = stage.actor(
        "client",
        server,
        "dns.shop.example",
        "requests",
        {"User-Agent": "certs/2.9", "Authorization": "Bearer ya29.dns"},
    )
    place.aside(box, me, "/dns/v1/projects/shop/managedZones")
    me.get(f"{root}/rrsets?type=A")
    wrong = {**live, "ttl": 60}
    change = {"additions": [{**live, "ttl": 60, "rrdatas": ['"q2"']}], "deletions": [wrong]}
    for _ in range(2):
        me.send("POST", f"{root}/changes", 412, None, change)
        me.get(f"{root}/rrsets?name=_acme.shop.example.")
        place.rest(0.5)
        place.aside(box, me, "/dns/v1/projects/shop/policies")
    me.send("POST", f"{root}/changes", 200, None, {**change, "deletions": [live]})
