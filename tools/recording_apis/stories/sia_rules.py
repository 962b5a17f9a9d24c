"""Dates, locks, dialects, and 412s that are no precondition's."""

from __future__ import annotations

import importlib
import time
from typing import Any

from tools.recording_apis import fronts
from tools.recording_apis.stage import Stage, case
from tools.recording_apis.stories import sia_setting as lab
from tools.recording_apis.stories import sia_stores as stores

_TEXT = {"Content-Type": "text/plain"}
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@case(
    "d058",
    "sia-fraction-of-a-second",
    "date-precision",
    "412",
    alone="date-precision",
    description=(
        "A service without tags compares If-Unmodified-Since with stored times that have fractions. The Last-Modified "
        "that it has served is refused when it is sent back, a second more passes; nobody else writes."
    ),
)
def fraction(stage: Stage) -> None:
    """The date as served fails, one second more passes."""
    docs = {f"/logs/{n}": lab.doc(3 * lab.HOUR + n + 0.47, log=n, note="") for n in range(1, 7)}
    server = lab.bench(stage, docs, "starlette", tag="none", fraction=True, voice="empty")
    me = stage.actor("client", server, "logs.schiff.test", "urllib", lab.signed("bruecke"))
    lab.stroll(me, lab.names("/logs", "1", "3"), 6, 58)
    for n in (2, 5):
        seen = me.get(f"/logs/{n}")
        date = seen.fields["last-modified"]
        body = {**seen.json, "note": "Wind W 6"}
        me.put(f"/logs/{n}", body, 412, {"If-Unmodified-Since": date})
        again = me.get(f"/logs/{n}")
        lab.must(again.fields["last-modified"] == date and again.body == seen.body)
        me.put(f"/logs/{n}", body, 412, {"If-Unmodified-Since": date})
        later = lab.shifted(date, 1 / 3600)
        made = me.put(f"/logs/{n}", body, 200, {"If-Unmodified-Since": later})
        lab.must(made.json["note"])
        time.sleep(0.3)


@case(
    "d059",
    "sia-scanner-clock-is-slow",
    "clock-skew",
    "412",
    alone="clock-skew",
    description=(
        "A scanner takes the time of its own reading for If-Unmodified-Since, and its clock is eleven minutes slow. "
        "Files that were changed a few minutes ago are refused although nobody has touched them since the reading."
    ),
)
def slow(stage: Stage) -> None:
    """The client's own clock as a validator."""
    server = lab.shares(stage, "lighttpd", {f"scan/s{n}.txt": f"Scan {n}\n" for n in range(1, 4)}, age=400.0)
    fronts.put_file(server.directory, "scan/alt.txt", "Scan alt\n", 3 * lab.DAY)
    scanner = {"User-Agent": "scanner/3 (embedded)"}
    me = stage.actor("client", server, "scan.amt.test", "requests", scanner)
    lab.propfind(me, "/scan/")
    lab.stroll(me, lab.names("/scan", "alt.txt", "s1.txt"), 5, 59)
    for name, expect in (("alt", 204), ("s2", 412), ("s3", 412)):
        seen = me.get(f"/scan/{name}.txt", 200, {"Date": lab.later(-660)})
        read_at = lab.later(-660)
        time.sleep(0.2)
        own = {"If-Unmodified-Since": read_at, "Date": lab.later(-660), **_TEXT}
        me.put(f"/scan/{name}.txt", seen.text + "Seite 2\n", expect, own)
    lab.must(me.get("/scan/s2.txt").text == "Scan 2\n")
    lab.propfind(me, "/scan/")


@case(
    "d060",
    "sia-iso-date-for-nginx",
    "bad-date",
    "412",
    alone="bad-date",
    description=(
        "A fetcher writes If-Unmodified-Since as an ISO 8601 time. nginx cannot read it and answers 412 for files that "
        "are weeks old; without the field, or with the served date, the same files come."
    ),
)
def iso(stage: Stage) -> None:
    """A date that is none."""
    files = {f"karten/k{n}.json": f'{{"blatt":{n},"stand":"2026-10","orte":{[n] * n}}}' for n in range(1, 5)}
    server = fronts.site(stage, "nginx", files, age=30 * lab.DAY)
    me = stage.actor("client", server, "karten.wandern.test", "urllib", {"User-Agent": "fetch-maps/0.2"})
    lab.stroll(me, lab.names("/karten", "k3.json", "k4.json"), 5, 89)
    for n in (1, 2):
        head = me.send("HEAD", f"/karten/k{n}.json", 200)
        me.get(f"/karten/k{n}.json", 412, {"If-Unmodified-Since": "2026-11-24T10:00:00+00:00"})
        me.get(f"/karten/k{n}.json", 412, {"If-Unmodified-Since": "2026-11-27T06:00:00Z"})
        me.get(f"/karten/k{n}.json", 200, {"If-Unmodified-Since": head.fields["last-modified"]})
    me.get("/karten/k3.json")
    me.get("/karten/k9.json", 404)


@case(
    "d061",
    "sia-five-hours-behind-greenwich",
    "timezone-error",
    "412",
    alone="timezone-error",
    description=(
        "An archive client stores Last-Modified in its local time and sends it with the letters GMT: five hours less "
        "than lighttpd has served. Every guarded PUT is refused; with the date as served it passes."
    ),
)
def greenwich(stage: Stage) -> None:
    """Local time that is called GMT."""
    files = {f"archivo/caja-{n}.txt": f"Caja {n}\nestante {n % 3}\n" for n in range(1, 6)}
    server = lab.shares(stage, "lighttpd", files, age=3.2 * lab.HOUR)
    me = stage.actor("client", server, "archivo.museo.test", "java", lab.signed("bogota"))
    with lab.beside(stage, server, "web.museo.test", ["/archivo/caja-5.txt"]):
        lab.poll(me, [f"/archivo/caja-{n}.txt" for n in (1, 3)], 1)
        lab.stroll(me, lab.names("/archivo", "caja-1.txt", "caja-3.txt"), 5, 88)
        for n in (2, 4):
            seen = me.get(f"/archivo/caja-{n}.txt")
            local = lab.shifted(seen.fields["last-modified"], -5)
            me.put(
                f"/archivo/caja-{n}.txt",
                seen.text + "revisada\n",
                412,
                {"If-Unmodified-Since": local, **_TEXT},
            )
            me.send("HEAD", f"/archivo/caja-{n}.txt", 200)
        exact = {"If-Unmodified-Since": seen.fields["last-modified"], **_TEXT}
        me.put("/archivo/caja-4.txt", seen.text + "revisada\n", 204, exact)


@case(
    "d062",
    "sia-locked-by-the-other-desk",
    "lease-or-lock",
    "423",
    alone="lease-or-lock",
    description=(
        "A colleague's office program holds a WebDAV lock on a table in WsgiDAV. The report job's PUTs, with a current "
        "tag, are answered 423 until it gives up; the lock names its owner."
    ),
)
def locked(stage: Stage) -> None:
    """PUT against somebody's lock."""
    server = lab.wsgidav(stage, {"tab/q4.csv": "a;b\n1;2\n", "tab/q3.csv": "a;b\n3;4\n"})
    me = stage.actor("client", server, "tab.controlling.test", "requests", {"User-Agent": "report-job"})
    other = stage.actor("other", server, "tab.controlling.test", "httpx", {"User-Agent": "Office/16"})
    with lab.beside(stage, server, "suche.controlling.test", ["/tab/q3.csv"]):
        token = lab.lock(other, "/tab/q4.csv", "frau.tamm")
        other.get("/tab/q4.csv")
        lab.propfind(me, "/tab/")
        seen = me.get("/tab/q4.csv")
        for _ in range(3):
            me.put("/tab/q4.csv", "a;b\n1;2\n5;6\n", 423, {"If-Match": seen.etag})
            time.sleep(0.4)
        me.put("/tab/q3.csv", "a;b\n3;4\n5;5\n", 204, {"If-Match": me.get("/tab/q3.csv").etag})
        asked = '<?xml version="1.0"?><propfind xmlns="DAV:"><prop><lockdiscovery/></prop></propfind>'
        lab.must("tamm" in me.send("PROPFIND", "/tab/q4.csv", 207, {**lab.XML, "Depth": "0"}, asked).text)
        other.put("/tab/q4.csv", "a;b\n1;9\n", 204, {"If": f"({token})"})


@case(
    "d063",
    "sia-blob-under-lease",
    "lease-or-lock",
    "412",
    alone="lease-or-lock",
    description=(
        "A controller holds a lease on a blob in Azurite. A deploy script, with the current ETag in If-Match but no "
        "lease id, is refused with LeaseIdMissing, a delete too; the controller with its id writes."
    ),
)
def lease(stage: Stage) -> None:
    """Write without the lease's id."""
    box = stores.Container(stage, "fleet.blob.test", "fleet")
    setup = stage.actor("setup", box.server, box.host)
    for name in ("route.json", "cars.json"):
        box.put(setup, name, f'{{"of":"{name}"}}', 201)
    del stage.taps["setup"]
    stage.forget()
    me = stage.actor("client", box.server, box.host, "httpx", {"User-Agent": "deploy.sh"})
    other = stage.actor("other", box.server, box.host, "requests", {"User-Agent": "controller"})
    held = box.lease(other, "route.json", "acquire", 201, **{"x-ms-lease-duration": "60"}).fields[
        "x-ms-lease-id"
    ]
    box.get(me, "cars.json")
    seen = box.get(me, "route.json")
    refused = box.put(me, "route.json", '{"of":"new"}', 412, **{"If-Match": seen.etag})
    lab.must("LeaseIdMissing" in refused.text, refused.text)
    box.put(other, "route.json", '{"of":"run 2"}', 201, **{"x-ms-lease-id": held})
    me.send("DELETE", box.at("route.json"), 412, box.fields())
    box.get(me, "route.json")
    box.lease(other, "route.json", "release", 200, **{"x-ms-lease-id": held})


@case(
    "d064",
    "sia-false-with-200",
    "status-dialect-mismatch",
    "200",
    alone="status-dialect-mismatch",
    also="other-writer",
    synthetic=True,
    description=(
        "Check-and-set in a key store after Consul: a lost one is answered 200 with the body false. The client looks at "
        "the status only, takes the setting for stored and goes on with it; the key keeps the other's value."
    ),
)
def lost(stage: Stage) -> None:
    """200 false."""
    server = lab.express(
        stage, {f"app/{n}": {"text": n, "at": 4000 + i} for i, n in enumerate(("ttl", "mode", "max"))}
    )
    me = stage.actor("client", server, "kv.mesh.test", "node:fetch", {"X-Consul-Token": "c0-web"})
    other = stage.actor("other", server, "kv.mesh.test", "requests", {"X-Consul-Token": "c0-ops"})
    me.get("/v1/kv/app/ttl")
    mine = me.get("/v1/kv/app/mode").json[0]["ModifyIndex"]
    theirs = other.get("/v1/kv/app/mode").json[0]["ModifyIndex"]
    other.put(f"/v1/kv/app/mode?cas={theirs}", "drain", 200, _TEXT)
    time.sleep(0.3)
    told = me.put(f"/v1/kv/app/mode?cas={mine}", "serve", 200, _TEXT)
    lab.must(told.text == "false", told.text)
    index = me.get("/v1/kv/app/max").json[0]["ModifyIndex"]
    lab.must(me.put(f"/v1/kv/app/max?cas={index}", "400", 200, _TEXT).text == "true")
    time.sleep(0.4)
    me.get("/v1/kv/app/mode")


@case(
    "d065",
    "sia-previous-value-differs",
    "payload-precondition-mismatch",
    "412",
    alone="payload-precondition-mismatch",
    description=(
        "A script swaps values in etcd with prevValue and writes the old value from its configuration, which lacks the "
        "unit that the live value has. etcd compares the text and refuses (error 101) until the live value is sent."
    ),
)
def previous(stage: Stage) -> None:
    """The expected value is not the stored one."""
    server = stage.server("etcd")
    setup = stage.actor("setup", server, "conf.cluster.test")
    for name, value in (("timeout", "30s"), ("limit", "64MiB"), ("mode", "fast")):
        setup.put(f"/v2/keys/conf/{name}", f"value={value}", 201, _FORM)
    del stage.taps["setup"]
    stage.forget()
    me = stage.actor("client", server, "conf.cluster.test", "curl", {"User-Agent": "rollout.sh"})
    me.get("/v2/keys/conf")
    me.put("/v2/keys/conf/mode?prevValue=fast", "value=safe", 200, _FORM)
    for name, old, new in (("timeout", "30", "45s"), ("limit", "64", "96MiB")):
        told = me.put(f"/v2/keys/conf/{name}?prevValue={old}", f"value={new}", 412, _FORM)
        lab.must(told.json["errorCode"] == 101)
        live = me.get(f"/v2/keys/conf/{name}").json["node"]["value"]
        me.put(f"/v2/keys/conf/{name}?prevValue={live}", f"value={new}", 200, _FORM)


@case(
    "d066",
    "sia-two-patients-one-number",
    "multi-match",
    "412",
    alone="multi-match",
    synthetic=True,
    description=(
        "A conditional update after FHIR names a patient by an insurance number that two records carry. The server "
        "refuses with an OperationOutcome of multiple matches; a number that is unique passes."
    ),
)
def patients(stage: Stage) -> None:
    """A search that hits two."""
    numbers = {"p1": "A100", "p2": "A200", "p3": "A200", "p4": "A300"}
    docs = {
        f"/Patient/{n}": lab.doc(resourceType="Patient", id=n, identifier=v, active=True)
        for n, v in numbers.items()
    }
    server = lab.bench(stage, docs, "bottle", tag="int", weak=True, criteria=True)
    me = stage.actor("client", server, "fhir.praxis.test", "aiohttp", {"Accept": "application/fhir+json"})
    lab.stroll(me, lab.names("/Patient", "p1", "p4"), 5, 66)
    me.get("/Patient?identifier=A100")
    body = {"resourceType": "Patient", "identifier": "A100", "active": False}
    me.put("/Patient?identifier=A100", body, 200)
    for _ in range(2):
        me.put("/Patient?identifier=A200", {**body, "identifier": "A200"}, 412)
        time.sleep(0.3)
    lab.must(me.get("/Patient?identifier=A200").json["count"] == 2)
    me.get("/Patient/p2")
    me.put("/Patient?identifier=A300", {**body, "identifier": "A300"}, 200)


@case(
    "d067",
    "sia-store-cannot-do-conditions",
    "unsupported-precondition",
    "501",
    alone="unsupported-precondition",
    description=(
        "An object store answers 501 to any write with a condition, also right after a read and for a new key with "
        "If-None-Match: *. Without a condition the same writes pass."
    ),
)
def unable(stage: Stage) -> None:
    """501 for each condition."""
    docs = {
        f"/vault/{n}": lab.page(f"part {n}\n", "application/octet-stream")
        for n in ("a.bin", "b.bin", "c.bin")
    }
    server = lab.bench(stage, docs, "stdlib", tag="crc", unable=True, voice="xml")
    me = stage.actor("client", server, "vault.tresor.test", "requests", {"User-Agent": "backup/1.2"})
    with lab.beside(stage, server, "probe.tresor.test", ["/healthz", "/vault/c.bin"]):
        me.get("/vault")
        lab.stroll(me, lab.names("/vault", "b.bin", "c.bin"), 4, 90)
        octets = {"Content-Type": "application/octet-stream"}
        for name in ("a.bin", "b.bin"):
            seen = me.get(f"/vault/{name}")
            me.put(f"/vault/{name}", f"{seen.text}more\n", 501, {"If-Match": seen.etag, **octets})
            lab.must(me.get(f"/vault/{name}").etag == seen.etag)
        me.put("/vault/d.bin", "part d\n", 501, {"If-None-Match": "*", **octets})
        me.put("/vault/d.bin", "part d\n", 201, octets)
        me.get("/vault/c.bin", 304, {"If-None-Match": me.get("/vault/c.bin").etag})


@case(
    "d068",
    "sia-shield-says-412",
    "nonprecondition-412",
    "412",
    alone="nonprecondition-412",
    description=(
        "A rule of HAProxy answers requests whose user agent looks like a library's with 412 and a page that asks for "
        "a browser. No request carries a condition; the same reads from a browser's agent pass, and none of the "
        "refused ones reaches the origin."
    ),
)
def shield(stage: Stage) -> None:
    """412 as a gatekeeper's page."""
    docs = {f"/offers/{n}": lab.doc(offer=n, seats=n * 2) for n in range(1, 7)}
    server = lab.bench(stage, docs, "flask", tag="size")
    page = "<html><head><title>Zugriff angehalten</title></head><body>Bitte einen Browser benutzen. Ref 7C-114</body></html>"
    rule = " acl tool req.hdr(user-agent) -m sub python\n"
    rule += f' http-request return status 412 content-type "text/html" lf-string "{page}" if tool'
    front = fronts.haproxy(stage, [server], frontend=rule)
    me = stage.actor("client", front, "offers.reisen.test", "requests")
    other = stage.actor(
        "other", front, "offers.reisen.test", "urllib", {"User-Agent": "Mozilla/5.0 Firefox/133.0"}
    )
    lab.stroll(other, lab.names("/offers", "1", "2", "5"), 8, 68)
    for path in ("/offers", "/offers/2", "/offers/3"):
        me.get(path, 412)
        time.sleep(0.2)
    me.put("/offers/3", {"offer": 3, "seats": 1}, 412)
    me.get("/offers/3", 200, {"User-Agent": "Mozilla/5.0 Firefox/133.0"})
    other.get("/offers/3")


@case(
    "d069",
    "sia-who-leads-the-pumps",
    "expected-control-flow",
    "412",
    alone="expected-control-flow none",
    description=(
        "Three controllers elect a leader in etcd: each tries to create the key with a lifetime (prevExist=false) every "
        "so often, one succeeds and renews, the others get 412 and go on watching. Nobody is harmed."
    ),
)
def leader(stage: Stage) -> None:
    """Losers of an election."""
    server = stage.server("etcd")
    host, key = "etcd.pumpwerk.test", "/v2/keys/election/pumps"
    me = stage.actor("client", server, host, "requests", {"User-Agent": "controller-b"})
    other = stage.actor("other", server, host, "httpx", {"User-Agent": "controller-a"})
    third = stage.actor("third", server, host, "aiohttp", {"User-Agent": "controller-c"})
    other.put(f"{key}?prevExist=false", "value=controller-a&ttl=5", 201, _FORM)
    for turn in range(4):
        for one, name in ((me, "b"), (third, "c")):
            one.put(f"{key}?prevExist=false", f"value=controller-{name}&ttl=5", 412, _FORM)
        me.get("/v2/keys/election")
        other.put(f"{key}?prevValue=controller-a", "value=controller-a&ttl=5", 200, _FORM)
        other.put("/v2/keys/pumps/1", f"value={turn}", (200, 201), _FORM)
        time.sleep(0.5)


_EDIT = """async ([path, more, guard]) => {
  const url = 'http://api.garten.test' + path;
  const seen = await fetch(url);
  const now = await seen.json();
  const headers = {'Content-Type': 'application/json'};
  if (guard) headers['If-Match'] = seen.headers.get('ETag');
  const done = await fetch(url, {method: 'PUT', headers, body: JSON.stringify({...now, ...more})});
  return [seen.headers.get('ETag'), done.status]; }"""


@case(
    "d070",
    "sia-page-reads-no-tag",
    "cors-hidden-etag",
    "412",
    alone="cors-hidden-etag null-token",
    also="null-token",
    description=(
        "A page in Chromium on another origin asks for the ETag of an answer. The API does not expose the field, the "
        "script gets null and sends If-Match: null; refused for each bed, while a program with the same tags writes."
    ),
)
def hidden(stage: Stage) -> None:
    """A script that cannot see the tag."""
    docs = {f"/beds/{n}": lab.doc(bed=n, plant="Salat", watered=False) for n in range(1, 5)}
    server = lab.bench(stage, docs, "starlette", tag="sha", cors="http://plan.garten.test", voice="problem")
    shell = "<!doctype html><link rel=icon href='data:,'><title>Beete</title><main>4 Beete</main>"
    pages = fronts.site(stage, "nginx", {"plan.html": shell})
    rules = f"MAP plan.garten.test:80 127.0.0.1:{pages.port}, "
    rules += f"MAP api.garten.test:80 127.0.0.1:{stage.tap('client', server)}"
    driver: Any = importlib.import_module("playwright.sync_api").sync_playwright().start()
    flags = ["--no-sandbox", "--disable-gpu", "--disable-quic", f"--host-resolver-rules={rules}"]
    chromium = driver.chromium.launch(executable_path="/usr/bin/chromium", args=flags)
    export = stage.directory() / "client.har"
    context = chromium.new_context(record_har_path=str(export), record_har_content="embed", locale="de-AT")
    try:
        view = context.new_page()
        view.goto("http://plan.garten.test/plan.html")
        for number in (2, 4):
            told = view.evaluate(_EDIT, [f"/beds/{number}", {"watered": True}, True])
            lab.must(told == [None, 412], told)
        stage.servers["browser"] = f"Chromium {chromium.version}"
    finally:
        context.close()
        chromium.close()
        driver.stop()
    other = stage.actor("other", server, "api.garten.test", "requests", {"User-Agent": "sensor"})
    lab.edit(other, "/beds/3", watered=True)
    stage.exported["client"] = export
