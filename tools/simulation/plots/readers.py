"""Readers that revalidate and are answered wrongly, or never get a 304. Nobody is refused."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tools.simulation.agents import Tap
from tools.simulation.between import Balancer, Encoder
from tools.simulation.messages import Request, Response, Tape, http_date
from tools.simulation.origin import Origin
from tools.simulation.plots.conflicts import intrude
from tools.simulation.plots.encodings import ZIPPING
from tools.simulation.stage import Told

if TYPE_CHECKING:
    from tools.simulation.kernel import Flow
    from tools.simulation.stage import Editor, Stage

_UP = frozenset({"upstream"})
_BOTH = frozenset({"upstream", "other"})


def _polls(stage: Stage, me: Editor, times: int) -> Flow[None]:
    for _ in range(times):
        yield stage.rng.uniform(0.5, 5)
        answer = yield from me.poll(stage.key)
        if isinstance(answer, Response) and answer.status == 200:
            me.token = stage.skin.token_of(answer) or me.token


def suffix_never_unchanged(stage: Stage) -> Told:
    """The encoder's tag comes back, the origin does not know it: 200 each time."""
    stage.first()
    look, mode = stage.rng.choice(
        (("apache", "-gzip"), ("nginx", "--gzip"), ("ats", "-df"), ("apache", ";gzip"))
    )
    stage.between(lambda inner: Encoder(stage.world, inner, look, mode))
    me = stage.editor(kinds=ZIPPING)

    def story() -> Flow[None]:
        yield from me.read(stage.key)
        yield from _polls(stage, me, stage.rng.randrange(2, 5))

    stage.play(story())
    return Told(
        f"{look}{mode}-never-unchanged".replace(";", "-"),
        "etag-suffix-rewrite",
        "wrong-200",
        ("etag-suffix-rewrite", "server-precondition-bug"),
        f"The encoder in front appends {mode} to the tag; the reader revalidates with that tag, which the service does not know, and gets the whole answer with the very same tag again: never 304.",
        needs=_UP,
    )


def nodes_never_unchanged(stage: Stage) -> Told:
    """Nodes in turn, each with a tag of its own."""
    stage.first()
    named = stage.rng.random() < 0.5
    look = stage.rng.choice(("haproxy", "nginx", "traefik", "envoy", "alb"))
    hops, tapes = [], []
    for number in range(2):
        node = Origin(stage.world, stage.skin, stage.origin.store)
        node.salt = f"node{number}"
        if named:
            node.node_fields = [("X-Served-By", f"web-{number + 1}")]
        tapes.append(Tape(f"upstream{number + 1}", peer=f"10.0.4.{31 + number}"))
        hops.append(Tap(stage.world, node, tapes[-1]))
    stage.edge = Balancer(stage.world, hops, look)
    stage.extra_tapes += tapes
    me = stage.editor()

    def story() -> Flow[None]:
        yield from me.read(stage.key)
        yield from _polls(stage, me, stage.rng.randrange(3, 6))

    stage.play(story())
    return Told(
        f"{look}-nodes-never-agree",
        "inconsistent-backends",
        "wrong-200",
        ("inconsistent-backends",) if named else ("inconsistent-backends", "unstable-etag"),
        "Two nodes behind a balancer give the same content different tags; a revalidation meets the node that does not know its tag and gets the whole answer again.",
        needs=_UP,
    )


def own_now_read(stage: Stage) -> Told:
    """If-Modified-Since with the reader's own now, which is ahead."""
    stage.skin.dates = True
    stage.first()
    me, rival = stage.editor(), stage.editor("other")
    ahead = stage.rng.choice((840.0, 1500.0, 2580.0, 6300.0)) + stage.rng.uniform(5, 50)
    me.agent.tape.clock = ahead if stage.rng.random() < 0.5 else 0.0

    def story() -> Flow[None]:
        yield from me.read(stage.key)
        asked = http_date(stage.world.now + ahead)
        yield from me.agent.think(1, 5)
        yield from intrude(stage, rival)
        for _ in range(stage.rng.choice((1, 2))):
            yield from me.agent.think(2, 9)
            yield from me.read(stage.key, [("If-Modified-Since", asked)])
        yield from me.agent.think(1, 4)
        yield from me.read(stage.key)

    stage.play(story())
    return Told(
        "own-now-as-modified-since",
        "clock-skew",
        "wrong-304",
        ("clock-skew",),
        f"The reader's clock is {ahead / 60:.0f} minutes ahead and it asks with its own now as If-Modified-Since: a change within that time is told as 304; a read without condition shows it.",
        needs=_BOTH,
    )


def same_second_read(stage: Stage) -> Told:
    """Read between two writes of one second: Last-Modified does not move."""
    stage.skin.dates = True
    stage.origin.faults.no_tags = True
    stage.first(age=9000)
    me, rival = stage.editor(), stage.editor("other")
    me.agent.delay = rival.agent.delay = 0.0008
    stage.origin.pace = 0.003
    stage.skin.answer = "bare"

    def story() -> Flow[None]:
        yield from rival.read(stage.key)
        yield 3 - (stage.world.now % 1.0) + 0.05
        first = stage.edit(rival.document)
        yield from rival.save(stage.key, first, guarded=False)
        yield 0.1
        answer = yield from me.read(stage.key)
        date = (answer.field("Last-Modified") if isinstance(answer, Response) else "") or ""
        yield 0.1
        yield from rival.save(stage.key, stage.edit(first), guarded=False)
        for _ in range(stage.rng.choice((1, 2))):
            yield stage.rng.uniform(2, 6)
            yield from me.read(stage.key, [("If-Modified-Since", date)])
        yield stage.rng.uniform(1, 3)
        yield from me.read(stage.key)

    stage.play(story())
    return Told(
        "read-between-two-writes-of-a-second",
        "date-precision",
        "wrong-304",
        ("date-precision",),
        "Two writes fall into one second and the reader reads between them: Last-Modified is the same, so If-Modified-Since gives 304 although the content has changed; a read without condition shows it under the same date.",
        needs=_BOTH,
    )


def state_lock(stage: Stage) -> Told:
    """A state in an HTTP backend is locked by another run."""
    me = stage.editor(kinds=("terraform", "go", "curl"))
    base = f"{stage.skin.origin_url}/{stage.rng.choice(('state/prod', 'api/v4/projects/31/terraform/state/live', 'tf/network'))}"
    lock = f"{base}/lock"
    method = stage.rng.choice(("LOCK", "POST"))
    status = stage.rng.choice((423, 423, 409))
    who = stage.rng.choice(("ci@runner-7", "anna@laptop", "deploy@build-2"))

    def info(owner: str) -> str:
        number = f"{stage.rng.getrandbits(32):08x}-0d4e-11f0-8f6a-{stage.rng.getrandbits(48):012x}"
        return json.dumps({"ID": number, "Operation": "OperationTypeApply", "Info": "", "Who": owner, "Version": "1.9.7", "Created": "2026-02-11T08:14:02.117Z", "Path": ""})  # fmt: skip

    held, mine = info(who), info("me@here")

    def hook(request: Request) -> Response | None:
        if request.url == lock:
            return stage.skin.json_answer(status, held)
        return stage.skin.json_answer(200, '{"version":4,"serial":12}') if request.url == base else None

    stage.origin.hooks.append(hook)

    def story() -> Flow[None]:
        yield from me.agent.send(Request("GET", base))
        for _ in range(stage.rng.choice((1, 2, 4))):
            yield from me.agent.send(Request(method, lock, [("Content-Type", "application/json")], mine))
            yield stage.rng.uniform(1, 10)

    stage.play(story())
    return Told(
        "state-locked-by-another-run",
        "lease-or-lock",
        str(status),
        ("lease-or-lock",),
        f"Another run holds the lock of the state; the request for it is {status} with that run's own lock information.",
        bodies=False,
    )
