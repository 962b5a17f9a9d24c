"""S3: moto and SeaweedFS behind boto3, curl and requests."""

from __future__ import annotations

import hashlib
import importlib
import json
import time
from typing import TYPE_CHECKING, Any

from tools.recording_apis.names import route
from tools.recording_apis.stage import Stage, StoryError, case

if TYPE_CHECKING:
    from collections.abc import Callable

    from tools.recording.message import Message
    from tools.recording_apis.servers import Server


class Bucket:
    """A boto3 client with one bucket, behind a tap of its own."""

    def __init__(
        self, stage: Stage, name: str, server: Server, loses: Callable[[Message], bool] | None = None
    ) -> None:
        self._port = stage.tap(name, server, loses)
        boto3 = importlib.import_module("boto3")
        config = importlib.import_module("botocore.config").Config(
            s3={"addressing_style": "path"},
            retries={"mode": "standard", "total_max_attempts": 3},
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            proxies={},
            user_agent=f"Boto3/{boto3.__version__} ua/2.1 os/linux lang/python#3.11",
        )
        self._errors = importlib.import_module("botocore.exceptions")
        self._client = boto3.client(
            "s3",
            endpoint_url="http://s3.example.test",
            region_name="eu-central-1",
            aws_access_key_id="EXAMPLEKEY",
            aws_secret_access_key="example",  # noqa: S106 - the servers check nothing
            config=config,
        )

    def call(self, operation: str, expect: int = 200, **named: Any) -> dict[str, Any]:
        """Call an operation and insist on its status."""
        route("s3.example.test", self._port)
        try:
            answer: dict[str, Any] = getattr(self._client, operation)(**named)
        except self._errors.ClientError as refused:
            answer = dict(refused.response)
        status = answer["ResponseMetadata"]["HTTPStatusCode"]
        if status != expect:
            raise StoryError(f"{operation} {named}: {status}, expected {expect}: {answer}")
        return answer

    def close(self) -> None:
        """Close its connections."""
        self._client.close()


def bucket(stage: Stage, server: Server, name: str = "client", loses: Any = None) -> Bucket:
    """Return a boto3 actor; the first one makes the bucket before the recording begins."""
    made = Bucket(stage, name, server, loses)
    if name == "client":
        setup = Bucket(stage, "setup", server)
        setup.call(
            "create_bucket", Bucket="data", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
        )
        setup.close()
        for tap in ("setup", "upstream"):
            stage.taps[tap].recorded.clear()
    return made


@case(
    "a125",
    "s3-create-answer-lost-sdk-retries",
    "lost-response-replay",
    "412",
    alone="lost-response-replay",
    description=(
        "boto3 puts an object with If-None-Match: *, the answer is lost, boto3's own retry (same "
        "amz-sdk-invocation-id) is refused by its own first attempt."
    ),
)
def sdk_retries(stage: Stage) -> None:
    """Let the library retry."""
    server = stage.server("moto")
    lost = iter([True])
    me = bucket(stage, server, loses=lambda request: request.method == "PUT" and next(lost, False))
    body = json.dumps({"run": "8c1d4f0e", "rows": 4210, "by": "loader-3"})
    me.call("put_object", 412, Bucket="data", Key="runs/2026-11-24.json", Body=body, IfNoneMatch="*")
    me.call("head_object", Bucket="data", Key="runs/2026-11-24.json")
    me.call("get_object", Bucket="data", Key="runs/2026-11-24.json")


@case(
    "a126",
    "s3-exists-already",
    "exists-already",
    "412",
    alone="exists-already",
    description="A nightly export puts its object with If-None-Match: *; an earlier run has stored that key.",
)
def exists(stage: Stage) -> None:
    """Put what another job has put."""
    server = stage.server("seaweedfs")
    me = bucket(stage, server)
    other = bucket(stage, server, "other")
    other.call("put_object", Bucket="data", Key="export/24.csv", Body="id,total\n1,10\n", IfNoneMatch="*")
    time.sleep(1.4)
    me.call("put_object", 412, Bucket="data", Key="export/24.csv", Body="id,total\n1,12\n", IfNoneMatch="*")
    me.call("get_object", Bucket="data", Key="export/24.csv")


@case(
    "a127",
    "s3-stale-manifest",
    "other-writer",
    "412",
    alone="other-writer",
    description="Two committers replace one manifest with If-Match; the slower one is refused.",
)
def manifest(stage: Stage) -> None:
    """Commit to a table's manifest."""
    server = stage.server("seaweedfs")
    me = bucket(stage, server)
    other = bucket(stage, server, "other")
    key: dict[str, Any] = {"Bucket": "data", "Key": "table/manifest.json"}
    other.call("put_object", **key, Body='{"version":7,"files":["a"]}')
    tag = me.call("get_object", **key)["ETag"]
    theirs = other.call("get_object", **key)["ETag"]
    other.call("put_object", **key, Body='{"version":8,"files":["a","b"]}', IfMatch=theirs)
    time.sleep(0.5)
    me.call("put_object", 412, **key, Body='{"version":8,"files":["a","c"]}', IfMatch=tag)
    me.call("get_object", **key)


@case(
    "a128",
    "s3-if-match-on-missing-key",
    "target-missing",
    "412",
    alone="target-missing",
    description="The object was deleted by a clean-up job; PutObject with If-Match is refused.",
    notes=("S3 itself answers 404 NoSuchKey here",),
)
def missing(stage: Stage) -> None:
    """Replace what is gone."""
    server = stage.server("seaweedfs")
    me = bucket(stage, server)
    other = bucket(stage, server, "other")
    key: dict[str, Any] = {"Bucket": "data", "Key": "state/app.json"}
    other.call("put_object", **key, Body='{"serial":3}')
    tag = me.call("get_object", **key)["ETag"]
    other.call("delete_object", 204, **key)
    me.call("put_object", 412, **key, Body='{"serial":4}', IfMatch=tag)
    me.call("head_object", 404, **key)


@case(
    "a129",
    "s3-ranged-read-replaced",
    "read-changed-mid-transfer",
    "412",
    alone="read-changed-mid-transfer",
    description="A download in ranges, each with If-Match; the object is replaced after the second range.",
)
def ranges(stage: Stage) -> None:
    """Read in parts."""
    server = stage.server("moto")
    me = bucket(stage, server)
    other = bucket(stage, server, "other")
    key: dict[str, Any] = {"Bucket": "data", "Key": "maps/oslo.bin"}
    other.call("put_object", **key, Body=b"tile-A " * 600)
    tag = me.call("head_object", **key)["ETag"]
    me.call("get_object", 206, **key, Range="bytes=0-1023", IfMatch=tag)
    me.call("get_object", 206, **key, Range="bytes=1024-2047", IfMatch=tag)
    time.sleep(1.1)
    other.call("put_object", **key, Body=b"tile-B " * 640)
    me.call("get_object", 412, **key, Range="bytes=2048-3071", IfMatch=tag)
    me.call("head_object", **key)


@case(
    "a130",
    "s3-multipart-tag-computed",
    "etag-source-mismatch",
    "412",
    alone="etag-source-mismatch wrong-token-source",
    description=(
        "The object was uploaded in parts, so its tag is not the MD5 of the whole; the client computes "
        "the MD5 itself and sends it as If-Match."
    ),
)
def computed(stage: Stage) -> None:
    """Assume that the tag is a checksum."""
    server = stage.server("moto")
    me = bucket(stage, server)
    key: dict[str, Any] = {"Bucket": "data", "Key": "video/intro.mp4"}
    upload = me.call("create_multipart_upload", **key)["UploadId"]
    chunks = [b"frame-" * 200, b"credits-" * 90]
    parts = []
    for number, chunk in enumerate(chunks, 1):
        tag = me.call("upload_part", **key, UploadId=upload, PartNumber=number, Body=chunk)["ETag"]
        parts.append({"ETag": tag, "PartNumber": number})
    me.call("complete_multipart_upload", **key, UploadId=upload, MultipartUpload={"Parts": parts})
    digest = hashlib.md5(b"".join(chunks)).hexdigest()  # noqa: S324 - S3's tag of a simple upload
    me.call("get_object", 412, **key, IfMatch=f'"{digest}"')
    me.call("head_object", **key)


@case(
    "a131",
    "s3-lock-file-poll",
    "expected-control-flow",
    "412",
    alone="expected-control-flow none",
    description=(
        "Two infrastructure runs take turns by a lock object put with If-None-Match: *; the waiting one "
        "polls and is refused until the lock is deleted."
    ),
)
def lock_file(stage: Stage) -> None:
    """Wait for a lock object."""
    server = stage.server("moto")
    me = bucket(stage, server)
    other = bucket(stage, server, "other")
    key: dict[str, Any] = {"Bucket": "data", "Key": "prod/terraform.tfstate.tflock"}
    theirs = {"ID": "0b7d6a52", "Operation": "OperationTypeApply", "Who": "ci@runner-2"}
    mine = {"ID": "d9f1c330", "Operation": "OperationTypePlan", "Who": "ci@runner-5"}
    other.call("put_object", **key, Body=json.dumps(theirs), IfNoneMatch="*")
    for _ in range(3):
        me.call("put_object", 412, **key, Body=json.dumps(mine), IfNoneMatch="*")
        me.call("get_object", **key)
        time.sleep(0.9)
    other.call("delete_object", 204, **key)
    me.call("put_object", **key, Body=json.dumps(mine), IfNoneMatch="*")
    me.call("put_object", Bucket="data", Key="prod/terraform.tfstate", Body='{"serial":12}')
    me.call("delete_object", 204, **key)


@case(
    "a132",
    "s3-browse-healthy",
    "none",
    "healthy",
    alone="none",
    description="Listing, heads, conditional gets answered 304, one download, one new object.",
)
def browse(stage: Stage) -> None:
    """Browse a bucket."""
    server = stage.server("moto")
    me = bucket(stage, server)
    for name in ("a", "b", "c"):
        me.call("put_object", Bucket="data", Key=f"photos/{name}.txt", Body=f"photo {name}")
    for item in me.call("list_objects_v2", Bucket="data", Prefix="photos/")["Contents"]:
        me.call("head_object", Bucket="data", Key=item["Key"])
        me.call("get_object", 304, Bucket="data", Key=item["Key"], IfNoneMatch=item["ETag"])
    me.call("get_object", Bucket="data", Key="photos/b.txt")
    me.call("put_object", Bucket="data", Key="photos/d.txt", Body="photo d", IfNoneMatch="*")


@case(
    "a133",
    "s3-ensure-exists-healthy",
    "none",
    "healthy",
    alone="none exists-already expected-control-flow",
    also="expected-control-flow",
    description=(
        "Content-addressed blobs are put with If-None-Match: *; the key is the checksum of the content, "
        "so 412 means that it is there already."
    ),
)
def ensure(stage: Stage) -> None:
    """Put blobs named after their content."""
    server = stage.server("seaweedfs")
    me = bucket(stage, server)
    for text in ("layer one", "layer two", "layer one", "layer three", "layer two"):
        digest = hashlib.sha256(text.encode()).hexdigest()
        first = me.call
        status = 412 if text in stage.config else 200
        first("put_object", status, Bucket="data", Key=f"blobs/sha256/{digest}", Body=text, IfNoneMatch="*")
        stage.config.append(text)
    stage.config.clear()


@case(
    "a134",
    "s3-counter-refused-then-healed",
    "none",
    "recovered",
    alone="none other-writer",
    also="other-writer",
    description="A compare-and-set loop on a small object: refused once, read again, rebased, stored.",
)
def healed(stage: Stage) -> None:
    """Run a compare-and-set loop."""
    server = stage.server("seaweedfs")
    me = bucket(stage, server)
    other = bucket(stage, server, "other")
    key: dict[str, Any] = {"Bucket": "data", "Key": "counters/visits"}
    other.call("put_object", **key, Body="41")
    tag = me.call("get_object", **key)["ETag"]
    other.call("put_object", **key, Body="42", IfMatch=other.call("get_object", **key)["ETag"])
    me.call("put_object", 412, **key, Body="42", IfMatch=tag)
    time.sleep(0.2)
    fresh = me.call("get_object", **key)["ETag"]
    me.call("put_object", **key, Body="43", IfMatch=fresh)


@case(
    "a135",
    "s3-resumed-download-healthy",
    "none",
    "healthy",
    alone="none",
    description="A download breaks after two ranges and goes on later with If-Match: nothing has changed.",
)
def resumed(stage: Stage) -> None:
    """Go on with a download."""
    server = stage.server("moto")
    me = bucket(stage, server)
    key: dict[str, Any] = {"Bucket": "data", "Key": "dumps/full.sql"}
    me.call("put_object", **key, Body=b"INSERT 1;\n" * 400)
    tag = me.call("head_object", **key)["ETag"]
    me.call("get_object", 206, **key, Range="bytes=0-999", IfMatch=tag)
    me.call("get_object", 206, **key, Range="bytes=1000-1999", IfMatch=tag)
    time.sleep(1.5)
    me.call("get_object", 206, **key, Range="bytes=2000-3999", IfMatch=tag)


@case(
    "a136",
    "s3-replace-missing-404",
    "target-missing",
    "404",
    alone="target-missing",
    also="status-dialect-mismatch",
    description="The object was deleted; PutObject with If-Match is answered 404 NoSuchKey, as S3 does.",
)
def missing_404(stage: Stage) -> None:
    """Replace what is gone, in the dialect of S3."""
    server = stage.server("moto")
    me = bucket(stage, server)
    other = bucket(stage, server, "other")
    key: dict[str, Any] = {"Bucket": "data", "Key": "state/app.json"}
    other.call("put_object", **key, Body='{"serial":3}')
    tag = me.call("get_object", **key)["ETag"]
    other.call("delete_object", 204, **key)
    me.call("put_object", 404, **key, Body='{"serial":4}', IfMatch=tag)
    me.call("head_object", 404, **key)


@case(
    "a137",
    "s3-copy-source-condition-ignored",
    "precondition-ignored",
    "wrong-content",
    alone="precondition-ignored none",
    description=(
        "CopyObject with x-amz-copy-source-if-match: the source has been replaced since, yet moto copies "
        "it; the copy's tag in the answer is not the one demanded."
    ),
)
def copy_ignored(stage: Stage) -> None:
    """Copy a version that is gone."""
    server = stage.server("moto")
    me = bucket(stage, server)
    other = bucket(stage, server, "other")
    key: dict[str, Any] = {"Bucket": "data", "Key": "models/current.bin"}
    other.call("put_object", **key, Body=b"weights 1")
    tag = me.call("head_object", **key)["ETag"]
    other.call("put_object", **key, Body=b"weights 2")
    release = {"Bucket": "data", "Key": "models/release-7.bin", "CopySource": key, "CopySourceIfMatch": tag}
    me.call("copy_object", **release)
    me.call("head_object", Bucket="data", Key="models/release-7.bin")


@case(
    "a138",
    "s3-guarded-delete-other-writer",
    "other-writer",
    "412",
    alone="other-writer",
    description="A clean-up job deletes with If-Match; the object was replaced after its listing: 412.",
)
def guarded_delete(stage: Stage) -> None:
    """Delete what has changed."""
    server = stage.server("moto")
    me = bucket(stage, server)
    other = bucket(stage, server, "other")
    key: dict[str, Any] = {"Bucket": "data", "Key": "cache/index.json"}
    other.call("put_object", **key, Body='{"built":"monday"}')
    tag = me.call("list_objects_v2", Bucket="data", Prefix="cache/")["Contents"][0]["ETag"]
    time.sleep(1.2)
    other.call("put_object", **key, Body='{"built":"tuesday"}')
    me.call("delete_object", 412, **key, IfMatch=tag)
    me.call("head_object", **key)
