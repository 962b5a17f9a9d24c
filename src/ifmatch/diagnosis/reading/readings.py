"""Keep what a call says in words of another form beside it, with the places of what was really sent; pure."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ifmatch.dialects import View

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ifmatch.model.exchange import Exchange
    from ifmatch.model.message import Content


@dataclass(frozen=True, slots=True)
class Reading:
    """What an exchange says as the calls that families know, where it was written otherwise.

    Attributes:
        sent: what the request says as JSON-RPC; None where it is read as it is.
        told: the same of the answer.
        places: by JSON Pointer (RFC 6901) into these where each value stands in the capture.
    """

    sent: Content | None = None
    told: Content | None = None
    places: Mapping[str, str] = field(default_factory=dict[str, str])


def view_of(exchange: Exchange, reading: Reading | None) -> View:
    """Return an exchange as families look at it.

    Args:
        exchange: as captured.
        reading: what it says in words that they know; None where it speaks for itself.
    """
    request, response = exchange.request, exchange.response
    if reading is None:
        return View(request, response)
    if reading.sent is not None:
        request = replace(request, content=reading.sent)
    if response is not None and reading.told is not None:
        response = replace(response, content=reading.told)
    return View(request, response, reading.places)
