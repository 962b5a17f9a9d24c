"""Offices, agencies, forges, books of addresses and ledgers that refuse."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from tools.recording_apis.apps import zed_pages as pages
from tools.recording_apis.apps import zed_suites as suites
from tools.recording_apis.stage import case
from tools.recording_apis.stories import vic_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.stage import Stage


@case(
    "e304",
    "zed-drawing-that-was-thrown-away",
    "target-missing",
    "412",
    alone="target-missing",
    description=(
        "A plan room renames drawings in Box with their etags; one has been deleted meanwhile: refused with 412, the "
        "file itself is 404 and missing in the folder's list."
    ),
    synthetic=True,
)
def drawing(stage: Stage) -> None:
    """Rename what is gone."""
    files = {str(1204455100 + n): {"name": f"plan-{n}.dwg", "size": 9000 + n} for n in (1, 2, 3)}
    server = place.open_box(stage, suites.Box(files), "starlette", "Box")
    me = stage.actor("client", server, "api.box.com", "node:fetch", {"Authorization": "Bearer T9cE5planroom"})
    other = stage.actor("other", server, "api.box.com", "curl", {"Authorization": "Bearer T9cE5archive"})
    me.get("/2.0/users/me")
    listed = me.get("/2.0/folders/88120/items?limit=100").json["entries"]
    mine = me.get("/2.0/files/1204455102").json
    other.send("DELETE", "/2.0/files/1204455102", 204, {"if-match": mine["etag"]})
    place.rest(0.6)
    for one in listed:
        gone = one["id"] == "1204455102"
        new = {"name": one["name"].replace("plan-", "EG-plan-")}
        me.put(
            f"/2.0/files/{one['id']}",
            {**new, "size": one["size"]},
            412 if gone else 200,
            {"if-match": one["etag"]},
        )
        place.rest(0.2)
    me.get("/2.0/files/1204455102", 404)
    me.get("/2.0/folders/88120/items?limit=100")


@case(
    "e299",
    "zed-asking-price-without-quotes",
    "malformed-validator",
    "412",
    alone="malformed-validator",
    description=(
        "An estate agent's app takes the quotes off Reapit's _eTag before it sends it: each change of an asking price is "
        "refused, right after a fresh read too."
    ),
    synthetic=True,
)
def price(stage: Stage) -> None:
    """Drop the quotes."""
    things = {f"OXF21{n:04d}": {"strategy": "sale", "selling": {"price": 410000 + n}} for n in (8, 9, 10)}
    server = place.open_box(stage, suites.Reapit("properties", things), "falcon", "Reapit Foundations")
    always = {
        "Authorization": "Bearer eyJraWQ.reapit",
        "api-version": "2020-01-31",
        "reapit-customer": "SBOX",
    }
    me = stage.actor("client", server, "platform.reapit.cloud", "node:axios", always)
    me.get("/configuration/propertyTypes")
    me.get("/properties?pageSize=25")
    for key in ("OXF210009", "OXF210010", "OXF210009"):
        seen = me.get(f"/properties/{key}").json
        sent = seen["_eTag"].replace('"', "")
        me.send("PATCH", f"/properties/{key}", 412, {"If-Match": sent}, {"selling": {"price": 399950}})
        place.rest(0.4)
    me.get("/properties?pageSize=25")


@case(
    "e296",
    "zed-branch-moved-by-the-other-gauge",
    "coarse-token-scope",
    "409",
    alone="coarse-token-scope",
    also="other-writer status-dialect-mismatch",
    description=(
        "Two bots commit readings of different gauges to one branch of a repository: the blob that one of them replaces "
        "has not changed, yet its commit is refused since the branch has moved by the other's file; its own file is as before."
    ),
    synthetic=True,
)
def gauge(stage: Stage) -> None:
    """Collide on a branch."""
    api = suites.Github(
        {f"data/{name}.csv": base64.b64encode(f"{name};2.1".encode()).decode() for name in ("hoek", "ijmond")}
    )
    server = place.open_box(stage, api, "tornado", "GitHub")
    always = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}
    me = stage.actor(
        "client", server, "api.github.com", "requests", {**always, "Authorization": "token ghs_hoek"}
    )
    other = stage.actor(
        "other", server, "api.github.com", "httpx", {**always, "Authorization": "token ghs_ijmond"}
    )
    base = "/repos/tidewatch/gauges"
    me.get(base)

    def body(name: str, text: str, sha: str) -> dict[str, str]:
        return {
            "message": f"{name}: {text}",
            "content": base64.b64encode(f"{name};{text}".encode()).decode(),
            "sha": sha,
            "branch": "main",
        }

    mine = me.get(f"{base}/contents/data/hoek.csv?ref=main").json
    mine = me.put(f"{base}/contents/data/hoek.csv", body("hoek", "2.3", mine["sha"]), 200).json["content"]
    theirs = other.get(f"{base}/contents/data/ijmond.csv?ref=main").json
    place.rest(0.5)
    api.slow = 0.3
    place.at_once(
        lambda: other.put(f"{base}/contents/data/ijmond.csv", body("ijmond", "1.8", theirs["sha"]), 200),
        lambda: me.put(f"{base}/contents/data/hoek.csv", body("hoek", "2.6", mine["sha"]), 409),
        apart=0.1,
    )
    place.sure(me.get(f"{base}/contents/data/hoek.csv?ref=main").json["sha"] == mine["sha"])
    me.get(f"{base}/commits?sha=main&per_page=5")


_CARD = "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:{0}\r\nFN:{1}\r\nTEL;TYPE=CELL:{2}\r\nEND:VCARD\r\n"


@case(
    "e294",
    "zed-cards-saved-as-if-new",
    "create-guard-on-update",
    "412",
    alone="create-guard-on-update",
    description=(
        "A phone's address book saves changed cards with If-None-Match: *, though it has read each of them with its ETag "
        "before; Sabre refuses, a new card is taken."
    ),
    synthetic=True,
)
def cards(stage: Stage) -> None:
    """Guard an update as a creation."""
    names = {"0a51c2.vcf": "Ida Krag", "77be90.vcf": "Jens Toft", "c31d04.vcf": "Liv Moe"}
    texts = {
        key: _CARD.format(key[:6], name, f"+45 20 11 12 {len(name) + 10}") for key, name in names.items()
    }
    server = place.open_box(stage, suites.Sabre("jytte", texts), "aiohttp", "Nextcloud (SabreDAV)")
    fields = {"Authorization": "Basic anl0dGU6cHc=", "Content-Type": "text/vcard; charset=utf-8"}
    me = stage.actor("client", server, "sky.kommune.example", "aiohttp", fields)
    base = "/remote.php/dav/addressbooks/users/jytte/contacts/"
    ask = '<d:propfind xmlns:d="DAV:"><d:prop><d:getetag/></d:prop></d:propfind>'
    find = {"Content-Type": "application/xml", "Depth": "1"}
    me.send("PROPFIND", base, 207, find, ask)
    for key in names:
        me.get(base + key)
    me.put(
        f"{base}e0f7aa.vcf",
        _CARD.format("e0f7aa", "Per Holm", "+45 33 10 10 10"),
        201,
        {"If-None-Match": "*"},
    )
    for key in list(names)[:2]:
        place.rest(0.4)
        me.put(base + key, _CARD.format(key[:6], names[key], "+45 55 50 01 02"), 412, {"If-None-Match": "*"})
    me.send("PROPFIND", base, 207, find, ask)


@case(
    "e292",
    "zed-cost-centres-want-a-tag",
    "token-missing",
    "428",
    alone="token-missing",
    description=(
        "A controller's script renames cost centres in S/4HANA without If-Match, though each entity has an etag: 428 with "
        "SADL_ENTITY_RUNTIME, one after the other."
    ),
    synthetic=True,
)
def centres(stage: Stage) -> None:
    """Send no tag."""
    things = {f"00010{n}": {"Name": f"Werk {n}", "Responsible": "HUBER"} for n in (110, 120, 130)}
    service, entity = "api_costcenter", "CostCenter"
    server = place.open_box(stage, suites.Sap(service, entity, things), "bottle", "SAP S/4HANA")
    always = {"sap-client": "100", "Accept-Language": "de", "Cookie": "SAP_SESSIONID_S4H_100=8Jx"}
    me = stage.actor("client", server, "s4h.werke.example", "urllib", always)
    base = f"/sap/opu/odata4/sap/{service}/srvd_a2x/sap/{entity.lower()}/0001/"
    token = me.get(base, 200, {"x-csrf-token": "Fetch"}).fields["x-csrf-token"]
    me.get(f"{base}{entity}?$top=50")
    for key in list(things)[:2]:
        me.get(f"{base}{entity}('{key}')")
        me.send(
            "PATCH", f"{base}{entity}('{key}')", 428, {"x-csrf-token": token}, {"Name": f"Werk {key} (alt)"}
        )
        place.rest(0.3)
    me.send(
        "PATCH", f"{base}{entity}('{list(things)[2]}')", 428, {"x-csrf-token": token}, {"Name": "Werk Süd"}
    )
    me.get(f"{base}{entity}?$top=50")


@case(
    "e302",
    "zed-newborn-with-two-records",
    "multi-match",
    "412",
    alone="multi-match",
    description=(
        "An admission desk creates a patient only if none has the number: two records have it already, so FHIR's "
        "conditional create is refused; the search for the number finds both. Other patients are created or found."
    ),
    synthetic=True,
)
def newborn(stage: Stage) -> None:
    """Match two."""

    def patient(number: str, family: str) -> dict[str, object]:
        return {
            "identifier": [{"system": "urn:oid:2.16.578.1.12", "value": number}],
            "name": [{"family": family}],
        }

    things = {
        "8101": patient("27112655512", "Berg"),
        "8102": patient("27112655512", "Bergh"),
        "8103": patient("03039211190", "Dahl"),
    }
    server = place.open_box(stage, pages.Fhir("Patient", things), "waitress", "HAPI FHIR")
    me = stage.actor(
        "client",
        server,
        "fhir.sykehus.example",
        "httpx",
        {"Accept": "application/fhir+json", "Content-Type": "application/fhir+json"},
    )
    me.get("/fhir/metadata")
    for number, family, status in (
        ("03039211190", "Dahl", 200),
        ("27112655512", "Berg", 412),
        ("11118844001", "Lie", 201),
    ):
        query = f"identifier=urn:oid:2.16.578.1.12|{number}"
        me.send(
            "POST",
            "/fhir/Patient",
            status,
            {"If-None-Exist": query},
            {"resourceType": "Patient", **patient(number, family)},
        )
        place.rest(0.3)
    place.sure(me.get("/fhir/Patient?identifier=urn:oid:2.16.578.1.12%7C27112655512").json["total"] == 2)
    me.get("/fhir/Patient/8103")


@case(
    "e311",
    "zed-care-plan-with-an-old-version",
    "precondition-ignored",
    "lost-update",
    alone="precondition-ignored precondition-stripped",
    description=(
        "A ward's tablet updates a care plan with If-Match of the version that it read an hour ago; the server is at a "
        "newer one, as the tablet's list has shown, and takes it (200): the physiotherapist's activity is gone, as the history shows."
    ),
    synthetic=True,
)
def plan(stage: Stage) -> None:
    """Be let through."""
    things = {
        f"cp-{n}": {"status": "active", "title": f"Room {n}", "activity": ["wound care"]}
        for n in (31, 32, 33)
    }
    server = place.open_box(stage, pages.Fhir("CarePlan", things, checks=False), "cheroot", "a FHIR server")
    fields = {"Content-Type": "application/fhir+json"}
    me = stage.actor("client", server, "careplans.ward.example", "node:fetch", fields)
    other = stage.actor("other", server, "careplans.ward.example", "requests", fields)
    me.get("/fhir/metadata")
    me.get("/fhir/CarePlan?status=active")
    mine, theirs = me.get("/fhir/CarePlan/cp-32"), other.get("/fhir/CarePlan/cp-32")
    other.put(
        "/fhir/CarePlan/cp-32",
        {**theirs.json, "activity": ["wound care", "gait training"]},
        200,
        {"If-Match": theirs.etag},
    )
    place.rest(0.8)
    listed = me.get("/fhir/CarePlan?status=active").json["entry"][1]["resource"]
    place.sure(len(listed["activity"]) == 2)
    first = me.get("/fhir/CarePlan/cp-31")
    me.put("/fhir/CarePlan/cp-31", {**first.json, "status": "completed"}, 200, {"If-Match": first.etag})
    saved = me.put("/fhir/CarePlan/cp-32", {**mine.json, "title": "Room 32b"}, 200, {"If-Match": mine.etag})
    place.sure(saved.etag == 'W/"3"' and mine.etag == 'W/"1"')
    me.get("/fhir/CarePlan/cp-32/_history")


@case(
    "e301",
    "zed-runbook-with-a-fresh-number",
    "blind-refresh",
    "lost-update",
    alone="blind-refresh",
    description=(
        "A publishing script edits a page from the text that it read at the start; just before it saves it asks for the "
        "page's version only and sends that plus one: taken, and the paragraph that somebody added in between is gone."
    ),
    synthetic=True,
)
def runbook(stage: Stage) -> None:
    """Take a fresh number for an old text."""

    def page(title: str, text: str) -> dict[str, object]:
        return {"title": title, "body": {"storage": {"value": text, "representation": "storage"}}}

    held = {
        "4194401": page("Runbook: pumps", "<p>Close V1.</p>"),
        "4194402": page("Runbook: fans", "<p>Stop F2.</p>"),
    }
    server = place.open_box(stage, pages.Confluence(held), "flask-cheroot", "Confluence")
    me = stage.actor("client", server, "wiki.plant.example", "requests", {"Authorization": "Bearer pat-rui"})
    other = stage.actor(
        "other", server, "wiki.plant.example", "node:fetch", {"Authorization": "Bearer pat-hanne"}
    )
    me.get("/rest/api/user/current")
    me.get("/rest/api/content?spaceKey=OPS&limit=25&expand=version")
    mine = me.get("/rest/api/content/4194401?expand=body.storage,version").json
    theirs = other.get("/rest/api/content/4194401?expand=body.storage,version").json
    added = page(theirs["title"], "<p>Close V1.</p><p>Never open V9 above 4 bar.</p>")
    other.put(
        "/rest/api/content/4194401",
        {**added, "type": "page", "version": {"number": theirs["version"]["number"] + 1}},
        200,
    )
    place.rest(1.0)
    fresh = me.get("/rest/api/content/4194401?expand=version").json["version"]["number"]
    place.sure(fresh == mine["version"]["number"] + 1)
    text = mine["body"]["storage"]["value"] + "<p>Call 4410.</p>"
    me.put(
        "/rest/api/content/4194401",
        {**page(mine["title"], text), "type": "page", "version": {"number": fresh + 1}},
        200,
    )
    me.get(f"/rest/api/content/4194401?status=historical&version={fresh}&expand=body.storage,version")
    now = me.get("/rest/api/content/4194401?expand=body.storage,version").json
    place.sure("V9" not in now["body"]["storage"]["value"])


@case(
    "e315",
    "zed-config-map-replaced-from-a-file",
    "unconditional-write",
    "lost-update",
    alone="unconditional-write",
    description=(
        "A release tool replaces a config map by a PUT without resourceVersion: a key that an operator added a moment "
        "before, to be seen in the tool's own list, is gone."
    ),
    synthetic=True,
)
def replaced(stage: Stage) -> None:
    """Send no version."""
    maps = {"ferry-web": {"LOG": "info", "LANES": "4"}, "ferry-jobs": {"CRON": "*/5"}}
    server = place.open_box(stage, pages.Kubernetes("harbour", maps), "aiohttp", "Kubernetes")
    me = stage.actor(
        "client", server, "kube.harbour.example", "node:axios", {"Authorization": "Bearer eyJhbGc.release"}
    )
    other = stage.actor(
        "other", server, "kube.harbour.example", "curl", {"Authorization": "Bearer eyJhbGc.operator"}
    )
    base = "/api/v1/namespaces/harbour/configmaps"
    me.get("/version")
    me.get("/api/v1/namespaces/harbour")
    seen = me.get(f"{base}/ferry-web").json
    merge = {"Content-Type": "application/merge-patch+json"}
    other.send("PATCH", f"{base}/ferry-web", 200, merge, {"data": {"SLOW_LANE": "closed"}})
    place.rest(0.7)
    listed = me.get(base).json["items"][0]["data"]
    place.sure("SLOW_LANE" in listed)
    meta = {"name": "ferry-web", "namespace": "harbour", "labels": {"release": "r12"}}
    new = {
        "kind": "ConfigMap",
        "apiVersion": "v1",
        "metadata": meta,
        "data": {**seen["data"], "LOG": "debug"},
    }
    me.put(f"{base}/ferry-web", new, 200)
    jobs = me.get(f"{base}/ferry-jobs").json
    meta = {"name": "ferry-jobs", "namespace": "harbour", "labels": {"release": "r12"}}
    me.put(f"{base}/ferry-jobs", {**jobs, "metadata": meta, "data": {"CRON": "*/10"}}, 200)
    place.sure("SLOW_LANE" not in me.get(f"{base}/ferry-web").json["data"])
