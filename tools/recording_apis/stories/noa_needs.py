"""Conditions that are missing, added by a layer, expired, refused for another reason, or wrongly answered."""

from __future__ import annotations

import time
from email.utils import formatdate

from tools.recording_apis import fronts
from tools.recording_apis.actors import Actor, Requests
from tools.recording_apis.stage import Stage, StoryError, case
from tools.recording_apis.stories import noa_setting as place
from tools.recording_apis.stories.noa_setting import bearer, must


@case(
    "b499",
    "distribution-without-if-match",
    "token-missing",
    "400",
    alone="token-missing",
    also="status-dialect-mismatch",
    description=(
        "CloudFront: a shell script reads a distribution's configuration, changes the price class and puts it back "
        "without If-Match: 400 InvalidIfMatchVersion; with the tag of the read it is taken."
    ),
    synthetic=True,
)
def distribution(stage: Stage) -> None:
    """Put a configuration without its tag."""
    path = "/2020-05-31/distribution/EDFDVBD6EXAMPLE/config"
    value = {
        "CallerReference": "film-9",
        "Comment": "trailers",
        "PriceClass": "PriceClass_All",
        "Enabled": "true",
    }
    server = place.api(stage, "cloudfront", {path.removesuffix("/config"): value})
    front = fronts.haproxy(stage, [server])
    me = stage.actor("client", front, "cloudfront.amazonaws.test", "curl", place.signed("AKIAFILM"))
    read = me.get(path)
    new = read.text.replace("PriceClass_All", "PriceClass_100")
    me.put(path, new, 400, {"Content-Type": "text/xml"})
    me.put(path, new, 200, {"Content-Type": "text/xml", "If-Match": read.etag})


@case(
    "b501",
    "phone-cache-adds-a-condition",
    "implicit-precondition",
    "412",
    alone="implicit-precondition",
    description=(
        "App Configuration from an iPhone: URLSession's cache holds the key-value and adds If-None-Match with its tag "
        "to the app's PUT as well; the app sets no condition. 412, as the tag is current; without the cache it works."
    ),
    synthetic=True,
    notes=("What URLSession does is played with requests and its User-Agent.",),
)
def phone(stage: Stage) -> None:
    """Let a cache put If-None-Match on a write."""
    path = "/kv/Checkout:FreeShippingFrom?api-version=1.0"
    server = place.api(stage, "appconfig", {"/kv/Checkout:FreeShippingFrom": {"value": "49"}})
    agent = {
        "User-Agent": "ShopOps/41 CFNetwork/1568.300.101 Darwin/24.2.0",
        "Accept-Language": "nl-NL,nl;q=0.9",
    }
    me = stage.actor("client", server, "shop.azconfig.test", "requests", bearer("ops", **agent))
    place.browse(me, "wtt")
    tag = me.get(path).etag
    me.get(path, 304, {"If-None-Match": tag})
    kind = {"Content-Type": "application/vnd.microsoft.appconfig.kv+json"}
    me.put(path, {"value": "39"}, 412, {**kind, "If-None-Match": tag})
    time.sleep(0.5)
    me.get(path, 304, {"If-None-Match": tag})
    me.put(path, {"value": "39"}, 200, {**kind, "Cache-Control": "no-cache"})


@case(
    "b502",
    "list-token-too-old",
    "token-expired",
    "410",
    alone="token-expired",
    description=(
        "Kubernetes: a slow exporter pages through pods; the continue token of its last page is older than the store "
        "keeps: 410 Expired, and a list from the start works."
    ),
    synthetic=True,
)
def pages(stage: Stage) -> None:
    """Page too slowly."""
    base = "/api/v1/namespaces/render/pods"
    seed = {f"{base}/job-{n}": {"kind": "Pod", "status": {"phase": "Running"}} for n in range(5)}
    server = place.api(stage, "kubernetes", seed, "cheroot")
    me = stage.actor("client", server, "k8s.render.test", "requests", bearer("exporter"))
    token = me.get(f"{base}?limit=2").json["metadata"]["continue"]
    token = me.get(f"{base}?limit=2&continue={token}").json["metadata"]["continue"]
    time.sleep(2.4)
    me.get(f"{base}?limit=2&continue={token}", 410)
    token = me.get(f"{base}?limit=2").json["metadata"]["continue"]
    me.get(f"{base}?limit=2&continue={token}")


@case(
    "b504",
    "firewall-does-not-like-a-template",
    "nonprecondition-412",
    "412",
    alone="nonprecondition-412",
    description=(
        "Salesforce behind a web firewall: a description with a script element is answered 412 by the firewall's HTML "
        "page with an event id; the request has no condition, and the same record takes other texts."
    ),
    synthetic=True,
)
def firewall(stage: Stage) -> None:
    """Send what a firewall refuses."""
    path = "/services/data/v62.0/sobjects/Account/001xx000003DGb2"
    server = place.api(
        stage, "plain", {path: {"Name": "Nordlicht", "Rating": "Warm"}}, KIND="salesforce", FLAGS="firewall"
    )
    me = stage.actor("client", server, "nordlicht.my.salesforce.test", "node:fetch", bearer("crm"))
    place.browse(me, "cw")
    me.get(path)
    me.send("PATCH", path, 200, None, {"Rating": "Hot"})
    me.send("PATCH", path, 412, None, {"Description": "<script src='/w.js'></script>"})
    me.send("PATCH", path, 200, None, {"Description": "widget embedded"})


@case(
    "b505",
    "three-schedulers-one-leader",
    "expected-control-flow",
    "412",
    alone="expected-control-flow none",
    description=(
        "etcd: three schedulers try to become leader with prevExist=false every second; one wins and renews with "
        "prevValue, the others' 412 are the normal course."
    ),
)
def leaders(stage: Stage) -> None:
    """Elect a leader and go on."""
    server = stage.server("etcd")
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    nodes = [
        stage.actor(
            "client" if n == 1 else f"other{n}",
            server,
            "etcd.sched.test",
            "requests",
            {"User-Agent": f"sched/{n}"},
        )
        for n in (2, 1, 3)
    ]
    target = "/v2/keys/locks/scheduler-leader"
    nodes[0].put(f"{target}?prevExist=false", "value=sched-2&ttl=30", 201, form)
    for _ in range(4):
        nodes[0].put(f"{target}?prevValue=sched-2", "value=sched-2&ttl=30", 200, form)
        for number, node in enumerate(nodes[1:], 1):
            name = f"value=sched-{1 if number == 1 else 3}&ttl=30"
            node.put(f"{target}?prevExist=false", name, 412, form)
        nodes[1].get("/v2/keys/queue?recursive=true", 404)
        time.sleep(0.7)


@case(
    "b506",
    "false-is-no-success",
    "status-dialect-mismatch",
    "lost-write",
    alone="status-dialect-mismatch other-writer",
    description=(
        "Consul: a deployer puts a version with a cas index that no longer holds, takes the 200 for success though its "
        "content is false, and goes on to mark the release as done; the version was never stored."
    ),
    synthetic=True,
)
def deployer(stage: Stage) -> None:
    """Take 200 with false for success."""
    key = "/v1/kv/apps/billing/version"
    seed = {key: "MS44LjA=", "/v1/kv/apps/billing/state": "aWRsZQ=="}
    server = place.api(stage, "consul", seed)
    me = stage.actor(
        "client", server, "consul.ops.test", "node:fetch", {"X-Consul-Token": "fake", "X-User": "x.blue"}
    )
    mine = me.get(key).json[0]["ModifyIndex"]
    console = Actor("console.ops.test", server.port, Requests())  # past all taps: nobody recorded it
    console.put(key, "1.9.0", 200)
    console.program.close()
    time.sleep(0.4)
    must(me.put(f"{key}?cas={mine}", "1.8.1", 200).text == "false", "taken")
    for name, text in (("state", "released"), ("notes", "1.8.1 is live"), ("canary", "off")):
        must(me.put(f"/v1/kv/apps/billing/{name}", text, 200).text == "true", "not taken")
    place.browse(me, "t")
    me.get("/v1/kv/apps/billing/state")


@case(
    "b507",
    "deletion-with-another-ttl",
    "payload-precondition-mismatch",
    "412",
    alone="payload-precondition-mismatch",
    description=(
        "Cloud DNS: a renewal script deletes the old challenge record with TTL 300 while the zone holds it with 60: "
        "412 names entity.change.deletions[0]; with the live record verbatim the change is taken."
    ),
    synthetic=True,
)
def challenge(stage: Stage) -> None:
    """Delete a record that is not as it is there."""
    zone = "/dns/v1/projects/p/managedZones/bakery"
    one = {"name": "_acme-challenge.bakery.test.", "type": "TXT", "ttl": 60, "rrdatas": ['"k1"']}
    server = place.api(
        stage,
        "dns",
        {zone: [{**one, "name": "www.bakery.test.", "type": "A", "rrdatas": ["192.0.2.4"]}, one]},
    )
    front = fronts.traefik(stage, [server])
    me = stage.actor("client", front, "dns.googleapis.test", "requests", bearer("certbot"))
    new = {**one, "ttl": 300, "rrdatas": ['"k2"']}
    body = {"deletions": [{**one, "ttl": 300}], "additions": [new]}
    me.send("POST", f"{zone}/changes", 412, None, body)
    live = me.get(f"{zone}/rrsets").json["rrsets"][1]
    me.send("POST", f"{zone}/changes", 200, None, {"deletions": [live], "additions": [new]})


@case(
    "b508",
    "two-patients-with-one-number",
    "multi-match",
    "412",
    alone="multi-match",
    description=(
        "FHIR: an import creates a patient with If-None-Exist; two patients carry the number: 412 with "
        "multiple-matches, and a search shows both."
    ),
    synthetic=True,
)
def twins(stage: Stage) -> None:
    """Create where the criteria match two."""
    value = {"identifier": [{"system": "urn:mrn", "value": "4711"}], "name": [{"family": "Okonkwo"}]}
    seed = {"/fhir/Patient/a1": value, "/fhir/Patient/a2": value}
    server = place.api(stage, "fhir", seed)
    front = fronts.nginx(stage, server)
    kind = {"Content-Type": "application/fhir+json"}
    me = stage.actor("client", front, "hapi.lab.test", "java", bearer("import", **kind))
    other = {**value, "resourceType": "Patient", "identifier": [{"system": "urn:mrn", "value": "4712"}]}
    me.send("POST", "/fhir/Patient", 201, {"If-None-Exist": "identifier=urn:mrn|4712"}, other)
    me.send(
        "POST",
        "/fhir/Patient",
        412,
        {"If-None-Exist": "identifier=urn:mrn|4711"},
        {**value, "resourceType": "Patient"},
    )
    must(me.get("/fhir/Patient?identifier=urn:mrn%7C4711").json["total"] == 2, "not two")


@case(
    "b509",
    "store-knows-no-if-match",
    "unsupported-precondition",
    "501",
    alone="unsupported-precondition",
    description=(
        "An S3-compatible store: a state backend puts its file with If-Match of a read a moment ago: 501 NotImplemented "
        "names the header; a second read and a second try end the same way, without the field it is stored."
    ),
    synthetic=True,
)
def store(stage: Stage) -> None:
    """Use a condition that a store does not know."""
    path = "/tfstate/prod/network.tfstate"
    server = place.api(stage, "s3-like", {path: '{"serial":7}'}, "cheroot", FLAGS="none")
    me = stage.actor("client", server, "s3.vast.test", "requests", place.signed("TF"))
    for _ in range(2):
        tag = me.get(path).etag
        me.put(path, '{"serial":8}', 501, {"If-Match": tag})
        time.sleep(0.2)
    me.put(path, '{"serial":8}', 200)


@case(
    "b510",
    "drawing-is-open-elsewhere",
    "lease-or-lock",
    "423",
    alone="lease-or-lock",
    description=(
        "WsgiDAV: a colleague's CAD program holds an exclusive lock on a drawing; a PUT with the right tag and no lock "
        "token is 423 Locked, PROPFIND shows the lock."
    ),
)
def drawing(stage: Stage) -> None:
    """Write to what another one has locked."""
    server = stage.server("wsgidav")
    me = stage.actor("client", server, "dav.office.test", "requests")
    other = stage.actor("other", server, "dav.office.test", "urllib")
    other.put("/drawing.dxf", "0\nSECTION\n2\nENTITIES\n", 201)
    stage.forget()
    time.sleep(0.5)
    tag = me.get("/drawing.dxf").etag
    lock = '<?xml version="1.0"?><D:lockinfo xmlns:D="DAV:"><D:lockscope><D:exclusive/></D:lockscope>'
    lock += "<D:locktype><D:write/></D:locktype><D:owner>CAD on desk-4</D:owner></D:lockinfo>"
    kind = {"Content-Type": "application/xml"}
    other.send("LOCK", "/drawing.dxf", 200, {**kind, "Timeout": "Second-600", "Depth": "0"}, lock)
    me.put("/drawing.dxf", "0\nSECTION\n2\nBLOCKS\n", 423, {"If-Match": tag})
    ask = '<?xml version="1.0"?><D:propfind xmlns:D="DAV:"><D:prop><D:lockdiscovery/><D:getetag/></D:prop></D:propfind>'
    seen = me.send("PROPFIND", "/drawing.dxf", 207, {**kind, "Depth": "0"}, ask)
    must("CAD on desk-4" in seen.text or "activelock" in seen.text, "no lock")


@case(
    "b512",
    "chart-with-an-iso-date",
    "bad-date",
    "lost-update",
    alone="bad-date",
    description=(
        "Canvas Medical: If-Unmodified-Since carries the read's date as ISO 8601, which is no HTTP-date and ignored; "
        "a nurse's change of the same appointment is overwritten."
    ),
    synthetic=True,
)
def chart(stage: Stage) -> None:
    """Guard with a date in another form."""
    path = "/Appointment/ap-9"
    server = place.api(stage, "canvas", {path: {"status": "booked", "comment": "", "minutes": 20}})
    front = fronts.caddy(stage, server)
    me = stage.actor("client", front, "fumage.canvas.test", "requests", bearer("scheduler"))
    nurse = stage.actor("other", front, "fumage.canvas.test", "httpx", bearer("nurse"))
    place.browse(me, "wttcttt")
    mine = me.get(path)
    theirs = nurse.get(path)
    guard = {"If-Unmodified-Since": theirs.fields["last-modified"]}
    nurse.put(path, {**theirs.json, "comment": "needs interpreter"}, 200, guard)
    time.sleep(0.6)
    place.browse(me, "t")
    when = time.strptime(mine.fields["last-modified"], "%a, %d %b %Y %H:%M:%S GMT")
    iso = time.strftime("%Y-%m-%dT%H:%M:%SZ", when)
    me.put(path, {**mine.json, "minutes": 40}, 200, {"If-Unmodified-Since": iso})
    seen = me.get(path)
    must(
        not seen.json["comment"] and seen.fields["last-modified"] != mine.fields["last-modified"], "not lost"
    )


@case(
    "b513",
    "kiosk-clock-is-slow",
    "clock-skew",
    "412",
    alone="clock-skew",
    description=(
        "Canvas Medical: a kiosk sends its own time as If-Unmodified-Since; its clock is two days and some minutes "
        "slow, before the record's Last-Modified of yesterday: 412 though nobody wrote. Date shows the true time."
    ),
    synthetic=True,
)
def kiosk(stage: Stage) -> None:
    """Guard with a slow clock's time."""
    path = "/Patient/b-21"
    server = place.api(stage, "canvas", {path: {"active": True, "phone": "555-0100"}})
    front = fronts.nginx(stage, server)
    me = stage.actor("client", front, "fumage.canvas.test", "curl:trace-time", bearer("kiosk"))
    own = formatdate(time.time() - 2 * 86_400 - 431, usegmt=True)
    mine = me.get(path, 200, {"X-Kiosk-Time": own})
    time.sleep(0.4)
    own = formatdate(time.time() - 2 * 86_400 - 431, usegmt=True)
    new = {**mine.json, "phone": "555-0199"}
    me.put(path, new, 412, {"If-Unmodified-Since": own, "X-Kiosk-Time": own})
    last = me.get(path).fields["last-modified"]
    must(last == mine.fields["last-modified"], "it was written")
    me.put(path, new, 200, {"If-Unmodified-Since": last})


@case(
    "b514",
    "hundredths-cut-off",
    "date-precision",
    "412",
    alone="date-precision",
    description=(
        "Firefox Sync: an add-on keeps X-Last-Modified as an integer; the hundredths are gone, so its own echo as "
        "X-If-Unmodified-Since is always earlier than the collection: 412, with the full value it is taken."
    ),
    synthetic=True,
)
def hundredths(stage: Stage) -> None:
    """Send a time without its fraction."""
    path = "/1.5/40011/storage/bookmarks"
    seed = {path: [{"id": "bm1", "payload": "{}"}]}
    server = place.api(stage, "sync", seed, WRITTEN=f"{int(time.time()) - 3000}.57")
    me = stage.actor(
        "client", server, "sync.test", "requests", {"Authorization": 'Hawk id="fake", mac="fake"'}
    )
    seen = me.get(path).fields["x-last-modified"]
    if seen.endswith(".00"):
        raise StoryError("no fraction")
    new = [{"id": "bm2", "payload": '{"ciphertext":"8f"}'}]
    me.send("POST", path, 412, {"X-If-Unmodified-Since": str(int(float(seen)))}, new)
    must(me.get(path).fields["x-last-modified"] == seen, "it was written")
    me.send("POST", path, 200, {"X-If-Unmodified-Since": seen}, new)
