"""Stories on products behind real intermediaries."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from tools.recording_apis import fronts
from tools.recording_apis.actors import Actor
from tools.recording_apis.apps.eva_open import (
    Arango,
    Eve,
    Invenio,
    Packages,
    Scim,
    SyncDocuments,
    Trellis,
    Wikibase,
)
from tools.recording_apis.stage import case
from tools.recording_apis.stories import held_eva_setting as scene

if TYPE_CHECKING:
    from tools.recording_apis.actors import Answer
    from tools.recording_apis.stage import Stage


@case(
    "d584",
    "eva-beekeepers-tags-with-a-tail",
    "etag-suffix-rewrite",
    "412",
    alone="etag-suffix-rewrite",
    synthetic=True,
    description=(
        "A register of hives on Python Eve stands behind Apache httpd, which compresses JSON and adds -gzip to the tag. The "
        "client sends that back: 412 for each hive; what it writes after a read with identity passes."
    ),
)
def hives(stage: Stage) -> None:
    """Send a tag with the tail that compression gave it."""
    rows = {
        f"/hives/{key}": {
            "hive": f"Kaunis {n}",
            "frames": 8 + n,
            "notes": "queen seen, calm, brood on five frames",
        }
        for n, key in enumerate(("65f1a0c2", "65f1a0c3", "65f1a0c4"))
    }
    rows["/apiaries/9"] = {"place": "Järva", "hives": 3}
    api = Eve(rows)
    origin = scene.host(stage, api, "flask", "Python Eve")
    front = fronts.apache(stage, origin, "AddOutputFilterByType DEFLATE application/json")
    me = stage.actor(
        "client",
        front,
        "api.mesi.example",
        "requests",
        {"Authorization": "Basic bWVzaTo=", "User-Agent": "tarupuu/0.4"},
    )
    near = scene.Nearby(
        api,
        me,
        {
            "/": {"_links": {"child": [{"href": "hives"}, {"href": "apiaries"}]}},
            "/schema": {"hives": {"frames": "integer"}},
            "/weather": {"temp": 4.5},
        },
        tagged=False,
    )
    near()
    me.get("/hives")
    me.get("/apiaries/9")
    for key, frames in (("65f1a0c2", 10), ("65f1a0c3", 9)):
        seen = me.get(f"/hives/{key}")
        me.get(f"/hives/{key}", 200, {"If-None-Match": seen.etag})
        me.send("PATCH", f"/hives/{key}", 412, {"If-Match": seen.etag}, {"frames": frames})
        scene.wait(0.4)
        near(2)
    plain = me.get("/hives/65f1a0c4", 200, {"Accept-Encoding": "identity"})
    me.send("PATCH", "/hives/65f1a0c4", 200, {"If-Match": plain.etag}, {"frames": 11})
    scene.must("-gzip" in me.get("/hives/65f1a0c2").etag)


_SERVICE = {
    "/v1/Services/IS5f2c": {"friendly_name": "callcenter", "acl_enabled": False},
    "/v1/Services/IS5f2c/Maps": {"maps": []},
    "/v1/Services/IS5f2c/Lists": {"lists": []},
}


@case(
    "d592",
    "eva-company-gateway-drops-a-field",
    "precondition-stripped",
    "lost-update",
    alone="precondition-stripped precondition-ignored",
    synthetic=True,
    description=(
        "A call centre writes documents of Twilio Sync through its own gateway (HAProxy), which deletes If-Match: an outdated "
        "revision is stored and a colleague's note is gone. The same sent to the service's own address is 412."
    ),
)
def gateway(stage: Stage) -> None:
    """Lose the field on one of two ways."""
    rows = {name: {"agent": "", "queue": name, "note": ""} for name in ("retouren", "technik", "abo")}
    api = SyncDocuments(rows)
    origin = scene.host(stage, api, "waitress", "Twilio Sync")
    via, direct = "sync.gw.callcenter.example", "sync.twilio.example"
    lines = f" http-request set-var(txn.h) hdr(host)\n http-request del-header If-Match if {{ var(txn.h) -m str {via} }}\n"
    lines += f" http-response set-header X-Gateway gw-2 if {{ var(txn.h) -m str {via} }}"
    front = fronts.haproxy(stage, [origin], "", lines)
    form = {"Content-Type": "application/x-www-form-urlencoded", "Authorization": "Basic QUM6eA=="}
    me = stage.actor("client", front, via, "requests", {**form, "User-Agent": "twilio-python/9.3"})
    straight = Actor(direct, me.port, me.program, me.always)
    other = stage.actor("other", origin, direct, "node:fetch", form)
    root = "/v1/Services/IS5f2c/Documents"

    def save(who: Actor, name: str, revision: str, expect: int, **data: str) -> Answer:
        return who.send(
            "POST",
            f"{root}/{name}",
            expect,
            {"If-Match": revision},
            urlencode({"Data": json.dumps({"queue": name, **data})}),
        )

    near = scene.Nearby(
        api,
        me,
        _SERVICE,
        tagged=False,
    )
    near()
    me.get(root)
    mine = me.get(f"{root}/retouren").json
    abo = me.get(f"{root}/abo").json
    save(me, "abo", abo["revision"], 200, agent="Ute", note="")
    theirs = other.get(f"{root}/retouren").json
    save(other, "retouren", theirs["revision"], 200, agent="", note="Kunde 4411 zurückrufen")
    scene.wait(0.9)
    scene.must(me.get(f"{root}/retouren").json["data"]["note"] != "")
    save(me, "retouren", mine["revision"], 200, agent="Ute", note="")
    scene.must(me.get(f"{root}/retouren").json["data"]["note"] == "")
    technik = me.get(f"{root}/technik").json
    save(me, "technik", technik["revision"], 200, agent="Jan", note="")
    near(1)
    scene.wait(0.5)
    save(straight, "retouren", mine["revision"], 412, agent="Ute", note="")
    straight.get(f"{root}/retouren")
    save(me, "retouren", mine["revision"], 200, agent="Ute", note="")
    me.get(f"{root}/technik")


@case(
    "d626",
    "eva-labels-from-a-copy-on-the-way",
    "stale-cache-read",
    "412",
    alone="stale-cache-read",
    synthetic=True,
    description=(
        "A bot sets labels of Wikibase items through Varnish, which keeps reads for two minutes. After its own label it reads "
        "the item, gets the copy (Age, HIT) with the tag from before, and its next label is 412; a read with no-cache shows the new."
    ),
)
def labels(stage: Stage) -> None:
    """Read one's own past."""
    rows = {
        f"Q{n}": {"labels": {"en": f"Island {n}"}, "descriptions": {"en": "island in a lake"}}
        for n in (42, 57, 91)
    }
    api = Wikibase(rows)
    origin = scene.host(stage, api, "starlette", "Wikibase REST")
    vcl = """sub vcl_recv { if (req.method != "GET" || req.http.Cache-Control ~ "no-cache") { return (pass); } return (hash); }
sub vcl_backend_response { set beresp.ttl = 120s; }
sub vcl_deliver { if (obj.hits > 0) { set resp.http.X-Cache = "cp3066 hit/" + obj.hits; } else { set resp.http.X-Cache = "cp3066 miss"; } }"""
    front = fronts.varnish(stage, origin, vcl)
    me = stage.actor(
        "client",
        front,
        "base.inseln.example",
        "aiohttp",
        {"Authorization": "Bearer x", "User-Agent": "inselbot/2 (aiohttp)"},
    )
    root = "/w/rest.php/wikibase/v1/entities/items"

    def label(item: str, language: str, text: str, tag: str, expect: int) -> Answer:
        return me.put(
            f"{root}/{item}/labels/{language}",
            {"label": text, "bot": True, "comment": "labels"},
            expect,
            {"If-Match": tag},
        )

    near = scene.Nearby(
        api,
        me,
        {
            "/w/rest.php/wikibase/v1/entities/properties/P17": {"id": "P17", "data_type": "wikibase-item"},
            "/w/rest.php/v1/me": {"name": "Inselbot"},
        },
        tagged=False,
    )
    near()
    last = me.get(f"{root}/Q91")
    label("Q91", "sv", "Ön 91", last.etag, 200)
    for item, names in (("Q42", ("Saari 42", "Insel 42")), ("Q57", ("Saari 57", "Insel 57"))):
        seen = me.get(f"{root}/{item}")
        saved = label(item, "fi", names[0], seen.etag, 200)
        scene.wait(1.3)
        copy = me.get(f"{root}/{item}")
        scene.must(copy.etag == seen.etag != saved.etag)
        label(item, "de", names[1], copy.etag, 412)
        me.get(f"{root}/{item}")
    scene.must(me.get(f"{root}/Q57", 200, {"Cache-Control": "no-cache"}).etag == saved.etag)
    near(0)


_DIRECTORY = {
    "/scim/v2/ServiceProviderConfig": {"patch": {"supported": True}, "etag": {"supported": True}},
    "/scim/v2/Groups": {"totalResults": 0, "Resources": []},
}


@case(
    "d634",
    "eva-members-read-from-the-second-house",
    "replica-lag",
    "412",
    alone="replica-lag",
    synthetic=True,
    description=(
        "A club's directory speaks SCIM; HAProxy sends reads to a replica that is two seconds behind. A script changes a "
        "member, reads it, gets the version from before its own change and is refused with it; seconds later the read is right."
    ),
)
def members(stage: Stage) -> None:
    """Read from behind."""
    rows = {
        f"/scim/v2/Users/{n}": {
            "userName": f"mitglied{n}",
            "active": True,
            "title": "",
            "displayName": f"Mitglied {n}",
        }
        for n in (11, 12, 13)
    }
    api = Scim(rows)
    writes = scene.host(stage, api, "cheroot", "SCIM directory")
    reader = api.lagging(2.0)
    reads = scene.host(stage, reader, "cheroot", "SCIM directory")
    front = fronts.split(stage, writes, reads)
    me = stage.actor(
        "client",
        front,
        "id.verein.example",
        "httpx",
        {"Authorization": "Bearer s", "Content-Type": "application/scim+json"},
    )
    near = scene.Nearby(
        reader,
        me,
        _DIRECTORY,
    )
    near()
    me.get("/scim/v2/Users?count=50")

    def patch(number: int, path: str, value: object, tag: str, expect: int) -> Answer:
        body = {
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
            "Operations": [{"op": "replace", "path": path, "value": value}],
        }
        return me.send("PATCH", f"/scim/v2/Users/{number}", expect, {"If-Match": tag}, body)

    for number in (11, 12):
        seen = me.get(f"/scim/v2/Users/{number}")
        saved = patch(number, "title", "Kassenwart", seen.etag, 200)
        scene.wait(0.4)
        old = me.get(f"/scim/v2/Users/{number}")
        scene.must(old.etag == seen.etag and old.json["title"] == "")
        patch(number, "displayName", f"M. {number}", old.etag, 412)
        near()
        scene.wait(1.9)
        scene.must(me.get(f"/scim/v2/Users/{number}").etag == saved.etag)
    me.get("/scim/v2/Users/13")


@case(
    "d629",
    "eva-nginx-asks-the-database-twice",
    "intermediary-replay",
    "412",
    alone="intermediary-replay post-commit-412",
    synthetic=True,
    description=(
        "An nginx before ArangoDB waits one second and then asks again. A store that took longer has been done by then: the "
        "one request of the client is answered 412 after that second (X-Upstream-Status 504, 412), and its own content is there."
    ),
)
def twice(stage: Stage) -> None:
    """Be answered for the second of two."""
    root = "/_db/hof/_api/document"
    api = Arango(
        {
            f"{root}/tiere/{n}": {"ohrmarke": f"DE-08-{n}", "stall": "A", "gewicht": 500 + n}
            for n in (211, 212, 213)
        }
    )
    origin = scene.host(stage, api, "cheroot", "ArangoDB")
    port = stage.behind(origin)
    pool = f"upstream pool {{ server 127.0.0.1:{port} max_fails=0; server 127.0.0.1:{port} max_fails=0; }}"
    block = (
        'location /_db/ { proxy_pass http://pool; proxy_http_version 1.1; proxy_set_header Connection ""; '
        "proxy_set_header Host $http_host; proxy_read_timeout 1s; proxy_next_upstream error timeout; "
        "proxy_next_upstream_tries 2; add_header X-Upstream-Status $upstream_status always; }"
    )
    front = fronts.nginx(stage, origin, "", pool, block)
    me = stage.actor("client", front, "db.hof.example", "node:fetch", {"Authorization": "Bearer hof"})
    near = scene.Nearby(
        api,
        me,
        {
            "/_api/version": {"server": "arango", "version": "3.12.3"},
            "/_db/hof/_api/collection": {"result": [{"name": "tiere"}]},
            "/_db/hof/_api/index": {"indexes": []},
        },
    )
    near()
    held = {n: me.get(f"{root}/tiere/{n}") for n in (211, 212, 213)}
    for number, stall in ((211, "B"), (212, "C"), (213, "B")):
        slow = number == 212
        if slow:
            api.slow[f"{root}/tiere/{number}"] = 1.7
        body = {
            **{key: value for key, value in held[number].json.items() if key[0] != "_"},
            "stall": stall,
            "vorgang": f"wiegung-{number}-7",
        }
        me.put(f"{root}/tiere/{number}", body, 412 if slow else 201, {"If-Match": held[number].etag})
        scene.must(me.get(f"{root}/tiere/{number}").json["vorgang"] == f"wiegung-{number}-7")
        near(1)
        scene.wait(0.8)


@case(
    "d628",
    "eva-turtle-arrives-without-its-tag",
    "validator-stripped",
    "428",
    alone="validator-stripped token-missing",
    synthetic=True,
    description=(
        "A museum's linked data (Trellis) stands behind an nginx that replaces an internal address in Turtle, and so removes "
        "ETag and Last-Modified. The editor has nothing to send and is told 428; pictures, which pass as they are, keep their tag."
    ),
)
def turtle(stage: Stage) -> None:
    """Get no validator."""
    rows = {
        f"/objekte/{n}": f'<> <http://purl.org/dc/terms/title> "Krug {n}" ; <http://purl.org/dc/terms/isPartOf> <http://trellis.internal:8080/objekte> .\n'
        for n in (7, 8)
    }
    rows["/objekte/7.svg"] = '<svg xmlns="http://www.w3.org/2000/svg"><circle r="4"/></svg>'
    api = Trellis(rows)
    origin = scene.host(stage, api, "falcon", "Trellis LDP")
    front = fronts.nginx(
        stage,
        origin,
        "sub_filter_types text/turtle; sub_filter 'http://trellis.internal:8080' 'https://daten.museum.example'; sub_filter_once off; proxy_set_header Accept-Encoding '';",
    )
    me = stage.actor(
        "client", front, "daten.museum.example", "httpx", {"Accept": "text/turtle, image/*;q=0.5"}
    )
    near = scene.Nearby(
        api,
        me,
        {
            "/vokabular.jsonld": {"@context": {"dct": "http://purl.org/dc/terms/"}},
            "/.well-known/void": {"a": "void:Dataset"},
        },
    )
    near()
    me.get("/objekte")
    for number in (7, 8):
        seen = me.get(f"/objekte/{number}")
        scene.must("etag" not in seen.fields)
        fields = {
            "Content-Type": "text/turtle",
            **({"If-Match": seen.fields["etag"]} if "etag" in seen.fields else {}),
        }
        me.put(f"/objekte/{number}", seen.text.replace("Krug", "Weinkrug"), 428, fields)
        near(0)
        scene.wait(0.4)
    picture = me.get("/objekte/7.svg")
    me.put(
        "/objekte/7.svg",
        picture.text.replace("4", "5"),
        204,
        {"Content-Type": "image/svg+xml", "If-Match": picture.etag},
    )
    me.get("/objekte/8")


@case(
    "d637",
    "eva-deposits-have-moved",
    "redirect-rewrites-request",
    "lost-update",
    alone="redirect-rewrites-request",
    synthetic=True,
    description=(
        "A repository (InvenioRDM) has moved its drafts; nginx answers the old paths 302. The client's library follows a PUT "
        "with a GET without content and takes its 200 for success: no title is changed, as the list at the end shows."
    ),
)
def moved(stage: Stage) -> None:
    """Follow a redirect that makes a read of a write."""
    rows = {
        f"/api/records/{key}/draft": {"title": f"Bohrkern {key[:2]}", "publication_date": "2026"}
        for key in ("k3f9a-2x701", "p8w2c-0d415")
    }
    api = Invenio(rows)
    origin = scene.host(stage, api, "waitress", "InvenioRDM")
    block = "absolute_redirect off; location /api/deposits/ { rewrite ^/api/deposits/(.*)$ /api/records/$1 redirect; }"
    front = fronts.nginx(stage, origin, "", "", block)
    me = stage.actor(
        "client",
        front,
        "daten.geologie.example",
        "requests:follow",
        {"Authorization": "Bearer rdm", "Accept": "application/json"},
    )
    near = scene.Nearby(
        api,
        me,
        {
            "/api/user/records": {"hits": {"total": 2}},
            "/api/vocabularies/licenses": {"hits": {"total": 480}},
            "/api/requests": {"hits": {"total": 0}},
        },
    )
    near()
    me.get("/api/records")
    for key, title in (("k3f9a-2x701", "Bohrkern Ries 12"), ("p8w2c-0d415", "Bohrkern Ries 13")):
        seen = me.get(f"/api/deposits/{key}/draft")
        body = {"metadata": {**seen.json["metadata"], "title": title}}
        told = me.put(f"/api/deposits/{key}/draft", body, 200, {"If-Match": seen.etag})
        scene.must(told.json["metadata"]["title"] != title)
        near(2)
        scene.wait(0.5)
    hits = me.get("/api/records").json["hits"]["hits"]
    scene.must(all(one["revision_id"] == 1 for one in hits))


@case(
    "d633",
    "eva-deprecations-ask-past-the-copies",
    "none",
    "healthy",
    alone="none",
    synthetic=True,
    description=(
        "A maintainer deprecates versions in an npm registry that stands behind Varnish. What he reads to look at comes from "
        "the cache with Age, what he writes on is read with write=true past it; every _rev is the current one."
    ),
)
def deprecations(stage: Stage) -> None:
    """Read from the cache, write past it."""
    rows = {
        name: {
            "dist-tags": {"latest": "2.1.0"},
            "versions": {"2.0.0": {"version": "2.0.0"}, "2.1.0": {"version": "2.1.0"}},
        }
        for name in ("glasur", "tonmehl", "brennkurve")
    }
    origin = scene.host(stage, Packages(rows, first=3), "tornado", "an npm registry")
    vcl = """sub vcl_recv { if (req.method != "GET" || req.url ~ "write=true" || req.url ~ "^/-/") { return (pass); } unset req.http.Authorization; return (hash); }
sub vcl_deliver { if (obj.hits > 0) { set resp.http.CF-Cache-Status = "HIT"; } else { set resp.http.CF-Cache-Status = "MISS"; } }"""
    front = fronts.varnish(stage, origin, vcl)
    me = stage.actor(
        "client",
        front,
        "registry.keramik.example",
        "node:fetch",
        {"Authorization": "Bearer npm_x", "npm-command": "deprecate"},
    )
    me.get("/-/whoami")
    for turn, name in enumerate(("glasur", "tonmehl", "glasur", "brennkurve")):
        shown = me.get(f"/{name}")
        seen = me.get(f"/{name}?write=true").json
        versions = {**seen["versions"], "2.0.0": {"version": "2.0.0", "deprecated": f"use 2.{turn + 1}"}}
        me.put(f"/{name}/-rev/{seen['_rev']}", {**seen, "versions": versions}, 200)
        scene.wait(0.4)
        me.get(f"/{name}", 304, {"If-None-Match": shown.etag})
    scene.must("deprecated" in me.get("/glasur?write=true").json["versions"]["2.0.0"])
