"""Healthy look-alikes of readers without 304s, of lapsed locks, refused copies and batches."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tools.simulation.messages import Request, Response
from tools.simulation.plots.conflicts import intrude
from tools.simulation.plots.healthy import fine
from tools.simulation.plots.services import WebdavLocks, answer_json

if TYPE_CHECKING:
    from tools.simulation.kernel import Flow
    from tools.simulation.messages import Fields
    from tools.simulation.stage import Stage, Told


def reloads(stage: Stage) -> Told:
    """The page is loaded anew on purpose: whole answers, the same tag."""
    stage.first()
    stage.benign()
    me = stage.editor(kinds=("chrome", "chrome2", "firefox", "safari"))
    hard: Fields = [("Cache-Control", "no-cache"), ("Pragma", "no-cache")]

    def story() -> Flow[None]:
        yield from me.read(stage.key)
        for _ in range(stage.rng.randrange(2, 5)):
            yield stage.rng.uniform(1, 8)
            yield from me.read(stage.key, hard)

    stage.play(story())
    return fine(
        "reloaded-on-purpose",
        "A page is reloaded past the cache: whole answers with the same tag, as asked for.",
    )


def dated_reading(stage: Stage) -> Told:
    """If-Modified-Since with the dates that were served; then the thing changes."""
    stage.skin.dates = True
    stage.first()
    stage.benign()
    me, rival = stage.editor(), stage.editor("other")
    date = ""

    def ask() -> Flow[None]:
        nonlocal date
        answer = yield from me.read(stage.key, [("If-Modified-Since", date)] if date else [])
        if isinstance(answer, Response) and answer.status == 200:
            date = answer.field("Last-Modified") or date

    def story() -> Flow[None]:
        for _ in range(stage.rng.randrange(2, 4)):
            yield from ask()
            yield stage.rng.uniform(1, 6)
        yield 1.1
        yield from intrude(stage, rival)
        for _ in range(stage.rng.randrange(2, 4)):
            yield stage.rng.uniform(1.2, 6)
            yield from ask()

    stage.play(story())
    return fine(
        "dates-served-and-sent-back",
        "A reader asks with the dates it was served: 304 while nothing changes, 200 once after a change.",
    )


def variants_read(stage: Stage) -> Told:
    """Two representations with tags of their own, revalidated as a list."""
    stage.first()
    me = stage.editor(kinds=("requests", "httpx", "axios", "go", "okhttp"))
    media = ("application/json", "text/csv")
    tags: dict[str, str] = {}

    def table(request: Request) -> Response | None:
        if request.field("Accept") != media[1]:
            return None
        entry = stage.origin.store[stage.key]
        tag = f'"t-{stage.skin.opaque(entry)}"'
        fields: Fields = [("ETag", tag), ("Vary", "Accept")]
        if tag in (request.field("If-None-Match") or ""):
            return Response(304, fields)
        rows = "".join(f"{name},{value}\r\n" for name, value in entry.document.items())
        answer = stage.skin.json_answer(200, rows, media[1])
        answer.fields += fields
        return answer

    stage.origin.hooks.append(table)

    def story() -> Flow[None]:
        for number in range(stage.rng.randrange(4, 7)):
            kind = media[number % 2]
            known = ", ".join(tags.values())
            asked: Fields = [("Accept", kind), *([("If-None-Match", known)] if known else [])]
            answer = yield from me.read(stage.key, asked)
            if isinstance(answer, Response) and answer.status == 200:
                tags[kind] = answer.field("ETag") or ""
            yield stage.rng.uniform(0.3, 3)

    stage.play(story())
    return fine(
        "two-representations-in-turn",
        "A reader takes two representations in turn, each with a tag of its own, and revalidates with both tags: 304 once both are known.",
    )


def sensor_revalidated(stage: Stage) -> Told:
    """A new tag each time, because the content is new each time."""
    document = stage.first()
    me = stage.editor()

    def story() -> Flow[None]:
        nonlocal document
        yield from me.read(stage.key)
        for _ in range(stage.rng.randrange(3, 6)):
            yield stage.rng.uniform(1, 4)
            document = stage.edit(document)
            stage.origin.commit(stage.key, document, "sensor")
            answer = yield from me.poll(stage.key)
            me.token = stage.skin.token_of(answer) or me.token

    stage.play(story())
    return fine(
        "new-each-time",
        "A reading changes between any two looks at it, so each revalidation gives a new content under a new tag.",
    )


def lock_kept(stage: Stage) -> Told:
    """A lock that is refreshed before it ends, named in the write, and given back."""
    stage.first()
    me = stage.editor()
    url = stage.skin.url(stage.key)
    token = f"opaquelocktoken:{stage.rng.getrandbits(32):08x}-77aa-4c0d-8e11-{stage.rng.getrandbits(48):012x}"
    stage.origin.hooks.append(WebdavLocks(stage.skin, url, token))
    named = ("If", f"(<{token}>)")
    body = '<?xml version="1.0"?><D:lockinfo xmlns:D="DAV:"><D:lockscope><D:exclusive/></D:lockscope><D:locktype><D:write/></D:locktype></D:lockinfo>'

    def story() -> Flow[None]:
        yield from me.read(stage.key)
        media = ("Content-Type", "application/xml")
        yield from me.agent.send(
            Request("LOCK", url, [("Timeout", "Second-600"), ("Depth", "0"), media], body)
        )
        for _ in range(stage.rng.choice((1, 2))):
            yield stage.rng.uniform(60, 500)
            yield from me.agent.send(Request("LOCK", url, [("Timeout", "Second-600"), named]))
        write = stage.skin.write(stage.key, stage.edit(me.document), me.token, me.document)
        write.fields.append(named)
        yield from me.agent.send(write)
        yield from me.agent.think(0.1, 1)
        yield from me.agent.send(Request("UNLOCK", url, [("Lock-Token", f"<{token}>")]))

    stage.play(story())
    return fine("lock-refreshed-in-time", "A lock is refreshed in time, named in the write, and given back.")


def copied(stage: Stage) -> Told:
    """A copy whose source is as it was."""
    stage.first()
    me = stage.editor()
    source = stage.skin.url(stage.key)
    target = f"{source.removesuffix('.json')}-{stage.rng.choice(('archived', 'backup', 'v2'))}"
    azure = stage.skin.id == "azure-blob"
    names = (
        ("x-ms-copy-source", "x-ms-source-if-match")
        if azure
        else ("x-amz-copy-source", "x-amz-copy-source-if-match")
    )
    bucket = f"/{stage.skin.host.partition('.')[0]}" if "amazonaws" in stage.skin.host else ""
    named = source if azure else bucket + source.removeprefix(stage.skin.origin_url)

    def hook(request: Request) -> Response | None:
        if request.method != "PUT" or request.url != target:
            return None
        entry = stage.origin.store[stage.key]
        return stage.skin.accepted(entry, stage.origin.tag(entry, request, "read"), None, created=True)

    stage.origin.hooks.append(hook)

    def story() -> Flow[None]:
        yield from me.read(stage.key)
        yield from me.agent.think(0.5, 4)
        fields: Fields = [(names[0], named), (names[1], me.token or '"x"'), ("Content-Length", "0")]
        yield from me.agent.send(Request("PUT", target, fields))

    stage.play(story())
    return fine("copied-as-read", "A copy bears the tag of its source, which is as it was: done.")


def batched(stage: Stage) -> Told:
    """A batch in which all went well."""
    stage.first()
    me = stage.editor()
    graph = stage.skin.id == "graph-drive"
    root, place = ("/v1.0", "url") if graph else ("/v1", "path")
    url = f"{stage.skin.origin_url}{root}/{'$batch' if graph else 'batch'}"

    def hook(request: Request) -> Response | None:
        if request.url != url:
            return None
        entry = stage.origin.commit(stage.key, stage.edit(me.document), "me")
        tag = stage.origin.tag(entry, request, "read") or ""
        told = {
            "status": 200,
            "headers": {"Content-Type": "application/json"},
            "body": json.loads(stage.skin.content(entry, tag)),
        }
        named = (
            {"id": "1"} if graph else {"path": stage.skin.url(stage.key).removeprefix(stage.skin.origin_url)}
        )
        return answer_json(stage.skin, 200, {"responses": [{**named, **told}]})

    stage.origin.hooks.append(hook)

    def story() -> Flow[None]:
        yield from me.read(stage.key)
        yield from me.agent.think()
        write = stage.skin.write(stage.key, stage.edit(me.document), me.token, me.document)
        inner: dict[str, object] = {"id": "1"} if graph else {}
        inner |= {
            "method": write.method,
            place: write.url.removeprefix(stage.skin.origin_url).removeprefix(root),
        }
        inner |= {"headers": {"If-Match": me.token or ""}, "body": json.loads(str(write.body))}
        body = json.dumps({"requests": [inner]})
        yield from me.agent.send(Request("POST", url, [("Content-Type", "application/json")], body))
        yield from me.agent.think(0.2, 1)
        yield from me.read(stage.key)

    stage.play(story())
    return fine("batch-went-well", "A batch with a guarded write in it; all of it went well.")
