"""Second looks at causes that other stories show in one way only."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tools.simulation.messages import Request, Response, get
from tools.simulation.plots.conflicts import intrude, status_of
from tools.simulation.plots.servers import show_nonce
from tools.simulation.stage import Told

if TYPE_CHECKING:
    from tools.simulation.kernel import Flow
    from tools.simulation.stage import Stage
    from tools.simulation.store import Entry

_UP = frozenset({"upstream"})


def never_unchanged(stage: Stage) -> Told:
    """Readers only: the tag is new each time, so no revalidation ever helps."""
    stage.first()
    stage.benign()
    me = stage.editor()
    stage.origin.faults.nonce = True
    shown = stage.rng.random() < 0.4 and stage.skin.form == "json"
    if shown:
        show_nonce(stage)

    def story() -> Flow[None]:
        yield from me.read(stage.key)
        for _ in range(stage.rng.randrange(3, 6)):
            yield stage.rng.uniform(0.4, 4)
            answer = yield from me.poll(stage.key)
            me.token = stage.skin.token_of(answer) or me.token

    stage.play(story())
    same = "but for the time of the answer in it" if shown else "to the byte"
    return Told(
        "nothing-is-ever-unchanged",
        "unstable-etag",
        "wrong-200",
        ("unstable-etag", "inconsistent-backends"),
        f"A reader revalidates with the tag it was just given; the content stays the same {same}, the tag is another each time, so 304 never comes. One node, nobody writes.",
        needs=_UP,
    )


class _Index:
    """A listing made from an index that hears of each version only after a while."""

    def __init__(self, stage: Stage, lag: float) -> None:
        self.stage = stage
        self.lag = lag
        self.url = stage.skin.url(stage.key).rsplit("/", 1)[0]
        self.known: list[tuple[float, Entry]] = [(0.0, stage.origin.store[stage.key])]
        stage.origin.after_write.append(lambda entry: self.known.append((stage.world.now, entry)))
        stage.origin.hooks.append(self)

    def __call__(self, request: Request) -> Response | None:
        """Answer the listing."""
        stage = self.stage
        if request.method != "GET" or request.url != self.url:
            return None
        entry = [one for at, one in self.known if at <= stage.world.now - self.lag][-1]
        tag = stage.origin.tag(entry, Request("GET", ""), "read")
        row = {"id": entry.key, "etag": tag, **entry.document}
        return stage.skin.json_answer(200, json.dumps({"total": 1, "items": [row]}))


def index_lag(stage: Stage) -> Told:
    """The listing is behind the things it lists."""
    stage.first()
    stage.skin.answer = stage.rng.choice(("full", "tagged"))
    stage.skin.cache_control = None
    index = _Index(stage, stage.rng.uniform(1.5, 6))
    me = stage.editor()
    heals = stage.rng.random() < 0.6

    def listed() -> Flow[None]:
        answer = yield from me.agent.send(Request("GET", index.url))
        if isinstance(answer, Response) and isinstance(answer.body, str):
            me.token = json.loads(answer.body)["items"][0]["etag"]

    def story() -> Flow[None]:
        yield from listed()
        yield from me.read(stage.key)
        yield from me.agent.think(0.3, 2)
        base, first = dict(me.document), stage.edit(me.document)
        yield from me.save(stage.key, first)
        yield stage.rng.uniform(0.1, 0.6)
        yield from listed()
        mine = stage.edit(me.document, first, base)
        yield stage.rng.uniform(0.05, 0.3)
        yield from me.save(stage.key, mine, learn=False)
        yield index.lag + 0.3
        yield from listed()
        if heals:
            yield from me.save(stage.key, mine)

    stage.play(story())
    return Told(
        "listing-is-behind",
        "replica-lag",
        "recovered" if heals else status_of(stage),
        ("replica-lag", "stale-cache-read", "stale-stored-token"),
        f"The listing comes from an index {index.lag:.1f} s behind: right after the client's own save it shows the old tag, which is sent and refused; later it shows the one that the save had told.",
        needs=_UP,
    )


def read_condition_ignored(stage: Stage) -> Told:
    """A pinned read, or a delete under an outdated tag, passes."""
    stage.first()
    stage.benign()
    me, rival = stage.editor(), stage.editor("other")
    deletes = stage.rng.random() < 0.5
    stage.origin.faults.ignored = frozenset({"DELETE" if deletes else "GET"})

    def story() -> Flow[None]:
        yield from me.read(stage.key)
        old = me.token or '"x"'
        yield from me.agent.think()
        yield from intrude(stage, rival)
        yield from me.agent.think(0.5, 2)
        if deletes:
            yield from me.read(stage.key)
            yield from me.agent.think(0.2, 1)
            yield from me.agent.send(stage.skin.remove(stage.key, old))
            yield from me.agent.think(0.2, 1)
        for _ in range(1 if deletes else 2):
            yield from me.read(stage.key, [] if deletes else [("If-Match", old)], learn=False)
            yield from me.agent.think(0.2, 1)

    stage.play(story())
    what = (
        "A DELETE bears a tag that the client has seen replaced, and is done all the same"
        if deletes
        else "Reads pinned with If-Match to the old version are answered with the new one, 200"
    )
    return Told(
        "outdated-delete-passes" if deletes else "pinned-read-passes",
        "precondition-ignored",
        "lost-update" if deletes else "wrong-200",
        ("precondition-ignored", "precondition-stripped", "server-precondition-bug", "cache-misevaluates"),
        f"{what}: the service does not look at the condition there.",
        needs=_UP,
    )


def lost_delete(stage: Stage) -> Told:
    """The answer to a DELETE is lost; the second one meets nothing."""
    stage.first()
    me = stage.editor()
    stage.origin.faults.lose = 1
    looks = stage.rng.random() < 0.6
    statuses: list[int] = []

    def story() -> Flow[None]:
        yield from me.read(stage.key)
        yield from me.agent.think()
        for number in range(2):
            answer = yield from me.agent.send(stage.skin.remove(stage.key, me.token), attempt=number + 1)
            statuses.append(answer.status if isinstance(answer, Response) else 0)
            yield stage.rng.uniform(0.1, 1.5)
        if looks:
            yield from me.read(stage.key)

    stage.play(story())
    return Told(
        "delete-done-and-repeated",
        "lost-response-replay",
        str(statuses[-1]),
        ("lost-response-replay", "target-missing"),
        "The connection breaks after the service has deleted the thing; the repeated DELETE meets nothing and is refused.",
        also=("target-missing",),
        needs=_UP,
        bodies=False,
    )


def unchanged_for_a_write(stage: Stage) -> Told:
    """304 is for reads; this server answers it to a PUT whose If-None-Match matches."""
    stage.first()
    stage.benign()
    me = stage.editor()
    star = stage.rng.random() < 0.6

    def hook(request: Request) -> Response | None:
        entry = stage.origin.store.get(stage.key)
        if request.method != "PUT" or entry is None or get(request.fields, "If-None-Match") is None:
            return None
        tag = stage.origin.tag(entry, request, "read")
        sent = get(request.fields, "If-None-Match")
        return Response(304, [("ETag", tag or "")]) if sent in {"*", tag} else None

    stage.origin.hooks.append(hook)
    stage.skin.patch = False

    def story() -> Flow[None]:
        yield from me.read(stage.key)
        yield from me.agent.think()
        request = stage.skin.write(stage.key, stage.edit(me.document), None)
        request.fields.append(("If-None-Match", "*" if star else me.token or "*"))
        yield from me.agent.send(request)
        yield from me.agent.think(0.2, 1)
        yield from me.read(stage.key)

    stage.play(story())
    return Told(
        "unchanged-for-a-write",
        "server-precondition-bug",
        "wrong-304",
        ("server-precondition-bug", "create-guard-on-update") if star else ("server-precondition-bug",),
        "A PUT whose If-None-Match matches is answered 304 Not Modified, which is for reads; 412 is due. Nothing is stored.",
        bodies=False,
    )
