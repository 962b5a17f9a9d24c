"""Quirks of how conditions are evaluated: ignored, read by other rules, answered with another status.

Source: RFC 9110 section 13.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from ifmatch.core.conditional_fields import parse_conditional_fields
from ifmatch.core.http_date import format_http_date
from ifmatch.core.malformed import Malformed
from ifmatch.reference.messages import Answer
from ifmatch.reference.problems import problem
from ifmatch.reference.quirks.quirk import GUARDED_PUT, LAST_MODIFIED, TAG, Around, Quirk
from ifmatch.reference.quirks.rewriting import CONDITIONS, retagged
from ifmatch.reference.quirks.tags import current_state
from ifmatch.server import problem as server_problem
from ifmatch.server.answers import Current, RequestFacts

if TYPE_CHECKING:
    from collections.abc import Callable

    from ifmatch.reference.application import PracticeServer
    from ifmatch.reference.messages import Handler, Request

__all__ = ["QUIRKS", "changing"]

_WRITES: Final = frozenset({"PUT", "PATCH", "DELETE"})
_READS: Final = frozenset({"GET", "HEAD"})
_GUARDS: Final = frozenset({"if-match", "if-none-match", "if-unmodified-since"})


def changing(change: Callable[[Request], Request]) -> Callable[[PracticeServer, str], Around]:
    """Return the maker of a behaviour that only changes the request."""

    def make(server: PracticeServer, value: str) -> Around:
        del server, value

        async def around(request: Request, forward: Handler) -> Answer:
            return await forward(change(request))

        return around

    return make


def _ignoring(methods: frozenset[str], *names: str) -> Callable[[PracticeServer, str], Around]:
    return changing(lambda request: request.without(*names) if request.method in methods else request)


def _unguarded_create(request: Request) -> Request:
    guards = request.method == "PUT" and request.get("if-none-match") == "*"
    return request.without("if-none-match") if guards else request


def _date_beats_tag(request: Request) -> Request:
    """Let the date fields decide where the tag fields have to."""
    if request.method in _READS and request.get("if-modified-since") is not None:
        return request.without("if-none-match")
    if request.get("if-unmodified-since") is not None:
        return request.without("if-match")
    return request


def _first_line_only(request: Request) -> Request:
    seen: set[str] = set()
    kept: list[tuple[str, str]] = []
    for name, value in request.fields:
        if name in CONDITIONS and name in seen:
            continue
        seen.add(name)
        kept.append((name, value))
    return replace(request, fields=tuple(kept))


def _no_lists(request: Request) -> Request:
    """Take the whole value for one tag, so that `*` and lists never match."""
    value = request.get("if-match")
    if value is None or (value != "*" and "," not in value):
        return request
    return request.replacing("if-match", '"no-such-tag"')


def _unreadable_dropped(request: Request) -> Request:
    fields = parse_conditional_fields(request.fields)
    read = {"if-match": fields.if_match, "if-none-match": fields.if_none_match}
    return request.without(*(name for name, value in read.items() if isinstance(value, Malformed)))


def _quoted_star(request: Request) -> Request:
    fields = tuple(
        (name, "*" if name in {"if-match", "if-none-match"} and value == '"*"' else value)
        for name, value in request.fields
    )
    return replace(request, fields=fields)


def _star_on_read(request: Request) -> Request:
    star = request.method in _READS and request.get("if-none-match") == "*"
    return request.without("if-none-match") if star else request


def _star_creates(request: Request) -> Request:
    star = request.method == "PUT" and request.get("if-match") == "*"
    return request.without("if-match") if star else request


def _range_always(request: Request) -> Request:
    return request.without("if-range") if request.get("range") is not None else request


def _range_first(request: Request) -> Request:
    ranged = request.method == "GET" and request.get("range") is not None
    return request.without("if-none-match", "if-modified-since") if ranged else request


def _mapped(status: int, to: int, methods: frozenset[str]) -> Callable[[PracticeServer, str], Around]:
    def make(server: PracticeServer, value: str) -> Around:
        del server, value

        async def around(request: Request, forward: Handler) -> Answer:
            answer = await forward(request)
            if answer.status != status or request.method not in methods:
                return answer
            detail = "The resource has another version than the request says." if to == 409 else ""
            return problem(to, detail or "The condition is false.", instance=request.path).adding(
                pair for pair in answer.fields if pair[0].lower() in {"date", "etag"}
            )

        return around

    return make


def _refusing_duplicates(server: PracticeServer, value: str) -> Around:
    del server, value

    async def around(request: Request, forward: Handler) -> Answer:
        names = [name for name, _ in request.fields if name in CONDITIONS]
        if len(names) == len(set(names)):
            return await forward(request)
        page = b"<html><head><title>400 Bad Request</title></head><body>400 Bad Request</body></html>\n"
        return Answer(400, (("Content-Type", "text/html"), ("Connection", "close")), page)

    return around


def _refusing_old_dates(server: PracticeServer, value: str) -> Around:
    del server, value

    async def around(request: Request, forward: Handler) -> Answer:
        fields = parse_conditional_fields(request.fields)
        for name, date in (
            ("If-Modified-Since", fields.if_modified_since),
            ("If-Unmodified-Since", fields.if_unmodified_since),
        ):
            text = request.get(name.lower())
            if date is not None and (isinstance(date, Malformed) or format_http_date(date) != text):
                return problem(400, f"{name} is no valid date.", instance=request.path)
        return await forward(request)

    return around


def _sub_second(server: PracticeServer, value: str) -> Around:
    del value

    async def around(request: Request, forward: Handler) -> Answer:
        fields = parse_conditional_fields(request.fields)
        date = fields.if_unmodified_since
        snapshot = await current_state(server, request)
        if snapshot is None or date is None or isinstance(date, Malformed) or fields.if_match is not None:
            return await forward(request)
        # The stored time has a fraction of a second, the field has none: the served date never passes.
        if snapshot.last_modified <= date:
            return await forward(request.without("if-unmodified-since"))
        return problem(412, "The resource was modified after that date.", instance=request.path)

    return around


def _required(server: PracticeServer, value: str) -> Around:
    del value

    async def around(request: Request, forward: Handler) -> Answer:
        conditional = any(name in _GUARDS for name, _ in request.fields)
        if request.method not in _WRITES or conditional:
            return await forward(request)
        snapshot = await current_state(server, request)
        current = Current.of(snapshot) if snapshot is not None else None
        facts = RequestFacts(request.method, request.target, request.fields)
        answer = server_problem.precondition_required(facts, current)
        return Answer(answer.status, answer.fields, answer.octets)

    return around


def _without_condition(server: PracticeServer, value: str) -> Around:
    del server, value

    async def around(request: Request, forward: Handler) -> Answer:
        if request.method not in _WRITES or any(name in CONDITIONS for name, _ in request.fields):
            return await forward(request)
        return problem(412, "This change needs an approval: the plan is published.")

    return around


def _before_existence(server: PracticeServer, value: str) -> Around:
    del value

    async def around(request: Request, forward: Handler) -> Answer:
        answer = await forward(request)
        if answer.status != 404 or request.get("if-match") is None or not server.is_stored(request.path):
            return answer
        detail = "If-Match is false: there is no current representation."
        return problem(412, detail, instance=request.path)

    return around


def _not_modified_on_write(server: PracticeServer, value: str) -> Around:
    del server, value

    async def around(request: Request, forward: Handler) -> Answer:
        answer = await forward(request)
        if answer.status != 412 or request.is_read or request.get("if-none-match") is None:
            return answer
        return Answer(304, tuple(pair for pair in answer.fields if pair[0].lower() in {"date", "etag"}))

    return around


def _not_implemented(server: PracticeServer, value: str) -> Around:
    del server, value

    async def around(request: Request, forward: Handler) -> Answer:
        if request.method not in _WRITES or not any(name in _GUARDS for name, _ in request.fields):
            return await forward(request)
        detail = "A header you provided implies functionality that is not implemented: conditional write."
        return problem(501, detail, instance=request.path)

    return around


def _strict_variant(server: PracticeServer, value: str) -> Around:
    del value

    async def around(request: Request, forward: Handler) -> Answer:
        snapshot = await current_state(server, request)
        if snapshot is None or request.is_read:
            return await forward(request)
        selected = server.resource(request.path).negotiation.choose(request)
        own = snapshot.version + selected.suffix

        def compared(mark: str, opaque: str) -> str:
            return f'{mark}"{opaque if opaque == own else "-" + opaque}"'

        return await forward(retagged(request, compared, ("if-match",)))

    return around


_GERMAN = "TAG=$(curl -sI -H 'Accept-Language: de' $URL-negotiated | sed -n 's/^ETag: //p' | tr -d '\\r')"
_PUT_OLD = "curl -i -X PUT -H 'If-Match: \"never-issued\"' -d x $URL"

QUIRKS: Final = (
    Quirk(
        name="ignore-if-match",
        summary="If-Match is never looked at: an outdated write passes, the other change is gone.",
        cause="precondition-ignored",
        section="RFC 9110 section 13.1.1",
        seen_in="nginx DAV module, json-server, most hand-made services",
        curl=_PUT_OLD,
        make=_ignoring(_WRITES, "if-match", "if-unmodified-since"),
    ),
    Quirk(
        name="ignore-create-guard",
        summary="If-None-Match: * is ignored on PUT: what should only create overwrites.",
        cause="precondition-ignored",
        section="RFC 9110 section 13.1.2",
        seen_in="nginx DAV module, fastapi-etag",
        curl="curl -i -X PUT -H 'If-None-Match: *' -d x $URL",
        make=changing(_unguarded_create),
    ),
    Quirk(
        name="ignore-on-read",
        summary="If-None-Match and If-Modified-Since are ignored on GET: never a 304.",
        cause="precondition-ignored",
        section="RFC 9110 section 13.1.2",
        seen_in="Litestar static files, Radicale GET",
        curl="curl -i -H 'If-None-Match: *' $URL",
        make=_ignoring(_READS, "if-none-match", "if-modified-since"),
    ),
    Quirk(
        name="date-beats-tag",
        summary="If-Modified-Since and If-Unmodified-Since decide although a tag field is there.",
        cause="server-precondition-bug",
        section="RFC 9110 section 13.2.2",
        seen_in="Starlette before 0.46, Apache httpd (both must hold)",
        curl="curl -i -H 'If-None-Match: \"old\"' -H 'If-Modified-Since: Fri, 01 Jan 2100 00:00:00 GMT' $URL",
        make=changing(_date_beats_tag),
    ),
    Quirk(
        name="412-on-read",
        summary="A read whose If-None-Match is false gets 412 in the place of 304.",
        cause="server-precondition-bug",
        section="RFC 9110 section 13.1.2",
        seen_in="services that map every false condition to 412",
        curl="curl -i -H 'If-None-Match: *' $URL",
        make=_mapped(304, 412, _READS),
    ),
    Quirk(
        name="412-without-condition",
        summary="A write without any condition gets 412, for a rule of the business.",
        cause="nonprecondition-412",
        section="RFC 9110 section 15.5.13",
        seen_in="firewalls, workflow engines, device management",
        curl="curl -i -X PUT -d x $URL",
        make=_without_condition,
    ),
    Quirk(
        name="409-for-412",
        summary="A false condition is answered with 409.",
        cause="status-dialect-mismatch",
        section="RFC 9110 section 15.5.13",
        seen_in="Kubernetes, CouchDB, Elasticsearch",
        curl=_PUT_OLD,
        make=_mapped(412, 409, _WRITES),
    ),
    Quirk(
        name="star-creates",
        summary="If-Match: * on a missing resource creates it.",
        cause="server-precondition-bug",
        section="RFC 9110 section 13.1.1",
        seen_in="CherryPy, flask-smorest, drf-extensions",
        curl="curl -i -X PUT -H 'If-Match: *' -d x $URL-missing",
        make=changing(_star_creates),
    ),
    Quirk(
        name="star-on-read",
        summary="If-None-Match: * on GET is answered with 200.",
        cause="server-precondition-bug",
        section="RFC 9110 section 13.1.2",
        seen_in="WebOb",
        curl="curl -i -H 'If-None-Match: *' $URL",
        make=changing(_star_on_read),
    ),
    Quirk(
        name="no-lists",
        summary="If-Match with * or with several tags is always refused.",
        cause="server-precondition-bug",
        section="RFC 9110 section 13.1.1",
        seen_in="fastapi-etag, Kinto",
        curl="curl -i -X PUT -H 'If-Match: *' -d x $URL",
        make=changing(_no_lists),
    ),
    Quirk(
        name="first-line-only",
        summary="Only the first of several field lines of a condition is read.",
        cause="server-precondition-bug",
        section="RFC 9110 section 5.3",
        seen_in="Go net/http, Starlette",
        curl=f'curl -i -H \'If-None-Match: "a"\' -H "If-None-Match: {TAG}" $URL',
        make=changing(_first_line_only),
    ),
    Quirk(
        name="duplicate-400",
        summary="Two field lines of one condition are answered with 400.",
        cause="server-precondition-bug",
        section="RFC 9110 section 5.3",
        seen_in="nginx 1.22",
        curl="curl -i -H 'If-None-Match: \"a\"' -H 'If-None-Match: \"b\"' $URL",
        make=_refusing_duplicates,
    ),
    Quirk(
        name="malformed-ignored",
        summary="A condition that cannot be read counts as absent, so the write passes.",
        cause="malformed-validator",
        section="RFC 9110 section 13.1.1",
        seen_in="Django condition decorator",
        curl="curl -i -X PUT -H 'If-Match: never-issued' -d x $URL",
        make=changing(_unreadable_dropped),
    ),
    Quirk(
        name="quoted-star",
        summary='The tag "*" is taken for the wildcard, so it lets every write pass.',
        cause="malformed-validator",
        section="RFC 9110 section 8.8.3",
        seen_in="aiohttp, Falcon, drf-extensions",
        curl="curl -i -X PUT -H 'If-Match: \"*\"' -d x $URL",
        make=changing(_quoted_star),
    ),
    Quirk(
        name="strict-dates",
        summary="A date in one of the two old forms, or none at all, is answered with 400.",
        cause="bad-date",
        section="RFC 9110 section 5.6.7",
        seen_in="Falcon",
        curl="curl -i -H 'If-Modified-Since: Sunday, 06-Nov-94 08:49:37 GMT' $URL",
        make=_refusing_old_dates,
    ),
    Quirk(
        name="sub-second",
        summary="If-Unmodified-Since is compared with a time that has a fraction: no served date passes.",
        cause="date-precision",
        section="RFC 9110 section 13.1.4",
        seen_in="services that compare with a database timestamp",
        curl=f'curl -i -X PUT -H "If-Unmodified-Since: {LAST_MODIFIED}" -d x $URL',
        make=_sub_second,
    ),
    Quirk(
        name="required",
        summary="A write without a condition is answered with 428.",
        cause="token-missing",
        section="RFC 6585 section 3",
        seen_in="services that protect against lost updates",
        curl="curl -i -X PUT -d x $URL",
        make=_required,
    ),
    Quirk(
        name="412-before-404",
        summary="If-Match on what is not there is 412, also for methods that would get 404 anyway.",
        cause="target-missing",
        section="RFC 9110 section 13.2.1",
        seen_in="Tomcat DefaultServlet",
        curl="curl -i -X DELETE -H 'If-Match: \"old\"' $URL-missing",
        make=_before_existence,
    ),
    Quirk(
        name="304-on-write",
        summary="A write whose If-None-Match names the current tag gets 304 in the place of 412.",
        cause="server-precondition-bug",
        section="RFC 9110 section 13.1.2",
        seen_in="fastapi-etag, Fastify etag hooks",
        curl="curl -i -X PUT -H 'If-None-Match: *' -d x $URL",
        make=_not_modified_on_write,
    ),
    Quirk(
        name="conditional-501",
        summary="A write with any condition is answered with 501.",
        cause="unsupported-precondition",
        section="RFC 9110 section 15.6.2",
        seen_in="S3-compatible stores without conditional writes",
        curl=GUARDED_PUT,
        make=_not_implemented,
    ),
    Quirk(
        name="strict-variant",
        summary="If-Match is compared with the form that the write would get, not the one that was read.",
        cause="representation-mismatch",
        section="RFC 9110 section 13.1.1",
        seen_in="services that tag each language or format",
        curl=f'{_GERMAN}; curl -i -X PUT -H "If-Match: $TAG" -d x $URL-negotiated',
        make=_strict_variant,
    ),
    Quirk(
        name="if-range-ignored",
        summary="Range is honoured whatever If-Range says: parts of two versions come together.",
        cause="precondition-ignored",
        section="RFC 9110 section 13.1.5",
        seen_in="aiohttp FileResponse before 3.15",
        curl="curl -i -H 'Range: bytes=0-9' -H 'If-Range: \"old\"' $URL",
        make=changing(_range_always),
    ),
    Quirk(
        name="range-first",
        summary="Range is worked out before the conditions: 206 where 304 is due.",
        cause="server-precondition-bug",
        section="RFC 9110 section 14.2",
        seen_in="werkzeug",
        curl="curl -i -H 'Range: bytes=0-9' -H 'If-None-Match: *' $URL",
        make=changing(_range_first),
    ),
)
