"""Servers that make wrong tags, or judge conditions wrongly."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from tools.simulation.messages import Request
from tools.simulation.plots.conflicts import intrude, status_of
from tools.simulation.software import SERVERS
from tools.simulation.stage import Told
from tools.simulation.store import Condition, Entry

if TYPE_CHECKING:
    from tools.simulation.kernel import Flow
    from tools.simulation.messages import Document
    from tools.simulation.stage import Editor, Stage


def unstable_etag(stage: Stage) -> Told:
    """Another tag with each answer, the same content."""
    stage.first()
    stage.benign()
    me = stage.editor()
    stage.origin.faults.nonce = True
    shown = stage.rng.random() < 0.35 and stage.skin.form == "json"
    if shown:
        show_nonce(stage)

    def story() -> Flow[None]:
        for _ in range(stage.rng.randrange(2, 4)):
            yield from me.read(stage.key)
            yield stage.rng.uniform(0.05, 2)
        mine = stage.edit(me.document)
        for _ in range(stage.rng.choice((1, 2))):
            yield from me.save(stage.key, mine)
            yield from me.agent.think(0.1, 1)
            yield from me.read(stage.key)

    stage.play(story())
    what = "hashes a line with the time of the answer" if shown else "is made anew for each answer"
    return Told(
        "tag-changes-with-each-read",
        "unstable-etag",
        status_of(stage),
        ("unstable-etag", "inconsistent-backends"),
        f"The tag {what}: reads of the same content give other tags, and no write ever matches. One node, no other writer.",
        needs=frozenset({"upstream"}),
    )


def show_nonce(stage: Stage) -> None:
    """Let each body tell the time of its answer."""
    plain = stage.skin.content

    def content(entry: object, tag: str) -> str:
        text = plain(entry, tag)  # type: ignore[arg-type]
        at = f'"servedAt": "{stage.world.now:.3f}"'
        return text.rstrip()[:-1].rstrip() + f", {at}" + "}"

    stage.skin.content = content  # type: ignore[method-assign]


def etag_source_mismatch(stage: Stage) -> Told:
    """PUT's answer, or HEAD, tells another tag than GET, and writes are compared with GET's."""
    stage.first()
    stage.skin.answer = stage.rng.choice(("tagged", "full"))
    stage.skin.scheme = stage.rng.choice(("version", "vnumber", "mtime", "revision"))
    head = stage.rng.random() < 0.4
    me = stage.editor()
    _other_shape(stage, "head" if head else "write")
    heals = stage.rng.random() < 0.7

    def story() -> Flow[None]:
        yield from me.read(stage.key)
        yield from me.agent.think()
        if head:
            mine = stage.edit(me.document)
            answer = yield from me.agent.send(Request("HEAD", stage.skin.url(stage.key)))
            me.token = stage.skin.token_of(answer)
        else:
            yield from me.save(stage.key, stage.edit(me.document))
            yield from me.agent.think(0.3, 2)
            mine = stage.edit(me.document)
        yield from me.save(stage.key, mine)
        yield from me.agent.think(0.1, 1)
        yield from me.read(stage.key)
        if heals:
            yield from me.save(stage.key, mine, learn=False)

    stage.play(story())
    which = "HEAD" if head else "the answer to a PUT"
    return Told(
        "head-tells-another-tag" if head else "put-tells-another-tag",
        "etag-source-mismatch",
        "recovered" if heals else status_of(stage),
        ("etag-source-mismatch",),
        f"The tag in {which} is of another kind than GET's, and writes are compared with GET's: refused"
        + ("; with the tag of a GET it passes." if heals else "."),
    )


def _other_shape(stage: Stage, use: str) -> None:
    plain = stage.origin.tag

    def tag(entry: object, request: Request, wanted: str) -> str | None:
        text = plain(entry, request, wanted)  # type: ignore[arg-type]
        if wanted == use and text is not None:
            return f'"{hashlib.md5((text + str(entry)).encode()).hexdigest()}"'  # noqa: S324 - a tag, not a secret
        return text

    stage.origin.tag = tag  # type: ignore[method-assign,assignment]


def weak_only_origin(stage: Stage) -> Told:
    """Weak tags only, compared strongly."""
    stage.first()
    me = stage.editor()
    stage.origin.faults.weak_tags = True
    identity = stage.rng.random() < 0.5

    def story() -> Flow[None]:
        yield from me.read(stage.key)
        yield from me.agent.think()
        mine = stage.edit(me.document)
        yield from me.save(stage.key, mine)
        yield from me.agent.think(0.1, 1)
        yield from me.read(stage.key, [("Accept-Encoding", "identity")] if identity else [])
        yield from me.save(stage.key, mine)
        if stage.rng.random() < 0.4:
            yield from me.poll(stage.key)

    stage.play(story())
    alone = ("weak-only-origin",) if identity else ("weak-only-origin", "etag-weakened")
    return Told(
        "weak-tags-only",
        "weak-only-origin",
        status_of(stage),
        alone,
        "The service itself makes weak tags only and compares them strongly: If-Match with what it served is refused each time.",
        needs=frozenset({"upstream"}),
        bodies=False,
    )


def weak_until_settled(stage: Stage) -> Told:
    """Apache's tag of a young file is weak."""
    stage.first()
    stage.skin.server = SERVERS["apache"]
    stage.skin.scheme = "mtime"
    stage.skin.answer = "bare"
    stage.skin.dates = True
    stage.skin.patch = False
    stage.origin.faults.settle = 1.0
    me = stage.editor()
    settles = stage.rng.random() < 0.7

    def story() -> Flow[None]:
        yield from me.read(stage.key)
        yield from me.agent.think()
        yield from me.save(stage.key, stage.edit(me.document), learn=False)
        yield stage.rng.uniform(0.03, 0.3)
        yield from me.read(stage.key)
        mine = stage.edit(me.document)
        yield stage.rng.uniform(0.05, 0.4)
        yield from me.save(stage.key, mine)
        if settles:
            yield stage.rng.uniform(1.3, 2.5)
            yield from me.read(stage.key)
            yield from me.save(stage.key, mine)
        else:
            yield 0.05
            yield from me.read(stage.key)

    stage.play(story())
    alone = (
        ("weak-until-settled",) if settles else ("weak-until-settled", "weak-only-origin", "etag-weakened")
    )
    return Told(
        "young-file-weak-tag",
        "weak-until-settled",
        "recovered" if settles else status_of(stage),
        alone,
        "A file just stored on Apache has a weak tag while it is about a second old; the next save within that time is refused"
        + (", and passes with the same opaque tag, now strong." if settles else "."),
        bodies=False,
    )


def server_precondition_bug(stage: Stage) -> Told:
    """A server that contradicts RFC 9110 section 13.2.2."""
    stage.first()
    stage.benign()
    me = stage.editor()
    form = stage.rng.choice(("star", "get-412", "list", "date-wins"))
    faults = stage.origin.faults
    faults.star_is_text = form == "star"
    faults.not_modified_as_412 = form == "get-412"
    stage.skin.dates = stage.skin.dates or form == "date-wins"

    def story() -> Flow[None]:
        yield from me.read(stage.key)
        yield from me.agent.think()
        if form == "get-412":
            for _ in range(2):
                yield from me.poll(stage.key)
                yield from me.agent.think(1, 3)
            yield from me.read(stage.key)
            return
        mine = stage.edit(me.document)
        token = {"star": "*", "list": f'"zz{stage.rng.randrange(99)}", {me.token}', "date-wins": me.token}[
            form
        ]
        request = stage.skin.write(stage.key, mine, token, me.document)
        if form == "date-wins":
            request.fields.append(("If-Unmodified-Since", "Thu, 01 Jan 2015 00:00:00 GMT"))
        yield from me.agent.send(request)
        yield from me.agent.think(0.2, 1)
        yield from me.read(stage.key)
        if stage.rng.random() < 0.6:
            yield from me.save(stage.key, mine)

    if form in {"list", "date-wins"}:
        stage.origin.judge = _misjudge(stage, form)  # type: ignore[method-assign]
    stage.play(story())
    words = {
        "star": "If-Match: * on a resource that exists is refused; the star is compared like a tag.",
        "get-412": "A GET whose If-None-Match is current is answered 412; 304 is due.",
        "list": "If-Match with two tags, the second of which is current, is refused: only the first is looked at.",
        "date-wins": "If-Match is current, yet the write is refused by the If-Unmodified-Since beside it, which had to be ignored.",
    }
    return Told(
        f"bug-{form}",
        "server-precondition-bug",
        status_of(stage),
        ("server-precondition-bug",),
        words[form],
        bodies=False,
    )


def _misjudge(stage: Stage, form: str):  # type: ignore[no-untyped-def]  # noqa: ANN202
    plain = stage.origin.judge

    def judge(request: Request, entry: Entry | None, condition: Condition | None) -> str:
        if form == "date-wins" and request.field("If-Unmodified-Since") and request.method != "GET":
            return "mismatch"
        if form == "list" and condition and condition.kind == "match" and len(condition.values) > 1:
            condition = Condition("match", condition.values[:1])
        return plain(request, entry, condition)

    return judge


def post_commit(stage: Stage) -> Told:
    """Stored, then refused."""
    stage.first()
    stage.benign()
    me = stage.editor()
    stage.origin.faults.post_commit = True

    def story() -> Flow[None]:
        yield from me.read(stage.key)
        mine = stage.edit(me.document)
        yield from me.agent.think()
        yield from me.save(stage.key, mine)
        yield from me.agent.think(0.1, 1)
        yield from me.read(stage.key)
        if stage.rng.random() < 0.3:
            yield from me.save(stage.key, stage.edit(me.document))
            yield from me.read(stage.key)

    stage.play(story())
    return Told(
        "refused-but-stored",
        "post-commit-412",
        status_of(stage),
        ("post-commit-412", "intermediary-replay"),
        "The service compares the condition after it has stored the write: refused within milliseconds on the first try, and the read shows the client's own data under a new tag.",
        needs=frozenset({"upstream"}),
    )


def precondition_ignored(stage: Stage) -> Told:
    """Outdated conditions are accepted."""
    stage.first()
    stage.benign()
    me, rival = stage.editor(), stage.editor("other")
    stage.skin.patch = False
    sees = stage.rng.random() < 0.5
    stage.origin.faults.ignored = frozenset({"PUT", "PATCH", "POST", "DELETE"})

    def story() -> Flow[None]:
        yield from me.read(stage.key)
        base, token = dict(me.document), me.token
        mine = stage.edit(base)
        yield from me.agent.think()
        yield from intrude(stage, rival, mine)
        yield from me.agent.think(0.3, 2)
        if sees:
            yield from me.read(stage.key, learn=False)
            yield from me.agent.think(0.1, 1)
        yield from me.save(stage.key, mine, token)
        if stage.rng.random() < 0.5:
            yield from me.agent.think(0.1, 1)
            yield from me.read(stage.key)

    stage.play(story())
    alone = (
        ("precondition-ignored", "precondition-stripped", "server-precondition-bug")
        if sees
        else ("none", "precondition-ignored", "precondition-stripped")
    )
    more = " The client itself had read the newer tag meanwhile." if sees else ""
    return Told(
        "outdated-tag-accepted",
        "precondition-ignored",
        "lost-update",
        alone,
        f"The service never looks at the condition: an outdated tag is accepted and another's change is gone.{more}",
        needs=frozenset({"other", "upstream"}),
    )


def own_stale_accepted(stage: Stage) -> Told:
    """The client's own outdated tag is accepted again and again; another's change goes under."""
    stage.first()
    me, rival = stage.editor(), stage.editor("other")
    stage.skin.patch = False
    stage.skin.answer = "tagged"
    stage.origin.faults.ignored = frozenset({"PUT"})

    def story() -> Flow[None]:
        yield from me.read(stage.key)
        token = me.token
        document: Document = dict(me.document)
        for number in range(3):
            if number == 2:
                yield from intrude(stage, rival)
            yield from me.agent.think(0.5, 3)
            document = stage.edit(document)
            yield from me.save(stage.key, document, token)

    stage.play(story())
    return Told(
        "first-tag-accepted-for-ever",
        "precondition-ignored",
        "lost-update",
        ("precondition-ignored", "precondition-stripped", "server-precondition-bug"),
        "The client sends its first tag with three saves, each is accepted though each changed the tag; between the second and the third another's change is lost.",
        needs=frozenset({"other", "upstream"}),
    )


def check_then_write(stage: Stage) -> Told:
    """Check and write are two steps; overlapping writes both pass."""
    stage.first()
    stage.benign()
    me, rival = stage.editor(), stage.editor("other")
    stage.skin.patch = False
    own = stage.rng.random() < 0.35
    stage.origin.faults.race_gap = stage.rng.uniform(0.12, 0.4)
    later = stage.rng.random() < 0.5

    def save(who: Editor, document: Document, token: str | None) -> Flow[None]:
        yield from who.save(stage.key, document, token, learn=False)

    def story() -> Flow[None]:
        other = me if own else rival
        yield from me.read(stage.key)
        if not own:
            yield from rival.read(stage.key)
        base = dict(me.document)
        mine = stage.edit(base)
        theirs = stage.edit(base, mine, base)
        token = me.token
        yield from me.agent.think()
        stage.world.spawn(save(me, mine, token))
        stage.world.spawn(save(other, theirs, other.token), delay=stage.rng.uniform(0.01, 0.06))
        yield 1.5
        if later:
            third = stage.agents[-1]
            yield from third.send(stage.skin.write(stage.key, theirs, token, base))
        if own:
            yield from me.agent.think(0.1, 1)
            yield from me.read(stage.key)

    stage.play(story())
    alone = ("check-then-write-race",) if own else ("none", "check-then-write-race")
    return Told(
        "two-winners",
        "check-then-write-race",
        "lost-update",
        alone,
        "Check and write are two steps: two overlapping writes under one tag are both accepted and one of them is gone"
        + ("; an outdated write later is refused as it should be." if later else "."),
        needs=frozenset({"other", "upstream"}),
    )
