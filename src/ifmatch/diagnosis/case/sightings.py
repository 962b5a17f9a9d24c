"""Take from an exchange what tells whether two captures saw the same request, and judge what they share."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ifmatch.diagnosis.reading import tokens
from ifmatch.diagnosis.reading.dates import http_date
from ifmatch.diagnosis.reading.lost_members import only_one_lost, only_versions_lost
from ifmatch.diagnosis.steps.resources import bare, path_of
from ifmatch.model.late import late_pattern
from ifmatch.model.message import Content
from ifmatch.model.unknown import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ifmatch.model.exchange import Exchange

_GATEWAY = frozenset({0, 499, 500, 502, 503, 504})
# Statuses that a cache or proxy may give for another one from upstream.
_TRANSLATED = frozenset({(200, 304), (304, 200), (206, 200), (200, 206), (412, 200), (304, 304)})
# Fields that a proxy adds to what it forwards.
_FORWARDING = (
    "via",
    "x-forwarded-for",
    "x-forwarded-proto",
    "forwarded",
    "x-real-ip",
    "x-envoy-expected-rq-timeout-ms",
)
# So many steps at the end of a path may be a version that was lost on the way.
_LOST = 2
# What services call the answers that they give, and the least that such a name has.
_ANSWER_ID = late_pattern(
    r"(?:request|trace|correlation|upload|invocation|transaction)-?(?:id)?$", re.IGNORECASE
)
_UNIQUE = 12
# So many requests in step are no accident; how long they take at most to the next vantage, and how evenly.
_SEVERAL = 3
_SHORT_LAG = 0.3
_LAGS_APART = 0.03
# Seconds that a request takes from one side of a proxy to the other, at most.
_HOP = 0.1
# Seconds by which two clocks that agree may differ.
SAME_CLOCK = 2.0


class Seen:
    """What pairing needs of one exchange, taken once.

    Args:
        exchange: as captured.
        offset: seconds by which its clock is ahead of the reference.
    """

    __slots__ = (
        "answer",
        "bare",
        "body",
        "date",
        "end",
        "etag",
        "forwarded",
        "host",
        "ids",
        "marks",
        "method",
        "passed",
        "path",
        "start",
        "status",
        "stored",
        "tail",
        "timed",
        "told",
        "user",
        "who",
    )

    def __init__(self, exchange: Exchange, offset: float) -> None:
        request = exchange.request
        self.method = request.method
        self.path = path_of(request.url)
        self.host = urlsplit(request.url).netloc
        # A parameter may be lost on the way: what is left of the target still says a good deal.
        self.bare = self.path.partition("?")[0]
        self.tail = bare(self.path).rpartition("/")[2]
        response = exchange.response
        date = response.fields.text("date") if response is not None else None
        self.date = http_date(date) if date else None
        self.timed = exchange.started is not None
        started = exchange.started - offset if exchange.started is not None else self.date
        self.start = started if started is not None else -1.0
        self.end = self.start + (exchange.duration or 0.0)
        self.status = exchange.status
        self.body = request.content.octets if isinstance(request.content, Content) else None
        self.user = request.fields.text("user-agent")
        self.who = request.fields.text("authorization")
        self.told = request.fields.get("authorization") is not UNKNOWN
        self.ids = {
            value
            for name in (
                "x-request-id",
                "x-correlation-id",
                "traceparent",
                "x-amzn-trace-id",
                "idempotency-key",
            )
            if (value := request.fields.text(name))
        }
        self.marks = _marks_of(exchange)
        self.forwarded = any(name in request.fields for name in _FORWARDING)
        self.passed = _passed(exchange)
        self.stored = _stored(exchange)
        self.etag = response.fields.text("etag") if response is not None else None
        content = response.content if response is not None else None
        self.answer = content.octets if isinstance(content, Content) else b""


def _passed(exchange: Exchange) -> int:
    """Return how many intermediaries an answer says that it has passed (RFC 9110 section 7.6.3)."""
    via = exchange.response.fields.text("via") if exchange.response is not None else None
    return len(via.split(",")) if via else 0


def _stored(exchange: Exchange) -> bool:
    """Tell whether a cache gave this answer out of its store (RFC 9111 section 5.1)."""
    age = exchange.response.fields.text("age") if exchange.response is not None else None
    return age is not None and age.strip().isdigit() and int(age) > 0


def _marks_of(exchange: Exchange) -> frozenset[str]:
    """Return the ids that a service gave to this one answer: on every way that it took they are the same."""
    response = exchange.response
    return frozenset(
        value
        for name, value in (response.fields if response is not None else ())
        if len(value) >= _UNIQUE and _ANSWER_ID.search(name) and any(map(str.isdigit, value))
    )


def _ends_alike(one: str, two: str) -> bool:
    """Tell whether two paths are the same, or end in the same two steps."""
    return one == two or (one.count("/") > 1 and one.split("/")[-2:] == two.split("/")[-2:])


def _renamed(down: Seen, up: Seen) -> bool:
    """Tell whether two exchanges of other targets are one by what they carry and what is left of the path."""
    if down.body and down.body == up.body:
        lost = down.bare.startswith(f"{up.bare}/") and down.bare.count("/") - up.bare.count("/") <= _LOST
        return lost or _ends_alike(down.bare, up.bare)
    return (
        not down.body and bool(down.answer) and down.answer == up.answer and _ends_alike(down.bare, up.bare)
    )


def _one_answer(down: Seen, up: Seen) -> bool:
    """Tell whether both bear the id of one answer, and its very content: then the requests are one, too.

    A service that asks another one hands on the id of the request, but hardly ever what it is told. An answer
    may name the address that it was asked for by.
    """
    if not down.marks & up.marks or down.status != up.status or not down.answer:
        return False
    own, behind = (one.answer.replace(one.bare.encode(), b"") for one in (down, up))
    return down.answer == up.answer or own == behind


def score(down: Seen, up: Seen) -> int:
    """Return how well two exchanges can be one request; negative when they cannot."""
    if down.method != up.method and not (down.method == "HEAD" and up.method == "GET"):
        return -1
    if down.body is not None and up.body is not None and down.body != up.body:
        # A gateway that takes a version out of the content leaves path and answer as they are.
        alike = down.path == up.path and down.answer == up.answer and down.status == up.status
        behind = down.host != up.host or up.forwarded
        lost = alike and only_versions_lost(down.body, up.body)
        if not (lost or (alike and behind and only_one_lost(down.body, up.body)) or _one_answer(down, up)):
            return -1
    if (down.user and up.user and down.user != up.user) or (down.who and up.who and down.who != up.who):
        return -1
    points = 3 if down.path == up.path else (-3 if down.tail == up.tail else -5)
    if points < 0 and (_renamed(down, up) or down.marks & up.marks):
        # A gateway that renames the front of paths, or loses the query or the end, leaves the rest as it is.
        points = 1
    if (down.who is None) != (up.who is None) and down.told and up.told:
        points -= 3
    if down.ids & up.ids:
        points += 5
    if down.status == up.status:
        points += 3
    elif down.status in _GATEWAY:
        points += 1
    elif down.status in {409, 412} and 200 <= up.status < 300:
        # The answer to a repeat of the proxy, or the word of a cache.
        points += 0
    elif (down.status, up.status) not in _TRANSLATED:
        points -= 2
    if down.body is not None and up.body is not None and down.body:
        points += 1
    if down.etag and up.etag and down.status == up.status:
        one, two = (
            tokens.strip_suffix(tokens.opaque(down.etag))[0],
            tokens.strip_suffix(tokens.opaque(up.etag))[0],
        )
        points += 1 if one == two else -6
    if down.stored and not up.stored and down.status == up.status == HTTPStatus.OK:
        # What a cache gave out of its store went no further: that is another client's like request.
        points -= 7
    if (
        down.date is not None
        and up.date is not None
        and abs(down.date - up.date) > SAME_CLOCK
        and down.status == up.status
    ):
        points -= 1
    return points


def single_marks(seen: Sequence[Seen]) -> None:
    """Leave to the exchanges of a capture only the ids that one answer bears: others name a session.

    Args:
        seen: all exchanges of the capture.
    """
    counts: dict[str, int] = {}
    for one in seen:
        for mark in one.marks:
            counts[mark] = counts.get(mark, 0) + 1
    for one in seen:
        one.marks = frozenset(mark for mark in one.marks if counts[mark] == 1)


def _in_step(found: Sequence[tuple[Seen, Seen]]) -> bool:
    """Tell whether requests reached the one capture just after the other, all by the same short time.

    Two clients do not keep step like that, nor are both answered alike when they write the same.
    """
    lags = [two.start - one.start for one, two in found if one.timed and two.timed]
    if len(lags) < _SEVERAL or len(lags) < len(found) or any(one.status != two.status for one, two in found):
        return False
    return min(lags) > 0 and max(lags) <= _SHORT_LAG and max(lags) - min(lags) <= _LAGS_APART


def writes(seen: Seen) -> bool:
    """Tell whether an exchange may change something.

    Args:
        seen: the exchange.
    """
    return seen.method not in {"GET", "HEAD", "OPTIONS"}


def _followed_at_once(found: Sequence[tuple[Seen, Seen]]) -> bool:
    """Tell whether each request of the one is followed at once by the other's, always by the same time.

    Whole seconds on one side would leave gaps of all lengths: then both clocks tell finer than that.
    """
    # What a proxy sent again later is behind its first request.
    first = {id(one): two.start - one.start for one, two in sorted(found, key=lambda pair: -pair[1].start)}
    gaps = list(first.values())
    apart = max(one.start for one, _ in found) - min(one.start for one, _ in found) if found else 0.0
    return (
        len(gaps) > 1
        and apart >= 1
        and min(gaps) > 0
        and max(gaps) <= _HOP
        and max(gaps) - min(gaps) <= _HOP / 5
    )


def credible(
    down: Sequence[Seen], up: Sequence[Seen], pairs: Mapping[int, int], *, one_clock: bool, told: bool
) -> bool:
    """Tell whether pairs are more than the likeness of two clients that do the same one after the other.

    Args:
        down: exchanges of the capture nearer to the client.
        up: of the one nearer to the origin.
        pairs: for each matched exchange of `up`: its number and that of its partner in `down`.
        one_clock: whether both clocks agree.
        told: whether the times, or the kinds of the captures, tell by themselves.
    """
    found = [(down[partner], up[number]) for number, partner in pairs.items()]
    if any(one.ids & two.ids or (two.forwarded and not one.forwarded) for one, two in found):
        return True
    if found and all(one.passed > two.passed for one, two in found):
        return True
    if one_clock and _in_step(found):
        return True
    if not one_clock:
        # A shift that fits a read or two is found for any two clients; their writes have to fit as well.
        both = {one.tail for one in down if writes(one)} & {one.tail for one in up if writes(one)}
        if both and not any(writes(one) for one, _ in found):
            return False
    if told or any(one.host != two.host for one, two in found):
        return True
    if _followed_at_once(found):
        return True
    longer = [one.end - one.start > two.end - two.start > 0 for one, two in found]
    return len(longer) > 1 and all(longer)
