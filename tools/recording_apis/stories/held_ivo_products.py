"""Products on Express and PHP, Consul and its like."""

from __future__ import annotations

import base64
from functools import partial
from typing import TYPE_CHECKING, Any

from tools.recording_apis.apps.ivo_desk import Ask, Desk, Rows, Say
from tools.recording_apis.stories import held_ivo_setting as at

if TYPE_CHECKING:
    from tools.recording_apis.actors import Answer
    from tools.recording_apis.stage import Stage


@at.tell(
    "e595",
    "recipe-saved-by-two-tabs-of-one-form",
    "self-race",
    "409",
    "Contentful's management API: a form saves each field by itself; two PUTs of one session with the same "
    "X-Contentful-Version are under way at once, the second is 409 VersionMismatch, on two entries.",
)
def recipe(stage: Stage) -> None:
    """Save two fields at once."""
    server = at.script(stage, "ivo_things.js", "Contentful", "contentful")
    head = {
        "Authorization": "Bearer CFPAT-1",
        "Content-Type": "application/vnd.contentful.management.v1+json",
    }
    me = stage.actor(
        "client",
        server,
        "api.contentful.test",
        "httpx",
        {**head, "X-Contentful-User-Agent": "sdk contentful-management.js/11.40.1;"},
    )
    base = "/spaces/k9w2/environments/master"
    at.look(me, f"{base}/content_types/recipe", f"{base}/locales", f"{base}/entries?limit=2")
    for entry in ("5KsDBWseXY6QegucYAoacS", "4xEP1vXbUswwyIMKmg2AgK"):
        seen = me.get(f"{base}/entries/{entry}").json

        def save(fields: dict[str, Any], seen: Any = seen, entry: str = entry) -> Answer:
            guard = {"X-Contentful-Version": str(seen["sys"]["version"])}
            return me.put(
                f"{base}/entries/{entry}", {"fields": {**seen["fields"], **fields}}, (200, 409), guard
            )

        first, second = {"title": {"de-DE": "Quarkauflauf"}}, {"minutes": {"de-DE": 45}}
        got = at.together(partial(save, first), partial(save, second), apart=0.05)
        at.sure(sorted(one.status for one in got) == [200, 409])
        at.rest(0.5)
    at.look(me, f"{base}/entries?limit=2")


@at.tell(
    "e591",
    "rooms-patched-side-by-side",
    "check-then-write-race",
    "lost-update",
    "Spring Data REST: a stale If-Match after another is 412, but two PATCHes with the same tag that overlap are both "
    "200 with the same new tag, and a read shows that the first one's field is the old one again.",
    also="self-race",
)
def rooms(stage: Stage) -> None:
    """Pass the check twice."""
    server = at.script(stage, "ivo_things.js", "Spring Data REST", "spring")
    me = stage.actor("client", server, "rooms.campus.test", "httpx", {"Accept": "application/hal+json"})
    at.look(me, "/", "/rooms?page=0&size=20")
    one = me.get("/rooms/1")
    me.send("PATCH", "/rooms/1", 200, {"If-Match": one.etag}, {"seats": 44})
    me.send("PATCH", "/rooms/1", 412, {"If-Match": one.etag}, {"projector": False})
    at.rest(0.4)
    for room in (2, 3):
        seen = me.get(f"/rooms/{room}")

        def patch(body: dict[str, Any], room: int = room, tag: str = seen.etag) -> Answer:
            return me.send("PATCH", f"/rooms/{room}", 200, {"If-Match": tag}, body)

        at.together(partial(patch, {"seats": 61}), partial(patch, {"name": f"Hörsaal {room}"}), apart=0.05)
        at.rest(0.3)
        now = me.get(f"/rooms/{room}").json
        at.sure(now["seats"] != 61 and now["name"].startswith("Hör"))


@at.tell(
    "e577",
    "routes-changed-by-the-operator",
    "other-writer",
    "409",
    "Kubernetes: a deploy script holds a ConfigMap while it waits for pods; an operator writes it meanwhile, the "
    "script's replace with the older resourceVersion is 409 Conflict, and managedFields then name the operator.",
)
def routes(stage: Stage) -> None:
    """Wait too long with an object in hand."""
    server = at.script(stage, "ivo_things.js", "Kubernetes", "kubernetes")
    base = "/api/v1/namespaces/edge"
    me = stage.actor(
        "client",
        server,
        "kube.edge.test",
        "aiohttp",
        {"User-Agent": "deploy/2.4 (linux/amd64)", "Authorization": "Bearer ey"},
    )
    other = stage.actor("other", server, "kube.edge.test", "node:fetch", {"User-Agent": "route-operator/0.9"})
    at.look(me, "/version", f"{base}/configmaps?limit=500")
    limits = me.get(f"{base}/configmaps/edge-limits").json
    me.put(f"{base}/configmaps/edge-limits", {**limits, "data": {"a": "20"}}, 200)
    mine = me.get(f"{base}/configmaps/edge-routes").json
    for number in range(3):
        at.look(me, f"{base}/pods?labelSelector=app%3Dedge")
        if number == 1:
            theirs = other.get(f"{base}/configmaps/edge-routes").json
            other.put(f"{base}/configmaps/edge-routes", {**theirs, "data": {"a": "10", "b": "/v2"}}, 200)
        at.rest(0.4)
    me.put(f"{base}/configmaps/edge-routes", {**mine, "data": {"a": "11"}}, 409)
    now = me.get(f"{base}/configmaps/edge-routes").json
    at.sure(now["data"].get("b") == "/v2" and "route-operator" in str(now["metadata"]["managedFields"]))


@at.tell(
    "e579",
    "staff-map-takes-any-revision",
    "precondition-ignored",
    "lost-update",
    "Twilio Sync: for a document an old revision in If-Match is 412 (54103), for an item of a map the very same habit is "
    "200: a colleague's desk is gone from the item, and the list shows it.",
)
def staff(stage: Stage) -> None:
    """Be let through with an old revision."""
    server = at.script(stage, "ivo_things.js", "Twilio Sync", "sync")
    me = stage.actor("client", server, "sync.twilio.test", "requests", {"Authorization": "Basic QUM6"})
    other = stage.actor("other", server, "sync.twilio.test", "urllib")
    base = "/v1/Services/IS5f2c"
    at.look(me, base, f"{base}/Documents", f"{base}/Maps/staff/Items")
    ring = me.get(f"{base}/Documents/ring-1").json
    body = {"Data": {"state": "busy", "n": 1}}
    me.send("POST", f"{base}/Documents/ring-1", 200, {"If-Match": ring["revision"]}, body)
    me.send("POST", f"{base}/Documents/ring-1", 412, {"If-Match": ring["revision"]}, body)
    for name in ("anna", "bo"):
        seen = me.get(f"{base}/Maps/staff/Items/{name}").json
        other.send(
            "POST", f"{base}/Maps/staff/Items/{name}", 200, None, {"Data": {**seen["data"], "desk": 9}}
        )
        at.rest(0.5)
        change = {"Data": {**seen["data"], "shift": "late"}}
        done = me.send(
            "POST", f"{base}/Maps/staff/Items/{name}", 200, {"If-Match": seen["revision"]}, change
        ).json
        at.sure(int(done["revision"], 16) == int(seen["revision"], 16) + 2)
    at.sure(me.get(f"{base}/Maps/staff/Items").json["items"][0]["data"]["desk"] == 3)


@at.tell(
    "e594",
    "sales-channel-of-no-shop",
    "nonprecondition-412",
    "412",
    "Shopware's store interface: with the access key of a channel that was removed every call, reads too, is 412 "
    "'No matching sales channel found'; nothing conditional is sent, and the other channel's key works.",
)
def channel(stage: Stage) -> None:
    """Use a key of no channel."""
    server = at.script(stage, "ivo_shop.php", "Shopware")
    me = stage.actor(
        "client", server, "tee.shopware.test", "node:fetch", {"sw-language-id": "2fbb5fe2e29a4d70"}
    )
    good, bad = (
        {"sw-access-key": "SWSCB1YZSMR6OVBXAUNOVGPPNW"},
        {"sw-access-key": "SWSCZ0WWQZDVQ3RMA2X5VHJ2BQ"},
    )
    at.look(me, "/api/_info/health-check")
    at.look(me, "/store-api/context", head=good)
    me.send("POST", "/store-api/product", 200, good, {"limit": 3})
    me.send(
        "POST", "/store-api/checkout/cart/line-item", 200, good, {"items": [{"id": "018f3a", "quantity": 2}]}
    )
    me.get("/store-api/context", 412, bad)
    at.rest()
    me.send("POST", "/store-api/product", 412, bad, {"limit": 3})
    me.send(
        "POST", "/store-api/checkout/cart/line-item", 412, bad, {"items": [{"id": "018f3a", "quantity": 2}]}
    )
    at.look(me, "/store-api/checkout/cart", head=good)


def _consul() -> Desk:
    desk = Desk({"X-Consul-Default-Acl-Policy": "allow"})
    rows = Rows(
        {
            f"edge/{one}": f'{{"weight":{number}}}'
            for number, one in enumerate(("lyon", "turin", "basel"), 10)
        },
        71,
    )

    @desk.on("GET", "/v1/kv/(.+)")
    def read(ask: Ask, key: str) -> Say:
        keys = [one for one in rows if one.startswith(key)] if "recurse" in ask.query else [key]
        head = {"X-Consul-Index": str(rows.tick), "X-Consul-Knownleader": "true", "X-Consul-Lastcontact": "0"}
        if keys[0] not in rows:
            return Say(404, None, head)
        told = [
            {
                "LockIndex": 0,
                "Key": one,
                "Flags": 0,
                "Value": base64.b64encode(rows[one].data.encode()).decode(),
                "CreateIndex": 60,
                "ModifyIndex": int(rows[one].at),
            }
            for one in keys
        ]
        return Say(200, told, head)

    @desk.on("PUT", "/v1/kv/(.+)")
    def write(ask: Ask, key: str) -> Say:
        if "cas" in ask.query and int(ask.query["cas"]) != (int(rows[key].at) if key in rows else 0):
            return Say(200, "false", {"Content-Type": "application/json"})
        row = rows.keep(key, ask.body.decode())
        row.at = rows.tick
        return Say(200, "true", {"Content-Type": "application/json"})

    for number, row in enumerate(rows.values()):
        row.at = 71 + number * 3
    desk.shows("/v1/status/leader", "10.0.4.11:8300")
    desk.shows(
        "/v1/health/service/edge", [{"Service": {"Service": "edge"}, "Checks": [{"Status": "passing"}]}]
    )
    desk.on("PUT", "/v1/event/fire/[a-z]+")(
        lambda _ask: Say(200, {"ID": "b54fe110-7af5", "Name": "reload", "LTime": 19})
    )
    return desk


@at.tell(
    "e564",
    "weights-said-to-be-stored",
    "status-dialect-mismatch",
    "200-conflict",
    "Consul: a rollout writes weights with ?cas=; for one key the answer is 200 with false since its index has moved, the "
    "tool takes 200 for stored, fires its reload event, and a later read has the other's weight.",
    also="other-writer",
)
def weights(stage: Stage) -> None:
    """Look at the status alone."""
    server = at.opened(stage, _consul(), "Consul", "flask")
    me = stage.actor("client", server, "consul.edge.test", "urllib", {"X-Consul-Token": "c1-"})
    other = stage.actor("other", server, "consul.edge.test", "curl")
    at.look(me, "/v1/status/leader", "/v1/health/service/edge?passing=1")
    seen = me.get("/v1/kv/edge/?recurse=true").json
    other.put("/v1/kv/edge/turin", '{"weight":80}', 200)
    at.rest(0.6)
    for one in seen:
        me.put(f"/v1/kv/{one['Key']}?cas={one['ModifyIndex']}", '{"weight":33,"by":"rollout"}', 200)
    me.put("/v1/event/fire/reload", "rollout of 3 keys stored", 200)
    at.look(me, "/v1/health/service/edge?passing=1")
    value = base64.b64decode(me.get("/v1/kv/edge/turin").json[0]["Value"])
    at.sure(b"80" in value)


@at.tell(
    "e598",
    "weights-set-one-after-another",
    "none",
    "healthy",
    "Consul: the same kind of tool reads each key before it writes with ?cas=; all answers are true, indexes jump "
    "because the whole cluster counts together, a create with cas=0 is true, and a blocking read returns.",
)
def weights_fine(stage: Stage) -> None:
    """Do it well."""
    server = at.opened(stage, _consul(), "Consul", "cheroot")
    me = stage.actor("client", server, "consul.fern.test", "requests")
    other = stage.actor("other", server, "consul.fern.test", "curl")
    at.look(me, "/v1/status/leader", "/v1/kv/edge/?recurse=true")
    for city in ("lyon", "basel", "turin", "lyon"):
        one = me.get(f"/v1/kv/edge/{city}").json[0]
        done = me.put(f"/v1/kv/edge/{city}?cas={one['ModifyIndex']}", f'{{"weight":{len(city)}}}', 200)
        at.sure(done.text == "true")
        other.put(f"/v1/kv/edge/{city}-note", "seen", 200)
        at.rest(0.2)
    me.get("/v1/kv/edge/graz", 404)
    at.sure(me.put("/v1/kv/edge/graz?cas=0", '{"weight":1}', 200).text == "true")
    at.look(me, "/v1/kv/edge/?recurse=true", "/v1/health/service/edge?passing=1")
