"""More stories on intermediaries before small services."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools.recording_apis import fronts
from tools.recording_apis.apps.vic_core import Box, Doc, Req, Res
from tools.recording_apis.stage import case
from tools.recording_apis.stories import vic_setting as place

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tools.recording_apis.stage import Stage


def _tag(_path: str, doc: Doc) -> str:
    return f'"{doc.rev}.{doc.digest("sha1")[:8]}"'


@case(
    "d281",
    "vic-proxy-judges-a-read-by-its-store",
    "cache-misevaluates",
    "412",
    alone="cache-misevaluates stale-cache-read",
    also="stale-cache-read",
    description=(
        "A feed that is never stored tells a mirror the newest tag of each chart, and it asks for just that version "
        "with If-Match. Squid has the version before and answers 412 with a page of its own; the origin saw nothing."
    ),
)
def mirror(stage: Stage) -> None:
    """Ask for a version through a store that has another."""
    box = Box(
        {f"/charts/{n}": {"chart": n, "ed": 1} for n in ("a1", "b2")},
        _tag,
        extra={"Cache-Control": "max-age=300"},
    )

    def listing(_req: Req, path: str, below: Mapping[str, Doc]) -> Res:
        rows = [{"href": key, "etag": _tag(key, one)} for key, one in below.items()]
        return Res(200, {"of": path, "rows": rows}, {"Cache-Control": "no-store"})

    box.listing = listing
    server = place.open_box(stage, box, "aiohttp")
    front = fronts.squid(stage, server, site="charts.pilotage.test")
    me = stage.actor("client", front, "charts.pilotage.test", "httpx", {"User-Agent": "chart-mirror/3"})
    other = stage.actor("other", server, "charts.pilotage.test", "requests", {"User-Agent": "survey-desk/1"})
    first = {row["href"]: row["etag"] for row in me.get("/charts").json["rows"]}
    for path, tag in first.items():
        me.get(path, 200, {"If-Match": tag})
        me.get(path)
    theirs = other.get("/charts/b2")
    other.put("/charts/b2", {"chart": "b2", "ed": 2}, 200, {"If-Match": theirs.etag})
    place.rest(1.1)
    now = {row["href"]: row["etag"] for row in me.get("/charts").json["rows"]}
    place.sure(now["/charts/b2"] != first["/charts/b2"])
    for _ in range(2):
        told = me.get("/charts/b2", 412, {"If-Match": now["/charts/b2"]})
        place.sure("squid" in told.text.lower(), told.text[:200])
        place.rest(0.4)
    place.sure(me.get("/charts/b2", 200, {"Cache-Control": "no-cache"}).etag == now["/charts/b2"])


@case(
    "d282",
    "vic-moved-and-turned-into-a-read",
    "redirect-rewrites-request",
    "lost-update",
    alone="redirect-rewrites-request",
    description=(
        "nginx answers the former paths of a fleet with 302; requests turns the PUT into a GET of the new one, which "
        "says 200, so that the program believes that it has saved. The next reads show the value from before."
    ),
)
def moved(stage: Stage) -> None:
    """Follow a redirect with a write."""
    docs = {f"/fleet/boats/{n}": {"boat": n, "skipper": "Ole", "berth": 3} for n in ("gull", "tern", "skua")}
    server = place.open_box(stage, Box(docs, _tag, dates=True), "bottle")
    front = fronts.nginx(stage, server, block="location /boats/ { return 302 /fleet$request_uri; }")
    me = stage.actor("client", front, "fleet.marina.test", "requests:follow", {"X-User": "harbour"})
    me.get("/fleet/boats")
    for boat in ("gull", "tern"):
        seen = me.get(f"/boats/{boat}")
        told = me.put(f"/boats/{boat}", {**seen.json, "berth": 8}, 200, {"If-Match": seen.etag})
        place.sure(told.json["berth"] == 3)
        place.rest(0.4)
    place.sure(me.get("/fleet/boats/gull").json["berth"] == 3)
    direct = me.get("/fleet/boats/skua")
    me.put("/fleet/boats/skua", {**direct.json, "berth": 9}, 200, {"If-Match": direct.etag})


@case(
    "d283",
    "vic-envoy-and-equal-nodes",
    "none",
    "healthy",
    alone="none other-writer",
    description=(
        "Envoy before two nodes that agree on their tags. Two planners meet once: the second is refused, reads again, "
        "adds its own block to the colleague's and is stored; both blocks are in the end. The rest is everyday."
    ),
)
def equal(stage: Stage) -> None:
    """Heal a conflict behind two equal nodes."""
    one = Box({"/plans/w50": {"blocks": ["a"]}, **place.side("/crews", 4)}, _tag, say={412: "Plan a changé."})
    two = Box({}, _tag, say=one.say)
    two.docs = one.docs
    front = fronts.envoy(
        stage, [place.open_box(stage, one, "cheroot"), place.open_box(stage, two, "cheroot")]
    )
    me = stage.actor("client", front, "plans.theatre.example", "aiohttp", {"X-User": "mina"})
    other = stage.actor("other", front, "plans.theatre.example", "httpx", {"X-User": "noor"})
    crews = list(place.side("/crews", 4))
    place.stroll(me, crews, 8, 2)
    mine, theirs = me.get("/plans/w50"), other.get("/plans/w50")
    other.put("/plans/w50", {"blocks": [*theirs.json["blocks"], "n"]}, 200, {"If-Match": theirs.etag})
    place.rest(0.5)
    me.put("/plans/w50", {"blocks": [*mine.json["blocks"], "m"]}, 412, {"If-Match": mine.etag})
    again = me.get("/plans/w50")
    me.put("/plans/w50", {"blocks": [*again.json["blocks"], "m"]}, 200, {"If-Match": again.etag})
    place.sure(me.get("/plans/w50").json["blocks"] == ["a", "n", "m"])
    place.stroll(me, crews, 6, 15)
