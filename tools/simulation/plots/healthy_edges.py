"""Healthy traffic through encoders, caches, balancers, redirects, browsers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tools.simulation.between import Balancer, Cache, Encoder
from tools.simulation.messages import Request, Response
from tools.simulation.origin import Counted, CrossOrigin, Origin
from tools.simulation.plots.encodings import ZIPPING

if TYPE_CHECKING:
    from tools.simulation.kernel import Flow
    from tools.simulation.stage import Stage, Told
from tools.simulation.plots.healthy import fine


def missing_then_made(stage: Stage) -> Told:
    """404, create, read, update."""
    me = stage.editor()

    def story() -> Flow[None]:
        yield from me.read(stage.key)
        document = stage.skin.topic.first(stage.rng)
        answer = yield from me.agent.send(stage.skin.create(stage.key, document))
        me.token, me.document = stage.skin.token_of(answer), document
        yield from me.agent.think(0.2, 2)
        yield from me.read(stage.key)
        yield from me.save(stage.key, stage.edit(me.document))

    stage.play(story())
    return fine("missing-then-made", "404 at first, then created with a guard, read and updated.")


def taken_names(stage: Stage) -> Told:
    """409 for a duplicate that the user is told about, then another name."""
    me = stage.editor()
    bodies = (
        '{"error":"email_taken","message":"An account with this e-mail exists."}',
        '{"code":"duplicate_key","field":"slug"}',
        '{"message":"A project with this name already exists"}',
    )
    stage.origin.hooks.append(
        Counted(
            lambda request: request.method == "POST",
            lambda _request: stage.skin.json_answer(409, bodies[stage.skin.wording % 3]),
        )
    )
    stage.origin.hooks.append(
        lambda request: (
            stage.skin.json_answer(201, '{"id":"88","ok":true}') if request.method == "POST" else None
        )
    )

    def story() -> Flow[None]:
        url = f"{stage.skin.origin_url}{stage.skin.prefix}/accounts"
        for name in ("anna", "anna2"):
            yield from me.agent.send(
                Request("POST", url, [("Content-Type", "application/json")], json.dumps({"name": name}))
            )
            yield from me.agent.think(2, 8)

    stage.play(story())
    told = fine(
        "name-taken-form",
        "A form is told that a name is taken (409 without any condition or version), and takes another.",
        design=True,
    )
    told.also = ()
    return told


def encoded_reading(stage: Stage) -> Told:
    """Weak or suffixed tags on reads only: 304s work, nobody writes."""
    stage.first()
    look, mode, undo = stage.rng.choice(
        (("nginx", "weak", False), ("caddy", "-gzip", True), ("cloudflare", "weak", False))
    )
    stage.between(lambda inner: Encoder(stage.world, inner, look, mode, undo_for_reads=undo))
    me = stage.editor(kinds=ZIPPING)

    def story() -> Flow[None]:
        yield from me.read(stage.key)
        for _ in range(stage.rng.randrange(2, 5)):
            yield from me.agent.think(1, 5)
            yield from me.poll(stage.key)

    stage.play(story())
    return fine(
        "compressed-reading", "Compressed reads with a changed tag; revalidation works and nobody writes."
    )


def cached_reading(stage: Stage) -> Told:
    """A shared cache, and a write with a token read past its life."""
    stage.first()
    stage.skin.cache_control = "public, max-age=5"
    look = stage.rng.choice(("nginx", "varnish", "fastly", "cloudfront"))
    stage.between(lambda inner: Cache(stage.world, inner, look, 5.0))
    me = stage.editor()

    def story() -> Flow[None]:
        yield from me.read(stage.key)
        yield from me.agent.think(1, 3)
        yield from me.read(stage.key)
        yield 7.0
        yield from me.read(stage.key)
        yield from me.agent.think(0.2, 1)
        yield from me.save(stage.key, stage.edit(me.document))

    stage.play(story())
    return fine(
        "cached-then-fresh",
        "Reads through a cache; the one that feeds the write is fresh, and the write is taken.",
    )


def equal_nodes(stage: Stage) -> Told:
    """Nodes in turn whose tags agree."""
    stage.first()
    nodes = []
    for number in range(2):
        node = Origin(stage.world, stage.skin, stage.origin.store)
        node.commit = stage.origin.commit  # type: ignore[method-assign]
        node.node_fields = [("X-Node", f"app-{number + 1}")]
        nodes.append(node)
    stage.edge = Balancer(stage.world, nodes, stage.rng.choice(("haproxy", "envoy", "nginx")))
    me = stage.editor()

    def story() -> Flow[None]:
        for _ in range(3):
            yield from me.read(stage.key)
            yield stage.rng.uniform(0.1, 1)
        yield from me.save(stage.key, stage.edit(me.document))
        yield from me.look(stage.key)
        yield from me.poll(stage.key)

    stage.play(story())
    return fine(
        "equal-nodes",
        "Two nodes answer in turn and their tags agree: reads, 304s and a guarded write all fit.",
    )


def moved_for_good(stage: Stage) -> Told:
    """308: the write goes again with body and condition."""
    stage.first()
    me = stage.editor()
    old = stage.skin.url(stage.key)
    new = old.replace("/v1/", "/v2/") if "/v1/" in old else old + "/"

    def moved(request: Request) -> Response | None:
        if request.url == old and request.method not in {"GET", "HEAD"}:
            return Response(308, [("Location", new), ("Content-Length", "0")])
        if request.url == new:
            request.url = old
        return None

    stage.origin.hooks.append(moved)

    def story() -> Flow[None]:
        yield from me.read(stage.key)
        yield from me.agent.think(0.2, 2)
        request = stage.skin.write(stage.key, stage.edit(me.document), me.token, me.document)
        yield from me.agent.send(request)
        again = request.copy()
        again.url = new
        yield from me.agent.send(again)

    stage.play(story())
    return fine(
        "redirect-keeps-the-write",
        "308: the write goes again to the new path with its body and condition, and is taken there.",
    )


def cors_done_right(stage: Stage) -> Told:
    """ETag exposed, If-Match allowed."""
    stage.first()
    stage.skin.patch = False
    me = stage.editor(kinds=("chrome", "chrome2", "firefox", "safari"), credentials=False)
    site = "https://app.example.test"
    me.agent.own = [("Origin", site), ("Referer", f"{site}/")]
    stage.let_in(CrossOrigin(site, vary=True, exposes=True, allows=True))

    def story() -> Flow[None]:
        yield from me.read(stage.key)
        yield from me.agent.think(0.5, 4)
        ask = Request(
            "OPTIONS",
            stage.skin.url(stage.key),
            [
                ("Access-Control-Request-Method", "PUT"),
                ("Access-Control-Request-Headers", "content-type,if-match"),
            ],
        )
        yield from me.agent.send(ask, kind="preflight")
        yield from me.save(stage.key, stage.edit(me.document))
        yield from me.look(stage.key)

    stage.play(story())
    return fine(
        "cors-done-right", "A page of another origin: ETag is exposed, If-Match allowed; read and write work."
    )


def slow_answer(stage: Stage) -> Told:
    """A write that takes long and is answered."""
    stage.first()
    me = stage.editor()

    def story() -> Flow[None]:
        yield from me.read(stage.key)
        stage.origin.faults.stall = stage.rng.uniform(1.2, 4)
        yield from me.save(stage.key, stage.edit(me.document))
        stage.origin.faults.stall = 0.0
        yield from me.look(stage.key)
        yield from me.save(stage.key, stage.edit(me.document))

    stage.play(story())
    return fine(
        "slow-but-answered",
        "A write takes long and is answered; the client waits, takes the new token and goes on.",
    )


def dated(stage: Stage) -> Told:
    """If-Unmodified-Since as it should be."""
    stage.origin.faults.no_tags = True
    stage.skin.dates, stage.skin.patch = True, False
    stage.first()
    me = stage.editor()

    def story() -> Flow[None]:
        for _ in range(stage.rng.randrange(1, 4)):
            answer = yield from me.read(stage.key)
            date = (answer.field("Last-Modified") if isinstance(answer, Response) else "") or ""
            yield from me.agent.think(1.2, 4)
            request = stage.skin.write(stage.key, stage.edit(me.document), None, me.document)
            request.fields.append(("If-Unmodified-Since", date))
            yield from me.agent.send(request)
            yield from me.agent.think(1.2, 4)

    stage.play(story())
    return fine("dates-echoed", "Dates are echoed in If-Unmodified-Since, one writer; all writes are taken.")


def lost_read(stage: Stage) -> Told:
    """A read that got no answer, read again; then a good write."""
    stage.first()
    me = stage.editor()

    def story() -> Flow[None]:
        yield from me.agent.send(stage.skin.read(stage.key), limit=0.001)
        yield from me.agent.think(0.2, 1)
        yield from me.read(stage.key)
        yield from me.agent.think(0.2, 2)
        yield from me.save(stage.key, stage.edit(me.document))

    stage.play(story())
    return fine("read-again", "A read is given up, read again, and the write with its tag is taken.")
