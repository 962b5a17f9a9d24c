"""Zones, settings, leaders and clusters."""

from __future__ import annotations

import base64
import time
from typing import TYPE_CHECKING, Any

from tools.recording_apis.apps.cal_apis import Api, Req, Res, Row, guid, hashed, instant, stamp
from tools.recording_apis.stage import case
from tools.recording_apis.stories import held_cal_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.stage import Stage


@case(
    "e371",
    "cal-zone-record-with-another-ttl",
    "payload-precondition-mismatch",
    "412",
    alone="payload-precondition-mismatch",
    synthetic=True,
    description="A certificate helper replaces TXT records in Google Cloud DNS: its deletion names the TTL 300 of its template, the record has 60, so the change is 412 at entity.change.deletions[0] twice; the one that repeats the listed record verbatim is done.",
)
def zones(stage: Stage) -> None:
    """Delete a record that is not quite there."""
    rr = {
        "api": {
            "kind": "dns#resourceRecordSet",
            "name": "api.moorhen.example.",
            "type": "A",
            "ttl": 300,
            "rrdatas": ["203.0.113.9"],
        },
        "txt": {
            "kind": "dns#resourceRecordSet",
            "name": "_acme-challenge.moorhen.example.",
            "type": "TXT",
            "ttl": 60,
            "rrdatas": ['"k1Zt"'],
        },
    }
    done: list[dict[str, Any]] = []
    api = Api(
        lambda _req: {"Server": "ESF", "Vary": "Origin, X-Origin, Referer", "Cache-Control": "private"},
        "application/json; charset=UTF-8",
    )
    base = "/dns/v1/projects/moorhen/managedZones"
    api.say(
        "GET",
        base,
        {
            "kind": "dns#managedZonesListResponse",
            "managedZones": [
                {"name": "main", "dnsName": "moorhen.example.", "id": "77120", "visibility": "public"}
            ],
        },
    )

    @api.on("GET", base + "/main/rrsets")
    def rrsets(req: Req) -> Res:
        wanted = req.query.get("name")
        return Res(
            200,
            {
                "kind": "dns#resourceRecordSetsListResponse",
                "rrsets": [one for one in rr.values() if wanted is None or wanted == one["name"]],
            },
        )

    @api.on("GET", base + "/main/changes/([0-9]+)")
    def change(_req: Req, number: str) -> Res:
        return Res(200, {**done[int(number) - 1], "status": "done"})

    @api.on("POST", base + "/main/changes")
    def changes(req: Req) -> Res:
        for n, gone in enumerate(req.json.get("deletions", [])):
            if not any(
                all(one[k] == gone[k] for k in ("name", "type", "ttl", "rrdatas")) for one in rr.values()
            ):
                text = f"Precondition not met for 'entity.change.deletions[{n}]'"
                return Res(
                    412,
                    {
                        "error": {
                            "code": 412,
                            "message": text,
                            "errors": [{"message": text, "domain": "global", "reason": "conditionNotMet"}],
                        }
                    },
                )
        for more in req.json.get("additions", []):
            rr["txt" if more["type"] == "TXT" else "api"] = {"kind": "dns#resourceRecordSet", **more}
        done.append(
            {
                "kind": "dns#change",
                "id": str(len(done) + 1),
                "startTime": instant(time.time()),
                "status": "pending",
                **req.json,
            }
        )
        return Res(200, done[-1])

    server = place.open_box(stage, api, "tornado", "Google Cloud DNS")
    me = stage.actor(
        "client",
        server,
        "dns.moorhen.example",
        "httpx",
        {"Authorization": "Bearer ya29.c", "User-Agent": "google-api-python-client/1.12 certhook/0.4"},
    )
    me.get(base + "?dnsName=moorhen.example.")
    name = "_acme-challenge.moorhen.example."

    def swap(old: dict[str, Any], value: str, expect: int) -> dict[str, Any]:
        made: dict[str, Any] = me.send(
            "POST",
            base + "/main/changes",
            expect,
            body={
                "kind": "dns#change",
                "deletions": [old],
                "additions": [{"name": name, "type": "TXT", "ttl": 300, "rrdatas": [value]}],
            },
        ).json
        return made

    swap({"name": name, "type": "TXT", "ttl": 300, "rrdatas": ['"k1Zt"']}, '"p8Qa"', 412)
    me.get(base + f"/main/rrsets?name={name}&type=TXT")
    place.rest(0.8)
    swap({"name": name, "type": "TXT", "ttl": 300, "rrdatas": ['"k1Zt"']}, '"p8Qa"', 412)
    live = me.get(base + f"/main/rrsets?name={name}&type=TXT").json["rrsets"][0]
    made = swap({k: live[k] for k in ("name", "type", "ttl", "rrdatas")}, '"p8Qa"', 200)
    me.get(base + f"/main/changes/{made['id']}")


@case(
    "e372",
    "cal-settings-never-unchanged",
    "unstable-etag",
    "wasted-reads",
    alone="unstable-etag",
    synthetic=True,
    description="A worker polls key-values of an App Configuration store with the tag it was last given: never a 304, each answer the same octets, last_modified months old, with a tag like none before; the sentinel key beside it has a steady tag and answers 304.",
)
def settings(stage: Stage) -> None:
    """Poll for what never seems to rest."""
    rows = {"Orders:Batch": ("40", 90), "Orders:Retry": ("3", 70), "Sentinel": ("17", 5)}
    api = Api(
        lambda _req: {
            "x-ms-correlation-request-id": guid(str(time.time())),
            "Sync-Token": "zAJw6V16=MjotMSM0OTk4;sn=4998",
            "x-ms-request-id": guid("r" + str(time.time())),
            "Server": "openresty/1.21",
        },
        "application/vnd.microsoft.appconfig.kv+json; charset=utf-8",
    )

    @api.on("GET", "/kv/(.+)")
    def kv(req: Req, key: str) -> Res:
        value, days = rows[key]
        salt = "" if key == "Sentinel" else str(time.time_ns())
        tag = f'"{hashed(key + value + salt, "sha256")[:43]}"'
        at = 1700000000 - days * 86400
        if req.fields.get("if-none-match") == tag:
            return Res(304, b"", {"ETag": tag})
        return Res(
            200,
            {
                "key": key,
                "label": "prod",
                "content_type": "",
                "value": value,
                "last_modified": instant(at, 0).replace("Z", "+00:00"),
                "locked": False,
                "tags": {},
            },
            {"ETag": tag, "Last-Modified": stamp(at)},
        )

    server = place.open_box(stage, api, "stdlib", "Azure App Configuration")
    me = stage.actor(
        "client",
        server,
        "settings.orders.example",
        "aiohttp",
        {
            "Accept": "application/vnd.microsoft.appconfig.kv+json",
            "Authorization": "HMAC-SHA256 Credential=worker",
        },
    )
    held = {key: me.get(f"/kv/{key.replace(':', '%3A')}?label=prod&api-version=1.0") for key in rows}
    bodies = {held["Orders:Batch"].body}
    for _turn in range(4):
        place.rest(0.7)
        for key in rows:
            expect = 304 if key == "Sentinel" else 200
            got = me.get(
                f"/kv/{key.replace(':', '%3A')}?label=prod&api-version=1.0",
                expect,
                {"If-None-Match": held[key].etag},
            )
            if expect == 200:
                held[key] = got
                bodies |= {got.body} if key == "Orders:Batch" else set()
    place.sure(len(bodies) == 1)


def _leader_api() -> Api:
    state: dict[str, Any] = {"index": 4120, "session": "", "value": "", "lock": 0}
    api = Api(
        lambda _req: {
            "X-Consul-Index": str(state["index"]),
            "X-Consul-Knownleader": "true",
            "X-Consul-Lastcontact": "0",
            "Vary": "Accept-Encoding",
        }
    )
    number = [0]

    @api.on("PUT", "/v1/session/create")
    def create(req: Req) -> Res:
        number[0] += 1
        return Res(200, {"ID": guid(req.json["Name"])})

    @api.on("PUT", "/v1/session/renew/(.+)")
    def renew(_req: Req, key: str) -> Res:
        return Res(200, [{"ID": key, "Name": "sched", "TTL": "15s", "Behavior": "release"}])

    @api.on("GET", "/v1/kv/service/scheduler/leader")
    def get(_req: Req) -> Res:
        own = {
            "LockIndex": state["lock"],
            "Key": "service/scheduler/leader",
            "Flags": 0,
            "Value": base64.b64encode(state["value"].encode()).decode(),
            "CreateIndex": 4100,
            "ModifyIndex": state["index"],
        }
        return Res(200, [{**own, "Session": state["session"]} if state["session"] else own])

    @api.on("PUT", "/v1/kv/service/scheduler/leader")
    def put(req: Req) -> Res:
        sent = req.query
        if "release" in sent:
            ok = state["session"] == sent["release"]
            state.update(session="" if ok else state["session"], index=state["index"] + ok)
        else:
            ok = state["session"] in {"", sent["acquire"]}
            if ok:
                state.update(
                    session=sent["acquire"],
                    value=req.body.decode(),
                    lock=state["lock"] + 1,
                    index=state["index"] + 1,
                )
        return Res(200, "true\n" if ok else "false\n")

    api.say(
        "GET",
        "/v1/health/service/scheduler",
        [
            {"Service": {"ID": f"sched-{n}", "Port": 8700 + n}, "Checks": [{"Status": "passing"}]}
            for n in (1, 2, 3)
        ],
    )
    return api


@case(
    "e375",
    "cal-three-schedulers-one-leader",
    "expected-control-flow",
    "healthy",
    alone="expected-control-flow",
    synthetic=True,
    description="Schedulers ask Consul for one key with acquire and their session, over and over: true for the one that leads, false in a 200 for this one, until the leader releases it; then this one leads. Nothing is lost.",
)
def leader(stage: Stage) -> None:
    """Lose again and again, as meant."""
    server = place.open_box(stage, _leader_api(), "waitress", "Consul")
    me = stage.actor("client", server, "consul.depot.example", "httpx", {"X-Consul-Token": "5c9e"})
    other = stage.actor("other", server, "consul.depot.example", "requests", {"X-Consul-Token": "5c9e"})
    ids = {}
    for name, one in (("sched-1", other), ("sched-2", me)):
        ids[name] = one.put(
            "/v1/session/create", {"Name": name, "TTL": "15s", "Behavior": "release", "LockDelay": "0s"}, 200
        ).json["ID"]
    key = "/v1/kv/service/scheduler/leader"
    place.sure(other.put(f"{key}?acquire={ids['sched-1']}", '{"node":"sched-1"}', 200).text == "true\n")
    for turn in range(5):
        place.sure(me.put(f"{key}?acquire={ids['sched-2']}", '{"node":"sched-2"}', 200).text == "false\n")
        me.get(key)
        me.put(f"/v1/session/renew/{ids['sched-2']}", None, 200)
        if turn == 2:
            me.get("/v1/health/service/scheduler?passing=1")
        place.rest(1.0)
    other.put(f"{key}?release={ids['sched-1']}", "", 200)
    place.sure(me.put(f"{key}?acquire={ids['sched-2']}", '{"node":"sched-2"}', 200).text == "true\n")
    me.get(key)


@case(
    "e378",
    "cal-rollout-tool-replaces-the-map",
    "unconditional-write",
    "lost-update",
    alone="unconditional-write",
    synthetic=True,
    description="A rollout tool puts whole ConfigMaps to Kubernetes, made from its own template and without resourceVersion: each is taken, and a map that an operator had added to (seen in the tool's own list at a higher resourceVersion) has lost the added key afterwards.",
)
def maps(stage: Stage) -> None:
    """Replace what was not looked at."""
    rows = {
        n: Row({"LOG": "info", "POOL": "8"}, 88120 + 7 * i)
        for i, n in enumerate(("checkout", "ledger", "mailer"))
    }
    clock = [88200]
    api = Api(
        lambda _req: {
            "Audit-Id": guid(str(time.time())),
            "Cache-Control": "no-cache, private",
            "X-Kubernetes-Pf-Flowschema-Uid": guid("flow"),
        }
    )
    base = "/api/v1/namespaces/shop/configmaps"

    def shown(name: str) -> dict[str, Any]:
        row = rows[name]
        meta = {
            "name": name,
            "namespace": "shop",
            "uid": guid(name),
            "resourceVersion": str(row.rev),
            "managedFields": [{"manager": row.by, "operation": "Update", "time": instant(row.at, 0)}],
        }
        return {"kind": "ConfigMap", "apiVersion": "v1", "metadata": meta, "data": row.data}

    @api.on("GET", base)
    def listed(_req: Req) -> Res:
        return Res(
            200,
            {
                "kind": "ConfigMapList",
                "apiVersion": "v1",
                "metadata": {"resourceVersion": str(clock[0])},
                "items": [shown(n) for n in rows],
            },
        )

    @api.on("GET|PUT", base + "/([a-z]+)")
    def one(req: Req, name: str) -> Res:
        row = rows[name]
        if req.method == "PUT":
            sent = req.json["metadata"].get("resourceVersion")
            if sent and sent != str(row.rev):
                return Res(
                    409,
                    {
                        "kind": "Status",
                        "status": "Failure",
                        "message": f'Operation cannot be fulfilled on configmaps "{name}": the object has been modified; please apply your changes to the latest version and try again',
                        "reason": "Conflict",
                        "code": 409,
                    },
                )
            clock[0] += 13
            row.set(req.json["data"], req.fields["user-agent"].split("/")[0], clock[0] - row.rev)
        return Res(200, shown(name))

    api.say("GET", "/version", {"major": "1", "minor": "29", "gitVersion": "v1.29.4"})
    server = place.open_box(stage, api, "starlette", "Kubernetes")
    me = stage.actor(
        "client",
        server,
        "kube.shop.example",
        "node:fetch",
        {"User-Agent": "rollout/2.3", "Authorization": "Bearer eyJr"},
    )
    other = stage.actor(
        "other",
        server,
        "kube.shop.example",
        "requests",
        {"User-Agent": "kubectl/v1.29", "Authorization": "Bearer eyJo"},
    )
    me.get("/version")
    me.get(base)
    me.put(
        base + "/checkout",
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "checkout", "namespace": "shop"},
            "data": {"LOG": "info", "POOL": "10"},
        },
        200,
    )
    seen = other.get(base + "/ledger").json
    other.put(base + "/ledger", {**seen, "data": {**seen["data"], "FX_HOLIDAY": "2025-01-06"}}, 200)
    place.rest(1.2)
    place.sure("FX_HOLIDAY" in me.get(base + "?limit=500").text)
    for name in ("ledger", "mailer"):
        me.put(
            f"{base}/{name}",
            {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": {"name": name, "namespace": "shop"},
                "data": {"LOG": "info", "POOL": "10"},
            },
            200,
        )
    place.sure("FX_HOLIDAY" not in me.get(base + "/ledger").text)
