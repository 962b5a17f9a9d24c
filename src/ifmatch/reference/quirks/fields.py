"""Quirks of the fields of answers: left out, hidden, wrong in time.

Source: RFC 9110 sections 8.8.2, 15.4.5 and 15.5.13.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from ifmatch.core.http_date import format_http_date, parse_http_date
from ifmatch.core.malformed import Malformed
from ifmatch.reference.messages import Answer
from ifmatch.reference.quirks.quirk import Around, Quirk
from ifmatch.reference.quirks.tags import current_state

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from ifmatch.reference.application import PracticeServer
    from ifmatch.reference.messages import Handler, Request

__all__ = ["QUIRKS"]


def _answering(change: Callable[[Answer], Answer]) -> Callable[[PracticeServer, str], Around]:
    """Return the maker of a behaviour that only changes the answer."""

    def make(server: PracticeServer, value: str) -> Around:
        del server, value

        async def around(request: Request, forward: Handler) -> Answer:
            return change(await forward(request))

        return around

    return make


def _bare_412(answer: Answer) -> Answer:
    if answer.status != 412:
        return answer
    return Answer(412, tuple(pair for pair in answer.fields if pair[0].lower() == "date"))


def _bare_304(answer: Answer) -> Answer:
    return (
        answer.without("ETag", "Vary", "Cache-Control", "Content-Location")
        if answer.status == 304
        else answer
    )


def _hidden(answer: Answer) -> Answer:
    return answer.without("Access-Control-Expose-Headers")


def _hidden_refusal(answer: Answer) -> Answer:
    if answer.status != 412:
        return answer
    return answer.without("Access-Control-Allow-Origin", "Access-Control-Expose-Headers")


def _stripped(answer: Answer) -> Answer:
    return answer.without("ETag", "Last-Modified")


def _redated(write: Callable[[datetime], str]) -> Callable[[PracticeServer, str], Around]:
    """Write Last-Modified in another way."""

    def make(server: PracticeServer, value: str) -> Around:
        del value

        async def around(request: Request, forward: Handler) -> Answer:
            answer = await forward(request)
            snapshot = await current_state(server, request)
            if snapshot is None or answer.get("last-modified") is None:
                return answer
            return answer.replacing("Last-Modified", write(snapshot.last_modified))

        return around

    return make


def _shifted(server: PracticeServer, value: str, *, date_too: bool) -> Around:
    offset = timedelta(hours=float(value))

    async def around(request: Request, forward: Handler) -> Answer:
        asked = request
        for name in ("if-modified-since", "if-unmodified-since"):
            text = request.get(name)
            if text is not None:
                asked = asked.replacing(name, moved(text, -offset))
        answer = await forward(asked)
        for name in ("Last-Modified", "Date") if date_too else ("Last-Modified",):
            text = answer.get(name)
            if text is not None:
                answer = answer.replacing(name, moved(text, offset))
        return answer

    def moved(text: str, by: timedelta) -> str:
        date = parse_http_date(text, now=server.surroundings.clock)
        return text if isinstance(date, Malformed) else format_http_date(date + by)

    return around


QUIRKS: Final = (
    Quirk(
        name="bare-412",
        summary="412 says nothing: no tag, no content.",
        cause="other-writer",
        section="RFC 9110 section 15.5.13",
        seen_in="most frameworks",
        curl="curl -i -X PUT -H 'If-Match: \"never-issued\"' -d x $URL",
        make=_answering(_bare_412),
    ),
    Quirk(
        name="bare-304",
        summary="304 lacks ETag, Vary, Cache-Control and Content-Location.",
        cause="cache-misevaluates",
        section="RFC 9110 section 15.4.5",
        seen_in="flask-smorest, the Django condition decorator",
        curl="curl -i -H 'If-None-Match: *' $URL",
        make=_answering(_bare_304),
    ),
    Quirk(
        name="strip-validators",
        summary="ETag and Last-Modified are taken off every answer.",
        cause="validator-stripped",
        section="RFC 9110 section 7.7",
        seen_in="nginx sub_filter, filters that rewrite content",
        curl="curl -i $URL",
        make=_answering(_stripped),
    ),
    Quirk(
        name="hidden-etag",
        summary="Pages of other origins cannot read ETag: no Access-Control-Expose-Headers.",
        cause="cors-hidden-etag",
        section="Fetch Standard, CORS protocol",
        seen_in="the default of most CORS middleware",
        curl="curl -i -H 'Origin: https://app.example' $URL",
        make=_answering(_hidden),
    ),
    Quirk(
        name="hidden-412",
        summary="Pages of other origins cannot read the 412: it lacks the CORS fields.",
        cause="cors-hidden-etag",
        section="Fetch Standard, CORS protocol",
        seen_in="CORS middleware inside of the one that refuses",
        curl="curl -i -X PUT -H 'Origin: https://app.example' -H 'If-Match: \"never-issued\"' -d x $URL",
        make=_answering(_hidden_refusal),
    ),
    Quirk(
        name="iso-last-modified",
        summary="Last-Modified is an ISO 8601 date, which no recipient has to understand.",
        cause="bad-date",
        section="RFC 9110 section 5.6.7",
        seen_in="hand-made services",
        curl="curl -i $URL",
        make=_redated(lambda moment: moment.isoformat(timespec="seconds")),
    ),
    Quirk(
        name="future-last-modified",
        summary="Last-Modified lies in the future of Date.",
        cause="clock-skew",
        section="RFC 9110 section 8.8.2.1",
        seen_in="nodes whose clock is ahead, restored backups",
        curl="curl -i $URL",
        make=lambda server, value: _shifted(server, value, date_too=False),
        value="hours ahead",
        default="1",
    ),
    Quirk(
        name="wrong-clock",
        summary="The server's clock is ahead: Date and Last-Modified alike.",
        cause="clock-skew",
        section="RFC 9110 section 13.1.4",
        seen_in="machines without NTP",
        curl="curl -i $URL; date -u",
        make=lambda server, value: _shifted(server, value, date_too=True),
        value="hours ahead, negative for behind",
        default="1",
    ),
)
