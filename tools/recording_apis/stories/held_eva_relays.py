"""Stories on real stores behind real intermediaries."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tools.recording_apis import fronts
from tools.recording_apis.stage import case
from tools.recording_apis.stories import held_eva_setting as scene

if TYPE_CHECKING:
    from tools.recording_apis.stage import Stage


@case(
    "d588",
    "eva-big-recipes-come-with-a-weak-tag",
    "etag-weakened",
    "412",
    alone="etag-weakened",
    description=(
        "An nginx before SeaweedFS compresses JSON of some size and makes its strong tag weak by that. A kitchen sends the W/ "
        "tag back in If-Match: 412. A read with identity shows the same tag without W/; small recipes are stored."
    ),
)
def recipes(stage: Stage) -> None:
    """Send back a tag that was made weak on the way."""
    store = stage.server("seaweedfs")
    setup = stage.actor(
        "other", store, "rezepte.kantine.example", "requests", {"Content-Type": "application/json"}
    )
    setup.send("PUT", "/kantine", 200)
    setup.put(
        "/kantine/suppe.json",
        {"name": "Suppe", "zutaten": [{"was": f"Zutat {n}", "g": n * 15} for n in range(14)]},
        200,
    )
    setup.put("/kantine/eis.json", '{"name":"Eis"}', 200)
    stage.forget()
    scene.wait(1.2)
    front = fronts.nginx_gzip(stage, store)
    me = stage.actor(
        "client", front, "rezepte.kantine.example", "node:axios", {"Content-Type": "application/json"}
    )
    me.get("/kantine?list-type=2")
    small = me.get("/kantine/eis.json")
    me.put("/kantine/eis.json", '{"name":"Eis","g":90}', 200, {"If-Match": small.etag})
    for portions in (40, 60):
        big = me.get("/kantine/suppe.json")
        me.put("/kantine/suppe.json", {**big.json, "portionen": portions}, 412, {"If-Match": big.etag})
        scene.must(
            big.etag == "W/" + me.get("/kantine/suppe.json", 200, {"Accept-Encoding": "identity"}).etag
        )
        scene.wait(0.6)
    me.get("/kantine?list-type=2")


@case(
    "d624",
    "eva-edge-judges-by-what-it-keeps",
    "cache-misevaluates",
    "412",
    alone="cache-misevaluates",
    description=(
        "A Squid before SeaweedFS keeps price sheets. A till learns the new tag from the list and asks for just that version "
        "with If-Match: the cache compares with the old copy that it holds and answers 412 itself; with no-cache it is 200."
    ),
)
def edge(stage: Stage) -> None:
    """Be refused by a cache."""
    store = stage.server("seaweedfs")
    other = stage.actor(
        "other", store, "preise.baumarkt.example", "requests", {"Content-Type": "application/json"}
    )
    other.send("PUT", "/preise", 200)
    for name in ("farbe", "holz", "eisen"):
        other.put(
            f"/preise/{name}.json", {"liste": name, "stand": 1, "artikel": [n * 7 for n in range(20)]}, 200
        )
    stage.forget()
    scene.wait(1.1)
    rules = "refresh_pattern list-type 0 0% 0\nrefresh_pattern . 5 50% 10 ignore-no-store ignore-private override-expire override-lastmod\n"
    front = fronts.squid(stage, store, rules, "preise.baumarkt.example")
    me = stage.actor("client", front, "preise.baumarkt.example", "httpx", {"User-Agent": "kasse/11"})
    for name in ("farbe", "holz", "eisen"):
        me.get(f"/preise/{name}.json")
    for name in ("holz", "eisen"):
        other.put(
            f"/preise/{name}.json", {"liste": name, "stand": 2, "artikel": [n * 8 for n in range(20)]}, 200
        )
        scene.wait(1.2)
        told = me.get("/preise?list-type=2").text
        tag = '"' + re.findall(rf"{name}\.json</Key><ETag>&#34;(\w+)&#34;", told)[0] + '"'
        me.get(f"/preise/{name}.json", 412, {"If-Match": tag})
        me.get(f"/preise/{name}.json", 412, {"If-Match": tag})
        me.get(f"/preise/{name}.json", 200, {"If-Match": tag, "Cache-Control": "no-cache"})
    me.get("/preise/farbe.json")
