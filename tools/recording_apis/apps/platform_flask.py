"""A hosted platform on Flask: projects (JSON:API), flags, wiki pages, configuration files, health records.

Environment, besides that of ``tenancy_store``: ``CACHE`` the Cache-Control of reads; ``HEADTAG``, ``PUTTAG``
and ``LISTTAG`` make those answers carry other tags; ``VARY`` is ``accept`` or ``query`` when the tag depends
on it; ``QUIRK`` is ``star`` or ``get412``; ``MOVED`` the status of old addresses; ``CORS`` the origin whose
scripts may call, ``ALLOW`` and ``EXPOSE`` what they may send and read; ``DIGEST=render`` makes the tag of the
text that is sent.
"""

# The frameworks live in an environment of their own, where mypy does not look.
# mypy: ignore-errors

from __future__ import annotations

import hashlib
import json
import os
import secrets
import time

from flask import Flask, Response, redirect, request

from tools.recording_apis.apps import tenancy_store as store

application = Flask(__name__)
E = os.environ.get
_LOOK = {"api": "sha", "flags": "v", "wiki": "uuid", "config": "stamp", "fhir": "weak"}
_MEDIA = {"api": "application/vnd.api+json", "fhir": "application/fhir+json; charset=utf-8"}
_NOTHING = {400, 404, 405}


def area(path: str) -> str:
    """Return the service that a path belongs to."""
    return path.split("/", maxsplit=1)[0]


def variant() -> str:
    """Return what else the tag depends on."""
    if E("VARY") == "accept" and request.method in {"GET", "HEAD"}:
        return "" if "vnd.page+json" in request.headers.get("Accept", "") else "-html"
    if E("VARY") == "query" and request.method in {"GET", "HEAD"}:
        return f"~{request.args['view']}" if request.args.get("view") else ""
    return ""


def shown(path: str, one: store.Version) -> object:
    """Return a document as its service shows it."""
    name = one.path.rsplit("/", 1)[-1]
    match area(path):
        case "api":
            kind = one.path.split("/")[-2]
            meta = {"revision": one.rev, "updatedAt": one.iso, "updatedBy": one.who}
            return {"data": {"type": kind, "id": name, "attributes": one.body, "meta": meta}}
        case "flags":
            return {
                "key": name,
                **one.body,
                "_version": one.rev,
                "_maintainer": one.who,
                "_modified": one.iso,
            }
        case "wiki":
            version = {"number": one.rev, "when": one.iso, "by": {"accountId": one.who}}
            return {"id": name, "status": "current", **one.body, "version": version}
        case "fhir":
            meta = {"versionId": str(one.rev), "lastUpdated": one.iso, "source": f"urn:user:{one.who}"}
            return {"resourceType": one.path.split("/")[-2], "id": name, "meta": meta, **one.body}
        case _:
            return one.body


def text_of(path: str, one: store.Version) -> str:
    """Return the content of an answer."""
    if area(path) == "config":
        return str(one.body["text"])
    if E("VARY") == "accept" and variant() == "-html":
        return f"<article><h1>{one.body.get('title')}</h1><p>{one.body.get('body')}</p></article>\n"
    view = shown(path, one)
    if E("VARY") == "query" and variant() and isinstance(view, dict):
        view = {key: value for key, value in view.items() if key != "targeting"}
    if E("DIGEST") == "render":
        return json.dumps({"doc": view, "csrfToken": secrets.token_hex(12)})
    return json.dumps(view, ensure_ascii=False)


def tagged(one: store.Version, extra: str = "") -> str:
    """Return the tag that this service gives a version."""
    return store.tag_of(one, _LOOK.get(area(one.path), "sha"), extra)


def refusal(path: str, status: int) -> Response:
    """Return a refusal as the service words it."""
    words = {
        400: "the request must name the version it changes (If-Match)",
        404: "no such resource",
        405: "not here",
        412: "the condition of the request does not hold",
        428: "this resource must be changed conditionally",
        501: "conditional requests are not implemented",
    }[status]
    match area(path):
        case "api":
            what = {"status": str(status), "code": f"E{status}", "title": words, "id": secrets.token_hex(4)}
            told: object = {"errors": [what]}
        case "flags":
            told = {"message": words, "code": "optimistic_locking" if status == 412 else "invalid_request"}
        case "fhir":
            code = {412: "conflict", 404: "not-found"}.get(status, "processing")
            issue = {"severity": "error", "code": code, "diagnostics": words}
            told = {"resourceType": "OperationOutcome", "issue": [issue]}
        case "wiki":
            told = {"statusCode": status, "message": words, "reason": "Precondition" if status == 412 else ""}
        case _:
            return finished(Response(f"{status} {words}\n", status, content_type="text/plain"), path)
    return finished(Response(json.dumps(told), status, content_type=_MEDIA.get(area(path))), path)


def finished(made: Response, path: str) -> Response:
    """Add what every answer has."""
    made.headers.setdefault("Content-Type", _MEDIA.get(area(path), "application/json"))
    made.headers["X-Request-Id"] = secrets.token_hex(8)
    if node := E("NODE"):
        made.headers["X-Served-By"] = node
    return made


def described(path: str, one: store.Version, status: int = 200) -> Response:
    """Return a document with its validators."""
    media = "text/x-yaml" if area(path) == "config" else _MEDIA.get(area(path), "application/json")
    text = text_of(path, one)
    media = "text/html" if text.startswith("<article>") else media
    made = Response(text, status, content_type=media)
    tag = tagged(one, variant())
    if E("DIGEST") == "render":
        tag = f'"{hashlib.sha1(text.encode()).hexdigest()}"'  # noqa: S324 - no secret
    if request.method == "HEAD" and E("HEADTAG"):
        tag = f'"{len(text):x}-{int(one.at):x}"'
    if request.method not in {"GET", "HEAD"} and E("PUTTAG"):
        tag = f'"{hashlib.md5(request.get_data()).hexdigest()}"'  # noqa: S324 - no secret
    if tag:
        made.headers["ETag"] = tag
    if not E("NODATE"):
        made.headers["Last-Modified"] = one.modified
    made.headers["Cache-Control"] = E("CACHE", "private, max-age=0, must-revalidate")
    if E("VARY") == "accept":
        made.headers["Vary"] = "Accept"
    return finished(made, path)


def who() -> str:
    """Return the caller."""
    return request.headers.get("X-Actor") or request.cookies.get("actor") or "anonymous"


@application.get("/-/ready")
def ready() -> str:
    """Say that the service is up."""
    return "ready"


@application.post("/login")
def login() -> Response:
    """Start a session."""
    made = Response(json.dumps({"ok": True, "expiresIn": 3600}), content_type="application/json")
    made.set_cookie("sid", secrets.token_urlsafe(18), httponly=True, samesite="Lax")
    made.set_cookie("actor", request.get_json().get("login", "anonymous"))
    return made


@application.get("/me")
def me() -> Response:
    """Return the caller's account."""
    told = {"login": who(), "plan": "team", "locale": "en-GB"}
    return Response(json.dumps(told), content_type="application/json", headers={"Cache-Control": "no-store"})


@application.get("/telemetry/pulse")
def pulse() -> Response:
    """Return nothing of interest."""
    return Response(status=204)


@application.get("/<path:path>")
def fetch(path: str) -> Response:
    """Return a document, a listing or 304."""
    one = store.read(path)
    if one is None:
        found = store.below(path.rstrip("/") + "/")
        return listing(path, found) if found else refusal(path, 404)
    made = described(path, one)
    known = request.headers.get("If-None-Match", "")
    tag = made.headers.get("ETag", "").removeprefix("W/")
    if tag and (tag in known or known == "*"):
        if E("QUIRK") == "get412":
            return refusal(path, 412)
        made.status_code = 304
        made.set_data(b"")
    elif request.headers.get("If-Match") and store.refused_by(request.headers, one, tagged(one)):
        return refusal(path, 412)
    elif not known and request.headers.get("If-Modified-Since") == one.modified:
        made.status_code = 304
        made.set_data(b"")
    return made


def listing(path: str, found: list[store.Version]) -> Response:
    """Return a page of documents."""
    size, start = int(request.args.get("limit", 25)), int(request.args.get("offset", 0))
    rows = []
    for one in found[start : start + size]:
        tag = f"{one.rev}.{int(one.at) % 100000}" if E("LISTTAG") else tagged(one).strip('W/"')
        rows.append({"name": one.path, "etag": tag, "by": one.who, "item": shown(path, one)})
    told = {"items": rows, "total": len(found), "offset": start}
    made = Response(json.dumps(told, ensure_ascii=False), content_type=_MEDIA.get(area(path)))
    made.headers["Cache-Control"] = "no-store"
    return finished(made, path)


def content(path: str, *, merge: bool) -> object:
    """Return what makes the new content of the old."""
    if area(path) == "config":
        text = request.get_data(as_text=True)
        return lambda _: {"text": text}
    sent = json.loads(request.get_data() or b"{}")
    if area(path) == "api":
        sent = sent.get("data", {}).get("attributes", sent)
    if isinstance(sent, dict):
        hidden = {"_version", "_maintainer", "_modified", "key", "version", "meta", "id", "resourceType"}
        sent = {key: value for key, value in sent.items() if key not in hidden}
    return (lambda old: {**(old or {}), **sent}) if merge else (lambda _: sent)


def stored(path: str, change: object) -> Response:
    """Write and answer."""
    headers = request.headers
    if E("QUIRK") == "star" and headers.get("If-Match") == "*":
        return refusal(path, 412)
    if E("UNSUPPORTED") and any(name in headers for name in store.FIELDS):
        return refusal(path, int(E("UNSUPPORTED", "501")))
    if E("MOVED") and "/legacy/" in f"/{path}":
        return redirect("/" + path.replace("legacy/", ""), int(E("MOVED", "302")))
    status, one = store.write(path, change, who(), headers, tagged)
    if status >= 400:
        return refusal(path, status)
    if one is None:
        return finished(Response(status=204), path)
    return described(path, one, status)


@application.put("/<path:path>")
def replace(path: str) -> Response:
    """Replace a document."""
    return stored(path, content(path, merge=False))


@application.route("/<path:path>", methods=["PATCH"])
def amend(path: str) -> Response:
    """Change members of a document."""
    if store.read(path, behind=False) is None:
        return refusal(path, 404)
    return stored(path, content(path, merge=True))


@application.post("/<path:path>")
def make(path: str) -> Response:
    """Make a document with a name of the service's choice."""
    name = f"{path.rstrip('/')}/{int(time.time() * 1000) % 10000000:x}"
    made = stored(name, content(name, merge=False))
    made.headers["Location"] = f"/{name}"
    return made


@application.delete("/<path:path>")
def remove(path: str) -> Response:
    """Remove a document."""
    if store.read(path, behind=False) is None and "If-Match" not in request.headers:
        return refusal(path, 404)
    return stored(path, lambda _: None)


@application.after_request
def permit(made: Response) -> Response:
    """Answer preflights and say what scripts of another origin may read."""
    if origin := E("CORS"):
        made.headers["Access-Control-Allow-Origin"] = origin
        made.headers["Access-Control-Allow-Credentials"] = "true"
        made.headers["Vary"] = "Origin"
        if E("EXPOSE"):
            made.headers["Access-Control-Expose-Headers"] = E("EXPOSE")
        if request.method == "OPTIONS":
            made.headers["Access-Control-Allow-Methods"] = "GET, PUT, PATCH, POST, DELETE"
            made.headers["Access-Control-Allow-Headers"] = E("ALLOW", "Content-Type")
    return made
