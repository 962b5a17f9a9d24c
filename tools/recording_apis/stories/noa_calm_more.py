"""More days on which nothing went wrong, or the client healed it: policies, parts, polls, retries, loops."""

from __future__ import annotations

import importlib
import time

from tools.recording_apis import fronts
from tools.recording_apis.names import route
from tools.recording_apis.stage import Stage, case
from tools.recording_apis.stories import noa_setting as place
from tools.recording_apis.stories.noa_setting import bearer, must


@case(
    "b549",
    "grant-tried-again-properly",
    "none",
    "recovered",
    alone="other-writer coarse-token-scope none",
    also="other-writer coarse-token-scope status-dialect-mismatch",
    description=(
        "Google IAM: a grant meets 409 ABORTED, since another team has just granted something; the tool reads the "
        "policy again, adds its member to the new one and is taken. Both grants are there."
    ),
    synthetic=True,
)
def grant(stage: Stage) -> None:
    """Heal a conflict over a policy."""
    path = "/v1/projects/atlas-9"
    bindings = [{"role": f"roles/{r}", "members": [f"group:{r}@atlas.test"]} for r in ("viewer", "editor")]
    server = place.api(stage, "iam", {path: {"bindings": bindings}})
    me = stage.actor("client", server, "cloudresourcemanager.googleapis.test", "httpx", bearer("gcloud-a"))
    other = stage.actor(
        "other", server, "cloudresourcemanager.googleapis.test", "requests", bearer("gcloud-b")
    )
    mine = me.send("POST", f"{path}:getIamPolicy", 200, None, {}).json
    theirs = other.send("POST", f"{path}:getIamPolicy", 200, None, {}).json
    theirs["bindings"][1]["members"].append("user:tariq@atlas.test")
    other.send("POST", f"{path}:setIamPolicy", 200, None, {"policy": theirs})
    time.sleep(0.3)
    mine["bindings"][0]["members"].append("user:wen@atlas.test")
    me.send("POST", f"{path}:setIamPolicy", 409, None, {"policy": mine})
    fresh = me.send("POST", f"{path}:getIamPolicy", 200, None, {}).json
    fresh["bindings"][0]["members"].append("user:wen@atlas.test")
    me.send("POST", f"{path}:setIamPolicy", 200, None, {"policy": fresh})
    must("tariq" in me.send("POST", f"{path}:getIamPolicy", 200, None, {}).text, "lost")


@case(
    "b550",
    "video-in-parts",
    "none",
    "healthy",
    alone="none",
    description=(
        "S3 (moto, boto3): an object is put, read in pinned ranges to its end, copied with x-amz-copy-source-if-match, and "
        "the copy asked for again with If-None-Match (304)."
    ),
)
def video(stage: Stage) -> None:
    """Read in ranges and copy, all well."""
    server = stage.server("moto")
    library = importlib.import_module("boto3")
    route("s3.video.test", stage.tap("client", server))
    keys = {"aws_access_key_id": "AKIAVIDEO", "aws_secret_access_key": "fake", "region_name": "us-east-1"}
    settings = importlib.import_module("botocore.config").Config(
        retries={"max_attempts": 1},
        s3={"addressing_style": "path"},
        proxies={},
        user_agent="Boto3/1.44.8 md/Botocore#1.44.8 os/linux lang/python#3.11",
    )
    me = library.client("s3", endpoint_url="http://s3.video.test", config=settings, **keys)
    me.create_bucket(Bucket="video")
    stage.forget()
    content = "".join(chr(97 + n % 26) for n in range(3000)).encode()
    name = {"Bucket": "video", "Key": "cut-7.ts"}
    tag = me.put_object(**name, Body=content, ContentType="video/mp2t", IfNoneMatch="*")["ETag"]
    whole = b""
    for begin in range(0, 3000, 750):
        part = me.get_object(**name, Range=f"bytes={begin}-{begin + 749}", IfMatch=tag)
        whole += part["Body"].read()
    must(whole == content, "other bytes")
    copied = me.copy_object(Bucket="video", Key="final/cut-7.ts", CopySource=name, CopySourceIfMatch=tag)
    same = copied["CopyObjectResult"]["ETag"]
    try:
        me.get_object(Bucket="video", Key="final/cut-7.ts", IfNoneMatch=same)
    except me.exceptions.ClientError as answer:
        must(answer.response["ResponseMetadata"]["HTTPStatusCode"] == 304, "not 304")
    me.head_object(Bucket="video", Key="final/cut-7.ts")
    me.close()


@case(
    "b551",
    "weak-tags-for-reading-only",
    "none",
    "healthy",
    alone="none",
    description=(
        "GoCD behind nginx with gzip: a dashboard polls pipelines whose tags nginx makes weak; it uses them in "
        "If-None-Match alone, which is 304 each time, and reads in full after a change."
    ),
    synthetic=True,
)
def dashboard(stage: Stage) -> None:
    """Poll with weak tags."""
    text = "commit message of some length, so that the answer is worth compressing. " * 6
    seed = {f"/go/api/pipelines/{name}/status": {"name": name, "note": text} for name in ("web", "api")}
    server = place.api(stage, "plain", seed, KIND="gocd")
    front = fronts.nginx_gzip(stage, server)
    me = stage.actor("client", front, "ci.dash.test", "node:axios", bearer("dash"))
    other = stage.actor("other", server, "ci.dash.test", "requests", bearer("agent"))
    tags = {name: me.get(f"/go/api/pipelines/{name}/status").etag for name in ("web", "api")}
    for turn in range(4):
        if turn == 2:
            path = "/go/api/pipelines/web/status"
            seen = other.get(path)
            other.put(path, {**seen.json, "paused": True}, 200, {"If-Match": seen.etag})
            tags["web"] = me.get(path, 200, {"If-None-Match": tags["web"]}).etag
        for name, tag in tags.items():
            must(tag.startswith("W/"), "strong")
            me.get(f"/go/api/pipelines/{name}/status", 304, {"If-None-Match": tag})


@case(
    "b552",
    "same-tag-again-after-503",
    "none",
    "healthy",
    alone="none",
    description=(
        "App Configuration: a write with If-Match meets 503 with Retry-After twice, which stored nothing; the third try "
        "with the same tag is taken, as it is still the current one."
    ),
    synthetic=True,
)
def patient_client(stage: Stage) -> None:
    """Repeat a write that was not looked at."""
    path = "/kv/Mail:FromAddress"
    server = place.api(stage, "appconfig", {path: {"value": "info@a.test"}}, BUSY="2", FLAGS="busywrites")
    me = stage.actor("client", server, "a.azconfig.test", "requests", bearer("ops"))
    place.browse(me, "cwfr")
    tag = me.get(path).etag
    guard = {"Content-Type": "application/vnd.microsoft.appconfig.kv+json", "If-Match": tag}
    for _ in range(2):
        me.put(path, {"value": "post@a.test"}, 503, guard)
        time.sleep(1.0)
    new = me.put(path, {"value": "post@a.test"}, 200, guard).etag
    me.get(path, 304, {"If-None-Match": new})
    me.put(path, {"value": "office@a.test"}, 200, {**guard, "If-Match": new})


@case(
    "b553",
    "upserts-with-both-guards",
    "none",
    "healthy",
    alone="none",
    description=(
        "Dataverse: an integration creates rows with If-None-Match: * and changes rows with If-Match of the read or "
        "with If-Match: * where any version will do; each answer is 2xx."
    ),
    synthetic=True,
)
def upserts(stage: Stage) -> None:
    """Create and change with guards that hold."""
    base = "/api/data/v9.2/contacts"
    server = place.api(stage, "dataverse", {f"{base}(1)": {"fullname": "Ana Ruiz"}}, "cheroot")
    front = fronts.envoy(stage, [server])
    me = stage.actor("client", front, "org.crm.dynamics.test", "aiohttp", bearer("erp"))
    place.browse(me, "tf")
    for number in (2, 3, 4):
        me.put(f"{base}({number})", {"fullname": f"Guest {number}"}, 204, {"If-None-Match": "*"})
        seen = me.get(f"{base}({number})").etag
        me.send("PATCH", f"{base}({number})", 204, {"If-Match": seen}, {"city": "Vigo"})
    me.send("PATCH", f"{base}(1)", 204, {"If-Match": "*"}, {"city": "Lugo"})
    me.get(f"{base}(1)", 304, {"If-None-Match": me.get(f"{base}(1)").etag})


@case(
    "b554",
    "controller-loops-on",
    "none",
    "recovered",
    alone="other-writer none",
    also="other-writer status-dialect-mismatch",
    description=(
        "Kubernetes: a controller updates labels of eight config maps; twice an operator was faster, the answer is 409, "
        "the controller reads again, adds its label to the new object and is taken."
    ),
    synthetic=True,
)
def controller(stage: Stage) -> None:
    """Heal two conflicts in a loop."""
    base = "/api/v1/namespaces/geo/configmaps"
    value = {"apiVersion": "v1", "kind": "ConfigMap", "data": {"unit": "m"}}
    server = place.api(stage, "kubernetes", {f"{base}/layer-{n}": value for n in range(8)})
    agent = {"User-Agent": "geo-controller/v0.9 (linux/amd64) kubernetes/8e2f9a1"}
    me = stage.actor("client", server, "k8s.geo.test", "requests", bearer("geo-controller", **agent))
    other = stage.actor("other", server, "k8s.geo.test", "httpx", bearer("jo"))
    place.browse(me, "w")
    for number in range(8):
        path = f"{base}/layer-{number}"
        seen = me.get(path).json
        if number in {2, 6}:
            theirs = other.get(path).json
            theirs["data"]["unit"] = "ft"
            other.put(path, theirs, 200)
            seen["metadata"]["labels"] = {"geo/checked": "yes"}
            me.put(path, seen, 409)
            time.sleep(0.05)
            seen = me.get(path).json
        seen["metadata"]["labels"] = {"geo/checked": "yes"}
        me.put(path, seen, 200)
