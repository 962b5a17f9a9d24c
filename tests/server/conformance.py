"""The rows of RFC 9110 section 13 that one origin can show, as a table that any live server can be put to.

A `Target` says where the server is and which of the siblings of its resource it has (the names are those of
`ifmatch serve`). `run` gives a verdict for each case: pass, fail with what was seen, or not applicable.
What is a request with conditions and the status that is due stands in cases/conformance/conditions.json, what
needs more is in `conformance_answers`. Placeholders there: {E} and {LM} are ETag and Last-Modified of a GET
just before, {LM+1} is a second later, {YEAR+49} a date with a two-digit year, 49 years ahead.
"""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from tests.server.raw import Answer, Line, exchange

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

CONDITIONS = Path(__file__).parents[2] / "cases" / "conformance" / "conditions.json"

DATED = datetime(2025, 7, 1, 10, 0, 0, tzinfo=UTC)
CONTENT = b'{"text": "' + b"0123456789" * 8 + b'"}'
OTHER_CONTENT = b'{"text": "' + b"9876543210" * 8 + b'"}'
JSON = (b"Content-Type", b"application/json")
PERFORMED = frozenset({200, 201, 204})
REFUSED = frozenset({400, 412})
READS = ("GET", "HEAD")
_STATUSES: dict[Any, frozenset[int]] = {"performed": PERFORMED, "refused": REFUSED}

# What a target may have beside its resource.
ALL_FEATURES = frozenset(
    {
        "writes",  # PUT and DELETE on the resource
        "missing",
        "tagged",
        "dated",
        "forbidden",
        "moved",
        "transform",
        "private",  # BASE-private: 401 without Authorization, whatever the condition
        "typed",  # BASE takes application/json only: 415
        "range",
        "gzip",  # BASE has a gzip variant
        "prefer",
        "problem",
        "required",  # BASE-required: 428 without a precondition
    }
)


@dataclass(frozen=True)
class Target:
    port: int
    host: str = "127.0.0.1"
    base: str = "/resource"
    features: frozenset[str] = ALL_FEATURES
    extra: tuple[Line, ...] = ()
    # A file server may mark the tag of a fresh file as weak: then wait until it is strong.
    settles: bool = False
    # Every PUT and DELETE has to carry If-Match (RFC 6585 section 3), and POST creates: then a write that
    # tests nothing carries the current tag, and a case about another condition alone does not apply.
    demands_match: bool = False

    def send(
        self, method: str, path: str, lines: Sequence[Line] = (), content: bytes | None = None
    ) -> Answer:
        names = {name.lower() for name, _ in lines}
        if self.demands_match and method in ("PUT", "DELETE") and b"if-match" not in names:
            if any(name.startswith(b"if-") for name in names):
                raise NotApplicableError("every write has to carry If-Match")
            etag = self.send("GET", path).field("ETag")
            method = "POST" if etag is None and method == "PUT" else method
            lines = lines if etag is None else [*lines, (b"If-Match", etag.encode("latin-1"))]
        if content is not None and b"content-type" not in names:
            lines = [*lines, JSON]
        return exchange(self.host, self.port, method, path, [*lines, *self.extra], content)


@dataclass(frozen=True)
class Seen:
    """What a plain GET gave before the case."""

    etag: bytes
    modified: bytes
    modified_at: datetime
    content: bytes


@dataclass(frozen=True)
class Case:
    id: str
    rows: tuple[int, ...]
    level: str
    title: str
    check: Callable[[Target], str]
    needs: frozenset[str] = field(default=frozenset())


@dataclass(frozen=True)
class Verdict:
    case: Case
    status: str
    actual: str = ""


def run(target: Target, cases: Sequence[Case]) -> Iterator[Verdict]:
    """Put each case to a target."""
    for case in cases:
        if not case.needs <= target.features:
            yield Verdict(case, "not-applicable")
            continue
        try:
            actual = case.check(target)
        except NotApplicableError as error:
            yield Verdict(case, "not-applicable", str(error))
            continue
        except (OSError, TypeError, ValueError) as error:
            actual = f"{type(error).__name__}: {error}"
        yield Verdict(case, "fail" if actual else "pass", actual)


class NotApplicableError(Exception):
    pass


# --- looking at a resource


def look(target: Target, path: str) -> Seen:
    answer = target.send("GET", path)
    deadline = time.monotonic() + 30
    while target.settles and (answer.field("ETag") or "").startswith("W/") and time.monotonic() < deadline:
        time.sleep(0.05)  # between two looks; the deadline bounds it
        answer = target.send("GET", path)
    if answer.status != 200:
        raise NotApplicableError(f"GET {path} is {answer.status}")
    modified = answer.field("Last-Modified") or ""
    at = parsedate_to_datetime(modified) if modified else DATED
    return Seen((answer.field("ETag") or "").encode("latin-1"), modified.encode(), at, answer.content)


def http_date(at: datetime) -> bytes:
    return at.strftime("%a, %d %b %Y %H:%M:%S GMT").encode()


def wrong(answer: Answer, expected: frozenset[int]) -> str:
    if answer.status in expected:
        return ""
    return f"{answer.status} where {' or '.join(map(str, sorted(expected)))} is due"


def _filled(text: str, seen: Seen) -> bytes:
    if "{E}" in text and not seen.etag:
        raise NotApplicableError("no ETag")
    if "{LM" in text and not seen.modified:
        raise NotApplicableError("no Last-Modified")
    octets = text.encode("latin-1").replace(b"{E}", seen.etag).replace(b"{LM}", seen.modified)
    if shift := re.search(rb"\{LM([+-]\d+)\}", octets):
        octets = octets.replace(shift[0], http_date(seen.modified_at + timedelta(seconds=int(shift[1]))))
    if years := re.search(rb"\{YEAR([+-]\d+)\}", octets):
        now = datetime.now(UTC)
        at = now.replace(year=now.year + int(years[1]), month=3, day=1)
        octets = octets.replace(years[0], at.strftime("%A, %d-%b-%y %H:%M:%S GMT").encode())
    return octets


def condition(record: dict[str, Any]) -> Case:
    """Make a case of a record: look, send, compare the status; a refused write must leave no trace."""
    method, on = record["method"], record.get("on", "")
    needs = {
        *record.get("needs", ()),
        *([on] if on else []),
        *(["writes"] if not on and method not in READS else []),
    }
    due = frozenset().union(*(_STATUSES.get(one, frozenset({one})) for one in record["expect"]))

    def check(target: Target) -> str:
        path = f"{target.base}-{on}" if on else target.base
        if "tag" in record:
            path += f"?etag={quote(record['tag'].encode('latin-1'), safe='')}"
        seen = look(target, path)
        fields = [(name.encode(), _filled(value, seen)) for name, value in record["fields"]]
        answer = target.send(method, path, fields, OTHER_CONTENT if method == "PUT" else None)
        # Who demands If-Match and takes one that cannot be read for none refuses it as well.
        refuses = target.demands_match and 412 in due and answer.status == 428
        problem = "" if refuses else wrong(answer, due)
        if method in READS:
            return problem
        if not problem and answer.status not in PERFORMED:
            after = target.send("GET", path)
            if ((after.field("ETag") or "").encode("latin-1"), after.content) != (seen.etag, seen.content):
                problem = f"{answer.status}, and the method was performed"
        # What went wrong here must not spoil the next case.
        restored = restore(target, path) if not on and (problem or answer.status in PERFORMED) else ""
        return problem or restored

    return Case(
        record["id"], tuple(record["rows"]), record["level"], record["title"], check, frozenset(needs)
    )


def restore(target: Target, path: str) -> str:
    return wrong(target.send("PUT", path, (), CONTENT), PERFORMED)


def conditions() -> list[Case]:
    """All cases of the file."""
    return [condition(record) for record in json.loads(CONDITIONS.read_text("utf-8"))]
