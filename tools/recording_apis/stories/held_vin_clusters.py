"""Stories on what keeps clusters running: Nomad, Kubernetes, Consul, etcd, Placement, Vault."""

from __future__ import annotations

import base64
import copy
import json
from typing import TYPE_CHECKING, Any

from tools.recording_apis.apps.vin_core import Desk, Req, Res
from tools.recording_apis.stage import case
from tools.recording_apis.stories import held_vin_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.stage import Stage


def _nomad() -> Desk:
    desk = Desk({"Vary": "Accept-Encoding", "X-Nomad-Knownleader": "true", "X-Nomad-Lastcontact": "0"})
    job: dict[str, Any] = {
        "ID": "geocoder", "Name": "geocoder", "Type": "service", "Priority": 50, "Datacenters": ["ams2"],
        "TaskGroups": [{"Name": "web", "Count": 3, "Tasks": [{"Name": "api", "Driver": "docker",
                        "Config": {"image": "registry.kaart.example/geocoder:4.8.1"},
                        "Resources": {"CPU": 500, "MemoryMB": 512}}]}],
        "Version": 11, "JobModifyIndex": 70412, "ModifyIndex": 70418, "CreateIndex": 5120, "Status": "running",
    }  # fmt: skip
    state: dict[str, Any] = {"job": job, "index": 70418}

    @desk.on("GET", r"/v1/job/geocoder")
    def read(_req: Req) -> Res:
        return Res(200, state["job"], {"X-Nomad-Index": str(state["job"]["ModifyIndex"])})

    @desk.on("GET", r"/v1/job/geocoder/versions")
    def versions(_req: Req) -> Any:
        now = state["job"]
        return {"Versions": [place.pick(now, "ID", "Version", "JobModifyIndex", "TaskGroups")]}

    @desk.on("POST", r"/v1/job/geocoder/plan")
    def plan(_req: Req) -> Any:
        changes = [{"Type": "Edited", "Name": "web", "Updates": {"in-place update": 3}}]
        return {"Annotations": {"DesiredTGUpdates": {"web": {"InPlaceUpdate": 3}}},
                "Diff": {"ID": "geocoder", "TaskGroups": changes, "Type": "Edited"},
                "JobModifyIndex": state["job"]["JobModifyIndex"], "Warnings": ""}  # fmt: skip

    @desk.on("POST", r"/v1/jobs")
    def register(req: Req) -> Any:
        sent = req.json
        known, told = state["job"]["JobModifyIndex"], sent.get("JobModifyIndex")
        if sent.get("EnforceIndex") and told != known:
            said = f"Enforcing job modify index {told}: job exists with conflicting job modify index: {known}"
            return Res(500, said, {"Content-Type": "text/plain; charset=utf-8"})
        state["index"] += 37
        fresh = {**copy.deepcopy(sent["Job"]), "Version": state["job"]["Version"] + 1, "Status": "running",
                 "JobModifyIndex": state["index"], "ModifyIndex": state["index"] + 4}  # fmt: skip
        state["job"] = fresh
        return {"EvalID": f"b1f7c0de-77aa-41d0-9c30-0000000{state['index']}", "EvalCreateIndex": state["index"],
                "JobModifyIndex": state["index"], "Warnings": "", "Index": state["index"], "LastContact": 0}  # fmt: skip

    desk.fixed(
        r"/v1/agent/self", {"config": {"Region": "eu", "Datacenter": "ams2", "Version": {"Version": "1.9.3"}}}
    )
    desk.fixed(r"/v1/jobs", [{"ID": "geocoder", "Status": "running"}, {"ID": "tiles", "Status": "running"}])
    desk.fixed(
        r"/v1/job/geocoder/allocations", [{"ID": "9c1e4a52", "ClientStatus": "running", "JobVersion": 11}]
    )
    return desk


@case(
    "e131",
    "vin-nomad-job-registered-by-another-pipeline",
    "other-writer",
    "500",
    alone="other-writer",
    also="status-dialect-mismatch",
    synthetic=True,
    description=(
        "A deployment pipeline plans a Nomad job and registers it with EnforceIndex and the JobModifyIndex of the plan; "
        "between plan and run an operator raised the memory: 500 that names both indexes, and the job shows the other's "
        "version. The deployment is called off."
    ),
)
def nomad(stage: Stage) -> None:
    """Be overtaken between plan and run."""
    server = place.open_box(stage, _nomad(), "waitress", "Nomad")
    token = {"X-Nomad-Token": "5f0a2c11-ci", "User-Agent": "nomad-pipeline/2.3"}
    me = stage.actor("client", server, "nomad.kaart.example", "httpx", token)
    other = stage.actor("other", server, "nomad.kaart.example", "curl", {"X-Nomad-Token": "91b7-ops"})
    me.get("/v1/agent/self")
    me.get("/v1/jobs?prefix=geo")
    job = me.get("/v1/job/geocoder").json
    job["TaskGroups"][0]["Tasks"][0]["Config"]["image"] = "registry.kaart.example/geocoder:4.9.0"
    planned = me.send("POST", "/v1/job/geocoder/plan", 200, None, {"Job": job, "Diff": True}).json
    theirs = other.get("/v1/job/geocoder").json
    theirs["TaskGroups"][0]["Tasks"][0]["Resources"]["MemoryMB"] = 1024
    body = {"Job": theirs, "EnforceIndex": True, "JobModifyIndex": theirs["JobModifyIndex"]}
    other.send("POST", "/v1/jobs", 200, None, body)
    place.rest(1.2)
    me.get("/v1/job/geocoder/allocations")
    body = {"Job": job, "EnforceIndex": True, "JobModifyIndex": planned["JobModifyIndex"]}
    me.send("POST", "/v1/jobs", 500, None, body)
    seen = me.get("/v1/job/geocoder").json
    place.sure(seen["TaskGroups"][0]["Tasks"][0]["Resources"]["MemoryMB"] == 1024)
    me.get("/v1/job/geocoder/versions")


_APPS = "/apis/apps/v1/namespaces/loket/deployments"


def _kube() -> tuple[Desk, dict[str, Any]]:
    desk = Desk({"Audit-Id": "4f7d2d1e-6e8c-4c31-a9e7-51d7a3c2b0aa", "Cache-Control": "no-cache, private"})
    meta = {"name": "afspraken", "namespace": "loket", "uid": "0b8c9a44-5c1e-4c1f-9a0e-2f2b6a7d11c9", "generation": 6,
            "resourceVersion": "88120455", "labels": {"app": "afspraken"}, "managedFields": [
                {"manager": "argocd-lite", "operation": "Update", "apiVersion": "apps/v1", "time": place.stamp(8000)}]}  # fmt: skip
    live = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta,
            "spec": {"replicas": 2, "template": {"spec": {"containers": [{"name": "web", "image": "loket/afspraken:71"}]}}},
            "status": {"observedGeneration": 6, "replicas": 2, "readyReplicas": 2}}  # fmt: skip
    state: dict[str, Any] = {"live": live, "rv": 88120455}

    def moved(manager: str, spec: Any, status: Any, sub: str = "") -> None:
        state["rv"] += 13
        now = copy.deepcopy(state["live"])
        now["spec"], now["status"] = spec, status
        now["metadata"]["resourceVersion"] = str(state["rv"])
        now["metadata"]["generation"] += 0 if sub == "status" else 1
        mark = {"manager": manager, "operation": "Update", "apiVersion": "apps/v1", "time": place.stamp()}
        kept = [one for one in now["metadata"]["managedFields"] if one["manager"] != manager]
        now["metadata"]["managedFields"] = [*kept, {**mark, **({"subresource": sub} if sub else {})}]
        state["live"] = now

    state["moved"] = moved

    @desk.on("GET", f"{_APPS}/afspraken")
    def read(_req: Req) -> Any:
        return copy.deepcopy(state["live"])

    @desk.on("PUT", f"{_APPS}/afspraken")
    def write(req: Req) -> Any:
        sent = req.json
        if sent["metadata"].get("resourceVersion") != str(state["rv"]):
            said = ('Operation cannot be fulfilled on deployments.apps "afspraken": the object has been modified; '
                    "please apply your changes to the latest version and try again")  # fmt: skip
            return Res(409, {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": said,
                             "reason": "Conflict", "details": {"name": "afspraken", "group": "apps",
                                                               "kind": "deployments"}, "code": 409})  # fmt: skip
        moved("argocd-lite", sent["spec"], state["live"]["status"])
        return copy.deepcopy(state["live"])

    desk.fixed("/version", {"major": "1", "minor": "31", "gitVersion": "v1.31.4"})
    desk.fixed("/apis/autoscaling/v2/namespaces/loket/horizontalpodautoscalers",
               {"kind": "HorizontalPodAutoscalerList", "items": [{"metadata": {"name": "afspraken"}, "spec": {
                   "minReplicas": 2, "maxReplicas": 8, "scaleTargetRef": {"kind": "Deployment", "name": "afspraken"}}}]})  # fmt: skip
    return desk, state


@case(
    "e129",
    "vin-deployment-rescaled-by-the-autoscaler",
    "server-side-mutation",
    "409",
    alone="server-side-mutation",
    synthetic=True,
    description=(
        "A deployer replaces a Deployment, then the controllers of the cluster scale it and write its status: the next "
        "replacement with the resourceVersion of its own answer is 409, and managedFields names kube-controller-manager."
    ),
)
def autoscaler(stage: Stage) -> None:
    """Be overtaken by controllers."""
    desk, state = _kube()
    server = place.open_box(stage, desk, "cheroot", "Kubernetes")
    bearer = {"Authorization": "Bearer eyJhbGciOi.sa", "User-Agent": "argocd-lite/0.8 (linux/amd64)"}
    me = stage.actor("client", server, "kube.gemeente.example", "requests", bearer)
    me.get("/version")
    me.get("/apis/autoscaling/v2/namespaces/loket/horizontalpodautoscalers")
    live = me.get(f"{_APPS}/afspraken").json
    live["spec"]["template"]["spec"]["containers"][0]["image"] = "loket/afspraken:72"
    held = me.put(f"{_APPS}/afspraken", live, 200).json
    place.rest(0.8)
    spec = {**copy.deepcopy(held["spec"]), "replicas": 5}
    state["moved"]("kube-controller-manager", spec, held["status"])
    status = {"observedGeneration": 8, "replicas": 5, "readyReplicas": 3, "updatedReplicas": 5}
    state["moved"]("kube-controller-manager", spec, status, "status")
    place.rest(0.5)
    held["spec"]["template"]["metadata"] = {"annotations": {"deploy.gemeente.example/ticket": "LOK-318"}}
    me.put(f"{_APPS}/afspraken", held, 409)
    seen = me.get(f"{_APPS}/afspraken").json
    place.sure(seen["spec"]["replicas"] == 5)


def _consul() -> Desk:
    desk = Desk({"X-Consul-Knownleader": "true", "X-Consul-Lastcontact": "0", "Vary": "Accept-Encoding"})
    rows: dict[str, dict[str, Any]] = {}
    state = {"index": 21877}

    def keep(key: str, text: bytes, session: str = "") -> None:
        state["index"] += 9
        old = rows.get(key)
        rows[key] = {"LockIndex": 1 if session else 0, "Key": key, "Flags": 0,
                     "Value": base64.b64encode(text).decode(), **({"Session": session} if session else {}),
                     "CreateIndex": old["CreateIndex"] if old else state["index"], "ModifyIndex": state["index"]}  # fmt: skip

    keep("routes/eu/weights", b'{"blue":100,"green":0}')
    keep("routes/eu/ratelimit", b'{"rps":400}')

    @desk.on("PUT", "/v1/session/create")
    def session(_req: Req) -> Any:
        return {"ID": "3c1a7f42-0b5d-9e7a-54c8-2f10d6b1e977"}

    @desk.on("GET", "/v1/kv/(.+)")
    def read(req: Req, key: str) -> Any:
        found = [rows[one] for one in rows if one == key or ("recurse" in req.query and one.startswith(key))]
        index = {"X-Consul-Index": str(max((one["ModifyIndex"] for one in found), default=state["index"]))}
        return Res(200, found, index) if found else Res(404, b"", index)

    @desk.on("PUT", "/v1/kv/(.+)")
    def write(req: Req, key: str) -> Any:
        acquire, cas, row = req.query.get("acquire", ""), req.query.get("cas"), rows.get(key)
        held = (row or {}).get("Session", acquire)
        if acquire and held != acquire:
            return Res(200, "false", {"Content-Type": "application/json"})
        if not acquire and cas is not None and int(cas) != (row or {}).get("ModifyIndex", 0):
            return Res(200, "false", {"Content-Type": "application/json"})
        keep(key, req.body, acquire)
        return Res(200, "true", {"Content-Type": "application/json"})

    desk.fixed("/v1/status/leader", "10.20.0.4:8300")
    return desk


@case(
    "e144",
    "vin-consul-cas-beside-acquire",
    "precondition-ignored",
    "lost-update",
    alone="precondition-ignored",
    synthetic=True,
    description=(
        "A traffic shifter writes weights to Consul with both cas and acquire: with acquire the cas is not looked at, so a "
        "stale index is answered true and the ratio that an operator had set meanwhile, which the shifter's own watch had "
        "shown, is gone."
    ),
)
def shifter(stage: Stage) -> None:
    """Write with two conditions of which one counts."""
    server = place.open_box(stage, _consul(), "stdlib", "Consul")
    me = stage.actor("client", server, "consul.reisplan.example", "aiohttp", {"X-Consul-Token": "shifter"})
    other = stage.actor("other", server, "consul.reisplan.example", "curl", {"X-Consul-Token": "ops"})
    key = "/v1/kv/routes/eu/weights"
    me.get("/v1/status/leader")
    made = {"Name": "shifter", "TTL": "30s", "LockDelay": "1s"}
    session = me.put("/v1/session/create", made, 200).json["ID"]
    index = me.get(key).json[0]["ModifyIndex"]
    limit = me.get("/v1/kv/routes/eu/ratelimit").json[0]
    me.put(f"/v1/kv/routes/eu/ratelimit?cas={limit['ModifyIndex']}", {"rps": 450}, 200)
    seen = other.get(key).json[0]["ModifyIndex"]
    other.put(f"{key}?cas={seen}", {"blue": 100, "green": 0, "canary": "hold", "by": "ops"}, 200)
    place.rest(0.7)
    me.get("/v1/kv/routes/eu?recurse")
    took = me.put(f"{key}?acquire={session}&cas={index}", {"blue": 90, "green": 10}, 200)
    place.sure(took.text == "true")
    place.rest(0.3)
    me.get(key)
    me.get("/v1/kv/routes/eu?recurse")


def _b(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@case(
    "e134",
    "vin-etcd-transaction-that-did-not-succeed",
    "status-dialect-mismatch",
    "lost-update",
    alone="status-dialect-mismatch other-writer",
    also="other-writer",
    description=(
        "A job planner compares mod_revision in a transaction on etcd's JSON gateway. Somebody else was first: the answer "
        "is 200 without succeeded, which the planner takes for done, reports, and goes on; its next read shows the other's "
        "plan without its own."
    ),
)
def transaction(stage: Stage) -> None:
    """Take 200 for success."""
    server = stage.server("etcd")
    me = stage.actor("client", server, "etcd-a.planning.example", "urllib", {"User-Agent": "planner/5"})
    other = stage.actor("other", server, "etcd-b.planning.example", "httpx", {"User-Agent": "etcdkeeper"})
    plan, lease = _b("/plan/night/2026-48"), _b("/plan/owner")
    json_type = {"Content-Type": "application/json"}

    def say(who: Any, path: str, body: object) -> Any:
        return who.send("POST", path, 200, json_type, json.dumps(body)).json

    def swap(who: Any, key: str, revision: str, text: str) -> Any:
        compare = [{"key": key, "target": "MOD", "result": "EQUAL", "mod_revision": revision}]
        body = {"compare": compare, "success": [{"request_put": {"key": key, "value": _b(text)}}]}
        return say(who, "/v3/kv/txn", body)

    say(other, "/v3/kv/put", {"key": plan, "value": _b('{"trams":[2,9]}')})
    say(other, "/v3/kv/put", {"key": lease, "value": _b("nobody")})
    say(me, "/v3/maintenance/status", {})
    owner = say(me, "/v3/kv/range", {"key": lease})["kvs"][0]
    place.sure(swap(me, lease, owner["mod_revision"], "planner-5").get("succeeded") is True)
    held = say(me, "/v3/kv/range", {"key": plan})["kvs"][0]
    theirs = say(other, "/v3/kv/range", {"key": plan})["kvs"][0]
    place.sure(swap(other, plan, theirs["mod_revision"], '{"trams":[2,9],"buses":[44]}').get("succeeded"))
    place.rest(1.0)
    told = swap(me, plan, held["mod_revision"], '{"trams":[2,9,14]}')
    place.sure("succeeded" not in told)
    say(me, "/v3/kv/put", {"key": _b("/plan/log/771"), "value": _b("plan 2026-48 saved: trams 2,9,14")})
    place.rest(0.4)
    now = say(me, "/v3/kv/range", {"key": plan})["kvs"][0]
    place.sure("buses" in base64.b64decode(now["value"]).decode())


def _placement() -> Desk:
    desk = Desk({"OpenStack-API-Version": "placement 1.39", "Vary": "openstack-api-version"})
    state: dict[str, Any] = {"generation": 57, "traits": ["HW_CPU_X86_AVX2"], "serial": 0, "inventories": {
        "VCPU": {"total": 64, "reserved": 2, "allocation_ratio": 4.0, "min_unit": 1, "max_unit": 64, "step_size": 1},
        "MEMORY_MB": {"total": 515000, "reserved": 8192, "allocation_ratio": 1.0, "min_unit": 1, "max_unit": 515000,
                      "step_size": 1}}}  # fmt: skip
    rp = "/resource_providers/4e8e5957-649f-477b-9e5b-f1f75b21c03c"

    def refused() -> Res:
        state["serial"] += 1
        said = "There was a conflict when trying to complete your request.\n\n resource provider generation conflict  "
        return Res(409, {"errors": [{"status": 409, "title": "Conflict", "detail": said,
                                     "code": "placement.concurrent_update",
                                     "request_id": f"req-7d2f{state['serial']:04d}-9a1c-4f6e-8f67-5d2c3a1b0e44"}]})  # fmt: skip

    def part(name: str) -> None:
        def shown() -> dict[str, Any]:
            return {"resource_provider_generation": state["generation"], name: state[name]}

        @desk.on("GET", f"{rp}/{name}")
        def read(_req: Req) -> Any:
            return shown()

        @desk.on("PUT", f"{rp}/{name}")
        def write(req: Req) -> Any:
            if req.json["resource_provider_generation"] != state["generation"]:
                return refused()
            state[name] = req.json[name]
            state["generation"] += 1
            return shown()

    part("inventories")
    part("traits")
    desk.fixed("/", {"versions": [{"id": "v1.0", "max_version": "1.39", "min_version": "1.0"}]})

    @desk.on("GET", "/resource_providers")
    def providers(_req: Req) -> Any:
        return {
            "resource_providers": [
                {"uuid": rp[20:], "name": "cmp-17.nsc.example", "generation": state["generation"]}
            ]
        }

    desk.fixed(
        f"{rp}/usages", {"resource_provider_generation": 57, "usages": {"VCPU": 40, "MEMORY_MB": 98304}}
    )
    return desk


@case(
    "e143",
    "vin-placement-one-generation-for-all",
    "coarse-token-scope",
    "409",
    alone="coarse-token-scope",
    also="other-writer",
    synthetic=True,
    description=(
        "An operator's script lowers the allocation ratio in a provider's inventories with the generation that it read; "
        "meanwhile only the provider's traits were set by another tool, and the one generation counts for both: 409 "
        "placement.concurrent_update though the inventories are as they were."
    ),
)
def placement(stage: Stage) -> None:
    """Stumble over the traits."""
    server = place.open_box(stage, _placement(), "falcon", "OpenStack Placement")
    always = {"X-Auth-Token": "gAAAAABn-ops", "OpenStack-API-Version": "placement 1.39"}
    me = stage.actor("client", server, "placement.nsc.example", "requests", always)
    other = stage.actor(
        "other", server, "placement.nsc.example", "httpx", {**always, "X-Auth-Token": "gAAAAABn-traits"}
    )
    rp = "/resource_providers/4e8e5957-649f-477b-9e5b-f1f75b21c03c"
    me.get("/")
    me.get("/resource_providers?name=cmp-17.nsc.example")
    held = me.get(f"{rp}/inventories").json
    me.get(f"{rp}/usages")
    me.get(f"{rp}/traits")
    theirs = other.get(f"{rp}/traits").json
    other.put(f"{rp}/traits", {**theirs, "traits": ["HW_CPU_X86_AVX2", "CUSTOM_RACK_B4"]}, 200)
    place.rest(0.9)
    wanted = copy.deepcopy(held)
    wanted["inventories"]["VCPU"]["allocation_ratio"] = 2.0
    me.put(f"{rp}/inventories", wanted, 409)
    seen = me.get(f"{rp}/inventories").json
    place.sure(seen["inventories"] == held["inventories"])
    me.get(f"{rp}/traits")


def _vault() -> Desk:
    desk = Desk({"Cache-Control": "no-store"}, {"errors": []})
    kept: dict[str, list[Any]] = {}

    @desk.on("GET", "/v1/secret/data/(.+)")
    def read(_req: Req, path: str) -> Any:
        past = kept.get(path)
        if not past:
            return Res(404, {"errors": []})
        data, meta = past[-1]
        return Res(404 if data is None else 200, {"request_id": f"r-{desk.count}", "lease_id": "", "renewable": False,
                                                  "data": {"data": data, "metadata": meta}})  # fmt: skip

    @desk.on("POST", "/v1/secret/data/(.+)")
    def write(req: Req, path: str) -> Any:
        past, sent = kept.setdefault(path, []), req.json
        if sent["options"]["cas"] != len(past):
            return Res(400, {"errors": ["check-and-set parameter did not match the current version"]})
        past.append((sent["data"], {"created_time": place.stamp(), "deletion_time": "", "destroyed": False,
                                    "version": len(past) + 1}))  # fmt: skip
        return {"request_id": f"r-{desk.count}", "data": past[-1][1]}

    @desk.on("DELETE", "/v1/secret/data/(.+)")
    def delete(_req: Req, path: str) -> Any:
        past = kept[path]
        past[-1] = (None, {**past[-1][1], "deletion_time": place.stamp()})
        return Res(204)

    @desk.on("GET", "/v1/secret/metadata/(.+)")
    def metadata(_req: Req, path: str) -> Any:
        past = kept[path]
        return {"data": {"cas_required": True, "current_version": len(past), "max_versions": 5,
                         "versions": {str(one["version"]): one for _, one in past}}}  # fmt: skip

    desk.fixed(
        "/v1/sys/health", {"initialized": True, "sealed": False, "standby": False, "version": "1.18.3"}
    )
    desk.fixed("/v1/auth/token/lookup-self", {"data": {"policies": ["rotate"], "ttl": 2764000}})
    return desk


@case(
    "e146",
    "vin-vault-secret-made-deleted-and-made-again",
    "none",
    "healthy",
    alone="none",
    synthetic=True,
    description=(
        "A rotation job on Vault's KV: 404 before the first write, cas 0, cas 1, a soft delete, 404 with metadata, then "
        "cas 2 from the metadata: all as it should be."
    ),
)
def vault(stage: Stage) -> None:
    """Rotate."""
    server = place.open_box(stage, _vault(), "tornado", "Vault")
    me = stage.actor("client", server, "vault.stadtwerk.example", "node:axios", {"X-Vault-Token": "hvs.CAES"})
    path = "/v1/secret/data/scada/modbus-gw"
    me.get("/v1/sys/health")
    me.get("/v1/auth/token/lookup-self")
    me.get(path, 404)
    me.send("POST", path, 200, None, {"options": {"cas": 0}, "data": {"user": "gw", "password": "a1"}})
    seen = me.get(path).json["data"]["metadata"]["version"]
    me.send("POST", path, 200, None, {"options": {"cas": seen}, "data": {"user": "gw", "password": "b2"}})
    place.rest(0.4)
    me.get("/v1/sys/health")
    me.send("DELETE", path, 204)
    me.get(path, 404)
    seen = me.get("/v1/secret/metadata/scada/modbus-gw").json["data"]["current_version"]
    me.send("POST", path, 200, None, {"options": {"cas": seen}, "data": {"user": "gw", "password": "c3"}})
    me.get(path)
