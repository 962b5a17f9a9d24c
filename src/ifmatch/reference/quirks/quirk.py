"""Describe a quirk: what the server does wrong, who does so in reality, and how to see it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from ifmatch.reference.messages import Answer, Handler, Request

if TYPE_CHECKING:
    from ifmatch.reference.application import PracticeServer

__all__ = ["GUARDED_PUT", "LAST_MODIFIED", "TAG", "Around", "Quirk", "wrapped"]

TAG = "$(curl -sI $URL | sed -n 's/^ETag: //p' | tr -d '\\r')"
"""Shell words that give the current tag of `$URL`."""

LAST_MODIFIED = "$(curl -sI $URL | sed -n 's/^Last-Modified: //p' | tr -d '\\r')"
"""Shell words that give the current Last-Modified of `$URL`."""

GUARDED_PUT = f'curl -i -X PUT -H "If-Match: {TAG}" -d x $URL'
"""A write with the tag that was just read."""


Around: TypeAlias = Callable[[Request, Handler], Awaitable[Answer]]
"""Stand between the client and the server: take the request, ask the handler or not, give an answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quirk:
    """One way to be wrong.

    Attributes:
        name: for `--quirk`.
        summary: what it does, one sentence.
        cause: id of the cause that a client then suffers from.
        section: of the RFC that it breaks, or that it makes use of, as `RFC 9110 section 13.1.1`.
        seen_in: software that behaves so.
        curl: what shows it; `$URL` is the practice resource.
        make: gives the behaviour for a server and the value of `NAME=VALUE`.
        value: what VALUE is and its default, "" when the quirk takes none.
        default: the value when none is given.
    """

    name: str
    summary: str
    cause: str
    section: str
    seen_in: str
    curl: str
    make: Callable[[PracticeServer, str], Around]
    value: str = ""
    default: str = ""


def wrapped(
    around: Around, rate: float, random: Callable[[], float]
) -> Callable[[PracticeServer, Handler], Handler]:
    """Return a wrapper for a handler that a quirk touches at a rate.

    Args:
        around: the behaviour.
        rate: share of requests, 0 to 1.
        random: uniform in [0, 1).
    """

    def wrap(server: PracticeServer, handler: Handler) -> Handler:
        del server

        async def handle(request: Request) -> Answer:
            if rate < 1 and random() >= rate:
                return await handler(request)
            return await around(request, handler)

        return handle

    return wrap
