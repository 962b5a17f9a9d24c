"""An insurer's claims desk on Sanic; ``ida_store`` keeps its records.

Environment, besides that of ``ida_store``: ``AUTH=1`` wants a bearer token; ``HINT`` the Cache-Control of
reads; ``LISTMARK=1`` lists name tags of another rule; ``HEADMARK=1`` HEAD has tags of its own; ``QUIET=1``
answers writes without content and tag; ``ORIGIN`` and ``EXPOSE`` for scripts of another origin; ``PAD``
octets of padding in reads; ``NODE`` names the node in a field.
"""

# mypy: ignore-errors

from __future__ import annotations

import asyncio
import json
import sys
import uuid

from sanic import HTTPResponse, Request, Sanic

from tools.recording_apis.apps.ida_store import Records, State, setting

_SPACE = uuid.UUID("6f1c0b5e-2d1f-4d57-9a43-0c6d4a8f2b11")
_TITLES = {
    "stale": "Claim was changed by a later revision",
    "absent": "Claim file does not exist",
    "exists": "Claim file already exists",
    "unguarded": "Precondition Required",
    "unchanged": "Precondition Failed",
    "unknown": "Not Found",
    "busy": "Core system is in its nightly window",
    "date": "Invalid date in precondition",
    "token": "Access token is missing or has expired",
}


def _mint(state: State, salt: str) -> str:
    return str(uuid.uuid5(_SPACE, json.dumps([state.key, state.number, state.fields, salt])))


RECORDS = Records(_mint)
application = Sanic("claims")
application.config.KEEP_ALIVE_TIMEOUT = 60
application.config.FALLBACK_ERROR_FORMAT = "json"


def _answer(status: int, content: object, media: str = "application/json", **fields: str) -> HTTPResponse:
    text = "" if content is None else content if isinstance(content, str) else json.dumps(content)
    trace = uuid.uuid4().hex
    headers = {"X-Correlation-Id": trace[:20], "X-RateLimit-Remaining": str(int(trace[:2], 16) + 700)}
    if setting("NODE"):
        headers["X-Served-By"] = setting("NODE")
    if setting("ORIGIN"):
        headers |= {"Access-Control-Allow-Origin": setting("ORIGIN"), "Vary": "Origin"}
    if setting("EXPOSE"):
        headers["Access-Control-Expose-Headers"] = setting("EXPOSE")
    named = {name.replace("_", "-"): value for name, value in fields.items() if value}
    return HTTPResponse(text, status, {**headers, **named}, media)


def _problem(status: int, reason: str) -> HTTPResponse:
    about = {"type": f"https://errors.norlander.test/{reason}", "title": _TITLES.get(reason, reason)}
    about |= {"status": status, "traceId": uuid.uuid4().hex[:16]}
    return _answer(status, about, "application/problem+json")


def _shown(state: State, media: str) -> str:
    if media == "text/csv":
        return "field,value\n" + "".join(f"{name},{value}\n" for name, value in state.fields.items())
    about = {"revision": state.number, "modifiedAt": state.instant, "modifiedBy": state.author}
    shown = {"id": state.key.rpartition("/")[2], "attributes": state.fields, "meta": about}
    if setting("PAD"):
        shown["notice"] = "Subject to policy conditions. " * (int(setting("PAD")) // 30)
    return json.dumps(shown)


def _media(request: Request) -> str:
    return "text/csv" if "text/csv" in request.headers.get("accept", "") else "application/json"


def _author(request: Request) -> str:
    token = request.headers.get("authorization", "").removeprefix("Bearer ")
    named = token.removeprefix("nrl.").rpartition(".")[0]
    return named or request.headers.get("x-adjuster", "unknown")


@application.get("/-/up")
async def ready(_: Request) -> HTTPResponse:
    """Say that the service is up."""
    return _answer(200, {"status": "UP"})


@application.post("/oauth/token")
async def token(request: Request) -> HTTPResponse:
    """Give out a token for a name."""
    name = request.form.get("client_id", "unknown")
    made = f"nrl.{name}.{uuid.uuid4().hex[:12]}"
    return _answer(200, {"access_token": made, "token_type": "Bearer", "expires_in": 900})


@application.options("/claims/v3/<key:path>")
async def preflight(_: Request, key: str) -> HTTPResponse:  # noqa: ARG001 - Sanic passes it
    """Answer a browser's question."""
    methods, names = "GET, PUT, PATCH, DELETE", "content-type, if-match, x-adjuster"
    return _answer(204, None, Access_Control_Allow_Methods=methods, Access_Control_Allow_Headers=names)


@application.route("/claims/v3/<key:path>", methods=["GET", "HEAD"])
async def read(request: Request, key: str) -> HTTPResponse:
    """Show a record or a folder."""
    if setting("AUTH") and "authorization" not in request.headers:
        return _problem(401, "token")
    media, state = _media(request), RECORDS.seen(key)
    if state is None:
        rows = RECORDS.folder(key)
        if not rows:
            return _problem(404, "unknown")
        mark = (lambda one: f"L{one.number}-{int(one.moment)}") if setting("LISTMARK") else RECORDS.tag
        items = [{"id": one.key.rpartition("/")[2], "etag": mark(one), **one.fields} for one in rows]
        return _answer(200, {"items": items, "nextCursor": None}, Cache_Control=setting("HINT"))
    status, reason = RECORDS.judge(request.method, request.headers, state, media)
    if status >= 400:
        return _problem(status, reason)
    tag = RECORDS.tag(state, media)
    if setting("HEADMARK") and request.method == "HEAD":
        tag = f'"{int(state.moment):x}-{state.number}"'
    fields = {"ETag": tag, "Last_Modified": state.date, "Cache_Control": setting("HINT")}
    content = None if status == 304 or request.method == "HEAD" else _shown(state, media)
    return _answer(status or 200, content, media, **fields)


@application.route("/claims/v3/<key:path>", methods=["PUT", "PATCH", "DELETE"])
async def write(request: Request, key: str) -> HTTPResponse:
    """Replace, merge or delete a record."""
    if setting("AUTH") and "authorization" not in request.headers:
        return _problem(401, "token")
    sent = (request.json or {}).get("attributes", {}) if request.body else {}
    edits = {"PUT": lambda _: sent, "PATCH": lambda old: {**old, **sent}, "DELETE": lambda _: None}
    author, media = _author(request), _media(request)
    status, state, reason = await asyncio.to_thread(
        lambda: RECORDS.write(
            request.method, key, request.headers, edits[request.method], author=author, media=media
        )
    )
    if status == 503:
        return _answer(503, "core busy", "text/plain", Retry_After="1")
    if status >= 400:
        return _problem(status, reason)
    if key.startswith("payments/") and (claim := RECORDS.newest(f"claims/{sent.get('claim')}")):
        RECORDS.commit(claim.key, {**claim.fields, "paid": sent.get("amount")}, "svc-ledger")
    if status == 204 or setting("QUIET"):
        return _answer(204, None)
    return _answer(
        status, _shown(state, media), media, ETag=RECORDS.tag(state, media), Last_Modified=state.date
    )


if __name__ == "__main__":
    application.run("127.0.0.1", int(sys.argv[1]), single_process=True, access_log=False, motd=False)
