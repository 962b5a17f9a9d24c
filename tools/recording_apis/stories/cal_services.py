"""More stories on imitations of products in use."""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from tools.recording_apis.apps.cal_books import Books, stamp
from tools.recording_apis.apps.vic_core import Box, Doc, Req, Res
from tools.recording_apis.stage import case
from tools.recording_apis.stories import cal_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.stage import Stage


_REFUSED = {
    "resourceType": "OperationOutcome",
    "issue": [
        {
            "severity": "error",
            "code": "conflict",
            "details": {"text": "If-Unmodified-Since: precondition failed"},
        }
    ],
}


@case(
    "d517",
    "cal-two-edits-of-a-pipeline-file",
    "unconditional-write",
    "lost-update",
    alone="unconditional-write none",
    synthetic=True,
    description=(
        "Two people edit a file through a GitLab API (imitation) from the same version, and neither sends the "
        "last_commit_id that the read offers: the second commit undoes the first, and both are told 200."
    ),
)
def pipeline(stage: Stage) -> None:
    """Commit over a commit."""
    path = "/api/v4/projects/51/repository/files/ci%2Fdeploy.yml"
    books = Books({"deploy": "replicas: 2\ntimeout: 60\n"}, 40)

    def commit(doc: Doc) -> str:
        return doc.digest("sha1")

    @books.on("GET", "/api/v4/projects/51/repository/files/ci/deploy.yml")
    def read(_req: Req) -> Res:
        doc = books.rows["deploy"]
        told = {
            "file_path": "ci/deploy.yml",
            "ref": "main",
            "content": doc.data,
            "last_commit_id": commit(doc),
        }
        return Res(200, told, {"X-Gitlab-Last-Commit-Id": commit(doc)})

    @books.on("PUT", "/api/v4/projects/51/repository/files/ci/deploy.yml")
    def write(req: Req) -> Res:
        if req.json.get("last_commit_id") not in {None, commit(books.rows["deploy"])}:
            return Res(
                400,
                {
                    "message": "You are attempting to update a file that has changed since you started editing it."
                },
            )
        books.keep("deploy", req.json["content"], req.json["author_name"])
        return Res(200, {"file_path": "ci/deploy.yml", "branch": "main"})

    @books.on("GET", "/api/v4/projects/51/repository/commits")
    def commits(_req: Req) -> Res:
        doc = books.rows["deploy"]
        told = [
            {"id": commit(one), "author_name": one.by, "committed_date": stamp(one.at)}
            for one in (doc, *reversed(doc.past))
        ]
        return Res(200, told)

    server = place.open_box(stage, books, "tornado", "GitLab")
    me = stage.actor(
        "client", server, "git.works.test", "requests", {"PRIVATE-TOKEN": "x", "User-Agent": "bump/2"}
    )
    other = stage.actor("other", server, "git.works.test", "curl", {"PRIVATE-TOKEN": "y"})
    base, theirs = me.get(f"{path}?ref=main"), other.get(f"{path}?ref=main")
    me.get("/api/v4/projects/51/repository/commits")
    place.usual(books, me, "/api/v4/projects/51", "/api/v4/projects/51/merge_requests")
    body = {"branch": "main", "commit_message": "Wait longer", "author_name": "Dana"}
    other.put(path, {**body, "content": theirs.json["content"].replace("60", "180")}, 200)
    place.rest(0.7)
    body = {"branch": "main", "commit_message": "More replicas", "author_name": "bump"}
    me.put(path, {**body, "content": base.json["content"].replace("2", "4")}, 200)
    place.sure("timeout: 60" in me.get(f"{path}?ref=main").json["content"])
    me.get("/api/v4/projects/51/repository/commits")
    other.get(f"{path}?ref=main")


@case(
    "d484",
    "cal-compared-after-the-commit",
    "post-commit-412",
    "412",
    alone="post-commit-412",
    synthetic=True,
    description=(
        "A service on Spring Data REST (imitation) compares If-Unmodified-Since with the time of the version it has just "
        "stored: the first and only PUT is 412, and the read after it shows the program's own content, each time."
    ),
)
def after_commit(stage: Stage) -> None:
    """Be refused by one's own version."""
    docs = {f"/subscribers/{n}": {"name": f"subscriber {n}", "plan": "basic"} for n in (5, 6, 7)}
    box = Box(docs, lambda _path, doc: f'"{doc.rev}"', dates=True, first=0)

    def put(req: Req) -> Res | None:
        if req.method != "PUT":
            return None
        doc = box.store(req.path, req.json, "rest")
        since = parsedate_to_datetime(req.fields["if-unmodified-since"]).timestamp()
        return Res(412) if int(doc.at) > since else Res(204, b"", box.marks(req.path, doc))

    box.before.append(put)
    server = place.open_box(stage, box, "stdlib", "Spring Data REST")
    me = stage.actor("client", server, "crm.telco.test", "java", {"Accept": "application/hal+json"})
    me.get("/subscribers")
    place.watch(me, ["/subscribers/5", "/subscribers/7"], 1)
    for number, plan in ((6, "family"), (7, "pro")):
        seen = me.get(f"/subscribers/{number}")
        since = {"If-Unmodified-Since": seen.fields["last-modified"]}
        me.put(f"/subscribers/{number}", {**seen.json, "plan": plan}, 412, since)
        place.rest(0.5)
        now = me.get(f"/subscribers/{number}")
        place.sure(now.json["plan"] == plan and now.etag != seen.etag)
    me.get("/subscribers/5", 304, {"If-None-Match": me.get("/subscribers/5").etag})


@case(
    "d514",
    "cal-chart-takes-no-iso-date",
    "bad-date",
    "412",
    alone="bad-date",
    synthetic=True,
    description=(
        "An app for a medical record (after Canvas) sends meta.lastUpdated, an ISO date, as If-Unmodified-Since; the "
        "server cannot read it and refuses every update with 412. The Last-Modified of the same read is accepted."
    ),
)
def iso(stage: Stage) -> None:
    """Send an ISO date."""
    docs = {
        f"/Appointment/{n}": {"resourceType": "Appointment", "status": "booked"} for n in ("a1", "a2", "a3")
    }
    box = Box(docs, dates=True, say={412: _REFUSED})

    def show(_req: Req, path: str, doc: Doc) -> Res:
        return Res(
            200,
            {**doc.data, "meta": {"versionId": str(doc.rev), "lastUpdated": stamp(doc.at)}},
            box.marks(path, doc),
        )

    box.show = show
    box.unchanged = lambda since, doc: "GMT" in since and Box.not_later(since, doc)
    server = place.open_box(stage, box, "falcon", "Canvas Medical")
    me = stage.actor("client", server, "fumage.practice.test", "requests", {"User-Agent": "frontdesk/4"})
    me.get("/Appointment")
    for name in ("a1", "a2", "a3"):
        since = {"If-Modified-Since": me.get(f"/Appointment/{name}").fields["last-modified"]}
        me.get(f"/Appointment/{name}", 304, since)
    for name in ("a2", "a3", "a2"):
        seen = me.get(f"/Appointment/{name}")
        since = {"If-Unmodified-Since": seen.json["meta"]["lastUpdated"]}
        me.put(f"/Appointment/{name}", {**seen.json, "status": "arrived"}, 412, since)
        place.rest(0.4)
    since = {"If-Unmodified-Since": seen.fields["last-modified"]}
    me.put("/Appointment/a2", {**seen.json, "status": "arrived"}, 200, since)
    me.get("/Appointment/a1")
