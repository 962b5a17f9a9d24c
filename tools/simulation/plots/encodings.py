"""Encoders and filters that change or drop tags."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools.simulation.between import Encoder, Stripper
from tools.simulation.messages import Response
from tools.simulation.plots.conflicts import status_of
from tools.simulation.stage import Told

if TYPE_CHECKING:
    from tools.simulation.kernel import Flow
    from tools.simulation.messages import Answer
    from tools.simulation.stage import Editor, Stage

ZIPPING = ("requests", "httpx", "aiohttp", "axios", "undici", "okhttp", "go", "ruby", "urlsession", "chrome", "firefox", "safari", "chrome2")  # fmt: skip
_UP = frozenset({"upstream"})


def _identity(me: Editor, key: str) -> Flow[Answer]:
    request = me.skin.read(key)
    request.fields.append(("Accept-Encoding", "identity"))
    answer = yield from me.agent.send(request)
    if isinstance(answer, Response) and answer.status == 200:
        me.token, me.document = me.skin.token_of(answer), dict(answer.document or {})
    return answer


def _refused_twice(stage: Stage, me: Editor, ending: str) -> Flow[None]:
    if stage.rng.random() < 0.4:
        yield from me.read(stage.key)
        yield from me.agent.think()
        yield from me.poll(stage.key)
    yield from me.read(stage.key)
    mine = stage.edit(me.document)
    yield from me.agent.think()
    yield from me.save(stage.key, mine)
    yield from me.agent.think(0.1, 1)
    if ending == "stops":
        return
    if ending == "again":
        yield from me.read(stage.key)
        yield from me.save(stage.key, mine)
        yield from me.agent.think(0.1, 0.6)
        yield from me.read(stage.key)
    if ending == "identity":
        yield from _identity(me, stage.key)
        yield from me.save(stage.key, mine)


def etag_suffix_rewrite(stage: Stage) -> Told:
    """An encoder puts a suffix into the tag."""
    stage.first()
    look, mode, undo, head, coding = stage.rng.choice(
        (
            ("apache", "-gzip", False, True, "gzip"),
            ("apache", "-br", False, True, "br"),
            ("caddy", "-gzip", True, True, "gzip"),
            ("ats", "-df", False, False, "gzip"),
            ("nginx", "--gzip", False, True, "gzip"),
            ("apache", ";gzip", False, True, "gzip"),
            ("caddy", "-zstd", True, True, "zstd"),
            ("apache", "-gzip", False, False, "gzip"),
        )
    )
    stage.between(
        lambda inner: Encoder(
            stage.world, inner, look, mode, undo_for_reads=undo, on_head=head, coding=coding
        )
    )
    zstd = ("chrome", "firefox", "chrome2")
    brotli = ("axios", "urlsession", "chrome", "firefox", "safari", "chrome2")
    me = stage.editor(kinds={"gzip": ZIPPING, "br": brotli, "zstd": zstd}[coding])
    ending = stage.rng.choice(("again", "identity", "stops", "identity"))
    stage.play(_refused_twice(stage, me, ending))
    healed = ending == "identity"
    alone = ("etag-suffix-rewrite",)
    return Told(
        f"{look}{mode}".replace(";", "-"),
        "etag-suffix-rewrite",
        "recovered" if healed else status_of(stage),
        alone,
        f"The encoder in front appends {mode} to the tag of compressed answers, and the service does not know that tag: refused"
        + ("; read without compression the tag is bare and works." if healed else " each time."),
        needs=_UP if ending == "stops" else frozenset(),
        bodies=False,
    )


def etag_weakened(stage: Stage) -> Told:
    """A proxy makes the strong tag weak."""
    stage.first()
    look, always = stage.rng.choice(
        (
            ("nginx", False),
            ("cloudflare", False),
            ("haproxy", False),
            ("varnish", True),
            ("fastly", False),
            ("cloudfront", False),
            ("nginx-hidden", False),
        )
    )
    stage.between(
        lambda inner: Encoder(stage.world, inner, look, "weak", always=always, on_head=look != "haproxy")
    )
    me = stage.editor(kinds=stage.skin.clients if always else ZIPPING)
    ending = "again" if always else stage.rng.choice(("again", "identity", "stops", "identity"))
    stage.play(_refused_twice(stage, me, ending))
    healed = ending == "identity"
    alone = ("etag-weakened",) if healed else ("etag-weakened", "weak-only-origin")
    return Told(
        f"{look}-weakens",
        "etag-weakened",
        "recovered" if healed else status_of(stage),
        alone,
        "The service's strong tag reaches the client as a weak one, which If-Match can never match"
        + ("; read without compression it is strong and works." if healed else "."),
        needs=_UP,
        bodies=False,
    )


def validator_stripped(stage: Stage) -> Told:
    """A filter drops the validators, so that the client has nothing to send."""
    stage.first()
    stage.skin.patch = False
    look = stage.rng.choice(("nginx", "envoy", "apache", "alb"))
    mode = stage.rng.choice(("remove", "strip"))
    if mode == "remove":
        stage.between(lambda inner: Encoder(stage.world, inner, look, "remove"))
    else:
        stage.between(lambda inner: Stripper(stage.world, inner, look, of_answers=("ETag", "Last-Modified")))
    stage.origin.faults.required = True
    stage.skin.dates = False
    me = stage.editor(kinds=ZIPPING)
    heals = mode == "remove" and stage.rng.random() < 0.6

    def story() -> Flow[None]:
        yield from me.read(stage.key)
        yield from me.agent.think()
        mine = stage.edit(me.document)
        yield from me.save(stage.key, mine, guarded=False)
        yield from me.agent.think(0.2, 2)
        if heals:
            yield from _identity(me, stage.key)
            yield from me.save(stage.key, mine)
        elif stage.rng.random() < 0.5:
            yield from me.read(stage.key)

    stage.play(story())
    return Told(
        f"{look}-drops-validators",
        "validator-stripped",
        "recovered" if heals else str(stage.skin.missing_status),
        ("validator-stripped", "token-missing"),
        "The service demands a token and sends one, but a filter on the way drops it from the answers: the client has none to send"
        + ("; read without compression it is there and works." if heals else "."),
        needs=_UP,
        bodies=False,
    )
