"""Stories on Google's XML side and on Azure's blobs."""

from __future__ import annotations

import json
from email.utils import formatdate, parsedate_to_datetime
from typing import TYPE_CHECKING

from tools.recording_apis import fronts
from tools.recording_apis.apps import tia_stores as stores
from tools.recording_apis.apps.tia_core import guid
from tools.recording_apis.stage import case
from tools.recording_apis.stories import held_tia_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.stage import Stage

_BLOCK = {"x-ms-blob-type": "BlockBlob", "x-ms-version": "2024-11-04"}


@case(
    "e050",
    "tia-tag-condition-on-the-xml-side",
    "precondition-ignored",
    "lost-update",
    alone="precondition-ignored precondition-stripped",
    synthetic=True,
    description=(
        "A table engine commits its metadata to Google's XML side as it does to other stores: PUT with If-Match. There no "
        "upload looks at it. The tool itself has just seen a newer tag in a HEAD, sends the older one from its plan and is "
        "told 200; the partition that a second writer had added is gone from the file."
    ),
)
def commits(stage: Stage) -> None:
    """Commit on an old tag and get through."""
    api = stores.google_xml()
    base = {"table": "rides", "snapshot": 41, "parts": ["p-01", "p-02"]}
    api.keep("wh/rides/metadata/current.json", json.dumps(base).encode(), "", 5000)
    for part in (1, 2):
        api.keep(f"wh/rides/data/p-0{part}.parquet", b"PAR1" + bytes([part]) * 300, "", 8000)
    server = place.open_box(stage, api, "cheroot", "Google Cloud Storage XML API")
    host = "lake-eu.storage.googleapis.example"
    me = stage.actor(
        "client", server, host, "java", {"Authorization": "AWS4-HMAC-SHA256 Credential=GOOG1EXAMPLE"}
    )
    other = stage.actor("other", server, host, "httpx", place.bearer("compactor/2"))
    path = "/wh/rides/metadata/current.json"
    plan = me.get(path)
    me.get("/wh/rides/data/p-02.parquet", 206, {"Range": "bytes=0-63"})
    theirs = {**base, "snapshot": 42, "parts": ["p-01", "p-02", "p-03"]}
    other.put("/wh/rides/data/p-03.parquet", b"PAR1" + b"\x03" * 300, 200)
    generation = other.send("HEAD", path, 200).fields["x-goog-generation"]
    other.put(path, theirs, 200, {"x-goog-if-generation-match": generation})
    place.rest(0.8)
    me.put("/wh/rides/data/p-04.parquet", b"PAR1" + b"\x04" * 300, 200)
    place.sure(me.send("HEAD", path, 200).etag != plan.etag)
    mine = {**base, "snapshot": 42, "parts": ["p-01", "p-02", "p-04"]}
    me.put(path, mine, 200, {"If-Match": plan.etag})
    place.rest(0.5)
    place.sure("p-03" not in me.get(path).json["parts"])


@case(
    "e044",
    "tia-hours-behind-the-edge",
    "stale-cache-read",
    "stale-read",
    alone="stale-cache-read",
    synthetic=True,
    description=(
        "A shop's hours are saved to a blob through the company's edge and read back for proof: the edge answers from its "
        "store (X-Cache, Age) with the tag from before the save. The tool saves once more, reads the old hours again, and "
        "only when the stored answer has run out does it see what it wrote."
    ),
)
def hours(stage: Stage) -> None:
    """Read one's own save from a cache."""
    api = stores.azure()
    for name, text in (("hours", '{"mo":"9-18"}'), ("contact", '{"tel":"0551-1"}')):
        api.keep(f"site/{name}.json", text.encode(), "", 70000)
        api.media[f"site/{name}.json"] = "application/json"
    server = place.open_box(stage, api, "cheroot", "Azure Blob Storage")
    rules = (
        "sub vcl_backend_response { set beresp.ttl = 6s; set beresp.grace = 0s; set beresp.keep = 0s; }\n"
        'sub vcl_deliver { if (obj.hits > 0) { set resp.http.X-Cache = "TCP_HIT"; } else '
        '{ set resp.http.X-Cache = "TCP_MISS"; } unset resp.http.X-Varnish; }'
    )
    front = fronts.varnish(stage, server, rules)
    me = stage.actor("client", front, "filialen.azureedge.example", "httpx", {"x-ms-version": "2024-11-04"})
    me.get("/site/contact.json?sv=2024-11-04&sig=***")
    path = "/site/hours.json?sv=2024-11-04&sig=***"
    first = me.get(path)
    wanted = {"mo": "9-20", "sa": "10-14"}
    place.rest(1.2)
    saved = me.put(path, wanted, 201, {**_BLOCK, "If-Match": first.etag})
    seen = me.get(path)
    place.sure(seen.etag == first.etag and seen.fields["x-cache"] == "TCP_HIT")
    place.rest(1.1)
    again = me.put(path, wanted, 201, {**_BLOCK, "If-Match": saved.etag})
    place.rest(1.0)
    place.sure(me.get(path).etag == first.etag)
    me.get("/site/contact.json?sv=2024-11-04&sig=***")
    place.rest(4.0)
    place.sure(me.get(path).etag == again.etag)


@case(
    "e059",
    "tia-unmodified-since-an-hour-later",
    "timezone-error",
    "lost-update",
    alone="timezone-error",
    synthetic=True,
    description=(
        "A maintenance book keeps its sheets as blobs and guards its saves by If-Unmodified-Since, written in the "
        "mechanic's own time and labelled GMT: an hour more than the Last-Modified that was served. A colleague's entry of "
        "a moment before is within that hour; the save is taken with 201 and the entry is gone."
    ),
)
def elevators(stage: Stage) -> None:
    """Guard a save with the wall clock."""
    api = stores.azure()
    for number in (7, 8, 9):
        api.keep(
            f"lifts/L-{number}.json",
            json.dumps({"lift": number, "ropes": "ok", "log": []}).encode(),
            "",
            2417,
        )
        api.media[f"lifts/L-{number}.json"] = "application/json"
    server = place.open_box(stage, api, "cheroot", "Azure Blob Storage")
    host = "wartung.blob.core.windows.example"
    me = stage.actor("client", server, host, "requests", {"User-Agent": "Wartungsbuch/4.0 (.NET 8.0)"})
    other = stage.actor("other", server, host, "node:fetch", {"User-Agent": "Wartungsbuch/4.0 (iPad)"})

    def local(served: str) -> str:
        return formatdate(parsedate_to_datetime(served).timestamp() + 3600, usegmt=True)

    for number in (7, 8):
        path = f"/lifts/L-{number}.json"
        mine = me.get(path)
        if number == 8:
            theirs = other.get(path).json
            other.put(
                path,
                {**theirs, "log": ["Bremse nachgestellt, mk"]},
                201,
                {**_BLOCK, "If-Match": other.get(path).etag},
            )
            place.rest(1.2)
            place.sure(me.send("HEAD", path, 200).etag != mine.etag)
        sent = {**_BLOCK, "If-Unmodified-Since": local(mine.fields["last-modified"])}
        me.put(path, {**mine.json, "ropes": "getauscht"}, 201, sent)
        place.rest(0.6)
    place.sure(me.get("/lifts/L-8.json").json["log"] == [])
    me.get("/lifts/L-9.json")


@case(
    "e070",
    "tia-state-held-by-a-runner",
    "lease-or-lock",
    "412",
    alone="lease-or-lock",
    synthetic=True,
    description=(
        "An operator repairs a plan's state in a blob by hand while a runner holds the lease: PUT without x-ms-lease-id is "
        "412 LeaseIdMissing in spite of the current tag, a lease of his own is 409 LeaseAlreadyPresent."
    ),
)
def state(stage: Stage) -> None:
    """Write what somebody has leased."""
    api = stores.azure()
    for name in ("net", "apps"):
        text = {"version": 4, "serial": 118, "lineage": guid(name), "resources": [f"{name}-vnet", "fw"]}
        api.keep(f"tfstate/{name}.tfstate", json.dumps(text).encode(), "", 9000)
        api.media[f"tfstate/{name}.tfstate"] = "application/json"
    stores.leased(api)
    server = place.open_box(stage, api, "cheroot", "Azure Blob Storage")
    host = "acmeinfra.blob.core.windows.example"
    me = stage.actor(
        "client", server, host, "curl", {"Authorization": "Bearer ***", "x-ms-version": "2024-11-04"}
    )
    other = stage.actor(
        "other",
        server,
        host,
        "requests",
        {"User-Agent": "HashiCorp Terraform/1.10.1", "x-ms-version": "2024-11-04"},
    )
    path, held = "/tfstate/net.tfstate", guid("runner-3")
    asks = {"x-ms-lease-action": "acquire", "x-ms-lease-duration": "-1"}
    other.put(
        f"{path}?comp=lease", None, 201, {**asks, "x-ms-proposed-lease-id": held, "Content-Length": "0"}
    )
    me.get("/tfstate/apps.tfstate")
    seen = me.get(path)
    mine = {**seen.json, "serial": 119, "resources": ["vnet"]}
    place.rest(0.5)
    me.put(path, mine, 412, {**_BLOCK, "If-Match": seen.etag})
    place.sure(me.send("HEAD", path, 200).etag == seen.etag)
    place.rest(0.4)
    own = {**asks, "x-ms-proposed-lease-id": guid("ops"), "Content-Length": "0"}
    me.put(f"{path}?comp=lease", None, 409, own)
    me.put("/tfstate/apps.tfstate", {**mine, "resources": ["aks"]}, 201, {**_BLOCK})
