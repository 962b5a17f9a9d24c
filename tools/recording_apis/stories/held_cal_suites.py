"""Pipelines, plans, policies and repositories."""

from __future__ import annotations

import base64
import time
from functools import partial
from typing import TYPE_CHECKING, Any

from tools.recording_apis import fronts
from tools.recording_apis.apps.cal_apis import Api, Req, Res, Row, guid, hashed, instant
from tools.recording_apis.stage import case
from tools.recording_apis.stories import held_cal_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.actors import Actor, Answer
    from tools.recording_apis.stage import Stage


_GO = "application/vnd.go.cd.v11+json"


def _gocd() -> Api:
    rows = {
        n: Row(
            {
                "label_template": "${COUNT}",
                "lock_behavior": "none",
                "name": n,
                "group": "ship",
                "stages": [
                    {"name": "build", "fetch_materials": True, "jobs": [{"name": "make", "timeout": 20}]}
                ],
            }
        )
        for n in ("hull", "rigging", "sails")
    }
    api = Api(
        lambda _req: {
            "X-Runtime-ms": "14",
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "max-age=0, private, must-revalidate",
        },
        _GO + "; charset=utf-8",
    )
    api.say("GET", "/go/api/version", {"version": "19.3.0", "build_number": "8959"})

    def tag(name: str) -> str:
        return hashed(rows[name].data, "sha256")

    def shown(name: str) -> dict[str, Any]:
        return {
            "_links": {"self": {"href": f"http://go.wharf.example/go/api/admin/pipelines/{name}"}},
            **rows[name].data,
        }

    @api.on("GET", "/go/api/dashboard")
    def board(_req: Req) -> Res:
        return Res(
            200,
            {
                "_embedded": {
                    "pipelines": [
                        {
                            "name": n,
                            "locked": False,
                            "can_operate": True,
                            "pause_info": {"paused": False, "pause_reason": None},
                        }
                        for n in rows
                    ]
                }
            },
        )

    @api.on("GET", "/go/api/admin/pipelines/([a-z]+)")
    def one(_req: Req, name: str) -> Res:
        return Res(200, shown(name), {"ETag": f'"{tag(name)}"'})

    @api.on("PUT", "/go/api/admin/pipelines/([a-z]+)")
    def put(req: Req, name: str) -> Res:
        if req.fields.get("if-match", "").strip('"') != tag(name):
            return Res(
                412,
                {
                    "message": f"Someone has modified the configuration for pipeline '{name}'. Please update your copy of the config with the changes.",
                    "data": {},
                },
            )
        rows[name].set({k: v for k, v in req.json.items() if k != "_links"})
        return Res(200, shown(name), {"ETag": f'"{tag(name)}"'})

    return api


@case(
    "e360",
    "cal-pipeline-editor-asks-for-gzip",
    "etag-suffix-rewrite",
    "412",
    alone="etag-suffix-rewrite",
    synthetic=True,
    description="A script edits GoCD pipelines behind an Apache that compresses with DeflateAlterETag's default: the reads that ask for gzip carry hash-gzip, the update with it is 412; the pipeline that it reads without compression is saved.",
)
def gocd(stage: Stage) -> None:
    """Echo a tag that the encoder extended."""
    server = place.open_box(stage, _gocd(), "cheroot", "GoCD")
    front = fronts.apache(stage, server, "AddOutputFilterByType DEFLATE application/vnd.go.cd.v11+json")
    head = {"Accept": _GO, "Authorization": "Bearer 6c2f0b"}
    me = stage.actor(
        "client", front, "go.wharf.example", "requests", {**head, "Accept-Encoding": "gzip, deflate"}
    )
    me.get("/go/api/version", headers={"Accept": "application/json"})
    me.get("/go/api/dashboard")
    seen = me.get("/go/api/admin/pipelines/rigging")
    place.sure("-gzip" in seen.etag, seen.etag)
    body = {**seen.json, "label_template": "rig-${COUNT}"}
    me.put("/go/api/admin/pipelines/rigging", body, 412, {"If-Match": seen.etag})
    me.get("/go/api/dashboard")
    plain = me.get("/go/api/admin/pipelines/sails", headers={"Accept-Encoding": "identity"})
    me.put(
        "/go/api/admin/pipelines/sails",
        {**plain.json, "lock_behavior": "lockOnFailure"},
        200,
        {"If-Match": plain.etag},
    )
    again = me.get("/go/api/admin/pipelines/rigging")
    me.put(
        "/go/api/admin/pipelines/rigging",
        {**again.json, "label_template": "rig-${COUNT}"},
        412,
        {"If-Match": again.etag},
    )
    place.sure(me.get("/go/api/admin/pipelines/rigging").json["label_template"] == "${COUNT}")


def _planner(tasks: dict[str, Row], details: dict[str, Row]) -> Api:
    api = Api(
        lambda _req: {
            "request-id": guid(str(time.time())),
            "OData-Version": "4.0",
            "Cache-Control": "no-cache",
            "x-ms-ags-diagnostic": '{"ServerInfo":{"DataCenter":"West Europe","Slice":"E","Ring":"5"}}',
        },
        "application/json;odata.metadata=minimal;charset=utf-8",
    )

    def tag(kind: str, row: Row) -> str:
        return f'W/"JzEt{kind}AgQEBAQEBAQEBAQEBAQEB{hashed(row.rev)[:3].upper()}AY="'

    kinds = {"tasks": (tasks, "VGFza"), "details": (details, "VGFzaERldGFpbH")}

    @api.on("GET", "/v1.0/planner/plans/([^/]+)/tasks")
    def listed(_req: Req, _plan: str) -> Res:
        return Res(
            200,
            {
                "@odata.count": len(tasks),
                "value": [{"@odata.etag": tag("VGFza", r), "id": k, **r.data} for k, r in tasks.items()],
            },
        )

    def part(req: Req, key: str, kind: str) -> Res:
        rows, mark = kinds[kind]
        row = rows[key]
        if req.method == "PATCH":
            if "if-match" not in req.fields:
                return Res(
                    400,
                    {
                        "error": {
                            "code": "",
                            "message": "The If-Match header must be specified for this kind of request.",
                        }
                    },
                )
            if req.fields["if-match"] != tag(mark, row):
                return Res(
                    412,
                    {
                        "error": {
                            "code": "",
                            "message": "The If-Match header contains an invalid value.",
                            "innerError": {"date": instant(time.time(), 0)[:-1], "request-id": guid(key)},
                        }
                    },
                )
            row.add(req.json)
            return Res(204)
        return Res(200, {"@odata.etag": tag(mark, row), "id": key, **row.data}, {"ETag": tag(mark, row)})

    api.on("GET|PATCH", "/v1.0/planner/tasks/([^/]+)/(details)")(part)
    api.on("GET|PATCH", "/v1.0/planner/tasks/([^/]+)")(partial(part, kind="tasks"))
    return api


@case(
    "e363",
    "cal-board-writes-notes-with-the-cards-tag",
    "wrong-token-source",
    "412",
    alone="wrong-token-source",
    synthetic=True,
    description="A board's client renames Planner tasks with the tag of the list, and that works; the notes go to the task's details with the very same tag (the task's, after a new read) and are refused with 412, as the details have a tag of their own.",
)
def planner(stage: Stage) -> None:
    """Send the card's tag for its notes."""
    keys = [f"{hashed(n, 'md5')[:20]}Lx6a" for n in "abc"]
    tasks = {
        k: Row({"planId": "xqQg5FS2LkCp935s", "title": t, "percentComplete": 0})
        for k, t in zip(keys, ("Order slate", "Hire crane", "Book inspector"), strict=True)
    }
    details = {k: Row({"description": "", "previewType": "automatic"}, 4) for k in keys}
    server = place.open_box(stage, _planner(tasks, details), "waitress", "Microsoft Planner")
    me = stage.actor(
        "client",
        server,
        "graph.dachwerk.example",
        "java",
        {"Authorization": "Bearer eyJ0eXAi", "Accept": "application/json"},
    )
    cards = me.get("/v1.0/planner/plans/xqQg5FS2LkCp935s/tasks").json["value"]
    me.send(
        "PATCH",
        f"/v1.0/planner/tasks/{keys[1]}",
        204,
        {"If-Match": cards[1]["@odata.etag"]},
        {"percentComplete": 50},
    )
    place.rest()
    me.get(f"/v1.0/planner/tasks/{keys[0]}/details")
    card: dict[str, Any] = {}
    for _turn in range(2):
        card = me.get(f"/v1.0/planner/tasks/{keys[0]}").json
        me.send(
            "PATCH",
            f"/v1.0/planner/tasks/{keys[0]}/details",
            412,
            {"If-Match": card["@odata.etag"]},
            {"description": "Welsh blue, 2.4 t"},
        )
        place.rest(0.5)
    me.send(
        "PATCH",
        f"/v1.0/planner/tasks/{keys[0]}",
        204,
        {"If-Match": card["@odata.etag"]},
        {"title": "Order slate (today)"},
    )
    place.sure(me.get(f"/v1.0/planner/tasks/{keys[0]}/details").json["description"] == "")


@case(
    "e367",
    "cal-grants-in-a-loop-with-one-etag",
    "retry-reuses-failed-token",
    "409",
    alone="retry-reuses-failed-token",
    also="other-writer",
    synthetic=True,
    description="A tool sets a Google project's IAM policy; another administrator's binding came between, and its loop sends the same policy with the same etag four times, waiting longer each time: 409 ABORTED each time, never another getIamPolicy.",
)
def iam(stage: Stage) -> None:
    """Insist with what was refused."""
    row = Row(
        {"bindings": [{"role": "roles/viewer", "members": ["group:crew@tern.example"]}], "version": 1}, 3
    )

    def etag() -> str:
        return f"BwY{hashed(row.rev)[:7]}M="

    api = Api(
        lambda _req: {
            "Vary": "Origin, X-Origin, Referer",
            "Server": "ESF",
            "X-XSS-Protection": "0",
            "X-Frame-Options": "SAMEORIGIN",
        },
        "application/json; charset=UTF-8",
    )
    api.say(
        "GET",
        "/v1/projects/tern-prod",
        {"projectNumber": "41822", "projectId": "tern-prod", "lifecycleState": "ACTIVE"},
    )
    api.say(
        "POST",
        "/v1/projects/tern-prod:testIamPermissions",
        {"permissions": ["resourcemanager.projects.setIamPolicy"]},
    )

    @api.on("POST", "/v1/projects/tern-prod:getIamPolicy")
    def get(_req: Req) -> Res:
        return Res(200, {**row.data, "etag": etag()})

    @api.on("POST", "/v1/projects/tern-prod:setIamPolicy")
    def put(req: Req) -> Res:
        policy = req.json["policy"]
        if policy.get("etag") and policy["etag"] != etag():
            text = f"There were concurrent policy changes. Please retry the whole read-modify-write with exponential backoff. The request's ETag '\\{policy['etag']}' did not match the current policy's ETag '\\{etag()}'."
            return Res(409, {"error": {"code": 409, "message": text, "status": "ABORTED"}})
        row.set({"bindings": policy["bindings"], "version": 1})
        return Res(200, {**row.data, "etag": etag()})

    server = place.open_box(stage, api, "cheroot", "Google IAM")
    site = "cloudresourcemanager.tern.example"
    me = stage.actor(
        "client",
        server,
        site,
        "requests",
        {"Authorization": "Bearer ya29.a", "x-goog-api-client": "gl-python/3.12 gapic/1.4"},
    )
    other = stage.actor("other", server, site, "java", {"Authorization": "Bearer ya29.b"})
    base = "/v1/projects/tern-prod"
    me.get(base)
    me.send(
        "POST",
        base + ":testIamPermissions",
        200,
        body={"permissions": ["resourcemanager.projects.setIamPolicy"]},
    )
    mine = me.send("POST", base + ":getIamPolicy", 200, body={}).json
    theirs = other.send("POST", base + ":getIamPolicy", 200, body={}).json
    theirs["bindings"].append({"role": "roles/logging.viewer", "members": ["user:ines@tern.example"]})
    other.send("POST", base + ":setIamPolicy", 200, body={"policy": theirs})
    mine["bindings"].append(
        {"role": "roles/storage.admin", "members": ["serviceAccount:sync@tern-prod.iam.gserviceaccount.com"]}
    )
    for pause in (0.4, 0.8, 1.6, 0.1):
        me.send("POST", base + ":setIamPolicy", 409, body={"policy": mine})
        place.rest(pause)
    me.get(base)


@case(
    "e388",
    "cal-notices-committed-beside-each-other",
    "coarse-token-scope",
    "409",
    alone="coarse-token-scope",
    also="other-writer",
    synthetic=True,
    description="A publisher puts a notice by GitHub's contents API with the blob's right sha, but a colleague's commit to another file moves the branch meanwhile: 409, main is at one commit but expected another; it comes again with another neighbour, and the commits list shows that only other paths were touched.",
)
def notices(stage: Stage) -> None:
    """Be refused for a neighbour's sake."""
    files = {"notices/fire.md": "Fire drill\n", "notices/water.md": "Water off\n", "menu.md": "Soup\n"}
    commits: list[dict[str, Any]] = [
        {"sha": hashed("c0"), "commit": {"message": "start"}, "files": list(files)}
    ]
    api = Api(
        lambda _req: {
            "X-GitHub-Media-Type": "github.v3; format=json",
            "X-GitHub-Request-Id": hashed(time.time())[:20].upper(),
            "X-RateLimit-Remaining": str(4900 - api.count),
            "Server": "GitHub.com",
        },
        "application/json; charset=utf-8",
    )
    base = "/repos/hall/site"

    def blob(path: str) -> str:
        return hashed(f"blob {len(files[path])}\0{files[path]}")

    @api.on("GET", base + "/commits")
    def listed(_req: Req) -> Res:
        return Res(200, [{k: one[k] for k in ("sha", "commit", "files")} for one in reversed(commits)])

    @api.on("GET|PUT", base + "/contents/(.+)")
    def contents(req: Req, path: str) -> Res:
        if req.method == "GET":
            text = base64.b64encode(files[path].encode()).decode()
            return Res(
                200,
                {
                    "name": path.rpartition("/")[2],
                    "path": path,
                    "sha": blob(path),
                    "type": "file",
                    "encoding": "base64",
                    "content": text,
                },
                {"ETag": f'"{blob(path)}"'},
            )
        head = commits[-1]["sha"]
        if req.json.get("sha") != blob(path):
            return Res(
                409,
                {
                    "message": f"{path} does not match {req.json.get('sha')}",
                    "documentation_url": "https://docs.github.com/rest/repos/contents#create-or-update-file-contents",
                    "status": "409",
                },
            )
        if "notices" in path:
            time.sleep(0.35)
        if commits[-1]["sha"] != head:
            return Res(
                409,
                {
                    "message": f"is at {commits[-1]['sha']} but expected {head}",
                    "documentation_url": "https://docs.github.com/rest/repos/contents#create-or-update-file-contents",
                    "status": "409",
                },
            )
        files[path] = base64.b64decode(req.json["content"]).decode()
        commits.append(
            {
                "sha": hashed(f"c{len(commits)}"),
                "commit": {
                    "message": req.json["message"],
                    "author": {"name": req.fields["x-author"], "date": instant(time.time(), 0)},
                },
                "files": [path],
            }
        )
        return Res(200, {"content": {"path": path, "sha": blob(path)}, "commit": commits[-1]})

    server = place.open_box(stage, api, "cheroot", "GitHub contents")
    me = stage.actor(
        "client",
        server,
        "api.forge.example",
        "node:axios",
        {"Authorization": "token ghs_a", "Accept": "application/vnd.github+json", "X-Author": "porter"},
    )
    other = stage.actor(
        "other", server, "api.forge.example", "httpx", {"Authorization": "token ghs_b", "X-Author": "kitchen"}
    )

    def put(who: Actor, path: str, text: str, sha: str, expect: int) -> Answer:
        return who.put(
            f"{base}/contents/{path}",
            {
                "message": f"Update {path}",
                "branch": "main",
                "sha": sha,
                "content": base64.b64encode(text.encode()).decode(),
            },
            expect,
        )

    me.get(base + "/commits?per_page=5")
    water = me.get(base + "/contents/notices/water.md?ref=main").json
    put(me, "notices/water.md", "Water back\n", water["sha"], 200)
    fire = me.get(base + "/contents/notices/fire.md?ref=main").json
    for soup in ("Barley\n", "Lentil\n"):
        menu = other.get(base + "/contents/menu.md").json
        place.at_once(
            partial(put, me, "notices/fire.md", "Fire drill at 10\n", fire["sha"], 409),
            partial(put, other, "menu.md", soup, menu["sha"], 200),
            apart=0.15,
        )
        place.rest(0.5)
        place.sure(me.get(base + "/contents/notices/fire.md?ref=main").json["sha"] == fire["sha"])
    me.get(base + "/commits?per_page=5")
