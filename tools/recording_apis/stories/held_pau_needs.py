"""Guards and demands: what an API in use asks for, refuses or adds by itself; leases, loops and elections."""

from __future__ import annotations

import importlib
import time
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from tools.recording_apis import fronts
from tools.recording_apis.apps.pau_bodies import Commercetools, Consul, Contentful, Elasticsearch, Kubernetes
from tools.recording_apis.apps.pau_engine import Answer, Request, iso
from tools.recording_apis.apps.pau_google import Zones
from tools.recording_apis.apps.pau_stores import GoogleObjects
from tools.recording_apis.apps.pau_tagged import Tagged
from tools.recording_apis.names import route
from tools.recording_apis.stage import Stage, StoryError, case
from tools.recording_apis.stories import pau_setting as place
from tools.recording_apis.stories.pau_setting import bearer, must, pause, together

if TYPE_CHECKING:
    from tools.recording_apis.servers import Server


@case(
    "b675",
    "pau-zero-generation-for-an-update",
    "create-guard-on-update",
    "412",
    alone="create-guard-on-update",
    synthetic=True,
    description=(
        "A report is read with its generation and written back with ifGenerationMatch=0, the guard of a creation: "
        "conditionNotMet every time; with the generation it goes through."
    ),
)
def zero(stage: Stage) -> None:
    """Guard an update as a creation."""
    base = "/storage/v1/b/reports/o"
    product = GoogleObjects({f"{base}/week-47.json": '{"sum": 1}', f"{base}/week-48.json": '{"sum": 0}'})
    server = place.api(stage, product, "Cloud Storage JSON", "cheroot")
    me = stage.actor("client", server, "storage.googleapis.test", "aiohttp", bearer("report"))
    query = "?uploadType=media&name=week-48.json&ifGenerationMatch="
    me.get(base)
    for total in (410, 411):
        seen = me.get(f"{base}/week-48.json").json["generation"]
        body = f'{{"sum": {total}}}'
        me.send("POST", f"/upload{base}{query}0", 412, {"Content-Type": "application/json"}, body)
        pause()
    me.send("POST", f"/upload{base}{query}{seen}", 200, {"Content-Type": "application/json"}, body)


@case(
    "b676",
    "pau-order-without-a-condition",
    "token-missing",
    "428",
    alone="token-missing",
    synthetic=True,
    description=(
        "A dispatcher's tool patches sales orders as it does elsewhere, without If-Match; the ERP says 428 with "
        "SADL_ENTITY_RUNTIME/004 for each. Its reads had the tag in the header and in the body."
    ),
)
def orders(stage: Stage) -> None:
    """Leave out what is required."""
    base = "/sap/opu/odata4/sap/api_salesorder/srvd_a2x/sap/salesorder/0001/SalesOrder/"
    rows = {f"{base}{n}": {"SalesOrder": str(n), "ShippingCondition": "01"} for n in (4711, 4712, 4713)}
    server = place.api(stage, Tagged("sap", rows), "SAP S4HANA", "wsgiref")
    front = fronts.apache(stage, server)
    me = stage.actor(
        "client",
        front,
        "erp.yard.test",
        "requests",
        {"Authorization": "Basic ZmFrZTpmYWtl", "Accept": "application/json"},
    )
    csrf = {"X-CSRF-Token": "kq1fake=="}
    for path in rows:
        must(me.get(path, 200, {"X-CSRF-Token": "Fetch"}).etag.startswith('W/"SADL'), "no tag")
        me.send("PATCH", path, 428, csrf, {"ShippingCondition": "02"})
        pause(0.2)


@case(
    "b677",
    "pau-plain-client-passes-no-version",
    "token-missing",
    "409",
    alone="token-missing",
    also="status-dialect-mismatch",
    synthetic=True,
    description=(
        "An import creates entries well and updates an existing one without X-Contentful-Version: 409 "
        "VersionMismatch with the advice to pass sys.version as header."
    ),
)
def plain(stage: Stage) -> None:
    """Update as one creates."""
    base = "/spaces/sp1/environments/master/entries/"
    server = place.api(
        stage, Contentful({base + "faq": {"fields": {"q": {"en": "?"}}}}), "Contentful", "tornado"
    )
    me = stage.actor("client", server, "api.contentful.test", "curl", bearer("import"))
    kind = {"Content-Type": "application/vnd.contentful.management.v1+json"}
    me.put(f"{base}new1", place.dumped({"fields": {"q": {"en": "How?"}}}), 201, kind)
    me.put(f"{base}new2", place.dumped({"fields": {"q": {"en": "Why?"}}}), 201, kind)
    me.get(f"{base}faq")
    for _ in range(2):
        me.put(f"{base}faq", place.dumped({"fields": {"q": {"en": "When?"}}}), 409, kind)
        pause()


@case(
    "b678",
    "pau-update-with-a-hidden-comparison",
    "implicit-precondition",
    "409",
    alone="implicit-precondition",
    also="other-writer status-dialect-mismatch",
    synthetic=True,
    description=(
        "A counter is raised with POST _update, which carries no condition; inside, the index reads and compares, and "
        "under load it answers version_conflict_engine_exception. With retry_on_conflict=3 the same call succeeds."
    ),
)
def hidden(stage: Stage) -> None:
    """Meet a condition that one never sent."""
    doc = "/visits/_doc/home"
    product = Elasticsearch({doc: {"n": 10}}, first=70)

    def update(request: Request) -> Answer | None:
        if not request.path.startswith("/visits/_update/"):
            return None
        for _ in range(1 + int(request.query.get("retry_on_conflict", "0"))):
            before = product.items[doc]
            time.sleep(0.35)
            with product.lock:
                if product.items[doc] is before:
                    return product.done(
                        request, doc, product.store(doc, {"n": before.data["n"] + 1}, "x"), False
                    )  # noqa: FBT003
        return product.refuse(request, doc, product.items[doc], before.token)

    product.before.append(update)
    server = place.api(stage, product, "Elasticsearch", "cheroot")
    me = stage.actor("client", server, "search.site.test", "node:axios", {"Authorization": "ApiKey fake"})
    other = stage.actor("other", server, "search.site.test", "httpx", {"Authorization": "ApiKey fake2"})
    me.get("/visits/_doc/home")
    script = {"script": {"source": "ctx._source.n += params.by", "params": {"by": 1}}}

    def mine() -> Any:
        return me.send("POST", "/visits/_update/home", 409, None, script)

    for _ in range(2):
        together(mine, lambda: other.put(doc, {"n": 40}, 200), apart=0.15)
        pause(0.2)
    me.send("POST", "/visits/_update/home?retry_on_conflict=3", 200, None, script)


@case(
    "b679",
    "pau-list-continues-too-late",
    "token-expired",
    "410",
    alone="token-expired",
    also="status-dialect-mismatch",
    synthetic=True,
    description=(
        "A report lists pods in pages; after a pause its continue token is 410 Expired (too old resource version). It "
        "begins anew with a fresh list, whose token works."
    ),
)
def pages(stage: Stage) -> None:
    """Go on with a list that has been compacted."""
    path = "/api/v1/pods"
    product = Kubernetes({}, first=90210)
    issued: dict[str, float] = {}

    def listed(request: Request) -> Answer | None:
        token = request.query.get("continue")
        if request.path != path:
            return None
        if token and time.time() - issued.get(token, 0) > 0.8:
            text = "The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter."
            return Answer(
                410,
                {
                    "kind": "Status",
                    "apiVersion": "v1",
                    "status": "Failure",
                    "message": text,
                    "reason": "Expired",
                    "code": 410,
                },
            )
        made = f"eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6{int(time.time() * 1e3)}"
        issued[made] = time.time()
        meta = {"resourceVersion": "90313"} | ({} if token else {"continue": made, "remainingItemCount": 1})
        items = [{"metadata": {"name": f"pod-{'b' if token else 'a'}", "namespace": "yard"}}]
        return Answer(200, {"kind": "PodList", "apiVersion": "v1", "metadata": meta, "items": items})

    product.before.append(listed)
    server = place.api(stage, product, "Kubernetes", "uvicorn")
    me = stage.actor(
        "client",
        server,
        "kubernetes.yard.test",
        "requests",
        bearer("report", **{"User-Agent": "kubectl/v1.31.2"}),
    )
    token = me.get(f"{path}?limit=1").json["metadata"]["continue"]
    pause(1.1)
    me.get(f"{path}?limit=1&continue={token}", 410)
    token = me.get(f"{path}?limit=1").json["metadata"]["continue"]
    me.get(f"{path}?limit=1&continue={token}")


@case(
    "b680",
    "pau-two-effects-for-one-cart",
    "self-race",
    "409",
    alone="self-race",
    also="status-dialect-mismatch",
    synthetic=True,
    description=(
        "A storefront sends two changes of one cart at the same moment with one version, same session and same "
        "anonymous client: one is taken, the other is ConcurrentModification some milliseconds later."
    ),
)
def effects(stage: Stage) -> None:
    """Have two writes in flight on one version."""
    path = "/shop/me/carts/77aa"
    product = Commercetools({path: {"lineItems": [{"sku": "CUP", "quantity": 1}]}}, first=6)
    product.late[1] = 0.12
    server = place.api(stage, product, "commercetools", "waitress")
    always = bearer(
        "anon-5512",
        **{
            "Cookie": "session=9f31",
            "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0",
        },
    )
    me = stage.actor("client", server, "api.shop.test", "requests", always)
    version = me.get(path).json["version"]

    def change(sku: str) -> Any:
        body = {"version": version, "actions": [{"action": "addLineItem", "sku": sku, "quantity": 1}]}
        return me.send("POST", path, (200, 409), None, body)

    answers = together(lambda: change("POT"), lambda: change("LID"), apart=0.03)
    must(sorted(one.status for one in answers) == [200, 409], "both alike")
    pause()
    me.get(path)


class _Blobs:
    """The azure-storage-blob library behind a tap of its own."""

    def __init__(self, stage: Stage, name: str, server: Server) -> None:
        self._port = stage.tap(name, server)
        library = importlib.import_module("azure.storage.blob")
        text = "AccountName=notes;AccountKey=ZXhhbXBsZQ==;DefaultEndpointsProtocol=http;BlobEndpoint=http://blob.crew.test/notes"
        with patch("platform.platform", return_value="Linux-x86_64"):  # its name is sent along
            self.service = library.BlobServiceClient.from_connection_string(text, retry_total=0)
        self._errors = importlib.import_module("azure.core.exceptions")

    def blob(self, container: str, name: str) -> Any:
        """Return the SDK's client of a blob, for the next call."""
        route("blob.crew.test", self._port)
        with patch("platform.platform", return_value="Linux-x86_64"):
            return self.service.get_blob_client(container, name)

    def fails(self, status: int, what: Any) -> None:
        """Insist that a call is refused."""
        try:
            what()
        except self._errors.HttpResponseError as refused:
            must(refused.status_code == status, f"{refused.status_code}: {refused.message}")
        else:
            raise StoryError("it was taken")


def _container(stage: Stage, name: str, content: bytes) -> Server:
    server = stage.server("azurite")
    setup = _Blobs(stage, "setup", server)
    route("blob.crew.test", stage.taps["setup"].port)
    setup.service.create_container("plans")
    setup.blob("plans", name).upload_blob(content)
    stage.forget()
    return server


@case(
    "b681",
    "pau-lease-broken-by-the-next-shift",
    "lease-or-lock",
    "412",
    alone="lease-or-lock",
    description=(
        "A planner holds a lease on a blob (Azurite, Microsoft's library); the next shift breaks it and takes its "
        "own. The planner's upload with the old lease id is 412, LeaseIdMismatchWithBlobOperation or LeaseLost."
    ),
)
def lease(stage: Stage) -> None:
    """Write under a lease that somebody has broken."""
    server = _container(stage, "berths.json", b'{"b1": ""}')
    me, other = _Blobs(stage, "client", server), _Blobs(stage, "other", server)
    mine = me.blob("plans", "berths.json").acquire_lease(lease_duration=60)
    me.blob("plans", "berths.json").upload_blob(b'{"b1": "Elbe"}', overwrite=True, lease=mine)
    blob = other.blob("plans", "berths.json")
    importlib.import_module("azure.storage.blob").BlobLeaseClient(blob).break_lease(0)
    blob.acquire_lease(lease_duration=60)
    pause(0.4)
    blob = me.blob("plans", "berths.json")
    me.fails(412, lambda: blob.upload_blob(b'{"b1": "Elbe", "b2": "Rhein"}', overwrite=True, lease=mine))
    me.blob("plans", "berths.json").get_blob_properties()


@case(
    "b682",
    "pau-document-open-elsewhere",
    "lease-or-lock",
    "423",
    alone="lease-or-lock",
    also="status-dialect-mismatch",
    description=(
        "A colleague has a drawing open and locked (WsgiDAV). A sync program finds the lock with PROPFIND no earlier "
        "than after its PUT was 423; it tries again later, 423, though its If-Match is the current tag."
    ),
)
def opened(stage: Stage) -> None:
    """Write what another has locked."""
    server = stage.server("wsgidav")
    (server.directory / "deck.dxf").write_text("0\nSECTION\n")
    other = stage.actor(
        "other", server, "dav.dock.test", "requests", {"User-Agent": "Microsoft-WebDAV-MiniRedir/10.0.22631"}
    )
    me = stage.actor("client", server, "dav.dock.test", "httpx", {"User-Agent": "syncd/1.4"})
    lock = '<?xml version="1.0"?><lockinfo xmlns="DAV:"><lockscope><exclusive/></lockscope><locktype><write/></locktype><owner>ruth</owner></lockinfo>'
    other.send("LOCK", "/deck.dxf", 200, {"Timeout": "Second-600", "Content-Type": "application/xml"}, lock)
    tag = me.get("/deck.dxf").etag
    me.put("/deck.dxf", "0\nSECTION\n2\n", 423, {"If-Match": tag})
    asked = '<?xml version="1.0"?><propfind xmlns="DAV:"><prop><lockdiscovery/><getetag/></prop></propfind>'
    me.send("PROPFIND", "/deck.dxf", 207, {"Depth": "0", "Content-Type": "application/xml"}, asked)
    pause(0.6)
    me.put("/deck.dxf", "0\nSECTION\n2\n", 423, {"If-Match": tag})


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

    for _ in range(5):
        seen = me.get(path).json
        for one in others:
            one.put(path, renewed(one.get(path).json, "tide-controller-7d9_a"), 200)
        me.put(path, renewed(seen, "tide-controller-7d9_c"), 409)
        me.get("/apis/coordination.k8s.io/v1/namespaces/kube-system/leases")
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


@case(
    "b690",
    "pau-download-in-parts-of-a-growing-log",
    "read-changed-mid-transfer",
    "412",
    alone="read-changed-mid-transfer",
    description=(
        "Microsoft's library downloads a blob in parts, the later ones under If-Match of the first (it adds that "
        "itself); a logger replaces the blob meanwhile, and a part in the middle is 412 ConditionNotMet."
    ),
)
def parts(stage: Stage) -> None:
    """Read what is replaced while one reads."""
    server = _container(stage, "log.txt", b"07:00 gate opened\n" * 40)
    me, other = _Blobs(stage, "client", server), _Blobs(stage, "other", server)
    for one in (me,):
        settings = one.service._config  # noqa: SLF001 - as its keyword arguments would
        settings.max_single_get_size, settings.max_chunk_get_size = 256, 256
    stream = me.blob("plans", "log.txt").download_blob()
    chunks = stream.chunks()
    next(chunks)
    route("blob.crew.test", stage.taps["client"].port)
    next(chunks)
    other.blob("plans", "log.txt").upload_blob(b"07:00 gate opened\n" * 44, overwrite=True)
    route("blob.crew.test", stage.taps["client"].port)
    me.fails(412, lambda: list(chunks))
