"""Stories on Oracle's database service and Consul's key store."""

from __future__ import annotations

import base64
import json
import time
from typing import TYPE_CHECKING, Any

from tools.recording_apis import fronts
from tools.recording_apis.apps.ray_clouds import consul, ocid, oracle
from tools.recording_apis.apps.ray_core import Req, Res
from tools.recording_apis.stage import case
from tools.recording_apis.stories import held_ray_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.stage import Stage

_TOP = "/20160918/dbSystems"
_HOST = "database.eu-frankfurt-1.oraclecloud.example"


@case(
    "b940",
    "ray-scaled-then-tagged",
    "server-side-mutation",
    "412",
    alone="server-side-mutation",
    synthetic=True,
    description=(
        "A controller scales database systems, waits for the work request and then sets tags with the etag that the "
        "scaling was answered with. The service has meanwhile gone from UPDATING to AVAILABLE by itself, which gave a "
        "new etag: NoEtagMatch, though nobody else has written."
    ),
)
def scaling(stage: Stage) -> None:
    """Tag a system that the service has finished updating."""
    names = ("erp-prod", "erp-abnahme", "bi-nacht")
    api = oracle(names)
    api.on(
        "GET",
        "/20160918/workRequests/(.+)",
        lambda _req, _id: Res(
            200, {"operationType": "UPDATE_DB_SYSTEM", "status": "SUCCEEDED", "percentComplete": 100.0}
        ),
    )
    server = place.open_box(stage, api, "cheroot", "Oracle Database service")
    me = stage.actor(
        "client",
        server,
        _HOST,
        "requests",
        {**place.ORACLE, "User-Agent": "Oracle-PythonSDK/2.126.3 (python 3.11.9)"},
    )
    me.get(f"{_TOP}?compartmentId=ocid1.compartment.oc1..cc&limit=50")
    for name, cores in (("erp-abnahme", 4), ("bi-nacht", 8)):
        path = f"{_TOP}/{ocid('dbsystem', name)}"
        seen = me.get(path)
        scaled = me.put(path, {"cpuCoreCount": cores}, 200, {"if-match": seen.fields["etag"]})
        place.sure(scaled.json["lifecycleState"] == "UPDATING")
        place.rest(0.6)
        key = path.rsplit("/", 1)[1]
        with api.lock:
            api.keep(key, {**api.rows[key].data, "lifecycleState": "AVAILABLE"}, "dbaas")
        place.rest(0.5)
        me.get(f"/20160918/workRequests/{ocid('workrequest', name)}")
        me.put(
            path,
            {"freeformTags": {"costcenter": "4711", "owner": "team-dba"}},
            412,
            {"if-match": scaled.fields["etag"]},
        )
        now = me.get(path)
        place.sure(
            now.json["freeformTags"] == {"costcenter": "4711"} and now.json["lifecycleState"] == "AVAILABLE"
        )
        me.get("/20160918/dbNodes?compartmentId=ocid1.compartment.oc1..cc")


@case(
    "b939",
    "ray-tags-by-the-company-gateway",
    "precondition-stripped",
    "lost-update",
    alone="precondition-stripped precondition-ignored",
    also="precondition-ignored",
    synthetic=True,
    description=(
        "A plan of tags is carried out by the company's gateway, an nginx that passes no If-Match: the etag of the plan "
        "is two versions old, as the client has seen, and is taken with 200, so the patch window of a colleague is gone. "
        "By the second route of the same gateway, which passes it, the same etag is 412 at once."
    ),
)
def gateway(stage: Stage) -> None:
    """Write with an old etag through a gateway."""
    api = oracle(("lager-1", "lager-2", "lager-3"))
    server = place.open_box(stage, api, "waitress", "Oracle Database service")
    port = stage.behind(server)
    other = stage.actor(
        "other", server, _HOST, "node:axios", {**place.ORACLE, "User-Agent": "Oracle-TypeScriptSDK/2.89.3"}
    )
    second = f"location /passthru/ {{ proxy_pass http://127.0.0.1:{port}/; add_header X-Gw-Route passthru always; }}"
    front = fronts.nginx(
        stage, server, 'proxy_set_header If-Match ""; add_header X-Gw-Route std always;', block=second
    )
    me = stage.actor(
        "client", front, "cloud-gw.handel.example", "httpx", {**place.ORACLE, "User-Agent": "tagplan/0.9"}
    )
    me.get(f"{_TOP}?compartmentId=ocid1.compartment.oc1..cc")
    paths = [f"{_TOP}/{ocid('dbsystem', name)}" for name in ("lager-1", "lager-2", "lager-3")]
    plan = {path: me.get(path) for path in paths}
    theirs = other.get(paths[1])
    tags = {**theirs.json["freeformTags"], "patchwindow": "sun-02"}
    other.put(paths[1], {"freeformTags": tags}, 200, {"if-match": theirs.fields["etag"]})
    place.rest(0.8)
    place.sure(me.get(paths[1]).json["freeformTags"] == tags)
    for path in paths:
        me.put(
            path,
            {"freeformTags": {**plan[path].json["freeformTags"], "env": "prod"}},
            200,
            {"if-match": plan[path].fields["etag"]},
        )
    place.rest(0.4)
    place.sure("patchwindow" not in me.get(paths[1]).json["freeformTags"])
    me.put(
        "/passthru" + paths[1],
        {"freeformTags": {"env": "prod"}},
        412,
        {"if-match": plan[paths[1]].fields["etag"]},
    )
    me.get(paths[1])


@case(
    "b953",
    "ray-cost-tags-without-etag",
    "unconditional-write",
    "lost-update",
    alone="unconditional-write",
    synthetic=True,
    description=(
        "A cost tool replaces freeformTags of database systems from what it has read at its start and sends no if-match, "
        "though each answer has an etag: a tag that its own inventory has shown meanwhile is gone after its PUT."
    ),
)
def costs(stage: Stage) -> None:
    """Replace tags without the etag."""
    names = ("ledger-eu", "ledger-us", "archive-eu", "scoring-eu")
    api = oracle(names)
    server = place.open_box(stage, api, "tornado", "Oracle Database service")
    me = stage.actor("client", server, _HOST, "java", {**place.ORACLE, "User-Agent": "Oracle-JavaSDK/3.44.2"})
    other = stage.actor(
        "other", server, _HOST, "curl", {**place.ORACLE, "User-Agent": "Oracle-GoSDK/65.71.0"}
    )
    me.get(f"{_TOP}?compartmentId=ocid1.compartment.oc1..cc")
    paths = {name: f"{_TOP}/{ocid('dbsystem', name)}" for name in names}
    held = {name: me.get(path).json for name, path in paths.items()}
    theirs = other.get(paths["archive-eu"])
    legal = {**theirs.json["freeformTags"], "legalhold": "case-2291"}
    other.put(paths["archive-eu"], {"freeformTags": legal}, 200, {"if-match": theirs.fields["etag"]})
    place.rest(1.0)
    me.get("/20160918/dbNodes?compartmentId=ocid1.compartment.oc1..cc")
    place.sure(me.get(paths["archive-eu"]).json["freeformTags"] == legal)
    me.get(paths["scoring-eu"])
    for name, path in paths.items():
        me.put(path, {"freeformTags": {**held[name]["freeformTags"], "chargeback": "Q4"}}, 200)
    place.rest(0.5)
    place.sure("legalhold" not in me.get(paths["archive-eu"]).json["freeformTags"])
    other.get(paths["archive-eu"])


def _value(got: Any) -> Any:
    return json.loads(base64.b64decode(got.json[0]["Value"]))


@case(
    "b969",
    "ray-slow-leader-behind-the-balancer",
    "intermediary-replay",
    "200-conflict",
    alone="intermediary-replay post-commit-412",
    synthetic=True,
    description=(
        "An agent sets a key with cas once; HAProxy, tired after half a second, sends it a second time to Consul, which "
        "has stored the first: the agent is told false, while the key holds its own run id under the next ModifyIndex."
    ),
)
def balancer(stage: Stage) -> None:
    """Be told false because of one's own write."""
    keys = {
        f"deploy/{name}/wanted": json.dumps({"image": f"{name}:41", "run": "seed"})
        for name in ("cart", "mail", "search")
    }
    api = consul(keys)
    slow = ["deploy/mail/wanted"]

    def wait(req: Req, res: Res) -> None:
        if req.method == "PUT" and slow and slow[0] in req.path and res.body == b"true\n":
            slow.clear()
            time.sleep(1.1)

    api.after.append(wait)
    server = place.open_box(stage, api, "tornado", "Consul")
    rules = " retries 2\n retry-on response-timeout\n option http-buffer-request\n timeout server 500ms"
    front = fronts.haproxy(stage, [server], rules)
    me = stage.actor(
        "client",
        front,
        "consul.lb.shop.example",
        "requests",
        {"X-Consul-Token": "7c1e-agent", "User-Agent": "rollout-agent/2.3"},
    )
    me.get("/v1/status/leader")
    for name in ("cart", "mail", "search"):
        me.get(f"/v1/health/service/{name}?passing")
        seen = me.get(f"/v1/kv/deploy/{name}/wanted")
        index = seen.json[0]["ModifyIndex"]
        wanted = {"image": f"{name}:42", "run": f"r-8841-{name}"}
        told = me.put(f"/v1/kv/deploy/{name}/wanted?cas={index}", wanted, 200)
        place.sure(told.json is (name != "mail"), told.text)
        if name == "mail":
            now = me.get(f"/v1/kv/deploy/{name}/wanted")
            place.sure(_value(now)["run"] == "r-8841-mail" and now.json[0]["ModifyIndex"] > index)
        me.put(f"/v1/agent/check/pass/service:{name}", "", 200)
    me.get("/v1/kv/deploy/?recurse")


@case(
    "b949",
    "ray-rate-limits-that-never-came",
    "status-dialect-mismatch",
    "lost-update",
    alone="status-dialect-mismatch other-writer",
    also="other-writer",
    synthetic=True,
    description=(
        "A console sets rate limits in Consul with cas and takes each 200 for done: two answers are false, since an "
        "operator has changed those keys, and the console posts that all limits are in force; the later export has the "
        "operator's values."
    ),
)
def limits(stage: Stage) -> None:
    """Take false for done."""
    names = ("login", "search", "upload", "export")
    api = consul({f"edge/limits/{name}": json.dumps({"rps": 50, "burst": 80}) for name in names}, 88120)
    api.on("POST", "/events", lambda _req: Res(202, {"accepted": True}))
    server = place.open_box(stage, api, "aiohttp", "Consul")
    me = stage.actor(
        "client", server, "kv.edge-console.example", "node:axios", {"X-Consul-Token": "console-91"}
    )
    other = stage.actor("other", server, "kv.edge-console.example", "curl", {"X-Consul-Token": "op-04"})
    page = me.get("/v1/kv/edge/limits/?recurse").json
    for name in ("upload", "login"):
        row = other.get(f"/v1/kv/edge/limits/{name}")
        other.put(f"/v1/kv/edge/limits/{name}?cas={row.json[0]['ModifyIndex']}", {"rps": 5, "burst": 5}, 200)
    place.rest(1.0)
    me.get("/v1/status/leader")
    answers = {}
    for row in page:
        answers[row["Key"]] = me.put(
            f"/v1/kv/{row['Key']}?cas={row['ModifyIndex']}", {"rps": 120, "burst": 200}, 200
        ).json
    place.sure(sorted(answers.values()) == [False, False, True, True], answers)
    me.send("POST", "/events", 202, None, {"kind": "limits.applied", "keys": sorted(answers), "rps": 120})
    place.rest(0.7)
    rows = me.get("/v1/kv/edge/limits/?recurse").json
    place.sure(sorted(json.loads(base64.b64decode(one["Value"]))["rps"] for one in rows) == [5, 5, 120, 120])
    me.get("/v1/health/service/edge")


@case(
    "b942",
    "ray-watching-and-setting-in-turn",
    "none",
    "healthy",
    alone="none",
    synthetic=True,
    description=(
        "A scheduler makes a key with cas=0, watches its prefix with blocking queries, which a neighbour's writes to "
        "other keys wake, and sets its own key with the newest ModifyIndex each time; every cas is true."
    ),
)
def watching(stage: Stage) -> None:
    """Set a key with its own newest index while the whole index runs ahead."""
    api = consul({"jobs/nightly/last": "none", "jobs/hourly/last": "none"}, 402)
    server = place.open_box(stage, api, "flask", "Consul")
    me = stage.actor("client", server, "consul.batch.example", "httpx", {"X-Consul-Token": "sched"})
    other = stage.actor("other", server, "consul.batch.example", "urllib", {"X-Consul-Token": "hourly"})
    me.get("/v1/kv/jobs/weekly/last", 404)
    place.sure(me.put("/v1/kv/jobs/weekly/last?cas=0", {"run": 0}, 200).json is True)
    for run in range(1, 5):
        seen = me.get("/v1/kv/jobs/weekly/last")
        index = seen.fields["x-consul-index"]
        if run % 2:
            row = other.get("/v1/kv/jobs/hourly/last").json[0]
            place.sure(
                other.put(f"/v1/kv/jobs/hourly/last?cas={row['ModifyIndex']}", {"at": run}, 200).json is True
            )
        me.get(f"/v1/kv/jobs/?recurse&index={index}&wait=1s")
        place.sure(
            me.put(f"/v1/kv/jobs/weekly/last?cas={seen.json[0]['ModifyIndex']}", {"run": run}, 200).json
            is True
        )
        me.put("/v1/agent/check/pass/service:sched", "", 200)
    place.sure(_value(me.get("/v1/kv/jobs/weekly/last")) == {"run": 4})
