"""Copies, uploads in parts, batches, tokens beside the right one, locks that lapse."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tools.simulation.messages import Request, Response, get
from tools.simulation.plots.conflicts import intrude, status_of
from tools.simulation.plots.services import answer_json
from tools.simulation.stage import Told

if TYPE_CHECKING:
    from tools.simulation.kernel import Flow
    from tools.simulation.messages import Fields
    from tools.simulation.stage import Stage

_UP = frozenset({"upstream"})
_JSON: Fields = [("Content-Type", "application/json")]
# Field that names the source, field that guards it.
_COPY = {
    "s3": ("x-amz-copy-source", "x-amz-copy-source-if-match"),
    "azure-blob": ("x-ms-copy-source", "x-ms-source-if-match"),
}


def copy_condition(stage: Stage) -> Told:
    """A copy is guarded by the tag of its source, which somebody replaced."""
    stage.first()
    me, rival = stage.editor(), stage.editor("other")
    source = stage.skin.url(stage.key)
    target = f"{source.removesuffix('.json')}-{stage.rng.choice(('archived', 'backup', 'v2'))}"
    names, guards = _COPY[stage.skin.id]
    bucket = f"/{stage.skin.host.partition('.')[0]}" if "amazonaws" in stage.skin.host else ""
    named = source if stage.skin.id == "azure-blob" else bucket + source.removeprefix(stage.skin.origin_url)

    def hook(request: Request) -> Response | None:
        if request.method != "PUT" or request.url != target:
            return None
        entry = stage.origin.store[stage.key]
        tag = stage.origin.tag(entry, request, "read")
        if request.field(guards) == tag:
            return stage.skin.accepted(entry, tag, None, created=True)
        if stage.skin.id == "s3":
            answer = stage.skin.refused("mismatch", None, None, None)
            answer.body = str(answer.body).replace("If-Match", "x-amz-copy-source-If-Match")
            answer.fields = [("Content-Type", "application/xml"), ("Content-Length", str(len(answer.body)))]
            return answer
        text = "The source condition specified using HTTP conditional header(s) is not met."
        body = f'\ufeff<?xml version="1.0" encoding="utf-8"?><Error><Code>SourceConditionNotMet</Code><Message>{text}</Message></Error>'
        answer = stage.skin.json_answer(412, body, "application/xml")
        answer.fields.append(("x-ms-error-code", "SourceConditionNotMet"))
        return answer

    stage.origin.hooks.append(hook)

    def story() -> Flow[None]:
        yield from me.read(stage.key)
        fields: Fields = [(names, named), (guards, me.token or '"x"'), ("Content-Length", "0")]
        yield from me.agent.think()
        yield from intrude(stage, rival)
        yield from me.agent.think(0.3, 2)
        yield from me.agent.send(Request("PUT", target, fields))
        yield from me.agent.think(0.2, 1)
        yield from me.read(stage.key)

    stage.play(story())
    return Told(
        "source-of-a-copy-replaced",
        "other-writer",
        "412",
        ("other-writer",),
        f"A copy bears the tag of its source in {guards}; somebody replaced the source in between, so the copy is refused.",
    )


def completed_name_taken(stage: Stage) -> Told:
    """An upload in parts ends with a create-only condition, and the name is taken."""
    stage.first(age=stage.rng.uniform(4000, 90000))
    me = stage.editor()
    url = stage.skin.url(stage.key)
    number = f"{stage.rng.getrandbits(96):024x}"
    xml = "application/xml"

    def hook(request: Request) -> Response | None:
        if request.url == f"{url}?uploads":
            body = f'<?xml version="1.0" encoding="UTF-8"?>\n<InitiateMultipartUploadResult><Bucket>b</Bucket><Key>k</Key><UploadId>{number}</UploadId></InitiateMultipartUploadResult>'
            return stage.skin.json_answer(200, body, xml)
        if "partNumber=" in request.url:
            return Response(200, [("ETag", f'"{stage.rng.getrandbits(128):032x}"'), ("Content-Length", "0")])
        if request.method == "POST" and "uploadId=" in request.url:
            answer = stage.skin.refused("exists", None, None, None)
            answer.body = str(answer.body).replace("If-Match", "If-None-Match")
            answer.fields = [("Content-Type", xml), ("Content-Length", str(len(answer.body)))]
            return answer
        return None

    stage.origin.hooks.append(hook)

    def story() -> Flow[None]:
        yield from me.agent.send(Request("POST", f"{url}?uploads", [("Content-Length", "0")]))
        rows = ""
        for part in (1, 2):
            text = f"part {part} of the new content"
            binary: Fields = [("Content-Type", "application/octet-stream")]
            place = f"{url}?partNumber={part}&uploadId={number}"
            answer = yield from me.agent.send(Request("PUT", place, binary, text))
            tag = (answer.field("ETag") if isinstance(answer, Response) else "") or ""
            rows += f"<Part><PartNumber>{part}</PartNumber><ETag>{tag}</ETag></Part>"
        body = f"<CompleteMultipartUpload>{rows}</CompleteMultipartUpload>"
        fields: Fields = [("Content-Type", xml), ("If-None-Match", "*")]
        yield from me.agent.send(Request("POST", f"{url}?uploadId={number}", fields, body))
        yield from me.agent.think(0.1, 1)
        yield from me.agent.send(Request("HEAD", url))

    stage.play(story())
    return Told(
        "name-taken-at-the-end-of-an-upload",
        "exists-already",
        "412",
        ("exists-already",),
        "The last request of an upload in parts carries If-None-Match: *; an older object of that name is there, so it is refused.",
        bodies=False,
    )


# By dialect: the member of an answer that people take for the token.
_BESIDE = {
    "rest": ("JSON member `revision`", "revision"),
    "eve": ("JSON member `_rev`", "_rev"),
    "gcs-json": ("metageneration", "metageneration"),
    "graph-drive": ("cTag", "cTag"),
    "elasticsearch": ("_version", "_version"),
}


def token_beside(stage: Stage) -> Told:
    """The answer has two things that look like tokens; the client sends the other one."""
    stage.first()
    stage.skin.answer = "full"
    me = stage.editor()
    words, name = _BESIDE[stage.skin.id]
    if stage.skin.id in {"rest", "eve"}:
        _show_member(stage, name)
    heals = stage.rng.random() < 0.5

    def story() -> Flow[None]:
        answer = yield from me.read(stage.key)
        yield from me.agent.think()
        body = (
            json.loads(answer.body) if isinstance(answer, Response) and isinstance(answer.body, str) else {}
        )
        other = str(body[name])
        mine = stage.edit(me.document)
        for _ in range(stage.rng.choice((1, 1, 2))):
            yield from me.save(stage.key, mine, f'"{other}"' if stage.skin.id in {"rest", "eve"} else other)
            yield from me.agent.think(0.2, 1)
        yield from me.read(stage.key)
        if heals:
            yield from me.save(stage.key, mine)

    stage.play(story())
    return Told(
        "the-other-number",
        "wrong-token-source",
        "recovered" if heals else status_of(stage),
        ("wrong-token-source",),
        f"The answer holds the token and another number beside it ({words}); the client sends that one and is refused"
        + ("; with the right one it passes." if heals else "."),
    )


def _show_member(stage: Stage, name: str) -> None:
    plain = stage.skin.content
    first = stage.rng.randrange(2, 40)

    def content(entry: object, tag: str) -> str:
        text = plain(entry, tag)  # type: ignore[arg-type]
        return text.rstrip()[:-1].rstrip() + f', "{name}": {first + len(stage.origin.history)}' + "}"

    stage.skin.content = content  # type: ignore[method-assign]


def refused_in_a_batch(stage: Stage) -> Told:
    """A batch is 200; one of the answers inside is 412."""
    stage.first()
    stage.skin.prefix = stage.skin.prefix or ""
    me, rival = stage.editor(), stage.editor("other")
    graph = stage.skin.id == "graph-drive"
    url = f"{stage.skin.origin_url}{'/v1.0/$batch' if graph else '/v1/batch'}"
    stage.origin.hooks.append(lambda request: _batched(stage, request) if request.url == url else None)

    def story() -> Flow[None]:
        yield from me.read(stage.key)
        mine = stage.edit(me.document)
        yield from me.agent.think()
        yield from intrude(stage, rival, mine)
        yield from me.agent.think(0.3, 2)
        write = stage.skin.write(stage.key, mine, me.token, me.document)
        inner = {
            "id": "2",
            "method": write.method,
            "url" if graph else "path": write.url.removeprefix(stage.skin.origin_url).removeprefix(
                "/v1.0" if graph else "/v1"
            ),
            "headers": {name: value for name, value in write.fields if name in {"If-Match", "Content-Type"}},
            "body": json.loads(str(write.body)),
        }
        look = {"id": "1", "method": "GET", "url" if graph else "path": "/me" if graph else "/"}
        if not graph:
            del look["id"], inner["id"]
        body = json.dumps({"requests": [look, inner]})
        yield from me.agent.send(Request("POST", url, list(_JSON), body))
        yield from me.agent.think(0.2, 1)
        yield from me.read(stage.key)

    stage.play(story())
    return Told(
        "refused-inside-a-batch",
        "other-writer",
        "412",
        ("other-writer", "status-dialect-mismatch"),
        "Somebody else stored a change between the client's read and its batch; the batch is answered 200 and holds a 412 for the guarded write in it.",
        also=("status-dialect-mismatch",),
    )


def _batched(stage: Stage, request: Request) -> Response:
    asked = json.loads(str(request.body))["requests"][1]
    entry = stage.origin.store[stage.key]
    tag = stage.origin.tag(entry, request, "read")
    refusal = stage.skin.refused("mismatch", None, entry, tag)
    error = json.loads(str(refusal.body)) if refusal.body else {}
    graph = stage.skin.id == "graph-drive"
    first: dict[str, object] = {
        "status": 200,
        "headers": {"Content-Type": "application/json"},
        "body": {"id": "anna"},
    }
    second: dict[str, object] = {
        "status": 412,
        "headers": {"Content-Type": "application/json"},
        "body": error,
    }
    if graph:
        return answer_json(
            stage.skin, 200, {"responses": [{"id": "1", **first}, {"id": asked["id"], **second}]}
        )
    return answer_json(
        stage.skin, 200, {"responses": [{"path": "/v1/", **first}, {"path": "/v1" + asked["path"], **second}]}
    )


def lock_lapsed(stage: Stage) -> Told:
    """A WebDAV lock or a lease of a blob has run out before the write that names it."""
    stage.first()
    me = stage.editor()
    url = stage.skin.url(stage.key)
    dav = stage.skin.id != "azure-blob"
    seconds = stage.rng.choice((5, 10)) if dav else 15
    lapse = _Lapse(stage, url, seconds, dav=dav)
    stage.origin.hooks.append(lapse)
    again = stage.rng.random() < 0.7

    def story() -> Flow[None]:
        yield from me.read(stage.key)
        for number in range(2 if again else 1):
            yield from me.agent.send(lapse.take())
            yield stage.rng.uniform(0.4, 1.5) if number else seconds + stage.rng.uniform(2, 30)
            request = stage.skin.write(stage.key, stage.edit(me.document), me.token, me.document)
            request.fields.append(("If", f"(<{lapse.token}>)") if dav else ("x-ms-lease-id", lapse.token))
            yield from me.agent.send(request)
            yield from me.agent.think(0.2, 1)

    stage.play(story())
    what = "lock" if dav else "lease"
    return Told(
        f"{what}-has-lapsed",
        "token-expired",
        "recovered" if again else "412",
        ("token-expired", "lease-or-lock"),
        f"The {what} was given for {seconds} seconds; the write that names it comes later and is refused"
        + (f"; under a new {what} it passes." if again else "."),
        also=("lease-or-lock",),
    )


class _Lapse:
    """Locks of one thing, with an end."""

    def __init__(self, stage: Stage, url: str, seconds: int, *, dav: bool) -> None:
        self.stage = stage
        self.url = url
        self.seconds = seconds
        self.dav = dav
        self.token = ""
        self.ends = 0.0

    def take(self) -> Request:
        """Return the request for a lock."""
        if not self.dav:
            wanted: Fields = [("x-ms-lease-action", "acquire"), ("x-ms-lease-duration", str(self.seconds))]
            return Request("PUT", f"{self.url}?comp=lease", [*wanted, ("Content-Length", "0")])
        fields: Fields = [
            ("Timeout", f"Second-{self.seconds}"),
            ("Depth", "0"),
            ("Content-Type", "application/xml"),
        ]
        body = '<?xml version="1.0"?><D:lockinfo xmlns:D="DAV:"><D:lockscope><D:exclusive/></D:lockscope><D:locktype><D:write/></D:locktype></D:lockinfo>'
        return Request("LOCK", self.url, fields, body)

    def __call__(self, request: Request) -> Response | None:
        """Give locks, and refuse what names one that has run out."""
        rng, now = self.stage.rng, self.stage.world.now
        if request.method == "LOCK" or "comp=lease" in request.url:
            raw = f"{rng.getrandbits(32):08x}-5d1c-4a7e-9c02-{rng.getrandbits(48):012x}"
            self.token, self.ends = (f"opaquelocktoken:{raw}" if self.dav else raw), now + self.seconds
            if not self.dav:
                return Response(201, [("x-ms-lease-id", raw), ("Content-Length", "0")])
            body = f'<?xml version="1.0" encoding="utf-8"?><D:prop xmlns:D="DAV:"><D:lockdiscovery><D:activelock><D:timeout>Second-{self.seconds}</D:timeout><D:locktoken><D:href>{self.token}</D:href></D:locktoken></D:activelock></D:lockdiscovery></D:prop>'
            answer = self.stage.skin.json_answer(200, body, "application/xml; charset=utf-8")
            answer.fields.insert(0, ("Lock-Token", f"<{self.token}>"))
            return answer
        named = get(request.fields, "If") or get(request.fields, "x-ms-lease-id")
        if request.method != "PUT" or named is None or now < self.ends:
            return None
        if self.dav and self.stage.skin.server.name != "sabre":
            body = "<html><head><title>412 Precondition Failed</title></head><body><h1>Precondition Failed</h1></body></html>"
            return self.stage.skin.json_answer(412, body, "text/html")
        if self.dav:
            body = '<?xml version="1.0" encoding="utf-8"?>\n<d:error xmlns:d="DAV:" xmlns:s="http://sabredav.org/ns"><s:exception>Sabre\\DAV\\Exception\\PreconditionFailed</s:exception><s:message>The tokens or etags in the If header did not match</s:message><s:header>If</s:header></d:error>'
            return self.stage.skin.json_answer(412, body, "application/xml; charset=utf-8")
        text = "A lease ID was specified, but the lease for the blob has expired."
        body = f'\ufeff<?xml version="1.0" encoding="utf-8"?><Error><Code>LeaseLost</Code><Message>{text}</Message></Error>'
        answer = self.stage.skin.json_answer(412, body, "application/xml")
        answer.fields.append(("x-ms-error-code", "LeaseLost"))
        return answer
