"""Object stores and clouds, most of them called by their own SDKs."""

from __future__ import annotations

import base64
import hashlib
import importlib
from typing import TYPE_CHECKING, Any

from tools.recording_apis.apps.ivo_desk import Ask, Desk, Row, Rows, Say, http_date, iso
from tools.recording_apis.names import route
from tools.recording_apis.stories import held_ivo_setting as at

if TYPE_CHECKING:
    from collections.abc import Callable

    from tools.recording_apis.servers import Server
    from tools.recording_apis.stage import Stage

_NOTHING = "-"
_XML = {"Content-Type": "application/xml"}
_UNABLE = "A header you provided implies functionality that is not implemented"
_NOT_MET = "At least one of the pre-conditions you specified did not hold"


class Aws:
    """A client of boto3 behind a tap of its own."""

    def __init__(self, stage: Stage, server: Server, service: str, host: str, name: str = "client") -> None:
        self._host, self._port = host, stage.tap(name, server)
        boto3 = importlib.import_module("boto3")
        config = importlib.import_module("botocore.config").Config(
            retries={"mode": "standard", "total_max_attempts": 2},
            proxies={},
            user_agent=f"Boto3/{boto3.__version__} md/Botocore ua/2.1 os/linux lang/python#3.11",
            s3={"addressing_style": "path"},
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        )
        self._errors = importlib.import_module("botocore.exceptions")
        made: Any = boto3.client
        self._client = made(
            service,
            endpoint_url=f"http://{host}",
            region_name="us-east-1",
            aws_access_key_id="AKIAEXAMPLE",
            config=config,
            aws_secret_access_key=_NOTHING,
        )

    def call(self, operation: str, refused: str = "", **named: Any) -> Any:
        """Call an operation and insist on its error code, empty for success."""
        route(self._host, self._port)
        code, answer = "", {}
        try:
            answer = getattr(self._client, operation)(**named)
        except self._errors.ClientError as error:
            code = str(error.response["Error"]["Code"])
        at.sure(code == refused, f"{operation}: {code or answer}")
        return answer


def _error(status: int, code: str, told: str, more: str = "") -> Say:
    head = '<?xml version="1.0" encoding="UTF-8"?>\n'
    text = f"{head}<Error><Code>{code}</Code><Message>{told}</Message>{more}</Error>"
    return Say(status, text, dict(_XML))


def _front() -> Desk:
    desk = Desk({"x-amzn-RequestId": "6b8a7f0e-4f5c-4b7e-9f3c-11d1a0e7b2aa"})
    rows = Rows({"E2QWRUHAPOMQZL": "legacy shop", "E1OB6FHVKQYH0E": "press photos"}, 3)
    base, space = (
        "/2020-05-31/origin-access-identity/cloudfront",
        'xmlns="http://cloudfront.amazonaws.com/doc/2020-05-31/"',
    )

    def tag(key: str) -> str:
        return "E" + hashlib.sha1(f"{key}{rows[key].rev}".encode()).hexdigest()[:12].upper()  # noqa: S324

    def shown(key: str, whole: bool) -> str:
        name = "CloudFrontOriginAccessIdentity"
        config = f"<CallerReference>ref-{key[-4:]}</CallerReference><Comment>{rows[key].data}</Comment>"
        if not whole:
            return f"<{name}Config {space}>{config}</{name}Config>"
        more = f"<Id>{key}</Id><S3CanonicalUserId>cd13868f797c227f</S3CanonicalUserId>"
        return f"<{name} {space}>{more}<{name}Config>{config}</{name}Config></{name}>"

    @desk.on("GET", f"{base}/([A-Z0-9]+)(/config)?")
    def read(_ask: Ask, key: str, part: str | None) -> Say:
        return Say(200, shown(key, not part), {**_XML, "ETag": tag(key)})

    @desk.on("PUT", f"{base}/([A-Z0-9]+)/config")
    def write(ask: Ask, key: str) -> Say:
        sent = ask.field("if-match")
        if not sent:
            return _front_error(
                400, "InvalidIfMatchVersion", "The If-Match version is missing or not valid for the resource."
            )
        if sent != tag(key):
            return _front_error(
                412, "PreconditionFailed", "The request failed because it didn't meet the preconditions."
            )
        rows.keep(key, ask.body.decode().split("<Comment>")[1].split("</Comment>")[0])
        return Say(200, shown(key, True), {**_XML, "ETag": tag(key)})

    return desk


def _front_error(status: int, code: str, told: str) -> Say:
    space = 'xmlns="http://cloudfront.amazonaws.com/doc/2020-05-31/"'
    text = f"<ErrorResponse {space}><Error><Type>Sender</Type><Code>{code}</Code><Message>{told}</Message></Error>"
    return Say(status, f"{text}<RequestId>6b8a7f0e</RequestId></ErrorResponse>", dict(_XML))


@at.tell(
    "e593",
    "identity-comments",
    "token-missing",
    "400",
    "A script renames CloudFront's origin access identities with boto3 and gives no IfMatch: InvalidIfMatchVersion for "
    "each; with the ETag of the configuration that it reads then, the update is taken.",
)
def identities(stage: Stage) -> None:
    """Leave IfMatch out."""
    me = Aws(
        stage, at.opened(stage, _front(), "CloudFront", "waitress"), "cloudfront", "cloudfront.amazonaws.test"
    )
    for key in ("E2QWRUHAPOMQZL", "E1OB6FHVKQYH0E"):
        seen = me.call("get_cloud_front_origin_access_identity", Id=key)
        config = seen["CloudFrontOriginAccessIdentity"]["CloudFrontOriginAccessIdentityConfig"]
        config["Comment"] = f"{config['Comment']} (2026)"
        named = {"Id": key, "CloudFrontOriginAccessIdentityConfig": config}
        at.rest()
        me.call("update_cloud_front_origin_access_identity", "InvalidIfMatchVersion", **named)
    seen = me.call("get_cloud_front_origin_access_identity_config", Id=key)
    me.call("update_cloud_front_origin_access_identity", IfMatch=seen["ETag"], **named)


def _bucket(*, refuses: bool = False, marks: bool = False) -> Desk:
    desk, rows = Desk({"x-amz-request-id": "tx0000085e5b"}), Rows({})
    dead: set[str] = set()
    for name in ("jobs/a.lock", "jobs/b.json", "index.json"):
        rows[name] = Row(f'{{"of":"{name}"}}'.encode(), 1, 1732600000.0)

    def head(key: str) -> dict[str, str]:
        tag = f'"{hashlib.md5(rows[key].data).hexdigest()}"'  # noqa: S324
        return {
            "ETag": tag,
            "Last-Modified": http_date(rows[key].at),
            "Content-Type": "application/octet-stream",
        }

    @desk.on("GET", "/[a-z-]+/?")
    def page(_ask: Ask) -> Say:
        told = "".join(
            f"<Contents><Key>{key}</Key><LastModified>{iso(row.at)}</LastModified><ETag>{head(key)['ETag']}</ETag><Size>{len(row.data)}</Size></Contents>"
            for key, row in rows.items()
            if key not in dead
        )
        text = f"<Name>b</Name><KeyCount>{len(rows) - len(dead)}</KeyCount><IsTruncated>false</IsTruncated>{told}"
        return Say(200, f"<ListBucketResult>{text}</ListBucketResult>", dict(_XML))

    @desk.on("GET", "/[a-z-]+/(.+)")
    def read(_ask: Ask, key: str) -> Say:
        if key not in rows or key in dead:
            more = {"x-amz-delete-marker": "true"} if key in dead else {}
            got = _error(404, "NoSuchKey", "The specified key does not exist.", f"<Key>{key}</Key>")
            got.head.update(more)
            return got
        return Say(200, rows[key].data, head(key))

    @desk.on("PUT", "/[a-z-]+/(.+)")
    def write(ask: Ask, key: str) -> Say:
        if refuses and ask.field("if-match"):
            return _error(501, "NotImplemented", _UNABLE, "<Header>If-Match</Header>")
        there = key in rows and (marks or key not in dead)
        if ask.field("if-none-match") and there:
            return _error(412, "PreconditionFailed", _NOT_MET, "<Condition>If-None-Match</Condition>")
        dead.discard(key)
        rows.keep(key, ask.body)
        return Say(200, None, {"ETag": head(key)["ETag"], "x-amz-version-id": f"v{rows.tick:08d}"})

    @desk.on("DELETE", "/[a-z-]+/(.+)")
    def drop(_ask: Ask, key: str) -> Say:
        dead.add(key)
        return Say(204, None, {"x-amz-delete-marker": "true", "x-amz-version-id": f"v{rows.tick:08d}"})

    return desk


@at.tell(
    "e574",
    "index-on-another-s3",
    "unsupported-precondition",
    "501",
    "A catalogue keeps its index on an S3-compatible store and guards its PutObject with the ETag just read: the store "
    "answers 501 NotImplemented to any If-Match; the same upload without it passes.",
)
def index(stage: Stage) -> None:
    """Ask for what the store cannot do."""
    server = at.opened(stage, _bucket(refuses=True), "S3-compatible store", "tornado")
    me = Aws(stage, server, "s3", "s3.vastcold.test")
    me.call("list_objects_v2", Bucket="catalogue")
    for _ in range(2):
        seen = me.call("head_object", Bucket="catalogue", Key="index.json")
        named: dict[str, Any] = {
            "Bucket": "catalogue",
            "Key": "index.json",
            "Body": b'{"tables":["t1","t2"]}',
        }
        me.call("put_object", "NotImplemented", IfMatch=seen["ETag"], **named)
        at.rest(0.4)
    seen = me.call("get_object", Bucket="catalogue", Key="jobs/b.json")
    me.call(
        "put_object",
        "NotImplemented",
        Bucket="catalogue",
        Key="jobs/b.json",
        Body=b"{}",
        IfMatch=seen["ETag"],
    )
    me.call("put_object", **named)


@at.tell(
    "e569",
    "lock-after-its-removal",
    "server-precondition-bug",
    "412",
    "A versioned bucket of an S3-compatible server: the lock object is deleted, reads say 404 with a delete marker, "
    "and PutObject with If-None-Match: * is 412 all the same: the server counts the marker as present.",
)
def lock(stage: Stage) -> None:
    """Create what is gone."""
    server = at.opened(stage, _bucket(marks=True), "RustFS", "uvicorn")
    me = Aws(stage, server, "s3", "minerals.rustfs.test")
    at_key = {"Bucket": "survey", "Key": "jobs/a.lock"}
    me.call("list_objects_v2", Bucket="survey")
    me.call("put_object", Bucket="survey", Key="jobs/new.json", Body=b"{}", IfNoneMatch="*")
    me.call("get_object", Bucket="survey", Key="jobs/b.json")
    me.call("delete_object", **at_key)
    at.rest(0.5)
    me.call("get_object", "NoSuchKey", **at_key)
    me.call("put_object", "PreconditionFailed", Body=b"runner-4", IfNoneMatch="*", **at_key)
    at.rest(1.2)
    me.call("head_object", "404", **at_key)
    me.call("put_object", "PreconditionFailed", Body=b"runner-4", IfNoneMatch="*", **at_key)
    me.call("list_objects_v2", Bucket="survey", Prefix="jobs/")


def _gcs() -> Desk:
    desk, rows = Desk({"X-GUploader-UploadID": "AHmUCY1"}), Rows({})
    rows["2026/11/closing.csv"] = Row(b"account;sum\n4711;19.50\n", 1, 1764201000.0, "1764201000123456")

    def shown(key: str) -> dict[str, Any]:
        row = rows[key]
        digest = base64.b64encode(hashlib.md5(row.data).digest()).decode()  # noqa: S324
        more = {"size": str(len(row.data)), "md5Hash": digest, "etag": "CMDi5f" + digest[:6] + "EAE="}
        name = {
            "kind": "storage#object",
            "name": key,
            "bucket": "ledger-eu",
            "generation": row.by,
            "metageneration": "1",
        }
        return {**name, "timeCreated": iso(row.at), "updated": iso(row.at), "contentType": "text/csv", **more}

    desk.shows(
        "/storage/v1/b/ledger-eu", {"kind": "storage#bucket", "name": "ledger-eu", "metageneration": "4"}
    )

    @desk.on("GET", "/storage/v1/b/ledger-eu/o")
    def page(_ask: Ask) -> Say:
        return Say(200, {"kind": "storage#objects", "items": [shown(key) for key in rows]})

    @desk.on("GET", "/(?:download/)?storage/v1/b/ledger-eu/o/(.+)")
    def read(ask: Ask, key: str) -> Say:
        key = key.replace("%2F", "/")
        if key not in rows:
            return Say(404, {"error": {"code": 404, "message": f"No such object: ledger-eu/{key}"}})
        media = ask.query.get("alt") == "media"
        return Say(200, rows[key].data if media else shown(key), {"x-goog-generation": rows[key].by})

    @desk.on("POST", "/upload/storage/v1/b/ledger-eu/o")
    def write(ask: Ask) -> Say:
        parts = ask.body.split(b"\r\n\r\n")
        key = next(part for part in ask.body.decode().split('"') if part.startswith("20"))
        if ask.query.get("ifGenerationMatch") == "0" and key in rows:
            told = f"{_NOT_MET}."
            one = {"domain": "global", "reason": "conditionNotMet", "message": told, "location": "If-Match"}
            return Say(412, {"error": {"code": 412, "message": told, "errors": [one]}})
        rows.keep(key, parts[-1].rpartition(b"\r\n--")[0]).by = str(int(rows.tick) + 1764300000000000)
        return Say(200, shown(key))

    return desk


@at.tell(
    "e584",
    "month-is-closed-already",
    "exists-already",
    "412",
    "google-cloud-storage uploads a month's closing with if_generation_match=0: that object has been there for longer "
    "than a day with other sums, so it is 412 conditionNotMet; the next month's is new and passes.",
)
def closing(stage: Stage) -> None:
    """Create only what is not there."""
    server = at.opened(stage, _gcs(), "Google Cloud Storage", "flask")
    port = stage.tap("client", server)
    route("storage.googleapis.test", port)
    storage = importlib.import_module("google.cloud.storage")
    credentials = importlib.import_module("google.auth.credentials").AnonymousCredentials()
    refused = importlib.import_module("google.api_core.exceptions").PreconditionFailed
    made = storage.Client(
        "ledger", credentials, client_options={"api_endpoint": "http://storage.googleapis.test"}
    )
    bucket = made.bucket("ledger-eu")
    at.sure(len(list(made.list_blobs("ledger-eu"))) == 1)
    told = ""
    for name in ("2026/11/closing.csv", "2026/12/closing.csv"):
        try:
            bucket.blob(name).upload_from_string("account;sum\n4711;0\n", "text/csv", if_generation_match=0)
        except refused as error:
            told = str(error)
    at.sure("pre-conditions" in told)
    blob = bucket.get_blob("2026/11/closing.csv")
    at.sure(blob is not None and b"19.50" in blob.download_as_bytes())


@at.tell(
    "e578",
    "plan-under-a-lease",
    "lease-or-lock",
    "412",
    "azure-storage-blob against Azurite: another job holds a lease on the state blob; the client's upload and its change "
    "of metadata carry no lease id and are 412 LeaseIdMissing, an acquire is 409; other blobs go through.",
)
def leased(stage: Stage) -> None:
    """Write without the lease."""
    server = stage.server("azurite")
    library = importlib.import_module("azure.storage.blob")
    core = importlib.import_module("azure.core")
    refused: type[Exception] = importlib.import_module("azure.core.exceptions").HttpResponseError
    key = {"account_name": "notes", "account_key": "ZXhhbXBsZQ=="}
    containers = []
    for name in ("client", "other"):
        route(f"state.{name}.test", stage.tap(name, server))
        made = library.BlobServiceClient(f"http://state.{name}.test/notes", credential=key, retry_total=0)
        containers.append(made.get_container_client("tfstate"))
    mine, theirs = containers
    theirs.create_container()
    for name in ("network.tfstate", "dns.tfstate"):
        theirs.upload_blob(name, b'{"serial":4}')
    held = theirs.get_blob_client("network.tfstate").acquire_lease(60)
    at.sure(len(list(mine.list_blobs())) == 2)
    mine.get_blob_client("dns.tfstate").upload_blob(b'{"serial":5}', overwrite=True)
    blob, codes = mine.get_blob_client("network.tfstate"), []
    seen = blob.download_blob()
    at.sure(seen.readall())
    guard = {"etag": seen.properties.etag, "match_condition": core.MatchConditions.IfNotModified}
    calls: tuple[Callable[[], Any], ...] = (
        lambda: blob.upload_blob(b'{"serial":5}', overwrite=True, **guard),
        lambda: blob.set_blob_metadata({"terraformlockid": "b1f0"}),
        lambda: blob.acquire_lease(30),
    )
    for call in calls:
        try:
            call()
        except refused as error:
            code: Any = getattr(error, "error_code", "")
            codes.append(str(getattr(code, "value", code)))
        at.rest(0.3)
    at.sure(codes == ["LeaseIdMissing", "LeaseIdMissing", "LeaseAlreadyPresent"], codes)
    blob.get_blob_properties()
    held.release()


def _swift() -> Desk:
    desk, rows = Desk({"X-Trans-Id": "tx5b1c2f7d", "X-Openstack-Request-Id": "tx5b1c2f7d"}), Rows({})
    rows["orthophoto.tif"] = Row(b"II*\x00" + b"0" * 3000, 1, 1764230000.25)

    def head(key: str) -> dict[str, str]:
        row = rows[key]
        tag = hashlib.md5(row.data).hexdigest()  # noqa: S324
        more = {"ETag": tag, "Last-Modified": http_date(row.at), "X-Timestamp": f"{row.at:.5f}"}
        return {**more, "Accept-Ranges": "bytes", "Content-Type": "image/tiff"}

    @desk.on("GET", "/v1/AUTH_survey/tiles")
    def page(_ask: Ask) -> Say:
        return Say(
            200, [{"name": key, "bytes": len(rows[key].data), "hash": head(key)["ETag"]} for key in rows]
        )

    @desk.on("GET", "/v1/AUTH_survey/tiles/(.+)")
    def read(ask: Ask, key: str) -> Say:
        data, own = rows[key].data, head(key)
        if not ask.field("range"):
            return Say(200, data, own)
        first, last = (int(one) for one in ask.field("range").removeprefix("bytes=").split("-"))
        own["Content-Range"] = f"bytes {first}-{last}/{len(data)}"
        return Say(206, data[first : last + 1], own)

    @desk.on("PUT", "/v1/AUTH_survey/tiles/(.+)")
    def write(ask: Ask, key: str) -> Say:
        rows.keep(key, ask.body)
        return Say(201, None, {"ETag": head(key)["ETag"]})

    desk.on("POST", "/v3/auth/tokens")(
        lambda _ask: Say(
            201,
            {"token": {"methods": ["password"], "expires_at": "2026-12-01T00:00:00Z"}},
            {"X-Subject-Token": "gAAAAAB"},
        )
    )
    return desk


@at.tell(
    "e585",
    "tile-in-four-pieces",
    "read-changed-mid-transfer",
    "corrupt-read",
    "OpenStack Swift: a mapper fetches a tile in four ranges without a condition; the tile is replaced after the second, "
    "so all four are 206 but the pieces have two ETags, and the puzzle of them is no file at all.",
)
def tile(stage: Stage) -> None:
    """Read pieces of two files."""
    server = at.opened(stage, _swift(), "OpenStack Swift", "cheroot")
    me = stage.actor("client", server, "swift.geo.test", "curl")
    other = stage.actor("other", server, "swift.geo.test", "urllib")
    me.send("POST", "/v3/auth/tokens", 201, None, {"auth": {"identity": {"methods": ["password"]}}})
    head = {"X-Auth-Token": "gAAAAAB"}
    at.look(me, "/v1/AUTH_survey/tiles?format=json", head=head)
    whole = me.send("HEAD", "/v1/AUTH_survey/tiles/orthophoto.tif", 200, head)
    tags = set()
    for number in range(4):
        span = {"Range": f"bytes={number * 751}-{number * 751 + 750}"}
        tags.add(me.get("/v1/AUTH_survey/tiles/orthophoto.tif", 206, {**head, **span}).etag)
        if number == 1:
            other.put("/v1/AUTH_survey/tiles/orthophoto.tif", b"II*\x00" + b"1" * 3000, 201)
        at.rest(0.3)
    at.sure(len(tags) == 2 and whole.etag in tags)
    at.look(me, "/v1/AUTH_survey/tiles?format=json", head=head)
