"""Conflicts that are real, by product interfaces: two writers, one writer twice, the service itself, what is gone."""

from __future__ import annotations

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any

from tools.recording_apis.fronts import DAV, put_file, site
from tools.recording_apis.stage import Stage, StoryError, case
from tools.recording_apis.stories.azure import Blobs
from tools.recording_apis.stories.azure import furnished as blob_store
from tools.recording_apis.stories.records import furnished as kinto
from tools.recording_apis.stories.sued_ground import (
    BASE,
    Vault,
    buckets,
    busy,
    data_of,
    fleet,
    sign_in,
    together,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

_TASKS = "/v1/buckets/team/collections/tasks/records"
_ANNA = {"Authorization": "Basic YW5uYTphbm5h", "User-Agent": "Routine/8.1 (iPhone; iOS 19.1)"}


@case(
    "a700",
    "infrastructure-state-two-runners",
    "other-writer",
    "412",
    alone="other-writer",
    description=(
        "Two runners of an infrastructure tool read one state object; the other one stores serial 41 first, so "
        "the upload under the old tag is refused. The object read afterwards names the other run."
    ),
)
def state_object(stage: Stage) -> None:
    """Apply twice at once."""
    server = stage.server("seaweedfs")
    state = {"version": 4, "serial": 40, "lineage": "6c3d", "run": "ci-2101", "resources": ["vpc", "db"]}
    buckets(stage, server, "infra", prod__net=json.dumps(state), prod__dns='{"version":4,"serial":7}')
    me = Vault(stage, "client", server, "store.example.test", "APN/1.0 Tofu/1.10.6 (+ci; run ci-2107)")
    other = Vault(stage, "other", server, "store.example.test", "APN/1.0 Tofu/1.10.6 (+laptop; run lt-88)")
    me.browse("infra", "a700", 4)
    me.do("list_objects_v2", Bucket="infra", Prefix="prod/")
    me.read("infra", "prod/dns.json")
    tag, mine = me.read("infra", "prod/net.json")
    time.sleep(0.6)
    their_tag, theirs = other.read("infra", "prod/net.json")
    theirs.update(serial=41, run="lt-88", resources=["vpc", "db", "queue"])
    other.do("put_object", Bucket="infra", Key="prod/net.json", Body=json.dumps(theirs), IfMatch=their_tag)
    time.sleep(1.3)
    mine.update(serial=41, run="ci-2107", resources=["vpc", "db", "cache"])
    me.do("put_object", 412, Bucket="infra", Key="prod/net.json", Body=json.dumps(mine), IfMatch=tag)
    me.do("put_object", Bucket="infra", Key="prod/errored-ci-2107.json", Body=json.dumps(mine))
    me.read("infra", "prod/net.json")


@case(
    "a702",
    "rollout-workers-share-a-tag",
    "self-race",
    "412",
    alone="self-race",
    description=(
        "A rollout tool updates its own progress document from two workers of one run at the same moment and "
        "with the tag of the one read before: one is stored, the other refused. Nobody else writes."
    ),
)
def workers(stage: Stage) -> None:
    """Count progress from two threads."""
    server = fleet(stage, {"rollouts/r-77": {"state": "running", "done": [], "failed": []}}, PAUSE="0.3")
    always = {"User-Agent": "rollout/3.4", "X-Run-Id": "r-77.a1c9", "X-Operator": "svc-rollout"}
    me = stage.actor("client", server, "iot.example.test", "requests", always)
    path = f"{BASE}rollouts/r-77"
    sign_in(me, "svc-rollout")
    me.get(f"{BASE}policies/updates")
    for thing in ("pump-04", "pump-05"):
        me.get(f"{BASE}things/{thing}")
    tag = me.get(path).etag

    def report(thing: str) -> int:
        body = {"state": "running", "done": [thing], "failed": []}
        return me.put(path, body, (200, 412), {"If-Match": tag, "X-Request-Id": f"r-77.{thing}"}).status

    with ThreadPoolExecutor(2) as pool:
        if sorted(pool.map(report, ("pump-04", "pump-05"))) != [200, 412]:
            raise StoryError("the workers did not collide")
    me.get(path)


@case(
    "a703",
    "app-saves-two-fields-at-once",
    "self-race",
    "412",
    alone="self-race",
    description=(
        "A mobile app fires one request a changed field, both with the timestamp it had loaded; Kinto takes one "
        "and refuses the other, and its answer shows the app's own first change as the existing record."
    ),
)
def two_fields(stage: Stage) -> None:
    """Save title and tick together."""
    server = kinto(stage, "water-plants", "buy-soil")
    me = stage.actor("client", server, "sync.example.test", "httpx", _ANNA)
    me.get(f"{_TASKS}?_sort=-last_modified&_limit=10")
    with ThreadPoolExecutor(2) as pool:
        read, _ = pool.map(me.get, (f"{_TASKS}/water-plants", f"{_TASKS}/buy-soil"))
    changes = ({"title": "Water the plants"}, {"done": True})

    at_once = threading.Barrier(2)

    def save(change: dict[str, object]) -> int:
        at_once.wait(10)
        body = {"data": change}
        return me.send("PATCH", f"{_TASKS}/water-plants", (200, 412), {"If-Match": read.etag}, body).status

    with ThreadPoolExecutor(2) as pool:
        if sorted(pool.map(save, changes)) != [200, 412]:
            raise StoryError("the saves did not collide")
    together(stage, "PATCH")
    me.get(f"{_TASKS}/buy-soil")
    me.get(f"{_TASKS}/water-plants")


@case(
    "a705",
    "order-lines-move-the-order",
    "server-side-mutation",
    "412",
    alone="server-side-mutation coarse-token-scope stale-stored-token",
    description=(
        "Each line that a shop adds to its order makes the pricing service recompute the order's total, which "
        "moves the order's tag; the order is then closed with the tag read before its lines were written."
    ),
)
def lines(stage: Stage) -> None:
    """Write lines, then close the order."""
    order = {"orders/7001": {"customer": "K-33", "state": "open", "total": "0.00"}}
    server = fleet(stage, order, LINES="118.40")
    me = stage.actor("client", server, "orders.example.test", "java", {"X-Operator": "shop-12"})
    me = busy(me, "a705")
    path = f"{BASE}orders/7001"
    read = me.get(path)
    for number, (sku, count) in enumerate((("HX-seal", 4), ("HX-gasket", 2)), 1):
        me.put(f"{path}/lines/{number}", {"sku": sku, "count": count}, 201, {"If-None-Match": "*"})
    me.put(path, {**data_of(read), "state": "closed"}, 412, {"If-Match": read.etag})
    me.get(path)


@case(
    "a706",
    "blob-download-in-chunks-replaced",
    "read-changed-mid-transfer",
    "412",
    alone="read-changed-mid-transfer",
    description=(
        "Azure's library loads a blob in chunks, each but the first with If-Match; another job replaces the blob "
        "between two chunks, and the download ends with 412 ConditionNotMet."
    ),
)
def chunks(stage: Stage) -> None:
    """Load a large blob."""
    server = blob_store(stage, plan='{"week":47}')
    me, other = Blobs(stage, "client", server), Blobs(stage, "other", server)
    first, second = b"reading;12.5\n" * 9000, b"reading;13.1\n" * 9500
    other.on(lambda one: one.upload_blob(first), blob="telemetry/day-330.csv")
    me.on(lambda one: one.download_blob().readall())
    me.on(lambda one: one.get_blob_properties(), blob="telemetry/day-330.csv")

    def load(blob: Any) -> None:
        sizes = {"max_single_get_size": 32768, "max_chunk_get_size": 32768}
        config = blob._config  # noqa: SLF001 - the sizes are otherwise set at the account
        for name, size in sizes.items():
            setattr(config, name, size)
        stream = blob.download_blob()
        pieces = stream.chunks()
        next(pieces)
        next(pieces)
        other.on(lambda one: one.upload_blob(second, overwrite=True), blob="telemetry/day-330.csv")
        list(pieces)

    me.on(load, "ConditionNotMet", blob="telemetry/day-330.csv")
    me.on(lambda one: one.get_blob_properties(), blob="telemetry/day-330.csv")


@case(
    "a707",
    "firmware-halves-of-two-builds",
    "read-changed-mid-transfer",
    "wrong-content",
    alone="read-changed-mid-transfer",
    description=(
        "A gateway fetches a firmware image in ranges without If-Range or If-Match while a release is published "
        "over it: the parts carry two tags, and the version file that it fetches last names the newer one."
    ),
)
def halves(stage: Stage) -> None:
    """Join two builds."""
    old, new = b"\x7fELF-2.8.1:" * 800, b"\x7fELF-2.9.0:" * 820
    server = site(
        stage,
        "nginx",
        {
            "fw/hx3.bin": old,
            "fw/hx3.ver": "2.8.1\n",
            "fw/hx2.ver": "1.9.4\n",
            "fw/index.json": '{"hx3":"2.8.1"}',
        },
    )
    me = stage.actor("client", server, "dl.example.test", "urllib", {"User-Agent": "gateway-ota/1.2"})
    me = busy(me, "a707", ("/fw/index.json", "/fw/hx2.ver", "/fw/none.ver"))
    me.get("/fw/index.json")
    me.send("HEAD", "/fw/hx3.bin", 200)
    for start in range(0, 4096, 2048):
        me.send("GET", "/fw/hx3.bin", 206, {"Range": f"bytes={start}-{start + 2047}"})
    time.sleep(0.4)
    put_file(server.directory, "fw/hx3.bin", new)
    put_file(server.directory, "fw/hx3.ver", "2.9.0\n")
    for start in range(4096, 8192, 2048):
        me.send("GET", "/fw/hx3.bin", 206, {"Range": f"bytes={start}-{start + 2047}"})
    me.get("/fw/hx3.ver")


@case(
    "a708",
    "contact-card-made-twice",
    "exists-already",
    "412",
    alone="exists-already",
    description=(
        "Two people store a card under one name, both with If-None-Match: *; the second is refused and finds the "
        "other's card there, with another telephone number."
    ),
)
def card(stage: Stage) -> None:
    """Create one card twice."""
    server = stage.server("radicale")
    agent = {"Authorization": "Basic dGVhbTp0ZWFt", "User-Agent": "Contacts-Bridge/2.0"}
    setup = stage.actor("setup", server, "dav.example.test", "httpx", agent)
    making = '<?xml version="1.0"?><mkcol xmlns="DAV:"><set><prop><resourcetype><collection/><C:addressbook '
    making += 'xmlns:C="urn:ietf:params:xml:ns:carddav"/></resourcetype></prop></set></mkcol>'
    setup.send("MKCOL", "/team/cards/", 201, {"Content-Type": "application/xml"}, making)
    setup.program.close()
    stage.forget()
    me = stage.actor("client", server, "dav.example.test", "curl", agent)
    other = stage.actor(
        "other", server, "dav.example.test", "requests", {**agent, "User-Agent": "KAddressBook/6"}
    )
    kind = {"Content-Type": "text/vcard; charset=utf-8"}

    def vcard(phone: str, note: str) -> str:
        return (
            "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:plumber-eckert\r\nFN:Eckert Plumbing\r\nN:Eckert;;;;\r\n"
            f"TEL;TYPE=WORK:{phone}\r\nNOTE:{note}\r\nEND:VCARD\r\n"
        )

    me.send("OPTIONS", "/team/cards/", 200)
    me.send("PROPFIND", "/team/cards/", 207, {"Depth": "1"})
    me.put(
        "/team/cards/krause.vcf", vcard("+49 4841 90", "Weir, by Mara").replace("eckert", "krause"), 201, kind
    )
    other.send("PROPFIND", "/team/cards/", 207, {"Depth": "1"})
    other.put(
        "/team/cards/eckert.vcf", vcard("+49 431 555017", "by Ole"), 201, {**kind, "If-None-Match": "*"}
    )
    time.sleep(1.2)
    body = vcard("+49 431 555018", "by Mara, emergency line")
    me.put("/team/cards/eckert.vcf", body, 412, {**kind, "If-None-Match": "*"})
    me.get("/team/cards/eckert.vcf")


@case(
    "a709",
    "thing-registered-by-technician",
    "exists-already",
    "412",
    alone="exists-already",
    description=(
        "A provisioning script registers devices from a list, each with If-None-Match: *; one of them had been "
        "registered by a technician by hand, with another site. The rest goes through."
    ),
)
def registered(stage: Stage) -> None:
    """Register devices from a list."""
    server = fleet(stage)
    me = stage.actor("client", server, "iot.example.test", "httpx", {"X-Operator": "provision.py"})
    me = busy(me, "a709")
    other = stage.actor("other", server, "iot.example.test", "curl", {"X-Operator": "tech-jonas"})
    other = busy(other, "a709-other")
    sign_in(me, "provision")
    other.put(f"{BASE}things/meter-202", {"model": "E7", "site": "husum"}, 201, {"If-None-Match": "*"})
    time.sleep(0.9)
    for number in (200, 201, 202, 203):
        status = 412 if number == 202 else 201
        body = {"model": "E7", "site": "kiel", "serial": f"E7-{number * 31}"}
        me.put(f"{BASE}things/meter-{number}", body, status, {"If-None-Match": "*"})
    me.get(f"{BASE}things/meter-202")


@case(
    "a710",
    "dav-file-deleted-by-cleanup",
    "target-missing",
    "412",
    alone="target-missing",
    description=(
        "A nightly clean-up deletes a report that an editor has open; the save with If-Match meets nothing, "
        "Apache answers 412, and a GET afterwards 404."
    ),
)
def cleaned(stage: Stage) -> None:
    """Save what has been removed."""
    files: Mapping[str, str | bytes] = {f"reports/w{week}.md": f"# Week {week}\n" for week in range(44, 48)}
    server = site(stage, "apache2", files, DAV["apache2"])
    me = stage.actor("client", server, "files.example.test", "httpx", {"User-Agent": "mark-edit/4"})
    me = busy(me, "a710", ("/reports/w45.md", "/reports/w44.md", "/reports/none.md"))
    other = stage.actor("other", server, "files.example.test", "curl", {"User-Agent": "cleanup-cron/1"})
    me.send("PROPFIND", "/reports/", 207, {"Depth": "1"})
    tag = me.get("/reports/w47.md").etag
    me.get("/reports/w46.md")
    other.send("DELETE", "/reports/w46.md", 204)
    other.send("DELETE", "/reports/w47.md", 204)
    time.sleep(0.5)
    me.put("/reports/w47.md", "# Week 47\n\nAll pumps in service.\n", 412, {"If-Match": tag})
    me.get("/reports/w47.md", 404)


@case(
    "a712",
    "checkpoint-blob-partial-owner",
    "other-writer",
    "412",
    alone="other-writer",
    description=(
        "Two consumers own one partition for a moment after a rebalance; both write its checkpoint with the "
        "tag they have, the new owner first. The blob read afterwards names the new owner."
    ),
)
def checkpoint(stage: Stage) -> None:
    """Write a checkpoint after losing the partition."""
    server = blob_store(stage, plan='{"owner":"consumer-a","sequence":8800}')
    me, other = Blobs(stage, "client", server), Blobs(stage, "other", server)
    me.on(lambda one: one.download_blob().readall())
    tag = me.tag()
    for sequence in (8830, 8871, 8902):
        tag = me.write(f'{{"owner":"consumer-a","sequence":{sequence}}}', tag)["etag"]
        time.sleep(0.2)
    tag = me.write('{"owner":"consumer-a","sequence":8950}', tag)["etag"]
    other.on(lambda one: one.download_blob().readall())
    claimed = other.write('{"owner":"consumer-b","sequence":8950}', other.tag())["etag"]
    other.write('{"owner":"consumer-b","sequence":9010}', claimed)
    time.sleep(0.9)
    me.write('{"owner":"consumer-a","sequence":9002}', tag, "ConditionNotMet")
    me.on(partial(_load))


def _load(blob: Any) -> bytes:
    content: bytes = blob.download_blob().readall()
    return content
