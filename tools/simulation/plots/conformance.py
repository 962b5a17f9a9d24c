"""What measured servers do: weak tags for ever, paths that judge differently, stars and lists taken wrongly."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools.simulation.messages import Request, Response, get
from tools.simulation.plots.conflicts import intrude, status_of
from tools.simulation.software import SERVERS
from tools.simulation.stage import Told

if TYPE_CHECKING:
    from tools.simulation.kernel import Flow
    from tools.simulation.stage import Stage
    from tools.simulation.store import Condition, Entry

_UP = frozenset({"upstream"})
_BOTH = frozenset({"upstream", "other"})


def tomcat_weak(stage: Stage) -> Told:
    """A file server of weak tags: with and without W/ refused, only the star passes."""
    stage.first()
    stage.skin.server = SERVERS["tomcat"]
    stage.skin.scheme, stage.skin.answer, stage.skin.patch, stage.skin.dates = "mtime", "bare", False, True
    stage.origin.faults.weak_tags = True
    me = stage.editor()
    star = stage.rng.random() < 0.6

    def story() -> Flow[None]:
        yield from me.read(stage.key)
        mine = stage.edit(me.document)
        yield from me.agent.think()
        yield from me.save(stage.key, mine)
        yield from me.agent.think(0.3, 2)
        yield from me.save(stage.key, mine, (me.token or "").removeprefix("W/"))
        yield from me.agent.think(0.3, 2)
        yield from me.read(stage.key)
        if star:
            yield from me.save(stage.key, mine, "*")

    stage.play(story())
    return Told(
        "weak-with-and-without-the-mark",
        "weak-only-origin",
        "recovered" if star else status_of(stage),
        ("weak-only-origin", "etag-weakened"),
        "The server makes weak tags only: If-Match with the tag is refused, and with the W/ taken off as well"
        + ("; only If-Match: * passes." if star else "."),
        needs=_UP,
    )


def write_path_ignores(stage: Stage) -> Told:
    """GET honours If-Match, PUT does not look at it (nginx DAV)."""
    stage.first()
    stage.skin.patch = False
    stage.origin.faults.ignored = frozenset({"PUT", "DELETE", "PATCH"})
    me, rival = stage.editor(), stage.editor("other")

    def story() -> Flow[None]:
        yield from me.read(stage.key)
        base, token = dict(me.document), me.token
        mine = stage.edit(base)
        yield from me.agent.think()
        yield from intrude(stage, rival, mine)
        yield from me.agent.think(0.3, 2)
        yield from me.read(stage.key, [("If-Match", token or '"x"')], learn=False)
        yield from me.agent.think(0.05, 0.5)
        yield from me.save(stage.key, mine, token)

    stage.play(story())
    return Told(
        "reads-honour-writes-ignore",
        "precondition-ignored",
        "lost-update",
        ("precondition-ignored", "server-precondition-bug", "precondition-stripped"),
        "A GET with If-Match and the outdated tag is refused, the PUT with the same is taken: the write path never looks at the condition, and another's change is gone.",
        needs=_BOTH,
    )


def date_ignored(stage: Stage) -> Told:
    """A right date, outdated, is not looked at."""
    stage.first()
    stage.skin.patch, stage.skin.dates = False, True
    stage.origin.faults.no_tags = True
    stage.origin.faults.ignored = frozenset({"PUT"})
    me, rival = stage.editor(), stage.editor("other")

    def story() -> Flow[None]:
        answer = yield from me.read(stage.key)
        date = (answer.field("Last-Modified") if isinstance(answer, Response) else "") or ""
        base = dict(me.document)
        mine = stage.edit(base)
        yield from me.agent.think(1.2, 3)
        yield from rival.read(stage.key)
        for who, document in ((rival, stage.edit(base, mine, base)), (me, mine)):
            request = stage.skin.write(stage.key, document, None, base)
            request.fields.append(("If-Unmodified-Since", date))
            yield from who.agent.send(request)
            yield from me.agent.think(1.2, 3)

    stage.play(story())
    return Told(
        "outdated-date-accepted",
        "precondition-ignored",
        "lost-update",
        ("none", "precondition-ignored", "precondition-stripped"),
        "If-Unmodified-Since echoes the served date and is outdated; the server does not look at it and stores the write over another's change.",
        needs=_BOTH,
    )


def two_lines(stage: Stage) -> Told:
    """Two If-Match lines are one list; the server answers 400 to them."""
    stage.first()
    me = stage.editor(kinds=("requests", "go", "java", "curl", "php"))
    page = "<html>\r\n<head><title>400 Bad Request</title></head>\r\n<body>\r\n<center><h1>400 Bad Request</h1></center>\r\n<hr><center>nginx/1.22.1</center>\r\n</body>\r\n</html>\r\n"

    def hook(request: Request) -> Response | None:
        lines = [name for name, _ in request.fields if name.lower() == "if-match"]
        return stage.skin.json_answer(400, page, "text/html") if len(lines) > 1 else None

    stage.origin.hooks.append(hook)

    def story() -> Flow[None]:
        yield from me.read(stage.key)
        mine = stage.edit(me.document)
        yield from me.agent.think()
        request = stage.skin.write(stage.key, mine, '"older-copy"', me.document)
        request.fields.append(("If-Match", me.token or '"x"'))
        yield from me.agent.send(request)
        yield from me.agent.think(0.3, 2)
        yield from me.save(stage.key, mine)

    stage.play(story())
    return Told(
        "two-if-match-lines",
        "server-precondition-bug",
        "recovered",
        ("server-precondition-bug", "malformed-validator", "unsupported-precondition"),
        "Two If-Match lines, which are one list of two good tags, are answered 400; with the one current tag on one line the same write is taken.",
        needs=_UP,
    )


def star_on_read(stage: Stage) -> Told:
    """GET with If-Match: * on a thing that exists is 412; or PUT with If-None-Match: * on a thing that does not."""
    form = stage.rng.choice(("read", "create"))
    if form == "read":
        stage.first()
    me = stage.editor()

    def judge(request: Request, entry: Entry | None, condition: Condition | None) -> str:
        del request, entry
        return "mismatch" if condition is not None and condition.kind in {"exists", "absent"} else "ok"

    stage.origin.judge = judge  # type: ignore[method-assign]

    def story() -> Flow[None]:
        yield from me.read(stage.key)
        yield from me.agent.think(0.3, 2)
        if form == "read":
            yield from me.read(stage.key, [("If-Match", "*")])
        else:
            yield from me.agent.send(stage.skin.create(stage.key, stage.skin.topic.first(stage.rng)))
        yield from me.agent.think(0.3, 2)
        yield from me.read(stage.key)

    stage.play(story())
    words = (
        "GET with If-Match: * is refused although the resource is there before and after."
        if form == "read"
        else "If-None-Match: * on a resource that does not exist is refused; the reads before and after are 404."
    )
    return Told(
        f"star-on-{form}",
        "server-precondition-bug",
        status_of(stage),
        ("server-precondition-bug",),
        words,
        needs=_UP,
    )


def strong_compressed(stage: Stage) -> Told:
    """Healthy: compressed, the strong tag left as it is."""
    stage.first()
    plain = stage.origin.dressed

    def zipped(answer: Response) -> Response:
        if answer.status == 200 and get(answer.fields, "ETag"):
            answer.fields += [("Content-Encoding", "gzip"), ("Vary", "Accept-Encoding")]
        return plain(answer)

    stage.origin.dressed = zipped  # type: ignore[method-assign]
    me = stage.editor(kinds=("requests", "okhttp", "chrome", "axios"))

    def story() -> Flow[None]:
        yield from me.read(stage.key)
        yield from me.agent.think()
        yield from me.poll(stage.key)
        yield from me.agent.think()
        yield from me.save(stage.key, stage.edit(me.document))
        yield from me.look(stage.key)

    stage.play(story())
    return Told(
        "compressed-strong-tag",
        "none",
        "healthy",
        ("none",),
        "Compressed answers with the strong tag left as it is: revalidation and a guarded write work.",
        bodies=False,
    )


def weak_accepted(stage: Stage) -> Told:
    """Healthy: a service that compares weakly by its own choice."""
    stage.first()
    stage.origin.faults.weak_tags = True
    plain = stage.origin.judge

    def judge(request: Request, entry: Entry | None, condition: Condition | None) -> str:
        if condition is not None and condition.kind == "match" and entry is not None:
            current = stage.origin.tag(entry, request, "compare")
            return "ok" if current in condition.values else "mismatch"
        return plain(request, entry, condition)

    stage.origin.judge = judge  # type: ignore[method-assign]
    me = stage.editor()

    def story() -> Flow[None]:
        for _ in range(2):
            yield from me.read(stage.key)
            yield from me.agent.think()
            yield from me.save(stage.key, stage.edit(me.document))
            yield from me.agent.think(0.5, 3)

    stage.play(story())
    return Told(
        "weak-tags-taken",
        "none",
        "healthy",
        ("none",),
        "A service gives weak tags and takes them back in If-Match; read and write work.",
        bodies=False,
    )
