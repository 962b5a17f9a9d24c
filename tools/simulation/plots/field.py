"""Stories as people report them: chunked uploads, banned clients, growing logs, disk caches, two tabs, double deletes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tools.simulation.messages import Request, Response
from tools.simulation.plots.conflicts import intrude, status_of
from tools.simulation.stage import Told

if TYPE_CHECKING:
    from tools.simulation.kernel import Flow
    from tools.simulation.stage import Stage
    from tools.simulation.store import Entry

_UP = frozenset({"upstream"})
_BOTH = frozenset({"upstream", "other"})


def legacy_chunks(stage: Stage) -> Told:
    """Chunks of the old protocol at the new address: the tag of the file guards a name that does not exist."""
    stage.first()
    me = stage.editor()
    number = stage.rng.randrange(10**8, 10**10)

    def story() -> Flow[None]:
        yield from me.read(stage.key)
        yield from me.agent.think()
        for part in range(stage.rng.choice((1, 2))):
            url = f"{stage.skin.url(stage.key)}-chunking-{number}-3-{part}"
            fields = [
                ("Content-Type", "application/octet-stream"),
                ("OC-Chunked", "1"),
                ("If-Match", me.token or '"x"'),
            ]
            yield from me.agent.send(Request("PUT", url, fields, f"part {part}", {}))
            yield from me.agent.think(0.2, 1)
        yield from me.agent.send(Request("HEAD", f"{stage.skin.url(stage.key)}-chunking-{number}-3-0"))
        if stage.rng.random() < 0.6:
            yield from me.read(stage.key)

    stage.play(story())
    return Told(
        "chunks-at-the-wrong-address",
        "target-missing",
        "412",
        ("target-missing", "wrong-token-source"),
        "A client uploads chunks under the names of an old protocol; each bears the file's tag in If-Match, but the chunk's own name does not exist.",
        bodies=False,
    )


def banned(stage: Stage) -> Told:
    """A service answers 412 to clients it takes for robots."""
    stage.first()
    me = stage.editor(kinds=("requests", "go", "curl", "okhttp", "aiohttp"))
    body = stage.rng.choice(
        (
            '{"code":-412,"message":"request was banned","ttl":1}',
            '{"error":"automated access detected"}',
            "<html><title>Access limited</title><body>Too many requests from your address.</body></html>",
        )
    )
    media = "text/html" if body.startswith("<") else "application/json"
    limit, seen = stage.rng.randrange(3, 6), 0

    def hook(_request: Request) -> Response | None:
        nonlocal seen
        seen += 1
        return stage.skin.json_answer(412, body, media) if seen > limit else None

    stage.origin.hooks.append(hook)

    def story() -> Flow[None]:
        for _ in range(limit + stage.rng.randrange(2, 4)):
            yield from me.agent.send(stage.skin.read(stage.key))
            yield stage.rng.uniform(0.02, 0.2)

    stage.play(story())
    return Told(
        "taken-for-a-robot",
        "nonprecondition-412",
        "412",
        ("nonprecondition-412",),
        "After some plain reads in quick succession the service answers 412 to each further one: it takes the client for a robot. There is no condition in any request.",
    )


def strict_cookie(stage: Stage) -> Told:
    """A check of cookies answers 412."""
    me = stage.editor(credentials=True)
    texts = (
        '{"message":"Strict Cookie has not been found in request"}',
        '{"error":"csrf_check_failed","message":"CSRF check failed"}',
        '{"message":"Session cookie missing"}',
    )
    text = stage.rng.choice(texts)
    stage.origin.hooks.append(
        lambda request: (
            stage.skin.json_answer(412, text)
            if "session=" not in (request.field("Cookie") or "")
            else stage.skin.json_answer(200, '{"ok":true}')
        )
    )
    heals = stage.rng.random() < 0.5

    def story() -> Flow[None]:
        url = f"{stage.skin.origin_url}{stage.skin.prefix}/uploads"
        for with_cookie in (False, heals):
            fields = [("Content-Type", "application/json")]
            if with_cookie:
                fields.append(("Cookie", f"session={stage.rng.getrandbits(64):016x}; strict=1"))
            yield from me.agent.send(Request("POST", url, fields, '{"name":"IMG_0412.jpg"}'))
            yield from me.agent.think(0.5, 3)

    stage.play(story())
    return Told(
        "cookie-check-fails",
        "nonprecondition-412",
        "recovered" if heals else "412",
        ("nonprecondition-412",),
        "412 stands for a check of cookies against forgery; the request bears no condition"
        + (", and with the cookie it passes." if heals else "."),
    )


def _ill(stage: Stage, status: int) -> Response:
    if stage.skin.id in {"s3", "azure-blob"}:
        body = '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>InternalError</Code><Message>We encountered an internal error. Please try again.</Message></Error>'
        return stage.skin.json_answer(status, body, "application/xml")
    return stage.skin.json_answer(status, '{"error":"internal","message":"Please try again"}')


def stored_then_5xx(stage: Stage) -> Told:
    """The first try is stored and answered with a 5xx; the retry meets it."""
    stage.first()
    me = stage.editor()
    status = stage.rng.choice((500, 502, 503))
    keyed = stage.rng.random() < 0.4
    reads = stage.rng.random() < 0.8
    plain = stage.skin.accepted
    failed = 0

    def accepted(entry: Entry, tag: str | None, modified: str | None, *, created: bool) -> Response:
        nonlocal failed
        failed += 1
        if failed == 1:
            return _ill(stage, status)
        return plain(entry, tag, modified, created=created)

    stage.skin.accepted = accepted  # type: ignore[method-assign]

    def story() -> Flow[None]:
        yield from me.read(stage.key)
        mine = stage.edit(me.document)
        yield from me.agent.think()
        key = f"{stage.rng.getrandbits(64):016x}"
        for number in range(2):
            request = stage.skin.write(stage.key, mine, me.token, me.document)
            if keyed:
                request.fields.append(("Idempotency-Key", key))
            yield from me.agent.send(request, attempt=number + 1)
            yield stage.rng.uniform(0.2, 2)
        if reads:
            yield from me.read(stage.key)

    stage.play(story())
    alone = ("lost-response-replay",) if reads else ("lost-response-replay", "other-writer")
    return Told(
        f"stored-but-answered-{status}",
        "lost-response-replay",
        status_of(stage),
        alone,
        f"The service stores the write and answers {status}; the client's retry is refused by its own first attempt.",
        needs=_UP,
    )


def disk_cache(stage: Stage) -> Told:
    """The browser's own cache answers the refresh."""
    stage.first()
    stage.skin.cache_control = "max-age=120"
    me = stage.editor(kinds=("chrome", "chrome2"), credentials=False)
    rival = stage.editor("other")

    def story() -> Flow[None]:
        yield from me.read(stage.key)
        read = me.agent.tape.exchanges[-1]
        mine = stage.edit(me.document)
        yield from me.agent.think()
        yield from intrude(stage, rival, mine)
        yield from me.agent.think(0.3, 1)
        for _ in range(2):
            yield from me.save(stage.key, mine)
            yield from me.agent.think(0.1, 0.6)
            me.agent.tape.exchanges.append(
                replace(read, started=stage.world.now, duration=0.003, cached=True)
            )
            yield from me.agent.think(0.1, 0.6)
        if stage.rng.random() < 0.5:
            yield from me.read(stage.key, [("Cache-Control", "no-cache"), ("Pragma", "no-cache")])

    stage.play(story())
    return Told(
        "refresh-from-the-disk-cache",
        "stale-cache-read",
        status_of(stage),
        ("stale-cache-read", "other-writer"),
        "After the refusal the page reads again, but its browser answers from its own disk cache (max-age): the old tag is sent and refused again.",
        also=("other-writer",),
        needs=_UP,
    )


def two_tabs(stage: Stage) -> Told:
    """Two tabs of one browser: the second saved, the first does not know."""
    stage.first()
    me = stage.editor(kinds=("chrome", "chrome2", "firefox"))

    def story() -> Flow[None]:
        me.agent.page = "page_1"
        yield from me.read(stage.key)
        first, token, base = dict(me.document), me.token, dict(me.document)
        yield from me.agent.think()
        me.agent.page = "page_2"
        yield from me.read(stage.key)
        theirs = stage.edit(me.document)
        yield from me.agent.think()
        yield from me.save(stage.key, theirs)
        yield from me.agent.think(1, 5)
        me.agent.page = "page_1"
        me.document = base
        yield from me.save(stage.key, stage.edit(first, theirs, first), token)
        yield from me.agent.think(0.1, 1)
        yield from me.read(stage.key)

    stage.play(story())
    return Told(
        "two-tabs",
        "stale-stored-token",
        status_of(stage),
        ("stale-stored-token", "self-race", "other-writer"),
        "The same person has the resource open in two tabs: the second tab saves, the first one then saves with the token of its own read and is refused. Nobody else writes.",
        needs=_UP,
    )


def double_delete(stage: Stage) -> Told:
    """Two deletes of one click."""
    stage.first()
    me = stage.editor()
    stage.origin.pace = max(stage.origin.pace, 0.03)

    def once() -> Flow[None]:
        yield from me.agent.send(stage.skin.remove(stage.key, me.token))

    def story() -> Flow[None]:
        yield from me.read(stage.key)
        yield from me.agent.think()
        stage.world.spawn(once())
        stage.world.spawn(once(), delay=stage.rng.uniform(0.004, 0.03))
        yield 1.0
        if stage.rng.random() < 0.6:
            yield from me.read(stage.key)

    stage.play(story())
    return Told(
        "double-delete",
        "self-race",
        status_of(stage),
        ("self-race", "target-missing"),
        "One click sends the same DELETE twice under one token; the first is done, the second is refused. Nobody else writes.",
        also=("target-missing",),
        needs=_UP,
        bodies=False,
    )


def own_delete(stage: Stage) -> Told:
    """An update of what oneself has deleted before."""
    stage.first()
    me = stage.editor()

    def story() -> Flow[None]:
        yield from me.read(stage.key)
        token, document = me.token, dict(me.document)
        yield from me.agent.think()
        yield from me.agent.send(stage.skin.remove(stage.key, token))
        yield from me.agent.think(0.5, 5)
        me.document = document
        yield from me.save(stage.key, stage.edit(document), token)
        yield from me.agent.think(0.1, 1)
        yield from me.read(stage.key)

    stage.play(story())
    return Told(
        "deleted-it-itself",
        "target-missing",
        status_of(stage),
        ("target-missing", "stale-stored-token"),
        "The client deletes the resource and later sends an update with the token of before; it is refused, the next read is 404. Nobody else writes.",
        needs=_UP,
        bodies=False,
    )


def same_change(stage: Stage) -> Told:
    """Somebody else made the very same change."""
    stage.first()
    stage.skin.patch = False
    me, rival = stage.editor(), stage.editor("other")

    def story() -> Flow[None]:
        yield from me.read(stage.key)
        mine = stage.edit(me.document)
        yield from me.agent.think()
        yield from rival.read(stage.key)
        yield from rival.agent.think(0.1, 1)
        yield from rival.save(stage.key, mine)
        yield from me.agent.think(0.3, 2)
        yield from me.save(stage.key, mine)
        yield from me.agent.think(0.1, 1)
        yield from me.read(stage.key)

    stage.play(story())
    return Told(
        "the-same-change-by-another",
        "other-writer",
        status_of(stage),
        ("post-commit-412", "other-writer", "intermediary-replay"),
        "Somebody else makes the very same change first; the client's write is refused, and the read shows the content it wanted, though it did not write it.",
        needs=_BOTH,
    )


def blind_from_refusal(stage: Stage) -> Told:
    """The tag of the refusal, sent with the old edit."""
    stage.first()
    stage.skin.patch = False
    stage.skin.wording -= stage.skin.wording % 5
    me, rival = stage.editor(), stage.editor("other")

    def story() -> Flow[None]:
        yield from me.read(stage.key)
        mine = stage.edit(me.document)
        yield from me.agent.think()
        yield from intrude(stage, rival, mine)
        yield from me.agent.think(0.3, 2)
        answer = yield from me.save(stage.key, mine)
        token = answer.field("ETag") if isinstance(answer, Response) else None
        yield stage.rng.uniform(0.005, 0.05)
        yield from me.save(stage.key, mine, token)

    stage.play(story())
    return Told(
        "tag-of-the-refusal-old-edit",
        "blind-refresh",
        "lost-update",
        ("blind-refresh", "other-writer"),
        "The refusal carries the current tag; the client sends it at once with its old edit, without reading: the check passes and the other's change is overwritten.",
        also=("other-writer",),
        needs=_BOTH,
    )
