"""Servers as people report them: one path that judges otherwise, clocks that disagree, links that bump tags."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tools.simulation.agents import Tap
from tools.simulation.between import Balancer
from tools.simulation.messages import Request, Response, Tape, without
from tools.simulation.origin import Counted, Origin
from tools.simulation.plots.conflicts import intrude, status_of
from tools.simulation.stage import Told

if TYPE_CHECKING:
    from tools.simulation.kernel import Flow
    from tools.simulation.messages import Answer, Document
    from tools.simulation.stage import Stage
    from tools.simulation.store import Condition, Entry


_BOTH = frozenset({"upstream", "other"})


_UP = frozenset({"upstream"})


def session_refuses_its_tag(stage: Stage) -> Told:
    """One path refuses the very tag that the resource has and that another path takes."""
    stage.first()
    me = stage.editor()
    part = stage.rng.choice(("createUploadSession", "publish", "versions", "checkout"))
    url = f"{stage.skin.url(stage.key)}/{part}"

    def hook(request: Request) -> Response | None:
        if request.url != url:
            return None
        answer = stage.skin.refused("mismatch", None, None, None)
        tag = stage.origin.tag(stage.origin.store[stage.key], request, "read") or ""
        answer.fields = [*without(answer.fields, "ETag"), ("ETag", tag)]
        return answer

    stage.origin.hooks.append(hook)
    passes = stage.rng.random() < 0.6

    def story() -> Flow[None]:
        yield from me.read(stage.key)
        yield from me.agent.think(0.1, 1)
        for _ in range(2):
            yield from me.agent.send(
                Request(
                    "POST",
                    url,
                    [("Content-Type", "application/json"), ("If-Match", me.token or '"x"')],
                    '{"item":{}}',
                )
            )
            yield from me.agent.think(0.1, 0.6)
            yield from me.read(stage.key)
        if passes:
            yield from me.save(stage.key, stage.edit(me.document))

    stage.play(story())
    return Told(
        f"{part.lower()}-refuses-the-current-tag",
        "server-precondition-bug",
        "412",
        ("server-precondition-bug", "unsupported-precondition", "wrong-token-source"),
        "One path of the service refuses the tag that the resource has at that very moment, as its own refusal says in ETag, again and again"
        + ("; an update of the resource itself with the same tag is taken." if passes else "."),
        needs=_UP,
    )


def one_path_ignores(stage: Stage) -> Told:
    """PUT honours the condition, PATCH does not."""
    stage.first()
    stage.skin.patch = False
    me, rival = stage.editor(), stage.editor("other")
    stage.origin.faults.ignored = frozenset({"PATCH"})

    def story() -> Flow[None]:
        yield from me.read(stage.key)
        base, token = dict(me.document), me.token
        mine = stage.edit(base)
        yield from me.agent.think()
        yield from intrude(stage, rival)
        yield from me.agent.think(0.3, 2)
        yield from me.save(stage.key, mine, token)
        yield from me.agent.think(0.1, 1)
        part = dict(mine)
        request = Request(
            "PATCH",
            stage.skin.url(stage.key),
            [("Content-Type", "application/merge-patch+json"), ("If-Match", token or "")],
            json.dumps(part),
            {"patch": part},
        )
        yield from me.agent.send(request)

    stage.play(story())
    return Told(
        "patch-path-forgets-the-check",
        "precondition-ignored",
        "lost-update",
        ("precondition-ignored", "server-precondition-bug", "precondition-stripped"),
        "PUT refuses the outdated tag; PATCH with the very same tag is taken and overwrites another's change.",
        also=("other-writer",),
        needs=_BOTH,
    )


def node_clocks(stage: Stage) -> Told:
    """Two nodes whose clocks disagree make other dates of one version."""
    stage.first(age=stage.rng.uniform(3000, 90000))
    stage.skin.dates, stage.skin.patch = True, False
    apart = stage.rng.choice((47.0, 93.0, 311.0))
    hops: list[Tap] = []
    for number in range(2):
        node = Origin(stage.world, stage.skin, stage.origin.store)
        node.commit = stage.origin.commit  # type: ignore[method-assign]
        node.faults.no_tags = True
        node.faults.clock = -apart if number else 0.0
        tape = Tape(f"upstream{number + 1}", peer=f"10.0.4.{41 + number}")
        hops.append(Tap(stage.world, node, tape))
        stage.extra_tapes.append(tape)
    stage.edge = Balancer(stage.world, hops, stage.rng.choice(("haproxy", "nginx", "alb")))
    me = stage.editor()

    def story() -> Flow[None]:
        answer: Answer = Response(0)
        for _ in range(2):
            answer = yield from me.read(stage.key)
            yield stage.rng.uniform(0.1, 1)
        mine = stage.edit(me.document)
        yield from me.agent.think()
        date = (answer.field("Last-Modified") if isinstance(answer, Response) else "") or ""
        request = stage.skin.write(stage.key, mine, None, me.document)
        request.fields.append(("If-Unmodified-Since", date))
        yield from me.agent.send(request)
        yield from me.agent.think(0.1, 1)
        for _ in range(2):
            yield from me.read(stage.key)
            yield stage.rng.uniform(0.1, 0.6)

    stage.play(story())
    return Told(
        "node-clocks-disagree",
        "clock-skew",
        "412",
        ("clock-skew", "inconsistent-backends"),
        f"Two nodes whose clocks are {apart:.0f} s apart give one version two Last-Modified dates (and their Date fields jump); the date of the one is refused by the other.",
        also=("inconsistent-backends",),
        needs=_UP,
    )


def server_says_unchanged(stage: Stage) -> Told:
    """The origin itself answers 304 to an outdated tag."""
    stage.first()
    me, rival = stage.editor(), stage.editor("other")

    def hook(request: Request) -> Response | None:
        if (
            request.method == "GET"
            and request.field("If-None-Match")
            and request.url == stage.skin.url(stage.key)
        ):
            return Response(304, [("ETag", request.field("If-None-Match") or "")])
        return None

    stage.origin.hooks.append(hook)

    def story() -> Flow[None]:
        yield from me.read(stage.key)
        yield from me.agent.think(0.5, 2)
        yield from intrude(stage, rival)
        for _ in range(stage.rng.randrange(2, 4)):
            yield from me.agent.think(1, 4)
            yield from me.poll(stage.key)
        yield from me.agent.think(0.5, 2)
        yield from me.read(stage.key)

    stage.play(story())
    return Told(
        "origin-says-unchanged",
        "server-precondition-bug",
        "wrong-304",
        ("server-precondition-bug", "stale-cache-read", "cache-misevaluates"),
        "The service answers 304 to any If-None-Match, also to an outdated tag: polling never sees the change; a plain read does.",
        needs=_BOTH,
    )


def star_creates(stage: Stage) -> Told:
    """If-Match: * on nothing makes something."""
    me = stage.editor()
    plain = stage.origin.judge

    def judge(request: Request, entry: Entry | None, condition: Condition | None) -> str:
        return (
            "ok"
            if entry is None and condition and condition.kind == "exists"
            else plain(request, entry, condition)
        )

    stage.origin.judge = judge  # type: ignore[method-assign]

    def story() -> Flow[None]:
        yield from me.read(stage.key)
        document: Document = stage.skin.topic.first(stage.rng)
        me.document = document
        yield from me.agent.think(0.2, 1)
        yield from me.agent.send(stage.skin.guard(stage.skin.write(stage.key, document, None), "*"))
        yield from me.agent.think(0.2, 1)
        yield from me.read(stage.key)

    stage.skin.patch = False
    stage.play(story())
    return Told(
        "star-creates",
        "server-precondition-bug",
        "wrong-change",
        ("server-precondition-bug", "precondition-ignored"),
        "If-Match: * on a resource that does not exist has to be refused; the service creates it (201).",
        needs=_UP,
    )


def conditional_conflict(stage: Stage) -> Told:
    """S3: 409 ConditionalRequestConflict in a race with another writer."""
    stage.first()
    me, rival = stage.editor(), stage.editor("other")
    number = f"{stage.rng.getrandbits(64):016X}"
    body = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>ConditionalRequestConflict</Code><Message>The conditional request cannot succeed due to a conflicting operation against this resource.</Message><Condition>If-Match</Condition><RequestId>{number}</RequestId></Error>'
    heals = stage.rng.random() < 0.5
    armed = False

    def wants(request: Request) -> bool:
        return armed and request.method == "PUT"

    stage.origin.hooks.append(
        Counted(wants, lambda _request: stage.skin.json_answer(409, body, "application/xml"))
    )

    def story() -> Flow[None]:
        nonlocal armed
        yield from me.read(stage.key)
        base = dict(me.document)
        mine = stage.edit(base)
        yield from me.agent.think()
        yield from intrude(stage, rival, mine)
        armed = True
        yield from me.save(stage.key, mine)
        yield from me.agent.think(0.1, 1)
        yield from me.read(stage.key)
        if heals:
            changed = {name: value for name, value in mine.items() if base.get(name) != value}
            yield from me.save(stage.key, {**me.document, **changed})

    stage.play(story())
    return Told(
        "conditional-request-conflict",
        "other-writer",
        "recovered" if heals else "409",
        ("other-writer", "status-dialect-mismatch"),
        "Another writer's PUT is under way at the same moment: the store answers 409 ConditionalRequestConflict; the read shows the other's content.",
        also=("status-dialect-mismatch",),
        needs=_BOTH,
    )


def linked_elsewhere(stage: Stage) -> Told:
    """A write to a thing that is only linked bumps the tag."""
    stage.first()
    me = stage.editor()
    kind = stage.rng.choice(("key-groups", "policies", "attachments", "memberships"))
    linked = f"{stage.skin.url(stage.key).rsplit('/', 2)[0]}/{kind}/{stage.rng.randrange(10, 99)}"

    def hook(request: Request) -> Response | None:
        if request.url != linked:
            return None
        entry = stage.origin.store[stage.key]
        stage.origin.commit(stage.key, {**entry.document, "linksChanged": 1}, "links")
        return stage.skin.json_answer(
            200, json.dumps({"id": linked.rpartition("/")[2], "usedBy": [stage.key]})
        )

    stage.origin.hooks.append(hook)

    def story() -> Flow[None]:
        yield from me.read(stage.key)
        mine = stage.edit(me.document)
        yield from me.agent.think(0.2, 1)
        yield from me.agent.send(
            Request(
                "PUT", linked, [("Content-Type", "application/json")], json.dumps({"items": ["k1", "k2"]})
            )
        )
        yield from me.agent.think(0.2, 1)
        yield from me.save(stage.key, mine)
        yield from me.agent.think(0.1, 1)
        yield from me.read(stage.key)

    stage.play(story())
    return Told(
        f"linked-{kind}",
        "server-side-mutation",
        status_of(stage),
        ("server-side-mutation", "other-writer", "stale-stored-token"),
        "The client updates a resource that is linked to another; the service thereby changes the other one too, whose token is of before. The next write of that one is refused. Nobody else writes.",
        needs=_UP,
    )


def ignored_create_guard(stage: Stage) -> Told:
    """If-None-Match: * is not looked at; the second creator overwrites the first."""
    me, rival = stage.editor(), stage.editor("other")
    stage.origin.faults.ignored = frozenset({"PUT"})
    key = stage.key + "g"

    def story() -> Flow[None]:
        yield from rival.agent.send(stage.skin.create(key, stage.skin.topic.first(stage.rng)))
        yield from me.agent.think()
        yield from me.agent.send(stage.skin.create(key, stage.skin.topic.first(stage.rng)))

    stage.play(story())
    return Told(
        "create-guard-ignored",
        "precondition-ignored",
        "lost-update",
        ("none", "precondition-ignored", "precondition-stripped"),
        "Two actors create one name with If-None-Match: *; the service does not look at it, and the second overwrites the first.",
        needs=_BOTH,
    )
