"""Stories of dates, locks, and of APIs that have rules of their own."""

from __future__ import annotations

import datetime as dt
import time
from email.utils import formatdate, parsedate_to_datetime
from typing import TYPE_CHECKING

from tools.recording_apis.apps import ben_google, ben_health, ben_stores, ben_suites
from tools.recording_apis.stage import case
from tools.recording_apis.stories import ben_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.stage import Stage


@case(
    "d438",
    "ben-canvas-microseconds",
    "date-precision",
    "412",
    alone="date-precision",
    description=(
        "Canvas has dates for validators and compares If-Unmodified-Since with a stored time that has microseconds (to "
        "be seen in meta.lastUpdated): the echoed Last-Modified is 412 for each task; one second more passes."
    ),
    synthetic=True,
)
def microseconds(stage: Stage) -> None:
    """Echo a date that was cut."""
    tasks = {f"7d2c{n}-aa": {"status": "requested", "description": f"Call patient {n}"} for n in (1, 2, 3)}
    api = ben_health.canvas(tasks)
    server = place.open_api(stage, api, "starlette", "Canvas Medical FHIR")
    me = stage.actor(
        "client", server, "fumage-clinic.canvas.example", "httpx", {"Authorization": "Bearer cm"}
    )
    place.aside(api, me, {"/metadata": {"resourceType": "CapabilityStatement", "fhirVersion": "4.0.1"}})
    me.get("/Task?status=requested")
    for key in ("7d2c1-aa", "7d2c2-aa", "7d2c1-aa"):
        seen = me.get(f"/Task/{key}")
        done = {**seen.json, "status": "completed"}
        me.put(f"/Task/{key}", done, 412, {"If-Unmodified-Since": seen.fields["last-modified"]})
        place.rest(0.4)
    later = parsedate_to_datetime(seen.fields["last-modified"]) + dt.timedelta(seconds=1)
    me.put("/Task/7d2c1-aa", done, 200, {"If-Unmodified-Since": formatdate(later.timestamp(), usegmt=True)})
    me.get("/Task?status=requested")


@case(
    "d439",
    "ben-firefox-sync-clock-of-the-laptop",
    "clock-skew",
    "412",
    alone="clock-skew",
    description=(
        "A laptop's clock is ninety seconds behind the sync server (Date and X-Weave-Timestamp show it), and its program "
        "sends its own time as X-If-Unmodified-Since: whatever was stored in the last minute and a half is 412, "
        "older records pass; nobody else writes."
    ),
    synthetic=True,
)
def laptop(stage: Stage) -> None:
    """Send one's own time."""
    ahead = 90.0
    records = {
        f"bookmarks/{key}": {"payload": f"c2NyYW1ibGVk{n}", "sortindex": n}
        for n, key in enumerate(("aB3dE5fG", "hJ7kL9mN", "pQ1rS3tU"))
    }
    api = ben_health.firefox_sync(records, ahead=ahead)
    api.extra["Date"] = lambda: formatdate(time.time() + ahead, usegmt=True)
    server = place.open_api(stage, api, "cheroot", "Firefox Sync 1.5")
    me = stage.actor("client", server, "sync-1-eu.example", "requests", {"Authorization": 'Hawk id="x"'})
    base, since = "/1.5/2207/storage/bookmarks", "X-If-Unmodified-Since"
    me.get("/1.5/2207/info/collections")
    me.get(f"{base}?full=1")

    def write(key: str, expect: int) -> None:
        body = {"id": key, "payload": f"bmV3{time.time():.0f}", "sortindex": 7}
        me.put(f"{base}/{key}", body, expect, {since: f"{time.time():.2f}"})

    write("aB3dE5fG", 200)
    place.rest(1.0)
    me.get(f"{base}/aB3dE5fG")
    write("aB3dE5fG", 412)
    write("hJ7kL9mN", 200)
    place.rest(0.8)
    me.get(f"{base}/hJ7kL9mN")
    write("hJ7kL9mN", 412)
    now = me.get(f"{base}/aB3dE5fG").fields["x-last-modified"]
    write("aB3dE5fG", 412)
    me.put(f"{base}/aB3dE5fG", {"id": "aB3dE5fG", "payload": "b2s", "sortindex": 7}, 200, {since: now})
    me.get("/1.5/2207/info/collections")


@case(
    "d440",
    "ben-salesforce-iso-date",
    "bad-date",
    "400",
    alone="bad-date",
    description=(
        "An import sends If-Unmodified-Since to Salesforce with the record's LastModifiedDate, an ISO 8601 time: 400, "
        "invalid header, for each account. With the Last-Modified of the answer the same PATCH is 204."
    ),
    synthetic=True,
)
def isodate(stage: Stage) -> None:
    """Send a time that is no HTTP-date."""
    accounts = {f"0015g00000Kx{n}QAA": {"Name": f"Mühle {n}", "BillingCity": "Ulm"} for n in (1, 2, 3)}
    api = ben_suites.salesforce(accounts)
    server = place.open_api(stage, api, "tornado", "Salesforce REST")
    me = stage.actor(
        "client", server, "muehlen.my.salesforce.example", "node:axios", {"Authorization": "Bearer 00D5g"}
    )
    base = "/services/data/v60.0/sobjects/Account"
    place.aside(
        api, me, {"/services/data/v60.0/limits": {"DailyApiRequests": {"Max": 15000, "Remaining": 14204}}}
    )
    for key in ("0015g00000Kx1QAA", "0015g00000Kx2QAA", "0015g00000Kx1QAA"):
        seen = me.get(f"{base}/{key}")
        stamp = seen.json["LastModifiedDate"]
        me.send("PATCH", f"{base}/{key}", 400, {"If-Unmodified-Since": stamp}, {"BillingCity": "Neu-Ulm"})
        place.rest(0.3)
    seen = me.get(f"{base}/0015g00000Kx3QAA")
    date = {"If-Unmodified-Since": seen.fields["last-modified"]}
    me.send("PATCH", f"{base}/0015g00000Kx3QAA", 204, date, {"BillingCity": "Neu-Ulm"})
    place.watch(me, f"{base}/0015g00000Kx1QAA", me.get(f"{base}/0015g00000Kx1QAA").etag, 1)


@case(
    "d441",
    "ben-azure-blob-local-time",
    "timezone-error",
    "412",
    alone="timezone-error",
    description=(
        "A program in São Paulo formats the blob's Last-Modified in local time and calls it GMT: three hours before, "
        "minutes and seconds alike, and every Put Blob is 412 ConditionNotMet. The date as served passes."
    ),
)
def saopaulo(stage: Stage) -> None:
    """Send local time as GMT."""
    server = stage.server("azurite")
    key = place.signed()
    me = stage.actor("client", server, "acervo.blob.example", "urllib", {"x-ms-version": "2021-08-06"})
    blob = {"x-ms-blob-type": "BlockBlob", "Content-Type": "text/plain"}
    me.send("PUT", f"/notes/acervo?restype=container&{key}", 201, {"Content-Length": "0"})
    for name in ("capa", "indice", "anexo"):
        me.put(f"/notes/acervo/{name}.txt?{key}", f"{name} v1", 201, {**blob, "If-None-Match": "*"})
    me.get(f"/notes/acervo?restype=container&comp=list&{key}")
    place.rest(1.1)
    for name in ("capa", "indice", "capa"):
        seen = me.get(f"/notes/acervo/{name}.txt?{key}").fields["last-modified"]
        local = parsedate_to_datetime(seen) - dt.timedelta(hours=3)
        since = {"If-Unmodified-Since": formatdate(local.timestamp(), usegmt=True)}
        me.put(f"/notes/acervo/{name}.txt?{key}", f"{name} v2", 412, {**blob, **since})
        place.rest(0.4)
    seen = me.get(f"/notes/acervo/anexo.txt?{key}").fields["last-modified"]
    me.put(f"/notes/acervo/anexo.txt?{key}", "anexo v2", 201, {**blob, "If-Unmodified-Since": seen})


@case(
    "d442",
    "ben-webdav-somebody-has-it-open",
    "lease-or-lock",
    "423",
    alone="lease-or-lock",
    description=(
        "A colleague has a spreadsheet open and holds an exclusive lock on it in WsgiDAV: our PUT and MOVE are 423 "
        "although the tag is current, PROPFIND shows the lock; after her UNLOCK the PUT passes."
    ),
)
def opened(stage: Stage) -> None:
    """Save what another has locked."""
    server = stage.server("wsgidav")
    me = stage.actor("client", server, "files.kanzlei.test", "curl", {"User-Agent": "scan-filer/1.4"})
    other = stage.actor("other", server, "files.kanzlei.test", "requests", {"User-Agent": "LibreOffice 24.2"})
    text = {"Content-Type": "text/csv"}
    me.send("MKCOL", "/akten", 201)
    for name in ("fristen", "kosten"):
        me.put(f"/akten/{name}.csv", f"{name};1\n", 201, text)
    info = (
        '<?xml version="1.0"?><D:lockinfo xmlns:D="DAV:"><D:lockscope><D:exclusive/></D:lockscope><D:locktype><D:write/>'
        "</D:locktype><D:owner>Frau Seidel</D:owner></D:lockinfo>"
    )
    lock = other.send("LOCK", "/akten/fristen.csv", 200, {"Timeout": "Second-600", "Depth": "0"}, info)
    token = lock.fields["lock-token"]
    other.get("/akten/fristen.csv")
    find = '<?xml version="1.0"?><D:propfind xmlns:D="DAV:"><D:prop><D:lockdiscovery/><D:getetag/></D:prop></D:propfind>'
    for _ in range(2):
        seen = me.get("/akten/fristen.csv")
        me.put("/akten/fristen.csv", "fristen;1\nfristen;2\n", 423, {**text, "If-Match": seen.etag})
        place.rest(0.4)
    me.send("PROPFIND", "/akten/fristen.csv", 207, {"Depth": "0"}, find)
    me.put("/akten/kosten.csv", "kosten;2\n", 204, {**text, "If-Match": me.get("/akten/kosten.csv").etag})
    other.put("/akten/fristen.csv", "fristen;1\n", 204, {**text, "If": f"({token})"})
    other.send("UNLOCK", "/akten/fristen.csv", 204, {"Lock-Token": token})
    place.rest(0.3)
    seen = me.get("/akten/fristen.csv")
    me.put("/akten/fristen.csv", "fristen;1\nfristen;2\n", 204, {**text, "If-Match": seen.etag})


@case(
    "d443",
    "ben-consul-false-is-no-success",
    "status-dialect-mismatch",
    "lost-update",
    alone="status-dialect-mismatch",
    also="other-writer",
    description=(
        "A deployer writes to Consul with ?cas= and takes each 200 for success. Twice the content is false, since another "
        "instance has written the key; it announces the release all the same, and its values are in neither key."
    ),
    synthetic=True,
)
def consul(stage: Stage) -> None:
    """Take 200 for success."""
    api = ben_stores.consul({"shop/release": b"r41", "shop/weights": b"a=50,b=50", "shop/log": b"r41 live"})
    server = place.open_api(stage, api, "waitress", "Consul KV")
    me = stage.actor("client", server, "consul.service.test", "httpx", {"X-Consul-Token": "deployer"})
    other = stage.actor("other", server, "consul.service.test", "curl", {"X-Consul-Token": "rebalancer"})
    text = {"Content-Type": "text/plain"}
    me.get("/v1/status/leader")
    held = {one["Key"]: one["ModifyIndex"] for one in me.get("/v1/kv/shop/?recurse").json}
    for key, value in (("shop/weights", "a=80,b=20"), ("shop/release", "r41-hotfix")):
        index = other.get(f"/v1/kv/{key}").json[0]["ModifyIndex"]
        other.put(f"/v1/kv/{key}?cas={index}", value, 200, text)
    place.rest(0.6)
    for key, value in (("shop/release", "r42"), ("shop/weights", "a=0,b=100")):
        place.sure(me.put(f"/v1/kv/{key}?cas={held[key]}", value, 200, text).text == "false")
    place.sure(me.put(f"/v1/kv/shop/log?cas={held['shop/log']}", "r42 live", 200, text).text == "true")
    place.rest(0.5)
    me.get("/v1/kv/shop/release")
    me.get("/v1/kv/shop/?recurse")
    me.get("/v1/status/leader")


@case(
    "d444",
    "ben-cloud-dns-time-to-live",
    "payload-precondition-mismatch",
    "412",
    alone="payload-precondition-mismatch",
    description=(
        "A certificate tool removes its old record from Cloud DNS, but with ttl 60 where the live one has 300: the whole "
        "change is 412, entity.change.deletions[0], whatever else is in it. With the live record verbatim it is done."
    ),
    synthetic=True,
)
def zone(stage: Stage) -> None:
    """Remove a record that is not quite there."""
    name = "_acme-challenge.harbor.example."
    live = {"name": name, "type": "TXT", "ttl": 300, "rrdatas": ['"old-token"']}
    api = ben_google.zones(
        [live, {"name": "www.harbor.example.", "type": "A", "ttl": 600, "rrdatas": ["192.0.2.7"]}]
    )
    server = place.open_api(stage, api, "aiohttp", "Google Cloud DNS")
    me = stage.actor(
        "client", server, "dns.googleapis.example", "urllib", {"Authorization": "Bearer ya29.acme"}
    )
    base = "/dns/v1/projects/harbor-prod/managedZones/example-zone"
    place.aside(
        api, me, {base: {"kind": "dns#managedZone", "name": "example-zone", "dnsName": "harbor.example."}}
    )
    me.get(f"{base}/rrsets?name=www.harbor.example.&type=A")
    new = {"name": name, "type": "TXT", "ttl": 60, "rrdatas": ['"new-token"']}
    for _ in range(2):
        change = {"deletions": [{**live, "ttl": 60}], "additions": [new]}
        me.send("POST", f"{base}/changes", 412, None, change)
        place.rest(0.5)
    found = me.get(f"{base}/rrsets?name={name}&type=TXT").json["rrsets"][0]
    place.sure(found["ttl"] == 300)
    gone = {key: found[key] for key in ("name", "type", "ttl", "rrdatas")}
    me.send("POST", f"{base}/changes", 200, None, {"deletions": [gone], "additions": [new]})
    me.get(f"{base}/rrsets?name={name}&type=TXT")


@case(
    "d445",
    "ben-fhir-two-of-the-same-name",
    "multi-match",
    "412",
    alone="multi-match",
    description=(
        "An admission desk creates patients with If-None-Exist and an insurance number. One number belongs to two records "
        "that were never merged: 412 with an OperationOutcome, and the search shows total 2. New and single numbers pass."
    ),
    synthetic=True,
)
def patients(stage: Stage) -> None:
    """Create by a criterion that fits two."""
    system = "http://kasse.example/vnr"
    api = ben_health.fhir(
        {
            key: {"identifier": [{"system": system, "value": value}], "name": [{"family": family}]}
            for key, value, family in (
                ("711", "K100", "Maier"),
                ("712", "K200", "Maier"),
                ("713", "K100", "Mayer"),
            )
        }
    )
    server = place.open_api(stage, api, "falcon", "FHIR R4 server")
    me = stage.actor("client", server, "fhir.klinik.test", "java", {"Accept": "application/fhir+json"})
    kind = {"Content-Type": "application/fhir+json"}
    place.aside(api, me, {"/fhir/metadata": {"resourceType": "CapabilityStatement", "fhirVersion": "4.0.1"}})

    def admit(number: str, expect: int) -> None:
        body = {
            "resourceType": "Patient",
            "identifier": [{"system": system, "value": number}],
            "name": [{"family": "Maier"}],
        }
        me.send(
            "POST", "/fhir/Patient", expect, {**kind, "If-None-Exist": f"identifier={system}|{number}"}, body
        )

    admit("K300", 201)
    admit("K200", 200)
    for _ in range(2):
        admit("K100", 412)
        place.rest(0.4)
    place.sure(me.get(f"/fhir/Patient?identifier={system}%7CK100").json["total"] == 2)
    me.get("/fhir/Patient/711")
    me.get("/fhir/Patient/713")
    admit("K300", 200)


@case(
    "d446",
    "ben-b2-knows-no-conditional-put",
    "unsupported-precondition",
    "501",
    alone="unsupported-precondition",
    description=(
        "A state backend sends If-None-Match: * for its lock file and If-Match for its state to a store that speaks S3 "
        "but knows no conditions on writes: 501 NotImplemented for both, also right after a read; reads do know them."
    ),
    synthetic=True,
)
def bare(stage: Stage) -> None:
    """Send conditions that the store refuses."""
    api = ben_stores.buckets(
        "bare",
        "tfstate",
        {"prod/terraform.tfstate": '{"serial":12}', "stage/terraform.tfstate": '{"serial":3}'},
    )
    server = place.open_api(stage, api, "stdlib", "Backblaze B2 S3")
    me = stage.actor(
        "client", server, "s3.us-west-004.example", "requests", {"User-Agent": "APN/1.0 HashiCorp/1.0"}
    )
    kind = {"Content-Type": "application/json"}
    seen = me.get("/tfstate/prod/terraform.tfstate")
    place.watch(me, "/tfstate/prod/terraform.tfstate", seen.etag, 2)
    for name in ("prod", "stage", "prod"):
        me.get(f"/tfstate/{name}/terraform.tfstate.tflock", 404)
        lock = {"ID": "b2f0", "Operation": "apply"}
        me.put(f"/tfstate/{name}/terraform.tfstate.tflock", lock, 501, {**kind, "If-None-Match": "*"})
        seen = me.get(f"/tfstate/{name}/terraform.tfstate")
        me.put(f"/tfstate/{name}/terraform.tfstate", {"serial": 13}, 501, {**kind, "If-Match": seen.etag})
        place.rest(0.3)
    me.put("/tfstate/stage/terraform.tfstate", {"serial": 4}, 200, kind)


@case(
    "d447",
    "ben-gcs-where-buckets-may-be",
    "nonprecondition-412",
    "412",
    alone="nonprecondition-412",
    description=(
        "Buckets are made in Cloud Storage without any condition; an organisation's rule says where they may be, and "
        "Google answers its violation with 412 conditionNotMet. In an allowed place the same request is 200."
    ),
    synthetic=True,
)
def places(stage: Stage) -> None:
    """Break a rule of the organisation."""
    api = ben_google.storage("archive-0", {"readme": b"ok"})
    server = place.open_api(stage, api, "cheroot", "Google Cloud Storage JSON")
    me = stage.actor(
        "client", server, "storage.googleapis.example", "curl:trace-time", {"Authorization": "Bearer ya29.t"}
    )
    me.get("/storage/v1/b/archive-0/o")
    for name, where in (("logs-us", "US"), ("logs-us", "US"), ("media-asia", "ASIA-EAST1")):
        body = {"name": name, "location": where, "storageClass": "STANDARD"}
        me.send("POST", "/storage/v1/b?project=harbor-prod", 412, None, body)
        place.rest(0.4)
    body = {"name": "logs-eu", "location": "EUROPE-NORTH1", "storageClass": "STANDARD"}
    me.send("POST", "/storage/v1/b?project=harbor-prod", 200, None, body)
    me.get("/storage/v1/b/logs-eu")
    me.get("/storage/v1/b/archive-0/o/readme")


@case(
    "d448",
    "ben-etcd-who-leads",
    "expected-control-flow",
    "412",
    alone="expected-control-flow",
    description=(
        "Two schedulers compete for a key in etcd with prevExist=false and a time to live. The one that does not lead is "
        "412 at every turn, as it should be, and does its other work; when the leader lets go, it takes over."
    ),
)
def leader(stage: Stage) -> None:
    """Lose an election again and again."""
    server = stage.server("etcd")
    me = stage.actor("client", server, "etcd.sched.test", "aiohttp", {"User-Agent": "sched/b"})
    other = stage.actor("other", server, "etcd.sched.test", "urllib", {"User-Agent": "sched/a"})
    form, key = {"Content-Type": "application/x-www-form-urlencoded"}, "/v2/keys/sched/leader"
    other.put(f"{key}?prevExist=false", "value=node-a&ttl=6", 201, form)
    me.get("/version")
    for number in range(5):
        me.put(f"{key}?prevExist=false", "value=node-b&ttl=6", 412, form)
        me.put("/v2/keys/sched/seen/node-b", f"value={number}", (200, 201), form)
        other.put(f"{key}?prevValue=node-a", "value=node-a&ttl=6", 200, form)
        place.rest(0.5)
    me.get(key)
    other.send("DELETE", f"{key}?prevValue=node-a", 200)
    place.rest(0.3)
    me.put(f"{key}?prevExist=false", "value=node-b&ttl=6", 201, form)
    me.put(f"{key}?prevValue=node-b", "value=node-b&ttl=6", 200, form)
