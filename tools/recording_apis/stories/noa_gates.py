"""More of what stands between: a filter script, an encoder, nodes without a common source of tags, a store of reads."""

from __future__ import annotations

import time

from tools.recording_apis import fronts
from tools.recording_apis.stage import Stage, case
from tools.recording_apis.stories import noa_setting as place
from tools.recording_apis.stories.noa_setting import bearer, must

_LUA = """
          - name: envoy.filters.http.lua
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua
              default_source_code:
                inline_string: "function envoy_on_request(h) h:headers():remove('if-match') end"
"""
_NOTE = "Ingredients: flour, butter, sugar, eggs, lemon peel. Rest the dough for an hour in the cold. " * 8


@case(
    "b485",
    "account-card-never-moves",
    "stale-cache-read",
    "wrong-304",
    alone="stale-cache-read cache-misevaluates",
    description=(
        "Salesforce accounts behind Apache's mod_cache: a call centre polls an account with If-None-Match and gets 304 "
        "from the store although a manager has changed it; a reload with no-cache gives a version whose Last-Modified "
        "lies before those 304."
    ),
    synthetic=True,
)
def account(stage: Stage) -> None:
    """Poll a store."""
    path = "/services/data/v62.0/sobjects/Account/001xx000003DHP"
    server = place.api(
        stage, "plain", {path: {"Name": "Delta Foods", "Phone": "555-20"}}, KIND="salesforce", FLAGS="maxage"
    )
    body = "CacheRoot DIR/store\nCacheEnable disk /services/\nCacheHeader on\nCacheIgnoreCacheControl Off"
    front = fronts.apache(stage, server, body)
    me = stage.actor("client", front, "crm.centre.test", "requests", {"X-User": "x.agent-7"})
    other = stage.actor("other", server, "crm.centre.test", "httpx", {"X-User": "x.manager"})
    tag = me.get(path).etag
    me.get(path, 304, {"If-None-Match": tag})
    seen = other.get(path)
    other.send("PATCH", path, 200, {"If-Match": seen.etag}, {"Phone": "555-88"})
    for _ in range(4):
        time.sleep(0.9)
        place.browse(me, "t")
        me.get(path, 304, {"If-None-Match": tag})
    fresh = me.get(path, 200, {"Cache-Control": "no-cache"})
    must(fresh.etag != tag and fresh.json["Phone"] == "555-88", "no change")


@case(
    "b492",
    "envoy-script-removes-the-guard",
    "precondition-stripped",
    "lost-update",
    alone="precondition-ignored precondition-stripped",
    description=(
        "Twilio Sync behind an Envoy whose Lua filter removes If-Match: a referee's tablet, which has already seen the "
        "other tablet's score, sends an older form with the older tag; it is taken, and the score is gone. The origin's "
        "file has the request without the field."
    ),
    synthetic=True,
)
def referee(stage: Stage) -> None:
    """Write with an outdated tag through a filter."""
    path = "/v1/Services/ISfake/Documents/match-9"
    value = {"home": 2, "away": 1, "cards": 0}
    server = place.api(stage, "plain", {path: value}, KIND="twilio")
    front = fronts.envoy(stage, [server], _LUA, config="lua: remove('if-match')")
    me = stage.actor("client", front, "sync.twilio.test", "node:fetch", bearer("tablet-1"))
    other = stage.actor("other", front, "sync.twilio.test", "requests", bearer("tablet-2"))
    place.browse(me, "cwt")
    old = me.get(path)
    theirs = other.get(path)
    other.send("POST", path, 200, {"If-Match": theirs.etag}, {"away": 2})
    time.sleep(0.6)
    must(me.get(path).json["data"]["away"] == 2, "not seen")
    me.send("POST", path, 200, {"If-Match": old.etag}, {**value, "cards": 1})
    must(me.get(path).json["data"]["away"] == 1, "not lost")


@case(
    "b500",
    "two-databases-two-tags",
    "inconsistent-backends",
    "412",
    alone="inconsistent-backends",
    description=(
        "Oracle's database service on two nodes behind HAProxy in turns: each node makes tags of a key of its own, so a "
        "shape that nobody changes has two tags in turns and an update by the tag of one node meets the other."
    ),
    synthetic=True,
)
def databases(stage: Stage) -> None:
    """Update by the tag of another node."""
    path = "/20160918/dbSystems/ocid1.dbsystem.oc1..fake"
    seed = {path: {"displayName": "ledger", "cpuCoreCount": 4, "lifecycleState": "AVAILABLE"}}
    nodes = [
        place.api(stage, "plain", seed, "cheroot", KIND="oracle", SALT=f"boot-{n}", WRITTEN="1795100000.0")
        for n in (1, 2)
    ]
    front = fronts.haproxy(stage, nodes)
    me = stage.actor("client", front, "database.oraclecloud.test", "aiohttp", bearer("tf"))
    seen = [me.get(path) for _ in range(6)]
    must(len({one.etag for one in seen}) == 2 and len({one.text for one in seen}) == 1, "not two tags")
    for _ in range(2):
        tag = me.get(path).etag
        me.put(path, {"displayName": "ledger", "cpuCoreCount": 8}, 412, {"If-Match": tag})
    me.get(path)
    me.get(path)


@case(
    "b503",
    "apache-brotli-on-notes",
    "etag-suffix-rewrite",
    "412",
    alone="etag-suffix-rewrite",
    description=(
        "Nextcloud Notes behind Apache with mod_brotli: the tag ends in -br, the note's save with it is refused; with "
        "Accept-Encoding: identity the tag is without it and the save goes through."
    ),
    synthetic=True,
)
def brotli(stage: Stage) -> None:
    """Send the tag that Apache made."""
    path = "/index.php/apps/notes/api/v1/notes/31"
    server = place.api(stage, "plain", {path: {"title": "Tart", "content": _NOTE}}, "cheroot", KIND="notes")
    front = fronts.apache(stage, server, "SetOutputFilter BROTLI_COMPRESS")
    me = stage.actor("client", front, "cloud.bakery.test", "node:fetch", {"X-User": "x.luc"})
    coded = me.get(path, 200, {"Accept-Encoding": "br"})
    must(coded.etag.endswith('-br"'), f"no suffix: {coded.etag}")
    new = {"title": "Lemon tart", "content": _NOTE}
    me.put(path, new, 412, {"If-Match": coded.etag})
    time.sleep(0.4)
    plain = me.get(path, 200, {"Accept-Encoding": "identity"})
    me.put(path, new, 200, {"If-Match": plain.etag, "Accept-Encoding": "identity"})
