"""What clients do to tokens: keep old ones, send them again, damage them, take the wrong ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools.simulation.messages import Request, Response
from tools.simulation.plots.conflicts import intrude, status_of
from tools.simulation.stage import Told

if TYPE_CHECKING:
    from tools.simulation.kernel import Flow
    from tools.simulation.stage import Stage


def stale_stored_token(stage: Stage) -> Told:
    """Save twice under the token of the first read."""
    stage.first()
    stage.benign()
    me = stage.editor()
    rereads = stage.rng.random() < 0.35
    ending = stage.rng.choice(("reads", "stops", "heals"))

    def story() -> Flow[None]:
        yield from me.read(stage.key)
        kept = me.token
        yield from me.agent.think()
        for _ in range(stage.rng.choice((1, 1, 2))):
            yield from me.save(stage.key, stage.edit(me.document), me.token)
            yield from me.look(stage.key)
            yield from me.agent.think(0.5, 5)
        if rereads:
            yield from me.read(stage.key)
            yield from me.agent.think(0.2, 2)
        mine = stage.edit(me.document)
        yield from me.save(stage.key, mine, kept)
        if ending != "stops":
            yield from me.agent.think(0.1, 1)
            yield from me.read(stage.key)
        if ending == "heals":
            yield from me.save(stage.key, mine)

    stage.play(story())
    outcome = "recovered" if ending == "heals" else status_of(stage)
    return Told(
        "keeps-its-first-token",
        "stale-stored-token",
        outcome,
        ("stale-stored-token",),
        "The client's own save gave the resource a new token, which it saw; its next save bears the token of the first read and is refused. Nobody else writes.",
        bodies=False,
    )


def old_session(stage: Stage) -> Told:
    """A token kept from an earlier run, though a listing or read of this run showed a newer one."""
    entry = stage.origin
    stage.first(age=90000)
    old = entry.tag(entry.store[stage.key], Request("GET", ""), "read") or '"0"'
    fresh = entry.skin.topic.edit(stage.rng, entry.store[stage.key].document)
    entry.seed(stage.key, fresh, stage.rng.uniform(3000, 40000))
    me = stage.editor()

    def story() -> Flow[None]:
        yield from me.read(stage.key, [("If-None-Match", old)])
        yield from me.agent.think()
        mine = stage.edit(me.document)
        yield from me.save(stage.key, mine, old)
        yield from me.agent.think(0.05, 1)
        yield from me.read(stage.key)
        yield from me.save(stage.key, mine)

    stage.play(story())
    return Told(
        "token-of-an-earlier-run",
        "stale-stored-token",
        "recovered",
        ("stale-stored-token",),
        "The client revalidates the copy of an earlier run and is given a newer version with its token, yet its save bears the old token; with the token just read the same save passes.",
        bodies=False,
    )


def retry_reuses_failed_token(stage: Stage) -> Told:
    """A loop that sends the refused token again."""
    stage.first()
    stage.benign()
    me, rival = stage.editor(), stage.editor("other")
    tries = stage.rng.randrange(3, 7)
    grows = stage.rng.random() < 0.7

    def story() -> Flow[None]:
        yield from me.read(stage.key)
        mine = stage.edit(me.document)
        yield from me.agent.think()
        yield from intrude(stage, rival, mine)
        yield from me.agent.think(0.3, 1)
        for number in range(tries):
            yield from me.save(stage.key, mine, attempt=number + 1)
            yield stage.rng.uniform(0.8, 1.2) * (0.2 * 2**number if grows else 0.5)
        if stage.rng.random() < 0.4:
            yield from me.read(stage.key)

    stage.play(story())
    return Told(
        "same-token-again-and-again",
        "retry-reuses-failed-token",
        status_of(stage),
        ("retry-reuses-failed-token",),
        f"After another's change the client repeats its refused write {tries} times with the same token and reads nothing in between.",
        also=("other-writer",),
        bodies=False,
    )


def lost_response_replay(stage: Stage) -> Told:
    """The first try was stored, its answer was lost; the second meets it."""
    stage.first()
    me = stage.editor()
    creates = stage.rng.random() < 0.3 and stage.skin.guards_creation
    how = stage.rng.choice(("reset", "timeout", "reset"))
    marker = stage.rng.random() < 0.5
    reads = stage.rng.random() < 0.85
    if how == "reset":
        stage.origin.faults.lose = 1
    else:
        stage.origin.faults.stall = 4.0
    key = stage.key if not creates else stage.skin.new_key() + "n"

    def story() -> Flow[None]:
        if not creates:
            yield from me.read(key)
            yield from me.agent.think()
        mine = stage.edit(me.document) if not creates else stage.skin.topic.first(stage.rng)
        if marker and stage.skin.form == "json":
            mine["operationId"] = f"op-{stage.rng.getrandbits(48):012x}"
        token, before = me.token, dict(me.document)
        for number in range(2):
            request = stage.skin.create(key, mine) if creates else stage.skin.write(key, mine, token, before)
            yield from me.agent.send(request, limit=1.5 if how == "timeout" else None, attempt=number + 1)
            stage.origin.faults.stall = 0.0
            yield stage.rng.uniform(0.05, 2.0)
        if reads:
            yield from me.read(key)

    stage.play(story())
    shows = reads
    alone: tuple[str, ...] = ("lost-response-replay",) if shows else ("lost-response-replay", "other-writer")
    if creates:
        alone = (*alone, "exists-already")
    word = "The connection breaks" if how == "reset" else "The client gives up"
    status = stage.skin.exists_status if creates else stage.skin.mismatch_status
    return Told(
        f"answer-lost-{how}",
        "lost-response-replay",
        str(status),
        tuple(dict.fromkeys(alone)),
        f"{word} after the service has stored the write; the repeated write meets the first one's result and is refused.",
        needs=frozenset({"upstream"}) if not shows else frozenset(),
    )


def blind_refresh(stage: Stage) -> Told:
    """A fresh token under an old edit."""
    stage.first()
    stage.benign()
    me, rival = stage.editor(), stage.editor("other")
    stage.skin.patch = False
    after_refusal = stage.rng.random() < 0.5

    def story() -> Flow[None]:
        yield from me.read(stage.key)
        base = dict(me.document)
        mine = stage.edit(base)
        yield from me.agent.think()
        yield from intrude(stage, rival, mine)
        yield from me.agent.think(0.3, 2)
        if after_refusal:
            yield from me.save(stage.key, mine)
            yield from me.agent.think(0.05, 0.5)
        yield from me.read(stage.key)
        yield stage.rng.uniform(0.005, 0.08)
        yield from me.save(stage.key, mine)
        if stage.rng.random() < 0.4:
            yield from me.agent.think(0.1, 1)
            yield from me.read(stage.key)

    stage.play(story())
    how = (
        "is refused, fetches the new token and sends the same edit again"
        if after_refusal
        else "fetches the token right before its write and sends an edit of the version before"
    )
    return Told(
        "fresh-token-old-edit",
        "blind-refresh",
        "lost-update",
        ("blind-refresh",),
        f"The client {how}: the check passes and the other's field is overwritten.",
        also=("other-writer",) if after_refusal else (),
    )


def unconditional_write(stage: Stage) -> Told:
    """Two writers without any condition."""
    stage.first()
    stage.benign()
    me, rival = stage.editor(), stage.editor("other")
    stage.skin.patch = False
    sees = stage.rng.random() < 0.5

    def story() -> Flow[None]:
        yield from me.read(stage.key)
        base = dict(me.document)
        mine = stage.edit(base)
        yield from me.agent.think()
        yield from rival.read(stage.key)
        yield from rival.agent.think(0.1, 1)
        other_base = dict(rival.document)
        yield from rival.save(stage.key, stage.edit(other_base, mine, base), guarded=False)
        yield from me.agent.think(0.3, 2)
        if sees:
            yield from me.read(stage.key, learn=False)
            yield from me.agent.think(0.1, 1)
        yield from me.save(stage.key, mine, guarded=False)

    stage.play(story())
    alone = ("unconditional-write",) if sees else ("none", "unconditional-write")
    extra = " The client had even read the other's version." if sees else ""
    return Told(
        "no-condition-at-all",
        "unconditional-write",
        "lost-update",
        alone,
        f"The service hands out tokens, both writers send none, and the second save wipes the first one out.{extra}",
        needs=frozenset({"other", "upstream"}),
    )


def create_guard_on_update(stage: Stage) -> Told:
    """`If-None-Match: *` on a save of what was just read."""
    stage.first()
    stage.benign()
    me = stage.editor()
    own = stage.rng.random() < 0.3

    def story() -> Flow[None]:
        if own:
            key = stage.key + "c"
            document = stage.skin.topic.first(stage.rng)
            yield from me.agent.send(stage.skin.create(key, document))
            me.document = document
        else:
            key = stage.key
            yield from me.read(key)
        yield from me.agent.think(0.5, 6)
        for _ in range(stage.rng.choice((1, 1, 2))):
            request = stage.skin.create(key, stage.edit(me.document))
            yield from me.agent.send(request)
            yield from me.agent.think(0.3, 2)
        if stage.rng.random() < 0.5:
            yield from me.read(key)

    stage.play(story())
    return Told(
        "create-guard-for-a-save",
        "create-guard-on-update",
        str(stage.skin.exists_status),
        ("create-guard-on-update",),
        "The client saves what it has itself "
        + ("stored" if own else "read")
        + " before with the guard that is meant for new things only; it is refused though nobody else writes.",
        bodies=False,
    )


def token_missing(stage: Stage) -> Told:
    """An unguarded write where a token is demanded."""
    stage.first()
    stage.benign()
    me = stage.editor()
    stage.origin.faults.required = True
    heals = stage.rng.random() < 0.4

    def story() -> Flow[None]:
        if stage.rng.random() < 0.8:
            yield from me.read(stage.key)
        else:
            me.document = dict(stage.origin.store[stage.key].document)
        yield from me.agent.think()
        mine = stage.edit(me.document)
        for _ in range(stage.rng.choice((1, 1, 2))):
            yield from me.save(stage.key, mine, guarded=False)
            yield from me.agent.think(0.2, 1)
        if heals:
            yield from me.read(stage.key)
            yield from me.save(stage.key, mine)

    stage.play(story())
    return Told(
        "no-token-sent",
        "token-missing",
        "recovered" if heals else str(stage.skin.missing_status),
        ("token-missing",),
        "The service demands a precondition on updates and the client sends none.",
        bodies=False,
    )


def implicit_precondition(stage: Stage) -> Told:
    """A cache under the application adds If-None-Match to a write."""
    stage.first()
    stage.benign()
    me = stage.editor(kinds=("urlsession", "okhttp"))
    rival = stage.editor("other", kinds=("chrome", "requests"), credentials=True)
    shows = stage.rng.random() < 0.5

    def story() -> Flow[None]:
        yield from me.read(stage.key)
        yield from me.agent.think()
        if shows:
            yield from me.poll(stage.key)
            yield from me.agent.think(0.2, 2)
        mine = stage.edit(me.document)
        request = stage.skin.write(stage.key, mine, None, me.document)
        request.fields.append(("If-None-Match", me.token or '"x"'))
        yield from me.agent.send(request)
        yield from me.agent.think(0.5, 2)
        if stage.rng.random() < 0.6:
            other = stage.skin.new_key() + "d"
            stage.first(key=other)
            fresh = stage.skin.write(other, stage.skin.topic.first(stage.rng), None)
            yield from me.agent.send(fresh)
        yield from rival.agent.think(0.5, 2)
        yield from rival.read(stage.key)
        yield from rival.save(stage.key, stage.edit(rival.document), guarded=False)

    stage.play(story())
    return Told(
        "cache-adds-a-condition",
        "implicit-precondition",
        status_of(stage),
        ("implicit-precondition",),
        "The platform's cache adds If-None-Match with the tag it has stored to the write; the server evaluates it as it must. Writes without a stored copy carry no condition and pass.",
        bodies=False,
    )


class _EditTokens:
    """A service that hands out edit tokens which live for a short time."""

    def __init__(self, stage: Stage, life: float) -> None:
        self.stage = stage
        self.life = life
        self.issued: dict[str, float] = {}

    def __call__(self, request: Request) -> Response | None:
        """Issue a token, or take a write under one."""
        stage = self.stage
        if request.method == "POST" and request.url.endswith("/edit-sessions"):
            token = f"es_{stage.rng.getrandbits(64):016x}"
            self.issued[f'"{token}"'] = stage.world.now
            answer = stage.skin.json_answer(201, f'{{"editToken":"{token}","expiresIn":{self.life:.0f}}}')
            answer.fields.append(("ETag", f'"{token}"'))
            return answer
        sent = request.field("If-Match") or ""
        if request.method not in {"PUT", "PATCH"} or sent not in self.issued:
            return None
        if stage.world.now - self.issued[sent] > self.life:
            text = '{"error":"edit_token_expired","message":"The edit token has expired, request a new one."}'
            return stage.skin.json_answer(412, text)
        stage.origin.commit(stage.key, dict(request.document or {}), "me")
        return Response(204)


def token_expired(stage: Stage) -> Told:
    """A token that the service honours for a short time only."""
    stage.first()
    me = stage.editor()
    life = stage.rng.choice((2.0, 5.0, 30.0, 60.0))
    stage.origin.hooks.append(_EditTokens(stage, life))
    stage.skin.patch = False

    def session() -> Flow[None]:
        answer = yield from me.agent.send(Request("POST", f"{stage.skin.url(stage.key)}/edit-sessions"))
        me.token = answer.field("ETag") if isinstance(answer, Response) else None

    def story() -> Flow[None]:
        yield from me.read(stage.key)
        yield from session()
        mine = stage.edit(me.document)
        yield life * stage.rng.uniform(1.2, 3)
        yield from me.save(stage.key, mine)
        yield from me.agent.think(0.1, 1)
        yield from session()
        yield from me.save(stage.key, mine)

    stage.play(story())
    return Told(
        "edit-token-expired",
        "token-expired",
        "recovered",
        ("token-expired",),
        "The service's edit token lives for a short time; the save comes too late and is refused with a code that says so; a fresh token works at once.",
    )


def coarse_token_scope(stage: Stage) -> Told:
    """One tag guards a whole collection: a change of another item refuses the write."""
    stage.first()
    neighbour = stage.skin.new_key() + "e"
    stage.first(key=neighbour)
    me, rival = stage.editor(), stage.editor("other")
    revision = stage.rng.randrange(100, 9000)

    def scope_tag() -> str:
        return f'"r{revision + len(stage.origin.history)}"'

    stage.origin.tag = lambda _entry, _request, _use: scope_tag()  # type: ignore[method-assign,assignment]

    def story() -> Flow[None]:
        yield from me.read(neighbour)
        yield from me.agent.think(0.05, 0.5)
        yield from me.read(stage.key)
        mine = stage.edit(me.document)
        yield from me.agent.think()
        yield from rival.read(neighbour)
        yield from rival.save(neighbour, stage.edit(rival.document))
        yield from me.agent.think(0.3, 2)
        yield from me.save(stage.key, mine)
        yield from me.agent.think(0.05, 1)
        yield from me.read(stage.key)
        if stage.rng.random() < 0.6:
            yield from me.read(neighbour, learn=False)

    stage.play(story())
    return Told(
        "one-token-for-the-whole-collection",
        "coarse-token-scope",
        status_of(stage),
        ("coarse-token-scope",),
        "All items of the collection bear one and the same tag, the collection's revision. Somebody edits another item, so the write to this one is refused, though its own content is as it was.",
        also=("other-writer",),
    )


def two_incidents(stage: Stage) -> Told:
    """A conflict that was healed on one resource, then trouble of another kind on another."""
    healed = stage.skin.new_key() + "h"
    stage.first(key=healed)
    stage.first()
    stage.benign()
    me, rival = stage.editor(), stage.editor("other")
    form = stage.rng.choice(("damaged", "stale", "null"))

    def story() -> Flow[None]:
        yield from me.read(healed)
        base = dict(me.document)
        mine = stage.edit(base)
        yield from me.agent.think()
        yield from rival.read(healed)
        yield from rival.save(healed, stage.edit(rival.document, mine, base))
        yield from me.agent.think(0.3, 2)
        yield from me.save(healed, mine)
        yield from me.read(healed)
        changed = {name: value for name, value in mine.items() if base.get(name) != value}
        yield from me.save(healed, {**me.document, **changed})
        yield from me.agent.think(2, 8)
        yield from me.read(stage.key)
        token = me.token or '"x"'
        if form == "stale":
            yield from me.save(stage.key, stage.edit(me.document))
            yield from me.look(stage.key)
            yield from me.agent.think()
        wrong = {"stale": token, "null": "null", "damaged": token.strip('"')}[form]
        yield from me.save(stage.key, stage.edit(me.document), wrong)
        if stage.rng.random() < 0.5:
            yield from me.agent.think(0.1, 1)
            yield from me.read(stage.key)

    stage.play(story())
    cause = {"stale": "stale-stored-token", "null": "null-token", "damaged": "malformed-validator"}[form]
    words = {
        "stale": "it keeps the token of before its own save",
        "null": "it sends the word null",
        "damaged": "it loses the quotes of the tag",
    }[form]
    return Told(
        f"healed-then-{form}",
        cause,
        status_of(stage),
        (cause,),
        f"On one resource the client meets another's change and heals it; on another {words}, and that refusal stays.",
        also=("other-writer",),
        bodies=False,
    )
