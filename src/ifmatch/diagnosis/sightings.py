"""Take from an exchange what tells whether two captures saw the same request, and judge what they share."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ifmatch.diagnosis.dates import http_date
from ifmatch.diagnosis.resources import path_of
from ifmatch.model.message import Content
from ifmatch.model.unknown import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ifmatch.model.exchange import Exchange

# Fields that a proxy adds to what it forwards.
_FORWARDING = (
    "via",
    "x-forwarded-for",
    "x-forwarded-proto",
    "forwarded",
    "x-real-ip",
    "x-envoy-expected-rq-timeout-ms",
)


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
        "method",
        "path",
        "start",
        "status",
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
        self.tail = self.path.partition("?")[0].rstrip("/").rpartition("/")[2]
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
        self.forwarded = any(name in request.fields for name in _FORWARDING)
        self.etag = response.fields.text("etag") if response is not None else None
        content = response.content if response is not None else None
        self.answer = content.octets if isinstance(content, Content) else b""


def writes(seen: Seen) -> bool:
    """Tell whether an exchange may change something.

    Args:
        seen: the exchange.
    """
    return seen.method not in {"GET", "HEAD", "OPTIONS"}


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
    if not one_clock:
        # A shift that fits a read or two is found for any two clients; their writes have to fit as well.
        both = {one.tail for one in down if writes(one)} & {one.tail for one in up if writes(one)}
        if both and not any(writes(one) for one, _ in found):
            return False
    if told or any(one.host != two.host for one, two in found):
        return True
    longer = [one.end - one.start > two.end - two.start > 0 for one, two in found]
    return len(longer) > 1 and all(longer)
