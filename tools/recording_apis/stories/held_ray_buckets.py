"""Stories on IBM's object store, and on an agents' configuration in two formats."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import math
import time
from typing import TYPE_CHECKING, Any

from tools.recording_apis import fronts
from tools.recording_apis.apps.ray_core import Api, Req, Res
from tools.recording_apis.apps.ray_suites import cos
from tools.recording_apis.stage import case
from tools.recording_apis.stories import held_ray_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.stage import Stage

_HOST = "s3.eu-de.cloud-object-storage.appdomain.example"
_BEARER = {"Authorization": "Bearer eyJraWQiOi-example", "ibm-service-instance-id": "crn-7f"}


@case(
    "b963",
    "ray-copies-of-what-has-not-changed",
    "date-precision",
    "412",
    alone="date-precision",
    synthetic=True,
    description=(
        "An archive copies objects with copy-source-if-unmodified-since set to the Last-Modified of its own HEAD. The "
        "store compares with the milliseconds that its list shows: 412 for objects stored within a second, though "
        "nobody has written; one stored on the full second passes, and one asked for a second later."
    ),
)
def copies(stage: Stage) -> None:
    """Echo a date that has lost its fraction."""
    api = cos(
        "billing",
        {
            f"2026/10/inv-{n}.json": json.dumps({"invoice": n, "net": n * 3}).encode()
            for n in (401, 402, 403, 404)
        },
    )
    for number, row in enumerate(api.rows.values()):
        row.at = math.floor(time.time()) - 5000 - number * 71 + (0.0, 0.618, 0.244, 0.907)[number]
    server = place.open_box(stage, api, "aiohttp", "IBM Cloud Object Storage")
    me = place.Aws(stage, "client", server, "s3", _HOST, "ibm-cos-sdk-python-core/2.13.6 Python/3.11")
    me("list_objects_v2", Bucket="billing", Prefix="2026/10/")
    for number in (401, 402, 403, 404):
        key = f"2026/10/inv-{number}.json"
        seen = me("head_object", Bucket="billing", Key=key)
        since = seen["LastModified"] + dt.timedelta(seconds=1 if number == 404 else 0)
        expect = "PreconditionFailed" if number in (402, 403) else ""
        named = {
            "Bucket": "billing",
            "Key": f"archive/inv-{number}.json",
            "CopySource": {"Bucket": "billing", "Key": key},
        }
        for _ in range(2 if expect else 1):
            me("copy_object", expect, **named, CopySourceIfUnmodifiedSince=since)
            place.rest(0.3)
        again = me("head_object", Bucket="billing", Key=key)
        place.sure(again["LastModified"] == seen["LastModified"] and again["ETag"] == seen["ETag"])
    me("list_objects_v2", Bucket="billing", Prefix="archive/")


@case(
    "b938",
    "ray-release-that-was-out-already",
    "exists-already",
    "409",
    alone="exists-already",
    synthetic=True,
    description=(
        "A pipeline publishes files of a release with x-ibm-forbid-overwrite; one name is there from another branch's "
        "run of an hour before: 409 ObjectAlreadyExists, and its content, as read, is of the other commit."
    ),
)
def release(stage: Stage) -> None:
    """Publish where something is."""
    api = cos("releases", {"agent/3.8.1/linux-arm64.json": b'{"commit":"9be01c7","built":"nightly"}'}, 3700.0)
    server = place.open_box(stage, api, "cheroot", "IBM Cloud Object Storage")
    me = stage.actor("client", server, _HOST, "curl:trace-time", {**_BEARER, "User-Agent": "curl/8.9.1"})
    me.get("/releases/?list-type=2&prefix=agent/3.8.0/")
    guard = {"x-ibm-forbid-overwrite": "true"}
    for arch in ("linux-amd64", "linux-arm64", "windows-amd64"):
        body = {"commit": "4d7aa20", "built": "main", "arch": arch}
        me.put(f"/releases/agent/3.8.1/{arch}.json", body, 409 if "arm64" in arch else 200, guard)
        place.rest(0.2)
    held = me.get("/releases/agent/3.8.1/linux-arm64.json")
    place.sure(held.json["commit"] == "9be01c7")
    me.put(
        "/releases/agent/3.8.1/linux-arm64.json",
        {"commit": "4d7aa20", "built": "main", "arch": "linux-arm64"},
        409,
        guard,
    )
    me.get("/releases/?list-type=2&prefix=agent/3.8.1/")


@case(
    "b941",
    "ray-catalogue-behind-the-old-proxy",
    "etag-suffix-rewrite",
    "412",
    alone="etag-suffix-rewrite",
    synthetic=True,
    description=(
        "Apache's deflate before an object store adds -gzip within the tag of what it compresses; an editor sends that "
        "tag in If-Match: 412, twice, while what is read with identity has the tag without it, and that one is taken."
    ),
)
def catalogue(stage: Stage) -> None:
    """Send a tag with the suffix of a coding."""
    sheets = {
        f"sheets/{name}.json": json.dumps(
            {"artist": name, "works": [f"Opus {n}" for n in range(30)]}
        ).encode()
        for name in ("tallis", "byrd", "gibbons")
    }
    server = place.open_box(stage, cos("scores", sheets), "aiohttp", "IBM Cloud Object Storage")
    front = fronts.apache(stage, server, "SetOutputFilter DEFLATE")
    me = stage.actor(
        "client", front, "scores.choir.example", "node:axios", {**_BEARER, "User-Agent": "score-desk/1.4"}
    )
    me.get("/scores/?list-type=2&prefix=sheets/")
    for name in ("tallis", "byrd"):
        path = f"/scores/sheets/{name}.json"
        for _ in range(2 if name == "byrd" else 1):
            seen = me.get(path, 200, {"Accept-Encoding": "gzip"})
            place.sure(seen.etag.endswith('-gzip"'), seen.etag)
            me.put(path, {"artist": name, "works": ["Sing joyfully"]}, 412, {"If-Match": seen.etag})
            place.rest(0.4)
    path = "/scores/sheets/gibbons.json"
    plain = me.get(path, 200, {"Accept-Encoding": "identity"})
    me.put(path, {"artist": "gibbons", "works": ["The Silver Swan"]}, 200, {"If-Match": plain.etag})
    same = me.get("/scores/sheets/byrd.json", 200, {"Accept-Encoding": "identity"})
    place.sure(same.etag[:-1] == seen.etag.removesuffix('-gzip"'))


@case(
    "b971",
    "ray-state-on-a-store-without-conditions",
    "unsupported-precondition",
    "501",
    alone="unsupported-precondition",
    synthetic=True,
    description=(
        "A deployment tool keeps its state in a bucket and writes it with If-Match, or If-None-Match: * at first: the "
        "store says 501 NotImplemented and names the field, for any tag; what has no condition passes."
    ),
)
def state(stage: Stage) -> None:
    """Ask for what the store cannot do."""
    api = cos("tf-state", {"net/prod.tfstate": b'{"version":4,"serial":18}'})

    def refuse(req: Req, _key: str) -> Any:
        for name in ("If-Match", "If-None-Match"):
            if name.lower() in req.fields:
                return api.error(
                    501,
                    "NotImplemented",
                    "A header you provided implies functionality that is not implemented.",
                    f"<Header>{name}</Header>",
                )
        return None

    api.ahead("PUT", "/tf-state/(.+)", refuse)
    server = place.open_box(stage, api, "tornado", "IBM Cloud Object Storage")
    me = place.Aws(stage, "client", server, "s3", _HOST, "APN/1.0 HashiCorp/1.0 Terraform/1.11.3")
    me("list_objects_v2", Bucket="tf-state", Prefix="net/")
    me(
        "put_object",
        "NotImplemented",
        Bucket="tf-state",
        Key="net/prod.tfstate.tflock",
        Body=b'{"ID":"51c"}',
        IfNoneMatch="*",
    )
    for serial in (19, 19, 20):
        seen = me("get_object", Bucket="tf-state", Key="net/prod.tfstate")
        body = json.dumps({"version": 4, "serial": serial}).encode()
        me(
            "put_object",
            "NotImplemented",
            Bucket="tf-state",
            Key="net/prod.tfstate",
            Body=body,
            IfMatch=seen["ETag"],
        )
        place.rest(0.4)
    me("put_object", Bucket="tf-state", Key="net/plan.log", Body=b"1 to add")
    me("head_object", Bucket="tf-state", Key="net/prod.tfstate")


def _yaml(data: dict[str, object]) -> str:
    return "".join(f"{key}: {json.dumps(one)}\n" for key, one in data.items())


def _controller() -> Api:
    """Return pipelines in two formats, each with a tag of its own."""
    api = Api(lambda _req: {"Vary": "Accept"})
    for name in ("logs-edge", "metrics-core", "traces-eu"):
        api.keep(name, {"name": name, "batch": 512, "exporters": ["otlp"], "enabled": True}, age=4000)

    def shown(name: str, *, yaml: bool) -> Res:
        row = api.rows[name]
        text = _yaml(row.data) if yaml else json.dumps(row.data)
        tag = hashlib.sha256(f"{row.rev}{text}".encode()).hexdigest()[:20]
        return Res(
            200,
            text,
            {
                "ETag": f'"{tag}"',
                "Content-Type": "text/yaml; charset=utf-8" if yaml else "application/json",
                "X-Revision": str(row.rev),
            },
        )

    def write(req: Req, name: str) -> Res:
        if (
            req.fields.get("if-match")
            != shown(name, yaml="yaml" in req.fields["content-type"]).fields["ETag"]
        ):
            return Res(412, {"reason": "VersionMismatch", "revision": api.rows[name].rev})
        api.keep(name, req.json)
        return shown(name, yaml=False)

    api.on(
        "GET",
        "/api/v1/pipelines",
        lambda _req: Res(200, [{"name": n, "revision": r.rev} for n, r in api.rows.items()]),
    )
    api.on(
        "GET",
        "/api/v1/pipelines/([^/]+)",
        lambda req, name: shown(name, yaml="yaml" in req.fields.get("accept", "")),
    )
    api.on("PUT", "/api/v1/pipelines/([^/]+)", write)
    return api


@case(
    "b954",
    "ray-pipelines-read-as-yaml",
    "representation-mismatch",
    "412",
    alone="representation-mismatch",
    description=(
        "A collector's controller gives pipelines as YAML or JSON, each with a tag of its own, and compares a PUT of "
        "JSON with that of the JSON. A command line reads YAML, turns it and sends the YAML's tag: 412, twice, at one "
        "revision; a pipeline that it reads as JSON is taken."
    ),
)
def pipelines(stage: Stage) -> None:
    """Send the tag of another format."""
    server = place.open_box(stage, _controller(), "falcon")
    me = stage.actor("client", server, "collectors.ops.example", "httpx", {"User-Agent": "collctl/0.31"})
    me.get("/api/v1/pipelines")
    for _ in range(2):
        seen = me.get("/api/v1/pipelines/logs-edge", 200, {"Accept": "application/yaml"})
        me.put(
            "/api/v1/pipelines/logs-edge",
            {"name": "logs-edge", "batch": 1024, "exporters": ["otlp"], "enabled": True},
            412,
            {"If-Match": seen.etag},
        )
        place.rest(0.5)
    plain = me.get("/api/v1/pipelines/logs-edge", 200, {"Accept": "application/json"})
    place.sure(plain.fields["x-revision"] == seen.fields["x-revision"] and plain.etag != seen.etag)
    seen = me.get("/api/v1/pipelines/traces-eu", 200, {"Accept": "application/json"})
    me.put("/api/v1/pipelines/traces-eu", {**seen.json, "enabled": False}, 200, {"If-Match": seen.etag})
    me.get("/api/v1/pipelines")
