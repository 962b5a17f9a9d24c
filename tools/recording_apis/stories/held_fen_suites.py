"""Held-out stories on imitations of products in use, each with a version of its own."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from tools.recording_apis.apps import fen_suites as suites
from tools.recording_apis.stage import case
from tools.recording_apis.stories import fen_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.actors import Answer
    from tools.recording_apis.stage import Stage


@case(
    "d656",
    "fen-provisioner-saves-one-dashboard-from-two-threads",
    "self-race",
    "412",
    alone="self-race",
    synthetic=True,
    description=(
        "A provisioning tool saves Grafana dashboards from two threads; two of its sources concern the same dashboard, "
        "so both threads send it with the version of one read while the other is under way: one is stored, the other "
        "is version-mismatch, in two runs, under one token and one user agent."
    ),
)
def provisioner(stage: Stage) -> None:
    """Save one dashboard from two threads."""
    boards = {
        uid: {
            "title": uid.title(),
            "panels": [{"id": 1, "type": "timeseries"}],
            "tags": ["netz"],
            "refresh": "1m",
        }
        for uid in ("umspannwerk", "leitung-380", "speicher")
    }
    server = place.open_box(stage, suites.dashboards(boards, 0.2), "aiohttp", "Grafana")
    agent = {"Authorization": "Bearer glsa_7Qx", "User-Agent": "dash-sync/0.7"}
    me = stage.actor("client", server, "grafana.netz-ost.example", "httpx", agent)
    place.looks(me, "/api/health", "/api/search?type=dash-db", "/api/folders")
    for run in (1, 2):
        own = me.get("/api/dashboards/uid/speicher").json["dashboard"]
        me.send(
            "POST", "/api/dashboards/db", 200, None, {"dashboard": {**own, "tags": ["netz", f"lauf-{run}"]}}
        )
        seen = me.get("/api/dashboards/uid/umspannwerk").json["dashboard"]

        def save(more: dict[str, Any], seen: Any = seen) -> Answer:
            body = {"dashboard": {**seen, **more}, "folderUid": "nets", "overwrite": False}
            return me.send("POST", "/api/dashboards/db", (200, 412), None, body)

        alerts = {"panels": [*seen["panels"], {"id": 10 + run, "type": "alertlist"}]}
        got = place.at_once(partial(save, alerts), partial(save, {"refresh": f"{run * 15}s"}), apart=0.05)
        place.sure(sorted(one.status for one in got) == [200, 412])
        place.think(0.5)
        place.looks(me, "/api/dashboards/uid/leitung-380", "/api/search?type=dash-db")


@case(
    "d642",
    "fen-meter-reader-in-a-cellar-without-signal",
    "lost-response-replay",
    "409",
    alone="lost-response-replay",
    synthetic=True,
    description=(
        "A meter reader's application writes to CouchDB; in a cellar the connection breaks after the document has been "
        "stored, the application sends the same once more and is told conflict. The document that it reads has its own "
        "visit number and the next revision."
    ),
)
def cellar(stage: Stage) -> None:
    """Hear nothing of one's own write."""
    docs = {f"zaehler:{n}": {"stand": 4410 + n, "besuch": "-", "ort": "Keller"} for n in (61, 62, 63, 64)}
    desk = suites.couch("ablesung", docs)
    server = place.open_box(stage, desk, "cheroot", "CouchDB")
    lost = place.drops("PUT", "/zaehler:63")
    me = stage.actor(
        "client",
        server,
        "couch.stadtwerke-furt.example",
        "requests",
        {"User-Agent": "Ableser/5.0 PouchDB/9"},
        loses=lost,
    )
    place.looks(me, "/", "/ablesung/_all_docs", "/ablesung/_changes?since=now")
    body: dict[str, Any] = {}
    for number, expect in ((61, 201), (63, 0)):
        seen = me.get(f"/ablesung/zaehler:{number}").json
        body = {**seen, "stand": seen["stand"] + 38, "besuch": f"b-2026-1127-{number}"}
        me.put(f"/ablesung/zaehler:{number}", body, expect)
        place.think(0.4)
    me.put("/ablesung/zaehler:63", body, 409)
    now = me.get("/ablesung/zaehler:63").json
    place.sure(now["besuch"] == "b-2026-1127-63" and now["_rev"].startswith("4-"))
    seen = me.get("/ablesung/zaehler:64").json
    me.put("/ablesung/zaehler:64", {**seen, "stand": 4500, "besuch": "b-2026-1127-64"}, 201)
    place.looks(me, "/ablesung/_changes?since=now")


@case(
    "d666",
    "fen-two-teams-one-proxy-configuration",
    "coarse-token-scope",
    "409",
    alone="coarse-token-scope",
    also="other-writer",
    synthetic=True,
    description=(
        "A load balancer's Data Plane has one number for the whole configuration: the mail team's script changes its "
        "backend, and the shop's change of a server that nobody has touched is refused, twice. The shop's server reads "
        "the same each time."
    ),
)
def balancer(stage: Stage) -> None:
    """Be refused because of somebody else's backend."""
    backends = {
        "shop": {
            f"web{n}": {"name": f"web{n}", "address": f"192.0.2.{n}", "port": 8080, "weight": 100}
            for n in (1, 2)
        },
        "mail": {"imap1": {"name": "imap1", "address": "192.0.2.91", "port": 143, "weight": 10}},
    }
    server = place.open_box(stage, suites.dataplane(backends, 318), "waitress", "HAProxy Data Plane")
    host, root = "lb-api.kaufhaus-linde.example", "/v3/services/haproxy/configuration"
    me = stage.actor(
        "client",
        server,
        host,
        "node:axios",
        {"Authorization": "Basic c2hvcDp4", "User-Agent": "shop-deploy/12"},
    )
    other = stage.actor("other", server, host, "curl", {"Authorization": "Basic bWFpbDp4"})
    place.looks(me, "/v3/info", f"{root}/backends/shop/servers")
    own = f"{root}/backends/shop/servers/web2"
    for weight in (20, 30):
        seen, version = me.get(own), me.get(f"{root}/version").text.strip()
        place.looks(me, "/v3/services/haproxy/reloads")
        theirs = other.get(f"{root}/backends/mail/servers/imap1")
        level = theirs.fields["configuration-version"]
        other.put(
            f"{root}/backends/mail/servers/imap1?version={level}", {**theirs.json, "weight": weight}, 202
        )
        place.think(0.4)
        me.put(f"{own}?version={version}", {**seen.json, "weight": 0}, 409)
        place.sure(me.get(own).json == seen.json)
        place.looks(me, f"{root}/backends/mail/servers/imap1")
        place.think(0.3)


@case(
    "d644",
    "fen-capacity-script-without-the-generation",
    "token-missing",
    "400",
    alone="token-missing",
    synthetic=True,
    description=(
        "A capacity script writes inventories to OpenStack's Placement and leaves the provider's generation out: 400, "
        "not validated, a required property, for two providers. After a read it sends the generation too, and the same "
        "inventory is stored."
    ),
)
def capacity(stage: Stage) -> None:
    """Leave out what the server demands."""
    stock: dict[str, dict[str, float]] = {
        "VCPU": {"total": 64, "reserved": 2, "allocation_ratio": 4.0},
        "MEMORY_MB": {"total": 262144},
    }
    providers = {"7a41c2d0-52e0-4b8f-a3f2-0f9e6a": stock, "c09be1f4-1d0c-47a6-9be1-77aa01": stock}
    server = place.open_box(stage, suites.placement(providers), "flask", "OpenStack Placement")
    me = stage.actor(
        "client",
        server,
        "placement.cloud-rhein.example",
        "urllib",
        {"X-Auth-Token": "gAAAAAB", "OpenStack-API-Version": "placement 1.39"},
    )
    place.looks(me, "/", "/resource_providers", "/resource_classes")
    changed = {**stock, "VCPU": {**stock["VCPU"], "reserved": 4}}
    for uuid in providers:
        me.put(f"/resource_providers/{uuid}/inventories", {"inventories": changed}, 400)
        place.think(0.3)
    uuid = next(iter(providers))
    seen = me.get(f"/resource_providers/{uuid}/inventories").json
    place.sure(seen["inventories"] == stock)
    me.put(f"/resource_providers/{uuid}/inventories", {**seen, "inventories": changed}, 200)


@case(
    "d669",
    "fen-search-hits-behind-the-document",
    "replica-lag",
    "409",
    alone="replica-lag",
    synthetic=True,
    description=(
        "An estate agent's listings in OpenSearch: after its own stored write the tool finds the listing by a search, "
        "which still shows the former content and number, and writes with that number: version conflict. A moment later "
        "the same search shows the number that the first write had been answered with."
    ),
)
def listings(stage: Stage) -> None:
    """Take the number from what lags behind."""
    docs = {
        f"exp-{n}": {"makler": "lang", "ort": "Murau", "preis": 240_000 + n, "frei": True} for n in (11, 12)
    }
    docs["exp-13"] = {"makler": "weiss", "ort": "Tamsweg", "preis": 198_000, "frei": True}
    server = place.open_box(stage, suites.search_index("expose", docs, 1.6), "tornado", "OpenSearch")
    me = stage.actor(
        "client", server, "suche.makler-tauern.example", "aiohttp", {"Authorization": "Basic bGFuZzp4"}
    )
    place.looks(me, "/", "/_cluster/health")

    def find() -> Any:
        asked = {"seq_no_primary_term": True, "query": {"term": {"makler": "lang"}}, "size": 20}
        return me.send("POST", "/expose/_search", 200, None, asked).json["hits"]["hits"]

    for change, expect in (({"preis": 229_000}, 200), ({"frei": False}, 409)):
        hit = next(one for one in find() if one["_id"] == "exp-11")
        target = f"/expose/_doc/exp-11?if_seq_no={hit['_seq_no']}&if_primary_term=3"
        me.put(target, {**hit["_source"], **change}, expect)
        place.think(0.3)
    place.looks(me, "/_cluster/health")
    place.think(1.5)
    later = next(one for one in find() if one["_id"] == "exp-11")
    place.sure(later["_seq_no"] == 117 and later["_source"]["preis"] == 229_000)
    me.get("/expose/_doc/exp-13")


@case(
    "d643",
    "fen-guest-resized-with-the-digest-of-the-morning",
    "stale-stored-token",
    "500",
    alone="stale-stored-token",
    also="status-dialect-mismatch",
    synthetic=True,
    description=(
        "A playbook keeps the digest of a guest's configuration from its first read in Proxmox: its first change is "
        "stored, its own look afterwards shows a new digest, and its second change still carries the old one: 500, "
        "modified configuration. There is nobody else; the memory is as the first change left it."
    ),
)
def guest(stage: Stage) -> None:
    """Go on with the digest of the first read."""
    guests = {
        n: {"name": f"gast-{n}", "memory": "4096", "cores": "2", "onboot": "1"} for n in ("131", "132", "140")
    }
    server = place.open_box(stage, suites.hypervisor(guests), "bottle", "Proxmox VE")
    me = stage.actor(
        "client", server, "pve2.rz-hafen.example", "curl", {"Authorization": "PVEAPIToken=auto@pve!pb=0c"}
    )
    place.looks(me, "/api2/json/version", "/api2/json/cluster/status")
    for number in ("132", "131"):
        root = f"/api2/json/nodes/pve2/qemu/{number}"
        digest = me.get(f"{root}/config").json["data"]["digest"]
        me.send("PUT", f"{root}/config", 200, place.FORM, place.encode(memory=8192, digest=digest))
        place.looks(me, f"{root}/status/current")
        now = me.get(f"{root}/config").json["data"]
        place.sure(now["digest"] != digest and now["memory"] == "8192")
        place.think(0.5)
        me.send("PUT", f"{root}/config", 500, place.FORM, place.encode(cores=4, digest=digest))
    place.sure(me.get("/api2/json/nodes/pve2/qemu/131/config").json["data"]["cores"] == "2")


@case(
    "d645",
    "fen-runbook-published-over-a-colleagues-row",
    "blind-refresh",
    "lost-update",
    alone="blind-refresh",
    also="other-writer",
    synthetic=True,
    description=(
        "A tool publishes a runbook to Confluence: its text rests on version 7; right before publishing it reads the "
        "page, sees version 8 with a colleague's new row, takes the number alone and writes version 9 with its own "
        "text. It is accepted, and the row is gone."
    ),
)
def runbook(stage: Stage) -> None:
    """Take the newest number for an old text."""
    row = "<tr><td>{0}</td><td>{1}</td></tr>"
    text = f"<table>{row.format('db1', 'Neustart 02:00')}{row.format('db2', 'Neustart 03:00')}</table>"
    content = {
        "98311": {"title": "Bereitschaft", "text": text},
        "98312": {"title": "Kontakte", "text": "<p>-</p>"},
    }
    server = place.open_box(stage, suites.pages(content), "flask-cheroot", "Confluence")
    host, page = "wiki.betrieb-sued.example", "/rest/api/content/98311"
    me = stage.actor("client", server, host, "node:fetch", {"X-User": "svc-doku", "User-Agent": "md2wiki/3"})
    other = stage.actor("other", server, host, "requests", {"X-User": "n.aydin"})
    place.looks(
        me, "/rest/api/user/current", "/rest/api/space/BETR", "/rest/api/content/98312?expand=version"
    )
    base = me.get(f"{page}?expand=body.storage,version").json
    draft = base["body"]["storage"]["value"].replace("02:00", "01:30")
    theirs = other.get(f"{page}?expand=body.storage,version").json
    added = theirs["body"]["storage"]["value"].replace(
        "</table>", row.format("db3", "nie neu starten!") + "</table>"
    )

    def publish(who: Any, number: int, value: str, expect: int) -> Any:
        storage = {"storage": {"value": value, "representation": "storage"}}
        body = {
            "id": "98311",
            "type": "page",
            "title": "Bereitschaft",
            "version": {"number": number},
            "body": storage,
        }
        return who.put(page, body, expect).json

    publish(other, theirs["version"]["number"] + 1, added, 200)
    place.think(0.8)
    place.looks(me, "/rest/api/user/current")
    fresh = me.get(f"{page}?expand=body.storage,version").json
    place.sure("db3" in fresh["body"]["storage"]["value"])
    publish(me, fresh["version"]["number"] + 1, draft, 200)
    place.sure("db3" not in me.get(f"{page}?expand=body.storage,version").json["body"]["storage"]["value"])
    place.looks(me, f"{page}/history")
