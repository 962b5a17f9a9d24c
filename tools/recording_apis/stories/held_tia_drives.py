"""Stories on drives, plans, clusters and files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools.recording_apis.apps import tia_microsoft as microsoft
from tools.recording_apis.apps import tia_suites as suites
from tools.recording_apis.stage import case
from tools.recording_apis.stories import held_tia_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.stage import Stage


@case(
    "e042",
    "tia-photos-measured-after-the-upload",
    "server-side-mutation",
    "412",
    alone="server-side-mutation",
    synthetic=True,
    description=(
        "A photographer's tool uploads pictures and sets their description under the eTag of the upload's answer. The "
        "service has meanwhile read the picture's data by itself (lastModifiedBy names the application, hash and cTag are "
        "the same): resourceModified."
    ),
)
def photos(stage: Stage) -> None:
    """Be overtaken by the reading of the picture."""
    names = {
        f"01GX{n}": {"name": f"IMG_{n}.jpg", "description": "", "file": {"mimeType": "image/jpeg"}}
        for n in (4411, 4412, 4413)
    }
    api = microsoft.drive(names)
    server = place.open_box(stage, api, "cheroot", "Microsoft Graph driveItem")
    me = stage.actor(
        "client",
        server,
        "graph.microsoft.example",
        "node:axios",
        place.bearer("lightbox/8.2 GraphClient-js/3.0.7"),
    )
    top = "/v1.0/me/drive"
    me.get(f"{top}/root/children?$select=id,name,eTag")
    for n in (4411, 4412):
        path = f"{top}/items/01GX{n}"
        saved = me.put(
            f"{path}/content",
            b"\xff\xd8\xff\xe1Exif" + bytes([n % 250]) * 400,
            200,
            {"Content-Type": "image/jpeg"},
        )
        place.rest(0.5)
        with api.lock:
            row = api.rows[f"01GX{n}"]
            app = {"application": {"id": "4345a7b9", "displayName": "Media Processing"}}
            api.keep(
                f"01GX{n}",
                {**row.data, "photo": {"cameraMake": "Nikon", "iso": 200}, "lastModifiedBy": app},
                "media",
            )
        place.rest(0.6)
        me.send("PATCH", path, 412, {"if-match": saved.json["eTag"]}, {"description": "Hafenfest, Abend"})
        now = me.get(path).json
        place.sure(now["cTag"] == saved.json["cTag"] and now["file"] == saved.json["file"])
    me.get(f"{top}/items/01GX4413")


@case(
    "e069",
    "tia-renamed-on-the-phone",
    "implicit-precondition",
    "412",
    alone="implicit-precondition",
    synthetic=True,
    description=(
        "An app on a phone renames files; its system's URL cache puts If-None-Match with the tag of its stored read on the "
        "PATCH as it does on reads: 412 although nobody has changed anything. Files that it has never read are renamed "
        "without such a field, with success."
    ),
)
def renames(stage: Stage) -> None:
    """Send what the cache has added."""
    names = {
        f"01PH{n}": {"name": f"Scan {n}.pdf", "file": {"mimeType": "application/pdf"}} for n in (21, 22, 23)
    }
    server = place.open_box(stage, microsoft.drive(names), "cheroot", "Microsoft Graph driveItem")
    agent = "Scanner/6.4 CFNetwork/1568.200.51 Darwin/24.1.0"
    me = stage.actor(
        "client",
        server,
        "graph.microsoft.example",
        "curl",
        place.bearer(agent, Accept_Language="de-DE,de;q=0.9"),
    )
    top = "/v1.0/me/drive"
    me.get(f"{top}/root/children")
    me.send("PATCH", f"{top}/items/01PH21", 200, None, {"name": "Rechnung Oktober.pdf"})
    tag = me.get(f"{top}/items/01PH22").etag
    place.rest(0.5)
    me.get(f"{top}/items/01PH22", 304, {"If-None-Match": tag})
    for _ in range(2):
        me.send(
            "PATCH", f"{top}/items/01PH22", 412, {"If-None-Match": tag}, {"name": "Rechnung November.pdf"}
        )
        place.rest(0.8)
        me.get(f"{top}/items/01PH22", 304, {"If-None-Match": tag})
    me.send("PATCH", f"{top}/items/01PH23", 200, None, {"name": "Mietvertrag.pdf"})


@case(
    "e051",
    "tia-tasks-closed-from-the-board",
    "token-missing",
    "400",
    alone="token-missing",
    synthetic=True,
    description=(
        "A kanban wall closes tasks of a plan by PATCH without If-Match: 400, 'must be specified for this kind of request'. "
        "Its other button, which assigns tasks, sends the tag that the list has shown and is answered 204."
    ),
)
def board(stage: Stage) -> None:
    """Leave the condition out."""
    tasks = {
        f"{name}AAx2jP0aUc": {"title": title}
        for name, title in (("Kq7", "Gerüst bestellen"), ("Vb1", "Putz prüfen"), ("Zt9", "Abnahme"))
    }
    server = place.open_box(stage, microsoft.planner(tasks), "cheroot", "Microsoft Graph Planner")
    me = stage.actor("client", server, "graph.microsoft.example", "httpx", place.bearer("bauwand/1.3"))
    plan = "/v1.0/planner/plans/xqQg5FS2LkCp935s-FIFm2QAFkHM/tasks"
    listed = me.get(plan).json["value"]
    for number, task in enumerate(listed):
        path = f"/v1.0/planner/tasks/{task['id']}"
        if number == 1:
            body = {
                "assignments": {
                    "u-71": {"@odata.type": "#microsoft.graph.plannerAssignment", "orderHint": " !"}
                }
            }
            me.send("PATCH", path, 204, {"If-Match": task["@odata.etag"]}, body)
            continue
        me.send("PATCH", path, 400, None, {"percentComplete": 100})
        place.rest(0.4)
    place.sure({one["percentComplete"] for one in me.get(plan).json["value"]} == {0})


@case(
    "e060",
    "tia-pools-scaled-one-after-the-other",
    "none",
    "healthy",
    alone="none",
    synthetic=True,
    description=(
        "A scaler changes two pools: each PUT carries the etag of the read, the pool goes to Updating and by itself to "
        "Succeeded, which moves its etag; the scaler polls until then and takes that etag for its next change."
    ),
)
def pools(stage: Stage) -> None:
    """Wait for what the service does."""
    server = place.open_box(
        stage, microsoft.clusters(("web", "batch"), 1.4), "cheroot", "Azure Kubernetes Service"
    )
    me = stage.actor(
        "client",
        server,
        "management.azure.example",
        "requests",
        place.bearer("scaler/2 azsdk-python-mgmt-containerservice/34"),
    )
    base = "/subscriptions/8c1e0b52-77aa-4c7f-9d0a-2b51c3f0e1aa/resourceGroups/shop/providers/Microsoft.ContainerService/managedClusters/aks-shop/agentPools"
    api = "api-version=2025-01-01"
    me.get(f"{base}?{api}")
    for name, count in (("web", 5), ("batch", 1), ("web", 6)):
        seen = me.get(f"{base}/{name}?{api}")
        me.put(f"{base}/{name}?{api}", {"properties": {"count": count}}, 200, {"If-Match": seen.etag})
        state = ""
        while state != "Succeeded":
            place.rest(0.6)
            state = me.get(f"{base}/{name}?{api}").json["properties"]["provisioningState"]
    place.sure(me.get(f"{base}/web?{api}").json["properties"]["count"] == 6)


@case(
    "e065",
    "tia-bill-of-lading-tagged-by-two",
    "other-writer",
    "412",
    alone="other-writer",
    synthetic=True,
    description=(
        "A forwarder's desk describes files under the etag of its read; a colleague has tagged one of them meanwhile: 412. "
        "The read that follows shows etag and modified_by of the colleague; the desk leaves it at that."
    ),
)
def lading(stage: Stage) -> None:
    """Come second."""
    files = {f"88120{n}": {"name": f"BL-{n}.pdf", "size": 88000 + n} for n in (3, 4, 5)}
    server = place.open_box(stage, suites.box(files), "cheroot", "Box")
    me = stage.actor(
        "client",
        server,
        "api.box.example",
        "requests",
        {**place.bearer("box-python-sdk-3.13.0"), "X-User": "ines@reederei.example"},
    )
    other = stage.actor(
        "other",
        server,
        "api.box.example",
        "node:fetch",
        {**place.bearer("box-node-sdk/3.8"), "X-User": "tomasz@reederei.example"},
    )
    me.get("/2.0/folders/0/items?limit=100")
    mine = {key: me.get(f"/2.0/files/{key}") for key in files}
    theirs = other.get("/2.0/files/881204").json
    other.put("/2.0/files/881204", {"tags": ["zoll", "geprueft"]}, 200, {"if-match": theirs["etag"]})
    place.rest(1.0)
    for key, seen in mine.items():
        status = 412 if key == "881204" else 200
        me.put(
            f"/2.0/files/{key}",
            {"description": "Verschiffung KW 49"},
            status,
            {"if-match": seen.json["etag"]},
        )
    now = me.get("/2.0/files/881204").json
    place.sure(now["modified_by"]["login"].startswith("tomasz") and now["description"] == "")


@case(
    "e049",
    "tia-described-after-it-was-deleted",
    "target-missing",
    "412",
    alone="target-missing",
    synthetic=True,
    description=(
        "An archive sets descriptions from a list that it read at first; one file was deleted since by another user. With "
        "if-match that is told as 412 'has been modified'; the read is 404 and the list has one entry less."
    ),
)
def archive(stage: Stage) -> None:
    """Describe what is gone."""
    files = {f"70455{n}": {"name": f"Karte {n}.tif", "size": 1200000 + n} for n in (1, 2, 3, 4)}
    server = place.open_box(stage, suites.box(files), "cheroot", "Box")
    me = stage.actor("client", server, "api.box.example", "java", place.bearer("box-java-sdk/4.16"))
    other = stage.actor("other", server, "api.box.example", "curl", place.bearer("curl/8.5.0"))
    listed = me.get("/2.0/folders/0/items?limit=100").json["entries"]
    other.send("DELETE", "/2.0/files/704553", 204)
    place.rest(0.9)
    for entry in listed:
        gone = entry["id"] == "704553"
        me.put(
            f"/2.0/files/{entry['id']}",
            {"description": "Blatt Harz"},
            412 if gone else 200,
            {"if-match": entry["etag"]},
        )
        if gone:
            me.get("/2.0/files/704553", 404)
    place.sure(me.get("/2.0/folders/0/items?limit=100").json["total_count"] == 3)
