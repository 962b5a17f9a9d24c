"""Show one exchange the way marks, guards and signals look at it, each part read once."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote, urlsplit

from ifmatch.dialects.pointers import tests_in
from ifmatch.dialects.words import spoken
from ifmatch.model.cached import cached_property
from ifmatch.model.late import late_pattern
from ifmatch.model.message import Content
from ifmatch.model.unknown import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ifmatch.dialects.evaluation import PresentedGuard
    from ifmatch.dialects.record import Dialect
    from ifmatch.model.message import Fields, Request, Response

__all__ = ["View", "pairs_in"]

# Bodies beyond this are data, not answers about a precondition.
_LONGEST = 2_000_000
_SEARCHED = 20_000
_MOST_LINES = 1000
# A record as forms write it: pairs without a blank, several of them where no field says so.
_PAIRS = late_pattern(r"[\w.$~\[\]-]+=[^\s<>{}&\"]*(?:&[\w.$~\[\]-]+=[^\s<>{}&\"]*)+")
_LONGEST_RECORD = 4000


class View:
    """A request and, when there was one, its response.

    Args:
        request: as seen.
        response: as seen; None when none came.
        places: by JSON Pointer where in the capture a value stands, where these contents are a reading of it.
    """

    def __init__(
        self, request: Request, response: Response | None = None, places: Mapping[str, str] | None = None
    ) -> None:
        self.request = request
        self.places = places or {}
        self.response = response
        # What a family found is asked for again and again.
        self.guards: dict[int, tuple[Dialect, tuple[PresentedGuard, ...]]] = {}
        # As well as what others make of it, by a name of theirs.
        self.kept: dict[str, object] = {}

    @property
    def status(self) -> int:
        """Return the status, 0 without a response."""
        return self.response.status if self.response is not None else 0

    @cached_property
    def received(self) -> Fields | None:
        """Return the response's fields."""
        return self.response.fields if self.response is not None else None

    @cached_property
    def path(self) -> str:
        """Return the decoded path."""
        return unquote(urlsplit(self.request.url).path)

    @cached_property
    def target(self) -> str:
        """Return the decoded path with the query as sent, for patterns over both."""
        query = urlsplit(self.request.url).query
        return f"{self.path}?{query}" if query else self.path

    @cached_property
    def host(self) -> str:
        """Return the host, lower case, "" when the target has none."""
        return (urlsplit(self.request.url).hostname or "").lower()

    @cached_property
    def query(self) -> dict[str, str]:
        """Return the parameters by lower-case name; the first of several counts."""
        found: dict[str, str] = {}
        if "?" not in self.request.url:
            return found
        for name, value in parse_qsl(urlsplit(self.request.url).query, keep_blank_values=True):
            found.setdefault(name.lower(), value)
        return found

    @cached_property
    def form(self) -> dict[str, str]:
        """Return the members of a urlencoded request body, by lower-case name."""
        kind = (self.request.fields.text("content-type") or "").lower()
        if not kind.startswith("application/x-www-form-urlencoded"):
            return {}
        return {name.lower(): value for name, value in parse_qsl(self.sent_text, keep_blank_values=True)}

    @cached_property
    def sent_text(self) -> str:
        """Return the beginning of the request body."""
        return _text(self.request.content)

    @cached_property
    def sent_json(self) -> object:
        """Return the request body as JSON, UNKNOWN when it is none."""
        found = _json(self.request.content)
        return (dict(self.form) or UNKNOWN) if found is UNKNOWN else found

    @cached_property
    def tests(self) -> tuple[tuple[str, object], ...]:
        """Return path and value of the tests of a JSON Patch in the request body."""
        return tuple(tests_in(self.sent_json))

    @cached_property
    def text(self) -> str:
        """Return the beginning of the response body, with the signs that JSON may write as escapes."""
        if self.response is None:
            return ""
        # What words say of members is written for JSON.
        record = pairs_in(self.response.content)
        return json.dumps(record, ensure_ascii=False) if record else spoken(_text(self.response.content))

    @cached_property
    def json(self) -> object:
        """Return the response body as JSON, or the record that a form writes; UNKNOWN when it is neither."""
        if self.response is None:
            return UNKNOWN
        found = _json(self.response.content)
        return (pairs_in(self.response.content) or UNKNOWN) if found is UNKNOWN else found


def pairs_in(content: object) -> dict[str, str]:
    """Return the members of an answer that is written as forms are: `ok=1&nr=5510&rev=41`; empty for others.

    Args:
        content: of an answer.

    Source: URL Standard section 5 (application/x-www-form-urlencoded).
    """
    if not isinstance(content, Content) or not 0 < len(content) <= _LONGEST_RECORD:
        return {}
    text = content.text.strip()
    if "=" not in text[:60] or _PAIRS.fullmatch(text) is None:
        return {}
    pairs = parse_qsl(text, keep_blank_values=True)
    # A name that is there twice is one of a list.
    return dict(pairs) if len({name for name, _ in pairs}) == len(pairs) else {}


def _text(content: object) -> str:
    return content.text[:_SEARCHED] if isinstance(content, Content) else ""


def _json(content: object) -> object:
    if not isinstance(content, Content):
        return UNKNOWN
    text = content.text
    if len(text) > _LONGEST or text.lstrip()[:1] not in {"{", "["}:
        # Consul answers with a bare `false`: such short values are JSON too.
        if text.strip() in {"true", "false", "null"}:
            return content.json()
        return UNKNOWN
    found = content.json()
    return _lines(text) if found is UNKNOWN else found


def _lines(text: str) -> object:
    """Return the records of a text that has one in each line, UNKNOWN for any other text (ndjson.org)."""
    lines = [line for line in text.splitlines() if line.strip()]
    if not 1 < len(lines) <= _MOST_LINES or not all(line.lstrip().startswith("{") for line in lines):
        return UNKNOWN
    records = [Content.from_text(line).json() for line in lines]
    return UNKNOWN if any(one is UNKNOWN for one in records) else records
