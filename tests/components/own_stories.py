"""Stories of components that no recording shows; they are played, not kept."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tools.recording.components import ENVOY_COMPRESSOR
from tools.recording.origin import Habits, content_tag
from tools.recording.stage import Case as ComponentCase
from tools.recording_apis.stage import Case as ServerCase

if TYPE_CHECKING:
    from tools.recording.stage import Stage as ComponentStage
    from tools.recording_apis.stage import Stage as ServerStage


def haproxy_round_robin(stage: ComponentStage) -> None:
    """Read from one node, write to the other, by HAProxy's turn."""
    one = stage.origin(Habits(tag=lambda resource: "n1" + content_tag(resource)[:12]))
    two = stage.origin(Habits(tag=lambda resource: "n2" + content_tag(resource)[2:14]))
    two.resources, two.lock = one.resources, one.lock
    path, plan = "/plans/winter", {"route": "north", "days": 4}
    one.store(path, plan)
    ports = [stage.tap(one.port, "upstream1"), stage.tap(two.port, "upstream2")]
    nodes = "\n".join(f" server n{number} 127.0.0.1:{port}" for number, port in enumerate(ports, 1))
    front = stage.haproxy(f"backend origin\n balance roundrobin\n option httpclose\n{nodes}")
    me = stage.client(front, "plans.example.test", "requests")
    for _ in range(2):
        read = me.get(path)
        me.put(path, {**plan, "days": 5}, {"If-Match": read.etag})
        time.sleep(0.2)
        me.get(path)
        me.get(path)


def envoy_compressor(stage: ComponentStage) -> None:
    """Overwrite another's change because Envoy took the tag off what it compressed."""
    plan = {"route": "north", "days": 4, "stops": [f"hut {number}" for number in range(40)]}
    origin = stage.origin(Habits(emit_last_modified=False))
    origin.store("/plans/autumn", plan)
    tap = stage.tap(origin.port)
    me = stage.client(stage.envoy([tap], ENVOY_COMPRESSOR), "plans.example.test", "axios")
    other = stage.other(tap, "plans.example.test", "httpx")
    me.get("/plans/autumn")
    time.sleep(0.3)
    seen = other.get("/plans/autumn")
    other.put("/plans/autumn", {**plan, "route": "south"}, {"If-Match": seen.etag})
    time.sleep(0.3)
    me.put("/plans/autumn", {**plan, "days": 5})
    me.get("/plans/autumn")


def django_gzip(stage: ServerStage) -> None:
    """Send the tag that GZipMiddleware has weakened, then the one of an answer that is not compressed."""
    server = stage.server("application", app="notes_django", GZIP="1")
    me = stage.actor("client", server, "grants.example.test")
    note = {"title": "Roof repair", "budget": 9000, "text": "Tiles, gutters and scaffolding. " * 20}
    me.put("/notes/14", note, 201, {"If-None-Match": "*", "Accept-Encoding": "identity"})
    for _ in range(2):
        time.sleep(0.3)
        tag = me.get("/notes/14", 200, {"Accept-Encoding": "gzip"}).etag
        me.put("/notes/14", {**note, "budget": 9400}, 412, {"If-Match": tag, "Accept-Encoding": "gzip"})
    tag = me.get("/notes/14", 200, {"Accept-Encoding": "identity"}).etag
    me.put("/notes/14", {**note, "budget": 9400}, 200, {"If-Match": tag, "Accept-Encoding": "identity"})


ROUND_ROBIN = ComponentCase(
    id="haproxy-round-robin",
    slug="haproxy-round-robin",
    cause="inconsistent-backends",
    outcome="412",
    alone=("inconsistent-backends", "unstable-etag"),
    also=(),
    description="Two nodes salt their tags; HAProxy sends each request to the other one.",
    config=("balance roundrobin",),
    notes=(),
    expect={"client": (200, 412, 200, 200, 200, 412, 200, 200)},
    drive=haproxy_round_robin,
)

COMPRESSOR = ComponentCase(
    id="envoy-compressor",
    slug="envoy-compressor",
    cause="validator-stripped",
    outcome="lost-update",
    alone=("none", "validator-stripped", "unconditional-write"),
    also=("unconditional-write",),
    description="Envoy deletes the strong tag of what it compresses; the unguarded write undoes another's.",
    config=("envoy.filters.http.compressor gzip",),
    notes=(),
    expect={"client": (200, 200, 200)},
    drive=envoy_compressor,
)

GZIP_MIDDLEWARE = ServerCase(
    id="django-gzip",
    slug="django-gzip",
    cause="etag-weakened",
    outcome="412",
    alone=("etag-weakened",),
    also=(),
    description="GZipMiddleware makes the tag weak, and Django's own If-Match compares strongly.",
    synthetic=False,
    notes=(),
    drive=django_gzip,
)
