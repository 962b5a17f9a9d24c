"""Stories of single platforms: searches, payloads, leases, locks, expired positions, other scopes."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import TYPE_CHECKING

from tools.simulation.messages import Request, Response
from tools.simulation.plots.conflicts import status_of
from tools.simulation.plots.services import Branch, Updates
from tools.simulation.stage import Told

if TYPE_CHECKING:
    from tools.simulation.kernel import Flow
    from tools.simulation.messages import Fields
    from tools.simulation.origin import Hook
    from tools.simulation.stage import Editor, Stage

_JSON: Fields = [("Content-Type", "application/json")]
_BINARY = ("Content-Type", "application/octet-stream")


def on(stage: Stage, method: str, part: str, answer: Response) -> Hook:
    """Answer requests of a method whose URL holds a part; each gets a copy."""

    def hook(request: Request) -> Response | None:
        return answer.copy() if request.method == method and part in request.url else None

    stage.origin.hooks.append(hook)
    return hook


def hidden_compare(stage: Stage) -> Told:
    """Elasticsearch: _update is a read and a compare-and-swap inside; the request has no condition."""
    me, rival = stage.editor(), stage.editor("other")
    url = stage.skin.url(stage.key).replace("/_doc/", "/_update/")
    stage.origin.hooks.append(Updates(stage.skin, stage.key, stage.rng.randrange(50, 900)))
    count, mine = (
        json.dumps({"script": {"source": "ctx._source.views += 1"}}),
        json.dumps({"doc": {"status": "seen"}}),
    )

    def update(who: Editor, body: str) -> Flow[None]:
        yield from who.agent.send(Request("POST", url, list(_JSON), body))

    def story() -> Flow[None]:
        stage.world.spawn(update(rival, count))
        stage.world.spawn(update(me, mine), delay=rival.agent.delay + 0.004)
        yield 1.5
        if stage.rng.random() < 0.5:
            yield from update(me, mine)

    me.agent.delay = rival.agent.delay = 0.01
    stage.play(story())
    return Told(
        "update-compares-inside",
        "implicit-precondition",
        "409",
        ("implicit-precondition", "other-writer", "status-dialect-mismatch"),
        "The update request carries no condition; the service reads and compares inside, and meets another update of the same moment: 409 version_conflict_engine_exception.",
        also=("status-dialect-mismatch",),
        needs=frozenset({"other", "upstream"}),
    )


_XML_ERROR = (
    '<?xml version="1.0" encoding="UTF-8"?><Error><Code>{code}</Code><Message>{text}</Message>{more}</Error>'
)
_TAKEN: dict[str, tuple[str, str, Fields, int, str, str]] = {
    "couchdb": ("PUT", "/{name}", [], 412, '{"error":"file_exists","reason":"The database could not be created, the file already exists."}', "application/json"),
    "oss": ("PUT", "/{name}.tar", [("x-oss-forbid-overwrite", "true"), _BINARY], 409, _XML_ERROR.format(code="FileAlreadyExists", text="The object you specified already exists and can not be overwritten.", more="<EC>0026-00000002</EC>"), "application/xml"),
    "cos": ("PUT", "/{name}.tar", [("x-ibm-forbid-overwrite", "true"), _BINARY], 409, _XML_ERROR.format(code="ObjectAlreadyExists", text="The object already exists and may not be overwritten.", more=""), "application/xml"),
    "move": ("MOVE", "/dav/{name}.txt", [("Destination", "{origin}/dav/old-{name}.txt"), ("Overwrite", "F")], 412, "<html><head><title>412 Precondition Failed</title></head><body><h1>Precondition Failed</h1></body></html>", "text/html"),
}  # fmt: skip


def database_exists(stage: Stage) -> Told:
    """412 or 409 that only says: the name is taken. No tag in play."""
    me = stage.editor()
    form = stage.rng.choice(("couchdb", "oss", "cos", "move"))
    name = stage.rng.choice(("orders", "archive-2026", "nightly", "replicator"))
    method, path, fields, status, body, media = _TAKEN[form]
    path = path.replace("{name}", name)
    fields = [
        (field, value.replace("{origin}", stage.skin.origin_url).replace("{name}", name))
        for field, value in fields
    ]
    on(stage, method, path, stage.skin.json_answer(status, body, media))
    there = (
        ('{"db_name":"x","doc_count":412}', "application/json")
        if form == "couchdb"
        else ("old content", "text/plain")
    )
    on(stage, "GET", "/", stage.skin.json_answer(200, *there))

    def story() -> Flow[None]:
        content = "payload" if form in {"oss", "cos"} else None
        yield from me.agent.send(Request(method, f"{stage.skin.origin_url}{path}", fields, content))
        yield from me.agent.think(0.2, 1)
        if stage.rng.random() < 0.6:
            look = path if form != "move" else f"/dav/old-{name}.txt"
            yield from me.agent.send(Request("GET", f"{stage.skin.origin_url}{look}"))

    stage.play(story())
    return Told(
        f"taken-{form}",
        "exists-already",
        str(status),
        ("exists-already",),
        "The name is taken, and the request asks not to overwrite; no tag is in play.",
        bodies=False,
    )


def branch_head(stage: Stage) -> Told:
    """GitHub contents: two files, one branch head."""
    me = stage.editor()
    base = f"{stage.skin.origin_url}/repos/acme/site/contents/data"
    files = [f"{base}/{name}.json" for name in ("prices", "stock")]
    stage.origin.hooks.append(Branch(stage.skin, f"{stage.rng.getrandbits(160):040x}"))

    def put(url: str) -> Flow[None]:
        sha = f"{sum(map(ord, url)):040x}"
        body = json.dumps({"message": "nightly", "content": "e30=", "sha": sha, "branch": "main"})
        yield from me.agent.send(Request("PUT", url, list(_JSON), body))

    def story() -> Flow[None]:
        for url in files:
            yield from me.agent.send(Request("GET", url))
        yield from me.agent.think(0.1, 1)
        for number, url in enumerate(files):
            stage.world.spawn(put(url), delay=0.01 * number)
        yield 1.5
        yield from me.agent.send(Request("GET", files[1]))

    stage.play(story())
    return Told(
        "two-files-one-branch",
        "coarse-token-scope",
        "409",
        ("coarse-token-scope", "self-race"),
        "A job commits two different files at once; both go to one branch head, so one of them is 409 although its file did not change.",
        also=("self-race", "status-dialect-mismatch"),
    )


def library_version(stage: Stage) -> Told:
    """Zotero: the version guards the whole library."""
    stage.first()
    neighbour = stage.skin.new_key()
    stage.first(key=neighbour)
    me, rival = stage.editor(), stage.editor("other")
    base = 24000 + stage.rng.randrange(1, 900)
    stage.origin.tag = lambda entry, request, use: str(base + len(stage.origin.history))  # type: ignore[method-assign]  # noqa: ARG005

    def story() -> Flow[None]:
        yield from me.read(neighbour)
        yield from me.read(stage.key)
        mine = stage.edit(me.document)
        yield from me.agent.think()
        yield from rival.read(neighbour)
        yield from rival.save(neighbour, stage.edit(rival.document))
        yield from me.agent.think(0.3, 2)
        yield from me.save(stage.key, mine)
        yield from me.agent.think(0.05, 1)
        yield from me.read(stage.key)
        yield from me.read(neighbour, learn=False)

    stage.play(story())
    return Told(
        "library-wide-version",
        "coarse-token-scope",
        "412",
        ("coarse-token-scope",),
        "The version guards the whole library: somebody edits another item, so this write is refused; the item's own content is as it was.",
        also=("other-writer",),
        needs=frozenset({"other"}),
    )


def sub_resource_token(stage: Stage) -> Told:
    """The tag of a thing for its part: task and details, distribution stage, instance and metadata."""
    stage.first()
    me = stage.editor()
    whole = stage.skin.url(stage.key)
    part = f"{whole}/{stage.rng.choice(('details', 'metadata', 'settings', 'permissions'))}"
    inner = stage.rng.randrange(3, 80)
    seen = 0

    def hook(request: Request) -> Response | None:
        nonlocal seen
        if request.url != part:
            return None
        tag = f'"p{inner + seen}"'
        answer = stage.skin.json_answer(
            200, json.dumps({"of": stage.key, "checklist": ["a", "b"], "revision": inner + seen})
        )
        answer.fields.append(("ETag", tag))
        if request.method == "GET":
            return answer
        if request.field("If-Match") != tag:
            return stage.skin.refused("mismatch", None, None, None)
        seen += 1
        return Response(204)

    stage.origin.hooks.append(hook)
    heals = stage.rng.random() < 0.65

    def story() -> Flow[None]:
        yield from me.read(stage.key)
        yield from me.agent.think()
        body = json.dumps({"checklist": ["a", "b", "c"]})
        yield from me.agent.send(Request("PATCH", part, [*_JSON, ("If-Match", me.token or '"x"')], body))
        yield from me.agent.think(0.2, 1)
        answer = yield from me.agent.send(Request("GET", part))
        if heals:
            tag = (answer.field("ETag") if isinstance(answer, Response) else "") or ""
            yield from me.agent.send(Request("PATCH", part, [*_JSON, ("If-Match", tag)], body))

    stage.play(story())
    return Told(
        "whole-tag-for-its-part",
        "wrong-token-source",
        "recovered" if heals else status_of(stage),
        ("wrong-token-source",),
        "The part of a resource has a tag of its own; the client sends the whole's"
        + ("; with the part's own it passes." if heals else "."),
    )


def multipart_tag(stage: Stage) -> Told:
    """S3: the tag of a multipart object is no MD5 of the whole; the client computes one."""
    stage.first()
    stage.skin.scheme = "md5"
    plain = stage.skin.tag
    stage.skin.tag = lambda entry: plain(replace(entry, salt="parts"))[:-1] + '-2"'  # type: ignore[method-assign]
    me = stage.editor()

    def story() -> Flow[None]:
        answer = yield from me.read(stage.key)
        yield from me.agent.think()
        text = answer.body if isinstance(answer, Response) and isinstance(answer.body, str) else ""
        computed = f'"{hashlib.md5(text.encode()).hexdigest()}"'  # noqa: S324 - what the client computes
        yield from me.save(stage.key, stage.edit(me.document), computed)
        yield from me.agent.think(0.2, 1)
        yield from me.read(stage.key)

    stage.play(story())
    return Told(
        "multipart-tag-computed",
        "etag-source-mismatch",
        "412",
        ("etag-source-mismatch", "wrong-token-source"),
        "The object was uploaded in parts, so its tag ends in -2 and is not the MD5 of the whole; the client computes an MD5 of its own and sends that.",
    )


def delete_marker(stage: Stage) -> Told:
    """A versioned look-alike of S3 counts a delete marker as an object."""
    stage.first()
    me = stage.editor()
    gone = False

    def hook(request: Request) -> Response | None:
        nonlocal gone
        if request.method == "DELETE":
            gone = True
            return Response(
                204,
                [("x-amz-delete-marker", "true"), ("x-amz-version-id", f"{stage.rng.getrandbits(64):016x}")],
            )
        if gone and request.method in {"GET", "HEAD"}:
            answer = stage.skin.absent()
            answer.fields.append(("x-amz-delete-marker", "true"))
            return answer
        return None

    stage.origin.hooks.append(hook)

    def story() -> Flow[None]:
        yield from me.read(stage.key)
        yield from me.agent.send(stage.skin.remove(stage.key, None))
        yield from me.agent.think(0.3, 2)
        yield from me.read(stage.key)
        yield from me.agent.send(stage.skin.create(stage.key, stage.skin.topic.first(stage.rng)))
        yield from me.agent.think(0.2, 1)
        yield from me.read(stage.key)

    stage.play(story())
    return Told(
        "delete-marker-counts",
        "server-precondition-bug",
        "412",
        ("server-precondition-bug",),
        "The object is deleted and GET says 404, yet a create-only write is refused: the store counts the delete marker as an object.",
    )


def in_progress(stage: Stage) -> Told:
    """An operation of the service is under way and bumps the tag."""
    stage.first()
    me = stage.editor()
    url = stage.skin.url(stage.key)
    resize = f"{url}/resize"

    def hook(request: Request) -> Response | None:
        if request.url != resize:
            return None

        def work() -> Flow[None]:
            for state in ("Updating", "Succeeded"):
                entry = stage.origin.store[stage.key]
                stage.origin.commit(stage.key, {**entry.document, "provisioningState": state}, "system")
                yield 2.0

        stage.world.spawn(work(), delay=0.5)
        return Response(
            202,
            [
                (
                    "Operation-Location",
                    f"{stage.skin.origin_url}/operations/{stage.rng.getrandbits(48):012x}",
                ),
                ("Content-Length", "0"),
            ],
        )

    stage.origin.hooks.append(hook)

    def story() -> Flow[None]:
        yield from me.read(stage.key)
        yield from me.agent.think(0.2, 1)
        yield from me.agent.send(Request("POST", resize, list(_JSON), '{"count":5}'))
        yield 1.0
        mine = stage.edit(me.document)
        yield from me.save(stage.key, mine)
        yield from me.agent.think(0.1, 0.6)
        yield from me.read(stage.key)

    stage.play(story())
    return Told(
        "operation-in-progress",
        "server-side-mutation",
        status_of(stage),
        ("server-side-mutation", "stale-stored-token"),
        "The client starts an operation of the service; while it runs the service itself changes the resource (provisioningState), so the client's next write with the tag of before is refused.",
        needs=frozenset({"upstream"}),
    )
