"""Unseen recordings: stores, suites and clusters."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from tools.recording_apis.apps import uma_suites as suites
from tools.recording_apis.apps.uma_ledger import Ledger
from tools.recording_apis.stage import case
from tools.recording_apis.stories import uma_setting as place
from tools.recording_apis.stories.uma_clouds import zoned

if TYPE_CHECKING:
    from tools.recording_apis.actors import Answer
    from tools.recording_apis.stage import Stage


@case(
    "d202",
    "entry-version-from-before-publishing",
    "stale-stored-token",
    "409",
    alone="stale-stored-token",
    also="status-dialect-mismatch",
    synthetic=True,
    description=(
        "A migration of Contentful entries keeps the version of its save, publishes, and saves again with the version "
        "of before, although the publish's answer named the next one: 409 VersionMismatch. Nobody else writes."
    ),
)
def publishing(stage: Stage) -> None:
    """Pass over the version that publishing gave."""
    rows = {
        f"e{n}": {"title": {"fr-FR": f"Article {n}"}, "slug": {"fr-FR": f"article-{n}"}} for n in range(1, 5)
    }
    server = place.house(stage, suites.contentful(Ledger(rows)), "Contentful")
    me = stage.actor(
        "client", server, "api.contentful.example", "node:axios", {"Authorization": "Bearer CFPAT-mig"}
    )
    base = "/spaces/revue/environments/master/entries"

    def put(key: str, version: int, expect: int, title: str) -> Answer:
        fields = {"title": {"fr-FR": title}, "slug": rows[key]["slug"]}
        return me.put(f"{base}/{key}", {"fields": fields}, expect, {"X-Contentful-Version": str(version)})

    me.get(base)
    place.glance(me, [f"{base}/{key}" for key in ("e3", "e4")], 5, 202)
    for key in ("e1", "e2"):
        version = put(key, me.get(f"{base}/{key}").json["sys"]["version"], 200, f"{key} révisé").json["sys"][
            "version"
        ]
        me.put(f"{base}/{key}/published", None, 200, {"X-Contentful-Version": str(version)})
        put(key, version, 409, f"{key} révisé, bis")
    me.get(f"{base}/e3")


@case(
    "d203",
    "indexer-sends-the-same-seq-no",
    "retry-reuses-failed-token",
    "409",
    alone="retry-reuses-failed-token other-writer",
    also="other-writer status-dialect-mismatch",
    synthetic=True,
    description=(
        "An indexer retries a refused write to Elasticsearch four times with growing pauses and the same if_seq_no, "
        "without a read in between; another job had changed the document. Each is 409 and names the current number."
    ),
)
def indexer(stage: Stage) -> None:
    """Retry with what was refused."""
    rows = {f"p-{n}": {"name": f"Lampe {n}", "price": 30 + n, "stock": 5} for n in range(1, 5)}
    server = place.house(stage, suites.elastic(Ledger(rows, 880)), "es", "waitress")
    me = stage.actor("client", server, "search.leuchten.test", "aiohttp", {"User-Agent": "indexer/2"})
    other = stage.actor("other", server, "search.leuchten.test", "requests", {"User-Agent": "stock-feed"})
    me.get("/products/_search?q=Lampe")
    seen, theirs = me.get("/products/_doc/p-2").json, other.get("/products/_doc/p-2").json

    def guard(doc: dict[str, Any]) -> str:
        return f"/products/_doc/p-2?if_seq_no={doc['_seq_no']}&if_primary_term={doc['_primary_term']}"

    for name in ("p-1", "p-3", "p-4"):
        doc = me.get(f"/products/_doc/{name}").json
        at = f"if_seq_no={doc['_seq_no']}&if_primary_term={doc['_primary_term']}"
        me.put(f"/products/_doc/{name}?{at}", {**doc["_source"], "price": 33}, 200)
    other.put(guard(theirs), {**theirs["_source"], "stock": 3}, 200)
    for wait in (0.15, 0.3, 0.6, 1.2):
        me.put(guard(seen), {**seen["_source"], "price": 34}, 409)
        place.pause(wait)
    me.get("/products/_count")
    me.put(guard(seen), {**seen["_source"], "price": 34}, 409)


@case(
    "d204",
    "page-number-fetched-text-kept",
    "blind-refresh",
    "lost-update",
    alone="blind-refresh",
    synthetic=True,
    description=(
        "A bot edits a Confluence page: it reads it, works, and just before its PUT fetches the page again for the "
        "version number only. Its text is of the version before, so what a colleague added in between is gone, and "
        "everything is 200."
    ),
)
def number(stage: Stage) -> None:
    """Fetch a number and keep an old text."""
    text = "<p>Bereitschaft: Kim</p><p>Telefon: 110</p>"
    rows = {str(n): {"title": f"Seite {n}", "body": text} for n in (33001, 33002, 33003)}
    server = place.house(stage, suites.confluence(Ledger(rows)), "Confluence", "cheroot")
    me = stage.actor("client", server, "wiki.stadtwerk.test", "requests", {"X-User": "doku-bot"})
    other = stage.actor("other", server, "wiki.stadtwerk.test", "httpx", {"X-User": "j.haas"})
    base = "/rest/api/content"

    def body(page: dict[str, Any], new: str) -> dict[str, Any]:
        own = {"number": page["version"]["number"] + 1}
        return {
            "title": page["title"],
            "version": own,
            "body": {"storage": {"value": new, "representation": "storage"}},
        }

    me.get(base)
    for key in ("33001", "33003"):
        page = me.get(f"{base}/{key}?expand=body.storage,version").json
        me.put(f"{base}/{key}", body(page, text.replace("Kim", "Lee")), 200)
    seen = me.get(f"{base}/33002?expand=body.storage,version").json
    theirs = other.get(f"{base}/33002?expand=body.storage,version").json
    theirs_text = theirs["body"]["storage"]["value"] + "<p>Vertretung: Haas bis Freitag</p>"
    other.put(f"{base}/33002", body(theirs, theirs_text), 200)
    place.pause(1.2)
    me.get(f"{base}/33003?expand=version")
    fresh = me.get(f"{base}/33002?expand=body.storage,version").json
    me.put(f"{base}/33002", body(fresh, seen["body"]["storage"]["value"].replace("110", "112")), 200)
    last = me.get(f"{base}/33002?expand=body.storage,version").text
    place.holds("Haas bis" not in last and "112" in last)


@case(
    "d208",
    "one-number-for-a-whole-library",
    "coarse-token-scope",
    "412",
    alone="coarse-token-scope",
    also="other-writer",
    synthetic=True,
    description=(
        "Two programs work on different items of one Zotero library, whose version guards all of them. The client's "
        "save of its item is 412 (expected, found) though that item's own version has not moved, and again with the "
        "item's version."
    ),
)
def library(stage: Stage) -> None:
    """Be refused for a change of a neighbour."""
    rows = {f"K{n}XQ": {"title": f"Band {n}", "extra": ""} for n in range(4)}
    server = place.house(stage, suites.zotero(Ledger(rows, 24010)), "Apache/2.4")
    me = stage.actor("client", server, "api.zotero.example", "node:fetch", {"Zotero-API-Key": "P9x"})
    other = stage.actor("other", server, "api.zotero.example", "requests", {"Zotero-API-Key": "Lw2"})
    base = "/users/11/items"
    state = me.get(base).fields["last-modified-version"]
    for _ in range(4):
        me.get(base, 304, {"If-Modified-Since-Version": state})
        place.pause(0.1)
    for key in ("K2XQ", "K3XQ"):
        held = other.get(base).fields["last-modified-version"]
        other.send("PATCH", f"{base}/{key}", 204, {"If-Unmodified-Since-Version": held}, {"extra": "gesehen"})
    place.pause(0.9)
    me.send(
        "PATCH", f"{base}/K1XQ", 412, {"If-Unmodified-Since-Version": state}, {"title": "Band 1, 2. Aufl."}
    )
    item = me.get(f"{base}/K1XQ").json
    place.holds(item["version"] <= int(state) and item["data"]["extra"] == "")
    own = {"If-Unmodified-Since-Version": str(item["version"])}
    me.send("PATCH", f"{base}/K1XQ", 412, own, {"title": "Band 1, 2. Aufl."})
    me.get(base)


@case(
    "d209",
    "two-patients-with-one-number",
    "multi-match",
    "412",
    alone="multi-match",
    synthetic=True,
    description=(
        "A laboratory's feed updates patients by their hospital number. For one number the FHIR server has two "
        "patients and answers 412 with an OperationOutcome; the search for it gives two. Other numbers are updated."
    ),
)
def patients(stage: Stage) -> None:
    """Update what a search finds twice."""
    rows = {
        f"Patient/{n}": {"identifier": f"KH-{n if n < 73 else n - 1}", "active": True}
        for n in (70, 71, 72, 73)
    }
    server = place.house(stage, suites.fhir(Ledger(rows)), "HAPI FHIR/6.10", "waitress")
    me = stage.actor("client", server, "fhir.labor.test", "java", {"Accept": "application/fhir+json"})
    media = {"Content-Type": "application/fhir+json"}
    place.glance(me, ["/fhir/Patient?active=True", "/fhir/Patient/70", "/fhir/Patient/71"], 5, 209)
    for key in ("70", "72", "71"):
        body = {"resourceType": "Patient", "identifier": f"KH-{key}", "active": True, "lab": f"L{key}"}
        me.put(f"/fhir/Patient?identifier=urn:kh%7CKH-{key}", body, 412 if key == "72" else 200, media)
    place.holds(me.get("/fhir/Patient?identifier=urn:kh%7CKH-72").json["total"] == 2)
    body = {"resourceType": "Patient", "identifier": "KH-72", "active": True, "lab": "L72"}
    me.put("/fhir/Patient?identifier=urn:kh%7CKH-72", body, 412, media)


@case(
    "d211",
    "a-false-that-nobody-reads",
    "status-dialect-mismatch",
    "lost-write",
    alone="status-dialect-mismatch other-writer",
    also="other-writer",
    synthetic=True,
    description=(
        "A deployer writes to Consul's key store with cas and takes every 200 for success. Another deployer was first: "
        "the body is false, nothing was stored, and the next read has the other's value; the deployer goes on."
    ),
)
def false(stage: Stage) -> None:
    """Take 200 for success."""
    rows = {f"apps/{n}/version": "1.4.0" for n in ("cart", "mail", "pay")}
    server = place.house(stage, suites.consul(Ledger(rows, 5520)), "consul")
    me = stage.actor("client", server, "consul.intern.test", "httpx", {"User-Agent": "deployer-a"})
    other = stage.actor("other", server, "consul.intern.test", "urllib", {"User-Agent": "deployer-b"})
    place.glance(me, ["/v1/health/service/web", "/v1/kv/apps/?recurse", "/v1/kv/apps/cart/version"], 7, 211)
    seen = me.get("/v1/kv/apps/pay/version").json[0]["ModifyIndex"]
    theirs = other.get("/v1/kv/apps/pay/version").json[0]["ModifyIndex"]
    other.put(f"/v1/kv/apps/pay/version?cas={theirs}", "1.4.9", 200)
    place.pause(0.6)
    place.holds(me.put(f"/v1/kv/apps/pay/version?cas={seen}", "1.5.0", 200).text == "false")
    mail = me.get("/v1/kv/apps/mail/version").json[0]["ModifyIndex"]
    place.holds(me.put(f"/v1/kv/apps/mail/version?cas={mail}", "1.5.0", 200).text == "true")
    place.holds(me.get("/v1/kv/apps/pay/version").json[0]["Value"] == "MS40Ljk=")
    me.put("/v1/kv/deploys/last", "pay 1.5.0", 200)


@case(
    "d213",
    "continue-token-too-old",
    "token-expired",
    "410",
    alone="token-expired",
    synthetic=True,
    description=(
        "An inventory lists config maps in pages and works on each page; the continue token of the second page is "
        "older than the server keeps it: 410 Expired. A new list gives a token that works when used at once."
    ),
)
def pages(stage: Stage) -> None:
    """Come back with a token too late."""
    base = "/api/v1/namespaces/shop/configmaps"
    box = Ledger({f"{base}/cm-{n:02}": {"level": str(n)} for n in range(9)}, 771200)
    server = place.house(stage, suites.kubernetes(box, 1.0), "kube-apiserver", "cheroot")
    me = stage.actor("client", server, "k8s.cluster.test", "requests", {"User-Agent": "inventory/1 (linux)"})
    me.get("/readyz")
    first = me.get(f"{base}?limit=4").json
    for item in first["items"][:2]:
        me.get(f"{base}/{item['metadata']['name']}")
        place.pause(0.8)
    me.get(f"{base}?limit=4&continue={first['metadata']['continue']}", 410)
    again = me.get(f"{base}?limit=4").json
    me.get(f"{base}?limit=4&continue={again['metadata']['continue']}")
    place.pause(1.3)
    me.get(f"{base}?limit=4&continue={again['metadata']['continue']}", 410)


@case(
    "d215",
    "two-bots-commit-without-the-last-id",
    "unconditional-write",
    "lost-update",
    alone="unconditional-write none",
    synthetic=True,
    description=(
        "Two bots edit one file of a GitLab repository by its interface. Both read it and store it without "
        "last_commit_id, which every read names; the second one's content lacks the first one's line."
    ),
)
def bots(stage: Stage) -> None:
    """Store without the id that each read names."""
    rows = {"CODEOWNERS": "* @kern\n", "docs%2Fteam.md": "x", "versions.txt": "web 1\napi 1\n"}
    server = place.house(stage, suites.gitlab(Ledger(rows)), "nginx")
    me = stage.actor("client", server, "gitlab.werkstatt.test", "node:axios", {"PRIVATE-TOKEN": "glpat-web"})
    other = stage.actor("other", server, "gitlab.werkstatt.test", "requests", {"PRIVATE-TOKEN": "glpat-api"})
    base = "/api/v4/projects/7/repository"

    def body(content: str, **more: str) -> dict[str, str]:
        return {"branch": "main", "content": content, "commit_message": "bump", **more}

    place.glance(me, [f"{base}/commits", f"{base}/files/CODEOWNERS?ref=main"], 5, 215)
    me.get(f"{base}/files/versions.txt?ref=main")
    other.get(f"{base}/files/versions.txt?ref=main")
    other.put(f"{base}/files/versions.txt", body("web 1\napi 2\n"), 200)
    held = other.get(f"{base}/files/CODEOWNERS?ref=main").json["last_commit_id"]
    other.put(f"{base}/files/CODEOWNERS", body("* @kern @api\n", last_commit_id=held), 200)
    place.pause(0.7)
    me.put(f"{base}/files/versions.txt", body("web 2\napi 1\n"), 200)
    last = other.get(f"{base}/files/versions.txt?ref=main").json["content"]
    place.holds(last == "d2ViIDIKYXBpIDEK", last)
    me.get(f"{base}/commits")


@case(
    "d222",
    "any-version-is-no-version",
    "server-precondition-bug",
    "412",
    alone="server-precondition-bug",
    synthetic=True,
    description=(
        "A calendar program updates an existing appointment on DAViCal with If-Match: *. The server compares the star "
        "with the tag and prints both in its 412; reads before and after show the appointment, and its tag is taken."
    ),
)
def star(stage: Stage) -> None:
    """Ask for any version of what is there."""

    def event(name: str, hour: int) -> str:
        lines = [
            "BEGIN:VCALENDAR",
            "VERSION:2.0",
            "BEGIN:VEVENT",
            f"UID:{name}",
            f"DTSTART:20270204T{hour:02}0000Z",
        ]
        return "\r\n".join([*lines, f"SUMMARY:{name}", "END:VEVENT", "END:VCALENDAR", ""])

    base = "/caldav.php/pfarre/termine"
    rows = {f"{base}/{name}.ics": event(name, 9) for name in ("messe", "taufe", "chor")}
    server = place.house(stage, suites.davical(Ledger(rows)), "Apache", "waitress")
    me = stage.actor("client", server, "kalender.pfarre.test", "curl", {"User-Agent": "Kalender/4.1"})
    ics = {"Content-Type": "text/calendar; charset=utf-8"}
    place.glance(me, [f"{base}/messe.ics", f"{base}/chor.ics"], 5, 222)
    seen = me.get(f"{base}/taufe.ics")
    me.put(f"{base}/taufe.ics", event("taufe", 11), 412, {"If-Match": "*", **ics})
    place.holds(me.get(f"{base}/taufe.ics").etag == seen.etag)
    me.put(f"{base}/chor.ics", event("chor", 18), 412, {"If-Match": "*", **ics})
    me.put(f"{base}/taufe.ics", event("taufe", 11), 204, {"If-Match": seen.etag, **ics})
    me.put(f"{base}/neu.ics", event("neu", 7), 201, ics)


@case(
    "d223",
    "a-phone-that-lives-in-the-future",
    "clock-skew",
    "lost-update",
    alone="clock-skew unconditional-write",
    synthetic=True,
    description=(
        "A phone guards its uploads to a Firefox Sync storage with the time of its own clock, an hour and a half "
        "ahead of X-Weave-Timestamp, instead of the served X-Last-Modified. The guard never fails; what the desktop "
        "stored in between is overwritten."
    ),
)
def future(stage: Stage) -> None:
    """Guard with a time to come."""
    rows = {
        "bookmarks": {"bm1": {"id": "bm1", "payload": "zeitung"}},
        "tabs": {"t1": {"id": "t1", "payload": "karte"}},
    }
    server = place.house(stage, suites.sync15(Ledger(rows)), "nginx/1.18")
    me = stage.actor(
        "client", server, "sync.browser.test", "aiohttp", {"User-Agent": "Phone/128 (Android 14)"}
    )
    other = stage.actor("other", server, "sync.browser.test", "requests", {"User-Agent": "Desktop/128"})

    def ahead() -> dict[str, str]:
        return {"X-If-Unmodified-Since": f"{time.time() + 5403.4:.2f}"}

    place.glance(me, ["/1.5/8/info/collections", "/1.5/8/storage/tabs?full=1"], 5, 223)
    me.get("/1.5/8/storage/bookmarks?full=1")
    me.send("POST", "/1.5/8/storage/tabs", 200, ahead(), [{"id": "t2", "payload": "wetter"}])
    held = other.get("/1.5/8/storage/bookmarks?full=1").fields["x-last-modified"]
    own = {"X-If-Unmodified-Since": held}
    mine = [{"id": "bm1", "payload": "zeitung, ordner lesen"}]
    made = other.send("POST", "/1.5/8/storage/bookmarks", 200, own, mine).fields["x-last-modified"]
    place.pause(0.8)
    me.send("POST", "/1.5/8/storage/bookmarks", 200, ahead(), [{"id": "bm1", "payload": "zeitung (mobil)"}])
    place.holds("lesen" not in me.get("/1.5/8/storage/bookmarks?full=1").text)
    own = {"X-If-Unmodified-Since": made}
    other.send("POST", "/1.5/8/storage/bookmarks", 412, own, [{"id": "bm1", "payload": "zeitung"}])


@case(
    "d224",
    "a-clinic-five-hours-behind",
    "timezone-error",
    "412",
    alone="timezone-error",
    synthetic=True,
    description=(
        "A clinic's program turns Last-Modified into local time and sends that as GMT in If-Unmodified-Since, five "
        "hours early. Canvas Medical, which knows dates only, refuses each update with 412."
    ),
)
def clinic(stage: Stage) -> None:
    """Send local time as GMT."""
    rows = {
        f"Patient/{n}": {"resourceType": "Patient", "gender": "unknown", "mrn": n} for n in ("a1", "b2", "c3")
    }
    server = place.house(stage, suites.canvas(Ledger(rows)), "uvicorn")
    me = stage.actor(
        "client", server, "fumage-lakeside.canvas.example", "urllib", {"Authorization": "Bearer intake"}
    )
    me.get("/Patient")
    for key in ("a1", "b2", "a1"):
        seen = me.get(f"/Patient/{key}")
        own = {"If-Unmodified-Since": zoned(seen.fields["last-modified"], -5)}
        me.put(f"/Patient/{key}", {"resourceType": "Patient", "gender": "female", "mrn": key}, 412, own)
        place.pause(0.25)
    me.get("/Patient/c3")


@case(
    "d226",
    "controllers-share-a-config-map",
    "none",
    "healthy",
    alone="none",
    synthetic=True,
    description=(
        "Two controllers write keys of their own into one config map of Kubernetes. After a 409 the client reads again, "
        "sets its key in the new data and is stored; both keys are there, and pages of the list are read at ease."
    ),
)
def controllers(stage: Stage) -> None:
    """Heal conflicts on a shared object."""
    base = "/api/v1/namespaces/kube-system/configmaps"
    box = Ledger({f"{base}/{n}": {"seed": "1"} for n in ("status", "quota", "routes")}, 90210)
    server = place.house(stage, suites.kubernetes(box), "kube-apiserver")
    me = stage.actor("client", server, "k8s.plant.test", "httpx", {"User-Agent": "node-controller/v1"})
    other = stage.actor("other", server, "k8s.plant.test", "aiohttp", {"User-Agent": "route-controller/v1"})
    path = f"{base}/status"
    me.get(f"{base}?limit=2")
    for turn in ("a", "b"):
        mine, theirs = me.get(path).json, other.get(path).json
        other.put(path, {**theirs, "data": {**theirs["data"], f"route-{turn}": "up"}}, 200)
        me.put(path, {**mine, "data": {**mine["data"], f"node-{turn}": "ready"}}, 409)
        again = me.get(path).json
        me.put(path, {**again, "data": {**again["data"], f"node-{turn}": "ready"}}, 200)
        place.pause(0.3)
        me.get(f"{base}/quota")
    place.holds(len(other.get(path).json["data"]) == 5)


@case(
    "d228",
    "consul-leaves-and-retries-well",
    "none",
    "healthy",
    alone="none",
    synthetic=True,
    description=(
        "A scheduler counts jobs in Consul with cas beside another one: true most of the time, a false after which it "
        "reads again and counts from the new value, keys that are not there yet, and health checks."
    ),
)
def counting(stage: Stage) -> None:
    """Read false for what it is."""
    server = place.house(
        stage, suites.consul(Ledger({"jobs/done": "10", "jobs/limit": "50"}, 610)), "consul", "cheroot"
    )
    me = stage.actor("client", server, "kv.planer.test", "requests", {"User-Agent": "planer-1"})
    other = stage.actor("other", server, "kv.planer.test", "urllib", {"User-Agent": "planer-2"})
    me.get("/v1/kv/jobs/paused", 404)
    for turn in range(3):
        row = me.get("/v1/kv/jobs/done").json[0]
        count = 10 + 2 * turn
        if turn == 1:
            held = other.get("/v1/kv/jobs/done").json[0]["ModifyIndex"]
            other.put(f"/v1/kv/jobs/done?cas={held}", str(count + 1), 200)
            place.holds(
                me.put(f"/v1/kv/jobs/done?cas={row['ModifyIndex']}", str(count + 1), 200).text == "false"
            )
            row = me.get("/v1/kv/jobs/done").json[0]
            count += 1
        place.holds(me.put(f"/v1/kv/jobs/done?cas={row['ModifyIndex']}", str(count + 1), 200).text == "true")
        me.get("/v1/health/service/web")
        place.pause(0.2)
    place.holds(me.put("/v1/kv/jobs/paused?cas=0", "no", 200).text == "true")
