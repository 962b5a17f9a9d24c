"""Stories on imitated APIs in use: health, estates, files, learning, notes, content, search, code, wikis."""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING, Any

from tools.recording_apis.apps.vic_core import Box, Doc, Req, Res
from tools.recording_apis.stage import case
from tools.recording_apis.stories import vic_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.stage import Stage


def _md5(_path: str, doc: Doc) -> str:
    return f'"{doc.digest()}"'


def _registry() -> Box:
    number = {"system": "urn:mrn", "value": "7734"}
    docs = {
        f"/fhir/Patient/{i}": {"resourceType": "Patient", "id": i, "identifier": [number]}
        for i in ("p1", "p2")
    }
    docs["/fhir/Patient/p3"] = {
        "resourceType": "Patient",
        "id": "p3",
        "identifier": [{"system": "urn:mrn", "value": "8001"}],
    }
    box = Box(docs, lambda _path, doc: f'W/"{doc.rev}"')

    def found(value: str) -> list[str]:
        return [
            path
            for path, doc in box.docs.items()
            if doc.data["identifier"][0]["value"] == value.rpartition("|")[2]
        ]

    def conditional(req: Req) -> Res | None:
        if req.path != "/fhir/Patient" or "identifier" not in req.query:
            return None
        paths = found(req.query["identifier"])
        if req.safe:
            entries = [{"resource": box.docs[path].data} for path in paths]
            return Res(
                200, {"resourceType": "Bundle", "type": "searchset", "total": len(paths), "entry": entries}
            )
        if len(paths) > 1:
            text = "Failed to UPDATE Patient with match URL because this search matched 2 resources"
            issue = {"severity": "error", "code": "multiple-matches", "diagnostics": text}
            return Res(
                412,
                {"resourceType": "OperationOutcome", "issue": [issue]},
                {"Content-Type": "application/fhir+json"},
            )
        doc = box.store(paths[0], req.json, req.who)
        return Res(200, doc.data, {"ETag": f'W/"{doc.rev}"'})

    box.before.append(conditional)
    return box


@case(
    "d309",
    "vic-fhir-two-patients-with-one-number",
    "multi-match",
    "412",
    alone="multi-match",
    synthetic=True,
    description=(
        "A FHIR server refuses a conditional update by an identifier that two patients have, with an OperationOutcome; "
        "the search shows both. For another number, which one patient has, the same kind of update passes."
    ),
)
def patients(stage: Stage) -> None:
    """Update by a criterion that two fit."""
    number = {"system": "urn:mrn", "value": "7734"}
    box = _registry()
    server = place.open_box(stage, box, "cheroot", "FHIR server")
    me = stage.actor(
        "client",
        server,
        "fhir.hospital.example",
        "httpx",
        {"Accept": "application/fhir+json", "User-Agent": "adt-feed/3"},
    )
    place.aside(box, me, "/fhir/metadata", "/fhir/Organization/o1")
    me.get("/fhir/Patient/p3")
    person = {"resourceType": "Patient", "identifier": [number], "name": [{"family": "Okoro"}]}
    me.put("/fhir/Patient?identifier=urn:mrn|7734", person, 412)
    place.rest(0.5)
    place.aside(box, me, "/fhir/Encounter?status=planned")
    me.put("/fhir/Patient?identifier=urn:mrn|7734", person, 412)
    place.sure(me.get("/fhir/Patient?identifier=urn:mrn|7734").json["total"] == 2)
    other = {
        "resourceType": "Patient",
        "id": "p3",
        "identifier": [{"system": "urn:mrn", "value": "8001"}],
        "active": True,
    }
    me.put("/fhir/Patient?identifier=urn:mrn|8001", other, 200)


@case(
    "d310",
    "vic-reapit-quotes-lost",
    "malformed-validator",
    "412",
    alone="malformed-validator",
    synthetic=True,
    description=(
        "Reapit wants the tag with its quotes; the program's HTTP helper strips them, and each patch of an applicant "
        "is refused though the hash is the current one. A patch that a colleague's script sends with quotes passes."
    ),
)
def quotes(stage: Stage) -> None:
    """Send a tag without its quotes."""
    docs = {f"/applicants/OXF2{n}": {"id": f"OXF2{n}", "notes": "", "active": True} for n in (1, 2, 3)}
    box = Box(docs, lambda _path, doc: f'"{doc.digest().upper()}"', need=400)
    box.say = {
        412: {
            "statusCode": 412,
            "dateTime": "2026-11-27T09:12:44Z",
            "description": "The ETag provided does not match the current version.",
        }
    }
    server = place.open_box(stage, box, "waitress", "Reapit Foundations")
    always = {"reapit-customer": "SBOX", "api-version": "2020-01-31"}
    me = stage.actor("client", server, "platform.estates.example", "node:axios", always)
    other = stage.actor("other", server, "platform.estates.example", "requests", always)
    place.aside(box, me, "/offices?pageSize=5")
    me.get("/applicants")
    for number in (1, 2, 1):
        seen = me.get(f"/applicants/OXF2{number}")
        me.send(
            "PATCH",
            f"/applicants/OXF2{number}",
            412,
            {"If-Match": seen.etag.strip('"')},
            {"notes": "Call on Monday"},
        )
        place.rest(0.3)
        place.aside(box, me, "/properties?officeId=OXF")
    theirs = other.get("/applicants/OXF23")
    other.send("PATCH", "/applicants/OXF23", 200, {"If-Match": theirs.etag}, {"active": False})
    me.get("/applicants/OXF21", 304, {"If-None-Match": seen.etag})


@case(
    "d311",
    "vic-box-undefined-as-a-tag",
    "null-token",
    "412",
    alone="null-token",
    synthetic=True,
    description=(
        "A script reads files of Box with a list of fields that leaves etag out, and sends what it then has, the word "
        "undefined, in if-match: 412 for every file, and again; with etag in the fields the rename passes."
    ),
)
def undefined(stage: Stage) -> None:
    """Send a word instead of a tag."""
    docs = {f"/2.0/files/88{n}": {"type": "file", "id": f"88{n}", "name": f"scan{n}.pdf"} for n in (1, 2, 3)}
    box = Box(docs, lambda _path, doc: str(doc.rev - 1), first=3)
    box.say = {
        412: {
            "type": "error",
            "status": 412,
            "code": "precondition_failed",
            "message": "The resource has been modified. Please retrieve the resource again and retry",
            "request_id": "1h2k9",
        }
    }

    def show(req: Req, path: str, doc: Doc) -> Res:
        full = {**doc.data, "etag": box.tag(path, doc) if box.tag else "", "sequence_id": str(doc.rev)}
        wanted = req.query.get("fields", "type,id,name,etag,sequence_id").split(",")
        return Res(200, {key: one for key, one in full.items() if key in {*wanted, "type", "id"}})

    box.show = show
    box.answer_write = lambda req, path, doc, _made: show(req, path, doc)
    server = place.open_box(stage, box, "tornado", "Box")
    me = stage.actor("client", server, "api.files.example", "node:fetch", {"Authorization": "Bearer T9"})
    place.aside(box, me, "/2.0/users/me", "/2.0/folders/0?limit=50")
    for number in (1, 2, 1):
        me.get(f"/2.0/files/88{number}?fields=name,size")
        me.put(
            f"/2.0/files/88{number}",
            {"type": "file", "id": f"88{number}", "name": f"2026-{number}.pdf"},
            412,
            {"if-match": "undefined"},
        )
        place.rest(0.2)
        place.aside(box, me, "/2.0/events?stream_position=now")
    tag = me.get("/2.0/files/883?fields=name,etag").json["etag"]
    me.put("/2.0/files/883", {"type": "file", "id": "883", "name": "2026-3.pdf"}, 200, {"if-match": tag})


@case(
    "d312",
    "vic-xapi-profile-created-again",
    "create-guard-on-update",
    "412",
    alone="create-guard-on-update",
    synthetic=True,
    description=(
        "A course player reads an activity's profile in a learning record store, changes it and stores it with "
        "If-None-Match: *, as its create does; 412 each time, although nobody else has written and it knows the tag."
    ),
)
def profile(stage: Stage) -> None:
    """Guard an update as a create."""
    box = Box({"/xapi/about": {"version": ["1.0.3"]}}, lambda _path, doc: f'"{doc.digest("sha1")}"')

    def keyed(req: Req) -> Res | None:
        if not req.path.endswith("/profile"):
            return None
        name = f"{req.path}/{req.query['profileId']}"
        return box.route(Req(req.method, name, req.fields, req.body))

    box.before.append(keyed)
    box.answer_write = lambda *_rest: Res(204)
    server = place.open_box(stage, box, "aiohttp", "learning record store")
    always = {"X-Experience-API-Version": "1.0.3", "Authorization": "Basic bHJzOng="}
    me = stage.actor("client", server, "lrs.academy.example", "java", always)
    place.aside(box, me, "/xapi/statements?limit=1")
    me.get("/xapi/about")
    path = "/xapi/activities/profile?activityId=http%3A%2F%2Facademy.example%2Fa%2F7&profileId=settings"
    me.get(path, 404)
    me.put(path, {"lang": "sv", "speed": 1}, 204, {"If-None-Match": "*"})
    for speed in (2, 3):
        seen = me.get(path)
        me.put(path, {**seen.json, "speed": speed}, 412, {"If-None-Match": "*"})
        place.rest(0.5)
        place.aside(box, me, "/xapi/agents?agent=anna")
    me.get(path, 304, {"If-None-Match": seen.etag})


def _drive() -> Box:
    box = Box({"/v1.0/me/drive/items/A7!104": {"id": "A7!104", "name": "old.jpg", "size": 1}})

    def tags(path: str, doc: Doc) -> dict[str, Any]:
        name = str(uuid.uuid5(uuid.NAMESPACE_URL, path)).upper()
        content = doc.data.get("cv", 1)
        by = (
            {"application": {"displayName": "Media Processing"}}
            if doc.by == "system"
            else {"user": {"displayName": "Pia"}}
        )
        return {"eTag": f'"{{{name}}},{doc.rev}"', "cTag": f'"c:{{{name}}},{content}"', "lastModifiedBy": by}

    def show(_req: Req, path: str, doc: Doc) -> Res:
        moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(doc.at))
        told = {key: one for key, one in doc.data.items() if key != "cv"}
        return Res(200, {**told, **tags(path, doc), "lastModifiedDateTime": moment})

    def change(req: Req, doc: Doc | None) -> Any:
        if req.method == "PUT":
            return {
                "id": req.path.rpartition("/")[2],
                "name": "IMG_4471.jpg",
                "size": len(req.body),
                "cv": doc.rev + 1 if doc else 1,
            }
        return {**(doc.data if doc else {}), **req.json}

    box.tag = lambda path, doc: str(tags(path, doc)["eTag"])
    box.show, box.change = show, change
    box.answer_write = lambda req, path, doc, _made: show(req, path, doc)
    error = {"code": "resourceModified", "message": "ETag does not match current item's value"}
    box.say = {412: {"error": {**error, "innerError": {"request-id": "7d0f", "date": "2026-11-27T09:20:00"}}}}
    return box


@case(
    "d313",
    "vic-onedrive-photo-is-read-by-the-service",
    "server-side-mutation",
    "412",
    alone="server-side-mutation",
    synthetic=True,
    description=(
        "OneDrive: a second after an upload the service itself adds what it has read from the photo; the eTag moves, "
        "the cTag does not, lastModifiedBy is an application, and the rename with the upload's eTag is refused."
    ),
)
def photo(stage: Stage) -> None:
    """Be overtaken by the service itself."""
    box = _drive()
    server = place.open_box(stage, box, "starlette", "OneDrive")
    me = stage.actor(
        "client", server, "graph.photos.example", "aiohttp", {"Authorization": "Bearer eyJ0.pia"}
    )
    place.aside(box, me, "/v1.0/me/drive", "/v1.0/me/drive/recent")
    for number in (105, 106):
        path = f"/v1.0/me/drive/items/A7!{number}"
        made = me.put(
            path, b"\xff\xd8" + bytes(200 + number), (200, 201), {"Content-Type": "image/jpeg"}
        ).json
        place.rest(0.5)
        place.aside(box, me, "/v1.0/me")
        with box.lock:
            box.store(path, {**box.docs[path].data, "photo": {"iso": 100}}, "system")
        me.get("/v1.0/me/drive/items/A7!104")
        place.rest(0.5)
        me.send("PATCH", path, 412, {"If-Match": made["eTag"]}, {"name": f"harbour {number}.jpg"})
        now = me.get(path).json
        place.sure(now["eTag"] != made["eTag"] and now["cTag"] == made["cTag"])


@case(
    "d314",
    "vic-notes-on-the-phone-alone",
    "implicit-precondition",
    "412",
    alone="implicit-precondition",
    synthetic=True,
    description=(
        "Nextcloud Notes on an iPhone: the system's URL cache adds If-None-Match with the tag of the read to the app's "
        "PUT, which holds it for a create-only and is refused; the same app on Android sends none and is taken."
    ),
)
def phone(stage: Stage) -> None:
    """Send a condition that the app never wrote."""
    docs = {
        f"/index.php/apps/notes/api/v1/notes/{n}": {"id": n, "content": "milk", "favorite": False}
        for n in (12, 13)
    }
    box = Box(docs, _md5, say={412: ""})
    server = place.open_box(stage, box, "flask", "Nextcloud Notes")
    agent = {"User-Agent": "Notes/4.9 CFNetwork/1568.200.51 Darwin/24.1.0", "Authorization": "Basic YWRhOng="}
    me = stage.actor("client", server, "cloud.family.example", "httpx", agent)
    droid = {
        "User-Agent": "Mozilla/5.0 (Android) Nextcloud-android-notes/4.5",
        "Authorization": "Basic YWRhOng=",
    }
    other = stage.actor("other", server, "cloud.family.example", "java", droid)
    place.aside(box, me, "/ocs/v2.php/cloud/capabilities")
    root = "/index.php/apps/notes/api/v1/notes"
    me.get(root)
    seen = me.get(f"{root}/12")
    me.get(f"{root}/12", 304, {"If-None-Match": seen.etag})
    for _ in range(2):
        me.put(f"{root}/12", {**seen.json, "content": "milk, rye"}, 412, {"If-None-Match": seen.etag})
        place.rest(0.4)
        place.aside(box, me, "/status.php")
    theirs = other.get(f"{root}/13")
    other.put(f"{root}/13", {**theirs.json, "favorite": True}, 200)
    seen = me.get(f"{root}/13")
    me.put(f"{root}/13", {**seen.json, "content": "milk, oats"}, 412, {"If-None-Match": seen.etag})
    me.get(f"{root}/12", 304, {"If-None-Match": me.get(f"{root}/12").etag})


def _space() -> Box:
    root = "/spaces/s1/environments/master/entries"
    box = Box({f"{root}/{e}": {"fields": {"title": {"en": e}}} for e in ("hero", "team", "jobs")}, first=4)

    def show(_req: Req, path: str, doc: Doc) -> Res:
        own = {"id": path.rpartition("/")[2], "type": "Entry", "version": doc.rev}
        return Res(
            200, {"sys": own, **doc.data}, {"Content-Type": "application/vnd.contentful.management.v1+json"}
        )

    def judge(req: Req, doc: Doc | None) -> Res | None:
        if doc is None or req.fields.get("x-contentful-version") == str(doc.rev):
            return None
        return box.error(
            409,
            {
                "sys": {"type": "Error", "id": "VersionMismatch"},
                "message": "Version mismatch error",
                "requestId": "b9",
            },
        )

    def published(req: Req) -> Res | None:
        if not req.path.endswith("/published"):
            return None
        path = req.path.removesuffix("/published")
        refused = judge(req, box.docs[path])
        return refused or show(req, path, box.store(path, box.docs[path].data, req.who))

    box.show, box.judge = show, judge
    box.answer_write = lambda req, path, doc, _made: show(req, path, doc)
    box.before.append(published)
    return box


@case(
    "d315",
    "vic-contentful-publish-counts-too",
    "stale-stored-token",
    "409",
    alone="stale-stored-token",
    synthetic=True,
    description=(
        "An importer of Contentful saves an entry and publishes it, which its own answer shows as the next version; "
        "the second save goes out with the version from before the publication: 409 VersionMismatch, for two entries."
    ),
)
def publish(stage: Stage) -> None:
    """Forget that publishing counts."""
    root = "/spaces/s1/environments/master/entries"
    box = _space()
    server = place.open_box(stage, box, "bottle", "Contentful")
    me = stage.actor(
        "client",
        server,
        "cma.content.example",
        "requests",
        {"Authorization": "Bearer CFPAT-x", "User-Agent": "import/1.0"},
    )
    place.aside(
        box, me, "/spaces/s1/environments/master/content_types", "/spaces/s1/environments/master/locales"
    )
    me.get(f"{root}/jobs")
    for entry in ("hero", "team"):
        version = me.get(f"{root}/{entry}").json["sys"]["version"]
        saved = me.put(
            f"{root}/{entry}",
            {"fields": {"title": {"en": "New"}}},
            200,
            {"X-Contentful-Version": str(version)},
        ).json
        kept = {"X-Contentful-Version": str(saved["sys"]["version"])}
        told = me.put(f"{root}/{entry}/published", None, 200, kept).json
        place.sure(told["sys"]["version"] == saved["sys"]["version"] + 1)
        place.rest(0.3)
        place.aside(box, me, "/users/me")
        me.put(f"{root}/{entry}", {"fields": {"title": {"en": "New"}, "slug": {"en": "new"}}}, 409, kept)
