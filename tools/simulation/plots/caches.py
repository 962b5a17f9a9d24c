"""Caches that serve old reads, or judge conditions by themselves."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tools.simulation.between import Cache, Plain
from tools.simulation.messages import Request, Response, put, without
from tools.simulation.plots.conflicts import intrude, status_of
from tools.simulation.stage import Told

if TYPE_CHECKING:
    from tools.simulation.agents import Hop
    from tools.simulation.kernel import Flow
    from tools.simulation.messages import Answer, Document
    from tools.simulation.stage import Editor, Stage


_BOTH = frozenset({"upstream", "other"})
# Look, marks, and whether it listens to no-cache; a cache that keeps its copy when a write passes, or drops it.
_KEEPING = (
    ("nginx", "x-cache", False), ("varnish", "age", False), ("cloudfront", "age", False),
    ("fastly", "age", False), ("nginx-hidden", "none", False), ("cloudflare", "age", False),
)  # fmt: skip
_DROPPING = (("squid", "age", True), ("apache", "age", True), ("ats", "age", False))


def _fresh_read(stage: Stage, me: Editor, now: Document, *, honours: bool) -> Flow[None]:
    if honours:
        yield from me.read(stage.key, [("Cache-Control", "no-cache")])
        return
    request = stage.skin.read(stage.key)
    request.url += ("&" if "?" in request.url else "?") + f"_={int(stage.world.now * 1000)}"
    answer = yield from me.agent.send(request)
    me.token, me.document = stage.skin.token_of(answer), dict(now)


def _blamed(*, own: bool, heals: bool, marks: str) -> tuple[str, ...]:
    if not (own or heals or marks != "none"):
        return ("stale-cache-read", "replica-lag", "other-writer")
    return ("stale-cache-read",) if (marks == "age" or heals) else ("stale-cache-read", "replica-lag")


def stale_cache_read(stage: Stage) -> Told:
    """The token comes from a cache that does not know the last write."""
    stage.first()
    own = stage.rng.random() < 0.5
    look, marks, honours = stage.rng.choice(_KEEPING if own else (*_KEEPING, *_DROPPING))
    life = stage.rng.uniform(20, 90)
    stage.skin.cache_control = f"public, max-age={int(life)}"
    stage.skin.answer = "bare" if own else stage.skin.answer
    stage.between(lambda inner: Cache(stage.world, inner, look, life, marks=marks, honours=honours))
    me, rival = stage.editor(), stage.editor("other", direct=True)
    heals = stage.rng.random() < 0.6

    def story() -> Flow[None]:
        yield from me.read(stage.key)
        yield from me.agent.think()
        first = dict(me.document)
        if own:
            yield from me.save(stage.key, stage.edit(me.document))
            yield from me.agent.think(0.3, 2)
        else:
            yield from intrude(stage, rival)
            yield from me.agent.think(0.5, 2)
        now = dict(stage.origin.store[stage.key].document)
        yield from me.read(stage.key)
        base = dict(me.document)
        mine = stage.edit(base, now, first)
        for _ in range(2):
            yield from me.save(stage.key, mine)
            yield from me.agent.think(0.2, 1)
            yield from me.read(stage.key)
        if heals:
            yield from _fresh_read(stage, me, now, honours=honours)
            changed = {name: value for name, value in mine.items() if base.get(name) != value}
            yield from me.save(stage.key, {**now, **changed})

    stage.play(story())
    who = "the client's own save" if own else "another's change past the cache"
    text = f"The cache keeps its copy after {who}; the refresh brings the old tag again and the write is refused again."
    outcome, also = "recovered" if heals else status_of(stage), () if own else ("other-writer",)
    return Told(
        f"{look}-serves-the-old-tag",
        "stale-cache-read",
        outcome,
        _blamed(own=own, heals=heals, marks=marks),
        text,
        also=also,
        needs=_BOTH,
    )


def wrong_304(stage: Stage) -> Told:
    """A cache says 304 for a tag that the origin has replaced."""
    stage.first()
    look = stage.rng.choice(("varnish", "fastly", "ats", "cloudfront"))
    life = stage.rng.uniform(8, 14)
    stage.skin.cache_control = f"public, max-age={int(life)}"
    stage.skin.dates = True
    stage.between(lambda inner: Cache(stage.world, inner, look, life))
    me, rival = stage.editor(), stage.editor("other", direct=True)

    def story() -> Flow[None]:
        yield from me.read(stage.key)
        yield from me.agent.think(0.5, 1)
        yield from intrude(stage, rival)
        for _ in range(6):
            yield 2.1
            yield from me.poll(stage.key)
        yield 3.0
        yield from me.poll(stage.key)

    stage.play(story())
    return Told(
        f"{look}-says-unchanged",
        "stale-cache-read",
        "wrong-304",
        ("stale-cache-read", "cache-misevaluates"),
        "The cache answers 304 from its store for seconds after the origin's content has changed; the 200 that ends it bears a date before those answers.",
        needs=frozenset({"upstream", "other"}),
    )


_MISJUDGED = {
    "own-412": ("412", ("cache-misevaluates", "stale-cache-read"), "The client reads with If-Match and the new tag, which it has from its own save or from the listing; the cache compares with its old copy and answers 412 itself, the origin never sees the read."),
    "misses-304": ("wrong-200", ("cache-misevaluates",), "The client revalidates with the current tag; the cache asks the origin, gets 304, and hands the client a full 200."),
    "ignores": ("wrong-206", ("cache-misevaluates", "precondition-ignored", "read-changed-mid-transfer"), "A read pinned with If-Match to the old version is answered with a part of the new one: the cache takes the condition off."),
}  # fmt: skip


def cache_misevaluates(stage: Stage) -> Told:
    """A cache judges by itself what it had to forward, or gives a full answer where 304 is due."""
    stage.first()
    form = stage.rng.choice(("own-412", "misses-304", "ignores"))
    looks = {"own-412": stage.rng.choice(("squid", "nginx", "nginx", "ats")), "misses-304": "squid"}
    look = {**looks, "ignores": stage.rng.choice(("varnish", "haproxy"))}[form]
    stage.skin.cache_control = "public, max-age=60"
    stage.between(lambda inner: _Misjudging(stage, inner, look, form))
    me, rival = stage.editor(), stage.editor("other", direct=True)

    def learn_the_new_tag() -> Flow[None]:
        if look == "nginx":
            yield from me.save(stage.key, stage.edit(me.document))
            return
        yield from intrude(stage, rival)
        yield from me.agent.think(0.2, 1)
        yield from me.agent.send(Request("GET", stage.skin.url(stage.key).rsplit("/", 1)[0]))
        me.token = stage.origin.tag(stage.origin.store[stage.key], Request("GET", ""), "read")

    def story() -> Flow[None]:
        yield from me.read(stage.key)
        yield from me.agent.think(0.5, 2)
        if form == "misses-304":
            for _ in range(3):
                yield from me.poll(stage.key)
                yield from me.agent.think(1, 3)
        elif form == "own-412":
            yield from learn_the_new_tag()
            yield from me.agent.think(0.2, 1)
            yield from me.read(stage.key, [("If-Match", me.token or '"x"')])
        else:
            yield from intrude(stage, rival)
            yield from me.agent.think(0.5, 2)
            pinned = [("If-Match", me.token or '"x"'), ("Range", "bytes=0-15")]
            yield from me.read(stage.key, pinned, learn=False)

    stage.skin.answer = "tagged" if stage.skin.answer == "bare" else stage.skin.answer
    stage.origin.hooks.append(lambda request: _listing(stage, request))
    stage.play(story())
    outcome, alone, text = _MISJUDGED[form]
    return Told(f"{look}-{form}", "cache-misevaluates", outcome, alone, text, needs=_BOTH)


def _listing(stage: Stage, request: Request) -> Response | None:
    if request.url != stage.skin.url(stage.key).rsplit("/", 1)[0]:
        return None
    tag = stage.origin.tag(stage.origin.store[stage.key], request, "read") or ""
    answer = stage.skin.json_answer(200, json.dumps({"items": [{"id": stage.key, "etag": tag}]}))
    answer.fields.append(("Cache-Control", "no-store"))
    return answer


class _Misjudging(Cache):
    """A cache with one of the faults above."""

    def __init__(self, stage: Stage, inner: Hop, look: str, form: str) -> None:
        super().__init__(
            stage.world, inner, look, 300.0, marks="none" if look in {"nginx", "haproxy"} else "age"
        )
        self.form = form
        self.url = stage.skin.url(stage.key)

    def serve(self, request: Request) -> Flow[Answer]:
        """Misjudge, or do as a cache does."""
        condition = request.field("If-Match")
        kept = self.kept.get(request.url)
        if request.method == "GET" and self.form == "own-412" and condition and kept:
            yield 0.001
            if condition != kept.answer.field("ETag"):
                return self._own_page()
        if request.method == "GET" and self.form == "misses-304" and request.field("If-None-Match"):
            answer = yield from Plain.serve(self, request)
            if isinstance(answer, Response) and answer.status == 304 and kept:
                whole = kept.answer.copy()
                self._mark(whole, hit=True, age=0)
                return whole
            return answer
        if request.method == "GET" and self.form == "ignores" and condition:
            bare = request.copy()
            bare.fields = without(bare.fields, "If-Match", "Range")
            answer = yield from Plain.serve(self, bare)
            return _part(answer) if isinstance(answer, Response) else answer
        if request.method == "GET" and request.url != self.url:
            answer = yield from Plain.serve(self, request)
            return answer
        answer = yield from super().serve(request)
        return answer

    def _own_page(self) -> Response:
        name = self.look.name
        if name == "ats":
            return Response(
                412,
                [
                    ("Server", "ATS/9.2.9"),
                    ("Content-Length", "0"),
                    ("Age", "3"),
                    ("Connection", "keep-alive"),
                ],
            )
        if name == "squid":
            body = "<html><head><title>ERROR: The requested URL could not be retrieved</title></head><body><p>Precondition Failed</p><p>Generated by edge1 (squid/5.7)</p></body></html>"
            fields = [
                ("Server", "squid/5.7"),
                ("Mime-Version", "1.0"),
                ("Content-Type", "text/html;charset=utf-8"),
                ("X-Squid-Error", "ERR_PRECONDITION_FAILED 0"),
                ("Age", "2"),
                ("X-Cache", "HIT from edge1"),
                ("Via", "1.1 edge1 (squid/5.7)"),
            ]
            return Response(412, [*fields, ("Content-Length", str(len(body)))], body)
        body = "<html>\r\n<head><title>412 Precondition Failed</title></head>\r\n<body>\r\n<center><h1>412 Precondition Failed</h1></center>\r\n<hr><center>nginx/1.26.1</center>\r\n</body>\r\n</html>\r\n"
        return Response(
            412,
            [
                ("Server", "nginx/1.26.1"),
                ("Content-Type", "text/html"),
                ("Content-Length", str(len(body))),
                ("Connection", "keep-alive"),
            ],
            body,
        )


def _part(answer: Response) -> Response:
    body = answer.body if isinstance(answer.body, str) else ""
    part = answer.copy()
    part.status, part.body = 206, body[:16]
    part.fields = put(without(part.fields, "Content-Length"), "Content-Range", f"bytes 0-15/{len(body)}")
    part.fields = put(part.fields, "Content-Length", "16")
    return part
