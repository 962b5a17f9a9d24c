"""The rows of RFC 9110 section 13 that need more than one request with a condition; see `conformance`."""

from __future__ import annotations

import json
import re
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING
from urllib.parse import quote

from tests.server.conformance import (
    CONDITIONS,
    CONTENT,
    JSON,
    OTHER_CONTENT,
    PERFORMED,
    Case,
    NotApplicableError,
    Target,
    conditions,
    http_date,
    look,
    restore,
    wrong,
)
from tests.server.raw import Answer, Connection, request

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

ETAG_GRAMMAR = re.compile(r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"')
TAGS = {
    record["tag"].encode("latin-1")
    for record in json.loads(CONDITIONS.read_text("utf-8"))
    if "tag" in record and record["id"].startswith("t-")
}
CASES: list[Case] = conditions()


def case(
    name: str, rows: Sequence[int], level: str, title: str, *needs: str
) -> Callable[[Callable[[Target], str]], Callable[[Target], str]]:
    """Add a function to the table: it returns what was wrong, "" when nothing was."""

    def add(check: Callable[[Target], str]) -> Callable[[Target], str]:
        CASES.append(Case(name, tuple(rows), level, title, check, frozenset(needs)))
        return check

    return add


@case("m-too-large", (40,), "MUST", "an If-Match of 300 kB is refused, not ignored", "writes")
def too_large(target: Target) -> str:
    seen = look(target, target.base)
    value = b", ".join(b'"%032x"' % number for number in range(8_500))
    try:
        answer = target.send("PUT", target.base, [(b"If-Match", value)], OTHER_CONTENT)
    except ConnectionError:
        answer = Answer(400, (), b"")
    if not 400 <= answer.status < 500:
        return f"{answer.status} where 4xx is due"
    return "" if look(target, target.base).content == seen.content else "performed"


@case("m-nul", (41,), "MUST", "NUL in If-Match is refused", "writes")
def nul(target: Target) -> str:
    seen = look(target, target.base)
    try:
        answer = target.send("PUT", target.base, [(b"If-Match", b'"a\x00"')], OTHER_CONTENT)
    except ConnectionError:
        answer = Answer(400, (), b"")
    if answer.status < 400:
        return f"{answer.status} where 400 or 412 is due"
    return "" if look(target, target.base).content == seen.content else "performed"


@case("headers-incomplete", (46,), "MUST", "a request cut inside its header section is not applied", "writes")
def incomplete(target: Target) -> str:
    seen = look(target, target.base)
    whole = request("PUT", target.base, [JSON], OTHER_CONTENT)
    with Connection(target.host, target.port) as connection:
        connection.send(whole[: whole.index(b"\r\n\r\n")])
    return "" if look(target, target.base).content == seen.content else "performed"


@case("t-field", (7, 34), "MUST", "ETag is sent as it is, octet by octet", "tagged")
def tag_as_is(target: Target) -> str:
    for tag in sorted(TAGS):
        answer = target.send("GET", f"{target.base}-tagged?etag={quote(tag, safe='')}")
        if (answer.field("ETag") or "").encode("latin-1") != tag:
            return f"{answer.field('ETag')!r} for {tag!r}"
    return ""


@case("n-create", (56, 22), "MUST", "If-None-Match: * creates, then protects", "missing")
def create_only(target: Target) -> str:
    path = f"{target.base}-missing"
    target.send("DELETE", path)
    answer = target.send("PUT", path, [(b"If-None-Match", b"*")], CONTENT)
    if answer.status != 201:
        return f"{answer.status} where 201 is due"
    again = target.send("PUT", path, [(b"If-None-Match", b"*")], OTHER_CONTENT)
    kept = target.send("GET", path).content
    target.send("DELETE", path)
    return wrong(again, frozenset({412})) or ("" if kept == CONTENT else "performed")


@case("m-missing-put", (49, 50), "MUST", "If-Match: * never creates", "missing")
def match_never_creates(target: Target) -> str:
    path = f"{target.base}-missing"
    target.send("DELETE", path)
    for value in (b"*", b'"a"'):
        answer = target.send("PUT", path, [(b"If-Match", value)], CONTENT)
        if answer.status != 412:
            return f"{answer.status} where 412 is due for {value!r}"
    return wrong(target.send("GET", path), frozenset({404}))


@case(
    "r-206-fields",
    (83,),
    "MUST",
    "206 carries ETag, Cache-Control, Vary, Content-Location, Content-Range",
    "range",
)
def partial_fields(target: Target) -> str:
    whole = target.send("GET", target.base)
    part = target.send("GET", target.base, [(b"Range", b"bytes=2-5")])
    if part.status != 206:
        return f"{part.status} where 206 is due"
    if part.content != whole.content[2:6] or not (part.field("Content-Range") or "").startswith("bytes 2-5/"):
        return f"{part.content!r}, Content-Range {part.field('Content-Range')!r}"
    return _same(whole, part, ("ETag", "Cache-Control", "Vary", "Content-Location", "Expires"))


def _same(whole: Answer, other: Answer, names: Sequence[str]) -> str:
    for name in names:
        if whole.field(name) != other.field(name):
            return f"{name}: {other.field(name)!r} where the 200 has {whole.field(name)!r}"
    return ""


# --- what wins over a precondition (13.2.1)

for method in ("GET", "HEAD", "PUT", "DELETE"):
    for on, status in (("forbidden", 403), ("moved", 302), ("private", 401)):

        @case(f"o-{on}-{method}", (73, 74), "MUST", f"{status} wins over a false If-Match on {method}", on)
        def overridden(target: Target, on: str = on, status: int = status, method: str = method) -> str:
            content = CONTENT if method == "PUT" else None
            due = frozenset({301, 302, 303, 307, 308}) if status == 302 else frozenset({status})
            for field_lines in (
                [(b"If-Match", b'"never"')],
                [(b"If-None-Match", b"*")],
                [(b"If-Match", b"abc")],
            ):
                answer = target.send(method, f"{target.base}-{on}", field_lines, content)
                if problem := wrong(answer, due):
                    return f"{field_lines[0][0].decode()}: {problem}"
            return ""


for method in ("GET", "HEAD", "DELETE"):

    @case(f"o-missing-{method}", (74,), "MUST", f"404 wins over a false If-Match on {method}", "missing")
    def not_found(target: Target, method: str = method) -> str:
        path = f"{target.base}-missing"
        target.send("DELETE", path)
        for value in (b'"never"', b"*"):
            answer = target.send(method, path, [(b"If-Match", value)])
            if problem := wrong(answer, frozenset({404})):
                return problem
        return ""


@case("o-method", (74,), "MUST", "405 wins over a false If-Match", "dated")
def not_allowed(target: Target) -> str:
    answer = target.send("DELETE", f"{target.base}-dated", [(b"If-Match", b'"never"')])
    return wrong(answer, frozenset({405, 501}))


@case("o-type", (74,), "MUST", "415 wins over a false If-Match", "typed")
def media_type(target: Target) -> str:
    fields = [(b"If-Match", b'"never"'), (b"Content-Type", b"text/csv")]
    return wrong(target.send("PUT", target.base, fields, b"a,b"), frozenset({415}))


for method in ("OPTIONS", "TRACE"):

    @case(f"o-{method}", (75,), "MUST", f"{method} ignores preconditions")
    def without_preconditions(target: Target, method: str = method) -> str:
        plain = target.send(method, target.base)
        guarded = target.send(method, target.base, [(b"If-Match", b'"never"')])
        return "" if plain.status == guarded.status else f"{guarded.status} where {plain.status} is due"


# --- answers


@case("a-validators", (1, 6), "SHOULD", "a 200 carries ETag and Last-Modified")
def validators(target: Target) -> str:
    answer = target.send("GET", target.base)
    missing = [name for name in ("ETag", "Last-Modified") if answer.field(name) is None]
    return f"without {', '.join(missing)}" if missing else ""


@case("a-grammar", (7, 8, 43), "MUST", "ETag and Last-Modified follow their grammar")
def grammar(target: Target) -> str:
    answer = target.send("GET", target.base)
    etag, modified = answer.field("ETag"), answer.field("Last-Modified")
    if etag is not None and ETAG_GRAMMAR.fullmatch(etag) is None:
        return f"ETag: {etag}"
    if modified is not None and http_date(parsedate_to_datetime(modified)).decode() != modified:
        return f"Last-Modified: {modified}"
    return ""


@case("a-date", (2,), "MUST", "Last-Modified is never later than Date", "writes")
def not_later(target: Target) -> str:
    target.send("PUT", target.base, (), CONTENT)
    answer = target.send("GET", target.base)
    modified, date = answer.field("Last-Modified"), answer.field("Date")
    if modified is None or date is None:
        raise NotApplicableError("no Last-Modified or no Date")
    late = parsedate_to_datetime(modified) > parsedate_to_datetime(date)
    return f"Last-Modified {modified}, Date {date}" if late else ""


@case("a-head", (20,), "SHOULD", "HEAD has the validators of GET")
def head(target: Target) -> str:
    whole, answer = target.send("GET", target.base), target.send("HEAD", target.base)
    return _same(whole, answer, ("ETag", "Last-Modified", "Vary", "Cache-Control", "Content-Location"))


@case("a-changes", (11, 12), "MUST", "the strong tag changes with the content", "writes")
def changes(target: Target) -> str:
    tags = set()
    for number in range(5):
        target.send("PUT", target.base, (), b'{"text": "%s"}' % (b"%d" % number * 70))
        tags.add(look(target, target.base).etag)
    restore(target, target.base)
    return "" if len(tags) == 5 else f"{len(tags)} tags for 5 states"


@case("a-recreated", (12,), "MUST", "a strong tag does not come back after delete and re-create", "missing")
def recreated(target: Target) -> str:
    path = f"{target.base}-missing"
    target.send("PUT", path, (), CONTENT)
    before = look(target, path).etag
    target.send("DELETE", path)
    target.send("PUT", path, (), OTHER_CONTENT)
    after = look(target, path).etag
    answer = target.send("PUT", path, [(b"If-Match", before)], CONTENT)
    target.send("DELETE", path)
    if before == after:
        return f"{before!r} again"
    return wrong(answer, frozenset({412}))


@case("a-put-validators", (16,), "MUST", "validators in the answer to PUT are the new ones", "writes")
def put_validators(target: Target) -> str:
    answer = target.send("PUT", target.base, (), OTHER_CONTENT)
    etag = answer.field("ETag")
    now = look(target, target.base).etag.decode("latin-1")
    restore(target, target.base)
    return "" if etag in (None, now) else f"{etag} where {now} is current"


@case("a-transform", (21,), "MUST", "no validators in the answer to a PUT that was transformed", "transform")
def transformed(target: Target) -> str:
    answer = target.send("PUT", f"{target.base}-transform", (), CONTENT)
    if answer.status not in PERFORMED:
        return f"{answer.status} where 2xx is due"
    sent = [name for name in ("ETag", "Last-Modified") if answer.field(name) is not None]
    return f"with {', '.join(sent)}" if sent else ""


@case("a-status", (22,), "MUST", "201 when created, 200 or 204 when replaced", "missing")
def created(target: Target) -> str:
    path = f"{target.base}-missing"
    target.send("DELETE", path)
    first, second = (target.send("PUT", path, (), text).status for text in (CONTENT, OTHER_CONTENT))
    target.send("DELETE", path)
    return "" if first == 201 and second in (200, 204) else f"{first}, then {second}"


@case("a-coding", (14,), "MUST", "a content coding has a tag of its own, or a weak one")
def coding(target: Target) -> str:
    plain = target.send("GET", target.base, [(b"Accept-Encoding", b"identity")])
    coded = target.send("GET", target.base, [(b"Accept-Encoding", b"gzip")])
    if coded.field("Content-Encoding") is None:
        raise NotApplicableError("no coding")
    etag = coded.field("ETag")
    shared = etag is not None and etag == plain.field("ETag") and not etag.startswith("W/")
    return f"{etag} for both" if shared else ""


@case("a-coding-vary", (23,), "SHOULD", "Vary on an answer that depends on Accept-Encoding")
def coding_varies(target: Target) -> str:
    coded = target.send("GET", target.base, [(b"Accept-Encoding", b"gzip")])
    if coded.field("Content-Encoding") is None:
        raise NotApplicableError("no coding")
    return "" if "accept-encoding" in (coded.field("Vary") or "").lower() else f"Vary: {coded.field('Vary')}"


@case("a-304-fields", (78,), "MUST", "304 carries what the 200 would: ETag, Cache-Control, Vary, ...")
def not_modified_fields(target: Target) -> str:
    whole = target.send("GET", target.base)
    answer = target.send("GET", target.base, [(b"If-None-Match", b"*")])
    if answer.status != 304:
        return f"{answer.status} where 304 is due"
    return _same(whole, answer, ("ETag", "Cache-Control", "Vary", "Content-Location", "Expires"))


@case("a-304-content", (80, 81), "MUST", "304 has no content, no Transfer-Encoding, no other Content-Length")
def not_modified_content(target: Target) -> str:
    whole = target.send("GET", target.base)
    answer = target.send("GET", target.base, [(b"If-None-Match", b"*")])
    length = answer.field("Content-Length")
    if answer.field("Transfer-Encoding") is not None:
        return "Transfer-Encoding"
    if length is not None and length != str(len(whole.content)):
        return f"Content-Length: {length} where the 200 has {len(whole.content)}"
    return wrong(answer, frozenset({304}))


@case("a-304-metadata", (79,), "SHOULD", "304 carries no other metadata of the representation")
def not_modified_metadata(target: Target) -> str:
    answer = target.send("GET", target.base, [(b"If-None-Match", b"*")])
    sent = [name for name in ("Content-Type", "Content-Encoding", "Content-Language") if answer.field(name)]
    return f"with {', '.join(sent)}" if sent else ""


def _in_step(target: Target, first: bytes, method: str, due: int) -> str:
    with Connection(target.host, target.port) as connection:
        connection.send(first)
        answer = connection.answer(method)
        # A service may look at the content first, and this content is odd.
        if answer.status != due and not (method == "PUT" and answer.status in (400, 422)):
            return f"{answer.status} where {due} is due"
        try:
            connection.send(request("GET", target.base, target.extra))
            following = connection.answer("GET")
        except (ConnectionError, TimeoutError):
            return ""  # closed: in step, too
        return "" if following.status == 200 else f"the next answer on the connection is {following.status}"


@case("a-step-304", (82,), "MUST", "the connection stays in step after a 304")
def step_304(target: Target) -> str:
    first = request("GET", target.base, [(b"If-None-Match", b"*"), *target.extra], close=False)
    return _in_step(target, first, "GET", 304)


for name, content in (
    ("small", OTHER_CONTENT),
    ("large", b'{"text": "%s"}' % (b"GET / HTTP/1.1\r\n" * 40_000)),
):

    @case(
        f"a-step-412-{name}",
        (82,),
        "MUST",
        f"the connection stays in step after a 412, {name} content",
        "writes",
    )
    def step_412(target: Target, content: bytes = content) -> str:
        fields = [(b"If-Match", b'"never"'), JSON, *target.extra]
        whole = request("PUT", target.base, fields, content, close=False)
        try:
            return _in_step(target, whole, "PUT", 412)
        except (ConnectionError, BrokenPipeError):
            return ""  # closed while the content was under way


@case("a-step-chunked", (82,), "MUST", "in step after a 412 to chunked content", "writes")
def step_chunked(target: Target) -> str:
    fields = [(b"If-Match", b'"never"'), JSON, (b"Transfer-Encoding", b"chunked"), *target.extra]
    whole = request("PUT", target.base, fields, close=False) + b'4\r\n{"a"\r\n3\r\n: 1\r\n1\r\n}\r\n0\r\n\r\n'
    return _in_step(target, whole, "PUT", 412)


@case("a-continue", (85,), "MAY", "412 in the place of 100 (Continue)", "writes")
def instead_of_continue(target: Target) -> str:
    fields = [(b"If-Match", b'"never"'), JSON, (b"Expect", b"100-continue"), (b"Content-Length", b"1000")]
    with Connection(target.host, target.port, seconds=30) as connection:
        connection.send(request("PUT", target.base, [*fields, *target.extra]))
        answer = connection.answer("PUT", interim=True)
    return wrong(answer, frozenset({412}))


@case(
    "a-problem",
    (92,),
    "SHOULD",
    "412 is a problem detail with type, title, status and detail",
    "problem",
    "writes",
)
def problem(target: Target) -> str:
    answer = target.send("PUT", target.base, [(b"If-Match", b'"never"')], OTHER_CONTENT)
    if answer.field("Content-Type") != "application/problem+json":
        return f"Content-Type: {answer.field('Content-Type')}"
    told = json.loads(answer.content)
    missing = {"type", "title", "status", "detail", "instance"} - set(told)
    return f"without {sorted(missing)}" if missing or told["status"] != 412 else ""


@case(
    "a-prefer", (90,), "SHOULD", "412 carries the current representation when the client prefers it", "prefer"
)
def preferred(target: Target) -> str:
    whole = target.send("GET", target.base)
    fields = [(b"If-Match", b'"never"'), (b"Prefer", b"return=representation")]
    answer = target.send("PUT", target.base, fields, OTHER_CONTENT)
    if problem := wrong(answer, frozenset({412})):
        return problem
    if answer.content != whole.content or not answer.field("Content-Location"):
        return f"Content-Location {answer.field('Content-Location')!r}, {answer.content[:60]!r}"
    if "return=representation" not in (answer.field("Preference-Applied") or ""):
        return "without Preference-Applied"
    return _same(whole, answer, ("ETag", "Content-Type"))


@case("a-prefer-success", (91,), "SHOULD", "the same preference on success", "prefer")
def preferred_success(target: Target) -> str:
    fields = [(b"Prefer", b"return=representation")]
    answer = target.send("PUT", target.base, fields, OTHER_CONTENT)
    now = target.send("GET", target.base)
    restore(target, target.base)
    if answer.content != now.content or answer.field("Preference-Applied") is None:
        return f"{answer.status}, {answer.content[:60]!r}"
    return _same(now, answer, ("ETag",))


@case("a-required", (86,), "SHOULD", "428 explains how to resubmit", "required")
def required(target: Target) -> str:
    path = f"{target.base}-required"
    answer = target.send("PUT", path, (), OTHER_CONTENT)
    if answer.status != 428:
        return f"{answer.status} where 428 is due"
    return "" if b"If-Match" in answer.content else "the field is not named"
