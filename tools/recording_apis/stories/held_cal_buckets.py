"""Buckets and blobs."""

from __future__ import annotations

import importlib
import time
import uuid
from typing import TYPE_CHECKING, Any, Protocol
from unittest.mock import patch

from tools.recording_apis import fronts
from tools.recording_apis.apps.cal_apis import Api, Req, Res, Row, guid, hashed, instant, stamp
from tools.recording_apis.names import route
from tools.recording_apis.stage import case
from tools.recording_apis.stories import held_cal_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.stage import Stage


class Bucket(Protocol):
    """What these stories call of boto3's S3 client."""

    def create_bucket(self, **named: object) -> dict[str, Any]:
        """Make a bucket."""
        ...

    def list_objects_v2(self, **named: object) -> dict[str, Any]:
        """List what is there."""
        ...

    def head_object(self, **named: object) -> dict[str, Any]:
        """Return what is known of an object."""
        ...

    def get_object(self, **named: object) -> dict[str, Any]:
        """Return an object."""
        ...

    def put_object(self, **named: object) -> dict[str, Any]:
        """Store an object."""
        ...


def _s3(url: str) -> Bucket:
    boto3, config = importlib.import_module("boto3"), importlib.import_module("botocore.config")
    unsigned = importlib.import_module("botocore").UNSIGNED
    own = config.Config(
        signature_version=unsigned, s3={"addressing_style": "path"}, retries={"max_attempts": 0}
    )
    with patch("platform.release", return_value="6"):
        made: Bucket = boto3.client("s3", endpoint_url=url, region_name="eu-north-1", config=own)
    return made


@case(
    "e370",
    "cal-public-tiles-pinned-to-a-tag",
    "cache-misevaluates",
    "stale-read",
    alone="cache-misevaluates",
    also="stale-cache-read",
    description="Map tiles in a bucket behind a Varnish: the publisher puts a tile anew, gets its tag and reads the object back by boto3's IfMatch of that tag; the cache looks at no If-Match and hands out 200 with the old tag, hit and aged, twice.",
)
def tiles(stage: Stage) -> None:
    """Ask for one version and get another."""
    server = stage.server("moto")
    front = fronts.varnish(
        stage,
        server,
        'sub vcl_deliver { if (obj.hits > 0) { set resp.http.X-Cache = "HIT"; } else { set resp.http.X-Cache = "MISS"; } }',
    )
    url = place.host(stage, "client", front, "tiles.fjordmap.example")
    s3 = _s3(url)
    s3.create_bucket(Bucket="z11", CreateBucketConfiguration={"LocationConstraint": "eu-north-1"})
    first = {
        n: s3.put_object(
            Bucket="z11",
            Key=f"1093/{n}.json",
            Body=f'{{"tile":{n},"roads":{n % 9}}}',
            ContentType="application/json",
            ACL="public-read",
        )["ETag"]
        for n in (588, 589, 590)
    }
    stage.forget()
    for n, tag in first.items():
        place.sure(s3.get_object(Bucket="z11", Key=f"1093/{n}.json", IfMatch=tag)["ETag"] == tag)
    s3.list_objects_v2(Bucket="z11", Prefix="1093/")
    place.rest(1.1)
    made = s3.put_object(
        Bucket="z11",
        Key="1093/589.json",
        Body='{"tile":589,"roads":14,"ferry":true}',
        ContentType="application/json",
        ACL="public-read",
    )["ETag"]
    for _turn in range(2):
        got = s3.get_object(Bucket="z11", Key="1093/589.json", IfMatch=made)
        place.sure(got["ETag"] == first[589] != made, got["ETag"])
        got["Body"].read()
        place.rest(1.2)
    s3.get_object(Bucket="z11", Key="1093/588.json", IfMatch=first[588])["Body"].read()


@case(
    "e373",
    "cal-ledger-blob-leased-by-the-night-run",
    "lease-or-lock",
    "412",
    alone="lease-or-lock",
    description="Azurite behind azure-storage-blob: a night run leases the blob of a ledger, uploads under its lease, and then a second container client of the same process uploads without the lease id: 412 LeaseIdMissing; after the release it goes through.",
)
def lease(stage: Stage) -> None:
    """Forget the key to one's own door."""
    server = stage.server("azurite")
    library = importlib.import_module("azure.storage.blob")
    errors = importlib.import_module("azure.core.exceptions")
    port = stage.tap("client", server)
    route("ledgers.harbour.example", port)
    with patch("platform.platform", return_value="Linux-x86_64"), patch("uuid.uuid1", uuid.uuid4):
        service = library.BlobServiceClient.from_connection_string(
            f"{place.AZURITE}BlobEndpoint=http://ledgers.harbour.example/notes", retry_total=0
        )
        service.create_container("ledger")
        blobs = {
            n: service.get_blob_client("ledger", n) for n in ("2024-11.csv", "2024-12.csv", "rates.json")
        }
        for n, one in blobs.items():
            one.upload_blob(f"{n};opening;0\n".encode())
        stage.forget()
        list(service.get_container_client("ledger").list_blobs())
        blobs["rates.json"].download_blob().readall()
        held = blobs["2024-12.csv"].acquire_lease(lease_duration=30)
        blobs["2024-12.csv"].upload_blob(b"2024-12;berth 4;1180\n", overwrite=True, lease=held)
        blobs["2024-11.csv"].upload_blob(b"2024-11;closing;77\n", overwrite=True)
        again = service.get_container_client("ledger").get_blob_client("2024-12.csv")
        props = again.get_blob_properties()
        try:
            again.upload_blob(
                b"2024-12;berth 4;1180\n2024-12;berth 5;940\n",
                overwrite=True,
                etag=props.etag,
                match_condition=importlib.import_module("azure.core").MatchConditions.IfNotModified,
            )
            place.sure(ok=False, said="taken without the lease")
        except errors.HttpResponseError as refused:
            place.sure(
                refused.status_code == 412 and "LEASE" in str(refused.error_code).upper(), refused.error_code
            )
        place.rest(0.5)
        held.renew()
        held.release()
        again.upload_blob(b"2024-12;berth 4;1180\n2024-12;berth 5;940\n", overwrite=True)
        again.get_blob_properties()


@case(
    "e377",
    "cal-manifest-put-through-the-xml-door",
    "precondition-ignored",
    "lost-update",
    alone="precondition-ignored",
    synthetic=True,
    description="A database writes its manifest to Google Cloud Storage by the XML API with S3's If-Match: both writers hold one tag, the second's stale condition is taken with 200 and a higher generation, and the list of parts that it reads back lacks the part of the first, whose generation it had seen.",
)
def manifest(stage: Stage) -> None:
    """Trust a condition that nobody reads."""
    rows = {
        n: Row({"text": t}, 1718000000000000, age=500)
        for n, t in (("manifest.txt", "p1\np2\n"), ("parts/p1.bin", "a" * 60), ("parts/p2.bin", "b" * 60))
    }

    def fields(row: Row) -> dict[str, str]:
        return {
            "ETag": f'"{hashed(row.data["text"], "md5")}"',
            "x-goog-generation": str(row.rev),
            "x-goog-metageneration": "1",
            "x-goog-storage-class": "STANDARD",
            "Last-Modified": stamp(row.at),
            "Content-Type": "text/plain",
        }

    api = Api(
        lambda _req: {
            "X-GUploader-UploadID": hashed(time.time())[:24],
            "Server": "UploadServer",
            "Cache-Control": "private, max-age=0",
        },
        "application/xml; charset=UTF-8",
    )

    @api.on("GET", "/ck-cold/?")
    def listing(_req: Req) -> Res:
        inner = "".join(
            f'<Contents><Key>{k}</Key><Generation>{r.rev}</Generation><ETag>"{hashed(r.data["text"], "md5")}"</ETag><Size>{len(r.data["text"])}</Size></Contents>'
            for k, r in rows.items()
        )
        return Res(
            200,
            f"<?xml version='1.0' encoding='UTF-8'?><ListBucketResult xmlns='http://doc.s3.amazonaws.com/2006-03-01'><Name>ck-cold</Name>{inner}</ListBucketResult>",
        )

    @api.on("GET|HEAD|PUT", "/ck-cold/(.+)")
    def thing(req: Req, key: str) -> Res:
        if req.method == "PUT":
            row = rows.setdefault(key, Row({"text": ""}, 1718000000000000))
            row.set({"text": req.body.decode()}, step=int(time.time() * 1e6) - row.rev)
            return Res(200, b"", fields(row))
        if key not in rows:
            return Res(
                404,
                "<?xml version='1.0' encoding='UTF-8'?><Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message></Error>",
            )
        return Res(200, rows[key].data["text"], fields(rows[key]))

    server = place.open_box(stage, api, "cheroot", "Google Cloud Storage XML API")
    site = "storage.coldstore.example"
    me = stage.actor(
        "client",
        server,
        site,
        "curl:trace-time",
        {"Authorization": "GOOG4-HMAC-SHA256 Credential=GOOG1E", "x-goog-project-id": "coldstore"},
    )
    other = stage.actor(
        "other", server, site, "java", {"Authorization": "GOOG4-HMAC-SHA256 Credential=GOOG1F"}
    )
    me.get("/ck-cold/?prefix=parts%2F")
    mine, theirs = me.get("/ck-cold/manifest.txt"), other.get("/ck-cold/manifest.txt")
    other.put("/ck-cold/parts/p3.bin", "c" * 60, 200)
    other.put("/ck-cold/manifest.txt", theirs.text + "p3\n", 200, {"If-Match": theirs.etag})
    me.put("/ck-cold/parts/p4.bin", "d" * 60, 200)
    place.rest(1.1)
    me.send("GET", "/ck-cold/?prefix=", 200)
    me.put(
        "/ck-cold/manifest.txt",
        mine.text + "p4\n",
        200,
        {"If-Match": mine.etag, "Content-Type": "text/plain"},
    )
    place.sure(me.get("/ck-cold/manifest.txt").text == "p1\np2\np4\n")
    me.get("/ck-cold/parts/p3.bin")


@case(
    "e385",
    "cal-survey-fetched-in-four-pieces",
    "read-changed-mid-transfer",
    "corrupted-read",
    alone="read-changed-mid-transfer",
    synthetic=True,
    description="A worker fetches a survey from IBM's object storage in ranges of 64 octets without a condition; after the second piece the nightly export replaces the object, and the last two 206 carry another ETag and Last-Modified: the joined file, which it uploads again, is of two versions.",
)
def survey(stage: Stage) -> None:
    """Join halves of two things."""

    def text(year: int) -> str:
        return "".join(f"{year};plot {n:02d};{(n * year) % 97:02d} t/ha;ok\n" for n in range(10))[:240]

    rows = {
        "survey.csv": Row({"text": text(2023)}, age=7000),
        "legend.txt": Row({"text": "plot;yield;state\n"}, age=90000),
    }
    api = Api(
        lambda _req: {
            "X-Clv-Request-Id": guid(str(time.time())),
            "Server": "Cleversafe/3.18.1",
            "x-amz-request-id": guid(str(time.time())),
            "Accept-Ranges": "bytes",
        },
        "application/xml",
    )

    def fields(row: Row) -> dict[str, str]:
        return {
            "ETag": f'"{hashed(row.data["text"], "md5")}"',
            "Last-Modified": stamp(row.at),
            "Content-Type": "text/csv",
        }

    @api.on("GET", "/agri-fields/?")
    def listing(_req: Req) -> Res:
        inner = "".join(
            f"<Contents><Key>{k}</Key><LastModified>{instant(r.at)}</LastModified><ETag>&quot;{hashed(r.data['text'], 'md5')}&quot;</ETag><Size>{len(r.data['text'])}</Size></Contents>"
            for k, r in rows.items()
        )
        return Res(
            200,
            f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>agri-fields</Name>{inner}</ListBucketResult>',
        )

    @api.on("GET|HEAD|PUT", "/agri-fields/(.+)")
    def thing(req: Req, key: str) -> Res:
        if req.method == "PUT":
            rows[key] = rows.get(key, Row({})).set({"text": req.body.decode()})
            return Res(200, b"", {"ETag": fields(rows[key])["ETag"]})
        row, wanted = rows[key], req.fields.get("range")
        if not wanted:
            return Res(200, row.data["text"], fields(row))
        low, high = (int(one) for one in wanted.removeprefix("bytes=").split("-"))
        whole = row.data["text"]
        return Res(
            206,
            whole[low : high + 1],
            {**fields(row), "Content-Range": f"bytes {low}-{min(high, len(whole) - 1)}/{len(whole)}"},
        )

    server = place.open_box(stage, api, "cheroot", "IBM Cloud Object Storage")
    head = {"Authorization": "bearer eyJraWQ", "ibm-service-instance-id": "crn:v1"}
    me = stage.actor("client", server, "s3.eu-de.fieldstore.example", "httpx", head)
    other = stage.actor("other", server, "s3.eu-de.fieldstore.example", "requests", head)
    me.get("/agri-fields/?list-type=2")
    me.get("/agri-fields/legend.txt")
    pieces = [
        me.send("GET", "/agri-fields/survey.csv", 206, {"Range": f"bytes={n}-{n + 63}"}) for n in (0, 64)
    ]
    place.rest(0.5)
    other.put("/agri-fields/survey.csv", text(2024), 200, {"Content-Type": "text/csv"})
    pieces += [
        me.send("GET", "/agri-fields/survey.csv", 206, {"Range": f"bytes={n}-{n + 63}"}) for n in (128, 192)
    ]
    place.sure(len({one.etag for one in pieces}) == 2)
    joined = "".join(one.text for one in pieces)
    place.sure("2023" in joined and "2024" in joined)
    me.put("/agri-fields/import/survey.csv", joined, 200, {"Content-Type": "text/csv"})
    me.get("/agri-fields/?list-type=2")


@case(
    "e397",
    "cal-catalogue-on-a-store-without-if-match",
    "unsupported-precondition",
    "501",
    alone="unsupported-precondition",
    synthetic=True,
    description="A table catalogue commits its pointer by boto3's put_object with IfMatch on VAST's S3: 501 NotImplemented for the header, with the tag of the head object just asked, and again after a new read; writes without it and those with IfNoneMatch='*' are taken.",
)
def pointer(stage: Stage) -> None:
    """Ask for what the store cannot do."""
    rows = {"tables/wells/metadata.json": Row({"text": '{"snapshot":7}'}, age=4000)}
    api = Api(
        lambda _req: {"Server": "vast 4.7.0", "x-amz-request-id": hashed(time.time())[:16].upper()},
        "application/xml",
    )

    def error(code: str, text: str) -> str:
        return f'<?xml version="1.0" encoding="UTF-8"?><Error><Code>{code}</Code><Message>{text}</Message><RequestId>{hashed(text)[:16].upper()}</RequestId></Error>'

    @api.on("GET", "/lake/?")
    def listing(_req: Req) -> Res:
        inner = "".join(
            f"<Contents><Key>{k}</Key><ETag>&quot;{hashed(r.data['text'], 'md5')}&quot;</ETag><Size>{len(r.data['text'])}</Size></Contents>"
            for k, r in rows.items()
        )
        return Res(
            200,
            f'<?xml version="1.0" encoding="UTF-8"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>lake</Name><KeyCount>{len(rows)}</KeyCount>{inner}</ListBucketResult>',
        )

    @api.on("GET|HEAD|PUT", "/lake/(.+)")
    def thing(req: Req, key: str) -> Res:
        if req.method == "PUT":
            if "if-match" in req.fields:
                return Res(
                    501,
                    error(
                        "NotImplemented",
                        "A header you provided implies functionality that is not implemented.",
                    ),
                )
            if key in rows and req.fields.get("if-none-match") == "*":
                return Res(
                    412,
                    error(
                        "PreconditionFailed", "At least one of the pre-conditions you specified did not hold"
                    ),
                )
            rows[key] = rows.get(key, Row({})).set({"text": req.body.decode("utf-8", "replace")})
            return Res(200, b"", {"ETag": f'"{hashed(rows[key].data["text"], "md5")}"'})
        if key not in rows:
            return Res(404, error("NoSuchKey", "The specified key does not exist."))
        return Res(
            200,
            rows[key].data["text"],
            {
                "ETag": f'"{hashed(rows[key].data["text"], "md5")}"',
                "Last-Modified": stamp(rows[key].at),
                "Content-Type": "application/json",
            },
        )

    server = place.open_box(stage, api, "cheroot", "VAST S3")
    boto3, config = importlib.import_module("boto3"), importlib.import_module("botocore.config")
    refused = importlib.import_module("botocore.exceptions").ClientError
    own = config.Config(
        s3={"addressing_style": "path"},
        retries={"max_attempts": 0},
        request_checksum_calculation="when_required",
    )
    with patch("platform.release", return_value="6"):
        s3: Bucket = boto3.client(
            "s3",
            endpoint_url=place.host(stage, "client", server, "s3.basin.example"),
            region_name="vast-1",
            aws_access_key_id="AKIDBASIN",
            aws_secret_access_key="x",  # noqa: S106 - opens nothing
            config=own,
        )
    key = "tables/wells/metadata.json"
    s3.list_objects_v2(Bucket="lake", Prefix="tables/")
    s3.put_object(Bucket="lake", Key="tables/wells/data/00008.json", Body=b'{"rows":120}', IfNoneMatch="*")
    for _turn in range(2):
        tag = s3.head_object(Bucket="lake", Key=key)["ETag"]
        try:
            s3.put_object(Bucket="lake", Key=key, Body=b'{"snapshot":8}', IfMatch=tag)
            place.sure(ok=False, said="taken")
        except refused as told:
            place.sure(told.response["Error"]["Code"] == "NotImplemented", told)
        place.rest(0.6)
    s3.put_object(Bucket="lake", Key="tables/wells/_failed/8", Body=b"commit not possible")
    place.sure(s3.get_object(Bucket="lake", Key=key)["Body"].read() == b'{"snapshot":7}')
