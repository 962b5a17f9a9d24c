"""Stories on object stores in use: Amazon's kind, OVH, IBM, Alibaba."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tools.recording_apis import fronts
from tools.recording_apis.apps import tia_stores as stores
from tools.recording_apis.apps.tia_core import Blobs, httpdate
from tools.recording_apis.stage import case
from tools.recording_apis.stories import held_tia_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.apps.tia_core import Req, Row
    from tools.recording_apis.stage import Stage


@case(
    "e063",
    "tia-complete-answers-two-hundred",
    "status-dialect-mismatch",
    "lost-update",
    alone="status-dialect-mismatch exists-already",
    also="exists-already",
    synthetic=True,
    description=(
        "An ingest tool completes a multipart upload with If-None-Match: *; the store answers 200 and tells "
        "PreconditionFailed in the content only. The tool takes it for stored, says so in its report and goes on; the "
        "clip that is read afterwards is a colleague's."
    ),
)
def dailies(stage: Stage) -> None:
    """Overlook an error inside a 200."""
    api = stores.amazon()
    stores.multipart(api, late=True)
    stores.listed(api, "dailies")
    api.keep("ep03/A014C002.mxf", b"\x06\x0e+4 clip of camera A" * 20, "", 40000)
    server = place.open_box(stage, api, "cheroot", "Amazon S3")
    host = "dailies.s3.eu-central-1.amazonaws.example"
    me = stage.actor("client", server, host, "requests", place.amazon("ingest-cart/3.2 Boto3/1.35.71"))
    other = stage.actor("other", server, host, "httpx", place.amazon("aws-cli/2.22.7", "eu-central-1/s3"))
    me.get("/?list-type=2&prefix=ep03%2F")
    for clip, seed in (("A014C003", b"rain"), ("A014C004", b"door")):
        path = f"/ep03/{clip}.mxf"
        text = me.send("POST", f"{path}?uploads", 200).text
        upload = text.partition("<UploadId>")[2].partition("<")[0]
        tags = [
            me.put(f"{path}?partNumber={n}&uploadId={upload}", seed * 60 * n, 200).etag.strip('"')
            for n in (1, 2)
        ]
        if clip == "A014C004":
            other.put(path, b"door, take of the second unit" * 9, 200, {"Content-Type": "application/mxf"})
        parts = "".join(
            f"<Part><PartNumber>{n}</PartNumber><ETag>{tag}</ETag></Part>" for n, tag in enumerate(tags, 1)
        )
        place.rest(0.4)
        done = me.send(
            "POST",
            f"{path}?uploadId={upload}",
            200,
            {"If-None-Match": "*", "Content-Type": "application/xml"},
            f"<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>",
        )
        place.sure(("PreconditionFailed" in done.text) == (clip == "A014C004"))
    me.put("/ep03/_ingest/card-14.json", {"card": 14, "stored": ["A014C003", "A014C004"], "failed": []}, 200)
    place.rest(0.3)
    place.sure(b"second unit" in me.get("/ep03/A014C004.mxf").body)


@case(
    "e047",
    "tia-pinned-through-an-accelerator",
    "cache-misevaluates",
    "stale-read",
    alone="cache-misevaluates",
    synthetic=True,
    description=(
        "A renderer fetches the textures of a scene with If-Match on the tags of its manifest. The Varnish of the farm "
        "takes the condition off and answers from its store: 200 with other tags than those asked for, where the store "
        "itself would have refused."
    ),
)
def textures(stage: Stage) -> None:
    """Ask a cache for a version that is gone."""
    api = stores.amazon(r"/scene-assets/(.+)")
    stores.listed(api, "scene-assets", "/scene-assets")
    for name, age in (("oak", 90000), ("brick", 80000), ("slate", 70000)):
        api.keep(f"tex/{name}.exr", b"v/1\x01" + name.encode() * 40, "", age)
    server = place.open_box(stage, api, "cheroot", "Amazon S3")
    host = "assets.farm-07.example"
    other = stage.actor("other", server, host, "requests", place.amazon("aws-cli/2.22.7"))
    front = fronts.varnish(
        stage, server, "sub vcl_backend_response { set beresp.ttl = 30s; set beresp.grace = 0s; }"
    )
    me = stage.actor("client", front, host, "aiohttp", {"User-Agent": "rendernode/5.1"})
    text = other.get("/scene-assets?list-type=2").text
    me.get("/scene-assets?list-type=2")
    tags = {
        name: text.partition(f"{name}.exr</Key>")[2].partition("&quot;")[2].partition("&quot;")[0]
        for name in ("brick", "oak", "slate")
    }
    other.put("/scene-assets/tex/brick.exr", b"v/1\x01" + b"brick, mossy" * 31, 200)
    place.rest(0.5)
    for name, tag in tags.items():
        me.get(f"/scene-assets/tex/{name}.exr", 200, {"If-Match": f'"{tag}"'})
    place.rest(2.1)
    again = me.get("/scene-assets/tex/brick.exr", 200, {"If-Match": f'"{tags["brick"]}"'})
    place.sure(int(again.fields["age"]) > 0 and again.etag.strip('"') != tags["brick"])
    me.get("/scene-assets/tex/oak.exr", 200, {"If-Match": f'"{tags["oak"]}"'})


@case(
    "e072",
    "tia-freeze-as-of-an-iso-moment",
    "bad-date",
    "lost-update",
    alone="bad-date",
    synthetic=True,
    description=(
        "A quarter's sheets are frozen by copies that must not be taken when the source has changed since it was checked: "
        "x-amz-copy-source-if-unmodified-since holds Python's isoformat, no date of HTTP, and counts for nothing. One "
        "sheet was changed in between; its copy is of the new numbers that nobody has checked."
    ),
)
def freeze(stage: Stage) -> None:
    """Copy with a date that is none."""
    api = stores.amazon()
    stores.copied(api, "bilanz")
    stores.listed(api, "bilanz")
    for number, name in enumerate(("aktiva", "passiva", "guv")):
        api.keep(
            f"q3/{name}.csv",
            f"konto;saldo\n{1000 + number};{8120 + number * 77}\n".encode(),
            "",
            9000 - number,
        )
    server = place.open_box(stage, api, "cheroot", "Amazon S3")
    host = "bilanz.s3.eu-central-1.amazonaws.example"
    me = stage.actor("client", server, host, "httpx", place.amazon("abschluss/1.4 python-httpx/0.28"))
    other = stage.actor("other", server, host, "requests", place.amazon("aws-cli/2.22.7"))
    me.get("/?list-type=2&prefix=q3%2F")
    checked = {}
    for name in ("aktiva", "passiva", "guv"):
        me.get(f"/q3/{name}.csv")
        checked[name] = time.strftime("%Y-%m-%dT%H:%M:%S.418203+00:00", time.gmtime())
    place.rest(2.1)
    other.put("/q3/guv.csv", b"konto;saldo\n1002;11999\n", 200, {"Content-Type": "text/csv"})
    place.rest(1.2)
    for name, moment in checked.items():
        me.put(
            f"/freeze/2026-q3/{name}.csv",
            None,
            200,
            {
                "x-amz-copy-source": f"/bilanz/q3/{name}.csv",
                "x-amz-copy-source-if-unmodified-since": moment,
                "Content-Length": "0",
            },
        )
    place.sure("11999" in me.get("/freeze/2026-q3/guv.csv").text)
    me.send("HEAD", "/q3/guv.csv", 200)


def _salted(salt: str) -> Blobs:
    import hashlib  # noqa: PLC0415 - beside its only use

    def tag(row: Row) -> str:
        return f'"{hashlib.md5(salt.encode() + row.data).hexdigest()}"'  # noqa: S324 - a tag

    def extra(_req: Req) -> dict[str, str]:
        trace = f"{salt}{time.time_ns():x}"
        return {"X-Openstack-Request-Id": f"tx{trace}", "X-IPLB-Instance": salt, "X-Trans-Id": f"tx{trace}"}

    api = Blobs(r"/v1/AUTH_7c2f/(.+)", "x-amz-", tag, extra=extra)
    for name in ("gtfs.zip", "stops.csv", "holidays.json"):
        row = api.keep(f"timetables/{name}", name.encode() * 90, "")
        row.at = 1763000000.0
    return api


@case(
    "e055",
    "tia-timetables-of-two-nodes",
    "inconsistent-backends",
    "wasted-transfer",
    alone="inconsistent-backends",
    synthetic=True,
    description=(
        "A passenger app's backend polls three files of a container with If-None-Match. Two nodes behind the balancer "
        "(X-IPLB-Instance tells which) make different tags of the same octets, so there is never a 304: everything is "
        "fetched again at each round although Last-Modified and content stay the same."
    ),
)
def timetables(stage: Stage) -> None:
    """Poll what two nodes tag in two ways."""
    nodes = [
        place.open_box(stage, _salted(salt), "cheroot", "OVHcloud Object Storage")
        for salt in ("51207", "51209")
    ]
    front = fronts.haproxy(stage, nodes)
    me = stage.actor(
        "client",
        front,
        "storage.gra.cloud.ovh.example",
        "node:axios",
        {"X-Auth-Token": "***", "User-Agent": "fahrplan-sync/7"},
    )
    held: dict[str, str] = {}
    for _round in range(4):
        for name in ("gtfs.zip", "stops.csv", "holidays.json"):
            known = {"If-None-Match": held[name]} if name in held else {}
            held[name] = me.get(f"/v1/AUTH_7c2f/timetables/{name}", 200, known).etag
        place.rest(0.5)


@case(
    "e041",
    "tia-two-halves-of-two-genomes",
    "read-changed-mid-transfer",
    "corrupt-read",
    alone="read-changed-mid-transfer",
    synthetic=True,
    description=(
        "A workstation fetches an archive by ranges without If-Match; between the second and the third part the "
        "sequencing lab uploads a corrected one. All answers are 206, the ETag of the last two is another, the length "
        "too; the checksum object that is read at last does not agree with what was joined."
    ),
)
def genomes(stage: Stage) -> None:
    """Join parts of two versions."""
    api = stores.amazon(r"/genomes-eu/(.+)")
    content = b"".join(f"chr{n}\tACGTTGCA{n:04d}\n".encode() for n in range(90))
    api.keep("runs/0918.vcf.gz", content, "", 30000)
    api.keep("runs/0918.vcf.gz.md5", b"d0b1a7", "", 30000)
    api.keep("runs/README.txt", b"Calls of September", "", 300000)
    server = place.open_box(stage, api, "cheroot", "IBM Cloud Object Storage")
    host = "s3.eu-de.cloud-object-storage.appdomain.example"
    me = stage.actor(
        "client", server, host, "java", {"Authorization": "Bearer ***", "ibm-service-instance-id": "c07f"}
    )
    other = stage.actor("other", server, host, "requests", {"Authorization": "Bearer ***"})
    me.get("/genomes-eu/runs/README.txt")
    size = int(me.send("HEAD", "/genomes-eu/runs/0918.vcf.gz", 200).fields["content-length"])
    step, tags = size // 4 + 1, []
    for part in range(4):
        if part == 2:
            fresh = content.replace(b"TTGC", b"TTGG") + b"chrX\tACGT\n"
            other.put("/genomes-eu/runs/0918.vcf.gz", fresh, 200)
            other.put("/genomes-eu/runs/0918.vcf.gz.md5", b"44e9c2", 200, {"Content-Type": "text/plain"})
        span = f"bytes={part * step}-{min((part + 1) * step, size) - 1}"
        tags.append(me.get("/genomes-eu/runs/0918.vcf.gz", 206, {"Range": span}).etag)
        place.rest(0.3)
    place.sure(tags[0] == tags[1] != tags[2] == tags[3])
    me.get("/genomes-eu/runs/0918.vcf.gz.md5")


@case(
    "e078",
    "tia-receipt-number-in-use",
    "exists-already",
    "409",
    alone="exists-already",
    synthetic=True,
    description=(
        "A till uploads its receipts with x-oss-forbid-overwrite; one number was already used by another till half a "
        "minute before: 409 FileAlreadyExists. What is read there is that till's receipt."
    ),
)
def receipts(stage: Stage) -> None:
    """Find a number taken."""
    api = stores.oss()
    server = place.open_box(stage, api, "cheroot", "Alibaba OSS")
    host = "kassenbelege.oss-eu-central-1.aliyuncs.example"

    def fields() -> dict[str, str]:
        return {
            "Authorization": "OSS LTAI***:***",
            "Date": httpdate(time.time()),
            "x-oss-forbid-overwrite": "true",
            "User-Agent": "aliyun-sdk-js/6.21.0 Node.js 20.20.2 on Linux",
        }

    me = stage.actor("client", server, host, "node:fetch")
    other = stage.actor("other", server, host, "requests")
    for number in (4410, 4411):
        me.put(f"/2026/11/28/R-{number}.json", {"bon": number, "kasse": 2, "summe": "12.40"}, 200, fields())
    other.put("/2026/11/28/R-4412.json", {"bon": 4412, "kasse": 5, "summe": "88.00"}, 200, fields())
    place.rest(1.3)
    bill = {"bon": 4412, "kasse": 2, "summe": "7.10"}
    refused = me.put("/2026/11/28/R-4412.json", bill, 409, fields())
    place.sure("FileAlreadyExists" in refused.text)
    seen = me.get("/2026/11/28/R-4412.json", 200, {"Authorization": "OSS LTAI***:***"})
    place.sure(seen.json["kasse"] == 5)
    me.put("/2026/11/28/R-4413.json", {**bill, "bon": 4413}, 200, fields())


@case(
    "e066",
    "tia-two-prices-in-one-second",
    "date-precision",
    "stale-read",
    alone="date-precision",
    synthetic=True,
    description=(
        "A sign at a filling station polls its price list by If-Modified-Since. The list was written twice within one "
        "second and read between; since then every poll is 304, the wrong price stays on the sign until the nightly full "
        "read shows another generation under the same Last-Modified."
    ),
)
def prices(stage: Stage) -> None:
    """Be told that nothing has changed."""
    api = stores.google_xml()
    api.keep("station-118/prices.json", b'{"e5":1.719,"diesel":1.649}', "", 4000)
    api.keep("station-118/opening.json", b'{"mo-fr":"6-22"}', "", 400000)
    server = place.open_box(stage, api, "cheroot", "Google Cloud Storage XML API")
    host = "prices-prod.storage.googleapis.example"
    me = stage.actor("client", server, host, "urllib", {"User-Agent": "sign-fw/2.8"})
    other = stage.actor("other", server, host, "requests", place.bearer("pricing/44"))
    path = "/station-118/prices.json"
    moment = me.get(path).fields["last-modified"]
    me.get("/station-118/opening.json")
    me.get(path, 304, {"If-Modified-Since": moment})
    place.till_fraction(0.08)
    other.put(path, b'{"e5":1.799,"diesel":1.709}', 200)
    seen = me.get(path, 200, {"If-Modified-Since": moment})
    other.put(path, b'{"e5":1.739,"diesel":1.669}', 200)
    moment = seen.fields["last-modified"]
    for _ in range(3):
        place.rest(0.9)
        me.get(path, 304, {"If-Modified-Since": moment})
    me.get("/station-118/opening.json")
    full = me.get(path)
    place.sure(full.fields["last-modified"] == moment and full.etag != seen.etag)
    place.sure(full.fields["x-goog-generation"] != seen.fields["x-goog-generation"])
