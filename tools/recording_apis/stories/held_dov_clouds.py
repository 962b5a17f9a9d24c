"""Stories on APIs in use, imitated as their documentation says, and one real store."""

from __future__ import annotations

import base64
import hashlib
import time
from functools import partial
from typing import TYPE_CHECKING, Any

from tools.recording_apis.apps.vic_core import Box, Req, Res, Versions
from tools.recording_apis.stage import case
from tools.recording_apis.stories import vic_setting as place

if TYPE_CHECKING:
    from collections.abc import Callable

    from tools.recording_apis.apps.vic_core import Doc
    from tools.recording_apis.stage import Stage


def _google(code: int, reason: str, message: str, **more: str) -> Res:
    one = {"domain": "global", "reason": reason, "message": message, **more}
    return Res(code, {"error": {"code": code, "message": message, "errors": [one]}})


def _print(value: Any) -> str:
    return base64.b64encode(hashlib.sha1(repr(value).encode()).digest()[:8]).decode()  # noqa: S324


def _instances(box: Box) -> None:
    def show(_req: Req, _path: str, doc: Doc) -> Res:
        seen = {**doc.data, "labelFingerprint": _print(doc.data["labels"])}
        seen["metadata"] = {**doc.data["metadata"], "fingerprint": _print(doc.data["metadata"])}
        return Res(200, seen)

    def act(req: Req) -> Res | None:
        if req.method != "POST":
            return None
        path, _, verb = req.path.rpartition("/")
        doc, asked = box.docs[path], req.json
        part, name = ("labels", "labelFingerprint") if verb == "setLabels" else ("metadata", "fingerprint")
        if asked.get(name) != _print(doc.data[part]):
            said = "Supplied fingerprint does not match current metadata fingerprint."
            if part == "labels":
                said = "Labels fingerprint either invalid or resource labels have changed"
            return _google(412, "conditionNotMet", said, locationType="header", location="If-Match")
        box.store(
            path, {**doc.data, part: asked["labels"] if part == "labels" else {"items": asked["items"]}}, "me"
        )
        return Res(
            200, {"kind": "compute#operation", "operationType": verb, "status": "DONE", "progress": 100}
        )

    box.show = show
    box.listing = lambda req, _path, below: Res(
        200, {"kind": "compute#instanceList", "items": [show(req, p, d).body for p, d in below.items()]}
    )
    box.before.append(act)


@case(
    "e401",
    "dov-labels-under-the-metadata-fingerprint",
    "wrong-token-source",
    "412",
    alone="wrong-token-source",
    synthetic=True,
    description=(
        "Compute instances: a tagging script sends setLabels with metadata.fingerprint instead of labelFingerprint, both "
        "of which stand in the instance it has just read: 412 conditionNotMet for each; setMetadata passes with it."
    ),
)
def labels(stage: Stage) -> None:
    """Take the fingerprint beside the right one."""
    root = "/compute/v1/projects/render-lab/zones/europe-west4-b/instances"
    docs = {
        f"{root}/farm-{n}": {
            "kind": "compute#instance",
            "name": f"farm-{n}",
            "status": "RUNNING",
            "labels": {"team": "fx", "n": str(n)},
            "metadata": {"items": [{"key": "boot", "value": f"v{n}"}]},
        }
        for n in (1, 2, 3)
    }
    box = Box(docs)

    _instances(box)
    server = place.open_box(stage, box, "flask", "Google Compute Engine")
    auth = {"Authorization": "Bearer ya29.example", "X-Goog-Api-Client": "gl-python/3.11 gax/2.19"}
    me = stage.actor("client", server, "compute.googleapis.com", "requests", auth)
    me.get(root)
    for n in (1, 2):
        seen = me.get(f"{root}/farm-{n}").json
        more = {"items": [*seen["metadata"]["items"], {"key": "owner", "value": "fx"}]}
        me.send(
            "POST",
            f"{root}/farm-{n}/setMetadata",
            200,
            None,
            {**more, "fingerprint": seen["metadata"]["fingerprint"]},
        )
        for _ in range(2):
            seen = me.get(f"{root}/farm-{n}").json
            body = {
                "labels": {**seen["labels"], "cost": "c17"},
                "labelFingerprint": seen["metadata"]["fingerprint"],
            }
            me.send("POST", f"{root}/farm-{n}/setLabels", 412, None, body)
            place.rest(0.4)
    me.get(f"{root}/farm-3")


def _page(_req: Req, path: str, doc: Doc) -> Res:
    version = {
        "number": doc.rev,
        "by": {"displayName": doc.by},
        "when": time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(doc.at)),
    }
    body = {"storage": {"value": doc.data["html"], "representation": "storage"}}
    return Res(
        200,
        {
            "id": path.rpartition("/")[2],
            "type": "page",
            "title": "Release",
            "version": version,
            "body": body,
        },
    )


@case(
    "e405",
    "dov-page-number-up-text-old",
    "blind-refresh",
    "lost-update",
    alone="blind-refresh",
    synthetic=True,
    description=(
        "Confluence: a release bot renders a page from what it read in the morning, reads the page again only for the "
        "version, adds one and saves; the on-call table that an editor had added, as that reading shows, is gone."
    ),
)
def page(stage: Stage) -> None:
    """Read only for the number."""
    box = Versions(
        {f"/wiki/rest/api/content/{n}": {"html": f"<p>Release {n}</p>", "by": "docs"} for n in (98311, 98402)}
    )

    box.show = _page
    box.sent = lambda req: req.json["version"]["number"] - 1
    box.change = lambda req, _doc: {"html": req.json["body"]["storage"]["value"]}
    box.say[409] = {"statusCode": 409, "message": "Version must be incremented on update."}
    server = place.open_box(stage, box, "bottle", "Confluence")
    me = stage.actor("client", server, "wiki.foundry.test", "node:axios", {"X-User": "release-bot"})
    other = stage.actor("other", server, "wiki.foundry.test", "httpx", {"X-User": "Noor"})

    def save(who: Any, number: str, seen: Any, html: str) -> Any:
        body = {"version": {"number": seen["version"]["number"] + 1}, "type": "page", "title": "Release"}
        return who.put(
            f"/wiki/rest/api/content/{number}", {**body, "body": {"storage": {"value": html}}}, 200
        )

    box.fixed["/wiki/rest/api/space/REL"] = Res(
        200, {"id": 65538, "key": "REL", "name": "Releases", "type": "global"}
    )
    known = {"type": "known", "username": "release-bot", "displayName": "Release Bot"}
    box.fixed["/wiki/rest/api/user/current"] = Res(200, known)
    place.aside(box, me, "/wiki/rest/api/space/REL", "/wiki/rest/api/user/current")
    morning = {n: me.get(f"/wiki/rest/api/content/{n}").json for n in ("98311", "98402")}
    theirs = other.get("/wiki/rest/api/content/98402").json
    save(other, "98402", theirs, "<p>Release 98402</p><table><tr><td>On call: Noor</td></tr></table>")
    place.rest(0.9)
    for number, base in morning.items():
        now = me.get(f"/wiki/rest/api/content/{number}?expand=version,body.storage").json
        save(me, number, now, base["body"]["storage"]["value"] + "<p>Build 771 shipped</p>")
        place.rest(0.3)
    place.sure("On call" not in me.get("/wiki/rest/api/content/98402").text)


@case(
    "e408",
    "dov-poller-keeps-tags-without-quotes",
    "malformed-validator",
    "missing-304",
    alone="malformed-validator",
    synthetic=True,
    description=(
        "GitHub's REST API: a dashboard keeps the tags in a table without their W/ and quotes and polls with the bare "
        "hex: always 200 with the same tag, and the rate limit falls; one route, which keeps the field whole, gets 304."
    ),
)
def poller(stage: Stage) -> None:
    """Lose the quotes on the way to a table."""
    repo = "/repos/kornfeld/muehle"
    docs = {
        f"{repo}/{n}": {"kind": n, "items": [n, 3]} for n in ("issues", "pulls", "releases", "milestones")
    }
    box = Box(docs, lambda _p, doc: f'W/"{doc.digest("sha256")}"')
    used: list[int] = []

    def limited(_req: Req, res: Res) -> None:
        if res.status != 304:
            used.append(1)
        res.fields |= {
            "X-RateLimit-Limit": "60",
            "X-RateLimit-Remaining": str(60 - len(used)),
            "Vary": "Accept",
        }
        res.fields |= {"Cache-Control": "public, max-age=60, s-maxage=60", "X-GitHub-Media-Type": "github.v3"}

    box.after.append(limited)
    server = place.open_box(stage, box, "starlette", "GitHub REST")
    fields = {"Accept": "application/vnd.github+json", "User-Agent": "wandtafel/2"}
    me = stage.actor("client", server, "api.github.com", "httpx", fields)
    names = ("issues", "pulls", "releases", "milestones")
    tags = {n: me.get(f"{repo}/{n}").etag for n in names}
    for _ in range(4):
        place.rest(0.5)
        for n in names:
            whole = n == "releases"
            sent = tags[n] if whole else tags[n].removeprefix("W/").strip('"')
            got = me.get(f"{repo}/{n}", 304 if whole else 200, {"If-None-Match": sent})
            place.sure(got.etag == tags[n])


@case(
    "e412",
    "dov-entry-form-saves-field-by-field",
    "self-race",
    "409",
    alone="self-race",
    synthetic=True,
    description=(
        "Contentful: a form's two fields each save the entry on leaving, with the same X-Contentful-Version, the second "
        "before the first is answered: 200 and 409 VersionMismatch within a tenth of a second, in one session, twice."
    ),
)
def entry(stage: Stage) -> None:
    """Save two fields at once."""
    root = "/spaces/ab12cd/environments/master/entries"
    docs = {
        f"{root}/{n}": {"fields": {"title": {"nl": n}, "intro": {"nl": "-"}}}
        for n in ("tulp", "narcis", "krokus")
    }
    box = Versions(docs, "X-Contentful-Version", "header", first=6)

    def show(_req: Req, path: str, doc: Doc) -> Res:
        own = {
            "id": path.rpartition("/")[2],
            "type": "Entry",
            "version": doc.rev,
            "updatedBy": {"sys": {"id": doc.by}},
        }
        return Res(
            200, {"sys": own, **doc.data}, {"Content-Type": "application/vnd.contentful.management.v1+json"}
        )

    box.show = show
    box.say[409] = {"sys": {"type": "Error", "id": "VersionMismatch"}, "message": "", "requestId": "f0c1"}
    box.done.append(lambda _req, _path: place.rest(0.15))
    server = place.open_box(stage, box, "falcon", "Contentful Management")
    me = stage.actor(
        "client", server, "api.contentful.com", "httpx", {"Authorization": "Bearer CFPAT-example"}
    )
    types = [{"sys": {"id": "bloem", "type": "ContentType", "version": 2}, "name": "Bloem"}]
    array = {"sys": {"type": "Array"}, "total": 1, "skip": 0, "limit": 100, "items": types}
    box.fixed["/spaces/ab12cd/environments/master/content_types"] = Res(200, array)
    box.fixed["/users/me"] = Res(200, {"sys": {"type": "User", "id": "7Bsn"}, "firstName": "Anouk"})
    place.aside(box, me, "/spaces/ab12cd/environments/master/content_types", "/users/me")
    for name in ("tulp", "krokus"):
        seen = me.get(f"{root}/{name}").json
        guard = {"X-Contentful-Version": str(seen["sys"]["version"])}
        bodies = [
            {"fields": {**seen["fields"], "title": {"nl": name.upper()}}},
            {"fields": {**seen["fields"], "intro": {"nl": "Vroeg in het jaar"}}},
        ]
        got = place.at_once(
            *(partial(me.put, f"{root}/{name}", one, (200, 409), guard) for one in bodies), apart=0.05
        )
        place.sure(sorted(one.status for one in got) == [200, 409])
        place.rest(0.6)
        me.get(f"{root}/narcis")
    me.get(f"{root}/tulp")


@case(
    "e414",
    "dov-two-task-updates-in-one-second",
    "date-precision",
    "lost-update",
    alone="date-precision",
    synthetic=True,
    description=(
        "A FHIR service that knows dates only, as Canvas does: between a nurse's reading and her update, within the same "
        "second, another update lands; Last-Modified is the same text, If-Unmodified-Since passes, and the note is lost."
    ),
)
def tasks(stage: Stage) -> None:
    """Be overtaken within a second."""
    docs = {
        f"/Task/t{n}": {"resourceType": "Task", "id": f"t{n}", "status": "requested", "note": []}
        for n in (4, 5, 6)
    }
    box = Box(
        docs, dates=True, say={412: {"resourceType": "OperationOutcome", "issue": [{"code": "conflict"}]}}
    )
    server = place.open_box(stage, box, "aiohttp", "Canvas Medical FHIR")
    fields = {"Accept": "application/fhir+json", "Authorization": "Bearer nurse"}
    me = stage.actor("client", server, "fumage.clinic.test", "requests", fields)
    other = stage.actor(
        "other", server, "fumage.clinic.test", "httpx", {**fields, "Authorization": "Bearer intake"}
    )
    name = [{"family": "Ortega", "given": ["Inés"]}]
    box.fixed["/Patient/p17"] = Res(200, {"resourceType": "Patient", "id": "p17", "name": name})
    box.fixed["/Practitioner/n3"] = Res(200, {"resourceType": "Practitioner", "id": "n3", "active": True})
    place.aside(box, me, "/Patient/p17", "/Practitioner/n3")
    me.get("/Task/t4")
    for _ in range(2):
        time.sleep(1.05 - time.time() % 1)
        seen = other.get("/Task/t5")
        since = {"If-Unmodified-Since": seen.fields["last-modified"]}
        first = other.put("/Task/t5", {**seen.json, "status": "accepted"}, 200, since)
        mine = me.get("/Task/t5")
        since = {"If-Unmodified-Since": first.fields["last-modified"]}
        other.put("/Task/t5", {**first.json, "note": [{"text": "fasting since six"}]}, 200, since)
        seen = me.get("/Task/t5")
        place.sure(seen.fields["last-modified"] == mine.fields["last-modified"] and seen.body != mine.body)
        since = {"If-Unmodified-Since": mine.fields["last-modified"]}
        me.put("/Task/t5", {**mine.json, "status": "in-progress"}, 200, since)
        place.rest(0.5)
        place.sure("fasting" not in me.get("/Task/t5").text)
    calm = me.get("/Task/t6")
    me.put(
        "/Task/t6",
        {**calm.json, "status": "done"},
        200,
        {"If-Unmodified-Since": calm.fields["last-modified"]},
    )


def _item_tag(path: str, doc: Doc) -> str:
    return f'"{{{path[-5:]}-77AF}},{doc.rev}"'


def _drive(box: Box) -> Callable[[Req, str, Doc], Res]:
    def show(_req: Req, path: str, doc: Doc) -> Res:
        more = {key: one for key, one in doc.data.items() if key not in {"c", "by"}}
        head = {
            "id": path.rpartition("/")[2],
            "eTag": _item_tag(path, doc),
            "cTag": f'"c:{{{path[-5:]}}},{doc.data["c"]}"',
        }
        return Res(
            200, {**head, **more, "lastModifiedBy": doc.data["by"], "size": 31044}, box.marks(path, doc)
        )

    box.show = show
    box.matches = lambda value, path, doc, **_more: value == _item_tag(path, doc)
    box.answer_write = lambda req, path, doc, _made: show(req, path, doc)
    box.say[412] = {
        "error": {"code": "resourceModified", "message": "ETag does not match current item's value"}
    }

    def upload(req: Req) -> Res | None:
        if not req.path.endswith("/content"):
            return None
        path = req.path.removesuffix("/content")
        old = box.docs[path].data
        return show(req, path, box.store(path, {**old, "c": old["c"] + 1}, "me"))

    box.before.append(upload)
    return show


@case(
    "e417",
    "dov-photo-gets-its-details-later",
    "server-side-mutation",
    "412",
    alone="server-side-mutation",
    synthetic=True,
    description=(
        "Microsoft Graph: a moment after a photo is stored the service writes its camera details itself (lastModifiedBy "
        "is an application), the content tag stays, the eTag moves; renaming with the eTag of the upload is 412."
    ),
)
def photo(stage: Stage) -> None:
    """Be overtaken by the service."""
    root = "/v1.0/me/drive/items"
    docs = {
        f"{root}/01A{n}": {"name": f"IMG_{n}.jpg", "c": n, "by": {"user": {"displayName": "Lidia"}}}
        for n in (71, 72, 73)
    }
    box = Box(docs, _item_tag)

    show = _drive(box)
    server = place.open_box(stage, box, "cheroot", "Microsoft Graph driveItem")
    me = stage.actor(
        "client", server, "graph.microsoft.com", "node:fetch", {"Authorization": "Bearer EwB-example"}
    )
    drive = {"id": "b!9x", "driveType": "personal", "quota": {"used": 81044, "total": 5368709120}}
    box.fixed["/v1.0/me/drive"] = Res(200, drive)
    rows = [show(Req("GET", p, {}, b""), p, d).body for p, d in box.docs.items()]
    box.fixed["/v1.0/me/drive/root/children"] = Res(
        200, {"value": [{k: r[k] for k in ("id", "name", "eTag")} for r in rows]}
    )
    place.aside(box, me, "/v1.0/me/drive", "/v1.0/me/drive/root/children?$select=id,name,eTag")
    for n in (71, 72):
        path = f"{root}/01A{n}"
        seen = me.get(path).json
        stored = me.put(
            f"{path}/content",
            b"\xff\xd8\xff\xe0 photo",
            200,
            {"If-Match": seen["eTag"], "Content-Type": "image/jpeg"},
        ).json
        place.rest(0.6)
        details = {
            "photo": {"cameraMake": "Fuji", "iso": 200},
            "by": {"application": {"displayName": "Media Service"}},
        }
        with box.lock:
            box.store(path, {**box.docs[path].data, **details}, "service")
        place.rest(0.4)
        me.send("PATCH", path, 412, {"If-Match": stored["eTag"]}, {"name": f"Ostern {n}.jpg"})
        now = me.get(path).json
        place.sure(now["cTag"] == stored["cTag"] and now["eTag"] != stored["eTag"])
    seen = me.get(f"{root}/01A73").json
    me.send("PATCH", f"{root}/01A73", 200, {"If-Match": seen["eTag"]}, {"name": "Ostern 73.jpg"})
