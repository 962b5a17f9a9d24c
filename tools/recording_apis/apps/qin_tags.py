"""Price lists and menus with entity tags by a middleware of one's own, on aiohttp.

Environment besides that of ``qin_core``: MEDIA of the rows, HINT (Cache-Control), SALT, ORIGIN (a web origin
that may call). HABITS: weak, nonce, put (the answer to a PUT has a tag of another make), lang, media, need,
ignore, late, race, safe412 (a matching If-None-Match on a read is 412), dates (no tags), micro (dates with
their fraction), plain (no tags, conditions are 501), expose, quoted (values of no tag's form are 400),
young (a tag of the last two seconds is weak), hideversion, quiet (204 without a tag after a write).
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import sys
import time
from typing import Any

from aiohttp import web

from tools.recording_apis.apps.qin_core import HABITS, Row, Rows, seconds_of, setting

ROWS = Rows()
_JSON = "application/json"


def _text(key: str, row: Row, request: web.Request) -> tuple[str, str]:
    """Return the content of a row and its media type."""
    language = request.headers.get("Accept-Language", "en")[:2]
    if "text" in row.data and len(row.data) == 1:
        return row.data["text"], setting("MEDIA", "text/plain")
    shown = {"key": key, **row.data}
    if "lang" in HABITS and language == "de":
        shown["currency"] = "Euro je Stück"
    if "media" in HABITS and "xml" in request.headers.get("Accept", ""):
        members = "".join(f"<{name}>{value}</{name}>" for name, value in shown.items())
        return f"<row>{members}</row>", "application/xml"
    if "nonce" in HABITS:
        shown["rendered"] = f"{time.time():.6f}"
    return json.dumps(shown, ensure_ascii=False, indent=1 if "indent" in HABITS else None), _JSON


def _tag(key: str, row: Row, request: web.Request) -> str:
    text, media = _text(key, row, request)
    sum_ = hashlib.sha256(f"{text}{media}{row.version}{setting('SALT')}".encode()).hexdigest()[:16]
    weak = "weak" in HABITS or ("young" in HABITS and time.time() - row.changed < 2)
    return f'W/"{sum_}"' if weak else f'"{sum_}"'


def _fields(key: str, row: Row, request: web.Request) -> dict[str, str]:
    made = {"Cache-Control": setting("HINT", "no-cache"), "X-Row-Version": str(row.version)}
    if "hideversion" in HABITS:
        made.pop("X-Row-Version")
    if "dates" not in HABITS and "plain" not in HABITS:
        made["ETag"] = _tag(key, row, request)
    if "dates" in HABITS or "both" in HABITS:
        made["Last-Modified"] = row.date()
    if HABITS & {"lang", "media"}:
        made["Vary"] = "Accept, Accept-Language"
    if setting("NODE"):
        made["X-Served-By"] = setting("NODE")
    return made


def _problem(status: int, title: str, detail: str, **more: Any) -> web.Response:
    body = json.dumps({"title": title, "status": status, "detail": detail, **more})
    return web.Response(text=body, status=status, content_type="application/problem+json")


def _listed(value: str) -> list[str]:
    return [one.strip() for one in value.split(",")]


def _seen(value: str, tag: str) -> bool:
    """Compare weakly, as If-None-Match does."""
    return tag.removeprefix("W/") in [one.removeprefix("W/") for one in _listed(value)]


def _matches(value: str, tag: str) -> bool:
    return value == "*" or any(one == tag and not one.startswith("W/") for one in _listed(value))


def _dated(request: web.Request, row: Row) -> web.Response | None:
    value = request.headers.get("If-Unmodified-Since")
    if value is None or "If-Match" in request.headers:
        return None
    limit = seconds_of(value)
    if limit is None:
        return None
    changed = row.changed if "micro" in HABITS else int(row.changed)
    return _problem(412, "Precondition Failed", "modified since") if changed > limit else None


def _guard(request: web.Request, key: str, row: Row | None) -> web.Response | None:
    """Return the refusal of a write, if it is refused."""
    match, none = request.headers.get("If-Match"), request.headers.get("If-None-Match")
    if "ignore" in HABITS:
        return None
    if "plain" in HABITS and (match or none):
        return _problem(501, "Not Implemented", "conditional requests are not supported for this resource")
    if "need" in HABITS and not match and not none and "If-Unmodified-Since" not in request.headers:
        return _problem(428, "Precondition Required", "send If-Match")
    if match is not None and "quoted" in HABITS and not match.startswith(('"', "W/", "*")):
        return _problem(400, "Bad Request", "If-Match is no entity-tag")
    if row is None:
        return _problem(412, "Precondition Failed", "no such row") if match else None
    tag = _tag(key, row, request)
    if match is not None and not _matches(match, tag):
        return _problem(412, "Precondition Failed", "If-Match")
    if none is not None and (none == "*" or _seen(none, tag)):
        return _problem(412, "Precondition Failed", "If-None-Match")
    return _dated(request, row)


def _ranged(
    request: web.Request, text: str, tag: str, media: str, fields: dict[str, str]
) -> web.Response | None:
    wanted = request.headers.get("Range", "")
    if not wanted.startswith("bytes=") or request.headers.get("If-Range", tag) != tag:
        return None
    content = text.encode()
    first, _, last = wanted[6:].partition("-")
    end = min(int(last) if last else len(content) - 1, len(content) - 1)
    part = content[int(first) : end + 1]
    more = {**fields, "Content-Range": f"bytes {first}-{end}/{len(content)}"}
    return web.Response(body=part, status=206, content_type=media, headers=more)


async def read(request: web.Request) -> web.Response:
    """Show a row or a list."""
    key = request.match_info["key"]
    row = ROWS.seen(key)
    if row is None:
        rows = ROWS.listed(f"{key}/")
        if not rows:
            return _problem(404, "Not Found", key)
        return web.json_response({"rows": [{"key": name, **one.data} for name, one in rows.items()]})
    fields, (text, media) = _fields(key, row, request), _text(key, row, request)
    tag = fields.get("ETag", "")
    none, match = request.headers.get("If-None-Match"), request.headers.get("If-Match")
    if match is not None and not _matches(match, tag) and "ignore" not in HABITS:
        return _problem(412, "Precondition Failed", "If-Match")
    if none is not None and tag and _seen(none, tag):
        if "safe412" in HABITS:
            return _problem(412, "Precondition Failed", "If-None-Match matched")
        return web.Response(status=304, headers=fields)
    if tag and (part := _ranged(request, text, tag, media, fields)) is not None:
        return part
    return web.Response(text=text, content_type=media, headers=fields)


async def write(request: web.Request) -> web.Response:
    """Create, change or delete a row."""
    key = request.match_info["key"]
    body = await request.text()
    row, by = ROWS.truth(key), request.headers.get("X-User", "guest")
    refused = _guard(request, key, row)
    if refused is not None and "late" not in HABITS:
        return refused
    if "race" in HABITS:
        await asyncio.sleep(float(setting("PAUSE", "0.3")))
    if request.method == "DELETE":
        ROWS.drop(key)
        return web.Response(status=204)
    data = {"text": body} if setting("MEDIA") else json.loads(body)
    data = {name: value for name, value in data.items() if name not in {"key", "rendered"}}
    if request.method == "PATCH" and row is not None:
        data = {**row.data, **data}
    new = ROWS.write(key, data, by)
    sent = request.headers.get("If-Match")
    if "late" in HABITS and sent and sent != _tag(key, new, request):  # the new tag, after the change
        return _problem(412, "Precondition Failed", "If-Match")
    if (wait := ROWS._tarry) > 0:  # noqa: SLF001 - asyncio must not block here
        ROWS._tarry = 0.0  # noqa: SLF001
        await asyncio.sleep(wait)
    fields = _fields(key, new, request)
    if "put" in HABITS:
        fields["ETag"] = f'"{key.rsplit("/", 1)[-1]}-r{new.version}"'
    text, media = _text(key, new, request)
    if "quiet" in HABITS:
        return web.Response(status=204)
    return web.Response(text=text, content_type=media, status=200 if row else 201, headers=fields)


@web.middleware
async def crossing(request: web.Request, handler: Any) -> web.StreamResponse:
    """Answer preflights and mark answers for the page's origin."""
    if request.method == "OPTIONS":
        answer: web.StreamResponse = web.Response(status=204)
        answer.headers["Access-Control-Allow-Headers"] = "content-type, if-match"
        answer.headers["Access-Control-Allow-Methods"] = "GET, PUT, PATCH, DELETE"
    else:
        answer = await handler(request)
    if origin := setting("ORIGIN"):
        answer.headers["Access-Control-Allow-Origin"] = origin
        if "expose" in HABITS:
            answer.headers["Access-Control-Expose-Headers"] = "ETag"
    return answer


async def up(_: web.Request) -> web.Response:
    """Say that the service is there."""
    return web.Response(text="up")


def main() -> None:
    """Serve on the port that the command line names."""
    application = web.Application(middlewares=[crossing])
    application.router.add_get("/-/up", up)
    application.router.add_route("OPTIONS", "/{key:.+}", up)
    application.router.add_get("/{key:.+}", read)
    for method in ("PUT", "PATCH", "DELETE"):
        application.router.add_route(method, "/{key:.+}", write)
    web.run_app(application, host="127.0.0.1", port=int(sys.argv[1]), print=None)


if __name__ == "__main__":
    main()
