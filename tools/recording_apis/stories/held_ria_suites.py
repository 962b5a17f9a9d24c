"""Suites and clouds with versions of their own: imitations after their documentation."""

from __future__ import annotations

import base64
import threading
import time
from typing import Any

from tools.recording_apis import fronts
from tools.recording_apis.apps.ria_ground import Ask, Reply, serve
from tools.recording_apis.stage import Stage, case
from tools.recording_apis.stories.ria_setting import need, rest


@case(
    "b862",
    "ria-contentful-two-editors",
    "other-writer",
    "409",
    alone="other-writer",
    synthetic=True,
    description=(
        "A script and an editor change one Contentful entry: the script's X-Contentful-Version 12 is answered 409 "
        "VersionMismatch; the entry is at 13, by the editor, with another headline."
    ),
)
def contentful(stage: Stage) -> None:
    """Meet an editor's change at a versioned entry."""
    entry: dict[str, Any] = {"sys": {"id": "hero", "version": 12, "updatedBy": {"id": "script"}}}
    entry["fields"] = {"headline": {"de": "Winter"}, "cta": {"de": "Mehr"}}

    def handle(ask: Ask) -> Reply:
        if ask.method == "GET":
            return Reply(200, entry if ask.path.endswith("hero") else {"total": 1, "items": [entry["sys"]]})
        if ask.fields.get("x-contentful-version") != str(entry["sys"]["version"]):
            details = {"type": "Error", "id": "VersionMismatch"}
            return Reply(409, {"sys": details, "requestId": f"{time.time_ns():x}"})
        by = {"id": ask.fields["authorization"].rpartition("-")[2]}
        entry["sys"] = {"id": "hero", "version": entry["sys"]["version"] + 1, "updatedBy": by}
        entry["fields"] = ask.json["fields"]
        return Reply(200, entry)

    server = serve(stage, handle, "uvicorn", "Contentful")
    kind = {"Content-Type": "application/vnd.contentful.management.v1+json"}
    me = stage.actor(
        "client", server, "api.contentful.test", "node:fetch", {**kind, "Authorization": "Bearer cf-script"}
    )
    other = stage.actor(
        "other", server, "api.contentful.test", "requests", {**kind, "Authorization": "Bearer cf-mara"}
    )
    path = "/spaces/s1/environments/master/entries"
    me.get(path)
    seen = me.get(f"{path}/hero").json
    other.get(f"{path}/hero")
    theirs = {"fields": {**seen["fields"], "headline": {"de": "Advent, Advent"}}}
    other.put(f"{path}/hero", theirs, 200, {"X-Contentful-Version": "12"})
    rest(1.0)
    mine = {"fields": {**seen["fields"], "cta": {"de": "Jetzt ansehen"}}}
    me.put(f"{path}/hero", mine, 409, {"X-Contentful-Version": str(seen["sys"]["version"])})
    need(me.get(f"{path}/hero").json["sys"]["updatedBy"]["id"] == "mara", "another hand")


@case(
    "b864",
    "ria-confluence-page-published-twice",
    "stale-stored-token",
    "409",
    alone="stale-stored-token",
    synthetic=True,
    description=(
        "A documentation build publishes a Confluence page and adds a table to it at the end. The second PUT carries "
        "version 18 again, though the answer to the first said 18: 409; the page is the build's own."
    ),
)
def confluence(stage: Stage) -> None:
    """Send the same next version twice."""
    page: dict[str, Any] = {
        "id": "9911",
        "type": "page",
        "title": "API limits",
        "version": {"number": 17, "by": "build"},
    }
    page["body"] = {"storage": {"value": "<p>Old</p>", "representation": "storage"}}

    def handle(ask: Ask) -> Reply:
        if ask.method == "GET":
            return Reply(200, page if ask.path.endswith("9911") else {"results": [{"id": "9911"}], "size": 1})
        sent = ask.json
        if sent["version"]["number"] != page["version"]["number"] + 1:
            words = f"Version must be incremented on update. Current version is: {page['version']['number']}"
            return Reply(409, {"statusCode": 409, "message": words, "reason": "Conflict"})
        page.update(sent, version={"number": sent["version"]["number"], "by": "build"})
        return Reply(200, page)

    front = fronts.apache(stage, serve(stage, handle, "waitress"))
    me = stage.actor("client", front, "wiki.firma.test", "requests", {"Authorization": "Bearer build-7"})
    me.get("/rest/api/content?spaceKey=DOC&title=API+limits")
    number = me.get("/rest/api/content/9911").json["version"]["number"] + 1
    body = "<p>New limits</p>"
    for status in (200, 409):
        storage = {"storage": {"value": body, "representation": "storage"}}
        new = {
            "id": "9911",
            "type": "page",
            "title": "API limits",
            "version": {"number": number},
            "body": storage,
        }
        me.put("/rest/api/content/9911", new, status)
        body += "<table><tr><td>GET</td><td>600</td></tr></table>"
        rest(0.7)
    need(
        me.get("/rest/api/content/9911").json["body"]["storage"]["value"] == "<p>New limits</p>",
        "another page",
    )


@case(
    "b865",
    "ria-bucket-may-not-be-public",
    "nonprecondition-412",
    "412",
    alone="nonprecondition-412",
    synthetic=True,
    description=(
        "A script makes objects public in a Cloud Storage bucket with public access prevention: 412 with reason "
        "conditionNotMet and a text about allUsers, though no precondition was sent; for a domain the same call works."
    ),
)
def public(stage: Stage) -> None:
    """Be refused by a rule that looks like a condition."""

    def handle(ask: Ask) -> Reply:
        if ask.method == "GET":
            return Reply(200, {"kind": "storage#objects", "items": [{"name": "a.png", "generation": "1795"}]})
        if ask.json["entity"] == "allUsers":
            words = "The member bindings allUsers and allAuthenticatedUsers are not allowed since public access prevention is enforced."
            inner = {"message": words, "domain": "global", "reason": "conditionNotMet"}
            return Reply(412, {"error": {"code": 412, "message": words, "errors": [inner]}})
        return Reply(200, {"kind": "storage#objectAccessControl", **ask.json, "etag": "CKih16=="})

    server = serve(stage, handle, "flask", "UploadServer")
    me = stage.actor("client", server, "storage.gcs.test", "httpx", {"Authorization": "Bearer ya29.web"})
    me.get("/storage/v1/b/site/o")
    for name in ("a.png", "b.png", "a.png"):
        me.send(
            "POST", f"/storage/v1/b/site/o/{name}/acl", 412, None, {"entity": "allUsers", "role": "READER"}
        )
    me.send(
        "POST", "/storage/v1/b/site/o/a.png/acl", 200, None, {"entity": "domain-acme.test", "role": "READER"}
    )


@case(
    "b866",
    "ria-iam-policy-set-without-its-etag",
    "unconditional-write",
    "lost-update",
    alone="none unconditional-write",
    synthetic=True,
    description=(
        "A provisioning script sets a project's IAM policy without the etag that it had read; the binding that an "
        "administrator added a second before is gone. The service would have compared the etag."
    ),
)
def policy(stage: Stage) -> None:
    """Set a policy over a colleague's."""
    state: dict[str, Any] = {
        "etag": "BwWWja0YfJA=",
        "version": 1,
        "bindings": [{"role": "roles/viewer", "members": ["user:ann"]}],
    }

    def handle(ask: Ask) -> Reply:
        if ask.path.endswith(":getIamPolicy"):
            return Reply(200, state)
        if ask.method == "GET":
            return Reply(
                200, {"projectId": "acme", "lifecycleState": "ACTIVE", "name": ask.path.rpartition("/")[2]}
            )
        sent = ask.json["policy"]
        if sent.get("etag") not in {None, state["etag"]}:
            words = "There were concurrent policy changes. Please retry the whole read-modify-write with exponential backoff."
            return Reply(409, {"error": {"code": 409, "message": words, "status": "ABORTED"}})
        state.update(sent, etag="BwW" + base64.b64encode(str(time.time_ns()).encode()).decode()[-9:])
        return Reply(200, state)

    server = serve(stage, handle, "aiohttp", "ESF")
    me = stage.actor(
        "client", server, "resourcemanager.gcp.test", "requests", {"Authorization": "Bearer ya29.prov"}
    )
    other = stage.actor(
        "other", server, "resourcemanager.gcp.test", "urllib", {"Authorization": "Bearer ya29.admin"}
    )
    path = "/v1/projects/acme"
    me.get(path)
    seen = me.send("POST", f"{path}:getIamPolicy", 200, None, {}).json
    me.get("/v1/projects/acme-test")
    theirs = other.send("POST", f"{path}:getIamPolicy", 200, None, {}).json
    more = [*theirs["bindings"], {"role": "roles/owner", "members": ["group:oncall"]}]
    other.send("POST", f"{path}:setIamPolicy", 200, None, {"policy": {**theirs, "bindings": more}})
    rest(0.9)
    mine = [*seen["bindings"], {"role": "roles/logging.viewer", "members": ["serviceAccount:prov"]}]
    me.send("POST", f"{path}:setIamPolicy", 200, None, {"policy": {"version": 1, "bindings": mine}})
    me.get(path)
    rest(0.3)
    need("oncall" not in other.send("POST", f"{path}:getIamPolicy", 200, None, {}).text, "nothing was lost")


@case(
    "b868",
    "ria-drive-works-on-an-uploaded-picture",
    "server-side-mutation",
    "412",
    alone="server-side-mutation",
    synthetic=True,
    description=(
        "A phone uploads a picture to a drive and renames it with the eTag of the answer; the drive has meanwhile "
        "read the picture's data and counted the eTag on (lastModifiedBy: Media Processing). Content and cTag are equal."
    ),
)
def drive(stage: Stage) -> None:
    """Meet the service's own change."""
    guid = "{7C4A3E15-9B2D-4C1F}"
    item: dict[str, Any] = {
        "id": "01ABC",
        "name": "IMG_2231.jpg",
        "eTag": f'"{guid},1"',
        "cTag": f'"c:{guid},1"',
        "size": 18,
    }

    def process(count: int) -> None:
        item.update(
            eTag=f'"{guid},{count}"',
            photo={"cameraMake": "Fairphone", "takenDateTime": "2026-11-27T03:58:00Z"},
        )
        item["lastModifiedBy"] = {"application": {"displayName": "Media Processing"}}

    def handle(ask: Ask) -> Reply:
        if ask.method == "GET":
            return Reply(200, item)
        if ask.method == "PUT":
            item["lastModifiedBy"] = {"user": {"displayName": "Kim Oster"}}
            threading.Timer(0.3, process, (2,)).start()
            return Reply(201, item, {"ETag": item["eTag"]})
        if ask.fields.get("if-match") != item["eTag"]:
            inner = {"code": "resourceModified", "message": "ETag does not match current item's value"}
            return Reply(412, {"error": inner})
        item.update(ask.json, eTag=f'"{guid},3"')
        return Reply(200, item)

    server = serve(stage, handle, "uvicorn", "Microsoft-IIS/10.0")
    me = stage.actor("client", server, "graph.drive.test", "aiohttp", {"Authorization": "Bearer eyJ0.phone"})
    up = me.put(
        "/v1.0/me/drive/root:/Camera/IMG_2231.jpg:/content",
        b"\xff\xd8\xff\xe0fake jpeg 18b",
        201,
        {"Content-Type": "image/jpeg"},
    ).json
    rest(0.9)
    path, name = "/v1.0/me/drive/items/01ABC", {"name": "Kaimauer.jpg"}
    me.send("PATCH", path, 412, {"If-Match": up["eTag"]}, name)
    seen = me.get(path).json
    need(seen["cTag"] == up["cTag"] and seen["eTag"] != up["eTag"], "not by the service")
    me.send("PATCH", path, 200, {"If-Match": seen["eTag"]}, name)
