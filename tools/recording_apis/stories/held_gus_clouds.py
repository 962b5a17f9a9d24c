"""Stories on clouds and stores, several by their own programs."""

from __future__ import annotations

import contextlib
import importlib
import time
from typing import TYPE_CHECKING, Any

from tools.recording_apis import fronts
from tools.recording_apis.apps import gus_clouds, gus_firms
from tools.recording_apis.names import route
from tools.recording_apis.stage import case
from tools.recording_apis.stories import held_gus_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.servers import Server
    from tools.recording_apis.stage import Stage


def boto(stage: Stage, server: Server, service: str, host: str, name: str = "client") -> Any:
    """Return a client of Amazon's SDK that sends through an actor's tap."""
    route(host, stage.tap(name, server))
    config = importlib.import_module("botocore.config").Config(
        retries={"max_attempts": 1},
        s3={"addressing_style": "path"},
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    return importlib.import_module("boto3").client(
        service,
        endpoint_url=f"http://{host}",
        region_name="eu-central-1",
        aws_access_key_id="AKIDEXAMPLE",
        aws_secret_access_key="example",  # noqa: S106
        config=config,
    )


@contextlib.contextmanager
def refused(code: str) -> Any:
    """Insist on an error of the SDK."""
    error = importlib.import_module("botocore.exceptions").ClientError
    try:
        yield
    except error as told:
        place.sure(told.response["Error"]["Code"] == code, told.response)
    else:
        place.sure(False, f"no {code}")


@case(
    "e505",
    "gus-lock-token-of-the-list-beside",
    "wrong-token-source",
    "400",
    alone="wrong-token-source",
    description="A tool takes the lock token of the first access list that begins with a name, which is another list's.",
    synthetic=True,
)
def lock_token(stage: Stage) -> None:
    """Two lists with names alike."""

    def one(number: str, token: str, text: str) -> dict[str, Any]:
        return {
            "Id": f"{number}-5d1e-4b7a-9a40-2f61c0d8be{number[:2]}",
            "Description": text,
            "LockToken": token,
            "DefaultAction": {"Allow": {}},
            "Rules": [],
            "Capacity": 25,
            "VisibilityConfig": {
                "SampledRequestsEnabled": True,
                "CloudWatchMetricsEnabled": True,
                "MetricName": "m",
            },
        }

    lists = {
        "portal-preview": one("7c41e0aa", "0d3c5e12-9a77-4c39-8f30-1c6f9d0b1a01", "preview"),
        "portal": one("1b90cc3e", "a84b7f60-22f1-4f0e-b5c3-7fe21d9a6c02", "prod"),
    }
    app = place.hold(stage, gus_clouds.waf(lists), "flask", "WAFv2")
    client = boto(stage, app, "wafv2", "wafv2.eu-central-1.example")
    rows = client.list_web_acls(Scope="REGIONAL")["WebACLs"]
    token = next(row["LockToken"] for row in rows if row["Name"].startswith("portal"))
    acl = client.get_web_acl(Name="portal", Scope="REGIONAL", Id=lists["portal"]["Id"])["WebACL"]
    with refused("WAFOptimisticLockException"):
        client.update_web_acl(
            Name="portal",
            Scope="REGIONAL",
            Id=acl["Id"],
            DefaultAction={"Block": {}},
            Rules=[],
            VisibilityConfig=acl["VisibilityConfig"],
            LockToken=token,
        )
    client.list_web_acls(Scope="REGIONAL")


@case(
    "e504",
    "gus-part-copied-under-a-condition",
    "unsupported-precondition",
    "501",
    alone="unsupported-precondition",
    description="A mover copies a large object in parts and pins its source by tag; the store does not do that.",
    synthetic=True,
)
def copied_part(stage: Stage) -> None:
    """The tag is right; the field is not known."""
    app = place.hold(
        stage,
        gus_clouds.r2({"2025/band-07.tar": b"\x00" * 3000, "2025/band-08.tar": b"\x01" * 900}),
        "aiohttp",
        "R2",
    )
    client = boto(stage, app, "s3", "8f2c.r2.example")
    client.list_objects_v2(Bucket="archiv", Prefix="2025/")
    tag = client.head_object(Bucket="archiv", Key="2025/band-07.tar")["ETag"]
    upload = client.create_multipart_upload(Bucket="archiv", Key="kalt/band-07.tar")["UploadId"]
    source = {"Bucket": "archiv", "Key": "2025/band-07.tar"}
    with refused("NotImplemented"):
        client.upload_part_copy(
            Bucket="archiv",
            Key="kalt/band-07.tar",
            PartNumber=1,
            UploadId=upload,
            CopySource=source,
            CopySourceRange="bytes=0-1499",
            CopySourceIfMatch=tag,
        )
    client.abort_multipart_upload(Bucket="archiv", Key="kalt/band-07.tar", UploadId=upload)
    client.head_object(Bucket="archiv", Key="2025/band-07.tar")


@case(
    "e517",
    "gus-series-put-together-of-two",
    "read-changed-mid-transfer",
    "corrupt-read",
    alone="read-changed-mid-transfer",
    description="A series of measurements is fetched in four ranges without a guard and is replaced between the second and the third.",
    synthetic=True,
)
def series(stage: Stage) -> None:
    """Two halves of two objects."""
    old = b"".join(b"2026-11-27T%02d:%02d;%05d\n" % (n // 60, n % 60, 4000 + n) for n in range(200))
    new = b"".join(b"2026-11-28T%02d:%02d;%05d\n" % (n // 60, n % 60, 6100 + n) for n in range(200))
    app = gus_clouds.cos({"pegel/ems.csv": old, "pegel/leda.csv": old[:460]}, {"pegel/ems.csv": new}, 2)
    box = place.hold(stage, app, "falcon", "IBM COS")
    ours = place.actor(
        stage,
        "client",
        box,
        "s3.eu-de.cos.example",
        "urllib3",
        {"User-Agent": "ibm-cos-sdk-python/2.14.1", "Authorization": "Bearer eyJr"},
    )
    size = int(ours.send("HEAD", "/messnetz/pegel/ems.csv", 200).fields["content-length"])
    step, got = 1200, b""
    for first in range(0, size, step):
        got += ours.get(
            "/messnetz/pegel/ems.csv", 206, {"Range": f"bytes={first}-{min(first + step, size) - 1}"}
        ).body
        place.wait(0.3)
    ours.get("/messnetz/pegel/leda.csv")
    place.sure(got not in {old, new})


@case(
    "e489",
    "gus-state-written-over",
    "precondition-ignored",
    "lost-update",
    alone="precondition-ignored",
    description="A loader guards its state with If-Match; the store looks at generations only and takes a tag that is long gone.",
    synthetic=True,
)
def state(stage: Stage) -> None:
    """An S3 program on a store that is none."""
    box = place.hold(
        stage,
        gus_clouds.gcs_xml({"lauf/zeiger.json": b'{"offset":1100,"topics":["a"]}', "lauf/plan.json": b"{}"}),
        "flask",
        "GCS XML",
    )
    ours = place.actor(
        stage, "client", box, "storage.lader.example", "ruby", {"Authorization": "GOOG4-HMAC-SHA256 x"}
    )
    their = place.actor(stage, "other", box, "storage.lader.example", "requests")
    ours.get("/etl-stand/lauf/plan.json")
    read = ours.get("/etl-stand/lauf/zeiger.json")
    their.get("/etl-stand/lauf/zeiger.json")
    their.put("/etl-stand/lauf/zeiger.json", '{"offset":1500,"topics":["a","b"]}', 200)
    place.wait(0.5)
    ours.send("HEAD", "/etl-stand/lauf/zeiger.json", 200)
    ours.put(
        "/etl-stand/lauf/zeiger.json",
        '{"offset":1180,"topics":["a"]}',
        200,
        {"If-Match": read.etag, "Content-Type": "application/json"},
    )
    ours.get("/etl-stand/lauf/plan.json", 304, {"If-None-Match": ours.get("/etl-stand/lauf/plan.json").etag})
    place.sure(b"1180" in ours.get("/etl-stand/lauf/zeiger.json").body)


@case(
    "e510",
    "gus-contact-read-too-soon",
    "replica-lag",
    "stale-read",
    alone="replica-lag",
    description="A sync reads a contact right after its own change and gets the one before, with the old number on the screen, until the reads catch up.",
    synthetic=True,
)
def contact(stage: Stage) -> None:
    """A read that is seconds behind."""
    rows = {
        "people/c771": {"names": [{"givenName": "Aroha"}], "phoneNumbers": [{"value": "+64 3 555 0101"}]},
        "people/c772": {"names": [{"givenName": "Wiremu"}], "phoneNumbers": []},
    }
    app = place.hold(stage, gus_clouds.people(rows, 1.6), "falcon", "Google People")
    ours = place.actor(
        stage, "client", app, "people.apis.example", "perl", {"Authorization": "Bearer ya29.p"}
    )
    ours.get("/v1/people/me/connections?personFields=names&pageSize=100")
    fields = "personFields=names,phoneNumbers"
    one = ours.get(f"/v1/people/c771?{fields}").json
    path = "/v1/people/c771:updateContact?updatePersonFields="
    ours.send(
        "PATCH",
        f"{path}phoneNumbers",
        200,
        None,
        {"etag": one["etag"], "phoneNumbers": [{"value": "+64 3 555 0199"}]},
    )
    again = ours.get(f"/v1/people/c771?{fields}").json
    place.sure(again["etag"] == one["etag"])
    ours.get("/v1/people/me/connections?personFields=names&pageSize=100")
    ours.get("/v1/people/c772?personFields=names")
    place.wait(1.8)
    last = ours.get(f"/v1/people/c771?{fields}").json
    place.sure(last["etag"] != one["etag"])


@case(
    "e500",
    "gus-list-of-pods-left-lying",
    "token-expired",
    "410",
    alone="token-expired",
    description="A report goes through pods in pages and works too long on the second; the mark of the third is no longer kept.",
    synthetic=True,
)
def pods(stage: Stage) -> None:
    """Pages with pauses."""
    app = place.hold(stage, gus_clouds.cluster(60, 2.0), "aiohttp", "Kubernetes")
    ours = place.actor(
        stage,
        "client",
        app,
        "k8s.werk4.example",
        "node:fetch",
        {"Authorization": "Bearer eyJz", "Accept": "application/json"},
    )
    ours.get("/version")
    path = "/api/v1/namespaces/ingest/pods?limit=20"
    page = ours.get(path).json
    place.wait(0.4)
    page = ours.get(f"{path}&continue={page['metadata']['continue']}").json
    for _ in range(2):
        ours.get("/apis/apps/v1/namespaces/ingest/deployments/ingest")
        place.wait(1.0)
    ours.get(f"{path}&continue={page['metadata']['continue']}", 410)
    ours.get(path)


@case(
    "e511",
    "gus-account-twice-within-a-second",
    "date-precision",
    "lost-update",
    alone="date-precision",
    description="Two people change an account within the second of its last change; the date of the guard cannot tell them apart.",
    synthetic=True,
)
def account(stage: Stage) -> None:
    """SystemModstamp has thousandths, the guard has none."""
    time.sleep(1.05 - time.time() % 1)
    key = "001Kx00000A1b2cIAB"
    rows: dict[str, dict[str, Any]] = {
        key: {
            "Name": "Ferrería Olmo",
            "BillingCity": "León",
            "Description": "Paga a 30 días",
            "_at": time.time(),
        }
    }
    app, _past = gus_firms.force(rows)
    crm = place.hold(stage, app, "flask", "Salesforce")
    ours = place.actor(
        stage,
        "client",
        crm,
        "olmo.my.salesforce.example",
        "httpx",
        {"Authorization": "Bearer 00Dx!A", "X-Acting-User": "005Kx0000004zYxIAI"},
    )
    their = place.actor(
        stage, "other", crm, "olmo.my.salesforce.example", "urllib3", {"Authorization": "Bearer 00Dx!B"}
    )
    path = f"/services/data/v61.0/sobjects/Account/{key}"
    since = ours.get(path).fields["last-modified"]
    their.send(
        "PATCH",
        path,
        204,
        {"If-Unmodified-Since": since},
        {"Description": "Paga a 30 días. BLOQUEADO por impago"},
    )
    ours.send(
        "PATCH", path, 204, {"If-Unmodified-Since": since}, {"Description": "Paga a 30 días. Llamar martes"}
    )
    place.wait(0.6)
    ours.get("/services/data/v61.0/limits")
    query = "/services/data/v61.0/query?q=SELECT+Field,OldValue,NewValue,CreatedById,CreatedDate+FROM+AccountHistory"
    rows_seen = ours.get(query).json["records"]
    place.sure(rows_seen[0]["CreatedDate"][:19] == rows_seen[1]["CreatedDate"][:19])
    place.sure(ours.get(path).fields["last-modified"] == since)


@case(
    "e506",
    "gus-menu-never-written-over",
    "create-guard-on-update",
    "409",
    alone="create-guard-on-update",
    description="An uploader reads a menu, changes it and writes it back under the guard that is meant for new objects.",
    synthetic=True,
)
def menu(stage: Stage) -> None:
    """A switch of the uploader that is always on."""
    box = place.hold(
        stage,
        gus_firms.oss({"menu/winter.json": '{"汤":["冬瓜"],"价":18}'.encode(), "menu/tee.json": b"{}"}),
        "falcon",
        "Alibaba OSS",
    )
    ours = place.actor(
        stage,
        "client",
        box,
        "menu-shanghai.oss-cn-shanghai.example",
        "requests",
        {"Authorization": "OSS LTAI:x", "User-Agent": "aliyun-sdk-python/2.18.6"},
    )
    guard = {"x-oss-forbid-overwrite": "true", "Content-Type": "application/json"}
    ours.get("/?prefix=menu%2F&max-keys=100")
    ours.put("/menu/fruehling.json", '{"汤":[]}', 200, guard)
    got = ours.get("/menu/winter.json")
    ours.put("/menu/winter.json", got.body.replace(b"18", b"21"), 409, guard)
    ours.send("HEAD", "/menu/winter.json", 200)
    ours.put("/menu/winter.json", got.body.replace(b"18", b"22"), 409, guard)
    ours.get("/?prefix=menu%2F&max-keys=100")


@case(
    "e508",
    "gus-job-on-two-members",
    "inconsistent-backends",
    "no-304",
    alone="inconsistent-backends",
    description="Two members of a sysplex make different tags for one data set; polls are sent what has not changed.",
    synthetic=True,
)
def job(stage: Stage) -> None:
    """In turns, by the balancer."""
    sets = {
        "PROD.JCL.NACHT": "//NACHT JOB (4711),'LAUF'\n//S1 EXEC PGM=IEFBR14\n",
        "PROD.JCL.TAG": "//TAG JOB\n",
    }
    times = dict.fromkeys(sets, time.time() - 50000)
    members = [
        place.hold(stage, gus_firms.zosmf(sets, times, salt, salt), "flask", "zOSMF")
        for salt in ("SYA1", "SYB1")
    ]
    front = fronts.haproxy(stage, members)
    ours = place.actor(
        stage,
        "client",
        front,
        "zosmf.bank.example",
        "bare",
        {"X-CSRF-ZOSMF-HEADER": "", "Authorization": "Basic dTpw", "X-IBM-Return-Etag": "true"},
    )
    path, listed = "/zosmf/restfiles/ds/PROD.JCL.NACHT", "/zosmf/restfiles/ds?dslevel=PROD.JCL"
    ours.get(listed)
    tag = ours.get(path).fields["etag"]
    told = []
    for number in range(6):
        got = ours.send("GET", path, (200, 304), {"If-None-Match": tag})
        tag = got.fields["etag"]
        told.append(got.status)
        if number % 2:
            ours.get(listed)
        place.wait(0.2)
    place.sure({200, 304} == set(told), told)


@case(
    "e486",
    "gus-shape-changed-by-the-first-of-two",
    "intermediary-replay",
    "412",
    alone="intermediary-replay post-commit-412",
    description="A gateway gives up on a slow update and sends it to the second listed peer, where the tag is no longer the one.",
    synthetic=True,
)
def shape(stage: Stage) -> None:
    """One request here, two behind."""
    key = "ocid1.dbsystem.oc1.eu-frankfurt-1.abtheljs7q"
    rows: dict[str, dict[str, Any]] = {
        key: {
            "id": key,
            "displayName": "abrechnung",
            "lifecycleState": "AVAILABLE",
            "cpuCoreCount": 4,
            "timeUpdated": "2026-11-01T04:00:00.000Z",
        },
        "ocid1.dbsystem.oc1.eu-frankfurt-1.zz": {
            "id": "ocid1.dbsystem.oc1.eu-frankfurt-1.zz",
            "displayName": "test",
            "lifecycleState": "STOPPED",
        },
    }
    app = place.hold(stage, gus_firms.oracle(rows, 1.6), "flask", "Oracle databases")
    port = stage.behind(app)
    http = f"upstream pair {{ server 127.0.0.1:{port} max_fails=0; server 127.0.0.1:{port} max_fails=0; }}"
    block = "location /20160918/dbSystems { proxy_pass http://pair; proxy_http_version 1.1; proxy_set_header Host $http_host; "
    block += "proxy_read_timeout 900ms; proxy_next_upstream error timeout non_idempotent; add_header X-Upstream-Status $upstream_status always; }"
    front = fronts.nginx(stage, app, "", http, block)
    ours = place.actor(
        stage,
        "client",
        front,
        "database.gateway.example",
        "node:axios",
        {"Authorization": 'Signature keyId="x"'},
    )
    ours.get("/20160918/dbSystems?compartmentId=c1")
    tag = ours.get(f"/20160918/dbSystems/{key}").etag
    ours.put(f"/20160918/dbSystems/{key}", {"cpuCoreCount": 8}, 412, {"If-Match": tag})
    place.wait(0.8)
    place.sure(ours.get(f"/20160918/dbSystems/{key}").json["cpuCoreCount"] == 8)
    ours.get("/20160918/dbSystems?compartmentId=c1")
