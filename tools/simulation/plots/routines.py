"""Healthy routines of single platforms: synchronisation, registries, watches, listings."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tools.simulation.messages import Request, Response, http_date
from tools.simulation.plots.healthy import fine

if TYPE_CHECKING:
    from tools.simulation.agents import Agent
    from tools.simulation.kernel import Flow
    from tools.simulation.stage import Stage, Told


def _multistatus(stage: Stage, data: str) -> Response:
    rows = ""
    for key, entry in stage.origin.store.items():
        tag = stage.origin.tag(entry, Request("PROPFIND", ""), "read") or ""
        href = stage.skin.url(key).partition("://")[2].partition("/")[2]
        rows += f"<d:response><d:href>/{href}</d:href><d:propstat><d:prop><d:getetag>{tag.replace(chr(34), '&quot;')}</d:getetag>{data}</d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response>"
    body = f'<?xml version="1.0" encoding="utf-8"?>\n<d:multistatus xmlns:d="DAV:" xmlns:cal="urn:ietf:params:xml:ns:caldav">{rows}</d:multistatus>'
    return stage.skin.json_answer(207, body, "application/xml; charset=utf-8")


def dav_sync(stage: Stage) -> Told:
    """List, fetch, update one, make one, delete one."""
    keys = [stage.skin.new_key() + str(number) for number in range(3)]
    for key in keys:
        stage.first(key=key)
    me = stage.editor()
    folder = stage.skin.url(keys[0]).rsplit("/", 1)[0] + "/"
    report = stage.rng.random() < 0.5 and stage.skin.id in {"caldav", "carddav"}

    def hook(request: Request) -> Response | None:
        return _multistatus(stage, "") if request.method in {"PROPFIND", "REPORT"} else None

    stage.origin.hooks.append(hook)
    stage.origin.hooks.append(
        lambda request: Response(405, [("Allow", "OPTIONS, GET, PUT")]) if request.method == "MKCOL" else None
    )
    ask = '<?xml version="1.0"?><d:propfind xmlns:d="DAV:"><d:prop><d:getetag/></d:prop></d:propfind>'
    query = '<?xml version="1.0"?><c:calendar-multiget xmlns:c="urn:ietf:params:xml:ns:caldav" xmlns:d="DAV:"><d:prop><d:getetag/><c:calendar-data/></d:prop></c:calendar-multiget>'

    def story() -> Flow[None]:
        if stage.rng.random() < 0.3:
            yield from me.agent.send(Request("MKCOL", folder))
        method, body = ("REPORT", query) if report else ("PROPFIND", ask)
        yield from me.agent.send(
            Request(
                method, folder, [("Depth", "1"), ("Content-Type", "application/xml; charset=utf-8")], body
            )
        )
        for key in keys[:2]:
            yield from me.read(key)
            yield stage.rng.uniform(0.02, 0.3)
        yield from me.agent.think(0.5, 3)
        yield from me.save(keys[1], stage.edit(me.document))
        yield from me.agent.send(stage.skin.create(stage.key + "new", stage.skin.topic.first(stage.rng)))
        answer = yield from me.read(keys[2])
        yield from me.agent.send(stage.skin.remove(keys[2], stage.skin.token_of(answer)))
        yield from me.agent.send(
            Request(
                method, folder, [("Depth", "1"), ("Content-Type", "application/xml; charset=utf-8")], body
            )
        )

    stage.play(story())
    return fine(
        "sync-round",
        "A synchroniser lists, fetches, updates one with its tag, makes one with a guard, deletes one with its tag, lists again.",
    )


def lock_and_edit(stage: Stage) -> Told:
    """LOCK, save under the lock, UNLOCK."""
    stage.first()
    me = stage.editor()
    token = f"opaquelocktoken:{stage.rng.getrandbits(64):016x}"
    url = stage.skin.url(stage.key)

    def hook(request: Request) -> Response | None:
        if request.method == "LOCK":
            answer = stage.skin.json_answer(
                200,
                f'<?xml version="1.0"?><D:prop xmlns:D="DAV:"><D:lockdiscovery><D:activelock><D:locktoken><D:href>{token}</D:href></D:locktoken><D:timeout>Second-600</D:timeout></D:activelock></D:lockdiscovery></D:prop>',
                "application/xml; charset=utf-8",
            )
            answer.fields.append(("Lock-Token", f"<{token}>"))
            return answer
        return Response(204) if request.method == "UNLOCK" else None

    stage.origin.hooks.append(hook)

    def story() -> Flow[None]:
        yield from me.agent.send(
            Request(
                "LOCK",
                url,
                [
                    ("Timeout", "Second-600"),
                    ("Depth", "0"),
                    ("Content-Type", "application/xml; charset=utf-8"),
                ],
                "<?xml version='1.0'?><D:lockinfo xmlns:D='DAV:'/>",
            )
        )
        yield from me.read(stage.key)
        for _ in range(2):
            yield from me.agent.think(0.5, 4)
            request = stage.skin.write(stage.key, stage.edit(me.document), None, me.document)
            request.fields.append(("If", f"(<{token}>)"))
            yield from me.agent.send(request)
        yield from me.agent.send(Request("UNLOCK", url, [("Lock-Token", f"<{token}>")]))

    stage.play(story())
    return fine("locked-edit", "An editor locks, reads, saves twice under its lock, unlocks.")


def listing(stage: Stage) -> Told:
    """List a bucket, check and fetch objects, store one more."""
    keys = [stage.skin.new_key() + str(number) for number in range(3)]
    for key in keys:
        stage.first(key=key)
    me = stage.editor()
    base = stage.skin.url(keys[0]).rsplit("/", 1)[0]
    lists = f"{base}/?list-type=2&prefix="

    def hook(request: Request) -> Response | None:
        if "list-type=2" not in request.url:
            return None
        rows = "".join(
            f"<Contents><Key>{key}.json</Key><ETag>{(stage.origin.tag(entry, request, 'read') or '').replace(chr(34), '&quot;')}</ETag><Size>64</Size></Contents>"
            for key, entry in stage.origin.store.items()
        )
        return stage.skin.json_answer(
            200,
            f'<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult><Name>b</Name><KeyCount>{len(keys)}</KeyCount>{rows}</ListBucketResult>',
            "application/xml",
        )

    stage.origin.hooks.append(hook)

    def story() -> Flow[None]:
        yield from me.agent.send(Request("GET", lists))
        for key in keys:
            yield from me.agent.send(Request("HEAD", stage.skin.url(key)))
            yield stage.rng.uniform(0.02, 0.2)
        yield from me.read(keys[0])
        yield from me.save(keys[0], stage.edit(me.document))
        yield from me.agent.send(Request("HEAD", stage.skin.url("none-yet")))
        yield from me.agent.send(stage.skin.create("none-yet", stage.skin.topic.first(stage.rng)))
        yield from me.agent.send(Request("GET", lists))

    stage.play(story())
    return fine(
        "bucket-listing", "A job lists a bucket, checks and fetches objects, updates one, stores a new one."
    )


class _Registry:
    """A registry of images or packages."""

    def __init__(self, stage: Stage, base: str, digest: str, body: object) -> None:
        self.stage = stage
        self.base = base
        self.digest = digest
        self.body = body

    def __call__(self, request: Request) -> Response:
        """Answer checks, uploads and reads."""
        there = [("Docker-Content-Digest", self.digest), ("Content-Length", "0")]
        if request.method == "HEAD" and "/blobs/" in request.url:
            return Response(200 if "aa" in request.url else 404, there)
        if request.method == "POST":
            return Response(202, [("Location", f"{self.base}/blobs/uploads/7"), ("Content-Length", "0")])
        if request.method == "PUT":
            return Response(201, there)
        tag = f'"{self.digest}"'
        if request.field("If-None-Match"):
            return Response(304, [("ETag", tag), ("Cache-Control", "public, max-age=300")])
        answer = self.stage.skin.json_answer(200, json.dumps(self.body))
        answer.fields += [("ETag", tag), ("Last-Modified", http_date(self.stage.world.now - 90000))]
        return answer


def _push(base: str, agent: Agent) -> Flow[None]:
    layer, manifest = "application/octet-stream", "application/vnd.oci.image.manifest.v1+json"
    for name in ("aa01", "bb02", "cc03"):
        yield from agent.send(Request("HEAD", f"{base}/blobs/sha256:{name}"))
        yield 0.1
        if name != "aa01":
            yield from agent.send(Request("POST", f"{base}/blobs/uploads/"))
            url = f"{base}/blobs/uploads/7?digest=sha256:{name}"
            yield from agent.send(Request("PUT", url, [("Content-Type", layer)], "layer"))
    url = f"{base}/manifests/latest"
    yield from agent.send(Request("PUT", url, [("Content-Type", manifest)], '{"schemaVersion":2}'))


def registry(stage: Stage) -> Told:
    """Push and pull of an image, or install of packages."""
    me = stage.editor(kinds=("go", "undici", "requests"))
    image = stage.rng.random() < 0.5
    base = f"{stage.skin.origin_url}/v2/acme/web" if image else f"{stage.skin.origin_url}/npm"
    digest = f"sha256:{stage.rng.getrandbits(256):064x}"
    package: object = {"name": "left", "dist-tags": {"latest": "1.3.0"}}
    body: object = {"schemaVersion": 2, "config": {"digest": digest}} if image else package
    stage.origin.hooks.append(_Registry(stage, base, digest, body))

    def story() -> Flow[None]:
        if image:
            yield from _push(base, me.agent)
        for name in ("left", "right", "left"):
            fields = [("If-None-Match", f'"{digest}"')] if name == "left" and stage.rng.random() < 0.7 else []
            url = f"{base}/manifests/latest" if image else f"{base}/{name}"
            yield from me.agent.send(Request("GET", url, fields))
            yield stage.rng.uniform(0.05, 0.5)

    stage.play(story())
    if image:
        return fine("image-push-pull", "An image is pushed and pulled, layers that exist are skipped.")
    return fine("package-install", "Packages are looked up and revalidated.")


def watch(stage: Stage) -> Told:
    """List, watch, a status update, watch again."""
    stage.first()
    me = stage.editor()
    base = stage.skin.url(stage.key).rsplit("/", 1)[0]
    number = stage.rng.randrange(10**5, 10**6)

    def hook(request: Request) -> Response | None:
        if "watch=1" in request.url:
            return stage.skin.json_answer(
                200,
                json.dumps(
                    {
                        "type": "MODIFIED",
                        "object": {"metadata": {"name": "checkout", "resourceVersion": str(number + 2)}},
                    }
                )
                + "\n",
            )
        if "limit=" in request.url:
            return stage.skin.json_answer(
                200,
                json.dumps(
                    {"kind": "ConfigMapList", "metadata": {"resourceVersion": str(number)}, "items": []}
                ),
            )
        return None

    stage.origin.hooks.append(hook)

    def story() -> Flow[None]:
        yield from me.agent.send(Request("GET", f"{base}?limit=500"))
        yield from me.agent.send(Request("GET", f"{base}?watch=1&resourceVersion={number}&timeoutSeconds=30"))
        yield from me.read(stage.key)
        yield from me.agent.think(0.1, 1)
        yield from me.save(stage.key, stage.edit(me.document))
        yield from me.agent.send(
            Request("GET", f"{base}?watch=1&resourceVersion={number + 2}&timeoutSeconds=30")
        )

    stage.play(story())
    return fine(
        "list-and-watch",
        "A controller lists, watches, updates an object with its resource version, watches on.",
    )
