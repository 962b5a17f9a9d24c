"""Real conflicts: another writer, oneself, the service, a name that is taken, a thing that is gone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools.simulation.messages import Request, Response
from tools.simulation.stage import Told

if TYPE_CHECKING:
    from tools.simulation.kernel import Flow
    from tools.simulation.messages import Answer, Document
    from tools.simulation.stage import Editor, Stage
    from tools.simulation.store import Entry


def refused(answer: Answer) -> bool:
    """Tell whether an answer is a refusal."""
    return isinstance(answer, Response) and answer.status >= 400


def status_of(stage: Stage) -> str:
    """Return the status this dialect refuses with, as a label's outcome."""
    return str(stage.skin.mismatch_status)


def intrude(stage: Stage, rival: Editor, avoid: Document | None = None) -> Flow[None]:
    """Let a rival read and change the resource."""
    yield from rival.read(stage.key)
    yield stage.rng.uniform(0.05, 1.5)
    base = dict(rival.document)
    yield from rival.save(stage.key, stage.edit(base, avoid, base))


def other_writer(stage: Stage) -> Told:
    """Read, somebody else writes, the own write is refused; then one of several endings."""
    stage.first()
    stage.benign()
    me = stage.editor()
    alike = stage.rng.random() < 0.35
    rival = stage.editor("other", like=me if alike else None, direct=stage.rng.random() < 0.3)
    ending = stage.rng.choice(("reads", "reads", "reads", "stops", "heals", "heals"))

    def story() -> Flow[None]:
        if stage.rng.random() < 0.3:
            yield from me.read(stage.key)
            yield from me.agent.think(0.5, 3)
        yield from me.read(stage.key)
        base = dict(me.document)
        mine = stage.edit(base)
        yield from me.agent.think()
        yield from intrude(stage, rival, mine)
        yield from me.agent.think(0.3, 3)
        yield from me.save(stage.key, mine)
        if ending == "stops":
            return
        yield from me.agent.think(0.1, 2)
        yield from me.read(stage.key)
        if ending == "heals":
            changed = {name: value for name, value in mine.items() if base.get(name) != value}
            yield from me.agent.think(0.02, 1)
            yield from me.save(stage.key, {**me.document, **changed})

    stage.play(story())
    words = {
        "reads": "a fresh read shows the other's change.",
        "stops": "the client leaves it at that.",
        "heals": "the client reads again, takes the other's change over and stores.",
    }
    outcome = "recovered" if ending == "heals" else status_of(stage)
    same = " The other one uses the same software and account." if alike else ""
    return Told(
        "other-writer",
        "other-writer",
        outcome,
        ("other-writer",),
        f"Somebody else stored a change between the client's read and its write, which is refused; {words[ending]}{same}",
        bodies=False,
    )


def other_after_own(stage: Stage) -> Told:
    """A look-alike of a stale own token: own write, then another's, and the newest own token is refused."""
    stage.first()
    stage.benign()
    me, rival = stage.editor(), stage.editor("other")

    def story() -> Flow[None]:
        yield from me.read(stage.key)
        yield from me.agent.think()
        yield from me.save(stage.key, stage.edit(me.document))
        yield from me.look(stage.key)
        yield from me.agent.think(0.5, 4)
        mine = stage.edit(me.document)
        yield from intrude(stage, rival, mine)
        yield from me.agent.think(0.5, 2)
        yield from me.save(stage.key, mine)
        yield from me.agent.think(0.05, 1)
        yield from me.read(stage.key)

    stage.play(story())
    return Told(
        "own-write-then-others",
        "other-writer",
        status_of(stage),
        ("other-writer",),
        "The client's first save passes and its newest token is used for the second; somebody else wrote in between, so that one is refused.",
    )


def other_after_silence(stage: Stage) -> Told:
    """A look-alike of a replay: the first try never arrived, and another's change is what refuses the second."""
    stage.first()
    me, rival = stage.editor(), stage.editor("other")

    def story() -> Flow[None]:
        yield from me.read(stage.key)
        mine = stage.edit(me.document)
        yield from me.agent.think()
        request = stage.skin.write(stage.key, mine, me.token, me.document)
        yield from me.agent.send(request, limit=stage.rng.choice((0.8, 1.5, 3.0)), route=_Nowhere())
        yield from me.agent.think(0.2, 1)
        yield from intrude(stage, rival, mine)
        yield from me.agent.think(0.3, 1)
        yield from me.save(stage.key, mine, attempt=2)
        yield from me.agent.think(0.05, 1)
        yield from me.read(stage.key)

    stage.play(story())
    return Told(
        "first-try-never-arrived",
        "other-writer",
        status_of(stage),
        ("other-writer",),
        "The first try ran into a dead connection and never arrived; the second is refused because somebody else has written, as the read shows: the content is the other's, not the client's.",
        needs=frozenset({"upstream", "other"}),
    )


class _Nowhere:
    """A connection into nothing."""

    def serve(self, _request: object) -> Flow[Answer]:
        yield 3600.0
        return Response(504)


def self_race(stage: Stage) -> Told:
    """Two or more writes of one client in flight under one token."""
    stage.first()
    stage.benign()
    me = stage.editor()
    form = stage.rng.choice(("double", "autosave", "workers"))
    stage.origin.pace = max(stage.origin.pace, 0.03)
    stage.origin.faults.stall = stage.rng.uniform(0.04, 0.3)

    def one(document: Document) -> Flow[None]:
        yield from me.save(stage.key, document, me.seen[-1], learn=False)

    def story() -> Flow[None]:
        yield from me.read(stage.key)
        yield from me.agent.think()
        first = stage.edit(me.document)
        count = {"double": 2, "autosave": 2, "workers": stage.rng.randrange(3, 6)}[form]
        for number in range(count):
            content = first if form == "double" or number == 0 else stage.edit(first)
            stage.world.spawn(one(content), delay=number * stage.rng.uniform(0.004, 0.045))
        yield 2.0
        if stage.rng.random() < 0.7:
            yield from me.read(stage.key)

    stage.play(story())
    words = {
        "double": "A double click sends the same write twice",
        "autosave": "Autosave and the save button fire together",
        "workers": "Several workers of one run write",
    }[form]
    return Told(
        f"self-race-{form}",
        "self-race",
        status_of(stage),
        ("self-race",),
        f"{words} under one token; one wins, the rest is refused. Nobody else writes.",
        bodies=False,
    )


_SYSTEM = (
    {"thumbnail": "t/91.png", "modifiedBy": "system"},
    {"wordCount": 212, "updatedBy": "indexer"},
    {"normalizedAt": "2026-04-01T10:00:00Z", "lastModifiedBy": "app-service"},
    {"checksum": "b7f0", "processedBy": "media-pipeline"},
)


def server_side_mutation(stage: Stage) -> Told:
    """The service changes what was just stored."""
    stage.first()
    stage.benign()
    me = stage.editor()
    told = stage.rng.random() < 0.6
    addition: Document = dict(stage.rng.choice(_SYSTEM))
    if not told:
        addition = {name: value for name, value in addition.items() if not name.lower().endswith("by")}
    pause = stage.rng.uniform(0.9, 2.5)

    def afterwards(entry: Entry) -> None:
        def work() -> Flow[None]:
            stage.origin.commit(entry.key, {**entry.document, **addition}, "system")
            yield 0.0

        stage.world.spawn(work(), delay=pause)

    stage.origin.after_write.append(afterwards)

    def story() -> Flow[None]:
        yield from me.read(stage.key)
        yield from me.agent.think()
        yield from me.save(stage.key, stage.edit(me.document))
        yield from me.look(stage.key)
        mine = stage.edit(me.document)
        yield pause + stage.rng.uniform(0.4, 3)
        yield from me.save(stage.key, mine)
        yield from me.agent.think(0.05, 1)
        yield from me.read(stage.key)

    stage.play(story())
    alone = ("server-side-mutation",) if told else ("server-side-mutation", "other-writer")
    return Told(
        "service-changes-it-afterwards",
        "server-side-mutation",
        status_of(stage),
        alone,
        "Some time after the client's save the service itself stores the resource again with fields of its own; the next save bears the token of the own save and is refused. Nobody else writes.",
        needs=frozenset({"upstream"}),
    )


def linked_write(stage: Stage) -> Told:
    """A write to a part bumps the whole."""
    stage.first()
    me = stage.editor()

    def parts(request: object) -> Response | None:
        if not isinstance(request, Request) or not request.url.rstrip("0123456789").endswith(
            f"/{stage.key}/parts/"
        ):
            return None
        if request.method not in {"POST", "PUT"}:
            return None
        entry = stage.origin.store[stage.key]
        count = entry.document.get("parts", 0)
        stage.origin.commit(
            stage.key, {**entry.document, "parts": (count if isinstance(count, int) else 0) + 1}, "parts"
        )
        return stage.skin.json_answer(201, '{"ok":true}')

    stage.origin.hooks.append(parts)

    def story() -> Flow[None]:
        yield from me.read(stage.key)
        mine = stage.edit(me.document)
        yield from me.agent.think()
        body = f'{{"sku":"S-{stage.rng.randrange(100, 999)}","count":{stage.rng.randrange(1, 9)}}}'
        part = Request(
            "PUT",
            f"{stage.skin.url(stage.key)}/parts/{stage.rng.randrange(1, 9)}",
            [("Content-Type", "application/json")],
            body,
        )
        yield from me.agent.send(part)
        yield from me.agent.think(0.1, 1)
        yield from me.save(stage.key, mine)
        yield from me.agent.think(0.05, 1)
        yield from me.read(stage.key)

    stage.play(story())
    return Told(
        "a-part-bumps-the-whole",
        "server-side-mutation",
        status_of(stage),
        ("server-side-mutation", "stale-stored-token", "other-writer"),
        "The client stores a part of the resource; the service thereby changes the whole, whose token is of before. The write of the whole is refused.",
        needs=frozenset({"upstream"}),
    )


def exists_already(stage: Stage) -> Told:
    """A create-only write meets a name that is taken."""
    stage.first()
    stage.benign()
    me = stage.editor()
    looks = stage.rng.random() < 0.7

    def story() -> Flow[None]:
        if stage.rng.random() < 0.3:
            yield from me.read(f"{stage.key}x")
            yield from me.agent.think(0.2, 1)
        yield from me.agent.send(stage.skin.create(stage.key, stage.skin.topic.first(stage.rng)))
        if looks:
            yield from me.agent.think(0.05, 1)
            yield from me.read(stage.key)

    stage.play(story())
    return Told(
        "name-is-taken",
        "exists-already",
        str(stage.skin.exists_status),
        ("exists-already",),
        "First contact: a create-only write to a name that somebody stored long ago is refused.",
        bodies=False,
    )


def target_missing(stage: Stage) -> Told:
    """A guarded write to a thing that is gone."""
    stage.first()
    stage.benign()
    me, rival = stage.editor(), stage.editor("other")
    deletes = stage.rng.random() < 0.3

    def story() -> Flow[None]:
        yield from me.read(stage.key)
        yield from me.agent.think()
        yield from rival.read(stage.key)
        yield from rival.agent.send(stage.skin.remove(stage.key, rival.token))
        yield from me.agent.think(0.3, 3)
        if deletes:
            yield from me.agent.send(stage.skin.remove(stage.key, me.token))
        else:
            yield from me.save(stage.key, stage.edit(me.document))
        yield from me.agent.think(0.05, 1)
        yield from me.read(stage.key)

    stage.play(story())
    return Told(
        "gone-meanwhile",
        "target-missing",
        status_of(stage),
        ("target-missing",),
        "Somebody deletes the resource between the client's read and its guarded write, which is refused; the next read is 404.",
        bodies=False,
    )


def never_there(stage: Stage) -> Told:
    """A guarded write to a thing that never was there: `If-Match: *` or an old address."""
    me = stage.editor()
    star = stage.rng.random() < 0.6

    def story() -> Flow[None]:
        document = stage.skin.topic.first(stage.rng)
        me.document = document
        yield from me.save(stage.key, document, "*" if star else f'"{stage.rng.getrandbits(32):08x}"')
        yield from me.agent.think(0.05, 1)
        yield from me.read(stage.key)

    stage.play(story())
    return Told(
        "never-there",
        "target-missing",
        status_of(stage),
        ("target-missing",),
        "The write demands that the resource exists, and it does not: the read afterwards is 404.",
        bodies=False,
    )
