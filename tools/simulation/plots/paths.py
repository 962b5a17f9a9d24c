"""Proxies that strip, replay and redirect; nodes and replicas that disagree."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools.simulation.agents import Tap
from tools.simulation.between import Balancer, Impatient, Stripper
from tools.simulation.messages import Lost, Request, Response, Tape
from tools.simulation.origin import Origin
from tools.simulation.plots.conflicts import intrude, status_of
from tools.simulation.stage import Told

if TYPE_CHECKING:
    from tools.simulation.kernel import Flow
    from tools.simulation.messages import Answer
    from tools.simulation.stage import Stage
    from tools.simulation.store import Entry

_UP = frozenset({"upstream"})


_WRITES = frozenset({"PUT", "PATCH", "DELETE", "POST"})


def precondition_stripped(stage: Stage) -> Told:
    """A proxy takes the condition off the write."""
    stage.first()
    stage.skin.patch = False
    look = stage.rng.choice(("nginx", "apache", "haproxy", "envoy", "alb", "traefik"))
    creates = stage.rng.random() < 0.25
    names = ("If-None-Match",) if creates else ("If-Match", "If-Unmodified-Since")
    stage.between(lambda inner: Stripper(stage.world, inner, look, of_requests=names, methods=_WRITES))
    me, rival = stage.editor(), stage.editor("other")
    sees = stage.rng.random() < 0.35 and not creates
    key = stage.skin.new_key() + "f" if creates else stage.key

    def story() -> Flow[None]:
        if creates:
            yield from rival.agent.send(stage.skin.create(key, stage.skin.topic.first(stage.rng)))
            yield from me.agent.think()
            yield from me.agent.send(stage.skin.create(key, stage.skin.topic.first(stage.rng)))
            return
        yield from me.read(key)
        base, token = dict(me.document), me.token
        mine = stage.edit(base)
        yield from me.agent.think()
        yield from intrude(stage, rival, mine)
        yield from me.agent.think(0.3, 2)
        if sees:
            yield from me.read(key, learn=False)
            yield from me.agent.think(0.1, 1)
        yield from me.save(key, mine, token)
        if stage.rng.random() < 0.4:
            yield from me.agent.think(0.1, 1)
            yield from me.read(key)

    stage.play(story())
    text = f"The proxy removes {names[0]}; the origin gets an unguarded write and stores it over another's change."
    alone = ("none", "precondition-stripped", "precondition-ignored")
    if sees:
        alone = ("precondition-ignored", "precondition-stripped", "server-precondition-bug")
    return Told(
        f"{look}-strips",
        "precondition-stripped",
        "lost-update",
        alone,
        text,
        needs=frozenset({"upstream", "other"}),
    )


def replica_lag(stage: Stage) -> Told:
    """Reads come from a replica behind the writer."""
    stage.first()
    lag = stage.rng.uniform(0.9, 3.5)
    stage.skin.answer = stage.rng.choice(("full", "tagged", "bare"))
    replica_tape = Tape("upstream-replica", peer="10.0.4.31")
    stage.upstream.role = "upstream-primary"
    replica = _Replica(stage, lag)
    tap = Tap(stage.world, replica, replica_tape)
    primary = stage.edge
    look = stage.rng.choice(("haproxy", "nginx", "envoy", "alb"))
    stage.edge = Balancer(
        stage.world,
        (primary, tap),
        look,
        lambda _number, request: 1 if request.method in {"GET", "HEAD"} else 0,
    )
    stage.extra_tapes.append(replica_tape)
    me = stage.editor()
    told = stage.skin.answer != "bare"
    heals = stage.rng.random() < 0.7

    def story() -> Flow[None]:
        yield from me.read(stage.key)
        yield from me.agent.think()
        base, first = dict(me.document), stage.edit(me.document)
        yield from me.save(stage.key, first)
        yield stage.rng.uniform(0.05, 0.3)
        yield from me.read(stage.key)
        mine = stage.edit(me.document, first, base)
        yield stage.rng.uniform(0.02, 0.15)
        yield from me.save(stage.key, mine)
        yield lag + 0.5
        yield from me.read(stage.key)
        if heals:
            changed = {name: value for name, value in mine.items() if base.get(name) != value}
            yield from me.save(stage.key, {**me.document, **changed})

    stage.play(story())
    alone = ("replica-lag", "stale-cache-read")
    more = "whose own save told another tag" if told else "right after its own save"
    return Told(
        "read-from-a-replica",
        "replica-lag",
        "recovered" if heals else status_of(stage),
        alone,
        f"Reads go to a replica {lag:.1f} s behind. The client, {more}, reads the old version back and is refused with its tag; later the same works. No cache fields anywhere.",
        needs=_UP,
    )


class _Replica:
    """A node that sees each version only after a while."""

    def __init__(self, stage: Stage, lag: float) -> None:
        self.stage = stage
        self.lag = lag
        self.node = Origin(stage.world, stage.skin)
        self.node.faults = stage.origin.faults
        self._old: dict[str, Entry] = dict(stage.origin.store)
        stage.origin.after_write.append(self._arrives)

    def _arrives(self, entry: Entry) -> None:
        def work() -> Flow[None]:
            self._old[entry.key] = entry
            yield 0.0

        self.stage.world.spawn(work(), delay=self.lag)

    def serve(self, request: Request) -> Flow[Answer]:
        """Answer from what has arrived."""
        for key, entry in self.stage.origin.store.items():
            self._old.setdefault(key, entry)
        self.node.store = self._old
        answer = yield from self.node.serve(request)
        return answer


def inconsistent_backends(stage: Stage) -> Told:
    """Nodes that make different tags of the same content."""
    stage.first()
    stage.skin.dates = stage.skin.dates or stage.rng.random() < 0.5
    named = stage.rng.random() < 0.5
    tapes, hops = [], []
    for number in range(stage.rng.choice((2, 2, 3))):
        node = Origin(stage.world, stage.skin, stage.origin.store)
        node.salt = f"node{number}"
        node.commit = stage.origin.commit  # type: ignore[method-assign]
        if named:
            node.node_fields = [(stage.skin.world.rng.choice(("X-Node",)), f"app-{number + 1}")]
        tape = Tape(f"upstream{number + 1}", peer=f"10.0.4.{31 + number}")
        tapes.append(tape)
        hops.append(Tap(stage.world, node, tape))
    look = stage.rng.choice(("haproxy", "nginx", "traefik", "envoy", "alb"))
    count = len(hops)
    stage.edge = Balancer(stage.world, hops, look)
    stage.extra_tapes += tapes
    me = stage.editor()
    rounds = stage.rng.randrange(2, 4)

    def story() -> Flow[None]:
        for _ in range(count + 1):
            yield from me.read(stage.key)
            yield stage.rng.uniform(0.02, 0.5)
        mine = stage.edit(me.document)
        for _ in range(rounds):
            yield from me.read(stage.key)
            yield from me.agent.think(0.1, 1)
            yield from me.save(stage.key, mine, learn=False)
            yield from me.agent.think(0.1, 1)
        yield from me.read(stage.key)

    stage.play(story())
    alone = ("inconsistent-backends",) if named else ("inconsistent-backends", "unstable-etag")
    return Told(
        f"{look}-nodes-disagree",
        "inconsistent-backends",
        status_of(stage),
        alone,
        f"{count} nodes behind a balancer give the same content different tags; a write meets a node that did not issue its tag and is refused.",
        needs=_UP,
    )


def intermediary_replay(stage: Stage) -> Told:
    """The proxy sends the write twice and hands on the second answer."""
    stage.first()
    patience = stage.rng.choice((0.5, 0.7, 1.0, 1.5, 2.0))
    look = stage.rng.choice(("nginx", "envoy", "haproxy", "traefik", "alb"))
    node = stage.edge
    stage.edge = Impatient(stage.world, (node,), look, patience, 2)
    me = stage.editor()
    marker = stage.rng.random() < 0.4
    stage.skin.dates = stage.rng.random() < 0.7

    def story() -> Flow[None]:
        yield from me.read(stage.key)
        mine = stage.edit(me.document)
        if marker and stage.skin.form == "json":
            mine["requestId"] = f"{stage.rng.getrandbits(48):012x}"
        yield from me.agent.think()
        stage.origin.faults.stall = patience * 2.5
        stage.world.spawn(_recovers(stage, patience * 0.9))
        yield from me.save(stage.key, mine)
        yield from me.agent.think(0.1, 1)
        yield from me.read(stage.key)

    stage.play(story())
    return Told(
        f"{look}-sends-it-twice",
        "intermediary-replay",
        status_of(stage),
        ("intermediary-replay", "lost-response-replay", "post-commit-412"),
        f"The proxy waits {patience} s, sends the same write again and hands on the second answer: one request at the client, two at the origin, and the content is the client's own.",
        needs=_UP,
    )


def _recovers(stage: Stage, after: float) -> Flow[None]:
    yield after
    stage.origin.faults.stall = 0.0


def gateway_timeout(stage: Stage) -> Told:
    """504 from the proxy, stored at the origin; the client's own retry is refused."""
    stage.first()
    patience = stage.rng.choice((0.8, 1.0, 2.0))
    look = stage.rng.choice(("nginx", "envoy", "haproxy"))
    node = stage.edge
    stage.edge = Impatient(stage.world, (node,), look, patience, 1)
    me = stage.editor()

    def story() -> Flow[None]:
        yield from me.read(stage.key)
        mine = stage.edit(me.document)
        yield from me.agent.think()
        stage.origin.faults.stall = patience * 2.5
        token, before = me.token, dict(me.document)
        for number in range(2):
            yield from me.agent.send(stage.skin.write(stage.key, mine, token, before), attempt=number + 1)
            stage.origin.faults.stall = 0.0
            yield stage.rng.uniform(1.0, 3.0)
        yield from me.read(stage.key)

    stage.play(story())
    return Told(
        f"{look}-504",
        "lost-response-replay",
        status_of(stage),
        ("lost-response-replay",),
        "The gateway gives up with 504 while the origin stores the write; the client's retry is refused by its own first attempt.",
    )


def redirect_rewrites_request(stage: Stage) -> Told:
    """A redirect turns the write into a read, or drops its condition."""
    stage.first()
    status = stage.rng.choice((301, 302, 302, 303))
    where = stage.rng.choice(("slash", "host", "path"))
    old = stage.skin.url(stage.key)
    target = {
        "slash": old + "/",
        "host": old.replace(stage.skin.host, f"eu-1.{stage.skin.host}"),
        "path": old.replace(stage.skin.topic.noun, f"current/{stage.skin.topic.noun}"),
    }[where]

    def moved(request: Request) -> Response | None:
        if request.url == old and request.method not in {"GET", "HEAD"}:
            return Response(status, [("Location", target), ("Content-Length", "0")])
        if request.url == target:
            request.url = old
        return None

    stage.origin.hooks.append(moved)
    me = stage.editor()
    keeps = stage.rng.random() < 0.6

    def story() -> Flow[None]:
        yield from me.read(stage.key)
        yield from me.agent.think()
        mine = stage.edit(me.document)
        for _ in range(stage.rng.choice((1, 2))):
            request = stage.skin.write(stage.key, mine, me.token, me.document)
            answer = yield from me.agent.send(request)
            if isinstance(answer, Lost) or answer.status >= 400:
                return
            follow = Request("GET", target, [("If-Match", me.token or "")] if keeps and me.token else [])
            yield from me.agent.send(follow)
            yield from me.agent.think(0.5, 3)
        if stage.rng.random() < 0.6:
            yield from me.read(stage.key)

    stage.play(story())
    return Told(
        f"redirect-{status}-{where}",
        "redirect-rewrites-request",
        "lost-write",
        ("redirect-rewrites-request",),
        f"The write is answered {status}; the client follows with GET and without the body, gets 200 and takes the write for done. Nothing was stored.",
    )
