"""Payloads, elections and things that are there or gone: what APIs in use answer to them."""

from __future__ import annotations

import time
from typing import Any

from tools.recording_apis import fronts
from tools.recording_apis.apps.pau_bodies import Consul, Kubernetes
from tools.recording_apis.apps.pau_engine import Answer, Request, iso
from tools.recording_apis.apps.pau_google import Zones
from tools.recording_apis.apps.pau_tagged import Tagged
from tools.recording_apis.stage import Stage, case
from tools.recording_apis.stories import pau_setting as place
from tools.recording_apis.stories.pau_setting import bearer, must, pause


@case(
    "b683",
    "pau-record-with-another-ttl",
    "payload-precondition-mismatch",
    "412",
    alone="payload-precondition-mismatch",
    synthetic=True,
    description=(
        "A certificate tool removes its TXT record by naming it with ttl 300; the live one has ttl 120, as its own "
        "listing said. Precondition not met for entity.change.deletions[0]; with the record as listed it is done."
    ),
)
def record(stage: Stage) -> None:
    """Describe the old record wrongly."""
    zone = "/dns/v1/projects/port/managedZones/port-test"
    old = {"name": "_acme-challenge.port.test.", "type": "TXT", "ttl": 120, "rrdatas": ['"kXz"']}
    product = Zones({zone: [{"name": "port.test.", "type": "A", "ttl": 300, "rrdatas": ["192.0.2.4"]}, old]})
    server = place.api(stage, product, "Cloud DNS", "waitress")
    me = stage.actor("client", server, "dns.googleapis.test", "java", bearer("certbot"))
    place.beside(me, "j")
    me.get(f"{zone}/rrsets?name=_acme-challenge.port.test.&type=TXT")
    for _ in range(2):
        me.send("POST", f"{zone}/changes", 412, None, {"deletions": [{**old, "ttl": 300}], "additions": []})
        pause()
    live = me.get(f"{zone}/rrsets?name=_acme-challenge.port.test.&type=TXT").json["rrsets"]
    me.send("POST", f"{zone}/changes", 200, None, {"deletions": live, "additions": []})


@case(
    "b684",
    "pau-patch-tests-the-wrong-case",
    "payload-precondition-mismatch",
    "422",
    alone="payload-precondition-mismatch",
    also="status-dialect-mismatch",
    synthetic=True,
    description=(
        "A JSON Patch for a config map tests /data/mode against Blue where the live value is blue; the cluster "
        "answers 422 naming the test. Nothing had changed since the read; with the value as read it is applied."
    ),
)
def tested(stage: Stage) -> None:
    """Test for a value that was never there."""
    path = "/api/v1/namespaces/yard/configmaps/switch"
    product = Kubernetes(
        {
            path: {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": {"name": "switch"},
                "data": {"mode": "blue"},
            }
        },
        first=611,
    )

    def patched(request: Request) -> Answer | None:
        if "json-patch" not in request.fields["content-type"]:
            return None
        test, change = request.json
        live = product.items[path].data["data"]["mode"]
        if test["value"] != live:
            text = f'the server rejected our request due to an error in our request: testing path "/data/mode" failed: {test["value"]!r} is not equal to {live!r}'
            return Answer(
                422,
                {
                    "kind": "Status",
                    "apiVersion": "v1",
                    "metadata": {},
                    "status": "Failure",
                    "message": text,
                    "reason": "Invalid",
                    "code": 422,
                },
            )
        data = {**product.items[path].data, "data": {"mode": change["value"]}}
        return product.show(request, path, product.store(path, data, "kubectl-patch"))

    product.before.append(patched)
    server = place.api(stage, product, "Kubernetes", "cheroot")
    me = stage.actor("client", fronts.haproxy(stage, [server]), "kubernetes.yard.test", "curl", bearer("ops"))
    me.get(path)
    for value, status in (("Blue", 422), ("Blue", 422), ("blue", 200)):
        body = [
            {"op": "test", "path": "/data/mode", "value": value},
            {"op": "replace", "path": "/data/mode", "value": "green"},
        ]
        me.send("PATCH", path, status, {"Content-Type": "application/json-patch+json"}, place.dumped(body))
        me.get(path)
    place.beside(me, "j")


@case(
    "b685",
    "pau-two-patients-of-one-number",
    "multi-match",
    "412",
    alone="multi-match",
    synthetic=True,
    description=(
        "An intake creates a patient with If-None-Exist on an identifier that two records carry since a merge went "
        "wrong: 412 with an OperationOutcome that names two matches; the search shows both."
    ),
)
def patients(stage: Stage) -> None:
    """Match more than one."""
    base = "/fhir/Patient/"
    told = [
        {
            "resourceType": "Patient",
            "identifier": [{"system": "urn:mrn", "value": "88231"}],
            "name": [{"family": n}],
        }
        for n in ("Berg", "Bergh")
    ]
    product = Tagged("fhir", {base + str(n): {"id": str(n), **one} for n, one in enumerate(told, 301)})

    def asked(request: Request) -> Answer | None:
        if request.path != "/fhir/Patient":
            return None
        found = [
            one.data
            for one in product.items.values()
            if one.data["identifier"][0]["value"]
            in request.query.get("identifier", request.fields.get("if-none-exist", ""))
        ]
        if request.method == "GET":
            return Answer(
                200,
                {
                    "resourceType": "Bundle",
                    "type": "searchset",
                    "total": len(found),
                    "entry": [{"resource": one} for one in found],
                },
            )
        if len(found) > 1:
            text = "Multiple matches exist for the conditional create: Patient?identifier=urn:mrn|88231 matched 2 resources"
            return Answer(
                412,
                {
                    "resourceType": "OperationOutcome",
                    "issue": [{"severity": "error", "code": "multiple-matches", "diagnostics": text}],
                },
            )
        item = product.store(base + "410", {"id": "410", **request.json}, request.who)
        return Answer(201, item.data, {"Location": f"{base}410/_history/1", "ETag": item.token})

    product.before.append(asked)
    server = place.api(stage, product, "FHIR server", "tornado")
    me = stage.actor(
        "client",
        server,
        "fhir.ward.test",
        "httpx",
        bearer("intake", **{"Content-Type": "application/fhir+json"}),
    )
    other = {"resourceType": "Patient", "identifier": [{"system": "urn:mrn", "value": "90210"}]}
    place.beside(me, "s")
    me.send("POST", "/fhir/Patient", 201, {"If-None-Exist": "identifier=urn:mrn|90210"}, other)
    me.send("POST", "/fhir/Patient", 412, {"If-None-Exist": "identifier=urn:mrn|88231"}, told[0])
    me.get("/fhir/Patient?identifier=urn:mrn%7C88231")
    me.send("POST", "/fhir/Patient", 412, {"If-None-Exist": "identifier=urn:mrn|88231"}, told[0])


@case(
    "b686",
    "pau-false-taken-for-success",
    "status-dialect-mismatch",
    "lost-write",
    alone="status-dialect-mismatch",
    also="other-writer",
    synthetic=True,
    description=(
        "A deployer writes a key with ?cas= and looks at the status alone: 200, with false in the body, since an "
        "operator had written in between. It goes on, writes its log and its next key as if the first were stored."
    ),
)
def false(stage: Stage) -> None:
    """Take the status for the answer."""
    base = "/v1/kv/deploy/"
    product = Consul({base + "web": "v41", base + "done": "no"}, first=5100)
    server = place.api(stage, product, "Consul", "cheroot")
    me = stage.actor("client", server, "consul.yard.test", "node:fetch", {"X-Consul-Token": "fake-deployer"})
    other = stage.actor("other", server, "consul.yard.test", "requests", {"X-Consul-Token": "fake-ops"})
    index = me.get(base + "web").json[0]["ModifyIndex"]
    theirs = other.get(base + "web").json[0]["ModifyIndex"]
    other.put(f"{base}web?cas={theirs}", "v41-hotfix", 200)
    pause(0.4)
    place.beside(me, "j")
    must(me.put(f"{base}web?cas={index}", "v42", 200).text.strip() == "false", "true")
    done = me.get(base + "done").json[0]["ModifyIndex"]
    me.put(f"{base}done?cas={done}", "v42 released", 200)
    me.put(f"{base}log/20261127", "released v42 to web", 200)
    me.get(base + "web")


@case(
    "b687",
    "pau-standby-loses-as-usual",
    "expected-control-flow",
    "409",
    alone="expected-control-flow",
    also="other-writer status-dialect-mismatch",
    synthetic=True,
    description=(
        "The holder of a Lease renews it every half second; this standby replica tries now and "
        "then and gets 409 Conflict on the same lock object, then reads and waits. Its work is done by the holder."
    ),
)
def leader(stage: Stage) -> None:
    """Lose an election as usual."""
    path = "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/tide-controller"
    spec = {"holderIdentity": "tide-controller-7d9_a", "leaseDurationSeconds": 2, "leaseTransitions": 4}
    lease_ = {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": "tide-controller"},
        "spec": spec,
    }
    product = Kubernetes({path: lease_}, first=70110)
    server = place.api(stage, product, "Kubernetes", "cheroot")
    user = {"User-Agent": "tide-controller/v2.1 (linux/amd64) kubernetes/leader-election"}
    me = stage.actor("client", server, "kubernetes.yard.test", "requests", bearer("tide-c", **user))
    others = [
        stage.actor(name, server, "kubernetes.yard.test", "httpx", bearer(who, **user))
        for name, who in (("other", "tide-a"),)
    ]

    def renewed(seen: Any, who: str) -> dict[str, Any]:
        return {**seen, "spec": {**seen["spec"], "holderIdentity": who, "renewTime": iso(time.time())}}

    for _ in range(4):
        seen = me.get(path).json
        for one in others:
            one.put(path, renewed(one.get(path).json, "tide-controller-7d9_a"), 200)
        me.put(path, renewed(seen, "tide-controller-7d9_c"), 409)
        pause(0.5)
    me.get(path)


@case(
    "b688",
    "pau-database-is-there",
    "exists-already",
    "412",
    alone="exists-already",
    synthetic=True,
    description=(
        "A set-up script creates its databases with PUT; one of them is there since long ago, with another "
        "application's documents: 412 file_exists, as CouchDB tells it."
    ),
)
def database(stage: Stage) -> None:
    """Create what is there."""
    product = Tagged("notes", {})
    held = {"/crew": 1841}

    def made(request: Request) -> Answer | None:
        name = request.path
        lines = {"X-Couch-Request-ID": f"{time.time_ns():x}"[-10:], "Cache-Control": "must-revalidate"}
        if request.method == "PUT":
            if name in held:
                return Answer(
                    412,
                    {
                        "error": "file_exists",
                        "reason": "The database could not be created, the file already exists.",
                    },
                    lines,
                )
            held[name] = 0
            return Answer(201, {"ok": True}, {**lines, "Location": f"http://couch.ship.test{name}"})
        if name == "/":
            return Answer(
                200,
                {
                    "couchdb": "Welcome",
                    "version": "3.4.2",
                    "vendor": {"name": "The Apache Software Foundation"},
                },
                lines,
            )
        info = {
            "db_name": name[1:],
            "doc_count": held.get(name, 0),
            "instance_start_time": "1731402112",
            "update_seq": f"{held.get(name, 0)}-g1A",
        }
        return Answer(200, info, lines)

    product.before.append(made)
    server = place.api(stage, product, "CouchDB", "uvicorn")
    me = stage.actor(
        "client", server, "couch.ship.test", "node:axios", {"Authorization": "Basic YWRtaW46ZmFrZQ=="}
    )
    place.beside(me, "t")
    me.get("/")
    me.put("/voyages", b"", 201)
    me.put("/crew", b"", 412)
    me.get("/crew")
    me.put("/cargo", b"", 201)


@case(
    "b689",
    "pau-key-removed-by-the-cleaner",
    "target-missing",
    "404",
    alone="target-missing",
    also="status-dialect-mismatch",
    description=(
        "A worker updates its key in etcd's old interface with prevExist=true; a cleaner has removed it: 404 with "
        "errorCode 100, again after a second, and the directory lists it no more."
    ),
)
def removed(stage: Stage) -> None:
    """Update what somebody has removed."""
    server = stage.server("etcd")
    me = stage.actor("client", server, "etcd.yard.test", "requests")
    other = stage.actor("other", server, "etcd.yard.test", "curl")
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    me.put("/v2/keys/workers/w7", "value=idle", 201, form)
    me.put("/v2/keys/workers/w8", "value=idle", 201, form)
    index = me.get("/v2/keys/workers/w7").json["node"]["modifiedIndex"]
    other.send("DELETE", "/v2/keys/workers/w7", 200)
    pause(0.4)
    me.put(f"/v2/keys/workers/w7?prevExist=true&prevIndex={index}", "value=busy", 404, form)
    pause(0.8)
    me.put(f"/v2/keys/workers/w7?prevExist=true&prevIndex={index}", "value=busy", 404, form)
    me.get("/v2/keys/workers?recursive=true")
