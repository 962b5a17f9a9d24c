"""Traffic without any fault: nothing may be reported about it."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from tools.simulation.messages import Request, Response
from tools.simulation.origin import Counted
from tools.simulation.plots.special import leader_election
from tools.simulation.stage import Told

if TYPE_CHECKING:
    from tools.simulation.kernel import Flow
    from tools.simulation.stage import Editor, Stage


def fine(slug: str, text: str, *, design: bool = False) -> Told:
    """Return the label of healthy traffic; `design` where refusals are part of it."""
    alone = ("none", "expected-control-flow", "exists-already") if design else ("none",)
    return Told(
        slug, "none", "healthy", alone, text, also=("expected-control-flow",) if design else (), bodies=False
    )


def _keys(stage: Stage, count: int) -> list[str]:
    keys = [f"{stage.skin.new_key()}{number}" for number in range(count)]
    for key in keys:
        stage.first(key=key)
    return keys


def browsing(stage: Stage) -> Told:
    """Reads and revalidations of several resources."""
    stage.benign()
    keys = _keys(stage, stage.rng.randrange(2, 5))
    me = stage.editor()
    known: dict[str, str] = {}

    def story() -> Flow[None]:
        for _ in range(stage.rng.randrange(6, 14)):
            key = stage.rng.choice(keys)
            if key in known:
                yield from me.poll(key, known[key])
            else:
                answer = yield from me.read(key)
                known[key] = (answer.field("ETag") if isinstance(answer, Response) else "") or ""
            yield from me.agent.think(0.1, 4)

    stage.play(story())
    return fine("browsing", "Several resources are read and revalidated; 200 and 304 as they should be.")


def polling(stage: Stage) -> Told:
    """Polling a thing that somebody changes now and then."""
    stage.first()
    stage.benign()
    me, rival = stage.editor(), stage.editor("other")
    period = stage.rng.choice((1.0, 2.0, 5.0, 30.0))

    def story() -> Flow[None]:
        yield from me.read(stage.key)
        for number in range(stage.rng.randrange(5, 10)):
            yield period * stage.rng.uniform(0.98, 1.02)
            if number == 3:
                yield from rival.read(stage.key)
                yield from rival.save(stage.key, stage.edit(rival.document))
            answer = yield from me.poll(stage.key)
            if isinstance(answer, Response) and answer.status == 200:
                me.token = stage.skin.token_of(answer)

    stage.play(story())
    return fine("polling", "A dashboard polls a resource, sees a change by somebody, and polls on.")


def sensor(stage: Stage) -> Told:
    """A thing that changes with each read."""
    stage.first()
    me = stage.editor()

    def story() -> Flow[None]:
        for _ in range(stage.rng.randrange(4, 8)):
            yield from me.read(stage.key)
            yield from me.agent.think(0.5, 2)
            stage.origin.commit(stage.key, stage.edit(stage.origin.store[stage.key].document), "sensor")

    stage.play(story())
    return fine("changing-sensor", "Another tag with each read, and another value with each tag.")


def uploads(stage: Stage) -> Told:
    """New things under create-only guards."""
    stage.benign()
    me = stage.editor()

    def story() -> Flow[None]:
        for number in range(stage.rng.randrange(3, 7)):
            yield from me.agent.send(
                stage.skin.create(f"{stage.key}{number}", stage.skin.topic.first(stage.rng))
            )
            yield from me.agent.think(0.1, 2)

    stage.play(story())
    return fine("uploads", "Several new resources are stored with create-only guards; all are new.")


def chain(stage: Stage) -> Told:
    """Saves in a row, each with the newest token."""
    stage.first()
    stage.benign()
    me = stage.editor()

    def story() -> Flow[None]:
        yield from me.read(stage.key)
        for _ in range(stage.rng.randrange(2, 6)):
            yield from me.agent.think(0.2, 4)
            yield from me.save(stage.key, stage.edit(me.document))
            yield from me.look(stage.key)

    stage.play(story())
    return fine("chain-of-saves", "One client saves several times in a row, each time with the newest token.")


def alternating(stage: Stage) -> Told:
    """Two editors of one thing, each reads before it writes."""
    stage.first()
    stage.benign()
    me, rival = stage.editor(), stage.editor("other")

    def story() -> Flow[None]:
        for number in range(stage.rng.randrange(3, 6)):
            who = me if number % 2 == 0 else rival
            yield from who.read(stage.key)
            yield from who.agent.think(0.2, 2)
            yield from who.save(stage.key, stage.edit(who.document))
            yield from who.agent.think(1, 4)

    stage.play(story())
    return fine(
        "one-after-the-other",
        "Two people edit one resource, each opens it anew before editing; both changes stay.",
    )


def disjoint(stage: Stage) -> Told:
    """Two editors of two things, at the same time."""
    keys = _keys(stage, 2)
    stage.benign()
    me, rival = stage.editor(), stage.editor("other")

    def edits(who: Editor, key: str) -> Flow[None]:
        for _ in range(stage.rng.randrange(1, 4)):
            yield from who.read(key)
            yield from who.agent.think(0.2, 2)
            yield from who.save(key, stage.edit(who.document))
            yield from who.agent.think(0.2, 2)

    def story() -> Flow[None]:
        stage.world.spawn(edits(me, keys[0]))
        stage.world.spawn(edits(rival, keys[1]), delay=0.1)
        yield 0.1

    stage.play(story())
    return fine(
        "two-editors-two-things",
        "Two people edit two resources at the same time, each with the tag of the own.",
    )


def workers(stage: Stage) -> Told:
    """Parallel workers, each on a thing of its own."""
    keys = _keys(stage, 4)
    me = stage.editor()

    def work(key: str) -> Flow[None]:
        answer = yield from me.agent.send(stage.skin.read(key))
        token = stage.skin.token_of(answer)
        document = dict(stage.origin.store[key].document)
        yield stage.rng.uniform(0.01, 0.1)
        yield from me.agent.send(stage.skin.write(key, stage.edit(document), token, document))

    def story() -> Flow[None]:
        for key in keys:
            stage.world.spawn(work(key))
        yield 0.1

    stage.play(story())
    return fine(
        "parallel-workers", "Several workers write at once, each a resource of its own with its own tag."
    )


def busy_then_retried(stage: Stage) -> Told:
    """503 before anything was done, then the same write passes."""
    stage.first()
    me = stage.editor()
    status = stage.rng.choice((503, 429, 502))

    def answer(_request: Request) -> Response:
        return Response(status, [("Retry-After", "1"), ("Content-Length", "0")])

    stage.origin.hooks.append(Counted(lambda request: request.method not in {"GET", "HEAD"}, answer))

    def story() -> Flow[None]:
        yield from me.read(stage.key)
        mine = stage.edit(me.document)
        yield from me.agent.think()
        yield from me.save(stage.key, mine)
        yield 1.1
        yield from me.save(stage.key, mine, attempt=2)

    stage.play(story())
    return fine(
        f"retried-after-{status}",
        f"The first try is answered {status} and was not done; the second, with the same token, is taken.",
    )


def challenged(stage: Stage) -> Told:
    """401, then the same write with credentials."""
    stage.first()
    me = stage.editor(credentials=False)

    def answer(_request: Request) -> Response:
        return Response(
            401, [("WWW-Authenticate", 'Bearer realm="api", error="invalid_token"'), ("Content-Length", "0")]
        )

    stage.origin.hooks.append(Counted(lambda request: request.method not in {"GET", "HEAD"}, answer))

    def story() -> Flow[None]:
        yield from me.read(stage.key)
        mine = stage.edit(me.document)
        yield from me.save(stage.key, mine)
        me.agent.own = [("Authorization", f"Bearer {stage.rng.getrandbits(64):016x}")]
        yield from me.agent.think(0.1, 0.5)
        yield from me.save(stage.key, mine)

    stage.play(story())
    return fine(
        "challenged", "The write is answered 401; with credentials the same write and token are taken."
    )


def corrected(stage: Stage) -> Told:
    """422 for a field, corrected, same token."""
    stage.first()
    me = stage.editor()
    stage.origin.hooks.append(
        Counted(
            lambda request: request.method not in {"GET", "HEAD"},
            lambda _request: stage.skin.json_answer(
                stage.rng.choice((422, 400)), '{"errors":[{"field":"note","code":"too_long"}]}'
            ),
        )
    )

    def story() -> Flow[None]:
        yield from me.read(stage.key)
        mine = stage.edit(me.document)
        yield from me.save(stage.key, {**mine, "note": "x" * 40})
        yield from me.agent.think(0.5, 3)
        yield from me.save(stage.key, mine)

    stage.play(story())
    return fine(
        "invalid-then-corrected",
        "A field is not valid; corrected and sent again with the same token the write is taken.",
    )


def sole_author(stage: Stage) -> Told:
    """Unguarded saves of the only writer."""
    stage.first()
    stage.skin.patch = False
    me = stage.editor()

    def story() -> Flow[None]:
        yield from me.read(stage.key)
        for _ in range(stage.rng.randrange(2, 5)):
            yield from me.agent.think(0.5, 5)
            yield from me.save(stage.key, stage.edit(me.document), guarded=False)

    stage.play(story())
    return fine(
        "sole-author", "One author saves a draft several times without a condition; nobody else is there."
    )


def star(stage: Stage) -> Told:
    """If-Match: * as meant."""
    stage.first()
    me = stage.editor()

    def story() -> Flow[None]:
        yield from me.read(stage.key)
        for _ in range(2):
            yield from me.agent.think(0.5, 3)
            yield from me.save(stage.key, stage.edit(me.document), "*")

    stage.play(story())
    return fine("any-version", "Updates with If-Match: *, any version, as long as it exists.")


def ensure_exists(stage: Stage) -> Told:
    """Content-addressed things: a refusal means that it is there already."""
    me = stage.editor()
    contents = [stage.skin.topic.first(stage.rng) for _ in range(stage.rng.randrange(3, 6))]
    keys = [hashlib.sha256(json.dumps(one).encode()).hexdigest()[:40] for one in contents]
    for key, content in list(zip(keys, contents, strict=True))[::2]:
        stage.origin.seed(key, content, 90000)

    def story() -> Flow[None]:
        for key, content in zip(keys, contents, strict=True):
            yield from me.agent.send(stage.skin.create(key, content))
            yield stage.rng.uniform(0.01, 0.2)

    stage.play(story())
    return fine(
        "content-addressed",
        "Contents are stored under their own checksum with create-only guards; a refusal means that the same content is there already, and the client goes on.",
        design=True,
    )


def follower(stage: Stage) -> Told:
    """A follower that tries for the lead and loses, as designed; then the holder steps down."""
    leader_election(stage)
    return fine(
        "leader-election",
        "A follower tries for the lead at a steady pace and loses, as it should.",
        design=True,
    )


def renewals(stage: Stage) -> Told:
    """One holder takes and renews a lease key."""
    me = stage.editor()
    stage.skin.patch = False

    def story() -> Flow[None]:
        answer = yield from me.agent.send(stage.skin.create("leader", {"holder": "node-1", "renewals": 0}))
        me.token, me.document = stage.skin.token_of(answer), {"holder": "node-1"}
        for number in range(stage.rng.randrange(3, 7)):
            if me.token is None:
                yield from me.read("leader")
            yield 2.0
            yield from me.save("leader", {"holder": "node-1", "renewals": number + 1})
            yield from me.look("leader")
        yield from me.agent.send(stage.skin.remove("leader", me.token))

    stage.play(story())
    return fine("lease-renewed", "One holder takes a lease key, renews it with its own tokens, then lets go.")


def head_checks(stage: Stage) -> Told:
    """HEAD, and GET of what is new."""
    keys = _keys(stage, 4)
    me = stage.editor()

    def story() -> Flow[None]:
        for key in keys:
            yield from me.agent.send(Request("HEAD", stage.skin.url(key), list(stage.skin.reads)))
            yield stage.rng.uniform(0.02, 0.3)
        yield from me.read(keys[2])
        yield from me.agent.send(Request("HEAD", stage.skin.url(f"{stage.key}-none"), list(stage.skin.reads)))
        yield from me.agent.think(5, 30)
        for key in keys:
            yield from me.agent.send(Request("HEAD", stage.skin.url(key), list(stage.skin.reads)))
            yield stage.rng.uniform(0.02, 0.3)

    stage.play(story())
    return fine("head-checks", "A mirror checks several resources with HEAD and fetches the one that is new.")


def guarded_delete(stage: Stage) -> Told:
    """Read, delete with the tag, 404 afterwards."""
    stage.first()
    me = stage.editor()

    def story() -> Flow[None]:
        yield from me.read(stage.key)
        yield from me.agent.think(0.2, 2)
        yield from me.agent.send(stage.skin.remove(stage.key, me.token))
        yield from me.agent.think(0.2, 2)
        yield from me.read(stage.key)
        yield from me.agent.send(stage.skin.remove(stage.key, None))

    stage.play(story())
    return fine(
        "deleted-for-good",
        "A resource is deleted with its current tag; a later look and a second delete are 404.",
    )
