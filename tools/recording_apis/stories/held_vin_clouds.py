"""Stories on clouds: Compute Engine, Azure DevOps, Cosmos DB, Graph, GitLab."""

from __future__ import annotations

import base64
import hashlib
import time
from typing import TYPE_CHECKING, Any

from tools.recording_apis.apps.vin_core import Desk, Req, Res
from tools.recording_apis.stage import case
from tools.recording_apis.stories import held_vin_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.stage import Stage


def _compute() -> Desk:
    desk = Desk({"Vary": "Origin, X-Origin, Referer", "X-Frame-Options": "SAMEORIGIN"})
    state: dict[str, Any] = {"labels": {"env": "prod"}, "n": 0}
    base = "/compute/v1/projects/nordlys-prod/zones/europe-north1-b"

    def mark() -> str:
        return (
            base64.urlsafe_b64encode(hashlib.md5(str(state["labels"]).encode()).digest()[:6]).decode()  # noqa: S324
            + "Wo="
        )

    def operation(status: str) -> dict[str, Any]:
        return {"kind": "compute#operation", "name": f"operation-17327{state['n']:04d}-62", "operationType": "setLabels",
                "status": status, "progress": 100 if status == "DONE" else 0, "user": "tf@nordlys-prod.iam",
                "targetLink": f"https://www.googleapis.com{base}/instances/etl-1"}  # fmt: skip

    @desk.on("GET", f"{base}/instances/etl-1")
    def read(_req: Req) -> Any:
        return {"kind": "compute#instance", "id": "5212071144120", "name": "etl-1", "status": "RUNNING",
                "labels": state["labels"], "labelFingerprint": mark(), "fingerprint": "kQv0m2sXyZ8=",
                "metadata": {"kind": "compute#metadata", "fingerprint": "r1b9T0sKxQ4=", "items": []}}  # fmt: skip

    @desk.on("POST", f"{base}/instances/etl-1/setLabels")
    def labels(req: Req) -> Any:
        sent = req.json
        if sent.get("labelFingerprint") != mark():
            said = "Labels fingerprint either invalid or resource labels have changed"
            why = {"message": said, "domain": "global", "reason": "conditionNotMet", "location": "If-Match",
                   "locationType": "header"}  # fmt: skip
            return Res(412, {"error": {"code": 412, "message": said, "errors": [why]}})
        state["labels"], state["n"] = sent["labels"], state["n"] + 1
        return operation("RUNNING")

    @desk.on("GET", f"{base}/operations/(.+)")
    def done(_req: Req, _name: str) -> Any:
        return operation("DONE")

    disk = {"name": "etl-1", "sizeGb": "200", "labels": {"env": "prod"}, "labelFingerprint": "42WmSpB8rSM="}
    desk.fixed(f"{base}/disks", {"kind": "compute#diskList", "items": [disk]})
    desk.fixed(
        "/compute/v1/projects/nordlys-prod/zones", {"items": [{"name": "europe-north1-b", "status": "UP"}]}
    )
    desk.fixed(f"{base}/machineTypes/e2-standard-4", {"name": "e2-standard-4", "guestCpus": 4})
    return desk


@case(
    "e122",
    "vin-label-fingerprint-of-the-plan",
    "stale-stored-token",
    "412",
    alone="stale-stored-token",
    synthetic=True,
    description=(
        "An inventory tool sets labels of a VM twice in one run, both times with the labelFingerprint of its plan, though "
        "the instance that it read after the first operation showed another: 412 conditionNotMet. Nobody else writes."
    ),
)
def compute(stage: Stage) -> None:
    """Keep the first fingerprint."""
    server = place.open_box(stage, _compute(), "tornado", "Compute Engine")
    always = {"Authorization": "Bearer ya29.a0", "x-goog-api-client": "gl-node/20 gdcl/7"}
    me = stage.actor("client", server, "compute.nordlys.example", "node:fetch", always)
    base = "/compute/v1/projects/nordlys-prod/zones/europe-north1-b"
    me.get("/compute/v1/projects/nordlys-prod/zones?maxResults=500")
    me.get(f"{base}/disks?filter=labels.env%3Dprod")
    plan = me.get(f"{base}/instances/etl-1").json
    me.get(f"{base}/machineTypes/e2-standard-4")
    body = {"labels": {"env": "prod", "owner": "data"}, "labelFingerprint": plan["labelFingerprint"]}
    op = me.send("POST", f"{base}/instances/etl-1/setLabels", 200, None, body).json
    place.rest(0.4)
    me.get(f"{base}/operations/{op['name']}")
    place.sure(me.get(f"{base}/instances/etl-1").json["labelFingerprint"] != plan["labelFingerprint"])
    place.rest(0.6)
    body = {
        "labels": {"env": "prod", "owner": "data", "cost": "c-71"},
        "labelFingerprint": plan["labelFingerprint"],
    }
    me.send("POST", f"{base}/instances/etl-1/setLabels", 412, None, body)
    me.get(f"{base}/instances/etl-1")


def _wiki() -> Desk:
    desk = Desk({"X-TFS-ProcessId": "c1c1f9b2-0c5f-4bb0-9f6d-32b19f4a3e11", "ActivityId": "e2c5a0aa"})
    pages = {"/Runbooks": "# Runbooks\n", "/Runbooks/Failover": "# Failover\n\n1. Freeze writes\n",
             "/Runbooks/Restore": "# Restore\n"}  # fmt: skip

    def tag(path: str) -> str:
        return '"' + hashlib.sha1((path + pages[path]).encode()).hexdigest() + '"'  # noqa: S324

    def shown(path: str) -> dict[str, Any]:
        below = [{"path": one, "order": n} for n, one in enumerate(pages) if one.startswith(path + "/")]
        return {"path": path, "order": 0, "gitItemPath": f"{path}.md", "isParentPage": bool(below), "subPages": below,
                "id": 40 + len(path), "content": pages[path]}  # fmt: skip

    @desk.on("GET", "/infra/platform/_apis/wiki/wikis/platform.wiki/pages")
    def read(req: Req) -> Any:
        path = req.query["path"]
        return Res(200, shown(path), {"ETag": tag(path)})

    @desk.on("PUT", "/infra/platform/_apis/wiki/wikis/platform.wiki/pages")
    def write(req: Req) -> Any:
        path = req.query["path"]
        if req.fields.get("if-match") != tag(path):
            said = f"The page '{path}' specified in the update operation has changed since it was last read."
            return Res(412, {"$id": "1", "innerException": None, "message": said, "errorCode": 0, "eventId": 3000,
                             "typeName": "Microsoft.TeamFoundation.Wiki.Server.WikiPageHasConflictsException",
                             "typeKey": "WikiPageHasConflictsException"})  # fmt: skip
        pages[path] = req.json["content"]
        return Res(200, shown(path), {"ETag": tag(path)})

    desk.fixed("/infra/_apis/projects", {"count": 1, "value": [{"name": "platform", "state": "wellFormed"}]})
    return desk


@case(
    "e149",
    "vin-wiki-subpage-with-the-tag-of-its-parent",
    "wrong-token-source",
    "412",
    alone="wrong-token-source",
    synthetic=True,
    description=(
        "A job that writes runbooks into an Azure DevOps wiki saves one page well, and another with the ETag of the parent "
        "page, which it had read last: 412 WikiPageHasConflictsException though the page is as it was read."
    ),
)
def wiki(stage: Stage) -> None:
    """Send the parent's tag."""
    server = place.open_box(stage, _wiki(), "aiohttp", "Azure DevOps")
    me = stage.actor("client", server, "devops.netz.example", "requests", {"Authorization": "Basic OnBhdA=="})
    base, api = (
        "/infra/platform/_apis/wiki/wikis/platform.wiki/pages?path=",
        "&includeContent=true&api-version=7.1",
    )
    me.get("/infra/_apis/projects?api-version=7.1")
    restore = me.get(f"{base}/Runbooks/Restore{api}")
    text = {"content": restore.json["content"] + "\n1. Pick a snapshot\n"}
    me.put(f"{base}/Runbooks/Restore&api-version=7.1", text, 200, {"If-Match": restore.etag})
    child = me.get(f"{base}/Runbooks/Failover{api}")
    parent = me.get(f"{base}/Runbooks&recursionLevel=oneLevel{api}")
    text = {"content": child.json["content"] + "2. Promote the standby\n"}
    place.rest(0.8)
    me.put(f"{base}/Runbooks/Failover&api-version=7.1", text, 412, {"If-Match": parent.etag})
    again = me.get(f"{base}/Runbooks/Failover{api}")
    place.sure(again.etag == child.etag)


def _cosmos() -> tuple[Desk, dict[str, Any]]:
    desk = Desk(
        {"x-ms-version": "2018-12-31", "x-ms-gatewayversion": "version=2.14.0", "x-ms-schemaversion": "1.19"}
    )
    first = {"id": "meter-0417", "pk": "hall-3", "kwh": 8110, "readings": 12, "_rid": "q1tLAN==", "_ts": int(time.time()) - 900,
             "_etag": '"0a00d1c2-0000-0d00-0000-6740f1c20000"', "_self": "dbs/q1tLAA==/colls/q1tLAN=/docs/q1tLAN==/"}  # fmt: skip
    state: dict[str, Any] = {"lead": first, "behind": first, "lsn": 20411, "seen": 20411, "days": []}

    @desk.on("GET", "/dbs/plant/colls/meters/docs/meter-0417")
    def read(req: Req) -> Any:
        eventual = req.fields.get("x-ms-consistency-level") == "Eventual"
        doc, lsn = (state["behind"], state["seen"]) if eventual else (state["lead"], state["lsn"])
        return Res(200, doc, {"etag": doc["_etag"], "x-ms-session-token": f"0:-1#{lsn}", "lsn": str(lsn),
                              "x-ms-request-charge": "1", "x-ms-activity-id": f"6a0e-{desk.count}"})  # fmt: skip

    @desk.on("PUT", "/dbs/plant/colls/meters/docs/meter-0417")
    def write(req: Req) -> Any:
        if req.fields.get("if-match") not in (None, state["lead"]["_etag"]):
            return Res(
                412,
                {"code": "PreconditionFailed", "message": "One of the specified pre-condition is not met"},
            )
        state["lsn"] += 1
        own = {key: value for key, value in req.json.items() if not key.startswith("_")}
        etag = f'"0a00{state["lsn"]:04x}-0000-0d00-0000-6740f9{state["lsn"] % 256:02x}0000"'
        state["lead"] = {**first, **own, "_etag": etag, "_ts": int(time.time())}
        return Res(200, state["lead"], {"etag": etag, "x-ms-session-token": f"0:-1#{state['lsn']}",
                                        "lsn": str(state["lsn"]), "x-ms-request-charge": "10.67"})  # fmt: skip

    @desk.on("POST", "/dbs/plant/colls/days/docs")
    def day(req: Req) -> Any:
        return Res(201, {**req.json, "_etag": '"0c00aa01-0000-0d00-0000-6740f9aa0000"'})

    desk.fixed(
        "/dbs/plant/colls/meters", {"id": "meters", "partitionKey": {"paths": ["/pk"], "kind": "Hash"}}
    )
    return desk, state


@case(
    "e139",
    "vin-eventual-read-behind-the-own-write",
    "replica-lag",
    "stale-read",
    alone="replica-lag",
    synthetic=True,
    description=(
        "A meter service replaces a document in Cosmos DB and is answered with its new _etag and session token; its eventual "
        "reads afterwards give the older _etag and a lower session token for some seconds, and the day's sum is made from "
        "it, before the new one shows. No cache is on the way, nothing is refused."
    ),
)
def cosmos(stage: Stage) -> None:
    """Read behind the own write."""
    desk, state = _cosmos()
    server = place.open_box(stage, desk, "waitress", "Cosmos DB")
    always = {"Authorization": "type%3dmaster%26ver%3d1.0", "x-ms-version": "2018-12-31",
              "x-ms-documentdb-partitionkey": '["hall-3"]'}  # fmt: skip
    me = stage.actor("client", server, "plant.documents.example", "httpx", always)
    path, eventual = "/dbs/plant/colls/meters/docs/meter-0417", {"x-ms-consistency-level": "Eventual"}
    me.get("/dbs/plant/colls/meters")
    seen = me.get(path)
    body = {**seen.json, "kwh": 8342, "readings": 13}
    mine = me.put(path, body, 200, {"If-Match": seen.etag})
    for _ in range(3):
        place.rest(0.4)
        old = me.get(path, 200, eventual)
        place.sure(old.json["_etag"] == seen.json["_etag"] != mine.json["_etag"])
    me.send(
        "POST",
        "/dbs/plant/colls/days/docs",
        201,
        None,
        {"id": "2026-11-28", "pk": "hall-3", "kwh": old.json["kwh"]},
    )
    state["behind"], state["seen"] = state["lead"], state["lsn"]
    place.rest(0.5)
    place.sure(me.get(path, 200, eventual).json["kwh"] == 8342)


@case(
    "e142",
    "vin-delta-link-of-last-month",
    "token-expired",
    "410",
    alone="token-expired",
    synthetic=True,
    description=(
        "A directory sync asks Graph for changes of groups with the delta link of its state file: 410 syncStateNotFound with "
        "a Location to begin anew; the full round that follows ends in a fresh delta link, which works."
    ),
)
def delta(stage: Stage) -> None:
    """Come back too late."""
    desk = Desk({"request-id": "0d7b6a11-71d0-4a1e-8c7e-9f3c5be0a001", "OData-Version": "4.0"})
    root = "http://graph.klinikum.example/v1.0"

    @desk.on("GET", "/v1.0/groups/delta")
    def changes(req: Req) -> Any:
        token, skip = req.query.get("$deltatoken"), req.query.get("$skiptoken")
        if token and token.startswith("Bq7"):
            said = ("The sync state is older than the server keeps changes for, and the token has expired. "
                    "Start a full synchronization.")  # fmt: skip
            inner = {"date": place.stamp(), "request-id": "0d7b6a11-71d0-4a1e-8c7e-9f3c5be0a001"}
            return Res(410, {"error": {"code": "syncStateNotFound", "message": said, "innerError": inner}},
                       {"Location": f"{root}/groups/delta?$select=displayName,members"})  # fmt: skip
        rows = [
            {"id": f"6f1e{n}0aa", "displayName": name}
            for n, name in enumerate(("Pflege Nord", "Labor", "IT"))
        ]
        page = {"@odata.context": f"{root}/$metadata#groups(displayName,members)"}
        if token:
            return {
                **page,
                "value": [],
                "@odata.deltaLink": f"{root}/groups/delta?$deltatoken=Kx9-{desk.count}",
            }
        if skip:
            return {
                **page,
                "value": rows[2:],
                "@odata.deltaLink": f"{root}/groups/delta?$deltatoken=Kx9-{desk.count}",
            }
        return {**page, "value": rows[:2], "@odata.nextLink": f"{root}/groups/delta?$skiptoken=p2"}

    desk.fixed("/v1.0/organization", {"value": [{"id": "org-1", "displayName": "Klinikum"}]})
    desk.fixed("/v1.0/users/delta", {"value": [], "@odata.deltaLink": f"{root}/users/delta?$deltatoken=Kx7"})
    server = place.open_box(stage, desk, "flask", "Microsoft Graph")
    me = stage.actor("client", server, "graph.klinikum.example", "urllib", {"Authorization": "Bearer eyJ0.x"})
    me.get("/v1.0/organization")
    me.get("/v1.0/users/delta?$deltatoken=Kx6")
    me.get("/v1.0/groups/delta?$deltatoken=Bq7kPz0x1mR", 410)
    place.rest(0.5)
    me.get("/v1.0/groups/delta?$select=displayName,members")
    link = me.get("/v1.0/groups/delta?$skiptoken=p2").json["@odata.deltaLink"]
    place.rest(0.9)
    me.get("/v1.0" + link.partition("/v1.0")[2])


def _forge() -> Desk:
    desk = Desk({"X-Gitlab-Meta": '{"correlation_id":"01JDQ","version":"1"}', "Vary": "Origin"})
    past: list[dict[str, Any]] = []

    def commit(text: str, title: str, author: str) -> None:
        sha = hashlib.sha1(f"{text}{len(past)}".encode()).hexdigest()  # noqa: S324
        past.insert(0, {"id": sha, "short_id": sha[:8], "title": title, "author_name": author,
                        "created_at": place.stamp(), "text": text})  # fmt: skip

    commit("replicas: 2\nimage: 5.0.1\n", "Import", "Mette")
    base = "/api/v4/projects/318/repository"

    @desk.on("GET", f"{base}/files/deploy/values.yaml")
    def read(_req: Req) -> Any:
        text = past[0]["text"]
        content = base64.b64encode(text.encode()).decode()
        return Res(200, {"file_name": "values.yaml", "file_path": "deploy/values.yaml", "size": len(text),
                         "encoding": "base64", "content_sha256": hashlib.sha256(text.encode()).hexdigest(),
                         "ref": "main", "blob_id": past[0]["id"][::-1], "commit_id": past[0]["id"],
                         "last_commit_id": past[0]["id"], "content": content},
                   {"X-Gitlab-Last-Commit-Id": past[0]["id"]})  # fmt: skip

    @desk.on("PUT", f"{base}/files/deploy/values.yaml")
    def write(req: Req) -> Any:
        sent = req.json
        if sent.get("last_commit_id") not in (None, past[0]["id"]):
            return Res(
                400,
                {
                    "message": "You are attempting to update a file that has changed since you started editing it."
                },
            )
        commit(sent["content"], sent["commit_message"], sent.get("author_name", "bot"))
        return {"file_path": "deploy/values.yaml", "branch": "main"}

    @desk.on("GET", f"{base}/commits")
    def commits(_req: Req) -> Any:
        return [{key: value for key, value in one.items() if key != "text"} for one in past]

    desk.fixed("/api/v4/user", {"id": 9, "username": "release-bot", "bot": True})
    desk.fixed("/api/v4/projects/318/pipelines", [{"id": 8811, "ref": "main", "status": "success"}])
    desk.fixed(f"{base}/branches/main", {"name": "main", "protected": True, "can_push": True})
    desk.fixed(
        "/api/v4/projects/318", {"id": 318, "path_with_namespace": "ops/havn", "default_branch": "main"}
    )
    return desk


@case(
    "e152",
    "vin-values-file-committed-over-another",
    "unconditional-write",
    "lost-update",
    alone="unconditional-write",
    synthetic=True,
    description=(
        "A release bot reads a values file with its last_commit_id from GitLab and puts the changed text back without it; "
        "a colleague's commit in between, which the list of commits shows, is undone by the bot's."
    ),
)
def forge(stage: Stage) -> None:
    """Commit over a colleague."""
    server = place.open_box(stage, _forge(), "bottle", "GitLab")
    me = stage.actor("client", server, "git.havn.example", "java", {"PRIVATE-TOKEN": "glpat-bot"})
    other = stage.actor("other", server, "git.havn.example", "node:fetch", {"PRIVATE-TOKEN": "glpat-mette"})
    base = "/api/v4/projects/318"
    path = f"{base}/repository/files/deploy%2Fvalues.yaml"
    me.get(base)
    me.get("/api/v4/user")
    me.get(f"{base}/repository/branches/main")
    me.get(f"{base}/pipelines?ref=main&per_page=1")
    held = base64.b64decode(me.get(f"{path}?ref=main").json["content"]).decode()
    theirs = other.get(f"{path}?ref=main").json
    body = {"branch": "main", "author_name": "Mette", "commit_message": "Four replicas for Friday",
            "content": "replicas: 4\nimage: 5.0.1\n", "last_commit_id": theirs["last_commit_id"]}  # fmt: skip
    other.put(path, body, 200)
    place.rest(1.3)
    body = {"branch": "main", "author_name": "release-bot", "commit_message": "Release 5.1.0",
            "content": held.replace("5.0.1", "5.1.0")}  # fmt: skip
    me.put(path, body, 200)
    seen = me.get(f"{base}/repository/commits?path=deploy/values.yaml").json
    place.sure([one["author_name"] for one in seen] == ["release-bot", "Mette", "Mette"])
    me.get(f"{path}?ref=main")
