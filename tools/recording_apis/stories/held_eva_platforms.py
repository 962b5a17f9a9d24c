"""Stories on open platforms with versions of their own, imitated."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from tools.recording_apis.apps.eva_core import guid
from tools.recording_apis.apps.eva_platforms import (
    Catalogue,
    Placement,
    Records,
    Remote,
    Statistics,
    Sync,
    WikiPages,
)
from tools.recording_apis.stage import case
from tools.recording_apis.stories import held_eva_setting as scene

if TYPE_CHECKING:
    from tools.recording_apis.actors import Answer
    from tools.recording_apis.stage import Stage


@case(
    "d591",
    "eva-agent-that-insists-on-its-generation",
    "retry-reuses-failed-token",
    "409",
    alone="retry-reuses-failed-token",
    also="other-writer status-dialect-mismatch",
    synthetic=True,
    description=(
        "A compute agent writes its inventory to OpenStack Placement. An operator has changed the reserve in between: 409 "
        "placement.concurrent_update. The agent waits longer and longer and sends the same generation five times, without a read."
    ),
)
def insists(stage: Stage) -> None:
    """Send again what was refused."""
    stock = {
        "VCPU": {"total": 64, "reserved": 0, "allocation_ratio": 4.0},
        "MEMORY_MB": {"total": 257000, "reserved": 512},
    }
    keys = {name: guid("rp", name) for name in ("cmp-07", "cmp-08")}
    api = Placement({key: {"name": name, "inventories": stock} for name, key in keys.items()}, first=41)
    server = scene.host(stage, api, "cheroot", "OpenStack Placement")
    domain = "placement.cloud.example"
    version = {"X-Auth-Token": "gAAAA", "OpenStack-API-Version": "placement 1.39"}
    me = stage.actor(
        "client", server, domain, "requests", {**version, "User-Agent": "nova-compute keystoneauth1/5.8"}
    )
    other = stage.actor("other", server, domain, "curl", version)
    usages = {
        f"/resource_providers/{keys['cmp-07']}/{what}": {what: {}, "resource_provider_generation": 41}
        for what in ("usages", "traits", "aggregates")
    }
    near = scene.Nearby(api, me, usages, tagged=False)
    me.get("/resource_providers?name=cmp-07")
    near()
    seen = me.get(f"/resource_providers/{keys['cmp-08']}/inventories").json
    me.put(f"/resource_providers/{keys['cmp-08']}/inventories", seen, 200)
    path = f"/resource_providers/{keys['cmp-07']}/inventories"
    mine, theirs = me.get(path).json, other.get(path).json
    other.put(
        path, {**theirs, "inventories": {**stock, "MEMORY_MB": {"total": 257000, "reserved": 8192}}}, 200
    )
    scene.wait(0.5)
    body = {**mine, "inventories": {**mine["inventories"], "DISK_GB": {"total": 3600}}}
    for pause in (0.2, 0.5, 1.1, 2.3, 0.3):
        me.put(path, body, 409)
        scene.wait(pause)
    scene.must("DISK_GB" not in me.get(path).json["inventories"])


_AROUND_THE_CAVE = {
    "/w/rest.php/v1/search/page": {"pages": [{"key": "Grotta_Azzurra"}, {"key": "Sentieri"}]},
    "/w/rest.php/v1/me": {"name": "BotOrari", "groups": ["bot"]},
    "/w/rest.php/v1/file/File:Grotta.jpg": {"title": "Grotta.jpg"},
}


@case(
    "d612",
    "eva-fresh-number-under-an-old-text",
    "blind-refresh",
    "lost-update",
    alone="blind-refresh",
    synthetic=True,
    description=(
        "A bot of a MediaWiki has the source of a page, works on it, then asks for the latest revision number only and sends "
        "its text with that: 200. What another wrote meanwhile is not in it; the history shows that revision and the loss."
    ),
)
def fresh_number(stage: Stage) -> None:
    """Refresh the number, not the text."""
    pages = {
        "Grotta_Azzurra": "== Accesso ==\nBarca.\n",
        "Orari": "Aperto dalle 9.\n",
        "Sentieri": "CAI 12.\n",
    }
    api = WikiPages(pages, first=4)
    server = scene.host(stage, api, "bottle", "MediaWiki REST")
    domain = "wiki.grotte.example"
    me = stage.actor(
        "client", server, domain, "aiohttp", {"X-User": "BotOrari", "User-Agent": "pywikibot/9.5"}
    )
    other = stage.actor("other", server, domain, "node:fetch", {"X-User": "Lucia"})
    root = "/w/rest.php/v1/page"
    near = scene.Nearby(
        api,
        me,
        _AROUND_THE_CAVE,
    )
    near()
    me.get(f"{root}/Orari/bare")
    sources = {key: me.get(f"{root}/{key}").json["source"] for key in ("Grotta_Azzurra", "Sentieri")}
    theirs = other.get(f"{root}/Grotta_Azzurra").json
    other.put(
        f"{root}/Grotta_Azzurra",
        {
            "source": theirs["source"] + "== Avviso ==\nChiusa per mareggiata.\n",
            "comment": "",
            "latest": {"id": theirs["latest"]["id"]},
        },
        200,
    )
    scene.wait(1.1)
    near(0, 2)
    for key, source in sources.items():
        latest = me.get(f"{root}/{key}/bare").json["latest"]["id"]
        me.put(
            f"{root}/{key}",
            {
                "source": source + "{{Orari|inverno}}\n",
                "comment": "orari invernali",
                "latest": {"id": latest},
            },
            200,
        )
        scene.wait(0.3)
    scene.must("Avviso" not in me.get(f"{root}/Grotta_Azzurra").json["source"])
    me.get(f"{root}/Grotta_Azzurra/history")


_BROWSER = {
    "/1.5/18814/info/quota": [91.2, None],
    "/1.5/18814/storage/meta/global": {"id": "global", "payload": "{}"},
    "/1.5/18814/storage/crypto/keys": {"id": "keys", "payload": "{}"},
}


@case(
    "d604",
    "eva-bookmarks-guarded-all-together",
    "coarse-token-scope",
    "412",
    alone="coarse-token-scope",
    also="other-writer",
    synthetic=True,
    description=(
        "A browser stores one bookmark through Firefox Sync with the time of the whole collection. A telephone has added "
        "another bookmark: 412, twice; what is newer is each time another object than the one that is to be stored."
    ),
)
def together(stage: Stage) -> None:
    """Be refused for what another has done to another thing."""
    rows = {
        key: f'{{"ciphertext":"{key}AAA","IV":"x"}}'
        for key in ("pXk2a9Qw71Lm", "q0Bz8yTt62Rn", "uu4Jd1sVc93e")
    }
    api = Sync(rows)
    server = scene.host(stage, api, "waitress", "Firefox Sync")
    me = stage.actor(
        "client",
        server,
        "sync-1-us.sync.example",
        "httpx",
        {"Authorization": 'Hawk id="a"', "User-Agent": "Firefox/133.0"},
    )
    other = stage.actor(
        "other",
        server,
        "sync-1-us.sync.example",
        "java",
        {"Authorization": 'Hawk id="b"', "Content-Type": "application/json"},
    )
    root = "/1.5/18814"
    near = scene.Nearby(api, me, _BROWSER, tagged=False)
    near()
    me.get(f"{root}/info/collections")
    held = me.get(f"{root}/storage/bookmarks?full=1").fields["x-last-modified"]
    for turn, name in enumerate(("zP7aa1Lk0Qwx", "zP7aa1Lk0Qwy")):
        other.send(
            "POST",
            f"{root}/storage/bookmarks",
            200,
            None,
            [{"id": name, "payload": f'{{"ciphertext":"new{turn}"}}'}],
        )
        scene.wait(0.7)
        mine = [{"id": "q0Bz8yTt62Rn", "payload": '{"ciphertext":"q0edited"}'}]
        me.send("POST", f"{root}/storage/bookmarks", 412, {"X-If-Unmodified-Since": held}, mine)
        newer = me.get(f"{root}/storage/bookmarks?full=1&newer={held}")
        scene.must([one["id"] for one in newer.json] == [name])
        held = newer.fields["x-last-modified"]
        near(0)
        scene.wait(0.4)
    me.get(f"{root}/info/collections")


@case(
    "d603",
    "eva-course-profile-without-a-condition",
    "token-missing",
    "409",
    alone="token-missing",
    synthetic=True,
    description=(
        "A course stores a learner's state in an xAPI record store, which needs no condition, and her profile, which does: "
        "PUT on the existing profile without If-Match is 409, and the text says which header to send. It tries twice."
    ),
)
def profile(stage: Stage) -> None:
    """Leave out what is wanted."""
    rows = {
        "/xapi/agents/profile?sprache": {"locale": "de", "untertitel": False},
        "/xapi/activities/state?lesezeichen": {"seite": 3},
    }
    api = Records(rows)
    server = scene.host(stage, api, "flask", "an xAPI record store")
    me = stage.actor(
        "client",
        server,
        "lrs.bergwacht.example",
        "node:axios",
        {"Authorization": "Basic a3Vycw==", "X-Experience-API-Version": "1.0.3"},
    )
    agent = "agent=%7B%22mbox%22%3A%22mailto%3Aana%40bergwacht.example%22%7D"
    state = (
        f"/xapi/activities/state?activityId=https%3A%2F%2Fbergwacht.example%2Flvs&{agent}&stateId=lesezeichen"
    )
    own = f"/xapi/agents/profile?{agent}&profileId=sprache"
    near = scene.Nearby(
        api,
        me,
        {"/xapi/about": {"version": ["1.0.3"]}, "/xapi/statements": {"statements": [], "more": ""}},
        tagged=False,
    )
    near()
    for page in (4, 5):
        me.get(state)
        me.put(state, {"seite": page}, 204)
    seen = me.get(own)
    for _ in range(2):
        me.put(own, {**seen.json, "untertitel": True}, 409)
        near(1)
        scene.wait(0.5)
    scene.must(me.get(own).etag == seen.etag)
    me.put(state, {"seite": 6}, 204)


@case(
    "d621",
    "eva-telephone-adds-a-field-to-the-store",
    "implicit-precondition",
    "412",
    alone="implicit-precondition",
    synthetic=True,
    description=(
        "An app on remoteStorage puts documents without any condition. On one maker's telephones the system's cache adds the "
        "If-None-Match that it knows, to PUT as well: 412, as long as the document is what the cache holds. Others store it."
    ),
)
def adds(stage: Stage) -> None:
    """Have a cache add a condition."""
    rows = {
        f"/storage/mira/myfavoritedrinks/{name}": {"name": name, "rating": 3}
        for name in ("tee", "malzkaffee", "molke")
    }
    api = Remote(rows)
    server = scene.host(stage, api, "falcon", "remoteStorage")
    domain = "storage.mira.example"
    me = stage.actor(
        "client",
        server,
        domain,
        "httpx",
        {"Authorization": "Bearer rs", "User-Agent": "Drinks/58 CFNetwork/1568.200.51 Darwin/24.1.0"},
    )
    other = stage.actor(
        "other", server, domain, "java", {"Authorization": "Bearer rs", "User-Agent": "Drinks/58 okhttp/4.12"}
    )
    root = "/storage/mira/myfavoritedrinks"
    near = scene.Nearby(
        api,
        me,
        {
            "/.well-known/webfinger": {"subject": "acct:mira@storage.mira.example"},
            "/storage/mira/public/avatar": {"initial": "M"},
        },
    )
    near()
    me.get(f"{root}/")
    for name in ("tee", "molke"):
        seen = me.get(f"{root}/{name}")
        me.get(f"{root}/{name}", 304, {"If-None-Match": seen.etag})
        scene.wait(0.3)
        me.put(f"{root}/{name}", {**seen.json, "rating": 5}, 412, {"If-None-Match": seen.etag})
        scene.wait(0.3)
        me.get(f"{root}/{name}", 304, {"If-None-Match": seen.etag})
    me.put(f"{root}/kakao", {"name": "kakao", "rating": 4}, 201)
    other.put(f"{root}/malzkaffee", {**other.get(f"{root}/malzkaffee").json, "rating": 1}, 200)


@case(
    "d616",
    "eva-message-that-says-when-it-was-made",
    "unstable-etag",
    "412",
    alone="unstable-etag",
    synthetic=True,
    description=(
        "An SDMX registry makes the tag of a structure from the whole message, with its id and the time it was prepared: two "
        "reads at once have two tags over the same dataflow, a poll is never 304, and each PUT with If-Match is 412."
    ),
)
def prepared(stage: Stage) -> None:
    """Never meet a tag again."""
    rows = {
        f"/sdmx/v2/structure/dataflow/BNS/{name}/1.2": {
            "id": name,
            "agencyID": "BNS",
            "version": "1.2",
            "name": name.title(),
            "isFinal": False,
        }
        for name in ("RETAIL", "FUEL")
    }
    api = Statistics(rows)
    codes = "/sdmx/v2/structure/codelist/BNS/CL_GEO/1.0"
    api.beside(
        codes,
        {"data": {"codelists": [{"id": "CL_GEO", "codes": [{"id": "NO"}, {"id": "SE"}]}]}},
        ETag='"cl-44"',
    )
    server = scene.host(stage, api, "starlette", "an SDMX registry")
    me = stage.actor(
        "client",
        server,
        "registry.stats.example",
        "urllib",
        {"Accept": "application/vnd.sdmx.structure+json", "User-Agent": "sdmx1/2.18"},
    )
    me.get(codes, 304, {"If-None-Match": me.get(codes).etag})
    for path in rows:
        first, second = me.get(path), me.get(path)
        scene.must(first.etag != second.etag and first.json["data"] == second.json["data"])
        me.get(path, 200, {"If-None-Match": second.etag})
        flow = {**second.json["data"]["dataflows"][0], "name": "Handel"}
        me.put(path, flow, 412, {"If-Match": second.etag})
        scene.wait(0.4)
    scene.must(me.get(path).json["data"]["dataflows"][0]["name"] != "Handel")


_LAKE = {
    "/v1/namespaces": {"namespaces": [["roh"], ["fein"]]},
    "/v1/namespaces/fein/views": {"identifiers": []},
}


@case(
    "d636",
    "eva-two-appends-on-one-snapshot",
    "check-then-write-race",
    "lost-update",
    alone="check-then-write-race",
    synthetic=True,
    description=(
        "Two workers of a loader append to an Iceberg table through a REST catalogue that checks the snapshot and commits a "
        "third of a second later: both are told 200, and the first one's snapshot is in no list. A later append on it is 409."
    ),
)
def appends(stage: Stage) -> None:
    """Both be told that it is done."""
    base: dict[str, Any] = {
        "format-version": 2,
        "current-snapshot-id": 8101,
        "snapshots": [{"snapshot-id": 8101, "summary": {"operation": "append", "added-records": "400"}}],
    }
    api = Catalogue({"fahrten": base, "pegel": base})
    server = scene.host(stage, api, "waitress", "an Iceberg REST catalogue")
    me = stage.actor(
        "client",
        server,
        "katalog.verkehr.example",
        "httpx",
        {"Authorization": "Bearer ice", "User-Agent": "PyIceberg/0.8.1"},
    )
    near = scene.Nearby(
        api,
        me,
        _LAKE,
        tagged=False,
    )
    near()
    me.get("/v1/config")
    me.get("/v1/namespaces/roh/tables")

    def append(table: str, parent: int, number: int, expect: int = 200) -> Answer:
        snapshot = {
            "snapshot-id": number,
            "parent-snapshot-id": parent,
            "summary": {"operation": "append", "added-records": str(number % 100)},
        }
        body = {
            "requirements": [{"type": "assert-ref-snapshot-id", "ref": "main", "snapshot-id": parent}],
            "updates": [
                {"action": "add-snapshot", "snapshot": snapshot},
                {"action": "set-snapshot-ref", "ref-name": "main", "type": "branch", "snapshot-id": number},
            ],
        }
        return me.send("POST", f"/v1/namespaces/roh/tables/{table}", expect, None, body)

    me.get("/v1/namespaces/roh/tables/pegel")
    append("pegel", 8101, 8177)
    me.get("/v1/namespaces/roh/tables/fahrten")
    scene.together(partial(append, "fahrten", 8101, 8231), partial(append, "fahrten", 8101, 8232), apart=0.12)
    scene.wait(0.3)
    near(1)
    now = me.get("/v1/namespaces/roh/tables/fahrten").json["metadata"]
    scene.must([one["snapshot-id"] for one in now["snapshots"]] == [8101, 8232])
    append("fahrten", 8231, 8240, 409)
    me.get("/v1/namespaces/roh/tables/fahrten")
